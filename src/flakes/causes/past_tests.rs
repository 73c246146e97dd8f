//! What failures have in common, from stored runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Class;
use super::past::{Causes, Found};
use crate::event::Origin;
use crate::flakes::history::{HistoryBuilder, Run};
use crate::flakes::stated::Stated;
use crate::junit::Counts;
use crate::sha::Sha;

/// A run of three tests, of which the first is looked at.
struct Ran {
    at: i64,
    job: &'static str,
    failed: bool,
    is_part: bool,
    message: &'static str,
}

fn find(runs: &[Ran]) -> Found {
    let mut builder = HistoryBuilder::hearing();
    let list = Sha([1; 32]);
    builder.list(list, None, Vec::new());
    builder.suite(list, "s", ["a", "b", "c"].into_iter(), &BTreeMap::new());
    for (number, ran) in (0_u32..).zip(runs) {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let failed = builder.sequences().number("f");
        let run = Run {
            id: Sha(id),
            at: Timestamp::from_second(ran.at).unwrap(),
            origin: Origin {
                run: number.to_string(),
                attempt: 1,
                job: ran.job.to_owned(),
                commit: format!("c{number}"),
                branch: "main".to_owned(),
            },
            leg: String::new(),
            files: vec![Sha(id)],
            list,
            differs: if ran.failed {
                vec![(0, failed)]
            } else {
                Vec::new()
            },
            absent: if ran.is_part {
                vec![(1, 2)]
            } else {
                Vec::new()
            },
            stated: Stated::default(),
            counts: Counts::default(),
        };
        if ran.failed && !ran.message.is_empty() {
            let messages = BTreeMap::from([(ran.message.to_owned(), String::new())]);
            builder.hears().unwrap().hear(run.id, messages);
        }
        builder.run(run);
    }
    let history = builder.finish();
    let test = history.in_order()[0];
    assert_eq!(history.test(test), ("s", "a"));
    Causes::of(&history).find(test)
}

/// 2026-01-05 09:00 UTC, a Monday.
const MONDAY: i64 = 1_767_603_600;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn ran(at: i64, job: &'static str, failed: bool) -> Ran {
    Ran {
        at,
        job,
        failed,
        is_part: false,
        message: "",
    }
}

#[test]
fn what_fails_on_one_leg_only_depends_on_it() {
    let runs: Vec<Ran> = (0..80)
        .map(|n| {
            ran(
                MONDAY + n * 7 * HOUR,
                ["linux", "macos", "windows", "bsd"][usize::try_from(n % 4).unwrap()],
                n % 4 == 2 && n % 3 == 0,
            )
        })
        .collect();
    let found = find(&runs);
    assert_eq!(found.class, Some(Class::Environment));
    assert_eq!(
        found.evidence,
        ["it failed only in windows, and not where else it ran"]
    );
}

#[test]
fn three_failures_on_one_of_two_legs_are_a_coincidence() {
    let runs: Vec<Ran> = (0..20)
        .map(|n| {
            ran(
                MONDAY + n * 7 * HOUR,
                if n % 2 == 0 { "a" } else { "b" },
                [0, 6, 12].contains(&n),
            )
        })
        .collect();
    assert_eq!(find(&runs).class, None);
}

#[test]
fn a_bad_day_is_one_day_however_often_it_fails() {
    // Every run of one Sunday failed, and the other Sundays were as good as any day.
    let sunday = MONDAY - 9 * HOUR + 13 * DAY;
    let runs: Vec<Ran> = (0..40 * 24)
        .map(|n| MONDAY + n * HOUR)
        .map(|at| ran(at, "j", (sunday..sunday + DAY).contains(&at)))
        .collect();
    assert_eq!(find(&runs).class, None);
}

#[test]
fn what_fails_at_certain_hours_days_or_month_ends_depends_on_the_clock() {
    let check = |step: i64, fails: &dyn Fn(i64) -> bool, wanted: Option<&str>| {
        let times = (0..400).map(|n| MONDAY + n * step * HOUR);
        let runs: Vec<Ran> = times.map(|at| ran(at, "j", fails(at))).collect();
        let found = find(&runs);
        let class = wanted.map(|_| Class::TimeDependent);
        assert_eq!(found.class, class, "{found:?}");
        assert_eq!(found.evidence.first().map(String::as_str), wanted);
    };
    let hour = |at: i64| at.rem_euclid(DAY) / HOUR;
    let at_night = |at| hour(at) == 23 || hour(at) == 0;
    check(
        5,
        &at_night,
        Some("it failed only from 23:00 to 1:00 (UTC)"),
    );
    let on_sundays = |at: i64| (at - MONDAY + 9 * HOUR).div_euclid(DAY) % 7 == 6;
    check(5, &on_sundays, Some("it failed only on Sundays (UTC)"));
    let at_month_ends = |at: i64| {
        let date = Timestamp::from_second(at).unwrap().to_zoned(TimeZone::UTC);
        date.day() == 1 || date.day() == date.days_in_month()
    };
    check(
        31,
        &at_month_ends,
        Some("it failed only on the first or last day of a month (UTC)"),
    );
    // Months of two years are different months.
    let at_some_month_ends = |at: i64| {
        let date = Timestamp::from_second(at).unwrap().to_zoned(TimeZone::UTC);
        let month = (date.year(), date.month());
        at_month_ends(at) && matches!(month, (2026, 2..=4) | (2027, 1..=3))
    };
    check(
        31,
        &at_some_month_ends,
        Some("it failed only on the first or last day of a month (UTC)"),
    );
    // Three months are too few.
    check(5, &at_month_ends, None);
    check(5, &|at| at % 7 == 0 && at % 11 == 0, None);
}

#[test]
fn one_bad_day_is_no_time_of_day() {
    let runs: Vec<Ran> = (0..400)
        .map(|n| ran(MONDAY + n * HOUR, "j", (20..24).contains(&n)))
        .collect();
    assert_eq!(find(&runs).class, None);
}

#[test]
fn what_fails_only_when_some_tests_run_depends_on_the_others() {
    let runs: Vec<Ran> = (0..60)
        .map(|n| Ran {
            is_part: n % 5 == 0,
            ..ran(MONDAY + n * 11 * HOUR, "j", n % 5 == 0 && n % 2 == 0)
        })
        .collect();
    let found = find(&runs);
    assert_eq!(found.class, Some(Class::OrderDependent));
    assert_eq!(
        found.evidence,
        ["it failed only in runs of a part of the tests"]
    );
}

#[test]
fn messages_come_before_what_failures_have_in_common() {
    let runs: Vec<Ran> = (0..80)
        .map(|n| Ran {
            message: if n % 8 == 2 {
                "connect: connection refused"
            } else {
                "assert 1 == 2"
            },
            ..ran(
                MONDAY + n * 7 * HOUR,
                if n % 4 == 2 { "a" } else { "b" },
                n % 4 == 2,
            )
        })
        .collect();
    let found = find(&runs);
    assert_eq!(
        (found.class, found.agreeing, found.read),
        (Some(Class::Network), 10, 20)
    );
    assert_eq!(found.evidence, ["connect: connection refused"]);
}

#[test]
fn knock_ons_are_neither_passes_nor_failures() {
    let runs: Vec<Ran> = (0..10)
        .map(|n| Ran {
            message: "Skipped after failure of another test",
            ..ran(MONDAY + n * HOUR, "j", n % 2 == 0)
        })
        .collect();
    let found = find(&runs);
    assert_eq!((found.class, found.read), (None, 0));
}
