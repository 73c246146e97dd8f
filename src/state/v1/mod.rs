//! Wire types, version 1: the envelope and the payloads of the kinds that are frozen.
//!
//! Never change the meaning of a field; add a version. A reader ignores fields that it does not know, and a rewrite keeps
//! each line's bytes, so that a newer writer's fields survive.

mod encode;
mod envelope;
mod late;
mod retention;
mod test_list;
mod test_run;

pub(crate) use encode::{Filing, encode_neutral, encode_run};
pub(crate) use envelope::{LineProblem, StoredEvent, head, parse, write_line};
pub(crate) use late::late_line;
pub(crate) use retention::{RETENTION, Retention, RetentionProblem};
pub(crate) use test_list::{KnownLists, decode_list};
pub(crate) use test_run::decode_run;

pub(crate) const TEST_LIST: &str = "test_list";
pub(crate) const TEST_RUN: &str = "test_run";

/// Checks that a payload can be read; one of a kind that is not known here always can.
pub(crate) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    match event.kind.as_ref() {
        TEST_LIST => test_list::check(event),
        TEST_RUN => decode_run(event).map(drop),
        _ => Ok(()),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function value"
)]
fn bad_payload(error: serde_json::Error) -> LineProblem {
    LineProblem::BadPayload(error.to_string())
}
