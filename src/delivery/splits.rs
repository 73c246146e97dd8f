//! The metrics of parts: each part is asked about as if it were the whole.

use std::collections::BTreeMap;

use super::ask::{Ask, Source};
use super::changes::team;
use super::metrics::{self, Metric};
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

/// Returns the names of the parts that rows have, the largest first.
pub(crate) fn names(rows: &Rows, by: By) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |name| *counts.entry(name).or_default() += 1;
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
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    crate::order::sort_by_key(&mut names, |(name, many)| (std::cmp::Reverse(*many), *name));
    names.truncate(MOST_PARTS);
    let names = names.into_iter();
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Works out the metrics of a part.
pub(crate) fn part(rows: &Rows, ask: &Ask<'_>, by: By, name: &str) -> Vec<Metric> {
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
    metrics::of(rows, &narrow, &mut |_, metrics| metrics)
}
