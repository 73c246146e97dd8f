//! `model-hints`: hints that no provider takes.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "model-hints",
    severity: Severity::Error,
    what: "a hint for the model is out of its range",
    why: "`temperature` is from 0 to 2, `max_output_tokens` is at least 1: the answer's worst price is reckoned from it before anything is sent.",
    check: |draft, _| {
        let Some(file) = draft.file() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut complain = |key, words: String| {
            found.push(Found::at(draft, &[Key("model"), Key(key)], words));
        };
        if let Some(warmth) = file.model.temperature
            && !(0.0..=2.0).contains(&warmth)
        {
            complain("temperature", format!("{warmth} is not from 0 to 2"));
        }
        if file.model.max_output_tokens == Some(0) {
            complain(
                "max_output_tokens",
                "an answer has at least one token".into(),
            );
        }
        found
    },
};
