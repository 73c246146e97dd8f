//! Objects and local refs.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::{GitProgram, cannot_run, local_failure, words};
use crate::ports::git::{NewCommit, Ref, Store, TakeBlob, TreeEntry};
use crate::ports::{Call, Fill, GitError};

impl GitProgram {
    pub(super) fn store_refs(&self, store: &Store, prefix: &str) -> Result<Vec<Ref>, GitError> {
        let call = Self::store_call(
            store,
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
        store: &Store,
        refs: &[(String, Option<String>)],
    ) -> Result<(), GitError> {
        if refs.is_empty() {
            return Ok(());
        }
        let mut call = Self::store_call(store, &["update-ref", "--stdin", "-z"]);
        for (name, object) in refs {
            let line = match object {
                Some(object) => format!("update {name}\0{object}\0\0"),
                None => format!("delete {name}\0\0"),
            };
            call.stdin.extend_from_slice(line.as_bytes());
        }
        self.unlocked(store, &call).map(drop)
    }

    pub(super) fn ls_tree(
        &self,
        store: &Store,
        tree: &str,
        below: &str,
    ) -> Result<Vec<TreeEntry>, GitError> {
        let mut args = vec!["ls-tree", "-r", "-z", "--full-tree", tree];
        let folder_in_tree = format!("{below}/");
        if !below.is_empty() {
            args.extend(["--", &folder_in_tree]);
        }
        let call = Self::store_call(store, &args);
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
        store: &Store,
        objects: &[String],
        take: TakeBlob<'_>,
    ) -> Result<(), GitError> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut call = Self::store_call(store, &["cat-file", "--batch"]);
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

    pub(super) fn hash_object(&self, store: &Store, fill: Fill<'_>) -> Result<String, GitError> {
        let call = Self::store_call(store, &["hash-object", "-w", "--stdin", "--no-filters"]);
        let done = self.processes.feed(&call, fill).map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    pub(super) fn tree_of(
        &self,
        store: &Store,
        base: Option<&str>,
        changes: &[(String, Option<String>)],
    ) -> Result<String, GitError> {
        // An index of its own: the one of the work tree is not ours.
        let scratch = tempfile::Builder::new()
            .prefix("maestro-index-")
            .tempdir()?;
        let index = scratch.path().join("index");
        let with_index = |args: &[&str]| {
            let mut call = Self::store_call(store, args);
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
        store: &Store,
        commit: &NewCommit,
    ) -> Result<String, GitError> {
        let config = self.config_of(&store.home)?;
        let mut args = vec!["commit-tree", commit.tree.as_str(), "-F", "-"];
        if config.is_signing() {
            args.push("-S");
        }
        for parent in &commit.parents {
            args.extend(["-p", parent.as_str()]);
        }
        let mut call = Self::store_call(store, &args);
        call.stdin = commit.message.clone().into_bytes();
        config.lend(&mut call);
        let mut set = |name: &str, value: String| {
            call.env
                .push((name.to_owned(), Some(OsString::from(value))));
        };
        set("GIT_AUTHOR_DATE", date(commit.at));
        set("GIT_COMMITTER_DATE", date(commit.at));
        for role in ["author", "committer"] {
            for part in ["name", "email"] {
                let variable = format!("GIT_{}_{}", role.to_uppercase(), part.to_uppercase());
                set(&variable, config.identity(role, part));
            }
        }
        Ok(self.text(&call)?.trim().to_owned())
    }

    /// Stores a commit of one file by one process instead of five.
    pub(super) fn import_file(
        &self,
        store: &Store,
        path: &str,
        bytes: &[u8],
        message: &str,
        at: Timestamp,
    ) -> Result<String, GitError> {
        let config = self.config_of(&store.home)?;
        if config.is_signing() {
            let blob = self.hash_object(store, &mut |out| out.write_all(bytes))?;
            let file = (path.to_owned(), Some(blob));
            return self.commit_tree(
                store,
                &NewCommit {
                    tree: self.tree_of(store, None, &[file])?,
                    parents: Vec::new(),
                    message: message.to_owned(),
                    at,
                },
            );
        }
        // A pack is two files; unpacking it would be another process.
        let args = [
            "-c",
            "fastimport.unpackLimit=0",
            "fast-import",
            "--quiet",
            "--done",
        ];
        let call = Self::store_call(store, &args);
        let who = |role: &str| {
            let harmless = |text: String| text.replace(['<', '>', '\n', '\0'], "");
            let name = harmless(config.identity(role, "name"));
            let email = harmless(config.identity(role, "email"));
            format!(
                "{role} {name} <{email}> {}",
                date(at).trim_start_matches('@')
            )
        };
        let done = self
            .processes
            .feed(&call, &mut |out| {
                writeln!(out, "blob\nmark :1\ndata {}", bytes.len())?;
                out.write_all(bytes)?;
                // A commit of fast-import needs a ref; this one is set back to nothing before it is ever written.
                writeln!(
                    out,
                    "\ncommit {SCRATCH}\nmark :2\n{}\n{}",
                    who("author"),
                    who("committer")
                )?;
                writeln!(out, "data {}\n{message}", message.len())?;
                writeln!(
                    out,
                    "M 100644 :1 {path}\n\nget-mark :2\nreset {SCRATCH}\n\ndone"
                )
            })
            .map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    pub(super) fn make_store(&self, store: &Store) -> Result<(), GitError> {
        // The file that is written last says that all of it is there.
        let mark = store.git_dir.join(READY);
        if mark.exists() {
            return Ok(());
        }
        let asked = Self::call(&store.home, &["rev-parse", "--show-object-format"]);
        let format = self.text(&asked)?;
        let format = format!("--object-format={}", format.trim());
        let args = [
            "init",
            "--quiet",
            "--bare",
            "--template=",
            "--initial-branch=none",
            &format,
        ];
        self.text(&Self::store_call(store, &args))?;
        std::fs::write(&mark, "")?;
        Ok(())
    }

    /// Runs a call that changes refs, and removes the locks that a killed process has left.
    ///
    /// Whoever calls it keeps every other maestro away, so a lock that does not go by itself is nobody's.
    pub(super) fn unlocked(&self, store: &Store, call: &Call) -> Result<String, GitError> {
        loop {
            let done = self.finish(call)?;
            let said = words(&done.stderr);
            if done.code == Some(0) {
                return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
            }
            let Some(lock) = lock_of(store, &said) else {
                return Err(local_failure(&said));
            };
            // The lock itself is looked at: asking git again would ask the remote again.
            let mut waited = Duration::ZERO;
            while lock.exists() && waited < ORPHAN {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            if waited >= ORPHAN {
                match std::fs::remove_file(lock) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    done => done?,
                }
            }
        }
    }
}

/// How long a git process may outlive the maestro that started it.
const ORPHAN: Duration = Duration::from_secs(2);

/// How often a lock is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// A ref that is never written.
const SCRATCH: &str = "refs/maestro/scratch";

/// Says that a store has been made to its end.
const READY: &str = "maestro-store";

/// Returns the lock of the store that git says is in its way.
fn lock_of(store: &Store, words: &str) -> Option<PathBuf> {
    let (_, rest) = words.split_once("Unable to create '")?;
    let (path, rest) = rest.split_once('\'')?;
    let path = PathBuf::from(path);
    let is_ours = path.starts_with(&store.git_dir) && path.extension()? == "lock";
    (is_ours && rest.starts_with(": File exists")).then_some(path)
}

/// Git takes no time before 1970.
fn date(at: Timestamp) -> String {
    format!("@{} +0000", at.as_second().max(0))
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
