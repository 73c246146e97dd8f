//! `maestro flakes`

mod backfill;
mod counts;
pub(super) mod escalate;
mod gate;
pub(super) mod ingest;
pub(super) mod owners;
pub(super) mod quarantine;
pub(super) mod report;
pub(super) mod rules;

#[cfg(test)]
pub(super) use backfill::BackfillDocument;
#[cfg(test)]
pub(super) use escalate::EscalateDocument;
pub(super) use gate::FlakesGateDocument;
pub(super) use ingest::read_reports;
#[cfg(test)]
pub(super) use ingest::wire::IngestDocument;
#[cfg(test)]
pub(super) use quarantine::{QuarantineDocument, SkipDocument};
#[cfg(test)]
pub(super) use report::FlakesDocument;
pub(super) use report::{load, missing_lists, missing_lists_error};

use clap::Subcommand;

use super::session::Session;
use crate::error::CommandResult;

#[derive(Debug, Subcommand)]
pub(crate) enum FlakesCommand {
    Ingest(ingest::IngestArgs),
    Report(report::ReportArgs),
    Gate(gate::GateArgs),
    Escalate(escalate::EscalateArgs),
    Backfill(backfill::BackfillArgs),
    /// Forgive a flaky test for a while, and review what is forgiven
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
}

pub(crate) fn run(session: &mut Session<'_>, command: &FlakesCommand) -> CommandResult {
    match command {
        FlakesCommand::Ingest(args) => ingest::run(session, args),
        FlakesCommand::Report(args) => report::run(session, args),
        FlakesCommand::Gate(args) => gate::run(session, args),
        FlakesCommand::Escalate(args) => escalate::run(session, args),
        FlakesCommand::Backfill(args) => backfill::run(session, args),
        FlakesCommand::Quarantine(command) => quarantine::run(session, command),
    }
}
