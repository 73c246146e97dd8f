//! Parts of rows: each is asked about as if it were the whole.

use std::collections::BTreeMap;

use super::ask::{Ask, Source};
use super::changes::team;
use super::rows::Author;
use super::table::Rows;

/// What parts are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Environment,
    Path,
    Team,
    Author,
}

impl By {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Path => "path",
            Self::Team => "team",
            Self::Author => "author",
        }
    }
}

/// So many parts are shown, those with the most changes.
const MOST_PARTS: usize = 20;

/// Returns the names of the parts that repositories have, the largest first.
pub(crate) fn names<'r>(repositories: impl Iterator<Item = &'r Rows>, by: By) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |name| *counts.entry(name).or_default() += 1;
    for rows in repositories {
        match by {
            By::Environment => {
                let named = rows.deployments.iter();
                named.for_each(|row| count(row.environment.as_str()));
            }
            By::Path => {
                let merged = rows.pulls.iter().filter(|row| row.merged.is_some());
                merged
                    .flat_map(|row| &row.paths)
                    .for_each(|path| count(path));
            }
            By::Team => rows.pulls.iter().filter_map(team).for_each(&mut count),
            By::Author => {
                return Author::ALL.map(|kind| kind.word().to_owned()).to_vec();
            }
        }
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    crate::order::sort_by_key(&mut names, |(name, many)| (std::cmp::Reverse(*many), *name));
    names.truncate(MOST_PARTS);
    let names = names.into_iter();
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Returns what is asked of a part.
pub(crate) fn narrowed<'a>(ask: &Ask<'a>, by: By, name: &'a str) -> Ask<'a> {
    let mut narrow = ask.clone();
    match by {
        By::Environment => {
            narrow.environment = Some(name);
            narrow.sources = &[Source::Deployments];
        }
        By::Path => narrow.path = Some(name),
        By::Team => narrow.team = Some(name),
        By::Author => narrow.author = Author::ALL.into_iter().find(|kind| kind.word() == name),
    }
    narrow
}
