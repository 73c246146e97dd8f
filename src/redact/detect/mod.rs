//! Secrets in lines that a change adds: which rule finds one, and where. Where [`super::Redactor`] takes out whatever may be one, this names
//! what is one: a false alarm stops somebody's work.
//!
//! A line is read once for the beginnings of all shapes; expressions are compiled when their beginning was seen, and look at that line alone.

mod contexts;
mod tokens;

#[cfg(test)]
#[path = "../../../tests/secrets/gitleaks.rs"]
mod gitleaks;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::sha::Sha;

/// What makes a match of a shape a secret.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Check {
    /// Nothing more.
    AsItStands,
    /// Entropy (Shannon, over bytes) of at least so many bits a byte, and no run of letters or digits in order.
    Varied(f64),
    /// The same at three bits, and no key of AWS's own documentation.
    NoExample,
    /// The same at four, and none of the keys that Google publishes.
    Google,
    /// The same at three and a half, with digits among the letters.
    Mixed,
    Url,
    CurlUser,
    Header,
    HeaderKey,
    Named,
}

/// A secret's shape. Group `secret` is the secret where it is not all that matches.
#[derive(Debug)]
struct Shape {
    name: &'static str,
    /// Every match has one of these in it; between spaces.
    needs: &'static str,
    pattern: &'static str,
    check: Check,
}

const fn shape(
    name: &'static str,
    needs: &'static str,
    pattern: &'static str,
    check: Check,
) -> Shape {
    Shape {
        name,
        needs,
        pattern,
        check,
    }
}

/// Keys that Google publishes in the samples of firebase-android-sdk, as the first half of their SHA-256.
const PUBLISHED: [&str; 14] = [
    "2037abcaffb2b777",
    "27a9a42931dff7eb",
    "37f8f09bdf12c2f2",
    "3a8b61d0f636b007",
    "3f370c9dd8225c63",
    "49f777db995e8260",
    "4c98242dcadc8b29",
    "8731261cb72d8626",
    "a19f89ab3555eac1",
    "a6c814bc555ae62c",
    "dc0fcf046c61640c",
    "e4a5542bb7fd7b67",
    "ea9bb1082cf95663",
    "eb540d2b6ee2a0a4",
];

/// What nobody draws at random.
const IN_ORDER: [&str; 6] = [
    "abcdefghij",
    "ABCDEFGHIJ",
    "0123456789",
    "1234567890",
    "qwertyuiop",
    "QWERTYUIOP",
];

/// Around a beginning in a line longer than this, so many bytes before it and eight times as many after it are looked at.
const NEAR: usize = 512;

/// A secret that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Secret {
    /// Where it stands in the line, in bytes.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What it is, such as `github-token`.
    pub(crate) rule: &'static str,
    /// Whether only the name of what holds it says so.
    pub(crate) is_named_only: bool,
}

/// Looks for secrets.
#[derive(Debug)]
pub(crate) struct Detector {
    beginnings: AhoCorasick,
    words: AhoCorasick,
    /// Which shape each beginning and each word is of.
    of_beginning: Vec<usize>,
    of_word: Vec<usize>,
    shapes: Vec<&'static Shape>,
    expressions: Vec<OnceLock<Regex>>,
}

impl Detector {
    pub(crate) fn new() -> Self {
        let exact = tokens::TOKENS.iter().chain(contexts::CONTEXTS);
        let shapes: Vec<&'static Shape> = exact.chain(contexts::NAMED).collect();
        let named_from = shapes.len() - contexts::NAMED.len();
        let mut needs = Vec::new();
        let mut words = Vec::new();
        for (at, shape) in shapes.iter().enumerate() {
            let into = if at < named_from {
                &mut needs
            } else {
                &mut words
            };
            into.extend(shape.needs.split(' ').map(|need| (need, at)));
        }
        let build = |all: &[(&str, usize)], ignore_case: bool| {
            AhoCorasick::builder()
                .ascii_case_insensitive(ignore_case)
                .build(all.iter().map(|(need, _)| need))
                .expect("the words are constants, and a test builds them")
        };
        Self {
            beginnings: build(&needs, false),
            words: build(&words, true),
            of_beginning: needs.iter().map(|(_, at)| *at).collect(),
            of_word: words.iter().map(|(_, at)| *at).collect(),
            expressions: shapes.iter().map(|_| OnceLock::new()).collect(),
            shapes,
        }
    }

    /// Returns the secrets of a line, first to last; what two rules find is one, by the exacter.
    pub(crate) fn line(&self, line: &[u8]) -> Vec<Secret> {
        let mut found = Vec::new();
        self.look(line, &self.beginnings, &self.of_beginning, &mut found);
        if found.is_empty() {
            self.look(line, &self.words, &self.of_word, &mut found);
        }
        found.sort_unstable();
        let mut end = 0;
        found.retain(|secret| {
            let is_new = secret.start >= end;
            end = end.max(secret.end);
            is_new
        });
        found
    }

    fn look(&self, line: &[u8], needs: &AhoCorasick, of: &[usize], found: &mut Vec<Secret>) {
        // Up to where each shape has looked, for the few that have.
        let mut looked: Vec<(usize, usize)> = Vec::new();
        for hit in needs.find_overlapping_iter(line) {
            let Some(at) = of.get(hit.pattern().as_usize()).copied() else {
                continue;
            };
            let (mut from, mut to) = (0, line.len());
            if line.len() > NEAR * 10 {
                from = hit.start().saturating_sub(NEAR);
                to = to.min(hit.end() + NEAR * 8);
            }
            match looked.iter_mut().find(|(shape, _)| *shape == at) {
                Some((_, until)) if hit.start() < *until => continue,
                Some((_, until)) => *until = to,
                None => looked.push((at, to)),
            }
            if let Some(part) = line.get(from..to) {
                self.apply(at, part, from, found);
            }
        }
    }

    fn apply(&self, at: usize, part: &[u8], offset: usize, found: &mut Vec<Secret>) {
        let (Some(shape), Some(expression)) = (self.shapes.get(at), self.expressions.get(at))
        else {
            return;
        };
        let expression = expression.get_or_init(|| compile(shape));
        if !expression.is_match(part) {
            return;
        }
        for captures in expression.captures_iter(part) {
            let whole = captures.get_match();
            let groups = ["secret", "single", "tick"];
            let named = groups.iter().find_map(|name| captures.name(name));
            let secret = named.unwrap_or(whole);
            if shape.check.holds(&captures, secret.as_bytes()) {
                found.push(Secret {
                    start: offset + secret.start(),
                    end: offset + secret.end(),
                    rule: shape.name,
                    is_named_only: shape.check == Check::Named,
                });
            }
        }
    }
}

fn compile(shape: &Shape) -> Regex {
    RegexBuilder::new(shape.pattern)
        .unicode(false)
        .build()
        .expect("the rules are constants, and a test compiles them")
}

impl Check {
    fn holds(self, captures: &Captures<'_>, secret: &[u8]) -> bool {
        match self {
            Self::AsItStands => true,
            Self::Varied(least) => is_varied(secret, least),
            Self::NoExample => is_varied(secret, 3.0) && !secret.ends_with(b"EXAMPLE"),
            Self::Google => is_varied(secret, 4.0) && !is_published(secret),
            Self::Mixed => {
                let digits = secret.iter().filter(|byte| byte.is_ascii_digit()).count();
                digits >= 2 && is_varied(secret, 3.5)
            }
            Self::Url => contexts::is_url_password(captures),
            Self::CurlUser => contexts::is_curl_user(captures),
            Self::Header => contexts::is_authorization(captures),
            Self::HeaderKey => contexts::is_key_header(captures),
            Self::Named => contexts::is_named(captures),
        }
    }
}

fn is_published(key: &[u8]) -> bool {
    let digest = Sha::of(key).to_string();
    PUBLISHED.iter().any(|known| digest.starts_with(known))
}

fn is_varied(secret: &[u8], least: f64) -> bool {
    let has = |part: &str| memchr::memmem::find(secret, part.as_bytes()).is_some();
    entropy(secret) >= least && !IN_ORDER.iter().any(|run| has(run))
}

/// Returns the entropy of a byte drawn from a text, in bits (C. E. Shannon, "A Mathematical Theory of Communication", 1948, section 6).
fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let all: u32 = counts.iter().sum();
    let shares = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / f64::from(all));
    shares.map(|share| -share * share.log2()).sum()
}
