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

/// Stores results, one a line: `run attempt commit branch job leg? status`, and returns the only test's row.
fn told(lines: &str) -> Value {
    let maestro = Maestro::in_folder();
    let mut text = String::new();
    for line in lines.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [run, attempt, commit, branch, job, status] = words[..] else {
            panic!("{line}")
        };
        text.push_str(&format!(
            "{{\"run\":\"{run}\",\"attempt\":{attempt},\"commit\":\"{commit}\",\"branch\":\"{branch}\",\"job\":\"{job}\",\"test\":\"t\",\"status\":\"{status}\"}}\n"
        ));
    }
    maestro.file("h.ndjson", text);
    let _ = maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    maestro.json(&["flakes", "report", "--all", "--dir", "s"])["tests"][0].clone()
}

#[test]
fn what_fails_on_one_platform_only_is_broken_there() {
    let lines: String = (0..12)
        .map(|n| format!("{n} 1 c{n} main lin passed\n{n} 1 c{n} main win failed\n"))
        .collect();
    let row = told(&lines);
    assert_eq!(row["verdict"], "broken", "{row}");
    assert!(
        row["evidence"][1].as_str().unwrap().starts_with("in win: "),
        "{row}"
    );
}

#[test]
fn failures_of_branches_under_work_are_no_episodes() {
    let lines: String = (0..20)
        .map(|n| {
            let pull = if n % 2 == 0 {
                format!("p{n} 1 d{n} pr-{n} j failed\n")
            } else {
                String::new()
            };
            format!("{n} 1 c{n} main j passed\n{pull}")
        })
        .collect();
    let row = told(&lines);
    assert_eq!(row["verdict"], "unknown", "{row}");
}

#[test]
fn a_row_of_failures_on_one_new_commit_is_broken() {
    let good: String = (0..30)
        .map(|n| format!("{n} 1 c{n} main j passed\n"))
        .collect();
    let bad: String = (30..40)
        .map(|n| format!("{n} 1 c30 main j failed\n"))
        .collect();
    assert_eq!(told(&(good + &bad))["verdict"], "broken");
}

#[test]
fn a_clean_row_on_the_commit_that_failed_is_no_repair() {
    let lines: String = (0..40)
        .map(|n| {
            format!(
                "{n} 1 c main j {}\n",
                if n < 8 && n % 2 == 0 {
                    "failed"
                } else {
                    "passed"
                }
            )
        })
        .collect();
    assert_eq!(told(&lines)["verdict"], "flaky");
}

#[test]
fn reports_of_one_attempt_excuse_nothing_of_one_another() {
    let maestro = Maestro::in_folder();
    maestro.file(
        "win.xml",
        "<testsuite><testcase name=\"t\"><failure/></testcase></testsuite>",
    );
    maestro.file("lin.xml", "<testsuite><testcase name=\"t\"/></testsuite>");
    for file in ["win.xml", "lin.xml"] {
        let args = [
            "flakes", "ingest", "--dir", "s", "--run", "1", "--commit", "c", file,
        ];
        let _ = maestro.run(args).success();
    }
    let row = maestro.json(&["flakes", "report", "--dir", "s"])["tests"][0].clone();
    assert_eq!(
        (&row["verdict"], &row["retry_passes"]),
        (&"unknown".into(), &0.into()),
        "{row}"
    );
}

#[test]
fn a_history_that_grows_counts_each_line_once() {
    let maestro = Maestro::in_folder();
    let line = |run: u32, status: &str| {
        format!("{{\"run\":{run},\"test\":\"t\",\"status\":\"{status}\"}}\r\n")
    };
    let mut text = String::from("\u{feff}");
    for run in 0..5 {
        text.push_str(&line(run, if run == 2 { "failed" } else { "passed" }));
        maestro.file("h.ndjson", &text);
        let _ = maestro
            .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
            .success();
    }
    let row = maestro.json(&["flakes", "report", "--dir", "s"])["tests"][0].clone();
    assert_eq!((&row["runs"], &row["failures"]), (&5.into(), &1.into()));
}

#[test]
fn a_stray_byte_in_a_message_does_not_cost_the_failure() {
    let maestro = Maestro::in_folder();
    let mut text =
        b"{\"run\":1,\"test\":\"t\",\"status\":\"failed\",\"message\":\"caf\xe9\"}\n".to_vec();
    text.extend(b"{\"run\":2,\"test\":\"t\",\"status\":\"failed\",\"message\":\"\\ud800 \\ud83d\\ude00\"}\nnonsense\n");
    maestro.file("h.ndjson", text);
    let _ = maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success()
        .says("1 line left out");
    assert_eq!(
        maestro.json(&["flakes", "report", "--dir", "s"])["tests"][0]["failures"],
        2
    );
}

#[test]
fn hundreds_of_twins_are_all_counted() {
    let maestro = Maestro::in_folder();
    let cases = "<testcase name=\"t\"/>".repeat(300)
        + &"<testcase name=\"t\"><failure/></testcase>".repeat(70);
    maestro.file("r.xml", format!("<testsuite>{cases}</testsuite>"));
    let _ = maestro
        .run(["flakes", "ingest", "--dir", "s", "r.xml"])
        .success();
    let row = maestro.json(&["flakes", "report", "--dir", "s"])["tests"][0].clone();
    assert_eq!(
        (&row["runs"], &row["failures"], &row["retry_passes"]),
        (&370.into(), &70.into(), &0.into())
    );
}

#[test]
fn tests_that_redaction_makes_one_stay_counted() {
    let maestro = Maestro::in_folder();
    let mut text = String::new();
    for run in 0..3 {
        let token = format!("ghp_{}", char::from(b'a' + run).to_string().repeat(36));
        text.push_str(&format!(
            "{{\"run\":{run},\"test\":\"t[{token}]\",\"status\":\"failed\"}}\n"
        ));
    }
    maestro.file("h.ndjson", text);
    let _ = maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    let report = maestro.json(&["flakes", "report", "--dir", "s"]);
    assert_eq!(
        (&report["totals"]["tests"], &report["tests"][0]["failures"]),
        (&1.into(), &3.into())
    );
}

/// Stores a run of `main`: each test as `suite name`, with a `!` when it failed.
fn store(maestro: &Maestro, run: &str, tests: &[&str]) {
    let case = |test: &&str| {
        let (test, failure) = match test.strip_suffix('!') {
            Some(test) => (test, "<failure/>"),
            None => (*test, ""),
        };
        let (suite, name) = test.split_once(' ').unwrap();
        format!(
            "<testsuite name=\"{suite}\"><testcase name=\"{name}\">{failure}</testcase></testsuite>"
        )
    };
    let cases: String = tests.iter().map(case).collect();
    maestro.file("r.xml", format!("<testsuites>{cases}</testsuites>"));
    let at = format!("2026-01-0{run}T00:00:00Z");
    let args = [
        "flakes", "ingest", "--run", run, "--commit", run, "--branch", "main", "--at", &at, "r.xml",
    ];
    let _ = maestro.run(args).success();
}

#[test]
fn a_test_keeps_its_history_under_a_new_name() {
    let maestro = Maestro::in_repo();
    store(
        &maestro,
        "1",
        &["net retries!", "net connects", "old one", "old two"],
    );
    store(
        &maestro,
        "2",
        &["net retries", "net connects", "old one!", "old two"],
    );
    store(
        &maestro,
        "3",
        &["net retries twice", "net connects", "new one", "new two"],
    );
    store(
        &maestro,
        "4",
        &["net retries twice!", "net connects", "new one", "new two"],
    );
    let report = maestro.json(&["flakes", "report", "--all"]);
    let rows = report["tests"].as_array().unwrap().iter();
    let mut rows: Vec<String> = rows
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            let before = row["formerly"].as_array().map_or(String::new(), |names| {
                format!(" was {}", names[0].as_str().unwrap())
            });
            let counts = format!("{}/{}", row["failures"], row["runs"]);
            format!("{} {} {counts}{before}", text("suite"), text("test"))
        })
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "net connects 0/4",
            "net retries twice 2/4 was net > retries",
            "new one 1/4 was old > one",
            "new two 0/4 was old > two",
        ]
    );
    assert_eq!(report["totals"]["tests"], 4);
    maestro.file(
        ".maestro/quarantine.json",
        r#"{"schema": "maestro.quarantine/v1", "tests": [
            {"suite": "net", "test": "connects", "reason": "r", "since": "2026-01-01", "review_by": "2099-01-15"},
            {"suite": "old", "test": "one", "reason": "r", "since": "2026-01-01", "review_by": "2099-01-15"}]}"#,
    );
    let review = maestro.json(&["flakes", "quarantine", "review"]);
    assert_eq!(review["tests"][0]["renamed_to"], Value::Null);
    assert_eq!(review["tests"][1]["renamed_to"], "new > one");
    let review = maestro.run(["flakes", "quarantine", "review"]).success();
    let line = "`old > one` is not forgiven as it is called today: `new > one`";
    assert!(review.stdout.contains(line), "{}", review.stdout);
    // It comes back beside the new one: they are two.
    store(
        &maestro,
        "5",
        &[
            "net retries",
            "net retries twice",
            "net connects",
            "new one",
            "new two",
        ],
    );
    let report = maestro.json(&["flakes", "report", "--all"]);
    assert_eq!(report["totals"]["tests"], 5);
}

#[test]
fn messages_are_told_without_what_differs_from_run_to_run() {
    let maestro = Maestro::in_repo();
    for (run, message) in [
        ("1", "order 17 at /tmp/a1/x.rs timed out after 503 ms"),
        ("2", "order 4 at /tmp/b7/x.rs timed out after 511 ms"),
        ("3", "no route to host"),
    ] {
        maestro.file(
            "r.xml",
            format!("<testsuite name=\"s\"><testcase name=\"t\"><failure message=\"{message}\"/></testcase></testsuite>"),
        );
        let args = ["flakes", "ingest", "--run", run, "r.xml"];
        let _ = maestro.run(args).success();
    }
    let report = maestro.json(&["flakes", "report"]);
    let messages = report["tests"][0]["messages"].as_array().unwrap().iter();
    let messages: Vec<(&str, u64)> = messages
        .map(|row| {
            (
                row["text"].as_str().unwrap(),
                row["failures"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[0].1, 2);
    assert!(!messages[0].0.contains("17") && messages[0].0.contains("timed out"));
    assert_eq!(messages[1], ("no route to host", 1));
}
