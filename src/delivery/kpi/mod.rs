//! Indicators against targets: each measured over a time, with its interval and the rows that it is made from, and a verdict of three words where a
//! target is set. A projection is never `met`: it has not happened. Neither is what nobody measured.
//!
//! Verdicts compare the value itself, never a rounded one: 94.5 % is less than 95 %.

mod agents;
pub(crate) mod facts;
mod money;
pub(crate) mod pipelines;
mod pulls;
pub(crate) mod record;
mod test_runs;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use super::ask::Ask;
use super::metrics;
use super::quantiles::share;
use super::reasons::Reason;
use crate::money::Usd;
use facts::{Facts, Piece};

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
    indicator(
        "flake-rate",
        "Test runs with a flaky test",
        Unit::Share,
        Target::Below(0.01),
    ),
    indicator(
        "llm-per-pull",
        "Cost of models, a pull request",
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
        "Runs of agents that succeeded",
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

/// An indicator as it was found over a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Finding {
    pub(crate) measured: Measured,
    /// Why there is no value.
    pub(crate) why: Option<String>,
    /// What it was measured from.
    pub(crate) source: &'static str,
    /// Every row that was looked at: counted, or left out with a reason.
    pub(crate) pieces: Vec<Piece>,
    /// Of money: the value, exactly.
    pub(crate) usd: Option<Usd>,
}

/// How a value moved against the time before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    Better,
    Worse,
    /// The intervals overlap.
    Unclear,
}

impl Trend {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Unclear => "no clear change",
        }
    }
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

/// Says how a value moved: only where the intervals have nothing in common it did.
pub(crate) fn trend(indicator: &Indicator, now: &Measured, before: &Measured) -> Option<Trend> {
    let (now, before) = (now.interval?, before.interval?);
    let is_more_wanted = matches!(indicator.example, Target::AtLeast(_));
    Some(if now.0 > before.1 {
        if is_more_wanted {
            Trend::Better
        } else {
            Trend::Worse
        }
    } else if now.1 < before.0 {
        if is_more_wanted {
            Trend::Worse
        } else {
            Trend::Better
        }
    } else {
        Trend::Unclear
    })
}

/// Measures every indicator over the time that is asked for, in the order of [`INDICATORS`].
pub(crate) fn measure(facts: &Facts<'_>, ask: &Ask<'_>) -> Vec<Finding> {
    let mut found = metrics::of(facts.rows, ask, &mut |history, metrics| {
        let lead = metrics.iter().find(|metric| metric.id == "lead-time-merge");
        vec![
            pipelines::find(facts, ask),
            pulls::lead_time(facts, history, lead),
            pulls::merge_success(facts, ask),
            test_runs::find(facts, ask),
            money::find(facts, ask),
            pulls::autonomous(facts, ask),
            agents::find(facts, ask),
        ]
    });
    for finding in &mut found {
        // What is measured of a time that has not ended says how it may end.
        finding.measured.is_projected = ask.window.until > ask.now;
    }
    found
}

impl Finding {
    /// One without a value.
    fn missing(source: &'static str, why: impl Into<String>) -> Self {
        Self {
            why: Some(why.into()),
            source,
            ..Self::default()
        }
    }

    /// A share of the rows that count, of which some are of the part.
    fn share(source: &'static str, pieces: Vec<Piece>, least: usize) -> Self {
        let counted = || pieces.iter().filter(|piece| piece.reason.is_none());
        let part = counted().filter(|piece| piece.is_part).count();
        let found = share(part, counted().count(), least);
        Self::of(source, pieces, (found.rate, found.interval), least)
    }

    /// One of rows: without a value, because there are too few of them.
    fn of(
        source: &'static str,
        pieces: Vec<Piece>,
        (value, interval): (Option<f64>, Option<(f64, f64)>),
        least: usize,
    ) -> Self {
        let n = pieces.iter().filter(|piece| piece.reason.is_none()).count();
        Self {
            measured: Measured {
                n,
                value,
                interval,
                is_projected: false,
            },
            why: value
                .is_none()
                .then(|| format!("n={n}, and of fewer than {least} nothing is said")),
            source,
            pieces,
            usd: None,
        }
    }
}

/// Says why something was asked that cannot be told apart.
fn undivided(ask: &Ask<'_>, what: &str) -> Option<String> {
    let parts = [
        ("--path", ask.path.is_some()),
        ("--author", ask.author.is_some()),
        ("--team", ask.team.is_some()),
        ("--branch", ask.branch.is_some()),
    ];
    let (flag, _) = parts.into_iter().find(|(_, is_asked)| *is_asked)?;
    Some(format!("{what} are not told apart by what {flag} asks for"))
}

/// Leaves out what does not lie in the time that is asked for.
fn of_window(ask: &Ask<'_>, at: jiff::Timestamp) -> Option<Reason> {
    if at > ask.now {
        Some(Reason::InFuture)
    } else if ask.window.holds(at) {
        None
    } else {
        Some(Reason::OutsideWindow)
    }
}
