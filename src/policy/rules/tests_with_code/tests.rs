//! Changes that `tests-with-code` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check, check_settings};

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

#[test]
fn files_are_tests_by_the_names_that_runners_look_for() {
    for test in [
        "test/a.rb",
        "src/tests/a.rs",
        "web/__tests__/a.js",
        "spec/a.rb",
        "E2E/a.ts",
        "src/a.test.ts",
        "src/a.spec.js",
        "src/test_a.py",
        "src/a_test.go",
        "src/a_spec.rb",
        "src/ATests.cs",
        "src/ATest.java",
    ] {
        let case = Case::default().added("src/a.rs", "a\nb\n").added(test, "x\n");
        check(RULE, case, &[]);
    }
    for code in [
        "src/contest.rs",
        "src/testing/a.rs",
        "src/latest.java.rs",
        "src/attest.go",
        "src/Test.java",
        "src/specs.rs",
        "src/a.testing.ts",
    ] {
        let case = Case::default().added(code, "a\nb\n");
        check(RULE, case, &["(change)"]);
    }
}

#[test]
fn a_change_without_code_needs_no_test() {
    let rule = "{rule: tests-with-code, code: ['src/**'], least_lines: 0}";
    check(rule, Case::default().added("docs/a.md", "a\n"), &[]);
    check(rule, Case::default().added("src/a.rs", "a\n"), &["(change)"]);
}

#[test]
fn a_list_of_no_path_is_refused() {
    check_settings("tests-with-code", "code: []", Some("`code` names no path"));
    check_settings("tests-with-code", "code: [a]", None);
}
