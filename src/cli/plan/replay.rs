//! `maestro plan replay`: what plans would have skipped in the past, and what that would have missed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{Mode, PlanDocument};
use super::{Desk, again, keep_cache};
use crate::change::base::short;
use crate::change::log::Logged;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report, Tone, json_line};

/// Plan the last commits again: what would have run, and been missed
///
/// Every commit is held against its first parent, by the configuration as it is now. Where test results of these commits are stored, a
/// job that failed and that the plan would have skipped is an escape.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The last thousand commits
    $ maestro plan replay

  A page to share, with what the jobs take
    $ maestro plan replay --last 200 --minutes test=12 --format markdown")]
pub(crate) struct ReplayArgs {
    /// How many commits
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,

    /// Begin at this commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,

    /// How long one run of a job takes, as `JOB=MINUTES` (can be repeated)
    #[arg(long, value_name = "JOB=MINUTES", value_parser = minutes)]
    minutes: Vec<(String, f64)>,
}

fn minutes(text: &str) -> Result<(String, f64), String> {
    let (job, minutes) = text
        .rsplit_once('=')
        .ok_or("expected JOB=MINUTES, for example test=12")?;
    match minutes.parse::<f64>() {
        Ok(minutes) if minutes.is_finite() && minutes >= 0.0 => Ok((job.to_owned(), minutes)),
        _ => Err(format!("`{minutes}` is no number of minutes")),
    }
}

/// What plans would have skipped in the past.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.plan-replay/v1"))]
pub(crate) struct PlanReplayDocument {
    /// `maestro.plan-replay/v1`
    schema: &'static str,
    /// The newest commit.
    head: String,
    /// What the commits come to.
    totals: ReplayTotals,
    /// Why everything ran, the most frequent first.
    reasons: Vec<ReasonCount>,
    /// Each job.
    jobs: Vec<JobCount>,
    /// Jobs that failed on a commit whose plan would have skipped them.
    escapes: Vec<Escape>,
    /// Each commit, newest first.
    commits: Vec<CommitRow>,
}

/// What the commits come to.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReplayTotals {
    commits: u64,
    /// Commits whose plan runs everything.
    all: u64,
    /// Commits whose plan runs some jobs.
    affected: u64,
    /// Commits that affect nothing.
    none: u64,
    /// Runs of jobs without plans: every job for every commit.
    job_runs: u64,
    /// Runs of jobs that plans select.
    selected: u64,
    /// Runs of jobs that plans skip.
    skipped: u64,
    /// Minutes of the skipped runs, as far as `--minutes` says what a job takes.
    minutes_saved: f64,
    /// Projects that plans select, over all commits that do not run everything.
    project_slots: u64,
}

/// How often everything ran for a reason.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReasonCount {
    code: String,
    commits: u64,
    /// The paths that were it most often, with how often.
    paths: Vec<PathCount>,
}

/// How often a path, or one of a folder at the top, was the reason.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PathCount {
    path: String,
    commits: u64,
}

/// How often a job ran.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct JobCount {
    id: String,
    selected: u64,
    skipped: u64,
    /// What skipping it saved, where `--minutes` says what it takes.
    minutes_saved: Option<f64>,
}

/// A job that failed on a commit whose plan would have skipped it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Escape {
    commit: String,
    job: String,
    /// Tests that failed there.
    failures: u64,
}

/// A commit.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CommitRow {
    commit: String,
    /// When it was committed.
    at: String,
    mode: Mode,
    /// Changed paths.
    files: u64,
    /// Affected projects.
    projects: u64,
    selected: Vec<String>,
    skipped: Vec<String>,
    /// Codes of the reasons why everything ran.
    reasons: Vec<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &ReplayArgs) -> CommandResult {
    let mut desk = Desk::open(session, &again::unmade(&args.head, false))?;
    let logged = again::read_log(&desk, args.last as usize)?;
    let failures = failures(session)?;
    let mut tally = Tally::new(args);
    let bar = session.ui.progress(logged.len() as u64, "commits");
    again::plan_each(&mut desk, &logged, &|_| true, &mut |_, one, plan| {
        bar.inc(1);
        tally.add(one, plan, &failures);
        Ok(())
    })?;
    bar.finish_and_clear();
    keep_cache(session, &desk.planner);
    let report = tally.finish(desk.head.object.clone());
    session.render(&report)?;
    if report.totals.commits == 0 {
        session
            .ui
            .warn("there is no commit with a parent to compare with");
    }
    Ok(ExitCode::Success)
}

/// Failed tests of stored runs, by commit and job.
type Failures = BTreeMap<(String, String), u64>;

fn failures(session: &Session<'_>) -> Result<Failures, CommandError> {
    let mut failures = Failures::new();
    let (history, _) = crate::cli::flakes::load(&session.state()?)?;
    for run in &history.runs {
        let failed = run.counts.failed + run.counts.errored;
        if failed > 0 {
            let key = (run.origin.commit.clone(), run.origin.job.clone());
            *failures.entry(key).or_default() += failed;
        }
    }
    Ok(failures)
}

/// Adds commits up.
struct Tally {
    totals: ReplayTotals,
    reasons: BTreeMap<String, (u64, BTreeMap<String, u64>)>,
    jobs: BTreeMap<String, (u64, u64)>,
    minutes: BTreeMap<String, f64>,
    escapes: Vec<Escape>,
    commits: Vec<CommitRow>,
}

impl Tally {
    fn new(args: &ReplayArgs) -> Self {
        Self {
            totals: ReplayTotals::default(),
            reasons: BTreeMap::new(),
            jobs: BTreeMap::new(),
            minutes: crate::order::map(args.minutes.iter().cloned()),
            escapes: Vec::new(),
            commits: Vec::new(),
        }
    }

    fn add(&mut self, logged: &Logged, plan: &PlanDocument, failures: &Failures) {
        let totals = &mut self.totals;
        totals.commits += 1;
        match plan.mode {
            Mode::All => totals.all += 1,
            Mode::Affected => totals.affected += 1,
            Mode::None => totals.none += 1,
        }
        let projects = plan
            .projects
            .iter()
            .filter(|project| project.affected)
            .count() as u64;
        if plan.mode != Mode::All {
            totals.project_slots += projects;
        }
        let mut codes: Vec<String> = plan
            .reasons
            .iter()
            .map(|reason| reason.code.clone())
            .collect();
        codes.dedup();
        let mut seen = std::collections::BTreeSet::new();
        for reason in &plan.reasons {
            let (count, paths) = self.reasons.entry(reason.code.clone()).or_default();
            *count += u64::from(seen.insert((reason.code.clone(), String::new())));
            let path = reason.path.as_deref().map(top).unwrap_or_default();
            if seen.insert((reason.code.clone(), path.clone())) {
                *paths.entry(path).or_default() += 1;
            }
        }
        let (selected, skipped): (Vec<_>, Vec<_>) = plan.jobs.iter().partition(|job| job.selected);
        totals.job_runs += plan.jobs.len() as u64;
        totals.selected += selected.len() as u64;
        totals.skipped += skipped.len() as u64;
        for job in &plan.jobs {
            let (run, skip) = self.jobs.entry(job.id.clone()).or_default();
            if job.selected {
                *run += 1;
                continue;
            }
            *skip += 1;
            let failed = failures.get(&(logged.commit.clone(), job.id.clone()));
            self.escapes.extend(failed.map(|failures| Escape {
                commit: logged.commit.clone(),
                job: job.id.clone(),
                failures: *failures,
            }));
        }
        let names =
            |jobs: Vec<&super::wire::JobRow>| jobs.into_iter().map(|job| job.id.clone()).collect();
        self.commits.push(CommitRow {
            commit: logged.commit.clone(),
            at: Timestamp::from_second(logged.at)
                .unwrap_or_default()
                .to_string(),
            mode: plan.mode,
            files: plan.changed_files.len() as u64,
            projects,
            selected: names(selected),
            skipped: names(skipped),
            reasons: codes,
        });
    }

    fn finish(mut self, head: String) -> PlanReplayDocument {
        let mut jobs = Vec::new();
        for (id, (selected, skipped)) in self.jobs {
            #[expect(
                clippy::cast_precision_loss,
                reason = "minutes need no more than 52 bits"
            )]
            let minutes_saved = self
                .minutes
                .get(&id)
                .map(|minutes| crate::stats::rounded(minutes * skipped as f64));
            self.totals.minutes_saved += minutes_saved.unwrap_or_default();
            jobs.push(JobCount {
                id,
                selected,
                skipped,
                minutes_saved,
            });
        }
        let mut reasons: Vec<ReasonCount> = self
            .reasons
            .into_iter()
            .map(|(code, (commits, paths))| {
                let paths = paths.into_iter().filter(|(path, _)| !path.is_empty());
                let mut paths: Vec<PathCount> = paths
                    .map(|(path, commits)| PathCount { path, commits })
                    .collect();
                crate::order::sort_by(&mut paths, |a, b| {
                    b.commits.cmp(&a.commits).then_with(|| a.path.cmp(&b.path))
                });
                paths.truncate(MOST_PATHS);
                ReasonCount {
                    code,
                    commits,
                    paths,
                }
            })
            .collect();
        crate::order::sort_by(&mut reasons, |a, b| {
            b.commits.cmp(&a.commits).then_with(|| a.code.cmp(&b.code))
        });
        PlanReplayDocument {
            schema: "maestro.plan-replay/v1",
            head,
            totals: self.totals,
            reasons,
            jobs,
            escapes: self.escapes,
            commits: self.commits,
        }
    }
}

/// Of more paths than these, the most frequent are named.
const MOST_PATHS: usize = 10;

fn top(path: &str) -> String {
    match path.split_once('/') {
        // What lies in a hidden folder at the top is told apart by the next part.
        Some((top, rest)) if top.starts_with('.') && rest.contains('/') => {
            format!("{top}/{}/", rest.split('/').next().unwrap_or_default())
        }
        Some((top, rest)) if !top.starts_with('.') && !rest.is_empty() => format!("{top}/"),
        _ => path.to_owned(),
    }
}

fn share(part: u64, whole: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 52 bits"
    )]
    let share = if whole == 0 {
        0.0
    } else {
        100.0 * part as f64 / whole as f64
    };
    format!("{share:.0} %")
}

impl Report for PlanReplayDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.commits {
            let mut value = serde_json::to_value(row)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("schema".to_owned(), "maestro.plan-replay-commit/v1".into());
            }
            json_line(out, &value)?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        self.words(&mut page);
        let rows = self.jobs.iter().map(|job| {
            let all = job.selected + job.skipped;
            let minutes = job
                .minutes_saved
                .map_or_else(String::new, |minutes| format!("{minutes:.0}"));
            let cells = [
                job.selected.to_string(),
                job.skipped.to_string(),
                share(job.skipped, all),
                minutes,
            ];
            std::iter::once(Cell::code(&job.id))
                .chain(cells.map(Cell::plain))
                .collect()
        });
        let head = vec![
            Column::left("Job"),
            Column::right("Runs"),
            Column::right("Skips"),
            Column::right("Skipped"),
            Column::right("Minutes saved"),
        ];
        page.table(head, rows.collect());
        if !self.reasons.is_empty() {
            page.heading("Why everything ran");
            let rows = self.reasons.iter().map(|reason| {
                let paths = reason
                    .paths
                    .iter()
                    .map(|one| format!("{} ({})", one.path, one.commits));
                let paths = paths.collect::<Vec<_>>().join(", ");
                vec![
                    Cell::plain(&reason.code),
                    Cell::plain(reason.commits.to_string()),
                    Cell::code(paths),
                ]
            });
            page.table(
                vec![
                    Column::left("Reason"),
                    Column::right("Commits"),
                    Column::left("Paths"),
                ],
                rows.collect(),
            );
        }
        if !self.escapes.is_empty() {
            page.heading("Escapes");
            let rows = self.escapes.iter().map(|escape| {
                let failures = Cell::toned(escape.failures.to_string(), Tone::Bad);
                vec![
                    Cell::code(short(&escape.commit)),
                    Cell::code(&escape.job),
                    failures,
                ]
            });
            page.table(
                vec![
                    Column::left("Commit"),
                    Column::left("Job"),
                    Column::right("Failed tests"),
                ],
                rows.collect(),
            );
        }
        page
    }
}

impl PlanReplayDocument {
    /// Says in sentences what it comes to.
    fn words(&self, page: &mut Page) {
        let totals = &self.totals;
        page.heading(format!(
            "The last {} by the plan of today",
            times(totals.commits, "commit")
        ));
        let mut words = format!(
            "{} of {} would have been skipped ({}).",
            totals.skipped,
            times(totals.job_runs, "job run"),
            share(totals.skipped, totals.job_runs)
        );
        if totals.minutes_saved > 0.0 {
            words.push_str(&format!(" That is {:.0} minutes.", totals.minutes_saved));
        }
        words.push_str(&match self.escapes.len() {
            0 => " No stored failure would have been missed.".to_owned(),
            many => format!(
                " {} would have been missed.",
                times(many as u64, "failed job")
            ),
        });
        page.text(words);
        page.text(format!(
            "{} ran everything ({}), {} some jobs, {} nothing.",
            totals.all,
            share(totals.all, totals.commits),
            totals.affected,
            totals.none
        ));
    }
}
