//! `maestro budget prices import` and `diff`.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Maestro, corpus};

const GENAI: &str = r#"[{"id": "p", "name": "P", "models": [
  {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 0.30, "output_mtok": {"base": 1.5, "tiers": [{"start": 200000, "price": 3}]}}},
  {"id": "odd", "match": {"fuzzy": "x"}, "prices": {"input_mtok": 1}}]}]"#;

fn imported() -> Maestro {
    let maestro = Maestro::in_folder();
    maestro.file("theirs.json", GENAI);
    let args = [
        "budget",
        "prices",
        "import",
        "--genai-prices",
        "theirs.json",
        "--out",
        "ours.json",
        "--date",
        "2026-08-21",
    ];
    let document = maestro.json(&args);
    assert_eq!(
        (&document["models"], &document["written"]),
        (&json!(1), &json!("ours.json"))
    );
    assert_eq!(document["left_out"][0]["model"], "odd");
    maestro
}

#[test]
fn a_table_is_taken_over_and_used() {
    let maestro = imported();
    let table: Value =
        serde_json::from_slice(&fs::read(maestro.path("ours.json")).unwrap()).unwrap();
    assert_eq!(
        (&table["schema"], &table["date"]),
        (&json!("maestro.prices/v1"), &json!("2026-08-21"))
    );
    assert!(table["source"].as_str().unwrap().contains("sha256"));
    assert_eq!(
        table["providers"][0]["models"][0]["prices"]["input_mtok"],
        "0.3"
    );
    let body = json!({"model": "m", "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}});
    maestro.file("answer.json", body.to_string());
    let price = [
        "budget",
        "price",
        "--provider",
        "p",
        "--body",
        "answer.json",
    ];
    let document = maestro.json(&[&price[..], &["--prices", "ours.json"]].concat());
    assert_eq!(
        (&document["input_usd"], &document["output_usd"]),
        (&json!("0.3"), &json!("3"))
    );
    // The repository's own table.
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nmodels:\n  prices: ours.json\n",
    );
    assert_eq!(maestro.json(&price), document);
    let difference = maestro.json(&["budget", "prices", "diff"]);
    assert_eq!(
        difference["added"],
        json!([{"provider": "p", "model": "m"}])
    );
}

#[test]
fn without_a_place_nothing_is_written() {
    let maestro = Maestro::in_folder();
    maestro.file("theirs.json", GENAI);
    let document = maestro.json(&[
        "budget",
        "prices",
        "import",
        "--genai-prices",
        "theirs.json",
    ]);
    assert_eq!(document["written"], Value::Null);
    assert_eq!(fs::read_dir(maestro.path(".")).unwrap().count(), 1);
}

#[test]
fn a_table_that_cannot_be_trusted_is_refused_whole() {
    let maestro = Maestro::in_folder();
    let fails = |text: &str, words: &str| {
        maestro.file("theirs.json", text);
        let args = [
            "budget",
            "prices",
            "import",
            "--genai-prices",
            "theirs.json",
            "--out",
            "ours.json",
        ];
        let _ = maestro.run(args).exits_with(65).says(words);
        assert!(!maestro.path("ours.json").exists());
    };
    fails(
        &GENAI.replace("0.30", "-0.30"),
        "line 2: `p/m: input_mtok`: `-0.30` is negative",
    );
    fails(&GENAI.replace("0.30", "1e60"), "more than can be counted");
    fails(&GENAI.replace("0.30", "NaN"), "line 2");
    fails(
        &GENAI.replace("\"name\": \"P\"", "\"currency\": \"EUR\""),
        "line 1: `p` is in EUR",
    );
    fails("{}", "`theirs.json`");
    fails("[]", "no model that can be taken over");
    let litellm = "{\"m\": {\"litellm_provider\": \"x\",\n\"input_cost_per_token\": -1e-6}}";
    maestro.file("theirs.json", litellm);
    let _ = maestro
        .run(["budget", "prices", "import", "--litellm", "theirs.json"])
        .exits_with(65)
        .says("line 2: `m: input_cost_per_token`: `-1e-6` is negative");
}

#[test]
fn a_difference_has_both_prices_and_how_much_more_it_is() {
    let maestro = imported();
    let changed = fs::read_to_string(maestro.path("ours.json")).unwrap();
    maestro.file("new.json", changed.replace("\"0.3\"", "\"0.36\""));
    let document = maestro.json(&[
        "budget",
        "prices",
        "diff",
        "--prices",
        "ours.json",
        "--with",
        "new.json",
    ]);
    let change = &document["changes"][0];
    assert_eq!(
        (&change["old"], &change["new"], &change["change"]),
        (&json!("0.3"), &json!("0.36"), &json!(0.2))
    );
    // The first line of the output's tier: at the same length the input differs as well.
    assert_eq!(document["changes"].as_array().unwrap().len(), 2);
    let _ = maestro
        .run(["budget", "prices", "diff"])
        .exits_with(2)
        .says("only one table");
}

/// A batch of all answers that genai-prices has a price for, with what it says, by provider.
fn answers(folder: &std::path::Path) -> (String, Vec<Value>) {
    let entries: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.join("usages.json")).unwrap()).unwrap();
    let (mut batch, mut expected) = (String::new(), Vec::new());
    for entry in &entries {
        for extracted in entry["extracted"].as_array().unwrap() {
            for extractor in extracted["extractors"].as_array().unwrap() {
                if extractor.get("input_price").is_none() {
                    continue;
                }
                let line = json!({"provider": extractor["provider_id"], "api_flavor": extractor["api_flavor"], "model": entry["model"], "body": entry["body"]});
                writeln!(batch, "{line}").unwrap();
                expected.push(extractor.clone());
            }
        }
    }
    (batch, expected)
}

/// The table of genai-prices, imported, prices as the built-in one does, and as genai-prices does.
#[test]
fn an_imported_table_prices_real_answers_as_its_source_does() {
    let Some(folder) = corpus("prices") else {
        return;
    };
    let (batch, expected) = answers(&folder);
    let maestro = Maestro::in_folder();
    maestro.file("b.ndjson", batch);
    let source = folder.join("genai_prices_slim.json");
    let source = source.to_str().unwrap();
    let document = maestro.json(&[
        "budget",
        "prices",
        "import",
        "--genai-prices",
        source,
        "--out",
        "ours.json",
    ]);
    assert_eq!(document["left_out"], json!([]));
    let args = [
        "budget",
        "price",
        "--batch",
        "b.ndjson",
        "--format",
        "ndjson",
        "--at",
        "2026-08-21T12:00:00Z",
    ];
    let rows = |more: &[&str]| {
        let run = maestro.run([&args[..], more].concat());
        let rows: Vec<Value> = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), expected.len());
        rows
    };
    let (own, imported) = (rows(&[]), rows(&["--prices", "ours.json"]));
    let (mut first, mut others, mut equal) = (0, 0, 0);
    for ((own, imported), theirs) in own.iter().zip(&imported).zip(&expected) {
        let prices =
            |row: &Value| ["input_usd", "output_usd"].map(|key| row[key].as_str().map(trimmed));
        let said = ["input_price", "output_price"].map(|key| theirs[key].as_str().map(trimmed));
        if ["openai", "anthropic"].contains(&theirs["provider_id"].as_str().unwrap()) {
            first += 1;
            assert_eq!(prices(own), prices(imported), "{imported}");
            assert_eq!(prices(imported), said, "{imported}");
        } else if imported.get("error").is_none() {
            others += 1;
            equal += u32::from(prices(imported) == said);
        }
    }
    assert!(first >= 655, "{first}");
    // DeepSeek's prices are those of noon. Answers in forms that `budget price` does not read (Bedrock, Gemini, ...) are no matter of the table.
    assert_eq!(equal, others);
    assert!(others >= 898, "{others}");
}

/// Returns a decimal without zeros at its end; others write exponents.
fn trimmed(text: &str) -> String {
    let lower = text.to_lowercase();
    let (number, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let exponent: i32 = exponent.parse().unwrap();
    let digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).unwrap() + exponent;
    let digits = match usize::try_from(point) {
        Ok(point) => format!("{digits:0<width$}", width = point + 1),
        Err(_) => format!("{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
    };
    let point = usize::try_from(point).unwrap_or(0);
    let whole = digits[..point].trim_start_matches('0');
    let fraction = digits[point..].trim_end_matches('0');
    format!("{whole}.{fraction}")
}
