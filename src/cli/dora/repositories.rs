//! `--repos FILE`: what is stored of many repositories, pooled. One that cannot be read is named, and the exit code says so.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::gather::{Gathered, Wanted, read_git};
use super::page::{median, share};
use super::question::Question;
use super::wire::{Figures, ShareFigures, deployments_of, duration_of, share_of};
use crate::cli::session::Session;
use crate::delivery::ask::Source;
use crate::delivery::pool::{Measured, Repository};
use crate::delivery::repositories::{self as list, Listed};
use crate::delivery::table::{Gathering, Kind};
use crate::error::{CommandError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::forge::repository::of_remote;
use crate::output::{Cell, Column, Page};
use crate::ports::{Checkout, Files};
use crate::state::StateFolder;

/// A list is no longer.
const LONGEST_LIST: u64 = 4 * 1024 * 1024;

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

/// Why a repository could not be read.
#[derive(Debug)]
struct Unread {
    is_missing: bool,
    words: String,
}

impl Unread {
    fn missing(words: &str) -> Self {
        Self {
            is_missing: true,
            words: words.to_owned(),
        }
    }

    fn bad(words: impl Into<String>) -> Self {
        Self {
            is_missing: false,
            words: words.into(),
        }
    }
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
    let (folder, listed) = read_list(session, file)?;
    let mut reading = Reading {
        session,
        question,
        with_paths,
        folder,
        seen: BTreeMap::new(),
        found: Gathered {
            from: "states",
            ..Gathered::default()
        },
    };
    for one in listed {
        reading.take(&one);
    }
    let mut found = reading.found;
    let many = |is: &dyn Fn(&Found) -> bool| {
        let read = found
            .listed
            .iter()
            .filter_map(|one| one.found.as_ref().ok());
        read.filter(|one| is(one)).count()
    };
    let (shallow, bare) = (many(&|one| one.is_shallow), many(&|one| one.from == "git"));
    found.is_shallow = shallow > 0;
    if shallow > 0 {
        found.notes.push(format!("{shallow} clones are shallow: older commits and tags are missing, and what they would say is missing too"));
    }
    if bare > 0 {
        found.notes.push(format!("of {bare} repositories git alone is known: tags stand for deployments, nobody knows when a pull request was opened, and a squashed one has lost its first commit"));
    }
    Ok(found)
}

/// Reads a list, and returns the folder that its paths are meant from.
pub(in crate::cli) fn read_list(
    session: &Session<'_>,
    file: &Path,
) -> Result<(PathBuf, Vec<Listed>), CommandError> {
    let whole = session.base.join(file);
    let failed = |error| CommandError::reading(file, error);
    let mut bytes = Vec::new();
    let opened = session.world.files.open(&whole).map_err(failed)?;
    opened
        .take(LONGEST_LIST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let bad = |words: String| {
        let message = format!("`{}` lists no repositories: {words}", file.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("write one a line: a path, or OWNER/NAME and a path; lines that begin with # are comments")
    };
    if bytes.len() as u64 > LONGEST_LIST {
        return Err(bad(format!("it is longer than {LONGEST_LIST} bytes")));
    }
    let listed = list::read(&bytes).map_err(|why| bad(why.to_string()))?;
    let folder = whole.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok((folder, listed))
}

/// Whether a folder is a repository, and does not only lie in one.
pub(in crate::cli) fn is_repository(files: &dyn Files, folder: &Path) -> bool {
    let has = |name: &str| files.kind(&folder.join(name)).is_ok();
    has(".git") || has("HEAD") && has("objects")
}

/// The list, as it is read.
struct Reading<'s, 'w, 'q> {
    session: &'s Session<'w>,
    question: &'q Question,
    with_paths: bool,
    /// Paths are meant from where the list lies.
    folder: PathBuf,
    /// On which line each repository was met, by its name or its state's place.
    seen: BTreeMap<String, usize>,
    found: Gathered,
}

impl<'w> Reading<'_, 'w, '_> {
    fn take(&mut self, one: &Listed) {
        let mut name = one.name.as_ref().map(ToString::to_string);
        let read = self.read(one, &mut name);
        let name = name.unwrap_or_else(|| one.path.clone());
        let found = read.map(|(rows, from, is_shallow)| {
            let place = self.found.pool.list.len();
            self.found.pool.list.push(Repository {
                name: name.clone(),
                rows: rows.rows(),
            });
            Found {
                place,
                from,
                is_shallow,
            }
        });
        self.found.listed.push(Standing {
            line: one.line,
            name,
            path: one.path.clone(),
            found,
        });
    }

    /// Reads what is stored of a repository, and its clone where there is one.
    fn read(
        &mut self,
        one: &Listed,
        name: &mut Option<String>,
    ) -> Result<(Gathering, &'static str, bool), Unread> {
        let folder = self.folder.join(&one.path);
        let (state, checkout) = self.open(&folder)?;
        if name.is_none()
            && let Some(checkout) = &checkout
        {
            *name = self.name_of(checkout);
        }
        let mut rows = Gathering::default();
        if !self.question.is_git {
            rows = stored(&state, name)?;
        }
        self.once(one.line, name.as_deref(), &state)?;
        let is_empty = rows.is_empty();
        let from = if is_empty && checkout.is_some() {
            "git"
        } else {
            "github"
        };
        let Some(checkout) = checkout else {
            if self.question.is_git {
                return Err(Unread::bad(
                    "there is no clone, and git alone was asked for",
                ));
            }
            return Ok((rows, from, false));
        };
        let wanted = Wanted {
            question: self.question,
            paths: self.with_paths,
            pulls: is_empty,
        };
        let said = read_git(self.session.world, &checkout, &wanted, &mut rows);
        let said = said.map_err(|error| Unread::bad(format!("{:#}", error.error)))?;
        Ok((rows, from, said.is_shallow))
    }

    /// Finds the state of a folder: a repository's, or the folder is one itself.
    fn open(&self, folder: &Path) -> Result<(StateFolder<'w>, Option<Checkout>), Unread> {
        let world = self.session.world;
        let has = |name: &str| world.files.kind(&folder.join(name)).is_ok();
        if world.files.kind(folder).is_err() {
            return Err(Unread::missing("there is no such folder"));
        }
        // A state folder that lies in a repository is not that repository's.
        if has("outbox") || has("segments") {
            return Ok((self.session.state_in(folder.to_path_buf()), None));
        }
        if !is_repository(world.files.as_ref(), folder) {
            return Err(Unread::bad("it is neither a repository nor a state folder"));
        }
        let checkout = world.git.checkout(folder);
        let checkout = checkout.map_err(|error| Unread::bad(error.to_string()))?;
        Ok((self.session.state_of(&checkout), Some(checkout)))
    }

    /// Returns the name of a clone, as the address of its remote has it.
    fn name_of(&self, checkout: &Checkout) -> Option<String> {
        let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let remote = &self.session.settings.remote.value;
        let address = self.session.world.git.remote_address(home, remote).ok()??;
        of_remote(&address).map(|(_, name)| name.to_string())
    }

    /// Holds that a repository counts once, under whichever path it is named.
    fn once(
        &mut self,
        line: usize,
        name: Option<&str>,
        state: &StateFolder<'_>,
    ) -> Result<(), Unread> {
        let key = match name {
            Some(name) => name.to_lowercase(),
            None => format!("{}/", state.root().display()),
        };
        match self.seen.insert(key, line) {
            None => Ok(()),
            Some(earlier) => Err(Unread::bad(format!(
                "it is the repository of line {earlier}, and would count twice"
            ))),
        }
    }
}

/// Reads the rows that are stored of a repository; where nobody names it, those of the only one that there is.
fn stored(state: &StateFolder<'_>, name: &mut Option<String>) -> Result<Gathering, Unread> {
    let mut by_name: BTreeMap<String, (String, Gathering)> = BTreeMap::new();
    let wanted = name.as_ref().map(|name| name.to_lowercase());
    let survey = state.each_delivery_row(&mut |of, as_of, row| {
        let key = of.to_lowercase();
        if wanted.as_ref().is_none_or(|wanted| *wanted == key) {
            let (_, rows) = by_name
                .entry(key)
                .or_insert_with(|| (of, Gathering::default()));
            rows.add(as_of, row);
        }
    });
    let survey = survey.map_err(|error| Unread::bad(error.to_string()))?;
    if let Some(newer) = survey.newer() {
        return Err(Unread::bad(newer.to_string()));
    }
    if by_name.len() > 1 {
        let names: Vec<String> = by_name.into_values().map(|(name, _)| name).collect();
        return Err(Unread::bad(format!(
            "it has rows of several repositories ({}); write the name of the one that is meant before the path",
            names.join(", ")
        )));
    }
    let found = by_name.into_values().next();
    Ok(found.map_or_else(Gathering::default, |(of, rows)| {
        name.get_or_insert(of);
        rows
    }))
}

/// Says on standard error what could not be read, and returns the exit code: a figure over a part of a list is not what was asked for.
pub(super) fn verdict(session: &mut Session<'_>, found: &Gathered) -> ExitCode {
    let mut code = ExitCode::Success;
    for one in &found.listed {
        let Err(why) = &one.found else { continue };
        session.ui.warn(&format!(
            "`{}` (line {}) was left out: {}",
            one.path, one.line, why.words
        ));
        code = match (why.is_missing, code) {
            (true, _) | (false, ExitCode::NotFound) => ExitCode::NotFound,
            (false, _) => ExitCode::BadInput,
        };
    }
    code
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
