//! The metrics, one file each: what was counted, what was not and why, and what follows.

pub(crate) mod change_fail;
pub(crate) mod frequency;
pub(crate) mod lead_time;
pub(crate) mod recovery;
pub(crate) mod rework;

use jiff::Timestamp;

use super::ask::{Ask, Source};
use super::history::History;
use super::quantiles::{Share, Spread, share};
use super::reasons::{Reason, Remark};
use super::shipments::{LeftOut, Shipment, released, shipped};
use super::table::{Ref, Rows};

/// A row that was counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) row: Ref,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Timestamp,
    pub(crate) seconds: Option<f64>,
    /// Whether it is of the part that a share tells of, or has ended.
    pub(crate) is_part: bool,
    pub(crate) remarks: Vec<Remark>,
    /// What it is linked to.
    pub(crate) linked: Vec<Ref>,
    /// Of failures: when somebody noticed.
    pub(crate) noticed: Option<Timestamp>,
}

/// What a metric says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Of durations.
    Spread(Spread),
    /// Of deployments that are of a kind.
    Share(Share),
    /// How often.
    Rhythm(frequency::Rhythm),
    /// The definition has no such metric.
    Undefined,
}

/// A metric, with all that it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    /// The same in hours of work.
    pub(crate) business: Option<Spread>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) left_out: Vec<LeftOut>,
    /// Rows that it was made from.
    pub(crate) rows: usize,
    /// Those that were counted; the others are left out, each with its reason.
    pub(crate) counted: usize,
}

/// The metrics that people ask for by name.
pub(crate) const IDS: [&str; 8] = [
    "lead-time-merge",
    "lead-time-deploy",
    "lead-time-release",
    "merge-to-deploy",
    "deployment-frequency",
    "change-fail-rate",
    "recovery",
    "rework-rate",
];

/// Links rows and works out every metric; `take` sees both while they last.
pub(crate) fn of<T>(
    rows: &Rows,
    ask: &Ask<'_>,
    take: &mut dyn FnMut(&History<'_>, Vec<Metric>) -> T,
) -> T {
    let shipped = shipped(rows, ask);
    let released = released(rows, ask);
    let history = History::new(rows, ask, &shipped, &released);
    let metrics = all(&history);
    take(&history, metrics)
}

/// Works out every metric.
pub(crate) fn all(history: &History<'_>) -> Vec<Metric> {
    let mut metrics = lead_time::all(history);
    metrics.push(frequency::metric(history));
    metrics.push(change_fail::metric(history));
    metrics.push(recovery::metric(history));
    metrics.push(rework::metric(history));
    metrics
}

/// Says what rows come to that a metric counted, whichever repositories they are of.
pub(crate) fn value(id: &str, evidence: &[Evidence], ask: &Ask<'_>) -> Value {
    match id {
        frequency::ID => frequency::value(evidence, ask),
        change_fail::ID => change_fail::value(evidence, ask),
        recovery::ID => recovery::value(evidence, ask),
        rework::ID => rework::value(evidence, ask),
        _ => lead_time::value(evidence, ask),
    }
}

/// Returns the share of counted rows that are of the part.
fn share_of(evidence: &[Evidence], least: usize) -> Share {
    let part = evidence.iter().filter(|row| row.is_part).count();
    share(part, evidence.len(), least)
}

impl Metric {
    /// Returns its value and counts.
    pub(crate) fn without_rows(&self) -> Self {
        Self {
            id: self.id,
            name: self.name,
            value: self.value.clone(),
            business: self.business.clone(),
            evidence: Vec::new(),
            left_out: Vec::new(),
            rows: self.rows,
            counted: self.counted,
        }
    }

    /// Shows every row that it tells of.
    pub(crate) fn each_row(&mut self, look: &mut dyn FnMut(&mut Ref)) {
        for evidence in &mut self.evidence {
            look(&mut evidence.row);
            evidence.linked.iter_mut().for_each(&mut *look);
        }
        for left in &mut self.left_out {
            look(&mut left.row);
        }
    }

    fn undefined(id: &'static str, name: &'static str) -> Self {
        Self {
            id,
            name,
            value: Value::Undefined,
            business: None,
            evidence: Vec::new(),
            left_out: Vec::new(),
            rows: 0,
            counted: 0,
        }
    }
}

/// Whether a shipment counts for what was asked: one that was narrowed to some changes must have brought one of them.
fn is_of_scope(history: &History<'_>) -> Option<std::collections::BTreeSet<usize>> {
    let ask = history.ask;
    if ask.path.is_none() && ask.author.is_none() && ask.team.is_none() {
        return None;
    }
    let brought = history.changes.iter();
    Some(crate::order::set(
        brought.filter_map(|change| change.deployed.ok()),
    ))
}

/// Sorts the shipments into those of the time that was asked for and others.
pub(crate) fn shipments<'h>(
    history: &'h History<'_>,
) -> (Vec<(usize, &'h Shipment<'h>)>, Vec<LeftOut>) {
    let scope = is_of_scope(history);
    let (mut counted, mut left_out) = (Vec::new(), history.shipped.left_out.clone());
    for (number, shipment) in history.shipped.list.iter().enumerate() {
        let reason = if scope.as_ref().is_some_and(|scope| !scope.contains(&number)) {
            Reason::OtherPath
        } else if history.ask.window.holds(shipment.at) {
            counted.push((number, shipment));
            continue;
        } else {
            Reason::OutsideWindow
        };
        left_out.push(LeftOut {
            row: shipment.row,
            reason,
        });
    }
    (counted, left_out)
}

/// Returns how many rows the source has that deployments were taken from.
pub(crate) fn candidates(history: &History<'_>) -> usize {
    let rows = history.rows;
    match history.shipped.source {
        Some(Source::Deployments) => rows.deployments.len(),
        Some(Source::Runs) => rows.runs.len(),
        Some(Source::Releases) => rows.releases.len(),
        Some(Source::Tags) => rows.tags.len(),
        None => 0,
    }
}
