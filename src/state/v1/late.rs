//! `late`: an event that came after its month had been rolled up. It stands for that event, so that it is counted, once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{LineProblem, StoredEvent, bad_payload};
use crate::event::Event;
use crate::json;
use crate::sha::Sha;

pub(crate) const LATE: &str = "late";

#[derive(Serialize, Deserialize)]
struct LateRecord<'a> {
    /// The refused event.
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let record: LateRecord<'_> = json::read(event.payload).map_err(bad_payload)?;
    match Sha::parse(&record.id) {
        Some(_) if !record.kind.is_empty() => Ok(()),
        _ => Err(LineProblem::BadPayload("it names no event".into())),
    }
}

/// Returns the line of the `late` event for a refused one, filed under the same time and run.
pub(crate) fn late_line(kind: &str, refused: &StoredEvent<'_>) -> String {
    let record = LateRecord {
        id: refused.id.to_string().into(),
        kind: kind.into(),
    };
    // Two plain strings can always be written.
    let payload = serde_json::to_string(&record).unwrap_or_default();
    let event = Event::new(LATE, refused.at, refused.origin.clone(), payload);
    let mut line = Vec::new();
    let _to_memory = super::write_line(&event, &mut line);
    let text = String::from_utf8(line).unwrap_or_default();
    text.trim_end_matches('\n').to_owned()
}
