//! What a command left: the reports that it wrote, looked at under the rules that were handed on, and stored.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ExecArgs;
use super::task::Task;
use crate::cli::flakes::ingest::{self, Found, ReadReports, Stored, read_found};
use crate::cli::flakes::rules;
use crate::cli::session::Session;
use crate::cli::trouble::named_runner;
use crate::error::{CommandError, ErrorKind};
use crate::exec::{Ending, Obstacle, is_fresh};
use crate::flakes::gate::{Judged, Law, Trouble, judge};
use crate::flakes::runners::Runner;
use crate::flakes::trusted::Trusted;

/// What lay there before the command began.
pub(super) struct Watch {
    before: BTreeMap<PathBuf, Timestamp>,
    start: Timestamp,
}

impl Watch {
    pub(super) fn begin(session: &Session<'_>, task: &Task) -> Self {
        let files = session.world.files.as_ref();
        let found = find(session, task);
        let times = found.inputs.into_iter().filter_map(|input| {
            let time = files.modified(&session.base.join(&input.path)).ok()?;
            Some((input.path, time))
        });
        Self {
            before: crate::order::map(times),
            // Not the time that `--now` fixes: files have the real one.
            start: session.world.clock.now(),
        }
    }

    /// Finds what the command wrote, the paths of reports that are older, and when the first of its own was written.
    fn written(
        &self,
        session: &Session<'_>,
        task: &Task,
    ) -> (Found, Vec<String>, Option<Timestamp>) {
        let files = session.world.files.as_ref();
        let mut found = find(session, task);
        let mut stale = Vec::new();
        let mut oldest: Option<Timestamp> = None;
        found.inputs.retain(|input| {
            let Ok(now) = files.modified(&session.base.join(&input.path)) else {
                // Reading it says what is wrong.
                return true;
            };
            let before = self.before.get(&input.path).copied();
            let fresh = is_fresh(before, now, self.start);
            if fresh {
                oldest = Some(oldest.map_or(now, |oldest| oldest.min(now)));
            } else {
                stale.push(input.path.display().to_string());
            }
            fresh
        });
        (found, stale, oldest)
    }
}

fn find(session: &Session<'_>, task: &Task) -> Found {
    let (patterns, from) = &task.junit;
    ingest::find(session, patterns, from)
}

/// What there is to decide by.
pub(super) struct Looked {
    pub(super) rules: Trusted,
    pub(super) judged: Judged,
    /// Reports that were read.
    pub(super) files: u64,
    pub(super) stale: Vec<String>,
    /// When the first of the command's own reports was written.
    pub(super) oldest: Option<Timestamp>,
    pub(super) obstacles: Vec<Obstacle>,
    pub(super) notes: Vec<String>,
}

pub(super) fn look(
    session: &mut Session<'_>,
    args: &ExecArgs,
    task: &Task,
    watch: &Watch,
    ending: Ending,
) -> Looked {
    let mut obstacles = Vec::new();
    let rules = rules_of(session, args, &mut obstacles);
    let never = rules::never(&rules.never).map_err(|error| {
        obstacles.push(Obstacle::BadRules(format!("{:#}", error.error)));
    });
    let runner = args.runner.as_deref().map(named_runner).transpose();
    let runner = runner.unwrap_or_else(|error| {
        obstacles.push(Obstacle::NotRead(format!("{:#}", error.error)));
        None
    });
    let (found, stale, oldest) = watch.written(session, task);
    let mut notes = Vec::new();
    let read = read_found(session, found).unwrap_or_else(|error| {
        obstacles.push(Obstacle::NotRead(format!("{:#}", error.error)));
        ReadReports::default()
    });
    let mut troubles: Vec<Trouble> = read.broken.into_iter().map(Trouble::NotWhole).collect();
    troubles.extend(read.suites.into_iter().map(Trouble::Suite));
    for failure in read.failures {
        let words = format!("{:#}", failure.error);
        // A named report that the command did not write is one that is not there.
        if failure.kind != ErrorKind::NotFound {
            notes.push(words.clone());
        }
        troubles.push(Trouble::NotWhole(words));
    }
    let older = |path: &String| Trouble::NotWhole(format!("`{path}` is from before this run"));
    troubles.extend(stale.iter().map(older));
    troubles.extend((read.files == 0).then_some(Trouble::NoReport));
    let status = match ending {
        Ending::Exited(status) => Some(status),
        Ending::Killed(_) | Ending::TimedOut => None,
    };
    let law = Law {
        quarantine: &rules.quarantine,
        today: session.now().to_zoned(TimeZone::UTC).date(),
        is_enforced: rules.enforced,
        never: &|suite, test, file| {
            let never = never.as_ref().ok()?;
            rules::never_by(never, suite, test, file)
        },
        failed: runner.map(Runner::failed),
    };
    let judged = judge(&read.results, troubles, status, &law);
    Looked {
        judged,
        files: read.files,
        stale,
        oldest,
        obstacles,
        notes,
        rules,
    }
}

/// Returns the rules that were handed on; those of nobody where none were, or where they cannot be used.
fn rules_of(session: &Session<'_>, args: &ExecArgs, obstacles: &mut Vec<Obstacle>) -> Trusted {
    let given = args.trusted.clone().filter(|text| !text.trim().is_empty());
    let Some(given) = given.or_else(|| session.var(rules::VARIABLE)) else {
        obstacles.push(Obstacle::NoRules);
        return Trusted::nobodys();
    };
    rules::handed_on(session, &given).unwrap_or_else(|error| {
        obstacles.push(Obstacle::BadRules(format!("{:#}", error.error)));
        Trusted::nobodys()
    })
}

/// Stores the reports that the command wrote.
pub(super) fn store(
    session: &mut Session<'_>,
    task: &Task,
    watch: &Watch,
) -> Result<Stored, CommandError> {
    let (mut found, ..) = watch.written(session, task);
    // Whatever cannot be found was said already.
    found.failures.clear();
    if found.inputs.is_empty() {
        return Ok(Stored::default());
    }
    let (stored, failures) = ingest::store(session, &task.filing, found)?;
    match failures.into_iter().next() {
        Some(failure) if stored.runs == 0 => Err(failure),
        _ => Ok(stored),
    }
}
