//! `version-lower`: a version went down.

use semver::Version;

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "version-lower",
    severity: Severity::Error,
    what: "a prompt's version went down (`lint --base`)",
    why: "A version that was used stands for the text that it had. To go back to an older text, give it the next version.",
    check: |draft, around| {
        let Some((new, old)) = around.both(draft) else {
            return Vec::new();
        };
        match (Version::parse(&old.version), Version::parse(&new.version)) {
            (Ok(was), Ok(is)) if is < was => {
                let words = format!("the version was {was} and is {is}");
                vec![Found::at(draft, &[Key("version")], words)]
            }
            _ => Vec::new(),
        }
    },
};
