//! `path-form`: a path that machines take in differently.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::paths::{folded, oddity};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "path-form",
    what: "a path that machines or people take for another one",
    why: "`..`, a backslash, `.git` in any spelling, characters that nobody sees, control characters, names that Windows cuts, bytes that are no UTF-8: each means \
          one file to git and another one, or none, elsewhere, and rules about paths, checkouts and reviews part ways there. Two new paths that differ \
          by their case only are one file on macOS and Windows. That such a file goes away is fine. Example: `src/a\\u{200b}.rs`",
    fix: "give the file a plain name",
    keys: &[("except", Order::Shrinks)],
};

/// `path-form`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PathForm {
    /// Globs of paths that are meant to be odd, as fixtures of tests.
    #[serde(default)]
    except: Globs,
}

impl Rule for PathForm {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for change in subject.changes.iter().filter(|change| change.new.is_some()) {
            let path = change.path.as_str();
            // Deliberately by the path as it is written: it is the odd ones that are meant.
            if self.except.exactly(path).is_some() && !path.split(['/', '\\']).any(|name| name == "..") {
                continue;
            }
            let twin = known.insert(folded(path), path);
            let oddity = oddity(path, change.is_text).map(str::to_owned);
            let is_new = change.old.is_none();
            let oddity = oddity.or_else(|| twin.filter(|_| is_new).map(|twin| format!("is one file with {twin} on some machines")));
            if let Some(oddity) = oddity {
                breaches.push(Breach::new(
                    subject.place(path),
                    "the path means another file elsewhere",
                    format!("{path} {oddity}"),
                    "a path that every machine takes in alike",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::rules::tests::{Case, check};

    const RULE: &str = "{rule: path-form, except: ['fixtures/**']}";

    #[test]
    fn odd_paths_are_named() {
        let bad = ["a/../b", "a\\b", ".GIT/config", "a\u{202e}b", "x.", "a\nb"];
        check(RULE, Case::paths(&bad), &bad);
        check(RULE, Case::default().bytes("gr\u{fffd}n"), &["gr\u{fffd}n"]);
        check(RULE, Case::paths(&["ä/ö.rs", "fixtures/a\\b", ".gitignore", "a b"]), &[]);
        check(RULE, Case::paths(&["fixtures/../x"]), &["fixtures/../x"]);
    }

    #[test]
    fn two_new_names_that_differ_by_case_are_one_file_elsewhere() {
        check(RULE, Case::paths(&["src/A.rs", "src/a.rs"]), &["src/a.rs"]);
        // To give a file another case is fine: the old one goes away.
        check(RULE, Case::default().removed("src/A.rs").added("src/a.rs", ""), &[]);
    }
}
