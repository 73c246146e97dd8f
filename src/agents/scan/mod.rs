//! Looks over everything that leaves a run: the change, the texts of its pull request, the messages of its commits.
//!
//! Rules are exact and few. What a policy judges already (paths, sizes, licences) is left to it. To add a rule: one file here, one row in the table below.
//! A finding that blocks keeps everything here; `allow` lets those of some rules through, for whoever asked for such a change.

use std::collections::BTreeSet;

use super::canaries::Canaries;
use crate::order;
use crate::policy::subject::FileLines;

/// What follows from a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// It is said, in the pull request too.
    Warn,
    /// Nothing leaves.
    Block,
}

impl Weight {
    /// Returns its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A file of the change.
    File { path: String, line: Option<u32> },
    /// A text beside it, as `pull request body`.
    Text { name: String, line: u32 },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, line: None } => f.write_str(path),
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{path}:{line}"),
            Self::Text { name, line } => write!(f, "{name}:{line}"),
        }
    }
}

/// Something that should not leave, or that somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rule: &'static About,
    pub(crate) weight: Weight,
    pub(crate) place: Place,
    /// What was seen; never a secret.
    pub(crate) observed: String,
}

/// What a rule is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// In one line.
    pub(crate) what: &'static str,
    pub(crate) fix: &'static str,
    /// Whether somebody may let it through.
    pub(crate) may_be_allowed: bool,
}

/// A text that leaves beside the files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// As `pull request title`.
    pub(crate) name: &'a str,
    pub(crate) words: &'a str,
    pub(crate) kind: TextKind,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// What is made inert before it is shown.
    Tamed,
    /// A commit's message, which goes out as it is.
    Message,
    /// What nobody renders: the blackboard, a command line.
    Plain,
}

/// Everything that leaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outgoing<'a> {
    /// Changed files, in order of path.
    pub(crate) files: &'a [FileLines<'a>],
    pub(crate) texts: &'a [Text<'a>],
    /// Where they are known.
    pub(crate) canaries: Option<&'a Canaries>,
}

struct Rule {
    about: &'static About,
    look: fn(&Outgoing<'_>, &mut dyn FnMut(Weight, Place, String)),
}

macro_rules! rules {
    ($($module:ident;)+) => {
        $(mod $module;)+

        /// Every rule, in order of name.
        const RULES: &[Rule] = &[$(Rule { about: &$module::ABOUT, look: $module::look }),+];
    };
}

rules! {
    blobs;
    calls;
    canary;
    hosts;
    instructions;
    phones_home;
    secrets;
    unseen;
}

/// Of one rule no more findings are told.
const MOST: usize = 50;

/// Returns what each rule is, in order of name.
pub(crate) fn abouts() -> impl Iterator<Item = &'static About> {
    RULES.iter().map(|rule| rule.about)
}

/// Returns the names of rules whose findings may be let through.
pub(crate) fn allowable() -> Vec<&'static str> {
    abouts()
        .filter(|about| about.may_be_allowed)
        .map(|about| about.name)
        .collect()
}

/// Looks everything over; what blocks comes first. What is allowed only warns.
pub(crate) fn scan(outgoing: &Outgoing<'_>, allow: &BTreeSet<String>) -> Vec<Found> {
    let mut all = Vec::new();
    for rule in RULES {
        let is_allowed = rule.about.may_be_allowed && allow.contains(rule.about.name);
        let mut found = Vec::new();
        (rule.look)(outgoing, &mut |weight, place, observed| {
            found.push(Found {
                rule: rule.about,
                weight: if is_allowed { Weight::Warn } else { weight },
                place,
                observed,
            });
        });
        order::sort_by(&mut found, |one, other| {
            (other.weight, &one.place).cmp(&(one.weight, &other.place))
        });
        found.truncate(MOST);
        all.append(&mut found);
    }
    order::sort_by_key(&mut all, |found| std::cmp::Reverse(found.weight));
    all
}

/// What takes a line: its place, its bytes, and where it is from.
type TakeLine<'a, 't> = &'t mut dyn FnMut(&dyn Fn() -> Place, &'a [u8], Origin<'a>);

/// Hands out every line that leaves: those that files gain, then those of texts.
fn each_line<'a>(outgoing: &Outgoing<'a>, take: TakeLine<'a, '_>) {
    for file in outgoing.files.iter().filter(|file| !file.is_binary) {
        for line in &file.added {
            let place = || Place::File {
                path: file.path.clone(),
                line: Some(line.number),
            };
            take(&place, line.text, Origin::File(file));
        }
    }
    for text in outgoing.texts {
        for (number, line) in (1..).zip(text.words.lines()) {
            let place = || Place::Text {
                name: text.name.to_owned(),
                line: number,
            };
            take(&place, line.as_bytes(), Origin::Text(text));
        }
    }
}

/// Where a line is from.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    File(&'a FileLines<'a>),
    Text(&'a Text<'a>),
}

/// Whether a file is there to be tested with: what looks dangerous in it may be meant.
fn is_for_tests(path: &str) -> bool {
    let lower = path.to_lowercase();
    let folders = [
        "fixtures",
        "testdata",
        "test-data",
        "tests",
        "test",
        "examples",
        "snapshots",
        "__snapshots__",
    ];
    lower
        .rsplit_once('/')
        .is_some_and(|(folder, _)| folder.split('/').any(|part| folders.contains(&part)))
}

#[cfg(test)]
mod tests;
