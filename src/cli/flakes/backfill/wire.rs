//! `maestro.flakes-backfill/v1`: how much was read, and what was refused.

use std::io::{self, Write};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::flakes::escalation::day;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};

/// What is refused is named one by one up to here, and counted from then on.
const MOST_REFUSED: usize = 200;

/// What was read of the history that GitHub still has.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-backfill/v1"))]
pub(crate) struct BackfillDocument {
    /// `maestro.flakes-backfill/v1`
    schema: &'static str,
    /// Whether nothing was downloaded and stored.
    dry_run: bool,
    /// As `owner/name`; none when GitHub was not asked.
    repository: Option<String>,
    /// Runs created from then on were looked at, but for those that a command before has read.
    from: String,
    to: String,
    pub(super) totals: BackfillTotals,
    /// Requests to GitHub.
    pub(super) calls: u64,
    /// What was not read; the first 200.
    refused: Vec<Refused>,
}

/// Sums over all runs that were looked at.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct BackfillTotals {
    /// Runs of workflows.
    pub(super) runs: u64,
    /// Their attempts.
    pub(super) attempts: u64,
    /// Artifacts whose names are wanted.
    pub(super) artifacts: u64,
    /// Those among them that GitHub does not have any more.
    pub(super) expired: u64,
    /// Bytes of the others.
    pub(super) bytes: u64,
    /// Reports in them.
    pub(super) files: u64,
    /// Reports that were stored before.
    pub(super) known: u64,
    /// Runs without a report whose jobs were taken for tests.
    pub(super) by_jobs: u64,
    /// Runs that were stored: one for each attempt and artifact, or workflow.
    pub(super) stored_runs: u64,
    /// Events that were stored.
    pub(super) events: u64,
    /// Artifacts and files that were not read.
    refused: u64,
}

/// Something that was not read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Refused {
    run: u64,
    artifact: String,
    /// Empty for the artifact itself.
    file: String,
    why: String,
}

impl Refused {
    pub(super) fn new(run: u64, artifact: &str, file: &str, why: &str) -> Self {
        Self {
            run,
            artifact: artifact.to_owned(),
            file: file.to_owned(),
            why: why.to_owned(),
        }
    }
}

impl BackfillDocument {
    pub(super) fn new(
        dry_run: bool,
        repository: Option<String>,
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        Self {
            schema: "maestro.flakes-backfill/v1",
            dry_run,
            repository,
            from: from.to_string(),
            to: to.to_string(),
            totals: BackfillTotals::default(),
            calls: 0,
            refused: Vec::new(),
        }
    }

    pub(super) fn refuse(&mut self, refused: Refused) {
        self.totals.refused += 1;
        if self.refused.len() < MOST_REFUSED {
            self.refused.push(refused);
        }
    }
}

impl Report for BackfillDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let Some(repository) = &self.repository else {
            page.text("GitHub was not asked.");
            return page;
        };
        let totals = &self.totals;
        page.heading(format!(
            "{repository}: {} of {} to {}, {}",
            times(totals.runs, "run"),
            date(&self.from),
            date(&self.to),
            times(totals.attempts, "attempt"),
        ));
        page.text(format!(
            "{} with reports ({} MiB, {} expired), {}",
            times(totals.artifacts, "artifact"),
            totals.bytes / 1024 / 1024,
            totals.expired,
            times(self.calls, "request"),
        ));
        if self.dry_run {
            page.text("Dry run: nothing was downloaded and stored.");
        } else {
            page.text(format!(
                "Stored {} of {} ({} known before), and how the jobs of {} without reports ended.",
                times(totals.stored_runs, "run"),
                times(totals.files, "report"),
                totals.known,
                times(totals.by_jobs, "run"),
            ));
        }
        if self.refused.is_empty() {
            return page;
        }
        let rows = self.refused.iter().map(|row| {
            vec![
                Cell::plain(row.run.to_string()),
                Cell::code(&row.artifact),
                Cell::code(&row.file),
                Cell::plain(&row.why),
            ]
        });
        let head = ["Run", "Artifact", "File", "Not read, because"].map(Column::left);
        page.table(head.to_vec(), rows.collect());
        page
    }
}

fn date(at: &str) -> String {
    at.parse::<Timestamp>()
        .map_or_else(|_| at.to_owned(), |at| day(at).to_string())
}
