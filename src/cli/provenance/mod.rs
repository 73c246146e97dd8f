//! `maestro provenance`: what a run did, said so that others can check it.

mod environment;
mod generate;
mod keygen;
mod show;
mod sign;
mod verify;

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind, Unhinted};
use crate::ports::{FileKind, Files};
use crate::provenance::facts::FileFact;
use crate::provenance::short;
use crate::provenance::strict::LARGEST;
use crate::sha::{Hasher, Sha};

#[cfg(test)]
pub(crate) use generate::GenerateDocument;
#[cfg(test)]
pub(crate) use keygen::KeygenDocument;
#[cfg(test)]
pub(crate) use show::ShowDocument;
#[cfg(test)]
pub(crate) use sign::SignDocument;
#[cfg(test)]
pub(crate) use verify::VerifyDocument;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ProvenanceCommand {
    Generate(generate::GenerateArgs),
    Keygen(keygen::KeygenArgs),
    Sign(sign::SignArgs),
    Verify(verify::VerifyArgs),
    Show(show::ShowArgs),
}

pub(super) fn run(session: &mut Session<'_>, command: &ProvenanceCommand) -> CommandResult {
    match command {
        ProvenanceCommand::Generate(args) => generate::run(session, args),
        ProvenanceCommand::Keygen(args) => keygen::run(session, args),
        ProvenanceCommand::Sign(args) => sign::run(session, args),
        ProvenanceCommand::Verify(args) => verify::run(session, args),
        ProvenanceCommand::Show(args) => show::run(session, args),
    }
}

/// Returns how statements call a file: from the folder that one works in, with `/`; what lies elsewhere by its name alone, because where it lies on this
/// machine is nobody's business.
fn name_of(session: &Session<'_>, path: &Path) -> String {
    let full: PathBuf = session.base.join(path).components().collect();
    let short = full.strip_prefix(&session.base).ok();
    let is_plain = |short: &&Path| {
        let mut parts = short.components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let name = short
        .filter(is_plain)
        .unwrap_or_else(|| Path::new(full.file_name().unwrap_or_default()));
    name.to_string_lossy().replace('\\', "/")
}

/// Digests a file, however long it is.
fn digest(files: &dyn Files, path: &Path) -> std::io::Result<(Sha, u64)> {
    let mut file = files.open(path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return Ok((hasher.sha(), bytes));
        };
        hasher.update(read);
        bytes += count as u64;
    }
}

/// Digests a file that somebody named.
fn fact(session: &Session<'_>, path: &Path) -> Result<FileFact, CommandError> {
    let full = session.base.join(path);
    let found = digest(session.world.files.as_ref(), &full);
    let (sha, bytes) = found.map_err(|error| CommandError::reading(path, error))?;
    Ok(FileFact {
        path: plain_path(session, path)?,
        sha,
        bytes,
    })
}

/// Returns the name of a file that a statement may have.
fn plain_path(session: &Session<'_>, path: &Path) -> Result<String, CommandError> {
    let name = name_of(session, path);
    if name.is_empty() || name.chars().any(char::is_control) {
        let message = format!("`{}` has a name that no statement can have", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("names are text without control characters"));
    }
    Ok(name)
}

/// Reads a document that somebody named, whole; it is a file, and not too long.
fn document(session: &Session<'_>, path: &Path) -> Result<Vec<u8>, CommandError> {
    let full = session.base.join(path);
    let failed = |error| CommandError::reading(path, error);
    let file = session.world.files.open(&full).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("`{}` is longer than {LARGEST} bytes", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("documents are read whole; this one is too long to be one"));
    }
    Ok(bytes)
}

/// Reads a document, and what it says of itself as a file.
fn document_and_fact(
    session: &Session<'_>,
    path: &Path,
) -> Result<(Vec<u8>, FileFact), CommandError> {
    let bytes = document(session, path)?;
    let fact = FileFact {
        path: plain_path(session, path)?,
        sha: Sha::of(&bytes),
        bytes: bytes.len() as u64,
    };
    Ok((bytes, fact))
}

/// A file that is not what it claims to be.
fn bad_input(path: &Path, problem: &dyn std::fmt::Display) -> Unhinted {
    let problem = problem.to_string();
    let message = format!("`{}`: {}", path.display(), short(&problem));
    CommandError::message(ErrorKind::BadInput, message)
}

/// Returns the files that are meant: those that are named, and of a folder those whose names end so.
fn meant(
    session: &Session<'_>,
    paths: &[PathBuf],
    endings: &[&str],
) -> Result<Vec<PathBuf>, CommandError> {
    let files = session.world.files.as_ref();
    let mut meant = Vec::new();
    for path in paths {
        let full = session.base.join(path);
        let kind = files.kind(&full);
        if kind.map_err(|error| CommandError::reading(path, error))? != FileKind::Folder {
            meant.push(path.clone());
            continue;
        }
        let names = files.names(&full);
        let names = names.map_err(|error| CommandError::reading(path, error))?;
        let before = meant.len();
        for name in names {
            let text = name.to_string_lossy();
            if endings.iter().any(|ending| text.ends_with(ending)) {
                meant.push(path.join(&name));
            }
        }
        if meant.len() == before {
            let message = format!(
                "`{}` has no file whose name ends in {}",
                path.display(),
                endings.join(" or ")
            );
            return Err(CommandError::message(ErrorKind::NotFound, message)
                .hint("`maestro provenance generate` writes statements, and `sign` signs them"));
        }
    }
    Ok(meant)
}

/// Writes a file whole.
fn write(session: &Session<'_>, path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let files = session.world.files.as_ref();
    let full = session.base.join(path);
    files
        .write_atomic(&full, &mut |out| out.write_all(bytes))
        .map_err(|error| CommandError::writing(path, error))
}

/// Refuses a key where its file is expected, without repeating it: somebody who gives the key itself must not find it again in a log.
fn is_no_key(path: &Path) -> Result<(), CommandError> {
    if !path.to_string_lossy().contains("PRIVATE KEY") {
        return Ok(());
    }
    let message = "`--key` takes a file, and was given a private key itself";
    Err(CommandError::message(ErrorKind::Usage, message)
        .hint("arguments are seen by others: make a new key, and put that one into a file"))
}
