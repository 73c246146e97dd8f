//! Changes that `title` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check_settings, check_weights};

const RULE: &str = "{rule: title, pattern: '(feat|fix): .+', max_length: 20}";

fn titled(title: &str) -> Case {
    Case::default().asked(|asked| asked.title = Some(title.to_owned()))
}

#[test]
fn the_whole_title_counts() {
    check_weights(RULE, titled("fix: a"), &[]);
    check_weights(RULE, titled("a fix: b"), &[("a fix: b", None)]);
    check_weights(
        RULE,
        titled("fix: 12345678901234567"),
        &[("22 characters", None)],
    );
    check_weights(
        RULE,
        titled("fix: a\u{202e}b"),
        &[("fix: a\u{202e}b", None)],
    );
    check_weights(
        RULE,
        titled("fix: a\nx: b"),
        &[("fix: a\nx: b", None), ("fix: a\nx: b", None)],
    );
}

#[test]
fn the_bounds_of_its_length_are_allowed() {
    let rule = "{rule: title, min_length: 3, max_length: 5}";
    for title in ["abc", "äöüäö"] {
        check_weights(rule, titled(title), &[]);
    }
    check_weights(rule, titled("ab"), &[("2 characters", None)]);
    check_weights(rule, titled("a"), &[("1 characters", None)]);
    check_weights(rule, titled("abcdef"), &[("6 characters", None)]);
}

#[test]
fn settings_that_no_title_meets_are_refused() {
    check_settings("title", "min_length: 5, max_length: 5", None);
    for one in ["min_length: 5", "max_length: 5", "pattern: a"] {
        check_settings("title", one, None);
    }
    let both = "`min_length` is 6 and `max_length` 5: no title has both";
    check_settings("title", "min_length: 6, max_length: 5", Some(both));
    let nothing = "it asks for nothing: set `pattern`, `max_length` or `min_length`";
    check_settings("title", "owner: o", Some(nothing));
}
