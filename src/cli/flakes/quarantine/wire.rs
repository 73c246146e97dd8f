//! The document of `flakes quarantine`.

use std::io::{self, Write};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::flakes::quarantine::{Entry, Mode, Quarantine};
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report, Tone};

/// What became of the file.
#[derive(Debug)]
pub(super) enum Change {
    None,
    Added(String),
    Extended(String),
    Released(String),
    Imported(u64),
}

/// The quarantine in the work tree.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "maestro.flakes-quarantine/v1")]
pub(crate) struct QuarantineDocument {
    /// `maestro.flakes-quarantine/v1`
    schema: &'static str,
    /// `added`, `extended`, `released`, `imported`, or none.
    change: Option<&'static str>,
    /// What changed.
    changed: Option<String>,
    /// Whether nothing was written.
    dry_run: bool,
    /// Entries whose day has passed.
    overdue: u64,
    /// The tests, the most overdue first.
    tests: Vec<QuarantineRow>,
}

/// A test in quarantine.
#[derive(Debug, Serialize, JsonSchema)]
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
}

impl QuarantineDocument {
    pub(super) fn new(quarantine: &Quarantine, change: Change, today: Date, dry_run: bool) -> Self {
        let (change, changed) = match change {
            Change::None => (None, None),
            Change::Added(test) => (Some("added"), Some(test)),
            Change::Extended(test) => (Some("extended"), Some(test)),
            Change::Released(test) => (Some("released"), Some(test)),
            Change::Imported(count) => (Some("imported"), Some(times(count, "test"))),
        };
        let mut entries: Vec<&Entry> = quarantine.tests.iter().collect();
        entries.sort_by_key(|entry| entry.review_by);
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
        });
        let tests: Vec<QuarantineRow> = rows.collect();
        Self {
            schema: "maestro.flakes-quarantine/v1",
            change,
            changed,
            dry_run,
            overdue: tests.iter().filter(|row| row.overdue).count() as u64,
            tests,
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
        page.text(format!(
            "{} in quarantine, {} overdue.",
            times(self.tests.len() as u64, "test"),
            self.overdue
        ));
        if self.tests.is_empty() {
            return page;
        }
        let rows = self.tests.iter().map(|row| {
            let tone = if row.overdue { Tone::Bad } else { Tone::Plain };
            vec![
                Cell::toned(&row.review_by, tone),
                Cell::plain(row.mode),
                Cell::code(crate::flakes::quarantine::shown(&row.suite, &row.test)),
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
        let overdue = self.tests.iter().filter(|row| row.overdue);
        let findings = overdue.map(|row| Finding {
            code: "quarantine/overdue".to_owned(),
            severity: Severity::Warning,
            message: format!(
                "{} was to be looked at by {}: its failures are not forgiven any more",
                crate::flakes::quarantine::shown(&row.suite, &row.test),
                row.review_by
            ),
            location: None,
        });
        findings.collect()
    }
}
