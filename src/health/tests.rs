//! All factors together: what more bad evidence does, and what is missing.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::policy::subject::AddedLine;
use crate::supply::coverage::{self, Places};

/// A change of which nothing is known.
pub(super) const NOTHING: Subject<'_> = Subject {
    files: &[],
    coverage: None,
    pull: None,
    tests: None,
    security: None,
    spending: None,
    now: Timestamp::UNIX_EPOCH,
};

pub(super) fn hours(hours: i64) -> Timestamp {
    Timestamp::from_second(1_000_000_000 + hours * 3600).unwrap()
}

pub(super) fn cents(cents: u64) -> Usd {
    Usd::from_pico(u128::from(cents) * 10_000_000_000)
}

pub(super) fn concern(severity: Severity) -> Concern {
    Concern {
        severity,
        about: "a secret".into(),
        source: "secrets".into(),
        place: None,
        url: None,
    }
}

/// A file that a change makes of another one.
pub(super) fn file<'a>(path: &str, old: &'a str, new: &'a str) -> FileLines<'a> {
    let difference = crate::change::lines::compare(old.as_bytes(), new.as_bytes());
    let added = difference
        .added
        .into_iter()
        .map(|(number, text)| AddedLine { number, text });
    FileLines {
        path: path.into(),
        is_binary: false,
        added: added.collect(),
        deleted: difference.deleted,
        old: Some(old.as_bytes()),
        new: Some(new.as_bytes()),
    }
}

/// Coverage of a file, a sign a line: `+` is executed, `-` is not, and anything else is not told of.
pub(super) fn coverage(path: &str, signs: &str) -> Coverage {
    let lines = signs
        .chars()
        .enumerate()
        .filter(|(_, sign)| "+-".contains(*sign));
    let mut text = format!("SF:{path}\n");
    for (at, sign) in lines {
        text.push_str(&format!("DA:{},{}\n", at + 1, u8::from(sign == '+')));
    }
    text.push_str("end_of_record\n");
    let mut coverage = Coverage::default();
    coverage.add(
        coverage::read(text.as_bytes()).unwrap(),
        &Places::new([path].into_iter()),
        &[],
    );
    coverage
}

#[test]
fn without_anything_nothing_is_known_and_nothing_is_100() {
    let health = judge(&NOTHING, &|_| None);
    assert!(
        health
            .factors
            .iter()
            .all(|factor| factor.score.is_none() && !factor.why.is_empty())
    );
    assert_eq!((health.risk, health.score), (Risk::Medium, None));
    assert_eq!(health.factors.len(), 6);
}

#[test]
fn weights_are_those_that_were_set() {
    let health = judge(&NOTHING, &|name| (name == "budget").then_some(0));
    let weights: Vec<(&str, u32)> = health
        .factors
        .iter()
        .map(|factor| (factor.name, factor.weight))
        .collect();
    assert_eq!(
        weights,
        [
            ("budget", 0),
            ("complexity", 20),
            ("flakes", 15),
            ("patch-coverage", 20),
            ("reviews", 15),
            ("security", 20)
        ]
    );
}

/// What a change is like; more of anything is worse.
#[derive(Debug, Clone)]
struct Bad {
    ifs: usize,
    missed: usize,
    waits: i64,
    requested: u64,
    rates: Vec<f64>,
    severities: Vec<u8>,
    spent: u64,
    unpriced: u64,
}

fn severity(number: u8) -> Severity {
    match number % 4 {
        0 => Severity::Low,
        1 => Severity::Medium,
        2 => Severity::High,
        _ => Severity::Critical,
    }
}

fn health(bad: &Bad) -> Health {
    let code = format!("{}{}", "a();\n".repeat(200), "if (b) {}\n".repeat(bad.ifs));
    let signs: String = (0..200)
        .map(|at| if at < bad.missed { '-' } else { '+' })
        .collect();
    let files = [file("a.c", "", &code)];
    let coverage = coverage("a.c", &signs);
    let pull = Pull {
        opened: hours(0),
        changes_requested: bad.requested,
        ..Pull::default()
    };
    let tests = Tests {
        touched: 9,
        flaky: bad
            .rates
            .iter()
            .map(|rate| Flaky {
                name: "t".into(),
                path: "a.c".into(),
                rate: *rate,
                failures: 1,
                runs: 2,
            })
            .collect(),
    };
    let security = Security {
        sources: vec!["check-policy".into()],
        concerns: bad
            .severities
            .iter()
            .map(|number| concern(severity(*number)))
            .collect(),
    };
    let spending = Spending {
        spent: cents(bad.spent),
        cap: cents(1000),
        unpriced: bad.unpriced,
    };
    judge(
        &Subject {
            files: &files,
            coverage: Some(&coverage),
            pull: Some(&pull),
            tests: Some(&tests),
            security: Some(&security),
            spending: Some(&spending),
            now: hours(bad.waits),
        },
        &|_| None,
    )
}

fn any_bad() -> impl Strategy<Value = Bad> {
    let lists = (
        prop::collection::vec(0.0..1.0, 0..4),
        prop::collection::vec(any::<u8>(), 0..4),
    );
    (
        0..80_usize,
        0..=200_usize,
        0..500_i64,
        0..5_u64,
        lists,
        0..2000_u64,
        0..5_u64,
    )
        .prop_map(
            |(ifs, missed, waits, requested, (rates, severities), spent, unpriced)| Bad {
                ifs,
                missed,
                waits,
                requested,
                rates,
                severities,
                spent,
                unpriced,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_bad_evidence_never_raises_a_factor(bad in any_bad(), more in any_bad(), which in 0..8) {
        let mut worse = bad.clone();
        match which {
            0 => worse.ifs += more.ifs,
            1 => worse.missed = (worse.missed + more.missed).min(200),
            2 => worse.waits += more.waits,
            3 => worse.requested += more.requested,
            4 => worse.rates.extend(more.rates),
            5 => worse.severities.extend(more.severities),
            6 => worse.spent += more.spent,
            _ => worse.unpriced += more.unpriced,
        }
        let (before, after) = (health(&bad), health(&worse));
        for (before, after) in before.factors.iter().zip(&after.factors) {
            prop_assert!(after.score <= before.score, "{}: {:?} {:?}", before.name, before.score, after.score);
        }
        prop_assert!(after.risk >= before.risk);
    }

    #[test]
    fn every_recommendation_follows_from_evidence(bad in any_bad()) {
        for factor in health(&bad).factors {
            for advice in &factor.advice {
                prop_assert!(!advice.because_of.is_empty());
                prop_assert!(advice.because_of.iter().all(|at| *at < factor.evidence.len()));
            }
        }
    }
}
