//! Records of the firewall of GitHub Agentic Workflows, one call a line (github/gh-aw-firewall, `schemas/token-usage.schema.json`, `token-usage.jsonl`), and its sums of runs, which
//! have `models` and `run_id` instead.
//!
//! `input_tokens` is what the provider said: with Anthropic without the cache, elsewhere all input. Calls to Copilot are a seat's. An AI credit is a cent.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ForeignProblem, Found, Row, amount};
use crate::json;
use crate::llm::usage::Usage;
use crate::money::Usd;
use crate::sha::Sha;

#[derive(Deserialize)]
struct Record<'t> {
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    run_id: Option<u64>,
    /// Which part of the run the sum is of.
    #[serde(default)]
    artifact: Option<String>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    providers: Vec<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    path: Option<String>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(borrow, default)]
    ai_credits_this_response: Option<&'t RawValue>,
    #[serde(borrow, default)]
    cost_usd: Option<&'t RawValue>,
}

/// Reads records of the firewall.
pub(crate) fn gh_aw(text: &str) -> Result<Found, ForeignProblem> {
    let mut found = Found::default();
    for (number, line) in (1_u64..).zip(text.lines()) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let record: Record<'_> =
            json::read(line).map_err(|error| ForeignProblem::Json(place, error))?;
        // The same log has diagnoses.
        let is_usage = record
            .event
            .as_deref()
            .is_none_or(|event| event == "token_usage");
        let (true, Some(input), Some(output)) =
            (is_usage, record.input_tokens, record.output_tokens)
        else {
            continue;
        };
        match record.row(number, line, (input, output))? {
            Ok(row) => found.rows.push(row),
            Err(why) => found.notes.push((number, why)),
        }
    }
    if found.rows.is_empty() && found.notes.is_empty() {
        return Err(ForeignProblem::Nothing);
    }
    Ok(found)
}

impl Record<'_> {
    fn row(
        self,
        line: u64,
        text: &str,
        (input, output): (u64, u64),
    ) -> Result<Result<Row, String>, ForeignProblem> {
        let reported = self.reported(line)?;
        let mut providers = self.providers;
        providers.extend(self.provider);
        let mut models = self.models;
        models.extend(
            self.model
                .filter(|model| !model.is_empty() && model != "unknown"),
        );
        let provider = match providers.as_slice() {
            [] => maker(&models),
            [one] => named(one),
            _ => None,
        };
        let read = self.cache_read_tokens.unwrap_or(0);
        let written = self.cache_write_tokens.unwrap_or(0);
        let is_net = match &self.path {
            Some(path) => path.contains("/messages"),
            // Of nobody knows whom: more that was read than there was says that it is not a part.
            None => provider == Some("anthropic") || (provider.is_none() && read > input),
        };
        let net = if is_net {
            Some(input)
        } else {
            input.checked_sub(read)
        };
        let is_pooled = models.len() > 1;
        let Some(net) = net.or(is_pooled.then_some(input)) else {
            return Ok(Err(format!(
                "more input was read from the cache ({read}) than there was ({input}), so that the counts say nothing"
            )));
        };
        let key = match (self.request_id, self.run_id) {
            (Some(id), _) if !id.is_empty() => id,
            (_, Some(run)) => format!("run {run} {}", self.artifact.unwrap_or_default()),
            _ => Sha::of(text.as_bytes()).to_string(),
        };
        Ok(Ok(Row {
            line,
            key,
            at: self.timestamp.or(self.created_at),
            provider: provider.map(str::to_owned),
            models,
            usage: Usage {
                net_input_tokens: net,
                cache_read_tokens: read,
                cache_write_5m_tokens: written,
                output_tokens: output,
                reasoning_tokens: self.reasoning_tokens.unwrap_or(0),
                ..Usage::default()
            },
            is_running: false,
            reported,
            is_seat: providers.iter().any(|provider| provider == "copilot"),
        }))
    }

    fn reported(&self, line: u64) -> Result<Option<Usd>, ForeignProblem> {
        let digits = |raw: Option<&'_ RawValue>| {
            raw.map(RawValue::get)
                .filter(|text| *text != "null")
                .map(str::to_owned)
        };
        let read = match (digits(self.cost_usd), digits(self.ai_credits_this_response)) {
            (Some(text), _) => Some(amount(&text, 12)),
            (None, Some(text)) => Some(amount(&text, 10)),
            (None, None) => None,
        };
        read.transpose()
            .map_err(|problem| ForeignProblem::Money { line, problem })
    }
}

/// Returns what our table calls a provider; nothing for one that is none.
fn named(provider: &str) -> Option<&str> {
    match provider {
        "gemini" => Some("google"),
        "" | "unknown" => None,
        other => Some(other),
    }
}

/// Returns who makes all of some models, by their names.
fn maker(models: &[String]) -> Option<&'static str> {
    let all = |begins: &[&str]| {
        let is_of = |model: &String| begins.iter().any(|begin| model.starts_with(begin));
        !models.is_empty() && models.iter().all(is_of)
    };
    if all(&["claude"]) {
        Some("anthropic")
    } else if all(&["gpt-", "o1", "o3", "o4"]) {
        Some("openai")
    } else if all(&["gemini"]) {
        Some("google")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(provider: &str, path: &str, more: &str) -> String {
        format!(
            r#"{{"_schema": "token-usage/v0.26.0", "timestamp": "2026-05-01T10:00:00Z", "event": "token_usage", "request_id": "r-1", "provider": "{provider}", "model": "m", "path": "{path}", "status": 200, "streaming": true, "input_tokens": 100, "output_tokens": 7, "cache_read_tokens": 60, "cache_write_tokens": 5, "duration_ms": 1{more}}}"#
        )
    }

    #[test]
    fn the_cache_is_a_part_of_the_input_where_the_provider_counts_it_so() {
        let net = |provider, path| {
            gh_aw(&record(provider, path, "")).unwrap().rows[0]
                .usage
                .net_input_tokens
        };
        assert_eq!(net("anthropic", "/v1/messages"), 100);
        assert_eq!(net("openai", "/v1/chat/completions"), 40);
        assert_eq!(net("copilot", "/chat/completions"), 40);
        let found = gh_aw(&record("openai", "/v1/responses", "")).unwrap();
        assert_eq!(found.rows[0].usage.cache_read_tokens, 60);
        let broken = record("openai", "/v1/responses", "")
            .replace("\"input_tokens\": 100", "\"input_tokens\": 10");
        let found = gh_aw(&broken).unwrap();
        assert_eq!((found.rows.len(), found.notes.len()), (0, 1));
    }

    #[test]
    fn a_credit_is_a_cent_and_copilot_is_a_seat() {
        let found = gh_aw(&record(
            "copilot",
            "/chat/completions",
            r#", "ai_credits_this_response": 2.5"#,
        ))
        .unwrap();
        assert_eq!(
            found.rows[0].reported.map(|usd| usd.to_string()).as_deref(),
            Some("0.025")
        );
        assert!(found.rows[0].is_seat);
    }

    #[test]
    fn a_sum_of_a_run_names_its_models() {
        let text = r#"{"run_id": 7, "artifact": "agent", "created_at": "2026-04-20T14:50:40Z", "models": ["a", "b"], "providers": ["anthropic"], "input_tokens": 10, "output_tokens": 2, "cache_read_tokens": 331900, "cost_usd": 0.5}"#;
        let found = gh_aw(text).unwrap();
        let row = &found.rows[0];
        assert_eq!(
            (
                row.key.as_str(),
                row.models.len(),
                row.usage.net_input_tokens
            ),
            ("run 7 agent", 2, 10)
        );
        assert_eq!(
            row.reported.map(|usd| usd.to_string()).as_deref(),
            Some("0.5")
        );
        // Where providers count otherwise, nobody knows how much of a sum of several models was new.
        let of_openai = text.replace("[\"anthropic\"]", "[\"openai\"]");
        let net = |text: &str| {
            let found = gh_aw(text).unwrap();
            found.rows.first().map(|row| row.usage.net_input_tokens)
        };
        assert_eq!(net(&of_openai), Some(10));
        assert_eq!(net(&of_openai.replace("[\"a\", \"b\"]", "[\"a\"]")), None);
        // Without providers, the names of the models tell.
        let found = gh_aw(
            &text
                .replace("[\"a\", \"b\"]", "[\"claude-x\"]")
                .replace("[\"anthropic\"]", "[]"),
        )
        .unwrap();
        assert_eq!(found.rows[0].provider.as_deref(), Some("anthropic"));
        assert!(gh_aw("{\"event\": \"diag\"}").is_err());
        assert!(
            gh_aw("{\"input_tokens\": -1, \"output_tokens\": 1}")
                .unwrap_err()
                .to_string()
                .starts_with("line 1")
        );
    }

    #[test]
    fn whether_the_cache_is_a_part_is_told_by_path_then_provider_then_counts() {
        let net = |provider: &str, input: u64| {
            let text = format!(
                r#"{{{provider}"model": "m", "input_tokens": {input}, "output_tokens": 1, "cache_read_tokens": 60}}"#
            );
            let found = gh_aw(&text).unwrap();
            found.rows.first().map(|row| row.usage.net_input_tokens)
        };
        assert_eq!(net(r#""provider": "anthropic", "#, 100), Some(100));
        assert_eq!(net(r#""provider": "openai", "#, 100), Some(40));
        assert_eq!(net(r#""provider": "openai", "#, 10), None);
        assert_eq!(net("", 100), Some(40));
        assert_eq!(net("", 60), Some(0));
        assert_eq!(net("", 59), Some(59));
    }

    #[test]
    fn a_row_without_a_request_is_known_by_its_run_or_its_text() {
        let key = |more: &str| {
            let text = format!(r#"{{{more}"input_tokens": 1, "output_tokens": 1}}"#);
            gh_aw(&text).unwrap().rows.remove(0).key
        };
        assert_eq!(key(r#""request_id": "r", "run_id": 7, "#), "r");
        assert_eq!(key(r#""request_id": "", "run_id": 7, "#), "run 7 ");
        assert_eq!(key("").len(), 64);
        assert_ne!(key(""), key(r#""request_id": "", "#));
    }

    #[test]
    fn a_model_that_has_no_name_is_none() {
        let models = |more: &str| {
            let text = format!(r#"{{"input_tokens": 1, "output_tokens": 1{more}}}"#);
            let row = gh_aw(&text).unwrap().rows.remove(0);
            (row.models.join(" "), row.provider.unwrap_or_default())
        };
        let both = |models: &str, provider: &str| (models.to_owned(), provider.to_owned());
        assert_eq!(models(r#", "model": "gpt-5""#), both("gpt-5", "openai"));
        assert_eq!(models(r#", "model": "o3""#), both("o3", "openai"));
        assert_eq!(
            models(r#", "model": "gemini-2""#),
            both("gemini-2", "google")
        );
        assert_eq!(models(r#", "model": "unknown""#), both("", ""));
        assert_eq!(models(r#", "model": """#), both("", ""));
        assert_eq!(models(r#", "model": "other""#), both("other", ""));
        // Models of two makers have none together.
        assert_eq!(
            models(r#", "models": ["gpt-5", "claude-x"], "cache_read_tokens": 9"#),
            both("gpt-5 claude-x", "")
        );
        assert_eq!(
            models(r#", "provider": "gemini", "model": "x""#),
            both("x", "google")
        );
        assert_eq!(
            models(r#", "provider": "unknown", "model": "x""#),
            both("x", "")
        );
        assert_eq!(
            models(r#", "providers": ["a", "b"], "model": "gpt-5""#),
            both("gpt-5", "")
        );
    }

    #[test]
    fn all_counts_and_the_dearer_word_on_money_are_read() {
        let text = r#"{"provider": "anthropic", "model": "m", "input_tokens": 1, "output_tokens": 2, "cache_write_tokens": 3, "reasoning_tokens": 4, "cost_usd": 0.5, "ai_credits_this_response": 1}

{"event": "other", "input_tokens": 1, "output_tokens": 1}"#;
        let row = gh_aw(text).unwrap().rows.remove(0);
        let usage = row.usage;
        assert_eq!((usage.net_input_tokens, usage.cache_read_tokens), (1, 0));
        assert_eq!(
            (
                usage.output_tokens,
                usage.cache_write_5m_tokens,
                usage.reasoning_tokens
            ),
            (2, 3, 4)
        );
        assert_eq!(
            row.reported.map(|usd| usd.to_string()).as_deref(),
            Some("0.5")
        );
        assert_eq!((row.line, row.is_seat, row.at), (1, false, None));
        let none = r#"{"input_tokens": 1, "output_tokens": 2, "cost_usd": null}"#;
        assert_eq!(gh_aw(none).unwrap().rows[0].reported, None);
        let bad = r#"{"input_tokens": 1, "output_tokens": 2, "cost_usd": -1}"#;
        assert!(gh_aw(bad).unwrap_err().to_string().starts_with("line 1: "));
    }
}
