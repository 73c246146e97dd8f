//! `maestro prompts`

mod convert;
mod lint;
mod list;
mod render;
mod test;

#[cfg(test)]
pub(super) use convert::PromptsConvertDocument;
#[cfg(test)]
pub(super) use lint::PromptsLintDocument;
#[cfg(test)]
pub(super) use list::PromptsDocument;
#[cfg(test)]
pub(super) use render::PromptDocument;
#[cfg(test)]
pub(super) use test::PromptsTestDocument;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::ports::{Checkout, FileKind};
use crate::prompts::rules::Complaint;
use crate::prompts::set::{FOLDER, Library, Missing, Source, is_wanted};

#[derive(Debug, Subcommand)]
pub(crate) enum PromptsCommand {
    List(list::ListArgs),
    Render(render::RenderArgs),
    Lint(lint::LintArgs),
    Test(test::TestArgs),
    Import(convert::ImportArgs),
    Export(convert::ExportArgs),
}

pub(crate) fn run(session: &mut Session<'_>, command: &PromptsCommand) -> CommandResult {
    match command {
        PromptsCommand::List(args) => list::run(session, args),
        PromptsCommand::Render(args) => render::run(session, args),
        PromptsCommand::Lint(args) => lint::run(session, args),
        PromptsCommand::Test(args) => test::run(session, args),
        PromptsCommand::Import(args) => convert::import(session, args),
        PromptsCommand::Export(args) => convert::export(session, args),
    }
}

/// A file larger than this is no prompt.
const LARGEST: u64 = 256 * 1024;

/// A folder with more files than this holds something else.
const MOST_FILES: usize = 2000;

/// Returns the folder of the repository's prompts.
fn folder(session: &Session<'_>) -> PathBuf {
    match &session.checkout {
        Ok(Checkout { top: Some(top), .. }) => top.join(FOLDER),
        _ => session.base.join(FOLDER),
    }
}

/// Reads the prompts of the work tree over the built-in ones.
pub(super) fn library(session: &mut Session<'_>) -> Result<Library, CommandError> {
    let folder = folder(session);
    let files = session.world.files.as_ref();
    if !files
        .kind(&folder)
        .is_ok_and(|kind| kind == FileKind::Folder)
    {
        return Ok(Library::new(Vec::new()));
    }
    let is_hidden = |path: &Path| {
        let name = path.file_name().map(std::ffi::OsStr::to_string_lossy);
        name.is_some_and(|name| name.starts_with('.') || name == "node_modules")
    };
    let mut sources = Vec::new();
    for path in files.walk(&folder, &is_hidden) {
        let path = path.map_err(|(path, error)| CommandError::reading(&path, error))?;
        let Some(name) = path.strip_prefix(&folder).ok().and_then(Path::to_str) else {
            continue;
        };
        let name = name.replace('\\', "/");
        if !is_wanted(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        let file = files.open(&path);
        let read = file.and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        read.map_err(|error| CommandError::reading(&path, error))?;
        match text(bytes) {
            Some(text) => sources.push(Source { name, text }),
            None => session.ui.warn(&format!(
                "{FOLDER}/{name} is no text of at most {LARGEST} bytes, and is left alone"
            )),
        }
        if sources.len() > MOST_FILES {
            let message = format!("`{}` has more than {MOST_FILES} files", folder.display());
            return Err(CommandError::message(ErrorKind::BadInput, message)
                .hint("keep what is no prompt elsewhere"));
        }
    }
    Ok(Library::new(sources))
}

/// Reads a file that somebody named, or standard input for `-`.
fn read(session: &mut Session<'_>, path: &Path) -> Result<String, CommandError> {
    let files = session.world.files.as_ref();
    let mut text = String::new();
    let failed = |error| CommandError::reading(path, error);
    let source = if path == Path::new("-") {
        files.stdin()
    } else {
        files.open(&session.base.join(path)).map_err(failed)?
    };
    source
        .take(LARGEST_VALUES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > LARGEST_VALUES {
        let message = format!("`{}` is larger than {LARGEST_VALUES} bytes", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("no model takes that much; give the part that matters"));
    }
    Ok(text)
}

/// More than this fits into no model.
const LARGEST_VALUES: u64 = 16 * 1024 * 1024;

fn text(bytes: Vec<u8>) -> Option<String> {
    let is_short = bytes.len() as u64 <= LARGEST;
    is_short.then(|| String::from_utf8(bytes).ok()).flatten()
}

/// Says why there is no prompt of a name.
fn missing(name: &str, missing: Missing) -> CommandError {
    match missing {
        Missing::Unknown(near) => {
            let message = format!("there is no prompt `{name}`");
            let error = CommandError::message(ErrorKind::NotFound, message);
            match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`maestro prompts list` shows which there are"),
            }
        }
        Missing::Wrong(complaint) => broken(name, &complaint),
    }
}

fn broken(name: &str, complaint: &Complaint) -> CommandError {
    let message = format!("the prompt `{name}` cannot be used: {}", complaint.message);
    let error = CommandError::message(ErrorKind::BadInput, message)
        .excerpt(format!(" --> {}:{}\n", complaint.path, complaint.line));
    match &complaint.hint {
        Some(hint) => error.hint(hint.clone()),
        None => error.hint(format!(
            "`maestro explain prompts/{}` tells more",
            complaint.rule
        )),
    }
}
