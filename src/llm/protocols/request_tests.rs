//! What holds for the requests of all three protocols.

use serde_json::json;

use super::Protocol;
use crate::llm::reply::{Part, ToolCall, ToolResult};
use crate::llm::request::{Choice, House, Keep, Message, Request, Schema, Tool};

const ALL: [Protocol; 3] = [Protocol::Messages, Protocol::Chat, Protocol::Responses];

/// A conversation with all that there is.
fn conversation(house: House, streamed: bool) -> Request {
    let text = |text: &str| Part::Text(text.into());
    let call = |id: &str, arguments: &str| {
        Part::Call(ToolCall {
            id: id.into(),
            name: "read".into(),
            arguments: arguments.into(),
        })
    };
    let result = |call: &str, is_error: bool| {
        Part::Result(ToolResult {
            call: call.into(),
            text: "fn main() {}".into(),
            is_error,
        })
    };
    Request {
        model: "m-1".into(),
        system: Some("You mend code.".into()),
        messages: vec![
            Message::ask("Mend it."),
            Message {
                is_from_model: true,
                parts: vec![
                    text("I look."),
                    call("c1", "{\"path\":\"a\"}"),
                    call("c2", "not JSON"),
                ],
            },
            Message {
                is_from_model: false,
                parts: vec![result("c1", false), result("c2", true), text("Go on.")],
            },
        ],
        tools: vec![Tool {
            name: "read".into(),
            description: "Reads a file".into(),
            parameters: json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}),
        }],
        choice: Choice::Free,
        schema: Some(Schema {
            name: "answer".into(),
            schema: json!({"type": "object", "properties": {"done": {"type": "boolean"}}, "required": ["done"], "additionalProperties": false}),
        }),
        max_tokens: 100,
        keep: Some(Keep::Hour),
        is_streamed: streamed,
        house,
    }
}

/// Requests that `tests/interop/requests.sh` has judged by the providers' own programs.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what others judge is kept in a file"
)]
fn requests_are_those_that_others_judge() {
    let mut requests = Vec::new();
    let few = |request: &mut Request| {
        request.system = None;
        request.tools.clear();
        request.schema = None;
        request.keep = None;
        request.messages.truncate(1);
    };
    for protocol in ALL {
        for house in [House::Own, House::Other] {
            for streamed in [false, true] {
                let mut request = conversation(house, streamed);
                requests.push((protocol, request.clone()));
                request.choice = Choice::Any;
                request.system = None;
                request.keep = Some(Keep::FiveMinutes);
                requests.push((protocol, request.clone()));
                request.choice = Choice::Tool("read".into());
                requests.push((protocol, request.clone()));
                few(&mut request);
                requests.push((protocol, request));
            }
        }
    }
    let lines = requests.into_iter().map(|(protocol, request)| {
        let body = protocol.encode(&request);
        format!("{}\n", json!({"protocol": protocol.name(), "body": body}))
    });
    let mut lines: Vec<String> = lines.collect();
    lines.dedup();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/llm/requests.ndjson");
    let text = lines.concat();
    if std::env::var_os("MAESTRO_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept == text,
        "fixtures/llm/requests.ndjson is stale; run MAESTRO_BLESS=1 cargo test requests_are, then tests/interop/requests.sh"
    );
}

#[test]
fn thoughts_are_said_again_only_to_whom_they_came_from() {
    let mut request = conversation(House::Own, false);
    let thoughts = json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"});
    let sealed = json!({"type": "reasoning", "summary": [], "encrypted_content": "x"});
    let open = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    request.messages[1]
        .parts
        .insert(0, Part::Opaque(thoughts.clone()));
    let body = Protocol::Messages.encode(&request);
    assert_eq!(body["messages"][1]["content"][0], thoughts);
    assert!(!Protocol::Chat.encode(&request).to_string().contains("Hm."));
    request.messages[1].parts[0] = Part::Opaque(sealed.clone());
    assert_eq!(Protocol::Responses.encode(&request)["input"][1], sealed);
    request.messages[1].parts[0] = Part::Opaque(open);
    assert!(
        !Protocol::Responses
            .encode(&request)
            .to_string()
            .contains("rs_1")
    );
}

#[test]
fn what_is_kept_ends_after_the_last_message() {
    let request = conversation(House::Own, false);
    let body = Protocol::Messages.encode(&request);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    assert_eq!(body["system"][0]["cache_control"], mark);
    assert_eq!(body["messages"][2]["content"][2]["cache_control"], mark);
    assert_eq!(body.to_string().matches("cache_control").count(), 2);
}
