//! The history of every test, folded from runs that store only what differs from expectation.
//!
//! Invariant: the result depends on the set of runs alone, not on the order in which they are added.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::results::{Interner, twins};
use super::rollup::{Key, Rollup};
use super::said::{Hearing, Said};
use super::stated::Stated;
use super::stored_lists::{Lists, join_ranges};
use super::tally::{Counting, Weights};
use super::test_table::TestTable;
use crate::event::Origin;
use crate::junit::Counts;
use crate::sha::Sha;

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
    /// Tests, by place in the list, with the number of a sequence other than the expected one.
    pub(crate) differs: Vec<(u32, u32)>,
    /// Ranges of the list that did not run: first place and length.
    pub(crate) absent: Vec<(u32, u32)>,
    /// Counts of its reports that its results do not give.
    pub(crate) stated: Stated,
    /// Counts of its reports; filled in when the history is folded.
    pub(crate) counts: Counts,
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

    /// Whether a place of the list did not run; the ranges are sorted and apart.
    pub(super) fn is_absent(&self, test: u32) -> bool {
        let after = self.absent.partition_point(|&(first, _)| first <= test);
        after > 0 && test - self.absent[after - 1].0 < self.absent[after - 1].1
    }

    /// Sorts and joins the ranges, and keeps one difference for each place that ran: what a hostile record repeats would
    /// be counted and walked again and again.
    pub(crate) fn tidy(&mut self) {
        self.absent = join_ranges(std::mem::take(&mut self.absent));
        let mut differs = std::mem::take(&mut self.differs);
        differs.sort_by_key(|(place, _)| *place);
        differs.dedup_by_key(|(place, _)| *place);
        differs.retain(|(place, _)| !self.is_absent(*place));
        self.differs = differs;
        self.files.sort_unstable();
        self.files.dedup();
    }
}

/// Gathers lists and runs.
#[derive(Debug, Default)]
pub(crate) struct HistoryBuilder {
    suites: Interner,
    tests: TestTable,
    sequences: Interner,
    pub(super) lists: Lists,
    runs: BTreeMap<Sha, Run>,
    rollups: BTreeMap<Key, Rollup>,
    /// What failures said, where somebody wants to know.
    hearing: Option<Hearing>,
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
    pub(super) sequences: Interner,
    pub(super) lists: Lists,
    pub(super) weights: Weights,
    pub(super) tallies: Vec<Tally>,
    /// What tests were called before, by what they are called now.
    pub(super) former: BTreeMap<u32, Vec<u32>>,
    /// Tests that are called otherwise now.
    pub(super) renamed: HashSet<u32>,
    /// For each test that ever failed: the runs in which it went other than expected, oldest first.
    pub(super) deviations: BTreeMap<u32, Vec<(u32, u32)>>,
    /// The runs of each place, by number: sorted pairs.
    pub(super) by_place: Vec<(u32, u32)>,
    /// What each run is told apart by, as numbers.
    pub(super) marks: Vec<Mark>,
    /// The runs that count, oldest first.
    pub(crate) runs: Vec<Run>,
    /// Months that have been rolled up.
    pub(crate) rollups: Vec<Rollup>,
    /// What failures said.
    pub(super) said: Said,
    /// Runs left out because another one holds the same report files.
    pub(crate) duplicates: u64,
    /// Runs whose list nobody has.
    pub(crate) missing_lists: u64,
}

/// What a run is told apart by: equal numbers mean equal names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Run, job, leg and commit: attempts of one thing share it.
    pub(super) place: u32,
    pub(super) has_commit: bool,
    /// Commit, or the run where there is none.
    pub(super) commit: u32,
    /// Job and leg.
    pub(super) environment: u32,
    pub(super) branch: u32,
    /// The list, by number.
    pub(super) list: u32,
    /// Whether another run is of the same attempt of the same thing.
    pub(super) is_shared: bool,
}

impl HistoryBuilder {
    /// One that also reads what failures said, and counts no knock-on as an execution.
    pub(crate) fn hearing() -> Self {
        Self {
            hearing: Some(Hearing::default()),
            ..Self::default()
        }
    }

    /// Returns where the messages of runs go; nothing where nobody wants them.
    pub(crate) fn hears(&mut self) -> Option<&mut Hearing> {
        self.hearing.as_mut()
    }

    /// Begins a list, which may turn out to be empty, and may stand on a whole one without some of its places.
    pub(crate) fn list(&mut self, list: Sha, base: Option<Sha>, without: Vec<(u32, u32)>) {
        let list = self.lists.begin(list);
        if let Some(base) = base {
            list.stand_on(base, without);
        }
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
        let entry = self.lists.begin(list);
        let numbers = names.map(|name| self.tests.number(suite, name)).collect();
        let expected = expected
            .iter()
            .map(|(place, sequence)| (*place, self.sequences.number(sequence)))
            .collect();
        entry.add(numbers, expected);
    }

    /// Whether a list is there already.
    pub(crate) fn has_list(&self, list: &Sha) -> bool {
        self.lists.has(list)
    }

    /// Returns the numbers of sequences, which runs that are added refer to.
    pub(crate) fn sequences(&mut self) -> &mut Interner {
        &mut self.sequences
    }

    /// Adds a run; of two copies of one run the earlier counts, whatever the order in which they come.
    pub(crate) fn run(&mut self, run: Run) {
        match self.runs.entry(run.id) {
            Entry::Vacant(place) => {
                place.insert(run);
            }
            Entry::Occupied(mut place) => {
                let before = place.get();
                if (run.at, &run.origin) < (before.at, &before.origin) {
                    place.insert(run);
                }
            }
        }
    }

    /// Adds a month of a job that has been rolled up; of two for the same month, job and leg the one with the lesser id counts.
    pub(crate) fn rollup(
        &mut self,
        id: Sha,
        key: &Key,
        runs: u64,
        counts: Counts,
    ) -> Option<&mut Rollup> {
        let is_first = self.rollups.get(key).is_none_or(|other| id < other.id);
        if !is_first {
            return None;
        }
        let rollup = Rollup::new(id, key.clone(), runs, counts);
        self.rollups.insert(key.clone(), rollup);
        self.rollups.get_mut(key)
    }

    /// Returns the number of a test.
    pub(crate) fn test(&mut self, suite: &str, name: &str) -> u32 {
        let suite = self.suites.number(suite);
        self.tests.number(suite, name)
    }

    /// Returns suite and name of a test.
    pub(super) fn name_of(&self, test: u32) -> (&str, &str) {
        let (suite, name) = self.tests.get(test);
        (self.suites.text(suite), name)
    }

    /// Folds everything.
    pub(crate) fn finish(mut self) -> History {
        let mut runs: Vec<Run> = std::mem::take(&mut self.runs).into_values().collect();
        let before = runs.len();
        runs = without_duplicates(runs);
        let duplicates = (before - runs.len()) as u64;
        crate::order::sort_by_key(&mut runs, |run| (run.at, run.id));
        self.lists.settle();
        let missing_lists = runs
            .iter()
            .filter(|run| self.lists.get(&run.list).is_none())
            .count() as u64;
        let weights = Weights::of(&mut self.sequences);
        let mut counting = Counting::new(&self.lists, &weights);
        counting.count(&mut runs);
        let hearing = self.hearing.take().unwrap_or_default();
        let name_of = |test: u32| self.name_of(test);
        let said = hearing.settle(&mut runs, &self.lists, &weights, &name_of);
        let marks = marks(&runs);
        let all: Vec<&Run> = runs.iter().collect();
        let (mut tallies, mut deviations) = counting.tally(self.tests.len(), &all);
        let rollups: Vec<Rollup> = std::mem::take(&mut self.rollups).into_values().collect();
        for rollup in &rollups {
            rollup.add_to(&mut tallies);
        }
        // Only a test that failed has a history to look at.
        deviations.retain(|&test, _| tallies[test as usize].failures > 0);
        let mut history = History {
            suites: self.suites,
            tests: self.tests,
            sequences: self.sequences,
            lists: self.lists,
            weights,
            tallies,
            former: BTreeMap::new(),
            renamed: HashSet::new(),
            deviations,
            by_place: by_place(&marks),
            marks,
            runs,
            rollups,
            said,
            duplicates,
            missing_lists,
        };
        history.count_retries();
        history
    }
}

/// Numbers for names.
#[derive(Default)]
struct Numbers<'a>(HashMap<Vec<&'a str>, u32>);

impl<'a> Numbers<'a> {
    fn of(&mut self, parts: Vec<&'a str>) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(parts).or_insert(next)
    }
}

/// Numbers what tells runs apart.
fn marks(runs: &[Run]) -> Vec<Mark> {
    let mut numbers = Numbers::default();
    let mut marks: Vec<Mark> = Vec::with_capacity(runs.len());
    let mut lists: HashMap<Sha, u32> = HashMap::new();
    let mut attempts: HashMap<(u32, u32), u32> = HashMap::new();
    for run in runs {
        let Origin {
            run: name,
            job,
            commit,
            branch,
            ..
        } = &run.origin;
        marks.push(Mark {
            place: numbers.of(vec!["place", name, job, &run.leg, commit]),
            has_commit: !commit.is_empty(),
            environment: numbers.of(vec!["environment", job, &run.leg]),
            branch: numbers.of(vec!["branch", branch]),
            commit: if commit.is_empty() {
                numbers.of(vec!["run", name])
            } else {
                numbers.of(vec!["commit", commit])
            },
            list: {
                let next = u32::try_from(lists.len()).unwrap_or(u32::MAX);
                *lists.entry(run.list).or_insert(next)
            },
            is_shared: false,
        });
        let mark = marks[marks.len() - 1];
        *attempts
            .entry((mark.place, run.origin.attempt))
            .or_default() += 1;
    }
    for (mark, run) in marks.iter_mut().zip(runs) {
        mark.is_shared = attempts.get(&(mark.place, run.origin.attempt)) > Some(&1_u32);
    }
    marks
}

fn by_place(marks: &[Mark]) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = marks.iter().map(|mark| mark.place).zip(0..).collect();
    pairs.sort_unstable();
    pairs
}

/// Leaves out each run whose report files are all in another run of the same place: a report that was ingested alone
/// and again together with others counts once.
fn without_duplicates(mut runs: Vec<Run>) -> Vec<Run> {
    crate::order::sort_by(&mut runs, |a, b| {
        (a.place().cmp(&b.place()))
            .then(b.files.len().cmp(&a.files.len()))
            .then(a.id.cmp(&b.id))
    });
    let mut kept: Vec<Run> = Vec::with_capacity(runs.len());
    // For the place at hand: which kept runs hold a file.
    let mut holders: HashMap<Sha, Vec<usize>> = HashMap::new();
    for run in runs {
        if kept.last().is_none_or(|last| last.place() != run.place()) {
            holders.clear();
        }
        let candidates = run.files.first().and_then(|file| holders.get(file));
        let is_covered = candidates.is_some_and(|candidates| {
            candidates.iter().any(|&at| {
                let other = &kept[at];
                other.origin == run.origin
                    && run
                        .files
                        .iter()
                        .all(|file| other.files.binary_search(file).is_ok())
            })
        });
        if !is_covered {
            for file in &run.files {
                holders.entry(*file).or_default().push(kept.len());
            }
            kept.push(run);
        }
    }
    kept
}

/// Returns how often a test was executed and how often it failed.
pub(crate) fn executions(sequence: &str) -> (u64, u64) {
    let mut all = 0;
    let mut failures = 0;
    for (twin, count) in twins(sequence) {
        all += twin.len() as u64 * count;
        failures += twin.iter().filter(|outcome| outcome.is_failing()).count() as u64 * count;
    }
    (all, failures)
}

impl History {
    /// Returns how many tests there are.
    pub(crate) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Returns a test's suite and name.
    pub(crate) fn test(&self, test: u32) -> (&str, &str) {
        let (suite, name) = self.tests.get(test);
        (self.suites.text(suite), name)
    }

    /// Returns the number of a test's suite.
    pub(super) fn suite_of(&self, test: u32) -> u32 {
        self.tests.get(test).0
    }

    /// Whether a test passed in a later attempt of the same thing.
    pub(super) fn passes_later(&self, run: u32, test: u32) -> bool {
        let Some(mark) = self.marks.get(run as usize) else {
            return false;
        };
        let first = self
            .by_place
            .partition_point(|(place, _)| *place < mark.place);
        let same = self.by_place[first..].iter();
        let same = same.take_while(|(place, _)| *place == mark.place);
        let attempt = |run: u32| self.runs[run as usize].origin.attempt;
        same.map(|(_, other)| *other)
            .filter(|other| attempt(*other) > attempt(run))
            .any(|other| {
                self.weight(other, test)
                    .is_some_and(|weight| weight.executions > 0 && !weight.failed)
            })
    }

    /// Returns what happened to a test.
    pub(crate) fn tally(&self, test: u32) -> Tally {
        self.tallies[test as usize]
    }

    /// Returns the job and leg behind an observation's number.
    pub(crate) fn environment(&self, number: u32) -> String {
        let found = self
            .marks
            .iter()
            .position(|mark| mark.environment == number);
        let Some(run) = found.map(|at| &self.runs[at]) else {
            return String::new();
        };
        match (run.origin.job.as_str(), run.leg.as_str()) {
            ("", "") => "no job".into(),
            (job, "") => job.into(),
            ("", leg) => leg.into(),
            (job, leg) => format!("{job} ({leg})"),
        }
    }

    /// Counts executions and failures of every test over some of the runs.
    pub(super) fn tally_of(&self, runs: &[&Run]) -> Vec<Tally> {
        Counting::new(&self.lists, &self.weights)
            .tally(self.tests.len(), runs)
            .0
    }

    /// Returns the tests that failed in runs that are still there.
    pub(super) fn deviating(&self) -> impl Iterator<Item = u32> + '_ {
        self.deviations.keys().copied()
    }

    /// Returns the number of what attempts of one run share: run, job, leg and commit.
    pub(super) fn place_of(&self, run: usize) -> u32 {
        self.marks[run].place
    }

    /// Returns the test at a place of a run's list, and what is expected of it.
    pub(crate) fn at(&self, run: &Run, place: u32) -> Option<(u32, &str)> {
        let list = self.lists.get(&run.list)?;
        let test = self.lists.test(list, place)?;
        Some((test, self.expected(&run.list, place)))
    }

    /// Returns a sequence by its number.
    pub(crate) fn sequence_text(&self, number: u32) -> &str {
        self.sequences.text(number)
    }

    /// Whether the list of a run is here.
    pub(crate) fn has_list_of(&self, run: &Run) -> bool {
        self.lists.get(&run.list).is_some()
    }

    pub(super) fn expected(&self, list: &Sha, place: u32) -> &str {
        let list = self.lists.get(list);
        let expected = list.and_then(|list| self.lists.expected(list, place));
        expected.map_or("p", |number| self.sequences.text(number))
    }

    /// Returns the tests in order of suite and name.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        let all = 0..u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = all.filter(|test| !self.renamed.contains(test)).collect();
        order.sort_unstable_by(|&a, &b| self.test(a).cmp(&self.test(b)));
        order
    }

    /// Returns how a test went in a run; nothing when it did not run.
    #[cfg(feature = "bench")]
    pub(crate) fn sequence(&self, run: usize, suite: &str, name: &str) -> Option<&str> {
        let run = &self.runs[run];
        let suite = self.suites.find(suite)?;
        let test = self.tests.find(suite, name)?;
        let place = self.lists.place(&run.list, test)?;
        if run.is_absent(place) {
            return None;
        }
        let differs = run.differs.iter().find(|(differs, _)| *differs == place);
        Some(differs.map_or_else(
            || self.expected(&run.list, place),
            |(_, sequence)| self.sequences.text(*sequence),
        ))
    }

    fn count_retries(&mut self) {
        let failed: Vec<u32> = self.deviations.keys().copied().collect();
        for test in failed {
            let observations = self.observations_around_failures(test);
            let passes = super::verdict::retry_passes(&observations);
            self.tallies[test as usize].retry_passes += passes;
        }
    }
}

#[cfg(test)]
mod tests;
