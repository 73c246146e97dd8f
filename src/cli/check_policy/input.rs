//! The document of `check-policy --explain-input`: what would be judged. It holds no line of a file, which may be a secret.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::PolicyRow;
use crate::change::{Entry, Kind};
use crate::output::{Cell, Column, Page, Report};
use crate::policy::subject::Subject;

/// What would be judged.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.policy-input/v1"))]
pub(crate) struct PolicyInputDocument {
    /// `maestro.policy-input/v1`
    schema: &'static str,
    policy: PolicyRow,
    /// The commits that the change is compared with.
    merge_bases: Vec<String>,
    /// The commit that is judged.
    head: String,
    /// The day on which it is judged (UTC).
    today: String,
    asked: AskedRow,
    changes: Vec<ChangeRow>,
    /// Whether reports of other tools were given.
    reports: bool,
}

/// Who wants it, and in which words.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct AskedRow {
    number: Option<u64>,
    title: Option<String>,
    head_branch: Option<String>,
    base_branch: Option<String>,
    author: Option<String>,
    actor: Option<String>,
    triggering_actor: Option<String>,
    /// As GitHub says it.
    association: Option<String>,
    is_bot: bool,
    is_agent: bool,
    is_fork: bool,
    labels: Vec<String>,
    /// Persons who approved this head.
    approvals: Vec<String>,
    teams: Vec<String>,
    /// US dollars that models cost so far; nothing where nobody knows.
    spent_usd: Option<String>,
}

/// A changed path.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ChangeRow {
    path: String,
    /// Whether the path is UTF-8.
    is_text: bool,
    /// `added`, `deleted`, `modified` or `type-changed`.
    status: &'static str,
    /// `file`, `program`, `link` or `submodule`, before; nothing where there was none.
    was: Option<&'static str>,
    /// The same after.
    is: Option<&'static str>,
    is_binary: bool,
    /// Lines that are new.
    added: u64,
    /// Lines that are gone.
    deleted: u64,
    /// Bytes after.
    bytes: Option<u64>,
}

fn kind(entry: Option<&Entry>) -> Option<&'static str> {
    entry.map(|entry| match entry.kind() {
        Kind::Link => "link",
        Kind::Submodule => "submodule",
        Kind::File if entry.is_executable() => "program",
        Kind::File => "file",
    })
}

impl PolicyInputDocument {
    pub(super) fn new(
        policy: PolicyRow,
        (merge_bases, head): (Vec<String>, String),
        subject: &Subject<'_>,
    ) -> Self {
        let asked = subject.asked.clone();
        let changes = subject.changes.iter().map(|change| {
            let lines = subject.lines_of(&change.path);
            ChangeRow {
                path: change.path.clone(),
                is_text: change.is_text,
                status: change.status().name(),
                was: kind(change.old.as_ref()),
                is: kind(change.new.as_ref()),
                is_binary: lines.is_some_and(|lines| lines.is_binary),
                added: lines.map_or(0, |lines| lines.added.len() as u64),
                deleted: lines.map_or(0, |lines| lines.deleted),
                bytes: lines
                    .and_then(|lines| lines.new)
                    .map(|new| new.len() as u64),
            }
        });
        Self {
            schema: "maestro.policy-input/v1",
            policy,
            merge_bases,
            head,
            today: subject.today.to_string(),
            asked: AskedRow {
                number: asked.number,
                title: asked.title,
                head_branch: asked.head_branch,
                base_branch: asked.base_branch,
                author: asked.author,
                actor: asked.actor,
                triggering_actor: asked.triggering_actor,
                association: asked.association,
                is_bot: asked.is_bot,
                is_agent: asked.is_agent,
                is_fork: asked.is_fork,
                labels: asked.labels,
                approvals: asked.approvals,
                teams: asked.teams,
                spent_usd: asked.spent.map(|spent| spent.usd.to_string()),
            },
            changes: changes.collect(),
            reports: subject.supplied.is_some(),
        }
    }
}

impl Report for PolicyInputDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading("What would be judged");
        self.policy.show(&mut page);
        let rows = self.changes.iter().map(|row| {
            vec![
                Cell::plain(row.status),
                Cell::plain(row.is.or(row.was).unwrap_or_default()),
                Cell::plain(row.added.to_string()),
                Cell::plain(row.deleted.to_string()),
                Cell::code(row.path.clone()),
            ]
        });
        let head = vec![
            Column::left("status"),
            Column::left("kind"),
            Column::right("new"),
            Column::right("gone"),
            Column::left("path"),
        ];
        page.table(head, rows.collect());
        page
    }
}
