//! OpenAI's Chat Completions (platform.openai.com, "Chat", "Chat streaming"), as Ollama, llama.cpp, vLLM, LiteLLM and others speak it too.
//!
//! A stream's last word is `[DONE]`; before it each choice has said why it ended. Usage comes in a chunk without choices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::reply::{Answer, Part, Stop, ToolCall, WireProblem, object_of, text_of};
use super::super::request::{Choice as ToolChoice, House, Message, Request};
use super::{Decoder, joined, shown};

/// Returns the body of a request.
pub(super) fn encode(request: &Request) -> Value {
    let system = request.system.iter();
    let mut messages: Vec<_> = system
        .map(|text| json!({"role": "system", "content": text}))
        .collect();
    for message in &request.messages {
        add_message(&mut messages, message);
    }
    let mut body = json!({"model": request.model, "messages": messages});
    // OpenAI's newer models refuse the old name; others do not know the new one, and would write without end.
    let most = match request.house {
        House::Own => "max_completion_tokens",
        House::Other => "max_tokens",
    };
    body[most] = Value::from(request.max_tokens);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
        });
        body["tools"] = tools.collect();
        body["tool_choice"] = match &request.choice {
            ToolChoice::Free => json!("auto"),
            ToolChoice::Any => json!("required"),
            ToolChoice::Tool(name) => json!({"type": "function", "function": {"name": name}}),
        };
    }
    if let Some(schema) = &request.schema {
        body["response_format"] = json!({"type": "json_schema", "json_schema": {
            "name": schema.name, "schema": schema.schema, "strict": schema.is_strict()}});
    }
    if request.is_streamed {
        body["stream"] = Value::from(true);
        // Without it nobody says what was used.
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn add_message(messages: &mut Vec<Value>, message: &Message) {
    let text = joined(&message.parts);
    if message.is_from_model {
        let calls = message.parts.iter().filter_map(|part| match part {
            Part::Call(call) => Some(json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})),
            _ => None,
        });
        let calls: Vec<_> = calls.collect();
        let mut said = json!({"role": "assistant"});
        if !text.is_empty() || calls.is_empty() {
            said["content"] = Value::from(text);
        }
        if !calls.is_empty() {
            said["tool_calls"] = Value::Array(calls);
        }
        messages.push(said);
        return;
    }
    for part in &message.parts {
        if let Part::Result(result) = part {
            messages.push(
                json!({"role": "tool", "tool_call_id": result.call, "content": shown(result)}),
            );
        }
    }
    if !text.is_empty() {
        messages.push(json!({"role": "user", "content": text}));
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "stop" | "end_turn" | "eos" => Stop::End,
        "length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::Tools,
        "content_filter" => Stop::Refusal,
        _ => Stop::Other,
    }
}

/// Reads an answer that came whole.
pub(super) fn whole(body: &Value) -> Result<Answer, WireProblem> {
    let choice = body["choices"].get(0);
    let choice = choice.ok_or(WireProblem::Missing("choices"))?;
    let message = object_of(choice, "message").ok_or(WireProblem::Missing("message"))?;
    let reason = text_of(choice, "finish_reason");
    let mut draft = Choice::default();
    draft.add(&message);
    draft.stop = Some(stop(&reason.ok_or(WireProblem::Missing("finish_reason"))?));
    draft.answer(
        text_of(body, "id"),
        text_of(body, "model"),
        object_of(body, "usage"),
    )
}

/// A choice that is being written.
#[derive(Debug, Default)]
struct Choice {
    text: String,
    refusal: String,
    calls: BTreeMap<u64, ToolCall>,
    stop: Option<Stop>,
}

impl Choice {
    /// Adds a message, or a piece of one.
    fn add(&mut self, message: &Value) {
        match &message["content"] {
            Value::String(text) => self.text.push_str(text),
            // Mistral's parts.
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                texts.for_each(|text| self.text.push_str(text));
            }
            _ => {}
        }
        self.refusal
            .push_str(message["refusal"].as_str().unwrap_or_default());
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            self.add_call(call);
        }
    }

    fn add_call(&mut self, piece: &Value) {
        let id = text_of(piece, "id");
        let last = self.calls.last_key_value().map(|(index, _)| *index);
        let next = || last.map_or(0, |last| last.saturating_add(1));
        let index = match (piece["index"].as_u64(), last) {
            (Some(index), _) => index,
            // Whole messages, and some servers, have no index: an id begins a call.
            (None, Some(last)) if id.is_none() => last,
            (None, _) => next(),
        };
        let known = self.calls.get(&index);
        // Others have the same one for all calls.
        let is_another = match (known, &id) {
            (Some(known), Some(id)) => known.id != *id && !known.id.is_empty(),
            _ => false,
        };
        let index = if is_another { next() } else { index };
        let call = self.calls.entry(index).or_insert_with(|| ToolCall {
            id: String::new(),
            name: String::new(),
            arguments: String::new(),
        });
        if let Some(id) = id {
            call.id = id;
        }
        let function = &piece["function"];
        if call.name.is_empty() {
            call.name = text_of(function, "name").unwrap_or_default();
        }
        match &function["arguments"] {
            Value::String(text) => call.arguments.push_str(text),
            // Ollama's own form.
            object @ Value::Object(_) => call.arguments.push_str(&object.to_string()),
            _ => {}
        }
    }

    fn answer(
        self,
        id: Option<String>,
        model: Option<String>,
        usage: Option<Value>,
    ) -> Result<Answer, WireProblem> {
        let stop = self.stop.ok_or(WireProblem::Missing("finish_reason"))?;
        let texts = [self.text, self.refusal.clone()];
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        let mut parts: Vec<_> = texts.map(Part::Text).collect();
        // Some servers end with `stop` all the same.
        let stop = match stop {
            Stop::End if !self.refusal.is_empty() => Stop::Refusal,
            Stop::End if !self.calls.is_empty() => Stop::Tools,
            stop => stop,
        };
        parts.extend(self.calls.into_values().map(Part::Call));
        Ok(Answer {
            id,
            model,
            parts,
            stop,
            usage,
        })
    }
}

/// Nobody asks for so many choices.
const MOST_CHOICES: usize = 1024;

/// A stream of it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Value>,
    choices: BTreeMap<u64, Choice>,
}

impl Decoder for Stream {
    fn event(&mut self, event: &Value) -> Result<bool, WireProblem> {
        self.id = self.id.take().or_else(|| text_of(event, "id"));
        self.model = self.model.take().or_else(|| text_of(event, "model"));
        // Some servers count in each chunk; the last one has all.
        if let Some(usage) = object_of(event, "usage") {
            self.usage = Some(usage);
        }
        for piece in event["choices"].as_array().into_iter().flatten() {
            let index = piece["index"].as_u64().unwrap_or(0);
            if self.choices.len() >= MOST_CHOICES {
                return Err(WireProblem::TooLarge);
            }
            let choice = self.choices.entry(index).or_default();
            choice.add(&piece["delta"]);
            if let Some(reason) = text_of(piece, "finish_reason") {
                choice.stop = Some(stop(&reason));
            }
        }
        Ok(false)
    }

    fn is_end(&self, data: &[u8]) -> bool {
        data.trim_ascii() == b"[DONE]"
    }

    fn answer(&mut self) -> Result<Answer, WireProblem> {
        let choices = std::mem::take(&mut self.choices);
        if choices.values().any(|choice| choice.stop.is_none()) {
            return Err(WireProblem::Missing("finish_reason"));
        }
        let first = choices.into_values().next();
        let first = first.ok_or(WireProblem::Missing("choices"))?;
        first.answer(self.id.take(), self.model.take(), self.usage.take())
    }

    fn last(&self) -> &'static str {
        "[DONE]"
    }
}
