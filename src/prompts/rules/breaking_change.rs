//! `breaking-change`: callers of the version before break, and the major version is the same.

use semver::Version;

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;
use crate::prompts::variables::breaks;

pub(super) const RULE: Rule = Rule {
    name: "breaking-change",
    severity: Severity::Error,
    what: "callers break, and the major version is the same (`lint --base`)",
    why: "A variable is gone, is new and must be given, or takes less than before: what called the old version fails. That is a new major version; below \
          1.0.0 a new minor one (semver.org, 4 and 8).",
    check: |draft, around| {
        let Some((new, old)) = around.both(draft) else {
            return Vec::new();
        };
        let (Ok(was), Ok(is)) = (Version::parse(&old.version), Version::parse(&new.version)) else {
            return Vec::new();
        };
        let is_major =
            is.major > was.major || (was.major == 0 && is.major == 0 && is.minor > was.minor);
        if is_major {
            return Vec::new();
        }
        let broken = breaks(&old.variables, &new.variables).into_iter();
        let found = broken.map(|(name, words)| {
            let first = name.split(['.', '[']).next().unwrap_or_default();
            let way = [Key("variables"), Key(first)];
            let words = format!("`{name}` {words}, and {was} is followed by {is}");
            Found::at(draft, &way, words).hint("callers break: give it a new major version")
        });
        found.collect()
    },
};
