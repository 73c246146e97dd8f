//! What indicators are measured from, beside rows of deliveries: runs of tests, calls of models, runs of agents. Each is a fact of its own; whoever
//! hands them out has taken out what was told twice.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::delivery::reasons::Reason;
use crate::delivery::table::Rows;
use crate::money::Usd;

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) rows: &'a Rows,
    /// Whether rows tell of pull requests that were not merged; git alone does not.
    pub(crate) knows_unmerged: bool,
    pub(crate) tests: &'a [TestRun],
    pub(crate) calls: &'a [Call],
    pub(crate) agents: &'a [AgentRun],
}

/// The tests of a job and leg in a run of CI, all attempts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestRun {
    /// As people know it.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// Whether a test failed in it that passed on the same commit.
    pub(crate) is_flaky: bool,
    pub(crate) is_outage: bool,
}

/// A call of a model, or what a lease stands for that nobody told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) pull: Option<u64>,
    pub(crate) at: Timestamp,
    /// None where it has no price.
    pub(crate) usd: Option<Usd>,
}

/// What a run of agents came to, as one event tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentRun {
    pub(crate) run: String,
    /// Whether it tells of the end, and not only of what was published.
    pub(crate) has_ended: bool,
    pub(crate) at: Timestamp,
    /// Of the event: of two of one time the greater counts.
    pub(crate) id: String,
    pub(crate) outcome: String,
    /// Whether answers came from a file.
    pub(crate) is_recorded: bool,
}

/// A row that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) from: Option<Timestamp>,
    /// What decides whether it lies in the time that is asked for; none of what has not ended.
    pub(crate) to: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub(crate) took_ms: Option<i64>,
    pub(crate) usd: Option<Usd>,
    /// Whether it is of the part that a share tells of.
    pub(crate) is_part: bool,
    /// Why it was left out.
    pub(crate) reason: Option<Reason>,
}

impl Piece {
    pub(super) fn new(kind: &'static str, id: String, url: &str) -> Self {
        Self {
            kind,
            id,
            url: url.to_owned(),
            from: None,
            to: None,
            took_ms: None,
            usd: None,
            is_part: false,
            reason: None,
        }
    }
}

/// Returns what each run of agents came to: the newest event that tells of its end, or else the newest one. Where any of a run's events says that its
/// answers came from a file, they did.
pub(super) fn ends(events: &[AgentRun]) -> Vec<AgentRun> {
    let mut ends: BTreeMap<&str, AgentRun> = BTreeMap::new();
    for event in events {
        let known = ends.entry(&event.run).or_insert_with(|| event.clone());
        let is_recorded = known.is_recorded || event.is_recorded;
        let key = |one: &AgentRun| (one.has_ended, one.at, one.id.clone(), one.outcome.clone());
        if key(event) > key(known) {
            known.clone_from(event);
        }
        known.is_recorded = is_recorded;
    }
    ends.into_values().collect()
}
