//! `maestro state`

mod artifacts;
mod compact;
mod doctor;
mod export;
mod fold;
mod ingest;
mod pack;
mod pull;
mod push;
mod sync;
mod verify;

#[cfg(test)]
pub(super) use compact::CompactDocument;
#[cfg(test)]
pub(super) use doctor::DoctorDocument;
#[cfg(test)]
pub(super) use export::ExportDocument;
#[cfg(test)]
pub(super) use fold::FoldDocument;
#[cfg(test)]
pub(super) use ingest::StateIngestDocument;
#[cfg(test)]
pub(super) use pack::PackDocument;
#[cfg(test)]
pub(super) use pull::PullDocument;
#[cfg(test)]
pub(super) use push::PushDocument;
#[cfg(test)]
pub(super) use sync::SyncDocument;
#[cfg(test)]
pub(super) use verify::VerifyDocument;

use clap::Subcommand;

use super::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::enter_installation;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::flakes::verdict::times;
use crate::state::v1::LineProblem;
use crate::state::{Damage, Survey};

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    Sync(sync::SyncArgs),
    Push(push::PushArgs),
    Fold(fold::FoldArgs),
    Pull(pull::PullArgs),
    Pack(pack::PackArgs),
    Ingest(ingest::IngestArgs),
    Compact(compact::CompactArgs),
    Export(export::ExportArgs),
    Verify(verify::VerifyArgs),
    Doctor(doctor::DoctorArgs),
}

pub(crate) fn run(session: &mut Session<'_>, command: &StateCommand) -> CommandResult {
    match command {
        StateCommand::Sync(args) => sync::run(session, args),
        StateCommand::Push(args) => push::run(session, args),
        StateCommand::Fold(args) => fold::run(session, args),
        StateCommand::Pull(args) => pull::run(session, args),
        StateCommand::Pack(args) => pack::run(session, args),
        StateCommand::Ingest(args) => ingest::run(session, args),
        StateCommand::Compact(args) => compact::run(session, args),
        StateCommand::Export(args) => export::run(session, args),
        StateCommand::Verify(args) => verify::run(session, args),
        StateCommand::Doctor(args) => doctor::run(session, args),
    }
}

/// Which remote, and how long to go on.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RemoteArgs {
    /// The git remote that the state is shared through [env: MAESTRO_REMOTE] [default: origin]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) remote: Option<String>,

    /// How many seconds to go on trying
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(in crate::cli) deadline: u64,
}

/// How commits come onto the state branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Via {
    /// By a push.
    Git,
    /// By GitHub's API: GitHub signs them, where the token is a workflow's or an app's.
    Api,
}

/// Returns GitHub, for commits by way of its API.
pub(super) fn publisher<'w>(
    session: &Session<'w>,
    repository: Option<&str>,
    args: &RemoteArgs,
) -> Result<GitHub<'w>, CommandError> {
    let found = session.github(repository, args.remote.as_deref(), args.deadline)?;
    let Some((github, whose)) = found else {
        let message = "`--via api` needs a repository at GitHub, and none is meant";
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("name it with --repository OWNER/NAME, or in the address of the remote"));
    };
    enter_installation(&github, &whose)?;
    Ok(github)
}

/// Names what could not be read of the state.
pub(super) fn warn_of_damage(session: &mut Session<'_>, survey: &Survey) {
    const MOST: usize = 5;
    for damage in survey.damage.iter().take(MOST) {
        let sentence = sentence(session, damage);
        session.ui.warn(&sentence);
    }
    if survey.damage.len() > MOST {
        let more = (survey.damage.len() - MOST) as u64;
        session
            .ui
            .warn(&format!("and {}", times(more, "more damaged line")));
    }
}

/// Says which line of which file is damaged, and how.
fn sentence(session: &Session<'_>, damage: &Damage) -> String {
    format!(
        "{}:{}: this line of the state is left out: {}",
        session.shown(&damage.path),
        damage.line,
        damage.problem
    )
}

/// The error of a command that found damage, after it did what it could with the rest.
pub(super) fn damage_error(session: &Session<'_>, survey: &Survey) -> CommandError {
    if survey
        .damage
        .iter()
        .all(|damage| matches!(damage.problem, LineProblem::OtherSchema(_)))
        && let Some(newer) = survey.newer()
    {
        return newer.into();
    }
    let lines = survey.damage.len() as u64;
    let first = survey
        .damage
        .first()
        .map(|damage| session.shown(&damage.path));
    let message = format!(
        "the state has {} (the first in `{}`)",
        times(lines, "damaged line"),
        first.unwrap_or_default()
    );
    CommandError::message(ErrorKind::BadInput, message).hint(
        "everything else was used; `maestro state doctor --repair` sets the damaged lines aside",
    )
}
