//! `denied-paths`: a file where none may be.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "denied-paths",
    what: "a file where none may be added or changed",
    why: "Some files are never meant to be in a repository: keys, dumps, what a build makes. That such a file goes away is fine. Every spelling of a path \
          counts (`.ENV`, `config/../.env`), and so does a link or submodule in the place of a folder that a glob is about. \
          Example: `deny: ['**/.env', '**/*.pem']`, `except: ['tests/**']`",
    fix: "take the file out of the change",
    keys: &[("deny", Order::Grows), ("except", Order::Shrinks)],
};

/// `denied-paths`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DeniedPaths {
    /// Globs of what may not be there.
    deny: Globs,
    /// Globs of what may be there all the same.
    #[serde(default)]
    except: Globs,
}

impl Rule for DeniedPaths {
    fn is_sound(&self) -> Result<(), String> {
        if self.deny.is_empty() {
            return Err("`deny` names no path".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        for change in subject.changes.iter().filter(|change| change.new.is_some()) {
            let Some(glob) = self.deny.touching(change) else {
                continue;
            };
            if self.except.excepts(change) {
                continue;
            }
            breaches.push(Breach::new(
                subject.place(&change.path),
                "no such file may be in the repository",
                format!("{} {}", change.status().name(), change.path),
                format!("nothing at {glob}"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::rules::tests::{Case, check};

    const RULE: &str = "{rule: denied-paths, deny: ['**/.env', 'dist/**'], except: ['tests/**']}";

    #[test]
    fn every_spelling_is_denied() {
        let bad = ["a/.ENV", "dist/a.js", "x/../.env"];
        check(RULE, Case::paths(&bad), &bad);
        check(RULE, Case::paths(&["a/.envrc", "tests/.env", "src/dist/a"]), &[]);
        // An exception is for the path as it is written.
        check(RULE, Case::paths(&["tests/../.env"]), &["tests/../.env"]);
    }

    #[test]
    fn what_goes_away_is_fine_and_a_link_in_its_place_is_not() {
        check(RULE, Case::default().removed("a/.env"), &[]);
        check(RULE, Case::default().link("dist", "src"), &["dist"]);
    }
}
