//! Counts of a run: what its results say, and what only its report did.

use super::results::kinds;
use crate::junit::{Counts, Outcome};

/// Returns what one test adds to the counts of its report, going by its sequence.
pub(crate) fn of_sequence(sequence: &str) -> Counts {
    let mut counts = Counts::default();
    for (twin, times) in kinds(sequence) {
        counts.cases += times;
        match twin.chars().next_back().and_then(Outcome::from_letter) {
            Some(Outcome::Passed) => counts.passed += times,
            Some(Outcome::Failed) => counts.failed += times,
            Some(Outcome::Errored) => counts.errored += times,
            Some(Outcome::Skipped) => {
                counts.skipped += times;
                continue;
            }
            None => continue,
        }
        counts.attempts += times.wrapping_mul(twin.len() as u64);
    }
    counts
}

macro_rules! stated {
    ($($name:ident),+) => {
        /// Those counts of a report that its results do not give.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(crate) struct Stated {
            $(pub(crate) $name: Option<u64>,)+
        }

        impl Stated {
            /// Keeps what differs from the counts of the results.
            pub(crate) fn new(counts: &Counts, results: &Counts) -> Self {
                Self { $($name: (counts.$name != results.$name).then_some(counts.$name),)+ }
            }

            /// Fills in what the results give.
            pub(crate) fn complete(&self, results: &Counts) -> Counts {
                Counts { $($name: self.$name.unwrap_or(results.$name),)+ }
            }
        }

        /// Takes counts away; results of hostile records may have fewer than nothing.
        pub(crate) fn subtract(counts: &mut Counts, other: &Counts) {
            $(counts.$name = counts.$name.saturating_sub(other.$name);)+
        }
    };
}

stated!(
    attempts, cases, disabled, errored, failed, passed, skipped, suites
);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sequence: &str, cases: u64, passed: u64, failed: u64, skipped: u64, attempts: u64) {
        let counts = of_sequence(sequence);
        assert_eq!(
            (
                counts.cases,
                counts.passed,
                counts.failed,
                counts.skipped,
                counts.attempts
            ),
            (cases, passed, failed, skipped, attempts),
            "{sequence}"
        );
    }

    #[test]
    fn a_sequence_counts_as_its_case_does() {
        check("p", 1, 1, 0, 0, 1);
        check("fp", 1, 1, 0, 0, 2);
        check("fff", 1, 0, 1, 0, 3);
        check("s", 1, 0, 0, 1, 0);
        check("f*3+p*150", 153, 150, 3, 0, 153);
        check("xyz", 1, 0, 0, 0, 0);
    }

    #[test]
    fn what_is_not_stated_is_filled_in() {
        let results = of_sequence("fp");
        let counts = Counts {
            suites: 3,
            ..results
        };
        let stated = Stated::new(&counts, &results);
        assert_eq!(
            stated,
            Stated {
                suites: Some(3),
                ..Stated::default()
            }
        );
        assert_eq!(stated.complete(&results), counts);
    }
}
