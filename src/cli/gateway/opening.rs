//! Opens the purse and the table of prices that a gateway spends by, and closes the books after it.

use super::GatewayArgs;
use crate::cli::budget::{table, wallet};
use crate::cli::session::Session;
use crate::conduct::gateway::Gateway;
use crate::conduct::gateway::money::Spender;
use crate::conduct::purse::Purse;
use crate::error::CommandError;
use crate::llm::prices::Table;

/// What calls are paid from, by which prices, and for whom.
pub(super) struct Opened {
    pub(super) purse: Purse,
    pub(super) table: Table,
    pub(super) spender: Spender,
}

pub(super) fn open(session: &mut Session<'_>, args: &GatewayArgs) -> Result<Opened, CommandError> {
    let table = table(session, args.prices.as_deref())?;
    let purse = wallet::open(session, &args.wallet)?;
    let name = |name: &Option<String>| name.as_deref().map(|name| wallet::clean(session, name));
    let spender = Spender {
        role: name(&args.role),
        task: name(&args.task),
    };
    Ok(Opened {
        purse,
        table,
        spender,
    })
}

/// Stores what was spent as events; a call that nobody settled counts as all that was put aside.
pub(super) fn close(session: &Session<'_>, gateway: &Gateway) -> Result<(), CommandError> {
    wallet::drain(session, gateway.money().purse(), true)?;
    Ok(())
}
