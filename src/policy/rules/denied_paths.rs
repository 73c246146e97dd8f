//! `denied-paths`: a file where none may be.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "denied-paths",
    what: "a file where none may be added or changed",
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
mod tests;
