//! What is judged: a change and everything that was said of it.

use jiff::civil::Date;

use crate::change::Change;

/// A line that a change adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddedLine<'a> {
    pub(crate) number: u32,
    pub(crate) text: &'a [u8],
}

/// What changed inside a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileLines<'a> {
    pub(crate) path: String,
    pub(crate) is_binary: bool,
    pub(crate) added: Vec<AddedLine<'a>>,
    pub(crate) deleted: u64,
}

/// Who wants it, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    pub(crate) number: Option<u64>,
    pub(crate) title: Option<String>,
    pub(crate) head_branch: Option<String>,
    pub(crate) base_branch: Option<String>,
    /// Who opened it, who pushed last, who started this run.
    pub(crate) author: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) triggering_actor: Option<String>,
    /// As GitHub says it: `MEMBER`, `CONTRIBUTOR`, `NONE`…
    pub(crate) association: Option<String>,
    pub(crate) is_bot: bool,
    /// An agent wrote it: a task of `run-agents`, or an author that the policy names.
    pub(crate) is_agent: bool,
    pub(crate) is_fork: bool,
    pub(crate) labels: Vec<String>,
    /// Persons who approved this very head.
    pub(crate) approvals: Vec<String>,
    pub(crate) teams: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'a> {
    pub(crate) changes: &'a [Change],
    pub(crate) lines: &'a [FileLines<'a>],
    pub(crate) asked: &'a Asked,
    /// What scanners and package managers say; none where nothing was given.
    pub(crate) supplied: Option<&'a crate::supply::Supplied>,
    /// The day on which it is judged, UTC.
    pub(crate) today: Date,
}
