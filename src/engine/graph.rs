//! A graph of steps with typed references. The reference is the edge: it can only be had from a step that was added
//! before, so nothing dangles and no cycle can be written. Knows no cloud and makes no call.

use super::{
    error::{Error, Result},
    journal::{Entry, Journal},
    object::{Cloud, Object},
    reference::{Need, Ref, needs_of},
    step::Step,
};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The place of one replaceable machine and all that is made for it: `web` number 0.
///
/// The steps in a slot carry in their names what the machine is made of (see [`generation`]), so that a machine of
/// another make is another step. Slots of one group are rolled one by one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    pub group: String,
    pub index: u32,
    pub order: Order,
}

/// What comes first when what stands in a slot is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// New, ready, in; then the old out. For machines that keep nothing.
    MakeFirst,
    /// The old out, then the new: for what holds something that only one can have, like a volume or an address.
    RemoveFirst,
}

/// A short hash of what something is made of, for the names of steps in a slot: `web-0-3fa9c1/server`.
pub fn generation(of: &impl Serialize) -> String {
    // What serialises into a graph is plain data; if it cannot be written, its error text stands for it.
    let bytes = serde_json::to_vec(of).unwrap_or_else(|why| why.to_string().into_bytes());
    Sha256::digest(bytes)
        .iter()
        .take(3)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What a thing is made of: steps by name, in the order in which they were added.
pub struct Graph<C> {
    pub(super) steps: IndexMap<String, Planned<C>>,
    pub(super) seal: Option<String>,
    slot: Option<Slot>,
    mistake: Option<Error>,
}

pub(super) struct Planned<C> {
    pub step: Arc<dyn Step<C>>,
    pub spec: Value,
    pub needs: Vec<Need>,
    pub slot: Option<Slot>,
}

impl<C: Cloud> Planned<C> {
    fn asked(&self) -> Entry {
        Entry::asked(self.step.kind(), self.spec.clone(), self.slot.clone())
    }
}

impl<C: Cloud> Default for Graph<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Cloud> Graph<C> {
    pub fn new() -> Self {
        Self {
            steps: IndexMap::new(),
            seal: None,
            slot: None,
            mistake: None,
        }
    }

    /// Adds a step. Its edges are the references that it holds.
    ///
    /// A name given twice, or a reference into another graph, is our own mistake; it is kept and told by
    /// [`Graph::check`], which every run asks first, so that a plan reads without question marks.
    pub fn add<T: Object<C>>(&mut self, name: impl Into<String>, object: T) -> Ref<T> {
        let name = name.into();
        let reference = Ref::to(&name);
        let spec = match serde_json::to_value(&object) {
            Ok(spec) => spec,
            Err(why) => {
                self.wrong(&name, &why.to_string());
                return reference;
            }
        };
        let needs = needs_of(&spec);
        if self.steps.contains_key(&name) {
            self.wrong(&name, "the name is taken by an earlier step");
            return reference;
        }
        if let Some(need) = needs
            .iter()
            .find(|need| !self.steps.contains_key(&need.step))
        {
            self.wrong(
                &name,
                &format!("it needs `{}`, which is no step of this plan", need.step),
            );
            return reference;
        }
        let planned = Planned {
            step: Arc::new(object),
            spec,
            needs,
            slot: self.slot.clone(),
        };
        self.steps.insert(name, planned);
        reference
    }

    /// Adds the step that marks the whole as finished: made last, when all else is made and what is stale is gone, and
    /// removed first.
    pub fn seal<T: Object<C>>(&mut self, name: impl Into<String>, object: T) -> Ref<T> {
        let name = name.into();
        if self.seal.is_some() {
            self.wrong(&name, "the plan is sealed already");
        }
        self.seal = Some(name.clone());
        self.add(name, object)
    }

    /// What `add` adds here belongs to one slot.
    pub fn slot<R>(&mut self, slot: Slot, add: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.enter(Some(slot));
        let result = add(self);
        self.enter(outer);
        result
    }

    /// What is added from here on belongs to this slot, or to none. Returns the slot that was entered before.
    pub fn enter(&mut self, slot: Option<Slot>) -> Option<Slot> {
        std::mem::replace(&mut self.slot, slot)
    }

    /// The first mistake made while adding.
    pub fn check(&self) -> Result<()> {
        self.mistake.clone().map_or(Ok(()), Err)
    }

    /// Names of all steps, in the order in which they were added: needs come before those who need them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.keys().map(String::as_str)
    }
    /// The steps that belong to a replaceable machine, with their slots.
    pub fn slots(&self) -> impl Iterator<Item = (&str, &Slot)> {
        self.steps
            .iter()
            .filter_map(|(name, planned)| Some((name.as_str(), planned.slot.as_ref()?)))
    }
    pub fn len(&self) -> usize {
        self.steps.len()
    }
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Writes into the journal what is not there yet, as asked for: it may exist.
    pub fn remember(&self, journal: &Journal) {
        for (name, planned) in &self.steps {
            if journal
                .get(name)
                .is_none_or(|entry| entry.kind != planned.step.kind())
            {
                journal.put(name, planned.asked());
            }
        }
    }

    /// A step as a journal has it before anything is known of it.
    pub fn asked(&self, name: &str) -> Option<Entry> {
        self.steps.get(name).map(Planned::asked)
    }

    /// The graph as plain data, for snapshots: each step with its kind, its spec and its slot.
    pub fn describe(&self) -> Value {
        let describe = |planned: &Planned<C>| serde_json::json!({ "kind": planned.step.kind(), "spec": planned.spec, "slot": planned.slot });
        Value::Object(
            self.steps
                .iter()
                .map(|(name, planned)| (name.clone(), describe(planned)))
                .collect(),
        )
    }

    fn wrong(&mut self, name: &str, why: &str) {
        let remedy = "this is a mistake of the provider; please report it";
        self.mistake
            .get_or_insert_with(|| Error::fatal(format!("plan step `{name}`"), why).remedy(remedy));
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{Carton, Shelf};
    use super::*;

    #[test]
    fn the_reference_is_the_edge() {
        let mut graph = Graph::<Shelf>::new();
        let outer = graph.add("outer", Carton::new("outer"));
        let inner = graph.add("inner", Carton::inside("inner", &outer));
        graph.add(
            "other",
            Carton {
                beside: vec![outer.made(), inner.made()],
                ..Carton::inside("other", &inner)
            },
        );
        graph.check().unwrap();
        let need = |step: &str, ready| Need {
            step: step.to_owned(),
            ready,
        };
        assert_eq!(graph.steps["outer"].needs, []);
        assert_eq!(graph.steps["inner"].needs, [need("outer", true)]);
        // The stronger of two edges to the same step counts.
        assert_eq!(
            graph.steps["other"].needs,
            [need("inner", true), need("outer", false)]
        );
    }

    #[test]
    fn references_survive_the_journal() {
        let mut graph = Graph::<Shelf>::new();
        let outer = graph.add("outer", Carton::new("outer"));
        let spec = serde_json::to_value(Carton::beside("x", &outer)).unwrap();
        assert_eq!(spec["beside"], serde_json::json!([{ "$made": "outer" }]));
        let back: Carton = serde_json::from_value(spec).unwrap();
        assert_eq!(back.beside[0].step(), "outer");
        for wrong in [
            serde_json::json!({ "$ref": "outer" }),
            serde_json::json!({ "$made": "a", "more": "b" }),
            serde_json::json!("a"),
        ] {
            assert!(serde_json::from_value::<crate::engine::Made<Carton>>(wrong).is_err());
        }
    }

    #[test]
    fn mistakes_are_told_when_the_plan_is_asked_for_and_not_by_a_panic() {
        let mut twice = Graph::<Shelf>::new();
        twice.add("a", Carton::new("a"));
        twice.add("a", Carton::new("a"));
        assert!(twice.check().unwrap_err().why.contains("taken"));
        let mut strange = Graph::<Shelf>::new();
        let of_another = twice.add("b", Carton::new("b"));
        strange.add("c", Carton::inside("c", &of_another));
        assert!(
            strange
                .check()
                .unwrap_err()
                .why
                .contains("no step of this plan")
        );
    }

    #[test]
    fn what_is_added_in_a_slot_belongs_to_it() {
        let slot = |index| Slot {
            group: "web".to_owned(),
            index,
            order: Order::MakeFirst,
        };
        let mut graph = Graph::<Shelf>::new();
        graph.slot(slot(0), |graph| {
            graph.add("a", Carton::new("a"));
            graph.slot(slot(1), |graph| graph.add("b", Carton::new("b")));
            graph.add("c", Carton::new("c"));
        });
        graph.add("d", Carton::new("d"));
        let slots: Vec<_> = graph
            .steps
            .values()
            .map(|step| step.slot.as_ref().map(|slot| slot.index))
            .collect();
        assert_eq!(slots, [Some(0), Some(1), Some(0), None]);
        assert_eq!(generation(&("x", 1)), generation(&("x", 1)));
        assert_ne!(generation(&("x", 1)), generation(&("x", 2)));
        assert_eq!(generation(&1).len(), 6);
    }
}
