//! Where rows come from: a file, GitHub by way of what is stored, git.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;

use super::question::{AskArgs, Question};
use crate::change::log;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::delivery::git_log::{self, Beside};
use crate::delivery::rows::Row;
use crate::delivery::table::{Gathering, Rows};
use crate::error::{CommandError, ErrorKind};
use crate::state::StateError;

/// A row's line is no longer.
const LONGEST_LINE: usize = 1024 * 1024;

/// So many commits of the first-parent line are looked into for paths.
const MOST_COMMITS: usize = 200_000;

/// Rows, and what there is to say of where they are from.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) rows: Rows,
    /// As `owner/name`.
    pub(super) repository: Option<String>,
    /// `file`, `github` or `git`.
    pub(super) from: &'static str,
    pub(super) is_shallow: bool,
    /// Requests to GitHub.
    pub(super) calls: u64,
    pub(super) notes: Vec<String>,
}

/// Gathers all rows, whatever time is asked for.
pub(super) fn gather(
    session: &mut Session<'_>,
    args: &AskArgs,
    question: &Question,
    with_paths: bool,
) -> Result<Gathered, CommandError> {
    let mut found = Gathered {
        rows: Rows::default(),
        repository: None,
        from: "git",
        is_shallow: false,
        calls: 0,
        notes: Vec::new(),
    };
    let mut gathering = Gathering::default();
    if let Some(path) = &args.rows {
        found.from = "file";
        read_file(session, path, &mut gathering)?;
        found.rows = gathering.rows();
        return Ok(found);
    }
    let has_forge = !question.is_git
        && super::forge::read(session, args, question, &mut gathering, &mut found)?;
    found.from = if has_forge { "github" } else { "git" };
    if has_forge && session.checkout.is_err() {
        found.rows = gathering.rows();
        return Ok(found);
    }
    read_git(
        session,
        question,
        with_paths || args.path.is_some(),
        !has_forge,
        &mut gathering,
        &mut found,
    )?;
    found.rows = gathering.rows();
    Ok(found)
}

fn read_file(session: &Session<'_>, path: &Path, to: &mut Gathering) -> Result<(), CommandError> {
    let whole = session.base.join(path);
    let failed = |error| CommandError::reading(path, error);
    let file = session.world.files.open(&whole).map_err(failed)?;
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let limit = LONGEST_LINE as u64;
        let mut part = std::io::Read::take(&mut file, limit);
        if part.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = serde_json::from_slice(&line).map_err(|error| error.to_string());
        let row = value.and_then(|value| Row::read(&value));
        let row = row.map_err(|words| {
            let message = format!("`{}`: line {number} is no row: {words}", path.display());
            CommandError::message(ErrorKind::BadInput, message)
                .hint("docs/dora.md lists the fields of each kind of row")
        })?;
        // Of two lines of one row the one that sorts later counts, so that their order does not matter.
        to.add(Timestamp::MIN, row);
    }
    Ok(())
}

fn read_git(
    session: &mut Session<'_>,
    question: &Question,
    with_paths: bool,
    with_pulls: bool,
    to: &mut Gathering,
    found: &mut Gathered,
) -> Result<(), CommandError> {
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let folder = checkout
        .top
        .as_ref()
        .unwrap_or(&checkout.common_dir)
        .clone();
    let common_dir = checkout.common_dir.clone();
    let world = session.world;
    let history = world.history.as_ref();
    let git = |error| CommandError::from(StateError::from(error));
    let Some(head) = world.git.head(&folder).map_err(git)?.commit else {
        found.notes.push("the repository has no commit".to_owned());
        return Ok(());
    };
    let mut commits = Vec::new();
    history
        .commits(&folder, git_log::FORMAT, &mut |out| {
            git_log::read(
                &mut BufReader::with_capacity(256 * 1024, out),
                &mut |logged| {
                    commits.push(logged);
                },
            )
        })
        .map_err(git)?;
    let mut paths = BTreeMap::new();
    if with_paths {
        let wanted = question.ask(None).path;
        history
            .first_parents(&folder, &head, MOST_COMMITS, &mut |out| {
                log::read(
                    &mut BufReader::with_capacity(256 * 1024, out),
                    &mut |logged| {
                        let changed = logged.changes.iter().map(|change| change.path.as_str());
                        paths.insert(logged.commit.clone(), folders(changed, wanted));
                        true
                    },
                )
            })
            .map_err(git)?;
    }
    let tags = history.tags(&folder, git_log::TAG_FORMAT).map_err(git)?;
    for tag in git_log::tags(&String::from_utf8_lossy(&tags)) {
        to.add(tag.at, Row::Tag(tag));
    }
    let beside = Beside {
        head: &head,
        authors: &question.authors,
        paths: &paths,
    };
    let is_shallow = history.is_shallow(&common_dir);
    // Half a history would say of most commits that nothing holds them; without any, the next deployment is taken.
    if with_pulls || !is_shallow {
        git_log::rows(commits, &beside, with_pulls, to);
    }
    if !with_pulls && with_paths {
        to.each_pull(&mut |pull| {
            if pull.paths.is_empty() {
                pull.paths = paths.get(&pull.merge_sha).cloned().unwrap_or_default();
            }
        });
    }
    if is_shallow {
        found.is_shallow = true;
        found.notes.push("this clone is shallow: older commits and tags are missing, and what they would say is missing too; fetch them with `git fetch --unshallow --tags`".to_owned());
    }
    if with_pulls {
        found.notes.push("git alone: releases stand for deployments only as far as tags tell of them, nobody knows when a pull request was opened, and a squashed one has lost its first commit".to_owned());
    }
    Ok(())
}

/// Returns the folders at the top that paths lie in, and the folder that was asked for where one lies below it.
fn folders<'a>(paths: impl Iterator<Item = &'a str>, wanted: Option<&str>) -> Vec<String> {
    let wanted = wanted.map(|path| path.trim_end_matches('/'));
    let mut found = BTreeSet::new();
    for path in paths {
        found.insert(path.split_once('/').map_or(".", |(top, _)| top));
        if let Some(wanted) = wanted {
            let rest = path.strip_prefix(wanted);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                found.insert(wanted);
            }
        }
    }
    found.into_iter().map(str::to_owned).collect()
}
