//! Which runs of tests flaky tests spoilt: runs in which a test failed that passed on the same commit, in the same job and leg.
//!
//! That is what happened, whatever is thought of the test: a verdict of today would change what was said of last month. Attempts of one run are one
//! run. A failure in an outage says nothing of a test, a pass in one does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::detect::outages;
use super::history::History;

/// The tests of a job and leg in a run of CI, all attempts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestedRun {
    /// As people know it: run, job and leg.
    pub(crate) id: String,
    /// When the first attempt was stored.
    pub(crate) at: Timestamp,
    /// Whether a test failed in it that passed on the same commit.
    pub(crate) is_flaky: bool,
    pub(crate) is_outage: bool,
}

/// What a test did on a commit, in a job and leg.
#[derive(Default)]
struct Seen {
    /// Places in which it failed.
    failed: Vec<u32>,
    has_passed: bool,
}

impl History {
    /// Returns every run of tests that is still there, oldest first.
    pub(crate) fn tested_runs(&self) -> Vec<TestedRun> {
        let outages = outages(self);
        let mut flaky: BTreeSet<u32> = BTreeSet::new();
        for test in self.deviating() {
            let mut seen: BTreeMap<(u32, u32), Seen> = BTreeMap::new();
            for one in self.observations(test) {
                let key = (one.environment, one.commit);
                let on_commit = seen.entry(key).or_default();
                // Twins, and reports of the same attempt, excuse nothing of one another; a retry does.
                on_commit.has_passed |= one.failures == 0 || one.retried > 0;
                if one.failures > 0 && !outages.contains_key(&one.run) {
                    on_commit.failed.push(one.place);
                }
            }
            let mixed = seen.into_values().filter(|seen| seen.has_passed);
            flaky.extend(mixed.flat_map(|seen| seen.failed));
        }
        let mut places: BTreeMap<u32, TestedRun> = BTreeMap::new();
        for (number, run) in (0_u32..).zip(&self.runs) {
            let place = self.place_of(number as usize);
            let found = places.entry(place).or_insert_with(|| {
                let origin = &run.origin;
                let parts = [origin.run.as_str(), &origin.job, &run.leg];
                let parts = parts.into_iter().filter(|part| !part.is_empty());
                TestedRun {
                    id: parts.collect::<Vec<_>>().join(" "),
                    at: run.at,
                    is_flaky: flaky.contains(&place),
                    is_outage: false,
                }
            });
            found.at = found.at.min(run.at);
            found.is_outage |= outages.contains_key(&number);
        }
        let mut runs: Vec<TestedRun> = places.into_values().collect();
        crate::order::sort_by(&mut runs, |one, other| {
            (one.at, &one.id).cmp(&(other.at, &other.id))
        });
        runs
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::event::Origin;
    use crate::flakes::history::{HistoryBuilder, Run};
    use crate::flakes::stated::Stated;
    use crate::junit::Counts;
    use crate::sha::Sha;

    /// A run: its name, attempt, job, commit, and what each of two tests did.
    type Made<'a> = (&'a str, u32, &'a str, &'a str, [&'a str; 2]);

    fn folded(runs: &[Made<'_>]) -> Vec<TestedRun> {
        let mut builder = HistoryBuilder::default();
        let list = Sha([7; 32]);
        let names = ["a", "b"].into_iter();
        builder.suite(list, "s", names, &BTreeMap::new());
        for (at, (run, attempt, job, commit, did)) in (1_u8..).zip(runs) {
            let differs = (0_u32..).zip(did).filter(|(_, did)| **did != "p");
            let differs = differs
                .map(|(place, did)| (place, builder.sequences().number(did)))
                .collect();
            let id = Sha([at; 32]);
            builder.run(Run {
                id,
                at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(i64::from(at)),
                origin: Origin {
                    run: (*run).to_owned(),
                    attempt: *attempt,
                    job: (*job).to_owned(),
                    commit: (*commit).to_owned(),
                    branch: "main".to_owned(),
                },
                leg: String::new(),
                files: vec![id],
                list,
                differs,
                absent: Vec::new(),
                stated: Stated::default(),
                counts: Counts::default(),
            });
        }
        builder.finish().tested_runs()
    }

    fn flaky(runs: &[Made<'_>]) -> Vec<String> {
        let runs = folded(runs).into_iter();
        let flaky = runs.filter(|run| run.is_flaky);
        flaky.map(|run| run.id).collect()
    }

    #[test]
    fn a_run_is_spoilt_by_a_retry_another_attempt_or_another_run_of_the_commit() {
        assert_eq!(flaky(&[("1", 1, "t", "c", ["fp", "p"])]), ["1 t"]);
        let attempts = [
            ("1", 1, "t", "c", ["f", "p"]),
            ("1", 2, "t", "c", ["p", "p"]),
        ];
        assert_eq!(flaky(&attempts), ["1 t"]);
        assert_eq!(folded(&attempts).len(), 1);
        let runs = [
            ("1", 1, "t", "c", ["p", "p"]),
            ("2", 1, "t", "c", ["f", "p"]),
        ];
        assert_eq!(flaky(&runs), ["2 t"]);
    }

    #[test]
    fn what_fails_for_good_in_another_job_or_on_another_commit_is_no_flake() {
        let none: [&str; 0] = [];
        assert_eq!(flaky(&[("1", 1, "t", "c", ["ff", "p"])]), none);
        for (job, commit) in [("other", "c"), ("t", "d")] {
            let runs = [
                ("1", 1, "t", "c", ["f", "p"]),
                ("2", 1, job, commit, ["p", "p"]),
            ];
            assert_eq!(flaky(&runs), none, "{job} {commit}");
        }
        // A twin that passes excuses nothing.
        assert_eq!(flaky(&[("1", 1, "t", "c", ["f+p", "p"])]), none);
        // Without a commit only the same run tells.
        let nowhere = [("1", 1, "t", "", ["f", "p"]), ("2", 1, "t", "", ["p", "p"])];
        assert_eq!(flaky(&nowhere), none);
    }

    #[test]
    fn the_order_of_runs_changes_nothing() {
        let runs = [
            ("1", 1, "t", "c", ["f", "p"]),
            ("1", 2, "t", "c", ["p", "f"]),
            ("3", 1, "t", "c", ["p", "p"]),
        ];
        assert_eq!(flaky(&runs), ["1 t"]);
        let mut other = runs;
        other.reverse();
        assert_eq!(flaky(&other), ["1 t"]);
    }
}
