//! A list of repositories, and what lies at each place of it: a clone with its state, or a state by itself. No network is used, and nothing is written.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::gather::{Said, Wanted, read_git};
use super::question::Question;
use crate::cli::session::Session;
use crate::delivery::repositories::{self as list, Listed, Unread};
use crate::delivery::table::Gathering;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::forge::repository::of_remote;
use crate::ports::{Checkout, Files, World};
use crate::state::StateFolder;

/// A list is no longer.
const LONGEST_LIST: u64 = 4 * 1024 * 1024;

/// A list that was read.
pub(in crate::cli) struct List {
    pub(in crate::cli) listed: Vec<Listed>,
    /// Paths are meant from where the list lies.
    pub(in crate::cli) folder: PathBuf,
}

/// What lies at a place of the list.
pub(in crate::cli) struct Place<'w> {
    pub(in crate::cli) folder: PathBuf,
    pub(super) state: StateFolder<'w>,
    /// Nothing where the folder is a state by itself.
    pub(in crate::cli) checkout: Option<Checkout>,
    /// As the list has it, else as the address of the remote has it, else as the rows of the state have it.
    pub(in crate::cli) name: Option<String>,
    /// The host of the remote, where it is known.
    pub(in crate::cli) host: Option<String>,
}

/// Rows of a repository, and where they are from.
pub(super) struct Found {
    pub(super) rows: Gathering,
    /// `github` (what is stored) or `git` alone.
    pub(super) from: &'static str,
    pub(super) said: Said,
}

/// Whether a folder is a repository, and does not only lie in one.
pub(in crate::cli) fn is_repository(files: &dyn Files, folder: &Path) -> bool {
    let has = |name: &str| files.kind(&folder.join(name)).is_ok();
    has(".git") || has("HEAD") && has("objects")
}

impl List {
    /// Reads a list.
    pub(in crate::cli) fn open(session: &Session<'_>, file: &Path) -> Result<Self, CommandError> {
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
        Ok(Self {
            listed: list::read(&bytes).map_err(|why| bad(why.to_string()))?,
            folder: whole.parent().map(Path::to_path_buf).unwrap_or_default(),
        })
    }

    /// Finds what lies at a place: a repository, or a folder that is a state itself.
    pub(in crate::cli) fn place<'w>(
        &self,
        session: &Session<'w>,
        one: &Listed,
    ) -> Result<Place<'w>, Unread> {
        let folder = self.folder.join(&one.path);
        let world = session.world;
        let mut place = Place {
            state: session.state_in(folder.clone()),
            checkout: None,
            name: one.name.as_ref().map(ToString::to_string),
            host: None,
            folder,
        };
        if world.files.kind(&place.folder).is_err() {
            return Err(Unread::missing("there is no such folder"));
        }
        // A state folder that lies in a repository is not that repository's.
        let has = |name: &str| world.files.kind(&place.folder.join(name)).is_ok();
        if has("outbox") || has("segments") {
            return Ok(place);
        }
        if !is_repository(world.files.as_ref(), &place.folder) {
            return Err(Unread::bad("it is neither a repository nor a state folder"));
        }
        let checkout = world.git.checkout(&place.folder);
        let checkout = checkout.map_err(|error| Unread::bad(error.to_string()))?;
        place.state = session.state_of(&checkout);
        if let Some((host, name)) = remote(session, &checkout) {
            place.name.get_or_insert(name);
            place.host = Some(host);
        }
        place.checkout = Some(checkout);
        Ok(place)
    }
}

/// Returns the host and the name of a clone, as the address of its remote has them.
fn remote(session: &Session<'_>, checkout: &Checkout) -> Option<(String, String)> {
    let home = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let remote = &session.settings.remote.value;
    let address = session.world.git.remote_address(home, remote).ok()??;
    of_remote(&address).map(|(host, name)| (host, name.to_string()))
}

impl Place<'_> {
    /// Reads what is stored of the repository, and its clone where there is one.
    pub(super) fn read(
        &mut self,
        world: &World,
        question: &Question,
        with_paths: bool,
    ) -> Result<Found, Unread> {
        let mut rows = Gathering::default();
        if !question.is_git {
            rows = stored(&self.state, &mut self.name)?;
        }
        let is_empty = rows.is_empty();
        let from = if is_empty && self.checkout.is_some() {
            "git"
        } else {
            "github"
        };
        let Some(checkout) = &self.checkout else {
            if question.is_git {
                return Err(Unread::bad(
                    "there is no clone, and git alone was asked for",
                ));
            }
            return Ok(Found {
                rows,
                from,
                said: Said::default(),
            });
        };
        let wanted = Wanted {
            question,
            paths: with_paths,
            pulls: is_empty,
        };
        let said = read_git(world, checkout, &wanted, &mut rows);
        let said = said.map_err(|error| Unread::bad(format!("{:#}", error.error)))?;
        Ok(Found { rows, from, said })
    }
}

/// Holds that a repository counts once, under whichever path it is named.
#[derive(Default)]
pub(in crate::cli) struct Once {
    /// On which line each repository was met, by its name or its state's place.
    seen: BTreeMap<String, usize>,
}

impl Once {
    pub(in crate::cli) fn meet(&mut self, line: usize, place: &Place<'_>) -> Result<(), Unread> {
        let key = match &place.name {
            Some(name) => name.to_lowercase(),
            None => format!("{}/", place.state.root().display()),
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

/// Says what there is to be careful about where many were read: so many clones are shallow, of so many git alone is known.
pub(in crate::cli) fn notes(shallow: usize, bare: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if shallow > 0 {
        notes.push(format!("{shallow} clones are shallow: older commits and tags are missing, and what they would say is missing too"));
    }
    if bare > 0 {
        notes.push(format!("of {bare} repositories git alone is known: tags stand for deployments, nobody knows when a pull request was opened, and a squashed one has lost its first commit"));
    }
    notes
}

/// Names on standard error what could not be read of a list, and fails where there is such: a figure over a part of a list is not what was asked for.
/// It is called after the rest is told.
pub(in crate::cli) fn verdict<'u>(
    session: &mut Session<'_>,
    file: &Path,
    listed: usize,
    unread: impl Iterator<Item = (usize, &'u str, &'u Unread)>,
) -> CommandResult {
    let (mut left_out, mut is_missing) = (0, false);
    for (line, path, why) in unread {
        session.ui.warn(&format!(
            "`{path}` (line {line}) was left out: {}",
            why.words
        ));
        left_out += 1;
        is_missing |= why.is_missing;
    }
    if left_out == 0 {
        return Ok(ExitCode::Success);
    }
    let message = format!(
        "{left_out} of the {listed} repositories that `{}` lists could not be read",
        file.display()
    );
    Err(CommandError::message(unread_kind(is_missing), message)
        .hint("no figure counts them: mend what the warnings name, or take their lines out of the list"))
}

/// What kind of trouble places of a list are that cannot be read.
pub(super) fn unread_kind(is_missing: bool) -> ErrorKind {
    if is_missing {
        ErrorKind::NotFound
    } else {
        ErrorKind::BadInput
    }
}
