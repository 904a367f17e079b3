//! The simulator's SQLite file: opened with care, changed in whole transactions, shared by several processes.

use crate::engine::{Error, Kind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// "ILSs": marks the file as ours.
const APPLICATION: i32 = 0x494c_5373;
const VERSION: i32 = 1;
/// How long SQLite itself waits for another process before we let other tasks run and try again.
const BUSY: Duration = Duration::from_millis(20);
/// How long we try.
const LOCKED: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
CREATE TABLE objects (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  region     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  thing      TEXT NOT NULL,
  step       TEXT NOT NULL,
  name       TEXT NOT NULL,
  address    TEXT,
  fields     TEXT NOT NULL,
  spec       TEXT NOT NULL,
  made_at    INTEGER NOT NULL,
  ready_at   INTEGER NOT NULL,
  broken_at  INTEGER,
  gone_at    INTEGER
) STRICT;
CREATE INDEX objects_by_mark ON objects (region, thing, step);
CREATE TABLE uses (object TEXT NOT NULL, used TEXT NOT NULL, PRIMARY KEY (object, used)) STRICT;
CREATE INDEX uses_by_used ON uses (used);
CREATE TABLE takes (object TEXT NOT NULL, quota TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (object, quota)) STRICT;
CREATE TABLE secrets (object TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE faults (fault TEXT PRIMARY KEY, met INTEGER NOT NULL) STRICT;
";

pub struct File {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl File {
    /// Opens the file, or makes it where there is none.
    ///
    /// # Errors
    /// A file that is locked for long, damaged, of a newer release or not the simulator's is refused and left as it is.
    pub async fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|why| cannot(path, &why.to_string()))?;
        }
        let connection = Connection::open_with_flags(path, OpenFlags::default())
            .map_err(|why| told(path, &why))?;
        let file = Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
        };
        file.patiently(|connection| {
            connection.busy_timeout(BUSY)?;
            // All of it as of one moment: another process may be laying the file out.
            identity(&*connection.transaction()?)
        })
        .await
        .and_then(|found| file.accept(found))?;
        file.patiently(|connection| {
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "normal")
        })
        .await?;
        file.change(|tx| {
            if identity(tx)? == Identity::Empty {
                lay(tx)
            } else {
                Ok(())
            }
        })
        .await?;
        Ok(file)
    }

    /// A cloud that lives as long as the process.
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory()
            .and_then(|it| lay(&it).map(|()| it))
            .map_err(|why| told(&path, &why))?;
        Ok(Self {
            path,
            connection: Mutex::new(connection),
        })
    }

    pub async fn read<T>(&self, read: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.patiently(|connection| read(connection)).await
    }

    /// A whole transaction that sees and changes the file alone.
    pub async fn change<T>(
        &self,
        change: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.patiently(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = change(&tx)?;
            tx.commit()?;
            Ok(done)
        })
        .await
    }

    async fn patiently<T>(
        &self,
        work: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            let done = work(
                &mut self
                    .connection
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            match done {
                Err(why) if busy(&why) && begun.elapsed() < LOCKED => {
                    tokio::time::sleep(BUSY).await
                }
                done => return done.map_err(|why| told(&self.path, &why)),
            }
        }
    }

    fn accept(&self, found: Identity) -> Result<()> {
        match found {
            Identity::Empty | Identity::Ours => Ok(()),
            Identity::Newer(version) => Err(cannot(
                &self.path,
                &format!("it has format {version}, this release knows formats up to {VERSION}"),
            )
            .remedy("use the release of the provider that made it, or give `simulator.path` another file")),
            Identity::Foreign => Err(cannot(&self.path, "it is a database of another program")
                .remedy("give `simulator.path` another file")),
            Identity::Damaged(why) => Err(damaged(&self.path, &why)),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Identity {
    Empty,
    Ours,
    Newer(i32),
    Foreign,
    Damaged(String),
}

fn identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && tables == 0 {
        return Ok(Identity::Empty);
    }
    if application != APPLICATION {
        return Ok(Identity::Foreign);
    }
    if version > VERSION {
        return Ok(Identity::Newer(version));
    }
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(if check == "ok" {
        Identity::Ours
    } else {
        Identity::Damaged(check)
    })
}

fn lay(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

fn busy(why: &rusqlite::Error) -> bool {
    matches!(
        why.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn told(path: &Path, why: &rusqlite::Error) -> Error {
    match why.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::new(
            Kind::Fatal,
            format!("use the simulator's file {}", path.display()),
            "another process keeps it locked",
        )
        .remedy("see who has it open, or try again later"),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damaged(path, &why.to_string())
        }
        _ => cannot(path, &why.to_string()),
    }
    .at("simulator.path")
}

fn damaged(path: &Path, why: &str) -> Error {
    cannot(path, &format!("it is damaged: {why}"))
        .remedy("restore it from a copy, or delete it together with the state that belongs to it, and apply again")
}

fn cannot(path: &Path, why: &str) -> Error {
    Error::fatal(format!("use the simulator's file {}", path.display()), why).at("simulator.path")
}
