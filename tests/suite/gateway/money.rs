//! Caps: what fits is passed on, what does not is refused, and what would fit alone waits.

use std::sync::Arc;

use serde_json::json;

use super::client::{Site, cost, request};
use super::provider::{Play, Provider, completion, message, response};

const MESSAGES: &str = "/v1/messages";

/// What every request may bring besides its own bytes: see `llm::worst`.
const ROOM: f64 = 0.003;

#[test]
fn a_cap_refuses_in_words_that_agents_show_and_do_not_repeat() {
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    let gateway = site.serve(&["--max-usd", "0.001"]);
    let came = gateway.post(MESSAGES, &request(MESSAGES, 50, false));
    assert_eq!(
        (came.status, &came.json()["error"]["type"]),
        (402, &json!("billing_error"))
    );
    assert!(came.head.contains("x-should-retry: false"));
    for path in ["/v1/chat/completions", "/v1/responses"] {
        let came = gateway.post(path, &request(path, 50, false));
        assert_eq!(
            (came.status, &came.json()["error"]["code"]),
            (400, &json!("budget_reached"))
        );
        let words = came.json()["error"]["message"].to_string();
        assert!(
            words.contains("stopped by the budget: the session may cost $0.001"),
            "{words}"
        );
    }
    assert!(site.provider.asked().is_empty());
    let (code, bill) = gateway.end();
    assert_eq!(
        (code, &bill["refused"], &bill["stopped_by_budget"]),
        (11, &json!(3), &json!(true))
    );
}

#[test]
fn a_refusal_is_exit_11_whatever_the_command_makes_of_it() {
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    let ask = |end: u8| {
        let body = request(MESSAGES, 50, false);
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/${{ANTHROPIC_BASE_URL##*:}}; b='{body}'; printf 'POST {MESSAGES} HTTP/1.1\\r\\nhost: localhost\\r\\nx-api-key: %s\\r\\nconnection: close\\r\\ncontent-length: %s\\r\\n\\r\\n%s' \"$ANTHROPIC_API_KEY\" \"${{#b}}\" \"$b\" >&3; cat <&3; exit {end}"
        );
        let args = site.args(&["--max-usd", "0.001", "--", "bash", "-c", &script]);
        site.maestro.run(args)
    };
    for end in [0, 5] {
        let run = ask(end).exits_with(11);
        assert!(
            run.stdout.contains("402 Payment Required"),
            "{}",
            run.stdout
        );
        assert!(
            run.stderr
                .contains("Stopped by the budget: 1 requests refused"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn what_may_be_too_long_may_write_less() {
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    // Room for about 6,000 tokens of output.
    let most = ROOM + 6_000.0 * 2e-6;
    let gateway = site.serve(&["--max-usd", &format!("{most:.6}")]);
    let came = gateway.post(MESSAGES, &request(MESSAGES, 50_000, false));
    assert_eq!(came.status, 200, "{}", came.text());
    let body = site.provider.asked()[0].body.clone().unwrap();
    let limit = body["max_tokens"].as_u64().unwrap();
    assert!((4_096..7_000).contains(&limit), "{limit}");
    let bill = gateway.end().1;
    assert_eq!(
        (&bill["shortened"], &bill["total_usd"]),
        (&json!(1), &json!(cost(100, 7)))
    );
}

#[test]
fn what_says_nothing_gets_a_limit_where_it_needs_one() {
    for (path, field, answer) in [
        ("/v1/responses", "max_output_tokens", response(100, 7)),
        (
            "/v1/chat/completions",
            "max_completion_tokens",
            completion(100, 7),
        ),
    ] {
        let site = Site::new(Provider::always(Play::json(200, &answer)));
        let mut body = request(path, 1, false);
        for field in ["max_tokens", "max_output_tokens"] {
            body.as_object_mut().unwrap().remove(field);
        }
        let gateway = site.serve(&["--max-usd", "0.02"]);
        assert_eq!(gateway.post(path, &body).status, 200);
        let _ = gateway.end();
        // The model's own limit fits under a larger cap.
        let gateway = site.serve(&["--max-usd", "2"]);
        assert_eq!(gateway.post(path, &body).status, 200);
        let _ = gateway.end();
        let asked = site.provider.asked();
        let limit = asked[0].body.as_ref().unwrap()[field].as_u64().unwrap();
        assert!((4_096..10_000).contains(&limit), "{limit}");
        assert_eq!(asked[1].body.as_ref(), Some(&body));
    }
}

#[test]
fn a_call_that_would_fit_alone_waits_for_the_others() {
    let play = Play::json(200, &message(100, 7)).waits_after(0);
    let site = Site::new(Provider::always(play));
    // Room for one of them at a time.
    let gateway =
        Arc::new(site.serve(&["--max-usd", &format!("{:.6}", ROOM + 1.5 * 1_000.0 * 2e-6)]));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let gateway = Arc::clone(&gateway);
            std::thread::spawn(move || {
                gateway
                    .post(MESSAGES, &request(MESSAGES, 1_000, false))
                    .status
            })
        })
        .collect();
    site.provider.wait();
    assert_eq!(site.provider.asked().len(), 1);
    site.provider.go_on();
    let statuses: Vec<u16> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 200]);
    let gateway = Arc::into_inner(gateway).unwrap();
    let (code, bill) = gateway.end();
    assert_eq!(
        (code, &bill["calls"], &bill["refused"]),
        (0, &json!(3), &json!(0))
    );
}

#[test]
fn what_has_no_price_is_not_sent_under_a_cap() {
    let site = Site::new(Provider::always(Play::json(200, &message(100, 7))));
    let gateway = site.serve(&[]);
    let mut body = request(MESSAGES, 50, false);
    body["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    let came = gateway.post(MESSAGES, &body);
    assert_eq!(came.status, 400);
    assert!(
        came.text().contains("may be used without limit"),
        "{}",
        came.text()
    );
    body = request(MESSAGES, 50, false);
    body["speed"] = json!("fast");
    assert_eq!(gateway.post(MESSAGES, &body).status, 400);
    assert!(site.provider.asked().is_empty());
    // That is no reached cap.
    assert_eq!(gateway.end().0, 0);
}

#[test]
fn a_search_without_limit_is_left_out_where_a_model_can_do_without() {
    let site = Site::new(Provider::always(Play::json(200, &response(100, 7))));
    let gateway = site.serve(&[]);
    let path = "/v1/responses";
    let mut body = request(path, 50, false);
    let function = json!({"type": "function", "name": "f", "parameters": {"z": 1, "a": 2}});
    body["tools"] = json!([function, {"type": "web_search", "external_web_access": false}]);
    assert_eq!(gateway.post(path, &body).status, 200);
    let asked = site.provider.asked()[0].body.clone().unwrap();
    assert_eq!(asked["tools"], json!([function]));
    body["tools"] = json!([{"type": "code_interpreter"}]);
    assert_eq!(gateway.post(path, &body).status, 400);
    assert_eq!(gateway.end().1["without_search"], 1);
}

#[test]
fn many_calls_at_once_never_cost_more_than_the_cap() {
    let cap = 0.05;
    let billed = Arc::new(std::sync::Mutex::new(0_u64));
    let shared = Arc::clone(&billed);
    let provider = Provider::playing(move |asked| {
        let most = asked.body.as_ref().unwrap()["max_tokens"].as_u64().unwrap();
        // As much as it may, or less.
        let output = if most % 3 == 0 { most } else { most / 7 };
        let input = asked.headers["content-length"].parse::<u64>().unwrap();
        *shared.lock().unwrap() += input + 2 * output;
        Play::json(200, &message(input, output))
    });
    let site = Site::new(provider);
    let gateway = Arc::new(site.serve(&["--max-usd", &cap.to_string()]));
    let threads: Vec<_> = (0..8_u64)
        .map(|thread| {
            let gateway = Arc::clone(&gateway);
            std::thread::spawn(move || {
                for call in 0..12_u64 {
                    let most = 1 + (thread * 7919 + call * 104_729) % 3_000;
                    let came = gateway.post(MESSAGES, &request(MESSAGES, most, false));
                    assert!([200, 402].contains(&came.status), "{}", came.status);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let (code, bill) = Arc::into_inner(gateway).unwrap().end();
    let billed = *billed.lock().unwrap();
    assert!(billed <= 50_000, "{billed} micro-dollars of 50,000");
    // The bill is the provider's, to the last digit.
    let total = format!("{}.{:06}", billed / 1_000_000, billed % 1_000_000);
    assert_eq!(bill["total_usd"], json!(total.trim_end_matches('0')));
    assert_eq!((code, &bill["overshoot_usd"]), (11, &json!(null)));
}
