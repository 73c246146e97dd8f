//! `file-modes`: a file that becomes a program, a link, a submodule.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use super::{About, Order};
use crate::change::{Change, Entry, Kind, Status};
use crate::policy::globs::Globs;
use crate::policy::paths::linked;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "file-modes",
    what: "a file that becomes a program, a link that leads out, a submodule that moves",
    fix: "give the file its usual mode: git update-index --chmod=-x PATH",
    keys: &[
        ("executable", Order::Shrinks),
        ("links", Order::Words(&["allow", "inside", "deny"], "inside")),
        ("submodules", Order::Words(&["allow", "deny"], "deny")),
    ],
};

/// `file-modes`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FileModes {
    /// Globs of files that may become programs; none unless set.
    #[serde(default)]
    executable: Globs,
    /// What links may be new or changed: `inside` (those that lead to a place inside the repository), unless set, `allow` or `deny`.
    #[serde(default)]
    links: Links,
    /// Whether submodules may be new or at another commit: `deny`, unless set, or `allow`.
    #[serde(default)]
    submodules: Submodules,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum Links {
    Allow,
    #[default]
    Inside,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum Submodules {
    Allow,
    #[default]
    Deny,
}

impl FileModes {
    /// Returns what is wrong: what was seen, and the limit.
    fn trouble(&self, change: &Change, new: &Entry, subject: &Subject<'_>) -> Option<(String, &'static str)> {
        match new.kind() {
            Kind::Submodule => {
                let at = new.object.get(..9).unwrap_or(&new.object);
                (self.submodules == Submodules::Deny).then(|| (format!("a submodule at {at}"), "no submodule that is new or moves"))
            }
            Kind::Link => match self.links {
                Links::Allow => None,
                Links::Deny => Some(("a link".to_owned(), "no link")),
                Links::Inside => {
                    let Some(target) = subject.link_of(change) else {
                        return Some(("a link to nobody knows where".to_owned(), "links inside the repository"));
                    };
                    let leads_to = linked(&change.path, &target);
                    let is_inside = leads_to.is_some_and(|to| !to.is_empty() && to != change.path && !change.path.starts_with(&format!("{to}/")));
                    (!is_inside).then(|| (format!("a link to {target}"), "links inside the repository"))
                }
            },
            Kind::File if change.status() == Status::TypeChanged => Some(("a file where a link or submodule was".to_owned(), "no other kind of thing")),
            Kind::File => {
                let was = change.old.as_ref().is_some_and(Entry::is_executable);
                let is_new = new.is_executable() && !was && !self.executable.excepts(change);
                is_new.then(|| ("a file that may be run".to_owned(), "no program here"))
            }
        }
    }
}

impl Rule for FileModes {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        for change in subject.changes {
            let Some(new) = &change.new else {
                continue;
            };
            if let Some((observed, limit)) = self.trouble(change, new, subject) {
                breaches.push(Breach::new(subject.place(&change.path), "the file's mode says more than its lines", observed, limit));
            }
        }
    }
}

#[cfg(test)]
mod tests;
