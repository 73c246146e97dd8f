//! `maestro observe export`

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ask::{Asked, Wanted, ask, repository};
use super::known::{DAYS, Known, journals, load};
use super::signals::{Documents, Outgoing, Signals, bytes, exporter, pushgateway, source};
use super::wire::{ObserveExportDocument, TargetRow};
use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::conduct::export::Exporter;
use crate::delivery::quantiles::quantile;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::redact::Redactor;
use crate::telemetry::delta::Told;
use crate::telemetry::gather::{When, gather, tell};
use crate::telemetry::known::delivery;
use crate::telemetry::metrics::{Collector, Labels};
use crate::telemetry::otlp::exporter::Target;
use crate::telemetry::prometheus::{self, Form};
use crate::telemetry::semconv::{OWNER_NAME, REPOSITORY_NAME};
use crate::telemetry::spans::Repository;

/// Tell collectors, Prometheus and Grafana what maestro knows
///
/// Traces of runs, jobs, steps, agents and calls of models; metrics; a log. They go over OTLP/HTTP (JSON) to where `OTEL_EXPORTER_OTLP_ENDPOINT` and the other variables of OpenTelemetry
/// say, to a Pushgateway, and into files. Each run and event is told once. A receiver that is down changes no exit code and costs two seconds: what it did not take is sent by the next export.
/// What models are told and answer is in none of it, and secrets are taken out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What would be told
    $ maestro observe export --dry-run

  For node_exporter's textfile collector
    $ maestro observe export --prometheus maestro.prom")]
pub(crate) struct ExportArgs {
    /// Write metrics to this file, as Prometheus' text format
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,

    /// Write the metrics of past days to this file, for `promtool tsdb create-blocks-from openmetrics`
    #[arg(long, value_name = "FILE")]
    openmetrics: Option<PathBuf>,

    /// How many days `--openmetrics` goes back
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,

    /// Replace what this Pushgateway has of the repository
    #[arg(long, value_name = "URL")]
    pushgateway: Option<String>,

    /// Add what would go over OTLP to this file, a document a line
    #[arg(long, value_name = "FILE")]
    otlp: Option<PathBuf>,

    /// Ask GitHub for the jobs of this run [default: the run of the workflow]
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,

    /// Ask GitHub which jobs wait for a runner
    #[arg(long)]
    queue: bool,

    /// How many seconds all receivers together get
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    within: u64,

    /// Say what would be told, tell nobody
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    github: GithubArgs,
}

/// The job that pushes, as a Pushgateway groups by it.
const JOB: &str = "maestro";

/// Where it is kept what was told.
const TOLD: &str = "observe.json";

pub(super) fn run(session: &mut Session<'_>, args: &ExportArgs) -> CommandResult {
    // All of it is of one moment.
    session.settings.now.value = Some(session.now());
    let signals = Signals::read(session, args.otlp.is_some())?;
    let push = args.pushgateway.as_deref();
    let repository = repository(session, args.github.repository.as_deref());
    // A Pushgateway that is down leaves the others half of the time.
    let half = args.within * 500;
    let push = push.map(|url| pushgateway(url, &path_of(&repository), half));
    let push = push.transpose()?;
    let mut known = load(session, &repository)?;
    let asked = ask(session, &wanted(session, args))?;
    take(&mut known, asked);
    let folder = session.state()?.root().to_path_buf();
    let told_path = folder.join(TOLD);
    let mut told = Told::read(&bytes(session, &told_path)?);
    let redactor = Redactor::new(&session.world.environment.vars());
    // Words come again and again: most spans are called alike.
    let seen: RefCell<HashMap<String, Option<String>>> = RefCell::default();
    let redact = |text: &str| {
        if let Some(clean) = seen.borrow().get(text) {
            return clean.clone();
        }
        let clean = redactor.message(text);
        seen.borrow_mut().insert(text.to_owned(), clean.clone());
        clean
    };
    let now = session.now();
    let is_told = |name: &str| !told.is_news(&agents_key(name), now, now);
    let runs = journals(session, &known.material.agents, &is_told)?;
    known.material.clean(&redact);
    let metrics = metrics(session, &known);
    let mut document = ObserveExportDocument::new(args.dry_run, session.now(), &repository);
    let mut outgoing = Outgoing::new(session, &signals, &known, &runs, &told);
    outgoing.clean(&redact);
    document.count(&outgoing, &metrics);
    let common = common(&repository);
    let text = |form| prometheus::write(metrics.metrics(), &common, form);
    if let Some(path) = &args.prometheus {
        let row = put(session, "prometheus", path, &text(Form::Text), args.dry_run)?;
        document.targets.push(row);
    }
    if let Some(path) = &args.openmetrics {
        let past = past(session, &known, args.days)?;
        let text = prometheus::write(past.metrics(), &common, Form::History);
        document
            .targets
            .push(put(session, "openmetrics", path, &text, args.dry_run)?);
    }
    let exporter = exporter(session, &folder, Duration::from_secs(args.within));
    if let Some(target) = &push {
        let text = text(Form::Text);
        document
            .targets
            .push(pushed(&exporter, target, &text, args.dry_run));
    }
    let source = source(&repository);
    let documents = outgoing.documents(&source, &metrics, &told, &known);
    if let Some(path) = &args.otlp {
        document
            .targets
            .push(appended(session, path, &documents, args.dry_run)?);
    }
    if !args.dry_run {
        let rows = signals.deliver(&exporter, &documents)?;
        document.targets.extend(rows);
        outgoing.note(&signals, &mut told, &metrics);
        if signals.is_any() {
            put(session, TOLD, &told_path, &told.text(), false)?;
        }
    }
    session.render(&document)?;
    say(session, &document, &known);
    Ok(ExitCode::Success)
}

fn path_of(repository: &Repository) -> String {
    prometheus::pushgateway_path(JOB, &common(repository))
}

/// Returns the labels that all series have.
pub(super) fn common(repository: &Repository) -> Labels {
    vec![
        (OWNER_NAME, repository.owner.clone()),
        (REPOSITORY_NAME, repository.name.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// How a run of agents is known among what was told.
pub(super) fn agents_key(run: &str) -> String {
    format!("agents/{run}")
}

fn wanted<'a>(session: &Session<'_>, args: &'a ExportArgs) -> Wanted<'a> {
    let in_actions = session.var("GITHUB_ACTIONS").as_deref() == Some("true");
    let number = |name: &str| session.var(name)?.parse::<u64>().ok();
    let own = number("GITHUB_RUN_ID").filter(|_| in_actions);
    let attempt = number("GITHUB_RUN_ATTEMPT").and_then(|attempt| u32::try_from(attempt).ok());
    let run = match (args.run, own) {
        (Some(run), Some(own)) if run == own => Some((run, attempt)),
        (Some(run), _) => Some((run, None)),
        (None, Some(own)) => Some((own, attempt)),
        (None, None) => None,
    };
    Wanted {
        run,
        queue: args.queue,
        github: &args.github,
    }
}

/// Puts what was asked beside what is stored; of a run that both have, what was asked counts.
fn take(known: &mut Known, asked: Asked) {
    known.material.waiting = asked.waiting;
    if let Some(run) = asked.run {
        let runs = &mut known.material.runs;
        runs.retain(|other| (other.id, other.attempt) != (run.id, run.attempt));
        runs.push(run);
    }
}

/// Returns the metrics of the present.
pub(super) fn metrics(session: &Session<'_>, known: &Known) -> Collector {
    let mut collector = Collector::default();
    let when = When {
        at: session.now(),
        is_now: true,
        quantile,
    };
    gather(&known.material, when, &mut collector);
    collector
}

/// Returns the metrics of past days and of the present.
fn past(session: &Session<'_>, known: &Known, days: u16) -> Result<Collector, CommandError> {
    let mut collector = metrics(session, known);
    for ago in (1..=i64::from(days)).rev() {
        let span = SignedDuration::from_hours(24 * ago);
        let at = session.now().saturating_sub(span);
        let at = at.unwrap_or(Timestamp::MIN);
        let when = When {
            at,
            is_now: false,
            quantile,
        };
        gather(&known.material, when, &mut collector);
        if let Some(stored) = &known.stored {
            let metrics = stored.metrics(session, at, DAYS)?;
            tell(&delivery::figures(&metrics), at, &mut collector);
        }
    }
    Ok(collector)
}

fn put(
    session: &Session<'_>,
    to: &'static str,
    path: &Path,
    text: &str,
    dry_run: bool,
) -> Result<TargetRow, CommandError> {
    let whole = session.base.join(path);
    if !dry_run {
        let files = session.world.files.as_ref();
        let written = files.write_atomic(&whole, &mut |out| out.write_all(text.as_bytes()));
        written.map_err(|error| CommandError::writing(&whole, error))?;
    }
    Ok(TargetRow::file(to, path, u64::from(!dry_run)))
}

fn appended(
    session: &Session<'_>,
    path: &Path,
    documents: &Documents,
    dry_run: bool,
) -> Result<TargetRow, CommandError> {
    let whole = session.base.join(path);
    let mut text = String::new();
    let mut count = 0;
    for document in documents.all() {
        text.push_str(document);
        text.push('\n');
        count += 1;
    }
    if !dry_run {
        let files = session.world.files.as_ref();
        let written = files.append(&whole, text.as_bytes());
        written.map_err(|error| CommandError::writing(&whole, error))?;
    }
    Ok(TargetRow::file("otlp-file", path, count))
}

fn pushed(exporter: &Exporter<'_>, target: &Target, text: &str, dry_run: bool) -> TargetRow {
    let done = if dry_run {
        Ok(())
    } else {
        exporter.push(target, prometheus::TEXT_TYPE, text)
    };
    let mut row = TargetRow::server("pushgateway", &target.url);
    row.sent = u64::from(done.is_ok() && !dry_run);
    row.problem = done.err();
    row
}

/// Says what went wrong, and what is missing.
fn say(session: &mut Session<'_>, document: &ObserveExportDocument, known: &Known) {
    for row in &document.targets {
        if let Some(problem) = &row.problem {
            let waits = match row.spooled {
                0 => "",
                _ => "; it is kept for the next export",
            };
            let message = format!("not all of {} was taken: {problem}{waits}", row.to);
            session.ui.warn(&message);
        }
        if row.dropped > 0 {
            let message = format!("{} documents that waited were dropped", row.dropped);
            session.ui.warn(&message);
        }
    }
    if document.targets.is_empty() {
        session.ui.hint("nobody is told: set OTEL_EXPORTER_OTLP_ENDPOINT, or give --prometheus, --pushgateway, --openmetrics or --otlp");
    }
    if known.damaged > 0 {
        let message = format!("{} lines of the state cannot be used", known.damaged);
        session.ui.warn(&message);
        session.ui.hint("`maestro state verify` names them");
    }
}
