//! `maestro state ingest`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Location, Severity};
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};
use crate::state::intake::{Expected, TakenIn};
use crate::state::refusal::{Reason, Refusal};

/// Take in what a job left as an artifact
///
/// ARTIFACT is a zip archive as GitHub hands it out, a folder that it was unpacked to, or a file of `maestro state pack`. The
/// job may have run anybody's code, so nothing in it is believed: each event is looked at by itself, and what is refused is
/// refused with a reason, while the rest is stored. Say with --run, --attempt, --job and --repository where the artifact
/// comes from; what names another origin is refused. Exits with 65 when something was refused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Take in the artifact of a run
    $ maestro state ingest maestro-state.ndjson --run 8812 --attempt 1

  See what would be refused, store nothing
    $ maestro state ingest maestro-state.ndjson --dry-run")]
pub(crate) struct IngestArgs {
    /// Archive, folder or file
    #[arg(value_name = "ARTIFACT")]
    artifact: PathBuf,

    /// The repository that the artifact belongs to
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// The run that left it
    #[arg(long)]
    run: Option<String>,

    /// Which try of the run, from 1
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,

    /// The job that left it
    #[arg(long)]
    job: Option<String>,

    /// The branch that a stranger's code ran on
    #[arg(long)]
    branch: Option<String>,

    /// Say what would be stored and refused, store nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &IngestArgs) -> CommandResult {
    let state = session.state()?;
    let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let expected = Expected {
        repository: given(&args.repository),
        run: given(&args.run),
        attempt: args.attempt,
        job: given(&args.job),
        branch: given(&args.branch),
        now: session.now(),
    };
    let taken = state.ingest(&session.base.join(&args.artifact), &expected, args.dry_run)?;
    let document = StateIngestDocument::new(&taken, args.dry_run);
    session.render(&document)?;
    if expected.run.is_none() {
        session
            .ui
            .hint("say where the artifact comes from (--run, --attempt, --repository), so that foreign events are refused");
    }
    if taken.refused.is_empty() {
        return Ok(ExitCode::Success);
    }
    let refused = times(taken.refusals(), "part");
    let message = format!("{refused} of the artifact refused; the rest was taken in");
    let message = if args.dry_run {
        format!("{refused} of the artifact would be refused")
    } else {
        message
    };
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("`maestro explain CODE` says what each reason means"))
}

/// What was taken in, and what was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-ingest/v1"))]
pub(crate) struct StateIngestDocument {
    /// `maestro.state-ingest/v1`
    schema: &'static str,
    /// Whether nothing was to be stored.
    dry_run: bool,
    /// Files with events that were looked into.
    files: u64,
    /// Events that were stored, or would be.
    events: u64,
    /// Events that stand in the artifact more than once, which count once, and lists that are stored already.
    repeated: u64,
    /// Files of the artifact that are none of ours.
    passed_over: Vec<String>,
    /// How much was refused.
    refusals: u64,
    /// What was refused, in order: the first thousand.
    refused: Vec<RefusalRow>,
    /// How much more was refused, by reason.
    refused_more: BTreeMap<&'static str, u64>,
}

/// Something that was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RefusalRow {
    /// The file in the artifact.
    file: String,
    /// The line, from 1; nothing for a whole file.
    line: Option<u64>,
    /// Why, as a code; `maestro explain CODE` says more.
    reason: &'static str,
    /// What was found.
    detail: String,
}

impl StateIngestDocument {
    fn new(taken: &TakenIn, dry_run: bool) -> Self {
        let row = |refusal: &Refusal| RefusalRow {
            file: refusal.file.clone(),
            line: refusal.line,
            reason: refusal.reason.code(),
            detail: refusal.detail.clone(),
        };
        Self {
            schema: "maestro.state-ingest/v1",
            dry_run,
            files: taken.files,
            events: taken.events,
            repeated: taken.repeated,
            passed_over: taken.passed_over.clone(),
            refusals: taken.refusals(),
            refused: taken.refused.iter().map(row).collect(),
            refused_more: crate::order::map(
                (taken.refused_more.iter()).map(|(reason, count)| (reason.code(), *count)),
            ),
        }
    }
}

impl Report for StateIngestDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{} {} from {}, {} refused",
            if self.dry_run {
                "Would take in"
            } else {
                "Took in"
            },
            times(self.events, "event"),
            times(self.files, "file"),
            times(self.refusals, "part")
        ));
        if !self.refused.is_empty() {
            let head = vec![
                Column::left("file"),
                Column::right("line"),
                Column::left("reason"),
                Column::left("found"),
            ];
            let rows = self.refused.iter().map(|row| {
                vec![
                    Cell::code(row.file.clone()),
                    Cell::plain(row.line.map_or(String::new(), |line| line.to_string())),
                    Cell::plain(row.reason),
                    Cell::code(row.detail.clone()),
                ]
            });
            page.table(head, rows.collect());
        }
        for (reason, count) in &self.refused_more {
            page.text(format!("and {} more: {reason}", times(*count, "part")));
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let finding = |row: &RefusalRow| Finding {
            code: row.reason.to_owned(),
            severity: Severity::Warning,
            message: meaning(row.reason).to_owned(),
            location: Some(Location {
                path: row.file.clone(),
                line: row.line.and_then(|line| u32::try_from(line).ok()),
                column: None,
            }),
        };
        self.refused.iter().map(finding).collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("taken".to_owned(), self.events.to_string()),
            ("refused".to_owned(), self.refusals.to_string()),
        ]
    }
}

fn meaning(code: &str) -> &'static str {
    let found = Reason::ALL.iter().find(|reason| reason.code() == code);
    found.map_or("", |reason| reason.meaning())
}
