//! `maestro budget`.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Maestro, corpus};

fn price(body: &Value, more: &[&str]) -> Value {
    let maestro = Maestro::in_folder();
    maestro.file("answer.json", body.to_string());
    let mut args = vec!["budget", "price", "--body", "answer.json"];
    args.extend(more);
    maestro.json(&args)
}

#[test]
fn an_answer_costs_what_its_buckets_cost() {
    let body = json!({"model": "claude-sonnet-4-6", "usage": {
        "input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}, "server_tool_use": {"web_search_requests": 2}}});
    let document = price(
        &body,
        &["--provider", "anthropic", "--at", "2026-06-01T00:00:00Z"],
    );
    // 10 at $3, 1,000 at $0.30, 100 at $3.75 and 200 at $6 a million; 3 at $15; two searches at a cent.
    assert_eq!(document["input_usd"], "0.001905");
    assert_eq!(document["output_usd"], "0.000045");
    assert_eq!(document["total_usd"], "0.02195");
    assert_eq!(document["usage"]["input_tokens"], 1310);
}

#[test]
fn a_price_holds_on_its_day() {
    let usage = json!({"input_tokens": 1_000_000, "output_tokens": 0});
    let body = json!({"model": "claude-sonnet-5", "usage": usage});
    let at =
        |time: &str| price(&body, &["--provider", "anthropic", "--at", time])["input_usd"].clone();
    assert_eq!(
        (at("2026-08-31T23:59:59Z"), at("2026-09-01T00:00:00Z")),
        (json!("2"), json!("3"))
    );
    // The answer says when it was made.
    let body = json!({"model": "claude-sonnet-5", "created": 1_780_000_000, "usage": usage});
    assert_eq!(price(&body, &["--provider", "anthropic"])["input_usd"], "2");
}

#[test]
fn an_advisor_is_on_the_bill() {
    let body = json!({"model": "claude-sonnet-4-6", "usage": {"input_tokens": 1_000_000, "output_tokens": 0, "iterations": [
        {"type": "message", "input_tokens": 1_000_000, "output_tokens": 0},
        {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 100_000, "output_tokens": 0}]}});
    let document = price(
        &body,
        &["--provider", "anthropic", "--at", "2026-06-01T00:00:00Z"],
    );
    assert_eq!(
        (&document["total_usd"], &document["bill_usd"]),
        (&json!("3"), &json!("3.5"))
    );
}

#[test]
fn what_cannot_be_priced_says_why() {
    let maestro = Maestro::in_folder();
    let fails = |body: &str, more: &[&str], words: &str| {
        maestro.file("answer.json", body);
        let mut args = vec!["budget", "price", "--body", "answer.json"];
        args.extend(more);
        let _ = maestro.run(args).exits_with(65).says(words);
    };
    let ok = r#"{"model": "gpt-5.4", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}"#;
    fails("{", &["--provider", "openai"], "is no JSON");
    fails(ok, &["--provider", "nobody"], "no provider `nobody`");
    fails(
        &ok.replace("gpt-5.4", "gpt-5.44"),
        &["--provider", "openai"],
        "did you mean `gpt-5.4`?",
    );
    fails(
        ok,
        &["--provider", "openai", "--api-flavor", "x"],
        "there is no flavor `x`",
    );
    fails(
        &ok.replace("1,", "-1,"),
        &["--provider", "openai"],
        "which is no number of tokens",
    );
    let huge = ok.replace("1,", "18446744073709551615,");
    let pricey = r#"{"schema": "maestro.prices/v1", "source": "s", "date": "d", "currency": "USD", "providers": [
        {"id": "openai", "models": [{"id": "gpt-5.4", "match": {"equals": "gpt-5.4"}, "prices": {"input_mtok": 1e30, "output_mtok": 1}}]}]}"#;
    maestro.file("prices.json", pricey);
    fails(
        &huge,
        &["--provider", "openai", "--prices", "prices.json"],
        "more than can be counted",
    );
    maestro.file("prices.json", pricey.replace("USD", "EUR"));
    fails(
        ok,
        &["--provider", "openai", "--prices", "prices.json"],
        "its currency is `EUR`",
    );
    maestro.file("prices.json", pricey.replace("1e30", "-1"));
    fails(
        ok,
        &["--provider", "openai", "--prices", "prices.json"],
        "`-1` is negative",
    );
    fails(
        r#"{"id": 1}"#,
        &["--provider", "openai"],
        "its fields tell no form",
    );
}

#[test]
fn a_batch_prices_each_line_and_names_those_that_it_cannot() {
    let maestro = Maestro::in_folder();
    let line = |id: u32, model: &str| {
        let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 0});
        json!({"id": id, "provider": "openai", "body": {"model": model, "usage": usage}})
            .to_string()
    };
    maestro.file(
        "b.ndjson",
        format!("{}\n\n{}\nnonsense\n", line(1, "gpt-5.4"), line(2, "x")),
    );
    let run = maestro.run([
        "budget", "price", "--batch", "b.ndjson", "--format", "ndjson",
    ]);
    let rows: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows[0]["total_usd"], "5");
    assert!(rows[1]["error"].as_str().unwrap().contains("no model `x`"));
    assert_eq!((&rows[1]["id"], &rows[2]["line"]), (&json!(2), &json!(4)));
    let _ = run.exits_with(65).says("2 of 3 lines");
}

/// Returns an amount in pico-dollars; others write zeros at the end, and exponents.
fn pico(value: &Value) -> u128 {
    let text = value.as_str().unwrap().to_lowercase();
    let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let shift = 12 + exponent.parse::<i32>().unwrap() - i32::try_from(fraction.len()).unwrap();
    let digits: u128 = format!("{whole}{fraction}").parse().unwrap();
    let power = 10_u128.pow(shift.unsigned_abs());
    if shift >= 0 {
        digits * power
    } else {
        assert_eq!(digits % power, 0, "{text}");
        digits / power
    }
}

/// Real answers, with the usage and the prices that genai-prices gives for them (its table is of 2026-08-21).
#[test]
fn real_answers_cost_what_others_compute() {
    let Some(folder) = corpus("prices") else {
        return;
    };
    let entries: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.join("usages.json")).unwrap()).unwrap();
    let (mut batch, mut expected) = (String::new(), Vec::new());
    for entry in &entries {
        for extracted in entry["extracted"].as_array().unwrap() {
            for extractor in extracted["extractors"].as_array().unwrap() {
                let provider = extractor["provider_id"].as_str().unwrap();
                if extractor.get("input_price").is_none()
                    || !["openai", "anthropic"].contains(&provider)
                {
                    continue;
                }
                let line = json!({"provider": provider, "api_flavor": extractor["api_flavor"], "model": entry["model"], "body": entry["body"]});
                writeln!(batch, "{line}").unwrap();
                expected.push((extractor, &extracted["usage"]));
            }
        }
    }
    assert!(expected.len() >= 655, "{}", expected.len());
    let maestro = Maestro::in_folder();
    maestro.file("b.ndjson", batch);
    let args = [
        "budget",
        "price",
        "--batch",
        "b.ndjson",
        "--format",
        "ndjson",
        "--at",
        "2026-08-21T00:00:00Z",
    ];
    let run = maestro.run(args).success();
    let rows: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), expected.len());
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    for (row, (price, usage)) in rows.iter().zip(expected) {
        assert_eq!(
            (pico(&row["input_usd"]), pico(&row["output_usd"])),
            (pico(&price["input_price"]), pico(&price["output_price"])),
            "{row}"
        );
        if price.get("total_price").is_some() {
            assert_eq!(
                pico(&row["total_usd"]),
                pico(&price["total_price"]),
                "{row}"
            );
        }
        let own = &row["usage"];
        let written = number(&own["cache_write_5m_tokens"]) + number(&own["cache_write_1h_tokens"]);
        for (key, value) in usage.as_object().unwrap() {
            let ours = match key.as_str() {
                "cache_write_tokens" => written,
                "output_reasoning_tokens" => number(&own["reasoning_tokens"]),
                key => number(&own[key]),
            };
            assert_eq!(ours, number(value), "{key}: {row}");
        }
    }
}
