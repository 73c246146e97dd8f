//! Reports of one run, read for a decision and not for the history.

use std::path::PathBuf;

use super::inputs;
use super::source::{self, Content, Refusal};
use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::results::Results;
use crate::junit::NoteCode;
use crate::redact::Redactor;
use crate::sha::Sha;

/// What was read.
#[derive(Default)]
pub(crate) struct ReadReports {
    pub(crate) results: Results,
    /// Reports that were read.
    pub(crate) files: u64,
    /// What was read, byte for byte.
    pub(crate) read: Vec<(PathBuf, Sha)>,
    /// What is known to be missing: reports that break off or hold more than was read, patterns that mean no report.
    pub(crate) broken: Vec<String>,
    /// Reports in which a suite failed outside its tests.
    pub(crate) suites: Vec<String>,
    /// Named files that could not be read.
    pub(crate) failures: Vec<CommandError>,
}

/// Notes after which failures may be missing.
const BREAKS: &[NoteCode] = &[
    NoteCode::Truncated,
    NoteCode::CutLine,
    NoteCode::BadJson,
    NoteCode::TooDeep,
    NoteCode::BadGzip,
    NoteCode::TooLarge,
    NoteCode::TooManyErrors,
    NoteCode::UnknownStatus,
    NoteCode::SaysMore,
];

/// Reads the reports that patterns mean, file by file.
pub(crate) fn read_reports(
    session: &Session<'_>,
    patterns: &[PathBuf],
) -> Result<ReadReports, CommandError> {
    let found = inputs::find(session, patterns, &session.base.clone());
    read_found(session, found)
}

/// Reads reports that were found.
pub(crate) fn read_found(
    session: &Session<'_>,
    found: inputs::Found,
) -> Result<ReadReports, CommandError> {
    let mut read = ReadReports {
        failures: found.failures,
        ..ReadReports::default()
    };
    let files = session.world.files.as_ref();
    let base = session.world.environment.current_dir();
    let base = base.map_err(crate::cli::session::no_folder)?;
    let root = base.to_string_lossy();
    let redactor = Redactor::new(&session.world.environment.vars());
    let nothing = |pattern: &PathBuf| format!("`{}` means no report", pattern.display());
    read.broken.extend(found.vain.iter().map(nothing));
    for input in found.inputs {
        let shown = input.path.display().to_string();
        let path = base.join(&input.path);
        let parsed = match source::read(files, &path, input.named, &root, Some(&redactor)) {
            Ok(parsed) => parsed,
            Err(Refusal::OtherJson) => continue,
            Err(Refusal::NotAReport(_)) if !input.named => continue,
            // A runner that was killed leaves it so.
            Err(Refusal::Unfinished(_)) if !input.named => {
                read.broken.push(format!("`{shown}` is not whole"));
                continue;
            }
            Err(Refusal::NotAReport(why) | Refusal::Unfinished(why)) => {
                let message = format!("`{shown}` is no test report: {why}");
                read.failures.push(
                    CommandError::message(ErrorKind::BadInput, message)
                        .hint("`maestro explain inputs` says what is read"),
                );
                continue;
            }
            Err(Refusal::Io(error)) => {
                read.failures
                    .push(CommandError::reading(&input.path, error));
                continue;
            }
        };
        let has = |codes: &[NoteCode]| parsed.notes.iter().any(|note| codes.contains(&note.code));
        if has(BREAKS) {
            read.broken.push(format!("`{shown}` is not whole"));
        }
        if has(&[NoteCode::SuiteError]) {
            read.suites.push(shown.clone());
        }
        match parsed.content {
            Content::Report(results) => {
                read.files += 1;
                read.read.push((path, parsed.sha));
                read.results.absorb(results);
            }
            Content::Neutral(_) => {
                let message = format!("`{shown}` holds results of several runs");
                read.failures.push(
                    CommandError::message(ErrorKind::BadInput, message)
                        .hint("the gate judges the reports of one run"),
                );
            }
        }
    }
    read.results = read.results.with_stable_names();
    Ok(read)
}
