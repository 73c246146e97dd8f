//! A model's answers as the journal keeps them, and what stands in the last one.

use serde_json::{Value, json};

use crate::json;
use crate::llm::reply::{Answer, Part, Stop, ToolCall};

/// Returns an answer as JSON.
pub(crate) fn keep(answer: &Answer) -> Value {
    let parts = answer.parts.iter().map(|part| match part {
        Part::Text(text) => json!({"text": text}),
        Part::Call(call) => {
            json!({"call": call.name, "id": call.id, "arguments": call.arguments})
        }
        Part::Opaque(value) => json!({"opaque": value}),
        // Only people and programs send it.
        Part::Result(_) => Value::Null,
    });
    json!({
        "model": answer.model,
        "stop": answer.stop.name(),
        "parts": parts.collect::<Vec<_>>(),
    })
}

/// Returns the answer that was kept.
pub(crate) fn kept(value: &Value) -> Option<Answer> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let parts = value["parts"].as_array()?.iter().filter_map(|part| {
        if let Some(said) = text(&part["text"]) {
            return Some(Part::Text(said));
        }
        if let Some(name) = text(&part["call"]) {
            return Some(Part::Call(ToolCall {
                id: text(&part["id"]).unwrap_or_default(),
                name,
                arguments: text(&part["arguments"]).unwrap_or_default(),
            }));
        }
        part.get("opaque").map(|value| Part::Opaque(value.clone()))
    });
    Some(Answer {
        id: None,
        model: text(&value["model"]),
        parts: parts.collect(),
        stop: stop(value["stop"].as_str()?)?,
        usage: None,
    })
}

fn stop(name: &str) -> Option<Stop> {
    Stop::ALL.into_iter().find(|stop| stop.name() == name)
}

/// Finds the JSON object that a text is, or that stands in it alone in a fence.
pub(crate) fn object(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let inner = unfenced(text).unwrap_or(text);
    match json::read::<Value>(inner) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it is JSON and no object".to_owned()),
        Err(error) => {
            // Some words before it, and it is the only one: what a person would take it for.
            let (from, to) = (inner.find('{'), inner.rfind('}'));
            if let (Some(from), Some(to)) = (from, to)
                && from < to
                && let Ok(value @ Value::Object(_)) = json::read(&inner[from..=to])
            {
                return Ok(value);
            }
            Err(format!("it is no JSON object: {error}"))
        }
    }
}

/// Returns what stands in the only fence of a text.
fn unfenced(text: &str) -> Option<&str> {
    let from = text.find("```")?;
    let rest = &text[from + 3..];
    let line = rest.find('\n')?;
    let inner = &rest[line + 1..];
    let end = inner.rfind("```")?;
    Some(inner[..end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_whole() {
        let answer = Answer {
            id: None,
            model: Some("m".to_owned()),
            parts: vec![
                Part::Opaque(json!({"type": "thinking", "signature": "x"})),
                Part::Text("a\nb".to_owned()),
                Part::Call(ToolCall {
                    id: "1".to_owned(),
                    name: "read".to_owned(),
                    arguments: "{\"path\":".to_owned(),
                }),
            ],
            stop: Stop::ALL[0],
            usage: None,
        };
        assert_eq!(kept(&keep(&answer)).unwrap(), answer);
        assert_eq!(kept(&json!({"parts": [], "stop": "never"})), None);
        assert_eq!(kept(&json!(null)), None);
    }

    #[test]
    fn an_object_is_found_where_models_put_it() {
        for text in [
            "{\"a\": 1}",
            "```json\n{\"a\": 1}\n```",
            "Here it is:\n```\n{\"a\": 1}\n```\nDone.",
            "Sure! {\"a\": 1}",
        ] {
            assert_eq!(object(text).unwrap(), json!({"a": 1}), "{text}");
        }
        for text in [
            "",
            "[1]",
            "{\"a\": 1",
            "{\"a\": 1} {\"b\": 2}",
            "```json\n{\"a\"\n```",
        ] {
            assert!(object(text).is_err(), "{text}");
        }
    }
}
