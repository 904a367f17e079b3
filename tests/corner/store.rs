//! The cloud of the corner provider: JSON files in a folder, or nothing at all.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::RwLock;

use serde_json::Value as Json;

#[derive(Default)]
pub struct Store(RwLock<Option<PathBuf>>);

impl Store {
    pub fn open(&self, folder: PathBuf) {
        *self.0.write().unwrap() = Some(folder);
    }

    pub fn is_open(&self) -> bool {
        self.0.read().unwrap().is_some()
    }

    fn file(&self, id: &str) -> Option<PathBuf> {
        let folder = self.0.read().unwrap().clone()?;
        Some(folder.join(format!("{id}.json")))
    }

    pub fn put(&self, id: &str, object: &Json) {
        if let Some(file) = self.file(id) {
            fs::write(file, object.to_string()).unwrap();
        }
    }

    pub fn get(&self, id: &str) -> Option<Json> {
        let text = fs::read(self.file(id)?).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub fn delete(&self, id: &str) {
        if let Some(file) = self.file(id) {
            // It may have gone by itself.
            let _ = fs::remove_file(file);
        }
    }

    /// All objects by name.
    pub fn all(&self) -> Vec<(String, Json)> {
        let Some(folder) = self.0.read().unwrap().clone() else {
            return Vec::new();
        };
        let mut found: Vec<(String, Json)> = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let id = path
                    .file_name()?
                    .to_str()?
                    .strip_suffix(".json")?
                    .to_owned();
                let object = self.get(&id)?;
                Some((id, object))
            })
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found
    }

    /// Notes that something happened, for tests to read.
    pub fn note(&self, what: &str) {
        let folder = self.0.read().unwrap().clone();
        if let Some(folder) = folder {
            let mut log = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("log"))
                .unwrap();
            writeln!(log, "{what}").unwrap();
        }
    }
}
