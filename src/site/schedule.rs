//! When something happens: five-field cron lines and weekly windows. Knows calendars, not the present moment.

use super::Window;
use chrono::{DateTime, SubsecRound, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

/// Two runs nearer to each other than this overlap: the second would be due while the first may still be at work, and
/// would be skipped.
pub const LEAST_GAP: TimeDelta = TimeDelta::minutes(15);

/// A cron line in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: croner::Cron,
    zone: Tz,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// Not five fields, or a field that cannot be read.
    Malformed(String),
    /// No such time zone.
    Zone(String),
    /// There is no such day (31 February).
    Never,
    /// Two runs less than [`LEAST_GAP`] apart: these minutes.
    Overlaps(i64),
}

impl Schedule {
    /// Reads `minute hour day month weekday`. Says why it cannot be used: see [`Unusable`].
    pub fn parse(line: &str, timezone: &str) -> Result<Self, Unusable> {
        let zone: Tz = timezone
            .parse()
            .map_err(|_| Unusable::Zone(timezone.to_owned()))?;
        let fields = line.split_whitespace().count();
        if fields != 5 {
            return Err(Unusable::Malformed(format!(
                "it has {fields} fields instead of five"
            )));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(line)
            .map_err(|why| Unusable::Malformed(why.to_string()))?;
        let schedule = Self { cron, zone };
        match schedule.least_gap() {
            None => Err(Unusable::Never),
            Some(gap) if gap < LEAST_GAP => Err(Unusable::Overlaps(gap.num_minutes())),
            Some(_) => Ok(schedule),
        }
    }

    /// The first run after a moment.
    pub fn next_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self
            .cron
            .find_next_occurrence(&moment.with_timezone(&self.zone), false)
            .ok()?;
        // The parser carries the moment's fraction of a second on.
        Some(next.with_timezone(&Utc).trunc_subsecs(0))
    }

    /// The shortest time between two of the first runs, in UTC of a fixed year, so that the same line always gets the
    /// same answer. None: it never runs.
    fn least_gap(&self) -> Option<TimeDelta> {
        let start = Utc.with_ymd_and_hms(2024, 1, 1, 0, 0, 0).single()?;
        let mut at = self.cron.find_next_occurrence(&start, true).ok()?;
        let mut least = TimeDelta::days(366 * 8);
        // 400 runs are four days of the densest line that passes, and any closer pair shows on the first of them
        for _ in 0..400 {
            let Ok(next) = self.cron.find_next_occurrence(&at, false) else {
                break;
            };
            least = least.min(next - at);
            if least < LEAST_GAP || next - start > TimeDelta::days(366 * 4) {
                break;
            }
            at = next;
        }
        Some(least)
    }
}

/// What is wrong with a maintenance window: the field, and why.
pub fn window_fault(window: &Window) -> Option<(&'static str, String)> {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    if !DAYS.contains(&window.day.as_str()) {
        return Some((
            "day",
            format!(
                "`{}` is no day: write monday, tuesday, … sunday",
                window.day
            ),
        ));
    }
    if window.hour > 23 {
        return Some(("hour", format!("{} is no hour: write 0 to 23", window.hour)));
    }
    if window.timezone.parse::<Tz>().is_err() {
        return Some((
            "timezone",
            format!(
                "`{}` is no time zone: write a name like Europe/Zurich",
                window.timezone
            ),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_run_follows_the_clock_of_its_zone() {
        let nightly = Schedule::parse("0 3 * * *", "Europe/Zurich").expect("parses");
        let winter = nightly.next_after(moment("2026-01-10T00:00:00Z"));
        let summer = nightly.next_after(moment("2026-07-10T00:00:00Z"));
        assert_eq!(winter, Some(moment("2026-01-10T02:00:00Z")));
        assert_eq!(
            nightly.next_after(moment("2026-01-10T00:00:00.514Z")),
            winter
        );
        assert_eq!(summer, Some(moment("2026-07-10T01:00:00Z")));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        assert_eq!(
            Schedule::parse("0 0 31 2 *", "UTC").err(),
            Some(Unusable::Never)
        );
        assert_eq!(
            Schedule::parse("*/5 * * * *", "UTC").err(),
            Some(Unusable::Overlaps(5))
        );
        assert_eq!(
            Schedule::parse("0,59 * * * *", "UTC").err(),
            Some(Unusable::Overlaps(1))
        );
        assert_eq!(
            Schedule::parse("0 3 * * *", "Mars/Olympus").err(),
            Some(Unusable::Zone("Mars/Olympus".into()))
        );
        for line in [
            "",
            "0 3 * *",
            "0 0 3 * * *",
            "61 3 * * *",
            "@daily",
            "a b c d e",
        ] {
            assert!(
                matches!(Schedule::parse(line, "UTC"), Err(Unusable::Malformed(_))),
                "{line}"
            );
        }
        for line in [
            "0 3 * * *",
            "*/15 * * * *",
            "30 2 * * 1-5",
            "0 0 29 2 *",
            "0 4 1 */3 *",
        ] {
            assert!(Schedule::parse(line, "UTC").is_ok(), "{line}");
        }
    }

    #[test]
    fn a_window_needs_a_real_day_hour_and_zone() {
        let good = Window {
            day: "sunday".into(),
            hour: 2,
            timezone: "UTC".into(),
        };
        assert_eq!(window_fault(&good), None);
        let fault = |window: Window| window_fault(&window).map(|(field, _)| field);
        assert_eq!(
            fault(Window {
                day: "Sun".into(),
                ..good.clone()
            }),
            Some("day")
        );
        assert_eq!(
            fault(Window {
                hour: 24,
                ..good.clone()
            }),
            Some("hour")
        );
        assert_eq!(
            fault(Window {
                timezone: "CEST?".into(),
                ..good
            }),
            Some("timezone")
        );
    }
}
