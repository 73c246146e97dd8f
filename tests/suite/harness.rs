//! Runs the real binary in an empty environment, in a folder of its own.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tempfile::TempDir;

use super::snapshot::Snapshot;

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
        static MADE: OnceLock<Snapshot> = OnceLock::new();
        Self::laid(MADE.get_or_init(|| {
            let this = Self::in_folder();
            this.git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
            this.file("README.md", "A repository.\n");
            this.commit("Begin");
            Snapshot::of(&this.path(""))
        }))
    }

    /// A folder with these files.
    pub(crate) fn laid(files: &Snapshot) -> Self {
        let this = Self::in_folder();
        files.lay(&this.path(""));
        this
    }

    /// The same folder once more, elsewhere.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::in_folder();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.path().join("."))
            .arg(copy.folder.path())
            .status();
        assert!(copied.unwrap().success());
        Self {
            env: self.env.clone(),
            ..copy
        }
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
            // It would be a process after each commit and fetch, for nothing.
            .args(["-c", "maintenance.auto=false"])
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

    /// Returns a shell that runs a script in which `"$0" "$@"` is the binary with these arguments, in the same environment.
    #[cfg(unix)]
    pub(crate) fn shell(&self, script: &str, args: &[&str]) -> Command {
        let inner = self.command(args);
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .arg(inner.get_program())
            .args(inner.get_args())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(
                inner
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null());
        command
    }

    #[must_use = "look at what it printed, or at its exit code"]
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run {
        Run::of(self.command(args))
    }

    /// Runs, expects success, and reads the JSON that it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let run = self.run(all).success();
        serde_json::from_str(&run.stdout).unwrap()
    }
}

/// Suite and name of each test that is stored, with the number of its executions and failures.
pub(crate) type Tests = BTreeMap<(String, String), (u64, u64)>;

impl Maestro {
    /// Takes a report in; returns its tests.
    pub(crate) fn tests_of(&self, report: &str) -> Tests {
        let args = ["flakes", "ingest", "--run", "1", report];
        let _ = self.run(args).success();
        let report = self.json(&["flakes", "report", "--all"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let tests = report["tests"].as_array().unwrap().iter();
        let row = |test: &Value| {
            let key = (text(&test["suite"]), text(&test["test"]));
            (key, (count(&test["runs"]), count(&test["failures"])))
        };
        tests.map(row).collect()
    }
}

impl Run {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

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

/// A bare remote `r.git` and clones of it, in one folder.
pub(crate) struct Team(Maestro);

impl Team {
    /// Makes the remote, the clone `a`, and those that are named.
    pub(crate) fn new(clones: &[&str]) -> Self {
        let team = Self(Maestro::in_folder());
        team.git(".", "init --quiet --template= --initial-branch=main a");
        team.file("a/README.md", "A repository.\n");
        team.commit("a");
        team.git(".", "clone --quiet --template= --bare a r.git");
        team.git("a", "remote add origin ../r.git");
        for clone in clones {
            team.git(".", &format!("clone --quiet --template= r.git {clone}"));
        }
        team
    }

    pub(crate) fn env(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        Self(self.0.env(name, value))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path(path)
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        self.0.file(path, content);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs git in a folder of the team, with arguments that have no spaces.
    pub(crate) fn git(&self, folder: &str, args: &str) -> String {
        let args: Vec<&str> = args.split(' ').collect();
        self.0.git(&[&["-C", folder], &args[..]].concat())
    }

    pub(crate) fn set(&self, clone: &str, key: &str, value: &str) {
        self.0.git(&["-C", clone, "config", key, value]);
    }

    pub(crate) fn commit(&self, folder: &str) {
        self.git(folder, "add --all");
        self.git(folder, "commit --quiet --allow-empty --message Change");
    }

    /// Stores a run with a list of tests of its own: two events.
    pub(crate) fn store(&self, clone: &str, run: &str) {
        let file = format!("{run}.xml");
        self.file(&file, format!(
            "<testsuite name=\"s\"><testcase name=\"{run}\"/><testcase name=\"b\"><failure message=\"m\"/></testcase></testsuite>"
        ));
        let file = self.path(&file);
        let args = ["-C", clone, "flakes", "ingest", "--run", run];
        let args = args.iter().map(OsStr::new).chain([file.as_os_str()]);
        self.0.run(args).success();
    }

    /// Runs any command above the clones.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run {
        self.0.run(args)
    }

    pub(crate) fn publish(&self, clone: &str, run: &str) {
        self.store(clone, run);
        self.ok(&format!("{clone} push"));
    }

    /// Returns a shell above the clones, in which `$MAESTRO` is the binary.
    #[cfg(unix)]
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.0.shell(script, &[]);
        command.env("MAESTRO", BINARY);
        command
    }

    /// Prepares `maestro state`: the clone's name, and the rest of the line.
    fn command(&self, line: &str) -> Command {
        let (clone, args) = line.split_once(' ').unwrap();
        self.0
            .command(["-C", clone, "state"].into_iter().chain(args.split(' ')))
    }

    pub(crate) fn spawn(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn state(&self, line: &str) -> Run {
        Run::of(self.command(line))
    }

    /// Runs, expects success, and returns what it prints.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        self.state(line).success().stdout
    }

    /// Runs, expects success, and looks for what it prints.
    #[track_caller]
    pub(crate) fn prints(&self, line: &str, words: &str) {
        let text = self.ok(line);
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }

    /// Runs, expects trouble, and looks for what it says: phrases with `|` between them.
    #[track_caller]
    pub(crate) fn fails(&self, line: &str, code: i32, phrases: &str) {
        let run = self.state(line).exits_with(code);
        let _ = phrases.split('|').fold(run, Run::says);
    }

    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        let text = self.ok(&format!("{line} --format json"));
        serde_json::from_str(&text).unwrap()
    }

    /// Returns how many runs a report in a clone counts.
    pub(crate) fn reported(&self, clone: &str) -> Value {
        self.0.json(&["-C", clone, "flakes", "report"])["totals"]["runs"].clone()
    }

    /// Returns the refs of the remote.
    pub(crate) fn refs(&self) -> String {
        self.git("r.git", "for-each-ref")
    }

    pub(crate) fn inbox(&self) -> Vec<String> {
        let text = self.git("r.git", "for-each-ref --format=%(refname) refs/maestro");
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the segments on a branch, by path.
    pub(crate) fn segments(&self, remote: &str, branch: &str) -> Vec<(String, String)> {
        let list = format!("ls-tree -r --name-only {branch} .maestro/events/");
        let paths = self.git(remote, &list);
        let read = |path: &str| self.git(remote, &format!("show {branch}:{path}"));
        paths
            .lines()
            .map(|path| (path.to_owned(), read(path)))
            .collect()
    }

    /// The branch of a remote holds these runs, and each event once, sorted.
    #[track_caller]
    pub(crate) fn holds(&self, remote: &str, branch: &str, runs: &[&str]) {
        let mut ids = HashSet::new();
        let mut found = Vec::new();
        for (path, text) in self.segments(remote, branch) {
            let mut keys = Vec::new();
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                keys.push((event["at"].to_string(), event["id"].to_string()));
                assert!(ids.insert(event["id"].to_string()), "twice: {line}");
                if event["kind"] == "test_run" {
                    found.push(event["run"].as_str().unwrap().to_owned());
                }
            }
            assert!(keys.is_sorted(), "{path} is not sorted");
        }
        found.sort();
        assert_eq!(found, runs);
    }

    /// After a fold everything has arrived once, and nothing waits any more.
    #[track_caller]
    pub(crate) fn folds_to(&self, runs: &[&str]) {
        self.ok("a fold");
        self.holds("r.git", "maestro-state", runs);
        assert_eq!(self.inbox(), [""; 0]);
    }

    /// Publishes a commit of one file as another program might.
    pub(crate) fn put_in_inbox(&self, leaf: &str, file: &str, content: &str) {
        self.git(".", &format!("init --quiet --template= {leaf}"));
        self.file(&format!("{leaf}/{file}"), content);
        self.commit(leaf);
        let target = format!("+HEAD:refs/maestro/inbox/{leaf}");
        self.git(leaf, &format!("push --quiet ../r.git {target}"));
    }

    pub(crate) fn outbox(&self, clone: &str) -> Vec<PathBuf> {
        files_below(&self.path(&format!("{clone}/.git/maestro/outbox")))
    }

    /// Returns every file of a repository but those of maestro.
    pub(crate) fn repository(&self, clone: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let ask = "rev-parse --path-format=absolute --git-common-dir";
        let folder = PathBuf::from(self.git(clone, ask).trim_end());
        let files = files_below(&folder).into_iter();
        files
            .filter(|path| !path.starts_with(folder.join("maestro")))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }

    /// Writes a shell script.
    #[cfg(unix)]
    pub(crate) fn script(&self, path: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        self.file(path, format!("#!/bin/sh\n{text}\n"));
        let path = self.path(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Lets the file `log` tell the arguments of every git that maestro starts.
    #[cfg(unix)]
    pub(crate) fn with_logging_git(self) -> Self {
        let log = self.path("log");
        let text = "echo \"$*\" >> 'LOG'; PATH=${PATH#*:} exec git \"$@\"";
        self.script("bin/git", &text.replace("LOG", log.to_str().unwrap()));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.path("bin").display());
        self.env("PATH", path)
    }
}

/// Starts a server that answers strangers in one way, and those with credentials, which it notes, in another.
pub(crate) fn doorkeeper(
    stranger: &'static str,
    guest: &'static str,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("127.0.0.1:{}", door.local_addr().unwrap().port());
    let notes = Arc::new(Mutex::new(Vec::new()));
    let shown = Arc::clone(&notes);
    std::thread::spawn(move || {
        for visitor in door.incoming().flatten() {
            let lines = BufReader::new(&visitor).lines().map_while(Result::ok);
            let mut head = lines.take_while(|line| !line.is_empty());
            let is_about = |line: &String| line.starts_with("Authorization: ");
            let guests = head.by_ref().find(is_about);
            head.for_each(drop);
            let status = if guests.is_some() { guest } else { stranger };
            shown.lock().unwrap().extend(guests);
            let rest = "WWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0";
            // Whoever has left already has not heard it.
            let _ = write!(
                &visitor,
                "HTTP/1.1 {status}\r\n{rest}\r\nConnection: close\r\n\r\n"
            );
        }
    });
    (address, notes)
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
