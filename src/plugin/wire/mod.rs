//! Generated messages and services of the protocol, from `proto/`. Holds no code of its own: the test
//! `the_generated_code_is_current` remakes the files (`UPDATE=1 cargo test the_generated_code`) and compares.

// Nobody writes these files, so nobody can mend their style: prost and tonic decide it.
#[rustfmt::skip]
#[allow(clippy::all, clippy::unwrap_used)]
pub mod plugin;

#[rustfmt::skip]
#[allow(clippy::all, clippy::unwrap_used)]
pub mod tfplugin6;
