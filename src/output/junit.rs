//! JUnit XML: one suite, one case for each thing that was checked, so that CI's own pages show what passed too.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::checks::{Check, Problem};
use super::text::visible;
use crate::finding::Severity;

/// Writes one report.
pub(super) fn write(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new("maestro");
    for check in checks {
        suite.add_test_case(case(check));
    }
    let mut report = Report::new("maestro");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn case(check: &Check) -> TestCase {
    let open =
        |problem: &&Problem| problem.forgiven.is_none() && problem.severity == Severity::Error;
    let failures: Vec<&Problem> = check.problems.iter().filter(open).collect();
    let mut status = match (failures.as_slice(), &check.skipped) {
        ([], Some(why)) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(plain(why));
            status
        }
        ([], None) => TestCaseStatus::success(),
        ([first, ..], _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(check.code.clone())
                .set_message(plain(&first.message));
            status
        }
    };
    if !failures.is_empty() {
        let all: Vec<String> = failures.iter().map(|problem| described(problem)).collect();
        status.set_description(all.join("\n\n"));
    }
    let mut case = TestCase::new(plain(&check.name), status);
    case.set_classname(check.code.clone());
    let rest = check.problems.iter().filter(|problem| !open(problem));
    let rest: Vec<String> = rest.map(described).collect();
    if !rest.is_empty() {
        case.set_system_out(rest.join("\n\n"));
    }
    case
}

fn described(problem: &Problem) -> String {
    let mut lines = vec![format!(
        "{}: {}",
        problem.severity.name(),
        plain(&problem.message)
    )];
    if let Some(location) = &problem.location {
        let line = location
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        lines.push(format!("at: {}{line}", plain(&location.path)));
    }
    lines.extend(
        problem
            .facts
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value))),
    );
    lines.extend(
        problem
            .forgiven
            .iter()
            .map(|why| format!("forgiven: {}", plain(why))),
    );
    lines.join("\n")
}

/// One line, in which no character acts, and none that XML cannot hold.
fn plain(text: &str) -> String {
    super::text::one_line(&visible(text)).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
