//! `maestro util`

use clap::{Subcommand, ValueEnum};
use clap_complete::Shell;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};

use super::session::Session;
use super::{config, demo, explain, flakes, plan, state};
use crate::config::ConfigFile;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum UtilCommand {
    Completions(CompletionsArgs),
    Man(ManArgs),
    Schema(SchemaArgs),
}

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  For bash
    $ maestro util completions bash

  For fish
    $ maestro util completions fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print a manual page
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The page of maestro itself
    $ maestro util man

  The page of a command
    $ maestro util man flakes ingest")]
pub(crate) struct ManArgs {
    /// The command; without one, maestro itself
    command: Vec<String>,
}

/// Print a published JSON Schema
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The schema of .maestro/maestro.yaml
    $ maestro util schema config

  The schema of what `flakes report --format json` prints
    $ maestro util schema flakes-report")]
pub(crate) struct SchemaArgs {
    /// The document
    document: SchemaName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// `.maestro/maestro.yaml`
    Config,
    /// `config show`
    ConfigShow,
    /// `demo`
    Demo,
    /// `explain`
    Explain,
    /// `flakes backfill`
    FlakesBackfill,
    /// `flakes escalate`
    FlakesEscalate,
    /// `flakes ingest`
    FlakesIngest,
    /// `flakes gate`
    FlakesGate,
    /// `flakes quarantine`
    FlakesQuarantine,
    /// `flakes quarantine skip`
    FlakesSkip,
    /// `flakes report`
    FlakesReport,
    /// `plan`
    Plan,
    /// `plan explain`
    PlanExplain,
    /// `plan lint`
    PlanLint,
    /// `plan replay`
    PlanReplay,
    /// `plan shard`
    PlanShard,
    /// `.maestro/quarantine.json`
    Quarantine,
    /// `state compact`
    StateCompact,
    /// `state doctor`
    StateDoctor,
    /// `state export`
    StateExport,
    /// `state fold`
    StateFold,
    /// `state ingest`
    StateIngest,
    /// `state pack`
    StatePack,
    /// `state pull`
    StatePull,
    /// `state push`
    StatePush,
    /// `state sync`
    StateSync,
    /// `state verify`
    StateVerify,
}

pub(crate) fn run(session: &mut Session<'_>, command: &UtilCommand) -> CommandResult {
    let text = match command {
        UtilCommand::Completions(args) => {
            let mut bytes = Vec::new();
            clap_complete::generate(args.shell, &mut super::tree(), "maestro", &mut bytes);
            bytes
        }
        UtilCommand::Man(args) => man(&args.command)?,
        UtilCommand::Schema(args) => schema(args.document).into_bytes(),
    };
    session
        .ui
        .out()
        .write_all(&text)
        .map_err(|error| CommandError::new(ErrorKind::Internal, error))?;
    Ok(ExitCode::Success)
}

fn man(path: &[String]) -> Result<Vec<u8>, CommandError> {
    let mut command = super::tree();
    command.build();
    let mut name = String::from("maestro");
    for part in path {
        let Some(sub) = command.find_subcommand(part).cloned() else {
            let message = format!("there is no command `{} {part}`", name.replace('-', " "));
            return Err(CommandError::message(ErrorKind::NotFound, message)
                .hint("`maestro --help` lists the commands"));
        };
        name = format!("{name}-{part}");
        command = sub;
    }
    let mut page = Vec::new();
    let command = command.name(name).version(env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| CommandError::new(ErrorKind::Internal, error))?;
    Ok(page)
}

/// Returns a schema as it is published under `schemas/`.
fn schema(name: SchemaName) -> String {
    match name {
        SchemaName::Config => draft::<ConfigFile>(),
        SchemaName::ConfigShow => draft::<config::ConfigDocument>(),
        SchemaName::Demo => draft::<demo::DemoDocument>(),
        SchemaName::Explain => draft::<explain::ExplainDocument>(),
        SchemaName::FlakesBackfill => draft::<flakes::BackfillDocument>(),
        SchemaName::FlakesEscalate => draft::<flakes::EscalateDocument>(),
        SchemaName::FlakesIngest => draft::<flakes::IngestDocument>(),
        SchemaName::FlakesGate => draft::<flakes::FlakesGateDocument>(),
        SchemaName::FlakesQuarantine => draft::<flakes::QuarantineDocument>(),
        SchemaName::FlakesSkip => draft::<flakes::SkipDocument>(),
        SchemaName::FlakesReport => draft::<flakes::FlakesDocument>(),
        SchemaName::Plan => draft::<plan::PlanDocument>(),
        SchemaName::PlanExplain => draft::<plan::PlanExplainDocument>(),
        SchemaName::PlanLint => draft::<plan::PlanLintDocument>(),
        SchemaName::PlanReplay => draft::<plan::PlanReplayDocument>(),
        SchemaName::Quarantine => draft::<crate::flakes::quarantine::Quarantine>(),
        SchemaName::PlanShard => draft::<plan::PlanShardDocument>(),
        SchemaName::StateDoctor => draft::<state::DoctorDocument>(),
        SchemaName::StateFold => draft::<state::FoldDocument>(),
        SchemaName::StateCompact => draft::<state::CompactDocument>(),
        SchemaName::StateExport => draft::<state::ExportDocument>(),
        SchemaName::StateIngest => draft::<state::StateIngestDocument>(),
        SchemaName::StatePack => draft::<state::PackDocument>(),
        SchemaName::StatePull => draft::<state::PullDocument>(),
        SchemaName::StatePush => draft::<state::PushDocument>(),
        SchemaName::StateSync => draft::<state::SyncDocument>(),
        SchemaName::StateVerify => draft::<state::VerifyDocument>(),
    }
}

fn draft<T: JsonSchema>() -> String {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
