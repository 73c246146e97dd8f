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
mod tests;
