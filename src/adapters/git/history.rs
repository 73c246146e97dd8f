//! The user's own repository, read: one process for all objects, and a process each for what git alone knows how to answer.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::{GitProgram, cannot_run, local_failure, words};
use crate::ports::history::{Depth, History, Object, Objects};
use crate::ports::{Call, Drain, GitError};

/// So many names fit into a pipe together, whatever git still has to say about those before.
const NAMES_AT_ONCE: usize = 512;

/// One `git cat-file --batch`.
struct Batch {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Without input it ends by itself; a remote that it still waits for would hold us up.
        self.input = None;
        let _may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Objects for Batch {
    fn read(
        &mut self,
        names: &[String],
        take: &mut dyn FnMut(usize, Option<Object>),
    ) -> Result<(), GitError> {
        for (part, some) in names.chunks(NAMES_AT_ONCE).enumerate() {
            let mut request = String::new();
            for name in some {
                // A line break would be a second question.
                request.push_str(&name.replace(['\n', '\0'], " "));
                request.push('\n');
            }
            let input = self.input.as_mut().ok_or_else(broken)?;
            input.write_all(request.as_bytes()).map_err(GitError::Io)?;
            for place in 0..some.len() {
                let object = self.answer()?;
                take(part * NAMES_AT_ONCE + place, object);
            }
        }
        Ok(())
    }
}

impl Batch {
    fn answer(&mut self) -> Result<Option<Object>, GitError> {
        let mut head = Vec::new();
        self.output.read_until(b'\n', &mut head)?;
        if head.is_empty() {
            return Err(broken());
        }
        let head = String::from_utf8_lossy(&head);
        let fields: Vec<&str> = head.trim_end().rsplitn(3, ' ').collect();
        // `<id> <type> <size>`; anything else is `<name> missing` or `<name> ambiguous`.
        let [size, kind, id] = fields[..] else {
            return Ok(None);
        };
        let Ok(size) = size.parse::<usize>() else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let wanted = u64::try_from(size).unwrap_or(u64::MAX);
        (&mut self.output).take(wanted).read_to_end(&mut bytes)?;
        let mut line_break = [0];
        self.output.read_exact(&mut line_break)?;
        Ok(Some(Object {
            id: id.to_owned(),
            kind: kind.to_owned(),
            bytes,
        }))
    }
}

fn broken() -> GitError {
    GitError::Io(std::io::ErrorKind::BrokenPipe.into())
}

impl GitProgram {
    pub(super) fn bytes(&self, call: &Call) -> Result<Vec<u8>, GitError> {
        let done = self.finish(call)?;
        if done.code == Some(0) {
            return Ok(done.stdout);
        }
        Err(local_failure(&words(&done.stderr)))
    }

    /// Returns what a remote said, without what is secret in its address.
    fn failure(&self, folder: &Path, remote: &str, stderr: &[u8]) -> Result<GitError, GitError> {
        let config = self.config_of(folder)?;
        let said = words(stderr);
        let said = config
            .address(remote, false)
            .map_or(said.clone(), |address| address.clean(&said));
        Ok(super::remote::remote_failure(remote, said))
    }

    fn fetch_call(folder: &Path, args: &[&str]) -> Call {
        let mut call = Self::call(folder, &["-c", "maintenance.auto=false", "-c", "gc.auto=0"]);
        call.args.extend(args.iter().map(OsString::from));
        call
    }
}

/// A server that says nothing must not hold up a job for hours.
fn idle(deadline: Duration) -> String {
    format!("http.lowSpeedTime={}", deadline.as_secs().max(1))
}

impl History for GitProgram {
    fn objects(&self, folder: &Path, lazily: bool) -> Result<Box<dyn Objects>, GitError> {
        let call = Self::call(folder, &["cat-file", "--batch"]);
        let mut command = Command::new(&call.program);
        command
            .args(&call.args)
            .current_dir(&call.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It says on standard output what is missing.
            .stderr(Stdio::null());
        for (name, value) in &call.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if !lazily {
            command.env("GIT_NO_LAZY_FETCH", "1");
        }
        let mut child = command.spawn().map_err(cannot_run)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken());
        };
        Ok(Box::new(Batch {
            child,
            input: Some(input),
            output: BufReader::with_capacity(256 * 1024, output),
        }))
    }

    fn list_tree(&self, folder: &Path, commit: &str) -> Result<Vec<u8>, GitError> {
        self.bytes(&Self::call(
            folder,
            &["ls-tree", "-r", "-z", "--full-tree", commit],
        ))
    }

    fn raw_diff(&self, folder: &Path, old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        let args = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--ignore-submodules=none",
            // A setting must not leave out what lies beside the current folder.
            "--no-relative",
            old,
            new,
        ];
        self.bytes(&Self::call(folder, &args))
    }

    fn merge_bases(&self, folder: &Path, one: &str, other: &str) -> Result<Vec<String>, GitError> {
        let done = self.finish(&Self::call(folder, &["merge-base", "--all", one, other]))?;
        match done.code {
            Some(0) => {
                let text = String::from_utf8_lossy(&done.stdout);
                Ok(text.lines().map(str::to_owned).collect())
            }
            // One says that there is none; more, that a shallow clone ends before it can tell.
            _ => Ok(Vec::new()),
        }
    }

    fn is_cut(
        &self,
        folder: &Path,
        one: &str,
        other: &str,
        ancestors: &[String],
    ) -> Result<bool, GitError> {
        let mut args = vec![
            "log",
            "--format=%D",
            "--decorate-refs-exclude=*",
            "--no-color",
            "--no-show-signature",
            one,
            other,
            "--not",
        ];
        args.extend(ancestors.iter().map(String::as_str));
        args.push("--");
        let text = self.bytes(&Self::call(folder, &args))?;
        let text = String::from_utf8_lossy(&text);
        // Git marks so the commits whose parents a shallow clone does not have.
        Ok(text
            .lines()
            .any(|line| line.split(", ").any(|word| word == "grafted")))
    }

    fn first_parents(
        &self,
        folder: &Path,
        tip: &str,
        most: usize,
        drain: Drain<'_>,
    ) -> Result<(), GitError> {
        let most = format!("--max-count={most}");
        let args = [
            "log",
            "--first-parent",
            "-m",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--no-color",
            "--no-relative",
            "--ignore-submodules=none",
            "--no-show-signature",
            "--no-notes",
            "--format=%x01%H %P %ct",
            &most,
            "--end-of-options",
            tip,
        ];
        let call = Self::call(folder, &args);
        let done = self.processes.drain(&call, drain).map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    fn commits(&self, folder: &Path, format: &str, drain: Drain<'_>) -> Result<(), GitError> {
        let args = [
            "log",
            "--no-color",
            "--no-show-signature",
            "--no-notes",
            "--no-mailmap",
            "--encoding=UTF-8",
            format,
            "--tags",
            "HEAD",
            "--",
        ];
        let call = Self::call(folder, &args);
        let done = self.processes.drain(&call, drain).map_err(cannot_run)?;
        if done.code == Some(0) {
            Ok(())
        } else {
            Err(local_failure(&words(&done.stderr)))
        }
    }

    fn tags(&self, folder: &Path, format: &str) -> Result<Vec<u8>, GitError> {
        self.bytes(&Self::call(folder, &["for-each-ref", format, "refs/tags"]))
    }

    fn is_shallow(&self, common_dir: &Path) -> bool {
        // Git asks the same (gitrepository-layout); asking it takes a process.
        std::fs::metadata(common_dir.join("shallow")).is_ok()
    }

    fn is_partial(&self, common_dir: &Path) -> bool {
        let packs = std::fs::read_dir(common_dir.join("objects").join("pack"));
        let mut names = packs
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().ends_with(".promisor"))
    }

    fn missing(&self, folder: &Path, objects: &[String]) -> Result<Vec<String>, GitError> {
        let mut call = Self::call(folder, &["cat-file", "--batch-check"]);
        call.env
            .push(("GIT_NO_LAZY_FETCH".into(), Some("1".into())));
        call.stdin = objects.join("\n").into_bytes();
        call.stdin.push(b'\n');
        let text = self.bytes(&call)?;
        let text = String::from_utf8_lossy(&text);
        let missing = text
            .lines()
            .filter_map(|line| line.strip_suffix(" missing"));
        Ok(missing.map(str::to_owned).collect())
    }

    fn fetch_objects(
        &self,
        folder: &Path,
        remote: &str,
        objects: &[String],
    ) -> Result<(), GitError> {
        let args = [
            // What is wanted is known to be missing: there is nothing to haggle about.
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
            remote,
        ];
        let mut call = Self::fetch_call(folder, &args);
        call.stdin = objects.join("\n").into_bytes();
        call.stdin.push(b'\n');
        let done = self.finish(&call)?;
        if done.code == Some(0) {
            return Ok(());
        }
        Err(self.failure(folder, remote, &done.stderr)?)
    }

    fn fetch_commits(
        &self,
        folder: &Path,
        remote: &str,
        refspecs: &[String],
        depth: Depth,
        deadline: Duration,
    ) -> Result<(), GitError> {
        let depth = match depth {
            Depth::More(commits) => Some(format!("--deepen={commits}")),
            Depth::Tip => Some("--depth=1".to_owned()),
            Depth::All => Some("--unshallow".to_owned()),
            Depth::Same => None,
        };
        let idle = idle(deadline);
        let mut args = vec![
            "-c",
            "http.lowSpeedLimit=1",
            "-c",
            &idle,
            "fetch",
            "--quiet",
            "--no-tags",
        ];
        args.extend([
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--update-shallow",
        ]);
        args.extend(depth.as_deref());
        args.extend(["--", remote]);
        args.extend(refspecs.iter().map(String::as_str));
        let done = self.finish(&Self::fetch_call(folder, &args))?;
        if done.code == Some(0) {
            return Ok(());
        }
        Err(self.failure(folder, remote, &done.stderr)?)
    }

    fn remote_tip(
        &self,
        folder: &Path,
        remote: &str,
        branch: &str,
        deadline: Duration,
    ) -> Result<Option<String>, GitError> {
        let idle = idle(deadline);
        let name = format!("refs/heads/{branch}");
        let args = [
            "-c",
            "http.lowSpeedLimit=1",
            "-c",
            &idle,
            "ls-remote",
            "--quiet",
            "--",
            remote,
            &name,
        ];
        let done = self.finish(&Self::fetch_call(folder, &args))?;
        if done.code != Some(0) {
            return Err(self.failure(folder, remote, &done.stderr)?);
        }
        let text = String::from_utf8_lossy(&done.stdout);
        let tip = text.lines().find_map(|line| {
            let (object, found) = line.split_once('\t')?;
            (found == name).then(|| object.to_owned())
        });
        Ok(tip)
    }

    fn tree_of_work(&self, folder: &Path) -> Result<String, GitError> {
        let scratch = tempfile::Builder::new()
            .prefix("maestro-index-")
            .tempdir()?;
        let index = scratch.path().join("index");
        let with_index = |args: &[&str]| {
            let mut call = Self::call(folder, args);
            call.env
                .push(("GIT_INDEX_FILE".into(), Some(OsString::from(&index))));
            call
        };
        // A copy of the index spares looking into files that did not change.
        let own = self.text(&Self::call(folder, &["rev-parse", "--git-path", "index"]))?;
        let own = folder.join(own.trim());
        if own.exists() {
            std::fs::copy(own, &index)?;
        }
        self.text(&with_index(&["add", "--all", "--", ":/"]))?;
        Ok(self.text(&with_index(&["write-tree"]))?.trim().to_owned())
    }
}
