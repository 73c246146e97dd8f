//! CODEOWNERS as GitHub reads it: who owns a path.
//!
//! docs.github.com, "About code owners": the last rule that matches counts, one without owners takes ownership away, patterns are
//! those of `.gitignore` but for `!`, `[ ]` and a leading `\#`, which do not work there, and a line that is not valid is skipped.
//! Paths are compared case by case. `docs/*` is about what lies in `docs` itself, not about what lies below; any other last name is
//! about a file, or about everything below a folder.
//!
//! A rule is looked at only for paths that have the rarest of the names that it mentions, or the ending that it asks for: ten
//! thousand rules are not tried one by one on ten thousand paths.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

/// Where the file may lie, the one that wins first.
pub(crate) const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// A file of this size or more is not read.
pub(crate) const LIMIT: usize = 3 * 1024 * 1024;

/// Returns which of the files that are there counts.
pub(crate) fn place(mut is_there: impl FnMut(&str) -> bool) -> Option<&'static str> {
    PLACES.into_iter().find(|place| is_there(place))
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the file is not under 3 MB, and GitHub does not read it")]
    TooLarge,
    #[error("`!` does not take anything out in CODEOWNERS")]
    Negated,
    #[error("`[ ]` is no range in CODEOWNERS")]
    Range,
    #[error("a pattern cannot begin with `#`, escaped or not")]
    EscapedComment,
    #[error("`{0}` is no pattern")]
    BadPattern(String),
    #[error("`{0}` is no owner: neither @user, nor @org/team, nor an email address")]
    BadOwner(String),
}

/// A line that is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from one; zero is the whole file.
    pub(crate) line: usize,
    pub(crate) fault: Fault,
}

/// The rule that decides for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ownership<'o> {
    /// The line that it is written in, counted from one.
    pub(crate) line: usize,
    /// The pattern as it is written.
    pub(crate) pattern: &'o str,
    /// As they are written; nobody where ownership was taken away.
    pub(crate) owners: &'o [String],
}

/// A file that was read.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// Lines that were skipped, in order.
    pub(crate) problems: Vec<Problem>,
    rules: Vec<Rule>,
    /// Rules, in order, by a name that a path must have to match.
    by_name: HashMap<String, Vec<usize>>,
    /// Rules without such a name, by how a name in the path must end: what follows its last dot.
    by_ending: HashMap<Vec<u8>, Vec<usize>>,
    /// All others.
    others: Vec<usize>,
}

#[derive(Debug)]
struct Rule {
    line: usize,
    pattern: String,
    owners: Vec<String>,
    parts: Vec<Part>,
}

/// What stands for names of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Any number of names, and none.
    Deep,
    /// Any one name.
    One,
    Literal(String),
    Glob(Vec<Token>),
}

/// A piece of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// One character.
    Question,
    /// Any number of bytes.
    Star,
}

impl Part {
    fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Deep => false,
            Self::One => !name.is_empty(),
            Self::Literal(literal) => literal == name,
            Self::Glob(tokens) => matches_name(tokens, name.as_bytes()),
        }
    }

    /// Returns what follows the last dot of each name that matches, where that is always the same.
    fn ending(&self) -> Option<Vec<u8>> {
        let Self::Glob(tokens) = self else {
            return None;
        };
        let literal = tokens.iter().rev().map_while(|token| match token {
            Token::Byte(byte) => Some(*byte),
            Token::Question | Token::Star => None,
        });
        let mut ending: Vec<u8> = literal.collect();
        let dot = ending.iter().position(|byte| *byte == b'.')?;
        ending.truncate(dot);
        ending.reverse();
        Some(ending)
    }
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Owners {
    let mut owners = Owners::default();
    if text.len() >= LIMIT {
        let fault = Fault::TooLarge;
        owners.problems.push(Problem { line: 0, fault });
        return owners;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match rule(number + 1, line) {
            Ok(rule) => owners.rules.push(rule),
            Err(fault) => owners.problems.push(Problem {
                line: number + 1,
                fault,
            }),
        }
    }
    owners.index();
    owners
}

impl Owners {
    /// Returns the rule that decides for a path from the top; nothing where none is about it.
    pub(crate) fn owners_of(&self, path: &str) -> Option<Ownership<'_>> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let names: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let mut best = None;
        self.better(&self.others, &names, &mut best);
        for name in &names {
            if let Some(rules) = self.by_name.get(*name) {
                self.better(rules, &names, &mut best);
            }
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.as_bytes());
            if let Some(rules) = ending.and_then(|ending| self.by_ending.get(ending)) {
                self.better(rules, &names, &mut best);
            }
        }
        let rule = best.and_then(|best: usize| self.rules.get(best))?;
        Some(Ownership {
            line: rule.line,
            pattern: &rule.pattern,
            owners: &rule.owners,
        })
    }

    /// Looks for a later rule than the one that was found.
    fn better(&self, rules: &[usize], names: &[&str], best: &mut Option<usize>) {
        let later = rules.iter().rev().take_while(|rule| Some(**rule) > *best);
        let found = later
            .copied()
            .find(|rule| matches(&self.rules[*rule].parts, names));
        *best = found.or(*best);
    }

    fn index(&mut self) {
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for name in self.rules.iter().flat_map(|rule| literals(&rule.parts)) {
            *uses.entry(name).or_default() += 1;
        }
        for (number, rule) in self.rules.iter().enumerate() {
            let rarest = literals(&rule.parts).min_by_key(|name| uses.get(name));
            let ending = || rule.parts.iter().rev().find_map(Part::ending);
            let rules = if let Some(name) = rarest {
                self.by_name.entry(name.to_owned()).or_default()
            } else if let Some(ending) = ending() {
                self.by_ending.entry(ending).or_default()
            } else {
                &mut self.others
            };
            rules.push(number);
        }
    }
}

fn literals(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Literal(name) => Some(name.as_str()),
        _ => None,
    })
}

fn rule(number: usize, line: &str) -> Result<Rule, Fault> {
    let end = end_of_pattern(line);
    let (pattern, rest) = line.split_at(end);
    let parts = parts(pattern)?;
    let mut owners = Vec::new();
    for owner in rest.split_whitespace() {
        if owner.starts_with('#') {
            break;
        }
        if !is_owner(owner) {
            return Err(Fault::BadOwner(owner.to_owned()));
        }
        owners.push(owner.to_owned());
    }
    Ok(Rule {
        line: number,
        pattern: pattern.to_owned(),
        owners,
        parts,
    })
}

/// Returns where a pattern ends: at the first blank that has no backslash before it.
fn end_of_pattern(line: &str) -> usize {
    let mut is_escaped = false;
    for (at, character) in line.char_indices() {
        if character.is_whitespace() && !is_escaped {
            return at;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    line.len()
}

/// Whether it is `@user`, `@org/team` or an email address. Whether there is such an owner only GitHub knows.
fn is_owner(text: &str) -> bool {
    let is_name = |name: &str, others: &[u8]| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        !name.is_empty() && name.bytes().all(is_part)
    };
    let Some((local, rest)) = text.split_once('@') else {
        return false;
    };
    if local.is_empty() {
        return match rest.split_once('/') {
            Some((organisation, team)) => is_name(organisation, b"-_") && is_name(team, b"-_."),
            // People of an enterprise have an underscore in their names, and applications `[bot]` behind it.
            None => is_name(rest.strip_suffix("[bot]").unwrap_or(rest), b"-_"),
        };
    }
    let Some((domain, top)) = rest.rsplit_once('.') else {
        return false;
    };
    is_name(local, b"._%+-'") && is_name(domain, b".-") && is_name(top, b"-")
}

/// Returns what a pattern asks of the names of a path.
fn parts(pattern: &str) -> Result<Vec<Part>, Fault> {
    if pattern.starts_with('!') {
        return Err(Fault::Negated);
    }
    if pattern.starts_with("\\#") {
        return Err(Fault::EscapedComment);
    }
    if pattern.contains(['[', ']']) {
        return Err(Fault::Range);
    }
    let bad = || Fault::BadPattern(pattern.to_owned());
    let (rest, is_anchored) = match pattern.strip_prefix('/') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let (rest, is_folder) = match rest.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if rest.is_empty() || pattern.contains("***") {
        return Err(bad());
    }
    let names: Vec<&str> = rest.split('/').collect();
    let mut parts = Vec::with_capacity(names.len() + 2);
    if !is_anchored && names.len() == 1 {
        parts.push(Part::Deep);
    }
    for (number, name) in names.iter().enumerate() {
        let is_last = number + 1 == names.len() && !is_folder;
        match *name {
            "" => return Err(bad()),
            // At the end it needs something to stand for.
            "**" if is_last => parts.extend([Part::One, Part::Deep]),
            "**" => parts.push(Part::Deep),
            "*" => parts.push(Part::One),
            name => {
                parts.push(part(name).ok_or_else(bad)?);
                if is_last {
                    parts.push(Part::Deep);
                }
            }
        }
    }
    if is_folder {
        parts.extend([Part::One, Part::Deep]);
    }
    Ok(parts)
}

/// Reads what stands between two slashes; nothing where a backslash has nothing to escape.
fn part(name: &str) -> Option<Part> {
    let mut tokens = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        tokens.push(match byte {
            b'\\' => Token::Byte(bytes.next()?),
            b'*' => Token::Star,
            b'?' => Token::Question,
            byte => Token::Byte(byte),
        });
    }
    let literal: Option<Vec<u8>> = tokens
        .iter()
        .map(|token| match token {
            Token::Byte(byte) => Some(*byte),
            Token::Question | Token::Star => None,
        })
        .collect();
    match literal.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(literal) => Some(Part::Literal(literal)),
        None => Some(Part::Glob(tokens)),
    }
}

/// Whether parts match names: each [`Part::Deep`] takes as little as it can, and only the last one is ever made longer, so that many
/// of them do not take time without end.
fn matches(parts: &[Part], names: &[&str]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut deep: Option<(usize, usize)> = None;
    while place < names.len() {
        match parts.get(at) {
            Some(Part::Deep) => {
                at += 1;
                deep = Some((at, place));
            }
            Some(part) if part.is_match(names[place]) => {
                at += 1;
                place += 1;
            }
            _ => match deep {
                Some((after, from)) => {
                    deep = Some((after, from + 1));
                    (at, place) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    parts[at..].iter().all(|part| *part == Part::Deep)
}

/// Whether a glob matches a name, in the same way.
fn matches_name(glob: &[Token], name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match glob.get(at) {
            Some(Token::Star) => {
                at += 1;
                star = Some((at, place));
            }
            Some(Token::Question) if name[place] & 0xc0 != 0x80 => {
                place += 1;
                while name.get(place).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    place += 1;
                }
                at += 1;
            }
            Some(Token::Byte(byte)) if *byte == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (at, place) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|token| *token == Token::Star)
}
