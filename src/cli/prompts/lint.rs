//! `maestro prompts lint`: what is wrong with the repository's own prompts, and with how they changed.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Location, Severity};
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::ports::GitError;
use crate::ports::history::{History, Object};
use crate::prompts::rules::{Complaint, lint};
use crate::prompts::set::{FOLDER, Set, Source, is_wanted};
use crate::state::StateError;

/// Find what is wrong with the repository's prompts
///
/// With `--base` also with how they changed: a prompt that says something else under the version that it had, a version that went down, a change that breaks callers without
/// a new major version. Exits with 16 when something is wrong; warnings alone do not count.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The prompts as they are
    $ maestro prompts lint

  And what changed since the commit before
    $ maestro prompts lint --base HEAD~1")]
pub(crate) struct LintArgs {
    /// Compare with the prompts of this revision, where the two histories part
    #[arg(long, value_name = "REV")]
    base: Option<String>,
}

/// What is wrong with a repository's prompts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompts-lint/v1"))]
pub(crate) struct PromptsLintDocument {
    /// `maestro.prompts-lint/v1`
    schema: &'static str,
    /// Prompts that were looked at.
    prompts: u64,
    /// The commit that they were compared with.
    base: Option<String>,
    /// In order of place.
    complaints: Vec<ComplaintRow>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ComplaintRow {
    /// `error`, `warning` or `notice`.
    severity: &'static str,
    #[serde(skip)]
    weight: Severity,
    /// Stable; `maestro explain prompts/RULE` tells more.
    rule: &'static str,
    /// From the repository's top.
    path: String,
    line: u32,
    column: Option<u32>,
    message: String,
    hint: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &LintArgs) -> CommandResult {
    let library = super::library(session)?;
    let base = match &args.base {
        Some(revision) => Some(base(session, revision)?),
        None => None,
    };
    let complaints = lint(&library.around(base.as_ref().map(|(_, set)| set)));
    let is_wrong = complaints.iter().any(|one| one.severity == Severity::Error);
    let prompts = library
        .own
        .drafts
        .iter()
        .filter(|draft| draft.file().is_some());
    let document = PromptsLintDocument {
        schema: "maestro.prompts-lint/v1",
        prompts: prompts.count() as u64,
        base: base.map(|(commit, _)| commit),
        complaints: complaints.into_iter().map(row).collect(),
    };
    session.render(&document)?;
    Ok(if is_wrong {
        ExitCode::LintFailed
    } else {
        ExitCode::Success
    })
}

fn row(complaint: Complaint) -> ComplaintRow {
    ComplaintRow {
        severity: complaint.severity.name(),
        weight: complaint.severity,
        rule: complaint.rule,
        path: complaint.path,
        line: complaint.line,
        column: complaint.column,
        message: complaint.message,
        hint: complaint.hint,
    }
}

/// Reads the prompts of a revision, or of where it parts from what is checked out.
fn base(session: &Session<'_>, revision: &str) -> Result<(String, Set), CommandError> {
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let history = session.world.history.as_ref();
    let git = |error: GitError| CommandError::from(StateError::from(error));
    let mut objects = history
        .objects(folder, !session.settings.offline.value)
        .map_err(git)?;
    let mut read = |names: &[String]| {
        let mut found: Vec<Option<Object>> = vec![None; names.len()];
        objects.read(names, &mut |at, object| {
            if let Some(place) = found.get_mut(at) {
                *place = object;
            }
        })?;
        Ok(found)
    };
    let names = [revision, "HEAD"].map(|name| format!("{name}^{{commit}}"));
    let found = read(&names).map_err(git)?;
    let mut commits = found
        .into_iter()
        .map(|object| object.map(|object| object.id));
    let Some(tip) = commits.next().flatten() else {
        let message = format!("there is no commit `{revision}` in this clone");
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("check the spelling, or fetch it (`fetch-depth: 0` of actions/checkout)"));
    };
    let commit = match commits.next().flatten() {
        Some(head) => {
            let shared = history.merge_bases(folder, &tip, &head).map_err(git)?;
            shared.into_iter().next().unwrap_or(tip)
        }
        None => tip,
    };
    let files = tracked(history, folder, &commit).map_err(git)?;
    let ids: Vec<String> = files.iter().map(|(_, id)| id.clone()).collect();
    let blobs = read(&ids).map_err(git)?;
    let sources = files
        .into_iter()
        .zip(blobs)
        .filter_map(|((name, _), blob)| {
            let text = super::text(blob?.bytes)?;
            Some(Source { name, text })
        });
    Ok((commit, Set::read(sources.collect())))
}

/// Returns the files of the folder in a commit, each with its object.
fn tracked(
    history: &dyn History,
    folder: &std::path::Path,
    commit: &str,
) -> Result<Vec<(String, String)>, GitError> {
    let list = history.list_tree(folder, commit)?;
    let entries = list.split(|byte| *byte == 0);
    let files = entries.filter_map(|entry| {
        // `100644 blob ID\tPATH`
        let entry = std::str::from_utf8(entry).ok()?;
        let (head, path) = entry.split_once('\t')?;
        let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
        let mut words = head.split(' ');
        let is_file = words.next()?.starts_with("100");
        let id = words.nth(1)?;
        (is_file && is_wanted(name)).then(|| (name.to_owned(), id.to_owned()))
    });
    Ok(files.take(super::MOST_FILES).collect())
}

impl Report for PromptsLintDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let errors = self
            .complaints
            .iter()
            .filter(|row| row.weight == Severity::Error);
        let errors = errors.count();
        let rest = self.complaints.len() - errors;
        let seen = crate::flakes::verdict::times(self.prompts, "prompt");
        page.text(format!(
            "{seen} of this repository: {errors} wrong, {rest} to look at."
        ));
        if self.complaints.is_empty() {
            return page;
        }
        let rows = self.complaints.iter().map(|row| {
            let tone = match row.weight {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warn,
                Severity::Notice => Tone::Plain,
            };
            let message = match &row.hint {
                Some(hint) => format!("{} ({hint})", row.message),
                None => row.message.clone(),
            };
            vec![
                Cell::toned(row.severity, tone),
                Cell::plain(row.rule),
                Cell::code(format!("{}:{}", row.path, row.line)),
                Cell::code(message),
            ]
        });
        let head = ["Severity", "Rule", "Where", "What"];
        page.table(head.map(Column::left).to_vec(), rows.collect());
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.complaints.iter().map(|row| Finding {
            code: format!("prompts/{}", row.rule),
            severity: row.weight,
            message: row.message.clone(),
            location: Some(Location {
                path: row.path.clone(),
                line: Some(row.line),
                column: row.column,
            }),
        });
        rows.collect()
    }
}
