//! Who may come in, and what is passed on of what they say.

use serde_json::json;

use super::client::{KEY, Site, request};
use super::provider::{Play, Provider, message};

fn site() -> Site {
    Site::new(Provider::always(Play::json(200, &message(100, 7))))
}

#[test]
fn nobody_comes_in_without_the_token_or_from_elsewhere() {
    let site = site();
    let gateway = site.serve(&[]);
    let line = "POST /v1/messages";
    let body = request("/v1/messages", 50, false).to_string();
    let token = gateway.token.clone();
    let bearer = format!("Bearer {token}");
    for (headers, status) in [
        (vec![], 401),
        (vec![("x-api-key", KEY)], 401),
        (vec![("x-api-key", &token[1..])], 401),
        (vec![("x-api-key", &token), ("host", "evil.example")], 403),
        (
            vec![("x-api-key", &token), ("origin", "https://evil.example")],
            403,
        ),
        (vec![("x-api-key", token.as_str())], 200),
        (vec![("authorization", bearer.as_str())], 200),
    ] {
        let came = gateway.ask(line, &headers, &body);
        assert_eq!(came.status, status, "{headers:?}: {}", came.text());
        if status != 200 {
            assert!(came.json()["error"]["message"].is_string());
        }
    }
    assert_eq!(gateway.ask("HEAD /", &[], "").status, 200);
    assert_eq!(site.provider.asked().len(), 2);
    assert_eq!(gateway.end().1["calls"], 2);
}

#[test]
fn the_provider_gets_the_key_and_nothing_of_the_client() {
    let site = site();
    let gateway = site.serve(&[]);
    let headers = [
        ("x-api-key", gateway.token.as_str()),
        ("anthropic-beta", "b"),
        ("cookie", "c"),
        ("accept-encoding", "gzip"),
        ("x-forwarded-for", "10.0.0.1"),
        ("te", "trailers"),
    ];
    let body = request("/v1/messages", 50, false).to_string();
    let came = gateway.ask("POST /v1/messages?beta=true", &headers, &body);
    assert_eq!(came.status, 200);
    let _ = gateway.post("/v1/responses", &request("/v1/responses", 50, false));
    let asked = site.provider.asked();
    let header = |at: usize, name: &str| asked[at].headers.get(name).map(String::as_str);
    assert_eq!(asked[0].target, "/v1/messages?beta=true");
    assert_eq!(header(0, "x-api-key"), Some(KEY));
    assert_eq!(header(0, "authorization"), None);
    assert_eq!(header(0, "accept-encoding"), Some("identity"));
    assert_eq!(header(0, "anthropic-beta"), Some("b"));
    for name in ["cookie", "x-forwarded-for", "te"] {
        assert_eq!(header(0, name), None, "{name}");
    }
    assert_eq!(asked[1].target, "/v1/responses");
    assert_eq!(header(1, "authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(header(1, "x-api-key"), None);
    let _ = gateway.end();
}

#[test]
fn what_is_not_known_is_refused_and_what_is_free_is_not_charged() {
    let site = site();
    let gateway = site.serve(&[]);
    for path in [
        "/v1/batches",
        "/v1/images/generations",
        "/v1/messages/batches",
    ] {
        let came = gateway.post(path, &json!({}));
        assert_eq!(came.status, 403, "{path}");
        assert!(came.text().contains("may cost money that nobody counts"));
    }
    assert_eq!(
        gateway
            .post("/v1/messages/count_tokens", &json!({"model": "m"}))
            .status,
        200
    );
    let headers = [("x-api-key", gateway.token.as_str())];
    assert_eq!(gateway.ask("GET /v1/models", &headers, "").status, 200);
    assert_eq!(gateway.ask("GET /v1/files", &headers, "").status, 403);
    assert_eq!(site.provider.asked().len(), 2);
    let (code, bill) = gateway.end();
    assert_eq!(
        (
            code,
            &bill["free"],
            &bill["turned_away"],
            &bill["total_usd"]
        ),
        (0, &json!(2), &json!(4), &json!("0"))
    );
}

#[test]
fn what_cannot_be_read_is_not_sent() {
    let site = site();
    let gateway = site.serve(&[]);
    let bearer = format!("Bearer {}", gateway.token);
    let headers = [("authorization", bearer.as_str())];
    let ask = |body: &str| gateway.ask("POST /v1/messages", &headers, body);
    for (body, words) in [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "`model` is missing"),
        (
            r#"{"model": "m", "max_tokens": 1, "max_tokens": 100000}"#,
            "`max_tokens` is there twice",
        ),
        (r#"{"model": "m", "max_tokens": -1}"#, "no number of tokens"),
        (
            r#"{"model": "m", "max_tokens": 1e30}"#,
            "no number of tokens",
        ),
        (r#"{"model": "other", "max_tokens": 1}"#, "no model `other`"),
    ] {
        let came = ask(body);
        assert_eq!(came.status, 400, "{body}");
        assert!(came.text().contains(words), "{body}: {}", came.text());
    }
    let long = format!("{{\"model\": \"{}\"}}", "m".repeat(33 * 1024 * 1024));
    let came = ask(&long);
    assert!([413, 0].contains(&came.status), "{}", came.status);
    assert!(site.provider.asked().is_empty());
    let _ = gateway.end();
}

#[test]
fn without_a_key_the_provider_itself_is_not_asked() {
    let site = site();
    let maestro = crate::harness::Maestro::in_repo();
    maestro.file("prices.json", super::client::PRICES);
    let site = Site { maestro, ..site };
    let gateway = site.serve(&["--upstream", "anthropic=https://api.anthropic.com"]);
    let came = gateway.post("/v1/messages", &request("/v1/messages", 50, false));
    assert_eq!(came.status, 401);
    assert!(came.text().contains("without ANTHROPIC_API_KEY"));
    // A server of one's own may need none.
    let came = gateway.post("/v1/responses", &request("/v1/responses", 50, false));
    assert_eq!(came.status, 200);
    assert_eq!(site.provider.asked()[0].headers.get("authorization"), None);
    let _ = gateway.end();
}
