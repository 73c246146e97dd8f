//! Where other tools go wrong, case by case, and what must hold of any rows.

mod cases;
mod laws;
mod otherwise;
mod pool;
mod speed;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::account::{Account, accounts};
use super::ask::{Ask, Source, Start, Window};
use super::definitions;
use super::metrics::{self, Metric, Value};
use super::reasons::Reason;
use super::rows::Row;
use super::table::{Gathering, Rows};

/// A time so many hours after the first of January 2026, a Thursday.
pub(super) fn hour(hours: i64) -> Timestamp {
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    Timestamp::from_second(first.as_second() + hours * 3600).unwrap()
}

pub(super) fn rows(lines: &[Json]) -> Rows {
    let mut gathering = Gathering::default();
    for line in lines {
        gathering.add(hour(0), Row::read(line).unwrap());
    }
    gathering.rows()
}

/// January and February 2026, asked at their end, and values are said of any number.
pub(crate) fn ask() -> Ask<'static> {
    Ask {
        window: Window {
            since: hour(0),
            until: hour(59 * 24),
        },
        now: hour(59 * 24),
        environment: None,
        path: None,
        branch: None,
        author: None,
        team: None,
        sources: &Source::ALL,
        workflow: "deploy",
        blame: 14 * 24 * 3600,
        start: Start::Commit,
        calendar: None,
        definition: definitions::standard(),
        least: 1,
    }
}

/// A row that was counted: its id, seconds, whether it is of the part, remarks, and what it is linked to.
type Counted = (String, Option<f64>, bool, Vec<&'static str>, Vec<String>);

/// What was found of rows.
pub(super) struct Found {
    pub(super) metrics: Vec<Metric>,
    pub(super) accounts: Vec<Account>,
    ids: Vec<Vec<Counted>>,
    reasons: Vec<Vec<(String, Reason)>>,
}

pub(super) fn find(rows: &Rows, ask: &Ask<'_>) -> Found {
    metrics::of(rows, ask, &mut |history, metrics| {
        let name = |row| rows.id(row);
        let ids = metrics.iter().map(|metric| {
            let evidence = metric.evidence.iter();
            let named = evidence.map(|row| {
                let linked = row.linked.iter().map(|row| name(*row)).collect();
                let remarks = row.remarks.iter().map(|remark| remark.code()).collect();
                (name(row.row), row.seconds, row.is_part, remarks, linked)
            });
            named.collect()
        });
        let reasons = metrics.iter().map(|metric| {
            let left = metric.left_out.iter();
            left.map(|left| (name(left.row), left.reason)).collect()
        });
        Found {
            accounts: accounts(history, &metrics),
            ids: ids.collect(),
            reasons: reasons.collect(),
            metrics,
        }
    })
}

pub(super) fn found(lines: &[Json]) -> Found {
    find(&rows(lines), &ask())
}

impl Found {
    fn place(&self, id: &str) -> usize {
        self.metrics
            .iter()
            .position(|metric| metric.id == id)
            .unwrap()
    }

    pub(super) fn metric(&self, id: &str) -> &Metric {
        &self.metrics[self.place(id)]
    }

    /// Returns hours of each row that a metric counts.
    pub(super) fn hours(&self, id: &str) -> Vec<(String, f64)> {
        let rows = self.ids[self.place(id)].iter();
        rows.map(|row| (row.0.clone(), row.1.unwrap_or(-1.0) / 3600.0))
            .collect()
    }

    /// Returns the remarks on a row.
    pub(super) fn remarks(&self, id: &str, row: &str) -> Vec<&'static str> {
        let rows = self.ids[self.place(id)].iter();
        let found = rows.filter(|known| known.0 == row);
        found.flat_map(|row| row.3.clone()).collect()
    }

    /// Returns the rows that are of the part, and what they are linked to.
    pub(super) fn parts(&self, id: &str) -> Vec<(String, Vec<String>)> {
        let rows = self.ids[self.place(id)].iter();
        let rows = rows.filter(|row| row.2);
        rows.map(|row| (row.0.clone(), row.4.clone())).collect()
    }

    /// Returns why a row was left out.
    pub(super) fn reason(&self, id: &str, row: &str) -> Option<&'static str> {
        let mut left = self.reasons[self.place(id)].iter();
        left.find(|(known, _)| known == row)
            .map(|(_, reason)| reason.code())
    }

    pub(super) fn rate(&self, id: &str) -> Option<f64> {
        match &self.metric(id).value {
            Value::Share(share) => share.rate,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the median in hours.
    pub(super) fn median(&self, id: &str) -> Option<f64> {
        match &self.metric(id).value {
            Value::Spread(spread) => spread.median.map(|median| median.value / 3600.0),
            other => panic!("{other:?}"),
        }
    }

    /// Holds that every row is counted or has a reason, for each metric and over all.
    pub(super) fn adds_up(&self) {
        for metric in &self.metrics {
            assert_eq!(
                metric.rows,
                metric.counted + metric.left_out.len(),
                "{}",
                metric.id
            );
        }
        for account in &self.accounts {
            let left: usize = account.left_out.values().sum();
            assert_eq!(account.unexplained, 0, "{account:?}");
            assert_eq!(
                account.rows,
                account.counted + account.context + left,
                "{account:?}"
            );
        }
    }
}

/// A pull request: its number, when its first commit was made, when it was opened and merged, and its merge commit.
pub(super) fn pull(number: u64, first: i64, opened: i64, merged: i64, sha: &str) -> Json {
    json!({
        "kind": "pull", "number": number, "url": format!("https://x/pull/{number}"), "state": "merged", "base": "main",
        "first_commit": hour(first).to_string(), "created": hour(opened).to_string(), "merged": hour(merged).to_string(), "merge_sha": sha,
    })
}

/// A deployment to production that succeeded.
pub(super) fn deployment(id: u64, at: i64, sha: &str) -> Json {
    json!({
        "kind": "deployment", "id": id, "url": format!("https://x/deployments/{id}"), "sha": sha, "environment": "production",
        "created": hour(at).to_string(), "first_success": hour(at).to_string(), "status": "success",
    })
}

pub(super) fn commit(sha: &str, parents: &[&str]) -> Json {
    json!({ "kind": "commit", "sha": sha, "parents": parents, "author_date": hour(0).to_string(), "commit_date": hour(0).to_string() })
}

pub(super) fn incident(id: u64, opened: i64, closed: Option<i64>) -> Json {
    let closed = closed.map(|closed| hour(closed).to_string());
    json!({ "kind": "incident", "id": id, "opened": hour(opened).to_string(), "closed": closed })
}

/// Puts fields over those of a row.
pub(super) fn with(mut row: Json, fields: &Json) -> Json {
    for (name, value) in fields.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}
