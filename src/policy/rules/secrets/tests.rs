//! Changes that `secrets` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, breaches, check, check_settings, check_weights};
use crate::policy::{Target, Weight};

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

#[test]
fn what_only_a_name_calls_secret_weighs_what_the_policy_says() {
    let value = "q8Zt2LrV9xWb";
    let named = Case::default().added("a", &format!("db_password: \"{value}\"\n"));
    // As `printf %s VALUE | sha256sum` has it.
    let seen = "named-secret, 12 characters, sha256 90b97d2d6770b8f5";
    for (setting, expected) in [
        ("", Some(Some(Weight::Warn))),
        (", named: warn", Some(Some(Weight::Warn))),
        (", named: block", Some(None)),
        (", named: ignore", None),
    ] {
        let rule = format!("{{rule: secrets{setting}}}");
        let expected: Vec<_> = expected
            .map(|weight| (seen, weight))
            .into_iter()
            .collect();
        check_weights(&rule, named.clone(), &expected);
        // A token is one by its own form, whatever is said of names.
        let found = breaches(&rule, &Case::default().added("a", &token()));
        assert!(found.len() == 1 && found[0].weight.is_none(), "{rule}");
    }
}

#[test]
fn the_place_is_counted_in_characters_from_one() {
    for before in ["", "key = ", "größe = "] {
        let text = format!("x\n{before}{}\n", token());
        let found = breaches("{rule: secrets}", &Case::default().added("a", &text));
        let Target::Place(place) = &found[0].target else {
            panic!("{found:?}");
        };
        let column = u32::try_from(before.chars().count() + 1).unwrap();
        assert_eq!((place.line, place.column), (Some(2), Some(column)), "{before}");
    }
}

#[test]
fn only_digests_are_allowed_and_what_is_none_is_not_repeated() {
    check_settings("secrets", "allow: ['0123456789ABCDEF']", None);
    let words = "`allow` wants the first 16 digits of a SHA-256, as a violation shows them, and never the secret";
    for secret in ["0123456789abcde", "0123456789abcdef0", "0123456789abcdeg"] {
        let settings = format!("allow: ['0123456789abcdef', '{secret}']");
        check_settings("secrets", &settings, Some(words));
    }
}
