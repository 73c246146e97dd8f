//! `randomness`: the outcome hangs on a random draw, the order of a hash table, or a rounding.
//!
//! Luo's randomness, unordered collections and floating point; Eck's too restrictive range.

use std::ops::Range;

use super::{Class, Failure, Rules, assertion, text};
use crate::order;

pub(super) const RULES: Rules = Rules {
    class: Class::Randomness,
    words: &[
        "falsifying example",
        "falsified after",
        "property failed after",
        "minimal failing input",
        "|random seed",
        "randomized with seed",
        "tests.seed=",
        "|seed=",
        "|seed: ",
    ],
    names: &[],
    named,
    refuses: super::never,
    weak,
};

/// The same members in another order, or two numbers that only a rounding keeps apart.
fn named(failure: &Failure<'_>, exception: usize) -> Option<Range<usize>> {
    let (expected, found) = assertion::values(&failure.text)?;
    if expected == found || !(is_reordered(expected, found) || is_rounded(expected, found)) {
        return None;
    }
    // The values are of the whole text; they stand in the first message.
    let start = failure.text.whole.find(expected)?;
    let line = failure.text.lines.get(failure.text.line_at(start))?;
    (line.exception == exception).then(|| start..start + expected.len())
}

fn is_reordered(expected: &str, found: &str) -> bool {
    let is_many = |value: &str| value.contains(',') && value.len() <= 2000;
    let members = |value: &str| {
        let members = value.split(|c: char| "[]{}(), \n".contains(c));
        let mut members: Vec<String> = members
            .filter(|member| !member.is_empty())
            .map(str::to_owned)
            .collect();
        order::sort(&mut members);
        members
    };
    // Lists have an order of their own; only what says that it is a set or map has none.
    let is_unordered = |value: &str| value.trim_start().starts_with('{');
    is_many(expected)
        && is_many(found)
        && is_unordered(expected)
        && members(expected) == members(found)
}

fn is_rounded(expected: &str, found: &str) -> bool {
    let number = |value: &str| {
        value
            .contains('.')
            .then(|| value.parse::<f64>().ok())
            .flatten()
    };
    let (Some(expected), Some(found)) = (
        number(expected).or_else(|| expected.parse().ok()),
        number(found),
    ) else {
        return false;
    };
    let most = expected.abs().max(found.abs());
    most > 0.0 && (expected - found).abs() <= most * 1e-6
}

/// An assertion about a share, a spread, a hit rate or a distribution.
fn weak(failure: &Failure<'_>) -> bool {
    const ABOUT: [&str; 8] = [
        "share",
        "distribution",
        "spread",
        "skew",
        "probability",
        "random",
        "randomness",
        "evenly",
    ];
    let is_about = |words: &[String]| {
        words.iter().any(|word| ABOUT.contains(&word.as_str()))
            || words
                .windows(2)
                .any(|pair| matches!(pair, [first, second] if first == "hit" && second == "rate"))
    };
    let mut frames = failure.text.frames(0).take(6);
    is_about(&text::words_of(failure.test.name))
        || frames.any(|frame| is_about(&text::words_of(frame.method)))
        || failure.text.words(0).take(4).any(|line| {
            let line = line.to_ascii_lowercase();
            [
                "hit rate",
                "distribution",
                "probability",
                "standard deviation",
            ]
            .iter()
            .any(|mark| line.contains(mark))
        })
}
