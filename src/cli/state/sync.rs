//! `maestro state sync`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::artifacts::ArtifactsRow;
use super::fold::FoldDocument;
use super::push::PushDocument;
use super::{RemoteArgs, Via, damage_error, publisher};
use crate::cli::notify::{self, ChannelRow};
use crate::cli::session::Session;
use crate::conduct::artifacts::{self, Fetched};
use crate::conduct::identity::enter_installation;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::finding::Finding;
use crate::forge::problem::ForgeError;
use crate::output::{Page, Report};
use crate::state::{Remote, StateFolder, Survey};

/// Publish, fold and fetch: the one command for the usual case
///
/// Takes in what jobs left as artifacts at GitHub since the last time, when there is a token (GITHUB_TOKEN with `actions: read`);
/// publishes what this machine has stored, folds everything that waits in the remote's inbox into the state branch, and
/// fetches the result. Safe to run from any number of places at once, and to be killed at any moment. What an artifact
/// holds is not believed: each event is looked at, and what is refused is named. Then channels of `notify` hear what is news.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Bring this machine and the remote up to date
    $ maestro state sync

  The same, with more time where many jobs fold at once
    $ maestro state sync --deadline 300

  Without a look at GitHub's artifacts
    $ maestro state sync --no-artifacts")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// The repository at GitHub whose artifacts are taken in [default: GITHUB_REPOSITORY, or that of the remote]
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// How the commit comes onto the state branch
    #[arg(long, value_enum, default_value_t = Via::Git)]
    via: Via,

    /// Take in no artifacts
    #[arg(long)]
    no_artifacts: bool,

    /// Say what would be taken in, published and folded, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &SyncArgs) -> CommandResult {
    let state = session.state()?;
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    let artifacts = if args.no_artifacts {
        None
    } else {
        artifacts(session, args, &state, &remote)?
    };
    let mut pushed = state.push(&remote, args.dry_run)?;
    if let Some(position) = artifacts
        .as_ref()
        .and_then(|(_, fetched)| fetched.position.as_ref())
    {
        // What was taken in is published: now others may know that it was.
        state.save_cursor(artifacts::STREAM, position, session.now())?;
        pushed.join(state.push(&remote, args.dry_run)?);
    }
    let github = match args.via {
        Via::Git => None,
        Via::Api => Some(publisher(
            session,
            args.repository.as_deref(),
            &args.remote,
        )?),
    };
    let remote = match &github {
        Some(github) => remote.via(github),
        None => remote,
    };
    let folded = remote.fold(args.dry_run)?;
    let notified = if args.dry_run {
        Vec::new()
    } else {
        tell(session, &state, &remote)
    };
    let published = Survey {
        damage: pushed.damage.clone(),
        ..Survey::default()
    };
    let survey = Survey {
        damage: [pushed.damage.clone(), folded.folded.damage.clone()].concat(),
        ..Survey::default()
    };
    let broken = artifacts
        .as_ref()
        .and_then(|(_, fetched)| fetched.broken.clone());
    let document = SyncDocument {
        schema: "maestro.state-sync/v1",
        artifacts: artifacts.map(|(row, _)| row),
        pushed: PushDocument::new(session, &pushed, &published, args.dry_run, &remote.name()),
        folded: FoldDocument::remote(session, &remote, &folded, args.dry_run),
        notified,
    };
    session.render(&document)?;
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    match broken {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::Success),
    }
}

/// Tells channels what is news, now that everything is known that others told, and publishes what they were told. None of it changes the answer.
fn tell(
    session: &mut Session<'_>,
    state: &StateFolder<'_>,
    remote: &Remote<'_>,
) -> Vec<ChannelRow> {
    let channels = session.config.notify.clone();
    if channels.is_empty() {
        return Vec::new();
    }
    let facts = notify::gather::all(session, &notify::events(&channels));
    let rows = notify::on_the_way(session, &channels, facts);
    if notify::was_told(&rows) {
        let published = state.push(remote, false).and_then(|_| remote.fold(false));
        if let Err(error) = published {
            let words =
                format!("what channels were told is stored here, and not published: {error}");
            session.ui.warn(&words);
        }
    }
    rows
}

/// Takes in what is new at GitHub; nothing when it is not asked.
fn artifacts(
    session: &mut Session<'_>,
    args: &SyncArgs,
    state: &StateFolder<'_>,
    remote: &Remote<'_>,
) -> Result<Option<(ArtifactsRow, Fetched)>, CommandError> {
    let name = args.remote.remote.as_deref();
    // Many downloads take longer than one push.
    let deadline = args.remote.deadline.saturating_mul(10);
    let Some((github, whose)) = session.github(args.repository.as_deref(), name, deadline)? else {
        return Ok(None);
    };
    if github.server.borrow().is_none() {
        if args.repository.is_some() {
            return Err(ForgeError::NoToken {
                purpose: format!("list the artifacts of {}", github.repository),
            }
            .into());
        }
        session
            .ui
            .hint("artifacts were not looked at: there is no token for GitHub (GITHUB_TOKEN)");
        return Ok(None);
    }
    // The cursor may have been moved elsewhere.
    remote.pull()?;
    let now = session.now();
    let fetched = match enter_installation(&github, &whose) {
        Ok(()) => {
            let bar = session.ui.progress(0, "artifacts");
            artifacts::fetch(&github, state, now, args.dry_run, &mut |done, all| {
                bar.set_length(all as u64);
                bar.set_position(done as u64);
            })?
        }
        Err(error) => Fetched {
            broken: Some(error),
            ..Fetched::default()
        },
    };
    let row = ArtifactsRow::new(github.repository.to_string(), github.calls(), &fetched);
    if fetched.is_cut {
        session.ui.warn(
            "there were more artifacts than are looked at in one go; the oldest are not taken in",
        );
    }
    Ok(Some((row, fetched)))
}

/// What was published and folded.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-sync/v1"))]
pub(crate) struct SyncDocument {
    /// `maestro.state-sync/v1`
    schema: &'static str,
    /// What was taken in from GitHub's artifacts; nothing when they were not looked at.
    artifacts: Option<ArtifactsRow>,
    /// What this machine published (`maestro.state-push/v1`).
    pushed: PushDocument,
    /// What was folded (`maestro.state-fold/v1`).
    folded: FoldDocument,
    /// What channels of `notify` were told, as `maestro.notify/v1` has it.
    notified: Vec<ChannelRow>,
}

impl Report for SyncDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if let Some(artifacts) = &self.artifacts {
            artifacts.page(&mut page);
        }
        page.append(self.pushed.page());
        page.append(self.folded.page());
        notify::page(&self.notified, &mut page);
        page
    }

    fn findings(&self) -> Vec<Finding> {
        self.artifacts
            .iter()
            .flat_map(ArtifactsRow::findings)
            .collect()
    }
}
