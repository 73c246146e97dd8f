//! A house with something to steal in every room, people who would notice, and programs that run in it shut in or not.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Who runs a program, and on which kernel it is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Somebody else than root.
    pub(crate) is_nobody: bool,
    /// Landlock no newer than this, and no namespaces.
    pub(crate) pretend: Option<u8>,
}

/// The number of somebody who owns nothing.
const NOBODY: &str = "65534";

/// A limit of time for what nothing shuts in.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn small_limits() -> Value {
    json!({
        "cpu": 1, "memory": 200 << 20, "processes": 100, "file": 16 << 20, "disk": 100 << 20,
        "open_files": 256, "wall": 2500, "output": 100_000,
    })
}

/// Says whether it heard something since it was asked.
pub(crate) type Ear = Box<dyn Fn() -> bool + Send>;

/// One case signals everybody who can be reached, also those of other houses: nobody else may live then.
static STREET: RwLock<()> = RwLock::new(());

#[expect(dead_code, reason = "they are held, and not looked at")]
enum Guard {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// Where programs are that everybody may start.
fn path() -> OsString {
    let own = std::env::var_os("PATH").unwrap();
    let system = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::join_paths(system.into_iter().chain(std::env::split_paths(&own))).unwrap()
}

/// A command that finds the system's programs first.
pub(super) fn program(name: &str) -> Command {
    let path = path();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from(name)));
    command.env("PATH", path);
    command
}

pub(super) struct House {
    _guard: Guard,
    pub(super) folder: TempDir,
    mode: Mode,
    binary: PathBuf,
    mark: String,
    victim: Child,
    ports: BTreeMap<&'static str, String>,
    ears: Vec<Ear>,
    is_over: Arc<AtomicBool>,
    before: BTreeMap<PathBuf, String>,
}

fn git(folder: &Path, args: &[&str]) {
    let ran = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ada Example"),
            ("GIT_AUTHOR_EMAIL", "ada@example.com"),
            ("GIT_COMMITTER_NAME", "Ada Example"),
            ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// Builds the rooms that all houses have.
pub(super) fn template() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("maestro-house-")
        .tempdir()
        .unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in [".ssh", ".aws", ".config/gh", "canary-name"] {
        fs::create_dir_all(at("home").join(path)).unwrap();
    }
    for path in ["outside", "repo", "run/tree", "run/home", "run/tmp"] {
        fs::create_dir_all(at(path)).unwrap();
    }
    let secrets = [
        "home/.ssh/id_ed25519",
        "home/.ssh/authorized_keys",
        "home/.netrc",
        "home/.aws/credentials",
        "home/.config/gh/hosts.yml",
        "home/.bashrc",
        "outside/secret",
        "outside/victim",
    ];
    for path in secrets {
        fs::write(at(path), "canary-file\n").unwrap();
    }
    git(
        &at("repo"),
        &["init", "--quiet", "--template=", "--initial-branch=main"],
    );
    fs::create_dir(at("repo/.git/hooks")).unwrap();
    git(
        &at("repo"),
        &["commit", "--quiet", "--allow-empty", "--message", "Begin"],
    );
    git(
        &at("repo"),
        &[
            "config",
            "http.extraheader",
            "AUTHORIZATION: basic canary-git",
        ],
    );
    git(
        &at("run/tree"),
        &["init", "--quiet", "--template=", "--initial-branch=main"],
    );
    fs::write(at("run/tree/README.md"), "A tree.\n").unwrap();
    git(&at("run/tree"), &["add", "--all"]);
    git(
        &at("run/tree"),
        &["commit", "--quiet", "--message", "Begin"],
    );
    fs::rename(at("run/tree/.git"), at("run/store.git")).unwrap();
    fs::write(at("run/tree/.git"), "gitdir: ../store.git\n").unwrap();
    folder
}

impl House {
    /// Builds a house; nobody lives in the street beside one that is alone.
    pub(super) fn new(template: &Path, binary: &Path, mode: Mode, is_alone: bool) -> Self {
        let guard = if is_alone {
            Guard::Alone(STREET.write().unwrap_or_else(PoisonError::into_inner))
        } else {
            Guard::Shared(STREET.read().unwrap_or_else(PoisonError::into_inner))
        };
        let folder = tempfile::Builder::new()
            .prefix("maestro-house-")
            .tempdir()
            .unwrap();
        // Everybody may pass through, so that somebody else than root can live here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(template.join("."))
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let (ears, ports) = ears(folder.path(), &is_over);
        if mode.is_nobody {
            let owner = format!("{NOBODY}:{NOBODY}");
            let given = Command::new("chown")
                .args(["-R", &owner])
                .arg(folder.path())
                .status();
            assert!(given.unwrap().success());
        }
        let victim = victim(folder.path(), mode);
        let before = look(folder.path());
        let mark = folder
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let binary = binary.to_path_buf();
        Self {
            _guard: guard,
            folder,
            mode,
            binary,
            mark,
            victim,
            ports,
            ears,
            is_over,
            before,
        }
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Returns what a script is told.
    fn told(&self) -> Vec<(String, String)> {
        let at = |path: &str| self.at(path).to_string_lossy().into_owned();
        let mut told = vec![
            ("PATH".to_owned(), path().to_string_lossy().into_owned()),
            ("HOUSE".to_owned(), at("").trim_end_matches('/').to_owned()),
            ("OUT".to_owned(), at("outside")),
            ("HOME_OF_USER".to_owned(), at("home")),
            ("REPO".to_owned(), at("repo")),
            ("SOCK".to_owned(), at("outside/socket")),
            ("VICTIM".to_owned(), self.victim.id().to_string()),
            ("MARK".to_owned(), self.mark.clone()),
            ("HOME".to_owned(), at("run/home")),
            ("TMPDIR".to_owned(), at("run/tmp")),
            ("GIT_CONFIG_GLOBAL".to_owned(), "/dev/null".to_owned()),
            ("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned()),
            ("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned()),
        ];
        for name in ["CARGO_HOME", "RUSTUP_HOME"] {
            told.extend(
                std::env::var(name)
                    .ok()
                    .map(|value| (name.to_owned(), value)),
            );
        }
        told.extend(
            self.ports
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        told
    }

    /// Starts a command with a descriptor left open, a key in its environment, and as whoever the mode says.
    fn command(&self, program: &str, args: &[String]) -> Command {
        let mut words = vec![program.to_owned()];
        words.extend_from_slice(args);
        if self.mode.is_nobody {
            let who = [
                "setpriv",
                "--reuid",
                NOBODY,
                "--regid",
                NOBODY,
                "--clear-groups",
            ];
            words.splice(0..0, who.map(str::to_owned));
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec 9<\"$0\"; exec \"$@\""])
            .arg(self.at("outside/secret"))
            .args(words)
            .env_clear()
            .env("PATH", path())
            .env("MODEL_API_KEY", "canary-key")
            .current_dir(self.at("run/tree"));
        command
    }

    /// Runs a script that nothing shuts in; returns what it was caught at.
    pub(super) fn loose(&mut self, script: &str) -> Vec<String> {
        let (program, args) = words(script);
        let mut child = self
            .command(program, &args)
            .envs(self.told())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let (send, output) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = pipe.read_to_end(&mut text);
            let _ = send.send(text);
        });
        let text = output.recv_timeout(PATIENCE);
        let mut caught = Vec::new();
        if text.is_err() {
            caught.push("it did not end".to_owned());
        }
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        // Signals and servers take their time.
        let end = Instant::now() + PATIENCE;
        while caught.is_empty() && Instant::now() < end {
            caught.extend(self.caught(&text));
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        caught
    }

    /// Runs a script shut in; returns the answer.
    pub(super) fn run(&self, script: &str, change: &dyn Fn(&mut Value)) -> Value {
        let (program, args) = words(script);
        let at = |path: &str| self.at(path).to_string_lossy().into_owned();
        let mut readable = vec![at("run/store.git")];
        // Toolchains lie where the user has them.
        if let Some(home) = std::env::var_os("HOME").map(PathBuf::from) {
            readable.extend(
                [".cargo/bin", ".rustup"]
                    .map(|path| home.join(path).to_string_lossy().into_owned()),
            );
        }
        for name in ["CARGO_HOME", "RUSTUP_HOME"] {
            readable.extend(std::env::var(name).ok());
        }
        let mut told = self.told();
        if let Some(home) = std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.join(".rustup").is_dir())
        {
            told.push((
                "RUSTUP_HOME".to_owned(),
                home.join(".rustup").to_string_lossy().into_owned(),
            ));
        }
        let mut specification = json!({
            "program": program,
            "args": args,
            "folder": at("run/tree"),
            "env": told,
            "readable": readable,
            "writable": [at("run/tree"), at("run/home"), at("run/tmp")],
            "hidden": [at("home"), at("outside"), at("repo")],
            "limits": { "wall": 120_000 },
            "pretend": self.mode.pretend,
        });
        change(&mut specification);
        let file = self.at("specification.json");
        fs::write(&file, specification.to_string()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let args = ["__confine", "try", &file.to_string_lossy()].map(str::to_owned);
        let ran = self
            .command(&self.binary.to_string_lossy(), &args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| {
            panic!(
                "{}{}",
                String::from_utf8_lossy(&ran.stdout),
                String::from_utf8_lossy(&ran.stderr)
            )
        })
    }

    /// Runs a script shut in; returns what it was caught at.
    pub(super) fn confined(&mut self, script: &str) -> (Vec<String>, Value) {
        let answer = self.run(script, &|specification| {
            specification["limits"] = small_limits();
        });
        assert!(answer["problem"].is_null(), "{answer}");
        let text = format!("{}{}", answer["stdout"], answer["stderr"]);
        (self.caught(&text), answer)
    }

    /// Starts maestro with a script shut in, and lets go of it.
    pub(super) fn start(&self, script: &str) -> Child {
        let (program, args) = words(script);
        let specification = json!({
            "program": program, "args": args, "folder": self.at("run/tree"), "env": self.told(),
            "writable": [self.at("run/tree")], "limits": { "wall": 60_000 },
        });
        let file = self.at("specification.json");
        fs::write(&file, specification.to_string()).unwrap();
        let file = file.to_string_lossy().into_owned();
        Command::new(&self.binary)
            .args(["__confine", "try", &file])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Returns the processes that a script left over.
    pub(super) fn left_over(&self) -> Vec<i32> {
        let mark = format!("MARK={}\0", self.mark);
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id| {
                let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
                environment
                    .windows(mark.len())
                    .any(|part| part == mark.as_bytes())
            })
            .collect()
    }

    /// Returns everything that a script can be seen to have done.
    pub(super) fn caught(&mut self, output: &str) -> Vec<String> {
        let mut caught = Vec::new();
        if output.contains("canary-") {
            caught.push("it printed a canary".to_owned());
        }
        if output.contains("BREACH") {
            caught.push("it says so".to_owned());
        }
        if self.at("run/tree/late").exists() {
            caught.push("it wrote later".to_owned());
        }
        if output.len() > 1_000_000 {
            caught.push("its output is long".to_owned());
        }
        let left_over = self.left_over();
        if !left_over.is_empty() {
            caught.push(format!("{} processes are left over", left_over.len()));
            let ids = left_over.iter().map(ToString::to_string);
            let _ = Command::new("kill").arg("-KILL").args(ids).output();
        }
        if self.victim.try_wait().unwrap().is_some() {
            caught.push("the victim is dead".to_owned());
        }
        let heard = self.ears.iter().filter(|ear| ear()).count();
        if heard > 0 {
            caught.push(format!("{heard} servers heard it"));
        }
        let after = look(self.folder.path());
        for path in self.before.keys().chain(after.keys()) {
            if self.before.get(path) != after.get(path) {
                caught.push(format!("{} changed", path.display()));
            }
        }
        let planted = PathBuf::from(format!("{}.planted", self.folder.path().display()));
        let shared = Path::new("/dev/shm").join(self.folder.path().file_name().unwrap());
        if fs::remove_file(planted).is_ok() || fs::remove_file(shared).is_ok() {
            caught.push("it wrote beside the house".to_owned());
        }
        caught
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

fn words(script: &str) -> (&'static str, Vec<String>) {
    let (program, switches, script) = match script.strip_prefix("#py\n") {
        Some(script) => ("python3", "-SEc", script),
        None => ("sh", "-c", script),
    };
    (program, [switches, script].map(str::to_owned).to_vec())
}

/// Returns what the rooms outside look like.
fn look(house: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["home", "outside", "repo", "run/store.git"]
        .iter()
        .map(|room| house.join(room))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let mut words = format!("{:o}", about.mode());
            words.push_str(&format!(" {}", about.mtime()));
            if about.is_dir() {
                folders.push(path.clone());
            } else if about.is_file() {
                words.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
            }
            seen.insert(path, words);
        }
    }
    seen
}

/// Starts somebody who minds his own business: with a key in his environment, a secret open, and an ear for signals.
pub(crate) fn victim(house: &Path, mode: Mode) -> Child {
    let script = "import os, signal, sys, time
signal.signal(signal.SIGURG, lambda *a: open('felt', 'w'))
os.dup2(os.open('secret', os.O_RDONLY), 8)
print('ready', flush=True)
time.sleep(120)";
    let mut words = vec!["python3", "-SEc", script];
    if mode.is_nobody {
        words.splice(
            0..0,
            [
                "setpriv",
                "--reuid",
                NOBODY,
                "--regid",
                NOBODY,
                "--clear-groups",
            ],
        );
    }
    let mut victim = program(words[0])
        .args(&words[1..])
        .current_dir(house.join("outside"))
        .env("MODEL_API_KEY", "canary-key")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(victim.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    victim
}

/// Opens what a program must not reach, and somebody who calls whoever listens.
pub(crate) fn ears(
    house: &Path,
    is_over: &Arc<AtomicBool>,
) -> (Vec<Ear>, BTreeMap<&'static str, String>) {
    let mut ears: Vec<Ear> = Vec::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let elsewhere = TcpListener::bind(("127.0.0.2", port)).unwrap();
    for door in [tcp, elsewhere] {
        door.set_nonblocking(true).unwrap();
        ears.push(Box::new(move || door.accept().is_ok()));
    }
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    udp.set_nonblocking(true).unwrap();
    ears.push(Box::new(move || udp.recv(&mut [0; 9]).is_ok()));
    let name = house.file_name().unwrap().to_string_lossy().into_owned();
    let hidden = SocketAddr::from_abstract_name(&name).unwrap();
    let file = house.join("outside/socket");
    for door in [
        UnixListener::bind_addr(&hidden).unwrap(),
        UnixListener::bind(&file).unwrap(),
    ] {
        door.set_nonblocking(true).unwrap();
        ears.push(Box::new(move || door.accept().is_ok()));
    }
    let datagrams = UnixDatagram::bind(house.join("outside/socket.dgram")).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    ears.push(Box::new(move || datagrams.recv(&mut [0; 9]).is_ok()));
    let inbound = super::quiet_port();
    let is_over = Arc::clone(is_over);
    std::thread::spawn(move || {
        while !is_over.load(Ordering::SeqCst) {
            let _ = TcpStream::connect(inbound);
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let ports = BTreeMap::from([
        ("PORT", port.to_string()),
        ("UDP", udp_port.to_string()),
        ("ABSTRACT", name),
        ("INBOUND", inbound.port().to_string()),
    ]);
    (ears, ports)
}

/// Waits until something is so, or for long.
pub(super) fn eventually(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
