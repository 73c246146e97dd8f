//! `decision`: something that a weekly page asked a team to decide, version 1. Fields may be added and never change.
//!
//! Its time is the end of its week, so that the same page keeps the same events. Of several events of one week and id the one with the lowest rank, then
//! with the lowest id, counts.

use serde::{Deserialize, Serialize};

use super::{DECISION, LineProblem, StoredEvent, bad_payload};
use crate::event::{Event, Origin};
use crate::json;
use crate::report::facts::Decided;
use crate::report::week::Week;

/// No text of a decision is longer, in bytes.
const LONGEST: usize = 4096;

/// Keys are sorted, as in all of the state.
#[derive(Serialize, Deserialize)]
struct DecisionRecord {
    /// The proposal's id: the same as long as it is about the same thing.
    id: String,
    /// What its effect is measured by.
    measure: String,
    /// From 1 on.
    rank: u32,
    /// The section of the page that it is about.
    section: String,
    /// Of the measure.
    unit: String,
    /// The measure, in the week.
    value: f64,
    /// The ISO 8601 week, as `2026-W47`.
    week: String,
    /// In words, without secrets.
    what: String,
}

/// Writes a decision.
pub(crate) fn encode_decision(decided: &Decided) -> Result<Event, serde_json::Error> {
    let record = DecisionRecord {
        id: decided.id.clone(),
        measure: decided.measure.clone(),
        rank: decided.rank,
        section: decided.section.clone(),
        unit: decided.unit.clone(),
        value: decided.value,
        week: decided.week.clone(),
        what: decided.what.clone(),
    };
    let payload = serde_json::to_string(&record)?;
    let end = Week::parse(&decided.week).map(|week| week.window().until);
    Ok(Event::new(
        DECISION,
        end.unwrap_or_default(),
        Origin::default(),
        payload,
    ))
}

/// Reads a decision.
pub(crate) fn decode_decision(event: &StoredEvent<'_>) -> Result<Decided, LineProblem> {
    let record: DecisionRecord = json::read(event.payload).map_err(bad_payload)?;
    let bad = |words: &str| LineProblem::BadPayload(words.to_owned());
    if Week::parse(&record.week).is_none() {
        return Err(bad("it names no week"));
    }
    let texts = [
        &record.id,
        &record.measure,
        &record.section,
        &record.unit,
        &record.what,
    ];
    if record.id.is_empty() || texts.iter().any(|text| text.len() > LONGEST) {
        return Err(bad("it has no id, or a text of more than 4096 bytes"));
    }
    Ok(Decided {
        week: record.week,
        rank: record.rank,
        id: record.id,
        what: record.what,
        measure: record.measure,
        unit: record.unit,
        value: record.value,
        section: record.section,
    })
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_decision(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::{parse, write_line};
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"id":"flake-1a2b3c4d","measure":"failures","rank":1,"section":"flakes","unit":"count","value":9.0,"week":"2026-W47","what":"Fix t"}"#;

    fn stored(payload: &str) -> Result<Decided, LineProblem> {
        let event = Event::new(
            DECISION,
            jiff::Timestamp::UNIX_EPOCH,
            Origin::default(),
            payload.to_owned(),
        );
        let mut line = Vec::new();
        write_line(&event, &mut line).unwrap();
        decode_decision(&parse(String::from_utf8(line).unwrap().trim_end()).unwrap())
    }

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let event = encode_decision(&stored(FROZEN).unwrap()).unwrap();
        assert_eq!(event.payload, FROZEN);
        assert_eq!(event.at.to_string(), "2026-11-23T00:00:00Z");
        let newer = FROZEN.replace(r#""rank":1"#, r#""later":true,"rank":1"#);
        assert!(stored(&newer).is_ok());
    }

    #[test]
    fn a_decision_of_no_week_and_one_without_an_id_are_refused() {
        assert!(stored(&FROZEN.replace("2026-W47", "2026-W99")).is_err());
        assert!(stored(&FROZEN.replace("flake-1a2b3c4d", "")).is_err());
    }
}
