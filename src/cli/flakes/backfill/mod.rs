//! `maestro flakes backfill`: the history that GitHub still has, so that day one has one.

mod taking;
mod wire;

use globset::{Glob, GlobMatcher};
use jiff::{SignedDuration, Timestamp};

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::conduct::backfill::{self, STREAM, Window};
use crate::conduct::github::GitHub;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::backfill::{Done, Span, may_have_reports};
use crate::forge::api::runs::Run;
use crate::forge::problem::ForgeError;

use taking::Taking;
pub(crate) use wire::BackfillDocument;

/// Read the test history that GitHub still has
///
/// Looks through the workflow runs of the last days, attempt by attempt, because a run that was tried again shows its last attempt only. JUnit
/// reports and neutral files in the artifacts are read as `flakes ingest` reads them; where a run left none, its jobs are taken for tests of the
/// suite `GitHub Actions`, so that a job that failed and passed when it was tried again is evidence all the same. What was read is kept in a cursor:
/// a command that was ended goes on where it was, and a second one adds nothing. Artifacts are hostile data: they speak about their own run only.
/// Needs GITHUB_TOKEN with `actions: read`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See how much there is
    $ maestro flakes backfill --days 90 --dry-run

  Only what two jobs leave, and nothing of jobs without reports
    $ maestro flakes backfill --artifacts 'junit-*' --no-jobs --dry-run")]
pub(crate) struct BackfillArgs {
    /// How many days to look back
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,

    /// Names of artifacts to look into; unless given, those that sound like test reports
    #[arg(long, value_name = "GLOB")]
    artifacts: Vec<String>,

    /// Do not take jobs for tests where a run left no report
    #[arg(long)]
    no_jobs: bool,

    #[command(flatten)]
    github: GithubArgs,

    /// Say what would be read, download and store nothing
    #[arg(long)]
    dry_run: bool,
}

/// So many runs are stored at once.
const BATCH: usize = 20;

pub(super) fn run(session: &mut Session<'_>, args: &BackfillArgs) -> CommandResult {
    let globs = globs(&args.artifacts)?;
    let now = session.now();
    let span = SignedDuration::from_hours(24 * i64::from(args.days));
    let from = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let found = session.wanted_github(&args.github, args.dry_run, "backfilling")?;
    let Some((github, _)) = found else {
        let document = BackfillDocument::new(args.dry_run, None, from, now);
        session.render(&document)?;
        return Ok(ExitCode::Success);
    };
    let wanted = |name: &str| match &globs[..] {
        [] => may_have_reports(name),
        globs => globs.iter().any(|glob| glob.is_match(name)),
    };
    let state = session.state()?;
    let done = Done::read(&state.cursor(STREAM)?.unwrap_or_default());
    let mut document =
        BackfillDocument::new(args.dry_run, Some(github.repository.to_string()), from, now);
    let taking = Taking::new(session, &github, &wanted, args)?;
    let mut reading = Reading {
        github: &github,
        taking,
        done,
        now,
        waiting: 0,
    };
    let broken = reading.read(session, from, &mut document)?;
    document.calls = github.calls();
    session.render(&document)?;
    match broken {
        Some(error) => {
            session
                .ui
                .hint("what was read is stored: the same command goes on from there");
            Err(CommandError::from(error))
        }
        None => Ok(ExitCode::Success),
    }
}

fn globs(texts: &[String]) -> Result<Vec<GlobMatcher>, CommandError> {
    let glob = |text: &String| {
        Glob::new(text)
            .map(|glob| glob.compile_matcher())
            .map_err(|error| {
                CommandError::message(
                    ErrorKind::Usage,
                    format!("`{text}` is not a glob: {}", error.kind()),
                )
                .hint("`*` is any name: `--artifacts 'junit-*'`")
            })
    };
    texts.iter().map(glob).collect()
}

/// How far the runs were read.
struct Reading<'r, 'w> {
    github: &'r GitHub<'w>,
    taking: Taking<'r, 'w>,
    done: Done,
    now: Timestamp,
    /// Runs that were read and are not stored yet.
    waiting: usize,
}

impl Reading<'_, '_> {
    /// Reads what is missing; returns why it could not go on.
    fn read(
        &mut self,
        session: &mut Session<'_>,
        from: Timestamp,
        document: &mut BackfillDocument,
    ) -> Result<Option<ForgeError>, CommandError> {
        let bar = session.ui.progress(0, "runs");
        let mut broken = None;
        for span in self.done.missing(from, self.now) {
            match self.span(
                span,
                document,
                &mut |grown| bar.inc_length(grown),
                &mut || bar.inc(1),
            )? {
                Ok(()) => {}
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        self.store(document)?;
        bar.finish_and_clear();
        Ok(broken)
    }

    /// Reads a span, newest first, as many runs at once as GitHub hands out.
    fn span(
        &mut self,
        span: Span,
        document: &mut BackfillDocument,
        grow: &mut dyn FnMut(u64),
        step: &mut dyn FnMut(),
    ) -> Result<Result<(), ForgeError>, CommandError> {
        let mut to = span.to;
        loop {
            let Window { runs, is_cut } = match backfill::window(self.github, span.from, to) {
                Ok(window) => window,
                Err(error) => return Ok(Err(error)),
            };
            grow(runs.len() as u64);
            for run in &runs {
                if let Err(error) = self.taking.run(run, document)? {
                    return Ok(Err(error));
                }
                step();
                self.reached(run, span.to, document)?;
            }
            let last = runs.last().map(|run| run.created_at);
            match last {
                // There are more of the same second than GitHub hands out: the rest cannot be had.
                Some(last) if is_cut && last < to => to = last,
                _ => break,
            }
        }
        self.done.add(span);
        Ok(Ok(()))
    }

    /// Notes that a run and all newer ones of its span were read.
    fn reached(
        &mut self,
        run: &Run,
        to: Timestamp,
        document: &mut BackfillDocument,
    ) -> Result<(), CommandError> {
        // Others may have been created in the same second.
        let from = run.created_at.saturating_add(SignedDuration::from_secs(1));
        self.done.add(Span {
            from: from.unwrap_or(run.created_at),
            to,
        });
        self.waiting += 1;
        if self.waiting >= BATCH {
            self.store(document)?;
        }
        Ok(())
    }

    fn store(&mut self, document: &mut BackfillDocument) -> Result<(), CommandError> {
        self.waiting = 0;
        self.taking.store(&self.done, self.now, document)
    }
}
