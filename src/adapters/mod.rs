//! The world: clock, environment, files, git, processes, terminal. The only place where effects happen.
#![expect(clippy::disallowed_methods, reason = "adapters are where effects live")]

mod app_token;
mod clock;
mod environment;
mod files;
mod git;
mod github;
mod log_file;
mod model;
mod passing;
mod processes;
mod relay;
mod road;
mod runtime;
mod sandbox;
mod signing;
mod terminal;
mod wrapped;

use crate::ports::World;

impl World {
    /// Returns GitHub, for tests that need nothing else of the world.
    #[cfg(test)]
    pub(crate) fn github() -> Box<dyn crate::ports::forge::Forge> {
        Box::new(github::GitHub::default())
    }

    /// Returns the clock, for tests that need nothing else of the world.
    #[cfg(test)]
    pub(crate) fn time() -> Box<dyn crate::ports::Clock> {
        Box::new(clock::SystemClock)
    }

    /// Returns the disk, for tests that need nothing else of the world.
    #[cfg(test)]
    pub(crate) fn disk() -> Box<dyn crate::ports::Files> {
        Box::new(files::Disk)
    }

    /// Returns private keys, for tests that need nothing else of the world.
    #[cfg(test)]
    pub(crate) fn signing() -> Box<dyn crate::ports::signing::Signing> {
        Box::new(signing::Ring)
    }

    /// Returns the world that the process runs in.
    pub fn real() -> Self {
        processes::report_bugs();
        Self {
            clock: Box::new(clock::SystemClock),
            environment: Box::new(environment::ProcessEnvironment),
            files: Box::new(files::Disk),
            git: Box::new(git::GitProgram::new(Box::new(processes::System))),
            history: Box::new(git::GitProgram::new(Box::new(processes::System))),
            trees: Box::new(git::GitProgram::new(Box::new(processes::System))),
            forge: Box::new(github::GitHub::default()),
            model: Box::new(model::Providers::default()),
            processes: Box::new(processes::System),
            signing: Box::new(signing::Ring),
            relay: Box::new(relay::Loopback),
            sandbox: Box::new(sandbox::Confinement),
            stdout: terminal::stdout(),
            stderr: terminal::stderr(),
        }
    }
}
