//! Programs shut in: this process speaks to a keeper, which is this binary once more, and the keeper shuts itself in before it
//! starts the program.
//!
//! The keeper is there so that no program outlives its time, even when this process is killed, and so that nothing unsafe is
//! needed between a fork and an exec. On Linux, `fence.rs` and `rules.rs` (Landlock), `calls.rs` (seccomp) and `limits.rs` are what
//! it shuts in with; `loopback.rs` and `view.rs` give a program a network and a view of the files of its own where the kernel
//! lets it.

mod attempt;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod fence;
#[cfg(unix)]
mod keeper;
mod kept;
#[cfg(unix)]
mod limits;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(unix)]
mod outside;
#[cfg(not(unix))]
mod plain;
mod probe;
#[cfg(target_os = "linux")]
mod rules;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod view;
#[cfg(unix)]
mod watch;
#[cfg(unix)]
mod wire;

use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use crate::ports::sandbox::{Confined, Ended, Probe, Sandbox, SandboxProblem, Shield};

#[cfg(unix)]
use outside::run;
#[cfg(not(unix))]
use plain::run;

/// What is said where the kernel is none that maestro can shut programs in with.
#[cfg(not(target_os = "linux"))]
const LINUX_ONLY: &str = "it is not Linux";

pub(super) struct Confinement;

impl Sandbox for Confinement {
    fn probe(&self) -> Result<Probe, SandboxProblem> {
        probe::probe()
    }

    fn run(&self, confined: &Confined) -> Result<Ended, SandboxProblem> {
        check(confined)?;
        run(confined)
    }

    fn keep(&self, args: &[String]) -> u8 {
        match args.first().map(String::as_str) {
            #[cfg(unix)]
            None => keeper::keep(),
            Some("probe") => probe::show(self),
            #[cfg(unix)]
            Some("self-test") => probe::self_test(args),
            Some("try") => attempt::attempt(self, args.get(1).map(Path::new)),
            _ => 2,
        }
    }
}

/// Returns a path without links, as far as it is there.
#[cfg(target_os = "linux")]
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Refuses what would show what must stay unseen.
fn check(confined: &Confined) -> Result<(), SandboxProblem> {
    if confined.shield != Shield::Require {
        return Ok(());
    }
    #[cfg(not(target_os = "linux"))]
    return Err(SandboxProblem::Unsupported(LINUX_ONLY.to_owned()));
    #[cfg(target_os = "linux")]
    {
        for hidden in &confined.hidden {
            let hidden_at = real(hidden);
            for shown in confined.readable.iter().chain(&confined.writable) {
                if hidden_at.starts_with(real(shown)) {
                    return Err(SandboxProblem::Shows {
                        shown: shown.clone(),
                        hidden: hidden.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
