//! `issue_link`: a cluster of tests that fail together, and its issue.
//!
//! The newest event of a cluster, by time and id, is the one that counts. Its time is in the payload too: what is as it was before is
//! another event than before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ISSUE_LINK, LineProblem, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::flakes::escalation::Link;
use crate::json;

#[derive(Serialize, Deserialize)]
struct IssueLinkRecord {
    /// When it was found to be so.
    as_of: Timestamp,
    #[serde(flatten)]
    link: Link,
}

/// Writes what is known of a cluster.
pub(crate) fn encode_issue_link(link: &Link, at: Timestamp) -> Result<Event, serde_json::Error> {
    let record = IssueLinkRecord {
        as_of: at,
        link: link.clone(),
    };
    let payload = serde_json::to_string(&record)?;
    Ok(Event::new(ISSUE_LINK, at, Origin::default(), payload))
}

/// Reads what is known of a cluster.
pub(crate) fn decode_issue_link(event: &StoredEvent<'_>) -> Result<Link, LineProblem> {
    let record: IssueLinkRecord = json::read(event.payload).map_err(bad_payload)?;
    Ok(record.link)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let link = decode_issue_link(event)?;
    if link.cluster.is_empty() {
        return Err(LineProblem::BadPayload("it names no cluster".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"as_of":"2026-01-05T09:00:00Z","cluster":"c1","first_seen":"2026-01-01T00:00:00Z","issue":7,"merged_into":"c0","open":true,"tests":[{"quarantined":true,"released":"2026-01-04T00:00:00Z","suite":"s","test":"t"},{"suite":"","test":"u"}],"told":"2026-01-03T00:00:00Z","told_on":"2026-01-03","url":"https://github.com/o/n/issues/7"}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let record: IssueLinkRecord = serde_json::from_str(FROZEN).unwrap();
        let event = encode_issue_link(&record.link, record.as_of).unwrap();
        assert_eq!(event.payload, FROZEN);
        let least = r#"{"as_of":"2026-01-05T09:00:00Z","cluster":"c1","first_seen":"2026-01-01T00:00:00Z","open":false,"tests":[],"later":1}"#;
        assert!(serde_json::from_str::<IssueLinkRecord>(least).is_ok());
    }
}
