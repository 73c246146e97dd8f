//! `plan`: what a plan decided in a run, version 1. Fields may be added and never change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LineProblem, PLAN, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;

/// What a plan decided. It holds no paths: what a change is about may be nobody's business later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanRecord {
    /// The commit that was compared with; none when everything ran without looking.
    pub(crate) base: Option<String>,
    /// Whether what was not selected was skipped.
    pub(crate) enforced: bool,
    /// What started the run, as GitHub calls it; empty where that is not known.
    #[serde(default)]
    pub(crate) event: String,
    /// Changed paths.
    pub(crate) files: u64,
    /// The planned commit.
    pub(crate) head: String,
    /// For each job that ran, in how many legs.
    #[serde(default)]
    pub(crate) legs: BTreeMap<String, u64>,
    /// `affected`, `all` or `none`.
    pub(crate) mode: String,
    /// Affected projects.
    pub(crate) projects: u64,
    /// Codes of the reasons for which everything ran.
    pub(crate) reasons: Vec<String>,
    /// Jobs that the change selected, in order of name.
    pub(crate) selected: Vec<String>,
    /// Jobs that it did not.
    pub(crate) unselected: Vec<String>,
}

/// Writes a plan.
pub(crate) fn encode_plan(
    record: &PlanRecord,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(record)?;
    Ok(Event::new(PLAN, at, origin, payload))
}

/// Reads a plan.
pub(crate) fn decode_plan(event: &StoredEvent<'_>) -> Result<PlanRecord, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_plan(event).map(drop)
}
