//! The minutes of runners that plans would have skipped, and what they would have missed.
//!
//! A workflow's job that is called after a job of the configuration is that job. Of another one that tests, the share of the configuration's jobs that
//! the plan skips is taken: an estimate, and said to be one. What does something else than test is never counted as skipped.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Change, Facts, Runs};
use super::links::Links;
use super::names::{is_test, job_of};
use super::reruns::{is_red, minutes, workflow};
use super::sample::{Total, steps, total};
use crate::delivery::quantiles::{estimate, float};
use crate::forge::api::runs::{Job, Run};
use crate::stats::rounded;

/// Minutes of runners.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Savings {
    /// Of every run that ended.
    pub(crate) spent: Total,
    /// What plans would have skipped of them.
    pub(crate) skipped: Total,
    /// The part of the skipped minutes, among the runs that were looked at, that is of jobs called after one of the configuration; the rest is estimated
    /// by the share of jobs that the plan skips.
    pub(crate) by_name: f64,
    /// Runs that were about a change that was planned.
    pub(crate) linked: usize,
    /// How far apart the runs of the sample lie, at least and at most.
    pub(crate) every: Option<(usize, usize)>,
    /// Seconds that a job waited for its runner: the one in the middle, and the 95th percentile.
    pub(crate) queue: Option<(f64, f64)>,
}

/// What plans would have missed.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Escapes {
    /// How many failures plans would have missed; none where no job is called as one of the configuration is, so that nobody can know.
    pub(crate) known: Option<usize>,
    /// Runs of jobs that plans would have skipped, and whose end is known.
    pub(crate) looked_at: usize,
    pub(crate) list: Vec<Escape>,
    /// Failures in runs of changes for which plans would have skipped something, by jobs that nobody can tell for one of the configuration.
    pub(crate) unknown: Vec<Escape>,
}

/// A job that failed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Escape {
    pub(crate) commit: String,
    pub(crate) number: Option<u64>,
    pub(crate) workflow: String,
    pub(crate) job: String,
    pub(crate) url: String,
    /// Whether it passed later on the same commit: then it says little about the change.
    pub(crate) passed_later: bool,
    /// Whether the plan would have skipped every job.
    pub(crate) all_skipped: bool,
}

/// Returns how long a job had a runner, in minutes.
fn took(job: &Job) -> f64 {
    match (job.started_at, job.completed_at) {
        _ if job.conclusion.as_deref() == Some("skipped") => 0.0,
        (Some(from), Some(to)) => minutes(from, to),
        _ => 0.0,
    }
}

fn has_ended(job: &Job) -> bool {
    is_red(job.conclusion.as_deref()) || job.conclusion.as_deref() == Some("success")
}

/// Returns the part of a job that the plan of a change would have skipped, and whether a name tells.
fn part(job: &Job, run: &Run, change: &Change, jobs: &[String]) -> (f64, bool) {
    if let Some(own) = job_of(&job.name, jobs) {
        let is_skipped = change.skipped.iter().any(|skipped| skipped == own);
        return (f64::from(u8::from(is_skipped)), true);
    }
    let all = change.skipped.len() + change.selected.len();
    if all == 0 || !is_test(workflow(run), &run.path, &job.name) {
        return (0.0, false);
    }
    (float(change.skipped.len()) / float(all), false)
}

/// Adds minutes up; nothing where no run's jobs are known.
pub(crate) fn savings(facts: &Facts<'_>, runs: &Runs, links: &Links<'_>) -> Option<Savings> {
    let (mut spent, mut skipped) = (Vec::new(), Vec::new());
    let (mut named, mut waits) = (0.0, Vec::new());
    for place in &runs.sample {
        let run = &runs.list[*place];
        let Some(jobs) = runs.jobs.get(&run.id) else {
            continue;
        };
        spent.push(jobs.iter().map(took).sum());
        let change = links.of(run).map(|place| &facts.changes[place]);
        let mut sum = 0.0;
        for job in jobs {
            let (share, is_named) = change.map_or((0.0, false), |change| {
                part(job, run, change, &facts.jobs.names)
            });
            sum += share * took(job);
            named += if is_named { share * took(job) } else { 0.0 };
            if let (Some(from), Some(to)) = (job.created_at, job.started_at) {
                waits.push(minutes(from, to) * 60.0);
            }
        }
        skipped.push(sum);
    }
    let seen: f64 = skipped.iter().sum();
    let of = runs.list.len();
    let linked = runs.list.iter().filter(|run| links.of(run).is_some());
    Some(Savings {
        spent: total(&spent, of)?,
        skipped: total(&skipped, of)?,
        by_name: if seen > 0.0 {
            rounded(named / seen)
        } else {
            0.0
        },
        linked: linked.count(),
        every: steps(&runs.sample).filter(|_| spent.len() < of),
        queue: queue(&waits),
    })
}

fn queue(waits: &[f64]) -> Option<(f64, f64)> {
    let of = |share| estimate(waits.to_vec(), share, 20).map(|found| rounded(found.value));
    Some((of(0.5)?, of(0.95)?))
}

/// Looks for failures that plans would have missed, in every run whose jobs are known.
pub(crate) fn escapes(facts: &Facts<'_>, runs: &Runs, links: &Links<'_>) -> Escapes {
    let mut found = Escapes::default();
    let mut has_named = false;
    for run in &runs.list {
        let Some(jobs) = runs.jobs.get(&run.id) else {
            continue;
        };
        let names = jobs
            .iter()
            .filter(|job| job_of(&job.name, &facts.jobs.names).is_some());
        has_named |= names.count() > 0;
        let Some(place) = links.of(run) else { continue };
        let change = &facts.changes[place];
        for job in jobs.iter().filter(|job| has_ended(job)) {
            let (share, is_named) = part(job, run, change, &facts.jobs.names);
            if share <= 0.0 {
                continue;
            }
            found.looked_at += usize::from(is_named);
            if !is_red(job.conclusion.as_deref()) {
                continue;
            }
            let escape = Escape {
                commit: change.commit.clone(),
                number: change.number,
                workflow: workflow(run).to_owned(),
                job: job.name.clone(),
                url: run.html_url.clone(),
                passed_later: jobs.iter().any(|later| is_later_pass(job, later)),
                all_skipped: change.selected.is_empty(),
            };
            if is_named {
                found.list.push(escape);
            } else {
                found.unknown.push(escape);
            }
        }
    }
    found.known = has_named.then_some(found.list.len());
    found
}

fn is_later_pass(job: &Job, later: &Job) -> bool {
    later.name == job.name
        && later.conclusion.as_deref() == Some("success")
        && later.run_attempt > job.run_attempt
}

/// Whether a run failed that is about a change for which plans would have skipped something: its jobs say what they would have missed.
pub(crate) fn may_be_missed(run: &Run, changes: &[Change], links: &Links<'_>) -> bool {
    let failed = is_red(run.conclusion.as_deref()) || run.attempt > 1;
    let change = links.of(run).and_then(|place| changes.get(place));
    failed && change.is_some_and(|change| !change.skipped.is_empty())
}
