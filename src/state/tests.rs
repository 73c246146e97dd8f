//! What is encoded is decoded: histories built from events equal a plain count over the results.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::v1::{self, Filing, KnownLists, TEST_LIST};
use crate::event::{Event, Origin, Sha};
use crate::flakes::history::{History, HistoryBuilder};
use crate::flakes::neutral;
use crate::flakes::results::Results;
use crate::junit;

/// Sends events through their lines and folds them.
fn fold(events: &[Event]) -> History {
    let mut builder = HistoryBuilder::default();
    for event in events {
        let mut line = Vec::new();
        v1::write_line(event, &mut line).unwrap();
        let text = std::str::from_utf8(&line).unwrap().trim_end_matches('\n');
        let head = v1::head(text).unwrap();
        assert_eq!(
            (head.kind, head.id, head.at),
            (event.kind, event.id, event.at)
        );
        let stored = v1::parse(text).unwrap();
        assert_eq!(
            (stored.id, stored.at, &stored.origin),
            (event.id, event.at, &event.origin)
        );
        if stored.kind == TEST_LIST {
            v1::decode_list(&stored, &mut builder).unwrap();
        } else {
            builder.run(v1::decode_run(&stored).unwrap());
        }
    }
    builder.finish()
}

/// Executions and failures of each test.
fn tallies(history: &History) -> BTreeMap<(String, String), (u64, u64)> {
    history
        .in_order()
        .into_iter()
        .map(|test| {
            let (suite, name) = history.test(test);
            let tally = history.tally(test);
            (
                (suite.to_owned(), name.to_owned()),
                (tally.runs, tally.failures),
            )
        })
        .collect()
}

fn filing(run: usize) -> Filing {
    let later = SignedDuration::from_secs(i64::try_from(run).unwrap());
    Filing {
        at: Timestamp::UNIX_EPOCH.saturating_add(later).unwrap(),
        origin: Origin {
            run: run.to_string(),
            attempt: 1,
            ..Origin::default()
        },
        leg: String::new(),
        files: vec![Sha::of(&run.to_be_bytes())],
    }
}

/// One case: suite, name, and 0 passed, 1 failed, 2 skipped, 3 flaky.
type Case = (u8, u8, u8);

fn xml(cases: &[Case]) -> String {
    let mut xml = String::from("<testsuites>");
    for (suite, name, status) in cases {
        let child = [
            "",
            "<failure message=\"m\"/>",
            "<skipped/>",
            "<flakyError message=\"m\"/>",
        ][usize::from(*status)];
        xml.push_str(&format!(
            "<testsuite name=\"s{suite}\"><testcase name=\"t{name}\">{child}</testcase></testsuite>"
        ));
    }
    xml + "</testsuites>"
}

/// Few tests, or so many that one list stands on another.
fn cases() -> impl Strategy<Value = Vec<Case>> {
    let few = prop::collection::vec((0..3_u8, 0..5_u8, 0..4_u8), 0..12);
    let many = prop::collection::vec((0..4_u8, 0..3_u8), 0..4).prop_map(|odd| {
        let mut all: Vec<Case> = (0..150_u8).map(|name| (name % 3, name, 0)).collect();
        for (at, (suite, status)) in odd.into_iter().enumerate() {
            let place = (usize::from(suite) * 31 + at * 7) % all.len();
            // New, gone, or gone otherwise.
            match status {
                0 => all.push((suite, 200 + suite, 1)),
                1 => drop(all.remove(place)),
                _ => all[place].2 = 1 + suite % 3,
            }
        }
        all
    });
    prop_oneof![few, many]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reports_fold_to_a_plain_count_in_any_order(runs in prop::collection::vec(cases(), 1..8), seed in any::<u64>()) {
        let mut events = Vec::new();
        let mut known = KnownLists::default();
        let mut wanted: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for (number, cases) in runs.iter().enumerate() {
            let mut results = Results::default();
            let (counts, _) = junit::read(xml(cases).as_bytes(), &mut |suites, serial, case| {
                results.case(suites, serial, case, &case.message);
            }).unwrap();
            events.extend(v1::encode_run(&results, &counts, &filing(number), &mut known).unwrap());
            for (suite, name, status) in cases {
                let tally = wanted.entry((format!("s{suite}"), format!("t{name}"))).or_default();
                let (executions, failures) = [(1, 0), (1, 1), (0, 0), (2, 1)][usize::from(*status)];
                tally.0 += executions;
                tally.1 += failures;
            }
        }
        let history = fold(&events);
        prop_assert_eq!(&tallies(&history), &wanted);
        prop_assert_eq!(history.missing_lists, 0);
        // Any order, and any event twice.
        let mut shuffled = events.clone();
        shuffled.extend(events);
        let length = shuffled.len() as u64;
        for at in (1..shuffled.len()).rev() {
            let other = usize::try_from(seed.wrapping_mul(at as u64 + 7) % length).unwrap() % (at + 1);
            shuffled.swap(at, other);
        }
        let again = fold(&shuffled);
        prop_assert_eq!(&tallies(&again), &wanted);
        let ids = |history: &History| history.runs.iter().map(|run| run.id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&again), ids(&history));
    }

    #[test]
    fn lines_of_the_neutral_form_fold_to_a_plain_count(lines in prop::collection::vec((0..4_u8, 1..3_u32, 0..2_u8, 0..5_u8, 0..3_u8), 1..60)) {
        let mut text = String::new();
        let mut wanted: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for (run, attempt, job, test, status) in &lines {
            let word = ["passed", "failed", "skipped"][usize::from(*status)];
            text.push_str(&format!(
                "{{\"run\":\"{run}\",\"attempt\":{attempt},\"job\":\"j{job}\",\"suite\":\"s\",\"test\":\"t{test}\",\"status\":\"{word}\"}}\n"
            ));
            let tally = wanted.entry(("s".to_owned(), format!("t{test}"))).or_default();
            tally.0 += u64::from(*status != 2);
            tally.1 += u64::from(*status == 1);
        }
        let file = neutral::read(text.as_bytes(), &str::to_owned).unwrap();
        let filings: Vec<_> = file.groups.iter().enumerate().map(|(number, group)| {
            Some(Filing { origin: group.origin.clone(), ..filing(number) })
        }).collect();
        let history = fold(&v1::encode_neutral(&file, &filings, &mut KnownLists::default()).unwrap());
        prop_assert_eq!(tallies(&history), wanted);
        prop_assert_eq!(history.runs.len(), file.groups.len());
    }

    #[test]
    fn a_hostile_payload_never_panics(test in any::<u32>().prop_map(|test| test >> 10), first in any::<u32>(), length in any::<u32>(), outcome in "[pfes+x]{0,6}") {
        let list = Event::new(TEST_LIST, Timestamp::UNIX_EPOCH, Origin::default(),
            format!("{{\"suites\":[{{\"expected\":{{\"{test}\":\"{outcome}\"}},\"suite\":\"s\",\"tests\":[\"a\",\"b\"]}}]}}"));
        let counts = "{\"attempts\":0,\"cases\":0,\"disabled\":0,\"errored\":0,\"failed\":0,\"passed\":0,\"skipped\":0,\"suites\":0,\"tests\":0}";
        let run = Event::new(v1::TEST_RUN, Timestamp::UNIX_EPOCH, Origin::default(), format!(
            "{{\"absent\":[[{first},{length}],[{first},{length}]],\"counts\":{counts},\"differs\":{{\"{outcome}\":\"{}\",\"f\":\"07\"}},\"files\":[],\"leg\":\"\",\"list\":\"{}\"}}", crate::flakes::places::write(&[test.min(u32::MAX - 1)]), list.id
        ));
        let history = fold(&[list, run]);
        for test in history.in_order() {
            let _judgement = crate::flakes::verdict::judge(history.tally(test), &history.observations(test), &|number| history.environment(number));
        }
    }
}
