//! `golden`: a golden case that does not come out as it says.

use super::template::sound;
use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::golden::run;
use crate::prompts::place::Step::{Entry, Key};

pub(super) const RULE: Rule = Rule {
    name: "golden",
    severity: Severity::Error,
    what: "a golden case does not come out as it says",
    why: "Golden cases hold what a prompt must say and must not. `maestro prompts test` shows the difference line by line; when the new text is right, \
          `maestro prompts test --bless` writes it.",
    check: |draft, around| {
        let Some((file, prepared)) = sound(draft, around) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (at, case) in file.golden.iter().enumerate() {
            for mismatch in run(file, &prepared, case, &around.set.golden).mismatches {
                let words = format!("case `{}`: {}", case.name, mismatch.words);
                let found_here = Found::at(draft, &[Key("golden"), Entry(at)], words);
                found.push(found_here.hint("`maestro prompts test` shows the difference"));
            }
        }
        found
    },
};
