//! `maestro flakes`

mod counts;
mod ingest;
mod report;

pub(super) use ingest::wire::IngestDocument;
pub(super) use report::{FlakesDocument, load, missing_lists, missing_lists_error};

use clap::Subcommand;

use super::session::Session;
use crate::error::CommandResult;

#[derive(Debug, Subcommand)]
pub(crate) enum FlakesCommand {
    Ingest(ingest::IngestArgs),
    Report(report::ReportArgs),
}

pub(crate) fn run(session: &mut Session<'_>, command: &FlakesCommand) -> CommandResult {
    match command {
        FlakesCommand::Ingest(args) => ingest::run(session, args),
        FlakesCommand::Report(args) => report::run(session, args),
    }
}
