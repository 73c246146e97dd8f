//! Takes a bundle's pack into a store of its own, and looks whether it is what its index says.
//!
//! The user's repository lends its objects and gets none. Every object is looked at by git before it is there; sizes are known before anything is read.

use std::collections::BTreeSet;
use std::path::Path;

use crate::agents::bundle::Bundle;
use crate::agents::commits::{self, Commit};
use crate::ports::git::Store;
use crate::ports::history::History;
use crate::ports::{Git, GitError};

/// No pack is larger.
const LARGEST_PACK: u64 = 64 * 1024 * 1024;

/// No file of a change is larger, and all of them together are not.
const LARGEST_OBJECT: u64 = 16 * 1024 * 1024;
const LARGEST_CHANGE: u64 = 128 * 1024 * 1024;

/// A change has no more objects.
const MOST_OBJECTS: usize = 50_000;

/// Why a pack is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It is not what it should be.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Git(#[from] GitError),
}

fn refused(words: impl Into<String>) -> Trouble {
    Trouble::Refused(words.into())
}

/// Takes a pack in; returns the commits of the run, the head first.
pub(crate) fn unpack(
    git: &dyn Git,
    history: &dyn History,
    store: &Store,
    common_dir: &Path,
    bundle: &Bundle,
    pack: &[u8],
) -> Result<Vec<Commit>, Trouble> {
    git.prepare(store)?;
    git.borrow(store, common_dir)?;
    git.take_pack(store, pack, LARGEST_PACK)
        .map_err(|error| match error {
            GitError::Refused(words) => {
                refused(format!("git takes no such pack: {}", first(&words)))
            }
            error => Trouble::Git(error),
        })?;
    let commits = walk(history, store, bundle)?;
    let head = commits.first();
    if head.is_none_or(|head| head.tree != bundle.head.tree) {
        return Err(refused(
            "the head commit has another tree than the index says",
        ));
    }
    let sizes = git.new_sizes(store, &bundle.head.commit, &bundle.base.commit)?;
    if sizes.len() > MOST_OBJECTS {
        return Err(refused(format!(
            "it brings more than {MOST_OBJECTS} objects"
        )));
    }
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let all = sizes
        .iter()
        .fold(0_u64, |all, size| all.saturating_add(*size));
    if largest > LARGEST_OBJECT || all > LARGEST_CHANGE {
        return Err(refused(format!(
            "it brings {all} bytes, the largest object {largest}: more than {LARGEST_CHANGE}, or {LARGEST_OBJECT} in one"
        )));
    }
    Ok(commits)
}

/// Returns the line of git's that says what is wrong.
fn first(words: &str) -> &str {
    let mut lines = words.lines();
    let told = lines.find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    told.unwrap_or_else(|| words.lines().next().unwrap_or("no reason given"))
}

/// Reads every commit from the head down to the base; each is of the run.
fn walk(history: &dyn History, store: &Store, bundle: &Bundle) -> Result<Vec<Commit>, Trouble> {
    let mut objects = history.objects(&store.git_dir, false)?;
    let mut seen = BTreeSet::from([bundle.head.commit.clone()]);
    let mut next = vec![bundle.head.commit.clone()];
    let mut commits = Vec::new();
    while !next.is_empty() {
        let names = std::mem::take(&mut next);
        let mut found = Vec::with_capacity(names.len());
        objects.read(&names, &mut |_, object| found.push(object))?;
        for (name, object) in names.iter().zip(found) {
            let about = |words: &str| {
                refused(format!(
                    "commit {}: {words}",
                    name.get(..12).unwrap_or(name)
                ))
            };
            let object = object
                .filter(|object| object.kind == "commit" && object.id == *name)
                .ok_or_else(|| about("it is no commit that the pack brings"))?;
            let commit = commits::read(&object.bytes, &bundle.run).map_err(|why| about(&why))?;
            if commit.parents.is_empty() {
                return Err(about("it stands on nothing"));
            }
            for parent in &commit.parents {
                if *parent != bundle.base.commit && seen.insert(parent.clone()) {
                    next.push(parent.clone());
                }
            }
            commits.push(commit);
            if commits.len() > commits::MOST {
                return Err(refused(format!(
                    "it brings more than {} commits",
                    commits::MOST
                )));
            }
        }
    }
    Ok(commits)
}
