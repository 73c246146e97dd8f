//! `name`: two prompts of one name, or a name that cannot be typed.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "name",
    severity: Severity::Error,
    what: "a name is taken, or is none",
    why: "Prompts are called by name: of two with the same one, nobody could say which is meant. A name has small letters, digits and `-`, and begins \
          with a letter; so does a role.",
    check: |draft, around| {
        let Some(file) = draft.file() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, name) in [("name", &file.name), ("role", &file.role)] {
            if !is_name(name) {
                let words = format!("`{name}` is no {key}: small letters, digits and `-`");
                found.push(Found::at(draft, &[Key(key)], words));
            }
        }
        let first = around.set.find(&file.name);
        if let Some(first) = first.filter(|first| first.name != draft.name) {
            let words = format!("`{}` has the name `{}` too", first.path(), file.name);
            found.push(Found::at(draft, &[Key("name")], words));
        }
        found
    },
};

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
