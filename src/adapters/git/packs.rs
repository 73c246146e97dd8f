//! Packs of somebody else: taken in by the one command of git that looks at every object before it is there.

use std::path::Path;

use super::{GitProgram, local_failure, words};
use crate::ports::GitError;
use crate::ports::git::Store;

/// Blobs that are larger are looked at as they come, and never held.
const BIG: &str = "core.bigFileThreshold=8m";

impl GitProgram {
    /// Names the objects of another repository as alternates (gitrepository-layout(5)), and where its past ends.
    pub(super) fn see_objects_of(store: &Store, common_dir: &Path) -> Result<(), GitError> {
        let objects = common_dir.join("objects");
        let line = objects.to_string_lossy();
        if line.contains('\n') || line.starts_with('"') {
            return Err(GitError::Refused(format!(
                "the path `{line}` cannot be named as another repository's"
            )));
        }
        let info = store.git_dir.join("objects").join("info");
        std::fs::create_dir_all(&info)?;
        std::fs::write(info.join("alternates"), format!("{line}\n"))?;
        let shallow = common_dir.join("shallow");
        if shallow.exists() {
            std::fs::copy(shallow, store.git_dir.join("shallow"))?;
        }
        Ok(())
    }

    /// Runs `git index-pack --strict`: objects that are broken, that name what is not there, or that hold what harms whoever checks them out
    /// (git-fsck(1), "fsck Messages") are refused, warnings too.
    pub(super) fn index_pack(&self, store: &Store, pack: &[u8], most: u64) -> Result<(), GitError> {
        let most = format!("--max-input-size={most}");
        let args = [
            "-c",
            BIG,
            "-c",
            "pack.threads=1",
            "index-pack",
            "--stdin",
            "--fix-thin",
            "--strict",
            &most,
        ];
        let call = Self::store_call(store, &args);
        let fed = self.processes.feed(&call, &mut |input| {
            match input.write_all(pack) {
                // It has seen enough; what it says tells why.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                done => done,
            }
        });
        let done = fed.map_err(super::cannot_run)?;
        if done.code == Some(0) {
            return Ok(());
        }
        Err(local_failure(&words(&done.stderr)))
    }

    pub(super) fn sizes_between(
        &self,
        store: &Store,
        head: &str,
        base: &str,
    ) -> Result<Vec<u64>, GitError> {
        let not = format!("^{base}");
        let args = [
            "rev-list",
            "--objects",
            "--no-object-names",
            head,
            &not,
            "--",
        ];
        let names = self.text(&Self::store_call(store, &args))?;
        let ask = ["cat-file", "--batch-check=%(objectsize)"];
        let mut call = Self::store_call(store, &ask);
        call.stdin = names.into_bytes();
        let text = self.text(&call)?;
        let missing = |line: &str| GitError::Refused(format!("an object is missing: {line}"));
        text.lines()
            .map(|line| line.parse().map_err(|_| missing(line)))
            .collect()
    }
}
