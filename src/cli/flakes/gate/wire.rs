//! The document of `flakes gate`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{CommandError, ErrorKind};
use crate::finding::{Finding, Severity};
use crate::flakes::gate::{Failure, Judged, Ruling, Trouble};
use crate::flakes::quarantine::shown;
use crate::flakes::trusted::Trusted;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report, Tone};

/// What the gate says of a run.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-gate/v1"))]
pub(crate) struct FlakesGateDocument {
    /// `maestro.flakes-gate/v1`
    schema: &'static str,
    /// Whether nothing is left that nobody forgives.
    passed: bool,
    /// Whether the quarantine forgives; otherwise the result says what it would forgive.
    enforced: bool,
    /// The commit that the quarantine was read from.
    base: String,
    /// SHA-256 of the rules: where they are from, whether they are enforced, the globs and the quarantine.
    rules_sha256: String,
    /// Reports that were read.
    reports: u64,
    /// Tests in them.
    tests: u64,
    /// Failures that are forgiven.
    forgiven: u64,
    /// Every failure.
    failures: Vec<FailureRow>,
    /// What else is wrong with the run.
    troubles: Vec<TroubleRow>,
    /// Quarantined tests that no report has.
    absent: Vec<String>,
    /// Quarantined tests that passed.
    passed_in_quarantine: Vec<String>,
}

/// A failure.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FailureRow {
    suite: String,
    test: String,
    message: String,
    /// `forgiven`, `not-quarantined`, `overdue`, `never`, `not-whole` or `not-enforced`.
    ruling: &'static str,
    /// Why, for people.
    detail: String,
    /// Who looks after the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Where it is worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<String>,
}

/// What else is wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TroubleRow {
    /// `no-report`, `not-whole`, `suite-failed` or `runner-failed`.
    code: &'static str,
    detail: String,
}

impl FlakesGateDocument {
    pub(in crate::cli) fn new(rules: &Trusted, judged: &Judged, reports: u64) -> Self {
        let passed = judged.passes();
        let names = |entries: &[crate::flakes::quarantine::Entry]| {
            entries
                .iter()
                .map(crate::flakes::quarantine::Entry::shown)
                .collect()
        };
        let failures: Vec<FailureRow> = judged.failures.iter().map(failure).collect();
        let forgiven = failures
            .iter()
            .filter(|row| row.ruling == "forgiven")
            .count();
        Self {
            schema: "maestro.flakes-gate/v1",
            passed,
            enforced: rules.enforced,
            base: rules.base.clone(),
            rules_sha256: rules.sha256().to_owned(),
            reports,
            tests: judged.tests,
            forgiven: forgiven as u64,
            failures,
            troubles: judged.troubles.iter().map(trouble).collect(),
            absent: names(&judged.absent),
            passed_in_quarantine: names(&judged.passed),
        }
    }
}

impl FlakesGateDocument {
    /// Returns how many tests there are, how many failed, and how many of these are forgiven.
    pub(in crate::cli) fn numbers(&self) -> (u64, u64, u64) {
        (self.tests, self.failures.len() as u64, self.forgiven)
    }

    /// Adds what is wrong with the run to a page, failure by failure.
    pub(in crate::cli) fn list(&self, page: &mut Page) {
        for trouble in &self.troubles {
            page.text(format!("Not forgiven: {}.", trouble.detail));
        }
        if self.failures.is_empty() {
            return;
        }
        let rows = self.failures.iter().map(|row| {
            let tone = if row.ruling == "forgiven" {
                Tone::Warn
            } else {
                Tone::Bad
            };
            vec![
                Cell::toned(row.ruling, tone),
                Cell::code(shown(&row.suite, &row.test)),
                Cell::code(&row.detail),
                Cell::code(row.owner.clone().unwrap_or_default()),
            ]
        });
        page.table(
            ["Ruling", "Test", "Why", "Owner"]
                .map(Column::left)
                .to_vec(),
            rows.collect(),
        );
    }

    /// Returns the error of what nobody forgives; nothing when all is forgiven.
    pub(super) fn complaint(&self) -> Option<CommandError> {
        let failures = self.failures.len() as u64 - self.forgiven;
        let verb = if failures == 1 { "is" } else { "are" };
        let mut parts: Vec<String> = self.troubles.iter().map(|row| row.detail.clone()).collect();
        if failures > 0 {
            parts.push(format!(
                "{} {verb} not forgiven",
                times(failures, "failure")
            ));
        }
        if parts.is_empty() {
            return None;
        }
        let hint = match self.troubles.first().map(|row| row.code) {
            Some("no-report") => {
                "nothing is known of the run: does the runner write its report there, and did it get so far?"
            }
            Some("not-whole") => {
                "the runner was stopped while it wrote, so that more may have failed: look at its own output"
            }
            Some(_) => "look at the runner's own output: no quarantine forgives this",
            None => {
                "mend what is broken; `maestro flakes quarantine add` forgives what is flaky, once that is merged"
            }
        };
        Some(CommandError::message(ErrorKind::FlakeGate, parts.join("; ")).hint(hint))
    }
}

fn failure(failure: &Failure) -> FailureRow {
    let (detail, entry) = match &failure.ruling {
        Ruling::Forgiven(entry) => (
            format!("quarantined until {}: {}", entry.review_by, entry.reason),
            Some(entry),
        ),
        Ruling::Overdue(entry) => (
            format!("its quarantine was to be looked at by {}", entry.review_by),
            Some(entry),
        ),
        Ruling::NotQuarantined => ("nobody has quarantined it".to_owned(), None),
        Ruling::Never(glob) => (format!("`{glob}` of `flakes.never` takes it in"), None),
        Ruling::NotWhole => (
            "the reports are not whole, so nothing is forgiven".to_owned(),
            None,
        ),
        Ruling::NotEnforced => (
            "it would be forgiven, with `enforce: [flakes]`".to_owned(),
            None,
        ),
    };
    FailureRow {
        suite: failure.suite.clone(),
        test: failure.test.clone(),
        message: failure.message.clone(),
        ruling: failure.ruling.code(),
        detail,
        owner: entry.and_then(|entry| entry.owner.clone()),
        issue: entry.and_then(|entry| entry.issue.clone()),
    }
}

fn trouble(trouble: &Trouble) -> TroubleRow {
    let detail = match trouble {
        Trouble::NoReport => "there is no test report".to_owned(),
        Trouble::NotWhole(words) => words.clone(),
        Trouble::Suite(file) => format!("in `{file}` a suite failed outside its tests"),
        Trouble::Runner(status) => {
            format!("the runner exited with {status}, which failed tests do not explain")
        }
    };
    TroubleRow {
        code: trouble.code(),
        detail,
    }
}

impl Report for FlakesGateDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let left = self.failures.len() as u64 - self.forgiven;
        let word = if self.passed { "Passed" } else { "Failed" };
        page.text(format!(
            "{word}: {} in {}; {} forgiven, {left} not.",
            times(self.failures.len() as u64, "failure"),
            times(self.tests, "test"),
            self.forgiven,
        ));
        self.list(&mut page);
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let failures = self.failures.iter().map(|row| Finding {
            code: format!("gate/{}", row.ruling),
            severity: if row.ruling == "forgiven" {
                Severity::Warning
            } else {
                Severity::Error
            },
            message: format!("{}: {}", shown(&row.suite, &row.test), row.detail),
            location: None,
        });
        let troubles = self.troubles.iter().map(|row| Finding {
            code: format!("gate/{}", row.code),
            severity: Severity::Error,
            message: row.detail.clone(),
            location: None,
        });
        troubles.chain(failures).collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("passed".to_owned(), self.passed.to_string()),
            ("forgiven".to_owned(), self.forgiven.to_string()),
        ]
    }
}
