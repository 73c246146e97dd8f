//! `maestro state export`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{damage_error, warn_of_damage};
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Cell, Column, Page, Report};

/// Write everything that is known as rows for another engine
///
/// One JSON object a line, in Hive-style partitions (`kind=…/month=…`) that DuckDB, Spark, ClickHouse and BigQuery read as they
/// are. `test_run` has a row for each run, `test_result` one for each result that differs from what is expected, `test_total`
/// one for each month, job, leg and test; every other kind has its events. An earlier export in the folder is replaced.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Export to a folder
    $ maestro state export --out maestro-export

  See how many rows there are
    $ maestro state export --out maestro-export --dry-run")]
pub(crate) struct ExportArgs {
    /// The folder to write to: new, empty, or an earlier export
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Say how many rows there are, write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &ExportArgs) -> CommandResult {
    let state = session.state()?;
    let exported = state.export(&session.base.join(&args.out), args.dry_run)?;
    if exported.is_foreign {
        let message = format!("`{}` holds something that is no export", args.out.display());
        return Err(CommandError::message(ErrorKind::CannotWrite, message)
            .hint("name a new folder, or an empty one"));
    }
    let document = ExportDocument {
        schema: "maestro.state-export/v1",
        dry_run: args.dry_run,
        folder: args.out.to_string_lossy().into_owned(),
        files: exported.files,
        rows: exported.rows,
        runs_without_list: exported.runs_without_list,
    };
    session.render(&document)?;
    warn_of_damage(session, &exported.survey);
    if exported.runs_without_list > 0 {
        session.ui.warn(&format!(
            "{} without the list of tests that they refer to; their results are missing",
            times(exported.runs_without_list, "run")
        ));
    }
    if exported.survey.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(damage_error(session, &exported.survey))
}

/// What was written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-export/v1"))]
pub(crate) struct ExportDocument {
    /// `maestro.state-export/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// The folder.
    folder: String,
    /// Files in it: one for each kind and month.
    files: u64,
    /// Rows, by kind.
    rows: BTreeMap<String, u64>,
    /// Runs whose list of tests is missing; they are in `test_run` only.
    runs_without_list: u64,
}

impl Report for ExportDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{} {} to {}",
            if self.dry_run {
                "Would export"
            } else {
                "Exported"
            },
            times(self.rows.values().sum(), "row"),
            self.folder
        ));
        if !self.rows.is_empty() {
            let head = vec![Column::left("kind"), Column::right("rows")];
            let rows = self.rows.iter();
            let cells = rows
                .map(|(kind, rows)| vec![Cell::code(kind.clone()), Cell::plain(rows.to_string())]);
            page.table(head, cells.collect());
        }
        page
    }
}
