//! Objects and local refs.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::{GitProgram, cannot_run, local_failure, words};
use crate::ports::git::{NewCommit, Ref, TakeBlob, TreeEntry};
use crate::ports::{Fill, GitError};

/// Who writes commits where git's configuration names nobody.
const NAME: &str = "maestro";
const EMAIL: &str = "maestro@localhost";

impl GitProgram {
    pub(super) fn local_refs(&self, folder: &Path, prefix: &str) -> Result<Vec<Ref>, GitError> {
        let call = Self::call(
            folder,
            &["for-each-ref", "--format=%(objectname) %(refname)", prefix],
        );
        let text = self.text(&call)?;
        let refs = text.lines().filter_map(|line| line.split_once(' '));
        Ok(refs
            .map(|(object, name)| Ref {
                name: name.to_owned(),
                object: object.to_owned(),
            })
            .collect())
    }

    pub(super) fn update_refs(
        &self,
        folder: &Path,
        refs: &[(String, Option<String>)],
    ) -> Result<(), GitError> {
        if refs.is_empty() {
            return Ok(());
        }
        let mut call = Self::call(folder, &["update-ref", "--stdin", "-z"]);
        for (name, object) in refs {
            let line = match object {
                Some(object) => format!("update {name}\0{object}\0\0"),
                None => format!("delete {name}\0\0"),
            };
            call.stdin.extend_from_slice(line.as_bytes());
        }
        self.text(&call).map(drop)
    }

    pub(super) fn ls_tree(
        &self,
        folder: &Path,
        tree: &str,
        below: &str,
    ) -> Result<Vec<TreeEntry>, GitError> {
        let folder_in_tree = format!("{below}/");
        let call = Self::call(
            folder,
            &[
                "ls-tree",
                "-r",
                "-z",
                "--full-tree",
                tree,
                "--",
                &folder_in_tree,
            ],
        );
        let text = self.text(&call)?;
        let mut entries = Vec::new();
        for entry in text.split('\0') {
            let Some((head, path)) = entry.split_once('\t') else {
                continue;
            };
            let mut words = head.split(' ');
            let mode = words.next().unwrap_or_default();
            entries.push(TreeEntry {
                path: path.to_owned(),
                object: words.nth(1).unwrap_or_default().to_owned(),
                is_file: mode.starts_with("100"),
            });
        }
        Ok(entries)
    }

    pub(super) fn cat_files(
        &self,
        folder: &Path,
        objects: &[String],
        take: TakeBlob<'_>,
    ) -> Result<(), GitError> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut call = Self::call(folder, &["cat-file", "--batch"]);
        for object in objects {
            call.stdin.extend_from_slice(object.as_bytes());
            call.stdin.push(b'\n');
        }
        let done = self
            .processes
            .drain(&call, &mut |pipe| {
                let mut pipe = BufReader::with_capacity(256 * 1024, pipe);
                for place in 0..objects.len() {
                    hand_out(&mut pipe, place, take)?;
                }
                Ok(())
            })
            .map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    pub(super) fn hash_object(&self, folder: &Path, fill: Fill<'_>) -> Result<String, GitError> {
        let call = Self::call(folder, &["hash-object", "-w", "--stdin", "--no-filters"]);
        let done = self.processes.feed(&call, fill).map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    pub(super) fn tree_of(
        &self,
        folder: &Path,
        base: Option<&str>,
        changes: &[(String, Option<String>)],
    ) -> Result<String, GitError> {
        // An index of its own: the one of the work tree is not ours.
        let scratch = tempfile::Builder::new()
            .prefix("maestro-index-")
            .tempdir()?;
        let index = scratch.path().join("index");
        let with_index = |args: &[&str]| {
            let mut call = Self::call(folder, args);
            let index = Some(OsString::from(&index));
            call.env.push(("GIT_INDEX_FILE".into(), index));
            call
        };
        if let Some(base) = base {
            self.text(&with_index(&["read-tree", base]))?;
        }
        let mut call = with_index(&["update-index", "--add", "-z", "--index-info"]);
        for (path, blob) in changes {
            let line = match blob {
                Some(blob) => format!("100644 {blob}\t{path}\0"),
                // As many digits as this repository's object ids have.
                None => format!("0 {}\t{path}\0", "0".repeat(base.map_or(40, str::len))),
            };
            call.stdin.extend_from_slice(line.as_bytes());
        }
        if !call.stdin.is_empty() {
            self.text(&call)?;
        }
        let tree = self.text(&with_index(&["write-tree"]))?;
        Ok(tree.trim().to_owned())
    }

    pub(super) fn commit_tree(
        &self,
        folder: &Path,
        commit: &NewCommit,
    ) -> Result<String, GitError> {
        let asked = Self::call(
            folder,
            &[
                "config",
                "--get-regexp",
                r"^(user\.(name|email)|author\.(name|email)|committer\.(name|email)|commit\.gpgsign)$",
            ],
        );
        let config = String::from_utf8_lossy(&self.finish(&asked)?.stdout).into_owned();
        let is_set = |key: &str| config.lines().any(|line| line.starts_with(key));
        let is_signed = config.lines().any(|line| {
            line.strip_prefix("commit.gpgsign")
                .is_some_and(|value| ["", "true", "yes", "on", "1"].contains(&value.trim()))
        });
        let mut args = vec!["commit-tree", commit.tree.as_str(), "-F", "-"];
        if is_signed {
            args.push("-S");
        }
        for parent in &commit.parents {
            args.extend(["-p", parent.as_str()]);
        }
        let mut call = Self::call(folder, &args);
        call.stdin = commit.message.clone().into_bytes();
        let mut set = |name: &str, value: String| {
            call.env
                .push((name.to_owned(), Some(OsString::from(value))));
        };
        // Git takes no time before 1970.
        let date = format!("@{} +0000", commit.at.as_second().max(0));
        set("GIT_AUTHOR_DATE", date.clone());
        set("GIT_COMMITTER_DATE", date);
        for role in ["AUTHOR", "COMMITTER"] {
            let role_key = role.to_lowercase();
            for (part, value) in [("name", NAME), ("email", EMAIL)] {
                if !is_set(&format!("user.{part}")) && !is_set(&format!("{role_key}.{part}")) {
                    set(
                        &format!("GIT_{role}_{}", part.to_uppercase()),
                        value.to_owned(),
                    );
                }
            }
        }
        Ok(self.text(&call)?.trim().to_owned())
    }
}

/// Reads one answer of `cat-file --batch`: a line with the size, the bytes, a line break.
fn hand_out(
    pipe: &mut BufReader<&mut dyn Read>,
    place: usize,
    take: TakeBlob<'_>,
) -> io::Result<()> {
    let mut head = String::new();
    if pipe.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = head.trim_end().rsplit(' ');
    let size = words.next().and_then(|size| size.parse::<u64>().ok());
    let Some(size) = size else {
        // Missing, or ambiguous: one line, and no bytes.
        return take(place, None);
    };
    let is_blob = words.next() == Some("blob");
    let mut blob = pipe.take(size);
    // Whatever else stands there was not put there by us.
    take(place, is_blob.then_some((size, &mut blob as &mut dyn Read)))?;
    // Whoever takes it need not read to the end.
    io::copy(&mut blob, &mut io::sink())?;
    let mut line_break = [0];
    pipe.read_exact(&mut line_break)
}
