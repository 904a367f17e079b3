//! A cloud in one SQLite file, for trying out and for tests of modules.
