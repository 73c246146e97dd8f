//! Tests under new names: what was called otherwise before keeps its history.
//!
//! From one run of a job to the next some tests are gone and others have come. A suite that went as a whole while another came with the
//! same tests was moved; so was a test whose name went from one suite and came in another; and where one test went from a suite and
//! one came in it, with much the same name, it was renamed. What could mean two tests means none. Names are alike from half of their
//! pairs of letters on (Dice, Ecology 26:3, 1945), as git takes a file for renamed from half of its content on (gitdiffcore, `-M`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A test that went or came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'h> {
    pub(super) test: u32,
    pub(super) suite: &'h str,
    pub(super) name: &'h str,
}

/// What is different from one run to the next.
#[derive(Debug, Default)]
pub(super) struct Step<'h> {
    pub(super) gone: Vec<Named<'h>>,
    pub(super) come: Vec<Named<'h>>,
    /// Suites of which something stayed.
    pub(super) stayed: HashSet<&'h str>,
}

/// Names are the same test's from so much likeness on.
const ALIKE: f64 = 0.5;

impl Step<'_> {
    /// Returns which test came for which: pairs of the old and the new one, in order, each at most once.
    pub(super) fn renamed(&self) -> Vec<(u32, u32)> {
        let mut found = Pairs::default();
        self.suites(&mut found);
        self.moved(&mut found);
        self.renamed_in_place(&mut found);
        found.pairs.into_iter().collect()
    }

    /// Whole suites under other names.
    fn suites(&self, found: &mut Pairs) {
        let gone = by_suite(
            self.gone
                .iter()
                .filter(|test| !self.stayed.contains(test.suite)),
        );
        let come = by_suite(
            self.come
                .iter()
                .filter(|test| !self.stayed.contains(test.suite)),
        );
        let mut with_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for (suite, tests) in &come {
            for name in tests.keys() {
                with_name.entry(name).or_default().push(suite);
            }
        }
        // How many tests two suites share.
        let mut shared: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (old, tests) in &gone {
            for name in tests.keys() {
                // A name that every suite has tells nothing.
                let suites = with_name.get(name).map_or(&[][..], Vec::as_slice);
                for new in suites.iter().take(MOST_SUITES) {
                    *shared.entry((old, new)).or_default() += 1;
                }
            }
        }
        let pairs: Vec<(&str, &str, usize)> = shared
            .into_iter()
            .filter(|((old, new), same)| 2 * same >= gone[old].len().max(come[new].len()))
            .map(|((old, new), same)| (old, new, same))
            .collect();
        for (old, new) in best(&pairs) {
            for (name, test) in &gone[old] {
                if let Some(came) = come[new].get(name) {
                    found.add(*test, *came);
                }
            }
        }
    }

    /// Tests whose names went from one suite and came in another.
    fn moved(&self, found: &mut Pairs) {
        let (gone, come) = found.rest(self);
        let once = |tests: &[Named<'_>]| -> BTreeMap<String, Option<u32>> {
            let mut once: BTreeMap<String, Option<u32>> = BTreeMap::new();
            for test in tests {
                once.entry(test.name.to_owned())
                    .and_modify(|known| *known = None)
                    .or_insert(Some(test.test));
            }
            once
        };
        let come = once(&come);
        for (name, old) in once(&gone) {
            if let (Some(old), Some(Some(new))) = (old, come.get(&name)) {
                found.add(old, *new);
            }
        }
    }

    /// The only test that went from a suite, and the only one that came in it.
    fn renamed_in_place(&self, found: &mut Pairs) {
        let (gone, come) = found.rest(self);
        let (gone, come) = (by_suite(gone.iter()), by_suite(come.iter()));
        for (suite, old) in &gone {
            let (Some((old_name, old)), 1) = (old.first_key_value(), old.len()) else {
                continue;
            };
            let new = come.get(suite).filter(|new| new.len() == 1);
            if let Some((new_name, new)) = new.and_then(BTreeMap::first_key_value)
                && likeness(old_name, new_name) >= ALIKE
            {
                found.add(*old, *new);
            }
        }
    }
}

/// A name in more suites than this is no sign of any of them.
const MOST_SUITES: usize = 20;

/// Pairs that were found.
#[derive(Default)]
struct Pairs {
    pairs: BTreeSet<(u32, u32)>,
    taken: HashSet<u32>,
}

impl Pairs {
    fn add(&mut self, old: u32, new: u32) {
        if !self.taken.contains(&old) && !self.taken.contains(&new) {
            self.taken.extend([old, new]);
            self.pairs.insert((old, new));
        }
    }

    /// Returns the tests that are in no pair.
    fn rest<'h>(&self, step: &Step<'h>) -> (Vec<Named<'h>>, Vec<Named<'h>>) {
        let rest = |tests: &[Named<'h>]| {
            let rest = tests.iter().filter(|test| !self.taken.contains(&test.test));
            rest.copied().collect()
        };
        (rest(&step.gone), rest(&step.come))
    }
}

fn by_suite<'t, 'h: 't>(
    tests: impl Iterator<Item = &'t Named<'h>>,
) -> BTreeMap<&'h str, BTreeMap<&'h str, u32>> {
    let mut suites: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for test in tests {
        suites
            .entry(test.suite)
            .or_default()
            .insert(test.name, test.test);
    }
    suites
}

/// Returns the pairs that are the best one of both sides, and the only best one.
fn best<'s>(pairs: &[(&'s str, &'s str, usize)]) -> Vec<(&'s str, &'s str)> {
    let top = |of: fn(&(&'s str, &'s str, usize)) -> &'s str| {
        let mut top: HashMap<&str, (usize, bool)> = HashMap::new();
        for pair in pairs {
            let (most, is_only) = top.entry(of(pair)).or_insert((0, true));
            if pair.2 > *most {
                (*most, *is_only) = (pair.2, true);
            } else if pair.2 == *most {
                *is_only = false;
            }
        }
        top
    };
    let (old, new) = (top(|pair| pair.0), top(|pair| pair.1));
    let is_best = |pair: &&(&'s str, &'s str, usize)| {
        old.get(pair.0) == Some(&(pair.2, true)) && new.get(pair.1) == Some(&(pair.2, true))
    };
    pairs
        .iter()
        .filter(is_best)
        .map(|pair| (pair.0, pair.1))
        .collect()
}

/// Returns how much two names have in common: twice the pairs of letters that both have, by all that they have.
fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |text: &str| -> BTreeMap<(char, char), u32> {
        let mut pairs = BTreeMap::new();
        // Nobody writes longer names by hand.
        let text = text.chars().take(LONGEST);
        for pair in text.clone().zip(text.skip(1)) {
            *pairs.entry(pair).or_default() += 1;
        }
        pairs
    };
    let (a, b) = (pairs(a), pairs(b));
    let same: u32 = a
        .iter()
        .map(|(pair, times)| b.get(pair).map_or(0, |other| *times.min(other)))
        .sum();
    let all: u32 = a.values().chain(b.values()).sum();
    f64::from(2 * same) / f64::from(all.max(1))
}

const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step<'h>(gone: &[&'h str], come: &[&'h str], stayed: &[&'h str]) -> Step<'h> {
        let named = |names: &[&'h str], first: u32| {
            let tests = (first..).zip(names);
            tests
                .map(|(test, name)| {
                    let (suite, name) = name.split_once(' ').unwrap();
                    Named { test, suite, name }
                })
                .collect()
        };
        Step {
            gone: named(gone, 0),
            come: named(come, 100),
            stayed: stayed.iter().copied().collect(),
        }
    }

    #[track_caller]
    fn check(gone: &[&str], come: &[&str], stayed: &[&str], pairs: &[(u32, u32)]) {
        assert_eq!(step(gone, come, stayed).renamed(), pairs);
    }

    #[test]
    fn a_suite_is_moved_as_a_whole() {
        check(
            &["a one", "a two", "a three", "b one", "b four", "c five"],
            &["x.a one", "x.a two", "x.a three", "x.b one", "x.b four"],
            &["c"],
            &[(0, 100), (1, 101), (2, 102), (3, 103), (4, 104)],
        );
        // Either of two may be the old one.
        check(&["a one"], &["x one", "y one"], &[], &[]);
    }

    #[test]
    fn a_test_is_moved_when_its_name_means_one() {
        check(&["a one", "a two"], &["b one"], &["a", "b"], &[(0, 100)]);
        check(&["a one", "c one"], &["b one"], &["a", "b", "c"], &[]);
    }

    #[test]
    fn a_test_is_renamed_in_its_suite_when_it_is_the_only_one() {
        check(
            &["a test_adds_numbers"],
            &["a test_adds_two_numbers"],
            &["a"],
            &[(0, 100)],
        );
        check(&["a test_adds"], &["a renders_page"], &["a"], &[]);
        check(
            &["a test_adds_1", "a test_adds_2"],
            &["a test_adds_3"],
            &["a"],
            &[],
        );
        check(&["a x"], &[], &["a"], &[]);
    }

    #[test]
    fn likeness_is_a_share() {
        assert!((likeness("night", "nacht") - 0.25).abs() < 1e-9);
        assert!((likeness("same", "same") - 1.0).abs() < 1e-9);
        assert!(likeness("", "") < 1e-9);
    }

    proptest! {
        #[test]
        fn each_test_is_in_one_pair_at_most_whatever_the_order(
            gone in prop::collection::btree_set("[ab] [xyz]{1,3}", 0..8),
            come in prop::collection::btree_set("[abc] [xyz]{1,3}", 0..8),
            stayed in any::<bool>(),
        ) {
            let come = come.difference(&gone).map(String::as_str).collect::<Vec<_>>();
            let gone = gone.iter().map(String::as_str).collect::<Vec<_>>();
            let stayed = if stayed { &["a"][..] } else { &[] };
            let step_1 = step(&gone, &come, stayed);
            let pairs = step_1.renamed();
            let old: BTreeSet<u32> = pairs.iter().map(|pair| pair.0).collect();
            let new: BTreeSet<u32> = pairs.iter().map(|pair| pair.1).collect();
            prop_assert_eq!((old.len(), new.len()), (pairs.len(), pairs.len()));
            let mut turned = step(&gone, &come, stayed);
            turned.gone.reverse();
            turned.come.reverse();
            prop_assert_eq!(turned.renamed(), pairs);
        }
    }
}
