//! `late`: an event that came after its month had been rolled up. It stands for that event, so that it is counted, once.

use serde::Serialize;

use super::StoredEvent;
use crate::event::Event;

pub(crate) const LATE: &str = "late";

#[derive(Serialize)]
struct LateRecord<'a> {
    /// The refused event.
    id: String,
    kind: &'a str,
}

/// Returns the line of the `late` event for a refused one, filed under the same time and run.
pub(crate) fn late_line(kind: &str, refused: &StoredEvent<'_>) -> String {
    let record = LateRecord {
        id: refused.id.to_string(),
        kind,
    };
    // Two plain strings can always be written.
    let payload = serde_json::to_string(&record).unwrap_or_default();
    let event = Event::new(LATE, refused.at, refused.origin.clone(), payload);
    let mut line = Vec::new();
    let _to_memory = super::write_line(&event, &mut line);
    let text = String::from_utf8(line).unwrap_or_default();
    text.trim_end_matches('\n').to_owned()
}
