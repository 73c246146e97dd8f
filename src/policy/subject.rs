//! What is judged: a change and everything that was said of it.

use jiff::civil::Date;

use super::Target;
use crate::change::{Change, Kind};
use crate::finding::Location;
use crate::money::Usd;

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
    /// The whole file before and after, where it is one; of a link, where it leads.
    pub(crate) old: Option<&'a [u8]>,
    pub(crate) new: Option<&'a [u8]>,
}

/// What models cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) usd: Usd,
    /// What may be spent.
    pub(crate) cap: Usd,
    /// Calls that nobody could price.
    pub(crate) unpriced: u64,
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
    /// What it cost so far; none where nobody knows.
    pub(crate) spent: Option<Spent>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'a> {
    pub(crate) changes: &'a [Change],
    /// In order of path.
    pub(crate) lines: &'a [FileLines<'a>],
    pub(crate) asked: &'a Asked,
    /// What scanners and package managers say; none where nothing was given.
    pub(crate) supplied: Option<&'a crate::supply::Supplied>,
    /// The day on which it is judged, UTC.
    pub(crate) today: Date,
}

impl Subject<'_> {
    /// Returns what changed inside a file.
    pub(crate) fn lines_of(&self, path: &str) -> Option<&FileLines<'_>> {
        let at = self
            .lines
            .binary_search_by(|lines| lines.path.as_str().cmp(path))
            .ok()?;
        self.lines.get(at)
    }

    /// Returns where a link leads to after the change.
    pub(crate) fn link_of(&self, change: &Change) -> Option<String> {
        change
            .new
            .as_ref()
            .filter(|entry| entry.kind() == Kind::Link)?;
        let target = self.lines_of(&change.path)?.new?;
        Some(String::from_utf8_lossy(target).into_owned())
    }

    /// Returns a file as what a breach is about, at the first line that is new.
    pub(crate) fn place(&self, path: &str) -> Target {
        let first = self
            .lines_of(path)
            .filter(|lines| !lines.is_binary)
            .and_then(|lines| lines.added.first());
        Target::Place(Location {
            path: path.to_owned(),
            line: first.map(|line| line.number),
            column: None,
        })
    }
}

impl Asked {
    /// Returns the weight of what nobody said: where there is a pull request, somebody should have.
    pub(crate) fn weight_of_unknown(&self) -> Option<super::Weight> {
        self.number.is_none().then_some(super::Weight::Warn)
    }

    /// Returns those who approved it and did not write it.
    pub(crate) fn others(&self) -> impl Iterator<Item = &str> {
        let is_own = |login: &str| {
            let own = [&self.author, &self.actor].into_iter().flatten();
            own.into_iter().any(|one| one.eq_ignore_ascii_case(login))
        };
        self.approvals
            .iter()
            .map(String::as_str)
            .filter(move |login| !is_own(login))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::Case;
    use super::*;

    #[test]
    fn a_file_is_shown_at_its_first_new_line_where_it_has_lines() {
        let line = |case: Case| {
            let target = case.with(|subject| subject.place("a"));
            let Target::Place(place) = target else {
                panic!("{target:?}");
            };
            assert_eq!(place.path, "a");
            place.line
        };
        assert_eq!(line(Case::default().added("a", "x\n")), Some(1));
        assert_eq!(line(Case::default().changed("a", "x\n", "x\ny\n")), Some(2));
        assert_eq!(line(Case::default().added("a", "\0x\n")), None);
        assert_eq!(line(Case::default().removed("a")), None);
        assert_eq!(line(Case::default().added("b", "x\n")), None);
    }
}
