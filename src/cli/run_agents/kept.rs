//! Keeps what a run came to in the state: the event `agent_run`.

use super::RunAgentsArgs;
use super::place::{Place, recording};
use super::wire::RunDocument;
use crate::agents::account::{Account, Known, account, published};
use crate::agents::bundle::Bundle;
use crate::agents::step::End;
use crate::cli::budget::wallet;
use crate::cli::session::Session;
use crate::conduct::deliver::Delivered;
use crate::error::CommandError;
use crate::redact::Redactor;
use crate::state::v1::encode_agent_run;

/// Keeps how a run ended; `no_plan` says why there was nothing to carry out.
pub(super) fn ended(
    session: &Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    document: &RunDocument,
    no_plan: Option<(End, &str)>,
) -> Result<(), CommandError> {
    let recording = recording(session, &place.folder.join("journal.ndjson"))?;
    let states: Vec<&str> = document.rows().map(|row| row.state).collect();
    let known = Known {
        head: &place.head,
        outcome: document.outcome(),
        commit: document.commit(),
        tree: document.tree(),
        files: document.changed(),
        cap: (!args.unpriced).then_some(super::team::cap(session, args)?),
        engine: match (&args.recorded, &place.chosen.agent) {
            (Some(_), _) => "recorded",
            (None, Some(_)) => "command",
            (None, None) => "builtin",
        },
        pull_request: wallet::pull_request(session, &args.wallet),
        states: &states,
        no_plan,
        clean: &cleaner(session),
    };
    save(
        session,
        &account(&known, &recording.records, &recording.times),
    )
}

/// Keeps where a run was published.
pub(super) fn delivered(
    session: &Session<'_>,
    bundle: &Bundle,
    delivered: &Delivered,
) -> Result<(), CommandError> {
    let place = (delivered.commit.as_str(), delivered.number);
    save(session, &published(bundle, place, &cleaner(session)))
}

/// Takes out secrets, whatever the configuration says of tests: models wrote it.
fn cleaner(session: &Session<'_>) -> impl Fn(&str) -> String + use<> {
    let redactor = Redactor::new(&session.world.environment.vars());
    move |text| redactor.message(text).unwrap_or_else(|| text.to_owned())
}

fn save(session: &Session<'_>, account: &Account) -> Result<(), CommandError> {
    let event = encode_agent_run(account, session.now(), wallet::origin(session));
    let event = event.map_err(CommandError::internal)?;
    session.state()?.save(&[event])?;
    Ok(())
}
