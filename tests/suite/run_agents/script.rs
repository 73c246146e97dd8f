//! A provider that plays the parts of a team by a script, and keeps what it was asked.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::gateway::provider::{Play, Provider};
use crate::github::Asked;

/// What a model says.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    Text(String),
    /// Calls of tools: name and arguments.
    Calls(Vec<(&'static str, Value)>),
    /// Something else than an answer.
    Play(Play),
}

impl Say {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Text(value.to_string())
    }
}

/// What was asked, read.
pub(crate) struct Question {
    pub(crate) role: String,
    pub(crate) model: String,
    /// Everything that the model sees, in one text.
    pub(crate) text: String,
    /// How many times the model spoke before.
    pub(crate) turns: usize,
}

fn texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, out)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if ["text", "content", "system", "messages", "input"].contains(&name.as_str()) {
                    texts(value, out);
                }
            }
        }
        _ => {}
    }
}

impl Question {
    pub(crate) fn read(asked: &Asked) -> Self {
        let body = asked.body.clone().unwrap();
        let mut text = String::new();
        texts(&body["system"], &mut text);
        let role = text.split_once("You are the ").map_or("?", |(_, rest)| {
            rest.split([' ', '.', ',']).next().unwrap_or("?")
        });
        // The prompt calls it by another name.
        let role = if role == "writer" { "docs" } else { role }.to_owned();
        texts(&body["messages"], &mut text);
        let messages = body["messages"].as_array().unwrap();
        let turns = messages
            .iter()
            .filter(|one| one["role"] == "assistant")
            .count();
        Self {
            role,
            model: body["model"].as_str().unwrap().to_owned(),
            text,
            turns,
        }
    }
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// Returns an answer of Anthropic's as a stream. Tokens are counted as four bytes each.
pub(crate) fn stream(model: &str, asked: usize, say: &Say) -> Play {
    let (blocks, stop): (Vec<(Value, Value)>, &str) = match say {
        Say::Play(play) => return play.clone(),
        Say::Text(text) => (
            vec![(
                json!({"type": "text", "text": ""}),
                json!({"type": "text_delta", "text": text}),
            )],
            "end_turn",
        ),
        Say::Calls(calls) => {
            let blocks = calls.iter().enumerate().map(|(at, (name, arguments))| {
                (
                    json!({"type": "tool_use", "id": format!("toolu_{asked}_{at}"), "name": name, "input": {}}),
                    json!({"type": "input_json_delta", "partial_json": arguments.to_string()}),
                )
            });
            (blocks.collect(), "tool_use")
        }
    };
    let written: usize = blocks
        .iter()
        .map(|(_, delta)| delta.to_string().len() / 4)
        .sum();
    let mut events = vec![event(
        "message_start",
        &json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": null, "usage": {"input_tokens": asked / 4, "output_tokens": 1}}}),
    )];
    for (at, (start, delta)) in blocks.iter().enumerate() {
        events.push(event(
            "content_block_start",
            &json!({"type": "content_block_start", "index": at, "content_block": start}),
        ));
        events.push(event(
            "content_block_delta",
            &json!({"type": "content_block_delta", "index": at, "delta": delta}),
        ));
        events.push(event(
            "content_block_stop",
            &json!({"type": "content_block_stop", "index": at}),
        ));
    }
    events.push(event(
        "message_delta",
        &json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": written}}),
    ));
    events.push(event("message_stop", &json!({"type": "message_stop"})));
    Play::events(&events)
}

/// Starts a provider whose answers a function gives.
pub(crate) fn provider(answer: impl Fn(&Question) -> Say + Send + Sync + 'static) -> Provider {
    let answer = Arc::new(answer);
    Provider::playing(move |asked| {
        let question = Question::read(asked);
        let answered = std::panic::AssertUnwindSafe(|| answer(&question));
        // What is not as the script wants it must not be asked again.
        let say = std::panic::catch_unwind(answered).unwrap_or_else(|_| {
            Say::Play(Play::json(400, &json!({"type": "error", "error": {"type": "invalid_request_error", "message": "the script did not expect this"}})))
        });
        stream(&question.model, question.text.len(), &say)
    })
}

/// The answers of roles that have nothing to say.
pub(crate) fn plain(role: &str) -> Value {
    match role {
        "tester" => {
            json!({"summary": "", "edits": [], "covers": [], "commands": [], "diagnosis": [], "gaps": [], "blocked": "", "suspicious": []})
        }
        "reviewer" | "security" => {
            json!({"verdict": "approve", "summary": "It is right.", "findings": [], "checked": ["all of it"], "suspicious": []})
        }
        "docs" => {
            json!({"edits": [], "pull_request": {"title": "Mend it", "body": "It works now."},
            "change": {"kind": "fixed", "title": "It works", "why": "It did not.", "user_visible": true, "breaking": false}, "blocked": "", "suspicious": []})
        }
        "scaffolder" => {
            json!({"summary": "", "edits": [], "interfaces": [], "blocked": "", "suspicious": []})
        }
        _ => json!({"summary": "", "edits": [], "notes": [], "blocked": "", "suspicious": []}),
    }
}

/// A plan of some tasks.
pub(crate) fn plan(tasks: &[Value]) -> Value {
    json!({"verdict": "ready", "summary": "Adding adds.", "tasks": tasks, "risks": [], "assumptions": [], "questions": [], "suspicious": []})
}

/// A task of a plan.
pub(crate) fn task(
    id: &str,
    role: &str,
    needs: &[&str],
    files: &[&str],
    new_files: &[&str],
    commands: &[&str],
) -> Value {
    json!({"id": id, "role": role, "title": format!("Do {id}"), "goal": format!("Do what {id} says."), "depends_on": needs, "files": files, "new_files": new_files,
        "acceptance": {"commands": commands, "done_when": "It is done."}, "complexity": "small"})
}

/// An edit.
pub(crate) fn edit(path: &str, action: &str, search: &str, replace: &str) -> Value {
    json!({"path": path, "action": action, "search": search, "replace": replace})
}

/// An answer with edits.
pub(crate) fn edits(role: &str, edits: &[Value]) -> Value {
    let mut answer = plain(role);
    answer["edits"] = json!(edits);
    answer
}
