//! Work trees of a run: each task has one of its own, in a repository that is the run's.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::GitError;
use crate::change::{Change, Kind};

/// The repository of a run: bare, without remotes, credentials and hooks. It reads the user's objects and writes its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunStore {
    /// Where it lies.
    pub(crate) git_dir: PathBuf,
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The tree that has both.
    Clean(String),
    /// The files that both changed in the same place.
    Conflict(Vec<String>),
}

/// A commit of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunCommit {
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
}

/// Work trees of runs.
///
/// Nothing that a work tree holds decides what git does here: neither its `.git` file nor any configuration but the store's own is read.
pub(crate) trait Trees: Send + Sync {
    /// Makes the store, or points it at the user's objects anew; `common_dir` is the user's git directory.
    fn prepare(&self, store: &RunStore, common_dir: &Path) -> Result<(), GitError>;
    /// Makes a work tree of a commit or tree; whatever was there before is gone.
    fn check_out(
        &self,
        store: &RunStore,
        name: &str,
        folder: &Path,
        commit: &str,
    ) -> Result<(), GitError>;
    /// Sets a work tree to what a tree holds; files that are ignored stay.
    fn reset(
        &self,
        store: &RunStore,
        name: &str,
        folder: &Path,
        tree: &str,
    ) -> Result<(), GitError>;
    /// Removes a work tree.
    fn remove(&self, store: &RunStore, name: &str, folder: &Path) -> Result<(), GitError>;
    /// Stores what a work tree holds, without what is ignored, and returns the tree's id.
    fn snapshot(&self, store: &RunStore, name: &str, folder: &Path) -> Result<String, GitError>;
    /// Applies a patch as [`Trees::patch`] writes it to a tree, and returns the new tree's id.
    fn apply(&self, store: &RunStore, tree: &str, patch: &[u8]) -> Result<String, GitError>;
    /// Returns what lies between two trees as a patch that loses nothing, in these files.
    fn patch(
        &self,
        store: &RunStore,
        old: &str,
        new: &str,
        paths: &[String],
    ) -> Result<Vec<u8>, GitError>;
    /// Returns the same for people: without what is not text, whitespace kept.
    fn diff(&self, store: &RunStore, old: &str, new: &str) -> Result<Vec<u8>, GitError>;
    /// Returns what changed between two trees, in order of path.
    fn changes(&self, store: &RunStore, old: &str, new: &str) -> Result<Vec<Change>, GitError>;
    /// Returns the id of a commit's tree, or of a tree.
    fn tree_of(&self, store: &RunStore, commit: &str) -> Result<String, GitError>;
    /// Merges two commits without a work tree.
    fn merge(&self, store: &RunStore, ours: &str, theirs: &str) -> Result<Merged, GitError>;
    /// Stores a commit, and returns its id.
    fn commit(&self, store: &RunStore, commit: &RunCommit) -> Result<String, GitError>;
    /// Returns the paths of a tree.
    fn paths(&self, store: &RunStore, tree: &str) -> Result<Vec<String>, GitError>;
    /// Returns the paths of a tree with what they are, in order of bytes.
    fn listed(&self, store: &RunStore, tree: &str) -> Result<Vec<(String, Kind)>, GitError>;
    /// Returns a file of a tree; none when there is none.
    fn file(&self, store: &RunStore, tree: &str, path: &str) -> Result<Option<Vec<u8>>, GitError>;
    /// Writes everything between two commits to a file, under one ref.
    fn bundle(
        &self,
        store: &RunStore,
        base: &str,
        head: &str,
        name: &str,
        file: &Path,
    ) -> Result<(), GitError>;
}
