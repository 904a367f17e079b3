//! What a run left undone, missing or different, as Terraform shows it.

use super::Declared;
use crate::engine::{Error, Inspection, Kind, Outcome, Result};
use crate::plugin::{Call, Diag, Diags};
use crate::site::{Id, Outputs, Site};

/// Turns an outcome into diagnostics. What only took too long or was interrupted is no error: Terraform would taint the
/// thing and destroy it, data and all, where going on is enough.
pub fn said<M: Declared>(
    call: &Call<'_, M>,
    id: &Id,
    outcome: &Outcome,
) -> std::result::Result<(), Diags> {
    for slow in &outcome.slow {
        call.warn(Diag::warning(format!("`{id}` was slow to make")).detail(format!(
            "{slow} took more than half of the time that `timeouts` allows. A longer timeout leaves more room."
        )));
    }
    let (later, failed): (Vec<&Error>, Vec<&Error>) = outcome
        .errors
        .iter()
        .partition(|it| matches!(it.kind, Kind::Late | Kind::Stopped));
    if failed.is_empty() && !later.is_empty() {
        let waits: Vec<String> = later.iter().map(|it| format!("- {it}")).collect();
        call.warn(
            Diag::warning(format!("`{id}` is incomplete")).detail(format!(
                "What exists is kept, and the next apply goes on from there:\n{}",
                waits.join("\n")
            )),
        );
    }
    if failed.is_empty() {
        return Ok(());
    }
    tell_left(call, id, outcome);
    Err(failed.into_iter().map(Diag::from).collect())
}

/// Says by type, name and id what should have gone and is still there.
pub fn tell_left<M: Declared>(call: &Call<'_, M>, id: &Id, outcome: &Outcome) {
    if outcome.left.is_empty() {
        return;
    }
    let left: Vec<String> = outcome.left.iter().map(|it| format!("- {it}")).collect();
    call.warn(
        Diag::warning(format!("`{id}` has not gone as a whole")).detail(format!(
            "Still there, and kept in the state for the next apply:\n{}",
            left.join("\n")
        )),
    );
}

/// An object that something is made on must be finished itself.
pub fn missing_neighbours(site: &Site) -> Result<()> {
    let missing: Vec<String> = site
        .thing
        .needs()
        .into_iter()
        .filter(|it| !site.around.contains_key(it))
        .map(|it| format!("{} `{it}`", it.sort.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let it = missing.join(", ");
    Err(Error::fatal(
        format!("make `{}`", site.thing.id()),
        format!("{it} is not there, or was never finished"),
    )
    .remedy("Apply again: what is incomplete is finished first"))
}

pub fn drifted(id: &Id, inspection: &Inspection) -> Diag {
    let mut lines: Vec<String> = inspection
        .missing
        .iter()
        .map(|it| format!("- {it} is missing"))
        .collect();
    lines.extend(inspection.drifts.iter().map(|it| format!("- {it}")));
    lines.extend(inspection.broken.iter().map(|it| format!("- {it}")));
    lines.extend(inspection.pending.iter().map(|it| format!("- {it}")));
    lines.extend(
        inspection
            .stale
            .iter()
            .map(|it| format!("- {it} is left over")),
    );
    Diag::warning(format!("`{id}` is not as it was made")).detail(format!(
        "The next apply mends it in place:\n{}",
        lines.join("\n")
    ))
}

/// What its machines say is wrong with them. Nothing is planned for it: they mend themselves where they can.
pub fn ill(id: &Id, outputs: &Outputs) -> Option<Diag> {
    if outputs.ills.is_empty() {
        return None;
    }
    let ills: Vec<String> = outputs.ills.iter().map(|it| format!("- {it}")).collect();
    Some(Diag::warning(format!("`{id}` is not well")).detail(format!(
        "{}\n\nA machine tries to mend itself twice a minute; `journalctl -u invenioils-converge` on it says how that goes. A machine \
         of an instance keeps no data: delete one that does not become well, and the next apply makes it anew.",
        ills.join("\n")
    )))
}
