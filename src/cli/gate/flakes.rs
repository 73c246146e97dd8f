//! What the tests of this run said, by what its jobs left: artifacts at GitHub or in a folder, and what this machine stored.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::{Base, GateArgs, asked, parts};
use crate::cli::flakes::{report, rules};
use crate::cli::session::Session;
use crate::conduct::left_behind::{LeftBehind, Which, fetch};
use crate::error::{CommandError, ErrorKind};
use crate::flakes::detect::Analysis;
use crate::flakes::gate::Law;
use crate::flakes::history::HistoryBuilder;
use crate::flakes::quarantine::Quarantine;
use crate::flakes::verdict::times;
use crate::gate::compare::{Planned, Ran, is_red};
use crate::gate::flakes::{Judged, Known, Leg, Rate, Reporting, judge, last};
use crate::gate::needs::Needs;
use crate::gate::{Capability, Problem};
use crate::state::intake::Expected;
use crate::state::{Place, StateFolder, v1};

/// So many artifacts are downloaded, two requests each: a run of a pull request asks GitHub twenty times at most.
const MOST_DOWNLOADS: usize = 4;

/// What is known of the run.
pub(super) struct About<'a> {
    pub(super) base: &'a Base,
    pub(super) needs: Option<&'a Needs>,
    pub(super) ran: Option<&'a [Ran]>,
    /// Nothing where no plan could be made.
    pub(super) planned: Option<&'a [Planned]>,
    pub(super) is_enforced: bool,
}

/// What the tests said.
#[derive(Debug, Default)]
pub(super) struct Flakes {
    /// Known flakes that failed.
    pub(super) known: Vec<Known>,
    /// Runs of jobs whose results were read.
    pub(super) runs: u64,
    /// Artifacts with test results, and those that were read.
    pub(super) artifacts: Option<(u64, u64)>,
}

/// Judges them; what cannot be judged is a problem, and what cannot be read is said.
pub(super) fn look(
    session: &mut Session<'_>,
    args: &GateArgs,
    about: &About<'_>,
    problems: &mut Vec<Problem>,
    infos: &mut Vec<String>,
) -> Flakes {
    // Nobody knows which run is meant.
    if session.var("GITHUB_RUN_ID").is_none() && args.left.is_empty() {
        return Flakes::default();
    }
    match examine(session, args, about, problems, infos) {
        Ok(flakes) => flakes,
        Err(error) => {
            problems.push(parts::unknown(Capability::Flakes, "flakes-unknown", &error));
            Flakes::default()
        }
    }
}

fn examine(
    session: &mut Session<'_>,
    args: &GateArgs,
    about: &About<'_>,
    problems: &mut Vec<Problem>,
    infos: &mut Vec<String>,
) -> Result<Flakes, CommandError> {
    let quarantine = Quarantine::read(&about.base.quarantine).map_err(|error| {
        let message = format!("the base's quarantine cannot be used: {error}");
        CommandError::message(ErrorKind::BadConfig, message)
            .hint("`maestro flakes quarantine review` reads the one in the work tree; merge one that it accepts")
    })?;
    let never = rules::never(&about.base.config.flakes.never)?;
    let (legs, found) = gather(session, args, about)?;
    let legs = last(legs);
    say(about, &legs, &found, infos);
    let law = Law {
        quarantine: &quarantine,
        today: session.now().to_zoned(TimeZone::UTC).date(),
        is_enforced: about.is_enforced,
        never: &|suite, test, file| rules::never_by(&never, suite, test, file),
        failed: None,
    };
    let expected = reporting(about);
    let is_whole = !legs.is_empty() && found.is_whole();
    let expected = expected.as_deref().filter(|_| is_whole);
    let Judged {
        problems: own,
        known,
    } = judge(&legs, expected, &law);
    problems.extend(own);
    let known = with_rates(session, known);
    Ok(Flakes {
        known,
        runs: legs.len() as u64,
        artifacts: (found.all > 0).then_some((found.all, found.read)),
    })
}

/// Says what could not be read: then the results of the jobs count alone.
fn say(about: &About<'_>, legs: &[Leg], found: &LeftBehind, infos: &mut Vec<String>) {
    if let Some(error) = &found.broken {
        infos.push(format!(
            "what jobs left of their tests could not be read, so that their results count alone: {error}"
        ));
    } else if found.read < found.all {
        infos.push(format!(
            "of what jobs left of their tests {} of {} was read; of the rest the jobs' results count alone (`--left FOLDER` reads all of it)",
            found.read,
            times(found.all, "artifact")
        ));
    } else if legs.is_empty() && about.is_enforced {
        infos.push(
            "no job left results of its tests, so that the jobs' results count alone".to_owned(),
        );
    }
    for words in &found.refused {
        infos.push(format!("a part of what a job left was refused: {words}"));
    }
}

/// Returns the jobs that write reports, as the base has them, with the runs that were planned.
fn reporting(about: &About<'_>) -> Option<Vec<Reporting>> {
    let jobs = &about.base.config.jobs;
    let planned = about.planned?.iter().filter(|job| {
        let is_reporting = jobs.get(&job.id).is_some_and(|job| job.junit.is_some());
        job.run && is_reporting
    });
    let planned = planned.map(|job| Reporting {
        id: job.id.clone(),
        legs: job.legs,
    });
    Some(planned.collect())
}

/// Reads what was left, in a state of its own that is thrown away.
fn gather(
    session: &mut Session<'_>,
    args: &GateArgs,
    about: &About<'_>,
) -> Result<(Vec<Leg>, LeftBehind), CommandError> {
    let files = session.world.files.as_ref();
    let folder = files
        .temporary_folder("maestro-gate-")
        .map_err(|error| CommandError::writing(Path::new("a temporary folder"), error))?;
    let read = read_into(session, args, about, &folder);
    // What stays lies among the system's temporary files.
    let _stays = files.remove_folder(&folder);
    read
}

fn read_into(
    session: &mut Session<'_>,
    args: &GateArgs,
    about: &About<'_>,
    folder: &Path,
) -> Result<(Vec<Leg>, LeftBehind), CommandError> {
    let run = session.var("GITHUB_RUN_ID");
    let state = session.state_in(folder.to_path_buf());
    let mut found = if args.left.is_empty() {
        at_github(session, about, &args.plan_job, &state)?
    } else {
        in_folders(session, &args.left, run.clone(), &state)?
    };
    let mut legs = legs_of(&state, run.as_deref(), false)?;
    // What this machine itself stored, where jobs and gate share one.
    if let (Ok(own), Some(run)) = (session.state(), &run) {
        match legs_of(&own, Some(run), true) {
            Ok(own) => legs.extend(own),
            Err(error) => found
                .refused
                .push(format!("this machine's own: {:#}", error.error)),
        }
    }
    Ok((legs, found))
}

fn at_github(
    session: &mut Session<'_>,
    about: &About<'_>,
    plan_job: &str,
    state: &StateFolder<'_>,
) -> Result<LeftBehind, CommandError> {
    let (github, run, attempt) = match asked::github(session) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(LeftBehind::default()),
        Err(error) => {
            session.ui.warn(&format!("{:#}", error.error));
            return Ok(LeftBehind::default());
        }
    };
    let which = Which {
        run,
        attempt,
        now: session.now(),
        most: MOST_DOWNLOADS,
    };
    let rank = |job: &str| {
        let is_red = is_red(job, about.needs, about.ran);
        (job != plan_job).then_some(u8::from(!is_red))
    };
    Ok(fetch(&github, state, which, &rank)?)
}

fn in_folders(
    session: &Session<'_>,
    left: &[PathBuf],
    run: Option<String>,
    state: &StateFolder<'_>,
) -> Result<LeftBehind, CommandError> {
    let expected = Expected {
        repository: session.var("GITHUB_REPOSITORY"),
        run,
        now: session.now(),
        ..Expected::default()
    };
    let mut found = LeftBehind::default();
    for path in left {
        let taken = state.ingest(&session.base.join(path), &expected, false)?;
        found.all += 1;
        found.add(&path.display().to_string(), &taken);
    }
    Ok(found)
}

/// Returns what each leg of a run's jobs left; `is_own` reads what only this machine has.
fn legs_of(
    state: &StateFolder<'_>,
    run: Option<&str>,
    is_own: bool,
) -> Result<Vec<Leg>, CommandError> {
    let mut builder = HistoryBuilder::default();
    let wanted =
        |kind: &str, place: Place| v1::is_about_tests(kind) && (!is_own || place == Place::Here);
    state.read(&wanted, &mut |event| v1::decode(event, &mut builder))?;
    let history = builder.finish();
    let mut legs = Vec::new();
    for (number, stored) in (0..).zip(&history.runs) {
        if run.is_some_and(|run| run != stored.origin.run) {
            continue;
        }
        let failing = history.failing(number).into_iter();
        let failures = failing.map(|test| {
            let (suite, name) = history.test(test);
            (suite.to_owned(), name.to_owned())
        });
        legs.push(Leg {
            job: stored.origin.job.clone(),
            part: stored.leg.clone(),
            attempt: stored.origin.attempt,
            failures: failures.collect(),
        });
    }
    Ok(legs)
}

/// Says how often known flakes fail, by the stored history.
fn with_rates(session: &mut Session<'_>, known: Vec<((String, String), Known)>) -> Vec<Known> {
    let mut rates = Vec::new();
    if !known.is_empty()
        && let Ok(state) = session.state()
    {
        match report::load(&state) {
            Ok((history, _)) => {
                let analysis = Analysis::of(&history);
                for test in history.in_order() {
                    let (suite, name) = history.test(test);
                    let is_it = |(key, _): &&((String, String), Known)| {
                        (key.0.as_str(), key.1.as_str()) == (suite, name)
                    };
                    if let Some((key, _)) = known.iter().find(is_it) {
                        let rate = analysis.judge(&history, test).counted.rate();
                        let executions = history.tally(test).runs;
                        rates.push((key.clone(), rate, executions));
                    }
                }
            }
            Err(error) => session.ui.warn(&format!(
                "the history of tests is not known: {:#}",
                error.error
            )),
        }
    }
    let with_rate = |(key, known): ((String, String), Known)| {
        let found = rates.iter().find(|(of, ..)| *of == key);
        let rate = found.map(|(_, rate, executions)| Rate {
            mean: rate.mean,
            low: rate.low,
            high: rate.high,
            executions: *executions,
        });
        Known { rate, ..known }
    };
    known.into_iter().map(with_rate).collect()
}
