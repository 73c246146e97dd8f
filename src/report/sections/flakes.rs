//! Flaky tests: which are new, mended and overdue, and what they cost.

use jiff::Timestamp;
use jiff::civil::Date;

use super::ci::USD_A_MINUTE;
use super::failures::{issue, owner};
use super::{Measure, Part, bars, count, id, known_since, share_of, tests, unknown};
use crate::delivery::calendar;
use crate::delivery::kpi::Measured;
use crate::delivery::quantiles::{LEAST, float, share};
use crate::report::facts::{Facts, Test, Tests};
use crate::report::pack::{Chart, Figure, Proposal, Section, Tone};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "flakes";
const TITLE: &str = "Flaky tests";

/// What a run that failed for nothing weighs beside its minutes: somebody waits, looks and starts it again.
const WEIGHT: f64 = 15.0;

/// A mended test is told of for so many weeks after its last failure.
const MENDED_WEEKS: i64 = 4;

/// A test with what it did in a week.
struct Row<'a> {
    test: &'a Test,
    failures: usize,
    /// Its part of the runs that flaky tests alone failed.
    spoilt: usize,
    minutes: Option<f64>,
    overdue: Option<i64>,
}

pub(super) fn part(facts: &Facts) -> Part {
    let tests = match tests(facts) {
        Ok(tests) => tests,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let rows = rows(tests, facts.week, today(facts));
    let (now, before) = (tests.spoilt(facts.week), tests.spoilt(facts.week.back(1)));
    let minutes = tests.spoilt_minutes(&now);
    let new: Vec<&Row<'_>> = rows
        .iter()
        .filter(|row| is_new(row.test, tests, facts.week))
        .collect();
    let mended: Vec<&Test> = tests
        .tests
        .iter()
        .filter(|test| is_mended(test, tests, facts.week))
        .collect();
    let (flaky, overdue) = counts(&rows);
    let mut section = Section::new(ID, TITLE, words(flaky, &new, mended.len(), overdue));
    let was_there = known_since(tests.first(), facts.week.back(1));
    section.figures = vec![
        count("flaky tests", flaky, None),
        count("new", new.len(), None),
        count("mended", mended.len(), None),
        overdue_figure(overdue),
        count(
            "runs failed by flakes alone",
            now.len(),
            was_there.then_some(before.len()),
        ),
        minutes_figure(minutes, now.len()),
    ];
    section.table(
        "Flaky tests of the week",
        &[
            "Test",
            "#Failures",
            "#Runs failed",
            "#Runner minutes",
            "#Failure rate (95 %)",
            "Owner",
            "Review by",
            "Issue",
        ],
        rows.iter().map(cells).collect(),
    );
    let mended = mended
        .iter()
        .map(|test| vec![Words::foreign(&test.name), owner(test)]);
    section.table("Mended", &["Test", "Owner"], mended.collect());
    section.charts.extend(chart(facts, tests));
    section.commands = vec![
        "maestro flakes report".into(),
        "maestro flakes quarantine review".into(),
    ];
    let mut part = Part::new(section);
    part.measures = vec![Measure {
        name: "runs failed by flakes alone",
        unit: Unit::Share,
        is_better_when_less: true,
        now: rate(tests, facts.week, now.len()),
        before: rate(tests, facts.week.back(1), before.len()),
        section: ID,
    }];
    part.proposals = rows.iter().filter_map(proposal).collect();
    part
}

/// Returns how many tests are flaky, and how many are overdue in quarantine; nothing where nothing is known of tests.
pub(super) fn standing(facts: &Facts) -> Option<(usize, usize)> {
    let tests = tests(facts).ok()?;
    Some(counts(&rows(tests, facts.week, today(facts))))
}

fn counts(rows: &[Row<'_>]) -> (usize, usize) {
    let flaky = rows.iter().filter(|row| row.test.verdict == "flaky");
    let overdue = rows.iter().filter(|row| row.overdue.is_some());
    (flaky.count(), overdue.count())
}

/// Returns the day from which reviews are looked at.
fn today(facts: &Facts) -> Date {
    calendar::day(facts.now.min(facts.week.window().until))
}

fn rate(tests: &Tests, week: Week, spoilt: usize) -> Measured {
    let runs = tests
        .runs_of(week)
        .filter(|(_, run)| !run.is_outage)
        .count();
    share_of(&share(spoilt, runs, LEAST))
}

/// Returns the flaky tests and those in quarantine, what costs most first.
fn rows(tests: &Tests, week: Week, today: Date) -> Vec<Row<'_>> {
    let spoilt = tests.spoilt(week);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (place, test) in tests.tests.iter().enumerate() {
        if test.verdict != "flaky" && test.quarantine.is_none() {
            continue;
        }
        let own = spoilt.iter().filter(|(_, tests)| tests.contains(&place));
        let parts = own.clone().map(|(run, others)| {
            let minutes = tests.minutes.get(&tests.runs[*run].job)?;
            Some(minutes / float(others.len().max(1)))
        });
        let minutes = parts.collect::<Option<Vec<f64>>>();
        let overdue = test
            .quarantine
            .as_ref()
            .map(|entry| days(entry.review_by, today));
        let failed = test.failed_in.iter().filter_map(|run| tests.runs.get(*run));
        rows.push(Row {
            test,
            failures: failed
                .filter(|run| week.holds(run.at) && !run.is_outage)
                .count(),
            spoilt: own.count(),
            minutes: minutes.map(|minutes| minutes.iter().sum()),
            overdue: overdue.filter(|days| *days > 0),
        });
    }
    crate::order::sort_by(&mut rows, |a, b| {
        let key = |row: &Row<'_>| (row.spoilt, row.failures, row.overdue.unwrap_or(0));
        key(b)
            .cmp(&key(a))
            .then_with(|| a.test.name.cmp(&b.test.name))
    });
    rows
}

fn days(from: Date, to: Date) -> i64 {
    let seconds = calendar::midnight(to).as_second() - calendar::midnight(from).as_second();
    seconds.div_euclid(86_400)
}

fn first_and_last(test: &Test, tests: &Tests) -> Option<(Timestamp, Timestamp)> {
    let times = test
        .failed_in
        .iter()
        .filter_map(|run| Some(tests.runs.get(*run)?.at));
    Some((times.clone().min()?, times.max()?))
}

fn is_new(test: &Test, tests: &Tests, week: Week) -> bool {
    let first = first_and_last(test, tests).map(|(first, _)| first);
    test.verdict == "flaky" && first.is_some_and(|first| week.holds(first))
}

fn is_mended(test: &Test, tests: &Tests, week: Week) -> bool {
    let since = week.back(MENDED_WEEKS).window().since;
    let last = first_and_last(test, tests).map(|(_, last)| last);
    test.verdict == "fixed" && last.is_some_and(|last| since <= last && last < week.window().until)
}

fn words(flaky: usize, new: &[&Row<'_>], mended: usize, overdue: usize) -> Words {
    let mut words = Words::plain(format!(
        "{}, {} of them new",
        times(flaky, "flaky test"),
        new.len()
    ));
    if let Some(first) = new.first() {
        words = words
            .say(" (")
            .quote(&first.test.name)
            .say(if new.len() > 1 { " first)" } else { ")" });
    }
    words.say(format!(
        ", {mended} mended lately; {overdue} overdue in quarantine."
    ))
}

fn overdue_figure(overdue: usize) -> Figure {
    let tone = if overdue > 0 { Tone::Bad } else { Tone::Good };
    Figure {
        tone,
        remark: "in quarantine beyond the day of their review".into(),
        ..count("overdue", overdue, None)
    }
}

fn minutes_figure(minutes: Option<f64>, runs: usize) -> Figure {
    const NAME: &str = "runner minutes";
    match minutes {
        Some(minutes) => Figure {
            unit: Unit::Minutes,
            value: Some(minutes),
            shown: shown(minutes, Unit::Minutes),
            remark: format!(
                "tests of the {} that had to be run again",
                times(runs, "run")
            ),
            ..count(NAME, 0, None)
        },
        None => unknown(
            NAME,
            Unit::Minutes,
            "no stored report says how long these jobs' tests take",
        ),
    }
}

fn cells(row: &Row<'_>) -> Vec<Words> {
    let (mean, low, high) = row.test.rate;
    let percent = |rate: f64| format!("{:.1}", rate * 100.0);
    let entry = row.test.quarantine.as_ref();
    let review = match (entry, row.overdue) {
        (None, _) => "not in quarantine".to_owned(),
        (Some(_), Some(days)) => format!(
            "{} overdue",
            times(usize::try_from(days).unwrap_or_default(), "day")
        ),
        (Some(entry), None) => entry.review_by.to_string(),
    };
    vec![
        Words::foreign(&row.test.name),
        Words::plain(row.failures.to_string()),
        Words::plain(row.spoilt.to_string()),
        Words::plain(row.minutes.map_or_else(
            || "unknown".to_owned(),
            |minutes| shown(minutes, Unit::Minutes),
        )),
        Words::plain(format!(
            "{} % ({}\u{2013}{})",
            percent(mean),
            percent(low),
            percent(high)
        )),
        owner(row.test),
        Words::plain(review),
        issue(entry.and_then(|entry| entry.issue.as_deref())),
    ]
}

fn chart(facts: &Facts, tests: &Tests) -> Option<Chart> {
    const TITLE: &str = "Runs failed by flaky tests alone, of each week";
    bars(facts, TITLE, Unit::Count, tests.first(), &|week| {
        Some(float(tests.spoilt(week).len()))
    })
}

fn proposal(row: &Row<'_>) -> Option<Proposal> {
    let test = row.test;
    if row.overdue.is_none() && row.failures == 0 {
        return None;
    }
    let days = row.overdue.and_then(|days| usize::try_from(days).ok());
    let what = match (days, &test.quarantine) {
        (Some(_), _) => Words::plain("Fix or delete ").quote(&test.name),
        (None, Some(_)) => Words::plain("Fix ").quote(&test.name),
        (None, None) => Words::plain("Quarantine or fix ").quote(&test.name),
    };
    let mut cause = match test.cause {
        Some(cause) => format!("flaky; probably {cause}"),
        None => "flaky, and its messages do not say why".to_owned(),
    };
    if let (Some(days), Some(entry)) = (days, &test.quarantine) {
        cause.push_str(&format!(
            "; in quarantine since {}, review overdue by {}",
            entry.since,
            times(days, "day")
        ));
    }
    // Less would be shown as none.
    let minutes = row.minutes.filter(|minutes| *minutes >= 0.5);
    let mut cost = times(row.failures, "failure");
    if row.spoilt > 0 {
        cost.push_str(&format!(
            ", {} failed for nothing",
            times(row.spoilt, "run")
        ));
    }
    if let Some(minutes) = minutes {
        cost.push_str(&format!(", {} of runners", shown(minutes, Unit::Minutes)));
    }
    let gain = match (minutes, row.spoilt) {
        (Some(minutes), runs) => format!(
            "{} and {} less a week",
            shown(minutes, Unit::Minutes),
            times(runs, "failed run")
        ),
        (None, 0) => format!(
            "{} less a week",
            times(row.failures, "retry").replace("retrys", "retries")
        ),
        (None, runs) => format!("{} less a week", times(runs, "failed run")),
    };
    Some(Proposal {
        id: id("flake", &test.name),
        kind: "flake",
        what,
        cause: Words::plain(cause),
        owner: test.owner.clone(),
        cost: Words::plain(cost),
        gain: Words::plain(gain),
        measure: "failures".into(),
        unit: Unit::Count,
        value: float(row.failures),
        weight: WEIGHT * float(row.spoilt)
            + USD_A_MINUTE * minutes.unwrap_or_default()
            + float(row.failures)
            + days.map_or(0.0, |days| 2.0 + float(days.min(90)) / 10.0),
        section: ID,
        command: "maestro flakes report".into(),
    })
}
