//! Calls counted in the services themselves, and what is ordered from the cloud: faults, pauses.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Where the cloud's processes look for orders and leave word.
pub fn folder() -> PathBuf {
    let base = std::env::var("OSDEV").unwrap_or_else(|_| "/opt/osdev".into());
    Path::new(&base).join("run")
}

/// Takes away what a test that was killed may have ordered.
pub fn tidy() {
    for order in ["server-faults", "agents-paused"] {
        let _ = fs::remove_file(folder().join(order));
    }
    let _ = fs::remove_dir_all(folder().join("faults"));
}

/// From its making on, every call to every API is counted.
pub struct Counter {
    agent: String,
    from: usize,
}

/// Calls by service.
pub type Counts = BTreeMap<String, usize>;

impl Counter {
    /// Counts the calls whose User-Agent names this.
    pub fn start(agent: &str) -> Self {
        fs::write(folder().join("calls.on"), "").expect("the cloud's folder can be written");
        Self {
            agent: agent.to_owned(),
            from: lines().len(),
        }
    }

    fn seen(&self) -> Vec<Vec<String>> {
        let fields = |line: &String| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let all = lines().into_iter().skip(self.from);
        all.map(|line| fields(&line))
            .filter(|it| it.len() == 7 && it[6].contains(&self.agent))
            .collect()
    }

    pub fn by_service(&self) -> Counts {
        let mut counts = Counts::new();
        for fields in self.seen() {
            *counts.entry(fields[2].clone()).or_default() += 1;
        }
        counts
    }

    pub fn total(&self) -> usize {
        self.seen().len()
    }

    /// Without the looks by which a slow cloud is waited for: how many these are is the cloud's doing, and past the eighth they
    /// do not count.
    pub fn made(&self) -> usize {
        let mut looks: BTreeMap<String, usize> = BTreeMap::new();
        let counts = |fields: &Vec<String>| {
            let polled = fields[3] == "GET";
            let look = looks.entry(fields[5].clone()).or_default();
            *look += 1;
            !polled || *look <= 8
        };
        self.seen().into_iter().filter(counts).count()
    }

    /// Which calls were made most, for whoever wants fewer: `12 GET neutron-api /v2.0/ports`.
    pub fn most(&self) -> Vec<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for fields in self.seen() {
            let path = fields[5]
                .split('/')
                .map(|part| if part.len() > 30 { "…" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            *counts
                .entry(format!("{} {} {path} {}", fields[3], fields[2], fields[4]))
                .or_default() += 1;
        }
        let mut most: Vec<_> = counts.into_iter().collect();
        most.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        most.into_iter()
            .map(|(what, count)| format!("{count:4} {what}"))
            .collect()
    }
}

fn lines() -> Vec<String> {
    let bytes = fs::read(folder().join("calls.tsv")).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// A file in the cloud's folder that its processes look for; gone with this value.
pub struct Order(PathBuf);

impl Order {
    pub fn give(name: &str, text: &str) -> Self {
        let order = folder().join(name);
        // Whoever looks finds all of it or nothing.
        let new = folder().join(format!("{}.new", name.replace('/', "-")));
        fs::write(&new, text).expect("the cloud's folder can be written");
        fs::rename(&new, &order).expect("a rename");
        Self(order)
    }

    /// Faults of the APIs. `who` orders them: a name that nobody else orders by at the same time. A rule names what it hits;
    /// see `plugins/osdevfakes/fault.py`.
    pub fn faults(who: &str, rules: &Value) -> Self {
        fs::create_dir_all(folder().join("faults")).expect("the cloud's folder can be written");
        Self::give(&format!("faults/{who}.json"), &rules.to_string())
    }
}

impl Drop for Order {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
