//! How the month stands, as `budget status` and `budget forecast` say it, for those who show it elsewhere.

use super::forecast::course;
use super::wallet;
use crate::budget::accounts::Accounts;
use crate::budget::forecast::forecast;
use crate::budget::spend::month;
use crate::budget::sums::{Sums, Wanted};
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::money::Usd;
use crate::state::StateFolder;

/// How the month stands.
pub(in crate::cli) struct Standing {
    pub(in crate::cli) accounts: Accounts,
    /// What counts against the cap.
    pub(in crate::cli) spoken_for: Usd,
    pub(in crate::cli) cap: Option<Usd>,
    /// By the end of the month, at this pace; nothing where there is no day to go by.
    pub(in crate::cli) forecast: Option<Usd>,
}

pub(in crate::cli) fn standing(
    session: &mut Session<'_>,
    state: &StateFolder<'_>,
) -> Result<Standing, CommandError> {
    let now = session.now();
    let (accounts, _damage_is_named_by_verify) = wallet::accounts(session, state)?;
    let wanted = Wanted {
        month: Some(month(now)),
        pull_request: None,
    };
    let put_aside = wallet::put_aside(session, state, &wanted)?;
    let spoken_for = Sums::new(&accounts, &wanted, now).spoken_for(put_aside);
    let course = course(&accounts, now);
    let forecast = (!course.days.is_empty()).then(|| forecast(&course).median);
    let cap = match wallet::caps(session, None) {
        Ok(caps) => caps.month,
        Err(error) => {
            let message = format!("the caps are not known: {:#}", error.error);
            session.ui.detail(&message);
            None
        }
    };
    Ok(Standing {
        accounts,
        spoken_for,
        cap,
        forecast,
    })
}
