//! What is needed of the user's own repository: its objects, its trees, what differs, and more of it where a clone is not whole.

use std::path::Path;
use std::time::Duration;

use super::Drain;
use super::GitError;

/// An object of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Full id.
    pub(crate) id: String,
    /// `commit`, `tree`, `blob` or `tag`.
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

/// A repository's objects, by one process that stays.
pub(crate) trait Objects: Send {
    /// Hands out objects by id or revision, in order; nothing for what is not there.
    fn read(
        &mut self,
        names: &[String],
        take: &mut dyn FnMut(usize, Option<Object>),
    ) -> Result<(), GitError>;
}

/// How much more of the past a shallow clone is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// So many commits more, from where it ends.
    More(u32),
    /// The commits that are named, without what came before.
    Tip,
    /// All of it.
    All,
    /// As much as the clone has of everything else.
    Same,
}

/// The user's own repository.
pub(crate) trait History: Send + Sync {
    /// Starts a process that hands out objects. Without `lazily` it asks no remote for one that is missing.
    fn objects(&self, folder: &Path, lazily: bool) -> Result<Box<dyn Objects>, GitError>;
    /// Returns `git ls-tree -r -z` of a commit.
    fn list_tree(&self, folder: &Path, commit: &str) -> Result<Vec<u8>, GitError>;
    /// Returns `git diff-tree -r -z --raw --no-renames` between two commits.
    fn raw_diff(&self, folder: &Path, old: &str, new: &str) -> Result<Vec<u8>, GitError>;
    /// Returns every best common ancestor of two commits; none when they have none, or when the clone does not hold it.
    fn merge_bases(&self, folder: &Path, one: &str, other: &str) -> Result<Vec<String>, GitError>;
    /// Whether a shallow clone ends somewhere between two commits and their common ancestors: then there may be others.
    fn is_cut(
        &self,
        folder: &Path,
        one: &str,
        other: &str,
        ancestors: &[String],
    ) -> Result<bool, GitError>;
    /// Reads `git log --first-parent -m --raw -z --no-renames` of the last commits, newest first.
    fn first_parents(
        &self,
        folder: &Path,
        tip: &str,
        most: usize,
        drain: Drain<'_>,
    ) -> Result<(), GitError>;
    /// Reads `git log` of what is checked out and of all tags, in a format of the caller's, newest first.
    fn commits(&self, folder: &Path, format: &str, drain: Drain<'_>) -> Result<(), GitError>;
    /// Returns `git for-each-ref` of the tags, in a format of the caller's.
    fn tags(&self, folder: &Path, format: &str) -> Result<Vec<u8>, GitError>;
    /// Whether the clone ends somewhere before the first commit.
    fn is_shallow(&self, common_dir: &Path) -> bool;
    /// Whether blobs may be missing that a remote has.
    fn is_partial(&self, common_dir: &Path) -> bool;
    /// Returns those of some objects that are not here.
    fn missing(&self, folder: &Path, objects: &[String]) -> Result<Vec<String>, GitError>;
    /// Fetches objects into a partial clone, all at once.
    fn fetch_objects(
        &self,
        folder: &Path,
        remote: &str,
        objects: &[String],
    ) -> Result<(), GitError>;
    /// Asks a remote which commit a branch is at; nothing when it has no such branch.
    fn remote_tip(
        &self,
        folder: &Path,
        remote: &str,
        branch: &str,
        deadline: Duration,
    ) -> Result<Option<String>, GitError>;
    /// Fetches commits or refs of a remote; no ref of the clone moves but those that the refspecs name.
    fn fetch_commits(
        &self,
        folder: &Path,
        remote: &str,
        refspecs: &[String],
        depth: Depth,
        deadline: Duration,
    ) -> Result<(), GitError>;
    /// Stores the work tree as it stands, and returns the tree's id; nothing else of the repository changes.
    fn tree_of_work(&self, folder: &Path) -> Result<String, GitError>;
}
