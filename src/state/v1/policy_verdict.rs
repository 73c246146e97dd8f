//! `policy_verdict`: what a policy said of a change, version 1. Fields may be added and never change.
//!
//! It holds no paths and no texts of the change: what a change is about may be nobody's business later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LineProblem, POLICY_VERDICT, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;

/// What a policy said of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyVerdictRecord {
    /// Accounts that approved what needed it, in order.
    #[serde(default)]
    pub(crate) approved_by: Vec<String>,
    /// The commit that the change was compared with; none of a task that has not begun.
    pub(crate) base: Option<String>,
    /// Ids of entries that block, in order.
    pub(crate) blocked_by: Vec<String>,
    /// Whether the outcome counted.
    pub(crate) enforced: bool,
    /// Changed paths.
    pub(crate) files: u64,
    /// Breaches that somebody ignored, or that were there before.
    pub(crate) forgiven: u64,
    /// The commit that was judged.
    pub(crate) head: String,
    /// `passed`, `warned`, `review` or `blocked`.
    pub(crate) outcome: String,
    /// The commit that the policy was read from; none for the built-in one.
    pub(crate) policy_commit: Option<String>,
    /// SHA-256 of the policy, or of the organisation's and it.
    pub(crate) policy_sha256: String,
    /// The pull request.
    #[serde(default)]
    pub(crate) pull_request: Option<u64>,
    /// Ids of entries that want a person's approval, in order.
    pub(crate) review_by: Vec<String>,
    /// The agent's task.
    #[serde(default)]
    pub(crate) task: Option<String>,
    /// Ids of entries that warn, in order.
    pub(crate) warned_by: Vec<String>,
}

/// Writes a verdict.
pub(crate) fn encode_policy_verdict(
    record: &PolicyVerdictRecord,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(record)?;
    Ok(Event::new(POLICY_VERDICT, at, origin, payload))
}

/// Reads a verdict.
pub(crate) fn decode_policy_verdict(
    event: &StoredEvent<'_>,
) -> Result<PolicyVerdictRecord, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_policy_verdict(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"approved_by":["bob"],"base":"b","blocked_by":["a"],"enforced":true,"files":3,"forgiven":1,"head":"h","outcome":"blocked","policy_commit":"c","policy_sha256":"d","pull_request":7,"review_by":["r"],"task":"t","warned_by":["w"]}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let record: PolicyVerdictRecord = serde_json::from_str(FROZEN).unwrap();
        let event =
            encode_policy_verdict(&record, Timestamp::UNIX_EPOCH, Origin::default()).unwrap();
        assert_eq!(event.payload, FROZEN);
        let least = r#"{"base":null,"blocked_by":[],"enforced":false,"files":0,"forgiven":0,"head":"h","outcome":"passed","policy_commit":null,"policy_sha256":"d","review_by":[],"warned_by":[],"later":1}"#;
        assert!(serde_json::from_str::<PolicyVerdictRecord>(least).is_ok());
    }
}
