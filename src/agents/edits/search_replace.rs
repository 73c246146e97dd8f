//! SEARCH/REPLACE blocks, as aider asks for them (`aider/coders/editblock_coder.py`, 5dc9490, says what it takes) and Cline does.
//!
//! A block is five to nine `<` and ` SEARCH`, the lines that are there, five to nine `=`, the lines that come, five to nine `>` and ` REPLACE`;
//! the file's name stands before it, or is that of the block before.

use super::names;
use super::{Action, Edit, Malformed, What};

/// What stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Block {
        name: String,
        search: String,
        replace: String,
    },
    /// Commands for a shell, fenced as such.
    Shell(String),
}

/// What a line is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Head,
    Divider,
    End,
}

fn mark(line: &str) -> Option<Mark> {
    let line = line.trim();
    let sign = line
        .chars()
        .next()
        .filter(|sign| matches!(sign, '<' | '=' | '>' | '-' | '+'))?;
    let rest = line.trim_start_matches(sign);
    if !(5..=9).contains(&(line.len() - rest.len())) {
        return None;
    }
    match (sign, rest) {
        ('=', "") => Some(Mark::Divider),
        ('<' | '-', " SEARCH" | " SEARCH>") => Some(Mark::Head),
        ('>' | '+', " REPLACE") => Some(Mark::End),
        ('<', rest) => head_name(rest).map(|_| Mark::Head),
        _ => None,
    }
}

/// The name of a file behind `SEARCH`, where some models put it.
fn head_name(rest: &str) -> Option<&str> {
    let name = rest
        .strip_prefix(" SEARCH")?
        .trim_start_matches([' ', ':', '>'])
        .trim_matches('`');
    names::is_path(name).then_some(name)
}

pub(super) fn begins(line: &str) -> bool {
    mark(line) == Some(Mark::Head)
}

/// Languages whose fence holds commands, by the beginnings of their names.
const SHELLS: [&str; 10] = [
    "bash",
    "sh",
    "cmd",
    "batch",
    "powershell",
    "ps1",
    "zsh",
    "fish",
    "ksh",
    "csh",
];

fn opens_shell(line: &str) -> bool {
    let Some(info) = line.trim().strip_prefix("```") else {
        return false;
    };
    info.starts_with("tcsh") || SHELLS.iter().any(|shell| info.starts_with(shell))
}

/// Returns the commands of the first shell's block.
pub(super) fn commands(lines: &[&str]) -> Option<String> {
    let at = lines.iter().position(|line| opens_shell(line))?;
    let inner = lines
        .iter()
        .skip(at + 1)
        .take_while(|line| !line.trim().starts_with("```"));
    Some(inner.flat_map(|line| [line, "\n"]).collect())
}

/// Reads all blocks, in order.
pub(super) fn items(lines: &[&str], known: &dyn Fn(&str) -> bool) -> Result<Vec<Item>, Malformed> {
    let mut items = Vec::new();
    let mut current: Option<String> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let begins_soon = lines.iter().skip(at + 1).take(2).any(|line| begins(line));
        if opens_shell(line) && !begins_soon {
            let inner = lines
                .iter()
                .skip(at + 1)
                .take_while(|line| !line.trim().starts_with("```"));
            let text: String = inner.clone().flat_map(|line| [line, "\n"]).collect();
            at += 2 + inner.count();
            items.push(Item::Shell(text));
            continue;
        }
        if !begins(line) {
            at += 1;
            continue;
        }
        let name = name(lines, at, current.as_deref(), known)
            .ok_or(Malformed::new(at + 1, What::NoName))?;
        current = Some(name.clone());
        let (search, replace, next) = block(lines, at)?;
        items.push(Item::Block {
            name,
            search,
            replace,
        });
        at = next;
    }
    Ok(items)
}

/// The file of the block that begins at a line.
fn name(
    lines: &[&str],
    at: usize,
    current: Option<&str>,
    known: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let own = head_name(lines[at].trim().trim_start_matches('<'));
    if let Some(own) = own {
        return Some(own.to_owned());
    }
    let found = names::before(&lines[..at], known);
    match (found, current) {
        // A sentence is no name where there is one already.
        (Some(found), Some(current)) if !known(&found) && !names::is_path(&found) => {
            Some(current.to_owned())
        }
        (Some(found), _) => Some(found),
        (None, current) => current.map(str::to_owned),
    }
}

/// Reads one block: its two texts, and the line behind it.
fn block(lines: &[&str], at: usize) -> Result<(String, String, usize), Malformed> {
    let text = |from: usize, to: usize| -> String {
        lines[from..to]
            .iter()
            .flat_map(|line| [line, "\n"])
            .collect()
    };
    let next = |from: usize| {
        lines
            .iter()
            .enumerate()
            .skip(from)
            .find_map(|(at, line)| Some((at, mark(line)?)))
    };
    let lacks = |what| Malformed::new(at + 1, what);
    let Some((divider, Mark::Divider)) = next(at + 1) else {
        return Err(lacks(What::NoDivider));
    };
    match next(divider + 1) {
        Some((end, Mark::End)) => Ok((text(at + 1, divider), text(divider + 1, end), end + 1)),
        Some((end, Mark::Divider)) => {
            // Some models end a block so. But where an end follows, one of the two dividers belongs to a text.
            let behind = next(end + 1);
            let is_blank = |to: usize| lines[end + 1..to].iter().all(|line| line.trim().is_empty());
            if let Some((far, Mark::End | Mark::Divider)) = behind
                && !is_blank(far)
            {
                return Err(lacks(What::TwoDividers));
            }
            Ok((text(at + 1, divider), text(divider + 1, end), end + 1))
        }
        _ => Err(lacks(What::NoEnd)),
    }
}

pub(super) fn parse(lines: &[&str], known: &dyn Fn(&str) -> bool) -> Result<Vec<Edit>, Malformed> {
    let edits = items(lines, known)?
        .into_iter()
        .filter_map(|item| match item {
            Item::Shell(_) => None,
            Item::Block {
                name,
                search,
                replace,
            } if search.is_empty() && !known(&name) => Some(Edit {
                path: name,
                action: Action::Create { text: replace },
            }),
            Item::Block {
                name,
                search,
                replace,
            } => Some(Edit {
                path: name,
                action: Action::Replace { search, replace },
            }),
        });
    Ok(edits.collect())
}
