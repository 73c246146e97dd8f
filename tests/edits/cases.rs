//! An answer of a model, the file that it is for, and which outcomes are right.

use super::super::tests::Memory;
use super::super::{Tree, apply, parse};
use super::{Piece, drawn};

/// The one file of a case.
pub(super) const PATH: &str = "src/lib.rs";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Blocks,
    Diff,
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Diff => "diff",
        }
    }
}

pub(super) struct Case {
    pub(super) id: String,
    pub(super) corruption: &'static str,
    pub(super) form: Form,
    pub(super) before: String,
    pub(super) answer: String,
    /// The text that is right.
    pub(super) right: String,
    /// Whether its last line may end or not.
    pub(super) any_end: bool,
    /// Whether it is right to refuse.
    pub(super) may_refuse: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Right,
    Refused,
    Wrong,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Refused => "refused",
            Self::Wrong => "wrong",
        }
    }
}

impl Case {
    /// What becomes of it here, and in which words when it is refused.
    pub(super) fn judge(&self) -> (Outcome, String) {
        let memory = Memory::new(&[(PATH, &self.before), ("src/main.rs", "fn main() {}\n")]);
        let known = |path: &str| memory.names().iter().any(|name| name == path);
        let refused = |words: String| {
            (
                if self.may_refuse {
                    Outcome::Right
                } else {
                    Outcome::Refused
                },
                words,
            )
        };
        let edits = match parse(&self.answer, &known) {
            Ok(edits) => edits,
            Err(malformed) => return refused(malformed.for_model()),
        };
        let changes = match apply(&edits, &memory) {
            Ok(changes) => changes,
            Err(refusal) => return refused(refusal.for_model()),
        };
        let [change] = changes.as_slice() else {
            return (Outcome::Wrong, format!("{} files changed", changes.len()));
        };
        let after =
            String::from_utf8_lossy(change.after.as_deref().unwrap_or_default()).into_owned();
        let is_right = after == self.right
            || self.any_end && after.trim_end_matches('\n') == self.right.trim_end_matches('\n');
        let outcome = if is_right && change.path == PATH {
            Outcome::Right
        } else {
            Outcome::Wrong
        };
        (outcome, after)
    }
}

/// The pieces as an answer.
pub(super) fn answer(form: Form, path: &str, pieces: &[Piece]) -> String {
    if form == Form::Diff {
        return drawn(path, pieces);
    }
    let blocks = pieces.iter().map(|piece| {
        block(
            path,
            &piece.text(super::Sign::Add),
            &piece.text(super::Sign::Remove),
        )
    });
    blocks.collect()
}

pub(super) fn block(path: &str, search: &str, replace: &str) -> String {
    format!("{path}\n```rust\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n```\n\n")
}
