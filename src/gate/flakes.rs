//! What the tests of a run say, judged anew by the base's quarantine: from what each job left, and not from what it exited with.
//!
//! Invariant: of each leg of a job the last attempt counts alone, and what nobody left is no pass.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Capability, Problem};
use crate::flakes::gate::{Law, Ruling, rule};
use crate::flakes::quarantine::shown;
use crate::order;

/// So many failed tests of a job are named one by one.
const MOST_NAMED: usize = 5;

/// What a leg of a job left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) job: String,
    /// Shard or axes; empty where there is one leg.
    pub(crate) part: String,
    pub(crate) attempt: u32,
    /// Suite and name of each test that failed and did not pass later.
    pub(crate) failures: Vec<(String, String)>,
}

/// How often a test fails.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rate {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) executions: u64,
}

/// A test in quarantine that failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) test: String,
    /// By the stored history, where there is one.
    pub(crate) rate: Option<Rate>,
    pub(crate) owner: Option<String>,
    pub(crate) review_by: Date,
    /// Whether it is forgiven, or would be.
    pub(crate) is_forgiven: bool,
}

/// A planned job of which reports are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reporting {
    pub(crate) id: String,
    pub(crate) legs: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) problems: Vec<Problem>,
    /// Known flakes, with the suite and name of each; in order.
    pub(crate) known: Vec<((String, String), Known)>,
}

/// Leaves of each leg what its last attempt left. A leg may have left several parts.
pub(crate) fn last(legs: Vec<Leg>) -> Vec<Leg> {
    let mut newest: BTreeMap<(String, String), u32> = BTreeMap::new();
    for leg in &legs {
        let known = newest
            .entry((leg.job.clone(), leg.part.clone()))
            .or_default();
        *known = leg.attempt.max(*known);
    }
    let is_last =
        |leg: &Leg| newest.get(&(leg.job.clone(), leg.part.clone())) == Some(&leg.attempt);
    legs.into_iter().filter(is_last).collect()
}

/// Judges the failed tests; `expected` are the jobs whose reports must be among what was left, where all of that was read.
pub(crate) fn judge(legs: &[Leg], expected: Option<&[Reporting]>, law: &Law<'_>) -> Judged {
    let mut judged = Judged::default();
    let mut by_job: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for leg in legs {
        let failures = leg.failures.iter();
        let failures = failures.map(|(suite, test)| (suite.as_str(), test.as_str()));
        by_job.entry(&leg.job).or_default().extend(failures);
    }
    for (job, failures) in &by_job {
        let mut unforgiven = Vec::new();
        for (suite, test) in failures {
            let entry = law.quarantine.find(suite, test);
            let ruling = rule(entry, (suite, test, ""), true, law);
            match ruling {
                Ruling::Forgiven(entry) => known(&mut judged, &entry, true),
                Ruling::NotEnforced => {
                    if let Some(entry) = entry {
                        known(&mut judged, entry, false);
                    }
                }
                Ruling::Overdue(entry) => judged.problems.push(overdue(job, &entry)),
                Ruling::Never(_) | Ruling::NotQuarantined | Ruling::NotWhole => {
                    unforgiven.push(shown(suite, test));
                }
            }
        }
        judged.problems.extend(failed(job, &unforgiven));
    }
    order::sort_by(&mut judged.known, |(a, _), (b, _)| a.cmp(b));
    judged.known.dedup_by(|(a, _), (b, _)| a == b);
    judged
        .problems
        .extend(lost(legs, expected.unwrap_or_default()));
    judged
}

fn known(judged: &mut Judged, entry: &crate::flakes::quarantine::Entry, is_forgiven: bool) {
    let known = Known {
        test: entry.shown(),
        rate: None,
        owner: entry.owner.clone(),
        review_by: entry.review_by,
        is_forgiven,
    };
    judged
        .known
        .push(((entry.suite.clone(), entry.test.clone()), known));
}

fn problem(rule: &str, about: &str, words: String, fix: &str) -> Problem {
    Problem::new(Capability::Flakes, rule, about, words, fix)
}

fn overdue(job: &str, entry: &crate::flakes::quarantine::Entry) -> Problem {
    let words = format!(
        "`{}` failed in `{job}`, and its quarantine ended on {}",
        entry.shown(),
        entry.review_by
    );
    let fix = "mend it, or `maestro flakes quarantine extend` it by a change of its own";
    problem("quarantine-overdue", &entry.shown(), words, fix)
}

const MEND: &str = "mend it; a flaky one goes into quarantine by a change of its own";

fn failed(job: &str, tests: &[String]) -> Vec<Problem> {
    if tests.len() <= MOST_NAMED {
        let one = |test: &String| {
            let words = format!("`{test}` failed in `{job}`, and nothing forgives it");
            problem("test-failed", test, words, MEND)
        };
        return tests.iter().map(one).collect();
    }
    let named: Vec<String> = tests[..MOST_NAMED]
        .iter()
        .map(|test| format!("`{test}`"))
        .collect();
    let words = format!(
        "{} tests failed in `{job}`, and nothing forgives them: {} and {} more",
        tests.len(),
        named.join(", "),
        tests.len() - MOST_NAMED
    );
    vec![problem("test-failed", job, words, MEND)]
}

fn lost(legs: &[Leg], expected: &[Reporting]) -> Vec<Problem> {
    let lost = expected.iter().filter_map(|job| {
        let found: BTreeSet<&str> = legs
            .iter()
            .filter(|leg| leg.job == job.id)
            .map(|leg| leg.part.as_str())
            .collect();
        let found = found.len() as u64;
        (found < job.legs).then(|| {
            let words = format!(
                "of `{}` {found} of {} runs left their test results",
                job.id, job.legs
            );
            let fix = "look whether the job wrote its reports, and whether `save` runs after it with `if: always()`";
            problem("report-lost", &job.id, words, fix)
        })
    });
    lost.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flakes::quarantine::Quarantine;

    fn leg(job: &str, leg: &str, attempt: u32, failures: &[&str]) -> Leg {
        let failures = failures.iter();
        Leg {
            job: job.into(),
            part: leg.into(),
            attempt,
            failures: failures.map(|test| ("s".into(), (*test).into())).collect(),
        }
    }

    fn quarantine() -> Quarantine {
        let entry = |test: &str, until: &str| {
            format!(
                r#"{{"suite": "s", "test": "{test}", "reason": "r", "owner": "@a", "since": "2026-01-01", "review_by": "{until}"}}"#
            )
        };
        let text = format!(
            r#"{{"schema": "maestro.quarantine/v1", "tests": [{}, {}, {}]}}"#,
            entry("flaky", "2026-02-01"),
            entry("late", "2026-01-02"),
            entry("secure", "2026-02-01")
        );
        Quarantine::read(text.as_bytes()).unwrap()
    }

    /// The rules of the problems, and the known flakes.
    fn judged(
        legs: &[Leg],
        expected: Option<&[Reporting]>,
        is_enforced: bool,
    ) -> (Vec<String>, Vec<String>) {
        let quarantine = quarantine();
        let law = Law {
            quarantine: &quarantine,
            today: "2026-01-05".parse().unwrap(),
            is_enforced,
            never: &|_, test, _| (test == "secure").then(|| "secure".to_owned()),
            failed: None,
        };
        let judged = judge(legs, expected, &law);
        let rule = |problem: &Problem| format!("{} {}", problem.rule, problem.about);
        let known = judged.known.iter().map(|(_, known)| known.test.clone());
        (judged.problems.iter().map(rule).collect(), known.collect())
    }

    #[test]
    fn each_failure_is_judged_by_the_bases_quarantine() {
        let legs = [
            leg("unit", "1/2", 1, &["flaky", "broken"]),
            leg("unit", "2/2", 1, &["late", "secure"]),
        ];
        let (problems, known) = judged(&legs, None, true);
        assert_eq!(
            problems,
            [
                "quarantine-overdue s > late",
                "test-failed s > broken",
                "test-failed s > secure"
            ]
        );
        assert_eq!(known, ["s > flaky"]);
        // In shadow what would be forgiven is known all the same, and what is not blocks as little as ever.
        assert_eq!(judged(&legs, None, false), (problems, known));
    }

    #[test]
    fn a_job_of_many_failures_is_one_thing_to_do() {
        let names: Vec<String> = (0..200).map(|number| format!("t{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (problems, _) = judged(&[leg("unit", "", 1, &names)], None, true);
        assert_eq!(problems, ["test-failed unit"]);
    }

    #[test]
    fn the_last_attempt_counts_alone() {
        let legs = vec![
            leg("unit", "1/2", 1, &["broken"]),
            leg("unit", "1/2", 2, &[]),
            leg("unit", "2/2", 1, &["flaky"]),
        ];
        let kept = last(legs);
        assert_eq!(kept.len(), 2);
        assert_eq!(judged(&kept, None, true).0, [""; 0]);
    }

    #[test]
    fn what_nobody_left_is_lost() {
        let expected = [
            Reporting {
                id: "unit".into(),
                legs: 2,
            },
            Reporting {
                id: "web".into(),
                legs: 1,
            },
        ];
        let legs = [leg("unit", "1/2", 1, &[])];
        let (problems, _) = judged(&legs, Some(&expected), true);
        assert_eq!(problems, ["report-lost unit", "report-lost web"]);
        assert_eq!(judged(&legs, None, true).0, [""; 0]);
        let legs = [
            leg("unit", "1/2", 1, &[]),
            leg("unit", "2/2", 1, &[]),
            leg("web", "", 1, &[]),
        ];
        assert_eq!(judged(&legs, Some(&expected), true).0, [""; 0]);
    }

    proptest! {
        #[test]
        fn no_failure_vanishes(failures in prop::collection::btree_set("[a-z]{1,3}", 0..12), attempts in 1_u32..4) {
            let names: Vec<&str> = failures.iter().map(String::as_str).collect();
            let legs: Vec<Leg> = (1..=attempts).map(|attempt| leg("j", "", attempt, if attempt == attempts { &names } else { &["early"] })).collect();
            let (problems, known) = judged(&last(legs), None, true);
            prop_assert_eq!(problems.is_empty() && known.is_empty(), names.is_empty());
            prop_assert!(!problems.iter().any(|problem| problem.contains("early")));
        }
    }
}
