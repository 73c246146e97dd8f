//! The document of `observe export`: what was told, and to whom.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::signals::Outgoing;
use crate::conduct::export::Delivered;
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::telemetry::metrics::Collector;
use crate::telemetry::otlp::exporter::Signal;
use crate::telemetry::spans::Repository;

/// What was told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.observe-export/v1"))]
pub(crate) struct ObserveExportDocument {
    /// `maestro.observe-export/v1`
    schema: &'static str,
    dry_run: bool,
    /// The time that values are of.
    at: String,
    /// As `owner/name`, or a folder's name.
    repository: String,
    /// Spans of runs that were not told before.
    spans: u64,
    metrics: u64,
    series: u64,
    /// Records of events that were not told before.
    logs: u64,
    /// Values that do not fit the table of metrics.
    left_out: u64,
    pub(super) targets: Vec<TargetRow>,
}

/// Who was told.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct TargetRow {
    /// `traces`, `metrics` or `logs` over OTLP, `otlp-file`, `prometheus`, `openmetrics` or `pushgateway`.
    pub(super) to: &'static str,
    /// The file, or the server's address.
    address: String,
    /// Documents that were taken.
    pub(super) sent: u64,
    /// Of those, the ones that had waited.
    from_spool: u64,
    /// Documents that wait for the next export.
    pub(super) spooled: u64,
    /// Documents that the receiver does not want.
    refused: u64,
    /// Items that it did not take of documents that it took.
    rejected: u64,
    /// Documents that had waited, and for which there was no more room.
    pub(super) dropped: u64,
    /// What went wrong.
    pub(super) problem: Option<String>,
}

impl TargetRow {
    pub(super) fn file(to: &'static str, path: &Path, sent: u64) -> Self {
        Self {
            to,
            address: path.to_string_lossy().into_owned(),
            sent,
            ..Self::default()
        }
    }

    pub(super) fn server(to: &'static str, url: &str) -> Self {
        Self {
            to,
            address: shown(url),
            ..Self::default()
        }
    }

    pub(super) fn delivered(signal: Signal, url: &str, done: Delivered) -> Self {
        Self {
            sent: done.sent,
            from_spool: done.from_spool,
            spooled: done.spooled,
            refused: done.refused,
            rejected: done.rejected,
            dropped: done.dropped,
            problem: done.why,
            ..Self::server(signal.word(), url)
        }
    }
}

/// Returns an address without what may be secret in it.
fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url[..end].to_owned()
}

impl ObserveExportDocument {
    pub(super) fn new(dry_run: bool, at: Timestamp, repository: &Repository) -> Self {
        let name = [repository.owner.as_str(), repository.name.as_str()];
        let name: Vec<&str> = name.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            schema: "maestro.observe-export/v1",
            dry_run,
            at: at.to_string(),
            repository: name.join("/"),
            spans: 0,
            metrics: 0,
            series: 0,
            logs: 0,
            left_out: 0,
            targets: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, outgoing: &Outgoing, metrics: &Collector) {
        self.spans = outgoing.spans.len() as u64;
        self.logs = outgoing.logs.len() as u64;
        self.metrics = metrics.metrics().count() as u64;
        let series = metrics.metrics().map(|metric| metric.series.len() as u64);
        self.series = series.sum();
        self.left_out = metrics.left_out as u64;
    }
}

impl Report for ObserveExportDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{}: {} spans, {} series of {} metrics, {} log records",
            self.repository, self.spans, self.series, self.metrics, self.logs
        ));
        if self.left_out > 0 {
            page.text(format!(
                "{} values do not fit the table of metrics, and are left out.",
                self.left_out
            ));
        }
        let rows = self.targets.iter().map(|row| {
            let tone = match row.problem {
                Some(_) => Tone::Warn,
                None => Tone::Plain,
            };
            vec![
                Cell::plain(row.to),
                Cell::code(row.address.clone()),
                Cell::plain(row.sent.to_string()),
                Cell::toned(row.spooled.to_string(), tone),
                Cell::toned(row.refused.to_string(), tone),
            ]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            let head = vec![
                Column::left("To"),
                Column::left("Address"),
                Column::right("Sent"),
                Column::right("Waits"),
                Column::right("Refused"),
            ];
            page.table(head, rows);
        }
        page
    }
}
