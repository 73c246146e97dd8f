//! Extended globs, as the package managers of JavaScript take them from shells: `!(a|b)`, `@(a|b)`, `?(a)`, `+(a)`, `*(a)`
//! (github.com/isaacs/minimatch; github.com/micromatch/picomatch, "Extglobs").
//!
//! A name is matched by the set of places that its characters so far may have come to, so that no glob takes time without end.

use std::cell::Cell;

/// Groups lie in each other so deep and no deeper.
const DEEPEST: usize = 2;

/// A name has at most so many characters.
const LONGEST: usize = 255;

/// A glob has at most so many bytes, and stands for at most so many others.
const LARGEST: usize = 1024;
const MOST: usize = 256;

/// After so many steps a name is taken for one that matches: a member too many misses nothing.
const PATIENCE: usize = 1_000_000;

/// A glob of one part of a path.
#[derive(Debug)]
pub(super) struct Name(Vec<Token>);

#[derive(Debug)]
enum Token {
    Star,
    Any,
    Char(char),
    Class {
        is_negative: bool,
        ranges: Vec<(char, char)>,
    },
    Group(Sign, Vec<Vec<Token>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    One,
    Maybe,
    Many,
    Some,
    Not,
}

fn sign(c: char) -> Option<Sign> {
    Some(match c {
        '@' => Sign::One,
        '?' => Sign::Maybe,
        '*' => Sign::Many,
        '+' => Sign::Some,
        '!' => Sign::Not,
        _ => return None,
    })
}

/// Whether a glob has a group that only extended globs have.
pub(super) fn is_extended(glob: &str) -> bool {
    let signs = glob.chars().zip(glob.chars().skip(1));
    signs
        .into_iter()
        .any(|(c, next)| next == '(' && sign(c).is_some())
}

/// Returns globs without braces, and without slashes in groups, that stand for a glob; nothing when they are too many.
pub(super) fn expand(glob: &str) -> Option<Vec<String>> {
    if glob.len() > LARGEST {
        return None;
    }
    let mut open = vec![glob.to_owned()];
    let mut done = Vec::new();
    while let Some(glob) = open.pop() {
        match first_choice(&glob) {
            Some((from, to, choices)) => open.extend(
                choices
                    .iter()
                    .map(|choice| format!("{}{choice}{}", &glob[..from], &glob[to..])),
            ),
            None => done.push(glob),
        }
        if open.len() + done.len() > MOST {
            return None;
        }
    }
    Some(done)
}

/// Returns where the first braces or the first group with a slash stand, and what may stand there instead.
fn first_choice(glob: &str) -> Option<(usize, usize, Vec<String>)> {
    let bytes = glob.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let sign = at
            .checked_sub(1)
            .and_then(|before| sign(char::from(bytes[before])));
        let (close, between) = match (byte, sign) {
            (b'{', _) => (b'}', b','),
            (b'(', Some(_)) => (b')', b'|'),
            _ => continue,
        };
        let Some((end, parts)) = parts_of(glob, at, *byte, close, between) else {
            continue;
        };
        let mut choices: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        if *byte == b'{' {
            if choices.len() > 1 {
                return Some((at, end + 1, choices));
            }
            continue;
        }
        if !glob[at..end].contains('/') {
            continue;
        }
        match sign {
            Some(Sign::Not) => choices = vec!["**".to_owned()],
            Some(Sign::Maybe | Sign::Many) => choices.push(String::new()),
            _ => {}
        }
        return Some((at - 1, end + 1, choices));
    }
    None
}

/// Returns the end of a bracket and what stands in it, as far as other brackets do not hold it together.
fn parts_of(
    glob: &str,
    from: usize,
    open: u8,
    close: u8,
    between: u8,
) -> Option<(usize, Vec<&str>)> {
    let mut depth = 0_usize;
    let mut start = from + 1;
    let mut parts = Vec::new();
    for (at, byte) in glob.bytes().enumerate().skip(from) {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                parts.push(&glob[start..at]);
                return Some((at, parts));
            }
        } else if byte == between && depth == 1 {
            parts.push(&glob[start..at]);
            start = at + 1;
        }
    }
    None
}

impl Name {
    /// Reads a part of a glob; nothing when its groups lie too deep in each other.
    pub(super) fn parse(part: &str) -> Option<Self> {
        let chars: Vec<char> = part.chars().collect();
        let mut at = 0;
        let tokens = tokens(&chars, &mut at, 0)?;
        Some(Self(tokens))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().take(LONGEST + 1).collect();
        if name.len() > LONGEST {
            return false;
        }
        let mut places = vec![false; name.len() + 1];
        places[0] = true;
        let patience = Cell::new(PATIENCE);
        let matcher = Matcher {
            name: &name,
            patience: &patience,
        };
        let is_match = matcher.ends(&self.0, places)[name.len()];
        is_match || patience.get() == 0
    }
}

/// Reads tokens up to the end, or inside a group up to what ends one of its alternatives.
fn tokens(chars: &[char], at: &mut usize, depth: usize) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    while let Some(c) = chars.get(*at).copied() {
        if depth > 0 && matches!(c, '|' | ')') {
            break;
        }
        let group = sign(c).filter(|_| chars.get(*at + 1) == Some(&'('));
        if let Some(sign) = group.filter(|_| chars[*at..].contains(&')')) {
            if depth == DEEPEST {
                return None;
            }
            *at += 2;
            let mut alternatives = Vec::new();
            loop {
                alternatives.push(self::tokens(chars, at, depth + 1)?);
                *at += 1;
                if chars.get(*at - 1) != Some(&'|') {
                    break;
                }
            }
            tokens.push(Token::Group(sign, alternatives));
            continue;
        }
        *at += 1;
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '[' => class(chars, at).unwrap_or(Token::Char(c)),
            c => Token::Char(c),
        });
    }
    Some(tokens)
}

/// Reads what follows `[`.
fn class(chars: &[char], at: &mut usize) -> Option<Token> {
    let end = chars[*at..].iter().position(|c| *c == ']')? + *at;
    let mut inside = &chars[*at..end];
    let is_negative = matches!(inside.first(), Some('!' | '^'));
    if is_negative {
        inside = &inside[1..];
    }
    let mut ranges = Vec::new();
    while let Some(first) = inside.first() {
        if let [_, '-', last, ..] = inside {
            ranges.push((*first, *last));
            inside = &inside[3..];
        } else {
            ranges.push((*first, *first));
            inside = &inside[1..];
        }
    }
    *at = end + 1;
    Some(Token::Class {
        is_negative,
        ranges,
    })
}

struct Matcher<'a> {
    name: &'a [char],
    patience: &'a Cell<usize>,
}

impl Matcher<'_> {
    /// Returns where tokens may end in the name that begin at one of some places.
    fn ends(&self, tokens: &[Token], starts: Vec<bool>) -> Vec<bool> {
        let mut places = starts;
        for token in tokens {
            let left = self.patience.get().saturating_sub(places.len());
            self.patience.set(left);
            if left == 0 {
                return places;
            }
            let step = |fits: &dyn Fn(char) -> bool| -> Vec<bool> {
                let mut next = vec![false; places.len()];
                for (at, c) in self.name.iter().enumerate() {
                    next[at + 1] = places[at] && fits(*c);
                }
                next
            };
            places = match token {
                Token::Star => {
                    let first = places.iter().position(|place| *place);
                    let first = first.unwrap_or(places.len());
                    (0..places.len()).map(|at| at >= first).collect()
                }
                Token::Any => step(&|_| true),
                Token::Char(wanted) => step(&|c| c == *wanted),
                Token::Class {
                    is_negative,
                    ranges,
                } => step(&|c| {
                    let is_in = ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
                    is_in != *is_negative
                }),
                Token::Group(sign, alternatives) => self.group(*sign, alternatives, places),
            };
        }
        places
    }

    fn group(&self, sign: Sign, alternatives: &[Vec<Token>], starts: Vec<bool>) -> Vec<bool> {
        let once = |starts: &[bool]| -> Vec<bool> {
            let mut found = vec![false; starts.len()];
            for alternative in alternatives {
                let ends = self.ends(alternative, starts.to_vec());
                for (place, is_end) in found.iter_mut().zip(ends) {
                    *place |= is_end;
                }
            }
            found
        };
        match sign {
            Sign::One => once(&starts),
            Sign::Maybe => either(&starts, &once(&starts)),
            Sign::Many | Sign::Some => {
                let mut found = match sign {
                    Sign::Many => starts,
                    _ => once(&starts),
                };
                loop {
                    let more = either(&found, &once(&found));
                    if more == found {
                        return found;
                    }
                    found = more;
                }
            }
            Sign::Not => {
                let mut found = vec![false; starts.len()];
                for start in (0..starts.len()).filter(|start| starts[*start]) {
                    let mut only = vec![false; starts.len()];
                    only[start] = true;
                    let matched = once(&only);
                    for at in (start..starts.len()).filter(|at| !matched[*at]) {
                        found[at] = true;
                    }
                }
                found
            }
        }
    }
}

fn either(one: &[bool], other: &[bool]) -> Vec<bool> {
    one.iter().zip(other).map(|(a, b)| *a || *b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(glob: &str, yes: &[&str], no: &[&str]) {
        let name = Name::parse(glob).unwrap();
        for one in yes {
            assert!(name.matches(one), "{glob} takes {one}");
        }
        for one in no {
            assert!(!name.matches(one), "{glob} leaves {one}");
        }
    }

    #[test]
    fn groups_mean_what_shells_mean() {
        check("!(old)", &["app", "older", "ol"], &["old"]);
        check("!(old|new)-x", &["app-x"], &["old-x", "new-x", "app"]);
        check("@(app|site)", &["app", "site"], &["appsite", "ap", ""]);
        check("lib?(s)", &["lib", "libs"], &["libss"]);
        check("+(ab|c)", &["ab", "cabc"], &["", "a"]);
        check("*(ab)x", &["x", "ababx"], &["ax"]);
        check("@(a*|[x-z]?)", &["a", "abc", "y1"], &["b1", "y"]);
        check("a+b(c", &["a+b(c"], &["abc"]);
        check("!(*.@(old|bak))", &["a", "a.new"], &["a.old", "a.bak"]);
    }

    #[test]
    fn braces_and_slashes_are_choices() {
        let expanded = |glob: &str| {
            let mut globs = expand(glob).unwrap();
            globs.sort();
            globs
        };
        assert_eq!(expanded("{a,b}/!(x)"), ["a/!(x)", "b/!(x)"]);
        assert_eq!(expanded("@(a/b|c)/d"), ["a/b/d", "c/d"]);
        assert_eq!(expanded("a/!(b/c)"), ["a/**"]);
        assert_eq!(expanded("{a"), ["{a"]);
        assert!(expand(&"{a,b}".repeat(40)).is_none());
    }

    #[test]
    fn hostile_globs_end() {
        let name = "a".repeat(LONGEST);
        let glob = "*(*(a|aa)|!(*(a)c))".repeat(3) + "b";
        // Whether it matches nobody waits to see.
        let _either = Name::parse(&glob).map(|glob| glob.matches(&name));
        assert!(Name::parse("@(a|@(b|!(c)))").is_none());
        assert!(Name::parse(&"*(".repeat(1000)).is_some());
        assert!(Name::parse(&("*(".repeat(1000) + &")".repeat(1000))).is_none());
    }

    #[test]
    fn what_is_too_long_is_not_expanded() {
        assert!(expand(&"a".repeat(LARGEST)).is_some());
        assert!(expand(&"a".repeat(LARGEST + 1)).is_none());
        let choices = |count: usize| format!("{{{}}}", vec!["a"; count].join(","));
        assert_eq!(expand(&choices(MOST)).unwrap().len(), MOST);
        assert!(expand(&choices(MOST + 1)).is_none());
    }
}
