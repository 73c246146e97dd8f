//! Reads what a change is: its paths, and every file before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::planner::Planner;
use crate::change::{Change, Entry, Kind};
use crate::order;
use crate::ports::GitError;

/// A change with its contents.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// In order of path.
    pub(crate) changes: Vec<Change>,
    /// What stands in files and where links lead, by object.
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Changed {
    /// What was read already: the changes in order of path, and what stands in files by object.
    pub(crate) fn of(changes: Vec<Change>, blobs: BTreeMap<String, Vec<u8>>) -> Self {
        Self { changes, blobs }
    }

    /// What somebody means to change: nobody knows what will stand in it.
    pub(crate) fn planned(changes: Vec<Change>) -> Self {
        Self {
            changes,
            blobs: BTreeMap::new(),
        }
    }

    /// Returns what stands in a file, or where a link leads.
    pub(crate) fn content(&self, entry: Option<&Entry>) -> Option<&[u8]> {
        let entry = entry.filter(|entry| entry.kind() != Kind::Submodule)?;
        self.blobs.get(&*entry.object).map(Vec::as_slice)
    }
}

/// Reads what differs between some commits and another one. A path counts when it differs from any of them.
pub(crate) fn read(
    planner: &mut Planner<'_>,
    bases: &[String],
    head: &str,
) -> Result<Changed, GitError> {
    let mut changes = planner.diffs(bases, head)?.concat();
    // Two paths that are no UTF-8 may look alike, and are two all the same: only what was found twice counts once.
    order::sort_by(&mut changes, |one, other| one.path.cmp(&other.path));
    changes.dedup();
    with_contents(planner, changes)
}

/// Reads the files of changes that are known, in order of path.
fn with_contents(planner: &mut Planner<'_>, changes: Vec<Change>) -> Result<Changed, GitError> {
    let sides = changes.iter().flat_map(|change| [&change.old, &change.new]);
    let entries = sides
        .flatten()
        .filter(|entry| entry.kind() != Kind::Submodule);
    let names = entries.map(|entry| entry.object.to_string()).collect();
    let blobs = contents(planner, names)?;
    Ok(Changed { changes, blobs })
}

/// Reads the files of one list of changes.
pub(crate) fn of_known(planner: &mut Planner<'_>, changes: &[Change]) -> Result<Changed, GitError> {
    let mut changes = changes.to_vec();
    order::sort_by(&mut changes, |one, other| one.path.cmp(&other.path));
    with_contents(planner, changes)
}

/// Reads the files of a commit that a change leaves alone, as far as they are wanted.
pub(crate) fn left_alone(
    planner: &mut Planner<'_>,
    head: &str,
    changed: &Changed,
    is_wanted: fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, GitError> {
    let touched: BTreeSet<&str> = changed
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    let tree = planner.list(head)?;
    let wanted: Vec<(String, String)> = tree
        .iter()
        .filter(|(path, listed)| {
            listed.kind() == Kind::File && is_wanted(path) && !touched.contains(path)
        })
        .map(|(path, listed)| (path.to_owned(), listed.object.to_owned()))
        .collect();
    let blobs = contents(
        planner,
        wanted.iter().map(|(_, object)| object.clone()).collect(),
    )?;
    let of = |object: &String| blobs.get(object).cloned().unwrap_or_default();
    Ok(wanted
        .into_iter()
        .map(|(path, object)| (path, of(&object)))
        .collect())
}

fn contents(
    planner: &mut Planner<'_>,
    mut names: Vec<String>,
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    order::sort(&mut names);
    names.dedup();
    planner.prefetch(&names)?;
    let mut blobs = BTreeMap::new();
    let mut missing = None;
    planner.objects.read(&names, &mut |place, object| {
        let name = names.get(place).cloned().unwrap_or_default();
        match object.filter(|object| object.kind == "blob") {
            Some(object) => {
                blobs.insert(name, object.bytes);
            }
            None => missing = Some(name),
        }
    })?;
    match missing {
        // What cannot be looked into is not let through.
        Some(name) => Err(GitError::Refused(format!(
            "the object {name}, which has to be looked into, is not in this clone"
        ))),
        None => Ok(blobs),
    }
}
