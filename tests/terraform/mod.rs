//! The terraform on the PATH drives the real binary against the simulator: what users do, in the order in which they do it.

mod adoption;
mod bad_input;
mod changes;
mod examples;
mod import;
mod kills;
mod left;
pub mod library;
mod secrets;
mod simulated;
mod states;
pub mod tally;
mod unknown;
pub mod workspace;

pub use workspace::Workspace;

/// True where there is no terraform; said past the capture of test output, so that nobody takes silence for success.
pub fn missing() -> bool {
    let found = std::process::Command::new("terraform")
        .arg("version")
        .output()
        .is_ok();
    if !found {
        workspace::loud("SKIPPED: no terraform on the PATH");
    }
    !found
}
