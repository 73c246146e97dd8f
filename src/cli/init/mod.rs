//! `maestro init`: the first configuration and workflows of a repository, and their end.

pub(in crate::cli) mod look;
mod remove;
mod wire;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::session::Session;
use super::trouble::no_repository;
use crate::budget::caps::{Edit, Edits};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::money::Usd;
use crate::output::Format;
use crate::output::text::visible;
use crate::setup::record::{self, Record};
use crate::setup::translate::{Foreign, NOTHING};
use crate::setup::workflows::{PIPELINE, Place, Versions, WEEKLY, pipeline, weekly};
use crate::setup::{Proposal, config_text, propose, propose_from};
use wire::{FileRow, InitDocument, Standing};

#[cfg(test)]
pub(crate) use remove::InitRemoveDocument;
#[cfg(test)]
pub(crate) use wire::InitDocument as Document;

/// The built-in policy, to be changed.
const POLICY: &str = include_str!("../../policy/default.yaml");

/// What a pull request's agents may cost, in dollars, until somebody says otherwise.
const PER_PULL_REQUEST: Usd = Usd::from_pico(10_000_000_000_000);

/// A file larger than this is not one that was written here.
const LARGEST: u64 = 1024 * 1024;

/// Write the first configuration and workflows, which block nothing
///
/// Looks at what is committed: package managers, test runners and how they report, workflows, and other tools' files. Writes
/// `maestro.yaml`, `policy.yaml` and `ci_budget.json` into `.maestro` (or `--dir`), and two workflows. A file that is there already stays as
/// it is. `--remove` takes away what was written and is unchanged, and with `--state` everything that was stored.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what would be written
    $ maestro init --dry-run

  Write it
    $ maestro init

  Take it away again
    $ maestro init --remove")]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent")]
pub(crate) struct InitArgs {
    /// Say what would be written or removed, and show it; change nothing
    #[arg(long)]
    dry_run: bool,

    /// Take jobs over from another tool's configuration instead of looking for tests
    #[arg(long, value_name = "TOOL", conflicts_with = "remove")]
    from: Option<FromWord>,

    /// The action that sets maestro up in workflows, as OWNER/NAME@COMMIT; without it they build it from crates.io
    #[arg(long, value_name = "ACTION", conflicts_with = "remove")]
    action: Option<String>,

    /// Remove what was written
    #[arg(long)]
    remove: bool,

    /// With --remove: also what somebody changed since
    #[arg(long, requires = "remove")]
    force: bool,

    /// With --remove: also all stored state, here and at the remote (the state branch and `refs/maestro/*`), which nobody can bring back
    #[arg(long, requires = "remove")]
    state: bool,
}

/// A tool whose configuration is taken over.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FromWord {
    /// dorny/paths-filter, in workflows
    PathsFilter,
    /// nx.json and project.json
    Nx,
    /// turbo.json
    Turbo,
}

impl From<FromWord> for Foreign {
    fn from(word: FromWord) -> Self {
        match word {
            FromWord::PathsFilter => Self::PathsFilter,
            FromWord::Nx => Self::Nx,
            FromWord::Turbo => Self::Turbo,
        }
    }
}

impl InitArgs {
    /// Whether the configuration has a say: it names the state's branch.
    pub(super) fn needs_settings(&self) -> bool {
        self.state
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &InitArgs) -> CommandResult {
    let home = Home::of(session)?;
    if args.remove {
        return remove::run(session, &home, args);
    }
    let action = args.action.as_deref().map(checked_action).transpose()?;
    let looked = look::look(session, &home.top)?;
    let seen = looked.seen();
    let proposal = match args.from {
        Some(word) => translated(propose_from(seen, word.into()), word.into())?,
        None => propose(seen),
    };
    let place = Place {
        default_branch: looked.default_branch.clone(),
        folder: (home.folder != ".maestro").then(|| home.folder.clone()),
        action,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        versions: Versions::of(seen),
    };
    let rows = rows(session, &home, texts(&home, &proposal, &place)?)?;
    if !args.dry_run {
        write(session, &home, &rows)?;
    }
    let document = InitDocument::new(&home.folder, args.dry_run, &proposal, rows);
    session.render(&document)?;
    if args.dry_run && session.settings.format.value == Format::Human {
        show(session, &document)?;
    }
    Ok(ExitCode::Success)
}

/// Where things lie.
struct Home {
    top: PathBuf,
    /// The folder of the configuration, from the top.
    folder: String,
}

impl Home {
    fn of(session: &Session<'_>) -> Result<Self, CommandError> {
        let checkout = session.checkout.as_ref().map_err(no_repository)?;
        let Some(top) = checkout.top.clone() else {
            let message = "a bare repository has no files to write beside";
            return Err(CommandError::message(ErrorKind::NotFound, message)
                .hint("run it in a clone with a work tree"));
        };
        let dir = session.maestro_dir();
        let inside = dir.strip_prefix(&top).ok().map(Path::to_path_buf);
        let folder = inside.map(|inside| inside.to_string_lossy().replace('\\', "/"));
        match folder.filter(|folder| is_inside(folder)) {
            Some(folder) => Ok(Self { top, folder }),
            None => {
                let message = format!("`{}` is no folder inside the repository", dir.display());
                Err(CommandError::message(ErrorKind::Usage, message)
                    .hint("name one below its top, for example `--dir .ci-maestro`"))
            }
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }
}

fn is_inside(folder: &str) -> bool {
    let parts = |part: &str| !part.is_empty() && part != "." && part != ".." && part != ".git";
    folder.split('/').all(parts)
}

/// An action is taken only at a commit: a tag can be moved.
fn checked_action(text: &str) -> Result<String, CommandError> {
    let is_name = |name: &str| {
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let parts: Vec<&str> = name.split('/').collect();
        parts.len() >= 2
            && parts
                .iter()
                .all(|part| !part.is_empty() && part.chars().all(word))
    };
    let is_commit =
        |commit: &str| commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.split_once('@') {
        Some((name, commit)) if is_name(name) && is_commit(commit) => Ok(text.to_owned()),
        _ => {
            let message = format!("`{text}` is no action at a commit");
            Err(CommandError::message(ErrorKind::Usage, message)
                .hint("write it as OWNER/NAME@ and the 40 digits of a commit"))
        }
    }
}

/// A translation without a job is none.
fn translated(proposal: Proposal, tool: Foreign) -> Result<Proposal, CommandError> {
    if !proposal.jobs.is_empty() {
        return Ok(proposal);
    }
    let why = proposal
        .notices
        .iter()
        .rev()
        .find(|one| one.code == NOTHING);
    let why = why.map(|one| format!(": {}: {}", one.place, one.words));
    let message = format!(
        "nothing of {} can be taken over{}",
        tool.name(),
        why.unwrap_or_default()
    );
    Err(CommandError::message(ErrorKind::NotFound, message)
        .hint("run it without --from to look for tests instead"))
}

/// Returns every file with its text, from the top.
fn texts(
    home: &Home,
    proposal: &Proposal,
    place: &Place,
) -> Result<Vec<(String, String)>, CommandError> {
    let caps = Edits {
        pull_request: Some(Edit::To(PER_PULL_REQUEST)),
        ..Edits::default()
    };
    let internal = |words: String| CommandError::internal(anyhow::Error::msg(words));
    let caps = caps
        .apply(b"")
        .map_err(|error| internal(error.to_string()))?;
    let caps = String::from_utf8(caps).map_err(|error| internal(error.to_string()))?;
    let own = [
        config_text::text(proposal, &place.version),
        POLICY.to_owned(),
        caps,
    ];
    let names = record::OWN
        .iter()
        .map(|name| format!("{}/{name}", home.folder));
    let mut all: Vec<(String, String)> = names.zip(own).collect();
    all.push((PIPELINE.to_owned(), pipeline(place, &proposal.jobs)));
    all.push((WEEKLY.to_owned(), weekly(place)));
    Ok(all)
}

/// Compares with what is there.
fn rows(
    session: &Session<'_>,
    home: &Home,
    texts: Vec<(String, String)>,
) -> Result<Vec<FileRow>, CommandError> {
    let mut rows = Vec::new();
    for (path, text) in texts {
        let there = read_if_there(session, &home.path(&path))?;
        let (standing, kept) = match there {
            None => (Standing::New, None),
            Some(bytes) if bytes == text.as_bytes() => (Standing::Same, None),
            Some(bytes) => (
                Standing::Kept,
                Some(String::from_utf8_lossy(&bytes).into_owned()),
            ),
        };
        rows.push(FileRow {
            path,
            standing,
            text,
            kept,
        });
    }
    Ok(rows)
}

/// Reads a file; nothing where there is none.
fn read_if_there(session: &Session<'_>, path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let file = match session.world.files.open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(CommandError::reading(path, error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(|error| CommandError::reading(path, error))?;
    Ok(Some(bytes))
}

/// Returns what was written before; an empty record where nothing was.
fn read_record(session: &Session<'_>, home: &Home) -> Result<Record, CommandError> {
    let path = home.path(&format!("{}/{}", home.folder, record::NAME));
    let Some(bytes) = read_if_there(session, &path)? else {
        return Ok(Record::default());
    };
    Record::read(&bytes).map_err(|words| {
        let shown = session.shown(&path);
        CommandError::message(
            ErrorKind::BadInput,
            format!("`{shown}` is no record of `maestro init`: {words}"),
        )
        .hint("restore it from git, or delete it; without it nothing can be removed for you")
    })
}

/// Writes what is new. The record goes first: whatever is killed in between is known to `--remove`.
fn write(session: &Session<'_>, home: &Home, rows: &[FileRow]) -> Result<(), CommandError> {
    let new: Vec<&FileRow> = rows
        .iter()
        .filter(|row| row.standing == Standing::New)
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut record = read_record(session, home)?;
    for row in &new {
        record.note(&row.path, row.text.as_bytes());
    }
    let record_path = format!("{}/{}", home.folder, record::NAME);
    let record = (record_path.as_str(), record.text());
    let files = new.iter().map(|row| (row.path.as_str(), row.text.clone()));
    for (path, text) in std::iter::once(record).chain(files) {
        let path = home.path(path);
        let write = || {
            let folder = path.parent().unwrap_or(&home.top);
            session.world.files.create_folder(folder)?;
            session
                .world
                .files
                .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
        };
        write().map_err(|error| CommandError::writing(&path, error))?;
    }
    Ok(())
}

/// Shows the files that would be written, and how those differ that stay.
fn show(session: &mut Session<'_>, document: &InitDocument) -> Result<(), CommandError> {
    let internal = CommandError::internal;
    for (head, text) in document.shown() {
        let out = session.ui.out();
        write!(out, "\n--- {}\n{}", visible(&head), visible(&text)).map_err(internal)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_without_a_whole_commit_is_refused() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert!(checked_action(&format!("a/b@{commit}")).is_ok());
        assert!(checked_action(&format!("a/b/save@{commit}")).is_ok());
        for bad in [
            "a/b@v1",
            "a@x",
            "a/b",
            &format!("a/b\n@{commit}"),
            &format!("@{commit}"),
        ] {
            assert!(checked_action(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_folder_lies_inside_the_repository_and_not_in_its_git_directory() {
        for good in [".maestro", "ci/maestro"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "..", "../x", ".git", "a/.git/b", "a//b"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
