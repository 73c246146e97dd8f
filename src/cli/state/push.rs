//! `maestro state push`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::verify::DamageRow;
use super::{RemoteArgs, damage_error};
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::{Pushed, Survey};

/// Publish what this machine has stored
///
/// Everything that only this machine has becomes one commit under a ref of its own in the remote's inbox, so that no two
/// jobs wait for each other. Nothing is removed here before the remote has said that it has it; `maestro state fold`
/// takes it into the state branch. Git's own credentials are used.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Publish the results of a job
    $ maestro state push

  See what would be published
    $ maestro state push --dry-run")]
pub(crate) struct PushArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Say what would be published, publish nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &PushArgs) -> CommandResult {
    let state = session.state()?;
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    let pushed = state.push(&remote, args.dry_run)?;
    let survey = Survey {
        damage: pushed.damage.clone(),
        ..Survey::default()
    };
    let document = PushDocument::new(session, &pushed, &survey, args.dry_run, &remote.name());
    session.render(&document)?;
    if survey.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(damage_error(session, &survey))
}

/// What was published.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-push/v1"))]
pub(crate) struct PushDocument {
    /// `maestro.state-push/v1`
    schema: &'static str,
    /// Whether nothing was to be published.
    dry_run: bool,
    /// The remote.
    remote: String,
    /// Events that the remote has now.
    events: u64,
    /// Refs of its inbox that hold them.
    refs: Vec<RefRow>,
    /// How often the remote was asked.
    attempts: u32,
    /// Lines of this machine's state that cannot be used, and stay.
    damage: Vec<DamageRow>,
}

/// A ref of the inbox.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RefRow {
    /// Its name.
    name: String,
    /// The commit that it names; empty in a dry run.
    commit: String,
}

impl PushDocument {
    pub(super) fn new(
        session: &Session<'_>,
        pushed: &Pushed,
        survey: &Survey,
        dry_run: bool,
        remote: &str,
    ) -> Self {
        let row = |(name, commit): &(String, String)| RefRow {
            name: name.clone(),
            commit: commit.clone(),
        };
        Self {
            schema: "maestro.state-push/v1",
            dry_run,
            remote: remote.to_owned(),
            events: pushed.events,
            refs: pushed.refs.iter().map(row).collect(),
            attempts: pushed.attempts,
            damage: DamageRow::all(session, survey),
        }
    }
}

impl Report for PushDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(match (self.events, self.dry_run) {
            (0, _) => "Nothing to publish".to_owned(),
            (events, true) => format!("Would publish {}", times(events, "event")),
            (events, false) => format!("Published {} to {}", times(events, "event"), self.remote),
        });
        for row in &self.refs {
            page.line(vec![Inline::Code(row.name.clone())]);
        }
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![("published".to_owned(), self.events.to_string())]
    }
}
