//! `unused-variable`: a variable that no template names.

use super::template::sound;
use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "unused-variable",
    severity: Severity::Warning,
    what: "a variable is declared, and no template names it",
    why: "Callers go to the trouble of giving it, and the model never sees it. Use it, or take it out (which needs a new major version).",
    check: |draft, around| {
        let Some((_, prepared)) = sound(draft, around) else {
            return Vec::new();
        };
        let unused = prepared.unused().into_iter();
        let found = unused.map(|name| {
            let way = [Key("variables"), Key(name)];
            Found::at(draft, &way, format!("no template names `{name}`"))
        });
        found.collect()
    },
};
