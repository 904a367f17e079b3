//! A graph of steps with typed references. The reference is the edge: it can only be had from a step that was added
//! before, so nothing dangles and no cycle can be written.

use super::object::{Object, Step};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, marker::PhantomData, sync::Arc};

/// The step needs the other one ready.
pub struct Ref<T> {
    step: Arc<str>,
    of: PhantomData<fn() -> T>,
}

/// The step needs the other one made (its id known), not ready.
pub struct Made<T> {
    step: Arc<str>,
    of: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    pub fn step(&self) -> &str {
        &self.step
    }
    /// A weaker edge: enough that the object exists.
    pub fn made(&self) -> Made<T> {
        Made { step: self.step.clone(), of: PhantomData }
    }
}
impl<T> Made<T> {
    pub fn step(&self) -> &str {
        &self.step
    }
}
