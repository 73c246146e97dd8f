//! How exactly lines must agree, from to the character down to what only looks alike.

use std::borrow::Cow;

/// A level of tolerance, strictest first. A place must be the only one at its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// To the character; the ends of lines do not count.
    Exact,
    /// White space at the ends of lines does not count.
    Ends,
    /// Nor at their beginnings.
    Indent,
    /// Nor how much of it stands between words; typographic quotes, dashes and spaces are the plain ones.
    Folded,
    /// Nor a comma at the end of a line.
    Comma,
}

pub(super) const LEVELS: usize = 5;

impl Level {
    /// What a line is compared by.
    pub(super) fn form(self, line: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => line.into(),
            Self::Ends => line.trim_end().into(),
            Self::Indent => line.trim().into(),
            Self::Folded => folded(line.trim()),
            Self::Comma => match folded(line.trim()) {
                Cow::Borrowed(plain) => without_comma(plain).into(),
                Cow::Owned(plain) => without_comma(&plain).to_owned().into(),
            },
        }
    }

    /// Says what was left out of account, in words that follow "compared".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Exact => "to the character",
            Self::Ends => "without white space at the ends of lines",
            Self::Indent => "without indentation",
            Self::Folded => "without indentation and typography",
            Self::Comma => "without indentation, typography and commas at the ends of lines",
        }
    }
}

fn without_comma(line: &str) -> &str {
    line.strip_suffix(',').map_or(line, str::trim_end)
}

/// Returns the plain character for a typographic one; nothing for one that is not typographic.
pub(super) fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}'..='\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        _ => return None,
    })
}

/// Returns the line in plain characters, what has no width gone, runs of white space as one space.
fn folded(line: &str) -> Cow<'_, str> {
    let is_plain = line.is_ascii() && !line.contains("  ") && !line.contains('\t');
    if is_plain {
        return line.into();
    }
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        match plain(c).unwrap_or(c) {
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
            '\u{2026}' => text.push_str("..."),
            c if c.is_whitespace() => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            c => text.push(c),
        }
    }
    match text.trim() {
        trimmed if trimmed.len() == text.len() => text.into(),
        trimmed => trimmed.to_owned().into(),
    }
}

/// Returns how much a line tells: its letters and digits.
pub(super) fn weight(line: &str) -> usize {
    line.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Returns the white space that a line begins with.
pub(super) fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, strictest: Option<Level>) {
        let levels = [
            Level::Exact,
            Level::Ends,
            Level::Indent,
            Level::Folded,
            Level::Comma,
        ];
        let found = levels
            .into_iter()
            .find(|level| level.form(a) == level.form(b));
        assert_eq!(found, strictest, "{a:?} and {b:?}");
    }

    #[test]
    fn lines_agree_at_a_level() {
        check("a b", "a b", Some(Level::Exact));
        check("a b \t", "a b", Some(Level::Ends));
        check("\ta b", "  a b ", Some(Level::Indent));
        check("a  b", "a\tb", Some(Level::Folded));
        check(
            "say(\u{201c}it\u{2019}s\u{201d})",
            "say(\"it's\")",
            Some(Level::Folded),
        );
        check(
            "a\u{a0}b \u{2013} c\u{2026}",
            "a b - c...",
            Some(Level::Folded),
        );
        check("a\u{200b}b", "ab", Some(Level::Folded));
        check("  x: 1 ,", "x: 1", Some(Level::Comma));
        check("ab", "a b", None);
        check("a,,", "a", None);
        check("", "x", None);
    }

    #[test]
    fn blank_lines_are_alike() {
        check("", "   ", Some(Level::Ends));
        check("\u{a0}", "", Some(Level::Ends));
    }
}
