//! Variables and words, as Dockerfiles and compose files write them.

/// Stands in a text for what only the build knows; no path that git holds has it.
pub(super) const UNKNOWN: char = '\0';

/// A longer value of a variable is not followed: values that are made of each other double with every line.
const LONGEST: usize = 512;

/// How much longer than itself a text becomes.
const MOST_GROWTH: usize = 2048;

/// How deep defaults lie in each other.
const DEEPEST: usize = 8;

/// Puts the values of variables in.
#[derive(Clone, Copy)]
pub(super) struct Words<'l> {
    /// Returns what a variable is; nothing when it is not set.
    pub(super) lookup: &'l dyn Fn(&str) -> Option<String>,
    /// The escape sign of a Dockerfile's words; none for texts without quotes, where `$$` is a dollar.
    pub(super) escape: Option<char>,
}

impl Words<'_> {
    /// Returns a text with its variables put in and without quotes and escapes.
    pub(super) fn expand(self, text: &str) -> String {
        self.at_depth(text, 0)
    }

    fn at_depth(self, text: &str, depth: usize) -> String {
        if depth > DEEPEST {
            return UNKNOWN.to_string();
        }
        let mut out = String::new();
        let mut rest = text;
        let mut quote = None;
        while let Some(sign) = rest.chars().next() {
            rest = &rest[sign.len_utf8()..];
            let is_raw = quote == Some('\'');
            if sign == '$' && !is_raw {
                if self.escape.is_none()
                    && let Some(after) = rest.strip_prefix('$')
                {
                    out.push('$');
                    rest = after;
                    continue;
                }
                let (value, length) = self.variable(rest, depth);
                out.push_str(&value);
                rest = &rest[length..];
            } else if self.escape == Some(sign) && !is_raw {
                if let Some(next) = rest.chars().next() {
                    // Between double quotes it is itself before most signs.
                    if quote.is_some() && !matches!(next, '"' | '$') && next != sign {
                        out.push(sign);
                    }
                    out.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            } else if self.escape.is_some() && matches!(sign, '"' | '\'') && quote.is_none() {
                quote = Some(sign);
            } else if quote == Some(sign) {
                quote = None;
            } else {
                out.push(sign);
            }
            if out.len() > text.len() + MOST_GROWTH {
                return UNKNOWN.to_string();
            }
        }
        out
    }

    /// Reads a variable behind its `$`; returns what stands for it, and how much of the text it took.
    fn variable(self, after: &str, depth: usize) -> (String, usize) {
        let Some(inner) = after.strip_prefix('{') else {
            let end = name_end(after);
            if end == 0 {
                return ("$".to_owned(), 0);
            }
            return (self.modified(&after[..end], "", depth), end);
        };
        let Some(end) = closing(inner) else {
            return (UNKNOWN.to_string(), after.len());
        };
        let (name, modifier) = inner[..end].split_at(name_end(&inner[..end]));
        (self.modified(name, modifier, depth), end + 2)
    }

    fn modified(self, name: &str, modifier: &str, depth: usize) -> String {
        let unknown = UNKNOWN.to_string();
        let value = (self.lookup)(name);
        let is_open = value
            .as_deref()
            .is_some_and(|value| value.contains(UNKNOWN) && !modifier.is_empty());
        if is_open || value.as_ref().is_some_and(|value| value.len() > LONGEST) {
            return unknown;
        }
        let (counts_empty, modifier) = match modifier.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, modifier),
        };
        let word = modifier.get(1..).unwrap_or_default();
        let found = match (value, modifier.chars().next()) {
            (Some(value), None) if !counts_empty => value,
            (Some(value), Some('-' | '?')) if !(counts_empty && value.is_empty()) => value,
            (Some(value), Some('+')) if counts_empty && value.is_empty() => value,
            (Some(_), Some('+')) | (_, Some('-')) => self.at_depth(word, depth + 1),
            _ => unknown,
        };
        if found.len() > LONGEST {
            return UNKNOWN.to_string();
        }
        found
    }
}

fn name_end(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len())
}

/// Returns where the brace closes that stands before a text.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Splits at spaces that stand in no quotes; quotes and escapes stay. Nothing where a quote is never closed.
pub(super) fn split(line: &str, escape: char) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, sign) in line.char_indices() {
        if quote.is_none() && !is_escaped && sign.is_whitespace() {
            if let Some(start) = start.take() {
                words.push(&line[start..at]);
            }
            continue;
        }
        start = start.or(Some(at));
        if is_escaped {
            is_escaped = false;
        } else if sign == escape && quote != Some('\'') {
            is_escaped = true;
        } else if quote == Some(sign) {
            quote = None;
        } else if quote.is_none() && matches!(sign, '"' | '\'') {
            quote = Some(sign);
        }
    }
    if let Some(start) = start {
        words.push(&line[start..]);
    }
    quote.is_none().then_some(words)
}

/// Whether two names may be the same one; what is not known in them may be anything.
pub(super) fn may_be(one: &str, other: &str) -> bool {
    let ends = |name: &str| -> Option<(String, String)> {
        let (head, rest) = name.split_once(UNKNOWN)?;
        let tail = rest.rsplit(UNKNOWN).next().unwrap_or_default();
        Some((head.to_owned(), tail.to_owned()))
    };
    let fits = |name: &str, (head, tail): &(String, String)| {
        name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
    };
    match (ends(one), ends(other)) {
        (None, None) => one == other,
        (Some(ends), None) => fits(other, &ends),
        (None, Some(ends)) => fits(one, &ends),
        (Some((head, tail)), Some((other_head, other_tail))) => {
            (head.starts_with(&other_head) || other_head.starts_with(&head))
                && (tail.ends_with(&other_tail) || other_tail.ends_with(&tail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(escape: Option<char>, text: &str, expected: &str) {
        let lookup = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "E" => Some(String::new()),
            "U" => Some(UNKNOWN.to_string()),
            _ => None,
        };
        let words = Words {
            lookup: &lookup,
            escape,
        };
        assert_eq!(words.expand(text), expected, "{text}");
    }

    #[test]
    fn compose_puts_variables_in() {
        for (text, expected) in [
            ("$A/${A}", "a/a"),
            ("$$A$", "$A$"),
            ("${N:-d}${N-d}${E-d}${E:-d}", "ddd"),
            ("${A:+x}${E:+x}${E+x}", "xx"),
            ("${N:-${E:-${A}b}}", "ab"),
            ("${A:?words}", "a"),
            ("x/$N/${U:-d}", "x/\0/\0"),
            ("${N", "\0"),
            ("\"a\"", "\"a\""),
        ] {
            check(None, text, expected);
        }
    }

    #[test]
    fn words_of_dockerfiles_lose_their_quotes() {
        for (text, expected) in [
            ("\"$A b\"'$A'", "a b$A"),
            (r"a\ b\$A", "a b$A"),
            (r#""a\b\"""#, r#"a\b""#),
            ("${A#x}", "\0"),
            ("$A$", "a$"),
        ] {
            check(Some('\\'), text, expected);
        }
    }

    #[test]
    fn values_that_double_end() {
        let long = "x".repeat(LONGEST);
        let lookup = |_: &str| Some(long.clone());
        let words = Words {
            lookup: &lookup,
            escape: None,
        };
        assert_eq!(words.expand(&"$A".repeat(50)), "\0");
        let deep = "${N:-".repeat(5000) + &"}".repeat(5000);
        let lookup = |_: &str| None;
        let words = Words {
            lookup: &lookup,
            escape: None,
        };
        assert_eq!(words.expand(&deep), "\0");
    }

    #[test]
    fn words_end_at_spaces_outside_of_quotes() {
        assert_eq!(
            split("a \"b c\"d  e\\ f", '\\').unwrap(),
            ["a", "\"b c\"d", "e\\ f"]
        );
        assert_eq!(split("it's", '\\'), None);
    }

    #[test]
    fn names_may_be_the_same() {
        assert!(may_be("a\0c", "abc") && may_be("a\0", "\0c") && may_be("a", "a"));
        assert!(!may_be("a\0c", "ac\0d") || may_be("c", "\0"));
        assert!(!may_be("ab\0bc", "abc") && !may_be("a\0", "b\0") && !may_be("a", "b"));
    }
}
