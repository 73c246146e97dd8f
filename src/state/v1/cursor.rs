//! `cursor`: how far something that is read from elsewhere, page by page, has been read.
//!
//! The newest event of a stream, by time and id, is the one that counts; older ones are history.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CURSOR, LineProblem, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;

#[derive(Serialize, Deserialize)]
pub(crate) struct Cursor<'a> {
    /// Where reading goes on, as the reader of the stream writes it.
    #[serde(borrow)]
    pub(crate) position: Cow<'a, str>,
    /// What is read, for example `github/artifacts`.
    #[serde(borrow)]
    pub(crate) stream: Cow<'a, str>,
}

/// Writes a cursor.
pub(crate) fn encode_cursor(
    cursor: &Cursor<'_>,
    at: Timestamp,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(cursor)?;
    Ok(Event::new(CURSOR, at, Origin::default(), payload))
}

/// Reads a cursor.
pub(crate) fn decode_cursor<'a>(event: &'a StoredEvent<'_>) -> Result<Cursor<'a>, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let record = decode_cursor(event)?;
    if record.stream.is_empty() || record.position.len() > 4096 {
        let problem = "a cursor names its stream, and a position of at most 4096 bytes";
        return Err(LineProblem::BadPayload(problem.into()));
    }
    Ok(())
}
