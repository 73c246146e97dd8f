//! `maestro flakes gate` and `maestro flakes quarantine`.

use std::fs;

use serde_json::Value;

use crate::harness::Maestro;
use crate::pull_request::{VARIABLES, begin, tell, with_remote};

fn entry(test: &str, review_by: &str) -> String {
    format!(
        r#"{{"suite": "s", "test": "{test}", "reason": "r", "owner": "@ada", "since": "2026-01-01", "review_by": "{review_by}"}}"#
    )
}

fn quarantine(entries: &[String]) -> String {
    format!(
        r#"{{"schema": "maestro.quarantine/v1", "tests": [{}]}}"#,
        entries.join(", ")
    )
}

const CONFIG: &str =
    "schema: maestro.config/v1\nenforce: [flakes]\nflakes: { never: ['secret*'] }\n";

/// A repository whose remote's `main` has a quarantine, with a pull request checked out.
fn pull_request(entries: &[String]) -> Maestro {
    let maestro = with_remote();
    maestro
        .file(".maestro/maestro.yaml", CONFIG)
        .file(".maestro/quarantine.json", quarantine(entries));
    begin(&maestro);
    maestro.file("x", "1");
    maestro.commit("Change");
    tell(&maestro);
    let set = |maestro: Maestro, (name, value)| maestro.env(name, value);
    VARIABLES.into_iter().fold(maestro, set)
}

/// Writes a report: names of tests, those that fail with a `!`.
fn report(maestro: &Maestro, tests: &[&str]) {
    let cases = tests.iter().map(|test| match test.strip_suffix('!') {
        Some(test) => format!("<testcase name=\"{test}\"><failure message=\"m\"/></testcase>"),
        None => format!("<testcase name=\"{test}\"/>"),
    });
    let cases: String = cases.collect();
    maestro.file(
        "r.xml",
        format!("<testsuite name=\"s\">{cases}</testsuite>"),
    );
}

fn gate(maestro: &Maestro, more: &[&str]) -> (i32, Value) {
    let mut args = vec!["flakes", "gate", "--junit", "r.xml", "--format", "json"];
    args.extend(more);
    let run = maestro.run(args);
    let document = serde_json::from_str(&run.stdout).unwrap_or(Value::String(run.stderr));
    (run.code, document)
}

fn rulings(document: &Value) -> Vec<String> {
    let failures = document["failures"].as_array().unwrap().iter();
    failures
        .map(|row| {
            format!(
                "{} {}",
                row["test"].as_str().unwrap(),
                row["ruling"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn the_quarantine_of_the_base_forgives_and_that_of_the_change_does_not() {
    let maestro = pull_request(&[
        entry("flaky", "2026-02-01"),
        entry("late", "2026-01-04"),
        entry("secret1", "2026-02-01"),
    ]);
    report(&maestro, &["flaky!", "ok"]);
    let (code, passed) = gate(&maestro, &["--status", "1"]);
    assert_eq!(
        (code, &passed["passed"]),
        (0, &Value::from(true)),
        "{passed}"
    );
    assert_eq!(
        passed["absent"],
        serde_json::json!(["s > late", "s > secret1"])
    );
    report(&maestro, &["flaky!", "late!", "secret1!", "other!"]);
    let (code, failed) = gate(&maestro, &[]);
    assert_eq!(code, 12);
    assert_eq!(
        rulings(&failed),
        [
            "flaky forgiven",
            "late overdue",
            "other not-quarantined",
            "secret1 never"
        ]
    );
    // The change quarantines its own failure, and lets everything through.
    maestro.file(
        ".maestro/quarantine.json",
        quarantine(&[entry("other", "2026-02-01")]),
    );
    maestro.file(".maestro/maestro.yaml", CONFIG.replace("secret*", "none*"));
    maestro.commit("Excuse");
    let (code, failed) = gate(&maestro, &[]);
    assert_eq!((code, rulings(&failed).len()), (12, 4));
    // Somebody merges it meanwhile: the remote is asked.
    maestro.git(&["push", "--quiet", "origin", "topic:main"]);
    report(&maestro, &["other!"]);
    assert_eq!(gate(&maestro, &[]).0, 0);
}

#[test]
fn what_is_not_certain_is_not_forgiven() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    report(&maestro, &["ok"]);
    let codes = |maestro: &Maestro, more: &[&str]| {
        let (code, document) = gate(maestro, more);
        let troubles = document["troubles"].as_array().cloned().unwrap_or_default();
        let words: Vec<String> = troubles
            .iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect();
        (code, words.join(" "))
    };
    assert_eq!(codes(&maestro, &["--status", "0"]), (0, String::new()));
    assert_eq!(
        codes(&maestro, &["--status", "101"]),
        (12, "runner-failed".into())
    );
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"flaky\"><failure/></testcase><testcase name=\"b",
    );
    assert_eq!(codes(&maestro, &[]), (12, "not-whole".into()));
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><error message=\"set-up\"/><testcase name=\"a\"/></testsuite>",
    );
    assert_eq!(codes(&maestro, &[]), (12, "suite-failed".into()));
    fs::create_dir_all(maestro.path("empty")).unwrap();
    let _ = maestro
        .run(["flakes", "gate", "--junit", "empty"])
        .exits_with(12)
        .says("there is no test report");
    let _ = maestro
        .run(["flakes", "gate", "--junit", "nowhere.xml"])
        .exits_with(66);
    report(&maestro, &["flaky!"]);
    assert_eq!(gate(&maestro, &["--offline"]).0, 69);
    maestro.git(&["remote", "set-url", "origin", "file:///nowhere"]);
    assert_eq!(gate(&maestro, &[]).0, 69);
    assert_eq!(gate(&maestro, &["--base", "main"]).0, 0);
    maestro.file("event.json", "{");
    assert_eq!(gate(&maestro, &[]).0, 69);
}

#[test]
fn a_change_cannot_choose_its_judge() {
    let maestro = pull_request(&[]);
    // A repository that forgives everything, named by the change's own configuration.
    maestro.git(&["clone", "--quiet", "--bare", "remote.git", "out/evil.git"]);
    maestro.file(
        ".maestro/maestro.yaml",
        format!("{CONFIG}state: {{ remote: out/evil.git }}\n"),
    );
    maestro.file(
        ".maestro/quarantine.json",
        quarantine(&[entry("broken", "2026-02-01")]),
    );
    maestro.commit("Excuse");
    maestro.git(&["push", "--quiet", "out/evil.git", "topic:main"]);
    report(&maestro, &["broken!"]);
    let (code, document) = gate(&maestro, &[]);
    assert_eq!(
        (code, rulings(&document)),
        (12, vec!["broken not-quarantined".to_owned()])
    );
}

#[test]
fn a_pushed_topic_is_judged_by_the_default_branch() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")])
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", "refs/heads/topic");
    maestro.file(
        ".maestro/quarantine.json",
        quarantine(&[entry("other", "2026-02-01")]),
    );
    maestro.commit("Excuse");
    let payload = r#"{"ref": "refs/heads/topic", "repository": {"id": 1, "full_name": "o/r", "default_branch": "main"}}"#;
    maestro.file("event.json", payload);
    report(&maestro, &["flaky!", "other!"]);
    let (code, document) = gate(&maestro, &[]);
    let expected = ["flaky forgiven", "other not-quarantined"];
    assert_eq!(
        (code, rulings(&document)),
        (12, expected.map(str::to_owned).to_vec())
    );
    // Without a payload nobody says which branch that is.
    maestro.file("event.json", "{}");
    assert_eq!(gate(&maestro, &[]).0, 69);
    // Nor does another CI service.
    let other = Maestro::in_repo().env("CI", "true");
    other.file("a", "1");
    other.commit("Start");
    report(&other, &["ok"]);
    assert_eq!(gate(&other, &[]).0, 69);
    assert_eq!(gate(&other, &["--base", "HEAD"]).0, 0);
}

#[test]
fn a_shallow_clone_keeps_its_history_and_its_refs() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    for number in 0..5 {
        maestro.file("x", number.to_string());
        maestro.commit("Change");
    }
    let address = format!("file://{}", maestro.path("remote.git").display());
    maestro.git(&["push", "--quiet", "origin", "topic"]);
    maestro.git(&[
        "clone",
        "--quiet",
        "--depth=3",
        "--branch=topic",
        &address,
        "out/shallow",
    ]);
    // `main` moves on after the clone was made.
    maestro.git(&["push", "--quiet", "--force", "origin", "topic~1:main"]);
    let at = |maestro: &Maestro| {
        let git = |args: &[&str]| maestro.git(&[&["-C", "out/shallow"], args].concat());
        (
            git(&["rev-list", "--count", "HEAD"]),
            git(&["for-each-ref"]),
        )
    };
    let before = at(&maestro);
    let (report_file, shallow) = (maestro.path("r.xml"), maestro.path("out/shallow"));
    let event = maestro.path("event.json");
    report(&maestro, &["flaky!"]);
    let maestro = maestro.env("GITHUB_EVENT_PATH", event.to_str().unwrap());
    let run = maestro.run([
        "flakes",
        "gate",
        "--junit",
        report_file.to_str().unwrap(),
        "--repo",
        shallow.to_str().unwrap(),
    ]);
    let _ = run.success();
    assert_eq!(at(&maestro), before);
}

#[test]
fn what_is_missing_forgives_nothing() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    report(&maestro, &["flaky!"]);
    let whole = fs::read_to_string(maestro.path("r.xml")).unwrap();
    maestro.file("out/r.xml", &whole);
    let codes = |patterns: &[&str]| {
        let args = [&["flakes", "gate", "--format", "json", "--junit"], patterns].concat();
        let run = maestro.run(args);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let troubles = document["troubles"].as_array().unwrap().iter();
        let details = troubles.map(|row| row["detail"].as_str().unwrap().to_owned());
        (run.code, details.collect::<Vec<_>>().join("; "))
    };
    assert_eq!(codes(&["out"]), (0, String::new()));
    // A glob that a renamed folder leaves without a file.
    let (code, said) = codes(&["out", "elsewhere/**/*.xml"]);
    assert_eq!(
        (code, said.as_str()),
        (12, "`elsewhere/**/*.xml` means no report")
    );
    // Killed before the first byte, or before the first element.
    for unfinished in ["", "<?xml version=\"1.0\"?>\n"] {
        maestro.file("out/second.xml", unfinished);
        let (code, said) = codes(&["out"]);
        assert_eq!((code, said.as_str()), (12, "`out/second.xml` is not whole"));
    }
    fs::remove_file(maestro.path("out/second.xml")).unwrap();
    let go = r#"{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Te"#;
    for (file, unfinished) in [
        ("out/third.json", ""),
        ("out/third.json", r#"{"testResults": [{"#),
        ("out/third.json", go),
        ("out/third.tap", "TAP version 13\n1..2\nok 1 - a\n"),
    ] {
        maestro.file(file, unfinished);
        let (code, said) = codes(&["out"]);
        let expected = format!("`{file}` is not whole");
        assert_eq!((code, said), (12, expected), "{unfinished}");
        fs::remove_file(maestro.path(file)).unwrap();
    }
    // What is no report at all is nobody's.
    maestro.file("out/package.json", r#"{"name": "x"}"#);
    maestro.file("out/second.xml", "<project/>");
    assert_eq!(codes(&["out"]), (0, String::new()));
}

#[test]
fn what_the_runner_exited_with_must_be_explained() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    report(&maestro, &["flaky!"]);
    for (args, code) in [
        (&["--status", "1"][..], 0),
        (&["--status", "139"], 12),
        (&["--status", "-9"], 12),
        (&["--status", "100", "--runner", "nextest"], 0),
        (&["--status", "101", "--runner", "nextest"], 12),
        (&["--status", "2", "--runner", "pytest"], 12),
        (&["--runner", "pytest"], 2),
    ] {
        assert_eq!(gate(&maestro, args).0, code, "{args:?}");
    }
}

#[test]
fn a_file_that_a_report_names_can_be_one_that_is_never_forgiven() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    let at = |file: &str| {
        let case = format!("<testcase name=\"flaky\" file=\"{file}\"><failure/></testcase>");
        maestro.file("r.xml", format!("<testsuite name=\"s\">{case}</testsuite>"));
        rulings(&gate(&maestro, &[]).1)
    };
    assert_eq!(at("/__w/r/r/open/a.py"), ["flaky forgiven"]);
    assert_eq!(at("/__w/r/r/secret.py"), ["flaky never"]);
}

#[test]
fn a_plan_hands_the_quarantine_on_to_jobs_without_credentials() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")])
        .env("GITHUB_OUTPUT", "out")
        .env("GITHUB_ACTIONS", "true");
    maestro.file("out", "");
    let _ = maestro.run(["plan"]).success();
    let outputs = fs::read_to_string(maestro.path("out")).unwrap();
    let line = outputs
        .lines()
        .find(|line| line.contains("maestro.trusted/v1"))
        .unwrap();
    let line = &line[line.find('{').unwrap()..];
    report(&maestro, &["flaky!"]);
    maestro.git(&["remote", "set-url", "origin", "file:///nowhere"]);
    assert_eq!(gate(&maestro, &["--trusted", line]).0, 0);
    let maestro = maestro.env("MAESTRO_TRUSTED", line);
    assert_eq!(gate(&maestro, &[]).0, 0);
    let more = line.replace("\"test\":\"flaky\"", "\"test\":\"other\"");
    assert_eq!(gate(&maestro, &["--trusted", &more]).0, 65);
}

#[test]
fn without_enforcement_nothing_is_forgiven() {
    let maestro = pull_request(&[entry("flaky", "2026-02-01")]);
    maestro.git(&["switch", "--quiet", "main"]);
    maestro.file(".maestro/maestro.yaml", "schema: maestro.config/v1\n");
    maestro.commit("Do not enforce");
    maestro.git(&["push", "--quiet", "origin", "main"]);
    report(&maestro, &["flaky!"]);
    let (code, document) = gate(&maestro, &[]);
    assert_eq!(
        (code, rulings(&document)),
        (12, vec!["flaky not-enforced".to_owned()])
    );
}

/// A repository whose history has a flaky test and a broken one.
fn with_history() -> Maestro {
    let maestro = Maestro::in_repo();
    let lines = |run: u32, flaky: &str, broken: &str| {
        let line = |test: &str, status: &str| {
            format!(
                "{{\"run\": \"{run}\", \"job\": \"j\", \"commit\": \"c{run}\", \"branch\": \"main\", \"at\": \"2026-01-01T00:{:02}:00Z\", \"suite\": \"s\", \"test\": \"{test}\", \"status\": \"{status}\"}}\n",
                run % 60
            )
        };
        let flaky: String = flaky
            .split(' ')
            .map(|status| line("flaky", status))
            .collect();
        flaky + &line("broken", broken)
    };
    let mut text = String::new();
    for run in 0..10 {
        let flaky = if run % 3 == 0 {
            "failed passed"
        } else {
            "passed"
        };
        text += &lines(run, flaky, if run < 4 { "passed" } else { "failed" });
    }
    maestro.file("r.ndjson", text);
    let _ = maestro.run(["flakes", "ingest", "r.ndjson"]).success();
    maestro
}

#[test]
fn a_broken_test_is_not_quarantined_and_a_flaky_one_is_until_it_is_well() {
    let maestro = with_history();
    let add = |test: &'static str| {
        maestro.run([
            "flakes",
            "quarantine",
            "add",
            test,
            "--reason",
            "slow",
            "--owner",
            "@ada",
        ])
    };
    let _ = add("broken").exits_with(65).says("is broken, not flaky");
    let _ = add("nobody").exits_with(66);
    let _ = add("s > flaky").success();
    let _ = add("flaky").exits_with(65).says("already");
    let text = fs::read_to_string(maestro.path(".maestro/quarantine.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&file["tests"][0]["review_by"], &file["tests"][0]["mode"]),
        (&Value::from("2026-01-19"), &Value::from("gate"))
    );
    assert!(
        file["tests"][0]["evidence"]
            .as_array()
            .is_some_and(|evidence| !evidence.is_empty())
    );
    let _ = maestro
        .run([
            "flakes",
            "quarantine",
            "extend",
            "flaky",
            "--reason",
            "still",
            "--days",
            "30",
        ])
        .success();
    let review = maestro.json(&[
        "flakes",
        "quarantine",
        "review",
        "--now",
        "2026-02-05T00:00:00Z",
    ]);
    assert_eq!(
        (&review["overdue"], &review["tests"][0]["review_by"]),
        (&Value::from(1), &Value::from("2026-02-04"))
    );
    let release = |more: &[&str]| {
        let mut args = vec!["flakes", "quarantine", "release", "flaky"];
        args.extend(more);
        maestro.run(args)
    };
    let _ = release(&[]).exits_with(65).says("not known to be well");
    // 191 passes since it came in.
    let passes: String = (0..191)
        .map(|run| format!("{{\"run\": \"p{run}\", \"job\": \"j\", \"at\": \"2026-01-05T10:00:00.{run:03}Z\", \"suite\": \"s\", \"test\": \"flaky\", \"status\": \"passed\"}}\n"))
        .collect();
    maestro.file("p.ndjson", passes);
    let _ = maestro.run(["flakes", "ingest", "p.ndjson"]).success();
    let _ = release(&[]).success();
    let text = fs::read_to_string(maestro.path(".maestro/quarantine.json")).unwrap();
    assert!(!text.contains("flaky"));
}

#[test]
fn muted_tests_of_another_list_come_in_with_a_day_of_review() {
    let maestro = with_history();
    maestro.file(
        "muted.yml",
        "tests:\n- class: s\n  issue: https://x/1\n- class: other\n  method: m\n- class: nobody\n",
    );
    let run = maestro
        .run(["flakes", "quarantine", "import", "muted.yml"])
        .success()
        .says("1 line");
    assert!(run.stdout.contains("imported: 3 tests"), "{}", run.stdout);
    let review = maestro.json(&["flakes", "quarantine", "review"]);
    let names: Vec<&str> = review["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["test"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["m", "broken", "flaky"]);
    assert_eq!(
        (
            &review["tests"][1]["issue"],
            &review["tests"][1]["review_by"]
        ),
        (&Value::from("https://x/1"), &Value::from("2026-01-19"))
    );
    // Twice changes nothing.
    let again = maestro
        .run(["flakes", "quarantine", "import", "muted.yml"])
        .success();
    assert!(
        again.stdout.contains("imported: 0 tests"),
        "{}",
        again.stdout
    );
    maestro.file("page.html", "<html/>");
    let _ = maestro
        .run(["flakes", "quarantine", "import", "page.html"])
        .exits_with(65);
}

#[test]
fn a_test_is_handed_to_whoever_owns_its_file() {
    let maestro = Maestro::in_repo();
    maestro
        .file(
            ".github/CODEOWNERS",
            "* @everybody\n/tests/net/ @org/net @ada\n",
        )
        .file("tests/net/test_port.py", "");
    maestro.commit("Say who owns what");
    let owner = |suite: &str| {
        let args = [
            "flakes",
            "quarantine",
            "add",
            "x",
            "--suite",
            suite,
            "--reason",
            "r",
        ];
        let _ = maestro.run(args).success();
        let review = maestro.json(&["flakes", "quarantine", "review"]);
        let rows = review["tests"].as_array().unwrap().iter();
        let row = rows.clone().find(|row| row["suite"] == suite).unwrap();
        row["owner"].clone()
    };
    assert_eq!(owner("pytest > tests.net.test_port.TestA"), "@org/net @ada");
    assert_eq!(owner("crate::bin"), Value::Null);
}

#[test]
fn a_quarantine_that_is_not_understood_stops_the_gate() {
    let maestro = pull_request(&[]);
    maestro.git(&["switch", "--quiet", "main"]);
    maestro.file(
        ".maestro/quarantine.json",
        quarantine(&[entry("a", "2026-02-01")]).replace("reason", "raeson"),
    );
    maestro.commit("Misspell");
    maestro.git(&["push", "--quiet", "origin", "main"]);
    report(&maestro, &["ok"]);
    let (code, said) = gate(&maestro, &[]);
    assert_eq!(code, 78);
    assert!(said.as_str().unwrap().contains("raeson"), "{said}");
}
