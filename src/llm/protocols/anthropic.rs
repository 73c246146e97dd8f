//! Anthropic's Messages (docs.claude.com, "Messages" and "Streaming messages"; `anthropic-version: 2023-06-01`).
//!
//! A stream's `usage` is a snapshot, cumulative: later ones lie over earlier ones and are never added.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::reply::{Answer, Part, Stop, ToolCall, WireProblem, object_of, text_of};
use super::super::request::{Choice, Keep, Message, Request};
use super::{Decoder, lay_over};

use crate::json;

/// Returns the body of a request.
///
/// What is to be kept ends after the system's text, or the tools, and after the last message: it is found again when the next request
/// begins the same ("Prompt caching").
pub(super) fn encode(request: &Request) -> Value {
    let mark = request.keep.map(|keep| match keep {
        Keep::FiveMinutes => json!({"type": "ephemeral"}),
        Keep::Hour => json!({"type": "ephemeral", "ttl": "1h"}),
    });
    let marked = |mut block: Value| {
        if let Some(mark) = &mark {
            block["cache_control"] = mark.clone();
        }
        block
    };
    let messages = request.messages.iter().map(message);
    let mut messages: Vec<_> = messages.collect();
    let last = messages
        .last_mut()
        .and_then(|message| message["content"].as_array_mut());
    if let Some(block) = last.and_then(|blocks| blocks.last_mut())
        && ["text", "tool_use", "tool_result"].contains(&block["type"].as_str().unwrap_or_default())
    {
        *block = marked(block.take());
    }
    let mut body = json!({
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": messages,
    });
    if let Some(system) = &request.system {
        body["system"] = json!([marked(json!({"type": "text", "text": system}))]);
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
        });
        let mut tools: Vec<_> = tools.collect();
        if request.system.is_none()
            && let Some(tool) = tools.last_mut()
        {
            *tool = marked(tool.take());
        }
        body["tools"] = Value::Array(tools);
        body["tool_choice"] = match &request.choice {
            Choice::Free => json!({"type": "auto"}),
            Choice::Any => json!({"type": "any"}),
            Choice::Tool(name) => json!({"type": "tool", "name": name}),
        };
    }
    if let Some(schema) = &request.schema {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema.schema}});
    }
    if request.is_streamed {
        body["stream"] = Value::from(true);
    }
    body
}

fn message(message: &Message) -> Value {
    let blocks = message.parts.iter().filter_map(|part| match part {
        // A block without text is refused.
        Part::Text(text) if text.is_empty() => None,
        Part::Text(text) => Some(json!({"type": "text", "text": text})),
        Part::Call(call) => {
            let input: Option<Value> = json::read(&call.arguments).ok();
            // What the model wrote may be no JSON, and an object it must be.
            let input = input
                .filter(Value::is_object)
                .unwrap_or_else(|| json!({"arguments": call.arguments}));
            Some(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}))
        }
        Part::Result(result) => Some(json!({"type": "tool_result", "tool_use_id": result.call, "content": result.text, "is_error": result.is_error})),
        Part::Opaque(block) => Some(block.clone()),
    });
    let role = if message.is_from_model {
        "assistant"
    } else {
        "user"
    };
    json!({"role": role, "content": blocks.collect::<Vec<_>>()})
}

fn stop(reason: &str) -> Stop {
    match reason {
        "end_turn" | "stop_sequence" => Stop::End,
        "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
        "tool_use" => Stop::Tools,
        "refusal" => Stop::Refusal,
        "pause_turn" => Stop::Paused,
        _ => Stop::Other,
    }
}

/// Reads an answer that came whole.
pub(super) fn whole(body: &Value) -> Result<Answer, WireProblem> {
    let blocks = body["content"].as_array();
    let blocks = blocks.ok_or(WireProblem::Missing("content"))?;
    let reason = body["stop_reason"].as_str();
    Ok(Answer {
        id: text_of(body, "id"),
        model: text_of(body, "model"),
        parts: blocks.iter().map(part).collect(),
        stop: stop(reason.ok_or(WireProblem::Missing("stop_reason"))?),
        usage: object_of(body, "usage"),
    })
}

fn part(block: &Value) -> Part {
    match block["type"].as_str() {
        Some("text") => Part::Text(text_of(block, "text").unwrap_or_default()),
        Some("tool_use") => Part::Call(ToolCall {
            id: text_of(block, "id").unwrap_or_default(),
            name: text_of(block, "name").unwrap_or_default(),
            arguments: block.get("input").map_or("{}".into(), Value::to_string),
        }),
        _ => Part::Opaque(block.clone()),
    }
}

/// A block that is being written.
#[derive(Debug)]
struct Block {
    begin: Value,
    /// Text, or JSON, in pieces.
    text: String,
    thinking: String,
    signature: String,
}

impl Block {
    fn end(mut self) -> Part {
        match self.begin["type"].as_str() {
            Some("text") => {
                let begin = text_of(&self.begin, "text").unwrap_or_default();
                Part::Text(begin + &self.text)
            }
            Some("tool_use") => {
                if self.text.is_empty() {
                    return part(&self.begin);
                }
                Part::Call(ToolCall {
                    id: text_of(&self.begin, "id").unwrap_or_default(),
                    name: text_of(&self.begin, "name").unwrap_or_default(),
                    arguments: self.text,
                })
            }
            _ => {
                if !self.thinking.is_empty() {
                    self.begin["thinking"] = Value::from(self.thinking);
                }
                if !self.signature.is_empty() {
                    self.begin["signature"] = Value::from(self.signature);
                }
                // A search of the provider's has its input in pieces, as other calls have.
                if let Ok(input) = json::read::<Value>(&self.text) {
                    self.begin["input"] = input;
                }
                Part::Opaque(self.begin)
            }
        }
    }
}

/// A stream of it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Value>,
    blocks: BTreeMap<u64, Block>,
    stop: Option<Stop>,
}

impl Decoder for Stream {
    fn event(&mut self, event: &Value) -> Result<bool, WireProblem> {
        match event["type"].as_str() {
            Some("message_start") => {
                let message = &event["message"];
                self.id = text_of(message, "id");
                self.model = text_of(message, "model");
                lay_over(&mut self.usage, message.get("usage"));
            }
            Some("content_block_start") => {
                let index = index_of(event)?;
                let begin = object_of(event, "content_block");
                let block = Block {
                    begin: begin.ok_or(WireProblem::Missing("content_block"))?,
                    text: String::new(),
                    thinking: String::new(),
                    signature: String::new(),
                };
                self.blocks.insert(index, block);
            }
            Some("content_block_delta") => {
                let block = self.blocks.get_mut(&index_of(event)?);
                let block = block.ok_or(WireProblem::Missing("content_block_start"))?;
                add(block, &event["delta"]);
            }
            Some("message_delta") => {
                if let Some(reason) = event["delta"]["stop_reason"].as_str() {
                    self.stop = Some(stop(reason));
                }
                lay_over(&mut self.usage, event.get("usage"));
            }
            Some("message_stop") => {
                if self.stop.is_none() {
                    return Err(WireProblem::Missing("stop_reason"));
                }
                return Ok(true);
            }
            // `ping`, the ends of blocks, and what comes later.
            _ => {}
        }
        Ok(false)
    }

    fn answer(&mut self) -> Result<Answer, WireProblem> {
        let blocks = std::mem::take(&mut self.blocks);
        Ok(Answer {
            id: self.id.take(),
            model: self.model.take(),
            parts: blocks.into_values().map(Block::end).collect(),
            stop: self.stop.ok_or(WireProblem::Missing("stop_reason"))?,
            usage: self.usage.take(),
        })
    }

    fn last(&self) -> &'static str {
        "message_stop"
    }
}

fn index_of(event: &Value) -> Result<u64, WireProblem> {
    event["index"].as_u64().ok_or(WireProblem::Missing("index"))
}

fn add(block: &mut Block, delta: &Value) {
    let text = |key: &str| delta[key].as_str().unwrap_or_default();
    match delta["type"].as_str() {
        Some("text_delta") => block.text.push_str(text("text")),
        Some("input_json_delta") => block.text.push_str(text("partial_json")),
        Some("thinking_delta") => block.thinking.push_str(text("thinking")),
        Some("signature_delta") => block.signature.push_str(text("signature")),
        Some("citations_delta") => {
            if !block.begin["citations"].is_array() {
                block.begin["citations"] = json!([]);
            }
            if let Some(citations) = block.begin["citations"].as_array_mut() {
                citations.push(delta["citation"].clone());
            }
        }
        _ => {}
    }
}
