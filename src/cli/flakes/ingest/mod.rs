//! `maestro flakes ingest`

mod inputs;
mod packed;
mod record;
mod reports;
pub(in crate::cli) mod source;
pub(crate) mod wire;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;

pub(in crate::cli) use inputs::{Found, find};
pub(super) use packed::{Packed, PackedFile, read_archive};
pub(in crate::cli) use reports::{ReadReports, read_found, read_reports};
pub(in crate::cli) use wire::Stored;

use record::Recorder;
use wire::IngestDocument;

/// Read test reports and remember their results
///
/// Takes JUnit XML in every common form, what other runners write (TRX, NUnit, xUnit.net, CTest, `go test -json`,
/// libtest, TAP, CTRF, Jest, Vitest, Playwright), and the neutral form: one JSON object a line with `run`, `test` and
/// `status`; plain or gzipped. What is broken in a file is recovered where that is possible, and every recovery is a note.
/// In folders, files whose names end in .xml, .trx, .json, .ndjson, .jsonl or .tap (or these with .gz) are looked into;
/// a named file is read whatever its name. Secrets are taken out of messages before anything is written.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Remember the reports of a run
    $ maestro flakes ingest target/nextest/ci/junit.xml

  See what a folder holds, and store nothing
    $ maestro flakes ingest --dry-run --format json build/test-results")]
pub(crate) struct IngestArgs {
    /// Files, folders and globs; without any, the `junit` globs of the configured jobs
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    filing: FilingArgs,

    /// When the tests ran, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Read everything, store nothing
    #[arg(long)]
    dry_run: bool,

    /// Exit with 3 when there is no report
    #[arg(long)]
    require_input: bool,
}

/// Under which run of CI results are filed.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FilingArgs {
    /// The CI run that the reports are from [env: MAESTRO_RUN]
    #[arg(long)]
    pub(in crate::cli) run: Option<String>,

    /// Which try of the run, from 1 [env: MAESTRO_ATTEMPT]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) attempt: Option<u32>,

    /// The job that the reports are from [env: MAESTRO_JOB]
    #[arg(long)]
    pub(in crate::cli) job: Option<String>,

    /// Shard or matrix axes of the job, so that two equal green legs stay two [env: MAESTRO_LEG]
    #[arg(long)]
    pub(in crate::cli) leg: Option<String>,

    /// The commit that was tested [env: MAESTRO_COMMIT]
    #[arg(long, value_name = "SHA")]
    pub(in crate::cli) commit: Option<String>,

    /// The branch that was tested [env: MAESTRO_BRANCH]
    #[arg(long)]
    pub(in crate::cli) branch: Option<String>,
}

/// Stores reports that a command left; returns how many runs and events that were, and what could not be read.
pub(in crate::cli) fn store(
    session: &mut Session<'_>,
    filing: &FilingArgs,
    found: Found,
) -> Result<(Stored, Vec<CommandError>), CommandError> {
    let mut document = IngestDocument::new(false);
    let mut failures = Vec::new();
    let mut recorder = Recorder::new(session, filing, (None, false))?;
    recorder.add(found, &mut document, &mut failures)?;
    recorder.save(&mut document)?;
    Ok((document.stored, failures))
}

pub(super) fn run(session: &mut Session<'_>, args: &IngestArgs) -> CommandResult {
    let batches = batches(session, args)?;
    let mut document = IngestDocument::new(args.dry_run);
    let mut failures = Vec::new();
    for (job, found) in batches {
        let mut filing = args.filing.clone();
        filing.job = job.or(filing.job);
        let mut recorder = Recorder::new(session, &filing, (args.at, args.dry_run))?;
        recorder.add(found, &mut document, &mut failures)?;
        recorder.save(&mut document)?;
    }
    document.finish();
    session.render(&document)?;
    summarise(session, &document, failures.is_empty());
    Ok(answer(session, args, &document, failures))
}

/// Returns what to read, and for which job.
fn batches(
    session: &Session<'_>,
    args: &IngestArgs,
) -> Result<Vec<(Option<String>, Found)>, CommandError> {
    if !args.paths.is_empty() {
        let found = find(session, &args.paths, &session.base.clone());
        return Ok(vec![(None, found)]);
    }
    let wanted = args
        .filing
        .job
        .clone()
        .or_else(|| session.var("MAESTRO_JOB"));
    let jobs: Vec<_> = session
        .config
        .jobs
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == *name))
        .filter_map(|(name, job)| Some((name, job.junit.as_ref()?)))
        .collect();
    if jobs.is_empty() {
        let message = match wanted {
            Some(name) if session.config.jobs.contains_key(&name) => {
                format!("no path is given, and job `{name}` of the configuration has no `junit`")
            }
            Some(name) => format!("no path is given, and the configuration has no job `{name}`"),
            None => "no path is given, and the configuration has no job".to_owned(),
        };
        return Err(CommandError::message(ErrorKind::Usage, message).hint(
            "name the reports (`maestro flakes ingest target/nextest/ci/junit.xml`), or set `jobs.NAME.junit`",
        ));
    }
    let top = match &session.checkout {
        Ok(checkout) => checkout.top.clone(),
        Err(_) => None,
    };
    let top = top.unwrap_or_else(|| session.base.clone());
    Ok(jobs
        .into_iter()
        .map(|(name, junit)| {
            let found = find(session, &[PathBuf::from(junit)], &top);
            (Some(name.clone()), found)
        })
        .collect())
}

fn summarise(session: &mut Session<'_>, document: &IngestDocument, all_read: bool) {
    let totals = &document.totals;
    if totals.dropped > 0 {
        session.ui.warn(&format!(
            "{} left out because they are no test results; their notes say why",
            times(totals.dropped, "line")
        ));
    }
    if totals.files == 0 && all_read {
        session.ui.warn("no test report was found");
        session.ui.hint(
            "in folders, files ending in .xml, .trx, .json, .ndjson, .jsonl or .tap are looked into; name a file to read it whatever its name",
        );
    }
    if document.dry_run {
        session.ui.status("dry run: nothing was stored");
    } else if document.stored.runs > 0 {
        let stored = format!(
            "stored {}{}",
            times(document.stored.runs, "run"),
            document.stored.under()
        );
        session.ui.status(&stored);
    } else if totals.files > 0 {
        session.ui.status("nothing new to store");
    }
}

fn answer(
    session: &mut Session<'_>,
    args: &IngestArgs,
    document: &IngestDocument,
    failures: Vec<CommandError>,
) -> ExitCode {
    let mut first = None;
    for failure in failures {
        session.ui.error(&failure);
        first.get_or_insert(failure.kind.exit_code());
    }
    if let Some(code) = first {
        return code;
    }
    if args.require_input && document.totals.files == 0 {
        return ExitCode::NothingToDo;
    }
    ExitCode::Success
}
