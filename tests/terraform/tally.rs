//! What the tests that break things found, as lines of a table that `tests/run` prints and `make drill` keeps.

use std::{fs, io::Write, path::Path};

/// One kind of mishap, and what was counted after its cases.
pub struct Tally {
    pub what: &'static str,
    pub platform: &'static str,
    pub cases: u64,
    /// How many applies it took at most until everything was there.
    pub applies: usize,
    /// How many of the cases were refused, with nothing changed, because going on could have done harm.
    pub refused: u64,
    pub found: Found,
}

/// What must not be, counted by what the cloud says and not by what we say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Should be there, and is not.
    pub lost: u64,
    /// Are there more often than they should.
    pub twins: u64,
    /// Were whole, and were made again.
    pub destroyed: u64,
    /// Still there after destroy.
    pub left: u64,
}

impl std::ops::AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.twins += other.twins;
        self.destroyed += other.destroyed;
        self.left += other.left;
    }
}

impl Tally {
    /// Cases that were all refused, and that found everything as it was.
    pub fn refused(what: &'static str, platform: &'static str, cases: u64) -> Self {
        Self {
            what,
            platform,
            cases,
            applies: 1,
            refused: cases,
            found: Found::default(),
        }
    }

    /// Writes the line, and fails the test if anything was found.
    #[track_caller]
    pub fn tell(&self) {
        let Self {
            what,
            platform,
            cases,
            applies,
            refused,
            found,
        } = self;
        let Found {
            lost,
            twins,
            destroyed,
            left,
        } = found;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let line = format!(
            "| {what} | {platform} | {cases} | {applies} | {lost} | {twins} | {destroyed} | {left} | {refused} |\n"
        );
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("reliability.md"));
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "the table can be written: {written:?}");
        assert_eq!(*found, Found::default(), "{what}");
    }
}
