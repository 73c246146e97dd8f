//! Changes that `title` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check_weights};

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
