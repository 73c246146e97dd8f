//! What claude-code-action leaves as its `execution_file`: the messages of Claude Code's SDK, as a JSON list or one a line (`claude --output-format stream-json`).
//!
//! A `result` has `total_cost_usd` and, by model, `modelUsage` (Claude Agent SDK, "SDKResultMessage"), which include subagents and go on from earlier results of the
//! session; `usage` is only the main thread's. Where `modelUsage` does not have counts, the models are those of the session's own messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{ForeignProblem, Found, Row, amount};
use crate::json;
use crate::llm::usage::{self, Flavor, Usage};

#[derive(Deserialize)]
struct Message<'t> {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    /// Of `system`: `none` where nobody gave a key, so that a subscription pays.
    #[serde(default, rename = "apiKeySource")]
    key_source: Option<String>,
    #[serde(default, rename = "message")]
    inner: Option<Inner>,
    #[serde(borrow, default)]
    total_cost_usd: Option<&'t RawValue>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(borrow, default, rename = "modelUsage")]
    models: Option<BTreeMap<String, ModelUsage<'t>>>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelUsage<'t> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: u64,
    #[serde(default)]
    web_search_requests: u64,
    #[serde(borrow, default, rename = "costUSD")]
    cost: Option<&'t RawValue>,
}

/// What a session said before its result.
#[derive(Default)]
struct Session {
    models: BTreeSet<String>,
    is_seat: bool,
}

/// Reads an execution file.
pub(crate) fn claude(text: &str) -> Result<Found, ForeignProblem> {
    let mut found = Found::default();
    let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
    let messages = messages(text)?;
    for (line, message) in messages {
        let id = message.session_id.clone().unwrap_or_default();
        let session = sessions.entry(id.clone()).or_default();
        if message.kind == "result" {
            read(line, &id, session, &message, &mut found)?;
        } else {
            session.is_seat |= message.key_source.as_deref() == Some("none");
            let named = message
                .inner
                .and_then(|inner| inner.model)
                .or(message.model);
            session
                .models
                .extend(named.filter(|name| !name.starts_with('<')));
        }
    }
    if found.rows.is_empty() && found.notes.is_empty() {
        return Err(ForeignProblem::Nothing);
    }
    Ok(found)
}

fn messages(text: &str) -> Result<Vec<(u64, Message<'_>)>, ForeignProblem> {
    if text.trim_start().starts_with('[') {
        let list: Vec<Message<'_>> =
            json::read(text).map_err(|error| ForeignProblem::Json(error.line(), error))?;
        return Ok((1..).zip(list).collect());
    }
    let mut messages = Vec::new();
    for (number, line) in (1_u64..).zip(text.lines()) {
        if !line.trim_ascii_start().starts_with('{') {
            continue;
        }
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let message = json::read(line).map_err(|error| ForeignProblem::Json(place, error))?;
        messages.push((number, message));
    }
    Ok(messages)
}

fn read(
    line: u64,
    id: &str,
    session: &Session,
    message: &Message<'_>,
    found: &mut Found,
) -> Result<(), ForeignProblem> {
    let money = |raw: Option<&RawValue>| {
        let text = raw.map(RawValue::get).filter(|text| *text != "null");
        let read = text.map(|text| amount(text, 12));
        read.transpose()
            .map_err(|problem| ForeignProblem::Money { line, problem })
    };
    let row = |models: Vec<String>, usage, reported| Row {
        line,
        key: id.to_owned(),
        at: None,
        provider: Some("anthropic".to_owned()),
        models,
        usage,
        is_running: true,
        reported,
        is_seat: session.is_seat,
    };
    let counted = message.models.iter().flatten();
    let counted: Vec<_> = counted
        .filter_map(|(model, counts)| {
            Some((model, counts, counts.input_tokens?, counts.output_tokens?))
        })
        .collect();
    let whole = match &message.usage {
        Some(usage) if usage.is_object() => {
            let read = usage::read(&json!({ "usage": usage }), Flavor::Messages);
            Some(read.map_err(|problem| ForeignProblem::Usage { line, problem })?)
        }
        _ => None,
    };
    let is_alone = counted.len() == 1;
    for (model, counts, input, output) in &counted {
        let written = counts.cache_creation_input_tokens;
        // Only the main thread's usage says for how long was written; it is all there is where the counts are the same.
        let hour = whole.filter(|whole| {
            is_alone
                && whole
                    .cache_write_1h_tokens
                    .checked_add(whole.cache_write_5m_tokens)
                    == Some(written)
        });
        let hour = hour.map_or(0, |whole| whole.cache_write_1h_tokens);
        let usage = Usage {
            net_input_tokens: *input,
            cache_read_tokens: counts.cache_read_input_tokens,
            cache_write_5m_tokens: written.saturating_sub(hour),
            cache_write_1h_tokens: hour,
            output_tokens: *output,
            web_searches: counts.web_search_requests,
            ..Usage::default()
        };
        found
            .rows
            .push(row(vec![(*model).clone()], usage, money(counts.cost)?));
    }
    if !counted.is_empty() {
        return Ok(());
    }
    let reported = money(message.total_cost_usd)?;
    match whole {
        Some(usage) => {
            // One result for all models that took part.
            let models = match &message.models {
                Some(models) if !models.is_empty() => models.keys().cloned().collect(),
                _ => session.models.iter().cloned().collect(),
            };
            found.rows.push(row(models, usage, reported));
        }
        None => found
            .notes
            .push((line, "a result says nothing of what was used".to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULT: &str = r#"{"type": "result", "subtype": "success", "session_id": "s-1", "total_cost_usd": 1.75, "usage": {"input_tokens": 9, "output_tokens": 3,
        "cache_creation_input_tokens": 100, "cache_creation": {"ephemeral_1h_input_tokens": 60, "ephemeral_5m_input_tokens": 40}},
        "modelUsage": {"claude-opus-5": {"inputTokens": 10, "outputTokens": 20, "cacheReadInputTokens": 30, "cacheCreationInputTokens": 100, "webSearchRequests": 2, "costUSD": 1.5}}}"#;

    #[test]
    fn a_list_and_lines_are_the_same() {
        let line = RESULT.replace('\n', " ");
        let list = claude(&format!(
            "[{{\"type\": \"system\", \"session_id\": \"s-1\"}}, {line}]"
        ))
        .unwrap();
        let lines = claude(&format!(
            "{{\"type\": \"system\", \"session_id\": \"s-1\"}}\n{line}\n"
        ))
        .unwrap();
        assert_eq!(list, lines);
        let row = &list.rows[0];
        assert_eq!(
            (row.key.as_str(), row.models.as_slice()),
            ("s-1", &["claude-opus-5".to_owned()][..])
        );
        assert_eq!(
            row.reported.map(|usd| usd.to_string()).as_deref(),
            Some("1.5")
        );
        let usage = row.usage;
        assert_eq!(
            (
                usage.net_input_tokens,
                usage.cache_read_tokens,
                usage.output_tokens,
                usage.web_searches
            ),
            (10, 30, 20, 2)
        );
        assert_eq!(
            (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens),
            (40, 60)
        );
    }

    #[test]
    fn without_counts_by_model_the_models_of_the_session_are_named() {
        let bare = r#"{"type": "result", "session_id": "s", "total_cost_usd": 0.3, "usage": {"input_tokens": 9, "output_tokens": 3}, "modelUsage": {}}"#;
        let said = r#"{"type": "assistant", "session_id": "s", "message": {"model": "claude-opus-5"}}
{"type": "assistant", "session_id": "s", "message": {"model": "claude-haiku-4-5"}}
{"type": "assistant", "session_id": "s", "message": {"model": "<synthetic>"}}"#;
        let found = claude(&format!("{said}\n{bare}")).unwrap();
        assert_eq!(found.rows[0].models, ["claude-haiku-4-5", "claude-opus-5"]);
        assert_eq!(
            found.rows[0].reported.map(|usd| usd.to_string()).as_deref(),
            Some("0.3")
        );
    }

    #[test]
    fn a_subscription_is_a_seat() {
        let init =
            r#"{"type": "system", "subtype": "init", "session_id": "s-1", "apiKeySource": "none"}"#;
        let found = claude(&format!("[{init}, {RESULT}]")).unwrap();
        assert!(found.rows[0].is_seat);
        assert!(!claude(&format!("[{RESULT}]")).unwrap().rows[0].is_seat);
    }

    #[test]
    fn what_is_no_execution_file_says_where() {
        let problem = |text: &str| claude(text).unwrap_err().to_string();
        assert_eq!(problem("[]"), "it says nothing of what was used");
        assert_eq!(problem("hello"), "it says nothing of what was used");
        assert!(problem("{\"type\": 1}").starts_with("line 1: "));
        assert!(problem("{}\n{\"type\": \"result\", \"total_cost_usd\": -1, \"usage\": {\"input_tokens\": 1, \"output_tokens\": 1}}").starts_with("line 2: `-1` is negative"));
        assert!(
            problem("[{\"type\": \"result\", \"usage\": {\"input_tokens\": -1}}]")
                .contains("line 1: `usage.input_tokens`")
        );
        let note = claude("[{\"type\": \"result\", \"subtype\": \"error_max_turns\"}]").unwrap();
        assert_eq!((note.rows.len(), note.notes.len()), (0, 1));
    }

    #[test]
    fn for_how_long_was_written_is_known_of_one_model_alone() {
        let model = r#"{"inputTokens": 10, "outputTokens": 20, "cacheCreationInputTokens": 100}"#;
        let both = format!(
            r#"{{"type": "result", "session_id": "s", "usage": {{"input_tokens": 9, "output_tokens": 3, "cache_creation_input_tokens": 100,
            "cache_creation": {{"ephemeral_1h_input_tokens": 60, "ephemeral_5m_input_tokens": 40}}}},
            "modelUsage": {{"a": {model}, "b": {model}}}}}"#
        );
        let found = claude(&format!("[{both}]")).unwrap();
        let written = |place: usize| {
            let usage = found.rows[place].usage;
            (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens)
        };
        assert_eq!(
            (found.rows.len(), written(0), written(1)),
            (2, (100, 0), (100, 0))
        );
        // Nor where the counts are other ones than the main thread's.
        let other = RESULT.replace(
            "\"cacheCreationInputTokens\": 100",
            "\"cacheCreationInputTokens\": 90",
        );
        let usage = claude(&format!("[{other}]")).unwrap().rows[0].usage;
        assert_eq!(
            (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens),
            (90, 0)
        );
    }

    #[test]
    fn models_that_are_named_without_counts_share_one_row() {
        let said =
            r#"{"type": "assistant", "session_id": "s", "message": {"model": "claude-opus-5"}}"#;
        let bare = r#"{"type": "result", "session_id": "s", "usage": {"input_tokens": 9, "output_tokens": 3}, "modelUsage": {"a": {}, "b": {}}}"#;
        let found = claude(&format!("[{said}, {bare}]")).unwrap();
        assert_eq!(found.rows.len(), 1);
        assert_eq!(found.rows[0].models, ["a", "b"]);
        // What is no object says nothing, and is no fault.
        let odd = claude(r#"[{"type": "result", "usage": [1]}]"#).unwrap();
        assert_eq!((odd.rows.len(), odd.notes.len()), (0, 1));
    }
}
