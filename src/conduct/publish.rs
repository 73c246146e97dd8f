//! Commits by way of GitHub's API, for branches whose rules want commits that GitHub signs.
//!
//! Blobs, tree and commit are written first, and nobody sees them; the branch moves last, and only as a fast-forward: a
//! compare-and-swap, since the new commit stands on the old one.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::conduct::github::GitHub;
use crate::forge::api::git;
use crate::forge::problem::ForgeError;
use crate::state::{ChangedFile, Publish, StateError};

impl Publish for GitHub<'_> {
    fn publish(
        &self,
        branch: &str,
        old: Option<&str>,
        files: &[ChangedFile],
        message: &str,
    ) -> Result<Option<String>, StateError> {
        let repository = &self.repository;
        let base = match old {
            Some(old) => Some(self.call(&git::get_commit(repository, old))?.tree.sha),
            None => None,
        };
        let mut entries = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let blob = match bytes {
                Some(bytes) => {
                    let blob = git::create_blob(repository, &BASE64_STANDARD.encode(bytes));
                    Some(self.call(&blob)?.sha)
                }
                None => None,
            };
            entries.push((path.clone(), blob));
        }
        let tree = self.call(&git::create_tree(repository, base.as_deref(), &entries))?;
        let parents: Vec<&str> = old.into_iter().collect();
        let commit = git::create_commit(repository, message, &tree.sha, &parents);
        let new = self.call(&commit)?.sha;
        let moved = match old {
            Some(_) => {
                let name = format!("heads/{branch}");
                self.call(&git::update_ref(repository, &name, &new, false))
            }
            None => {
                let name = format!("refs/heads/{branch}");
                self.call(&git::create_ref(repository, &name, &new))
            }
        };
        match moved {
            Ok(_) => Ok(Some(new)),
            // Somebody else moved or made it; or it was us, and the answer was lost: the next fetch tells.
            Err(ForgeError::Refused {
                status: 422 | 409,
                words,
                ..
            }) if is_race(&words) => Ok(None),
            Err(ForgeError::MayHaveHappened { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether GitHub refuses because the branch is not what it was.
fn is_race(words: &str) -> bool {
    let words = words.to_lowercase();
    [
        "fast forward",
        "fast-forward",
        "already exists",
        "reference update failed",
        "is at ",
    ]
    .iter()
    .any(|phrase| words.contains(phrase))
}
