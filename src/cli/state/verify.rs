//! `maestro state verify`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::flakes::{missing_lists, missing_lists_error};
use crate::cli::session::Session;
use crate::cli::state::damage_error;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Location, Severity};
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};
use crate::state::Survey;

/// Check every stored event, change nothing
///
/// Each line must be an event of a known version whose id matches its content, and each test run's list must be there.
/// Exits with 65 when something is damaged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Check the state
    $ maestro state verify

  The same, for a program
    $ maestro state verify --format json")]
pub(crate) struct VerifyArgs {}

pub(super) fn run(session: &mut Session<'_>, _args: &VerifyArgs) -> CommandResult {
    let state = session.state()?;
    let survey = state.check()?;
    let missing = missing_lists(&state)?;
    let document = VerifyDocument::new(session, &survey, missing);
    session.render(&document)?;
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    match missing {
        0 => Ok(ExitCode::Success),
        missing => Err(missing_lists_error(missing)),
    }
}

/// What a check of the state found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-verify/v1"))]
pub(crate) struct VerifyDocument {
    /// `maestro.state-verify/v1`
    schema: &'static str,
    /// Files that were read.
    files: u64,
    /// Sound events.
    events: u64,
    /// Copies of events that stand in another file too; harmless, and gone after the next fold.
    repeated: u64,
    /// Test runs whose list of tests is not here.
    runs_without_list: u64,
    /// Lines that cannot be used.
    damage: Vec<DamageRow>,
}

/// One damaged line.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct DamageRow {
    /// The file.
    pub(super) path: String,
    /// The line, from 1.
    line: u64,
    /// Bytes from the start of the file to the line.
    offset: u64,
    /// What is wrong.
    problem: String,
}

impl DamageRow {
    pub(super) fn all(session: &Session<'_>, survey: &Survey) -> Vec<Self> {
        let row = |damage: &crate::state::Damage| Self {
            path: session.shown(&damage.path),
            line: damage.line,
            offset: damage.offset,
            problem: damage.problem.to_string(),
        };
        survey.damage.iter().map(row).collect()
    }

    pub(super) fn table(rows: &[Self], page: &mut Page) {
        let head = vec![
            Column::left("file"),
            Column::right("line"),
            Column::left("problem"),
        ];
        let cells = rows.iter().map(|row| {
            vec![
                Cell::code(row.path.clone()),
                Cell::plain(row.line.to_string()),
                Cell::code(row.problem.clone()),
            ]
        });
        page.table(head, cells.collect());
    }
}

impl VerifyDocument {
    fn new(session: &Session<'_>, survey: &Survey, runs_without_list: u64) -> Self {
        Self {
            schema: "maestro.state-verify/v1",
            files: survey.files,
            events: survey.events,
            repeated: survey.repeated,
            runs_without_list,
            damage: DamageRow::all(session, survey),
        }
    }
}

impl Report for VerifyDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "State: {} in {}, {}",
            times(self.events, "sound event"),
            times(self.files, "file"),
            times(self.damage.len() as u64, "damaged line")
        ));
        if self.runs_without_list > 0 {
            page.text(format!(
                "{} without the list of tests that they refer to: fetch the rest of the state",
                times(self.runs_without_list, "test run")
            ));
        }
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let finding = |row: &DamageRow| Finding {
            code: "state/damaged-line".into(),
            severity: Severity::Error,
            message: row.problem.clone(),
            location: Some(Location {
                path: row.path.clone(),
                line: u32::try_from(row.line).ok(),
                column: None,
            }),
        };
        self.damage.iter().map(finding).collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![("damaged".to_owned(), self.damage.len().to_string())]
    }
}
