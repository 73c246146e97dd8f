//! Pull requests that were merged, out of rows as `delivery_row` events hold them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::merge_time::Past;

/// Rows of pull requests, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows {
    /// Those that were merged, the first to be merged first.
    pub(crate) past: Vec<Past>,
    /// Whether any of them is what git alone shows of one.
    pub(crate) is_proxy: bool,
    /// Rows that are none of a merged pull request.
    pub(crate) passed_over: u64,
    /// How many the author of the one that was asked about had merged before it, where a row of it says who that is.
    pub(crate) earlier: Option<u64>,
}

/// A row, as far as it is wanted here.
struct Row<'v> {
    past: Past,
    author: &'v str,
    is_git: bool,
}

fn read(row: &Value) -> Option<Row<'_>> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = |name: &str| {
        text(name)
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_second)
    };
    let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
    if text("kind") != "pull" {
        return None;
    }
    let is_git = !text("form").is_empty();
    // Git alone knows when its first commit was made, and not when it was opened.
    let first = time("first_commit").filter(|_| is_git);
    let opened = first
        .or_else(|| time("ready"))
        .or_else(|| time("created"))?;
    let merged = time("merged")?;
    let past = Past {
        opened,
        merged,
        additions: number("additions"),
        deletions: number("deletions"),
        files: number("files"),
        commits: number("commits"),
        earlier: None,
        is_bot: text("author_kind") == "bot",
    };
    (merged >= opened).then_some(Row {
        past,
        author: text("author_hash"),
        is_git,
    })
}

/// Reads rows, and what they say of the author of one; whoever wrote one is known by a keyed hash only, and only counted.
pub(crate) fn rows(values: &[Value], about: Option<u64>) -> Rows {
    let mut found: Vec<Row<'_>> = values.iter().filter_map(read).collect();
    let passed_over = values.len() - found.len();
    crate::order::sort_by_key(&mut found, |row| {
        (
            row.past.merged,
            row.past.opened,
            row.past.additions,
            row.past.deletions,
        )
    });
    // Rows of one pull request are stored each time that it changes; what was merged is the same in all of them.
    found.dedup_by(|one, other| one.past == other.past && one.author == other.author);
    let mut merged: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for row in &mut found {
        if row.author.is_empty() {
            continue;
        }
        // In order: they were merged one after the other.
        let times = merged.entry(row.author).or_default();
        let opened = row.past.opened;
        row.past.earlier = Some(times.partition_point(|time| *time <= opened) as u64);
        times.push(row.past.merged);
    }
    let own = about.and_then(|number| {
        let is_it = |row: &&Value| row.get("number").and_then(Value::as_u64) == Some(number);
        let row = values.iter().rev().find(is_it)?;
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let author = text("author_hash").filter(|author| !author.is_empty())?;
        let opened = text("created")?.parse::<Timestamp>().ok()?.as_second();
        let before = |times: &Vec<i64>| times.partition_point(|time| *time <= opened) as u64;
        Some(merged.get(author).map_or(0, before))
    });
    Rows {
        earlier: own,
        is_proxy: found.iter().any(|row| row.is_git),
        passed_over: passed_over as u64,
        past: found.into_iter().map(|row| row.past).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pull(created: &str, merged: Option<&str>, author: &str) -> Value {
        json!({ "kind": "pull", "created": created, "merged": merged, "additions": 3, "deletions": 1, "files": 2, "commits": 1, "author_hash": author, "author_kind": "human" })
    }

    #[test]
    fn merged_pull_requests_are_taken_in_the_order_of_their_merges() {
        let values = [
            pull("2026-01-02T00:00:00Z", Some("2026-01-09T00:00:00Z"), "a"),
            pull("2026-01-01T00:00:00Z", Some("2026-01-03T00:00:00Z"), "a"),
            pull("2026-01-04T00:00:00Z", Some("2026-01-10T00:00:00Z"), "a"),
            pull("2026-01-04T00:00:00Z", Some("2026-01-10T00:00:00Z"), "a"),
            pull("2026-01-04T00:00:00Z", None, "a"),
            pull("2026-01-04T00:00:00Z", Some("2026-01-01T00:00:00Z"), "a"),
            json!({ "kind": "run" }),
            json!(7),
        ];
        let rows = rows(&values, None);
        let days: Vec<i64> = rows
            .past
            .iter()
            .map(|past| (past.merged - past.opened) / 86_400)
            .collect();
        assert_eq!(days, [2, 7, 6]);
        // The one of the second to the ninth was not merged yet when the last was opened.
        let earlier: Vec<Option<u64>> = rows.past.iter().map(|past| past.earlier).collect();
        assert_eq!(earlier, [Some(0), Some(0), Some(1)]);
        assert_eq!((rows.passed_over, rows.is_proxy), (4, false));
    }

    #[test]
    fn git_tells_of_first_commits_and_says_so() {
        let mut value = pull("2026-01-09T00:00:00Z", Some("2026-01-09T00:00:00Z"), "");
        value["first_commit"] = "2026-01-08T00:00:00Z".into();
        assert_eq!(
            rows(std::slice::from_ref(&value), None).past[0].opened,
            rows(std::slice::from_ref(&value), None).past[0].merged
        );
        value["form"] = "merge".into();
        let read = rows(&[value], None);
        assert_eq!(
            (
                read.past[0].merged - read.past[0].opened,
                read.is_proxy,
                read.past[0].earlier
            ),
            (86_400, true, None)
        );
    }

    #[test]
    fn an_author_is_only_counted() {
        let mut open = pull("2026-01-08T00:00:00Z", None, "a");
        open["number"] = 9.into();
        let values = [
            pull("2026-01-01T00:00:00Z", Some("2026-01-03T00:00:00Z"), "a"),
            pull("2026-01-02T00:00:00Z", Some("2026-01-03T00:00:00Z"), "b"),
            pull("2026-01-02T00:00:00Z", Some("2026-01-09T00:00:00Z"), "a"),
            open,
        ];
        assert_eq!(rows(&values, Some(9)).earlier, Some(1));
        assert_eq!(rows(&values, Some(8)).earlier, None);
    }
}
