//! `maestro budget import`.

use std::fs;

use serde_json::{Value, json};

use crate::harness::Maestro;

fn import(maestro: &Maestro, more: &[&str]) -> Value {
    maestro.json(&[&["budget", "import"], more].concat())
}

/// Returns the payloads of all `spend` events that are stored.
fn stored(maestro: &Maestro) -> Vec<Value> {
    let _ = maestro.run(["state", "pack", "all.ndjson"]).success();
    let text = fs::read_to_string(maestro.path("all.ndjson")).unwrap();
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let spend = events.filter(|event| event["kind"] == "spend");
    spend.map(|event| event["payload"].clone()).collect()
}

/// A result of Claude Code with two models, of which one has no price.
fn execution() -> String {
    let counts = |input: u64| json!({"inputTokens": input, "outputTokens": 0, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0, "webSearchRequests": 0, "costUSD": 2.5});
    let result = json!({"type": "result", "session_id": "s-1", "total_cost_usd": 5, "usage": {"input_tokens": 1, "output_tokens": 0},
        "modelUsage": {"claude-sonnet-4-6": counts(1_000_000), "claude-unheard-of": counts(7)}});
    json!([{"type": "system", "subtype": "init", "session_id": "s-1", "model": "claude-sonnet-4-6"}, result]).to_string()
}

#[test]
fn a_session_is_priced_by_model_and_read_twice_is_there_once() {
    let maestro = Maestro::in_repo();
    maestro.file("e.json", execution());
    let args = [
        "--claude-execution",
        "e.json",
        "--pr",
        "7",
        "--at",
        "2026-06-01T00:00:00Z",
    ];
    let dry = import(&maestro, &[&args[..], &["--dry-run"]].concat());
    assert_eq!((&dry["added"], stored(&maestro).len()), (&json!(2), 0));
    let first = import(&maestro, &args);
    assert_eq!(
        (
            &first["added"],
            &first["unpriced"],
            &first["priced_usd"],
            &first["reported_usd"]
        ),
        (&json!(2), &json!(1), &json!("3"), &json!("5"))
    );
    let second = import(&maestro, &args);
    assert_eq!((&second["added"], &second["known"]), (&json!(0), &json!(2)));
    // Later, with other prices, and without the pull request: still the same call.
    let third = import(
        &maestro,
        &[
            "--claude-execution",
            "e.json",
            "--at",
            "2026-11-01T00:00:00Z",
            "--seat",
        ],
    );
    assert_eq!(third["added"], 0);
    let rows = stored(&maestro);
    assert_eq!(rows.len(), 2);
    let of = |model: &str| rows.iter().find(|row| row["model"] == model).unwrap();
    let priced = of("claude-sonnet-4-6");
    assert_eq!(
        (
            &priced["status"],
            &priced["usd"],
            &priced["reported_usd"],
            &priced["pull_request"]
        ),
        (&json!("settled"), &json!("3"), &json!("2.5"), &json!(7))
    );
    let unpriced = of("claude-unheard-of");
    assert_eq!(
        (
            &unpriced["status"],
            unpriced.get("usd"),
            &unpriced["reported_usd"]
        ),
        (&json!("unpriced"), None, &json!("2.5"))
    );
}

#[test]
fn a_thread_of_codex_that_goes_on_is_counted_once() {
    let maestro = Maestro::in_repo();
    let turn = |input: u64| json!({"type": "turn.completed", "usage": {"input_tokens": input, "cached_input_tokens": 0, "output_tokens": 0}});
    let start = json!({"type": "thread.started", "thread_id": "t-1"});
    maestro.file("a.ndjson", format!("{start}\n{}\n", turn(1_000_000)));
    maestro.file("b.ndjson", format!("{start}\n{}\n", turn(1_500_000)));
    let taken = |file: &str| {
        import(
            &maestro,
            &[
                "--codex",
                file,
                "--model",
                "gpt-5.4",
                "--at",
                "2026-06-01T00:00:00Z",
            ],
        )["priced_usd"]
            .clone()
    };
    // The second file goes on from the first: of its tokens a third are new, and they are not enough for the price of a long request.
    assert_eq!(
        (taken("a.ndjson"), taken("b.ndjson")),
        (json!("5"), json!("2.5"))
    );
    let nameless = import(&maestro, &["--codex", "a.ndjson"]);
    assert_eq!(nameless["rows"][0]["usd"], Value::Null);
    assert_eq!(nameless["rows"][0]["why"], "nobody says which model it was");
}

#[test]
fn records_of_the_firewall_are_priced_and_seats_are_not() {
    let maestro = Maestro::in_repo();
    let record = |id: &str, provider: &str, model: &str| {
        json!({"_schema": "token-usage/v0.26.0", "timestamp": "2026-05-01T10:00:00Z", "event": "token_usage", "request_id": id, "provider": provider, "model": model,
            "path": if provider == "anthropic" { "/v1/messages" } else { "/chat/completions" }, "status": 200, "streaming": true,
            "input_tokens": 1_000_000, "output_tokens": 0, "cache_read_tokens": 400_000, "cache_write_tokens": 0, "duration_ms": 1, "ai_credits_this_response": 150})
    };
    let pooled = json!({"run_id": 9, "created_at": "2026-05-01T10:00:00Z", "models": ["claude-sonnet-4-6", "claude-opus-5"], "providers": ["anthropic"],
        "input_tokens": 5, "output_tokens": 5, "cache_read_tokens": 900, "cost_usd": 0.75});
    let lines = [
        record("r-1", "anthropic", "claude-haiku-4-5"),
        record("r-2", "openai", "gpt-5-mini"),
        record("r-3", "copilot", "gpt-5-mini"),
        pooled,
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    maestro.file("t.jsonl", text.join("\n"));
    let document = import(&maestro, &["--gh-aw", "t.jsonl"]);
    let rows = document["rows"].as_array().unwrap();
    // $1 a million and $0.10 of the cache, which Anthropic does not count as input; $0.25 and $0.025, where it is a part of the input.
    assert_eq!(
        (&rows[0]["usd"], &rows[1]["usd"]),
        (&json!("1.04"), &json!("0.16"))
    );
    assert_eq!(
        (&rows[0]["reported_usd"], &rows[2]["why"]),
        (&json!("1.5"), &json!("a seat pays for it"))
    );
    assert_eq!(
        (&rows[3]["model"], &rows[3]["usd"]),
        (&json!("claude-sonnet-4-6 + claude-opus-5"), &Value::Null)
    );
    assert_eq!(
        (&document["added"], &document["unpriced"]),
        (&json!(4), &json!(2))
    );
}

#[test]
fn what_is_no_such_file_is_refused_and_nothing_is_written() {
    let maestro = Maestro::in_repo();
    for (flag, text, words) in [
        ("--claude-execution", "{", "line 1"),
        ("--claude-execution", "[]", "says nothing of what was used"),
        (
            "--codex",
            "{\"type\": \"turn.completed\", \"usage\": {\"input_tokens\": 1, \"cached_input_tokens\": 2, \"output_tokens\": 0}}",
            "line 1: ",
        ),
        (
            "--gh-aw",
            "{\"input_tokens\": -5, \"output_tokens\": 1}",
            "line 1: ",
        ),
        (
            "--gh-aw",
            "{\"input_tokens\": 5, \"output_tokens\": 1, \"cost_usd\": -0.5}",
            "`-0.5` is negative",
        ),
    ] {
        maestro.file("f", text);
        let _ = maestro
            .run(["budget", "import", flag, "f"])
            .exits_with(65)
            .says(words);
    }
    assert_eq!(stored(&maestro), Vec::<Value>::new());
}
