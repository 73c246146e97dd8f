//! Signatures: what failure messages have in common when all that differs from run to run is masked.
//!
//! Masked are numbers (with them ports, durations, lines and versions), hexadecimal words, UUIDs, random words, times, IPv6 addresses
//! and where absolute paths lie; colours are taken out, and blanks are one blank. A masked text has no digit, no absolute path and
//! no control character left, and every mask but that of paths begins at a digit or a word with one: masking it again changes
//! nothing. Whatever looks ahead looks at a bounded number of bytes, so that any text takes time in proportion to its length.

#[cfg(test)]
mod tests;

use crate::sha::Sha;

/// A word of so many hexadecimal digits, with letters and digits, is none of a language.
const HEX: usize = 8;

/// A word of this length with digits all over is random: a token, or the Base64 form of something.
const RANDOM: usize = 16;

/// How often letters and digits take turns in a random word.
const TURNS: usize = 4;

/// No time and no address is longer.
const AHEAD: usize = 48;

/// What a message is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The masked message.
    pub(crate) text: String,
    /// A digest of the masked message, 16 hexadecimal digits.
    pub(crate) id: String,
}

/// Returns the signature of a message.
pub(crate) fn signature(message: &str) -> Signature {
    let text = mask(message);
    let id = Sha::of(text.as_bytes()).start(8);
    Signature { text, id }
}

/// Masks what differs from run to run.
pub(crate) fn mask(message: &str) -> String {
    let plain = plain(message);
    let mut masked = String::with_capacity(plain.len());
    let mut rest = plain.trim();
    while let Some(character) = rest.chars().next() {
        let taken = match character {
            _ if begins_path(&masked, rest) => path(rest, &mut masked),
            _ if character.is_alphanumeric() || character == '_' => word(rest, &mut masked),
            _ => {
                masked.push(character);
                character.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    masked
}

/// Takes out escape sequences (ECMA-48) and control characters, and makes blanks one blank.
fn plain(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut characters = message.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => match characters.next_if(|next| !next.is_control()) {
                // A control sequence ends with a byte from `@` to `~`.
                Some('[') => {
                    while characters
                        .next_if(|next| matches!(next, ' '..='?'))
                        .is_some()
                    {}
                    let _ = characters.next_if(|next| matches!(next, '@'..='~'));
                }
                // A command of the operating system, as links are, ends with a bell or another escape.
                Some(']') => while characters.next_if(|next| !next.is_control()).is_some() {},
                _ => {}
            },
            blank if blank.is_whitespace() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

fn is_of_path(character: char) -> bool {
    character.is_alphanumeric() || "_.-+~%@/\\".contains(character)
}

/// Whether an absolute path begins here: `/name` or `C:\`, behind something that is not a path itself.
fn begins_path(before: &str, rest: &str) -> bool {
    let last = before.chars().next_back();
    if last.is_some_and(|last| !" \"'`([{=,:;|".contains(last)) {
        return false;
    }
    let mut next = rest.chars();
    match (next.next(), next.next(), next.next()) {
        (Some('/'), Some(name), _) => name.is_alphanumeric() || "_.-+~%@".contains(name),
        (Some(drive), Some(':'), Some('\\')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Masks where a path lies; the name of the file is what tells one place from another.
fn path(rest: &str, masked: &mut String) -> usize {
    // The letter of a drive and its colon.
    let start = if rest.starts_with('/') { 0 } else { 2 };
    let of_path = |text: &str| text.find(|next| !is_of_path(next)).unwrap_or(text.len());
    let end = start + of_path(&rest[start..]);
    let name = rest[start..end].rfind(['/', '\\']);
    masked.push_str("<path>");
    name.map_or(end, |name| start + name + 1)
}

/// Masks what is to be masked of a word, or of what begins with it, and returns how much was taken.
fn word(rest: &str, masked: &mut String) -> usize {
    let bytes = rest.as_bytes();
    for (length, mask) in [
        (uuid(bytes), "<uuid>"),
        (time(bytes), "<time>"),
        (address(bytes), "<address>"),
    ] {
        if let Some(length) = length {
            masked.push_str(mask);
            return length;
        }
    }
    let end = rest
        .find(|next: char| !next.is_alphanumeric() && next != '_')
        .unwrap_or(rest.len());
    let word = &rest[..end];
    if is_hex(word) {
        masked.push_str("<hex>");
        return end;
    }
    if is_random(word) {
        masked.push_str("<id>");
        return end;
    }
    numbers(rest, end, masked)
}

/// Masks the numbers of a word; the last one may go on behind it, as `1.5` and `127.0.0.1` do.
fn numbers(rest: &str, end: usize, masked: &mut String) -> usize {
    let bytes = rest.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while at < end {
        if is_digit(at) {
            while is_digit(at) || (matches!(bytes.get(at), Some(b'.' | b',')) && is_digit(at + 1)) {
                at += 1;
            }
            masked.push_str("<n>");
            continue;
        }
        let next = rest[at..end].find(|next: char| next.is_ascii_digit());
        let next = next.map_or(end, |next| at + next);
        masked.push_str(&rest[at..next]);
        at = next;
    }
    at
}

fn is_hex(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    word.len() >= HEX
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_random(word: &str) -> bool {
    let bytes = word.as_bytes();
    let turns = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit());
    bytes.len() >= RANDOM && bytes.is_ascii() && !bytes.contains(&b'_') && turns.count() >= TURNS
}

fn is_of_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
}

/// Returns the length of what is as a mask says: `h` for hexadecimal digits, `d` for decimal ones, all else for itself.
fn shape(bytes: &[u8], mask: &str) -> Option<usize> {
    let is_shape = |(byte, kind): (&u8, u8)| match kind {
        b'h' => byte.is_ascii_hexdigit(),
        b'd' => byte.is_ascii_digit(),
        kind => *byte == kind,
    };
    let found = bytes.get(..mask.len())?;
    let is_all = found.iter().zip(mask.bytes()).all(is_shape);
    is_all.then_some(mask.len())
}

/// A UUID (RFC 9562); one without a digit is left, because nothing without one is masked.
fn uuid(bytes: &[u8]) -> Option<usize> {
    let length = shape(bytes, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh")?;
    let has_digit = bytes[..length].iter().any(u8::is_ascii_digit);
    (has_digit && !is_of_word(bytes.get(length))).then_some(length)
}

/// A date and what follows it of a time (RFC 3339, and with a blank or slashes), or a time alone.
fn time(bytes: &[u8]) -> Option<usize> {
    let date = shape(bytes, "dddd-dd-dd").or_else(|| shape(bytes, "dddd/dd/dd"));
    let clock = |at: usize| shape(bytes.get(at..)?, "dd:dd:dd").map(|length| at + length);
    let Some(date) = date else {
        return clock(0).map(|end| rest_of_time(bytes, end));
    };
    let behind = bytes
        .get(date)
        .filter(|byte| matches!(byte, b'T' | b't' | b' ' | b'_'));
    let end = behind.and_then(|_| clock(date + 1));
    Some(end.map_or(date, |end| rest_of_time(bytes, end)))
}

/// Returns where a time ends with its fraction and zone.
fn rest_of_time(bytes: &[u8], mut end: usize) -> usize {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    if matches!(bytes.get(end), Some(b'.' | b',')) && is_digit(end + 1) {
        end += 1;
        let limit = end + AHEAD;
        while is_digit(end) && end < limit {
            end += 1;
        }
    }
    if matches!(bytes.get(end), Some(b'Z' | b'z')) {
        return end + 1;
    }
    let zone = bytes.get(end..).unwrap_or_default();
    let zones = ["+dd:dd", "-dd:dd", "+dddd", "-dddd"];
    end + zones.iter().find_map(|mask| shape(zone, mask)).unwrap_or(0)
}

/// An IPv6 address with a digit: seven colons, or two beside each other and nothing but hexadecimal digits around them.
fn address(bytes: &[u8]) -> Option<usize> {
    let is_of_address = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':';
    let length = bytes.iter().take(AHEAD).take_while(is_of_address).count();
    let found = &bytes[..length];
    let colons = memchr::memchr_iter(b':', found).count();
    let is_short = found.windows(2).any(|pair| pair == b"::");
    let has_digit = found.iter().any(u8::is_ascii_digit);
    let is_address = has_digit && (colons == 7 || (is_short && colons > 2));
    let ends = found.last() != Some(&b':') && !is_of_word(bytes.get(length));
    (is_address && ends).then_some(length)
}
