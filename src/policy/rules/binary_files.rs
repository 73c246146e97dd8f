//! `binary-files`: a file that nobody can read in a review.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "binary-files",
    what: "a binary file that is new or another one",
    fix: "keep it outside of the repository (a release, an artifact, LFS), or make it when building",
    keys: &[("allow", Order::Shrinks), ("max_kb", Order::Less)],
};

/// `binary-files`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct BinaryFiles {
    /// Globs of binary files that are fine.
    #[serde(default)]
    allow: Globs,
    /// The most KB (of 1,024 bytes) that one of them may have.
    #[serde(default)]
    max_kb: Option<u32>,
}

impl Rule for BinaryFiles {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        for change in subject.changes.iter().filter(|change| change.new.is_some()) {
            let Some(lines) = subject.lines_of(&change.path).filter(|lines| lines.is_binary) else {
                continue;
            };
            let size = lines.new.map_or(0, <[u8]>::len) as u64;
            let kb = size.div_ceil(1024);
            if !self.allow.excepts(change) {
                breaches.push(Breach::new(
                    subject.place(&change.path),
                    "the file is binary, and nobody can review it",
                    format!("{kb} KB, binary"),
                    "no binary file here",
                ));
            } else if let Some(most) = self.max_kb.map(u64::from).filter(|most| kb > *most) {
                breaches.push(Breach::new(
                    subject.place(&change.path),
                    "the binary file is too large",
                    format!("{kb} KB"),
                    format!("at most {most} KB"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
