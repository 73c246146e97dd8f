//! `outage`, `flaky-new`, `quarantine-added`, `quarantine-overdue`: how tests went.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{below, is_recent};
use crate::config::notify::NotifyEvent;
use crate::notify::{Facts, Item, News, Quarantined, Spoilt, Title, digest};

fn day(at: jiff::Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn of_owner(owner: Option<&String>) -> String {
    owner
        .map(|owner| format!(" of {owner}"))
        .unwrap_or_default()
}

/// Runs of tests that say nothing about single tests, by day: one cause spoils many.
pub(super) fn outages(facts: &Facts) -> Vec<News> {
    let mut days: BTreeMap<Date, Vec<&Spoilt>> = BTreeMap::new();
    for run in facts.spoilt.iter().filter(|run| is_recent(facts, run.at)) {
        days.entry(day(run.at)).or_default().push(run);
    }
    let news = days.into_iter().map(|(day, runs)| {
        let count = runs.len();
        let runs_were = if count == 1 {
            "run of tests was"
        } else {
            "runs of tests were"
        };
        let first = runs.first().map(|run| run.run.clone());
        let first =
            first.filter(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()));
        let items = runs.iter().map(|run| {
            let job = if run.job.is_empty() {
                String::new()
            } else {
                format!(" of {}", run.job)
            };
            Item {
                key: format!("outage/{day}"),
                line: format!(
                    "run {}{job}: {} failed",
                    run.run,
                    crate::notify::count(run.failed, "test")
                ),
            }
        });
        News {
            event: NotifyEvent::Outage,
            title: Title::Fixed(format!("{count} {runs_were} an outage on {day}")),
            items: items.collect(),
            link: first.and_then(|run| below(facts, &format!("actions/runs/{run}"))),
            ladder: None,
        }
    });
    news.collect()
}

/// Tests that are judged flaky.
pub(super) fn flaky(facts: &Facts) -> Option<News> {
    let recent = facts.flaky.iter().filter(|test| is_recent(facts, test.at));
    let items = recent.map(|test| Item {
        key: format!("flaky-new/{}", digest(&[&test.test])),
        line: format!(
            "{}{}: fails {} of the time",
            test.test,
            of_owner(test.owner.as_ref()),
            test.rate
        ),
    });
    some(News {
        event: NotifyEvent::FlakyNew,
        title: Title::Counted("test is judged flaky", "tests are judged flaky"),
        items: items.collect(),
        link: None,
        ladder: None,
    })
}

/// Tests that came into quarantine.
pub(super) fn added(facts: &Facts) -> Option<News> {
    let today = day(facts.now);
    let is_new = |entry: &&Quarantined| {
        let days = entry.since.until(today).map(|span| span.get_days());
        days.is_ok_and(|days| (0..=7).contains(&days))
    };
    let items = facts.quarantine.iter().filter(is_new).map(|entry| Item {
        key: format!(
            "quarantine-added/{}",
            digest(&[&entry.test, &entry.since.to_string()])
        ),
        line: format!(
            "{}{}, until {}: {}",
            entry.test,
            of_owner(entry.owner.as_ref()),
            entry.review_by,
            entry.reason
        ),
    });
    some(News {
        event: NotifyEvent::QuarantineAdded,
        title: Title::Counted("test came into quarantine", "tests came into quarantine"),
        items: items.collect(),
        link: quarantine(facts),
        ladder: None,
    })
}

/// Tests that are in quarantine after their review day: once a week for a set of them.
pub(super) fn overdue(facts: &Facts) -> Option<News> {
    let today = day(facts.now);
    let mut late: Vec<&Quarantined> = facts
        .quarantine
        .iter()
        .filter(|entry| today > entry.review_by)
        .collect();
    // The same set has the same key, and the oldest stands first.
    crate::order::sort_by(&mut late, |a, b| {
        (a.review_by, &a.test).cmp(&(b.review_by, &b.test))
    });
    let names: Vec<&str> = late.iter().map(|entry| entry.test.as_str()).collect();
    let week = today.iso_week_date();
    let key = format!(
        "quarantine-overdue/{}-W{:02}/{}",
        week.year(),
        week.week(),
        digest(&names)
    );
    let items = late.iter().map(|entry| {
        let days = entry
            .review_by
            .until(today)
            .map_or(0, |span| span.get_days());
        let days = crate::notify::count(u64::try_from(days).unwrap_or(0), "day");
        Item {
            key: key.clone(),
            line: format!(
                "{}{}, {days} overdue",
                entry.test,
                of_owner(entry.owner.as_ref())
            ),
        }
    });
    some(News {
        event: NotifyEvent::QuarantineOverdue,
        title: Title::Counted(
            "test is in quarantine after its review day",
            "tests are in quarantine after their review day",
        ),
        items: items.collect(),
        link: quarantine(facts),
        ladder: None,
    })
}

fn quarantine(facts: &Facts) -> Option<String> {
    below(facts, "blob/HEAD/.maestro/quarantine.json")
}

fn some(news: News) -> Option<News> {
    (!news.items.is_empty()).then_some(news)
}
