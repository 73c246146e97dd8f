//! Changes that `path-form` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

const RULE: &str = "{rule: path-form, except: ['fixtures/**']}";

#[test]
fn odd_paths_are_named() {
    let bad = ["a/../b", "a\\b", ".GIT/config", "a\u{202e}b", "x.", "a\nb"];
    check(RULE, Case::paths(&bad), &bad);
    check(RULE, Case::default().bytes("gr\u{fffd}n"), &["gr\u{fffd}n"]);
    check(
        RULE,
        Case::paths(&["ä/ö.rs", "fixtures/a\\b", ".gitignore", "a b"]),
        &[],
    );
    check(RULE, Case::paths(&["fixtures/../x"]), &["fixtures/../x"]);
}

#[test]
fn two_new_names_that_differ_by_case_are_one_file_elsewhere() {
    check(RULE, Case::paths(&["src/A.rs", "src/a.rs"]), &["src/a.rs"]);
    // To give a file another case is fine: the old one goes away.
    check(
        RULE,
        Case::default().removed("src/A.rs").added("src/a.rs", ""),
        &[],
    );
}
