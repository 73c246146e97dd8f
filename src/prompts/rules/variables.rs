//! `variables`: a declaration that means nothing.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;
use crate::prompts::prepared::DELIMITER;
use crate::prompts::variables::faults;

pub(super) const RULE: Rule = Rule {
    name: "variables",
    severity: Severity::Error,
    what: "a variable's declaration means nothing",
    why: "An array says what its entries are (`items`), an object which keys it has (`fields`), a default is of the type that it stands for. \
          `delimiter` is there by itself and is not declared.",
    check: |draft, _| {
        let Some(file) = draft.file() else {
            return Vec::new();
        };
        let mut found: Vec<_> = faults(&file.variables)
            .into_iter()
            .map(|(path, words)| {
                let mut way = vec![Key("variables")];
                for (depth, name) in path.iter().enumerate() {
                    if depth > 0 && name != "items" {
                        way.push(Key("fields"));
                    }
                    way.push(Key(name));
                }
                Found::at(draft, &way, format!("{}: {words}", path.join(".")))
            })
            .collect();
        if file.variables.contains_key(DELIMITER) {
            let way = [Key("variables"), Key(DELIMITER)];
            found.push(Found::at(draft, &way, "`delimiter` is there by itself"));
        }
        found
    },
};
