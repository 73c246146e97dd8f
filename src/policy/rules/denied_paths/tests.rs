//! Changes that `denied-paths` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check, check_settings};

const RULE: &str = "{rule: denied-paths, deny: ['**/.env', 'dist/**'], except: ['tests/**']}";

#[test]
fn every_spelling_is_denied() {
    let bad = ["a/.ENV", "dist/a.js", "x/../.env"];
    check(RULE, Case::paths(&bad), &bad);
    check(
        RULE,
        Case::paths(&["a/.envrc", "tests/.env", "src/dist/a"]),
        &[],
    );
    // An exception is for the path as it is written.
    check(RULE, Case::paths(&["tests/../.env"]), &["tests/../.env"]);
}

#[test]
fn what_goes_away_is_fine_and_a_link_in_its_place_is_not() {
    check(RULE, Case::default().removed("a/.env"), &[]);
    check(RULE, Case::default().link("dist", "src"), &["dist"]);
}

#[test]
fn a_list_of_no_path_is_refused() {
    check_settings("denied-paths", "deny: []", Some("`deny` names no path"));
    check_settings("denied-paths", "deny: [a]", None);
}
