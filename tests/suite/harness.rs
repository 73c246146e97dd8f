//! Runs the real binary in an empty environment, in a folder of its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Where the binary under test is.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_maestro");

/// The package's own folder.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a maestro in it.
pub(crate) struct Maestro {
    folder: TempDir,
    env: Vec<(OsString, OsString)>,
}

/// What a run printed and answered.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Maestro {
    /// A folder without a repository.
    pub(crate) fn in_folder() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("maestro-test-")
            .tempdir()
            .unwrap();
        let this = Self {
            folder,
            env: Vec::new(),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        this.env("PATH", path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            // A repository above the temporary folder must not be found.
            .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
            .env("MAESTRO_NOW", "2026-01-05T09:00:00Z")
            .env("TZ", "UTC")
    }

    /// A folder with a repository of one commit.
    pub(crate) fn in_repo() -> Self {
        let this = Self::in_folder();
        this.git(&["init", "--quiet", "--initial-branch=main"]);
        this.file("README.md", "A repository.\n");
        this.commit("Begin");
        this
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.as_ref().into()));
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada Example")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_AUTHOR_DATE", "2026-01-05T09:00:00Z")
            .env("GIT_COMMITTER_NAME", "Ada Example")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_DATE", "2026-01-05T09:00:00Z")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn commit(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", subject]);
    }

    /// Returns the binary with its environment, for tests that need their own streams.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    #[must_use = "look at what it printed, or at its exit code"]
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run {
        let output = self.command(args).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs, expects success, and reads the JSON that it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let run = self.run(all).success();
        serde_json::from_str(&run.stdout).unwrap()
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.exits_with(0)
    }

    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "\nstdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Standard error holds a text.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "`{words}` is not in:\n{}",
            self.stderr
        );
        self
    }
}

/// Returns the outside corpus, or says that the test was skipped.
pub(crate) fn corpus(part: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("MAESTRO_CORPUS") else {
        assert!(
            std::env::var_os("MAESTRO_REQUIRE").is_none(),
            "MAESTRO_REQUIRE is set, and MAESTRO_CORPUS is not"
        );
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(folder).join(part))
}

/// Returns every file below a folder, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Compares a generated text with its file, or writes it under `MAESTRO_BLESS=1`.
#[track_caller]
pub(crate) fn assert_published(path: &str, text: &str) {
    let file = package().join(path);
    if std::env::var_os("MAESTRO_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        return;
    }
    let published = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        published == text,
        "{path} is stale; run MAESTRO_BLESS=1 cargo test generated"
    );
}
