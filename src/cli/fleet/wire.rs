//! What `maestro fleet diff` writes.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;

use super::gather::{Compared, Found, Read};
use crate::fleet::complaints;
use crate::fleet::side::Side;
use crate::fleet::standing::Against;
use crate::fleet::used;
use crate::order;
use crate::output::{Cell, Column, Page, Report, Tone};

/// Repositories, and where each stands.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.fleet-diff/v1"))]
pub(crate) struct FleetDiffDocument {
    /// `maestro.fleet-diff/v1`
    schema: &'static str,
    /// The newest maestro that any workflow of the list uses.
    newest_maestro: Option<String>,
    /// In the order of the list.
    repositories: Vec<RepositoryRow>,
    /// How many are behind in their configuration or policy.
    behind: usize,
    /// How many loosen what is locked.
    loosened: usize,
    /// How many could not be read.
    unread: usize,
    /// How many have complaints; `--check` fails for these.
    pub(super) failing: usize,
}

/// A repository of the list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RepositoryRow {
    name: String,
    /// As the list has it, and on which line.
    path: String,
    line: usize,
    /// `read`, `unconfigured` (it has no `.maestro/maestro.yaml`), `missing` or `unreadable`.
    status: &'static str,
    /// Why it could not be read.
    problem: Option<String>,
    /// The commit that was read: the newest of the default branch, as far as it is known.
    commit: Option<String>,
    /// The versions of maestro that it requires.
    requires: Option<String>,
    /// What blocks, with what it extends.
    enforce: Vec<String>,
    configuration: SideRow,
    policy: SideRow,
    quarantine: Option<QuarantineRow>,
    /// Where its workflows take maestro from.
    maestro: Vec<UsedRow>,
    /// What is wrong with it.
    complaints: Vec<String>,
}

/// A configuration or policy, and the file that it extends.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SideRow {
    /// What it extends, at a commit.
    extends: Option<String>,
    /// `newest`, `same` (older, and the file has the same text), `behind` or `unknown`; nothing where it extends nothing.
    standing: Option<&'static str>,
    /// How many commits it is behind, where they could be counted.
    behind: Option<u64>,
    /// What it was compared with.
    newest: Option<String>,
    /// Whether that is the tip of the `default-branch` of the file's repository, or the newest pin of the `fleet`.
    newest_of: Option<&'static str>,
    /// Keys by which it is looser than what is locked.
    loosened: Vec<LooserRow>,
    /// Keys (of a policy: entries) that both have, and this repository otherwise.
    overridden: Vec<String>,
    /// Why it does not count.
    problem: Option<String>,
}

/// A key by which a repository is looser than what is locked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LooserRow {
    key: String,
    line: u32,
    floor: String,
    own: String,
}

/// Tests that are forgiven.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct QuarantineRow {
    tests: usize,
    /// Those that should have been reviewed before today.
    overdue: usize,
}

/// Where a workflow takes maestro from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct UsedRow {
    /// The action, or `cargo install`.
    uses: String,
    /// The commit, tag or branch.
    at: Option<String>,
    version: Option<String>,
    /// Whether nobody of the list uses a newer version; nothing where the version is not known.
    is_newest: Option<bool>,
}

impl FleetDiffDocument {
    pub(super) fn new(found: Vec<Found>, most: Option<u64>) -> Self {
        let read = found.iter().filter_map(|one| one.read.as_ref().ok());
        let newest = used::newest(read.flat_map(|read| &read.member.used));
        let rows = found.into_iter();
        let rows: Vec<RepositoryRow> = rows.map(|one| row(one, newest.as_ref(), most)).collect();
        let count = |is: &dyn Fn(&RepositoryRow) -> bool| rows.iter().filter(|row| is(row)).count();
        let sides = |row: &RepositoryRow, is: &dyn Fn(&SideRow) -> bool| {
            is(&row.configuration) || is(&row.policy)
        };
        Self {
            schema: "maestro.fleet-diff/v1",
            newest_maestro: newest.map(|version| version.to_string()),
            behind: count(&|row| sides(row, &|side| side.standing == Some("behind"))),
            loosened: count(&|row| sides(row, &|side| !side.loosened.is_empty())),
            unread: count(&|row| row.problem.is_some()),
            failing: count(&|row| !row.complaints.is_empty()),
            repositories: rows,
        }
    }

    /// Says what could not be read.
    pub(super) fn unread(&self) -> Vec<String> {
        let rows = self.repositories.iter();
        let unread = rows.filter_map(|row| {
            let problem = row.problem.as_ref()?;
            Some(format!(
                "`{}` (line {}) could not be read: {problem}",
                row.path, row.line
            ))
        });
        unread.collect()
    }
}

fn row(one: Found, newest: Option<&Version>, most: Option<u64>) -> RepositoryRow {
    let (name, path, line) = (one.name, one.path, one.line);
    let read = match one.read {
        Ok(read) => read,
        Err(why) => {
            return RepositoryRow {
                name,
                path,
                line,
                status: if why.is_missing {
                    "missing"
                } else {
                    "unreadable"
                },
                complaints: vec![format!("it could not be read: {}", why.words)],
                problem: Some(why.words),
                commit: None,
                requires: None,
                enforce: Vec::new(),
                configuration: SideRow::default(),
                policy: SideRow::default(),
                quarantine: None,
                maestro: Vec::new(),
            };
        }
    };
    let Read {
        commit,
        has_config,
        member,
        config,
        policy,
    } = read;
    let standings = (
        config.as_ref().map(|compared| compared.standing),
        policy.as_ref().map(|compared| compared.standing),
    );
    let complaints = complaints(&member, standings, most);
    let used = member.used.into_iter().map(|one| UsedRow {
        is_newest: one.version.as_ref().map(|version| Some(version) == newest),
        uses: one.what,
        at: one.at,
        version: one.version.map(|version| version.to_string()),
    });
    let quarantine = member.quarantine.and_then(Result::ok);
    RepositoryRow {
        name,
        path,
        line,
        status: if has_config { "read" } else { "unconfigured" },
        problem: None,
        commit: Some(commit),
        requires: member.requires,
        enforce: member.enforce,
        configuration: side(member.config, config),
        policy: side(member.policy, policy),
        quarantine: quarantine.map(|(tests, overdue)| QuarantineRow { tests, overdue }),
        maestro: used.collect(),
        complaints,
    }
}

fn side(side: Side, compared: Option<Compared>) -> SideRow {
    let loosened = side.loosened.into_iter().map(|one| LooserRow {
        key: one.key,
        line: one.line,
        floor: one.floor,
        own: one.own,
    });
    SideRow {
        extends: side.extends.map(|extends| extends.shown()),
        standing: compared.as_ref().map(|one| one.standing.word()),
        behind: compared.as_ref().and_then(|one| one.standing.commits()),
        newest_of: compared
            .as_ref()
            .and_then(|one| one.against)
            .map(Against::word),
        newest: compared.and_then(|one| one.newest),
        loosened: loosened.collect(),
        overridden: side.overridden,
        problem: side.problem,
    }
}

impl SideRow {
    fn cell(&self) -> Cell {
        let Some(standing) = self.standing else {
            return match self.problem {
                Some(_) => Cell::toned("broken", Tone::Bad),
                None => Cell::plain("alone"),
            };
        };
        let text = match (standing, self.behind) {
            ("behind", Some(commits)) => format!("{commits} behind"),
            (word, _) => word.to_owned(),
        };
        match (&self.problem, standing) {
            (Some(_), _) => Cell::toned("broken", Tone::Bad),
            (None, "newest" | "same") => Cell::toned(text, Tone::Good),
            (None, _) => Cell::toned(text, Tone::Warn),
        }
    }
}

impl RepositoryRow {
    fn cells(&self) -> Vec<Cell> {
        if self.problem.is_some() {
            let mut cells = vec![Cell::code(&self.name), Cell::toned(self.status, Tone::Bad)];
            cells.resize_with(9, || Cell::plain(""));
            return cells;
        }
        let sides = [&self.configuration, &self.policy];
        let loosened: usize = sides.iter().map(|side| side.loosened.len()).sum();
        let other: usize = sides.iter().map(|side| side.overridden.len()).sum();
        let number = |number: usize, tone: Tone| match number {
            0 => Cell::plain(""),
            number => Cell::toned(number.to_string(), tone),
        };
        let quarantine = match &self.quarantine {
            None => Cell::plain(""),
            Some(row) if row.overdue > 0 => Cell::toned(
                format!("{} of {} overdue", row.overdue, row.tests),
                Tone::Warn,
            ),
            Some(row) => Cell::plain(row.tests.to_string()),
        };
        let configuration = if self.status == "unconfigured" {
            Cell::plain("none")
        } else {
            self.configuration.cell()
        };
        let versions = self.maestro.iter().map(|used| {
            let version = used.version.clone().or_else(|| used.at.clone());
            version.unwrap_or_else(|| "any".to_owned())
        });
        let mut versions: Vec<String> = versions.collect();
        order::sort(&mut versions);
        versions.dedup();
        vec![
            Cell::code(&self.name),
            configuration,
            self.policy.cell(),
            number(loosened, Tone::Bad),
            number(other, Tone::Plain),
            Cell::plain(self.enforce.join(", ")),
            quarantine,
            Cell::code(self.requires.clone().unwrap_or_default()),
            Cell::code(versions.join(", ")),
        ]
    }
}

impl Report for FleetDiffDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "{} repositories: {} behind, {} loosen what is locked, {} could not be read.",
            self.repositories.len(),
            self.behind,
            self.loosened,
            self.unread
        ));
        let head = [
            "Repository",
            "Configuration",
            "Policy",
            "Loosened",
            "Otherwise",
            "Enforces",
            "Quarantine",
            "Requires",
            "Uses",
        ];
        let rows = self.repositories.iter().map(RepositoryRow::cells);
        page.table(head.map(Column::left).into(), rows.collect());
        for row in self
            .repositories
            .iter()
            .filter(|row| !row.complaints.is_empty())
        {
            page.text(format!("{}: {}.", row.name, row.complaints.join("; ")));
        }
        if let Some(newest) = &self.newest_maestro {
            page.text(format!(
                "The newest maestro that a workflow uses is {newest}."
            ));
        }
        page
    }
}
