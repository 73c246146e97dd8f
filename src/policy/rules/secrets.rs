//! `secrets`: a key, token or password in a line that the change adds.

use serde::Deserialize;

use super::{About, Order};
use crate::sha::Sha;
use crate::finding::Location;
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::words::Words;
use crate::policy::{Breach, Rule, Target, Weight};
use crate::redact::detect::{Detector, Secret};

pub(super) const ABOUT: About = About {
    name: "secrets",
    what: "a key, token or password in a line that the change adds",
    fix: "change the secret where it was issued, because it is known now; then take it out of every commit of the change",
    keys: &[
        ("except", Order::Shrinks),
        ("allow", Order::Shrinks),
        ("named", Order::Words(&["ignore", "warn", "block"], "warn")),
    ],
};

/// How many digits of a digest name a secret.
const DIGITS: usize = 16;

/// More of them in one file are counted, and not named one by one.
const MOST: usize = 50;

/// What follows from a value that only its name calls secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Named {
    /// Nothing.
    Ignore,
    /// It is said.
    #[default]
    Warn,
    /// The same as from every other.
    Block,
}

/// `secrets`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Secrets {
    /// Globs of files that may have some, such as those of tests.
    #[serde(default)]
    except: Globs,
    /// Secrets that are none: the first 16 hexadecimal digits of their SHA-256, as a violation shows them.
    #[serde(default)]
    allow: Vec<Words>,
    /// What follows from a value that only its name calls secret: `ignore`, `warn` or `block`; `warn` unless set.
    #[serde(default)]
    named: Named,
}

impl Secrets {
    /// Says what one is, without it.
    fn breach(&self, path: &str, number: u32, line: &[u8], secret: Secret) -> Option<Breach> {
        if secret.is_named_only && self.named == Named::Ignore {
            return None;
        }
        let text = line.get(secret.start..secret.end)?;
        let mut digest = Sha::of(text).to_string();
        digest.truncate(DIGITS);
        if self.allow.iter().any(|known| known.0.eq_ignore_ascii_case(&digest)) {
            return None;
        }
        let line_before = line.get(..secret.start).unwrap_or_default();
        let column = String::from_utf8_lossy(line_before).chars().count() + 1;
        let target = Target::Place(Location {
            path: path.to_owned(),
            line: Some(number),
            column: u32::try_from(column).ok(),
        });
        let message = format!("the line has a secret ({})", secret.rule);
        let observed = format!("{}, {} characters, sha256 {digest}", secret.rule, text.len());
        let breach = Breach::new(target, message, observed, "no secret");
        let warns = secret.is_named_only && self.named == Named::Warn;
        Some(breach.weight(warns.then_some(Weight::Warn)))
    }
}

impl Rule for Secrets {
    fn is_sound(&self) -> Result<(), String> {
        let is_digest = |word: &&Words| word.0.len() == DIGITS && word.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.allow.iter().find(|word| !is_digest(word)) {
            // What it is may be the secret itself, and is not repeated.
            Some(_) => Err(format!("`allow` wants the first {DIGITS} digits of a SHA-256, as a violation shows them, and never the secret")),
            None => Ok(()),
        }
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let detector = Detector::new();
        for change in subject.changes.iter().filter(|change| !self.except.excepts(change)) {
            let Some(file) = subject.lines_of(&change.path).filter(|file| !file.is_binary) else {
                continue;
            };
            let lines = file.added.iter().flat_map(|line| {
                let found = detector.line(line.text);
                found.into_iter().filter_map(|secret| self.breach(&change.path, line.number, line.text, secret))
            });
            breaches.extend(lines.take(MOST));
        }
    }
}

#[cfg(test)]
mod tests;
