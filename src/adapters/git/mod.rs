//! The repository, by way of the `git` program: on every runner, and the one tool that knows every kind of clone.
//!
//! Credentials are git's own business. Where an address holds them, they go to git by a variable of its environment, never by
//! an argument, and they are taken out of everything that git says.

mod objects;
mod remote;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::ports::git::{NewCommit, Ref, RefUpdate, RefVerdict, TakeBlob, TreeEntry};
use crate::ports::{Call, Checkout, Fill, Finished, Git, GitError, Head, Processes};

pub(super) struct GitProgram {
    processes: Box<dyn Processes>,
}

impl GitProgram {
    pub(super) fn new(processes: Box<dyn Processes>) -> Self {
        Self { processes }
    }

    /// Prepares a call of git that asks nobody anything and speaks English.
    fn call(folder: &Path, args: &[&str]) -> Call {
        let set = |name: &str, value: &str| (name.to_owned(), Some(OsString::from(value)));
        Call {
            program: OsString::from("git"),
            args: args.iter().map(OsString::from).collect(),
            folder: folder.to_path_buf(),
            env: vec![
                set("LC_ALL", "C"),
                set("GIT_OPTIONAL_LOCKS", "0"),
                set("GIT_TERMINAL_PROMPT", "0"),
            ],
            stdin: Vec::new(),
        }
    }

    /// Runs git, whatever its exit code.
    fn finish(&self, call: &Call) -> Result<Finished, GitError> {
        self.processes.run(call).map_err(cannot_run)
    }

    /// Runs git and returns what it prints; a failure is an error.
    fn text(&self, call: &Call) -> Result<String, GitError> {
        let done = self.finish(call)?;
        if done.code == Some(0) {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(local_failure(&words(&done.stderr)))
    }

    /// Returns the lines that git prints; `None` when it exits with a failure, whose words come second.
    fn ask(&self, folder: &Path, args: &[&str]) -> Result<Result<Vec<String>, String>, GitError> {
        let done = self.finish(&Self::call(folder, args))?;
        if done.code == Some(0) {
            let text = String::from_utf8_lossy(&done.stdout);
            Ok(Ok(text.lines().map(str::to_owned).collect()))
        } else {
            Ok(Err(words(&done.stderr)))
        }
    }
}

/// The error of a program that could not be started, or whose pipes broke.
fn cannot_run(error: io::Error) -> GitError {
    match error.kind() {
        io::ErrorKind::NotFound => GitError::NoProgram,
        _ => GitError::Io(error),
    }
}

fn words(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr).trim().to_owned()
}

fn is_full(words: &str) -> bool {
    [
        "No space left on device",
        "Disk quota exceeded",
        "Read-only file system",
        "unable to create temporary file",
        "insufficient permission for adding an object",
    ]
    .iter()
    .any(|phrase| words.contains(phrase))
}

/// The error of a call that has nothing to do with a remote.
fn local_failure(words: &str) -> GitError {
    if is_full(words) {
        GitError::CannotWrite(words.to_owned())
    } else {
        GitError::Refused(words.to_owned())
    }
}

impl Git for GitProgram {
    fn checkout(&self, folder: &Path) -> Result<Checkout, GitError> {
        let question = ["rev-parse", "--is-bare-repository", "--git-common-dir"];
        let lines = match self.ask(folder, &question)? {
            Ok(lines) => lines,
            Err(words) if words.contains("not a git repository") => {
                return Err(GitError::NoRepository(folder.to_path_buf()));
            }
            Err(words) => return Err(GitError::Refused(words)),
        };
        let [bare, common] = lines.as_slice() else {
            return Err(GitError::Refused(
                "an unexpected answer to rev-parse".into(),
            ));
        };
        // Git answers relative to the folder it was asked in.
        let common_dir = tidy(&folder.join(common));
        if bare == "true" {
            return Ok(Checkout {
                top: None,
                common_dir,
            });
        }
        let top = match self.ask(folder, &["rev-parse", "--show-toplevel"])? {
            Ok(lines) => lines.first().map(PathBuf::from),
            // Inside the git directory itself there is no work tree.
            Err(_) => None,
        };
        Ok(Checkout { top, common_dir })
    }

    fn head(&self, folder: &Path) -> Result<Head, GitError> {
        let commit = self
            .ask(
                folder,
                &["rev-parse", "--quiet", "--verify", "HEAD^{commit}"],
            )?
            .ok();
        let branch = self
            .ask(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"])?
            .ok();
        let first = |lines: Option<Vec<String>>| lines.and_then(|lines| lines.into_iter().next());
        Ok(Head {
            commit: first(commit),
            branch: first(branch),
        })
    }

    fn has_changes(&self, folder: &Path) -> Result<bool, GitError> {
        let question = ["status", "--porcelain", "--untracked-files=no", "-z"];
        match self.ask(folder, &question)? {
            Ok(lines) => Ok(!lines.is_empty()),
            Err(words) => Err(GitError::Refused(words)),
        }
    }

    fn refs(&self, folder: &Path, prefix: &str) -> Result<Vec<Ref>, GitError> {
        self.local_refs(folder, prefix)
    }

    fn set_refs(&self, folder: &Path, refs: &[(String, Option<String>)]) -> Result<(), GitError> {
        self.update_refs(folder, refs)
    }

    fn files_of(&self, folder: &Path, tree: &str, below: &str) -> Result<Vec<TreeEntry>, GitError> {
        self.ls_tree(folder, tree, below)
    }

    fn read_blobs(
        &self,
        folder: &Path,
        objects: &[String],
        take: TakeBlob<'_>,
    ) -> Result<(), GitError> {
        self.cat_files(folder, objects, take)
    }

    fn write_blob(&self, folder: &Path, fill: Fill<'_>) -> Result<String, GitError> {
        self.hash_object(folder, fill)
    }

    fn write_tree(
        &self,
        folder: &Path,
        base: Option<&str>,
        changes: &[(String, Option<String>)],
    ) -> Result<String, GitError> {
        self.tree_of(folder, base, changes)
    }

    fn write_commit(&self, folder: &Path, commit: &NewCommit) -> Result<String, GitError> {
        self.commit_tree(folder, commit)
    }

    fn history(&self, folder: &Path, tip: &str, most: usize) -> Result<Vec<String>, GitError> {
        let most = format!("--max-count={most}");
        let call = Self::call(folder, &["rev-list", &most, tip, "--"]);
        Ok(self.text(&call)?.lines().map(str::to_owned).collect())
    }

    fn fetch(&self, folder: &Path, remote: &str, refspecs: &[String]) -> Result<(), GitError> {
        self.fetch_refs(folder, remote, refspecs)
    }

    fn push(
        &self,
        folder: &Path,
        remote: &str,
        updates: &[RefUpdate],
    ) -> Result<Vec<RefVerdict>, GitError> {
        self.push_refs(folder, remote, updates)
    }

    fn remote_address(&self, folder: &Path, remote: &str) -> Result<Option<String>, GitError> {
        let address = self.address(folder, remote, false)?;
        Ok(address.map(|address| address.public().to_owned()))
    }
}

/// Takes the `.` parts out of a path, as text only.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}
