//! Changes that `diff-size` is about, and such that it leaves alone.

use crate::policy::Weight;
use crate::policy::rules::tests::{Case, check_settings, check_weights};

const RULE: &str = "{rule: diff-size, max_files: 2, max_lines: 10, max_kb: 1}";

#[track_caller]
fn check(case: Case, expected: &[(&str, Option<Weight>)]) {
    check_weights(RULE, case, expected);
}

fn lines(count: usize) -> String {
    "x\n".repeat(count)
}

#[test]
fn up_to_the_limit_all_is_well_and_up_to_twice_it_warns() {
    check(Case::default().added("a", &lines(10)), &[]);
    check(
        Case::default().added("a", &lines(11)),
        &[("11 lines", Some(Weight::Warn))],
    );
    check(
        Case::default().added("a", &lines(20)),
        &[("20 lines", Some(Weight::Warn))],
    );
    check(
        Case::default().added("a", &lines(21)),
        &[("21 lines", None)],
    );
    check(
        Case::default().changed("a", &lines(21), ""),
        &[("21 lines", None)],
    );
}

#[test]
fn files_and_bytes_count_too() {
    check(
        Case::paths(&["a", "b", "c"]),
        &[("3 files", Some(Weight::Warn))],
    );
    check(
        Case::paths(&["a", "b", "c", "d", "e"]),
        &[("5 files", None)],
    );
    check(
        Case::default().added("a", &"x".repeat(3000)),
        &[("3 KB", None)],
    );
    check(
        Case::default().added("a", &format!("\0{}", "x".repeat(2047))),
        &[("2 KB", Some(Weight::Warn))],
    );
}

#[test]
fn what_is_generated_does_not_count_and_is_said() {
    let case = Case::default()
        .added("web/pnpm-lock.yaml", &lines(100))
        .added("a/__snapshots__/b.snap", &lines(50));
    check(
        case.added("a", &lines(11)),
        &[(
            "11 lines, 2 generated or excluded ones not counted",
            Some(Weight::Warn),
        )],
    );
    let own = "{rule: diff-size, max_lines: 10, exclude: ['big/**']}";
    check_weights(own, Case::default().added("big/a", &lines(99)), &[]);
    check_weights(
        own,
        Case::default().added("Cargo.lock", &lines(99)),
        &[("99 lines", None)],
    );
}

#[test]
fn files_are_generated_by_their_name_ending_or_folder() {
    let rule = "{rule: diff-size, max_files: 1}";
    for path in [
        "go.sum",
        "web/Package-Lock.json",
        "web/app.min.js",
        "a/b.snap",
        "api/x.pb.go",
        "vendor/a.go",
        "a/node_modules/b/c.js",
        "Fixtures/a.txt",
    ] {
        let case = Case::paths(&["src/a", path]);
        check_weights(rule, case, &[]);
    }
    for path in ["go.summary", "web/min.js", "vendor", "a/vendored/b"] {
        let seen = [("2 files", Some(Weight::Warn))];
        check_weights(rule, Case::paths(&["src/a", path]), &seen);
    }
}

#[test]
fn limits_that_say_nothing_or_let_nothing_in_are_refused() {
    for one in ["max_files: 1", "max_lines: 1", "max_kb: 1"] {
        check_settings("diff-size", one, None);
        let zero = one.replace('1', "0");
        check_settings(
            "diff-size",
            &zero,
            Some("a limit of 0 lets no change in; take 1 or more"),
        );
    }
    check_settings(
        "diff-size",
        "exclude: ['a/**']",
        Some("it has no limit: set `max_files`, `max_lines` or `max_kb`"),
    );
}

#[test]
fn the_ends_of_lines_are_counted_too() {
    let rule = "{rule: diff-size, max_kb: 1}";
    check_weights(rule, Case::default().added("a", &lines(512)), &[]);
    let seen = [("2 KB", Some(Weight::Warn))];
    check_weights(rule, Case::default().added("a", &lines(513)), &seen);
}
