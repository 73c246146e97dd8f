//! Sums over runs: each list is laid out once, however many runs are of it, and what a run says for itself is added to that.

use std::collections::{BTreeMap, HashMap};

use super::detect::model::Step;
use super::history::{Run, Tally, executions};
use super::results::{Interner, twins};
use super::stated::{of_sequence, subtract};
use super::stored_lists::{LaidOut, Lists, Place};
use crate::junit::{Counts, Outcome};
use crate::sha::Sha;

/// What one sequence adds to the sums, and what it says about its test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    counts: Counts,
    pub(super) executions: u64,
    pub(super) failures: u64,
    /// Whether an execution failed and did not pass on retry.
    pub(super) failed: bool,
    /// Executions that failed and then passed.
    pub(super) retried: u64,
    /// First attempts, and those after a failure.
    pub(super) step: Step,
}

impl Weight {
    /// Whether it was executed and failed each time.
    pub(super) fn only_failed(&self) -> bool {
        self.executions > 0 && self.failures == self.executions
    }

    fn of(sequence: &str) -> Self {
        let (executions, failures) = executions(sequence);
        let (mut failed, mut retried) = (false, 0);
        let mut step = Step::default();
        for (twin, count) in twins(sequence) {
            step.count(&twin, u32::try_from(count).unwrap_or(u32::MAX));
            let last_pass = twin.iter().rposition(|outcome| *outcome == Outcome::Passed);
            let first_failure = twin.iter().position(|outcome| outcome.is_failing());
            match (first_failure, last_pass) {
                (Some(failure), Some(pass)) if failure < pass => retried += count,
                (Some(_), _) => failed = true,
                (None, _) => {}
            }
        }
        Self {
            counts: of_sequence(sequence),
            executions,
            failures,
            failed,
            retried,
            step,
        }
    }
}

/// What each sequence adds to the sums, by its number.
#[derive(Debug)]
pub(super) struct Weights {
    each: Vec<Weight>,
    /// The number of `p`, which is what is expected where nothing else is said.
    pub(super) passed: u32,
    /// The number of `s`: it did not run.
    pub(super) skipped: u32,
}

/// For each test, the runs, by number and oldest first, in which it went other than expected.
pub(super) type Deviations = BTreeMap<u32, Vec<(u32, u32)>>;

impl Weights {
    pub(super) fn of(sequences: &mut Interner) -> Self {
        let passed = sequences.number("p");
        let skipped = sequences.number("s");
        let numbers = 0..u32::try_from(sequences.len()).unwrap_or(u32::MAX);
        let weight = |number| Weight::of(sequences.text(number));
        Self {
            each: numbers.map(weight).collect(),
            passed,
            skipped,
        }
    }

    fn expected(&self, place: &Place) -> &Weight {
        self.at(place.expected.unwrap_or(self.passed))
    }

    pub(super) fn at(&self, sequence: u32) -> &Weight {
        &self.each[sequence as usize]
    }
}

/// Sums over runs.
pub(super) struct Counting<'h> {
    lists: &'h Lists,
    weights: &'h Weights,
    laid: LaidOut,
}

impl<'h> Counting<'h> {
    pub(super) fn new(lists: &'h Lists, weights: &'h Weights) -> Self {
        Self {
            lists,
            weights,
            laid: LaidOut::default(),
        }
    }

    /// Fills in the counts of each run: those of its list, corrected by what the run says.
    pub(super) fn count(&mut self, runs: &mut [Run]) {
        for (list, numbers) in self.by_list(runs.iter()) {
            let places = self.lists.lay_out(&list, &mut self.laid);
            let places = places.as_deref().unwrap_or_default();
            // The sum of what comes before each place, where some run leaves places out.
            let mut before = Vec::new();
            let has_absent = numbers.iter().any(|&run| !runs[run].absent.is_empty());
            let mut all = Counts::default();
            for place in places {
                if has_absent {
                    before.push(all);
                }
                all.add(&self.weights.expected(place).counts);
            }
            before.push(all);
            for number in numbers {
                let run = &mut runs[number];
                let mut counts = all;
                for &(first, length) in &run.absent {
                    let at = |place: u32| &before[(place as usize).min(before.len() - 1)];
                    let mut absent = *at(first.saturating_add(length));
                    subtract(&mut absent, at(first));
                    subtract(&mut counts, &absent);
                }
                for (place, sequence) in &run.differs {
                    if let Some(place) = places.get(*place as usize) {
                        subtract(&mut counts, &self.weights.expected(place).counts);
                        counts.add(&self.weights.at(*sequence).counts);
                    }
                }
                run.counts = run.stated.complete(&counts);
            }
        }
    }

    /// Counts executions and failures of every test, and finds what went other than expected.
    pub(super) fn tally(&mut self, tests: usize, runs: &[&Run]) -> (Vec<Tally>, Deviations) {
        let mut tallies = vec![Tally::default(); tests];
        let mut deviations = Deviations::new();
        for (list, numbers) in self.by_list(runs.iter().copied()) {
            let Some(places) = self.lists.lay_out(&list, &mut self.laid) else {
                continue;
            };
            let runs = numbers.iter().map(|&number| (number, runs[number]));
            let uses = numbers.len() as u64;
            let mut steps: BTreeMap<u32, i64> = BTreeMap::new();
            for (_, run) in runs.clone() {
                for &(first, length) in &run.absent {
                    *steps.entry(first).or_default() += 1;
                    *steps.entry(first.saturating_add(length)).or_default() -= 1;
                }
            }
            let mut steps = steps.into_iter().peekable();
            let mut absent = 0_i64;
            for (number, place) in (0_u32..).zip(places.iter()) {
                while let Some((_, step)) = steps.next_if(|(at, _)| *at <= number) {
                    absent += step;
                }
                let uses = uses.saturating_sub(absent.unsigned_abs());
                let tally = &mut tallies[place.test as usize];
                let executions = self.weights.expected(place).executions;
                tally.runs = tally.runs.saturating_add(executions.saturating_mul(uses));
            }
            for (number, run) in runs {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                for (place, sequence) in &run.differs {
                    let Some(place) = places.get(*place as usize) else {
                        continue;
                    };
                    let found = self.weights.at(*sequence);
                    let tally = &mut tallies[place.test as usize];
                    let others = tally
                        .runs
                        .saturating_sub(self.weights.expected(place).executions);
                    tally.runs = others.saturating_add(found.executions);
                    tally.failures = tally.failures.saturating_add(found.failures);
                    let deviations = deviations.entry(place.test).or_default();
                    deviations.push((number, *sequence));
                }
            }
        }
        for runs in deviations.values_mut() {
            runs.sort_by_key(|(run, _)| *run);
        }
        (tallies, deviations)
    }

    /// Gathers runs, by number, under their lists; a list comes after the one that it stands on.
    fn by_list<'r>(&self, runs: impl Iterator<Item = &'r Run>) -> Vec<(Sha, Vec<usize>)> {
        let mut lists: HashMap<Sha, Vec<usize>> = HashMap::new();
        for (number, run) in runs.enumerate() {
            lists.entry(run.list).or_default().push(number);
        }
        let mut lists: Vec<_> = lists.into_iter().collect();
        lists.sort_unstable_by_key(|(list, _)| (self.lists.depth(list), *list));
        lists
    }
}
