//! `maestro run-agents`: from an issue to a draft pull request.

mod folder;
pub(super) mod intake;
mod places;
mod publish;
mod wire;

#[cfg(test)]
pub(super) use intake::IntakeDocument;
#[cfg(test)]
pub(super) use wire::PublishDocument;

use crate::cli::session::Session;
use crate::error::CommandResult;

/// Let agents work on an issue, and publish what they did as a draft pull request
#[derive(Debug, clap::Args)]
pub(crate) struct RunAgentsArgs {
    #[command(subcommand)]
    command: RunAgentsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum RunAgentsCommand {
    Intake(intake::IntakeArgs),
    Publish(Box<publish::PublishArgs>),
}

pub(super) fn run(session: &mut Session<'_>, args: &RunAgentsArgs) -> CommandResult {
    match &args.command {
        RunAgentsCommand::Intake(args) => intake::run(session, args),
        RunAgentsCommand::Publish(args) => publish::run(session, args),
    }
}
