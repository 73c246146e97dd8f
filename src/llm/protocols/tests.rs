//! What holds for all three protocols: bytes may be cut anywhere, and an answer is whole or none.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::llm::reply::{Part, Stop, ToolCall};

fn events(protocol: Protocol, events: &[Value]) -> String {
    let mut stream = String::new();
    for event in events {
        if protocol != Protocol::Chat {
            stream.push_str(&format!("event: {}\n", event["type"].as_str().unwrap()));
        }
        stream.push_str(&format!("data: {event}\n\n"));
    }
    if protocol == Protocol::Chat {
        stream.push_str("data: [DONE]\n\n");
    }
    stream
}

fn messages() -> String {
    let usage = json!({"input_tokens": 25, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 7, "output_tokens": 1});
    let delta = |index: u64, delta: &Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    events(
        Protocol::Messages,
        &[
            json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m-1",
                "stop_reason": null, "usage": usage}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
            delta(0, &json!({"type": "thinking_delta", "thinking": "Hm."})),
            delta(0, &json!({"type": "signature_delta", "signature": "c2ln"})),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "ping"}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            delta(1, &json!({"type": "text_delta", "text": "Grüß "})),
            delta(1, &json!({"type": "text_delta", "text": "Gott"})),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "read", "input": {}}}),
            delta(
                2,
                &json!({"type": "input_json_delta", "partial_json": "{\"path\":"}),
            ),
            delta(
                2,
                &json!({"type": "input_json_delta", "partial_json": "\"a\"}"}),
            ),
            json!({"type": "content_block_stop", "index": 2}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
                "usage": {"output_tokens": 15, "cache_read_input_tokens": null}}),
            json!({"type": "message_stop"}),
        ],
    )
}

fn chat() -> String {
    let chunk = |choices: &Value, usage: &Value| json!({"id": "msg_1", "object": "chat.completion.chunk", "model": "m-1", "choices": choices, "usage": usage});
    let delta = |delta: &Value| {
        chunk(
            &json!([{"index": 0, "delta": delta, "finish_reason": null}]),
            &Value::Null,
        )
    };
    events(
        Protocol::Chat,
        &[
            delta(&json!({"role": "assistant", "content": ""})),
            delta(&json!({"content": "Grüß "})),
            delta(&json!({"content": "Gott"})),
            delta(
                &json!({"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "read", "arguments": ""}}]}),
            ),
            delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"path\":"}}]})),
            delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"a\"}"}}]})),
            chunk(
                &json!([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]),
                &Value::Null,
            ),
            chunk(
                &json!([]),
                &json!({"prompt_tokens": 132, "completion_tokens": 15, "total_tokens": 147, "prompt_tokens_details": {"cached_tokens": 100}}),
            ),
        ],
    )
}

fn responses() -> String {
    let message = json!({"type": "message", "id": "i1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Grüß Gott", "annotations": []}]});
    let call = json!({"type": "function_call", "id": "i2", "call_id": "t1", "name": "read", "arguments": "{\"path\":\"a\"}", "status": "completed"});
    let usage = json!({"input_tokens": 132, "input_tokens_details": {"cached_tokens": 100}, "output_tokens": 15, "total_tokens": 147});
    let response = |status: &str, output: &Value, usage: &Value| json!({"id": "msg_1", "object": "response", "model": "m-1", "status": status, "error": null, "output": output, "usage": usage});
    let begun = response("in_progress", &json!([]), &Value::Null);
    events(
        Protocol::Responses,
        &[
            json!({"type": "response.created", "response": begun}),
            json!({"type": "response.in_progress", "response": begun}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}}),
            json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Grüß Gott"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
            json!({"type": "response.output_item.done", "output_index": 1, "item": call}),
            json!({"type": "response.completed", "response": response("completed", &json!([message, call]), &usage)}),
        ],
    )
}

const ALL: [Protocol; 3] = [Protocol::Messages, Protocol::Chat, Protocol::Responses];

fn stream(protocol: Protocol) -> String {
    match protocol {
        Protocol::Messages => messages(),
        Protocol::Chat => chat(),
        Protocol::Responses => responses(),
    }
}

fn read(protocol: Protocol, stream: &[u8]) -> Result<Answer, WireProblem> {
    let mut reader = protocol.stream();
    reader.push(stream)?;
    reader.finish()
}

/// Where the last event's data ends.
fn end(stream: &str) -> usize {
    stream.trim_end().len()
}

#[test]
fn streams_say_the_same_in_three_protocols() {
    for protocol in ALL {
        let answer = read(protocol, stream(protocol).as_bytes()).unwrap();
        assert_eq!(
            (answer.id.as_deref(), answer.model.as_deref()),
            (Some("msg_1"), Some("m-1"))
        );
        assert_eq!(answer.text(), "Grüß Gott", "{protocol:?}");
        let call = ToolCall {
            id: "t1".into(),
            name: "read".into(),
            arguments: "{\"path\":\"a\"}".into(),
        };
        assert_eq!(answer.calls().collect::<Vec<_>>(), [&call]);
        assert_eq!(answer.stop, Stop::Tools);
        let used = crate::llm::usage::read(&answer.for_billing(), protocol.flavor()).unwrap();
        assert_eq!(
            (used.cache_read_tokens, used.output_tokens),
            (100, 15),
            "{protocol:?}"
        );
        assert_eq!(used.input_tokens(), Some(132));
    }
}

#[test]
fn whole_answers_say_the_same_in_three_protocols() {
    let bodies = [
        json!({"id": "a", "type": "message", "model": "m", "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}],
            "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 2}}),
        json!({"id": "a", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Hi",
            "tool_calls": [{"id": "t", "type": "function", "function": {"name": "n", "arguments": "{\"a\":1}"}}]}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        json!({"id": "a", "model": "m", "status": "completed", "error": null, "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
            {"type": "function_call", "call_id": "t", "name": "n", "arguments": "{\"a\":1}"}], "usage": {"input_tokens": 1, "output_tokens": 2}}),
    ];
    let answers = ALL.iter().zip(&bodies).map(|(protocol, body)| {
        let mut answer = protocol.whole(body.to_string().as_bytes()).unwrap();
        assert!(answer.usage.take().is_some());
        answer
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[1], answers[2]);
    assert_eq!(answers[0].text(), "Hi");
}

#[test]
fn a_stream_that_is_cut_off_anywhere_is_none() {
    for protocol in ALL {
        let stream = stream(protocol);
        for cut in 0..end(&stream) {
            let read = read(protocol, &stream.as_bytes()[..cut]);
            assert!(read.is_err(), "{protocol:?} {cut}: {read:?}");
        }
        assert!(read(protocol, &stream.as_bytes()[..end(&stream)]).is_ok());
    }
    let problem = read(Protocol::Messages, b"").unwrap_err();
    assert_eq!(
        problem.to_string(),
        "the stream ended without `message_stop`: the answer is cut off"
    );
}

#[test]
fn a_stream_that_does_not_say_why_it_ended_is_none() {
    for (protocol, reason) in [
        (Protocol::Messages, "_reason\":\"tool_use\""),
        (Protocol::Chat, "_reason\":\"tool_calls\""),
    ] {
        let stream = stream(protocol);
        let without = stream.replace(reason, "_reason\":null");
        assert_ne!(stream, without);
        assert!(matches!(
            read(protocol, without.as_bytes()),
            Err(WireProblem::Missing(_))
        ));
    }
    let empty = read(Protocol::Chat, b"data: [DONE]\n\n");
    assert_eq!(empty, Err(WireProblem::Missing("choices")));
}

#[test]
fn an_event_that_is_no_json_is_a_problem() {
    for protocol in ALL {
        let stream = stream(protocol);
        let events = stream.matches("data: {").count();
        for number in 0..events {
            let (at, _) = stream.match_indices("data: {").nth(number).unwrap();
            let broken = format!("{}data: {{{{{}", &stream[..at], &stream[at + 7..]);
            let problem = read(protocol, broken.as_bytes()).unwrap_err();
            assert!(
                matches!(problem, WireProblem::BadEvent { event, .. } if event == number as u64 + 1),
                "{problem}"
            );
        }
        let not_text = [b"data: {\"a\": \"\xff\"}\n\n", stream.as_bytes()].concat();
        assert!(matches!(
            read(protocol, &not_text),
            Err(WireProblem::BadEvent { .. })
        ));
    }
}

#[test]
fn what_a_provider_says_in_the_middle_is_the_problem() {
    let said = [
        (
            "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}}\n\n",
            "overloaded_error",
        ),
        (
            "data: {\"error\": {\"code\": 503, \"message\": \"Overloaded\"}}\n\n",
            "503",
        ),
        (
            "event: error\ndata: {\"type\": \"error\", \"code\": \"server_error\", \"message\": \"Overloaded\"}\n\n",
            "server_error",
        ),
        (
            "event: response.failed\ndata: {\"type\": \"response.failed\", \"response\": {\"error\": {\"code\": \"server_error\", \"message\": \"Overloaded\"}}}\n\n",
            "server_error",
        ),
    ];
    for (event, kind) in said {
        for protocol in ALL {
            if event.contains("response.failed") && protocol != Protocol::Responses {
                continue;
            }
            let stream = stream(protocol);
            let (at, _) = stream.match_indices("\n\n").nth(1).unwrap();
            let broken = format!("{}{event}{}", &stream[..at + 2], &stream[at + 2..]);
            let problem = read(protocol, broken.as_bytes()).unwrap_err();
            assert_eq!(
                problem,
                WireProblem::Said {
                    kind: kind.into(),
                    message: "Overloaded".into()
                }
            );
        }
    }
    let whole =
        Protocol::Chat.whole(b"{\"error\": {\"type\": \"server_error\", \"message\": \"no\"}}");
    assert!(matches!(whole, Err(WireProblem::Said { .. })));
}

#[test]
fn a_problem_stays() {
    let mut reader = Protocol::Chat.stream();
    assert!(reader.push(b"data: {\n\n").is_err());
    assert!(reader.push(chat().as_bytes()).is_err());
    assert!(reader.finish().is_err());
}

#[test]
fn thoughts_go_back_as_they_came() {
    let answer = read(Protocol::Messages, messages().as_bytes()).unwrap();
    let thoughts = json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"});
    assert_eq!(answer.parts[0], Part::Opaque(thoughts));
}

#[test]
fn calls_without_an_index_are_told_apart() {
    let chunk = |calls: Value, reason: Value| json!({"choices": [{"delta": {"tool_calls": calls}, "finish_reason": reason}]});
    let call = |id: &str| json!({"id": id, "function": {"name": "f", "arguments": "{}"}});
    let same_place =
        |id: &str| json!({"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}});
    for calls in [[call("a"), call("b")], [same_place("a"), same_place("b")]] {
        let [first, second] = calls;
        let stream = events(
            Protocol::Chat,
            &[
                chunk(json!([first]), Value::Null),
                chunk(json!([second]), json!("stop")),
            ],
        );
        let answer = read(Protocol::Chat, stream.as_bytes()).unwrap();
        let ids: Vec<_> = answer.calls().map(|call| call.id.as_str()).collect();
        assert_eq!((ids, answer.stop), (vec!["a", "b"], Stop::Tools));
    }
}

#[test]
fn why_an_answer_ended_is_told() {
    let reasons = [
        (Protocol::Messages, "max_tokens", Stop::MaxTokens),
        (Protocol::Messages, "refusal", Stop::Refusal),
        (Protocol::Messages, "pause_turn", Stop::Paused),
        (Protocol::Messages, "new_reason", Stop::Other),
        (Protocol::Chat, "length", Stop::MaxTokens),
        (Protocol::Chat, "content_filter", Stop::Refusal),
        (Protocol::Responses, "max_output_tokens", Stop::MaxTokens),
        (Protocol::Responses, "content_filter", Stop::Refusal),
    ];
    for (protocol, reason, stop) in reasons {
        let body = match protocol {
            Protocol::Messages => json!({"content": [], "stop_reason": reason}),
            Protocol::Chat => json!({"choices": [{"message": {}, "finish_reason": reason}]}),
            Protocol::Responses => {
                json!({"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []})
            }
        };
        let answer = protocol.whole(body.to_string().as_bytes()).unwrap();
        assert_eq!(answer.stop, stop);
    }
    for body in [
        "{}",
        "[]",
        "null",
        "{\"choices\": [{}]}",
        "{\"output\": []}",
        "{\"content\": []}",
    ] {
        for protocol in ALL {
            let problem = protocol.whole(body.as_bytes()).unwrap_err();
            assert!(matches!(problem, WireProblem::Missing(_)), "{problem}");
        }
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_answer(cuts in prop::collection::vec(0_usize..4000, 0..40), which in 0_usize..3, returns: bool) {
        let protocol = ALL[which];
        let stream = stream(protocol);
        let stream = if returns { stream.replace('\n', "\r\n") } else { stream };
        let bytes = stream.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut reader = protocol.stream();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            reader.push(&bytes[from..cut]).unwrap();
            from = cut;
        }
        prop_assert!(reader.is_over());
        prop_assert_eq!(reader.finish(), read(protocol, bytes));
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..4000, which in 0_usize..3) {
        let protocol = ALL[which];
        let mut stream = stream(protocol).into_bytes();
        let at = at % stream.len();
        let end = (at + bytes.len()).min(stream.len());
        stream.splice(at..end, bytes.iter().copied());
        let _ = read(protocol, &stream);
        let _ = protocol.whole(&bytes);
    }
}

#[test]
fn llama_cpp_says_less_in_its_events() {
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]});
    let response = json!({"id": "r", "status": "completed", "output": [], "usage": {"input_tokens": 1, "output_tokens": 2}});
    let stream = events(
        Protocol::Responses,
        &[
            json!({"type": "response.output_item.done", "item": message}),
            json!({"type": "response.completed", "response": response}),
        ],
    );
    assert_eq!(
        read(Protocol::Responses, stream.as_bytes()).unwrap().text(),
        "Hi"
    );
}
