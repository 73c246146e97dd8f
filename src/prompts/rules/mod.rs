//! What may be wrong with a prompt: one rule a file.
//!
//! To add a rule: one file here, one entry in [`RULES`]; `maestro explain` and the reference are made from it.

mod breaking_change;
mod foreign_file;
mod golden;
mod model_hints;
mod name;
mod output_schema;
mod template;
mod unreadable;
mod unused_variable;
mod variables;
mod version;
mod version_lower;
mod version_unchanged;

#[cfg(test)]
mod tests;

use super::file::PromptFile;
use super::place::{Step, line_of};
use super::set::{Draft, Set};
use crate::finding::Severity;

/// What a prompt is looked at with.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The folder that it lies in.
    pub(crate) set: &'a Set,
    /// Where parts are taken from that the folder does not have.
    pub(crate) fallback: Option<&'a Set>,
    /// The folder as it was before.
    pub(crate) base: Option<&'a Set>,
}

impl<'a> Around<'a> {
    pub(crate) fn of(set: &'a Set) -> Self {
        Self {
            set,
            fallback: None,
            base: None,
        }
    }

    /// Returns a prompt, and the one of the same name as it was before.
    fn both<'d>(&self, draft: &'d Draft) -> Option<(&'d PromptFile, &'a PromptFile)> {
        let new = draft.file()?;
        Some((new, self.base?.find(&new.name)?.file()?))
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    /// From the repository's top.
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) column: Option<u32>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Complaint {
    /// About a whole file.
    pub(crate) fn whole(draft: &Draft, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            path: draft.path(),
            line: 1,
            column: None,
            message: message.into(),
            hint: None,
        }
    }
}

/// What a rule finds.
struct Found {
    path: String,
    line: u32,
    column: Option<u32>,
    message: String,
    hint: Option<String>,
}

impl Found {
    /// At a key of the file.
    fn at(draft: &Draft, way: &[Step<'_>], message: impl Into<String>) -> Self {
        Self::line(draft.path(), line_of(&draft.text, way), message)
    }

    fn line(path: String, line: u32, message: impl Into<String>) -> Self {
        Self {
            path,
            line,
            column: None,
            message: message.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A rule.
pub(crate) struct Rule {
    /// `maestro explain prompts/NAME` tells more.
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    /// What it finds, in one line.
    pub(crate) what: &'static str,
    /// Why that matters, and what to do.
    pub(crate) why: &'static str,
    check: fn(&Draft, &Around<'_>) -> Vec<Found>,
}

/// Every rule; those that stop a prompt from being used come first, in the order in which they are looked at.
pub(crate) const RULES: [&Rule; 13] = [
    &unreadable::RULE,
    &name::RULE,
    &version::RULE,
    &model_hints::RULE,
    &variables::RULE,
    &template::RULE,
    &output_schema::RULE,
    &golden::RULE,
    &unused_variable::RULE,
    &foreign_file::RULE,
    &version_unchanged::RULE,
    &version_lower::RULE,
    &breaking_change::RULE,
];

/// How many of the rules stop a prompt from being used.
const FATAL: usize = 7;

fn apply(rule: &Rule, draft: &Draft, around: &Around<'_>) -> Vec<Complaint> {
    let found = (rule.check)(draft, around).into_iter();
    let complaints = found.map(|found| Complaint {
        rule: rule.name,
        severity: rule.severity,
        path: found.path,
        line: found.line,
        column: found.column,
        message: found.message,
        hint: found.hint,
    });
    complaints.collect()
}

/// Returns the first reason why a prompt cannot be used.
pub(crate) fn first_error(draft: &Draft, around: &Around<'_>) -> Option<Complaint> {
    let fatal = RULES.iter().take(FATAL);
    fatal.flat_map(|rule| apply(rule, draft, around)).next()
}

/// Returns everything that is wrong with a folder, in order of place.
pub(crate) fn lint(around: &Around<'_>) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = Vec::new();
    for draft in &around.set.drafts {
        complaints.extend(RULES.iter().flat_map(|rule| apply(rule, draft, around)));
    }
    crate::order::sort_by(&mut complaints, |one, other| {
        (&one.path, one.line).cmp(&(&other.path, other.line))
    });
    complaints.dedup();
    complaints
}
