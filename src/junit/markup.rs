//! Small looks at raw markup: where the next element of a report begins, and whether a quote is open.

use super::case::{MESSAGE_LIMIT, drop_last_word, truncate};

/// What stands after the `<` of elements that a report has.
const KNOWN: [&[u8]; 17] = [
    b"testcase",
    b"testsuite",
    b"/testcase",
    b"/testsuite",
    b"failure",
    b"/failure",
    b"error",
    b"skipped",
    b"system-out",
    b"properties",
    b"test-case",
    b"/test-case",
    b"test-suite",
    b"/test-suite",
    b"test ",
    b"UnitTestResult",
    b"Test ",
];

/// Returns where the next element that a report has begins, when it follows a `>` and perhaps white space.
pub(super) fn next_element(content: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', content).find(|&at| {
        let rest = &content[at + 1..];
        // Most of what follows a `<` is decided by its first byte.
        matches!(
            rest.first(),
            Some(b't' | b'/' | b'f' | b'e' | b's' | b'p' | b'U' | b'T')
        ) && KNOWN.iter().any(|word| rest.starts_with(word))
            && content[..at].trim_ascii_end().ends_with(b">")
    })
}

pub(super) fn open_quote(tag: &[u8]) -> Option<u8> {
    let mut quote = None;
    for &byte in tag {
        match quote {
            Some(open) if open == byte => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
    }
    quote
}

pub(super) fn has_words(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    !text.trim_ascii().is_empty()
}

/// Returns the beginning of a foreign text, without half a word at its end.
pub(super) fn short(text: &str) -> String {
    let mut text = text.to_owned();
    if truncate(&mut text, MESSAGE_LIMIT / 2) {
        drop_last_word(&mut text);
    }
    text
}
