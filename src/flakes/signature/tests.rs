//! Tests of signatures.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(message: &str, expected: &str) {
    assert_eq!(mask(message), expected);
    assert_eq!(mask(expected), expected);
}

#[test]
fn what_differs_from_run_to_run_is_masked() {
    check("expected 12 but was 13.5", "expected <n> but was <n>");
    check(
        "connect 127.0.0.1:40331: refused",
        "connect <n>:<n>: refused",
    );
    check("at 0x7ffe12ab and deadbeef01", "at <hex> and <hex>");
    check("id 6f1c0a52-9d3e-4b8f-8a77-0123456789ab", "id <uuid>");
    check("token aB3dE5fG7hI9jK1l", "token <id>");
    check("2026-01-05T09:00:00.123Z went", "<time> went");
    check(
        "2026-01-05 09:00:00,123+02:00 at 09:10:11",
        "<time> at <time>",
    );
    check("Foo@1b2c3d4e", "Foo@<hex>");
    check(
        "from 2001:db8:85a3::8a2e:370:7334 away",
        "from <address> away",
    );
    check("worker-7 of pool3", "worker-<n> of pool<n>");
}

#[test]
fn paths_keep_their_file() {
    check("open '/tmp/abc123/x.json': no", "open '<path>x.json': no");
    check("/build/w/src/a.rs:12:5: bad", "<path>a.rs:<n>:<n>: bad");
    check(r"C:\Users\ci\a.rs(3)", "<path>a.rs(<n>)");
    check("in /var/folders/zz/", "in <path>");
    check("src/lib/a.rs:9", "src/lib/a.rs:<n>");
    check("http://localhost:8080/a/b", "http://localhost:<n>/a/b");
    check("1 / 2 and/or", "<n> / <n> and/or");
}

#[test]
fn words_stay() {
    let words = "assertion `left == right` failed: deadbeef facade std::vec::Vec<T> a::b";
    check(words, words);
    check("überfällig 日本 é", "überfällig 日本 é");
    let long = "java.util.ConcurrentModificationException in internationalization";
    check(long, long);
    // Short names with digits have numbers in them, and a long one that has few.
    check("x1y2z3", "x<n>y<n>z<n>");
    check("ExpectedHttp2OverTls", "ExpectedHttp<n>OverTls");
}

#[test]
fn colours_and_blanks_are_nothing() {
    check("\u{1b}[1;31merror\u{1b}[0m:\r\n\t no\u{7}", "error: no");
    check("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\", "link");
    check("\u{1b}", "");
}

#[test]
fn ids_are_stable_and_tell_apart() {
    let (one, two) = (signature("took 3 ms"), signature("took 4711 ms"));
    assert_eq!(one, two);
    // The first half of `printf 'took <n> ms' | sha256sum`.
    assert_eq!(one.id, "53aebdc85da1bcb9");
    assert_ne!(one.id, signature("took 3 s").id);
    assert_eq!(signature(&one.text), one);
}

#[test]
fn hostile_texts_end() {
    for piece in [
        "1:",
        "a:",
        "/",
        "/a",
        "1.",
        "\u{1b}[",
        "\u{1b}]",
        "0x",
        "-1",
        "a1",
        "2026-01-05T",
        "C:\\",
        "f::1",
    ] {
        let text = piece.repeat(200_000);
        let masked = mask(&text);
        assert!(masked.len() <= 6 * text.len(), "{piece}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn masking_again_changes_nothing(
        text in "([a-f0-9]{1,9}|[ /:.,<>'\\-_+TZ@\\\\]|0x|C:\\\\|::|2026-01-05|09:00:00|\u{1b}\\[|\u{1b}|\u{7}|\u{e9}|\n){0,24}",
    ) {
        let once = signature(&text);
        prop_assert_eq!(&signature(&once.text), &once);
        prop_assert!(!once.text.contains(|next: char| next.is_ascii_digit() || next.is_control()));
    }

    #[test]
    fn any_text_is_masked(text in any::<String>()) {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once);
    }
}
