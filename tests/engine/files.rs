//! Bad files and bad journals: a clear error, and nothing changed.

use super::{cast, world::World};
use invenioils::{
    engine::{Error, Journal},
    platform::simulator::{self, Settings},
};
use rusqlite::Connection;
use std::{fs, path::PathBuf, time::Duration};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("deep/cloud.sqlite")
    }
    fn settings(&self) -> Settings {
        Settings {
            path: self.path(),
            ..Settings::default()
        }
    }
    async fn made(self) -> Self {
        let cloud = simulator::open(self.settings()).await.expect("a simulator");
        drop(cloud);
        self
    }
    /// Refused, with the file as it was.
    async fn refused(&self) -> Error {
        let before = fs::read(self.path()).expect("a file");
        let error = simulator::open(self.settings())
            .await
            .err()
            .expect("an error");
        assert_eq!(
            fs::read(self.path()).expect("a file"),
            before,
            "the file is as it was"
        );
        assert_eq!(error.at.as_deref(), Some("simulator.path"), "{error}");
        assert!(error.doing.contains("cloud.sqlite"), "{error}");
        assert!(error.remedy.is_some(), "{error}");
        error
    }
}

#[tokio::test]
async fn a_newer_file_is_refused() {
    let place = Place::new().made().await;
    Connection::open(place.path())
        .and_then(|it| it.pragma_update(None, "user_version", 99))
        .expect("a change");
    let error = place.refused().await;
    assert!(error.why.contains("format 99"), "{error}");
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let place = Place::new().made().await;
    fs::remove_file(place.path()).expect("gone");
    Connection::open(place.path())
        .and_then(|it| it.execute_batch("CREATE TABLE books (title TEXT)"))
        .expect("a database");
    let error = place.refused().await;
    assert!(error.why.contains("another program"), "{error}");
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let world = Place::new();
    let cloud = simulator::open(world.settings())
        .await
        .expect("a simulator");
    drop(cloud);
    let whole = fs::read(world.path()).expect("a file");
    fs::write(world.path(), &whole[..whole.len() / 2]).expect("a file");
    let error = world.refused().await;
    assert!(error.why.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let place = Place::new().made().await;
    fs::write(place.path(), "title,author\n".repeat(100)).expect("a file");
    let error = place.refused().await;
    assert!(error.why.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_locked_file_is_waited_for_and_then_refused() {
    let place = Place::new().made().await;
    let other = Connection::open(place.path()).expect("a connection");
    other
        .execute_batch("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE")
        .expect("a lock");
    // Virtual time: the seconds of patience pass while the other holds on.
    tokio::time::pause();
    let error = simulator::open(place.settings())
        .await
        .err()
        .expect("an error");
    assert!(error.why.contains("locked"), "{error}");
    tokio::time::resume();
    other.execute_batch("ROLLBACK").expect("a release");
    drop(other);
    simulator::open(place.settings())
        .await
        .expect("it opens again");
}

#[tokio::test]
async fn a_lock_that_goes_away_is_only_waited_for() {
    let place = Place::new().made().await;
    let other = Connection::open(place.path()).expect("a connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(200));
        other.execute_batch("ROLLBACK").expect("a release");
    });
    simulator::open(place.settings()).await.expect("it opens");
    release.await.expect("released");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_or_newer_journal_is_refused() {
    let world = World::new();
    let thing = invenioils::site::Thing::Environment(cast::environment());
    let journal = Journal::new();
    assert!(world.converge(&thing, &journal).await.complete);
    let bytes = journal.to_bytes();
    assert_eq!(
        Journal::from_bytes(&bytes).expect("a journal").entries(),
        journal.entries()
    );
    assert!(
        Journal::from_bytes(&[])
            .expect("an empty journal")
            .is_empty()
    );

    for cut in [1, bytes.len() / 2, bytes.len() - 1] {
        let error = Journal::from_bytes(&bytes[..cut]).expect_err("cut off");
        assert!(
            error.why.contains("damaged") && error.remedy.is_some(),
            "{error}"
        );
    }
    for place in (0..bytes.len()).step_by(97) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x10;
        // The checksum notices; only bytes that mean nothing may be changed unnoticed.
        if let Ok(read) = Journal::from_bytes(&flipped) {
            assert_eq!(read.entries(), journal.entries(), "byte {place}");
        }
    }
    let newer = packed(br#"{"version":2,"steps":{},"more":1}"#);
    let error = Journal::from_bytes(&newer).expect_err("newer");
    assert!(error.why.contains("format 2"), "{error}");
    let nonsense = packed(br#"{"version":1,"steps":[]}"#);
    assert!(
        Journal::from_bytes(&nonsense)
            .expect_err("nonsense")
            .why
            .contains("damaged")
    );
}

fn packed(json: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, json).expect("memory");
    gzip.finish().expect("memory")
}
