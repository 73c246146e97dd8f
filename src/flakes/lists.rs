//! Lists of tests: which known list a run is written against, and what is new about it.
//!
//! A list is stored once; a run names what differs from it. A list that is close to a known one is stored as what differs
//! from that. When more than a twentieth has drifted (tests that are new, that are expected to go otherwise, or that take
//! another time) a checkpoint is written: a list with the duration of every test.

use std::borrow::Cow;
use std::collections::HashMap;

use super::duration::Duration;

/// One part in so many may drift.
const DRIFT: usize = 20;

/// So many tests may drift however few there are.
const ALWAYS: usize = 1;

/// One part in so many may be new in a list that stands on another.
const RELATED: usize = 3;

/// So many tests with another expectation are exceptions, written in the run; more make another list.
const MOST_EXCEPTIONS: usize = 64;

/// So many gaps are written in the run; more make another list.
const MOST_GAPS: usize = 8;

/// About what a gap takes, in bytes.
const GAP_SIZE: usize = 10;

/// A test of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed<'a> {
    pub(crate) suite: &'a str,
    pub(crate) name: &'a str,
    /// The sequence of a healthy run.
    pub(crate) expected: Cow<'a, str>,
    pub(crate) duration: Duration,
}

/// How the tests at hand stand to a known list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Ranges of the known list that are left out: first place and length.
    pub(crate) without: Vec<(u32, u32)>,
    /// Tests at hand, by number, that come after what is left of the known list.
    pub(crate) added: Vec<usize>,
    /// Where each test at hand stands in the list that this makes.
    pub(crate) places: Vec<u32>,
    /// For tests at hand with another expectation than the known list, that list's.
    pub(crate) exceptions: HashMap<usize, String>,
    /// How many tests the list has.
    pub(crate) length: u32,
}

impl Fit {
    /// Whether the known list itself will do.
    pub(crate) fn is_same_list(&self) -> bool {
        self.without.is_empty() && self.added.is_empty()
    }
}

/// A place of a known list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'k> {
    /// Which of the tests at hand stands there.
    pub(crate) number: Option<usize>,
    pub(crate) expected: &'k str,
    pub(crate) duration: Duration,
}

/// The tests at hand beside a known list.
#[derive(Debug)]
pub(crate) struct Comparison<'t, 'a> {
    tests: &'t [Listed<'a>],
    /// For each place of the known list, the test at hand.
    here: Vec<Option<usize>>,
    /// For each test at hand, its place.
    at: Vec<Option<usize>>,
    /// Tests with another expectation than the known list, and that list's.
    changed: Vec<(usize, String)>,
    gaps: Vec<(u32, u32)>,
    /// Tests that are new.
    added: usize,
    /// Tests that take another time.
    moved: usize,
}

impl<'t, 'a> Comparison<'t, 'a> {
    pub(crate) fn new<'k>(tests: &'t [Listed<'a>], known: impl Iterator<Item = Known<'k>>) -> Self {
        let mut here: Vec<Option<usize>> = Vec::with_capacity(tests.len());
        let mut at: Vec<Option<usize>> = vec![None; tests.len()];
        let mut changed: Vec<(usize, String)> = Vec::new();
        let mut moved = 0;
        for (place, before) in known.enumerate() {
            // A list that names a test twice was not written by us; its first place counts.
            let number = before.number.filter(|&number| at[number].is_none());
            here.push(number);
            let Some(number) = number else { continue };
            at[number] = Some(place);
            let test = &tests[number];
            moved += usize::from(test.duration.has_moved(before.duration));
            if test.expected != before.expected {
                changed.push((number, before.expected.to_owned()));
            }
        }
        let added = at.iter().filter(|place| place.is_none()).count();
        let gaps = gaps(here.iter().map(Option::is_some));
        Self {
            tests,
            here,
            at,
            changed,
            gaps,
            added,
            moved,
        }
    }

    /// Whether so little has drifted since a checkpoint that no new one is needed.
    pub(crate) fn is_close(&self) -> bool {
        let drift = self.added + self.moved + self.changed.len();
        drift <= (self.tests.len() / DRIFT).max(ALWAYS) && self.is_related()
    }

    /// Whether naming what differs takes much less than naming all tests.
    pub(crate) fn is_related(&self) -> bool {
        let names: usize = self.tests.iter().map(|test| test.name.len() + 3).sum();
        let has_few_gaps = self.gaps.len() <= MOST_GAPS || self.gaps.len() * GAP_SIZE <= names / 4;
        let new = self.added + self.changed.len();
        has_few_gaps && new * RELATED <= self.tests.len()
    }

    /// Returns about how many bytes it takes to say what differs.
    pub(crate) fn cost(&self) -> usize {
        let new = self.at.iter().zip(self.tests);
        let names = new.filter(|(place, _)| place.is_none());
        let names: usize = names.map(|(_, test)| test.name.len() + GAP_SIZE).sum();
        names + (self.gaps.len() + self.changed.len()) * GAP_SIZE
    }

    /// Returns the list that this makes; a checkpoint takes every expectation anew.
    pub(crate) fn into_fit(self, is_checkpoint: bool) -> Fit {
        let Self {
            tests,
            mut here,
            mut at,
            changed,
            mut gaps,
            ..
        } = self;
        let mut fit = Fit::default();
        if changed.len() <= MOST_EXCEPTIONS && !is_checkpoint {
            fit.exceptions = changed.into_iter().collect();
        } else {
            for (number, _) in changed {
                if let Some(place) = at[number].take() {
                    here[place] = None;
                }
            }
            gaps = self::gaps(here.iter().map(Option::is_some));
        }
        let added: Vec<usize> = (0..tests.len())
            .filter(|&number| at[number].is_none())
            .collect();
        if added.is_empty() && gaps.len() <= MOST_GAPS && !is_checkpoint {
            fit.length = to_u32(here.len());
            fit.places = at.iter().map(|place| place.map_or(0, to_u32)).collect();
            return fit;
        }
        let mut next = 0;
        fit.places = vec![0; tests.len()];
        for number in here.iter().flatten().chain(&added) {
            fit.places[*number] = next;
            next += 1;
        }
        fit.length = next;
        fit.without = gaps;
        fit.added = added;
        fit
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns the ranges of places that are not present: first place and length.
pub(crate) fn gaps(present: impl Iterator<Item = bool>) -> Vec<(u32, u32)> {
    let mut gaps: Vec<(u32, u32)> = Vec::new();
    for (place, _) in (0_u32..).zip(present).filter(|(_, here)| !*here) {
        match gaps.last_mut() {
            Some((first, length)) if *first + *length == place => *length += 1,
            _ => gaps.push((place, 1)),
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: &[String]) -> Vec<Listed<'_>> {
        let tests = names.iter().map(|name| Listed {
            suite: "s",
            name,
            expected: Cow::Borrowed("p"),
            duration: Duration::of_milliseconds(5.0),
        });
        tests.collect()
    }

    fn names(numbers: impl Iterator<Item = u32>) -> Vec<String> {
        numbers.map(|number| format!("t{number:03}")).collect()
    }

    fn compare<'t, 'a>(tests: &'t [Listed<'a>], known: &[Listed<'_>]) -> Comparison<'t, 'a> {
        let known = known.iter().map(|test| Known {
            number: tests.iter().position(|other| other.name == test.name),
            expected: test.expected.as_ref(),
            duration: test.duration,
        });
        Comparison::new(tests, known)
    }

    /// Fits some numbered tests to a list of others.
    fn fit(tests: &[String], known: &[String]) -> Option<Fit> {
        let tests = listed(tests);
        let comparison = compare(&tests, &listed(known));
        comparison.is_close().then(|| comparison.into_fit(false))
    }

    #[test]
    fn the_same_tests_need_no_new_list() {
        let all = names(0..100);
        let fit = fit(&all, &all).unwrap();
        assert!(fit.is_same_list());
        assert_eq!(fit.places, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_part_of_the_tests_needs_no_new_list() {
        let fit = fit(&names(30..40), &names(0..100)).unwrap();
        assert!(fit.is_same_list());
        assert_eq!((fit.length, fit.places[0]), (100, 30));
    }

    #[test]
    fn a_few_new_tests_are_added_to_the_known_list() {
        let now: Vec<String> = names((0..100).filter(|n| *n != 7))
            .into_iter()
            .chain(names(500..503))
            .collect();
        let fit = fit(&now, &names(0..100)).unwrap();
        assert_eq!(fit.without, [(7, 1)]);
        assert_eq!(fit.added, [99, 100, 101]);
        assert_eq!((fit.places[7], fit.places[101], fit.length), (7, 101, 102));
    }

    #[test]
    fn more_than_a_twentieth_of_new_tests_is_another_list() {
        assert_eq!(fit(&names(5..105), &names(0..100)).unwrap().added.len(), 5);
        assert_eq!(fit(&names(6..106), &names(0..100)), None);
    }

    #[test]
    fn durations_that_moved_are_drift_too() {
        let all = names(0..100);
        let known = listed(&all);
        let mut now = known.clone();
        for test in &mut now[..6] {
            test.duration = Duration::of_milliseconds(500.0);
        }
        assert!(!compare(&now, &known).is_close());
        now[0].duration = Duration::of_milliseconds(9.0);
        let comparison = compare(&now, &known);
        assert!(comparison.is_close() && comparison.into_fit(false).is_same_list());
    }

    #[test]
    fn another_expectation_is_an_exception() {
        let all = names(0..100);
        let known = listed(&all);
        let mut now = known.clone();
        now[3].expected = Cow::Borrowed("s");
        let fit = compare(&now, &known).into_fit(false);
        assert_eq!(fit.exceptions, HashMap::from([(3, "p".to_owned())]));
    }

    #[test]
    fn every_other_test_is_another_list() {
        assert_eq!(fit(&names((0..100).map(|n| n * 2)), &names(0..200)), None);
    }

    #[test]
    fn a_difference_costs_its_new_names_its_gaps_and_its_exceptions() {
        let known_names = names(0..100);
        let known = listed(&known_names);
        assert_eq!(compare(&known, &known).cost(), 0);
        // Two gaps, three new tests of four letters, one exception.
        let wanted = (0..100).filter(|number| ![7, 8, 50].contains(number));
        let now_names = names(wanted.chain(500..503));
        let mut now = listed(&now_names);
        now[3].expected = Cow::Borrowed("s");
        assert_eq!(
            compare(&now, &known).cost(),
            3 * (4 + GAP_SIZE) + 3 * GAP_SIZE
        );
    }
}
