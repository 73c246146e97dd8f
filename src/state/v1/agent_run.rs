//! `agent_run`: what a run of agents came to.
//!
//! The newest event of a run that says `ended`, by time and id, is the one that counts: a run that goes on comes to another end. Where there is none,
//! one that says `published` does; that one knows the pull request.

use jiff::Timestamp;

use super::{AGENT_RUN, LineProblem, StoredEvent, bad_payload};
use crate::agents::account::Account;
use crate::event::{Event, Origin};
use crate::json;

/// No run has more tasks: a plan has two hundred at most, and those of the roles that are always wanted.
const MOST_TASKS: usize = 1000;

/// Writes what a run came to.
pub(crate) fn encode_agent_run(
    account: &Account,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(account)?;
    Ok(Event::new(AGENT_RUN, at, origin, payload))
}

/// Reads what a run came to.
pub(crate) fn decode_agent_run(event: &StoredEvent<'_>) -> Result<Account, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let account = decode_agent_run(event)?;
    if account.run.is_empty() || account.tasks.len() > MOST_TASKS {
        let problem = "it names no run, or too many tasks";
        return Err(LineProblem::BadPayload(problem.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"base":"b","began":"2026-01-05T09:00:00Z","cap_usd":"10","commit":"c","engine":"builtin","files":3,"issue":7,"outcome":"partial","pull_request":8,"resumed":1,"run":"r1","spent_usd":"0.75","stage":"ended","tasks":[{"attempts":1,"failures":[],"models":["m"],"role":"planner","state":"done","task":"plan","took_ms":5,"usd":"0.25"},{"attempts":2,"failures":[{"by":null,"end":"refused","why":"$ make: no (exit code 2)"},{"by":"reviewer","end":"rejected","why":"w"}],"models":["m","n"],"role":"implementer","state":"failed","task":"mend","took_ms":null,"usd":"0.5"}],"took_ms":90,"tree":"t","version":"0.1.0"}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let account: Account = serde_json::from_str(FROZEN).unwrap();
        let event = encode_agent_run(&account, Timestamp::UNIX_EPOCH, Origin::default()).unwrap();
        assert_eq!(event.payload, FROZEN);
        let least = r#"{"base":"b","began":"2026-01-05T09:00:00Z","outcome":"failed","run":"r","spent_usd":"0","stage":"published","tasks":[{"attempts":0,"role":"docs","state":"skipped","task":"docs","usd":"0","later":1}],"later":1}"#;
        assert!(serde_json::from_str::<Account>(least).is_ok());
    }
}
