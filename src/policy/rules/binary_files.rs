//! `binary-files`: a file that nobody can read in a review.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "binary-files",
    what: "a binary file that is new or another one",
    why: "Nobody reads a binary file in a review: it may be a program, and it stays in the history for ever. A file is binary when there is a NUL among its first \
          8,000 bytes, as git has it; what `.gitattributes` says about it does not count, because the change itself may write that. \
          Example: `allow: ['**/*.png', 'docs/**']`, `max_kb: 512` for those that are allowed",
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
mod tests {
    use crate::policy::rules::tests::{Case, check};

    const RULE: &str = "{rule: binary-files, allow: ['**/*.png'], max_kb: 1}";

    #[test]
    fn bytes_decide_and_not_names() {
        check(RULE, Case::default().added("a.txt", "a\0b"), &["a.txt"]);
        check(RULE, Case::default().added("a.exe", "text"), &[]);
        check(RULE, Case::default().changed("a", "text", "\0"), &["a"]);
    }

    #[test]
    fn those_that_are_allowed_have_a_size() {
        check(RULE, Case::default().added("d/a.png", "\0"), &[]);
        check(RULE, Case::default().added("d/a.png", &"\0".repeat(1025)), &["d/a.png"]);
        check(RULE, Case::default().added("d/../a.png", "\0"), &["d/../a.png"]);
    }
}
