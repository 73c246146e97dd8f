//! Changes that `human-approval` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check, check_settings};

fn approved(by: &[&str]) -> Case {
    Case::paths(&["pay/a"]).asked(|asked| {
        asked.author = Some("ada".into());
        asked.approvals = by.iter().map(|login| (*login).to_owned()).collect();
    })
}

#[test]
fn others_than_the_author_approve() {
    let rule = "{rule: human-approval, paths: ['pay/**'], approvals: 2}";
    check(rule, approved(&["bob", "eve"]), &[]);
    for too_few in [&[] as &[&str], &["bob"], &["bob", "ADA"], &["bob", "Bob"]] {
        check(rule, approved(too_few), &["pay/a"]);
    }
    check(rule, Case::paths(&["src/a"]), &[]);
}

#[test]
fn only_named_accounts_may_count() {
    let rule = "{rule: human-approval, from: [bob]}";
    check(rule, approved(&["eve"]), &["pay/a"]);
    check(rule, approved(&["Bob"]), &[]);
}

#[test]
fn as_many_as_have_to_approve_must_be_named() {
    check_settings("human-approval", "approvals: 2, from: [bob, eve]", None);
    check_settings("human-approval", "approvals: 3", None);
    check_settings(
        "human-approval",
        "approvals: 3, from: [bob, eve]",
        Some("`approvals` is 3, and `from` names fewer accounts"),
    );
    check_settings(
        "human-approval",
        "approvals: 0",
        Some("`approvals` is 0, and asks for nobody"),
    );
}
