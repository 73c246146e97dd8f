//! `version`: a version that is no semantic one.

use semver::Version;

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "version",
    severity: Severity::Error,
    what: "a version is not semantic",
    why: "Runs are recorded with the version of each prompt, and what changed is told by comparing versions: `MAJOR.MINOR.PATCH` (semver.org, 2.0.0).",
    check: |draft, _| {
        let Some(file) = draft.file() else {
            return Vec::new();
        };
        match Version::parse(&file.version) {
            Ok(_) => Vec::new(),
            Err(error) => {
                let words = format!("`{}` is no semantic version: {error}", file.version);
                vec![Found::at(draft, &[Key("version")], words).hint("write it as `1.0.0`")]
            }
        }
    },
};
