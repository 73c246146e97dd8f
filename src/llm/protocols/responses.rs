//! OpenAI's Responses (platform.openai.com, "Responses", "Streaming events").
//!
//! A stream's last event is `response.completed`, `response.incomplete` or `response.failed`, and has the whole answer in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::reply::{Answer, Part, Stop, ToolCall, WireProblem, object_of, text_of};
use super::super::request::{Choice, Message, Request};
use super::{Decoder, joined, shown};

/// Returns the body of a request. Nothing of it is to be stored: what was said before is said again.
pub(super) fn encode(request: &Request) -> Value {
    let mut input = Vec::new();
    for message in &request.messages {
        add_message(&mut input, message);
    }
    let mut body = json!({
        "model": request.model,
        "input": input,
        "max_output_tokens": request.max_tokens,
        "store": false,
    });
    if let Some(system) = &request.system {
        body["instructions"] = Value::from(system.as_str());
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": false})
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.choice {
            Choice::Free => json!("auto"),
            Choice::Any => json!("required"),
            Choice::Tool(name) => json!({"type": "function", "name": name}),
        };
    }
    if let Some(schema) = &request.schema {
        body["text"] = json!({"format": {
            "type": "json_schema", "name": schema.name, "schema": schema.schema, "strict": schema.is_strict()}});
    }
    if request.is_streamed {
        body["stream"] = Value::from(true);
    }
    body
}

fn add_message(input: &mut Vec<Value>, message: &Message) {
    for part in &message.parts {
        match part {
            Part::Result(result) => input.push(
                json!({"type": "function_call_output", "call_id": result.call, "output": shown(result)}),
            ),
            // Thoughts that are not stored come back only with what is sealed in them.
            Part::Opaque(item) if item["encrypted_content"].is_string() => input.push(item.clone()),
            _ => {}
        }
    }
    let text = joined(&message.parts);
    if !text.is_empty() {
        let role = if message.is_from_model {
            "assistant"
        } else {
            "user"
        };
        input.push(json!({"role": role, "content": text}));
    }
    for part in &message.parts {
        if let Part::Call(call) = part {
            input.push(json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}));
        }
    }
}

/// Reads an answer that came whole.
pub(super) fn whole(body: &Value) -> Result<Answer, WireProblem> {
    let items = body["output"].as_array();
    let items = items.ok_or(WireProblem::Missing("output"))?;
    read(body, items)
}

fn read(body: &Value, items: &[Value]) -> Result<Answer, WireProblem> {
    let mut parts = Vec::new();
    let mut is_refused = false;
    for item in items {
        match item["type"].as_str() {
            Some("message") => {
                for content in item["content"].as_array().into_iter().flatten() {
                    let refusal = text_of(content, "refusal");
                    is_refused |= refusal.is_some();
                    parts.extend(text_of(content, "text").or(refusal).map(Part::Text));
                }
            }
            Some("function_call") => parts.push(Part::Call(ToolCall {
                id: text_of(item, "call_id")
                    .or_else(|| text_of(item, "id"))
                    .unwrap_or_default(),
                name: text_of(item, "name").unwrap_or_default(),
                arguments: text_of(item, "arguments").unwrap_or_default(),
            })),
            _ => parts.push(Part::Opaque(item.clone())),
        }
    }
    let has_calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    let reason = body["incomplete_details"]["reason"].as_str();
    let stop = match (body["status"].as_str(), reason) {
        (Some("completed"), _) if is_refused => Stop::Refusal,
        (Some("completed"), _) if has_calls => Stop::Tools,
        (Some("completed"), _) => Stop::End,
        (Some("incomplete"), Some("max_output_tokens")) => Stop::MaxTokens,
        (Some("incomplete"), Some("content_filter")) => Stop::Refusal,
        (Some("incomplete"), _) => Stop::Other,
        // `failed`, `cancelled`, and what is not done: `queued`, `in_progress`.
        (Some(status), _) => {
            return Err(WireProblem::Said {
                kind: status.chars().take(60).collect(),
                message: "the response came to no end".into(),
            });
        }
        (None, _) => return Err(WireProblem::Missing("status")),
    };
    Ok(Answer {
        id: text_of(body, "id"),
        model: text_of(body, "model"),
        parts,
        stop,
        usage: object_of(body, "usage"),
    })
}

/// A stream of it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    model: Option<String>,
    usage: Option<Value>,
    /// Those that are done, by their place.
    items: BTreeMap<u64, Value>,
    answer: Option<Answer>,
}

impl Decoder for Stream {
    fn event(&mut self, event: &Value) -> Result<bool, WireProblem> {
        let response = &event["response"];
        if let Some(model) = text_of(response, "model") {
            self.model = Some(model);
        }
        if let Some(usage) = object_of(response, "usage") {
            self.usage = Some(usage);
        }
        match event["type"].as_str() {
            Some("response.output_item.done") => {
                // llama.cpp has no place for it: then it is the next one.
                let place = event["output_index"].as_u64();
                let place = place.unwrap_or(self.items.len() as u64);
                let item = object_of(event, "item").ok_or(WireProblem::Missing("item"))?;
                self.items.insert(place, item);
                Ok(false)
            }
            Some("response.completed" | "response.incomplete") => {
                let items = response["output"].as_array().cloned().unwrap_or_default();
                // Some servers leave out of the last event what they have said before.
                let items = if items.is_empty() {
                    std::mem::take(&mut self.items).into_values().collect()
                } else {
                    items
                };
                self.answer = Some(read(response, &items)?);
                Ok(true)
            }
            Some("response.failed" | "response.cancelled") => {
                Err(WireProblem::said(&response["error"]))
            }
            _ => Ok(false),
        }
    }

    fn answer(&mut self) -> Result<Answer, WireProblem> {
        let answer = self.answer.take();
        answer.ok_or(WireProblem::Truncated("response.completed"))
    }

    fn last(&self) -> &'static str {
        "response.completed"
    }
}
