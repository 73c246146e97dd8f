//! Deployment frequency: how many deployments there were, week by week, those without any too; beside it the two ways in which others put it into
//! a word.
//!
//! Four Keys (METRICS.md): daily, where in the median week there are deployments on three days or more; weekly, where there is one; monthly, where
//! the median month has one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{Evidence, Metric, Value, candidates, shipments};
use crate::delivery::ask::{Ask, Window, seconds};
use crate::delivery::calendar::{day, midnight, month, week};
use crate::delivery::history::History;
use crate::delivery::quantiles::{float, quantile};

/// How often something was deployed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rhythm {
    pub(crate) deployments: usize,
    /// Days of the time that was asked for.
    pub(crate) days: f64,
    pub(crate) per_day: f64,
    /// Days with a deployment.
    pub(crate) active_days: usize,
    /// Each week's Monday, and its deployments; weeks at the edges may be cut.
    pub(crate) weeks: Vec<(Date, usize)>,
    /// As Four Keys puts it: `daily`, `weekly`, `monthly` or `yearly`.
    pub(crate) bucket: &'static str,
}

pub(super) const ID: &str = "deployment-frequency";

pub(super) fn metric(history: &History<'_>) -> Metric {
    let (counted, left_out) = shipments(history);
    let evidence: Vec<Evidence> = counted
        .iter()
        .map(|(_, shipment)| Evidence {
            row: shipment.row,
            from: None,
            to: shipment.at,
            seconds: None,
            is_part: true,
            remarks: Vec::new(),
            linked: Vec::new(),
            noticed: None,
        })
        .collect();
    Metric {
        id: ID,
        name: "Deployment frequency",
        value: value(&evidence, history.ask),
        business: None,
        rows: candidates(history),
        counted: evidence.len(),
        evidence,
        left_out,
    }
}

pub(super) fn value(evidence: &[Evidence], ask: &Ask<'_>) -> Value {
    let times: Vec<Timestamp> = evidence.iter().map(|row| row.to).collect();
    Value::Rhythm(rhythm(&times, ask.window))
}

/// Nobody looks at more weeks.
const MOST_WEEKS: usize = 53 * 60;

pub(crate) fn rhythm(times: &[Timestamp], window: Window) -> Rhythm {
    let days: BTreeSet<Date> = crate::order::set(times.iter().map(|at| day(*at)));
    let mut by_week: BTreeMap<Date, usize> = BTreeMap::new();
    let mut days_of_week: BTreeMap<Date, usize> = BTreeMap::new();
    let mut by_month: BTreeMap<Date, usize> = BTreeMap::new();
    for at in times {
        *by_week.entry(week(*at)).or_default() += 1;
        *by_month.entry(month(*at)).or_default() += 1;
    }
    for day in &days {
        *days_of_week.entry(week(midnight(*day))).or_default() += 1;
    }
    let weeks = periods(window, week, 7);
    let months = periods(window, month, 31);
    let of =
        |counts: &BTreeMap<Date, usize>, period: &Date| counts.get(period).copied().unwrap_or(0);
    let median = |values: Vec<f64>| {
        let mut values = values;
        crate::order::sort_numbers(&mut values);
        quantile(&values, 0.5).unwrap_or(0.0)
    };
    let week_days = median(
        weeks
            .iter()
            .map(|week| float(of(&days_of_week, week)))
            .collect(),
    );
    let per_month = median(
        months
            .iter()
            .map(|month| float(of(&by_month, month)))
            .collect(),
    );
    let bucket = if week_days >= 3.0 {
        "daily"
    } else if week_days >= 1.0 {
        "weekly"
    } else if per_month >= 1.0 {
        "monthly"
    } else {
        "yearly"
    };
    let length = (seconds(window.since, window.until) / 86_400.0).max(0.0);
    Rhythm {
        deployments: times.len(),
        days: length,
        per_day: if length > 0.0 {
            float(times.len()) / length
        } else {
            0.0
        },
        active_days: days.len(),
        weeks: weeks
            .iter()
            .map(|week| (*week, of(&by_week, week)))
            .collect(),
        bucket,
    }
}

/// Returns the first days of all periods that a time touches.
pub(crate) fn periods(window: Window, first: fn(Timestamp) -> Date, length: i64) -> Vec<Date> {
    let mut found = Vec::new();
    let mut at = first(window.since);
    while midnight(at) < window.until && found.len() < MOST_WEEKS {
        found.push(at);
        // The day after a period's last one lies in the next, whichever length months have.
        let next = first(midnight(at.saturating_add(length.days())));
        if next <= at {
            break;
        }
        at = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn check(since: &str, until: &str, times: &[&str], weeks: &[usize], bucket: &str) {
        let window = Window {
            since: at(since),
            until: at(until),
        };
        let times: Vec<Timestamp> = times.iter().map(|time| at(time)).collect();
        let found = rhythm(&times, window);
        let counts: Vec<usize> = found.weeks.iter().map(|(_, count)| *count).collect();
        assert_eq!((counts.as_slice(), found.bucket), (weeks, bucket));
    }

    #[test]
    fn weeks_without_a_deployment_are_there_too() {
        // Monday 5 January to Sunday 1 February 2026.
        let (since, until) = ("2026-01-05T00:00:00Z", "2026-02-02T00:00:00Z");
        check(since, until, &[], &[0, 0, 0, 0], "yearly");
        let one = ["2026-01-05T09:00:00Z", "2026-01-25T23:59:59Z"];
        check(since, until, &one, &[1, 0, 1, 0], "monthly");
        let every = [
            "2026-01-06T09:00:00Z",
            "2026-01-13T09:00:00Z",
            "2026-01-20T09:00:00Z",
        ];
        check(since, until, &every, &[1, 1, 1, 0], "weekly");
    }

    #[test]
    fn many_deployments_of_one_day_are_one_day() {
        let (since, until) = ("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
        let same = [
            "2026-01-05T09:00:00Z",
            "2026-01-05T10:00:00Z",
            "2026-01-05T11:00:00Z",
        ];
        check(since, until, &same, &[3], "weekly");
        let three = [
            "2026-01-05T09:00:00Z",
            "2026-01-06T10:00:00Z",
            "2026-01-07T11:00:00Z",
        ];
        check(since, until, &three, &[3], "daily");
    }

    #[test]
    fn months_of_every_length_follow_one_another() {
        let window = Window {
            since: at("2026-01-15T00:00:00Z"),
            until: at("2026-05-01T00:00:00Z"),
        };
        let found: Vec<String> = periods(window, month, 31)
            .iter()
            .map(Date::to_string)
            .collect();
        assert_eq!(
            found,
            ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]
        );
    }
}
