//! What `extends:` names of an organisation, read at its commit: of a policy and of a configuration alike.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::flakes::rules::trusted_files;
use super::session::Session;
use crate::config::extends::Extends;
use crate::error::{CommandError, ErrorKind};
use crate::forge::api::contents;
use crate::forge::repository::RepoName;
use crate::ports::history::Depth;
use crate::sha::Sha;

/// How long GitHub is asked.
const SECONDS: u64 = 60;

/// No policy or configuration is larger.
const LARGEST: u64 = 1024 * 1024;

/// Who asks, and what for.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Asked {
    /// `policy` or `configuration`.
    pub(in crate::cli) what: &'static str,
    pub(in crate::cli) may_fetch: bool,
    /// Whether what GitHub sent may be kept in the git directory, and taken from there; what gates are judged by is asked for anew.
    pub(in crate::cli) may_keep: bool,
}

/// Reads a file from an object that is here, from the remote where it is this repository's own, or from GitHub. Its commit says which bytes they are.
pub(in crate::cli) fn read(
    session: &mut Session<'_>,
    extends: &Extends,
    asked: Asked,
) -> Result<Vec<u8>, CommandError> {
    if let Some(bytes) = here(session, extends)? {
        return Ok(bytes);
    }
    if asked.may_keep
        && let Some(bytes) = kept(session, extends)
    {
        return Ok(bytes);
    }
    let may_fetch = asked.may_fetch && !session.settings.offline.value;
    if may_fetch && extends.repository.is_none() {
        fetch(session, &extends.commit);
        if let Some(bytes) = here(session, extends)? {
            return Ok(bytes);
        }
    }
    let unavailable = |words: &str| {
        let message = format!(
            "the {} that `extends` names could not be read: {words}",
            asked.what
        );
        CommandError::message(ErrorKind::Unavailable, message).hint(format!(
            "fetch it (git fetch REMOTE {}), or let maestro ask GitHub: set GITHUB_TOKEN to one that may read {}",
            extends.commit,
            extends.repository.as_deref().unwrap_or("this repository")
        ))
    };
    if !may_fetch {
        return Err(unavailable(
            "its commit is not in this clone, and nothing may be fetched",
        ));
    }
    let github = session.github(extends.repository.as_deref(), None, SECONDS)?;
    let Some((github, _)) = github else {
        return Err(unavailable(
            "its commit is not in this clone, and no repository at GitHub is meant",
        ));
    };
    let repository = match &extends.repository {
        Some(name) => RepoName::parse(name).unwrap_or_else(|| github.repository.clone()),
        None => github.repository.clone(),
    };
    let file = github.call(&contents::get(&repository, &extends.path, &extends.commit))?;
    let bytes = decoded(&file);
    let bytes = bytes.ok_or_else(|| unavailable("GitHub sent something else than the file"))?;
    if asked.may_keep {
        keep(session, extends, &bytes);
    }
    Ok(bytes)
}

/// Returns what GitHub sent of a file; nothing where it is not all of it.
pub(in crate::cli) fn decoded(file: &contents::File) -> Option<Vec<u8>> {
    let encoded: String = file.content.split_whitespace().collect();
    let bytes = STANDARD.decode(encoded).ok();
    bytes.filter(|bytes| bytes.len() as u64 == file.size)
}

/// Reads a file from an object that is here; nothing when its commit is not.
fn here(session: &mut Session<'_>, extends: &Extends) -> Result<Option<Vec<u8>>, CommandError> {
    let path = extends.path.as_str();
    match trusted_files(session, Some(&extends.commit), false, [path]) {
        Ok((_, [Some(bytes)])) => Ok(Some(bytes)),
        Ok((_, [None])) => {
            let message = format!("there is no `{path}` in the commit that `extends` names");
            Err(CommandError::message(ErrorKind::NotFound, message)
                .hint(format!("mend `extends: {}`", extends.shown())))
        }
        Err(_) => Ok(None),
    }
}

/// Fetches a commit of this repository, so far as its remote hands it out; no ref moves.
fn fetch(session: &Session<'_>, commit: &str) {
    if let Ok(checkout) = &session.checkout {
        let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let deadline = Duration::from_secs(SECONDS);
        let refspec = [commit.to_owned()];
        // What did not come is looked for elsewhere, and missed there.
        let _ = session.world.history.fetch_commits(
            folder,
            &session.source_remote(),
            &refspec,
            Depth::Same,
            deadline,
        );
    }
}

/// Where a file is kept; it never changes, because its commit does not.
fn keeping_place(session: &Session<'_>, extends: &Extends) -> Option<PathBuf> {
    let folder = session.checkout.as_ref().ok()?.common_dir.join("maestro");
    let name = Sha::of(extends.shown().as_bytes());
    Some(folder.join("extends").join(name.to_string()))
}

fn kept(session: &Session<'_>, extends: &Extends) -> Option<Vec<u8>> {
    let file = session.world.files.open(&keeping_place(session, extends)?);
    let mut bytes = Vec::new();
    file.ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn keep(session: &Session<'_>, extends: &Extends, bytes: &[u8]) {
    let files = session.world.files.as_ref();
    let Some(path) = keeping_place(session, extends) else {
        return;
    };
    // What is not kept is asked for again.
    if path
        .parent()
        .is_some_and(|folder| files.create_folder(folder).is_ok())
    {
        let _ = files.write_atomic(&path, &mut |out| out.write_all(bytes));
    }
}
