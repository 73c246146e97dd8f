//! Lists of tests: which known list a run is written against, and what is new about it.
//!
//! A list is stored once; a run names what differs from it. A list that is close to a known one is stored as what differs
//! from that. It is written whole again when more than a twentieth has drifted: tests that are new, that are expected to go
//! otherwise, or that take another time.

use std::borrow::Cow;
use std::collections::HashMap;

use super::duration::Duration;

/// One part in so many may drift.
const DRIFT: usize = 20;

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

/// Tests at hand, found by suite and name.
pub(crate) struct Tests<'t, 'a> {
    tests: &'t [Listed<'a>],
    numbers: HashMap<(&'a str, &'a str), usize>,
}

impl<'t, 'a> Tests<'t, 'a> {
    pub(crate) fn new(tests: &'t [Listed<'a>]) -> Self {
        let numbers = tests
            .iter()
            .enumerate()
            .map(|(number, test)| ((test.suite, test.name), number));
        Self {
            tests,
            numbers: numbers.collect(),
        }
    }

    /// Returns how the tests stand to a known list; nothing when they are too far from it.
    pub(crate) fn fit<'k>(&self, known: impl Iterator<Item = Listed<'k>>) -> Option<Fit> {
        let count = self.tests.len();
        // For each place of the known list, the test at hand.
        let mut here: Vec<Option<usize>> = Vec::new();
        let mut at: Vec<Option<usize>> = vec![None; count];
        let mut changed: Vec<(usize, String)> = Vec::new();
        let mut moved = 0;
        for (place, before) in known.enumerate() {
            let number = self.numbers.get(&(before.suite, before.name)).copied();
            // A list that names a test twice was not written by us; its first place counts.
            let number = number.filter(|&number| at[number].is_none());
            here.push(number);
            let Some(number) = number else { continue };
            at[number] = Some(place);
            let test = &self.tests[number];
            moved += usize::from(test.duration.has_moved(before.duration));
            if test.expected != before.expected {
                changed.push((number, before.expected.into_owned()));
            }
        }
        let added = at.iter().filter(|place| place.is_none()).count();
        if (added + moved + changed.len()) * DRIFT > count {
            return None;
        }
        let mut fit = Fit::default();
        if changed.len() <= MOST_EXCEPTIONS {
            fit.exceptions = changed.into_iter().collect();
        } else {
            for (number, _) in changed {
                if let Some(place) = at[number].take() {
                    here[place] = None;
                }
            }
        }
        let added: Vec<usize> = (0..count).filter(|&number| at[number].is_none()).collect();
        let gaps = gaps(here.iter().map(Option::is_some));
        let names: usize = self.tests.iter().map(|test| test.name.len() + 3).sum();
        if gaps.len() > MOST_GAPS && gaps.len() * GAP_SIZE > names / 4 {
            return None;
        }
        if added.is_empty() && gaps.len() <= MOST_GAPS {
            fit.length = to_u32(here.len());
            fit.places = at.iter().map(|place| place.map_or(0, to_u32)).collect();
            return Some(fit);
        }
        let mut next = 0;
        fit.places = vec![0; count];
        for number in here.iter().flatten() {
            fit.places[*number] = next;
            next += 1;
        }
        for &number in &added {
            fit.places[number] = next;
            next += 1;
        }
        fit.length = next;
        fit.without = gaps;
        fit.added = added;
        Some(fit)
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

    /// Fits some numbered tests to a list of others.
    fn fit(tests: &[String], known: &[String]) -> Option<Fit> {
        let tests = listed(tests);
        Tests::new(&tests).fit(listed(known).into_iter())
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
        assert_eq!(Tests::new(&now).fit(known.iter().cloned()), None);
        now[0].duration = Duration::of_milliseconds(9.0);
        assert!(
            Tests::new(&now)
                .fit(known.into_iter())
                .unwrap()
                .is_same_list()
        );
    }

    #[test]
    fn another_expectation_is_an_exception() {
        let all = names(0..100);
        let known = listed(&all);
        let mut now = known.clone();
        now[3].expected = Cow::Borrowed("s");
        let fit = Tests::new(&now).fit(known.into_iter()).unwrap();
        assert_eq!(fit.exceptions, HashMap::from([(3, "p".to_owned())]));
    }

    #[test]
    fn every_other_test_is_another_list() {
        assert_eq!(fit(&names((0..100).map(|n| n * 2)), &names(0..200)), None);
    }
}
