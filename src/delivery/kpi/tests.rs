//! What indicators say of facts.

mod laws;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::facts::{AgentRun, Call, Facts, TestRun};
use super::words::value;
use super::*;
use crate::delivery::ask::Window;
use crate::delivery::rows::Row;
use crate::delivery::table::{Gathering, Rows};
use crate::delivery::tests::{ask as wide, hour, pull, rows, with};
use crate::money::Usd;

fn indicator_of(id: &str) -> &'static Indicator {
    INDICATORS.iter().find(|known| known.id == id).unwrap()
}

fn example(id: &str) -> Target {
    indicator_of(id).example
}

fn said(id: &str, value: Option<f64>, is_projected: bool) -> &'static str {
    let measured = Measured {
        n: 100,
        value,
        interval: None,
        is_projected,
    };
    judge(&measured, Some(example(id))).unwrap().word()
}

/// Facts of one's own.
#[derive(Debug, Clone)]
struct Own {
    lines: Vec<Json>,
    knows_unmerged: bool,
    tests: Vec<TestRun>,
    calls: Vec<Call>,
    agents: Vec<AgentRun>,
}

impl Own {
    fn new(lines: Vec<Json>) -> Self {
        Self {
            lines,
            knows_unmerged: true,
            tests: Vec::new(),
            calls: Vec::new(),
            agents: Vec::new(),
        }
    }

    /// Measures two weeks from the beginning, at their end.
    fn all(&self) -> Vec<Finding> {
        self.at(14 * 24)
    }

    fn at(&self, now: i64) -> Vec<Finding> {
        let rows: Rows = rows(&self.lines);
        let facts = Facts {
            rows: &rows,
            knows_unmerged: self.knows_unmerged,
            tests: &self.tests,
            calls: &self.calls,
            agents: &self.agents,
        };
        let mut ask = wide();
        ask.least = 5;
        ask.window = Window {
            since: hour(0),
            until: hour(14 * 24),
        };
        ask.now = hour(now);
        measure(&facts, &ask)
    }

    fn find(&self, id: &str) -> Finding {
        let place = INDICATORS.iter().position(|known| known.id == id).unwrap();
        self.all().swap_remove(place)
    }

    fn value(&self, id: &str) -> Option<f64> {
        self.find(id).measured.value
    }

    fn reasons(&self, id: &str) -> Vec<(String, &'static str)> {
        let pieces = self.find(id).pieces.into_iter();
        let left = pieces.filter_map(|piece| Some((piece.id, piece.reason?.code())));
        left.collect()
    }
}

fn run(id: u64, started: i64, minutes: i64, sha: &str, fields: &Json) -> Json {
    let ended = Timestamp::from_second(hour(started).as_second() + minutes * 60).unwrap();
    let row = json!({
        "kind": "run", "id": id, "attempt": 1, "workflow": "CI (ci.yml)", "event": "pull_request", "branch": "topic", "sha": sha,
        "created": hour(started).to_string(), "started": hour(started).to_string(), "updated": ended.to_string(), "conclusion": "success",
    });
    with(row, fields)
}

fn test_run(id: u64, at: i64, is_flaky: bool) -> TestRun {
    TestRun {
        id: format!("{id}"),
        at: hour(at),
        is_flaky,
        is_outage: false,
    }
}

fn call(pull: Option<u64>, at: i64, usd: &str) -> Call {
    Call {
        pull,
        at: hour(at),
        usd: usd.parse().ok(),
    }
}

fn agent_run(run: u64, at: i64, outcome: &str) -> AgentRun {
    AgentRun {
        run: format!("r{run}"),
        has_ended: true,
        at: hour(at),
        id: format!("{at}"),
        outcome: outcome.to_owned(),
        is_recorded: false,
    }
}

// A table that was once shown ticked these three, and said that all targets were met.
#[test]
fn what_falls_short_by_a_little_is_missed() {
    assert_eq!(said("merge-success", Some(0.945), false), "missed");
    assert_eq!(said("flake-rate", Some(0.012), false), "missed");
    assert_eq!(said("autonomous-pulls", Some(8.0), false), "missed");
}

#[test]
fn a_bound_is_met_where_it_is_said_to_be() {
    assert_eq!(said("merge-success", Some(0.95), false), "met");
    assert_eq!(said("flake-rate", Some(0.01), false), "missed");
    assert_eq!(said("llm-per-pull", Some(3.45), false), "met");
}

#[test]
fn a_projection_is_never_met_and_nothing_is_said_without_a_value_or_a_target() {
    assert_eq!(
        said("autonomous-pulls", Some(40.0), true),
        "not enough data"
    );
    assert_eq!(said("autonomous-pulls", Some(4.0), true), "missed");
    assert_eq!(said("ci-p95", None, false), "not enough data");
    assert_eq!(said("ci-p95", Some(f64::NAN), false), "not enough data");
    assert_eq!(judge(&Measured::default(), None), None);
}

fn agent() -> Json {
    json!({ "author_kind": "agent" })
}

fn closed(number: u64, at: i64) -> Json {
    let fields = json!({ "merged": null, "closed": hour(at).to_string() });
    with(pull(number, 0, 1, at, "c"), &fields)
}

#[test]
fn pull_requests_tell_of_four_indicators() {
    let mut lines: Vec<_> = (1..=20).map(|number| pull(number, 0, 1, 12, "c")).collect();
    lines.extend((21..=28).map(|number| with(pull(number, 0, 1, 12, "c"), &agent())));
    lines.extend((29..=30).map(|number| with(closed(number, 30), &agent())));
    let own = Own::new(lines);
    assert_eq!(own.value("pull-lead-time"), Some(12.0 * 3600.0));
    assert_eq!(own.value("merge-success"), Some(28.0 / 30.0));
    assert_eq!(own.value("agent-success"), Some(0.8));
    assert_eq!(own.value("autonomous-pulls"), Some(4.0));
    let (low, high) = own.find("autonomous-pulls").measured.interval.unwrap();
    // Garwood's interval of eight events, over two weeks.
    assert!((low - 1.727).abs() < 1e-3 && (high - 7.882).abs() < 1e-3);
    assert_eq!(own.find("agent-success").source, "pull requests");
    assert_eq!(own.value("flake-rate"), None);
}

#[test]
fn git_alone_says_nothing_of_what_was_not_merged() {
    let lines = (1..=20).map(|number| with(pull(number, 0, 1, 12, "c"), &agent()));
    let own = Own {
        knows_unmerged: false,
        ..Own::new(lines.collect())
    };
    for id in ["merge-success", "agent-success"] {
        let found = own.find(id);
        assert_eq!(found.measured.value, None);
        assert!(found.why.unwrap().starts_with("git alone"), "{id}");
    }
    assert_eq!(own.value("autonomous-pulls"), Some(10.0));
}

#[test]
fn a_commit_waits_for_its_longest_run_and_what_is_no_ci_is_left_out() {
    let none = json!({});
    let mut lines: Vec<Json> = (1..=19)
        .map(|id| run(id, 1, 10, &format!("s{id}"), &none))
        .collect();
    // One commit with three workflows, and what does not count.
    lines.push(run(
        20,
        2,
        3,
        "s20",
        &json!({"workflow": "Lint (lint.yml)"}),
    ));
    lines.push(run(
        21,
        2,
        30,
        "s20",
        &json!({"conclusion": "failure", "event": "push"}),
    ));
    lines.push(run(22, 2, 29, "s20", &none));
    lines.push(run(
        30,
        2,
        500,
        "s30",
        &json!({"workflow": "Deploy (deploy.yml)"}),
    ));
    lines.push(run(31, 2, 500, "s31", &json!({"event": "schedule"})));
    lines.push(run(32, 2, 500, "s32", &json!({"conclusion": "cancelled"})));
    lines.push(run(33, 2, 500, "s33", &json!({"conclusion": ""})));
    lines.push(run(34, 14 * 24, 500, "s34", &none));
    let own = Own::new(lines);
    let found = own.find("ci-p95");
    assert_eq!(found.measured.n, 20);
    // Type 7 of nineteen times ten minutes and one of thirty: a twentieth of the way to it.
    assert!((found.measured.value.unwrap() - 660.0).abs() < 1e-6);
    let reasons = own.reasons("ci-p95");
    let of = |id: &str| reasons.iter().find(|(known, _)| known == id).unwrap().1;
    assert_eq!((of("20.1"), of("22.1")), ("shorter", "shorter"));
    assert_eq!((of("30.1"), of("31.1")), ("deploys", "other-event"));
    assert_eq!((of("32.1"), of("33.1")), ("cancelled", "in-progress"));
    assert_eq!(of("34.1"), "in-future");
    let few = Own::new(
        (1..=19)
            .map(|id| run(id, 1, 10, &format!("s{id}"), &none))
            .collect(),
    );
    let found = few.find("ci-p95");
    assert_eq!((found.measured.n, found.measured.value), (19, None));
    assert!(found.why.unwrap().contains("fewer than 20"));
}

#[test]
fn the_flake_rate_is_of_runs_and_outages_are_none() {
    let mut own = Own::new(Vec::new());
    own.tests = (1..=250).map(|id| test_run(id, 5, id <= 3)).collect();
    own.tests.push(TestRun {
        is_outage: true,
        ..test_run(251, 5, true)
    });
    own.tests.push(test_run(252, 500, true));
    let found = own.find("flake-rate");
    assert_eq!(found.measured.value, Some(0.012));
    let verdict = judge(&found.measured, Some(example("flake-rate")));
    assert_eq!(verdict, Some(Verdict::Missed));
    assert_eq!(own.reasons("flake-rate").len(), 2);
}

#[test]
fn pull_requests_cost_what_all_of_their_calls_did() {
    let mut own = Own::new(vec![
        // An agent's own, for which nothing was spent, one before any call is known, and one of a person.
        with(pull(6, 0, 1, 40, "c"), &agent()),
        with(pull(7, 0, 1, 2, "c"), &agent()),
        pull(8, 0, 1, 12, "c"),
    ]);
    own.calls = vec![
        call(Some(1), 10, "10"),
        call(Some(1), 11, "0.7"),
        call(Some(2), 10, "1"),
        call(Some(3), 10, "2.5"),
        call(Some(4), 10, "3.05"),
        call(Some(5), 10, "3.45"),
        call(Some(9), 10, "100"),
        call(Some(9), 11, "no price"),
        call(Some(10), 10, "0"),
        call(None, 10, "55"),
        call(Some(1), 400, "55"),
    ];
    let found = own.find("llm-per-pull");
    assert_eq!(found.usd.unwrap().to_string(), "3.45");
    assert_eq!((found.measured.n, found.measured.value), (6, Some(3.45)));
    let verdict = judge(&found.measured, Some(example("llm-per-pull")));
    assert_eq!(verdict, Some(Verdict::Met));
    let mut reasons = own.reasons("llm-per-pull");
    reasons.sort();
    let wanted = [
        ("1 without a pull request", "no-pull"),
        ("10", "free"),
        ("9", "unpriced"),
    ];
    let reasons: Vec<_> = reasons
        .iter()
        .map(|(id, why)| (id.as_str(), *why))
        .collect();
    assert_eq!(reasons, wanted);
    // A pico-dollar more is above the target.
    own.calls[0].usd = Some(Usd::from_pico(10_000_000_000_001));
    let found = own.find("llm-per-pull");
    assert_eq!(found.usd.unwrap().to_string(), "3.450000000001");
    let verdict = judge(&found.measured, Some(example("llm-per-pull")));
    assert_eq!(verdict, Some(Verdict::Missed));
    assert_eq!(
        value(
            found.measured.value.unwrap(),
            Unit::Dollars,
            Some(example("llm-per-pull"))
        ),
        "$3.450000000001"
    );
    // Agents' pull requests alone are no bill: nobody knows whether calls are stored at all.
    own.calls.clear();
    assert_eq!(own.value("llm-per-pull"), None);
}

#[test]
fn the_newest_end_of_a_run_counts_and_recorded_answers_are_none() {
    let mut own = Own::new(
        (1..=9)
            .map(|number| with(pull(number, 0, 1, 12, "c"), &agent()))
            .collect(),
    );
    own.agents = (1..=8).map(|id| agent_run(id, 10, "complete")).collect();
    own.agents.push(agent_run(9, 10, "failed"));
    own.agents.push(agent_run(10, 10, "complete"));
    own.agents.push(agent_run(10, 11, "stopped-by-budget"));
    // What was published later says less than the end.
    own.agents.push(AgentRun {
        has_ended: false,
        ..agent_run(10, 12, "complete")
    });
    own.agents.push(agent_run(11, 10, "stopped"));
    own.agents.push(AgentRun {
        is_recorded: true,
        ..agent_run(12, 10, "complete")
    });
    own.agents.push(AgentRun {
        has_ended: false,
        ..agent_run(12, 12, "complete")
    });
    let found = own.find("agent-success");
    assert_eq!(
        (found.source, found.measured.value),
        ("runs of agents", Some(0.8))
    );
    let reasons = own.reasons("agent-success");
    assert_eq!(
        reasons,
        [
            ("r11".to_owned(), "stopped"),
            ("r12".to_owned(), "recorded")
        ]
    );
    // With recorded runs alone pull requests are asked.
    own.agents.retain(|run| run.run == "r12");
    let found = own.find("agent-success");
    assert_eq!(
        (found.source, found.measured.value),
        ("pull requests", Some(1.0))
    );
    own.lines.clear();
    assert_eq!(own.value("agent-success"), None);
}

#[test]
fn what_has_not_ended_is_a_projection() {
    let own = Own::new(
        (1..=40)
            .map(|number| with(pull(number, 0, 1, 12, "c"), &agent()))
            .collect(),
    );
    for (now, word) in [
        (14 * 24, "met"),
        (8 * 24, "not enough data"),
        (3 * 24, "not enough data"),
    ] {
        let found = own.at(now);
        let measured = &found[5].measured;
        assert_eq!(
            judge(measured, Some(Target::AtLeast(1.0))).unwrap().word(),
            word,
            "{now}"
        );
    }
}

#[test]
fn a_value_stands_on_its_own_side_of_its_target() {
    let say = |number: f64, unit, target| value(number, unit, Some(target));
    let least = Target::AtLeast(0.95);
    assert_eq!(say(0.945, Unit::Share, least), "94.5 %");
    assert_eq!(say(0.9496, Unit::Share, least), "94.96 %");
    assert_eq!(say(0.95, Unit::Share, least), "95.0 %");
    assert_eq!(
        say(0.999_999, Unit::Share, Target::AtLeast(1.0)),
        "99.9999 %"
    );
    assert_eq!(say(0.009_999, Unit::Share, Target::Below(0.01)), "0.9999 %");
    assert_eq!(
        say(902.4, Unit::Seconds, Target::AtMost(900.0)),
        "15.04 min"
    );
    assert_eq!(say(900.0, Unit::Seconds, Target::AtMost(900.0)), "15.0 min");
    assert_eq!(
        say(3_599.0, Unit::Seconds, Target::AtMost(3_600.0)),
        "59.98 min"
    );
    assert_eq!(say(3.451, Unit::Dollars, Target::AtMost(3.45)), "$3.451");
    assert_eq!(say(9.96, Unit::AWeek, Target::AtLeast(10.0)), "9.96 a week");
    let close = 0.95 - f64::EPSILON;
    assert_eq!(say(close, Unit::Share, least), "just below 95.0 %");
    assert_eq!(say(0.945, Unit::Share, Target::AtLeast(0.9451)), "94.50 %");
    assert_eq!(
        say(0.345_001, Unit::Dollars, Target::AtMost(0.345)),
        "$0.345001"
    );
    assert_eq!(value(0.945, Unit::Share, None), "94.5 %");
}

#[test]
fn the_examples_are_said_as_people_write_them() {
    let words: Vec<String> = INDICATORS
        .iter()
        .map(|indicator| indicator.example.words(indicator.unit))
        .collect();
    assert_eq!(
        words,
        [
            "≤ 15 min",
            "≤ 12.6 h",
            "≥ 95 %",
            "< 1 %",
            "≤ $3.45",
            "≥ 10 a week",
            "≥ 80 %"
        ]
    );
}

#[test]
fn a_trend_is_told_where_intervals_are_apart() {
    let measured = |low: f64, high: f64| Measured {
        interval: Some((low, high)),
        ..Measured::default()
    };
    let of = |id: &str, now, before| trend(indicator_of(id), &now, &before);
    let (low, high) = (measured(0.1, 0.2), measured(0.3, 0.4));
    assert_eq!(of("merge-success", high, low), Some(Trend::Better));
    assert_eq!(of("flake-rate", high, low), Some(Trend::Worse));
    assert_eq!(of("ci-p95", low, high), Some(Trend::Better));
    assert_eq!(of("ci-p95", low, measured(0.15, 0.4)), Some(Trend::Unclear));
    assert_eq!(of("ci-p95", low, Measured::default()), None);
}

#[test]
fn of_two_readings_the_order_does_not_matter() {
    let lines = [closed(1, 12), pull(1, 0, 1, 12, "c")];
    let read = |lines: &[Json]| {
        let mut gathering = Gathering::default();
        for line in lines {
            gathering.add(hour(0), Row::read(line).unwrap());
        }
        gathering.rows().pulls
    };
    let mut other = lines.clone();
    other.reverse();
    assert_eq!(read(&lines), read(&other));
}
