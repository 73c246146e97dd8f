//! What is known of what somebody may hear of, each from where the command that is about it has it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::budget::spend::month;
use crate::budget::sums::{Sums, Wanted};
use crate::cli::budget::wallet;
use crate::cli::flakes::owners::owners_of;
use crate::cli::flakes::{load, rules};
use crate::cli::session::Session;
use crate::config::notify::NotifyEvent;
use crate::error::CommandError;
use crate::flakes::detect::Analysis;
use crate::flakes::history::History;
use crate::flakes::quarantine::shown;
use crate::flakes::verdict::{Verdict as Flakiness, percent};
use crate::forge::repository::of_remote;
use crate::money::Usd;
use crate::notify::events::EVENTS;
use crate::notify::{Account, Facts, Flaky, Purse, Quarantined, Spoilt, Used, Verdict};
use crate::state::v1::{self, OVERRIDE, POLICY_VERDICT};

/// Sums of pull requests that nobody paid for lately are not asked for.
const DAYS: i64 = 8;

/// The steps of a budget.
pub(crate) const BUDGET: [NotifyEvent; 3] = [
    NotifyEvent::Budget80,
    NotifyEvent::Budget95,
    NotifyEvent::BudgetExceeded,
];

/// Returns facts of nothing yet.
pub(crate) fn bare(session: &Session<'_>) -> Facts {
    Facts {
        now: session.now(),
        web: repository(session).1,
        ..Facts::default()
    }
}

/// Returns how people know the repository, and its address in a browser where it is one of GitHub's.
pub(crate) fn repository(session: &Session<'_>) -> (String, Option<String>) {
    let remote = session.remote_address(None).as_deref().and_then(of_remote);
    let host = remote.as_ref().map(|(host, _)| format!("https://{host}"));
    let name = session.var("GITHUB_REPOSITORY");
    let name = name.or_else(|| remote.map(|(_, name)| name.to_string()));
    let server = session.var("GITHUB_SERVER_URL").or(host);
    match name {
        Some(name) => {
            let server = server.unwrap_or_else(|| "https://github.com".to_owned());
            let web = format!("{}/{name}", server.trim_end_matches('/'));
            (name, Some(web))
        }
        None => {
            let top = session.checkout.as_ref().ok();
            let top = top.and_then(|checkout| checkout.top.as_ref());
            let folder = top.unwrap_or(&session.base).file_name();
            let folder = folder.map(|name| name.to_string_lossy().into_owned());
            (folder.unwrap_or_else(|| "this repository".to_owned()), None)
        }
    }
}

/// Gathers what is asked for, of everything that is stored. What cannot be known is said beside it.
pub(crate) fn all(
    session: &mut Session<'_>,
    wanted: &BTreeSet<NotifyEvent>,
) -> Result<Facts, CommandError> {
    let mut facts = bare(session);
    let wants = |events: &[NotifyEvent]| events.iter().any(|event| wanted.contains(event));
    if wants(&BUDGET) {
        budget(session, (None, None), &mut facts);
    }
    let of_quarantine = [NotifyEvent::QuarantineAdded, NotifyEvent::QuarantineOverdue];
    if wants(&of_quarantine) {
        match rules::from_base(session, None, false) {
            Ok(rules) => facts.quarantine = quarantine(&rules.quarantine.tests),
            Err(error) => unknown(&mut facts, &of_quarantine, "the quarantine", &error),
        }
    }
    if wants(&[NotifyEvent::FlakyNew, NotifyEvent::Outage]) {
        tests(session, &mut facts)?;
    }
    if wants(&[NotifyEvent::PolicyViolation, NotifyEvent::OverrideUsed]) {
        changes(session, &mut facts)?;
    }
    for known in EVENTS.iter().filter(|known| !known.by.contains("notify")) {
        let words = format!("only `maestro {}` tells of it", known.by);
        facts.unknown.insert(known.event, words);
    }
    Ok(facts)
}

fn unknown(facts: &mut Facts, events: &[NotifyEvent], what: &str, error: &CommandError) {
    for event in events {
        let words = format!("{what} cannot be read: {:#}", error.error);
        facts.unknown.insert(*event, words);
    }
}

/// Adds what was spent under caps: by the month, and by the pull requests that paid lately, or by one of them.
pub(crate) fn budget(
    session: &mut Session<'_>,
    (base, only): (Option<&str>, Option<u64>),
    facts: &mut Facts,
) {
    match accounts(session, (base, only)) {
        Ok(accounts) => facts.accounts = accounts,
        Err(error) => unknown(facts, &BUDGET, "the budget", &error),
    }
}

fn accounts(
    session: &mut Session<'_>,
    (base, only): (Option<&str>, Option<u64>),
) -> Result<Vec<Account>, CommandError> {
    let now = session.now();
    let (all, _damage_is_named_by_verify) = wallet::accounts(session, &session.state()?)?;
    if all.calls().next().is_none() {
        return Ok(Vec::new());
    }
    let caps = wallet::caps(session, base)?;
    let since = now.saturating_sub(SignedDuration::from_hours(24 * DAYS));
    let since = since.unwrap_or(Timestamp::MIN);
    let mut last = std::collections::BTreeMap::new();
    for paid in all.calls().filter(|paid| paid.at >= since) {
        let number = paid.spend.pull_request;
        if let Some(number) = number.filter(|number| only.is_none_or(|only| only == *number)) {
            let at = last.entry(number).or_insert(paid.at);
            *at = paid.at.max(*at);
        }
    }
    let spent = |wanted: Wanted| {
        let sums = Sums::new(&all, &wanted, now);
        sums.spoken_for(Usd::ZERO)
    };
    let mut accounts = Vec::new();
    for (number, at) in last {
        accounts.push(Account {
            of: Purse::PullRequest(number),
            spent: spent(Wanted {
                month: None,
                pull_request: Some(number),
            }),
            cap: caps.pull_request,
            at,
        });
    }
    if let Some(cap) = caps.month {
        let month = month(now);
        accounts.push(Account {
            spent: spent(Wanted {
                month: Some(month.clone()),
                pull_request: None,
            }),
            of: Purse::Month(month),
            cap,
            at: now,
        });
    }
    Ok(accounts)
}

fn quarantine(entries: &[crate::flakes::quarantine::Entry]) -> Vec<Quarantined> {
    let entries = entries.iter().map(|entry| Quarantined {
        test: entry.shown(),
        owner: entry.owner.clone(),
        reason: entry.reason.clone(),
        since: entry.since,
        review_by: entry.review_by,
    });
    entries.collect()
}

fn tests(session: &Session<'_>, facts: &mut Facts) -> Result<(), CommandError> {
    let (history, _damage_is_named_by_verify) = load(&session.state()?)?;
    let analysis = Analysis::of(&history);
    for (number, outage) in &analysis.outages {
        let Some(run) = history.runs.get(*number as usize) else {
            continue;
        };
        facts.spoilt.push(Spoilt {
            run: run.origin.run.clone(),
            job: run.origin.job.clone(),
            failed: outage.failed as u64,
            at: run.at,
        });
    }
    crate::order::sort_by_key(&mut facts.spoilt, |run| run.at);
    let mut suites = Vec::new();
    for number in history.in_order() {
        if let Some(test) = flaky(&history, &analysis, number) {
            facts.flaky.push(test);
            suites.push(history.test(number).0);
        }
    }
    for (test, owner) in facts.flaky.iter_mut().zip(owners_of(session, &suites)) {
        test.owner = owner;
    }
    Ok(())
}

/// Returns a test that is judged flaky, with its last failure outside of outages.
fn flaky(history: &History, analysis: &Analysis, number: u32) -> Option<Flaky> {
    if history.tally(number).failures == 0 {
        return None;
    }
    let failed = history.failed_runs(number).into_iter();
    let failed = failed.filter(|(run, _)| !analysis.is_outage(*run));
    let at = failed
        .filter_map(|(run, _)| Some(history.runs.get(run as usize)?.at))
        .max()?;
    let judgement = analysis.judge(history, number);
    if judgement.verdict != Flakiness::Flaky {
        return None;
    }
    let rate = judgement.counted.rate();
    let (suite, name) = history.test(number);
    Some(Flaky {
        test: shown(suite, name),
        owner: None,
        rate: format!(
            "{} % ({}\u{2013}{})",
            percent(rate.mean),
            percent(rate.low),
            percent(rate.high)
        ),
        at,
    })
}

fn changes(session: &Session<'_>, facts: &mut Facts) -> Result<(), CommandError> {
    let kinds = [POLICY_VERDICT, OVERRIDE];
    let state = session.state()?;
    state.read(&|kind, _| kinds.contains(&kind), &mut |event| {
        if event.kind == OVERRIDE {
            let record = v1::decode_override(event)?;
            facts.overrides.push(Used {
                at: event.at,
                said_at: record.said_at,
                by: record.by,
                rule: record.rule,
                reason: record.reason,
                head: record.head,
                pull_request: record.pull_request,
                expires: record.expires,
            });
            return Ok(());
        }
        let record = v1::decode_policy_verdict(event)?;
        // A task of an agent is no change yet.
        if record.task.is_none() && record.outcome == "blocked" {
            facts.verdicts.push(Verdict {
                at: event.at,
                head: record.head,
                pull_request: record.pull_request,
                enforced: record.enforced,
                blocked_by: record.blocked_by,
            });
        }
        Ok(())
    })?;
    crate::order::sort_by(&mut facts.verdicts, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.head.cmp(&b.head))
    });
    crate::order::sort_by(&mut facts.overrides, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.rule.cmp(&b.rule))
    });
    Ok(())
}
