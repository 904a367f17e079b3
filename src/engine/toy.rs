//! A toy cloud for the unit tests of this layer: boxes that hold boxes.

use super::{
    Cloud, Cx, Difference, Made, Object, Ref, Result, Seen, Standing, Step, error::Error, revive,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
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
        Ok(found.map(|facts| Seen {
            facts,
            standing: Standing::Ready,
            differences: Vec::new(),
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
        _cx: &Cx<'_, Shelf>,
        _facts: &u64,
        _differences: &[Difference],
    ) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, Shelf>, facts: &u64) -> Result<()> {
        cx.cloud.boxes().retain(|_, number| number != facts);
        Ok(())
    }
}
