//! `maestro gateway`, with real connections to a provider on this machine.

mod client;
mod door;
mod ends;
mod money;
pub(crate) mod provider;

use serde_json::{Value, json};

use client::{KEY, Site, cost, request};
use provider::{
    Play, Provider, completion, completion_events, message, message_events, response,
    response_events,
};

/// Each protocol: its path, an answer whole, and the same as a stream.
fn protocols() -> [(&'static str, Value, Vec<String>); 3] {
    [
        ("/v1/messages", message(100, 7), message_events(100, 7)),
        (
            "/v1/chat/completions",
            completion(100, 7),
            completion_events(100, 7),
        ),
        ("/v1/responses", response(100, 7), response_events(100, 7)),
    ]
}

#[test]
fn every_protocol_is_metered_whole() {
    for (path, answer, _) in protocols() {
        let site = Site::new(Provider::always(Play::json(200, &answer)));
        let gateway = site.serve(&[]);
        let body = request(path, 50, false);
        let came = gateway.post(path, &body);
        assert_eq!(
            (came.status, came.text()),
            (200, answer.to_string()),
            "{path}"
        );
        assert!(came.head.contains("request-id: r-1"), "{}", came.head);
        let (code, bill) = gateway.end();
        assert_eq!(
            (code, &bill["total_usd"]),
            (0, &json!(cost(100, 7))),
            "{path}"
        );
        assert_eq!(bill["models"][0]["output_tokens"], 7);
        // What the client wrote is what the provider got.
        assert_eq!(site.provider.asked()[0].body, Some(body));
    }
}

#[test]
fn every_protocol_is_metered_as_a_stream_which_stays_as_it_is() {
    for (path, _, events) in protocols() {
        let site = Site::new(Provider::always(Play::events(&events)));
        let gateway = site.serve(&[]);
        let mut body = request(path, 50, true);
        if path == "/v1/chat/completions" {
            body["stream_options"] = json!({"include_usage": true});
        }
        let came = gateway.post(path, &body);
        assert_eq!((came.status, came.text()), (200, events.concat()), "{path}");
        assert!(came.is_whole);
        let (_, bill) = gateway.end();
        assert_eq!(bill["total_usd"], json!(cost(100, 7)), "{path}");
        assert_eq!(bill["unknown_calls"], 0);
    }
}

#[test]
fn a_stream_is_passed_on_as_it_comes() {
    let events = message_events(100, 7);
    let play = Play::events(&events).waits_after(3);
    let site = Site::new(Provider::always(play));
    let gateway = site.serve(&[]);
    let mut arriving = gateway.begin_post("/v1/messages", &request("/v1/messages", 50, true));
    assert_eq!(arriving.head().0, 200);
    let mut seen = Vec::new();
    // The provider waits until we have seen all that it has said so far.
    while seen.len() < events[..3].concat().len() {
        seen.extend(arriving.chunk().unwrap());
    }
    assert_eq!(String::from_utf8(seen).unwrap(), events[..3].concat());
    site.provider.go_on();
    let mut rest = Vec::new();
    while let Some(chunk) = arriving.chunk().filter(|chunk| !chunk.is_empty()) {
        rest.extend(chunk);
    }
    assert_eq!(String::from_utf8(rest).unwrap(), events[3..].concat());
    assert_eq!(gateway.end().1["total_usd"], json!(cost(100, 7)));
}

#[test]
fn a_chat_stream_is_asked_for_its_usage_and_the_client_does_not_see_it() {
    let site = Site::new(Provider::always(Play::events(&completion_events(100, 7))));
    let gateway = site.serve(&[]);
    let path = "/v1/chat/completions";
    let came = gateway.post(path, &request(path, 50, true));
    let mut expected = completion_events(100, 7);
    expected.remove(2);
    assert_eq!(came.text(), expected.concat());
    assert_eq!(gateway.end().1["total_usd"], json!(cost(100, 7)));
    let asked = site.provider.asked()[0].body.clone().unwrap();
    assert_eq!(asked["stream_options"], json!({"include_usage": true}));
}

#[test]
fn embeddings_are_metered() {
    let body = json!({"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}});
    let site = Site::new(Provider::always(Play::json(200, &body)));
    let gateway = site.serve(&[]);
    let came = gateway.post("/v1/embeddings", &json!({"model": "m", "input": "x"}));
    assert_eq!(came.status, 200);
    assert_eq!(gateway.end().1["total_usd"], json!(cost(5, 0)));
}

#[test]
fn a_command_gets_the_address_and_a_token_and_its_exit_code_is_passed_on() {
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    let script = "env; echo \"$ANTHROPIC_BASE_URL\" | grep -q '^http://127.0.0.1:' && [ ${#ANTHROPIC_API_KEY} = 64 ] && [ \"$OPENAI_BASE_URL\" = \"$ANTHROPIC_BASE_URL/v1\" ] && exit 7";
    let run = site
        .maestro
        .run(site.args(&["--", "sh", "-c", script]))
        .exits_with(7);
    assert!(!run.stdout.contains(KEY), "{}", run.stdout);
    assert!(!run.stderr.contains(KEY), "{}", run.stderr);
    assert!(run.stderr.contains("0 calls, $0"), "{}", run.stderr);
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    let run = site
        .maestro
        .run(site.args(&["--", "sh", "-c", "kill -9 $$"]));
    assert_eq!(run.code, 128 + 9, "{}", run.stderr);
    let missing = site.maestro.run(site.args(&["--", "no-such-program"]));
    let _ = missing.exits_with(66).says("cannot run `no-such-program`");
}

#[test]
fn what_goes_through_is_recorded_without_secrets() {
    let mut answer = message(100, 7);
    answer["content"][0]["text"] = json!(format!("your key is {KEY}"));
    let site = Site::new(Provider::always(Play::json(200, &answer)));
    let gateway = site.serve(&["--record", "tapes"]);
    let mut body = request("/v1/messages", 50, false);
    body["messages"][0]["content"] = json!("ghp_0123456789abcdefghijABCDEFGHIJ012345");
    let came = gateway.post("/v1/messages", &body);
    // Not even a provider that says it lets a client see the key.
    assert!(!came.text().contains(KEY) && came.text().contains("your key is [redacted]"));
    let token = gateway.token.clone();
    let _ = gateway.end();
    let files = crate::harness::files_below(&site.maestro.path("tapes"));
    assert_eq!(files.len(), 1);
    let tape = std::fs::read_to_string(&files[0]).unwrap();
    let cassette: Value = serde_json::from_str(&tape).unwrap();
    assert_eq!(cassette["schema"], "maestro.cassette/v1");
    assert_eq!(cassette["response"]["status"], 200);
    assert_eq!(cassette["silence"], Value::Null);
    assert_eq!(cassette["request"]["max_tokens"], 50);
    for secret in [KEY, "ghp_0123", token.as_str()] {
        assert!(!tape.contains(secret), "{secret}");
    }
}
