//! `maestro fleet`: many repositories beside one another.

mod gather;
mod source;
mod wire;

use std::path::PathBuf;

use clap::Subcommand;

use super::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
pub(crate) use wire::FleetDiffDocument;

#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    Diff(DiffArgs),
}

/// Say who is behind the files that they extend, and who loosened what is locked
///
/// For each repository of a list: which maestro it requires and which one its workflows use, which configuration and policy it extends and how many
/// commits it is behind them, which locked keys it loosens, which it has otherwise, what it enforces, and how many quarantined tests are overdue. What
/// cannot be read is named.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  All repositories that a list names, one path or OWNER/NAME a line
    $ maestro fleet diff --repos repositories.txt

  Fail a scheduled job when somebody loosened a lock, or is more than 10 commits behind
    $ maestro fleet diff --repos repositories.txt --check --max-behind 10 --format markdown")]
pub(crate) struct DiffArgs {
    /// The repositories, one a line: a path, OWNER/NAME and a path, or OWNER/NAME alone, which GitHub is asked about
    #[arg(long, value_name = "FILE")]
    repos: PathBuf,

    /// Exit 16 when a repository loosens what is locked, is too far behind or cannot be read
    #[arg(long)]
    check: bool,

    /// How many commits a repository may be behind [default: any number]
    #[arg(long, value_name = "COMMITS", requires = "check")]
    max_behind: Option<u64>,
}

pub(crate) fn run(session: &mut Session<'_>, command: &FleetCommand) -> CommandResult {
    let FleetCommand::Diff(args) = command;
    let found = gather::gather(session, &args.repos)?;
    let document = FleetDiffDocument::new(found, args.max_behind);
    for words in document.unread() {
        session.ui.warn(&words);
    }
    session.render(&document)?;
    Ok(if args.check && document.failing > 0 {
        ExitCode::LintFailed
    } else {
        ExitCode::Success
    })
}
