//! `maestro init --remove`: takes away what was written and is unchanged; with `--state` also what was stored.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{Home, InitArgs, read_if_there, read_record};
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::setup::record::{Fate, NAME, places};

/// Seconds that a remote is asked.
const PATIENCE: u64 = 60;

/// What was taken away.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.init-remove/v1"))]
pub(crate) struct InitRemoveDocument {
    /// `maestro.init-remove/v1`
    schema: &'static str,
    /// Whether nothing was to be removed.
    dry_run: bool,
    /// Files that were removed, or would be, from the repository's top.
    removed: Vec<String>,
    /// Files that `maestro init` did not write, and that stay.
    left: Vec<String>,
    /// What was stored, where it was to go as well.
    state: Option<StateRow>,
}

/// Stored state that was removed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct StateRow {
    /// The folder on this machine, where there is one.
    folder: Option<String>,
    /// Refs that were deleted at the remote.
    refs: Vec<String>,
    /// The state branch, where it holds other files than maestro's and stays.
    kept_branch: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, home: &Home, args: &InitArgs) -> CommandResult {
    let record = read_record(session, home)?;
    if record.is_empty() && !args.state {
        let message = format!("`maestro init` has written nothing below `{}`", home.folder);
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("what it wrote is named in init.json there; `--dir` names another folder"));
    }
    let mut going = Vec::new();
    let mut changed = Vec::new();
    for path in places(&home.folder) {
        let now = read_if_there(session, &home.path(&path))?;
        match record.fate(&path, now.as_deref()) {
            Fate::Unchanged => going.push(path),
            Fate::Changed if args.force => going.push(path),
            Fate::Changed => changed.push(path),
            Fate::Foreign | Fate::Gone => {}
        }
    }
    if !changed.is_empty() {
        let message = format!("changed since they were written: {}", changed.join(", "));
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("nothing was removed; `--force` removes them too"));
    }
    if !record.is_empty() {
        going.push(format!("{}/{NAME}", home.folder));
    }
    // The remote goes first: what it refuses stops everything while everything is still there.
    let state = if args.state {
        Some(forget(session, args.dry_run)?)
    } else {
        None
    };
    if !args.dry_run {
        take_away(session, home, &going)?;
    }
    let document = InitRemoveDocument {
        schema: "maestro.init-remove/v1",
        dry_run: args.dry_run,
        left: left(session, home, &going),
        removed: going,
        state,
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn forget(session: &Session<'_>, dry_run: bool) -> Result<StateRow, CommandError> {
    let folder = session.state()?.root().to_path_buf();
    // Before the remote is asked, which makes it.
    let is_there = session.world.files.kind(&folder).is_ok();
    let forgotten = if session.has_remote()? {
        session.remote(None, PATIENCE)?.forget(dry_run)?
    } else {
        crate::state::Forgotten::default()
    };
    if !dry_run {
        session
            .world
            .files
            .remove_folder(&folder)
            .map_err(|error| CommandError::writing(&folder, error))?;
    }
    Ok(StateRow {
        folder: is_there.then(|| session.shown(&folder)),
        refs: forgotten.refs,
        kept_branch: forgotten.kept,
    })
}

fn take_away(session: &Session<'_>, home: &Home, going: &[String]) -> Result<(), CommandError> {
    let files = session.world.files.as_ref();
    for path in going {
        let path = home.path(path);
        files
            .remove(&path)
            .map_err(|error| CommandError::writing(&path, error))?;
    }
    // Git knows no empty folders, and nobody misses them.
    for folder in [home.folder.as_str(), ".github/workflows", ".github"] {
        let path = home.path(folder);
        if files.kind(&path).is_ok() && files.names(&path).is_ok_and(|names| names.is_empty()) {
            files
                .remove_folder(&path)
                .map_err(|error| CommandError::writing(&path, error))?;
        }
    }
    Ok(())
}

/// Returns what else lies in the folder.
fn left(session: &Session<'_>, home: &Home, going: &[String]) -> Vec<String> {
    let folder = home.path(&home.folder);
    let names = session.world.files.names(&folder).unwrap_or_default();
    let paths = names
        .iter()
        .map(|name| format!("{}/{}", home.folder, name.to_string_lossy()));
    paths.filter(|path| !going.contains(path)).collect()
}

impl Report for InitRemoveDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let word = if self.dry_run { "would go" } else { "removed" };
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        let mut add = |what: String, word: &str, tone| {
            rows.push(vec![Cell::code(what), Cell::toned(word, tone)]);
        };
        for path in &self.removed {
            add(path.clone(), word, Tone::Plain);
        }
        for path in &self.left {
            add(
                path.clone(),
                "not written by `maestro init`: stays",
                Tone::Warn,
            );
        }
        if let Some(state) = &self.state {
            if let Some(folder) = &state.folder {
                add(folder.clone(), word, Tone::Plain);
            }
            for name in &state.refs {
                add(name.clone(), word, Tone::Plain);
            }
            if let Some(branch) = &state.kept_branch {
                add(
                    branch.clone(),
                    "holds other files too: stays; remove `.maestro` from it by hand",
                    Tone::Warn,
                );
            }
        }
        page.table(["What", ""].map(Column::left).to_vec(), rows);
        page
    }
}
