//! Roll-up: what is kept of runs that are older than anybody looks at. The totals of every test stay exactly as they were.

use std::collections::{BTreeMap, HashMap};

use super::history::{History, Run, Tally};
use super::verdict::Observation;
use crate::junit::Counts;
use crate::sha::Sha;

/// What a roll-up is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// As segments are named: `2026-01`.
    pub(crate) month: String,
    pub(crate) job: String,
    pub(crate) leg: String,
}

/// The runs of one job and leg in one month, summed up.
#[derive(Debug, Clone)]
pub(crate) struct Rollup {
    pub(super) id: Sha,
    pub(crate) key: Key,
    pub(crate) runs: u64,
    pub(crate) counts: Counts,
    /// Tests by number.
    pub(crate) tests: Vec<(u32, Tally)>,
}

impl Rollup {
    pub(super) fn new(id: Sha, key: Key, runs: u64, counts: Counts) -> Self {
        Self {
            id,
            key,
            runs,
            counts,
            tests: Vec::new(),
        }
    }

    pub(super) fn add_to(&self, tallies: &mut [Tally]) {
        for (test, tally) in &self.tests {
            tallies[*test as usize].add(tally);
        }
    }
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.failures = self.failures.saturating_add(other.failures);
        self.retry_passes = self.retry_passes.saturating_add(other.retry_passes);
    }
}

impl History {
    /// Sums runs up, each under the key that is given for its number; those without one are left out.
    ///
    /// Attempts of one run must share a key, or passes on retry would be lost.
    pub(crate) fn roll_up(&self, keys: &[Option<Key>]) -> Vec<Rollup> {
        let mut groups: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
        for (number, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                groups.entry(key).or_default().push(number);
            }
        }
        let mut retries = self.retries(keys);
        let mut rollups = Vec::new();
        for (key, numbers) in groups {
            let runs: Vec<&Run> = numbers.iter().map(|&number| &self.runs[number]).collect();
            let mut counts = Counts::default();
            for run in &runs {
                counts.add(&run.counts);
            }
            let mut tallies = self.tally_of(&runs);
            for (test, passes) in retries.remove(key).unwrap_or_default() {
                tallies[test as usize].retry_passes = passes;
            }
            let mut rollup = Rollup::new(Sha([0; 32]), key.clone(), runs.len() as u64, counts);
            let tests = (0_u32..).zip(tallies);
            rollup.tests = tests
                .filter(|(_, tally)| *tally != Tally::default())
                .collect();
            rollups.push(rollup);
        }
        rollups
    }

    /// For each key, how often each test passed on retry.
    fn retries<'k>(&self, keys: &'k [Option<Key>]) -> BTreeMap<&'k Key, BTreeMap<u32, u64>> {
        let mut by_place: HashMap<u32, &Key> = HashMap::new();
        for (number, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                by_place.insert(self.place_of(number), key);
            }
        }
        let mut retries: BTreeMap<&Key, BTreeMap<u32, u64>> = BTreeMap::new();
        for test in self.deviating() {
            let mut by_key: BTreeMap<&Key, Vec<Observation>> = BTreeMap::new();
            for seen in self.observations_around_failures(test) {
                if let Some(key) = by_place.get(&seen.place) {
                    by_key.entry(key).or_default().push(seen);
                }
            }
            for (key, own) in by_key {
                let passes = super::verdict::retry_passes(&own);
                if passes > 0 {
                    retries.entry(key).or_default().insert(test, passes);
                }
            }
        }
        retries
    }
}
