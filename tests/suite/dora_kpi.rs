//! `maestro dora kpi` and `dora explain kpi:…`, with state that the real commands made.

use std::fs;

use serde_json::{Value, json};

use crate::github::{Fake, TOKEN};
use crate::harness::{Maestro, files_below, package};

const NOW: &str = "2026-01-08T00:00:00Z";

/// The first week of January, and all that was measured of it.
const WEEK: [&str; 6] = [
    "--rows",
    "rows.ndjson",
    "--since",
    "2026-01-01",
    "--until",
    "2026-01-08",
];

fn machine() -> Maestro {
    Maestro::in_repo().env("MAESTRO_NOW", NOW)
}

fn at(hour: u64) -> String {
    format!("2026-01-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24)
}

/// A pull request that took ten hours.
fn pull(number: u64, hour: u64, is_merged: bool, author: &str) -> Value {
    let merged = is_merged.then(|| at(hour));
    json!({
        "kind": "pull", "number": number, "url": format!("https://x/pull/{number}"), "base": "main", "author_kind": author,
        "first_commit": at(hour - 10), "created": at(hour - 9), "merged": merged, "closed": at(hour), "merge_sha": format!("m{number}"),
    })
}

/// A run of CI on a commit of its own.
fn run(id: u64, minutes: u64) -> Value {
    json!({
        "kind": "run", "id": id, "attempt": 1, "url": format!("https://x/runs/{id}"), "workflow": "CI (ci.yml)", "event": "pull_request",
        "branch": "topic", "sha": format!("c{id}"), "created": at(20), "started": at(20),
        "updated": format!("2026-01-01T20:{minutes:02}:00Z"), "conclusion": "success",
    })
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// Results of so many runs of one test, of which the first ones failed and then passed.
fn results(runs: u64, flaky: u64) -> String {
    let mut rows = Vec::new();
    for number in 1..=runs {
        let result = |status: &str| {
            json!({
                "run": number.to_string(), "job": "test", "commit": format!("{number:040x}"), "branch": "main", "at": at(30 + number % 90),
                "suite": "s", "test": "t", "status": status,
            })
        };
        if number <= flaky {
            rows.push(result("failed"));
        }
        rows.push(result("passed"));
    }
    lines(&rows)
}

fn kpi(maestro: &Maestro, more: &[&str]) -> Value {
    maestro.json(&[&["dora", "kpi"], &WEEK[..], more].concat())
}

fn indicator<'d>(document: &'d Value, id: &str) -> &'d Value {
    let mut rows = document["indicators"].as_array().unwrap().iter();
    rows.find(|row| row["id"] == id).unwrap()
}

/// What was once shown as three targets met: 94.5 % of 200 merged, 3 of 250 runs flaky, 8 pull requests of agents in a week.
fn nearly() -> Maestro {
    let maestro = machine();
    let mut rows: Vec<Value> = (1..=200)
        .map(|number| {
            let author = if number <= 8 { "agent" } else { "human" };
            pull(number, 10 + number % 150, number <= 189, author)
        })
        .collect();
    rows.extend((1..=40).map(|id| run(id, if id <= 36 { 10 } else { 16 })));
    maestro
        .file("rows.ndjson", lines(&rows))
        .file("results.ndjson", results(250, 3));
    maestro
        .run(["flakes", "ingest", "results.ndjson"])
        .success();
    maestro
}

#[test]
fn what_falls_short_by_a_little_is_missed_and_printed_so() {
    let maestro = nearly();
    let args = [&["dora", "kpi"], &WEEK[..], &["--targets", "example"]].concat();
    let told = maestro.run(&args).success().stdout;
    let row = |name: &str| {
        let mut rows = told.lines();
        rows.find(|line| line.trim_end().ends_with(&format!("  {name}")))
            .unwrap_or_else(|| panic!("{name} in {told}"))
            .to_owned()
    };
    for (name, value, target) in [
        ("merge-success", "94.5 %", "≥ 95 %"),
        ("flake-rate", "1.2 %", "< 1 %"),
        ("autonomous-pulls", "8.0 a week", "≥ 10 a week"),
    ] {
        let row = row(name);
        for words in [value, target, "missed"] {
            assert!(row.contains(words), "{words} in {row}");
        }
        assert!(!row.contains(" met"), "{row}");
    }
    for (name, value) in [("pull-lead-time", "10.0 h"), ("agent-success", "100.0 %")] {
        let row = row(name);
        assert!(row.contains(value) && row.contains(" met"), "{row}");
    }
    assert!(row("llm-per-pull").contains("not enough data"), "{told}");
    assert!(
        told.contains("llm-per-pull: no call of a model is stored"),
        "{told}"
    );
    assert!(told.contains("The targets are an example"), "{told}");
    let document = kpi(&maestro, &["--targets", "example"]);
    let merge = indicator(&document, "merge-success");
    assert_eq!(
        (&merge["value"], &merge["n"], &merge["verdict"]),
        (&json!(0.945), &json!(200), &json!("missed"))
    );
    assert_eq!(
        merge["target"],
        json!({"words": "≥ 95 %", "kind": "at_least", "value": 0.95})
    );
    assert_eq!(indicator(&document, "ci-p95")["words"], "16.0 min");
    // The same to one place more, where one place would say 95.0 %.
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nkpi: {targets: {merge-success: 94.51%, ci-p95: 16m, agent-success: 100%}}\n",
    );
    let document = kpi(&maestro, &[]);
    assert_eq!(indicator(&document, "merge-success")["words"], "94.50 %");
    assert_eq!(indicator(&document, "merge-success")["verdict"], "missed");
    assert_eq!(indicator(&document, "ci-p95")["verdict"], "met");
    assert_eq!(indicator(&document, "agent-success")["verdict"], "met");
    assert_eq!(indicator(&document, "flake-rate")["verdict"], Value::Null);
}

#[test]
fn nothing_is_judged_without_a_target_and_nothing_is_met_before_its_time() {
    let maestro = nearly();
    let document = kpi(&maestro, &[]);
    assert_eq!(document["targets"], Value::Null);
    for row in document["indicators"].as_array().unwrap() {
        assert_eq!(row["verdict"], Value::Null, "{row}");
        assert_eq!(row["value"].is_null(), row["why"].is_string(), "{row}");
    }
    let args = [&["dora", "kpi"], &WEEK[..]].concat();
    let told = maestro.run(&args).success().stdout;
    assert!(told.contains("No target is set"), "{told}");
    assert!(!told.contains("Verdict"), "{told}");
    // The same week, and a day more that has not come yet.
    let open = maestro.json(&[
        "dora",
        "kpi",
        "--rows",
        "rows.ndjson",
        "--since",
        "2026-01-01",
        "--until",
        "2026-01-09",
        "--targets",
        "example",
    ]);
    assert_eq!(open["is_projection"], true);
    assert_eq!(
        indicator(&open, "pull-lead-time")["verdict"],
        "not enough data"
    );
    assert_eq!(indicator(&open, "flake-rate")["verdict"], "missed");
    assert!(!open["indicators"].to_string().contains("\"met\""));
}

#[test]
fn targets_that_are_none_are_refused_at_their_place() {
    let maestro = machine();
    for (target, words) in [
        (
            "ci-p95: soon",
            "`soon` is no length of time; write it as `15m`",
        ),
        (
            "merge-success: 0.95",
            "`0.95` is no share; write it as `95%`",
        ),
        ("merge-succes: 95%", "did you mean `merge-success`?"),
        ("llm-per-pull: [1]", "US dollars, as `$3.45`"),
    ] {
        let text = format!("schema: maestro.config/v1\nkpi:\n  targets:\n    {target}\n");
        maestro.file(".maestro/maestro.yaml", text);
        let run = maestro.run(["dora", "kpi", "--source", "git"]);
        let run = run.exits_with(78).says(words);
        assert!(run.stderr.contains("maestro.yaml:4:"), "{}", run.stderr);
    }
}

#[test]
fn every_number_opens_its_rows() {
    let maestro = nearly();
    let explain = |id: &str| {
        let name = format!("kpi:{id}");
        maestro.json(&[&["dora", "explain", &name], &WEEK[..]].concat())
    };
    let document = kpi(&maestro, &[]);
    for row in document["indicators"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        let explained = explain(id);
        let rows = explained["rows"].as_array().unwrap();
        let counted = rows.iter().filter(|row| row["counted"] == true).count();
        assert_eq!(row["n"], counted, "{id}");
        assert_eq!(row["rows"], rows.len(), "{id}");
        assert_eq!(explained["metric"]["left_out"], row["left_out"], "{id}");
        let command = format!("maestro dora explain kpi:{id} --since 2026-01-01");
        assert!(
            row["explain"].as_str().unwrap().starts_with(&command),
            "{row}"
        );
    }
    let flaky = explain("flake-rate");
    let spoilt = flaky["rows"].as_array().unwrap().iter();
    let spoilt = spoilt.filter(|row| row["part"] == true);
    let mut ids: Vec<&str> = spoilt.map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["1 test", "2 test", "3 test"]);
    let told = maestro.run([&["dora", "explain", "kpi:merge-success"], &WEEK[..]].concat());
    let told = told.success().stdout;
    assert!(told.contains("https://x/pull/101"), "{told}");
    let _ = maestro
        .run(["dora", "explain", "kpi:merge-succes"])
        .exits_with(66)
        .says("did you mean `kpi:merge-success`?");
}

#[test]
fn a_baseline_is_the_time_before_or_the_one_that_is_asked_for() {
    let maestro = machine();
    let mut rows: Vec<Value> = (1..=40)
        .map(|number| pull(number, 20, true, "human"))
        .collect();
    rows.extend((41..=80).map(|number| pull(number, 100, number % 2 == 0, "human")));
    maestro.file("rows.ndjson", lines(&rows));
    let of = |more: &[&str]| {
        let window = [
            "--rows",
            "rows.ndjson",
            "--since",
            "2026-01-04",
            "--until",
            "2026-01-07",
        ];
        maestro.json(&[&["dora", "kpi"], &window[..], more].concat())
    };
    let document = of(&[]);
    assert_eq!(document["baseline_since"], "2026-01-01T00:00:00Z");
    let merge = indicator(&document, "merge-success");
    assert_eq!(
        (&merge["value"], &merge["baseline"]["value"]),
        (&json!(0.5), &json!(1.0))
    );
    assert_eq!(merge["trend"], "worse");
    let same = of(&["--baseline", "2026-01-04..2026-01-07"]);
    assert_eq!(
        indicator(&same, "merge-success")["trend"],
        "no clear change"
    );
    let empty = of(&["--baseline", "2025-01-04..2025-01-07"]);
    assert_eq!(
        indicator(&empty, "merge-success")["baseline"]["words"],
        "not enough data"
    );
    for (text, words) in [
        ("soon", "there is no `..`"),
        ("2026-01-04..2026-01-04", "ends before"),
    ] {
        let _ = maestro
            .run(["dora", "kpi", "--rows", "rows.ndjson", "--baseline", text])
            .exits_with(2)
            .says(words);
    }
    let lines = maestro
        .run(["dora", "kpi", "--rows", "rows.ndjson", "--format", "ndjson"])
        .success();
    let lines: Vec<Value> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0]["schema"], "maestro.dora-indicator/v1");
}

#[test]
fn what_models_cost_comes_from_bills_of_the_real_commands() {
    let maestro = machine();
    maestro.file("rows.ndjson", "");
    let pay = |number: u64, tokens: u64| {
        let usage = json!({"input_tokens": tokens, "output_tokens": 0});
        let model = json!({"claude-sonnet-4-6": {"inputTokens": tokens, "outputTokens": 0}});
        let log = json!([{"type": "result", "session_id": format!("s{number}"), "total_cost_usd": 1.0, "usage": usage, "modelUsage": model}]);
        maestro.file("claude.json", log.to_string());
        let args = [
            "budget",
            "import",
            "--claude-execution",
            "claude.json",
            "--pr",
            &number.to_string(),
        ];
        maestro.run(args).success();
    };
    // A million costs $3.
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nkpi: {targets: {llm-per-pull: $0.345}}\n",
    );
    (1..=4).for_each(|number| pay(number, 115_000));
    let now = [
        "--since",
        "2026-01-01",
        "--until",
        "2026-01-09",
        "--rows",
        "rows.ndjson",
    ];
    let read = |maestro: &Maestro| {
        let args = [&["--now", "2026-01-09T00:00:00Z", "dora", "kpi"], &now[..]];
        let document = maestro.json(&args.concat());
        indicator(&document, "llm-per-pull").clone()
    };
    assert_eq!(read(&maestro)["verdict"], "not enough data");
    pay(5, 115_000);
    let found = read(&maestro);
    assert_eq!(
        (&found["usd"], &found["verdict"]),
        (&json!("0.345"), &json!("met"))
    );
    pay(6, 115_002);
    let found = read(&maestro);
    assert_eq!(
        (&found["usd"], &found["verdict"]),
        (&json!("0.345001"), &json!("missed"))
    );
    assert_eq!(found["words"], "$0.345001");
    // Once more adds nothing.
    pay(6, 115_002);
    assert_eq!(read(&maestro), found);
}

fn kept(maestro: &Maestro) -> Vec<Value> {
    let folder = maestro.path(".git/maestro/outbox");
    let files = files_below(&folder).into_iter();
    let text: String = files
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["kind"] == "kpi").collect()
}

#[test]
fn the_table_is_kept_in_ci_and_where_it_is_asked_for() {
    let maestro = nearly();
    let document = kpi(&maestro, &["--targets", "example"]);
    assert_eq!(
        (kept(&maestro).len(), &document["saved"]),
        (0, &json!(false))
    );
    let document = kpi(&maestro, &["--targets", "example", "--save"]);
    kpi(&maestro, &["--targets", "example", "--save"]);
    let events = kept(&maestro);
    // The same table twice is one event.
    let ids: std::collections::BTreeSet<String> =
        events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!((ids.len(), &document["saved"]), (1, &json!(true)));
    assert!(events[0]["run"].as_str().unwrap().starts_with("local-"));
    let rows = events[0]["payload"]["indicators"].as_array().unwrap();
    assert_eq!(
        (&rows[2]["target"], &rows[2]["verdict"]),
        (&json!(">=0.95"), &json!("missed"))
    );
    let maestro = maestro.env("GITHUB_RUN_ID", "77").env("GITHUB_JOB", "kpi");
    let document = kpi(&maestro, &["--dry-run"]);
    assert_eq!(
        (kept(&maestro).len(), &document["saved"]),
        (events.len(), &json!(false))
    );
    kpi(&maestro, &[]);
    let events = kept(&maestro);
    assert!(
        events
            .iter()
            .any(|event| event["run"] == "77" && event["job"] == "kpi")
    );
    maestro.run(["state", "fold"]).success();
    maestro.run(["state", "verify"]).success();
}

#[test]
fn git_alone_is_no_source_for_what_was_not_merged() {
    let maestro = machine();
    let document = maestro.json(&["dora", "kpi", "--source", "git", "--targets", "example"]);
    for row in document["indicators"].as_array().unwrap() {
        assert_eq!(row["verdict"], "not enough data", "{row}");
        assert!(row["why"].is_string(), "{row}");
    }
    let why = indicator(&document, "merge-success")["why"]
        .as_str()
        .unwrap();
    assert!(why.starts_with("git alone does not know"), "{why}");
    // Outside of a repository there is no state either, and that is said.
    let folder = Maestro::in_folder().env("MAESTRO_NOW", NOW);
    folder.file("rows.ndjson", lines(&[run(1, 10)]));
    let document = kpi(&folder, &["--targets", "example"]);
    assert!(
        document["notes"].to_string().contains("no repository"),
        "{document}"
    );
    assert_eq!(indicator(&document, "ci-p95")["n"], 1);
}

#[test]
fn parts_of_the_changes_are_told_apart_where_rows_tell_them() {
    let maestro = nearly();
    let document = kpi(&maestro, &["--author", "agent", "--targets", "example"]);
    assert_eq!(indicator(&document, "merge-success")["n"], 8);
    for id in ["ci-p95", "flake-rate", "llm-per-pull"] {
        let row = indicator(&document, id);
        assert_eq!(row["verdict"], "not enough data");
        assert!(row["why"].as_str().unwrap().contains("--author"), "{row}");
    }
}

#[test]
fn runs_of_ci_come_from_github_and_are_kept() {
    let fake = Fake::start();
    for id in 1..=25_u64 {
        let ended = format!("2026-01-02T10:{:02}:00Z", if id == 25 { 40 } else { 12 });
        let fields = json!({
            "event": "pull_request", "name": "CI", "head_sha": format!("{id:040}"), "updated_at": ended, "conclusion": "success",
        });
        fake.ended(id, &fields, &[("2026-01-02T10:00:00Z", &[])]);
    }
    // A retry of one job is another attempt, with a clock of its own; what is on a timer is no CI.
    let retried = json!({
        "event": "push", "name": "CI", "head_sha": format!("{:040}", 1), "updated_at": "2026-01-02T11:05:00Z", "conclusion": "success",
    });
    fake.ended(
        30,
        &retried,
        &[("2026-01-02T11:00:00Z", &[]), ("2026-01-02T11:04:00Z", &[])],
    );
    let timed = json!({
        "event": "schedule", "name": "Nightly", "head_sha": format!("{:040}", 99), "updated_at": "2026-01-02T20:00:00Z", "conclusion": "success",
    });
    fake.ended(31, &timed, &[("2026-01-02T10:00:00Z", &[])]);
    let maestro = Maestro::in_repo()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api())
        .env("MAESTRO_NOW", NOW);
    let ask = [
        "dora",
        "kpi",
        "--since",
        "2026-01-01",
        "--until",
        "2026-01-08",
        "--targets",
        "example",
    ];
    let document = maestro.json(&ask);
    let found = indicator(&document, "ci-p95");
    // The 95th percentile of 24 times 12 minutes and once 40.
    assert_eq!(
        (&found["n"], &found["words"], &found["verdict"]),
        (&json!(25), &json!("12.0 min"), &json!("met"))
    );
    assert_eq!(found["left_out"][0]["code"], "shorter");
    assert_eq!(found["left_out"][0]["rows"], 2);
    fake.asked();
    let offline = maestro.json(&[&ask[..], &["--offline"]].concat());
    assert_eq!(fake.asked().len(), 0);
    assert_eq!(indicator(&offline, "ci-p95"), found);
    // What deploys is no CI, and CI is no deployment.
    let dora = maestro.json(&["dora", "--offline", "--since", "2026-01-01"]);
    assert_eq!(dora["metrics"][4]["frequency"]["deployments"], 0);
}

#[test]
fn the_frozen_rows_and_tables_are_read_as_they_were_written() {
    let maestro = machine().env("GITHUB_REPOSITORY", "o/n");
    let frozen = package().join("tests/suite/state_compat/v1-delivery");
    let paths = files_below(&frozen);
    assert_eq!(paths.len(), 2);
    for path in &paths {
        let short = path.strip_prefix(&frozen).unwrap().to_string_lossy();
        let target = format!(".git/maestro/segments/{short}");
        maestro.file(&target, fs::read(path).unwrap());
    }
    maestro.run(["state", "verify"]).success();
    let document = maestro.json(&[
        "dora",
        "kpi",
        "--offline",
        "--since",
        "2026-01-01",
        "--until",
        "2026-01-08",
        "--targets",
        "example",
    ]);
    assert_eq!(document["rows_from"], "github");
    let value = |id: &str| indicator(&document, id)["value"].clone();
    assert_eq!(value("pull-lead-time"), 36_000.0);
    assert_eq!(value("merge-success"), 0.8);
    assert_eq!(value("ci-p95"), 600.0);
    // What a newer writer adds comes through a fold untouched.
    let segment = maestro.path(".git/maestro/segments/events/kpi/2026-01.ndjson");
    let before = fs::read_to_string(&segment).unwrap();
    maestro.file(".git/maestro/outbox/again.ndjson", &before);
    maestro.run(["state", "fold"]).success();
    assert_eq!(fs::read_to_string(&segment).unwrap(), before);
}
