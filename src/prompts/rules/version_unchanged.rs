//! `version-unchanged`: a prompt changed and kept its version.

use super::{Around, Found, Rule};
use crate::finding::Severity;
use crate::prompts::file::PromptFile;
use crate::prompts::place::Step::Key;
use crate::prompts::set::{Set, digest, parts_of};

pub(super) const RULE: Rule = Rule {
    name: "version-unchanged",
    severity: Severity::Error,
    what: "a prompt changed, and its version did not (`lint --base`)",
    why: "Runs are recorded with name and version: two texts under one version cannot be told apart afterwards. Messages, what they include, variables, \
          output schema and model hints count; description and golden cases do not.",
    check: |draft, around| {
        let Some((new, old)) = around.both(draft) else {
            return Vec::new();
        };
        if new.version != old.version {
            return Vec::new();
        }
        let changed = changed(old, new, around);
        if changed.is_empty() {
            return Vec::new();
        }
        let words = format!(
            "{} changed, and the version is still {}",
            changed.join(", "),
            new.version
        );
        vec![Found::at(draft, &[Key("version")], words).hint("give it a new version")]
    },
};

/// Returns the parts of a prompt that changed.
fn changed(old: &PromptFile, new: &PromptFile, around: &Around<'_>) -> Vec<&'static str> {
    let text = |file: &PromptFile, set: &Set| {
        let parts = parts_of(file, set, around.fallback).ok()?;
        Some(digest(file, &parts))
    };
    let is_text = around
        .base
        .is_some_and(|base| text(old, base) != text(new, around.set));
    let parts = [
        (old.messages != new.messages, "`messages`"),
        (
            is_text && old.messages == new.messages,
            "a file that it includes",
        ),
        (old.variables != new.variables, "`variables`"),
        (old.output != new.output, "`output`"),
        (old.model != new.model, "`model`"),
        (old.role != new.role, "`role`"),
    ];
    let parts = parts.into_iter().filter(|(is_changed, _)| *is_changed);
    parts.map(|(_, name)| name).collect()
}
