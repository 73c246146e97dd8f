//! Changes that `protected-paths` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check, check_settings};

const RULE: &str =
    "{rule: protected-paths, protect: [CODEOWNERS, 'deploy/**'], except: ['deploy/notes.md']}";

#[test]
fn every_spelling_is_protected() {
    let bad = [
        "Deploy/a",
        "codeowners",
        "x/../CODEOWNERS",
        "./deploy/b",
        "deploy\u{200b}/a",
        "CODEOWNERS.",
    ];
    check(RULE, Case::paths(&bad), &bad);
    check(
        RULE,
        Case::paths(&["deploy/notes.md", "src/CODEOWNERS", "deployment/a"]),
        &[],
    );
}

#[test]
fn a_file_that_is_moved_away_or_in_is_changed() {
    check(
        RULE,
        Case::default().removed("deploy/a").added("b", ""),
        &["deploy/a"],
    );
    check(
        RULE,
        Case::default().removed("b").added("deploy/a", ""),
        &["deploy/a"],
    );
}

#[test]
fn what_stands_in_the_place_of_a_folder_or_leads_into_it_counts() {
    check(
        RULE,
        Case::default().link("deploy", "elsewhere"),
        &["deploy"],
    );
    check(RULE, Case::default().submodule("DEPLOY"), &["DEPLOY"]);
    check(
        RULE,
        Case::default().link("docs/x", "../deploy/key"),
        &["docs/x"],
    );
    check(
        RULE,
        Case::default().link("docs/x", "../deploy"),
        &["docs/x"],
    );
    check(RULE, Case::default().link("docs/x", "../src"), &[]);
}

#[test]
fn a_list_of_no_path_is_refused() {
    check_settings("protected-paths", "protect: []", Some("`protect` names no path"));
    check_settings("protected-paths", "protect: [a]", None);
}
