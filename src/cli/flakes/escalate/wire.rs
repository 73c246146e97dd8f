//! `maestro.flakes-escalate/v1`: the clusters and what was done about their issues.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::desk::Step;
use crate::flakes::escalation::{Link, LinkedTest, Subject};
use crate::flakes::quarantine::shown;
use crate::flakes::verdict::times;
use crate::order;
use crate::output::{Cell, Column, Page, Report, Tone};

/// The clusters of flaky tests, and what was done about their issues.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-escalate/v1"))]
pub(crate) struct EscalateDocument {
    /// `maestro.flakes-escalate/v1`
    schema: &'static str,
    /// Whether nothing was changed.
    dry_run: bool,
    /// The repository whose issues were looked at, as `owner/name`; none when GitHub was not asked.
    repository: Option<String>,
    totals: EscalateTotals,
    /// Clusters that stand, then those that were closed.
    clusters: Vec<ClusterRow>,
}

/// Issues by what was done about them.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct EscalateTotals {
    opened: u64,
    updated: u64,
    reopened: u64,
    kept: u64,
    rests: u64,
    closed: u64,
    /// Clusters whose issue is opened another time, because so many are not opened at once.
    waits: u64,
    /// Comments about new failures.
    comments: u64,
}

/// A cluster.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ClusterRow {
    /// Its id, for good.
    id: String,
    /// What is done about its issue.
    pub(super) step: Step,
    /// The number of the issue, where there is one.
    pub(super) issue: Option<u64>,
    pub(super) url: Option<String>,
    /// When its first test failed first.
    first_seen: String,
    /// Owners of its tests.
    owners: Vec<String>,
    /// Tests in quarantine.
    quarantined: u64,
    /// Ids of younger clusters that are a part of it now.
    merged: Vec<String>,
    /// The older cluster that it became a part of.
    merged_into: Option<String>,
    /// Whether new failures are told in a comment.
    pub(super) commented: bool,
    /// Its tests, the one that failed first before the others.
    pub(super) tests: Vec<TestName>,
}

/// A test.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct TestName {
    suite: String,
    test: String,
}

impl From<&LinkedTest> for TestName {
    fn from(linked: &LinkedTest) -> Self {
        Self {
            suite: linked.suite.clone(),
            test: linked.test.clone(),
        }
    }
}

impl ClusterRow {
    pub(super) fn new(
        link: &Link,
        members: &[(&Subject, Option<&str>)],
        merged: Vec<String>,
    ) -> Self {
        let mut owners: Vec<String> = members
            .iter()
            .filter_map(|(_, owner)| owner.map(str::to_owned))
            .collect();
        order::sort(&mut owners);
        owners.dedup();
        let quarantined = members
            .iter()
            .filter(|(subject, _)| subject.entry.is_some());
        let tests = members.iter().map(|(subject, _)| TestName {
            suite: subject.suite.clone(),
            test: subject.test.clone(),
        });
        Self {
            id: link.cluster.clone(),
            step: Step::Kept,
            issue: link.issue,
            url: None,
            first_seen: link.first_seen.to_string(),
            owners,
            quarantined: quarantined.count() as u64,
            merged,
            merged_into: link.merged_into.clone(),
            commented: false,
            tests: tests.collect(),
        }
    }

    fn name(&self) -> String {
        let first = self.tests.first();
        let name = first.map_or_else(String::new, |first| shown(&first.suite, &first.test));
        match self.tests.len() {
            0 | 1 => name,
            more => format!("{name} (and {} more)", more - 1),
        }
    }
}

impl EscalateDocument {
    pub(super) fn new(
        dry_run: bool,
        repository: Option<String>,
        clusters: Vec<ClusterRow>,
    ) -> Self {
        let mut totals = EscalateTotals::default();
        for row in &clusters {
            let count = match row.step {
                Step::Opened => &mut totals.opened,
                Step::Updated => &mut totals.updated,
                Step::Reopened => &mut totals.reopened,
                Step::Kept => &mut totals.kept,
                Step::Rests => &mut totals.rests,
                Step::Closed => &mut totals.closed,
                Step::Waits => &mut totals.waits,
            };
            *count += 1;
            totals.comments += u64::from(row.commented);
        }
        Self {
            schema: "maestro.flakes-escalate/v1",
            dry_run,
            repository,
            totals,
            clusters,
        }
    }
}

impl Report for EscalateDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let totals = &self.totals;
        let would = if self.dry_run {
            " (dry run: nothing was changed)"
        } else {
            ""
        };
        page.heading(format!(
            "{}: {} opened, {} updated, {} reopened, {} closed, {}{would}",
            times(self.clusters.len() as u64, "cluster"),
            totals.opened,
            totals.updated,
            totals.reopened,
            totals.closed,
            times(totals.comments, "comment"),
        ));
        if self.clusters.is_empty() {
            page.text("No test is flaky or in quarantine.");
            return page;
        }
        let rows = self.clusters.iter().map(|row| {
            let tone = match row.step {
                Step::Opened | Step::Reopened => Tone::Bad,
                Step::Closed => Tone::Good,
                Step::Updated | Step::Kept | Step::Rests | Step::Waits => Tone::Plain,
            };
            vec![
                Cell::toned(row.step.name(), tone),
                Cell::plain(
                    row.issue
                        .map_or_else(String::new, |number| format!("#{number}")),
                ),
                Cell::code(&row.id),
                Cell::plain(row.tests.len().to_string()),
                Cell::code(row.name()),
                Cell::code(row.owners.join(" ")),
            ]
        });
        let head = vec![
            Column::left("Issue"),
            Column::left("Number"),
            Column::left("Cluster"),
            Column::right("Tests"),
            Column::left("Test"),
            Column::left("Owner"),
        ];
        page.table(head, rows.collect());
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let totals = &self.totals;
        [
            ("opened", totals.opened),
            ("reopened", totals.reopened),
            ("closed", totals.closed),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect()
    }
}
