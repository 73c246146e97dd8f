//! Changes that `tests-with-code` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

const RULE: &str = "{rule: tests-with-code, code: ['src/**'], least_lines: 2}";

#[test]
fn code_comes_with_a_test() {
    check(
        RULE,
        Case::default().added("src/a.rs", "a\nb\n"),
        &["(change)"],
    );
    check(
        RULE,
        Case::default()
            .added("src/a.rs", "a\nb\n")
            .added("tests/a.rs", "x\n"),
        &[],
    );
    check(
        RULE,
        Case::default().added("src/a.rs", "a\nb\n  #[test]\n"),
        &[],
    );
    check(
        RULE,
        Case::default()
            .added("src/a.ts", "a\nb\n")
            .added("src/a.test.ts", "x\n"),
        &[],
    );
    check(RULE, Case::default().added("src/a.rs", "a\n"), &[]);
    check(RULE, Case::default().added("docs/a.md", "a\nb\n"), &[]);
}

#[test]
fn a_test_that_goes_away_is_none() {
    check(
        RULE,
        Case::default()
            .added("src/a.rs", "a\nb\n")
            .removed("tests/a.rs"),
        &["(change)"],
    );
    check(RULE, Case::default().removed("src/a.rs"), &[]);
    let own = "{rule: tests-with-code, code: ['src/**'], tests: ['checks/**']}";
    check(
        own,
        Case::default()
            .added("src/a.rs", &"a\n".repeat(10))
            .added("tests/a.rs", "x\n"),
        &["(change)"],
    );
}
