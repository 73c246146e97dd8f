//! `maestro audit`: what maestro would bring this repository, measured on its past, before anything is set up.

mod forge;
mod past;
mod wire;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::dora::audited;
use super::session::Session;
use super::trouble::no_repository;
use crate::audit::audit;
use crate::audit::document::{Audit, Missing};
use crate::audit::facts::{Delivery, Facts};
use crate::conduct::github::GitHub;
use crate::conduct::identity::enter_installation;
use crate::delivery::authors::Authors;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::redact::Redactor;
use forge::{Step, Told, Wanted};
use past::Past;
use wire::Told as Report;

#[cfg(test)]
pub(crate) use crate::audit::document::Audit as AuditDocument;

/// Measure on this repository's past what maestro would bring
///
/// Reads git, and GitHub where there is a token (GITHUB_TOKEN, for example from `gh auth token`): which job runs plans would have skipped in the last
/// days, and what they would have missed; runs that failed and passed on the same commit; how long CI takes; five metrics of delivery; what the
/// built-in policy says of what was merged; what each capability would change. It needs no configuration and writes nothing, in the repository or
/// elsewhere, but the page that `--page` names. Requests are counted and held to a budget, so that jobs are those of an even sample of runs; what is
/// estimated says so, with its interval, and what nobody could know is listed with how to get it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The last 30 days of this repository
    $ maestro audit

  A quarter, out of git alone, as a page to share
    $ maestro audit --days 90 --offline --page audit.html")]
pub(crate) struct AuditArgs {
    /// How many days to look back
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,

    /// So many changes, and so many workflow runs, are looked at: the newest
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// So many requests GitHub is sent at most
    #[arg(long, value_name = "N", default_value_t = 300)]
    calls: u64,

    /// Also write one page to share to this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,

    /// The repository at GitHub [default: GITHUB_REPOSITORY, or that of the remote]
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,

    /// How many seconds GitHub is asked
    #[arg(long, value_name = "SECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=86400))]
    deadline: u64,
}

pub(super) fn run(session: &mut Session<'_>, args: &AuditArgs) -> CommandResult {
    let now = session.now();
    let span = SignedDuration::from_hours(24 * i64::from(args.days));
    let since = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let authors = session.authors(&[], &[])?;
    let mut past = past::read(session, (since, now), args.limit as usize, &authors)?;
    let mut missing = Vec::new();
    let (repository, asked) = ask(session, args, (since, now), &past, &authors)?;
    let (told, calls) = match asked {
        Ok((told, calls)) => (told, calls),
        Err(why) => {
            missing.push(why);
            (Told::default(), 0)
        }
    };
    missing.extend(told.missing);
    let has_forge = told.runs.is_some() || !told.rows.is_empty();
    let rows = has_forge.then_some(told.rows);
    let delivered = audited(session, rows, args.days)?;
    past::learn(&mut past.changes, &delivered.pulls);
    let delivery = Delivery {
        metrics: delivered.metrics,
        ci: delivered.ci,
        from: if has_forge { "github" } else { "git" },
        releases: delivered.releases,
    };
    let facts = Facts {
        repository,
        now,
        since,
        days: args.days,
        head: past.read.head.clone(),
        jobs: past.jobs.clone(),
        changes: &past.changes,
        is_cut: past.read.is_cut,
        is_shallow: past.read.is_shallow,
        newest: past
            .read
            .newest
            .and_then(|at| Timestamp::from_second(at).ok()),
        runs: told.runs.as_ref(),
        delivery: &delivery,
        calls: (calls, args.calls),
        missing,
    };
    let redactor = Redactor::new(&session.world.environment.vars());
    let document = audit(&facts, &|text| redactor.message(text));
    answer(session, args, &document)
}

fn answer(session: &mut Session<'_>, args: &AuditArgs, document: &Audit) -> CommandResult {
    let mut report = Report::new(document);
    if let Some(page) = &args.page {
        let path = session.base.join(page);
        write(session, &path, &report.html())?;
        report.page = Some(session.shown(&path));
    }
    session.render(&report)?;
    Ok(ExitCode::Success)
}

fn write(session: &Session<'_>, path: &Path, text: &str) -> Result<(), CommandError> {
    let files = session.world.files.as_ref();
    files
        .write_atomic(path, &mut |out| out.write_all(text.as_bytes()))
        .map_err(|error| CommandError::writing(path, error))
}

type Asked = Result<(Told, u64), Missing>;

/// Asks GitHub, where it may be asked; returns also what the repository is called.
fn ask(
    session: &mut Session<'_>,
    args: &AuditArgs,
    (since, now): (Timestamp, Timestamp),
    past: &Past,
    authors: &Authors,
) -> Result<(String, Asked), CommandError> {
    let found = session.github(args.repository.as_deref(), None, args.deadline)?;
    let miss = |why: &str, how: &str| {
        Err(Missing::new(
            "minutes, failures that plans would have missed, re-runs, CI's length, deployments and pull requests",
            why,
            how,
        ))
    };
    let Some((github, whose)) = found else {
        let why = miss(
            "no repository at GitHub is meant",
            "name it with --repository OWNER/NAME, or in the address of the remote",
        );
        return Ok((folder_name(session)?, why));
    };
    let name = github.repository.to_string();
    if session.settings.offline.value {
        return Ok((
            name,
            miss(
                "--offline forbids asking GitHub",
                "run it without --offline",
            ),
        ));
    }
    if github.server.borrow().is_none() {
        let how = "GITHUB_TOKEN=$(gh auth token) maestro audit, or a token that may read actions, pull requests and contents";
        return Ok((name, miss("there is no token", how)));
    }
    let github: GitHub<'_> = github.sparingly(args.calls);
    if let Err(error) = enter_installation(&github, &whose) {
        let hint = error.hint();
        return Ok((name, miss(&error.to_string(), &hint)));
    }
    let incidents = session.config.delivery.incidents.clone();
    session.ui.status(&format!(
        "asking GitHub about {name}, {} requests at most",
        args.calls
    ));
    let bar = session.ui.progress(0, "runs");
    let told = forge::ask(
        &github,
        &Wanted {
            since,
            now,
            limit: args.limit as usize,
            changes: &past.changes,
            authors,
            incidents: incidents.as_deref(),
            progress: &|step| match step {
                Step::Of(runs) => bar.inc_length(runs),
                Step::One => bar.inc(1),
            },
        },
    );
    bar.finish_and_clear();
    Ok((name, Ok((told, github.calls()))))
}

/// Returns the name of the repository's folder.
fn folder_name(session: &Session<'_>) -> Result<String, CommandError> {
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    Ok(name.to_string_lossy().into_owned())
}
