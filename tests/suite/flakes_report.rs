//! `maestro flakes report`

use serde_json::Value;

use crate::harness::Maestro;

/// Stores a history, one letter a run (p, f, or f and p as attempts `r`), each on a commit of its own unless `same`, and
/// returns the test's row.
fn judged(history: &str, same_commit: bool) -> Value {
    let maestro = Maestro::in_folder();
    let mut lines = String::new();
    for (number, letter) in history.chars().enumerate() {
        let commit = if same_commit {
            "c".to_owned()
        } else {
            format!("c{number}")
        };
        let mut line = |attempt: u32, status: &str| {
            lines.push_str(&format!(
                "{{\"run\":\"{number}\",\"attempt\":{attempt},\"commit\":\"{commit}\",\"job\":\"j\",\"suite\":\"s\",\"test\":\"t\",\"status\":\"{status}\"}}\n"
            ));
        };
        match letter {
            'p' => line(1, "passed"),
            'f' => line(1, "failed"),
            's' => line(1, "skipped"),
            _ => {
                line(1, "failed");
                line(2, "passed");
            }
        }
    }
    maestro.file("h.ndjson", lines);
    maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    let report = maestro.json(&["flakes", "report", "--all", "--dir", "s"]);
    report["tests"][0].clone()
}

#[track_caller]
fn check(history: &str, same_commit: bool, verdict: &str) {
    let row = judged(history, same_commit);
    assert_eq!(row["verdict"], verdict, "{row}");
}

#[test]
fn a_pass_on_retry_is_flaky() {
    let row = judged("pprpp", false);
    assert_eq!(row["verdict"], "flaky");
    assert_eq!(
        (&row["runs"], &row["failures"], &row["retry_passes"]),
        (&6.into(), &1.into(), &1.into())
    );
}

#[test]
fn both_outcomes_on_one_commit_are_flaky() {
    check("pfpp", true, "flaky");
}

#[test]
fn failures_that_stay_are_broken() {
    check("ppppfffff", false, "broken");
    check("fff", false, "broken");
}

#[test]
fn a_regression_that_was_repaired_is_not_flaky() {
    check("ppppfffffpppppppppp", false, "fixed");
}

#[test]
fn one_failure_on_a_commit_of_its_own_shows_nothing() {
    check("ppppf", false, "unknown");
    check("ppfpp", false, "unknown");
    check("f", false, "unknown");
}

#[test]
fn a_test_that_never_failed_is_healthy() {
    check("pppp", false, "healthy");
}

#[test]
fn a_test_that_never_ran_is_unknown_and_a_skip_is_no_run() {
    let row = judged("sss", false);
    assert_eq!(
        (&row["verdict"], &row["runs"]),
        (&"unknown".into(), &0.into())
    );
}

#[test]
fn many_episodes_on_different_commits_are_flaky() {
    check("pfppfppfp", false, "flaky");
}

#[test]
fn the_rate_is_the_jeffreys_posterior() {
    let row = judged("fppppppppp", true);
    let rate = &row["rate"];
    let near = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 0.001;
    assert!(
        near(&rate["mean"], 1.5 / 11.0) && near(&rate["low"], 0.011) && near(&rate["high"], 0.381),
        "{rate}"
    );
}

#[test]
fn without_all_healthy_tests_are_left_out() {
    let maestro = Maestro::in_folder();
    maestro.file(
        "h.ndjson",
        "{\"run\":1,\"test\":\"t\",\"status\":\"passed\"}\n",
    );
    maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    let report = maestro.json(&["flakes", "report", "--dir", "s"]);
    assert_eq!(report["tests"].as_array().unwrap().len(), 0);
    assert_eq!(report["totals"]["verdicts"]["healthy"], 1);
}

#[test]
fn an_empty_state_says_what_to_do() {
    let maestro = Maestro::in_repo();
    maestro
        .run(["flakes", "report"])
        .success()
        .says("hint: store one");
    maestro
        .run(["flakes", "report", "--require-input"])
        .exits_with(3);
}

#[test]
fn names_come_in_one_piece_in_a_pipe() {
    let maestro = Maestro::in_folder();
    let name = "a_very_long_test_name_".repeat(12);
    maestro.file(
        "h.ndjson",
        format!("{{\"run\":1,\"test\":\"{name}\",\"status\":\"failed\"}}\n"),
    );
    maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    assert!(
        maestro
            .run(["flakes", "report", "--dir", "s"])
            .success()
            .stdout
            .contains(&name)
    );
}

#[test]
fn a_hostile_name_is_inert_everywhere() {
    let maestro = Maestro::in_folder();
    maestro.file(
        "h.ndjson",
        "{\"run\":1,\"test\":\"\\u001b[2J::error::x | @team <b>`\",\"status\":\"failed\"}\n",
    );
    maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    let human = maestro
        .run(["flakes", "report", "--dir", "s"])
        .success()
        .stdout;
    assert!(!human.contains('\u{1b}'));
    let markdown = maestro
        .run(["flakes", "report", "--dir", "s", "--format", "markdown"])
        .success()
        .stdout;
    assert!(
        markdown.contains("`` \\u{1b}[2J::error::x \\| @team <b>` ``"),
        "{markdown}"
    );
}
