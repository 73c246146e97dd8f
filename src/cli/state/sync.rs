//! `maestro state sync`

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::fold::FoldDocument;
use super::push::PushDocument;
use super::{RemoteArgs, damage_error};
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::output::{Page, Report};
use crate::state::Survey;

/// Publish, fold and fetch: the one command for the usual case
///
/// Publishes what this machine has stored, folds everything that waits in the remote's inbox into the state branch, and
/// fetches the result. Safe to run from any number of places at once, and to be killed at any moment.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Bring this machine and the remote up to date
    $ maestro state sync

  The same, with more time where many jobs fold at once
    $ maestro state sync --deadline 300")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Say what would be published and folded, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &SyncArgs) -> CommandResult {
    let state = session.state()?;
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    let pushed = state.push(&remote, args.dry_run)?;
    let folded = remote.fold(args.dry_run)?;
    let published = Survey {
        damage: pushed.damage.clone(),
        ..Survey::default()
    };
    let survey = Survey {
        damage: [pushed.damage.clone(), folded.folded.damage.clone()].concat(),
        ..Survey::default()
    };
    let document = SyncDocument {
        schema: "maestro.state-sync/v1",
        pushed: PushDocument::new(session, &pushed, &published, args.dry_run, &remote.name()),
        folded: FoldDocument::remote(session, &remote, &folded, args.dry_run),
    };
    session.render(&document)?;
    if survey.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(damage_error(session, &survey))
}

/// What was published and folded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "maestro.state-sync/v1")]
pub(crate) struct SyncDocument {
    /// `maestro.state-sync/v1`
    schema: &'static str,
    /// What this machine published (`maestro.state-push/v1`).
    pushed: PushDocument,
    /// What was folded (`maestro.state-fold/v1`).
    folded: FoldDocument,
}

impl Report for SyncDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = self.pushed.page();
        page.append(self.folded.page());
        page
    }
}
