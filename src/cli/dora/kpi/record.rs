//! Keeps a table of indicators as an event, for those who look back.

use super::wire::DoraKpiDocument;
use crate::cli::plan::trigger::branch;
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::event::{Origin, plain_name};
use crate::sha::Sha;
use crate::state::v1::encode_kpi;

/// Stores the table; one of a person's machine is called by what it says.
pub(super) fn keep(session: &Session<'_>, document: &DoraKpiDocument) -> Result<(), CommandError> {
    let record = document.record();
    let name = |name: &str| plain_name(session.var(name).unwrap_or_default());
    let local = || {
        let text = crate::json::text(&record).unwrap_or_default();
        let digest = Sha::of(text.as_bytes()).to_string();
        format!("local-{}", digest.get(..16).unwrap_or_default())
    };
    let origin = Origin {
        run: session.var("GITHUB_RUN_ID").map_or_else(local, plain_name),
        attempt: name("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1).max(1),
        job: name("GITHUB_JOB"),
        commit: name("GITHUB_SHA"),
        branch: branch(session).map(plain_name).unwrap_or_default(),
    };
    let event = encode_kpi(&record, session.now(), origin);
    let event = event.map_err(CommandError::internal)?;
    session.state()?.save(&[event])?;
    Ok(())
}
