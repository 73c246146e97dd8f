//! Changes that `budget` is about, and such that it leaves alone.

use crate::policy::Weight;
use crate::policy::rules::tests::{Case, check_settings, check_weights};
use crate::policy::subject::Spent;

fn spent(usd: &str, unpriced: u64) -> Case {
    let cap = "10".parse().unwrap();
    Case::default().asked(|asked| {
        asked.spent = Some(Spent {
            usd: usd.parse().unwrap(),
            cap,
            unpriced,
        });
    })
}

#[test]
fn the_lower_of_cap_and_limit_counts() {
    let rule = "{rule: budget, per_pull_request: \"5\"}";
    check_weights(rule, spent("3.99", 0), &[]);
    check_weights(rule, spent("4", 0), &[("$4", Some(Weight::Warn))]);
    check_weights(rule, spent("5", 0), &[("$5", Some(Weight::Warn))]);
    check_weights(rule, spent("5.01", 0), &[("$5.01", None)]);
    check_weights(
        "{rule: budget, per_pull_request: \"50\"}",
        spent("10.01", 0),
        &[("$10.01", None)],
    );
    check_weights("{rule: budget}", spent("0", 0), &[]);
}

#[test]
fn what_nobody_knows_is_said() {
    check_weights(
        "{rule: budget}",
        Case::default(),
        &[("no sum", Some(Weight::Warn))],
    );
    check_weights(
        "{rule: budget}",
        Case::default().asked(|asked| asked.number = Some(1)),
        &[("no sum", None)],
    );
    check_weights(
        "{rule: budget}",
        spent("1", 2),
        &[("2 calls without a price", Some(Weight::Warn))],
    );
}

#[test]
fn who_may_spend_nothing_and_spent_nothing_is_told_nothing() {
    let nothing_may_be_spent = "{rule: budget, per_pull_request: \"0\"}";
    check_weights(nothing_may_be_spent, spent("0", 0), &[]);
    check_weights(nothing_may_be_spent, spent("0.01", 0), &[("$0.01", None)]);
}

#[test]
fn shares_are_hundredths() {
    for share in [1, 100] {
        check_settings("budget", &format!("warn_at: {share}"), None);
    }
    for share in [0, 101] {
        let words = format!("`warn_at` is {share}, and no share from 1 to 100");
        check_settings("budget", &format!("warn_at: {share}"), Some(&words));
    }
}
