//! `maestro state fold`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::verify::DamageRow;
use super::{RemoteArgs, Via, publisher};
use crate::cli::session::Session;
use crate::cli::state::damage_error;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::{Folded, Remote, RemoteFold, Survey};

/// Fold stored events into segments
///
/// Every event ends up once, in a file for its kind and month, sorted by time; folding again, or in another order, gives
/// the same bytes. With a remote, what waits in its inbox is folded into the state branch, by compare-and-swap: any number
/// of machines may fold at once. Without one, or with --local, the outbox of this machine is folded into its segments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Fold what waits at the remote
    $ maestro state fold

  Write the branch by GitHub's API, where rules want signed commits
    $ maestro state fold --via api --repository octo/demo

  Fold what this machine has stored, and keep it here
    $ maestro state fold --local")]
pub(crate) struct FoldArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// How the commit comes onto the state branch
    #[arg(long, value_enum, default_value_t = Via::Git, conflicts_with = "local")]
    via: Via,

    /// The repository at GitHub, for `--via api` [default: GITHUB_REPOSITORY, or that of the remote]
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// Fold this machine's outbox into its own segments
    #[arg(long, conflicts_with = "remote")]
    local: bool,

    /// Say what would be folded, write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &FoldArgs) -> CommandResult {
    let is_remote = !args.local && (args.remote.remote.is_some() || session.has_remote()?);
    let (document, damage) = if is_remote {
        let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
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
        let document = FoldDocument::remote(session, &remote, &folded, args.dry_run);
        (document, folded.folded.damage)
    } else {
        let folded = session.state()?.fold(args.dry_run)?;
        (
            FoldDocument::new(session, &folded, args.dry_run),
            folded.damage,
        )
    };
    session.render(&document)?;
    if document.late > 0 {
        session.ui.warn(&format!(
            "{} came after the month had been rolled up; counted, and left out",
            times(document.late, "event")
        ));
    }
    if damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    let survey = Survey {
        damage,
        ..Survey::default()
    };
    Err(damage_error(session, &survey))
}

/// What was folded.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-fold/v1"))]
pub(crate) struct FoldDocument {
    /// `maestro.state-fold/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// Files of the outbox, or commits of the inbox.
    files: u64,
    /// Events in them.
    events: u64,
    /// Events that no segment had before.
    added: u64,
    /// Segments that were written, or would be.
    segments: u64,
    /// Events of months that have been rolled up: left out, and counted by a `late` event each.
    late: u64,
    /// Where it was folded to, when that is a remote.
    remote: Option<RemoteRow>,
    /// Lines that cannot be used; damage in a segment stops the fold.
    damage: Vec<DamageRow>,
}

/// A fold at a remote.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RemoteRow {
    /// The remote.
    name: String,
    /// The state branch.
    branch: String,
    /// Its commit afterwards.
    commit: Option<String>,
    /// Commits that were written.
    commits: u64,
    /// Refs of the inbox that were folded and deleted, or would be.
    refs: u64,
    /// Refs of the inbox that stay, because something in them cannot be used.
    kept_refs: u64,
    /// How often the remote was asked.
    attempts: u32,
}

impl FoldDocument {
    fn new(session: &Session<'_>, folded: &Folded, dry_run: bool) -> Self {
        let survey = Survey {
            damage: folded.damage.clone(),
            ..Survey::default()
        };
        Self {
            schema: "maestro.state-fold/v1",
            dry_run,
            files: folded.files,
            events: folded.events,
            added: folded.added,
            segments: folded.segments,
            late: folded.late,
            remote: None,
            damage: DamageRow::all(session, &survey),
        }
    }

    pub(super) fn remote(
        session: &Session<'_>,
        remote: &Remote<'_>,
        fold: &RemoteFold,
        dry_run: bool,
    ) -> Self {
        let mut document = Self::new(session, &fold.folded, dry_run);
        document.remote = Some(RemoteRow {
            name: remote.name(),
            branch: remote.branch().to_owned(),
            commit: fold.tip.clone(),
            commits: fold.commits,
            refs: fold.refs,
            kept_refs: fold.kept_refs,
            attempts: fold.attempts,
        });
        document
    }
}

impl Report for FoldDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{}: {} from {} into {}",
            if self.dry_run { "Would fold" } else { "Folded" },
            times(self.events, "event"),
            match &self.remote {
                Some(remote) => times(remote.refs, "waiting commit"),
                None => times(self.files, "file"),
            },
            times(self.segments, "segment")
        ));
        if let Some(remote) = &self.remote {
            page.line(vec![
                Inline::Code(remote.branch.clone()),
                Inline::Plain(format!(" of {} is at ", remote.name)),
                Inline::Code(remote.commit.clone().unwrap_or_else(|| "nothing".into())),
            ]);
        }
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        page
    }
}
