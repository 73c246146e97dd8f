//! `maestro.flakes-ingest/v1`: what was read and stored.

use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::source::Parsed;
use crate::cli::flakes::counts::CountsRow;
use crate::finding::{Finding, Location, Severity};
use crate::flakes::verdict::times;
use crate::junit::{Counts, Note};
use crate::order;
use crate::output::{Cell, Column, Inline, Page, Report, Tone, json_line};
use crate::state::v1::Filing;

const SCHEMA: &str = "maestro.flakes-ingest/v1";

/// What `maestro flakes ingest` read and stored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-ingest/v1"))]
pub(crate) struct IngestDocument {
    /// `maestro.flakes-ingest/v1`
    schema: &'static str,
    /// Whether nothing was to be stored.
    pub(crate) dry_run: bool,
    /// The report files, in order of path.
    files: Vec<FileRow>,
    /// The sums over all files.
    pub(crate) totals: Totals,
    /// What was stored.
    pub(crate) stored: Stored,
    /// Files that were met in a folder or by a glob and are no test report.
    notes: Vec<PassedOver>,
}

/// One report file.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FileRow {
    /// The path, as it can be opened from the working folder.
    path: String,
    /// `junit`, `trx`, `nunit2`, `nunit3`, `xunit`, `ctest`, `go`, `libtest`, `tap`, `ctrf`, `jest`, `playwright`, or
    /// `maestro-ndjson`.
    dialect: &'static str,
    #[serde(flatten)]
    counts: CountsRow,
    /// Distinct tests.
    tests: u64,
    /// Lines of the neutral form that are no test result and were left out.
    dropped: u64,
    /// What the reader recovered from, in order of offset.
    pub(super) notes: Vec<NoteRow>,
}

/// One recovery.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct NoteRow {
    /// What it is; `maestro explain junit/<code>` tells more.
    code: &'static str,
    /// Bytes from the start of the unpacked file.
    offset: u64,
    /// The same in words.
    message: String,
}

/// A file that is no report.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PassedOver {
    /// The path, as it can be opened from the working folder.
    path: String,
    /// Always `not-a-report`.
    code: &'static str,
    /// Why.
    message: String,
}

/// Sums over all files.
#[derive(Debug, Default, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Totals {
    /// Report files.
    pub(crate) files: u64,
    #[serde(flatten)]
    pub(crate) counts: CountsRow,
    /// Distinct tests, counted file by file.
    tests: u64,
    /// Lines of the neutral form that were left out.
    pub(crate) dropped: u64,
    #[serde(skip)]
    sum: Counts,
}

/// What was stored.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Stored {
    /// Events written.
    pub(crate) events: u64,
    /// Runs among them.
    pub(crate) runs: u64,
    /// Where JUnit reports were filed, one entry a job.
    filed: Vec<Filed>,
}

impl Stored {
    /// Returns where JUnit reports were filed, in words.
    pub(super) fn under(&self) -> String {
        let mut words = String::new();
        for filed in &self.filed {
            let mut parts = vec![format!("run {}", filed.run)];
            if filed.attempt > 1 {
                parts.push(format!("attempt {}", filed.attempt));
            }
            for (what, value) in [
                ("job", &filed.job),
                ("leg", &filed.leg),
                ("branch", &filed.branch),
            ] {
                if !value.is_empty() {
                    parts.push(format!("{what} {value}"));
                }
            }
            parts.push(match filed.commit.get(..filed.commit.len().min(12)) {
                Some("") | None => "no commit".to_owned(),
                Some(commit) => format!("commit {commit}"),
            });
            words.push_str(&format!("; {}", parts.join(", ")));
        }
        words
    }
}

/// Where reports were filed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Filed {
    /// The CI run.
    run: String,
    /// Which try of it.
    attempt: u32,
    /// The job.
    job: String,
    /// Shard or matrix axes.
    leg: String,
    /// The commit, or empty.
    commit: String,
    /// The branch, or empty.
    branch: String,
}

impl FileRow {
    pub(super) fn new(path: &Path, parsed: &Parsed) -> Self {
        Self {
            path: path.to_string_lossy().into_owned(),
            dialect: parsed.dialect,
            counts: parsed.counts.into(),
            tests: parsed.tests,
            dropped: parsed.dropped,
            notes: parsed.notes.iter().map(NoteRow::new).collect(),
        }
    }
}

impl NoteRow {
    pub(super) fn new(note: &Note) -> Self {
        Self {
            code: note.code.code(),
            offset: note.offset,
            message: note.message(),
        }
    }
}

impl IngestDocument {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            schema: SCHEMA,
            dry_run,
            files: Vec::new(),
            totals: Totals::default(),
            stored: Stored::default(),
            notes: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: FileRow, counts: &Counts) {
        let totals = &mut self.totals;
        totals.files += 1;
        totals.tests += row.tests;
        totals.dropped += row.dropped;
        totals.sum.add(counts);
        totals.counts = totals.sum.into();
        self.files.push(row);
    }

    pub(super) fn pass_over(&mut self, path: &Path, why: &str) {
        self.notes.push(PassedOver {
            path: path.to_string_lossy().into_owned(),
            code: "not-a-report",
            message: why.to_owned(),
        });
    }

    pub(super) fn filed(&mut self, filing: &Filing) {
        self.stored.filed.push(Filed {
            run: filing.origin.run.clone(),
            attempt: filing.origin.attempt,
            job: filing.origin.job.clone(),
            leg: filing.leg.clone(),
            commit: filing.origin.commit.clone(),
            branch: filing.origin.branch.clone(),
        });
    }

    pub(super) fn finish(&mut self) {
        order::sort_by(&mut self.files, |a, b| a.path.cmp(&b.path));
        order::sort_by(&mut self.notes, |a, b| a.path.cmp(&b.path));
    }
}

/// Tables on a terminal end here; the JSON has every row.
const MOST_ROWS: usize = 30;

impl Report for IngestDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            schema: &'static str,
            #[serde(flatten)]
            row: &'a FileRow,
        }
        for row in &self.files {
            let line = Line {
                schema: "maestro.flakes-ingest-file/v1",
                row,
            };
            json_line(out, &line)?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let totals = &self.totals;
        page.heading(format!(
            "Test reports: {} with {}, {} failed, {} errored, {} skipped",
            times(totals.files, "file"),
            times(totals.counts.cases, "case"),
            totals.counts.failed,
            totals.counts.errored,
            totals.counts.skipped
        ));
        let head = vec![
            Column::right("cases"),
            Column::right("passed"),
            Column::right("failed"),
            Column::right("errored"),
            Column::right("skipped"),
            Column::right("attempts"),
            Column::left("file"),
            Column::left("notes"),
        ];
        let rows = self
            .files
            .iter()
            .take(MOST_ROWS)
            .map(FileRow::cells)
            .collect();
        if !self.files.is_empty() {
            page.table(head, rows);
        }
        if self.files.len() > MOST_ROWS {
            let more = (self.files.len() - MOST_ROWS) as u64;
            page.text(format!(
                "and {} more (--format json lists all)",
                times(more, "file")
            ));
        }
        for note in self.notes.iter().take(MOST_ROWS) {
            page.line(vec![
                Inline::Plain("passed over ".into()),
                Inline::Code(note.path.clone()),
                Inline::Plain(format!(": {}", note.message)),
            ]);
        }
        if self.notes.len() > MOST_ROWS {
            let more = (self.notes.len() - MOST_ROWS) as u64;
            page.text(format!("and {} more passed over", times(more, "file")));
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in &self.files {
            for note in &file.notes {
                findings.push(Finding {
                    code: format!("junit/{}", note.code),
                    severity: Severity::Notice,
                    message: format!("{} (byte {})", note.message, note.offset),
                    location: Some(Location {
                        path: file.path.clone(),
                        line: None,
                        column: None,
                    }),
                });
            }
        }
        findings
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let totals = &self.totals;
        [
            ("files", totals.files),
            ("cases", totals.counts.cases),
            ("failed", totals.counts.failed + totals.counts.errored),
            ("skipped", totals.counts.skipped),
            ("runs_stored", self.stored.runs),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect()
    }
}

impl FileRow {
    fn cells(&self) -> Vec<Cell> {
        let bad = |count: u64| {
            let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
            Cell::toned(count.to_string(), tone)
        };
        let mut codes: Vec<&str> = self.notes.iter().map(|note| note.code).collect();
        order::sort(&mut codes);
        codes.dedup();
        vec![
            Cell::plain(self.counts.cases.to_string()),
            Cell::plain(self.counts.passed.to_string()),
            bad(self.counts.failed),
            bad(self.counts.errored),
            Cell::plain(self.counts.skipped.to_string()),
            Cell::plain(self.counts.attempts.to_string()),
            Cell::code(self.path.clone()),
            Cell::plain(codes.join(", ")),
        ]
    }
}
