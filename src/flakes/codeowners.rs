//! CODEOWNERS, as GitHub reads it (docs.github.com, "About code owners"): the last pattern that matches a path wins, and a pattern
//! without owners takes them away. `!`, `[ ]` and a `#` behind a backslash do not work there, so such lines count for nothing.

#[cfg(test)]
mod tests;

use crate::stars::{self, Piece};

/// Where the file may lie; the first that is there counts.
pub(crate) const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub reads no file of this size or more.
const LARGEST: usize = 3 * 1024 * 1024;

/// A file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CodeOwners {
    rules: Vec<Rule>,
    /// Lines that count for nothing, from 1, and why.
    pub(crate) problems: Vec<(usize, &'static str)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    parts: Vec<Part>,
    owners: Vec<String>,
}

/// A part of a pattern, between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Any folders, or none.
    Any,
    /// A name with stars and question marks.
    Name(Vec<Piece>),
    /// Exactly one name, with nothing below it.
    Last,
    /// Anything below, at least one name.
    Below,
}

impl CodeOwners {
    pub(crate) fn read(text: &str) -> Self {
        let mut read = Self::default();
        if text.len() >= LARGEST {
            read.problems
                .push((1, "the file is not under 3 MB: GitHub does not read it"));
            return read;
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines()) {
            match rule(line) {
                Ok(rule) => read.rules.extend(rule),
                Err(problem) => read.problems.push((number, problem)),
            }
        }
        read
    }

    /// Returns the owners of a path; none when nobody owns it.
    pub(crate) fn of(&self, path: &str) -> &[String] {
        let path = path.strip_prefix("./").unwrap_or(path);
        let path: Vec<&str> = path.split('/').collect();
        let mut rules = self.rules.iter().rev();
        let rule = rules.find(|rule| matches(&rule.parts, &path));
        rule.map_or(&[], |rule| &rule.owners)
    }
}

/// Reads a line; nothing for one that says nothing.
fn rule(line: &str) -> Result<Option<Rule>, &'static str> {
    let words = words(line);
    let Some((pattern, owners)) = words.split_first() else {
        return Ok(None);
    };
    if pattern.starts_with('!') {
        return Err("`!` does not work in CODEOWNERS");
    }
    if pattern.starts_with("\\#") {
        return Err("a pattern cannot begin with `#`");
    }
    if pattern.contains(['[', ']']) {
        return Err("`[ ]` does not work in CODEOWNERS");
    }
    if !owners.iter().all(|owner| is_owner(owner)) {
        return Err("an owner is `@user`, `@org/team` or an address");
    }
    let parts = parts(pattern).ok_or("the pattern means nothing")?;
    Ok(Some(Rule {
        parts,
        owners: owners.to_vec(),
    }))
}

/// Splits a line at blanks that no backslash stands before; a `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for c in line.chars() {
        if c == '#' && word.is_empty() {
            break;
        }
        if c.is_whitespace() && !escaped {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether it is `@user`, `@org/team` or an address. Whether there is such an owner only GitHub knows.
fn is_owner(word: &str) -> bool {
    let is_name = |name: &str, others: &[u8]| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        !name.is_empty() && name.bytes().all(is_part)
    };
    let Some((local, rest)) = word.split_once('@') else {
        return false;
    };
    if local.is_empty() {
        return match rest.split_once('/') {
            Some((organisation, team)) => is_name(organisation, b"-_") && is_name(team, b"-_."),
            // People of an enterprise have an underscore in their names, and applications `[bot]` behind it.
            None => is_name(rest.strip_suffix("[bot]").unwrap_or(rest), b"-_"),
        };
    }
    rest.rsplit_once('.').is_some_and(|(domain, top)| {
        is_name(local, b"._%+-'") && is_name(domain, b".-") && is_name(top, b"-")
    })
}

/// Reads a pattern; nothing for one that `.gitignore` would match with nothing.
fn parts(pattern: &str) -> Option<Vec<Part>> {
    if pattern.contains("***") {
        return None;
    }
    let inner = pattern.strip_prefix('/').unwrap_or(pattern);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let is_folder = pattern.ends_with('/');
    // A slash before the end ties the pattern to the top.
    let is_tied = pattern.starts_with('/') || inner.contains('/');
    let mut parts = Vec::new();
    if !is_tied {
        parts.push(Part::Any);
    }
    let mut names = inner.split('/').peekable();
    while let Some(name) = names.next() {
        let is_last = names.peek().is_none() && !is_folder;
        parts.push(match name {
            "" => return None,
            "**" if is_last => Part::Below,
            "**" => Part::Any,
            // `docs/*` does not go down into folders; `*` alone is everything.
            "*" if is_last && is_tied => Part::Last,
            name => Part::Name(stars::escaped_pieces(name.as_bytes())?),
        });
    }
    if is_folder {
        parts.push(Part::Below);
    }
    Some(parts)
}

/// Whether parts match a path or a folder above it. Each place of the path that the parts so far may have come to is followed at
/// once, so that many stars take no time without end.
fn matches(parts: &[Part], path: &[&str]) -> bool {
    let mut at = vec![false; path.len() + 1];
    at[0] = true;
    for part in parts {
        let mut next = vec![false; path.len() + 1];
        for place in (0..=path.len()).filter(|place| at[*place]) {
            match part {
                Part::Any => next[place..].fill(true),
                Part::Name(name) => {
                    let is_match = |given: &&str| stars::pieces_match(name, given.as_bytes());
                    if path.get(place).is_some_and(is_match) {
                        next[place + 1] = true;
                    }
                }
                Part::Last => {
                    if place + 1 == path.len() {
                        return true;
                    }
                }
                Part::Below => {
                    if place < path.len() {
                        return true;
                    }
                }
            }
        }
        at = next;
    }
    let ends_open = !matches!(parts.last(), Some(Part::Last | Part::Below) | None);
    // What a pattern names may be a folder: everything in it is meant.
    ends_open && at.iter().skip(1).any(|reached| *reached)
}
