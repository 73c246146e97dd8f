//! `unreadable`: a file that says it is a prompt and is none.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::set::Reading;

pub(super) const RULE: Rule = Rule {
    name: "unreadable",
    severity: Severity::Error,
    what: "a file says that it is a prompt, and cannot be read as one",
    why: "It is no YAML, or has a key, a word or a type that the form does not know; a key that nobody reads would be a rule that nobody obeys. \
          `maestro util schema prompt-file` prints what may stand where.",
    check: |draft, _| {
        let Reading::Broken(error) = &draft.reading else {
            return Vec::new();
        };
        let (line, column) = error.place.unwrap_or((1, 1));
        vec![Found {
            column: Some(column),
            hint: error.hint.clone(),
            ..Found::line(draft.path(), line, error.message.clone())
        }]
    },
};
