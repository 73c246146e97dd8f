//! Changes that `data-labels` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, breaches, check, check_settings};

const RULE: &str = "{rule: data-labels, paths: ['src/customers/**'], any_of: ['data:eu'], none_of: ['data:export']}";

#[test]
fn code_of_labelled_data_needs_its_label() {
    check(
        RULE,
        Case::paths(&["src/customers/a"]),
        &["src/customers/a"],
    );
    check(
        RULE,
        Case::paths(&["SRC/Customers/a"]),
        &["SRC/Customers/a"],
    );
    check(RULE, Case::paths(&["src/a"]), &[]);
    let labelled = |label: &str| {
        Case::paths(&["src/customers/a"]).asked(|asked| asked.labels = vec![label.to_owned()])
    };
    check(RULE, labelled("Data:EU"), &[]);
    check(
        RULE,
        labelled("data:export"),
        &["src/customers/a", "(label)"],
    );
}

#[test]
fn labels_of_either_kind_have_to_be_named() {
    check_settings("data-labels", "any_of: [a]", None);
    check_settings("data-labels", "none_of: [a]", None);
    check_settings(
        "data-labels",
        "paths: ['src/**']",
        Some("it asks for nothing: set `any_of` or `none_of`"),
    );
}

#[test]
fn the_labels_that_may_be_there_are_named() {
    let rule = "{rule: data-labels, any_of: ['data:eu', 'data:us'], none_of: ['data:out', 'data:export']}";
    let case = Case::paths(&["a"]).asked(|asked| asked.labels = vec!["data:out".to_owned()]);
    let limits: Vec<_> = breaches(rule, &case)
        .into_iter()
        .map(|one| one.limit)
        .collect();
    assert_eq!(
        limits,
        ["one of data:eu, data:us", "none of data:out, data:export"]
    );
}
