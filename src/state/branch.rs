//! The tree of a state branch: segments as blobs, changes gathered until they become one commit.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use jiff::Timestamp;

use super::disk::StateError;
use super::shared::TOP;
use super::tree::{Change, Tree};
use crate::ports::git::{NewCommit, Store};
use crate::ports::{Drain, Git, GitError};

/// A file that a commit changes: its path from the top, and its bytes; none where it goes.
pub(crate) type ChangedFile = (String, Option<Vec<u8>>);

/// Puts commits on a branch, for remotes where a push may not.
pub(crate) trait Publish {
    /// Puts changed files on top of a commit, or of nothing, and moves the branch there; returns the new commit, or nothing when
    /// somebody else was faster.
    fn publish(
        &self,
        branch: &str,
        old: Option<&str>,
        files: &[ChangedFile],
        message: &str,
    ) -> Result<Option<String>, StateError>;
}

pub(super) struct BranchTree<'w> {
    git: &'w dyn Git,
    store: &'w Store,
    /// The commit that it begins with.
    tip: Option<String>,
    /// Blobs by path below the top, as they are now.
    blobs: BTreeMap<String, String>,
    /// What differs from the commit.
    changes: BTreeMap<String, Option<String>>,
    /// What messages call it.
    name: String,
}

impl<'w> BranchTree<'w> {
    /// Opens the tree of a commit, or an empty one.
    pub(super) fn open(
        git: &'w dyn Git,
        store: &'w Store,
        tip: Option<&str>,
        name: &str,
    ) -> Result<Self, StateError> {
        let mut blobs = BTreeMap::new();
        if let Some(tip) = tip {
            for file in git.files_of(store, tip, TOP)? {
                let short = file.path.strip_prefix(TOP).unwrap_or_default();
                if file.is_file {
                    blobs.insert(short.trim_start_matches('/').to_owned(), file.object);
                }
            }
        }
        Ok(Self {
            git,
            store,
            tip: tip.map(str::to_owned),
            blobs,
            changes: BTreeMap::new(),
            name: name.to_owned(),
        })
    }

    /// Whether the commit holds nothing but a state.
    pub(super) fn is_state_only(&self) -> Result<bool, StateError> {
        let Some(tip) = &self.tip else {
            return Ok(true);
        };
        let all = self.git.files_of(self.store, tip, "")?;
        let inside = format!("{TOP}/");
        Ok(all.iter().all(|file| file.path.starts_with(&inside)))
    }

    /// Returns the blob of a file.
    pub(super) fn blob(&self, path: &str) -> Option<&str> {
        self.blobs.get(path).map(String::as_str)
    }

    /// Sets a file to a blob that is stored already.
    pub(super) fn set(&mut self, path: &str, blob: String) {
        if self.blobs.get(path) != Some(&blob) {
            self.blobs.insert(path.to_owned(), blob.clone());
            self.changes.insert(path.to_owned(), Some(blob));
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Returns what differs from the commit, with the bytes.
    pub(super) fn changed(&self) -> Result<Vec<ChangedFile>, StateError> {
        let mut changed = Vec::with_capacity(self.changes.len());
        for (path, blob) in &self.changes {
            let bytes = match blob {
                None => None,
                Some(_) => {
                    let mut bytes = Vec::new();
                    self.read(path, &mut |file| file.read_to_end(&mut bytes).map(drop))?;
                    Some(bytes)
                }
            };
            changed.push((format!("{TOP}/{path}"), bytes));
        }
        Ok(changed)
    }

    /// Stores the tree as a commit, after the one that it began with or, when `squash` is asked for, after none.
    pub(super) fn commit(
        &self,
        message: &str,
        at: Timestamp,
        squash: bool,
    ) -> Result<String, StateError> {
        let changes: Vec<_> = self
            .changes
            .iter()
            .map(|(path, blob)| (format!("{TOP}/{path}"), blob.clone()))
            .collect();
        let tree = self
            .git
            .write_tree(self.store, self.tip.as_deref(), &changes)?;
        let parents = if squash { None } else { self.tip.clone() };
        Ok(self.git.write_commit(
            self.store,
            &NewCommit {
                tree,
                parents: parents.into_iter().collect(),
                message: message.to_owned(),
                at,
            },
        )?)
    }

    /// Hands out the bytes of a file; none when it is not there.
    fn with_bytes(
        &self,
        path: &str,
        take: &mut dyn FnMut(&mut dyn Read) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let Some(blob) = self.blobs.get(path) else {
            return take(&mut io::empty());
        };
        let mut taken = Ok(());
        let wanted = [blob.clone()];
        self.git
            .read_blobs(self.store, &wanted, &mut |_, blob| {
                match blob {
                    Some((_, bytes)) => taken = take(bytes),
                    None => {
                        let words = format!("the object of `{path}` is missing");
                        taken = Err(GitError::Refused(words));
                    }
                }
                Ok(())
            })
            .and(taken)
    }
}

impl Tree for BranchTree<'_> {
    fn files(&self, below: &str) -> Result<Vec<String>, StateError> {
        let below = format!("{below}/");
        let paths = self.blobs.keys().filter(|path| path.starts_with(&below));
        Ok(paths.cloned().collect())
    }

    fn read(&self, path: &str, drain: Drain<'_>) -> Result<(), StateError> {
        let read = self.with_bytes(path, &mut |bytes| Ok(drain(bytes)?));
        read.map_err(|error| self.failure(path, error))
    }

    fn rewrite(&mut self, path: &str, change: Change<'_>) -> Result<(), StateError> {
        let mut blob = String::new();
        let written = self.with_bytes(path, &mut |old| {
            blob = self
                .git
                .write_blob(self.store, &mut |out: &mut dyn Write| change(old, out))?;
            Ok(())
        });
        written.map_err(|error| self.failure(path, error))?;
        self.set(path, blob);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StateError> {
        if self.blobs.remove(path).is_some() {
            self.changes.insert(path.to_owned(), None);
        }
        Ok(())
    }

    fn shown(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("{}:{TOP}/{path}", self.name))
    }
}

impl BranchTree<'_> {
    fn failure(&self, path: &str, error: GitError) -> StateError {
        match error {
            GitError::Io(source) => StateError::Write {
                path: self.shown(path),
                source,
            },
            other => other.into(),
        }
    }
}
