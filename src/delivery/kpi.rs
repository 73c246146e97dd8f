//! Indicators against targets: a verdict of three words, and none without a target. A projection is never `met`: it has not happened.
//!
//! Verdicts compare the value itself, never a rounded one: 94.5 % is less than 95 %.

use jiff::Timestamp;

use super::ask::{Window, seconds};
use super::quantiles::{float, share, spread};
use super::rows::Author;
use super::table::Rows;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// So much, or more.
    AtLeast(f64),
    /// So much, or less.
    AtMost(f64),
    /// Less than so much.
    Below(f64),
}

/// How a value is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Share,
    Dollars,
    AWeek,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    NotEnoughData,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// An indicator that people set targets for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Indicator {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// An example of a target, for those who have none of their own.
    pub(crate) example: Target,
}

pub(crate) const INDICATORS: [Indicator; 7] = [
    indicator(
        "ci-p95",
        "CI pipeline, 95th percentile",
        Unit::Seconds,
        Target::AtMost(15.0 * 60.0),
    ),
    indicator(
        "pull-lead-time",
        "Pull request lead time, median",
        Unit::Seconds,
        Target::AtMost(12.6 * 3600.0),
    ),
    indicator(
        "merge-success",
        "Pull requests that were merged",
        Unit::Share,
        Target::AtLeast(0.95),
    ),
    indicator("flake-rate", "Flake rate", Unit::Share, Target::Below(0.01)),
    indicator(
        "llm-per-pull",
        "Models, a pull request",
        Unit::Dollars,
        Target::AtMost(3.45),
    ),
    indicator(
        "autonomous-pulls",
        "Pull requests of agents that were merged",
        Unit::AWeek,
        Target::AtLeast(10.0),
    ),
    indicator(
        "agent-success",
        "Pull requests of agents that were merged, of all of theirs",
        Unit::Share,
        Target::AtLeast(0.8),
    ),
];

const fn indicator(id: &'static str, name: &'static str, unit: Unit, example: Target) -> Indicator {
    Indicator {
        id,
        name,
        unit,
        example,
    }
}

/// A value, and how sure it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Measured {
    pub(crate) n: usize,
    /// None where there is too little to say.
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<(f64, f64)>,
    /// Whether it has not happened yet.
    pub(crate) is_projected: bool,
}

/// Judges a value; nothing where no target is set.
pub(crate) fn judge(measured: &Measured, target: Option<Target>) -> Option<Verdict> {
    let target = target?;
    let Some(value) = measured.value.filter(|value| value.is_finite()) else {
        return Some(Verdict::NotEnoughData);
    };
    let holds = match target {
        Target::AtLeast(bound) => value >= bound,
        Target::AtMost(bound) => value <= bound,
        Target::Below(bound) => value < bound,
    };
    Some(match (holds, measured.is_projected) {
        (true, false) => Verdict::Met,
        (true, true) => Verdict::NotEnoughData,
        (false, _) => Verdict::Missed,
    })
}

/// Measures an indicator that rows tell of; nothing of one that they do not.
pub(crate) fn measure(
    rows: &Rows,
    window: Window,
    now: Timestamp,
    least: usize,
    id: &str,
) -> Measured {
    let ended = rows.pulls.iter().filter(|pull| {
        let end = pull.merged.or(pull.closed);
        end.is_some_and(|end| window.holds(end) && end <= now)
    });
    let of_agents = |merged: bool| {
        let agents = ended
            .clone()
            .filter(|pull| pull.author_kind == Author::Agent);
        agents
            .filter(|pull| !merged || pull.merged.is_some())
            .count()
    };
    match id {
        "pull-lead-time" => {
            let took = ended.clone().filter_map(|pull| {
                // Git alone does not know when a squashed one was begun.
                if pull.form == "squash" {
                    return None;
                }
                let begun = pull.first_commit.unwrap_or(pull.created).min(pull.created);
                Some(seconds(begun, pull.merged?).max(0.0))
            });
            let found = spread(took.collect(), least);
            Measured {
                n: found.n,
                value: found.median.map(|median| median.value),
                interval: found.median.and_then(|median| median.interval),
                is_projected: false,
            }
        }
        "merge-success" => {
            let merged = ended.clone().filter(|pull| pull.merged.is_some()).count();
            part(merged, ended.count(), least)
        }
        "agent-success" => part(of_agents(true), of_agents(false), least),
        "autonomous-pulls" => {
            let merged = of_agents(true);
            let weeks = seconds(window.since, window.until.min(now)) / (7.0 * 86_400.0);
            Measured {
                n: merged,
                // Of less than a week nothing is said by the week.
                value: (weeks >= 1.0).then(|| float(merged) / weeks),
                interval: None,
                is_projected: false,
            }
        }
        _ => Measured::default(),
    }
}

fn part(part: usize, of: usize, least: usize) -> Measured {
    let found = share(part, of, least);
    Measured {
        n: of,
        value: found.rate,
        interval: found.interval,
        is_projected: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{hour, pull, rows, with};
    use super::*;

    fn example(id: &str) -> Target {
        let mut all = INDICATORS.iter();
        all.find(|known| known.id == id).unwrap().example
    }

    fn said(id: &str, value: Option<f64>, is_projected: bool) -> &'static str {
        let measured = Measured {
            n: 100,
            value,
            interval: None,
            is_projected,
        };
        judge(&measured, Some(example(id))).unwrap().word()
    }

    // A table that was once shown ticked these three, and said that all targets were met.
    #[test]
    fn what_falls_short_by_a_little_is_missed() {
        assert_eq!(said("merge-success", Some(0.945), false), "missed");
        assert_eq!(said("flake-rate", Some(0.012), false), "missed");
        assert_eq!(said("autonomous-pulls", Some(8.0), false), "missed");
    }

    #[test]
    fn a_bound_is_met_where_it_is_said_to_be() {
        assert_eq!(said("merge-success", Some(0.95), false), "met");
        assert_eq!(said("flake-rate", Some(0.01), false), "missed");
        assert_eq!(said("llm-per-pull", Some(3.45), false), "met");
    }

    #[test]
    fn a_projection_is_never_met_and_nothing_is_said_without_a_value_or_a_target() {
        assert_eq!(
            said("autonomous-pulls", Some(40.0), true),
            "not enough data"
        );
        assert_eq!(said("autonomous-pulls", Some(4.0), true), "missed");
        assert_eq!(said("ci-p95", None, false), "not enough data");
        assert_eq!(said("ci-p95", Some(f64::NAN), false), "not enough data");
        assert_eq!(judge(&Measured::default(), None), None);
    }

    #[test]
    fn rows_tell_of_four_indicators() {
        let agent = json!({ "author_kind": "agent" });
        let closed =
            json!({ "author_kind": "agent", "merged": null, "closed": hour(30).to_string() });
        let mut lines: Vec<_> = (1..=20).map(|number| pull(number, 0, 1, 12, "c")).collect();
        lines.extend((21..=28).map(|number| with(pull(number, 0, 1, 12, "c"), &agent)));
        lines.extend((29..=30).map(|number| with(pull(number, 0, 1, 12, "c"), &closed)));
        let window = Window {
            since: hour(0),
            until: hour(14 * 24),
        };
        let rows = rows(&lines);
        let value = |id| measure(&rows, window, hour(1000), 5, id).value;
        assert_eq!(value("pull-lead-time"), Some(12.0 * 3600.0));
        assert_eq!(value("merge-success"), Some(28.0 / 30.0));
        assert_eq!(value("agent-success"), Some(0.8));
        assert_eq!(value("autonomous-pulls"), Some(4.0));
        assert_eq!(value("flake-rate"), None);
    }
}
