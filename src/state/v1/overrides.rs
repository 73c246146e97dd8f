//! `override`: that a person let something pass, version 1. Fields may be added and never change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LineProblem, OVERRIDE, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;

/// Who let what pass, why, for which head and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverrideRecord {
    /// The account.
    pub(crate) by: String,
    /// Until when it counts.
    pub(crate) expires: Timestamp,
    /// The commit that it is for.
    pub(crate) head: String,
    /// Where it was said: the address of a comment, or `label`.
    pub(crate) place: String,
    /// The pull request.
    #[serde(default)]
    pub(crate) pull_request: Option<u64>,
    /// Why.
    pub(crate) reason: String,
    /// What passed.
    pub(crate) rule: String,
    /// When it was said.
    pub(crate) said_at: Timestamp,
}

/// Writes an override.
pub(crate) fn encode_override(
    record: &OverrideRecord,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(record)?;
    Ok(Event::new(OVERRIDE, at, origin, payload))
}

/// Reads an override.
pub(crate) fn decode_override(event: &StoredEvent<'_>) -> Result<OverrideRecord, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

/// Checks that an override can be read.
pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_override(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"by":"ada","expires":"2026-01-12T09:00:00Z","head":"h","place":"label","pull_request":7,"reason":"why","rule":"size","said_at":"2026-01-05T09:00:00Z"}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let record: OverrideRecord = serde_json::from_str(FROZEN).unwrap();
        let event = encode_override(&record, Timestamp::UNIX_EPOCH, Origin::default()).unwrap();
        assert_eq!(event.payload, FROZEN);
    }
}
