//! The history of every test, folded from runs that store only what differs from expectation.
//!
//! Invariant: the result depends on the set of runs alone, not on the order in which they are added.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::results::{Interner, twins};
use super::verdict::Observation;
use crate::event::{Origin, Sha};
use crate::junit::{Counts, Outcome};

/// One stored run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: Sha,
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    /// Which shard or axis of the job.
    pub(crate) leg: String,
    /// Digests of the report files, in order.
    pub(crate) files: Vec<Sha>,
    /// The list of tests that it refers to.
    pub(crate) list: Sha,
    /// Tests, by place in the list, with a sequence other than the expected one.
    pub(crate) differs: Vec<(u32, String)>,
    /// Ranges of the list that did not run: first place and length.
    pub(crate) absent: Vec<(u32, u32)>,
    pub(crate) counts: Counts,
    pub(crate) tests: u64,
}

impl Run {
    /// Returns the place in CI that the run's reports are from.
    fn place(&self) -> (&str, u32, &str, &str) {
        (
            &self.origin.run,
            self.origin.attempt,
            &self.origin.job,
            &self.leg,
        )
    }

    fn is_absent(&self, test: u32) -> bool {
        self.absent
            .iter()
            .any(|&(first, length)| test >= first && test - first < length)
    }
}

/// A stored list of tests, in its stored order.
#[derive(Debug, Default)]
struct List {
    /// Number of each test in the whole history.
    tests: Vec<u32>,
    /// Places whose expected sequence is not `p`.
    expected: BTreeMap<u32, u32>,
}

/// Gathers lists and runs.
#[derive(Debug, Default)]
pub(crate) struct HistoryBuilder {
    suites: Interner,
    tests: TestTable,
    sequences: Interner,
    lists: HashMap<Sha, List>,
    runs: BTreeMap<Sha, Run>,
}

/// Every test of the history: suite by number, name in one string.
#[derive(Debug, Default)]
struct TestTable {
    names: String,
    rows: Vec<(u32, usize, u32)>,
    table: hashbrown::HashTable<u32>,
    hasher: hashbrown::DefaultHashBuilder,
}

impl TestTable {
    fn name(names: &str, row: (u32, usize, u32)) -> &str {
        &names[row.1..row.1 + row.2 as usize]
    }

    fn number(&mut self, suite: u32, name: &str) -> u32 {
        use std::hash::BuildHasher;
        let hash = self.hasher.hash_one((suite, name));
        let (rows, names) = (&self.rows, &self.names);
        let found = self.table.find(hash, |&at| {
            let row = rows[at as usize];
            row.0 == suite && Self::name(names, row) == name
        });
        if let Some(&at) = found {
            return at;
        }
        let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        self.rows.push((suite, self.names.len(), length));
        self.names.push_str(name);
        let (rows, names, hasher) = (&self.rows, &self.names, &self.hasher);
        self.table.insert_unique(hash, at, |&at| {
            let row = rows[at as usize];
            hasher.hash_one((row.0, Self::name(names, row)))
        });
        at
    }
}

/// What happened to one test, over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Executions; a skip is none.
    pub(crate) runs: u64,
    /// Executions that failed.
    pub(crate) failures: u64,
    /// Times that the test failed and then passed in the same run and on the same commit.
    pub(crate) retry_passes: u64,
}

/// The folded history.
#[derive(Debug)]
pub(crate) struct History {
    suites: Interner,
    tests: TestTable,
    tallies: Vec<Tally>,
    /// For each test that ever failed: its runs, oldest first.
    observations: BTreeMap<u32, Vec<Observation>>,
    /// The runs that count, oldest first.
    pub(crate) runs: Vec<Run>,
    /// Runs left out because another one holds the same report files.
    pub(crate) duplicates: u64,
    /// Lists that runs refer to and nobody has.
    pub(crate) missing_lists: u64,
}

impl HistoryBuilder {
    /// Begins a list, which may turn out to be empty.
    pub(crate) fn list(&mut self, list: Sha) {
        self.lists.entry(list).or_default();
    }

    /// Adds the tests of one suite to a list; suites come in the list's order.
    pub(crate) fn suite<'a>(
        &mut self,
        list: Sha,
        suite: &str,
        names: impl Iterator<Item = &'a str>,
        expected: &BTreeMap<u32, String>,
    ) {
        let suite = self.suites.number(suite);
        let entry = self.lists.entry(list).or_default();
        let first = u32::try_from(entry.tests.len()).unwrap_or(u32::MAX);
        for name in names {
            entry.tests.push(self.tests.number(suite, name));
        }
        for (place, sequence) in expected {
            let sequence = self.sequences.number(sequence);
            entry
                .expected
                .insert(first.saturating_add(*place), sequence);
        }
    }

    /// Whether a list is there already.
    pub(crate) fn has_list(&self, list: &Sha) -> bool {
        self.lists.contains_key(list)
    }

    /// Adds a run; of two copies of one run the earlier counts.
    pub(crate) fn run(&mut self, run: Run) {
        match self.runs.entry(run.id) {
            Entry::Vacant(place) => {
                place.insert(run);
            }
            Entry::Occupied(mut place) => {
                if run.at < place.get().at {
                    place.insert(run);
                }
            }
        }
    }

    /// Folds everything.
    pub(crate) fn finish(mut self) -> History {
        let mut runs: Vec<Run> = std::mem::take(&mut self.runs).into_values().collect();
        let before = runs.len();
        runs = without_duplicates(runs);
        let duplicates = (before - runs.len()) as u64;
        runs.sort_by_key(|run| (run.at, run.id));
        let missing_lists = runs
            .iter()
            .filter(|run| !self.lists.contains_key(&run.list))
            .count() as u64;
        let mut fold = Fold {
            lists: &self.lists,
            sequences: &mut self.sequences,
            tallies: vec![Tally::default(); self.tests.rows.len()],
            observed: BTreeSet::new(),
        };
        fold.expected_everywhere(&runs);
        fold.differences(&runs);
        let Fold {
            tallies, observed, ..
        } = fold;
        let observations = observe(&self.lists, &self.sequences, &runs, observed.into_iter());
        let mut history = History {
            suites: self.suites,
            tests: self.tests,
            tallies,
            observations,
            runs,
            duplicates,
            missing_lists,
        };
        history.count_retries();
        history
    }
}

/// Leaves out each run whose report files are all in another run of the same place: a report that was ingested alone
/// and again together with others counts once.
fn without_duplicates(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| {
        (a.place().cmp(&b.place()))
            .then(b.files.len().cmp(&a.files.len()))
            .then(a.id.cmp(&b.id))
    });
    let mut kept: Vec<Run> = Vec::with_capacity(runs.len());
    let mut first_of_place = 0;
    for run in runs {
        if kept.last().is_none_or(|last| last.place() != run.place()) {
            first_of_place = kept.len();
        }
        let is_covered = !run.files.is_empty()
            && kept[first_of_place..].iter().any(|other| {
                other.origin == run.origin
                    && run.files.iter().all(|file| other.files.contains(file))
            });
        if !is_covered {
            kept.push(run);
        }
    }
    kept
}

struct Fold<'a> {
    lists: &'a HashMap<Sha, List>,
    sequences: &'a mut Interner,
    tallies: Vec<Tally>,
    observed: BTreeSet<u32>,
}

impl Fold<'_> {
    /// Counts every test of every run as if it had gone as expected: once a list, not once a run.
    fn expected_everywhere(&mut self, runs: &[Run]) {
        let mut uses: BTreeMap<Sha, u64> = BTreeMap::new();
        for run in runs {
            *uses.entry(run.list).or_default() += 1;
        }
        for (id, uses) in uses {
            let Some(list) = self.lists.get(&id) else {
                continue;
            };
            for &test in &list.tests {
                self.tallies[test as usize].runs += uses;
            }
            for (&place, &sequence) in &list.expected {
                if let Some(&test) = list.tests.get(place as usize) {
                    let (executions, _) = executions(self.sequences.text(sequence));
                    let tally = &mut self.tallies[test as usize];
                    tally.runs = tally.runs - uses + executions * uses;
                }
            }
        }
    }

    /// Corrects that by what each run says.
    fn differences(&mut self, runs: &[Run]) {
        for run in runs {
            let Some(list) = self.lists.get(&run.list) else {
                continue;
            };
            for &(first, length) in &run.absent {
                for place in first..first.saturating_add(length) {
                    let Some(&test) = list.tests.get(place as usize) else {
                        break;
                    };
                    let expected = list.expected.get(&place);
                    let expected = expected.map_or("p", |&number| self.sequences.text(number));
                    let (executions, _) = executions(expected);
                    let tally = &mut self.tallies[test as usize];
                    tally.runs = tally.runs.saturating_sub(executions);
                }
            }
            for (place, sequence) in &run.differs {
                let Some(&test) = list.tests.get(*place as usize) else {
                    continue;
                };
                let expected = list.expected.get(place);
                let expected = expected.map_or("p", |&number| self.sequences.text(number));
                let (before, _) = executions(expected);
                let (after, failures) = executions(sequence);
                let tally = &mut self.tallies[test as usize];
                tally.runs = tally.runs.saturating_sub(before) + after;
                tally.failures += failures;
                if failures > 0 {
                    self.observed.insert(test);
                }
            }
        }
    }
}

/// Returns how often a test was executed and how often it failed.
fn executions(sequence: &str) -> (u64, u64) {
    let mut all = 0;
    let mut failures = 0;
    for letter in sequence.chars() {
        match Outcome::from_letter(letter) {
            Some(Outcome::Passed) => all += 1,
            Some(Outcome::Failed | Outcome::Errored) => {
                all += 1;
                failures += 1;
            }
            Some(Outcome::Skipped) | None => {}
        }
    }
    (all, failures)
}

/// Lays out, for each test that ever failed, what happened to it in each run.
fn observe(
    lists: &HashMap<Sha, List>,
    sequences: &Interner,
    runs: &[Run],
    tests: impl Iterator<Item = u32>,
) -> BTreeMap<u32, Vec<Observation>> {
    let mut observations: BTreeMap<u32, Vec<Observation>> =
        tests.map(|test| (test, Vec::new())).collect();
    // For each list, the places of the tests that matter.
    let mut places: HashMap<Sha, Vec<(u32, u32)>> = HashMap::new();
    for (number, run) in runs.iter().enumerate() {
        let Some(list) = lists.get(&run.list) else {
            continue;
        };
        let places = places.entry(run.list).or_insert_with(|| {
            let all = list.tests.iter().zip(0_u32..);
            all.filter(|(test, _)| observations.contains_key(test))
                .map(|(&test, place)| (test, place))
                .collect()
        });
        let differs: HashMap<u32, &str> = run
            .differs
            .iter()
            .map(|(place, sequence)| (*place, sequence.as_str()))
            .collect();
        for &(test, place) in places.iter() {
            if run.is_absent(place) {
                continue;
            }
            let sequence = match differs.get(&place) {
                Some(sequence) => sequence,
                None => list
                    .expected
                    .get(&place)
                    .map_or("p", |&number| sequences.text(number)),
            };
            if let (Some(observation), Some(seen)) =
                (observation(number, sequence), observations.get_mut(&test))
            {
                seen.push(observation);
            }
        }
    }
    observations
}

/// Reads one run of one test; nothing when it did not run.
fn observation(run: usize, sequence: &str) -> Option<Observation> {
    let (executions, failures) = executions(sequence);
    if executions == 0 {
        return None;
    }
    let mut failed = false;
    let mut retried = 0;
    for twin in twins(sequence) {
        let last_pass = twin.iter().rposition(|outcome| *outcome == Outcome::Passed);
        let first_failure = twin.iter().position(|outcome| outcome.is_failing());
        match (first_failure, last_pass) {
            (Some(failure), Some(pass)) if failure < pass => retried += 1,
            (Some(_), _) => failed = true,
            (None, _) => {}
        }
    }
    Some(Observation {
        run,
        executions,
        failures,
        failed,
        retried,
    })
}

impl History {
    /// Returns how many tests there are.
    pub(crate) fn len(&self) -> usize {
        self.tests.rows.len()
    }

    /// Returns a test's suite and name.
    pub(crate) fn test(&self, test: u32) -> (&str, &str) {
        let row = self.tests.rows[test as usize];
        (
            self.suites.text(row.0),
            TestTable::name(&self.tests.names, row),
        )
    }

    /// Returns what happened to a test.
    pub(crate) fn tally(&self, test: u32) -> Tally {
        self.tallies[test as usize]
    }

    /// Returns the runs of a test that failed at least once; empty for any other.
    pub(crate) fn observations(&self, test: u32) -> &[Observation] {
        self.observations.get(&test).map_or(&[], Vec::as_slice)
    }

    /// Returns the tests in order of suite and name.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by(|&a, &b| self.test(a).cmp(&self.test(b)));
        order
    }

    fn count_retries(&mut self) {
        for (&test, observations) in &self.observations {
            let passes = super::verdict::retry_passes(observations, &self.runs);
            self.tallies[test as usize].retry_passes = passes;
        }
    }
}
