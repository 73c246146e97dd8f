//! The gate: which failures of a run the quarantine forgives. What is not certain is not forgiven.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::quarantine::{Entry, Quarantine};
use super::results::{Results, kinds};

/// A failure, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) message: String,
    pub(crate) ruling: Ruling,
}

/// What becomes of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// The quarantine forgives it.
    Forgiven(Box<Entry>),
    /// Nobody said that it may fail.
    NotQuarantined,
    /// Its entry is overdue.
    Overdue(Box<Entry>),
    /// It is one of those that are never forgiven, by this glob.
    Never(String),
    /// The reports are not whole: what else failed is not known.
    NotWhole,
    /// The quarantine is not enforced.
    NotEnforced,
}

impl Ruling {
    /// Returns the word that programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Forgiven(_) => "forgiven",
            Self::NotQuarantined => "not-quarantined",
            Self::Overdue(_) => "overdue",
            Self::Never(_) => "never",
            Self::NotWhole => "not-whole",
            Self::NotEnforced => "not-enforced",
        }
    }
}

/// What else is wrong with a run, whatever its tests say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// There is no report at all.
    NoReport,
    /// A report breaks off, could not be read or is not there; in words.
    NotWhole(String),
    /// A suite failed outside its tests.
    Suite(String),
    /// The runner failed, and not because a test did.
    Runner(i32),
}

impl Trouble {
    /// Returns the word that programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoReport => "no-report",
            Self::NotWhole(_) => "not-whole",
            Self::Suite(_) => "suite-failed",
            Self::Runner(_) => "runner-failed",
        }
    }
}

/// By what a run is judged.
pub(crate) struct Law<'a> {
    pub(crate) quarantine: &'a Quarantine,
    pub(crate) today: Date,
    /// Whether it forgives, or only says what it would forgive.
    pub(crate) is_enforced: bool,
    /// Returns the glob by which a test is never forgiven, by its suite, its name and the file that its report names.
    pub(crate) never: &'a dyn Fn(&str, &str, &str) -> Option<String>,
    /// What the runner exits with when tests have failed; nothing where the runner is not known.
    pub(crate) failed: Option<&'a [i32]>,
}

impl Law<'_> {
    /// Whether failed tests explain what a runner exited with. A signal never is explained: it took down what had not run yet.
    fn explains(&self, status: i32, has_failures: bool) -> bool {
        match self.failed {
            _ if status == 0 => true,
            Some(failed) => has_failures && failed.contains(&status),
            None => has_failures && (1..FIRST_SIGNAL).contains(&status),
        }
    }
}

/// Shells say 128 and the number of the signal that ended a process.
const FIRST_SIGNAL: i32 = 128;

/// A judged run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Judged {
    pub(crate) failures: Vec<Failure>,
    pub(crate) troubles: Vec<Trouble>,
    /// Tests that ran, or were skipped.
    pub(crate) tests: u64,
    /// Quarantined tests that no report has: that is no pass.
    pub(crate) absent: Vec<Entry>,
    /// Quarantined tests that ran and passed.
    pub(crate) passed: Vec<Entry>,
}

impl Judged {
    /// Whether nothing is left that nobody forgives.
    pub(crate) fn passes(&self) -> bool {
        let is_forgiven = |failure: &Failure| matches!(failure.ruling, Ruling::Forgiven(_));
        self.troubles.is_empty() && self.failures.iter().all(is_forgiven)
    }
}

/// Judges a run. `status` is what the runner exited with, where somebody says so.
pub(crate) fn judge(
    results: &Results,
    mut troubles: Vec<Trouble>,
    status: Option<i32>,
    law: &Law<'_>,
) -> Judged {
    crate::order::sort(&mut troubles);
    troubles.dedup();
    let is_whole = !troubles
        .iter()
        .any(|trouble| matches!(trouble, Trouble::NotWhole(_) | Trouble::NoReport));
    let mut judged = Judged::default();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let order = results.order();
    for row in order.iter().map(|at| results.at(*at)) {
        judged.tests += 1;
        let entry = law.quarantine.find(row.suite, row.name);
        if entry.is_some() {
            seen.insert((row.suite, row.name));
        }
        // A test that passed on a retry has passed.
        if !kinds(&row.sequence).any(|(kind, _)| kind.ends_with(['f', 'e'])) {
            let has_run = row.sequence.contains('p');
            judged.passed.extend(entry.filter(|_| has_run).cloned());
            continue;
        }
        judged.failures.push(Failure {
            suite: row.suite.to_owned(),
            test: row.name.to_owned(),
            message: row.message.to_owned(),
            ruling: rule(entry, (row.suite, row.name, row.file), is_whole, law),
        });
    }
    let has_failures = !judged.failures.is_empty() || !troubles.is_empty();
    let unexplained = status.filter(|status| !law.explains(*status, has_failures));
    troubles.extend(unexplained.map(Trouble::Runner));
    let absent = law.quarantine.tests.iter();
    let is_absent = |entry: &&Entry| !seen.contains(&(entry.suite.as_str(), entry.test.as_str()));
    judged.absent = absent.filter(is_absent).cloned().collect();
    judged.troubles = troubles;
    judged
}

/// Returns what becomes of one failure.
pub(crate) fn rule(
    entry: Option<&Entry>,
    (suite, test, file): (&str, &str, &str),
    is_whole: bool,
    law: &Law<'_>,
) -> Ruling {
    let Some(entry) = entry else {
        return Ruling::NotQuarantined;
    };
    if let Some(glob) = (law.never)(suite, test, file) {
        return Ruling::Never(glob);
    }
    if entry.is_overdue(law.today) {
        return Ruling::Overdue(Box::new(entry.clone()));
    }
    if !is_whole {
        return Ruling::NotWhole;
    }
    if law.is_enforced {
        Ruling::Forgiven(Box::new(entry.clone()))
    } else {
        Ruling::NotEnforced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::junit::{Case, Outcome};

    fn results(tests: &[(&str, &[Outcome])]) -> Results {
        let mut results = Results::default();
        for (serial, (name, attempts)) in (1..).zip(tests) {
            let mut case = Case::default();
            (*name).clone_into(&mut case.name);
            case.attempts = attempts.to_vec();
            results.case(&["s".to_owned()], serial, &case, "m");
        }
        results
    }

    fn quarantine(review_by: &str, tests: &[&str]) -> Quarantine {
        let entries: Vec<String> = tests
            .iter()
            .map(|test| {
                format!(r#"{{"suite": "s", "test": "{test}", "reason": "r", "since": "2026-01-01", "review_by": "{review_by}"}}"#)
            })
            .collect();
        let text = format!(
            r#"{{"schema": "maestro.quarantine/v1", "tests": [{}]}}"#,
            entries.join(",")
        );
        Quarantine::read(text.as_bytes()).unwrap()
    }

    use Outcome::{Failed, Passed, Skipped};

    #[track_caller]
    fn check(
        tests: &[(&str, &[Outcome])],
        quarantine: &Quarantine,
        troubles: Vec<Trouble>,
        enforced: bool,
        expected: (bool, &[&str]),
    ) {
        let never =
            |_: &str, test: &str, _: &str| test.starts_with("sec").then(|| "sec*".to_owned());
        let law = Law {
            quarantine,
            today: "2026-01-10".parse().unwrap(),
            is_enforced: enforced,
            never: &never,
            failed: None,
        };
        let judged = judge(&results(tests), troubles, Some(1), &law);
        let codes: Vec<&str> = judged
            .failures
            .iter()
            .map(|failure| failure.ruling.code())
            .chain(judged.troubles.iter().map(Trouble::code))
            .collect();
        assert_eq!((judged.passes(), codes.as_slice()), expected);
    }

    #[test]
    fn only_what_is_quarantined_is_forgiven() {
        let known = quarantine("2026-01-15", &["a", "sec"]);
        let both: &[(&str, &[Outcome])] = &[("a", &[Failed]), ("b", &[Failed])];
        check(&both[..1], &known, vec![], true, (true, &["forgiven"]));
        check(
            both,
            &known,
            vec![],
            true,
            (false, &["forgiven", "not-quarantined"]),
        );
        check(
            &[("sec", &[Failed])],
            &known,
            vec![],
            true,
            (false, &["never"]),
        );
        check(
            &both[..1],
            &known,
            vec![],
            false,
            (false, &["not-enforced"]),
        );
    }

    #[test]
    fn an_overdue_entry_gates_again() {
        let known = quarantine("2026-01-09", &["a"]);
        check(
            &[("a", &[Failed])],
            &known,
            vec![],
            true,
            (false, &["overdue"]),
        );
    }

    #[test]
    fn what_is_not_whole_forgives_nothing() {
        let known = quarantine("2026-01-15", &["a"]);
        let cut = vec![Trouble::NotWhole("r.xml".into())];
        check(
            &[("a", &[Failed])],
            &known,
            cut.clone(),
            true,
            (false, &["not-whole", "not-whole"]),
        );
        check(
            &[("a", &[Passed])],
            &known,
            cut,
            true,
            (false, &["not-whole"]),
        );
        check(
            &[],
            &known,
            vec![Trouble::NoReport],
            true,
            (false, &["no-report"]),
        );
        check(
            &[("a", &[Failed])],
            &known,
            vec![Trouble::Suite("r.xml".into())],
            true,
            (false, &["forgiven", "suite-failed"]),
        );
    }

    #[test]
    fn a_runner_that_failed_for_another_reason_is_not_forgiven() {
        let known = quarantine("2026-01-15", &["a"]);
        check(
            &[("a", &[Failed, Passed])],
            &known,
            vec![],
            true,
            (false, &["runner-failed"]),
        );
        check(
            &[("a", &[Skipped])],
            &known,
            vec![],
            true,
            (false, &["runner-failed"]),
        );
    }

    #[test]
    fn a_status_that_failed_tests_do_not_explain_is_not_forgiven() {
        let known = quarantine("2026-01-15", &["a"]);
        let passes = |status: i32, failed: Option<&[i32]>, outcome: Outcome| {
            let law = Law {
                quarantine: &known,
                today: "2026-01-10".parse().unwrap(),
                is_enforced: true,
                never: &|_, _, _| None,
                failed,
            };
            judge(&results(&[("a", &[outcome])]), vec![], Some(status), &law).passes()
        };
        assert!(passes(1, None, Failed));
        assert!(passes(100, None, Failed));
        assert!(passes(100, Some(&[100]), Failed));
        assert!(passes(0, Some(&[100]), Passed));
        // The build failed, so that its tests are missing from the report.
        assert!(!passes(101, Some(&[100]), Failed));
        assert!(!passes(100, Some(&[100]), Passed));
        // Killed by a signal, or for want of memory.
        for status in [-11, -1, 128, 137, 139, 255, 3_221_225_477_u32.cast_signed()] {
            assert!(!passes(status, None, Failed), "{status}");
            assert!(!passes(status, Some(&[1]), Failed), "{status}");
        }
    }

    #[test]
    fn absence_is_no_pass() {
        let known = quarantine("2026-01-15", &["a", "b", "c"]);
        let law = Law {
            quarantine: &known,
            today: "2026-01-10".parse().unwrap(),
            is_enforced: true,
            never: &|_, _, _| None,
            failed: None,
        };
        let tests: &[(&str, &[Outcome])] = &[("a", &[Passed]), ("b", &[Skipped])];
        let judged = judge(&results(tests), vec![], Some(0), &law);
        let names = |entries: &[Entry]| {
            entries
                .iter()
                .map(|entry| entry.test.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&judged.passed), names(&judged.absent)),
            (vec!["a".to_owned()], vec!["c".to_owned()])
        );
        assert!(judged.passes());
    }
}
