//! Changes that `file-modes` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

const RULE: &str = "{rule: file-modes, executable: ['scripts/**']}";

#[test]
fn what_becomes_a_program_is_named() {
    check(RULE, Case::default().program("a.sh"), &["a.sh"]);
    check(RULE, Case::default().program("scripts/a.sh"), &[]);
    check(
        RULE,
        Case::default().program("scripts/../a.sh"),
        &["scripts/../a.sh"],
    );
    check(RULE, Case::default().added("a.sh", "#!/bin/sh\n"), &[]);
}

#[test]
fn links_that_lead_out_are_named() {
    for target in ["/etc/passwd", "../../x", "C:\\x", "..", "x/../../../y"] {
        check(RULE, Case::default().link("a/b", target), &["a/b"]);
    }
    for target in ["c", "../c", "./d/e"] {
        check(RULE, Case::default().link("a/b", target), &[]);
        check(
            "{rule: file-modes, links: deny}",
            Case::default().link("a/b", target),
            &["a/b"],
        );
    }
    check(RULE, Case::default().link("a/b", "b"), &["a/b"]);
    check(
        "{rule: file-modes, links: allow}",
        Case::default().link("a/b", "/x"),
        &[],
    );
}

#[test]
fn submodules_and_other_kinds_are_named() {
    check(RULE, Case::default().submodule("lib"), &["lib"]);
    check(
        "{rule: file-modes, submodules: allow}",
        Case::default().submodule("lib"),
        &[],
    );
    check(RULE, Case::default().link_to_file("a"), &["a"]);
    check(RULE, Case::default().removed("a"), &[]);
}
