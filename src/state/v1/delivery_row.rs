//! `delivery_row`: a pull request, deployment, run, release, tag, commit or incident, as it was at a time.
//!
//! Of several events of one row the one of the latest `as_of` counts. A row is one object with its `kind`; `docs/dora.md` lists the fields.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{DELIVERY_ROW, LineProblem, StoredEvent, bad_payload};
use crate::delivery::rows::Row;
use crate::event::{Event, Origin};
use crate::json;

/// Writes a row of a repository, as `owner/name`.
pub(crate) fn encode_delivery_row(repository: &str, row: &Row, as_of: Timestamp) -> Event {
    let payload =
        json!({ "as_of": as_of.to_string(), "repository": repository, "row": row.write() });
    Event::new(DELIVERY_ROW, as_of, Origin::default(), payload.to_string())
}

/// Reads a row, and the repository that it is of.
pub(crate) fn decode_delivery_row(
    event: &StoredEvent<'_>,
) -> Result<(String, Timestamp, Row), LineProblem> {
    let payload: Value = json::read(event.payload).map_err(bad_payload)?;
    let bad = |words: &str| LineProblem::BadPayload(words.to_owned());
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let repository = text("repository").ok_or_else(|| bad("it names no repository"))?;
    let as_of = text("as_of").and_then(|text| text.parse().ok());
    let as_of = as_of.ok_or_else(|| bad("it has no `as_of`"))?;
    let row = payload.get("row").ok_or_else(|| bad("it has no row"))?;
    let row = Row::read(row).map_err(LineProblem::BadPayload)?;
    Ok((repository.to_owned(), as_of, row))
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_delivery_row(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::{parse, write_line};
    use super::*;

    /// As version 1 wrote rows when the kind was frozen: one of each kind, with every field.
    const FROZEN: [&str; 7] = [
        r##"{"additions":3,"approved":"2026-01-06T08:00:00Z","author_hash":"h","author_kind":"agent","base":"main","closed":"2026-01-06T09:00:00Z","commits":2,"created":"2026-01-05T09:00:00Z","deletions":1,"draft":true,"files":2,"first_commit":"2026-01-04T09:00:00Z","first_review":"2026-01-06T07:00:00Z","form":"merge","head_sha":"h","hotfix":true,"kind":"pull","labels":["a"],"merge_sha":"m","merged":"2026-01-06T09:00:00Z","number":7,"paths":["src"],"ready":"2026-01-05T10:00:00Z","reverts":["#3"],"state":"merged","url":"u"}"##,
        r#"{"created":"2026-01-05T09:00:00Z","environment":"production","failed_at":"2026-01-05T11:00:00Z","first_success":"2026-01-05T10:00:00Z","id":4,"kind":"deployment","production":true,"sha":"s","status":"inactive","url":"u"}"#,
        r#"{"attempt":2,"branch":"main","conclusion":"success","created":"2026-01-05T09:00:00Z","event":"push","id":4,"kind":"run","sha":"s","started":"2026-01-05T09:30:00Z","updated":"2026-01-05T10:00:00Z","url":"u","workflow":"deploy"}"#,
        r#"{"draft":true,"id":5,"kind":"release","prerelease":true,"published":"2026-01-05T09:00:00Z","sha":"s","tag":"v1","url":"u"}"#,
        r#"{"at":"2026-01-05T09:00:00Z","kind":"tag","name":"v1","sha":"s"}"#,
        r#"{"author_date":"2026-01-05T09:00:00Z","commit_date":"2026-01-05T09:01:00Z","kind":"commit","parents":["p"],"sha":"s"}"#,
        r#"{"closed":"2026-01-05T10:00:00Z","deployment":4,"id":6,"kind":"incident","opened":"2026-01-05T09:00:00Z","sha":"s","url":"u"}"#,
    ];

    #[test]
    fn the_frozen_payloads_are_read_and_written_as_they_were() {
        let at = "2026-01-06T09:00:00Z".parse().unwrap();
        for text in FROZEN {
            let row = Row::read(&serde_json::from_str(text).unwrap()).unwrap();
            let payload =
                format!(r#"{{"as_of":"2026-01-06T09:00:00Z","repository":"o/n","row":{text}}}"#);
            assert_eq!(encode_delivery_row("o/n", &row, at).payload, payload);
            let newer = text.replacen('{', r#"{"later":1,"#, 1);
            assert_eq!(
                Row::read(&serde_json::from_str(&newer).unwrap()).unwrap(),
                row
            );
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let text = r#"{"at":"2026-01-05T09:00:00Z","kind":"tag","name":"v1","sha":"s"}"#;
        let row = Row::read(&serde_json::from_str(text).unwrap()).unwrap();
        let at = "2026-01-06T09:00:00Z".parse().unwrap();
        let event = encode_delivery_row("o/n", &row, at);
        let mut line = Vec::new();
        write_line(&event, &mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        let stored = parse(line.trim_end()).unwrap();
        assert_eq!(
            decode_delivery_row(&stored).unwrap(),
            ("o/n".to_owned(), at, row)
        );
    }
}
