//! `allowed-paths`: a file outside the paths that may change.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::paths::oddity;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "allowed-paths",
    what: "a change to a file outside the paths that are allowed",
    why: "Whoever was asked to mend one part has no business in another; for agents it is the fence around a task. Every path of a change counts, also those \
          that it deletes: a file that is moved out has changed where it was. Paths are compared as they are written, so that `SRC/a` is not \
          `src/**`, and a path with `..`, a backslash or characters that nobody sees is never allowed. Example: `allow: [src/**, tests/**]`",
    fix: "take the file out of the change, or ask its owner to make that part",
    keys: &[("allow", Order::Narrows)],
};

/// `allowed-paths`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct AllowedPaths {
    /// Globs of what may change.
    allow: Globs,
}

impl Rule for AllowedPaths {
    fn is_sound(&self) -> Result<(), String> {
        if self.allow.is_empty() {
            return Err("`allow` names no path, so that nothing may change; name some, or deny all with `denied-paths`".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let sources: Vec<&str> = self.allow.sources().collect();
        for change in subject.changes {
            let is_plain = oddity(&change.path, change.is_text).is_none();
            if is_plain && self.allow.exactly(&change.path).is_some() {
                continue;
            }
            breaches.push(Breach::new(
                subject.place(&change.path),
                "the file is outside the paths that may change",
                format!("{} {}", change.status().name(), change.path),
                format!("only {}", sources.join(", ")),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::rules::tests::{Case, check};

    const RULE: &str = "{rule: allowed-paths, allow: ['src/**', README.md]}";

    #[test]
    fn only_what_is_named_may_change() {
        check(RULE, Case::paths(&["src/a.rs", "README.md"]), &[]);
        check(RULE, Case::paths(&["src/a.rs", "build.rs"]), &["build.rs"]);
    }

    #[test]
    fn other_spellings_are_other_files() {
        let odd = ["SRC/a.rs", "src/../build.rs", "src\\..\\b", "src/a\u{200b}.rs"];
        check(RULE, Case::paths(&odd), &odd);
    }

    #[test]
    fn a_file_that_moves_out_is_seen_on_both_ends() {
        check(RULE, Case::default().removed("lib/a.rs").added("src/a.rs", ""), &["lib/a.rs"]);
    }
}
