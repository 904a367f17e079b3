//! What was made so far, and what it was made from: kept in the resource's private state. Never holds a secret.

use super::{
    error::{Error, Kind, Result},
    graph::Slot,
    object::{Cloud, Object},
    reference::{Need, needs_of},
    step::from_json,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fmt,
    io::{Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its creating call was about to start, or it was seen to be missing: look for the mark before making another.
    Asked,
    /// It exists; its id is known.
    Made,
    Ready,
}

/// One step as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: String,
    pub spec: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Value>,
    pub phase: Phase,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

impl Entry {
    /// What people call it: the name that the object has in the cloud, or else the step's own.
    pub fn called<'a>(&'a self, step: &'a str) -> &'a str {
        self.spec
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(step)
    }
    /// An entry for something that may exist but whose facts are unknown.
    pub fn asked(kind: impl Into<String>, spec: Value, slot: Option<Slot>) -> Self {
        let needs = needs_of(&spec);
        Self {
            kind: kind.into(),
            spec,
            facts: None,
            phase: Phase::Asked,
            needs,
            slot,
        }
    }
    #[must_use]
    pub fn with_facts(mut self, facts: Value) -> Self {
        self.facts = Some(facts);
        self.phase = Phase::Made;
        self
    }
}

/// A write to the journal, as told to its witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    Before,
    After,
}

type Witness = Arc<dyn Fn(&str, Phase, Writing) + Send + Sync>;

/// Shared by all steps of a run and cheap to clone: every clone is the same journal.
#[derive(Clone, Default)]
pub struct Journal {
    entries: Arc<Mutex<IndexMap<String, Entry>>>,
    witness: Option<Witness>,
}

const VERSION: u32 = 1;
/// No journal comes near this; a hostile one must not fill the memory.
const MOST_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
struct Envelope {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    steps: IndexMap<String, Entry>,
}

impl Journal {
    pub fn new() -> Self {
        Self::default()
    }

    /// The same journal, with somebody told before and after every write. For tests that end a run at such a moment.
    #[must_use]
    pub fn witnessed(
        mut self,
        witness: impl Fn(&str, Phase, Writing) + Send + Sync + 'static,
    ) -> Self {
        self.witness = Some(Arc::new(witness));
        self
    }

    /// Reads what [`Journal::to_bytes`] wrote. No bytes are an empty journal.
    ///
    /// # Errors
    /// Damaged bytes, and bytes of a newer release, are refused: guessing could lose objects.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::new());
        }
        let doing = "read the journal in the resource's private state";
        let damaged = |why: String| {
            Error::fatal(doing, format!("it is damaged: {why}")).remedy(
                "restore the state from a backup, or remove the resource from the state and import it again by its id",
            )
        };
        let mut json = Vec::new();
        GzDecoder::new(bytes)
            .take(MOST_BYTES)
            .read_to_end(&mut json)
            .map_err(|why| damaged(why.to_string()))?;
        let envelope: Envelope =
            serde_json::from_slice(&json).map_err(|why| damaged(why.to_string()))?;
        if envelope.version > VERSION {
            let why = format!(
                "it has format {}, this release knows formats up to {VERSION}",
                envelope.version
            );
            return Err(Error::fatal(doing, why)
                .remedy("use the release of the provider that wrote it, or a newer one"));
        }
        let written: Written =
            serde_json::from_slice(&json).map_err(|why| damaged(why.to_string()))?;
        Ok(Self {
            entries: Arc::new(Mutex::new(written.steps)),
            witness: None,
        })
    }

    /// The whole journal, compressed and checksummed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let written = Written {
            version: VERSION,
            steps: self.lock().clone(),
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        serde_json::to_vec(&written)
            .map_err(std::io::Error::from)
            .and_then(|json| gzip.write_all(&json))
            .and_then(|()| gzip.finish())
            .expect("a map of plain JSON values is written to memory")
    }

    /// What a made step left behind.
    ///
    /// # Errors
    /// [`Kind::Gone`] if there is no such step or it is not made; `Fatal` if its facts do not read.
    pub fn facts<C: Cloud, T: Object<C>>(&self, step: &str) -> Result<T::Facts> {
        let facts = self.lock().get(step).and_then(|entry| entry.facts.clone());
        match facts {
            Some(facts) => from_json(T::KIND, &facts),
            None => Err(Error::new(
                Kind::Gone,
                format!("use {} `{step}`", T::KIND),
                "it has not been made",
            )),
        }
    }

    pub fn get(&self, step: &str) -> Option<Entry> {
        self.lock().get(step).cloned()
    }
    /// What people call a step, in the journal or not: see [`Entry::called`].
    pub fn called(&self, step: &str) -> String {
        let entries = self.lock();
        entries
            .get(step)
            .map_or(step, |entry| entry.called(step))
            .to_owned()
    }
    /// Every step with its entry, in the order in which they were asked for.
    pub fn entries(&self) -> Vec<(String, Entry)> {
        let entries = self.lock();
        entries
            .iter()
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .collect()
    }
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Writes a step's entry.
    pub fn put(&self, step: &str, entry: Entry) {
        let phase = entry.phase;
        self.tell(step, phase, Writing::Before);
        self.lock().insert(step.to_owned(), entry);
        self.tell(step, phase, Writing::After);
    }
    /// Forgets a step: its object is gone.
    pub fn forget(&self, step: &str) {
        self.lock().shift_remove(step);
    }

    /// Brings a step's facts and phase up to date.
    pub(super) fn found(&self, step: &str, facts: &Value, phase: Phase) {
        let changed = match self.lock().get(step) {
            Some(entry) => entry.facts.as_ref() != Some(facts) || entry.phase != phase,
            None => false,
        };
        if changed {
            self.tell(step, phase, Writing::Before);
            if let Some(entry) = self.lock().get_mut(step) {
                entry.facts = Some(facts.clone());
                entry.phase = phase;
            }
            self.tell(step, phase, Writing::After);
        }
    }
    /// The object is not there (any more), but the step stays: its mark is looked for again.
    pub(super) fn lost(&self, step: &str) {
        if let Some(entry) = self.lock().get_mut(step) {
            entry.facts = None;
            entry.phase = Phase::Asked;
        }
    }

    fn tell(&self, step: &str, phase: Phase, writing: Writing) {
        if let Some(witness) = &self.witness {
            witness(step, phase, writing);
        }
    }
    fn lock(&self) -> MutexGuard<'_, IndexMap<String, Entry>> {
        // A panic elsewhere must not take the journal with it: every write to it is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.lock()
                    .iter()
                    .map(|(name, entry)| (name.clone(), entry.phase)),
            )
            .finish()
    }
}
