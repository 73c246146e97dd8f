//! In which runs of CI a test failed, for telling what fails together and what is new.

use std::collections::HashMap;

use jiff::Timestamp;

use super::clusters::MOST_RUNS;
use super::history::History;

/// The last runs of CI, by number: the jobs of one attempt of one run share theirs.
#[derive(Debug)]
pub(crate) struct CiRuns {
    /// For each stored run, the number; none for one that is too old, and for an outage.
    numbers: Vec<Option<u32>>,
    /// How many there are.
    pub(crate) count: u32,
}

/// Where a test failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    /// Numbers of runs of CI, sorted.
    pub(crate) runs: Vec<u32>,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

impl History {
    /// Numbers the runs of CI; those that are outages have none.
    pub(crate) fn ci_runs(&self, is_outage: &dyn Fn(u32) -> bool) -> CiRuns {
        let mut known: HashMap<(&str, u32), u32> = HashMap::new();
        let numbers: Vec<u32> = self
            .runs
            .iter()
            .map(|run| {
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                let key = (run.origin.run.as_str(), run.origin.attempt);
                *known.entry(key).or_insert(next)
            })
            .collect();
        let all = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let first = all.saturating_sub(MOST_RUNS);
        let numbers = (0_u32..).zip(numbers).map(|(run, number)| {
            let number = number.checked_sub(first)?;
            (!is_outage(run)).then_some(number)
        });
        CiRuns {
            numbers: numbers.collect(),
            count: all - first,
        }
    }

    /// Returns the tests that failed in a run and did not pass later in it, by number; `run` is its place among the runs.
    pub(crate) fn failing(&self, run: u32) -> Vec<u32> {
        let all = 0..u32::try_from(self.len()).unwrap_or(u32::MAX);
        let failed = |test: &u32| self.weight(run, *test).is_some_and(|weight| weight.failed);
        all.filter(|test| self.tally(*test).failures > 0)
            .filter(failed)
            .collect()
    }

    /// Returns where a test failed, under all of its names.
    pub(crate) fn failures(&self, test: u32, runs: &CiRuns) -> Failures {
        let mut failures = Failures::default();
        let mut failed = self.failed_runs(test);
        failed.sort_unstable();
        for (run, _) in failed {
            let at = self.runs[run as usize].at;
            failures.first.get_or_insert(at);
            failures.last = Some(at);
            failures.runs.extend(runs.numbers[run as usize]);
        }
        failures.runs.sort_unstable();
        failures.runs.dedup();
        failures
    }

    /// Returns how often a test passed since it last failed.
    pub(crate) fn quiet(&self, test: u32) -> u64 {
        if self.tally(test).failures == 0 {
            return self.tally(test).runs;
        }
        let observations = self.observations(test);
        let clean = observations
            .iter()
            .rev()
            .take_while(|seen| seen.failures == 0);
        clean.map(|seen| seen.executions).sum()
    }
}
