//! Names of the pages of repositories: safe on every file system, and each there once.

use std::collections::BTreeSet;

use crate::sha::Sha;

/// No name of a page is longer, in bytes.
const LONGEST: usize = 80;

/// So many digits of a digest tell names apart that are otherwise the same.
const DIGITS: usize = 8;

/// Names that were given.
pub(crate) struct Stems {
    week: String,
    /// In small letters: some file systems know no others.
    given: BTreeSet<String>,
}

impl Stems {
    pub(crate) fn new(week: &str) -> Self {
        Self {
            week: week.to_owned(),
            given: BTreeSet::new(),
        }
    }

    /// Names the page of a repository, without an ending. The week stands first, so that pages of other weeks stay as they are.
    pub(crate) fn give(&mut self, repository: &str) -> String {
        let plain = plain(repository);
        let mut stem = format!("{}-{plain}", self.week);
        for number in 0_u32.. {
            if self.given.insert(stem.to_lowercase()) {
                break;
            }
            let digest = Sha::of(format!("{repository}\0{number}").as_bytes()).to_string();
            let digits = digest.get(..DIGITS).unwrap_or_default();
            stem = format!("{}-{plain}-{digits}", self.week);
        }
        stem
    }
}

/// Returns what of a name is plain: letters, digits, points and lines, one hyphen for anything else.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' || (c == '.' && !plain.ends_with('.')) {
            plain.push(c);
        } else if !plain.ends_with('-') {
            plain.push('-');
        }
        if plain.len() >= LONGEST {
            break;
        }
    }
    let plain = plain.trim_matches(['-', '.']);
    if plain.is_empty() {
        "repository".to_owned()
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_system_would_misread_is_left_out() {
        for (name, stem) in [
            ("acme/payments-api", "2026-W47-acme-payments-api"),
            ("../../etc/passwd", "2026-W47-etc-passwd"),
            ("a\\b:c*?\"<>|\u{202e}é", "2026-W47-a-b-c"),
            ("..", "2026-W47-repository"),
            ("", "2026-W47-repository"),
            ("o/n.js", "2026-W47-o-n.js"),
        ] {
            assert_eq!(Stems::new("2026-W47").give(name), stem, "{name}");
        }
        let long = Stems::new("2026-W47").give(&"x".repeat(500));
        assert!(long.len() <= LONGEST + 9, "{long}");
    }

    #[test]
    fn each_name_is_there_once_whatever_the_file_system() {
        let mut stems = Stems::new("2026-W47");
        let names = [
            "acme/web-app",
            "acme-web/app",
            "ACME/web-app",
            "acme/web/app",
            "acme/web-app",
        ];
        let given: BTreeSet<String> = names
            .iter()
            .map(|name| stems.give(name).to_lowercase())
            .collect();
        assert_eq!(given.len(), names.len(), "{given:?}");
        // A name is the same whoever else is in the list, as long as nobody else has it.
        assert_eq!(
            Stems::new("2026-W47").give("acme/web-app"),
            "2026-W47-acme-web-app"
        );
    }
}
