//! Failed assertions: what was expected, and what was found.

use super::text::Text;

/// What says that an assertion failed.
pub(super) const MARKS: &[&str] = &[
    "AssertionError",
    "AssertionFailedError",
    "AssertionFailedException",
    "AssertionException",
    "ExpectationFailedException",
    "ExpectationNotMetError",
    "ComparisonFailure",
    "MultipleFailuresError",
    "XunitException",
    "Xunit.Sdk",
    "assertion failed",
    "assertion `",
    "assertion failure",
    "|assert |",
    "assert.",
    "expected [",
    "expected <",
    "expected:",
    "expected actual",
    "expecting ",
    "but found",
    "but was",
    "not equal",
    "expect(",
    "to equal ",
    "to be ",
    "to have ",
    "should be ",
    "should equal",
    "should have",
];

/// How values stand in the texts of common libraries: what opens the expected one, what lies between, what closes the found one.
const FORMS: &[(&str, &str, &str)] = &[
    ("expected [", "] but found [", "]"), // TestNG
    ("expected:<", "> but was:<", ">"),   // JUnit 4
    ("expected: <", "> but was: <", ">"), // JUnit 5
    ("expected: ", " but was: ", "\n"),   // AssertJ, Hamcrest on one line
    ("expected: ", "but was: ", "\n"),    // AssertJ, Hamcrest, NUnit
    ("expected: ", "received: ", "\n"),   // Jest
    ("expected: ", "actual  : ", "\n"),   // testify
    ("expected: ", "actual: ", "\n"),     // xUnit.net
    ("expected: ", "got: ", "\n"),        // RSpec
    ("left: ", "right: ", "\n"),          // Rust
    ("assert ", " == ", "\n"),            // pytest
    ("assertionerror: ", " != ", "\n"),   // unittest
];

/// Returns the expected value and the one that was found.
pub(super) fn values<'t>(text: &'t Text<'_>) -> Option<(&'t str, &'t str)> {
    let whole: &'t str = text.whole.as_ref();
    // As long as the text, byte for byte.
    let lower = whole.to_ascii_lowercase();
    for (open, between, close) in FORMS {
        let Some(start) = lower.find(open).map(|at| at + open.len()) else {
            continue;
        };
        let Some(middle) = lower.get(start..).and_then(|rest| rest.find(between)) else {
            continue;
        };
        let found = start + middle + between.len();
        let rest = lower.get(found..).unwrap_or_default();
        let end = found + rest.find(close).unwrap_or(rest.len());
        let (expected, found) = (whole.get(start..start + middle)?, whole.get(found..end)?);
        let clean = |value: &'t str| value.trim().trim_matches(['"', '\'', '`', '<', '>']);
        return Some((clean(expected), clean(found)));
    }
    None
}
