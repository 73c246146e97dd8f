//! `quarantine add --auto` and `release --auto`: what the stored history says of all tests at once.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::pull::Rejected;
use super::wire::Change;
use super::{AddArgs, days, find, later, mode};
use crate::cli::flakes::owners::owners_of;
use crate::cli::flakes::report::{load, missing_lists_error};
use crate::cli::flakes::rules;
use crate::cli::session::Session;
use crate::cli::state::{damage_error, warn_of_damage};
use crate::config::file::CapFile;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::admission::{Candidate, Cap, LeftOut, Rules, choose};
use crate::flakes::detect::Analysis;
use crate::flakes::history::History;
use crate::flakes::quarantine::{Entry, Quarantine, is_well};
use crate::order;

/// Why a test is in quarantine, where nobody gave a reason.
const REASON: &str = "flaky by the stored history";

/// Puts every flaky test in that has room; returns what became of it, and what was left out.
pub(super) fn add(
    session: &mut Session<'_>,
    quarantine: &mut Quarantine,
    args: &AddArgs,
    today: Date,
    rejected: &Rejected,
) -> Result<(Change, Vec<LeftOut>), CommandError> {
    let history = whole(session)?;
    let review_by = later(today, days(session, args.common.days)?);
    let mode = mode(session, args.skip);
    let tests: Vec<u32> = history.in_order();
    let owner_of = owners_by_suite(session, &history, &tests, quarantine);
    let owner = |suite: &str| {
        owner_of
            .get(suite)
            .cloned()
            .flatten()
            .or_else(|| args.owner.clone())
    };
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    let mut candidates = Vec::new();
    let analysis = Analysis::of(&history);
    for test in tests {
        let (suite, name) = history.test(test);
        *counts.entry(owner(suite)).or_default() += 1;
        let failures = history.tally(test).failures;
        if failures > 0 {
            candidates.push(Candidate {
                suite: suite.to_owned(),
                test: name.to_owned(),
                owner: owner(suite),
                judgement: analysis.judge(&history, test),
                failures,
            });
        }
    }
    let mut quarantined: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for entry in &quarantine.tests {
        let owner = entry.owner.clone().or_else(|| owner(&entry.suite));
        *quarantined.entry(owner).or_default() += 1;
    }
    let never = rules::never(&session.config.flakes.never)?;
    let number_of = |one: &Candidate| rejected.get(&(one.suite.clone(), one.test.clone()));
    let (refused, candidates): (Vec<Candidate>, Vec<Candidate>) =
        candidates.into_iter().partition(|one| {
            number_of(one).is_some() && quarantine.find(&one.suite, &one.test).is_none()
        });
    let rules = Rules {
        cap: cap(session)?,
        tests: &counts,
        quarantined,
        never: &|suite, test| rules::never_by(&never, suite, test, ""),
    };
    let (chosen, mut left_out) = choose(candidates, quarantine, rules);
    left_out.extend(refused.into_iter().map(|one| LeftOut {
        why: format!(
            "somebody closed the pull request that proposed it (#{})",
            number_of(&one).copied().unwrap_or_default()
        ),
        suite: one.suite,
        test: one.test,
    }));
    let issue_of = issues(session)?;
    let reason = args.reason.clone().unwrap_or_else(|| REASON.to_owned());
    let mut names = Vec::new();
    for one in chosen {
        let known = issue_of.get(&(one.suite.clone(), one.test.clone()));
        let entry = Entry {
            issue: args.issue.clone().or_else(|| known.cloned()),
            suite: one.suite,
            test: one.test,
            mode,
            reason: reason.trim().to_owned(),
            evidence: one.judgement.evidence,
            owner: one.owner,
            since: today,
            review_by,
        };
        names.push(entry.shown());
        quarantine.put(entry);
    }
    Ok((Change::AddedAll(names), left_out))
}

/// Returns the issue of each test that `flakes escalate` has opened one for, by suite and name.
fn issues(session: &Session<'_>) -> Result<BTreeMap<(String, String), String>, CommandError> {
    let links = session.state()?.issue_links()?.into_iter();
    let open = links.filter(|link| link.open && link.url.is_some());
    let named = open.flat_map(|link| {
        let url = link.url.unwrap_or_default();
        let tests = link.tests.into_iter();
        tests.map(move |linked| ((linked.suite, linked.test), url.clone()))
    });
    Ok(order::map(named))
}

/// Takes every test out that the history shows to be well.
pub(super) fn release(
    session: &mut Session<'_>,
    quarantine: &mut Quarantine,
) -> Result<Change, CommandError> {
    let history = whole(session)?;
    let mut names = Vec::new();
    for entry in quarantine.tests.clone() {
        let Some((number, ..)) = find(&history, &entry.test, Some(&entry.suite))? else {
            continue;
        };
        let (runs, failures) = history.since(number, entry.since);
        if is_well(failures, runs) {
            names.push(entry.shown());
            quarantine.take(&entry.suite, &entry.test);
        }
    }
    Ok(Change::ReleasedAll(names))
}

/// Reads the history; one with holes decides nothing by itself.
fn whole(session: &mut Session<'_>) -> Result<History, CommandError> {
    let (history, survey) = load(&session.state()?)?;
    warn_of_damage(session, &survey);
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    match history.missing_lists {
        0 => Ok(history),
        missing => Err(missing_lists_error(missing)),
    }
}

fn owners_by_suite(
    session: &Session<'_>,
    history: &History,
    tests: &[u32],
    quarantine: &Quarantine,
) -> BTreeMap<String, Option<String>> {
    let suites = tests.iter().map(|test| history.test(*test).0);
    let entries = quarantine.tests.iter().map(|entry| entry.suite.as_str());
    let mut suites: Vec<&str> = suites.chain(entries).collect();
    order::sort(&mut suites);
    suites.dedup();
    let found = owners_of(session, &suites);
    order::map(suites.into_iter().map(str::to_owned).zip(found))
}

fn cap(session: &Session<'_>) -> Result<Cap, CommandError> {
    match &session.config.flakes.most_per_owner {
        None => Ok(Cap::USUAL),
        Some(CapFile::Count(count)) => Ok(Cap::Count(u64::from(*count))),
        Some(CapFile::Share(text)) => Cap::share(text).ok_or_else(|| {
            let message = format!("`flakes.most_per_owner: {text}` is no number and no share");
            CommandError::message(ErrorKind::BadConfig, message)
                .hint("write a number of tests, or a share of the owner's tests as `2%`")
        }),
    }
}
