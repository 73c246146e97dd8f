//! The document of `flakes quarantine`.

use std::io::{self, Write};

use jiff::civil::Date;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::pull::PullRow;
use crate::finding::{Finding, Severity};
use crate::flakes::admission::LeftOut;
use crate::flakes::quarantine::{Entry, Mode, Quarantine, shown};
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Inline, Page, Report, Tone};

/// What became of the file.
#[derive(Debug)]
pub(super) enum Change {
    None,
    Added(String),
    Extended(String),
    Released(String),
    AddedAll(Vec<String>),
    ReleasedAll(Vec<String>),
    Imported(u64),
}

/// The quarantine in the work tree.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-quarantine/v1"))]
pub(crate) struct QuarantineDocument {
    /// `maestro.flakes-quarantine/v1`
    schema: &'static str,
    /// `added`, `extended`, `released`, `imported`, or none.
    change: Option<&'static str>,
    /// What changed.
    changed: Option<String>,
    /// The tests that came in or went, where several did at once.
    names: Vec<String>,
    /// Flaky tests that did not come in, and why.
    left_out: Vec<LeftOutRow>,
    /// The pull request that proposes it, where one was asked for.
    pull_request: Option<PullRow>,
    /// Whether nothing was written.
    dry_run: bool,
    /// Entries whose day has passed.
    overdue: u64,
    /// The tests, the most overdue first.
    tests: Vec<QuarantineRow>,
}

/// A test that did not come in.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LeftOutRow {
    suite: String,
    test: String,
    why: String,
}

/// A test in quarantine.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct QuarantineRow {
    suite: String,
    test: String,
    /// `gate` or `skip`.
    mode: &'static str,
    reason: String,
    owner: Option<String>,
    issue: Option<String>,
    since: String,
    review_by: String,
    overdue: bool,
    /// What the test is called today, where `review` found that it was renamed: under this name it is not forgiven.
    renamed_to: Option<String>,
}

impl QuarantineDocument {
    pub(super) fn new(quarantine: &Quarantine, change: Change, today: Date, dry_run: bool) -> Self {
        let mut names = Vec::new();
        let (change, changed) = match change {
            Change::None => (None, None),
            Change::Added(test) => (Some("added"), Some(test)),
            Change::Extended(test) => (Some("extended"), Some(test)),
            Change::Released(test) => (Some("released"), Some(test)),
            Change::AddedAll(tests) => {
                names = tests;
                (Some("added"), Some(times(names.len() as u64, "test")))
            }
            Change::ReleasedAll(tests) => {
                names = tests;
                (Some("released"), Some(times(names.len() as u64, "test")))
            }
            Change::Imported(count) => (Some("imported"), Some(times(count, "test"))),
        };
        let mut entries: Vec<&Entry> = quarantine.tests.iter().collect();
        crate::order::sort_by_key(&mut entries, |entry| entry.review_by);
        let rows = entries.into_iter().map(|entry| QuarantineRow {
            suite: entry.suite.clone(),
            test: entry.test.clone(),
            mode: match entry.mode {
                Mode::Gate => "gate",
                Mode::Skip => "skip",
            },
            reason: entry.reason.clone(),
            owner: entry.owner.clone(),
            issue: entry.issue.clone(),
            since: entry.since.to_string(),
            review_by: entry.review_by.to_string(),
            overdue: entry.is_overdue(today),
            renamed_to: None,
        });
        let tests: Vec<QuarantineRow> = rows.collect();
        Self {
            schema: "maestro.flakes-quarantine/v1",
            change,
            changed,
            names,
            left_out: Vec::new(),
            pull_request: None,
            dry_run,
            overdue: tests.iter().filter(|row| row.overdue).count() as u64,
            tests,
        }
    }
}

impl QuarantineDocument {
    /// Adds what came of a proposal, and what was left out.
    pub(super) fn add(&mut self, pull: Option<PullRow>, left_out: Vec<LeftOut>) {
        self.pull_request = pull;
        let rows = left_out.into_iter().map(|one| LeftOutRow {
            suite: one.suite,
            test: one.test,
            why: one.why,
        });
        self.left_out.extend(rows);
    }

    /// Says of each entry what its test is called today.
    pub(super) fn add_renamed(&mut self, newer: &dyn Fn(&str, &str) -> Option<String>) {
        for row in &mut self.tests {
            row.renamed_to = newer(&row.suite, &row.test);
        }
    }
}

impl Report for QuarantineDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if let (Some(change), Some(test)) = (self.change, &self.changed) {
            let would = if self.dry_run { "Would be" } else { "Was" };
            page.text(format!("{would} {change}: {test}"));
        }
        for name in &self.names {
            page.line(vec![Inline::Plain("  ".into()), Inline::Code(name.clone())]);
        }
        for row in &self.left_out {
            let name = shown(&row.suite, &row.test);
            page.line(vec![
                Inline::Plain("left out: ".into()),
                Inline::Code(name),
                Inline::Plain(format!(" ({})", row.why)),
            ]);
        }
        if let Some(pull) = &self.pull_request {
            page.text(pull.sentence());
        }
        page.text(format!(
            "{} in quarantine, {} overdue.",
            times(self.tests.len() as u64, "test"),
            self.overdue
        ));
        if self.tests.is_empty() {
            return page;
        }
        for row in &self.tests {
            if let Some(newer) = &row.renamed_to {
                page.line(vec![
                    Inline::Code(shown(&row.suite, &row.test)),
                    Inline::Plain(" is not forgiven as it is called today: ".into()),
                    Inline::Code(newer.clone()),
                ]);
            }
        }
        let rows = self.tests.iter().map(|row| {
            let tone = if row.overdue { Tone::Bad } else { Tone::Plain };
            vec![
                Cell::toned(&row.review_by, tone),
                Cell::plain(row.mode),
                Cell::code(shown(&row.suite, &row.test)),
                Cell::code(row.owner.clone().unwrap_or_default()),
                Cell::code(&row.reason),
            ]
        });
        page.table(
            ["Review by", "Mode", "Test", "Owner", "Reason"]
                .map(Column::left)
                .to_vec(),
            rows.collect(),
        );
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let warning = |code: &str, message: String| Finding {
            code: format!("quarantine/{code}"),
            severity: Severity::Warning,
            message,
            location: None,
        };
        let mut findings = Vec::new();
        for row in &self.tests {
            let test = shown(&row.suite, &row.test);
            if row.overdue {
                let day = &row.review_by;
                let message = format!(
                    "{test} was to be looked at by {day}: its failures are not forgiven any more"
                );
                findings.push(warning("overdue", message));
            }
            if let Some(newer) = &row.renamed_to {
                let message =
                    format!("{test} is called {newer} today, and is not forgiven under that name");
                findings.push(warning("renamed", message));
            }
        }
        findings
    }
}
