//! `flakes`: how likely flaky tests in the files that the change touches fail its next run.
//!
//! With independent tests the run passes with the product of what each passes with; the rates are posterior means under Jeffreys' prior
//! (`src/stats.rs`), as `flakes report` shows them.

use super::super::{Evidence, Factor, Subject, percent};
use super::About;
use crate::flakes::verdict;

pub(super) const ABOUT: About = About {
    name: "flakes",
    what: "how likely flaky tests in files that it touches fail its next run",
    weight: 15,
    judge,
};

fn judge(subject: &Subject<'_>) -> Factor {
    let Some(tests) = subject.tests else {
        return Factor::unknown(ABOUT.name, "no test run is stored");
    };
    if tests.touched == 0 && tests.flaky.is_empty() {
        return Factor::unknown(
            ABOUT.name,
            "no test that is known is in a file that it touches",
        );
    }
    let passes: f64 = tests
        .flaky
        .iter()
        .map(|test| 1.0 - test.rate.clamp(0.0, 1.0))
        .product();
    let evidence: Vec<Evidence> = tests
        .flaky
        .iter()
        .map(|test| {
            let text = format!(
                "is flaky: {} of one run, {} of {} failed",
                verdict::percent(test.rate),
                test.failures,
                test.runs
            );
            Evidence::of(test.name.clone(), text).at(&test.path, None)
        })
        .collect();
    let known = verdict::times(tests.touched, "test");
    let why = match tests.flaky.len() {
        0 => format!("{known} in files that it touches, none of them flaky"),
        flaky => format!("{flaky} flaky among {known} in files that it touches"),
    };
    let all = (0..evidence.len()).collect();
    Factor::known(ABOUT.name, percent(passes), why, evidence)
        .advise("mend them while their files are open, or put them in quarantine (`maestro flakes quarantine add`)", all)
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::NOTHING;
    use super::super::super::{Flaky, Tests};
    use super::*;

    fn score(touched: u64, rates: &[f64]) -> Option<u8> {
        let flaky = rates.iter().map(|rate| Flaky {
            name: "t".into(),
            path: "tests/a.py".into(),
            rate: *rate,
            failures: 1,
            runs: 10,
        });
        let tests = Tests {
            touched,
            flaky: flaky.collect(),
        };
        judge(&Subject {
            tests: Some(&tests),
            ..NOTHING
        })
        .score
    }

    #[test]
    fn the_score_is_how_likely_all_of_them_pass() {
        assert_eq!(score(3, &[]), Some(100));
        assert_eq!(score(3, &[0.5]), Some(50));
        assert_eq!(score(3, &[0.5, 0.5]), Some(25));
        assert_eq!(score(3, &[0.001]), Some(99));
        assert_eq!(score(3, &[1.5]), Some(0));
    }

    #[test]
    fn nobody_knows_without_a_test() {
        assert_eq!(score(0, &[]), None);
        assert_eq!(judge(&NOTHING).score, None);
    }
}
