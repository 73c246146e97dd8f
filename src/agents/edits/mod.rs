//! How the changes that a model writes become changes of files: SEARCH/REPLACE blocks, unified diffs, whole files, codex' patches, and the edits
//! of an answer that has a form.
//!
//! Invariant: all or none; and never in a place that is only likely. What a model gets wrong in its own way (white space, line ends, quotes, numbers,
//! fences) is seen through where one place is left, and refused where there are two.

mod adapt;
mod apply;
mod fit;
mod fragment;
mod hunk;
mod indent;
mod levels;
mod names;
mod nearest;
mod peel;
mod refusal;
mod search_replace;
mod structured;
mod text;
mod unified;
mod v4a;
mod whole;

#[cfg(test)]
#[path = "../../../tests/edits/mod.rs"]
mod judged;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use apply::{FileChange, Found, Tree, apply};
pub(crate) use hunk::Hunk;
#[cfg(test)]
pub(crate) use hunk::Sign;
#[cfg(test)]
pub(crate) use refusal::Refusal;
pub(crate) use structured::structured;

/// A change of one file, as a model wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// As the model wrote it, but for what marks it as a path.
    pub(crate) path: String,
    pub(crate) action: Action,
}

/// What is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A file that is not there gets a text.
    Create {
        text: String,
    },
    /// A file gets a text, whether it is there or not.
    Whole {
        text: String,
    },
    Delete,
    /// It goes elsewhere, over what is there or not.
    Move {
        to: String,
        replaces: bool,
    },
    /// A text that is there once gives way to another.
    Replace {
        search: String,
        replace: String,
    },
    /// Lines change in several places, all found in the file as it was before the first of them.
    Hunks(Vec<Hunk>),
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The line of the answer, counted from one.
    pub(crate) line: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum What {
    #[error("no edit was found")]
    NoEdits,
    #[error("no edit was found, but commands for a shell, which nobody runs: `{0}`")]
    OnlyCommands(String),
    #[error("a block names no file: write its path on the line before the block's fence")]
    NoName,
    #[error("a block has no `=======` after its SEARCH")]
    NoDivider,
    #[error("a block has no `>>>>>>> REPLACE`")]
    NoEnd,
    #[error(
        "a block has `=======` more than once, so that it is not clear where the search ends: take fewer lines, or other ones"
    )]
    TwoDividers,
    #[error("a hunk has no lines")]
    EmptyHunk,
    #[error("a line of a patch is no part of one: `{0}`")]
    Stray(String),
    #[error("the patch has no `{0}`")]
    Lacks(&'static str),
    #[error(
        "a fence stands inside a file, so that it is not clear where the file ends: fence the file with more backticks than it has in a row"
    )]
    FenceInFile,
    #[error("the file that begins here is not closed by a fence")]
    OpenFile,
    #[error("{0}")]
    Form(String),
}

impl Malformed {
    fn new(line: usize, what: What) -> Self {
        Self { line, what }
    }

    /// Returns what is told to the model.
    pub(crate) fn for_model(&self) -> String {
        format!(
            "The edits cannot be read, so nothing was changed. Line {} of the answer: {}.\n",
            self.line, self.what
        )
    }
}

/// Reads the edits out of a model's free text, in whichever form they are; `known` says whether a file is there.
pub(crate) fn parse(answer: &str, known: &dyn Fn(&str) -> bool) -> Result<Vec<Edit>, Malformed> {
    let lines: Vec<&str> = answer.lines().collect();
    if lines.iter().any(|line| v4a::begins(line)) {
        return v4a::parse(&lines);
    }
    if lines.iter().any(|line| search_replace::begins(line)) {
        return search_replace::parse(&lines, known);
    }
    if unified::is_there(&lines) {
        return unified::parse(&lines, known);
    }
    whole::parse(&lines, known)
}
