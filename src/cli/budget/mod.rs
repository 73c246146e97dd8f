//! `maestro budget`

mod call;
pub(super) mod call_money;
mod call_wire;
mod forecast;
mod import;
mod lease;
mod price;
mod prices;
mod reserve;
mod route;
mod set;
mod settle;
pub(super) mod standing;
pub(super) mod status;
pub(super) mod wallet;
mod wire;

#[cfg(test)]
pub(super) use call_wire::{CallDocument, CallPlanDocument};
#[cfg(test)]
pub(super) use forecast::ForecastDocument;
#[cfg(test)]
pub(super) use import::BudgetImportDocument;
#[cfg(test)]
pub(super) use lease::LeaseDocument;
#[cfg(test)]
pub(super) use prices::{PricesDiffDocument, PricesDocument, PricesImportDocument};
#[cfg(test)]
pub(super) use reserve::ReserveDocument;
#[cfg(test)]
pub(super) use route::{BacktestDocument, RouteBatchDocument, RouteDocument};
#[cfg(test)]
pub(super) use set::SetDocument;
#[cfg(test)]
pub(super) use settle::SettleDocument;
#[cfg(test)]
pub(super) use status::StatusDocument;
#[cfg(test)]
pub(super) use wire::{BatchDocument, PriceDocument};

use std::io::Read;
use std::path::Path;

use clap::Subcommand;

use super::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::llm::prices::Table;
use crate::llm::prices::table::TableProblem;

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetCommand {
    Forecast(forecast::ForecastArgs),
    Import(import::ImportArgs),
    Lease(lease::LeaseArgs),
    Call(Box<call::CallArgs>),
    Price(price::PriceArgs),
    /// The table of prices
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    Reserve(reserve::ReserveArgs),
    Route(route::RouteArgs),
    Set(set::SetArgs),
    Settle(settle::SettleArgs),
    Status(status::StatusArgs),
}

pub(crate) fn run(session: &mut Session<'_>, command: &BudgetCommand) -> CommandResult {
    match command {
        BudgetCommand::Forecast(args) => forecast::run(session, args),
        BudgetCommand::Import(args) => import::run(session, args),
        BudgetCommand::Lease(args) => lease::run(session, args),
        BudgetCommand::Call(args) => call::run(session, args),
        BudgetCommand::Price(args) => price::run(session, args),
        BudgetCommand::Prices(command) => prices::run(session, command),
        BudgetCommand::Reserve(args) => reserve::run(session, args),
        BudgetCommand::Route(args) => route::run(session, args),
        BudgetCommand::Set(args) => set::run(session, args),
        BudgetCommand::Settle(args) => settle::run(session, args),
        BudgetCommand::Status(args) => status::run(session, args),
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

/// Returns the table of a file, or the one that is built in. What is paid by must not come from a change that is paid for, so that the
/// configuration does not count here.
pub(in crate::cli) fn table(
    session: &mut Session<'_>,
    path: Option<&Path>,
) -> Result<Table, CommandError> {
    let Some(path) = path else {
        return Table::built_in().map_err(CommandError::internal);
    };
    let text = read(session, path)?;
    Table::read(&text).map_err(|problem| problem.reported(&path.display().to_string()))
}

impl Reported for TableProblem {
    fn reported(self, of: &str) -> CommandError {
        let message = format!("`{of}` is no table of prices: {self}");
        CommandError::message(ErrorKind::BadInput, message)
            .hint("`maestro budget prices show --format json` prints one")
    }
}

/// Returns the table of a file, the one that the configuration names (`models.prices`), or the one that is built in: for commands that only tell.
fn table_in_use(session: &mut Session<'_>, path: Option<&Path>) -> Result<Table, CommandError> {
    let own = session.config.models.prices.as_ref();
    let own = own.map(|path| session.maestro_dir().join("..").join(path));
    table(session, path.or(own.as_deref()))
}
