//! The repository, by way of the `git` program: on every runner, and the one tool that knows every kind of clone.
//!
//! Credentials are git's own business. Where an address holds them, they go to git by a variable of its environment, never by
//! an argument, and they are taken out of everything that git says.

mod config;
mod history;
mod objects;
mod packs;
mod remote;
mod trees;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use self::config::Config;
use crate::llm::endpoint::SECRETS;
use crate::ports::git::{NewCommit, Ref, RefUpdate, RefVerdict, Store, TakeBlob, TreeEntry};
use crate::ports::{Call, Checkout, Fill, Finished, Git, GitError, Head, Processes};

pub(super) struct GitProgram {
    processes: Box<dyn Processes>,
    /// What each repository's settings say about remotes: one question a process.
    configs: Mutex<HashMap<PathBuf, Arc<Config>>>,
}

/// Variables that would point git at something else than the store.
const FOREIGN: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

impl GitProgram {
    pub(super) fn new(processes: Box<dyn Processes>) -> Self {
        Self {
            processes,
            configs: Mutex::default(),
        }
    }

    /// Prepares a call of git on a store.
    fn store_call(store: &Store, args: &[&str]) -> Call {
        let mut call = Self::call(&store.home, args);
        for name in FOREIGN {
            call.env.push(((*name).to_owned(), None));
        }
        let git_dir = OsString::from(&store.git_dir);
        call.env.push(("GIT_DIR".into(), Some(git_dir)));
        call
    }

    /// Prepares a call of git that asks nobody anything and speaks English. Git runs what a repository's configuration names, which an agent
    /// may have written: it gets no keys of models and none to sign with.
    fn call(folder: &Path, args: &[&str]) -> Call {
        let set = |name: &str, value: &str| (name.to_owned(), Some(OsString::from(value)));
        let mut env = vec![
            set("LC_ALL", "C"),
            set("GIT_OPTIONAL_LOCKS", "0"),
            set("GIT_TERMINAL_PROMPT", "0"),
        ];
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let kept_back = names.filter(|name| {
            SECRETS.contains(&name.as_str())
                || name.ends_with("_API_KEY")
                || name == "MAESTRO_SIGNING_KEY"
        });
        env.extend(kept_back.map(|name| (name, None)));
        Call {
            program: OsString::from("git"),
            args: args.iter().map(OsString::from).collect(),
            folder: folder.to_path_buf(),
            env,
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
        "File too large",
        "failed to write new configuration file",
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
        let call = Self::call(
            folder,
            &[
                "rev-parse",
                "--is-bare-repository",
                "--git-common-dir",
                "--show-toplevel",
            ],
        );
        let done = self.finish(&call)?;
        let said = words(&done.stderr);
        if done.code != Some(0) && said.contains("not a git repository") {
            return Err(GitError::NoRepository(folder.to_path_buf()));
        }
        // Without a work tree the last question is an error, and the others are answered.
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut lines = text.lines();
        let (Some(bare), Some(common)) = (lines.next(), lines.next()) else {
            return Err(GitError::Refused(said));
        };
        // Git answers relative to the folder it was asked in.
        let common_dir = tidy(&folder.join(common));
        let top = lines.next().filter(|_| bare != "true").map(PathBuf::from);
        Ok(Checkout { top, common_dir })
    }

    fn head(&self, folder: &Path) -> Result<Head, GitError> {
        let question = ["rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD"];
        if let Ok(lines) = self.ask(folder, &question)? {
            let mut lines = lines.into_iter();
            let (commit, name) = (lines.next(), lines.next());
            let branch = name.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned()));
            return Ok(Head { commit, branch });
        }
        // Nothing is committed yet, and the branch has a name all the same.
        let branch = self.ask(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(Head {
            commit: None,
            branch: branch.ok().and_then(|lines| lines.into_iter().next()),
        })
    }

    fn has_changes(&self, folder: &Path) -> Result<bool, GitError> {
        let question = ["status", "--porcelain", "--untracked-files=no", "-z"];
        match self.ask(folder, &question)? {
            Ok(lines) => Ok(!lines.is_empty()),
            Err(words) => Err(GitError::Refused(words)),
        }
    }

    fn prepare(&self, store: &Store) -> Result<(), GitError> {
        self.make_store(store)
    }

    fn refs(&self, store: &Store, prefix: &str) -> Result<Vec<Ref>, GitError> {
        self.store_refs(store, prefix)
    }

    fn set_refs(&self, store: &Store, refs: &[(String, Option<String>)]) -> Result<(), GitError> {
        self.update_refs(store, refs)
    }

    fn files_of(&self, store: &Store, tree: &str, below: &str) -> Result<Vec<TreeEntry>, GitError> {
        self.ls_tree(store, tree, below)
    }

    fn read_blobs(
        &self,
        store: &Store,
        objects: &[String],
        take: TakeBlob<'_>,
    ) -> Result<(), GitError> {
        self.cat_files(store, objects, take)
    }

    fn write_blob(&self, store: &Store, fill: Fill<'_>) -> Result<String, GitError> {
        self.hash_object(store, fill)
    }

    fn write_tree(
        &self,
        store: &Store,
        base: Option<&str>,
        changes: &[(String, Option<String>)],
    ) -> Result<String, GitError> {
        self.tree_of(store, base, changes)
    }

    fn write_commit(&self, store: &Store, commit: &NewCommit) -> Result<String, GitError> {
        self.commit_tree(store, commit)
    }

    fn write_file_commit(
        &self,
        store: &Store,
        path: &str,
        bytes: &[u8],
        message: &str,
        at: Timestamp,
    ) -> Result<String, GitError> {
        self.import_file(store, path, bytes, message, at)
    }

    fn history(&self, store: &Store, tip: &str, most: usize) -> Result<Vec<String>, GitError> {
        let most = format!("--max-count={most}");
        let call = Self::store_call(store, &["rev-list", &most, tip, "--"]);
        Ok(self.text(&call)?.lines().map(str::to_owned).collect())
    }

    fn borrow(&self, store: &Store, common_dir: &Path) -> Result<(), GitError> {
        Self::see_objects_of(store, common_dir)
    }

    fn take_pack(&self, store: &Store, pack: &[u8], most: u64) -> Result<(), GitError> {
        self.index_pack(store, pack, most)
    }

    fn new_sizes(&self, store: &Store, head: &str, base: &str) -> Result<Vec<u64>, GitError> {
        self.sizes_between(store, head, base)
    }

    fn tidy(&self, store: &Store) {
        let args = ["-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"];
        // It is for room and speed only; the next one may do better.
        let _may_fail = self.finish(&Self::store_call(store, &args));
    }

    fn fetch(&self, store: &Store, remote: &str, refspecs: &[String]) -> Result<(), GitError> {
        // One ref is a branch, whose past is not needed. What a pattern matches has none; a shallow fetch that matches nothing
        // fails without a word.
        let is_branch = refspecs.iter().any(|refspec| !refspec.contains('*'));
        self.fetch_refs(store, remote, refspecs, is_branch.then_some("--depth=1"))
    }

    fn fetch_past(&self, store: &Store, remote: &str, refspec: &str) -> Result<(), GitError> {
        // Git's own number for all of it.
        let depth = Some("--depth=2147483647");
        self.fetch_refs(store, remote, &[refspec.to_owned()], depth)
    }

    fn push(
        &self,
        store: &Store,
        remote: &str,
        updates: &[RefUpdate],
        all_or_none: bool,
    ) -> Result<Vec<RefVerdict>, GitError> {
        self.push_refs(store, remote, updates, all_or_none)
    }

    fn remote_address(&self, folder: &Path, remote: &str) -> Result<Option<String>, GitError> {
        let address = self.config_of(folder)?.address(remote, false);
        Ok(address.map(|address| address.public))
    }

    fn has_remote(&self, folder: &Path, remote: &str) -> Result<bool, GitError> {
        Ok(self.config_of(folder)?.address(remote, false).is_some())
    }
}

/// Takes the `.` parts out of a path, as text only.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}
