//! Attributes and character references, read forgivingly.

use std::borrow::Cow;

use quick_xml::events::BytesStart;
use quick_xml::events::attributes::AttrError;

use super::notes::{NoteCode, Notes};

/// Calls back with each attribute's local name and raw value.
pub(super) fn each(
    tag: &BytesStart<'_>,
    offset: u64,
    notes: &mut Notes,
    mut take: impl FnMut(&[u8], &[u8], &mut Notes),
) {
    let mut attributes = tag.attributes();
    attributes.with_checks(false);
    // The iterator goes on after most mistakes; a bound keeps a hostile tag from being one long list of them.
    let mut mistakes = 0;
    for attribute in attributes {
        match attribute {
            Ok(attribute) => {
                let name = attribute.key.local_name();
                take(name.as_ref(), &attribute.value, notes);
            }
            Err(error) => {
                notes.detail(NoteCode::BadAttribute, offset, what(&error));
                mistakes += 1;
                if mistakes >= 8 {
                    return;
                }
            }
        }
    }
}

fn what(error: &AttrError) -> &'static str {
    match error {
        AttrError::ExpectedEq(_) => "no `=` after a name",
        AttrError::ExpectedValue(_) => "no value after `=`",
        AttrError::UnquotedValue(_) => "a value without quotes",
        AttrError::ExpectedQuote(..) => "a closing quote is missing",
        AttrError::Duplicated(..) => "the same name twice",
    }
}

/// Puts an attribute's value in place of what `target` holds: references resolved, white space normalised
/// (XML 1.0, 3.3.3).
pub(super) fn value_into(target: &mut String, raw: &[u8], offset: u64, notes: &mut Notes) {
    target.clear();
    let text = text(raw, offset, notes);
    let is_plain = memchr::memchr(b'&', text.as_bytes()).is_none()
        && memchr::memchr3(b'\n', b'\t', b'\r', text.as_bytes()).is_none();
    if is_plain {
        target.push_str(&text);
        return;
    }
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(['&', '\n', '\t', '\r']) {
        target.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            rest = reference_into(target, after, offset, notes);
        } else {
            target.push(' ');
            rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        }
    }
    target.push_str(rest);
}

/// Appends what the reference at the start of `after` (its `&` already taken off) stands for; returns what follows.
fn reference_into<'a>(
    target: &mut String,
    after: &'a str,
    offset: u64,
    notes: &mut Notes,
) -> &'a str {
    // The longest reference is `&#x10FFFF;`; leading zeros are allowed, within reason.
    let window = after.len().min(24);
    let end = after.as_bytes()[..window].iter().position(|&b| b == b';');
    if let Some(end) = end
        && let Some(resolved) = resolve(&after[..end])
    {
        target.push_str(&resolved);
        return &after[end + 1..];
    }
    notes.once(NoteCode::UnknownEntity, offset);
    target.push('&');
    after
}

/// Returns what a reference stands for: XML's own five entities and character numbers, nothing else.
pub(super) fn resolve(reference: &str) -> Option<Cow<'static, str>> {
    if let Some(number) = reference.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(|c| Cow::Owned(c.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(Cow::Borrowed)
}

/// Returns bytes as text.
pub(super) fn text<'a>(raw: &'a [u8], offset: u64, notes: &mut Notes) -> Cow<'a, str> {
    // Nearly every value is sound, and checking is faster than converting.
    if let Ok(text) = std::str::from_utf8(raw) {
        return Cow::Borrowed(text);
    }
    notes.once(NoteCode::BadUtf8, offset);
    String::from_utf8_lossy(raw)
}
