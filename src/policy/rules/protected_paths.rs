//! `protected-paths`: a file that only some may touch.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::paths::linked;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "protected-paths",
    what: "a change to a protected file, also its removal",
    why: "Ownership, licences, release keys and the like change rarely, and somebody has to look when they do. Every change counts: a file that is deleted or \
          moved away is changed where it was, and one that is moved in is changed where it comes to. Every spelling of a path counts (`.github/codeowners`, \
          `docs/../CODEOWNERS`), as file systems that ignore case take them for the same file; so do a link or submodule in the place of a folder \
          above a protected file, and a link that leads to one. Example: `protect: [CODEOWNERS, 'deploy/**']`",
    fix: "leave the file as it is, or ask its owner for a review",
    keys: &[("protect", Order::Grows), ("except", Order::Shrinks)],
};

/// `protected-paths`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ProtectedPaths {
    /// Globs of what is protected.
    protect: Globs,
    /// Globs of what is not all the same.
    #[serde(default)]
    except: Globs,
}

impl Rule for ProtectedPaths {
    fn is_sound(&self) -> Result<(), String> {
        if self.protect.is_empty() {
            return Err("`protect` names no path".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        for change in subject.changes {
            let target = subject.link_of(change);
            let led_to = target.and_then(|target| linked(&change.path, &target));
            let glob = self.protect.touching(change).filter(|_| !self.except.excepts(change));
            let glob = glob.or_else(|| {
                let to = led_to.as_deref()?;
                self.protect.anyhow(to).or_else(|| self.protect.inside(to))
            });
            if let Some(glob) = glob {
                breaches.push(Breach::new(
                    subject.place(&change.path),
                    "the file is protected",
                    format!("{} {}", change.status().name(), change.path),
                    format!("no change at {glob}"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::rules::tests::{Case, check};

    const RULE: &str = "{rule: protected-paths, protect: [CODEOWNERS, 'deploy/**'], except: ['deploy/notes.md']}";

    #[test]
    fn every_spelling_is_protected() {
        let bad = ["Deploy/a", "codeowners", "x/../CODEOWNERS", "./deploy/b", "deploy\u{200b}/a", "CODEOWNERS."];
        check(RULE, Case::paths(&bad), &bad);
        check(RULE, Case::paths(&["deploy/notes.md", "src/CODEOWNERS", "deployment/a"]), &[]);
    }

    #[test]
    fn a_file_that_is_moved_away_or_in_is_changed() {
        check(RULE, Case::default().removed("deploy/a").added("b", ""), &["deploy/a"]);
        check(RULE, Case::default().removed("b").added("deploy/a", ""), &["deploy/a"]);
    }

    #[test]
    fn what_stands_in_the_place_of_a_folder_or_leads_into_it_counts() {
        check(RULE, Case::default().link("deploy", "elsewhere"), &["deploy"]);
        check(RULE, Case::default().submodule("DEPLOY"), &["DEPLOY"]);
        check(RULE, Case::default().link("docs/x", "../deploy/key"), &["docs/x"]);
        check(RULE, Case::default().link("docs/x", "../deploy"), &["docs/x"]);
        check(RULE, Case::default().link("docs/x", "../src"), &[]);
    }
}
