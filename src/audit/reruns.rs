//! Runs that failed and then passed on the same commit, with no change in between: tried again, or started anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Runs;
use crate::delivery::kpi::pipelines::EVENTS;
use crate::delivery::quantiles::estimate;
use crate::forge::api::runs::{Job, Run};
use crate::stats::rounded;

/// What came of trying again.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Reruns {
    /// Runs for which somebody waited: those of pushes, pull requests and merge queues.
    pub(crate) runs: usize,
    /// Those that were tried again, once or more.
    pub(crate) tried_again: usize,
    /// Those of them that passed in the end.
    pub(crate) passed: usize,
    /// Those of them whose earlier attempts were looked at.
    pub(crate) looked_at: usize,
    /// Those of them that had failed before, on the same commit.
    pub(crate) failed_before: usize,
    /// Runs that failed, where a later run of the same workflow on the same commit passed.
    pub(crate) started_anew: usize,
    /// Minutes from the first failure to the pass, over all of them.
    pub(crate) minutes: f64,
    /// The same, of the one in the middle.
    pub(crate) median_minutes: Option<f64>,
    /// Workflows, those that cost most first.
    pub(crate) workflows: Vec<Workflow>,
}

/// A workflow's part of it.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Workflow {
    pub(crate) name: String,
    pub(crate) runs: usize,
    pub(crate) passed_on_same_commit: usize,
    pub(crate) minutes: f64,
}

impl Reruns {
    /// Returns the runs that failed and passed on the same commit.
    pub(crate) fn all(&self) -> usize {
        self.failed_before + self.started_anew
    }
}

/// Whether a run of this event is waited for.
pub(crate) fn is_waited_for(run: &Run) -> bool {
    EVENTS.contains(&run.event.as_str())
}

pub(crate) fn is_red(conclusion: Option<&str>) -> bool {
    matches!(conclusion, Some("failure" | "timed_out"))
}

/// Whether a run's earlier attempts say something.
pub(crate) fn is_worth_a_look(run: &Run) -> bool {
    is_waited_for(run) && run.attempt > 1 && run.conclusion.as_deref() == Some("success")
}

pub(crate) fn minutes(from: Timestamp, to: Timestamp) -> f64 {
    (crate::delivery::ask::seconds(from, to) / 60.0).max(0.0)
}

/// Returns what a workflow is known by: its name, else its file.
pub(crate) fn workflow(run: &Run) -> &str {
    let name = run.name.as_deref().filter(|name| !name.is_empty());
    name.unwrap_or(&run.path)
}

pub(crate) fn reruns(runs: &Runs) -> Reruns {
    let mut found = Reruns::default();
    let mut workflows: BTreeMap<&str, Workflow> = BTreeMap::new();
    let mut waits = Vec::new();
    let mut same: BTreeMap<_, Vec<&Run>> = BTreeMap::new();
    for run in runs.list.iter().filter(|run| is_waited_for(run)) {
        found.runs += 1;
        workflows.entry(workflow(run)).or_default().runs += 1;
        let branch = run.head_branch.as_deref().unwrap_or_default();
        let key = (run.workflow_id, &run.event, &run.head_sha, branch);
        same.entry(key).or_default().push(run);
        found.tried_again += usize::from(run.attempt > 1);
        if !is_worth_a_look(run) {
            continue;
        }
        found.passed += 1;
        let Some(jobs) = runs.jobs.get(&run.id) else {
            continue;
        };
        found.looked_at += 1;
        if let Some(failed) = first_failure(jobs, run.attempt) {
            found.failed_before += 1;
            waits.push((workflow(run), minutes(failed, run.updated_at)));
        }
    }
    for mut twins in same.into_values() {
        crate::order::sort_by_key(&mut twins, |run| (run.created_at, run.id));
        let red = twins
            .iter()
            .position(|run| is_red(run.conclusion.as_deref()));
        let Some(red) = red else { continue };
        let green = twins[red..]
            .iter()
            .find(|run| run.conclusion.as_deref() == Some("success"));
        if let Some(green) = green {
            found.started_anew += 1;
            let wait = minutes(twins[red].updated_at, green.updated_at);
            waits.push((workflow(green), wait));
        }
    }
    for (name, wait) in &waits {
        let row = workflows.entry(name).or_default();
        row.passed_on_same_commit += 1;
        row.minutes += wait;
    }
    let waits: Vec<f64> = waits.into_iter().map(|(_, wait)| wait).collect();
    found.minutes = rounded(waits.iter().sum());
    found.median_minutes = estimate(waits, 0.5, 1).map(|found| rounded(found.value));
    let rows = workflows.into_iter();
    found.workflows = rows
        .filter(|(_, row)| row.passed_on_same_commit > 0)
        .map(|(name, row)| Workflow {
            name: name.to_owned(),
            minutes: rounded(row.minutes),
            ..row
        })
        .collect();
    crate::order::sort_by(&mut found.workflows, |a, b| {
        let by_minutes = b.minutes.total_cmp(&a.minutes);
        by_minutes.then_with(|| a.name.cmp(&b.name))
    });
    found
}

/// Returns when the first job failed that a later attempt than its own followed.
fn first_failure(jobs: &[Job], last: u32) -> Option<Timestamp> {
    let failed = jobs.iter().filter(|job| {
        is_red(job.conclusion.as_deref()) && job.run_attempt.is_some_and(|of| of < last)
    });
    failed.filter_map(|job| job.completed_at).min()
}
