//! `maestro state compact`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::RemoteArgs;
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::Compacted;

/// Sum up what is older than anybody looks at
///
/// Runs of months before the retention become sums: one event a month, job and leg, with the executions, failures and passes
/// on retry of every test. The totals of every report stay exactly as they were; verdicts look at what is kept. An event that
/// comes later for such a month is refused and counted. With a remote, the state branch is compacted, and becomes one commit
/// where it holds nothing but the state; without one, or with --local, the segments of this machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what would be summed up
    $ maestro state compact --dry-run

  Keep half a year of this machine's runs
    $ maestro state compact --local --keep 183")]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Compact this machine's segments
    #[arg(long, conflicts_with = "remote")]
    local: bool,

    /// How many days of runs to keep, at least
    #[arg(long, value_name = "DAYS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    keep: u32,

    /// Leave the commits of the state branch as they are
    #[arg(long)]
    no_squash: bool,

    /// Say what would be summed up, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &CompactArgs) -> CommandResult {
    let is_remote = !args.local && (args.remote.remote.is_some() || session.has_remote()?);
    let compacted = if is_remote {
        let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
        remote.compact(args.keep, !args.no_squash, args.dry_run)?
    } else {
        session
            .state()?
            .compact(session.now(), args.keep, args.dry_run)?
    };
    session.render(&CompactDocument::new(compacted, args.dry_run))?;
    Ok(ExitCode::Success)
}

/// What was summed up.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-compact/v1"))]
pub(crate) struct CompactDocument {
    /// `maestro.state-compact/v1`
    schema: &'static str,
    /// Whether nothing was to be changed.
    dry_run: bool,
    /// The first month whose runs are all kept; empty when there is no state.
    kept_from: String,
    /// Runs that became sums.
    runs: u64,
    /// Sums that they became: one a month, job and leg.
    rollups: u64,
    /// Runs before that month that stay: attempts of runs that go on after it, and runs whose list of tests is missing.
    kept_runs: u64,
    /// Lists of tests that were dropped because nobody needs them.
    lists: u64,
    /// The commit of the state branch, where it was compacted.
    commit: Option<String>,
    /// Whether the branch is that one commit now.
    squashed: bool,
    /// How often the remote was asked.
    attempts: u32,
}

impl CompactDocument {
    fn new(compacted: Compacted, dry_run: bool) -> Self {
        Self {
            schema: "maestro.state-compact/v1",
            dry_run,
            kept_from: compacted.kept_from,
            runs: compacted.runs,
            rollups: compacted.rollups,
            kept_runs: compacted.kept_runs,
            lists: compacted.lists,
            commit: compacted.commit,
            squashed: compacted.is_squashed,
            attempts: compacted.attempts,
        }
    }
}

impl Report for CompactDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(match (self.runs, self.dry_run) {
            (0, _) => format!("Nothing to sum up before {}", self.kept_from),
            (runs, true) => format!(
                "Would sum up {} before {} as {}",
                times(runs, "run"),
                self.kept_from,
                times(self.rollups, "event")
            ),
            (runs, false) => format!(
                "Summed up {} before {} as {}",
                times(runs, "run"),
                self.kept_from,
                times(self.rollups, "event")
            ),
        });
        if self.kept_runs > 0 {
            page.text(format!(
                "{} before that month stay: their attempts go on after it, or their list of tests is missing",
                times(self.kept_runs, "run")
            ));
        }
        if self.lists > 0 {
            page.text(format!("{} of tests dropped", times(self.lists, "list")));
        }
        if let (true, Some(commit)) = (self.squashed, &self.commit) {
            page.line(vec![
                Inline::Plain("the state branch is one commit: ".into()),
                Inline::Code(commit.clone()),
            ]);
        }
        page
    }
}
