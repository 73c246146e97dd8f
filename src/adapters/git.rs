//! The repository, by way of the `git` program: on every runner, and the one tool that knows every kind of clone.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::ports::{Call, Checkout, Git, GitError, Head, Processes};

pub(super) struct GitProgram {
    processes: Box<dyn Processes>,
}

impl GitProgram {
    pub(super) fn new(processes: Box<dyn Processes>) -> Self {
        Self { processes }
    }

    /// Returns the lines that git prints; `None` when it exits with a failure, whose words come second.
    fn ask(&self, folder: &Path, args: &[&str]) -> Result<Result<Vec<String>, String>, GitError> {
        let call = Call {
            program: OsString::from("git"),
            args: args.iter().map(OsString::from).collect(),
            folder: folder.to_path_buf(),
            env: vec![
                ("LC_ALL".into(), Some("C".into())),
                ("GIT_OPTIONAL_LOCKS".into(), Some("0".into())),
                ("GIT_TERMINAL_PROMPT".into(), Some("0".into())),
            ],
            stdin: Vec::new(),
        };
        let done = self
            .processes
            .run(&call)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => GitError::NoProgram,
                _ => GitError::Refused(error.to_string()),
            })?;
        if done.code == Some(0) {
            let text = String::from_utf8_lossy(&done.stdout);
            Ok(Ok(text.lines().map(str::to_owned).collect()))
        } else {
            Ok(Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()))
        }
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
}

/// Takes the `.` parts out of a path, as text only.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}
