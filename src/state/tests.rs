//! What is encoded is decoded: histories built from events equal a plain count over the results.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::disk::StateError;
use super::fold::{Folded, fold_into};
use super::lengths::Lengths;
use super::segment::Batch;
use super::tree::{Change, Tree};
use super::v1::{self, Filing, KnownLists, Retention, TEST_LIST, TEST_TIMING};
use crate::event::{Event, Origin};
use crate::flakes::history::{History, HistoryBuilder};
use crate::flakes::neutral;
use crate::flakes::results::Results;
use crate::junit;
use crate::ports::Drain;
use crate::sha::Sha;

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
            let run = v1::decode_run(&stored, builder.sequences()).unwrap();
            builder.run(run);
        }
    }
    builder.finish()
}

/// What is written here is taken in elsewhere.
fn assert_judged_sound(events: &[Event]) {
    let mut lists = HashMap::new();
    let mut demands = Vec::new();
    for event in events {
        let mut line = Vec::new();
        v1::write_line(event, &mut line).unwrap();
        let text = std::str::from_utf8(&line).unwrap().trim_end_matches('\n');
        let event = v1::parse(text).unwrap();
        if event.kind == TEST_LIST {
            lists.insert(event.id, v1::judge_list(&event).unwrap());
        } else {
            demands.push(v1::judge_run(&event).unwrap());
        }
    }
    let mut lengths = Lengths::default();
    for demand in demands {
        assert!(demand.end <= lengths.of(demand.list, &lists).unwrap());
    }
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
            let xml = xml(cases);
            let read = junit::read(junit::Form::Xml, xml.as_bytes(), "", &mut |suites, serial, case| {
                results.case(suites, serial, case, &case.message);
            }).unwrap();
            events.extend(v1::encode_run(&results, &read.counts, &filing(number), &mut known).unwrap());
            for (suite, name, status) in cases {
                let tally = wanted.entry((format!("s{suite}"), format!("t{name}"))).or_default();
                let (executions, failures) = [(1, 0), (1, 1), (0, 0), (2, 1)][usize::from(*status)];
                tally.0 += executions;
                tally.1 += failures;
            }
        }
        assert_judged_sound(&events);
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
        let events = v1::encode_neutral(&file, &filings, &mut KnownLists::default()).unwrap();
        assert_judged_sound(&events);
        let history = fold(&events);
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
        let analysis = crate::flakes::detect::Analysis::of(&history);
        for test in history.in_order() {
            let _judgement = analysis.judge(&history, test);
        }
    }
}

/// A state in memory.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
struct MemoryTree(BTreeMap<String, Vec<u8>>);

impl Tree for MemoryTree {
    fn files(&self, below: &str) -> Result<Vec<String>, StateError> {
        let below = format!("{below}/");
        let paths = self.0.keys().filter(|path| path.starts_with(&below));
        Ok(paths.cloned().collect())
    }

    fn read(&self, path: &str, drain: Drain<'_>) -> Result<(), StateError> {
        let bytes = self.0.get(path).map_or(&[][..], Vec::as_slice);
        drain(&mut &*bytes).unwrap();
        Ok(())
    }

    fn rewrite(&mut self, path: &str, change: Change<'_>) -> Result<(), StateError> {
        let mut new = Vec::new();
        let old = self.0.get(path).cloned().unwrap_or_default();
        change(&mut old.as_slice(), &mut new).unwrap();
        self.0.insert(path.to_owned(), new);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StateError> {
        self.0.remove(path);
        Ok(())
    }

    fn shown(&self, path: &str) -> PathBuf {
        path.into()
    }
}

/// One event by number; some share their identity, some of those have other times or months, and some have fields of a newer
/// writer.
fn numbered_line(number: u8) -> String {
    let kind = ["plan", "test_note", "spend", TEST_TIMING][usize::from(number % 4)];
    let origin = Origin {
        run: (number % 11).to_string(),
        ..Origin::default()
    };
    let days = i64::from(number % 7) * 13 + i64::from(number / 100) * 40;
    let at = Timestamp::from_second(1_767_225_600 + days * 86_400).unwrap();
    // Samples of times: of a job, leg and day one stays, whatever times its copies have.
    let sample = format!(
        r#"{{"day":"2026-01-0{}","leg":"","list":"{}","ms":[],"places":"","rest":1,"rest_ms":{}}}"#,
        1 + number / 4 % 3,
        Sha([0; 32]),
        number % 5
    );
    let payload = match kind {
        TEST_TIMING => sample,
        _ => format!("{{\"n\":{}}}", number % 5),
    };
    let event = Event::new(kind, at, origin, payload);
    let mut line = Vec::new();
    v1::write_line(&event, &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    let line = line.trim_end_matches('\n').to_owned();
    if number.is_multiple_of(5) {
        line.replace("\"payload\":", "\"later\":[1],\"payload\":")
    } else {
        line
    }
}

fn fold_numbers(tree: &mut MemoryTree, numbers: &[u8], retention: &Retention) {
    let mut batch = Batch::default();
    for &number in numbers {
        let line = numbered_line(number);
        batch.add(&v1::parse(&line).unwrap(), &line);
    }
    let mut folded = Folded::default();
    fold_into(tree, batch, retention, &mut folded).unwrap();
    assert!(folded.damage.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_grouping_folds_to_the_same_bytes(
        numbers in prop::collection::vec(any::<u8>(), 1..14),
        seed in any::<u64>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        is_compacted in any::<bool>(),
    ) {
        let mut retention = Retention::default();
        if is_compacted {
            retention.keep_from("plan", "2026-02");
        }
        let mut at_once = MemoryTree::default();
        fold_numbers(&mut at_once, &numbers, &retention);
        // Another order, some of them twice, in several folds.
        let mut shuffled = numbers.clone();
        shuffled.extend(numbers.iter().take(usize::try_from(seed % 5).unwrap()));
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = usize::try_from(state >> 33).unwrap() % (at + 1);
            shuffled.swap(at, other);
        }
        let mut in_parts = MemoryTree::default();
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(shuffled.len())).collect();
        bounds.extend([0, shuffled.len()]);
        bounds.sort_unstable();
        for part in bounds.windows(2) {
            fold_numbers(&mut in_parts, &shuffled[part[0]..part[1]], &retention);
        }
        in_parts.0.retain(|_, bytes| !bytes.is_empty());
        at_once.0.retain(|_, bytes| !bytes.is_empty());
        prop_assert_eq!(&in_parts, &at_once);
        // Folding a fold into it changes nothing.
        let again: Vec<u8> = numbers.iter().rev().copied().collect();
        fold_numbers(&mut in_parts, &again, &retention);
        prop_assert_eq!(in_parts, at_once);
    }
}
