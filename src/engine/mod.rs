//! Makes a graph of cloud objects real, and keeps it so. Knows steps, edges, journals, deadlines; knows no cloud.
//!
//! A plan decides everything, the run decides nothing: a [`Graph`] is data, made by a platform; [`converge`] makes it
//! real, [`inspect`] compares it with what exists, [`remove`] takes it away. Every id is in the [`Journal`] before any
//! wait for it, and every object is found again by its mark.

mod converge;
mod error;
mod graph;
mod journal;
mod make;
mod object;
mod reads;
mod reference;
mod remove;
mod roll;
mod run;
mod schedule;
mod secret;
mod step;
mod survey;
#[cfg(test)]
mod toy;
mod wait;
mod works;

pub use converge::converge;
pub use error::{Error, Kind, Result};
pub use graph::{Graph, Order, Slot, generation};
pub use journal::{Entry, Journal, Phase, Writing};
pub use object::{Cloud, Cx, Difference, Mend, Object, Seen, Standing};
pub use reads::{Moment, Reads};
pub use reference::{Made, Need, Ref};
pub use remove::remove;
pub use run::{Absent, Drift, Inspection, Left, Outcome, Run, Slow, Waiting};
pub use secret::{Secret, Secrets};
pub use step::{Step, revive};
pub use survey::inspect;
pub use wait::{Backoff, Pace, waits_for};
