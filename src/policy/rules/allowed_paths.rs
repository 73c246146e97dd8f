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
mod tests;
