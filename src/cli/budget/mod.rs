//! `maestro budget`

mod price;
mod prices;
mod wire;

#[cfg(test)]
pub(super) use prices::PricesDocument;
#[cfg(test)]
pub(super) use wire::{BatchDocument, PriceDocument};

use std::io::Read;
use std::path::Path;

use clap::Subcommand;

use super::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::llm::prices::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetCommand {
    Price(price::PriceArgs),
    /// The table of prices
    #[command(subcommand)]
    Prices(prices::PricesCommand),
}

pub(crate) fn run(session: &mut Session<'_>, command: &BudgetCommand) -> CommandResult {
    match command {
        BudgetCommand::Price(args) => price::run(session, args),
        BudgetCommand::Prices(command) => prices::run(session, command),
    }
}

/// No file here is longer.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Reads a whole file, or standard input for `-`.
fn read(session: &mut Session<'_>, path: &Path) -> Result<String, CommandError> {
    let files = session.world.files.as_ref();
    let path = if path == Path::new("-") {
        Path::new("/dev/stdin").to_path_buf()
    } else {
        session.base.join(path)
    };
    let failed = |error| CommandError::reading(&path, error);
    let mut text = String::new();
    let file = files.open(&path).map_err(failed)?;
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// Returns the table of a file, or the one that is built in.
fn table(session: &mut Session<'_>, path: Option<&Path>) -> Result<Table, CommandError> {
    let Some(path) = path else {
        return Table::built_in().map_err(|error| CommandError::new(ErrorKind::Internal, error));
    };
    let text = read(session, path)?;
    Table::read(&text).map_err(|error| {
        let message = format!("`{}` is no table of prices: {error}", path.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("`maestro budget prices show --format json` prints one")
    })
}
