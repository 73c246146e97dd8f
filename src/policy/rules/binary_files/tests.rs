//! Changes that `binary-files` is about, and such that it leaves alone.

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
    check(
        RULE,
        Case::default().added("d/a.png", &"\0".repeat(1025)),
        &["d/a.png"],
    );
    check(
        RULE,
        Case::default().added("d/../a.png", "\0"),
        &["d/../a.png"],
    );
}
