//! What a machine says of itself on its console (`files/report.py` writes it), found among all else that is written there.

use crate::site::{Backup, Node};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The newest that a machine has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    state: State,
    why: String,
    at: DateTime<Utc>,
    /// What it runs. Of an earlier report where the newest does not say: while it converges a machine cannot know.
    pub version: Option<String>,
    /// Its newest backup, by policy.
    pub backups: BTreeMap<String, Backup>,
    /// Addresses of the services' machines that do not answer it. Only what the newest report says counts.
    silent: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ready,
    Waiting,
    Converging,
    Unhealthy,
    Trouble,
    Maintenance,
}

#[derive(Deserialize)]
struct Line {
    state: State,
    at: i64,
    #[serde(default)]
    why: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    backups: Option<BTreeMap<String, Backup>>,
    #[serde(default)]
    silent: Vec<String>,
}

const WORD: &str = "invenioils-status: ";
/// A machine repeats itself every half hour: one that has been silent for twice as long has stopped.
const SILENT: TimeDelta = TimeDelta::minutes(62);
/// What stands in a state and in messages is kept short.
const LONGEST: usize = 200;

impl Report {
    /// None where the console holds no whole report: the machine is still starting, or boots something else.
    pub fn newest(console: &str) -> Option<Self> {
        let mut newest: Option<Self> = None;
        for line in console.split(['\n', '\r']).filter_map(said) {
            let Some(at) = DateTime::from_timestamp(line.at, 0) else {
                continue;
            };
            let before = newest.take();
            let earlier = |it: Self| (it.version, it.backups);
            let (version, backups) = before.map(earlier).unwrap_or_default();
            newest = Some(Self {
                state: line.state,
                why: plain(&line.why),
                at,
                version: line.version.as_deref().map(plain).or(version),
                backups: line.backups.unwrap_or(backups),
                silent: line.silent,
            });
        }
        newest
    }

    /// One word, and the reason where there is one to act on.
    pub fn state(&self, now: DateTime<Utc>) -> String {
        if self.is_silent(now) {
            let since = self.at.format("%Y-%m-%dT%H:%M:%SZ");
            return format!("silent since {since}");
        }
        let word = match self.state {
            State::Ready => return Node::READY.to_owned(),
            // What it is at just now is of no use to anybody a moment later.
            State::Converging => return "converging".to_owned(),
            State::Waiting => "waiting",
            State::Unhealthy => "unhealthy",
            State::Trouble => "trouble",
            State::Maintenance => "maintenance",
        };
        match self.why.as_str() {
            "" => word.to_owned(),
            why => format!("{word}: {why}"),
        }
    }

    /// Whether somebody should look after it: it does not become well by waiting.
    pub fn ails(&self, now: DateTime<Utc>) -> bool {
        matches!(self.state, State::Unhealthy | State::Trouble) || self.is_silent(now)
    }

    /// Whether, by its word of just now, the machine at that address does not answer it.
    pub fn misses(&self, address: &str, now: DateTime<Utc>) -> bool {
        !self.is_silent(now) && self.silent.iter().any(|it| it == address)
    }

    fn is_silent(&self, now: DateTime<Utc>) -> bool {
        now - self.at > SILENT
    }
}

/// The report in a line. Others write to the console at the same time, before it and after it; what they cut in two is
/// no report.
fn said(line: &str) -> Option<Line> {
    let (_, text) = line.rsplit_once(WORD)?;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Line>();
    values.next()?.ok()
}

/// Whatever a machine says, it is one short line.
fn plain(text: &str) -> String {
    let readable = text.chars().map(|it| match it.is_control() {
        true => ' ',
        false => it,
    });
    readable.take(LONGEST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// As a machine's console looks: other lines, colours, a login prompt without an end of line.
    const CONSOLE: &str = concat!(
        "converge\",\"why\":\"cut at the beginning\"}\r\n",
        "[\u{1b}[0;32m  OK  \u{1b}[0m] Started \u{1b}[0;1;39mhaproxy.service\u{1b}[0m - HAProxy Load Balancer.\r\n",
        "ils-web-0 login: invenioils-status: {\"at\":1000,\"node\":\"ils-web-0\",\"role\":\"web\",\"state\":\"converging\",\"why\":\"something changed\"}\r\n",
        "invenioils-status: {\"at\":1060,\"backups\":{},\"health\":{\"web\":\"ready\"},\"node\":\"ils-web-0\",\"role\":\"web\",\"state\":\"ready\",\"version\":\"9.0.1\",\"why\":\"\"}\r\n",
        "[   71.2] nf_conntrack: table full\r\n",
    );

    #[test]
    fn the_newest_report_is_found_among_other_lines() {
        let report = Report::newest(CONSOLE).unwrap();
        assert_eq!(report.state(at(1100)), "ready");
        assert_eq!(report.version.as_deref(), Some("9.0.1"));
        assert!(!report.ails(at(1100)));
    }

    #[test]
    fn a_report_that_was_cut_or_mixed_with_other_output_counts_only_if_it_is_whole() {
        let mixed = format!(
            "{CONSOLE}invenioils-status: {{\"at\":1090,\"state\":\"unhealthy\",\"why\":\"proxy: failed\"}}[\u{1b}[0;32m  OK  \u{1b}[0m] Stopped haproxy\r\n\
             invenioils-status: {{\"at\":1095,\"state\":\"rea[  80.1] a kernel's word\r\n\
             invenioils-status: {{\"at\":1096,\"state\":\"dancing\"}}\r\ninvenioils-status: {{\"at\":1097,\"sta"
        );
        let report = Report::newest(&mixed).unwrap();
        assert_eq!(report.state(at(1100)), "unhealthy: proxy: failed");
        assert!(report.ails(at(1100)));
        assert_eq!(report.version.as_deref(), Some("9.0.1"), "as said before");
        for nothing in ["", "FAKE CONSOLE OUTPUT\nLAST LINE", "invenioils-status: "] {
            assert_eq!(Report::newest(nothing), None);
        }
    }

    #[test]
    fn a_machine_that_stopped_telling_is_silent_and_not_ready() {
        let report = Report::newest(CONSOLE).unwrap();
        let later = at(1060 + 3 * 3600);
        assert_eq!(report.state(later), "silent since 1970-01-01T00:17:40Z");
        assert!(report.ails(later));
        assert_eq!(
            report.state(at(1060 + 3600)),
            "ready",
            "it says so every half hour"
        );
    }

    #[test]
    fn whom_a_machine_misses_is_what_it_said_last() {
        let missing = format!(
            "{CONSOLE}invenioils-status: {{\"at\":1100,\"silent\":[\"10.20.0.12\"],\"state\":\"ready\"}}\r\n"
        );
        let misses = |console: &str, seconds| {
            let report = Report::newest(console).unwrap();
            ["10.20.0.12", "10.20.0.1"].map(|it| report.misses(it, at(seconds)))
        };
        assert_eq!(misses(&missing, 1200), [true, false]);
        assert_eq!(
            misses(&missing, 1100 + 3 * 3600),
            [false, false],
            "silent itself"
        );
        let later =
            format!("{missing}invenioils-status: {{\"at\":1130,\"state\":\"converging\"}}\r\n");
        assert_eq!(misses(&later, 1200), [false, false]);
    }

    #[test]
    fn what_a_machine_says_becomes_one_short_line() {
        let why = "x\\u001b[31m\\n".repeat(400);
        let report = Report::newest(&format!(
            "invenioils-status: {{\"at\":1,\"state\":\"trouble\",\"why\":\"{why}\"}}"
        ));
        let state = report.unwrap().state(at(2));
        assert!(
            state.len() <= LONGEST + 20 && !state.contains(char::is_control),
            "{state}"
        );
        let report = Report::newest("invenioils-status: {\"at\":1,\"state\":\"trouble\"}").unwrap();
        assert_eq!(report.state(at(2)), "trouble");
    }

    #[test]
    fn the_newest_backups_are_told_by_policy() {
        let console = "invenioils-status: {\"at\":1,\"backups\":{\"nightly\":{\"finished_at\":\"2026-11-26T03:00:09Z\",\"id\":\"20261126T030001Z\",\"size_bytes\":12,\"verified\":true}},\"state\":\"ready\"}\n\
                       invenioils-status: {\"at\":2,\"state\":\"converging\",\"why\":\"something changed\"}";
        let report = Report::newest(console).unwrap();
        let backup = &report.backups["nightly"];
        assert_eq!(
            (backup.id.as_str(), backup.size_bytes, backup.verified),
            ("20261126T030001Z", 12, true)
        );
    }
}
