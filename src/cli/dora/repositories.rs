//! `--repos FILE`: what is stored of many repositories, pooled. One that cannot be read is named, and the exit code says so.

use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::gather::Gathered;
use super::listed::{self, List, Once};
use super::page::{median, share};
use super::question::{AskArgs, Question};
use super::wire::{Figures, ShareFigures, deployments_of, duration_of, share_of};
use crate::cli::session::Session;
use crate::delivery::ask::Source;
use crate::delivery::pool::{Measured, Repository};
use crate::delivery::repositories::Unread;
use crate::delivery::table::Kind;
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page};

/// A repository of the list, and what became of it.
#[derive(Debug)]
pub(super) struct Standing {
    line: usize,
    name: String,
    path: String,
    found: Result<Found, Unread>,
}

/// What was read of a repository.
#[derive(Debug)]
struct Found {
    /// Its place in the pool.
    place: usize,
    from: &'static str,
    is_shallow: bool,
}

/// A repository of the list, as the documents have it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct RepositoryRow {
    pub(super) name: String,
    /// As the list has it, and on which line.
    path: String,
    line: usize,
    /// `read`, `empty` (there is nothing to pool), `missing` or `unreadable`.
    pub(super) status: &'static str,
    /// Why it could not be read.
    problem: Option<String>,
    /// `github` (what is stored of it) or `git` alone, a fallback.
    rows_from: Option<&'static str>,
    /// What its deployments were taken from.
    source: Option<&'static str>,
    is_shallow: bool,
    /// Rows of all kinds but commits.
    rows: usize,
    deployments: usize,
    lead_time_deploy: Figures,
    lead_time_merge: Figures,
    change_fail_rate: ShareFigures,
    recovery: Figures,
    rework_rate: ShareFigures,
}

/// Reads every repository that a list names.
pub(super) fn gather(
    session: &mut Session<'_>,
    file: &Path,
    question: &Question,
    with_paths: bool,
) -> Result<Gathered, CommandError> {
    let list = List::open(session, file)?;
    let mut once = Once::default();
    let mut found = Gathered {
        from: "states",
        ..Gathered::default()
    };
    for one in &list.listed {
        let mut name = one.name.as_ref().map(ToString::to_string);
        let read = list.place(session, one).and_then(|mut place| {
            let read = place.read(session.world, question, with_paths);
            name.clone_from(&place.name);
            let read = read?;
            once.meet(one.line, &place)?;
            Ok(read)
        });
        let name = name.unwrap_or_else(|| one.path.clone());
        let standing = read.map(|read| {
            let place = found.pool.list.len();
            found.pool.list.push(Repository {
                name: name.clone(),
                rows: read.rows.rows(),
            });
            Found {
                place,
                from: read.from,
                is_shallow: read.said.is_shallow,
            }
        });
        found.listed.push(Standing {
            line: one.line,
            name,
            path: one.path.clone(),
            found: standing,
        });
    }
    if let Some(error) = nothing_read(file, &found.listed) {
        return Err(error);
    }
    let many = |is: &dyn Fn(&Found) -> bool| {
        let read = found
            .listed
            .iter()
            .filter_map(|one| one.found.as_ref().ok());
        read.filter(|one| is(one)).count()
    };
    let (shallow, bare) = (many(&|one| one.is_shallow), many(&|one| one.from == "git"));
    found.is_shallow = shallow > 0;
    found.notes = listed::notes(shallow, bare);
    Ok(found)
}

/// Returns the error of a list of which nothing can be read: sums of nothing would look like measures.
fn nothing_read(file: &Path, listed: &[Standing]) -> Option<CommandError> {
    let unread: Vec<_> = listed
        .iter()
        .filter_map(|one| Some((one, one.found.as_ref().err()?)))
        .collect();
    let (first, why) = unread.first().filter(|_| unread.len() == listed.len())?;
    let kind = listed::unread_kind(unread.iter().any(|(_, why)| why.is_missing));
    let message = format!(
        "none of the repositories that `{}` lists can be read; the first, `{}` (line {}): {}",
        file.display(),
        first.path,
        first.line,
        why.words
    );
    let hint = "paths are meant from where the list lies; name clones, or folders of a state";
    Some(CommandError::message(kind, message).hint(hint))
}

/// Names what could not be read of a list, if there is one, and fails where there is such.
pub(super) fn verdict(
    session: &mut Session<'_>,
    args: &AskArgs,
    found: &Gathered,
) -> CommandResult {
    let Some(file) = &args.repos else {
        return Ok(ExitCode::Success);
    };
    let unread = found.listed.iter().filter_map(|one| {
        let why = one.found.as_ref().err()?;
        Some((one.line, one.path.as_str(), why))
    });
    listed::verdict(session, file, found.listed.len(), unread)
}

/// Says of every repository of the list what became of it.
pub(super) fn rows(found: &Gathered, measured: &Measured) -> Vec<RepositoryRow> {
    let listed = found.listed.iter();
    listed.map(|one| row(one, found, measured)).collect()
}

fn row(one: &Standing, found: &Gathered, measured: &Measured) -> RepositoryRow {
    let place = one.found.as_ref().ok().map(|found| found.place);
    let each = place.and_then(|place| measured.each.get(place));
    let metrics = each.map(|each| each.metrics.as_slice()).unwrap_or_default();
    let pooled = place.and_then(|place| found.pool.list.get(place));
    let rows = pooled.map_or(0, |pooled| {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Commit);
        kinds.map(|kind| pooled.rows.count(kind)).sum()
    });
    RepositoryRow {
        name: one.name.clone(),
        path: one.path.clone(),
        line: one.line,
        status: match &one.found {
            Ok(_) if rows == 0 => "empty",
            Ok(_) => "read",
            Err(why) if why.is_missing => "missing",
            Err(_) => "unreadable",
        },
        problem: one.found.as_ref().err().map(|why| why.words.clone()),
        rows_from: one.found.as_ref().ok().map(|found| found.from),
        source: each.and_then(|each| each.source).map(Source::word),
        is_shallow: one.found.as_ref().is_ok_and(|found| found.is_shallow),
        rows,
        deployments: deployments_of(metrics),
        lead_time_deploy: duration_of(metrics, "lead-time-deploy"),
        lead_time_merge: duration_of(metrics, "lead-time-merge"),
        change_fail_rate: share_of(metrics, "change-fail-rate"),
        recovery: duration_of(metrics, "recovery"),
        rework_rate: share_of(metrics, "rework-rate"),
    }
}

/// Shows the repositories as people read them.
pub(super) fn table(repositories: &[RepositoryRow], page: &mut Page) {
    if repositories.is_empty() {
        return;
    }
    page.heading("By repository");
    let with_n = |figures: &Figures| match figures.n {
        0 => String::new(),
        n if figures.median.is_some() => format!("{} (n={n})", median(figures)),
        _ => median(figures),
    };
    let rows = repositories.iter().map(|row| {
        let from = match (&row.problem, row.source) {
            (Some(_), _) => row.status.to_owned(),
            (None, _) if row.rows == 0 => "nothing".to_owned(),
            (None, source) => source.unwrap_or("no deployment").to_owned(),
        };
        vec![
            Cell::plain(row.rows.to_string()),
            Cell::plain(row.deployments.to_string()),
            Cell::plain(with_n(&row.lead_time_deploy)),
            Cell::plain(with_n(&row.lead_time_merge)),
            Cell::plain(share(&row.change_fail_rate)),
            Cell::plain(from),
            Cell::code(&row.name),
        ]
    });
    let head = ["Rows", "Deployments", "Lead time", "To merge", "Fail rate"].map(Column::right);
    let head = head
        .into_iter()
        .chain(["Deployments are", "Repository"].map(Column::left));
    page.table(head.collect(), rows.collect());
    for row in repositories {
        if let Some(problem) = &row.problem {
            page.text(format!("Left out, line {}: {problem}.", row.line));
        }
    }
}
