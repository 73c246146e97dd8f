//! Secrets of every shape go, and the words around them stay.

use super::*;

fn redact(text: &str) -> String {
    Redactor::new(&[])
        .message(text)
        .unwrap_or_else(|| text.to_owned())
}

/// Puts a secret together at run time, so that no scanner takes this file for a leak.
fn made(prefix: &str, length: usize) -> String {
    let letters = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z".repeat(8);
    format!("{prefix}{}", &letters[..length])
}

#[test]
fn tokens_that_are_known_by_their_shape_go() {
    for (prefix, length) in [
        ("ghp_", 36),
        ("gho_", 36),
        ("github_pat_", 60),
        ("glpat-", 20),
        ("AIza", 35),
        ("xoxb-123456789012-", 24),
        ("sk_live_", 24),
        ("sk-ant-api03-", 80),
        ("sk-proj-", 48),
        ("npm_", 36),
        ("pypi-AgEIcHlwaS5vcmc", 60),
        ("hvs.", 30),
        ("dckr_pat_", 27),
        ("rk_live_", 24),
        ("sk-", 48),
    ] {
        let secret = made(prefix, length);
        let text = redact(&format!("request with {secret} failed"));
        assert!(!text.contains(&secret[..prefix.len() + 8]), "{text}");
        assert!(
            text.starts_with("request with [redacted:") && text.ends_with("] failed"),
            "{text}"
        );
    }
}

#[test]
fn values_that_a_key_gives_away_go() {
    for text in [
        "password=hunter2hunter2",
        "password: \"hunter2 hunter2\"",
        "PGPASSWORD=hunter2hunter2",
        "api_key => 'hunter2hunter2'",
        "Authorization: Bearer hunter2hunter2",
        "authorization: Basic hunter2hunter2=",
        "{\"client_secret\":\"hunter2hunter2\"}",
        "https://user:hunter2hunter2@example.com/x",
        "--token hunter2hunter2",
        "AWS_SECRET_ACCESS_KEY=hunter2hunter2",
        "DB_PASSWORD := hunter2hunter2",
        r#"{\"password\": \"hunter2hunter2\"}"#,
        "password=ab(hunter2hunter2",
    ] {
        let redacted = redact(text);
        assert!(!redacted.contains("hunter2"), "{text} -> {redacted}");
    }
    assert_eq!(
        redact("https://user:hunter2@example.com/x"),
        "https://user:[redacted:url-password]@example.com/x"
    );
}

#[test]
fn a_private_key_goes_whole_also_when_it_is_cut_off() {
    let begin = ["-----BEGIN RSA PRIV", "ATE KEY-----"].concat();
    assert_eq!(
        redact(&format!("key:\n{begin}\nMIIEow\nabc")),
        "key:\n[redacted:private-key]"
    );
}

#[test]
fn ordinary_words_stay() {
    for text in [
        "expected: <1> but was: <2>",
        "assertion `left == right` failed",
        "token must not be empty",
        "the password is wrong",
        "secret santa",
        "at com.acme.TokenTest.parse(TokenTest.java:42)",
        "https://example.com:8080/a@b",
        "skipped: 3",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "key-value store is down",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn the_values_of_secret_variables_go_wherever_they_stand() {
    let variables = [
        (
            "DEPLOY_TOKEN".to_owned(),
            "correct horse battery".to_owned(),
        ),
        ("HOME".to_owned(), "/srv/someone".to_owned()),
        ("SHORT_TOKEN".to_owned(), "abc".to_owned()),
    ];
    let redactor = Redactor::new(&variables);
    assert_eq!(
        redactor.name("t[correct horse battery]").as_deref(),
        Some("t[[redacted:variable]]")
    );
    assert_eq!(redactor.message("abc in /srv/someone"), None);
}

#[test]
fn a_name_keeps_what_only_a_key_would_give_away() {
    assert_eq!(
        Redactor::new(&[]).name("login[password=empty-string]"),
        None
    );
}

#[test]
fn redacting_twice_changes_nothing_more() {
    let once = redact(&format!(
        "token={} and password=hunter2hunter2",
        made("ghp_", 36)
    ));
    assert_eq!(redact(&once), once);
}

/// Every text that an expression matches has what the quick look needs.
#[test]
fn the_quick_look_misses_no_secret() {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for rules in [token_rules(), keyed_rules()] {
        for shape in rules.shapes {
            // Word boundaries stand for no character.
            let mut pattern = shape.pattern.replace("\\b", "").replace("|\\z", "");
            for name in ["secret", "quoted"] {
                pattern = pattern.replace(&format!("(?P<{name}>"), "(?:");
            }
            let texts = proptest::string::string_regex(&pattern).unwrap();
            for _ in 0..300 {
                let text = texts.new_tree(&mut runner).unwrap().current();
                let one = Rules::new(std::slice::from_ref(shape), rules.ignore_case);
                assert!(one.may_match(&text), "{}: {text}", shape.name);
            }
        }
    }
}
