//! A toy cloud for the unit tests of this layer: boxes that hold boxes.

use super::{
    Cloud, Cx, Difference, Made, Mend, Object, Ref, Result, Seen, Standing, Step, error::Error,
    revive,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// Boxes by name: their number, and whether they are listed yet.
#[derive(Default)]
pub struct Shelf {
    boxes: Mutex<BTreeMap<String, u64>>,
    pub finds: Mutex<u64>,
    /// The box that cannot be had.
    pub refused: Mutex<Option<&'static str>>,
    /// Boxes that somebody dented. An update mends one that is ready.
    pub dented: Mutex<BTreeSet<String>>,
    /// For how many more looks a box is on its way.
    pub on_the_way: Mutex<BTreeMap<String, u32>>,
}

impl Shelf {
    pub fn boxes(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.boxes.lock().unwrap()
    }
}

impl Cloud for Shelf {
    fn revive(kind: &str, spec: Value) -> Result<Box<dyn Step<Self>>> {
        match kind {
            "box" => revive::<Self, Carton>(spec),
            _ => Err(Error::fatal("revive", kind)),
        }
    }
}

#[derive(Serialize, Deserialize, Default)]
pub struct Carton {
    pub name: String,
    pub inside: Option<Ref<Carton>>,
    pub beside: Vec<Made<Carton>>,
    /// Nobody waits for it.
    pub unhurried: bool,
}

impl Carton {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
    pub fn inside(name: &str, of: &Ref<Self>) -> Self {
        Self {
            inside: Some(of.clone()),
            ..Self::new(name)
        }
    }
    pub fn beside(name: &str, of: &Ref<Self>) -> Self {
        Self {
            beside: vec![of.made()],
            ..Self::new(name)
        }
    }
}

impl Object<Shelf> for Carton {
    const KIND: &'static str = "box";
    type Facts = u64;

    fn id(facts: &u64) -> String {
        format!("box-{facts}")
    }
    async fn find(&self, cx: &Cx<'_, Shelf>, _known: Option<&u64>) -> Result<Option<Seen<u64>>> {
        if let Some(outer) = &self.inside {
            cx.facts(outer)?;
        }
        *cx.cloud.finds.lock().unwrap() += 1;
        let found = cx.cloud.boxes().get(&self.name).copied();
        let standing = match cx.cloud.on_the_way.lock().unwrap().get_mut(&self.name) {
            Some(looks @ 1..) => {
                *looks -= 1;
                Standing::Pending("on its way".to_owned())
            }
            _ => Standing::Ready,
        };
        let dent = Difference {
            field: "dents",
            wanted: "0".to_owned(),
            found: "1".to_owned(),
            mend: Mend::Update,
        };
        let dented = cx.cloud.dented.lock().unwrap().contains(&self.name);
        Ok(found.map(|facts| Seen {
            facts,
            standing,
            differences: dented.then_some(dent).into_iter().collect(),
        }))
    }
    async fn create(&self, cx: &Cx<'_, Shelf>) -> Result<u64> {
        for other in &self.beside {
            cx.made(other)?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        if cx.cloud.refused.lock().unwrap().as_deref() == Some(&self.name) {
            return Err(Error::fatal("make a box", "it is refused"));
        }
        let mut boxes = cx.cloud.boxes();
        let number = boxes.values().max().copied().unwrap_or_default() + 1;
        assert!(
            boxes.insert(self.name.clone(), number).is_none(),
            "a twin of {}",
            self.name
        );
        Ok(number)
    }
    async fn update(
        &self,
        cx: &Cx<'_, Shelf>,
        _facts: &u64,
        _differences: &[Difference],
    ) -> Result<()> {
        let on_the_way = cx.cloud.on_the_way.lock().unwrap();
        assert!(
            on_the_way.get(&self.name).is_none_or(|looks| *looks == 0),
            "{} is on its way",
            self.name
        );
        cx.cloud.dented.lock().unwrap().remove(&self.name);
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, Shelf>, facts: &u64) -> Result<()> {
        cx.cloud.boxes().retain(|_, number| number != facts);
        Ok(())
    }
    fn awaited(&self) -> bool {
        !self.unhurried
    }
}
