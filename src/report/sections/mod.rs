//! The parts of the page, one file each: what there is to say, what can be compared with the week before, and what to do about it.

mod agents;
mod brief;
mod ci;
pub(crate) mod delivery;
mod failures;
mod flakes;
mod kpi;
mod money;
mod safety;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Facts, Known, TestRun, Tests};
use super::pack::{Chart, Figure, Form, Point, Proposal, Section, Tone};
use super::week::Week;
use super::words::{Measured as Unit, shown};
use crate::delivery::kpi::Measured;
use crate::delivery::quantiles::{Share, float};
use crate::sha::Sha;

pub(crate) use brief::{Brief, brief};
pub(crate) use delivery::of as delivery_of;
pub(crate) use money::dollars;

/// So many weeks are drawn.
pub(crate) const WEEKS: i64 = 12;

/// What a part of the page brings.
pub(crate) struct Part {
    pub(crate) section: Section,
    pub(crate) measures: Vec<Measure>,
    pub(crate) proposals: Vec<Proposal>,
}

/// How many indicators came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Verdicts {
    pub(crate) met: usize,
    pub(crate) missed: usize,
    pub(crate) not_enough_data: usize,
    pub(crate) without_target: usize,
}

impl Verdicts {
    /// How many have a target.
    pub(crate) fn judged(&self) -> usize {
        self.met + self.missed + self.not_enough_data
    }
}

/// Something that is better or worse than the week before.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) is_better_when_less: bool,
    pub(crate) now: Measured,
    pub(crate) before: Measured,
    pub(crate) section: &'static str,
}

/// Makes every part, in the order of the page.
pub(crate) fn all(facts: &Facts) -> Vec<Part> {
    vec![
        kpi::part(facts),
        delivery::part(facts),
        ci::part(facts),
        failures::part(facts),
        flakes::part(facts),
        money::part(facts),
        agents::part(facts),
        safety::part(facts),
    ]
}

impl Part {
    fn new(section: Section) -> Self {
        Self {
            section,
            measures: Vec::new(),
            proposals: Vec::new(),
        }
    }

    fn unknown(id: &'static str, title: &'static str, why: &str) -> Self {
        Self::new(Section::unknown(id, title, why))
    }
}

/// Which weeks are drawn, the oldest first.
fn weeks(facts: &Facts) -> Vec<Week> {
    let back = (0..WEEKS).rev();
    back.map(|back| facts.week.back(back)).collect()
}

/// The weeks from the first one on of which anything is known: before that nobody looked, which is not zero.
fn known_since(first: Option<Timestamp>, week: Week) -> bool {
    first.is_some_and(|first| first < week.window().until)
}

/// Draws a bar for each week; nothing where there is none to see.
fn bars(
    facts: &Facts,
    title: &str,
    unit: Unit,
    first: Option<Timestamp>,
    value: &dyn Fn(Week) -> Option<f64>,
) -> Option<Chart> {
    let value = |week| value(week).filter(|_| known_since(first, week));
    let points = points(facts, &value);
    let is_seen = |point: &Point| point.value.is_some_and(|value| value > 0.0);
    points.iter().any(is_seen).then(|| Chart {
        title: title.to_owned(),
        unit,
        form: Form::Bars,
        points,
    })
}

/// Returns a point for each week, the page's own marked.
fn points(facts: &Facts, value: &dyn Fn(Week) -> Option<f64>) -> Vec<Point> {
    let points = weeks(facts).into_iter().map(|week| Point {
        label: week.name(),
        value: value(week),
        is_marked: week == facts.week,
    });
    points.collect()
}

/// Says a share as what indicators are measured in.
fn share_of(share: &Share) -> Measured {
    Measured {
        n: share.of,
        value: share.rate,
        interval: share.interval,
        is_projected: false,
    }
}

/// Returns an id that stays the same as long as it is about the same thing.
fn id(kind: &str, about: &str) -> String {
    let digest = Sha::of(format!("{kind}\0{about}").as_bytes()).to_string();
    format!("{kind}-{}", digest.get(..8).unwrap_or_default())
}

/// A count that is known.
fn counted(value: usize) -> Measured {
    Measured {
        n: value,
        value: Some(float(value)),
        interval: None,
        is_projected: false,
    }
}

/// A value that is known, of so many.
fn known(value: f64, n: usize) -> Measured {
    Measured {
        n,
        value: Some(value),
        interval: None,
        is_projected: false,
    }
}

/// Shows a measure as a number.
fn figure(measure: &Measure) -> Figure {
    let value = measure.now.value;
    Figure {
        name: measure.name.to_owned(),
        unit: measure.unit,
        value,
        shown: value.map_or_else(
            || "not enough data".to_owned(),
            |value| shown(value, measure.unit),
        ),
        n: Some(measure.now.n),
        interval: measure.now.interval,
        before: measure.before.value,
        remark: String::new(),
        why: None,
        tone: Tone::Plain,
    }
}

/// Shows a count.
fn count(name: &str, value: usize, before: Option<usize>) -> Figure {
    Figure {
        name: name.to_owned(),
        unit: Unit::Count,
        value: Some(float(value)),
        shown: shown(float(value), Unit::Count),
        n: None,
        interval: None,
        before: before.map(float),
        remark: String::new(),
        why: None,
        tone: Tone::Plain,
    }
}

/// Shows something that is not known, and why.
fn unknown(name: &str, unit: Unit, why: &str) -> Figure {
    Figure {
        name: name.to_owned(),
        unit,
        value: None,
        shown: "unknown".to_owned(),
        n: None,
        interval: None,
        before: None,
        remark: why.to_owned(),
        why: None,
        tone: Tone::Plain,
    }
}

impl Tests {
    fn first(&self) -> Option<Timestamp> {
        self.runs.iter().map(|run| run.at).min()
    }

    /// Returns the runs of a week by their places.
    fn runs_of(&self, week: Week) -> impl Iterator<Item = (usize, &TestRun)> {
        let runs = self.runs.iter().enumerate();
        runs.filter(move |(_, run)| week.holds(run.at))
    }

    /// Of each run of a week that failed through flaky tests alone, its place and those of the tests that failed it.
    fn spoilt(&self, week: Week) -> Vec<(usize, Vec<usize>)> {
        let mut failed: std::collections::BTreeMap<usize, Vec<usize>> =
            std::collections::BTreeMap::new();
        for (place, test) in self.tests.iter().enumerate() {
            for run in &test.failed_in {
                failed.entry(*run).or_default().push(place);
            }
        }
        let spoilt = self
            .runs_of(week)
            .filter(|(_, run)| run.failed > 0 && !run.is_outage);
        let spoilt = spoilt.filter_map(|(place, run)| {
            let tests = failed.remove(&place)?;
            let is_flaky = |test: &usize| self.tests[*test].verdict == "flaky";
            // A test that is not here failed too where there are more failures than tests.
            let is_whole = run.failed <= u64::try_from(tests.len()).unwrap_or(u64::MAX);
            (is_whole && tests.iter().all(is_flaky)).then_some((place, tests))
        });
        spoilt.collect()
    }

    /// What a week's runs cost that flaky tests failed, in minutes; nothing where it is not known what they take.
    fn spoilt_minutes(&self, spoilt: &[(usize, Vec<usize>)]) -> Option<f64> {
        let minutes = spoilt
            .iter()
            .map(|(run, _)| self.minutes.get(&self.runs[*run].job));
        minutes.copied_sum()
    }
}

/// Sums that are unknown as a whole when a part of them is.
trait CopiedSum {
    fn copied_sum(self) -> Option<f64>;
}

impl<'a, I: Iterator<Item = Option<&'a f64>>> CopiedSum for I {
    fn copied_sum(mut self) -> Option<f64> {
        self.try_fold(0.0, |sum, part| Some(sum + part?))
    }
}

/// Says why nothing is known of tests.
fn tests(facts: &Facts) -> Result<&Tests, &str> {
    known_of(&facts.tests)
}

fn known_of<T>(known: &Known<T>) -> Result<&T, &str> {
    known.as_ref().map_err(String::as_str)
}
