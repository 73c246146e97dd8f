//! What the state knows beside rows of deliveries: runs of tests, calls of models, runs of agents.

use crate::cli::budget::wallet;
use crate::cli::flakes;
use crate::cli::session::Session;
use crate::delivery::kpi::facts::{AgentRun, Call, TestRun};
use crate::error::CommandError;
use crate::flakes::verdict::times;
use crate::state::v1::{AGENT_RUN, decode_agent_run};

/// What was read.
#[derive(Debug, Default)]
pub(in crate::cli) struct Loaded {
    pub(super) tests: Vec<TestRun>,
    pub(super) calls: Vec<Call>,
    pub(super) agents: Vec<AgentRun>,
    /// Lines of the state that cannot be used.
    pub(super) damaged: u64,
    pub(super) notes: Vec<String>,
}

/// Reads all that is known here; without a repository, and a folder in its place, that is nothing.
pub(in crate::cli) fn load(session: &Session<'_>) -> Result<Loaded, CommandError> {
    let mut loaded = Loaded::default();
    let Ok(state) = session.state() else {
        let note = "there is no repository, and so no state with test runs, calls of models and runs of agents";
        loaded.notes.push(note.to_owned());
        return Ok(loaded);
    };
    let (history, survey) = flakes::load(&state)?;
    loaded.damaged += survey.damage.len() as u64;
    let runs = history.tested_runs().into_iter();
    loaded.tests.extend(runs.map(|run| TestRun {
        id: run.id,
        at: run.at,
        is_flaky: run.is_flaky,
        is_outage: run.is_outage,
    }));
    if history.missing_lists > 0 {
        loaded.notes.push(format!(
            "the list of tests of {} is not here, so that nobody knows which of its tests failed; ingest its reports again, or fetch the rest of the state",
            times(history.missing_lists, "stored run")
        ));
        // Nobody knows whether one of them was spoilt.
        loaded.tests.clear();
    }
    let (accounts, damage) = wallet::accounts(session, &state)?;
    loaded.damaged += damage.len() as u64;
    loaded.calls.extend(accounts.calls().map(|paid| Call {
        pull: paid.spend.pull_request,
        at: paid.at,
        usd: paid.spend.usd,
    }));
    let rests = accounts.rests(session.now()).into_iter();
    let ended = rests.filter(|rest| !rest.is_open);
    loaded.calls.extend(ended.map(|rest| Call {
        pull: Some(rest.lease.pull_request),
        at: rest.lease.taken,
        usd: Some(rest.usd),
    }));
    let survey = state.read(&|kind, _| kind == AGENT_RUN, &mut |event| {
        let account = decode_agent_run(event)?;
        loaded.agents.push(AgentRun {
            run: account.run,
            has_ended: account.stage == "ended",
            at: event.at,
            id: event.id.to_string(),
            outcome: account.outcome,
            is_recorded: account.engine == "recorded",
        });
        Ok(())
    })?;
    loaded.damaged += survey.damage.len() as u64;
    Ok(loaded)
}
