//! Changes that `data-labels` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

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
