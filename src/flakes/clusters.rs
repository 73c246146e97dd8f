//! Tests that fail in the same runs, and the ids by which such a cluster is known from its first sight on.
//!
//! Three flaky tests of four fail together with others, for one cause (Parry and others, "Systemic Flakiness: An Empirical Analysis of
//! Co-Occurring Flaky Test Failures", arXiv 2504.16777), so that one issue a test would be many issues for one repair. Two tests belong
//! together when their sets of failing runs overlap by half or more (P. Jaccard, 1901) in two runs at least, and by more than luck: the χ²
//! of the two sets over all runs is nine or more. Clusters are what such pairs connect. Nothing here depends on the order of tests or runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::sha::Sha;

/// So many runs must be shared: one may be luck.
const LEAST_SHARED: u32 = 2;

/// What luck reaches about once in four hundred pairs (χ² with one degree of freedom).
const BEYOND_LUCK: f64 = 9.0;

/// A run in which more tests fail says nothing about which of them belong together.
const MOST_AT_ONCE: usize = 1_000;

/// Runs that are counted; older ones say little about what fails together today.
pub(crate) const MOST_RUNS: u32 = 5_000;

/// Finds which tests fail together, given for each the runs in which it failed (sorted, each once) and how many runs there are.
///
/// Returns every test, by number, in exactly one cluster; each cluster is sorted, and so are the clusters by their first test.
pub(crate) fn together(failing: &[Vec<u32>], runs: u32) -> Vec<Vec<usize>> {
    let sets = distinct(failing);
    let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, (set, _)) in sets.iter().enumerate() {
        for run in set {
            holders.entry(*run).or_default().push(number);
        }
    }
    let mut union = Union::new(failing.len());
    let mut shared = vec![0_u32; sets.len()];
    for (number, (set, tests)) in sets.iter().enumerate() {
        let size = size_of(set);
        if are_together(size, size, size, runs) {
            tests
                .windows(2)
                .for_each(|pair| union.join(pair[0], pair[1]));
        }
        // Sets are sorted by size: those before the first one of half the size overlap by less than half.
        let first = sets.partition_point(|(other, _)| size_of(other) * 2 < size);
        let mut met = Vec::new();
        for run in set {
            let others = holders.get(run).map_or(&[][..], Vec::as_slice);
            let from = others.partition_point(|other| *other < first);
            for &other in others[from..].iter().take_while(|other| **other < number) {
                if shared[other] == 0 {
                    met.push(other);
                }
                shared[other] += 1;
            }
        }
        for other in met {
            let common = std::mem::take(&mut shared[other]);
            let (set, theirs) = &sets[other];
            if are_together(size, size_of(set), common, runs) {
                union.join(tests[0], theirs[0]);
            }
        }
    }
    union.clusters()
}

/// Gathers tests that failed in the very same runs, without the runs in which nearly everything failed; sorted by size, then by runs.
fn distinct(failing: &[Vec<u32>]) -> Vec<(Vec<u32>, Vec<usize>)> {
    let mut tests_of: HashMap<u32, usize> = HashMap::new();
    for run in failing.iter().flatten() {
        *tests_of.entry(*run).or_default() += 1;
    }
    let mut sets: BTreeMap<(usize, Vec<u32>), Vec<usize>> = BTreeMap::new();
    for (test, runs) in failing.iter().enumerate() {
        let is_telling = |run: &&u32| {
            tests_of
                .get(run)
                .is_some_and(|tests| *tests <= MOST_AT_ONCE)
        };
        let set: Vec<u32> = runs.iter().filter(is_telling).copied().collect();
        sets.entry((set.len(), set)).or_default().push(test);
    }
    sets.into_iter()
        .map(|((_, set), tests)| (set, tests))
        .collect()
}

fn size_of(set: &[u32]) -> u32 {
    u32::try_from(set.len()).unwrap_or(u32::MAX)
}

/// Whether two tests belong together, by how often each failed, how often both did, and how many runs there were.
fn are_together(a: u32, b: u32, both: u32, runs: u32) -> bool {
    // Jaccard's index is both / (a + b - both).
    if both < LEAST_SHARED || u64::from(both) * 3 < u64::from(a) + u64::from(b) {
        return false;
    }
    let [a, b, both, runs] = [a, b, both, runs].map(f64::from);
    let more = runs * both - a * b;
    let spread = a * b * (runs - a) * (runs - b);
    more > 0.0 && spread > 0.0 && runs * more * more / spread >= BEYOND_LUCK
}

/// Sets that are joined (union by the lesser number, with path halving).
struct Union(Vec<usize>);

impl Union {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn top(&mut self, mut of: usize) -> usize {
        while self.0[of] != of {
            self.0[of] = self.0[self.0[of]];
            of = self.0[of];
        }
        of
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.top(a), self.top(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn clusters(mut self) -> Vec<Vec<usize>> {
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for test in 0..self.0.len() {
            clusters.entry(self.top(test)).or_default().push(test);
        }
        clusters.into_values().collect()
    }
}

/// Whether a test failed too seldom to tell with whom.
pub(crate) fn is_silent(failing: &[u32]) -> bool {
    size_of(failing) < LEAST_SHARED
}

/// Keeps tests that are silent by now where they were: with most of the tests that they were known to fail with, of equals with the first.
///
/// `former` are the clusters that were known, as numbers of tests. Without this a cluster that has been quiet for long would fall apart.
pub(crate) fn keep_silent(
    clusters: &[Vec<usize>],
    is_silent: &[bool],
    former: &[Vec<usize>],
) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = vec![0; is_silent.len()];
    for (place, tests) in clusters.iter().enumerate() {
        for test in tests {
            places[*test] = place;
        }
    }
    let mut is_moved = vec![false; is_silent.len()];
    for tests in former {
        let (silent, vocal): (Vec<usize>, Vec<usize>) =
            tests.iter().partition(|test| is_silent[**test]);
        let mut shares: BTreeMap<usize, (usize, std::cmp::Reverse<usize>)> = BTreeMap::new();
        for (rank, test) in vocal.into_iter().enumerate() {
            let share = shares.entry(places[test]);
            share.or_insert((0, std::cmp::Reverse(rank))).0 += 1;
        }
        let most = shares.into_iter().max_by_key(|(_, share)| *share);
        let first = silent.first().map(|test| places[*test]);
        let Some(place) = most.map(|(place, _)| place).or(first) else {
            continue;
        };
        for test in silent {
            if !std::mem::replace(&mut is_moved[test], true) {
                places[test] = place;
            }
        }
    }
    let mut kept: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (test, place) in places.into_iter().enumerate() {
        kept.entry(place).or_default().push(test);
    }
    let mut kept: Vec<Vec<usize>> = kept.into_values().collect();
    kept.sort_unstable();
    kept
}

/// Returns the short digest that a test is known by where its name has no room.
pub(crate) fn key_of(suite: &str, test: &str) -> String {
    let bytes = format!("{}\n{suite}{test}", suite.len());
    Sha::of(bytes.as_bytes()).to_string()[..12].to_owned()
}

/// A cluster that was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) first_seen: Timestamp,
    /// Keys of its tests, the one that it was named after first.
    pub(crate) tests: Vec<String>,
}

/// What a cluster is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    /// Ids of younger clusters that are a part of it now.
    pub(crate) merged: Vec<String>,
}

/// Gives clusters, as keys of tests, the ids that they had: a known id goes where most of its tests are, of equals to the first of them; where
/// several come together, the oldest stays. A new one is called by the key of its first test.
pub(crate) fn name(clusters: &[Vec<String>], known: &[Known]) -> Vec<Named> {
    let place_of: HashMap<&str, usize> = clusters
        .iter()
        .enumerate()
        .flat_map(|(place, keys)| keys.iter().map(move |key| (key.as_str(), place)))
        .collect();
    let mut claims: BTreeMap<usize, BTreeSet<(Timestamp, &str)>> = BTreeMap::new();
    for one in known {
        // For each cluster, how many of the tests it has, and which of them comes first.
        let mut shares: BTreeMap<usize, (usize, std::cmp::Reverse<usize>)> = BTreeMap::new();
        for (rank, key) in one.tests.iter().enumerate() {
            if let Some(place) = place_of.get(key.as_str()) {
                let share = shares.entry(*place).or_insert((0, std::cmp::Reverse(rank)));
                share.0 += 1;
            }
        }
        let most = shares.into_iter().max_by_key(|(_, share)| *share);
        if let Some((place, _)) = most {
            let claim = (one.first_seen, one.id.as_str());
            claims.entry(place).or_default().insert(claim);
        }
    }
    let mut taken: BTreeSet<String> = known.iter().map(|one| one.id.clone()).collect();
    let mut named = Vec::with_capacity(clusters.len());
    for (place, keys) in clusters.iter().enumerate() {
        let mut ids = claims.remove(&place).unwrap_or_default().into_iter();
        let id = ids
            .next()
            .map_or_else(|| new_id(keys, &taken), |(_, id)| id.to_owned());
        taken.insert(id.clone());
        let merged = ids.map(|(_, id)| id.to_owned()).collect();
        named.push(Named { id, merged });
    }
    named
}

fn new_id(keys: &[String], taken: &BTreeSet<String>) -> String {
    if let Some(key) = keys.iter().find(|key| !taken.contains(*key)) {
        return key.clone();
    }
    let next = |id: &String| Some(Sha::of(id.as_bytes()).to_string()[..12].to_owned());
    let mut ids = std::iter::successors(next(&keys.concat()), next);
    ids.find(|id| !taken.contains(id)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(failing: &[&[u32]], runs: u32, wanted: &[&[usize]]) {
        let failing: Vec<Vec<u32>> = failing.iter().map(|runs| runs.to_vec()).collect();
        assert_eq!(together(&failing, runs), wanted);
    }

    #[test]
    fn tests_that_fail_in_the_same_runs_are_one_cluster() {
        check(
            &[
                &[3, 40, 71],
                &[9, 55],
                &[3, 40, 71, 90],
                &[9, 55],
                &[12, 60],
            ],
            100,
            &[&[0, 2], &[1, 3], &[4]],
        );
    }

    #[test]
    fn one_shared_run_is_luck_and_so_is_what_fails_half_of_the_time() {
        check(&[&[3], &[3]], 100, &[&[0], &[1]]);
        check(&[&[1, 2], &[1, 2]], 4, &[&[0], &[1]]);
        // The same two runs of so many make a χ² of as many: from nine on it is no luck.
        check(&[&[1, 2], &[1, 2]], 8, &[&[0], &[1]]);
        check(&[&[1, 2], &[1, 2]], 9, &[&[0, 1]]);
        // Each fails in seven of ten runs for itself: half of all failing runs are shared all the same.
        let runs = |step: u32| {
            (0..1000)
                .filter(|run| run / step % 10 < 7)
                .collect::<Vec<u32>>()
        };
        let (a, b) = (runs(1), runs(10));
        check(&[&a, &b], 1000, &[&[0], &[1]]);
        check(&[&a, &a], 1000, &[&[0, 1]]);
    }

    #[test]
    fn what_is_silent_by_now_stays_where_it_was() {
        let clusters = [vec![0, 1], vec![2], vec![3], vec![4]];
        let silent = |tests: &[usize]| (0..5).map(|test| tests.contains(&test)).collect::<Vec<_>>();
        let keep = |silent: &[bool], former: &[&[usize]]| {
            let former: Vec<Vec<usize>> = former.iter().map(|tests| tests.to_vec()).collect();
            keep_silent(&clusters, silent, &former)
        };
        assert_eq!(
            keep(&silent(&[2, 3]), &[&[0, 2], &[3, 4]]),
            [vec![0, 1, 2], vec![3, 4]]
        );
        // Whoever speaks says where it belongs; nobody is kept who was not there.
        assert_eq!(keep(&silent(&[]), &[&[0, 2], &[3, 4]]), clusters);
        assert_eq!(
            keep(&silent(&[2, 3, 4]), &[&[4, 2]]),
            [vec![0, 1], vec![2, 4], vec![3]]
        );
        // Of two that knew it the first one counts.
        assert_eq!(
            keep(&silent(&[2]), &[&[2, 3], &[2, 4]]),
            [vec![0, 1], vec![2, 3], vec![4]]
        );
    }

    #[test]
    fn a_run_in_which_everything_fails_joins_nothing() {
        let failing: Vec<Vec<u32>> = (0..2000).map(|test| vec![test, 5000, 5001]).collect();
        assert_eq!(together(&failing, 6000).len(), 2000);
    }

    proptest! {
        #[test]
        fn the_order_of_tests_does_not_matter(failing in prop::collection::vec(prop::collection::btree_set(0_u32..30, 0..8), 1..30), turn in 0_usize..30) {
            let failing: Vec<Vec<u32>> = failing.into_iter().map(|runs| runs.into_iter().collect()).collect();
            let turn = turn % failing.len();
            let mut turned = failing.clone();
            turned.rotate_left(turn);
            let back = |cluster: Vec<usize>| cluster.into_iter().map(|test| (test + turn) % failing.len()).collect::<BTreeSet<usize>>();
            let plain: BTreeSet<BTreeSet<usize>> = together(&failing, 40).into_iter().map(|cluster| cluster.into_iter().collect()).collect();
            let turned: BTreeSet<BTreeSet<usize>> = together(&turned, 40).into_iter().map(back).collect();
            prop_assert_eq!(plain, turned);
        }
    }

    #[test]
    fn twenty_thousand_tests_over_a_thousand_runs_are_looked_through() {
        // Clusters of ten that fail in ten runs of their own, and one more run for each test.
        let failing = (0..20_000_u32).map(|test| {
            let cluster = test / 10;
            let mut runs: Vec<u32> = (0..10)
                .map(|step| (cluster * 37 + step * step * 101) % 1000)
                .collect();
            runs.push((test * 7919) % 1000);
            runs.sort_unstable();
            runs.dedup();
            runs
        });
        let clusters = together(&failing.collect::<Vec<_>>(), 1000);
        let sizes: usize = clusters.iter().map(Vec::len).sum();
        assert_eq!(sizes, 20_000);
        assert!(clusters.len() <= 2_000, "{}", clusters.len());
    }

    fn known(id: &str, day: u8, tests: &[&str]) -> Known {
        Known {
            id: id.into(),
            first_seen: format!("2026-01-{day:02}T00:00:00Z").parse().unwrap(),
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
        }
    }

    #[track_caller]
    fn names(clusters: &[&[&str]], known: &[Known], wanted: &[(&str, &[&str])]) {
        let owned = |keys: &&[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let clusters: Vec<Vec<String>> = clusters.iter().map(owned).collect();
        let wanted = wanted.iter().map(|(id, merged)| Named {
            id: (*id).into(),
            merged: owned(merged),
        });
        assert_eq!(name(&clusters, known), wanted.collect::<Vec<_>>());
    }

    #[test]
    fn an_id_stays_where_most_of_its_tests_are() {
        names(&[&["a", "b"]], &[], &[("a", &[])]);
        let before = [known("a", 1, &["a", "b", "c"])];
        names(
            &[&["b", "c", "d"], &["e"]],
            &before,
            &[("a", &[]), ("e", &[])],
        );
        // What it was named after has left: that one is called otherwise.
        let of_a = &Sha::of(b"a").to_string()[..12];
        names(&[&["a"], &["b", "c"]], &before, &[(of_a, &[]), ("a", &[])]);
        // Half and half: it stays with its first test.
        let before = [known("a", 1, &["a", "b"])];
        names(&[&["b"], &["a"]], &before, &[("b", &[]), ("a", &[])]);
    }

    #[test]
    fn a_merge_keeps_the_older_and_a_split_gives_back() {
        let before = [known("b", 2, &["b"]), known("a", 1, &["a"])];
        names(&[&["b", "a"]], &before, &[("a", &["b"])]);
        names(&[&["a"], &["b"]], &before, &[("a", &[]), ("b", &[])]);
        let before = [known("a", 1, &["a", "b", "c"]), known("b", 2, &["b"])];
        names(&[&["a", "c"], &["b"]], &before, &[("a", &[]), ("b", &[])]);
    }
}
