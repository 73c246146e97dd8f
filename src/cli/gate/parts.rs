//! What the other commands say of the change: policy, budget, and what the plan handed on about flaky tests.

use crate::budget::spend::month;
use crate::budget::sums::{Sums, Wanted};
use crate::cli::budget::wallet;
use crate::cli::check_policy::{self, CheckPolicyDocument};
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::gate::needs::Needs;
use crate::gate::{Capability, Problem};
use crate::money::Usd;
use crate::state::StateFolder;

/// Judges the policy, and returns what it says; what stops the change is a problem, and so is a policy that cannot be judged.
pub(super) fn policy(
    session: &mut Session<'_>,
    (base, no_fetch): (Option<&str>, bool),
    problems: &mut Vec<Problem>,
) -> Option<CheckPolicyDocument> {
    match check_policy::verdict(session, base, no_fetch) {
        Ok(document) => {
            problems.extend(document.stopping());
            Some(document)
        }
        Err(error) => {
            problems.push(unknown(Capability::Policy, "policy-unknown", &error));
            None
        }
    }
}

/// Returns the problem that something could not be judged.
pub(super) fn unknown(capability: Capability, rule: &str, error: &CommandError) -> Problem {
    let words = format!(
        "the {} could not be judged: {:#}",
        capability.name(),
        error.error
    );
    let hint = error.hints.first().cloned();
    let fix = hint.unwrap_or_else(|| "mend the cause and run the gate again".to_owned());
    Problem::new(capability, rule, capability.name(), words, fix)
}

/// Holds what was spent against the caps.
pub(super) fn budget(
    session: &mut Session<'_>,
    (base, is_enforced): (Option<&str>, bool),
    problems: &mut Vec<Problem>,
    asides: &mut Vec<String>,
) {
    if let Err(error) = judge_budget(session, (base, is_enforced), problems, asides) {
        problems.push(unknown(Capability::Budget, "budget-unknown", &error));
    }
}

fn judge_budget(
    session: &mut Session<'_>,
    (base, is_enforced): (Option<&str>, bool),
    problems: &mut Vec<Problem>,
    asides: &mut Vec<String>,
) -> Result<(), CommandError> {
    let caps = wallet::caps(session, base)?;
    let state = session.state()?;
    let (accounts, damage) = wallet::accounts(session, &state)?;
    // Who enforces no caps may have no shared state.
    if is_enforced && session.var("GITHUB_RUN_ID").is_some() {
        look_for_state(session, &state, problems, asides)?;
    }
    let mut push = |rule: &str, about: &str, words: String, fix: &str| {
        problems.push(Problem::new(Capability::Budget, rule, about, words, fix));
    };
    if !damage.is_empty() {
        let words = format!(
            "{} lines of the state cannot be used, and may be money",
            damage.len()
        );
        push(
            "budget-unknown",
            "state",
            words,
            "`maestro state verify` names them",
        );
    }
    let now = session.now();
    let number = check_policy::asked::number(session);
    let spent = |wanted: Wanted| {
        let sums = Sums::new(&accounts, &wanted, now);
        let sum = sums
            .all
            .usd()
            .unwrap_or(Usd::ZERO)
            .saturating_add(sums.lent);
        (sum, sums.all.calls)
    };
    if let Some(number) = number {
        let (sum, calls) = spent(Wanted {
            month: None,
            pull_request: Some(number),
        });
        let cap = caps.pull_request;
        if sum > cap {
            let words = format!("agents spent ${sum} on #{number}, above the cap of ${cap}");
            push(
                "pull-request-cap",
                "budget",
                words,
                "raise the cap in `.maestro/ci_budget.json`, by a change of its own",
            );
        } else if calls > 0 {
            asides.push(format!("agent spend ${sum} of ${cap}"));
        }
    }
    if let Some(cap) = caps.month {
        let (sum, _) = spent(Wanted {
            month: Some(month(now)),
            pull_request: None,
        });
        if sum > cap {
            let words = format!("agents spent ${sum} this month, above the cap of ${cap}");
            push(
                "month-cap",
                "budget",
                words,
                "raise the cap in `.maestro/ci_budget.json`, or wait for the next month",
            );
        }
    }
    Ok(())
}

/// Tells whether the shared state is here, without which nobody knows what was spent.
fn look_for_state(
    session: &Session<'_>,
    state: &StateFolder<'_>,
    problems: &mut Vec<Problem>,
    asides: &mut Vec<String>,
) -> Result<(), CommandError> {
    let remote = &session.settings.remote.value;
    if state.fetched_commit(remote)?.is_some() {
        return Ok(());
    }
    if state.has_answered(remote)? {
        asides.push(format!("`{remote}` has no state branch yet"));
    } else {
        problems.push(Problem::new(
            Capability::Budget,
            "state-missing",
            "state",
            "nothing of the shared state is here, so that nobody knows what was spent",
            "run `maestro state pull` before the gate",
        ));
    }
    Ok(())
}

/// Tells whether jobs had a quarantine to judge by.
pub(super) fn flakes(needs: &Needs, plan_job: &str, infos: &mut Vec<String>) {
    let Some(plan) = needs.get(plan_job) else {
        return;
    };
    let text = plan.outputs.get("trusted").map_or("", String::as_str);
    if text.is_empty() {
        infos.push(format!(
            "`{plan_job}` handed on no quarantine, so that no failure was forgiven"
        ));
    } else if let Err(error) = crate::flakes::trusted::Trusted::read(text) {
        infos.push(format!(
            "the quarantine that `{plan_job}` handed on cannot be used, so that no failure was forgiven: {error}"
        ));
    }
}
