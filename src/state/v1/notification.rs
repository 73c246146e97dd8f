//! `notification`: that a channel was told of something, version 1. Fields may be added and never change.
//!
//! It holds keys, which have no foreign text in them, and the name of a variable: never an address.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LineProblem, NOTIFICATION, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;

/// No notice has more keys.
const MOST: usize = 1000;

/// No text of it is longer, in bytes.
const LONGEST: usize = 512;

/// Who was told what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotificationRecord {
    /// As `on:` of the configuration names it.
    pub(crate) event: String,
    /// By what it is told once, in order.
    pub(crate) keys: Vec<String>,
    /// The channel: what takes it, and the name of the variable that has its address, as `slack/SLACK_WEBHOOK`.
    pub(crate) target: String,
}

/// Writes that somebody was told.
pub(crate) fn encode_notification(
    record: &NotificationRecord,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(record)?;
    Ok(Event::new(NOTIFICATION, at, origin, payload))
}

/// Reads who was told what.
pub(crate) fn decode_notification(
    event: &StoredEvent<'_>,
) -> Result<NotificationRecord, LineProblem> {
    let record: NotificationRecord = json::read(event.payload).map_err(bad_payload)?;
    let texts = record.keys.iter().chain([&record.event, &record.target]);
    if record.keys.len() > MOST || texts.into_iter().any(|text| text.len() > LONGEST) {
        let words = format!("it has more than {MOST} keys, or a text of more than {LONGEST} bytes");
        return Err(LineProblem::BadPayload(words));
    }
    Ok(record)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_notification(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"event":"budget-95","keys":["budget-95/pull-request-7/10"],"target":"slack/SLACK_WEBHOOK"}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let record: NotificationRecord = serde_json::from_str(FROZEN).unwrap();
        let event = encode_notification(&record, Timestamp::UNIX_EPOCH, Origin::default()).unwrap();
        assert_eq!(event.payload, FROZEN);
        let least = r#"{"event":"e","keys":[],"target":"t","later":1}"#;
        assert!(serde_json::from_str::<NotificationRecord>(least).is_ok());
    }
}
