//! Test runs: whether they failed and then passed, and what running them again took.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::flakes::history::{History, Run};
use crate::flakes::timing::Timing;
use crate::telemetry::gather::{Happened, TestRun};
use crate::telemetry::instruments as of;

/// How long the tests of each job take, in seconds: the median over its days, legs added up.
#[derive(Debug, Default)]
pub(crate) struct JobTimes(BTreeMap<String, BTreeMap<String, Vec<f64>>>);

impl JobTimes {
    pub(crate) fn add(&mut self, timing: &Timing) {
        let legs = self.0.entry(timing.job.clone()).or_default();
        let heavy = timing.sample.heavy.iter();
        let heavy: u64 = heavy.map(|(_, ms)| u64::from(*ms)).sum();
        let ms = heavy.saturating_add(timing.sample.rest_ms);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        legs.entry(timing.leg.clone())
            .or_default()
            .push(ms as f64 / 1000.0);
    }

    /// Returns what a job takes; nothing where nobody timed its tests.
    pub(crate) fn of(&self, job: &str, quantile: fn(&[f64], f64) -> Option<f64>) -> Option<f64> {
        let legs = self.0.get(job)?.values();
        Some(legs.filter_map(|days| middle(days, quantile)).sum())
    }

    fn leg(&self, job: &str, leg: &str, quantile: fn(&[f64], f64) -> Option<f64>) -> Option<f64> {
        middle(self.0.get(job)?.get(leg)?, quantile)
    }
}

fn middle(days: &[f64], quantile: fn(&[f64], f64) -> Option<f64>) -> Option<f64> {
    let mut days = days.to_vec();
    crate::order::sort_numbers(&mut days);
    quantile(&days, 0.5)
}

/// Returns all runs of tests, and how long those took that were run again for nothing.
pub(crate) fn runs(
    history: &History,
    times: &JobTimes,
    quantile: fn(&[f64], f64) -> Option<f64>,
) -> (Vec<TestRun>, Vec<Happened>) {
    let mut places: BTreeMap<[&str; 4], Vec<&Run>> = BTreeMap::new();
    for run in &history.runs {
        let origin = &run.origin;
        let place = [
            origin.run.as_str(),
            origin.job.as_str(),
            run.leg.as_str(),
            origin.commit.as_str(),
        ];
        places.entry(place).or_default().push(run);
    }
    let mut again = Vec::new();
    for ([_, job, leg, _], mut runs) in places {
        crate::order::sort_by_key(&mut runs, |run| (run.origin.attempt, run.at));
        let attempts: HashSet<u32> = runs.iter().map(|run| run.origin.attempt).collect();
        let failed = runs.iter().position(|run| has_failed(run));
        let passed = runs.iter().rposition(|run| !has_failed(run));
        let came_round = match (failed, passed) {
            // Reports of one attempt are parts of it.
            (Some(failed), Some(passed)) => {
                runs[failed].origin.attempt < runs[passed].origin.attempt
            }
            _ => false,
        };
        if came_round {
            let seconds = times.leg(job, leg, quantile);
            let last = runs.iter().map(|run| run.at).max();
            if let (Some(seconds), Some(at)) = (seconds, last) {
                for _ in 1..attempts.len() {
                    again.push(happened(at, seconds));
                }
            }
        }
    }
    // The same runs as `dora kpi` counts: an outage says nothing about single tests.
    let tested = history.tested_runs().into_iter();
    let tested = tested.filter(|run| !run.is_outage).map(|run| TestRun {
        at: run.at,
        is_flaky: run.is_flaky,
    });
    (tested.collect(), again)
}

fn happened(at: Timestamp, seconds: f64) -> Happened {
    Happened {
        of: &of::FLAKE_TIME,
        labels: Vec::new(),
        at,
        seconds: Some(seconds),
    }
}

fn has_failed(run: &Run) -> bool {
    run.counts.failed > 0 || run.counts.errored > 0
}
