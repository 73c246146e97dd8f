//! `provenance_index`: what is said about a run, version 1. The payload is the statement that was written and may be signed, byte for byte, so that its
//! digest is the one that later runs link to.

use jiff::Timestamp;

use super::{LineProblem, PROVENANCE_INDEX, StoredEvent};
use crate::event::{Event, Origin};
use crate::provenance::chain::Link;
use crate::provenance::facts::{Previous, index_type};
use crate::provenance::index;
use crate::provenance::statement::Statement;
use crate::sha::Sha;

/// Keeps the index of a run.
pub(crate) fn encode_provenance_index(statement: String, at: Timestamp, origin: Origin) -> Event {
    Event::new(PROVENANCE_INDEX, at, origin, statement)
}

/// Reads what an index links to.
pub(crate) fn decode_provenance_index(event: &StoredEvent<'_>) -> Result<Link, LineProblem> {
    let bad = |words: String| LineProblem::BadPayload(words);
    let statement = Statement::read(event.payload.as_bytes());
    let statement = statement.map_err(|error| bad(error.to_string()))?;
    let is_index = statement.predicate_type == index_type()
        && statement
            .predicate
            .get("schema")
            .and_then(|schema| schema.as_str())
            == Some(index::SCHEMA);
    if !is_index {
        return Err(bad("it is no statement with an index of a run".to_owned()));
    }
    let previous = index::previous(&statement.predicate).into_iter();
    Ok(Link {
        this: Previous {
            at: event.at,
            sha: Sha::of(event.payload.as_bytes()),
            run: event.origin.run.clone(),
            attempt: event.origin.attempt,
        },
        previous: previous.map(str::to_owned).collect(),
    })
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_provenance_index(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::v1::{parse, write_line};

    /// As version 1 writes it, cut to what is read back.
    const PAYLOAD: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"previous":[{"at":"2026-01-04T09:00:00Z","attempt":1,"run":"7","sha256":"00"}],"schema":"maestro.provenance/v1"},"predicateType":"https://maestro.example/ci-run/v1","subject":[{"digest":{"gitCommit":"4f2c"},"name":"o/n"}]}"#;

    fn line(payload: &str) -> String {
        let origin = Origin {
            run: "8".into(),
            attempt: 2,
            ..Origin::default()
        };
        let at = "2026-01-05T09:00:00Z".parse().unwrap();
        let event = encode_provenance_index(payload.to_owned(), at, origin);
        let mut line = Vec::new();
        write_line(&event, &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn the_digest_of_a_run_is_that_of_its_statement() {
        let text = line(PAYLOAD);
        let event = parse(text.trim_end()).unwrap();
        assert_eq!(event.payload, PAYLOAD);
        let link = decode_provenance_index(&event).unwrap();
        assert_eq!(link.this.sha, Sha::of(PAYLOAD.as_bytes()));
        assert_eq!((link.this.run.as_str(), link.this.attempt), ("8", 2));
        assert_eq!(link.previous, ["00"]);
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for payload in [
            "{}".to_owned(),
            PAYLOAD.replace("ci-run/v1", "ci-run/v2"),
            PAYLOAD.replace("maestro.provenance/v1", "maestro.provenance/v2"),
        ] {
            let text = line(&payload);
            let event = parse(text.trim_end()).unwrap();
            assert!(decode_provenance_index(&event).is_err(), "{payload}");
        }
    }
}
