//! A team's eight weeks, and a repository of which nothing is known.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::nothing;
use crate::delivery::ask::{Ask, Window};
use crate::delivery::kpi::{Measured, Target};
use crate::delivery::metrics::{self, Metric};
use crate::delivery::rows::Row;
use crate::delivery::table::{Gathering, Rows};
use crate::money::Usd;
use crate::report::facts::{
    AgentRun, AgentTask, Call, Cluster, Decided, Delivery, Facts, Indicated, Money, Override,
    Planned, Quarantined, Test, TestRun, Tests, Verdict, merges,
};
use crate::report::pack;
use crate::report::pack::Pack;
use crate::report::week::Week;

/// A week's facts.
pub(in crate::report) type Story = Facts;

impl Facts {
    pub(in crate::report) fn pack(&self) -> Pack {
        pack(self, &|_| None)
    }
}

/// A time so many hours after the Monday of week 47, 2026.
pub(in crate::report) fn hour(hours: i64) -> Timestamp {
    let monday: Timestamp = "2026-11-16T00:00:00Z".parse().unwrap();
    monday + SignedDuration::from_hours(hours)
}

/// A repository of which nothing is known.
pub(in crate::report) fn empty() -> Story {
    Story {
        week: Week::parse("2026-W47").unwrap(),
        now: hour(7 * 24 + 9),
        repository: "acme/payments-api".into(),
        web: Some("https://github.com/acme/payments-api".into()),
        tests: nothing(),
        money: nothing(),
        delivery: nothing(),
        indicators: Vec::new(),
        agents: nothing(),
        verdicts: nothing(),
        overrides: Vec::new(),
        plans: nothing(),
        decided: Vec::new(),
        troubles: Vec::new(),
    }
}

/// Eight weeks of a team's life.
pub(in crate::report) fn full() -> Story {
    Story {
        tests: Ok(tests()),
        money: Ok(money()),
        delivery: Ok(delivery()),
        indicators: indicators(),
        agents: Ok(agents()),
        verdicts: Ok(verdicts()),
        overrides: vec![Override {
            at: hour(30),
            rule: "licence-allowed".into(),
            reason: "legal has agreed".into(),
            by: "ada".into(),
            pull_request: Some(118),
        }],
        plans: Ok(plans()),
        decided: vec![
            decided("flake-00000001", 1, "Fix gone"),
            decided("spike-00000002", 2, "Look at why"),
        ],
        ..empty()
    }
}

fn decided(id: &str, rank: u32, what: &str) -> Decided {
    Decided {
        week: "2026-W46".into(),
        rank,
        id: id.into(),
        what: what.into(),
        measure: "failures".into(),
        unit: "count".into(),
        value: 9.0,
        section: "flakes".into(),
    }
}

fn tests() -> Tests {
    let mut all = Tests::default();
    let test = |name: &str, verdict: &'static str| Test {
        name: name.into(),
        verdict,
        rate: (0.041, 0.022, 0.068),
        failed_in: Vec::new(),
        cause: Some("async-wait"),
        owner: Some("@acme/web".into()),
        quarantine: None,
    };
    all.tests = vec![
        test("checkout::e2e > pays_with_a_card", "flaky"),
        test("net > retry_backoff", "flaky"),
        test("ledger > rounds_half_even", "broken"),
        test("search > is_stable", "fixed"),
    ];
    all.tests[0].quarantine = Some(Quarantined {
        since: "2026-10-20".parse().unwrap(),
        review_by: "2026-11-14".parse().unwrap(),
        issue: Some("https://github.com/acme/payments-api/issues/77".into()),
    });
    all.tests[1].owner = None;
    all.minutes = BTreeMap::from([("test".to_owned(), 14.5), ("web".to_owned(), 6.0)]);
    for run in 0..400 {
        let at = hour(run * 3 - 8 * 7 * 24 + 7 * 24);
        let place = all.runs.len();
        let flaky = if run % 23 == 5 || (run > 330 && run % 9 == 2) {
            Some(0)
        } else if run > 360 && run % 13 == 4 {
            Some(1)
        } else {
            None
        };
        let broken = run > 380 && run % 7 == 0;
        let mut failed = 0;
        for test in flaky
            .into_iter()
            .chain(broken.then_some(2))
            .chain((run == 200).then_some(3))
        {
            all.tests[test].failed_in.push(place);
            failed += 1;
        }
        all.runs.push(TestRun {
            at,
            run: format!("{}", 9_000_000 + run),
            job: "test".into(),
            commit: format!("c{run}"),
            failed,
            is_outage: false,
        });
    }
    all.clusters = vec![Cluster {
        tests: vec![0, 1],
        issue: Some("https://github.com/acme/payments-api/issues/77".into()),
    }];
    all
}

fn money() -> Money {
    let mut money = Money {
        caps: Some((
            Usd::from_pico(10_000_000_000_000),
            Some(Usd::from_pico(400_000_000_000_000)),
        )),
        ..Money::default()
    };
    for day in -49..7_i64 {
        for call in 0..6_i64 {
            let spike = day == 3 && call > 2;
            let cents = 40 + (day * 7 + call * 13).rem_euclid(17) * 3 + if spike { 900 } else { 0 };
            money.calls.push(Call {
                at: hour(day * 24 + 9 + call),
                usd: Some(Usd::from_pico(
                    u128::try_from(cents).unwrap() * 10_000_000_000,
                )),
                role: if spike || call % 3 == 0 {
                    Some("reviewer".into())
                } else {
                    Some("implementer".into())
                },
                model: if spike {
                    "anthropic/claude-opus-4-5".into()
                } else {
                    "anthropic/claude-sonnet-4-5".into()
                },
                pull_request: Some(100 + u64::try_from((day + 50) / 3 + call % 2).unwrap()),
            });
        }
    }
    for call in &money.calls {
        let sum = money
            .weeks
            .entry(Week::of(call.at).name())
            .or_insert((Some(Usd::ZERO), 0));
        sum.0 = sum.0.map(|usd| usd.saturating_add(call.usd.unwrap()));
    }
    money
}

fn ask(window: Window) -> Ask<'static> {
    Ask {
        window,
        now: hour(7 * 24 + 9),
        least: 5,
        ..crate::delivery::tests::ask()
    }
}

fn rows() -> Rows {
    let mut gathering = Gathering::default();
    let mut add = |line: serde_json::Value| gathering.add(hour(0), Row::read(&line).unwrap());
    for number in 0..130_i64 {
        let opened = hour(number * 10 - 7 * 7 * 24);
        let took = 20 + (number * 7) % 25 - if number > 110 { 14 } else { 0 };
        let merged = opened + SignedDuration::from_hours(took);
        let sha = format!("m{number}");
        add(serde_json::json!({
            "kind": "pull", "number": number + 1, "url": format!("https://github.com/acme/payments-api/pull/{}", number + 1), "state": "closed",
            "draft": false, "created": opened.to_string(), "first_commit": opened.to_string(), "merged": merged.to_string(),
            "closed": merged.to_string(), "merge_sha": sha, "head_sha": format!("h{number}"), "base": "main",
            "author_kind": if number % 4 == 0 { "agent" } else { "human" }, "author_hash": "x", "additions": 10, "deletions": 2, "files": 2, "commits": 1,
        }));
        if number % 4 == 0 {
            let at = merged + SignedDuration::from_hours(2);
            add(serde_json::json!({
                "kind": "deployment", "id": number + 1, "url": "https://github.com/acme/payments-api/deployments", "sha": sha, "environment": "production",
                "production": true, "created": at.to_string(), "status": "success", "first_success": at.to_string(),
            }));
        }
    }
    gathering.rows()
}

pub(in crate::report) fn delivery() -> Delivery {
    let rows = rows();
    let week = Week::parse("2026-W47").unwrap();
    let long = Window {
        since: week.back(11).window().since,
        until: week.window().until,
    };
    let of = |window: Window| -> Vec<Metric> {
        metrics::of(&rows, &ask(window), &mut |_, metrics| metrics)
    };
    let (now, before, long) = (of(week.window()), of(week.back(1).window()), of(long));
    Delivery {
        now,
        before,
        long,
        merged: merges(&rows).collect(),
        earliest: rows.earliest(),
        from: "github",
        notes: Vec::new(),
    }
}

/// The seven indicators: one is met, one is missed, one has too few rows, and nobody wants anything of the others.
fn indicators() -> Vec<Indicated> {
    let known = |now: f64, before: f64| Indicated {
        now: Measured {
            n: 40,
            value: Some(now),
            interval: Some((now * 0.9, now * 1.1)),
            is_projected: false,
        },
        before: Measured {
            n: 38,
            value: Some(before),
            interval: Some((before * 0.9, before * 1.1)),
            is_projected: false,
        },
        ..Indicated::default()
    };
    let mut all = vec![
        known(840.0, 1020.0),
        known(40_000.0, 41_000.0),
        known(0.945, 0.96),
        known(0.02, 0.03),
        known(4.1, 2.9),
        known(12.0, 9.0),
        Indicated::default(),
    ];
    all[0].target = Some(Target::AtMost(900.0));
    all[2].target = Some(Target::AtLeast(0.95));
    all[6].target = Some(Target::AtLeast(0.8));
    all[6].why = Some("no run of agents is stored".to_owned());
    all
}

fn agents() -> Vec<AgentRun> {
    let task = |role: &str, wrong: &[&str]| AgentTask {
        role: role.into(),
        state: "done".into(),
        attempts: 1 + wrong.len() as u64,
        usd: Usd::from_pico(320_000_000_000),
        failures: wrong
            .iter()
            .map(|why| ("refused".to_owned(), (*why).to_owned()))
            .collect(),
    };
    let run = |number: i64| AgentRun {
        at: hour(number * 9 - 8 * 24),
        run: format!("r{number}"),
        outcome: if number % 5 == 0 {
            "partial".into()
        } else {
            "complete".into()
        },
        usd: Usd::from_pico(1_900_000_000_000),
        pull_request: Some(200 + u64::try_from(number).unwrap()),
        tasks: vec![
            task("planner", &[]),
            task(
                "implementer",
                &["cargo test: 1 test failed"][..usize::from(number % 2 == 0)],
            ),
            task("reviewer", &[]),
        ],
    };
    (0..36).map(run).collect()
}

fn verdicts() -> Vec<Verdict> {
    let verdict = |number: i64| Verdict {
        at: hour(number * 5 - 8 * 24),
        outcome: if number % 9 == 4 {
            "blocked".into()
        } else {
            "passed".into()
        },
        enforced: true,
        blocked_by: if number % 9 == 4 {
            vec!["licence-allowed".into()]
        } else {
            Vec::new()
        },
        review_by: if number % 7 == 1 {
            vec!["human-approval".into()]
        } else {
            Vec::new()
        },
        warned_by: Vec::new(),
        forgiven: u64::from(number % 11 == 0),
        head: format!("{number:040x}"),
        pull_request: Some(100 + u64::try_from(number).unwrap()),
    };
    (0..64).map(verdict).collect()
}

fn plans() -> Vec<Planned> {
    let plan = |number: i64| Planned {
        at: hour(number * 4 - 5 * 7 * 24),
        head: format!("c{number}"),
        enforced: true,
        mode: if number % 2 == 0 {
            "all".into()
        } else {
            "affected".into()
        },
        selected: if number % 2 == 0 {
            vec!["test".into(), "web".into()]
        } else {
            vec!["web".into()]
        },
        unselected: if number % 2 == 0 {
            Vec::new()
        } else {
            vec!["test".into()]
        },
        reasons: if number % 2 == 0 {
            vec!["run-all-on".into()]
        } else {
            Vec::new()
        },
    };
    (0..250).map(plan).collect()
}
