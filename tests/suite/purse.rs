//! `maestro budget reserve`, `settle`, `status`, `forecast` and `set`: the money of calls that scripts make.

use std::fs;

use serde_json::{Value, json};

use crate::harness::Maestro;

/// A repository whose base branch has caps.
fn capped(keys: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(
        ".maestro/ci_budget.json",
        format!(r#"{{"schema": "maestro.ci-budget/v1"{keys}}}"#),
    );
    maestro.commit("Cap");
    maestro
}

const MODEL: [&str; 4] = ["--provider", "anthropic", "--model", "claude-haiku-4-5"];

fn reserve<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["budget", "reserve"][..], &MODEL, more].concat()
}

fn ticket(maestro: &Maestro, worst: &str) -> String {
    let args = reserve(&["--pr", "7", "--worst-usd", worst, "--role", "reviewer"]);
    maestro.run(args).success().stdout.trim().to_owned()
}

/// An answer of so many tokens: a dollar a million.
fn answer(tokens: u64, id: &str) -> String {
    json!({"id": id, "model": "claude-haiku-4-5", "usage": {"input_tokens": tokens, "output_tokens": 0}}).to_string()
}

fn status(maestro: &Maestro, more: &[&str]) -> Value {
    maestro.json(&[&["budget", "status"][..], more].concat())
}

fn events(maestro: &Maestro) -> Vec<Value> {
    let folder = maestro.path(".git/maestro/outbox");
    let Ok(files) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_call_is_put_aside_and_settled_by_its_answer_once() {
    let maestro = capped("");
    let ticket = ticket(&maestro, "2");
    assert_eq!(status(&maestro, &["--pr", "7"])["put_aside_usd"], "2");
    maestro.file("a.json", answer(300_000, "msg_1"));
    let settle = [
        "budget",
        "settle",
        "--reservation",
        &ticket,
        "--body",
        "a.json",
    ];
    let document = maestro.json(&settle);
    assert_eq!(document["spent_usd"], "0.3");
    let _ = maestro.run(settle).exits_with(65).says("has ended");
    let status = status(&maestro, &["--pr", "7"]);
    assert_eq!(
        (
            &status["total"]["usd"],
            &status["put_aside_usd"],
            &status["share"]
        ),
        (&json!("0.3"), &json!("0"), &json!(3))
    );
    assert_eq!(status["by_role"][0]["name"], "reviewer");
    assert_eq!(status["by_week"][0]["name"], "2026-W02");
    let events = events(&maestro);
    assert_eq!(events.len(), 1);
    let payload = &events[0]["payload"];
    assert_eq!(
        (
            &payload["status"],
            &payload["usd"],
            &payload["request_id"],
            &payload["pull_request"]
        ),
        (&json!("settled"), &json!("0.3"), &json!("msg_1"), &json!(7))
    );
    assert_eq!(payload["usage"]["net_input_tokens"], 300_000);
    assert_eq!(payload["price_table_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_call_that_does_not_fit_is_refused_with_a_cheaper_model() {
    let maestro = capped(r#", "per_pull_request": "1""#);
    let _first = ticket(&maestro, "0.9");
    let more = [
        "--pr",
        "7",
        "--input-tokens",
        "100000",
        "--output-tokens",
        "1000",
    ];
    let args = [
        &[
            "budget",
            "reserve",
            "--provider",
            "anthropic",
            "--model",
            "claude-opus-4-5",
        ][..],
        &more,
    ]
    .concat();
    let refused = maestro.run(&args).exits_with(11);
    assert_eq!(refused.stdout, "");
    let _ = refused.says("the pull request may cost $1; $0.9 is spent or put aside");
    // With a little more room a cheaper model would do.
    let maestro = capped(r#", "per_pull_request": "0.9""#);
    let args = [
        &[
            "budget",
            "reserve",
            "--provider",
            "anthropic",
            "--model",
            "claude-opus-4-5",
            "--format",
            "json",
        ][..],
        &more,
    ]
    .concat();
    let refused = maestro.run(&args).exits_with(11).says("with `claude-");
    let document: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(
        (&document["is_granted"], &document["ticket"]),
        (&json!(false), &Value::Null)
    );
    assert!(document["cheaper"]["saves_usd"].is_string(), "{document}");
}

#[test]
fn a_pull_request_does_not_raise_its_own_cap() {
    let maestro = capped(r#", "per_pull_request": "1""#);
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    maestro.git(&["remote", "add", "origin", "remote.git"]);
    maestro.git(&["push", "--quiet", "origin", "main"]);
    maestro.git(&["fetch", "--quiet", "origin"]);
    maestro.git(&["checkout", "--quiet", "-b", "greedy"]);
    maestro.file(
        ".maestro/ci_budget.json",
        r#"{"schema": "maestro.ci-budget/v1", "per_pull_request": "1000"}"#,
    );
    maestro.commit("Help yourself");
    let _ = maestro
        .run(reserve(&["--pr", "7", "--worst-usd", "2"]))
        .exits_with(11)
        .says("may cost $1;");
}

#[test]
fn all_caps_hold() {
    let maestro = capped(r#", "per_call": "0.5", "per_task": "0.8", "per_month": "1.5""#);
    let ask = |pr: &str, task: &str, worst: &str, code: i32, words: &str| {
        let args = reserve(&["--pr", pr, "--task", task, "--worst-usd", worst]);
        let _ = maestro.run(args).exits_with(code).says(words);
    };
    ask("1", "t", "0.6", 11, "a call may cost $0.5");
    ask("1", "t", "0.5", 0, "");
    ask("1", "t", "0.4", 11, "the task `t` may cost $0.8");
    ask("1", "u", "0.5", 0, "");
    ask("2", "t", "0.5", 0, "");
    ask("3", "v", "0.000000000001", 11, "the month may cost $1.5");
}

#[test]
fn a_ticket_that_nobody_settles_is_charged_whole() {
    let maestro = capped("").env("MAESTRO_NOW", "2026-01-05T09:00:00Z");
    let _lost = ticket(&maestro, "2");
    let maestro = maestro.env("MAESTRO_NOW", "2026-01-05T10:00:01Z");
    let next = ticket(&maestro, "1");
    let status = status(&maestro, &["--pr", "7"]);
    assert_eq!(
        (
            &status["total"]["usd"],
            &status["total"]["unknown_usd"],
            &status["put_aside_usd"]
        ),
        (&json!("2"), &json!("2"), &json!("1"))
    );
    let unsent = ["budget", "settle", "--reservation", &next, "--unsent"];
    assert_eq!(maestro.json(&unsent)["status"], "unsent");
    let events = events(&maestro);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["payload"]["status"], "unknown");
}

#[test]
fn alerts_are_told_once_and_an_overshoot_stops_the_run() {
    let maestro = capped(r#", "per_pull_request": "1""#);
    let settle = |tokens: u64, worst: &str| {
        let ticket = ticket(&maestro, worst);
        maestro.file("a.json", answer(tokens, "m"));
        let run = maestro.run([
            "budget",
            "settle",
            "--reservation",
            &ticket,
            "--body",
            "a.json",
        ]);
        run.success().stderr
    };
    assert!(!settle(700_000, "0.7").contains('%'));
    let told = settle(100_000, "0.1");
    assert!(
        told.contains("the pull request has spent 80 % of what it may cost; with `claude-"),
        "{told}"
    );
    assert!(!settle(50_000, "0.1").contains('%'));
    let told = settle(110_000, "0.1");
    assert!(
        told.contains("95 %") && told.contains("$0.01 above what was put aside (overshoot)"),
        "{told}"
    );
    let _ = maestro
        .run(reserve(&["--pr", "7", "--worst-usd", "0.001"]))
        .exits_with(11)
        .says("did cost $0.01 more than was put aside");
    assert_eq!(status(&maestro, &[])["total"]["overshoot_usd"], "0.01");
}

#[test]
fn a_cap_below_what_is_spent_stops_everything() {
    let maestro = capped("");
    let ticket = ticket(&maestro, "5");
    maestro.file("a.json", answer(5_000_000, "m"));
    let _ = maestro
        .run([
            "budget",
            "settle",
            "--reservation",
            &ticket,
            "--body",
            "a.json",
        ])
        .success();
    maestro.run(["budget", "set", "--per-pr", "2"]).success();
    maestro.commit("Save");
    let _ = maestro
        .run(reserve(&["--pr", "7", "--worst-usd", "0"]))
        .exits_with(11)
        .says("may cost $2; $5 is spent");
}

#[test]
fn bad_input_is_refused_and_nothing_is_spent() {
    let maestro = capped("");
    let fails = |args: Vec<&str>, code: i32, words: &str| {
        let _ = maestro.run(args).exits_with(code).says(words);
    };
    fails(reserve(&["--worst-usd=-1"]), 2, "negative");
    fails(
        reserve(&["--worst-usd", "1e40"]),
        2,
        "more than can be counted",
    );
    fails(reserve(&["--worst-usd", "1 EUR"]), 2, "no decimal number");
    fails(reserve(&["--worst-usd", "0.0000000000001"]), 2, "12 places");
    fails(
        reserve(&["--worst-usd", "100000000000000000000000000"]),
        11,
        "",
    );
    fails(
        vec![
            "budget",
            "reserve",
            "--provider",
            "anthropic",
            "--model",
            "claude-9",
            "--input-tokens",
            "1",
            "--output-tokens",
            "1",
        ],
        65,
        "no model `claude-9`",
    );
    maestro.file("r.json", r#"{"messages": []}"#);
    fails(reserve(&["--body", "r.json"]), 65, "`max_tokens`");
    maestro.file("a.json", "{}");
    let ticket = ticket(&maestro, "1");
    let settle = |more: &[&'static str]| {
        let args: Vec<String> = ["budget", "settle", "--reservation", &ticket]
            .iter()
            .chain(more)
            .map(|arg| (*arg).to_owned())
            .collect();
        maestro.run(args)
    };
    let _ = settle(&["--body", "a.json"])
        .exits_with(65)
        .says("--unknown");
    let _ = settle(&[]).exits_with(2).says("--body");
    fails(
        vec!["budget", "settle", "--reservation", "other-1", "--unknown"],
        66,
        "no ticket of this purse",
    );
    fails(vec!["budget", "set", "--per-pr=-1"], 2, "negative");
    fails(vec!["budget", "set", "--alerts", "0"], 78, "no share");
    fails(vec!["budget", "set"], 2, "nothing is to be changed");
    fails(
        vec!["budget", "status", "--month", "2026-13"],
        2,
        "no month",
    );
    let found = status(&maestro, &[]);
    assert_eq!(
        (&found["total"]["usd"], &found["put_aside_usd"]),
        (&json!("0"), &json!("1"))
    );
    // A budget that is not understood grants nothing.
    maestro.file(
        ".maestro/ci_budget.json",
        r#"{"schema": "maestro.ci-budget/v1", "per_month": "5 EUR"}"#,
    );
    maestro.commit("Other money");
    fails(reserve(&["--worst-usd", "1"]), 78, "no decimal number");
}

#[test]
fn set_edits_the_file_and_says_so_before() {
    let maestro = capped(r#", "per_month": "200.00""#);
    let before = fs::read(maestro.path(".maestro/ci_budget.json")).unwrap();
    let args = ["budget", "set", "--per-pr", "5", "--per-month", "none"];
    let document = maestro.json(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(document["after"]["per_month"], Value::Null);
    assert_eq!(
        fs::read(maestro.path(".maestro/ci_budget.json")).unwrap(),
        before
    );
    maestro.run(args).success();
    let after = fs::read_to_string(maestro.path(".maestro/ci_budget.json")).unwrap();
    assert_eq!(
        after,
        "{\n  \"schema\": \"maestro.ci-budget/v1\",\n  \"per_pull_request\": \"5\"\n}\n"
    );
    assert_eq!(maestro.json(&args)["is_changed"], false);
}

#[test]
fn a_dry_run_writes_nothing() {
    let maestro = capped("");
    let args = reserve(&["--worst-usd", "1", "--dry-run"]);
    assert!(maestro.run(args).success().stdout.contains("It fits"));
    assert!(!maestro.path(".git/maestro/purse").exists());
    let too_much = reserve(&["--worst-usd", "11", "--dry-run"]);
    let _ = maestro
        .run(too_much)
        .exits_with(11)
        .says("$11 more is asked for");
}

#[test]
fn what_nobody_could_price_is_unpriced() {
    let maestro = capped("");
    let payload = r#"{"status":"unpriced","provider":"copilot","model":"seat","source":"seats"}"#;
    maestro.file(".git/maestro/outbox/x.ndjson", line("spend", payload));
    let document = status(&maestro, &[]);
    assert_eq!(
        (&document["total"]["usd"], &document["total"]["unpriced"]),
        (&Value::Null, &json!(1))
    );
    let text = maestro.run(["budget", "status"]).success().stdout;
    assert!(
        text.contains("2026-01: unpriced in 1 call") && !text.contains("$0 "),
        "{text}"
    );
}

/// Writes an event as this program would.
fn line(kind: &str, payload: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in ["maestro.event/v1", kind, "1", "1", "j", payload] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let id: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{{\"schema\":\"maestro.event/v1\",\"kind\":\"{kind}\",\"id\":\"{id}\",\"at\":\"2026-01-02T00:00:00Z\",\"run\":\"1\",\"attempt\":1,\"job\":\"j\",\"commit\":\"\",\"branch\":\"\",\"payload\":{payload}}}\n"
    )
}

#[test]
fn a_forecast_goes_on_as_the_days_did() {
    let mut maestro = capped(r#", "per_month": "20""#);
    let nothing = maestro.run(["budget", "forecast"]).success();
    assert!(
        nothing.stdout.contains("nothing can be said") && !nothing.stdout.contains("ten"),
        "{}",
        nothing.stdout
    );
    for day in ["01", "02", "03", "04", "05"] {
        maestro = maestro.env("MAESTRO_NOW", format!("2026-01-{day}T09:00:00Z"));
        let ticket = ticket(&maestro, "1");
        maestro.file("a.json", answer(1_000_000, day));
        maestro
            .run([
                "budget",
                "settle",
                "--reservation",
                &ticket,
                "--body",
                "a.json",
            ])
            .success();
    }
    let document = maestro.json(&["budget", "forecast"]);
    assert_eq!(
        (
            &document["so_far_usd"],
            &document["median_usd"],
            &document["low_usd"],
            &document["high_usd"]
        ),
        (&json!("5"), &json!("31"), &json!("31"), &json!("31"))
    );
    assert_eq!(
        (
            &document["days_seen"],
            &document["days_left"],
            &document["is_above_cap"]
        ),
        (&json!(4), &json!(26), &json!(true))
    );
}
