//! An exchange with a provider, kept so that it can be played again without one. No secret is in it.
//!
//! Secrets are taken out of each text of the JSON that was said, not out of its bytes, so that what is kept can still be read. What a
//! stream says in pieces is looked at as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;
use crate::redact::Redactor;
use crate::sha::Sha;

/// What `schema` must say.
const SCHEMA: &str = "maestro.cassette/v1";

/// Headers that say what to do next, or which exchange it was; no others are kept.
const HEADERS: &[&str] = &[
    "content-type",
    "date",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-request-id",
    "x-should-retry",
];

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cassette {
    schema: String,
    request: Value,
    pub(crate) response: Option<Response>,
    /// Why there is no answer, or no whole one.
    pub(crate) silence: Option<Broken>,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// How an exchange broke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Broken {
    /// Whether anybody may have heard the request.
    pub(crate) was_sent: bool,
    pub(crate) words: String,
}

/// Why a text is no cassette.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CassetteProblem {
    #[error("{0}")]
    Json(String),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
}

/// Returns the name that a request's cassettes begin with: those of the same request have numbers behind it.
pub(crate) fn name_of(body: &str) -> String {
    let mut name = Sha::of(body.as_bytes()).to_string();
    name.truncate(32);
    name
}

/// An answer on its way into a cassette: status, headers, body.
pub(crate) type Whole<'a> = (u16, &'a [(String, String)], &'a [u8]);

impl Cassette {
    /// Keeps an exchange.
    pub(crate) fn new(
        body: &str,
        response: Option<Whole<'_>>,
        silence: Option<Broken>,
        redactor: &Redactor,
    ) -> Self {
        let request = json::read(body).map(|mut request| {
            clean(&mut request, redactor);
            request
        });
        let response = response.map(|(status, headers, body)| {
            let kept = headers
                .iter()
                .filter(|(name, _)| HEADERS.contains(&name.as_str()));
            let kept = kept.map(|(name, value)| (name.clone(), cleaned(value, redactor)));
            let body = String::from_utf8_lossy(body);
            Response {
                status,
                headers: crate::order::map(kept),
                body: body_without_secrets(&body, redactor),
            }
        });
        let silence = silence.map(|broken| Broken {
            words: cleaned(&broken.words, redactor),
            ..broken
        });
        Self {
            schema: SCHEMA.to_owned(),
            request: request.unwrap_or_default(),
            response,
            silence,
        }
    }

    /// Reads what was written.
    pub(crate) fn read(text: &str) -> Result<Self, CassetteProblem> {
        let cassette: Self =
            json::read(text).map_err(|error| CassetteProblem::Json(error.to_string()))?;
        if cassette.schema == SCHEMA {
            Ok(cassette)
        } else {
            Err(CassetteProblem::Schema(cassette.schema))
        }
    }
}

fn cleaned(text: &str, redactor: &Redactor) -> String {
    redactor.message(text).unwrap_or_else(|| text.to_owned())
}

/// Takes secrets out of every text of a value.
fn clean(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = clean_text(text, redactor),
        Value::Array(values) => values.iter_mut().for_each(|value| clean(value, redactor)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                clean(value, redactor);
                if let Value::String(text) = value {
                    // Some secrets are told by the word before them.
                    let with_key = format!("{key}={text}");
                    let is_told = redactor
                        .message(&with_key)
                        .is_some_and(|told| told.starts_with(&format!("{key}=[redacted:")));
                    if is_told && !text.starts_with("[redacted:") {
                        "[redacted:keyed]".clone_into(text);
                    }
                }
            }
            let names: Vec<_> = fields
                .keys()
                .filter_map(|name| Some((name.clone(), redactor.name(name)?)))
                .collect();
            for (old, new) in names {
                if let Some(value) = fields.remove(&old) {
                    fields.insert(new, value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes secrets out of a text, which may be JSON itself, as the arguments of calls are.
fn clean_text(text: &str, redactor: &Redactor) -> String {
    if text.starts_with(['{', '['])
        && let Ok(mut inner) = json::read::<Value>(text)
    {
        let before = inner.clone();
        clean(&mut inner, redactor);
        return if inner == before {
            text.to_owned()
        } else {
            inner.to_string()
        };
    }
    cleaned(text, redactor)
}

/// Takes secrets out of an answer: JSON, a stream of it, or something else.
fn body_without_secrets(body: &str, redactor: &Redactor) -> String {
    if let Ok(mut value) = json::read::<Value>(body) {
        clean(&mut value, redactor);
        return value.to_string();
    }
    if !body.contains("data:") {
        return cleaned(body, redactor);
    }
    let mut lines: Vec<Line> = body.lines().map(Line::read).collect();
    join_pieces(&mut lines, redactor);
    let mut text = String::new();
    for line in &mut lines {
        match line {
            Line::Data(value) => {
                clean(value, redactor);
                text.push_str(&format!("data: {value}"));
            }
            Line::Other(line) => text.push_str(&cleaned(line, redactor)),
        }
        text.push('\n');
    }
    // An end without a line's end stays one.
    if !body.ends_with(['\n', '\r']) {
        text.pop();
    }
    text
}

/// A line of a stream.
enum Line {
    Data(Value),
    Other(String),
}

impl Line {
    fn read(line: &str) -> Self {
        let data = line.strip_prefix("data:").map(str::trim_start);
        match data.and_then(|data| json::read(data).ok()) {
            Some(value) => Self::Data(value),
            None => Self::Other(line.to_owned()),
        }
    }
}

/// Where the pieces of a text stand.
type Slots = BTreeMap<String, Vec<(usize, String)>>;

/// Puts the pieces of a text that has secrets into its first one.
fn join_pieces(lines: &mut [Line], redactor: &Redactor) {
    let mut slots = Slots::new();
    for (number, line) in lines.iter().enumerate() {
        if let Line::Data(event) = line {
            for (group, pointer) in pieces(event) {
                slots.entry(group).or_default().push((number, pointer));
            }
        }
    }
    for slots in slots.into_values() {
        let read = |(number, pointer): &(usize, String)| match &lines[*number] {
            Line::Data(event) => event.pointer(pointer).and_then(Value::as_str),
            Line::Other(_) => None,
        };
        let whole: String = slots.iter().filter_map(read).collect();
        let mut clean = clean_text(&whole, redactor);
        if clean == whole {
            continue;
        }
        for (number, pointer) in slots {
            if let Line::Data(event) = &mut lines[number]
                && let Some(piece) = event.pointer_mut(&pointer)
            {
                *piece = Value::String(std::mem::take(&mut clean));
            }
        }
    }
}

/// Returns the pieces of texts in an event: which text, and where in the event.
fn pieces(event: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let place = [
        "type",
        "index",
        "output_index",
        "content_index",
        "summary_index",
    ];
    let place: Vec<_> = place.iter().map(|key| event[*key].to_string()).collect();
    let mut add = |pointer: String, more: &str| {
        if event.pointer(&pointer).is_some_and(Value::is_string) {
            // A text has one kind of pointer but for places in lists.
            let kind: BTreeSet<&str> = pointer.split('/').collect();
            found.push((format!("{} {more} {kind:?}", place.join(" ")), pointer));
        }
    };
    add("/delta".into(), "");
    for field in ["text", "partial_json", "thinking"] {
        add(format!("/delta/{field}"), "");
    }
    for (at, choice) in event["choices"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let choice_index = choice["index"].to_string();
        for field in ["content", "refusal", "reasoning_content", "reasoning"] {
            add(format!("/choices/{at}/delta/{field}"), &choice_index);
        }
        let calls = choice["delta"]["tool_calls"].as_array();
        for (call, piece) in calls.into_iter().flatten().enumerate() {
            let pointer = format!("/choices/{at}/delta/tool_calls/{call}/function/arguments");
            add(pointer, &format!("{choice_index} {}", piece["index"]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::llm::protocols::Protocol;

    const KEY: &str = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";

    fn redactor() -> Redactor {
        Redactor::new(&[("MY_TOKEN".to_owned(), "opensesame99".to_owned())])
    }

    fn kept(request: &Value, answer: &str) -> (String, Cassette) {
        let headers = [
            ("content-type".to_owned(), "x".to_owned()),
            ("set-cookie".to_owned(), "a=b".to_owned()),
        ];
        let response = Some((200, &headers[..], answer.as_bytes()));
        let cassette = Cassette::new(&request.to_string(), response, None, &redactor());
        let text = serde_json::to_string(&cassette).unwrap();
        assert_eq!(Cassette::read(&text).as_ref(), Ok(&cassette));
        assert!(!text.contains("set-cookie"));
        (text, cassette)
    }

    #[test]
    fn no_secret_is_kept() {
        let request = json!({"model": "m", "messages": [{"content": format!("use {KEY} and opensesame99")}],
            "tools": [{"password": "hunter2hunter2"}], "max_tokens": 4_096_000});
        let arguments = json!({"api_key": "hunter3hunter3", "max_tokens": 4_096_000}).to_string();
        let answer = json!({"choices": [{"message": {"content": KEY, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": arguments}}]},
            "finish_reason": "stop"}], "usage": {"prompt_tokens": 1_234_567, "completion_tokens": 1}});
        let (text, cassette) = kept(&request, &answer.to_string());
        for secret in [KEY, "opensesame99", "hunter2", "hunter3"] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(text.contains("4096000"));
        let body = cassette.response.unwrap().body;
        let answer = Protocol::Chat.whole(body.as_bytes()).unwrap();
        assert_eq!(answer.usage.unwrap()["prompt_tokens"], 1_234_567);
        let call: Value = serde_json::from_str(
            &answer
                .parts
                .iter()
                .find_map(|part| match part {
                    crate::llm::reply::Part::Call(call) => Some(call.arguments.clone()),
                    _ => None,
                })
                .unwrap(),
        )
        .unwrap();
        assert_eq!(call["max_tokens"], 4_096_000);
    }

    #[test]
    fn a_secret_in_pieces_is_found() {
        let (begin, end) = KEY.split_at(20);
        let chunk = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        let last = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
        let stream = format!(
            "data: {}\n\ndata: {}\n\ndata: {}\n\ndata: {last}\n\ndata: [DONE]\n\n",
            chunk(&format!("It is {begin}")),
            chunk(end),
            chunk(" now.")
        );
        let (text, cassette) = kept(&json!({}), &stream);
        assert!(!text.contains(begin) && !text.contains(end), "{text}");
        let mut reader = Protocol::Chat.stream();
        reader
            .push(cassette.response.unwrap().body.as_bytes())
            .unwrap();
        assert_eq!(
            reader.finish().unwrap().text(),
            "It is [redacted:anthropic-key] now."
        );
    }

    #[test]
    fn what_has_no_secret_is_kept_as_it_came() {
        let stream = "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: x\ndata: {\"type\":\"content_block_delta\"";
        let (_, cassette) = kept(&json!({}), stream);
        assert_eq!(cassette.response.unwrap().body, stream);
    }

    #[test]
    fn another_file_is_no_cassette() {
        let problem = |text: &str| Cassette::read(text).unwrap_err().to_string();
        assert!(problem("{}").contains("schema"));
        let other = json!({"schema": "maestro.cassette/v2", "request": {}, "response": null, "silence": null});
        assert!(problem(&other.to_string()).contains("maestro.cassette/v2"));
    }
}
