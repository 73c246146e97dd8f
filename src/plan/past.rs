//! What earlier runs say about the next one: how likely a job fails, and which commits passed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::order;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many runs of a job are looked at, the newest ones.
const RUNS: usize = 100;

/// Of each branch so many commits that passed are known.
const GREENS: usize = 20;

/// How one leg of a job ended in one attempt of a run, by a test report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) at: Timestamp,
    pub(crate) run: String,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    pub(crate) leg: String,
    pub(crate) failed: bool,
}

/// A plan of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Earlier {
    pub(crate) at: Timestamp,
    pub(crate) run: String,
    pub(crate) event: String,
    pub(crate) branch: String,
    /// The planned commit.
    pub(crate) head: String,
    /// For each job that ran, its legs.
    pub(crate) legs: BTreeMap<String, u64>,
}

/// What is known of the past.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// For each job, how likely its next run fails: the posterior mean under Jeffreys' prior, over its last hundred runs.
    pub(crate) likelihood: BTreeMap<String, f64>,
    /// For each branch, commits that passed, the newest first.
    pub(crate) greens: BTreeMap<String, Vec<String>>,
}

impl Past {
    /// Learns from earlier runs and plans, in any order.
    pub(crate) fn new(ran: &[Ran], plans: &[Earlier]) -> Self {
        Self {
            likelihood: likelihood(ran),
            greens: greens(ran, plans),
        }
    }

    /// Returns the newest commit of a branch that passed and is not this one.
    pub(crate) fn last_green(&self, branch: &str, head: &str) -> Option<&str> {
        let mut commits = self.greens.get(branch)?.iter();
        commits.find(|commit| *commit != head).map(String::as_str)
    }
}

/// By run and attempt: when it ended, and whether it failed.
type Runs<'a> = BTreeMap<(&'a str, u32), (Timestamp, bool)>;

fn likelihood(ran: &[Ran]) -> BTreeMap<String, f64> {
    // Legs of one attempt are one run of the job.
    let mut runs: BTreeMap<&str, Runs<'_>> = BTreeMap::new();
    for one in ran {
        let of_job = runs.entry(&one.job).or_default();
        let run = of_job
            .entry((&one.run, one.attempt))
            .or_insert((one.at, false));
        *run = (run.0.max(one.at), run.1 || one.failed);
    }
    let likelihood = |of_job: Runs<'_>| {
        let mut newest: Vec<_> = of_job
            .into_iter()
            .map(|(key, (at, failed))| (at, key, failed))
            .collect();
        order::sort_by(&mut newest, |a, b| b.cmp(a));
        newest.truncate(RUNS);
        let failed = newest.iter().filter(|(.., failed)| *failed).count();
        #[expect(clippy::cast_precision_loss, reason = "a hundred at most")]
        let mean = (failed as f64 + 0.5) / (newest.len() as f64 + 1.0);
        (mean * 1000.0).round() / 1000.0
    };
    let runs = runs.into_iter();
    order::map(runs.map(|(job, of_job)| (job.to_owned(), likelihood(of_job))))
}

/// A commit that was pushed has passed when every leg of every job that its plan ran left a report, and none of the newest
/// attempt failed. A job without reports is not known to have passed.
fn greens(ran: &[Ran], plans: &[Earlier]) -> BTreeMap<String, Vec<String>> {
    let mut reports: HashMap<(&str, &str, &str), (u32, bool)> = HashMap::new();
    for one in ran {
        let place = (one.run.as_str(), one.job.as_str(), one.leg.as_str());
        let report = reports.entry(place).or_insert((one.attempt, false));
        if one.attempt > report.0 {
            *report = (one.attempt, one.failed);
        } else if one.attempt == report.0 {
            report.1 |= one.failed;
        }
    }
    let mut legs: HashMap<(&str, &str), (u64, bool)> = HashMap::new();
    let mut places: Vec<_> = reports.into_iter().collect();
    order::sort(&mut places);
    for ((run, job, _), (_, failed)) in places {
        let all = legs.entry((run, job)).or_default();
        *all = (all.0 + 1, all.1 || failed);
    }
    let passed = |plan: &&Earlier| {
        !plan.legs.is_empty()
            && plan.legs.iter().all(|(job, wanted)| {
                let found = legs.get(&(plan.run.as_str(), job.as_str()));
                found.is_some_and(|(count, failed)| count >= wanted && !failed)
            })
    };
    let pushed = plans.iter().filter(|plan| plan.event == "push");
    let mut newest: Vec<&Earlier> = pushed.filter(passed).collect();
    order::sort_by(&mut newest, |a, b| (b.at, &b.run).cmp(&(a.at, &a.run)));
    let mut greens: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for plan in newest {
        let of_branch = greens.entry(plan.branch.clone()).or_default();
        if of_branch.len() < GREENS && seen.insert((&plan.branch, &plan.head)) {
            of_branch.push(plan.head.clone());
        }
    }
    greens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(run: &str, attempt: u32, job: &str, leg: &str, failed: bool) -> Ran {
        Ran {
            at: format!("2026-01-0{run}T00:00:00Z").parse().unwrap(),
            run: run.into(),
            attempt,
            job: job.into(),
            leg: leg.into(),
            failed,
        }
    }

    fn plan(run: &str, event: &str, head: &str, legs: &[(&str, u64)]) -> Earlier {
        Earlier {
            at: format!("2026-01-0{run}T00:00:00Z").parse().unwrap(),
            run: run.into(),
            event: event.into(),
            branch: "main".into(),
            head: head.into(),
            legs: legs
                .iter()
                .map(|(job, legs)| ((*job).to_owned(), *legs))
                .collect(),
        }
    }

    #[test]
    fn a_job_that_failed_often_is_likely_to_fail() {
        let runs = [
            ran("1", 1, "test", "a", false),
            ran("1", 1, "test", "b", true),
            ran("2", 1, "test", "a", false),
            ran("1", 1, "lint", "", false),
        ];
        let past = Past::new(&runs, &[]);
        assert_eq!(
            past.likelihood,
            BTreeMap::from([("lint".into(), 0.25), ("test".into(), 0.5)])
        );
    }

    #[test]
    fn a_commit_passed_when_every_leg_of_every_job_reported_and_none_failed() {
        let runs = [
            ran("1", 1, "test", "a", true),
            ran("1", 2, "test", "a", false),
            ran("1", 1, "test", "b", false),
            ran("2", 1, "test", "a", false),
            ran("3", 1, "test", "a", false),
            ran("3", 1, "test", "b", true),
            ran("4", 1, "test", "a", false),
        ];
        let both = [("test", 2)];
        let green = |plans: &[Earlier]| {
            let past = Past::new(&runs, plans);
            past.last_green("main", "here").map(str::to_owned)
        };
        // The second attempt passed.
        assert_eq!(green(&[plan("1", "push", "c1", &both)]), Some("c1".into()));
        // A leg left no report; a leg failed; a job has none; a pull request; nothing ran; the commit itself.
        assert_eq!(green(&[plan("2", "push", "c2", &both)]), None);
        assert_eq!(green(&[plan("3", "push", "c3", &both)]), None);
        assert_eq!(
            green(&[plan("4", "push", "c4", &[("test", 1), ("lint", 1)])]),
            None
        );
        assert_eq!(
            green(&[plan("4", "pull_request", "c4", &[("test", 1)])]),
            None
        );
        assert_eq!(green(&[plan("4", "push", "c4", &[])]), None);
        assert_eq!(green(&[plan("4", "push", "here", &[("test", 1)])]), None);
        let newest = [
            plan("1", "push", "c1", &both),
            plan("4", "push", "c4", &[("test", 1)]),
        ];
        assert_eq!(green(&newest), Some("c4".into()));
    }
}
