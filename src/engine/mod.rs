//! Makes a graph of cloud objects real, and keeps it so. Knows steps, edges, journals, deadlines; knows no cloud.
//!
//! A plan decides everything, the run decides nothing: a [`Graph`] is data, made by a platform; [`converge`] makes it
//! real, [`inspect`] compares it with what exists, [`remove`] takes it away. Every id is in the [`Journal`] before any
//! wait for it, and every object is found again by its mark.

mod error;
mod graph;
mod journal;
mod object;
mod reads;
mod run;
mod secret;
mod wait;

pub use error::{Error, Kind, Result};
pub use graph::{Graph, Made, Order, Ref, Slot};
pub use journal::{Entry, Journal, Phase};
pub use object::{Cloud, Cx, Difference, Mend, Object, Seen, Standing, Step};
pub use reads::Reads;
pub use run::{Drift, Inspection, Outcome, Run, converge, inspect, remove};
pub use secret::{Secret, Secrets};
pub use wait::Backoff;
