//! `maestro budget call`, against a server that answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::harness::{Maestro, files_below};

/// Who must not appear anywhere.
const KEY: &str = "sk-canary-abcdefghijklmnopqrstuvwxyz0123456789";

/// Answers one request after the other, each over a connection of its own; returns its address, and what was asked.
fn server(answers: Vec<(u16, &'static str, String)>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, heard) = channel();
    std::thread::spawn(move || {
        for (status, kind, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = String::new();
            while !lines.ends_with("\r\n\r\n") {
                reader.read_line(&mut lines).unwrap();
            }
            let length = lines
                .to_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
            let mut content = vec![0; length];
            reader.read_exact(&mut content).unwrap();
            let _listened = asked.send(format!("{lines}{}", String::from_utf8(content).unwrap()));
            let length = body.len();
            let _written = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    (address, heard)
}

fn answer(model: &str) -> (u16, &'static str, String) {
    let body = json!({"id": "a1", "model": model, "choices": [{"message": {"content": format!("It is {KEY}.")}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100}});
    (200, "application/json", body.to_string())
}

fn machine() -> Maestro {
    let maestro = Maestro::in_folder().env("MY_KEY", KEY);
    maestro.file("prompt.txt", "Say something.\n");
    maestro
}

fn call<'a>(base: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "budget",
        "call",
        "--provider",
        "openai",
        "--api-flavor",
        "chat",
        "--base-url",
        base,
        "--model",
        "gpt-5-mini",
        "--prompt-file",
        "prompt.txt",
        "--max-tokens",
        "200",
        "--format",
        "json",
    ];
    [&args, more].concat()
}

#[test]
fn an_answer_has_its_bill() {
    let (base, heard) = server(vec![answer("gpt-5-mini-2025-08-07")]);
    let maestro = machine();
    let document = maestro.json(&call(&base, &["--max-usd", "0.01"]));
    // 1,000 at $0.25 and 100 at $2 a million.
    assert_eq!(document["bill_usd"], "0.00045");
    assert_eq!(
        (&document["stop"], &document["attempts"]),
        (&json!("end"), &json!(1))
    );
    let request = heard.recv().unwrap();
    assert!(
        request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{request}"
    );
    // Nobody named a key for this server.
    assert!(!request.to_lowercase().contains("authorization"));
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let (base, heard) = server(vec![answer("gpt-5-mini")]);
    let maestro = machine();
    let run = maestro
        .run(call(&base, &["--max-usd", "0.0000001"]))
        .exits_with(11);
    run.says("may cost");
    let run = maestro.run(call(&base, &["--model", "no-such-model"]));
    assert_eq!(run.code, 65, "{}", run.stderr);
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_key_goes_where_it_is_named_for_and_is_kept_nowhere() {
    let events = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"It is sk-canary-abcdefgh\"}}]}\n\n\
         data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ijklmnopqrstuvwxyz0123456789\"},\"finish_reason\":\"stop\"}]}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let refusal = (
        429,
        "application/json",
        json!({"error": {"message": format!("not with {KEY}")}}).to_string(),
    );
    let (base, heard) = server(vec![refusal, (200, "text/event-stream", events.to_owned())]);
    let maestro = machine();
    let options = ["--key-env", "MY_KEY", "--stream"];
    let recorded = maestro
        .run(call(
            &base,
            &[&options[..], &["--record", "tapes"]].concat(),
        ))
        .success();
    assert!(!recorded.stderr.contains(KEY), "{}", recorded.stderr);
    let request = heard.recv().unwrap();
    assert!(
        request.contains(&format!("authorization: Bearer {KEY}\r\n")),
        "{request}"
    );
    let tapes = files_below(&maestro.path("tapes"));
    assert_eq!(tapes.len(), 2);
    for tape in tapes {
        let text = std::fs::read_to_string(&tape).unwrap();
        assert!(!text.contains("canary"), "{text}");
    }
    // The server is gone.
    let played = maestro.json(&call(&base, &["--stream", "--replay", "tapes"]));
    assert_eq!(
        (&played["is_replayed"], &played["attempts"]),
        (&json!(true), &json!(2))
    );
    assert!(
        played["text"]
            .as_str()
            .unwrap()
            .starts_with("It is [redacted:")
    );
    let other = maestro
        .run(call(
            &base,
            &["--stream", "--replay", "tapes", "--max-tokens", "7"],
        ))
        .exits_with(66);
    other.says("no exchange with this request is recorded");
}

#[test]
fn nothing_follows_elsewhere_and_nothing_goes_in_the_clear() {
    let (base, heard) = server(vec![(307, "text/plain", String::new())]);
    let maestro = machine();
    let run = maestro
        .run(call(&base, &["--key-env", "MY_KEY"]))
        .exits_with(69);
    run.says("the provider answered 307");
    assert!(heard.recv().is_ok() && heard.recv().is_err());
    maestro
        .run(call("http://models.example", &[]))
        .exits_with(2)
        .says("can be read on the way");
    maestro
        .run(call("https://a:hunter22@models.example", &[]))
        .exits_with(2)
        .says("a name or password in it");
    let run = maestro
        .run(call(&base, &["--key-env", "NO_SUCH_KEY"]))
        .exits_with(77);
    run.says("`NO_SUCH_KEY` is not set");
    let own = [
        "budget",
        "call",
        "--provider",
        "anthropic",
        "--model",
        "claude-haiku-4-5",
        "--prompt-file",
        "prompt.txt",
    ];
    maestro
        .run(own)
        .exits_with(77)
        .says("`ANTHROPIC_API_KEY` is not set");
}

#[test]
fn a_stream_that_is_cut_off_is_charged_and_asked_for_again() {
    let half = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"},\"finish_reason\":\"stop\"}]}\n\n";
    let (base, _heard) = server(vec![
        (200, "text/event-stream", half.to_owned()),
        answer("gpt-5-mini"),
    ]);
    let maestro = machine();
    let document = maestro.json(&call(&base, &["--stream", "--max-usd", "1"]));
    assert_eq!(document["attempts"], 2);
    assert_eq!(document["unknown_usd"], document["worst_usd"]);
    let (base, _heard) = server(vec![
        (200, "text/event-stream", half.to_owned()),
        answer("gpt-5-mini"),
    ]);
    let plan = maestro.json(&call(&base, &["--stream", "--dry-run"]));
    let worst = plan["worst_usd"].as_str().unwrap();
    // There is money for one attempt.
    maestro
        .run(call(&base, &["--stream", "--max-usd", worst]))
        .exits_with(11)
        .says("is spent or put aside");
}

#[test]
fn a_schema_wants_json() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let (base, heard) = server(vec![answer("gpt-5-mini")]);
    let maestro = machine();
    maestro.file("schema.json", schema.to_string());
    let run = maestro
        .run(call(&base, &["--schema", "schema.json"]))
        .exits_with(65);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&document["json"], &document["bill_usd"]),
        (&Value::Null, &json!("0.00045"))
    );
    let request = heard.recv().unwrap();
    assert!(request.contains("\"strict\":true"), "{request}");
}

#[test]
fn an_answer_must_fit_its_schema() {
    let said = |text: &str| {
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
        let usage = json!({"prompt_tokens": 200, "completion_tokens": 200, "total_tokens": 400});
        let body = json!({"id": "r1", "model": "gpt-5-mini", "choices": [choice], "usage": usage});
        (200, "application/json", body.to_string())
    };
    let asked = |schema: &Value, text: &str| {
        let (base, _heard) = server(vec![said(text)]);
        let maestro = machine();
        maestro.file("schema.json", schema.to_string());
        maestro.run(call(&base, &["--schema", "schema.json"]))
    };
    let schema = json!({"type": "object", "properties": {"files": {"type": "array", "items": {"type": "string"}}}, "required": ["files"]});
    let run = asked(&schema, r#"{"files": ["a", 7]}"#).exits_with(65);
    run.says("the answer does not fit `--schema`: files[1]");
    let run = asked(&schema, r#"{"files": ["a"]}"#).success();
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&document["json"]["files"][0], &document["mismatches"]),
        (&json!("a"), &json!([]))
    );
    // What is not known here is not taken for checked.
    let other = json!({"type": "string", "format": "date"});
    asked(&other, r#""2026-13-45""#)
        .success()
        .says("was not checked");
}

#[test]
fn in_a_repository_the_purse_pays_and_its_caps_hold() {
    let (base, heard) = server(vec![answer("gpt-5-mini")]);
    let maestro = Maestro::in_repo();
    maestro.file("prompt.txt", "Say something.\n").file(
        ".maestro/ci_budget.json",
        json!({"schema": "maestro.ci-budget/v1", "per_pull_request": "0.005"}).to_string(),
    );
    maestro.commit("caps");
    let options = ["--role", "reviewer"];
    let document = maestro.json(&call(&base, &options));
    assert_eq!(document["bill_usd"], "0.00045");
    assert!(heard.recv().is_ok());
    let status = maestro
        .run(["budget", "status", "--format", "json"])
        .success();
    assert!(
        status.stdout.contains("0.00045") && status.stdout.contains("reviewer"),
        "{}",
        status.stdout
    );
    let big = call(&base, &["--max-tokens", "2400"]);
    maestro
        .run(big)
        .exits_with(11)
        .says("$0.00045 is spent or put aside");
}
