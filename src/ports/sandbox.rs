//! What is needed of a sandbox: a program that runs shut in, and what came of it.
//!
//! Nothing is inherited: what the program is told, may read, may change and may reach is in [`Confined`], all of it.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The command that starts this binary as the keeper of a program. It is no part of the command line for people.
pub(crate) const KEEPER: &str = "__confine";

/// Who shuts programs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shield {
    /// The kernel does (Landlock and seccomp), or nothing runs
    #[default]
    Require,
    /// A container or virtual machine around maestro does
    Outer,
    /// Nobody does
    Off,
}

impl Shield {
    /// Returns what has to be said before anything runs.
    pub(crate) fn warning(self) -> Option<&'static str> {
        match self {
            Self::Require => None,
            Self::Outer => Some(
                "`--sandbox outer`: maestro shuts nothing in, it trusts the container or virtual machine around it",
            ),
            Self::Off => Some(
                "`--sandbox off`: NOTHING IS SHUT IN: whatever a model writes runs with your files, your keys on disk and your network",
            ),
        }
    }
}

/// Whom a program may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Network {
    #[default]
    None,
    /// The gateway, which listens on this port of the loopback.
    Gateway(u16),
}

/// How much a program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Seconds on a processor, each process for itself.
    pub(crate) cpu: u64,
    /// Bytes of memory, all processes together.
    pub(crate) memory: u64,
    /// Processes and threads.
    pub(crate) processes: u64,
    /// Bytes of one file.
    pub(crate) file: u64,
    /// Bytes by which the disk may fill.
    pub(crate) disk: u64,
    /// Files that a process holds open.
    pub(crate) open_files: u64,
    /// Milliseconds until all of it is over.
    pub(crate) wall: u64,
    /// Bytes that are kept of each output stream.
    pub(crate) output: u64,
}

const MEGA: u64 = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: 3600,
            memory: 4096 * MEGA,
            processes: 1024,
            file: 2048 * MEGA,
            disk: 8192 * MEGA,
            open_files: 4096,
            wall: 30 * 60 * 1000,
            output: 4 * MEGA,
        }
    }
}

/// A program, and all that it may know, touch and use.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confined {
    #[serde(default)]
    pub(crate) shield: Shield,
    pub(crate) program: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// Its whole environment.
    #[serde(default)]
    pub(crate) env: Vec<(String, String)>,
    /// What it reads from standard input.
    #[serde(default)]
    pub(crate) stdin: String,
    /// What it may read and start, besides the system's own folders.
    #[serde(default)]
    pub(crate) readable: Vec<PathBuf>,
    /// What it may change.
    #[serde(default)]
    pub(crate) writable: Vec<PathBuf>,
    /// What must stay unseen: a folder above one of these is never readable.
    #[serde(default)]
    pub(crate) hidden: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) network: Network,
    #[serde(default)]
    pub(crate) limits: Limits,
    /// Take the kernel for one whose Landlock is no newer, and without namespaces: to see what older kernels do.
    #[serde(default)]
    pub(crate) pretend: Option<u8>,
}

/// What a program used too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    Time,
    Cpu,
    Memory,
    Processes,
    FileSize,
    Disk,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    Exited(i32),
    /// By the signal of that number.
    Killed(i32),
}

/// What is kept of an output stream: its beginning and its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) head: Vec<u8>,
    /// Bytes between the two that are gone.
    pub(crate) cut: u64,
    pub(crate) tail: Vec<u8>,
}

impl Kept {
    /// Returns it as text that says what is missing.
    pub(crate) fn text(&self) -> String {
        if self.cut == 0 {
            let whole = [self.head.as_slice(), self.tail.as_slice()].concat();
            return String::from_utf8_lossy(&whole).into_owned();
        }
        let mut text = String::from_utf8_lossy(&self.head).into_owned();
        let _never_fails = write!(text, "\n[{} bytes cut]\n", self.cut);
        text.push_str(&String::from_utf8_lossy(&self.tail));
        text
    }
}

/// What came of a program. Nothing that it started runs any more.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) how: How,
    /// Why it was ended, if it was.
    pub(crate) limit: Option<Limit>,
    pub(crate) stdout: Kept,
    pub(crate) stderr: Kept,
    pub(crate) duration: Duration,
}

/// Something that a sandbox should hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) holds: bool,
    /// Whether nothing runs under `require` without it.
    pub(crate) is_needed: bool,
}

/// What holds on this machine, tried out and not read from a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The version of the kernel's Landlock; zero when there is none.
    pub(crate) abi: u8,
    pub(crate) properties: Vec<Property>,
}

impl Probe {
    /// Returns what does not hold.
    pub(crate) fn missing(&self, needed_only: bool) -> Vec<&str> {
        let missing = self.properties.iter().filter(|one| !one.holds);
        missing
            .filter(|one| one.is_needed || !needed_only)
            .map(|one| one.name.as_str())
            .collect()
    }
}

/// Why nothing ran, or why nobody can say what came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxProblem {
    #[error("this machine cannot shut programs in: {0}")]
    Unsupported(String),
    #[error(
        "`{shown}` may not be opened to a program: `{hidden}`, which must stay unseen, is in it"
    )]
    Shows { shown: PathBuf, hidden: PathBuf },
    #[error("cannot start `{program}`: {why}")]
    NotStarted { program: String, why: String },
    #[error("the sandbox broke: {0}")]
    Broken(#[from] io::Error),
}

impl SandboxProblem {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => {
                "run on Linux 6.7 or newer with Landlock (`lsm=` names it), or run maestro in a container or virtual machine and declare it with `--sandbox outer`"
            }
            Self::Shows { .. } => "name a folder below it",
            Self::NotStarted { .. } => {
                "check the spelling, and whether it is installed and may be run"
            }
            Self::Broken(_) => {
                "`maestro doctor` says what this machine allows; free some memory and processes, and run it again"
            }
        }
    }
}

/// Runs programs shut in.
pub(crate) trait Sandbox: Send + Sync {
    /// Tries out what holds on this machine.
    fn probe(&self) -> Result<Probe, SandboxProblem>;
    /// Runs a program until it and all that it started has ended.
    fn run(&self, confined: &Confined) -> Result<Ended, SandboxProblem>;
    /// Does the keeper's part, in the process that `run` started for it; returns its exit code.
    fn keep(&self, args: &[String]) -> u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_is_said() {
        let mut kept = Kept {
            head: b"ab".to_vec(),
            cut: 0,
            tail: b"c".to_vec(),
        };
        assert_eq!(kept.text(), "abc");
        kept.cut = 7;
        assert_eq!(kept.text(), "ab\n[7 bytes cut]\nc");
    }

    #[test]
    fn a_specification_refuses_what_it_does_not_know() {
        let read = |text: &str| serde_json::from_str::<Confined>(text);
        let least = read(r#"{"program": "true", "folder": "/"}"#).unwrap();
        assert_eq!(least.shield, Shield::Require);
        assert_eq!(least.network, Network::None);
        assert!(read(r#"{"program": "true", "folder": "/", "writeable": []}"#).is_err());
        assert!(read(r#"{"program": "true", "folder": "/", "limits": {"cpus": 1}}"#).is_err());
    }

    #[test]
    fn who_is_not_shut_in_is_told() {
        let loud = |shield: Shield| {
            shield
                .warning()
                .is_some_and(|words| words.contains("NOTHING"))
        };
        assert_eq!(Shield::Require.warning(), None);
        assert!(Shield::Outer.warning().is_some() && !loud(Shield::Outer));
        assert!(loud(Shield::Off));
    }

    #[test]
    fn only_what_is_needed_stops_a_run() {
        let property = |name: &str, holds, is_needed| Property {
            name: name.to_owned(),
            holds,
            is_needed,
        };
        let probe = Probe {
            abi: 5,
            properties: vec![
                property("files", true, true),
                property("signals", false, false),
                property("network", false, true),
            ],
        };
        assert_eq!(probe.missing(true), ["network"]);
        assert_eq!(probe.missing(false), ["signals", "network"]);
    }
}
