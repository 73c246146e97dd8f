//! How the tests of a run went, as a `test-result` has it: passed, passed with a warning, failed.

use crate::flakes::results::{Results, twins};
use crate::junit::Outcome;

/// Names of tests by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    pub(crate) passed: Vec<String>,
    /// Those that failed first and passed when they were run again.
    pub(crate) warned: Vec<String>,
    pub(crate) failed: Vec<String>,
    /// Nothing is said of these but their number.
    pub(crate) skipped: u64,
}

impl Tests {
    /// Sorts the tests of reports; `suites` are reports in which something failed outside every test.
    pub(crate) fn of(results: &Results, suites: &[String]) -> Self {
        let mut tests = Self::default();
        for test in results.tests() {
            let name = if test.suite.is_empty() {
                test.name.to_owned()
            } else {
                format!("{} > {}", test.suite, test.name)
            };
            // Tests of one name are one test: the worst of them counts.
            let mut has_run = false;
            let mut has_failed = false;
            let mut ends_failed = false;
            for (attempts, _) in twins(&test.sequence) {
                let failing = |outcome: &Outcome| outcome.is_failing();
                has_run |= attempts.iter().any(|outcome| *outcome != Outcome::Skipped);
                has_failed |= attempts.iter().any(failing);
                ends_failed |= attempts.last().is_some_and(failing);
            }
            if ends_failed {
                tests.failed.push(name);
            } else if has_failed {
                tests.warned.push(name);
            } else if has_run {
                tests.passed.push(name);
            } else {
                tests.skipped += 1;
            }
        }
        let outside = |report: &String| format!("{report}: outside every test");
        tests.failed.extend(suites.iter().map(outside));
        for names in [&mut tests.passed, &mut tests.warned, &mut tests.failed] {
            names.sort_unstable();
        }
        tests
    }

    /// Whether there is any test at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.skipped == 0
            && [&self.passed, &self.warned, &self.failed]
                .iter()
                .all(|n| n.is_empty())
    }

    /// Returns the word for all of them: nothing passes when nothing ran.
    pub(crate) fn result(&self) -> &'static str {
        if !self.failed.is_empty() {
            "FAILED"
        } else if !self.warned.is_empty() || self.passed.is_empty() {
            "WARNED"
        } else {
            "PASSED"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::junit;

    fn of(report: &str, suites: &[String]) -> Tests {
        let mut results = Results::default();
        let form = junit::form(report.as_bytes());
        junit::read(form, report.as_bytes(), "", &mut |path, serial, case| {
            results.case(path, serial, case, "");
        })
        .unwrap();
        Tests::of(&results, suites)
    }

    #[test]
    fn the_last_attempt_decides_and_an_earlier_failure_warns() {
        let tests = of(
            "<testsuite name=\"s\"><testcase name=\"b\"/><testcase name=\"a\"/><testcase name=\"f\"><failure/></testcase>\
             <testcase name=\"w\"><flakyFailure/></testcase><testcase name=\"k\"><skipped/></testcase></testsuite>",
            &[],
        );
        assert_eq!(tests.passed, ["s > a", "s > b"]);
        assert_eq!(tests.warned, ["s > w"]);
        assert_eq!(tests.failed, ["s > f"]);
        assert_eq!((tests.skipped, tests.result()), (1, "FAILED"));
    }

    #[test]
    fn of_tests_of_one_name_the_worst_counts() {
        let tests = of(
            "<testsuite><testcase name=\"a\"/><testcase name=\"a\"><failure/></testcase></testsuite>",
            &[],
        );
        assert_eq!(tests.failed, ["a"]);
        assert!(tests.passed.is_empty());
    }

    #[test]
    fn nothing_passes_when_nothing_ran_or_a_suite_failed() {
        let skipped = "<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>";
        assert_eq!(of(skipped, &[]).result(), "WARNED");
        let passed = "<testsuite><testcase name=\"a\"/></testsuite>";
        assert_eq!(of(passed, &[]).result(), "PASSED");
        assert_eq!(of(passed, &["r.xml".into()]).result(), "FAILED");
        assert!(of("<testsuite/>", &[]).is_empty());
    }
}
