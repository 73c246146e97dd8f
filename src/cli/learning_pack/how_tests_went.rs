//! How tests went, as `flakes report` and `flakes escalate` know it.

use std::collections::BTreeMap;

use crate::cli::flakes::escalate::standing;
use crate::cli::flakes::load;
use crate::cli::flakes::owners::owners_of;
use crate::cli::flakes::quarantine::WorkFile;
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::flakes::causes::Class;
use crate::flakes::causes::past::Causes;
use crate::flakes::detect::Analysis;
use crate::flakes::history::History;
use crate::flakes::quarantine::{Entry, Quarantine, shown};
use crate::flakes::timing::Timings;
use crate::report::facts::{Cluster, Quarantined, Test, TestRun, Tests};
use crate::state::v1::{self, TEST_TIMING};

/// Returns what is known of tests, or why nothing is; and what is wrong with it.
pub(super) fn tests(
    session: &Session<'_>,
    troubles: &mut Vec<String>,
) -> Result<Result<Tests, String>, CommandError> {
    let state = session.state()?;
    let (history, survey) = load(&state)?;
    super::gather::note_damage(&survey, "runs of tests", troubles);
    if history.missing_lists > 0 {
        troubles.push(format!(
            "the list of tests of {} stored runs is not here, and their tests are missing",
            history.missing_lists
        ));
    }
    let quarantine = WorkFile::open(session)?.quarantine;
    if history.runs.is_empty() && history.rollups.is_empty() && quarantine.tests.is_empty() {
        return Ok(Err(
            "No run of tests is stored. `maestro flakes ingest` stores one, `maestro state pull` fetches those of others.".to_owned(),
        ));
    }
    let analysis = Analysis::of(&history);
    let mut tests = Tests {
        runs: runs(&history, &analysis),
        ..Tests::default()
    };
    let places = add_tests(session, &history, &analysis, &quarantine, &mut tests);
    let (subjects, clusters) = standing(session, &history, &analysis, &quarantine)?;
    for cluster in clusters {
        let members = cluster.subjects.iter().filter_map(|at| {
            let subject = subjects.get(*at)?;
            places
                .get(&(subject.suite.clone(), subject.test.clone()))
                .copied()
        });
        tests.clusters.push(Cluster {
            tests: members.collect(),
            issue: cluster.link.url,
        });
    }
    let mut timings = Timings::default();
    state.read(&|kind, _| kind == TEST_TIMING, &mut |event| {
        v1::decode_timing(event).map(|timing| timings.add(timing))
    })?;
    tests.minutes = timings.minutes();
    Ok(Ok(tests))
}

fn runs(history: &History, analysis: &Analysis) -> Vec<TestRun> {
    let runs = (0_u32..).zip(&history.runs).map(|(number, run)| TestRun {
        at: run.at,
        run: run.origin.run.clone(),
        job: run.origin.job.clone(),
        commit: run.origin.commit.clone(),
        failed: run.counts.failed + run.counts.errored,
        is_outage: analysis.is_outage(number),
    });
    runs.collect()
}

/// Where a test is, by suite and name.
type Places = BTreeMap<(String, String), usize>;

/// Adds the tests that failed or are in quarantine.
fn add_tests(
    session: &Session<'_>,
    history: &History,
    analysis: &Analysis,
    quarantine: &Quarantine,
    to: &mut Tests,
) -> Places {
    let mut entries: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    for entry in &quarantine.tests {
        entries.insert((&entry.suite, &entry.test), entry);
    }
    let causes = Causes::of(history);
    let mut places = Places::new();
    let mut suites = Vec::new();
    for number in history.in_order() {
        let (suite, name) = history.test(number);
        let entry = entries.remove(&(suite, name));
        if entry.is_none() && history.tally(number).failures == 0 {
            continue;
        }
        let judgement = analysis.judge(history, number);
        let rate = judgement.counted.rate();
        let failed = history.failed_runs(number).into_iter();
        let mut failed_in: Vec<usize> = failed
            .filter_map(|(run, _)| usize::try_from(run).ok())
            .collect();
        crate::order::sort(&mut failed_in);
        places.insert((suite.to_owned(), name.to_owned()), to.tests.len());
        suites.push(suite.to_owned());
        to.tests.push(Test {
            name: shown(suite, name),
            verdict: judgement.verdict.name(),
            rate: (rate.mean, rate.low, rate.high),
            cause: (!failed_in.is_empty())
                .then(|| causes.find(number).class.map(Class::name))
                .flatten(),
            failed_in,
            owner: None,
            quarantine: entry.map(quarantined),
        });
    }
    for ((suite, name), entry) in entries {
        places.insert((suite.to_owned(), name.to_owned()), to.tests.len());
        suites.push(suite.to_owned());
        to.tests.push(Test {
            name: shown(suite, name),
            verdict: "unknown",
            rate: (0.5, 0.0, 1.0),
            failed_in: Vec::new(),
            cause: None,
            owner: None,
            quarantine: Some(quarantined(entry)),
        });
    }
    let suites: Vec<&str> = suites.iter().map(String::as_str).collect();
    let named: BTreeMap<String, String> = quarantine
        .tests
        .iter()
        .filter_map(|entry| Some((entry.shown(), entry.owner.clone()?)))
        .collect();
    for (test, owner) in to.tests.iter_mut().zip(owners_of(session, &suites)) {
        test.owner = named.get(&test.name).cloned().or(owner);
    }
    places
}

fn quarantined(entry: &Entry) -> Quarantined {
    Quarantined {
        since: entry.since,
        review_by: entry.review_by,
        issue: entry.issue.clone(),
    }
}
