//! Changes that `secrets` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

const RULE: &str = "{rule: secrets, except: ['testdata/**']}";

/// Puts a token together at run time, so that no scanner takes this file for a leak.
fn token() -> String {
    format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhI")
}

#[test]
fn a_secret_in_a_new_line_is_named_with_its_place() {
    let text = format!("a\nkey = {}\n", token());
    check(
        RULE,
        Case::default().added("src/a.rs", &text),
        &["src/a.rs"],
    );
    check(RULE, Case::default().changed("a", "x\n", &text), &["a"]);
    check(RULE, Case::default().changed("a", &text, "x\n"), &[]);
    check(
        RULE,
        Case::default().changed("a", &text, &format!("{text}more\n")),
        &[],
    );
    check(RULE, Case::default().added("testdata/a", &text), &[]);
}

#[test]
fn one_that_is_allowed_is_allowed_by_its_digest() {
    use crate::sha::Sha;
    let digest = &Sha::of(token().as_bytes()).to_string()[..16];
    let rule = format!("{{rule: secrets, allow: [{digest}]}}");
    let case = Case::default().added("a", &format!("{}\n", token()));
    check(&rule, case, &[]);
}
