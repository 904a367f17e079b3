//! What a machine boots with, and what it is told while it runs. Pure: the files it renders are the product, and tests
//! run them.
//!
//! Two parts. `user_data` is fixed for the life of a machine: who it is, where it is told the rest, and the programs that
//! act on it. The [`Document`] may change at any time without replacing the machine: it is fetched every minute, and
//! whatever differs is applied. Booting is nothing but applying for the first time.

mod document;
mod files;
mod user_data;

pub use document::{
    BackupDocument, Document, FileStore, Neighbour, Reach, backup_document, document, neighbour,
    pack,
};
pub use user_data::{Access, DocumentSource, Guest, UserData, user_data};

#[cfg(test)]
mod tests;
