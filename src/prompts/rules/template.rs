//! `template`: a template that does not compile, names what nobody declared, or includes what it may not.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::file::PromptFile;
use crate::prompts::place::Step::Key;
use crate::prompts::prepared::{Prepared, Problem};
use crate::prompts::set::{Draft, parts_of};

pub(super) const RULE: Rule = Rule {
    name: "template",
    severity: Severity::Error,
    what: "a template does not compile, or names what is not there",
    why: "A variable must be declared; a file that is included lies in a folder of `prompts/`, is named in quotes, and does not lead back to itself. \
          So the digest of a prompt covers every text that a model can be told.",
    check: |draft, around| {
        let Some(file) = draft.file() else {
            return Vec::new();
        };
        if file.messages.is_empty() {
            return vec![Found::at(draft, &[Key("messages")], "there is no message")];
        }
        let prepared = parts_of(file, around.set, around.fallback)
            .and_then(|parts| Prepared::new(file, &parts));
        match prepared {
            Ok(prepared) => {
                let undeclared = prepared.undeclared().into_iter();
                undeclared.map(|problem| found(draft, problem)).collect()
            }
            Err(problem) => vec![found(draft, problem)],
        }
    },
};

fn found(draft: &Draft, problem: Problem) -> Found {
    match &problem.place {
        Some((template, line)) => {
            let (path, line) = draft.at(template, *line);
            Found::line(path, line, problem.words)
        }
        None => Found::line(draft.path(), 1, problem.words),
    }
}

/// Returns a prompt with its templates, when nothing is wrong with them.
pub(super) fn sound<'a>(
    draft: &'a Draft,
    around: &super::Around<'_>,
) -> Option<(&'a PromptFile, Prepared)> {
    let file = draft.file()?;
    let parts = parts_of(file, around.set, around.fallback).ok()?;
    let prepared = Prepared::new(file, &parts).ok()?;
    prepared.undeclared().is_empty().then_some((file, prepared))
}
