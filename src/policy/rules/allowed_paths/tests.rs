//! Changes that `allowed-paths` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check, check_settings};

const RULE: &str = "{rule: allowed-paths, allow: ['src/**', README.md]}";

#[test]
fn only_what_is_named_may_change() {
    check(RULE, Case::paths(&["src/a.rs", "README.md"]), &[]);
    check(RULE, Case::paths(&["src/a.rs", "build.rs"]), &["build.rs"]);
}

#[test]
fn other_spellings_are_other_files() {
    let odd = [
        "SRC/a.rs",
        "src/../build.rs",
        "src\\..\\b",
        "src/a\u{200b}.rs",
    ];
    check(RULE, Case::paths(&odd), &odd);
}

#[test]
fn a_file_that_moves_out_is_seen_on_both_ends() {
    check(
        RULE,
        Case::default().removed("lib/a.rs").added("src/a.rs", ""),
        &["lib/a.rs"],
    );
}

#[test]
fn a_list_that_would_let_nothing_change_is_refused() {
    let expected = "`allow` names no path, so that nothing may change; name some, or deny all with `denied-paths`";
    check_settings("allowed-paths", "allow: []", Some(expected));
}
