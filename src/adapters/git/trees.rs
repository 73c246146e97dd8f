//! Work trees of a run, by way of git. Everything that decides what git does comes from here or from the run's store, and nothing from the
//! work tree: an agent may have written anything into it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::files::remove_whole;
use super::{GitProgram, cannot_run, local_failure, words};
use crate::change::{Change, Kind, Tree, parse_raw};
use crate::order;
use crate::ports::trees::{Merged, RunCommit, RunStore, Trees};
use crate::ports::{Call, Finished, GitError};

/// Who commits.
const NAME: &str = "maestro";
const EMAIL: &str = "maestro@localhost";

/// What git obeys whatever any file says.
const ORDERS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.autocrlf=false",
    "core.symlinks=true",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "commit.gpgSign=false",
    "diff.external=",
    "diff.renames=false",
    "gc.auto=0",
    "merge.renames=true",
    "protocol.allow=never",
    "submodule.recurse=false",
    "advice.detachedHead=false",
    "advice.addEmbeddedRepo=false",
    "core.pager=cat",
    "credential.helper=",
    "diff.ignoreSubmodules=all",
];

/// So much may be new in a work tree, ignored files aside.
const MOST_FILES: u64 = 200_000;
const MOST_BYTES: u64 = 2 << 30;

impl GitProgram {
    /// Prepares a call of git that reads no configuration but the store's.
    fn run_call(git_dir: &Path, folder: &Path, args: &[&str]) -> Call {
        let mut call = Self::call(folder, &[]);
        for order in ORDERS {
            call.args.push("-c".into());
            call.args.push(order.into());
        }
        call.args.extend(args.iter().map(OsString::from));
        let foreign = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| name.starts_with("GIT_") || name == "SSH_AUTH_SOCK");
        let foreign: Vec<_> = foreign.map(|name| (name, None)).collect();
        call.env.splice(0..0, foreign);
        let mut set = |name: &str, value: OsString| call.env.push((name.to_owned(), Some(value)));
        set("GIT_DIR", git_dir.into());
        set("GIT_CONFIG_NOSYSTEM", "1".into());
        set("GIT_CONFIG_GLOBAL", "/dev/null".into());
        set("GIT_ATTR_NOSYSTEM", "1".into());
        set("GIT_NO_LAZY_FETCH", "1".into());
        for role in ["AUTHOR", "COMMITTER"] {
            set(&format!("GIT_{role}_NAME"), NAME.into());
            set(&format!("GIT_{role}_EMAIL"), EMAIL.into());
        }
        call
    }

    fn bare_call(store: &RunStore, args: &[&str]) -> Call {
        Self::run_call(&store.git_dir, &store.git_dir, args)
    }

    /// Prepares a call on a work tree, by the store's own knowledge of it.
    fn tree_call(store: &RunStore, name: &str, folder: &Path, args: &[&str]) -> Call {
        let own = store.git_dir.join("worktrees").join(name);
        let mut call = Self::run_call(&own, folder, args);
        let tree = Some(OsString::from(folder));
        call.env.push(("GIT_WORK_TREE".to_owned(), tree));
        call
    }

    fn line(&self, call: &Call) -> Result<String, GitError> {
        let bytes = self.bytes(call)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Refuses what git would read for hours: files without end cost whoever makes them nothing.
    fn check_size(&self, store: &RunStore, name: &str, folder: &Path) -> Result<(), GitError> {
        let args = [
            "ls-files",
            "-z",
            "--others",
            "--modified",
            "--exclude-standard",
        ];
        let listed = self.bytes(&Self::tree_call(store, name, folder, &args))?;
        let (mut count, mut size) = (0_u64, 0_u64);
        for path in listed.split(|byte| *byte == 0) {
            count += 1;
            // What is gone or cannot be looked at is git's to judge.
            let about = fs::symlink_metadata(folder.join(&*String::from_utf8_lossy(path)));
            size = size.saturating_add(about.map_or(0, |about| about.len()));
        }
        if count > MOST_FILES || size > MOST_BYTES {
            let words = format!("{count} files with {size} bytes are new in the work tree");
            return Err(std::io::Error::other(words).into());
        }
        Ok(())
    }

    fn with_index(
        &self,
        store: &RunStore,
        tree: &str,
        args: &[&str],
        stdin: &[u8],
    ) -> Result<String, GitError> {
        let scratch = tempfile::Builder::new()
            .prefix("maestro-index-")
            .tempdir()?;
        let index = OsString::from(scratch.path().join("index"));
        let call = |args: &[&str]| {
            let mut call = Self::bare_call(store, args);
            call.env
                .push(("GIT_INDEX_FILE".to_owned(), Some(index.clone())));
            call
        };
        self.bytes(&call(&["read-tree", tree]))?;
        let mut change = call(args);
        change.stdin = stdin.to_vec();
        self.bytes(&change)?;
        self.line(&call(&["write-tree"]))
    }
}

impl Trees for GitProgram {
    fn prepare(&self, store: &RunStore, common_dir: &Path) -> Result<(), GitError> {
        let git_dir = &store.git_dir;
        if !git_dir.join("HEAD").exists() {
            let asked = Self::call(common_dir, &["rev-parse", "--show-object-format"]);
            let format = self.text(&asked)?;
            fs::create_dir_all(git_dir)?;
            let format = format!("--object-format={}", format.trim());
            let args = ["init", "--quiet", "--bare", "--template=", &format];
            self.bytes(&Self::bare_call(store, &args))?;
        }
        let info = git_dir.join("objects").join("info");
        fs::create_dir_all(&info)?;
        let mut lines = Vec::new();
        for objects in object_folders(&common_dir.join("objects")) {
            lines.extend_from_slice(objects.as_os_str().as_encoded_bytes());
            lines.push(b'\n');
        }
        fs::write(info.join("alternates"), lines)?;
        let shallow = common_dir.join("shallow");
        if shallow.exists() {
            fs::copy(shallow, git_dir.join("shallow"))?;
        }
        Ok(())
    }

    fn check_out(
        &self,
        store: &RunStore,
        name: &str,
        folder: &Path,
        commit: &str,
    ) -> Result<(), GitError> {
        self.remove(store, name, folder)?;
        fs::create_dir_all(folder)?;
        let own = store.git_dir.join("worktrees").join(name);
        // Whoever lists work trees at the same time sees all of it or nothing; `git worktree add` makes it file by file.
        let draft = store.git_dir.join(format!("maestro-new-{name}"));
        remove_whole(&draft)?;
        fs::create_dir_all(&draft)?;
        fs::create_dir_all(store.git_dir.join("worktrees"))?;
        let link = folder.join(".git");
        fs::write(draft.join("HEAD"), format!("{commit}\n"))?;
        fs::write(draft.join("commondir"), "../..\n")?;
        fs::write(draft.join("gitdir"), format!("{}\n", link.display()))?;
        fs::rename(&draft, &own)?;
        fs::write(&link, format!("gitdir: {}\n", own.display()))?;
        self.reset(store, name, folder, commit)
    }

    fn reset(
        &self,
        store: &RunStore,
        name: &str,
        folder: &Path,
        tree: &str,
    ) -> Result<(), GitError> {
        let args = ["read-tree", "--reset", "-u", tree];
        self.bytes(&Self::tree_call(store, name, folder, &args))?;
        let args = ["clean", "-ffdq"];
        self.bytes(&Self::tree_call(store, name, folder, &args))
            .map(drop)
    }

    fn remove(&self, store: &RunStore, name: &str, folder: &Path) -> Result<(), GitError> {
        let own = store.git_dir.join("worktrees").join(name);
        let old = store.git_dir.join(format!("maestro-old-{name}"));
        remove_whole(&old)?;
        match fs::rename(&own, &old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        remove_whole(&old)?;
        remove_whole(folder)?;
        Ok(())
    }

    fn snapshot(&self, store: &RunStore, name: &str, folder: &Path) -> Result<String, GitError> {
        self.check_size(store, name, folder)?;
        let add = Self::tree_call(store, name, folder, &["add", "--all", "--", "."]);
        self.bytes(&add)?;
        self.line(&Self::tree_call(store, name, folder, &["write-tree"]))
    }

    fn apply(&self, store: &RunStore, tree: &str, patch: &[u8]) -> Result<String, GitError> {
        if patch.is_empty() {
            return Ok(tree.to_owned());
        }
        let args = ["apply", "--cached", "--whitespace=nowarn", "-"];
        self.with_index(store, tree, &args, patch)
    }

    fn patch(
        &self,
        store: &RunStore,
        old: &str,
        new: &str,
        paths: &[String],
    ) -> Result<Vec<u8>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let mut args = vec![
            "diff-tree",
            "-p",
            "-r",
            "--binary",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
            old,
            new,
            "--",
        ];
        args.extend(paths.iter().map(String::as_str));
        let mut call = Self::bare_call(store, &args);
        call.env
            .push(("GIT_LITERAL_PATHSPECS".to_owned(), Some("1".into())));
        self.bytes(&call)
    }

    fn diff(&self, store: &RunStore, old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        let args = [
            "diff-tree",
            "-p",
            "-r",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-color",
            old,
            new,
        ];
        self.bytes(&Self::bare_call(store, &args))
    }

    fn changes(&self, store: &RunStore, old: &str, new: &str) -> Result<Vec<Change>, GitError> {
        let args = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--full-index",
            old,
            new,
        ];
        let raw = self.bytes(&Self::bare_call(store, &args))?;
        let mut changes = parse_raw(&raw).map_err(|error| GitError::Refused(error.to_string()))?;
        order::sort_by(&mut changes, |one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    fn tree_of(&self, store: &RunStore, commit: &str) -> Result<String, GitError> {
        let name = format!("{commit}^{{tree}}");
        self.line(&Self::bare_call(
            store,
            &[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &name,
            ],
        ))
    }

    fn merge(&self, store: &RunStore, ours: &str, theirs: &str) -> Result<Merged, GitError> {
        let args = [
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            ours,
            theirs,
        ];
        let done: Finished = self
            .processes
            .run(&Self::bare_call(store, &args))
            .map_err(cannot_run)?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        let tree = parts.next().unwrap_or_default().trim().to_owned();
        match done.code {
            Some(0) if !tree.is_empty() => Ok(Merged::Clean(tree)),
            Some(1) if !tree.is_empty() => Ok(Merged::Conflict(parts.map(str::to_owned).collect())),
            _ => Err(local_failure(&words(&done.stderr))),
        }
    }

    fn commit(&self, store: &RunStore, commit: &RunCommit) -> Result<String, GitError> {
        let mut args = vec!["commit-tree", commit.tree.as_str(), "-F", "-"];
        for parent in &commit.parents {
            args.extend(["-p", parent.as_str()]);
        }
        let mut call = Self::bare_call(store, &args);
        call.stdin = commit.message.clone().into_bytes();
        let date = format!("@{} +0000", commit.at.as_second());
        for role in ["AUTHOR", "COMMITTER"] {
            call.env
                .push((format!("GIT_{role}_DATE"), Some(date.clone().into())));
        }
        self.line(&call)
    }

    fn paths(&self, store: &RunStore, tree: &str) -> Result<Vec<String>, GitError> {
        let call = Self::bare_call(
            store,
            &["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree],
        );
        let bytes = self.bytes(&call)?;
        let paths = bytes
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty());
        Ok(paths
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect())
    }

    fn listed(&self, store: &RunStore, tree: &str) -> Result<Vec<(String, Kind)>, GitError> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", tree];
        let tree = Tree::parse(self.bytes(&Self::bare_call(store, &args))?);
        Ok(tree
            .iter()
            .map(|(path, listed)| (path.to_owned(), listed.kind()))
            .collect())
    }

    fn file(&self, store: &RunStore, tree: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let name = format!("{tree}:{path}");
        let known = Self::bare_call(store, &["cat-file", "-t", &name]);
        let done = self.processes.run(&known).map_err(cannot_run)?;
        if done.code != Some(0) || words(&done.stdout) != "blob" {
            return Ok(None);
        }
        self.bytes(&Self::bare_call(store, &["cat-file", "blob", &name]))
            .map(Some)
    }

    fn bundle(
        &self,
        store: &RunStore,
        base: &str,
        head: &str,
        name: &str,
        file: &Path,
    ) -> Result<(), GitError> {
        self.bytes(&Self::bare_call(store, &["update-ref", name, head]))?;
        let path = file.to_string_lossy().into_owned();
        let without = format!("^{base}");
        self.bytes(&Self::bare_call(
            store,
            &["bundle", "create", "--quiet", &path, name, &without],
        ))
        .map(drop)
    }
}

/// Returns a folder of objects and those that it borrows from; git follows only so many steps by itself.
fn object_folders(objects: &Path) -> Vec<PathBuf> {
    let mut folders = vec![objects.to_path_buf()];
    if let Ok(lines) = fs::read_to_string(objects.join("info").join("alternates")) {
        let lines = lines
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        folders.extend(lines.map(|line| objects.join(line)));
    }
    folders
}
