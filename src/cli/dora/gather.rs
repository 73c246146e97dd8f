//! Where rows come from: a file, GitHub by way of what is stored, git.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;

use super::question::{AskArgs, Question};
use super::repositories::{self, Standing};
use crate::change::log;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::delivery::git_log::{self, Beside};
use crate::delivery::pool::Pool;
use crate::delivery::rows::Row;
use crate::delivery::table::{Gathering, Rows};
use crate::error::{CommandError, ErrorKind};
use crate::json;
use crate::ports::{Checkout, World};
use crate::state::StateError;

/// A row's line is no longer.
const LONGEST_LINE: usize = 1024 * 1024;

/// So many commits of the first-parent line are looked into for paths.
const MOST_COMMITS: usize = 200_000;

/// Rows, and what there is to say of where they are from.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) pool: Pool,
    /// As `owner/name`.
    pub(super) repository: Option<String>,
    /// `file`, `github`, `git`, or `states` of many repositories.
    pub(super) from: &'static str,
    pub(super) is_shallow: bool,
    /// Requests to GitHub.
    pub(super) calls: u64,
    pub(super) notes: Vec<String>,
    /// The repositories that a list names, in its order.
    pub(super) listed: Vec<Standing>,
}

impl Gathered {
    /// Returns the rows where they are of one repository.
    pub(super) fn rows(&self) -> Result<&Rows, CommandError> {
        match self.pool.list.as_slice() {
            [only] => Ok(&only.rows),
            _ => Err(CommandError::message(
                ErrorKind::Usage,
                "--repos pools the metrics of `maestro dora`, and nothing else",
            )
            .hint("ask each repository by itself here")),
        }
    }
}

/// Gathers all rows, whatever time is asked for.
pub(super) fn gather(
    session: &mut Session<'_>,
    args: &AskArgs,
    question: &Question,
    with_paths: bool,
) -> Result<Gathered, CommandError> {
    let mut found = Gathered::default();
    let with_paths = with_paths || args.path.is_some();
    let mut gathering = Gathering::default();
    if let Some(path) = &args.repos {
        return repositories::gather(session, path, question, with_paths);
    }
    if let Some(path) = &args.rows {
        found.from = "file";
        read_file(session, path, &mut gathering)?;
        found.pool = Pool::of(gathering.rows());
        return Ok(found);
    }
    let has_forge = !question.is_git
        && super::forge::read(session, args, question, &mut gathering, &mut found)?;
    found.from = if has_forge { "github" } else { "git" };
    if !has_forge || session.checkout.is_ok() {
        let checkout = session.checkout.as_ref().map_err(no_repository)?;
        let wanted = Wanted {
            question,
            paths: with_paths,
            pulls: !has_forge,
        };
        let said = read_git(session.world, checkout, &wanted, &mut gathering)?;
        found.is_shallow = said.is_shallow;
        found.notes.extend(said.notes);
    }
    found.pool = Pool::of(gathering.rows());
    Ok(found)
}

/// What is wanted of a clone.
pub(super) struct Wanted<'q> {
    pub(super) question: &'q Question,
    /// Which folders changes are of.
    pub(super) paths: bool,
    /// What looks like pull requests: nobody else tells of them.
    pub(super) pulls: bool,
}

/// What there is to say of a clone.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) is_shallow: bool,
    pub(super) notes: Vec<String>,
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
        let value = json::read(&line).map_err(|error| error.to_string());
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

/// Reads commits, tags and, where they are wanted, what looks like pull requests.
pub(super) fn read_git(
    world: &World,
    checkout: &Checkout,
    wanted: &Wanted<'_>,
    to: &mut Gathering,
) -> Result<Said, CommandError> {
    let mut said = Said::default();
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let (with_paths, with_pulls) = (wanted.paths, wanted.pulls);
    let history = world.history.as_ref();
    let git = |error| CommandError::from(StateError::from(error));
    let Some(head) = world.git.head(folder).map_err(git)?.commit else {
        said.notes.push("the repository has no commit".to_owned());
        return Ok(said);
    };
    let mut commits = Vec::new();
    history
        .commits(folder, git_log::FORMAT, &mut |out| {
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
        let below = wanted.question.ask(None).path;
        history
            .first_parents(folder, &head, MOST_COMMITS, &mut |out| {
                log::read(
                    &mut BufReader::with_capacity(256 * 1024, out),
                    &mut |logged| {
                        let changed = logged.changes.iter().map(|change| change.path.as_str());
                        paths.insert(logged.commit.clone(), folders(changed, below));
                        true
                    },
                )
            })
            .map_err(git)?;
    }
    let tags = history.tags(folder, git_log::TAG_FORMAT).map_err(git)?;
    for tag in git_log::tags(&String::from_utf8_lossy(&tags)) {
        to.add(tag.at, Row::Tag(tag));
    }
    let beside = Beside {
        head: &head,
        authors: &wanted.question.authors,
        paths: &paths,
    };
    let is_shallow = history.is_shallow(&checkout.common_dir);
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
        said.is_shallow = true;
        said.notes.push("this clone is shallow: older commits and tags are missing, and what they would say is missing too; fetch them with `git fetch --unshallow --tags`".to_owned());
    }
    if with_pulls {
        said.notes.push("git alone: releases stand for deployments only as far as tags tell of them, nobody knows when a pull request was opened, and a squashed one has lost its first commit".to_owned());
    }
    Ok(said)
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
