//! What the tests that break things found, as lines of a table that `tests/run` prints and `make drill` keeps.

use std::{fs, io::Write, path::Path};

/// One kind of mishap. A test that finds anything lost, doubled, destroyed or left fails and tells nothing here, so the
/// figures of a line are those of the cases that were counted to zero.
pub struct Tally {
    pub what: &'static str,
    pub platform: &'static str,
    pub cases: u64,
    /// How many applies it took at most until everything was there.
    pub applies: usize,
}

impl Tally {
    pub fn tell(&self) {
        let Self {
            what,
            platform,
            cases,
            applies,
        } = self;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let line = format!("| {what} | {platform} | {cases} | {applies} | 0 | 0 | 0 | 0 |\n");
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("reliability.md"));
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "the table can be written: {written:?}");
    }
}
