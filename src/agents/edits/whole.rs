//! Whole files, each in a fence below its name or with it in the fence's own line (fences: `CommonMark` 0.31.2, section 4.5).

use super::names;
use super::peel::is_fence;
use super::search_replace::commands;
use super::{Action, Edit, Malformed, What};

/// A fence that is open.
struct Fence<'l> {
    /// What it is made of; nothing for a tag.
    sign: Option<char>,
    length: usize,
    indent: usize,
    close: &'l str,
}

impl<'l> Fence<'l> {
    fn opened_by(line: &'l str) -> Option<Self> {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if is_fence(line) {
            let sign = bare.chars().next()?;
            let length = bare.len() - bare.trim_start_matches(sign).len();
            return Some(Self {
                sign: Some(sign),
                length,
                indent,
                close: "",
            });
        }
        names::tag(line)?;
        let tag = bare.split('>').next()?.strip_prefix('<')?;
        Some(Self {
            sign: None,
            length: 0,
            indent,
            close: tag,
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let bare = line.trim();
        match self.sign {
            Some(sign) => {
                line.len() - line.trim_start().len() <= self.indent + 3
                    && bare.len() >= self.length
                    && bare.chars().all(|c| c == sign)
            }
            None => {
                bare.strip_prefix("</")
                    .and_then(|rest| rest.strip_suffix('>'))
                    == Some(self.close)
            }
        }
    }

    /// Whether a line would open another fence of the same kind.
    fn is_reopened_by(&self, line: &str) -> bool {
        let inner = Fence::opened_by(line);
        inner.is_some_and(|inner| {
            inner.sign == self.sign
                && inner.length >= self.length
                && inner.indent <= self.indent + 3
        })
    }
}

pub(super) fn parse(lines: &[&str], known: &dyn Fn(&str) -> bool) -> Result<Vec<Edit>, Malformed> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some(fence) = Fence::opened_by(line) else {
            at += 1;
            continue;
        };
        let inner = lines
            .iter()
            .skip(at + 1)
            .take_while(|line| !fence.is_closed_by(line));
        let end = at + 1 + inner.clone().count();
        if let Some(path) = name(lines, at, known) {
            if inner.clone().any(|line| fence.is_reopened_by(line)) {
                return Err(Malformed::new(at + 1, What::FenceInFile));
            }
            if end == lines.len() {
                return Err(Malformed::new(at + 1, What::OpenFile));
            }
            if edits.iter().any(|edit| edit.path == path) {
                return Err(Malformed::new(
                    at + 1,
                    What::Form(format!("the file `{path}` is given twice")),
                ));
            }
            let strip = |line: &&'_ str| -> String {
                let white = line.len() - line.trim_start_matches(' ').len();
                line.get(white.min(fence.indent)..)
                    .unwrap_or_default()
                    .to_owned()
                    + "\n"
            };
            let text: String = inner.map(strip).collect();
            let action = if known(&path) {
                Action::Whole { text }
            } else {
                Action::Create { text }
            };
            edits.push(Edit { path, action });
        } else if let Some(last) = edits.last()
            && line.trim().chars().all(|c| Some(c) == fence.sign)
            && is_document(&last.path)
        {
            // A fence that says nothing may be the inside of the document before.
            return Err(Malformed::new(at + 1, What::FenceInFile));
        }
        at = end + 1;
    }
    if edits.is_empty() {
        let what = commands(lines).map_or(What::NoEdits, What::OnlyCommands);
        return Err(Malformed::new(1, what));
    }
    Ok(edits)
}

/// The name of the file that a fence holds: in its line, or alone on the line before, or on the one before that if a blank line is between.
fn name(lines: &[&str], at: usize, known: &dyn Fn(&str) -> bool) -> Option<String> {
    let own = names::alone(lines.get(at)?, known);
    own.or_else(|| {
        let above = lines.get(..at)?.iter().rev().take(2);
        let line = above
            .skip_while(|line| line.trim().is_empty())
            .find(|line| !line.trim().is_empty())?;
        names::alone(line, known).filter(|_| !is_fence(line))
    })
}

fn is_document(path: &str) -> bool {
    let ending = path
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(
        ending.as_str(),
        "md" | "mdx" | "markdown" | "rst" | "txt" | "adoc" | "qmd"
    )
}
