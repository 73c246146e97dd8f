//! `cursor`: how far something that is read from elsewhere, page by page, has been read.
//!
//! The newest event of a stream, by time and id, is the one that counts; older ones are history.

use serde::Deserialize;

use super::{LineProblem, StoredEvent, bad_payload};

#[derive(Deserialize)]
struct CursorRecord<'a> {
    /// What is read, for example `github/artifacts`.
    #[serde(borrow)]
    stream: std::borrow::Cow<'a, str>,
    /// Where reading goes on, as the reader of the stream writes it.
    #[serde(borrow)]
    position: std::borrow::Cow<'a, str>,
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let record: CursorRecord<'_> = serde_json::from_str(event.payload).map_err(bad_payload)?;
    if record.stream.is_empty() || record.position.len() > 4096 {
        let problem = "a cursor names its stream, and a position of at most 4096 bytes";
        return Err(LineProblem::BadPayload(problem.into()));
    }
    Ok(())
}
