//! `test_rollup`: the runs of one job and leg in one month, summed up, once they are older than the retention.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::test_run::CountsRecord;
use super::{LineProblem, StoredEvent, TEST_ROLLUP, bad_payload};
use crate::event::{Event, Origin};
use crate::flakes::history::{History, HistoryBuilder, Tally};
use crate::flakes::rollup::{Key, Rollup};
use crate::flakes::stated::Stated;
use crate::json;
use crate::junit::Counts;

#[derive(Serialize, Deserialize)]
struct RollupRecord<'a> {
    counts: CountsRecord,
    #[serde(borrow, default)]
    leg: Cow<'a, str>,
    #[serde(borrow)]
    month: Cow<'a, str>,
    runs: u64,
    #[serde(borrow)]
    suites: Vec<RolledSuite<'a>>,
}

/// Numbers stand in the order of the tests; those that are left out are all zero.
#[derive(Serialize, Deserialize, Default)]
struct RolledSuite<'a> {
    executions: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retry_passes: Vec<u64>,
    #[serde(borrow)]
    suite: Cow<'a, str>,
    #[serde(borrow)]
    tests: Vec<Name<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Encodes a roll-up, dated to the beginning of its month.
pub(crate) fn encode_rollup(
    history: &History,
    rollup: &Rollup,
    at: Timestamp,
) -> Result<Event, serde_json::Error> {
    let mut tests: Vec<(&str, &str, &Tally)> = rollup
        .tests
        .iter()
        .map(|(test, tally)| {
            let (suite, name) = history.test(*test);
            (suite, name, tally)
        })
        .collect();
    tests.sort_unstable_by_key(|(suite, name, _)| (*suite, *name));
    let mut suites: Vec<RolledSuite<'_>> = Vec::new();
    for (suite, name, tally) in tests {
        if suites.last().is_none_or(|last| last.suite != suite) {
            suites.push(RolledSuite {
                suite: suite.into(),
                ..RolledSuite::default()
            });
        }
        if let Some(last) = suites.last_mut() {
            last.tests.push(Name(name.into()));
            last.executions.push(tally.runs);
            last.failures.push(tally.failures);
            last.retry_passes.push(tally.retry_passes);
        }
    }
    for suite in &mut suites {
        for numbers in [&mut suite.failures, &mut suite.retry_passes] {
            if numbers.iter().all(|number| *number == 0) {
                numbers.clear();
            }
        }
    }
    let record = RollupRecord {
        counts: Stated::new(&rollup.counts, &Counts::default()).into(),
        leg: rollup.key.leg.as_str().into(),
        month: rollup.key.month.as_str().into(),
        runs: rollup.runs,
        suites,
    };
    let origin = Origin {
        job: rollup.key.job.clone(),
        ..Origin::default()
    };
    let payload = serde_json::to_string(&record)?;
    Ok(Event::new(TEST_ROLLUP, at, origin, payload))
}

fn read<'a>(event: &StoredEvent<'a>) -> Result<RollupRecord<'a>, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    read(event).map(drop)
}

/// Adds a `test_rollup` to a history.
pub(crate) fn decode_rollup(
    event: &StoredEvent<'_>,
    history: &mut HistoryBuilder,
) -> Result<(), LineProblem> {
    let record = read(event)?;
    let key = Key {
        month: record.month.into_owned(),
        job: event.origin.job.clone(),
        leg: record.leg.into_owned(),
    };
    let mut tests = Vec::new();
    for suite in &record.suites {
        for (at, name) in suite.tests.iter().enumerate() {
            let number = |numbers: &[u64]| numbers.get(at).copied().unwrap_or(0);
            let tally = Tally {
                runs: number(&suite.executions),
                failures: number(&suite.failures),
                retry_passes: number(&suite.retry_passes),
            };
            tests.push((history.test(&suite.suite, &name.0), tally));
        }
    }
    let counts = Stated::from(record.counts).complete(&Counts::default());
    if let Some(rollup) = history.rollup(event.id, &key, record.runs, counts) {
        rollup.tests = tests;
    }
    Ok(())
}
