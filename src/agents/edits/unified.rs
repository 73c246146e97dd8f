//! Unified diffs (GNU diffutils, "Detailed Description of Unified Format"; git's additions in `git-diff`, "Generating patch text with -p"), as models
//! write them: line numbers and counts are wrong or missing, prefixes too, blank lines have lost their space, prose stands around.

use super::hunk::{Hunk, Sign};
use super::names;
use super::peel::is_fence;
use super::{Action, Edit, Malformed, What};

/// Whether an answer holds a diff.
pub(super) fn is_there(lines: &[&str]) -> bool {
    let mut pairs = lines.windows(2);
    pairs.any(is_header)
        || lines.iter().any(|line| {
            line.starts_with("diff --git ")
                || line.trim_start().trim_start_matches(['`', '~']) == "diff" && is_fence(line)
        })
        || lines
            .windows(2)
            .any(|pair| hunk_counts(pair[0]).is_some() && pair[1].starts_with([' ', '+', '-']))
}

fn is_header(lines: &[&str]) -> bool {
    matches!(lines, [old, new, ..] if old.starts_with("--- ") && new.starts_with("+++ "))
}

/// Reads the head of a hunk: how many lines are old and new, if it says so.
#[expect(
    clippy::option_option,
    reason = "no head, a head without counts, a head with them"
)]
fn hunk_counts(line: &str) -> Option<Option<(usize, usize)>> {
    let rest = line.strip_prefix("@@")?;
    if rest.trim().is_empty() {
        return Some(None);
    }
    let (ranges, is_closed) = rest
        .split_once("@@")
        .map_or((rest, false), |(ranges, _)| (ranges, true));
    let count = |sign: char| {
        let range = ranges.split(' ').find_map(|word| word.strip_prefix(sign))?;
        match range.split_once(',') {
            Some((_, count)) => count.parse().ok(),
            None => range.parse::<usize>().ok().map(|_| 1),
        }
    };
    let counts = Option::zip(count('-'), count('+'));
    (is_closed || counts.is_some()).then_some(counts)
}

/// A diff of one file.
#[derive(Default)]
struct Part {
    from: Option<String>,
    to: Option<String>,
    is_renamed: bool,
    is_new: bool,
    is_gone: bool,
    hunks: Vec<Hunk>,
    line: usize,
}

pub(super) fn parse(lines: &[&str], known: &dyn Fn(&str) -> bool) -> Result<Vec<Edit>, Malformed> {
    let mut parts: Vec<Part> = Vec::new();
    let mut is_fenced = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let (from, to) = git_names(names).unzip();
            parts.push(Part {
                from,
                to,
                line: at + 1,
                ..Part::default()
            });
        } else if is_header(&lines[at..]) {
            header(&mut parts, lines, at);
            at += 2;
            continue;
        } else if hunk_counts(line).is_some() {
            if parts.is_empty() || is_named_anew(&lines[..at]) {
                let name = names::before(&lines[..at], known)
                    .filter(|name| known(name) || names::is_path(name));
                let name = name.or_else(|| parts.last().and_then(|part| part.to.clone()));
                parts.push(Part {
                    from: name.clone(),
                    to: name,
                    line: at + 1,
                    ..Part::default()
                });
            }
            let (hunk, next) = hunk(lines, at, is_fenced);
            if let Some(part) = parts.last_mut() {
                part.hunks.push(hunk);
            }
            at = next;
            continue;
        } else if let Some(part) = parts.last_mut() {
            if part.hunks.is_empty() {
                extended(part, line);
            } else if line.starts_with('+') {
                // A hunk that was taken to be over goes on.
                return Err(Malformed::new(at + 1, What::Stray((*line).to_owned())));
            }
        }
        is_fenced ^= is_fence(line);
        at += 1;
    }
    let mut edits = Vec::new();
    for part in parts {
        part.edits(known, &mut edits)?;
    }
    if edits.is_empty() {
        return Err(Malformed::new(1, What::NoEdits));
    }
    Ok(edits)
}

/// Whether a fence was opened directly before a hunk, so that it may be another file's.
fn is_named_anew(before: &[&str]) -> bool {
    before
        .last()
        .is_some_and(|line| is_fence(line) && line.trim().len() > 3)
}

fn header(parts: &mut Vec<Part>, lines: &[&str], at: usize) {
    let name = |line: &str| {
        let name = line[4..].split('\t').next().unwrap_or_default().trim();
        unquoted(name)
    };
    let (from, to) = (name(lines[at]), name(lines[at + 1]));
    let is_fresh = parts.last().is_some_and(|part| part.hunks.is_empty());
    if !is_fresh {
        parts.push(Part {
            line: at + 1,
            ..Part::default()
        });
    }
    if let Some(part) = parts.last_mut() {
        part.is_new |= from == "/dev/null";
        part.is_gone |= to == "/dev/null";
        if !part.is_renamed {
            (part.from, part.to) = (Some(from), Some(to));
        }
    }
}

/// Reads what git says between the names and the hunks.
fn extended(part: &mut Part, line: &str) {
    if let Some(name) = line.strip_prefix("rename from ") {
        part.is_renamed = true;
        part.from = Some(unquoted(name.trim()));
    } else if let Some(name) = line.strip_prefix("rename to ") {
        part.is_renamed = true;
        part.to = Some(unquoted(name.trim()));
    }
    part.is_new |= line.starts_with("new file mode");
    part.is_gone |= line.starts_with("deleted file mode");
}

/// Reads `a/x b/x`.
fn git_names(names: &str) -> Option<(String, String)> {
    let half = names.len() / 2;
    let (from, to) = (names.get(..half)?, names.get(half..)?.strip_prefix(' ')?);
    Some((unquoted(from.trim()), unquoted(to.trim())))
}

/// Takes the quotes off a name that git has quoted; what is escaped in it stays, and is no file's name then.
fn unquoted(name: &str) -> String {
    let inner = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    inner.unwrap_or(name).trim_matches('`').to_owned()
}

/// Reads a hunk, and says which line is behind it.
fn hunk(lines: &[&str], at: usize, is_fenced: bool) -> (Hunk, usize) {
    let counts = hunk_counts(lines[at]).flatten();
    let (mut old, mut new) = counts.unwrap_or((0, 0));
    let has_counts = counts.is_some();
    let mut hunk = Hunk::default();
    let mut blanks = 0;
    let mut next = at + 1;
    while let Some(line) = lines.get(next) {
        // `-- x` that goes and `++ x` that comes look like the names of another file.
        let is_body = has_counts
            && old > 0
            && new > 0
            && (old == 1 && new == 1
                || lines
                    .get(next + 2)
                    .is_some_and(|line| !line.starts_with("@@")));
        let ends = hunk_counts(line).is_some()
            || line.starts_with("diff --git ")
            || is_header(&lines[next..]) && !is_body
            || is_fence(line) && !(has_counts && old + new > 0 && line.starts_with(' '));
        if ends {
            break;
        }
        next += 1;
        if line.starts_with('\\') {
            ended(&mut hunk);
            continue;
        }
        let (sign, text) = match line.chars().next() {
            Some('+') => (Sign::Add, &line[1..]),
            Some('-') => (Sign::Remove, &line[1..]),
            Some(' ') => (Sign::Keep, &line[1..]),
            None => (Sign::Keep, ""),
            // Prose behind the hunk, or a line that has lost its space.
            Some(_) if !is_fenced && old + new == 0 => {
                next -= 1;
                break;
            }
            Some(_) => (Sign::Keep, *line),
        };
        old = old.saturating_sub(usize::from(sign != Sign::Add));
        new = new.saturating_sub(usize::from(sign != Sign::Remove));
        let is_claimed = has_counts && old + new > 0;
        blanks = if line.is_empty() && !is_claimed {
            blanks + 1
        } else {
            0
        };
        hunk.lines.push((sign, text.to_owned()));
    }
    // Blank lines at the end belong to what comes behind, unless they have their space.
    hunk.lines.truncate(hunk.lines.len() - blanks);
    (hunk, next)
}

/// `\ No newline at end of file`: of the new text, unless it stands below a line that goes.
fn ended(hunk: &mut Hunk) {
    match hunk.lines.last() {
        Some((Sign::Remove, _)) => hunk.is_ended = hunk.is_ended.or(Some(true)),
        Some(_) => hunk.is_ended = Some(false),
        None => {}
    }
}

impl Part {
    fn edits(self, known: &dyn Fn(&str) -> bool, edits: &mut Vec<Edit>) -> Result<(), Malformed> {
        let name = |name: Option<String>| {
            let name = name.filter(|name| name != "/dev/null")?;
            let stripped = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/"));
            Some(
                stripped
                    .filter(|_| !known(&name))
                    .map_or_else(|| name.clone(), str::to_owned),
            )
        };
        let (from, to) = (name(self.from), name(self.to));
        let Some(path) = from
            .clone()
            .filter(|from| self.is_renamed || to.is_none() || known(from))
            .or_else(|| to.clone())
        else {
            return Err(Malformed::new(self.line, What::NoName));
        };
        if self.is_gone {
            edits.push(Edit {
                path,
                action: Action::Delete,
            });
            return Ok(());
        }
        let to = to.unwrap_or_else(|| path.clone());
        if self.is_new {
            let text = self
                .hunks
                .iter()
                .flat_map(|hunk| hunk.fresh().flat_map(|line| [line, "\n"]))
                .collect::<String>();
            let is_open = self
                .hunks
                .last()
                .is_some_and(|hunk| hunk.is_ended == Some(false));
            let text = if is_open {
                text.trim_end_matches('\n').to_owned()
            } else {
                text
            };
            edits.push(Edit {
                path: to,
                action: Action::Create { text },
            });
            return Ok(());
        }
        let is_moved = self.is_renamed && to != path;
        if self.hunks.iter().any(|hunk| hunk.lines.is_empty()) || self.hunks.is_empty() && !is_moved
        {
            return Err(Malformed::new(self.line, What::EmptyHunk));
        }
        if is_moved {
            edits.push(Edit {
                path: path.clone(),
                action: Action::Move {
                    to: to.clone(),
                    replaces: false,
                },
            });
        }
        if !self.hunks.is_empty() {
            let path = if is_moved { to } else { path };
            edits.push(Edit {
                path,
                action: Action::Hunks(self.hunks),
            });
        }
        Ok(())
    }
}
