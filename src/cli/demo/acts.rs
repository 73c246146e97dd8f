//! The acts: for each command that is a capability what is shown of it, and what has to be here for that. `tests/suite/demo.rs` asks for one of each command.

use super::Demo;
use crate::error::CommandError;

/// A program that acts need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Git,
    Cargo,
    Shell,
}

impl Need {
    pub(super) const ALL: [Self; 3] = [Self::Git, Self::Cargo, Self::Shell];

    /// Returns a call that succeeds where the program is.
    pub(super) fn probe(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Git => ("git", &["--version"]),
            Self::Cargo => ("cargo", &["--version"]),
            Self::Shell => ("sh", &["-c", ":"]),
        }
    }

    pub(super) fn way_out(self) -> &'static str {
        match self {
            Self::Git => "install git from https://git-scm.com to see them",
            Self::Cargo => "install Rust from https://rustup.rs to see them",
            Self::Shell => "put a POSIX shell on the PATH to see them",
        }
    }
}

/// One capability.
pub(super) struct Act {
    /// Its command, as `maestro --help` lists it.
    pub(super) command: &'static str,
    /// What is seen.
    pub(super) title: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) show: fn(&mut Demo<'_, '_>) -> Result<(), CommandError>,
}

const GIT: &[Need] = &[Need::Git];
const TESTS: &[Need] = &[Need::Git, Need::Cargo, Need::Shell];
const SCRIPTS: &[Need] = &[Need::Git, Need::Shell];

/// All acts, in the order in which they stand on one another.
#[rustfmt::skip]
pub(super) const ACTS: [Act; 20] = [
    Act { command: "audit", title: "what it would bring, by the last month of the repository's history", needs: GIT, show: |demo| demo.audit() },
    Act { command: "init", title: "the first configuration and two workflows, which block nothing", needs: GIT, show: |demo| demo.init() },
    Act { command: "doctor", title: "what will fail here, before it does", needs: GIT, show: |demo| demo.doctor() },
    Act { command: "exec", title: "a job's command, as CI runs it; its test reports are kept", needs: TESTS, show: |demo| demo.exec() },
    Act { command: "flakes", title: "flaky told from broken; what is flaky is forgiven for two weeks, and nothing else", needs: TESTS, show: |demo| demo.flakes() },
    Act { command: "state", title: "two jobs publish what they saw at the same moment, and nothing is lost", needs: TESTS, show: |demo| demo.state() },
    Act { command: "plan", title: "a pull request changes what a parcel costs: only the jobs that this can break run", needs: GIT, show: |demo| demo.plan() },
    Act { command: "gate", title: "one verdict: the known flake passes, a wrong price does not, nor does a job that was skipped", needs: TESTS, show: |demo| demo.gate() },
    Act { command: "run-agents", title: "a team takes an issue to a draft pull request; what it writes is judged, and its tests run", needs: SCRIPTS, show: |demo| demo.run_agents() },
    Act { command: "prompts", title: "what the team is told, as files with tests", needs: &[], show: |demo| demo.prompts() },
    Act { command: "budget", title: "the worst case is put aside before a call; the cap holds", needs: GIT, show: |demo| demo.budget() },
    Act { command: "gateway", title: "any agent, held to a cap; it never sees the provider's key", needs: SCRIPTS, show: |demo| demo.gateway() },
    Act { command: "check-policy", title: "a change that brings a GPL library and a token is stopped", needs: GIT, show: |demo| demo.check_policy() },
    Act { command: "provenance", title: "what was found out is signed, and others can verify it; one word changed, and they cannot", needs: GIT, show: |demo| demo.provenance() },
    Act { command: "pr-health", title: "how a change stands, and what nobody knows of it: a part of its one comment", needs: GIT, show: |demo| demo.pr_health() },
    Act { command: "dora", title: "how the team delivers, out of merges and tags, and its indicators beside example targets", needs: GIT, show: |demo| demo.dora() },
    Act { command: "learning-pack", title: "the week on one page, with decisions", needs: GIT, show: |demo| demo.learning_pack() },
    Act { command: "observe", title: "the same numbers for Prometheus and Grafana", needs: GIT, show: |demo| demo.observe() },
    Act { command: "notify", title: "who hears of it, each thing once (a receiver of this demo's own listens)", needs: GIT, show: |demo| demo.notify() },
    Act { command: "fleet", title: "which repository loosened what the organisation holds", needs: GIT, show: |demo| demo.fleet() },
];
