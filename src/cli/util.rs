//! `maestro util`

use clap::Subcommand;
use clap_complete::Shell;

use super::schemas::SchemaName;
use super::session::Session;
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

pub(crate) fn run(session: &mut Session<'_>, command: &UtilCommand) -> CommandResult {
    let text = match command {
        UtilCommand::Completions(args) => {
            let mut bytes = Vec::new();
            clap_complete::generate(args.shell, &mut super::tree(), "maestro", &mut bytes);
            bytes
        }
        UtilCommand::Man(args) => man(&args.command)?,
        UtilCommand::Schema(args) => args.document.text().into_bytes(),
    };
    session
        .ui
        .out()
        .write_all(&text)
        .map_err(CommandError::internal)?;
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
        .map_err(CommandError::internal)?;
    Ok(page)
}
