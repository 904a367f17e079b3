//! Figures side by side: rounds, medians, ratios, and the goals beside them.

/// One line of the table: what was measured of ours and of the peer, round by round.
pub struct Row {
    what: String,
    unit: &'static str,
    ours: Vec<f64>,
    peer: Vec<f64>,
    ratios: Vec<f64>,
}

/// What is hoped for.
#[derive(Clone, Copy)]
pub enum Goal {
    /// Ours to the other's, at most.
    Ratio(f64),
    /// Ours, at most.
    Most(f64),
}

impl Row {
    pub fn new(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            unit,
            ours: Vec::new(),
            peer: Vec::new(),
            ratios: Vec::new(),
        }
    }

    pub fn round(&mut self, ours: f64, peer: Option<f64>) {
        self.ours.push(ours);
        if let Some(peer) = peer {
            self.peer.push(peer);
            self.ratios.push(ours / peer);
        }
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
    }
}

/// The other's name is that of the peer, where nothing else is said.
pub fn heading(about: &str, other: &str) {
    let other = if other.is_empty() { "peer" } else { other };
    println!(
        "\n{about:<50} {:>9} {other:>14} {:>7}   goal",
        "ours", "ratio"
    );
}

pub fn print(row: &Row, goals: &[Goal]) {
    let ours = median(&row.ours);
    let number = |value: f64| match value.abs() {
        _ if value.is_nan() => "-".to_owned(),
        big if big >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    };
    let goals: Vec<String> = goals
        .iter()
        .filter_map(|goal| {
            let (met, text) = match *goal {
                Goal::Ratio(_) if row.ratios.is_empty() => return None,
                Goal::Ratio(most) => (median(&row.ratios) <= most, format!("ratio ≤ {most}")),
                Goal::Most(most) => (ours <= most, format!("≤ {most} {}", row.unit)),
            };
            Some(format!("{text}: {}", if met { "met" } else { "MISSED" }))
        })
        .collect();
    println!(
        "{:<50} {:>9} {:>14} {:>7}   {}",
        format!("{} ({}, median of {})", row.what, row.unit, row.ours.len()),
        number(ours),
        number(median(&row.peer)),
        number(median(&row.ratios)),
        goals.join(", ")
    );
}
