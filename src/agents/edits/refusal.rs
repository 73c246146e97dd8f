//! Why edits were not applied, in words for the model that wrote them: which one, where it may have been meant, what to do.

use std::fmt::{self, Write as _};

use super::adapt::Doubt;
use super::levels::Level;

/// No edit was applied, because of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) failures: Vec<Failure>,
    /// How many edits there were.
    pub(crate) of: usize,
}

/// An edit that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Which one, counted from one.
    pub(crate) edit: usize,
    /// Which hunk of it, counted from one, where it has more than one.
    pub(crate) hunk: Option<usize>,
    pub(crate) path: String,
    pub(crate) why: Why,
}

/// Lines of a file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The number of the first, and of the one that is meant.
    pub(crate) from: usize,
    pub(crate) at: usize,
    pub(crate) lines: Vec<String>,
    /// What the edit has and what the file has, where they differ.
    pub(crate) differs: Vec<(usize, String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// What is wrong with the path, in words that follow "the path".
    Path(&'static str),
    /// There is no such file, but these.
    NoFile(Vec<String>),
    /// It is there, and was to be made.
    Exists,
    /// It is what no edit may touch, in words that follow "it is".
    NoText(&'static str),
    /// Nothing would change.
    NoOp,
    /// It does not say where.
    NoPlace,
    /// Its lines are not in the file.
    Missing {
        nearest: Vec<Excerpt>,
        is_done: Option<usize>,
    },
    /// Its lines are there more than once.
    Ambiguous {
        level: Level,
        count: usize,
        places: Vec<Excerpt>,
    },
    /// It was found, but what it means there is not clear.
    Doubtful { line: usize, doubt: Doubt },
    /// The line that it stands below is not there, or not once.
    Scope { scope: String, count: usize },
    /// Two hunks touch the same lines.
    Overlap { line: usize },
    /// A line that stands for others.
    Elided(String),
}

/// How long a text for a model may become, in bytes; how many failures are told in full; how much of a line.
const MOST_BYTES: usize = 8_000;
const MOST_FAILURES: usize = 8;
const MOST_OF_LINE: usize = 160;

impl Refusal {
    /// Returns what is told to the model.
    pub(crate) fn for_model(&self) -> String {
        let of = self.of;
        let mut text = match self.failures.len() {
            1 if of == 1 => "The edit does not fit, so nothing was changed.\n".to_owned(),
            1 => format!("1 of {of} edits does not fit, so none was applied.\n"),
            count => format!("{count} of {of} edits do not fit, so none was applied.\n"),
        };
        for (nth, failure) in self.failures.iter().enumerate() {
            let one = failure.told(of);
            if nth == MOST_FAILURES || text.len() + one.len() > MOST_BYTES {
                let names = self
                    .failures
                    .iter()
                    .skip(nth)
                    .take(40)
                    .map(|failure| failure.edit.to_string());
                let names: Vec<String> = names.collect();
                _ = write!(
                    text,
                    "\nNor do these, for which there is no room here: {}.\n",
                    names.join(", ")
                );
                break;
            }
            text.push('\n');
            text.push_str(&one);
        }
        text.push_str("\nSend all edits again, with these put right: what was not applied is not in the files.\n");
        text
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, failure) in self.failures.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "; " };
            write!(
                out,
                "{comma}edit {} of `{}`: {}",
                failure.edit,
                shortened(&failure.path),
                failure.why
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(what) => write!(out, "the path {what}"),
            Self::NoFile(_) => out.write_str("there is no such file"),
            Self::Exists => out.write_str("the file is there already"),
            Self::NoText(what) => write!(out, "it is {what}"),
            Self::NoOp => {
                out.write_str("nothing would change: search and replacement are the same")
            }
            Self::NoPlace => {
                out.write_str("it has no line of the file, so that its place is not known")
            }
            Self::Missing { .. } => out.write_str("its lines are not in the file"),
            Self::Ambiguous { level, count, .. } => write!(
                out,
                "its lines are in the file {count} times, compared {}",
                level.words()
            ),
            Self::Doubtful { line, doubt } => {
                write!(out, "it was found at line {line}, but {doubt}")
            }
            Self::Scope { scope, count: 0 } => write!(
                out,
                "the line `{}` that it stands below is not in the file",
                shortened(scope)
            ),
            Self::Scope { scope, count } => write!(
                out,
                "the line `{}` that it stands below is in the file {count} times",
                shortened(scope)
            ),
            Self::Overlap { line } => {
                write!(out, "another hunk changes the same place, line {line}")
            }
            Self::Elided(line) => write!(
                out,
                "`{}` stands for lines that would be lost",
                shortened(line)
            ),
        }
    }
}

impl Failure {
    fn told(&self, of: usize) -> String {
        let mut text = if of == 1 {
            "The edit".to_owned()
        } else {
            format!("Edit {}", self.edit)
        };
        if let Some(hunk) = self.hunk {
            _ = write!(text, ", hunk {hunk}");
        }
        _ = writeln!(text, " of `{}`: {}.", shortened(&self.path), self.why);
        let advice = match &self.why {
            Why::Path(_) => "Write it from the top of the repository, with `/`, within it.",
            Why::NoFile(near) => {
                if !near.is_empty() {
                    let near: Vec<String> = near
                        .iter()
                        .map(|path| format!("`{}`", shortened(path)))
                        .collect();
                    _ = writeln!(text, "There is {}.", near.join(", "));
                }
                "Name a file that is there, or create this one."
            }
            Why::Exists => "Replace the lines of it that change, or delete it first.",
            Why::NoText(_) => "Leave it as it is.",
            Why::NoOp => "Leave the edit out, or write what is to be there instead.",
            Why::NoPlace => "Add the lines around the place, as they stand in the file.",
            Why::Missing { nearest, is_done } => {
                if let Some(line) = is_done {
                    _ = writeln!(
                        text,
                        "The replacement is there already, at line {line}: if that is the change, leave the edit out."
                    );
                }
                for near in nearest {
                    near.tell("Most like them is what begins at", &mut text);
                }
                "Copy the lines from the file as it stands, to the character."
            }
            Why::Ambiguous { places, count, .. } => {
                for place in places {
                    place.tell("They are at", &mut text);
                }
                if *count > places.len() {
                    _ = writeln!(text, "And {} times more.", count - places.len());
                }
                "Add lines above or below until only one place is meant."
            }
            Why::Doubtful { .. } => {
                "Copy whole lines from the file, with their indentation and to the character, and write the new ones in the same way."
            }
            Why::Scope { .. } => "Copy one line that is there once.",
            Why::Overlap { .. } => "Make one hunk of the two.",
            Why::Elided(_) => "Write these lines out, or replace only the lines that change.",
        };
        _ = writeln!(text, "{advice}");
        text
    }
}

impl Excerpt {
    fn tell(&self, words: &str, text: &mut String) {
        _ = writeln!(text, "{words} line {}:", self.at);
        for (nth, line) in self.lines.iter().enumerate() {
            _ = writeln!(text, "{:>5} | {}", self.from + nth, shortened(line));
        }
        for (nth, ours, theirs) in &self.differs {
            _ = writeln!(
                text,
                "Line {nth} of the edit is `{}`, where the file has `{}`.",
                shortened(ours),
                shortened(theirs)
            );
        }
    }
}

/// Cuts a line that is too long, and says so.
fn shortened(line: &str) -> String {
    let mut cut: String = line.chars().take(MOST_OF_LINE).collect();
    if cut.len() < line.len() {
        cut.push('\u{2026}');
    }
    cut.replace(['\r', '\n'], " ")
}
