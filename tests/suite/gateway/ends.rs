//! How calls end: what nobody knows the bill of is charged whole, and what was not begun is not.

use serde_json::{Value, json};

use super::client::{Site, cost, request};
use super::provider::{Play, Provider, message, message_events};

const MESSAGES: &str = "/v1/messages";

/// Asks once; returns what the client got and the bill.
fn bill_of(play: Play, streams: bool) -> (u16, bool, Value) {
    let site = Site::new(Provider::always(play));
    let gateway = site.serve(&[]);
    let came = gateway.post(MESSAGES, &request(MESSAGES, 1_000, streams));
    let (_, bill) = gateway.end();
    (came.status, came.is_whole, bill)
}

fn usd(bill: &Value, field: &str) -> f64 {
    bill[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_stream_that_breaks_is_charged_whole() {
    let events = message_events(100, 7);
    for cut in [0, 1, 3, 5] {
        let (status, is_whole, bill) = bill_of(Play::events(&events).cut_after(cut), true);
        assert_eq!(status, 200);
        assert!(!is_whole, "the client must see that something is missing");
        assert_eq!(bill["unknown_calls"], 1, "{cut}");
        // All that was put aside: 1,000 tokens of output and more.
        assert!(usd(&bill, "unknown_usd") > 0.002);
    }
}

#[test]
fn a_stream_that_ends_without_its_last_word_is_charged_whole() {
    let events = message_events(100, 7);
    let (_, is_whole, bill) = bill_of(Play::events(&events[..5]), true);
    assert!(is_whole);
    assert_eq!(bill["unknown_calls"], 1);
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    let (_, _, bill) = bill_of(Play::events(&[events[0].clone(), error.to_owned()]), true);
    assert_eq!(bill["unknown_calls"], 1);
}

#[test]
fn a_stream_that_breaks_after_its_last_word_is_known() {
    let events = message_events(100, 7);
    let (_, _, bill) = bill_of(Play::events(&events).cut_after(6), true);
    assert_eq!(
        (&bill["unknown_calls"], &bill["total_usd"]),
        (&json!(0), &json!(cost(100, 7)))
    );
}

#[test]
fn a_client_that_hangs_up_is_charged_whole() {
    let play = Play::events(&message_events(100, 7)).waits_after(2);
    let site = Site::new(Provider::always(play));
    let gateway = site.serve(&[]);
    let mut arriving = gateway.begin_post(MESSAGES, &request(MESSAGES, 1_000, true));
    assert_eq!(arriving.head().0, 200);
    assert!(arriving.chunk().is_some());
    drop(arriving);
    let (_, bill) = gateway.end();
    site.provider.go_on();
    assert_eq!(bill["unknown_calls"], 1);
    assert!(usd(&bill, "unknown_usd") > 0.002);
}

#[test]
fn errors_are_passed_on_and_cost_what_they_say() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "later"}});
    for (status, unknown) in [
        (400, 0),
        (429, 0),
        (503, 0),
        (500, 1),
        (529, 0),
        (408, 1),
        (502, 1),
        (504, 1),
    ] {
        let (came, _, bill) = bill_of(Play::json(status, &error), false);
        assert_eq!((came, &bill["unknown_calls"]), (status, &json!(unknown)));
        assert_eq!(bill["free"], json!(1 - unknown));
    }
    // An answer that says nothing of what it used is charged whole.
    let (_, _, bill) = bill_of(Play::json(200, &json!({"model": "m"})), false);
    assert_eq!(bill["unknown_calls"], 1);
}

#[test]
fn a_provider_that_is_not_there_costs_nothing() {
    let site = Site::new(Provider::always(Play::json(200, &message(1, 1))));
    let gateway = site.serve(&["--upstream", "anthropic=http://127.0.0.1:1"]);
    let came = gateway.post(MESSAGES, &request(MESSAGES, 1_000, true));
    assert_eq!(came.status, 502);
    assert!(came.text().contains("cannot be reached"), "{}", came.text());
    let (code, bill) = gateway.end();
    assert_eq!(
        (code, &bill["total_usd"], &bill["free"]),
        (0, &json!("0"), &json!(1))
    );
}

#[test]
fn calls_under_way_have_a_while_when_it_ends() {
    let play = Play::events(&message_events(100, 7)).waits_after(2);
    let site = Site::new(Provider::always(play));
    let gateway = site.serve(&[]);
    let arriving = gateway.begin_post(MESSAGES, &request(MESSAGES, 1_000, true));
    site.provider.wait();
    let asked = std::process::Command::new("kill")
        .args(["-TERM", &gateway.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    site.provider.go_on();
    let came = arriving.whole();
    assert_eq!(
        (came.text(), came.is_whole),
        (message_events(100, 7).concat(), true)
    );
    assert_eq!(gateway.wait().1["total_usd"], json!(cost(100, 7)));
}

#[test]
fn a_gateway_that_is_killed_has_put_everything_aside() {
    let play = Play::events(&message_events(100, 7)).waits_after(2);
    let site = Site::new(Provider::always(play));
    let gateway = site.serve(&[]);
    let mut arriving = gateway.begin_post(MESSAGES, &request(MESSAGES, 2_000_000, true));
    assert_eq!(arriving.head().0, 200);
    gateway.kill();
    site.provider.go_on();
    // Four of the ten dollars of the run are gone with it, so that seven are too many.
    let gateway = site.serve(&[]);
    let came = gateway.post(MESSAGES, &request(MESSAGES, 3_500_000, false));
    let body = site.provider.asked().last().unwrap().body.clone().unwrap();
    assert_eq!(came.status, 200);
    let limit = body["max_tokens"].as_u64().unwrap();
    assert!((2_900_000..3_000_000).contains(&limit), "{limit}");
    let _ = gateway.end();
}
