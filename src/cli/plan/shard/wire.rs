//! The document of `plan shard`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};
use crate::sha::Sha;

/// One part of a job's tests.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.plan-shard/v1"))]
pub(crate) struct PlanShardDocument {
    /// `maestro.plan-shard/v1`
    schema: &'static str,
    runner: &'static str,
    /// Which part this is, from 1.
    part: u32,
    /// Of how many.
    parts: u32,
    /// Tests of all parts, or files where the runner is told no less.
    tests: u64,
    /// Those whose time is known.
    pub(super) known: u64,
    /// What is expected of a new one, in seconds: the 75th percentile of those that are known.
    new_seconds: Option<f64>,
    /// SHA-256 over all tests with their parts: parts that say the same are disjoint, and together complete.
    split: String,
    /// Every part.
    shards: Vec<ShardRow>,
    /// Arguments for the runner: one list for each time that it has to be called.
    pub(super) calls: Vec<Vec<String>>,
}

/// One of the parts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ShardRow {
    part: u32,
    tests: u64,
    /// What it is expected to take, in seconds; none where no time is known.
    seconds: Option<f64>,
    #[serde(skip)]
    microseconds: u64,
}

impl ShardRow {
    pub(super) fn new(part: u32) -> Self {
        Self {
            part,
            tests: 0,
            seconds: None,
            microseconds: 0,
        }
    }

    /// Adds a test and what is expected of it.
    pub(super) fn add(&mut self, microseconds: Option<u64>) {
        self.tests += 1;
        if let Some(microseconds) = microseconds {
            self.microseconds = self.microseconds.saturating_add(microseconds);
            self.seconds = Some(seconds(self.microseconds));
        }
    }
}

fn seconds(microseconds: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are shown")]
    let milliseconds = (microseconds / 1000) as f64;
    milliseconds / 1000.0
}

/// A split, and one part of it.
pub(super) struct Split {
    pub(super) runner: &'static str,
    pub(super) part: u32,
    pub(super) parts: u32,
    pub(super) tests: u64,
    pub(super) known: u64,
    pub(super) new_microseconds: Option<u64>,
    /// Of all parts.
    pub(super) digest: Sha,
    pub(super) rows: Vec<ShardRow>,
    pub(super) calls: Vec<Vec<String>>,
}

impl PlanShardDocument {
    pub(super) fn new(split: Split) -> Self {
        Self {
            schema: "maestro.plan-shard/v1",
            runner: split.runner,
            part: split.part,
            parts: split.parts,
            tests: split.tests,
            known: split.known,
            new_seconds: split.new_microseconds.map(seconds),
            split: split.digest.to_string(),
            shards: split.rows,
            calls: split.calls,
        }
    }

    fn own(&self) -> Option<&ShardRow> {
        self.shards.iter().find(|row| row.part == self.part)
    }
}

impl Report for PlanShardDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "Part {} of {}: {} of {}, {} of them with a known time.",
            self.part,
            self.parts,
            self.own().map_or(0, |row| row.tests),
            times(self.tests, "test"),
            self.known,
        ));
        let rows = self.shards.iter().map(|row| {
            let mark = if row.part == self.part {
                "this one"
            } else {
                ""
            };
            let time = row
                .seconds
                .map_or("unknown".to_owned(), |seconds| format!("{seconds:.1} s"));
            vec![
                Cell::plain(row.part.to_string()),
                Cell::plain(row.tests.to_string()),
                Cell::plain(time),
                Cell::plain(mark),
            ]
        });
        page.table(
            vec![
                Column::right("Part"),
                Column::right("Tests"),
                Column::right("Expected"),
                Column::left(""),
            ],
            rows.collect(),
        );
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let tests = self.own().map_or(0, |row| row.tests);
        vec![
            ("tests".to_owned(), tests.to_string()),
            ("split".to_owned(), self.split.clone()),
        ]
    }
}
