//! A provider on this machine that plays what it is told, and remembers what it was asked and what it would bill.
#![allow(
    clippy::disallowed_methods,
    reason = "it is a server of its own: it listens and waits"
)]

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::github::Asked;
use crate::github::http::read;

/// What is played as an answer.
#[derive(Debug, Clone)]
pub(crate) struct Play {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) pieces: Vec<Vec<u8>>,
    /// After so many pieces it waits until it is told to go on.
    pub(crate) waits_after: Option<usize>,
    /// After so many pieces the connection is cut.
    pub(crate) cut_after: Option<usize>,
}

impl Play {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            kind: "application/json",
            pieces: vec![body.to_string().into_bytes()],
            waits_after: None,
            cut_after: None,
        }
    }

    /// A stream of events, a piece each.
    pub(crate) fn events(events: &[String]) -> Self {
        Self {
            kind: "text/event-stream; charset=utf-8",
            pieces: events
                .iter()
                .map(|event| event.clone().into_bytes())
                .collect(),
            ..Self::json(200, &json!({}))
        }
    }

    pub(crate) fn waits_after(mut self, pieces: usize) -> Self {
        self.waits_after = Some(pieces);
        self
    }

    pub(crate) fn cut_after(mut self, pieces: usize) -> Self {
        self.cut_after = Some(pieces);
        self
    }
}

type Script = Box<dyn FnMut(&Asked) -> Play + Send>;

/// The provider.
pub(crate) struct Provider {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    gate: Arc<(Mutex<bool>, Condvar)>,
    arrivals: Mutex<Receiver<()>>,
}

impl Provider {
    pub(crate) fn playing(script: impl FnMut(&Asked) -> Play + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let (told, arrivals) = channel();
        let (notes, opened) = (Arc::clone(&asked), Arc::clone(&gate));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = (
                    Arc::clone(&notes),
                    Arc::clone(&opened),
                    Arc::clone(&script),
                    told.clone(),
                );
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self {
            port,
            asked,
            gate,
            arrivals: Mutex::new(arrivals),
        }
    }

    /// Plays the same again and again.
    pub(crate) fn always(play: Play) -> Self {
        Self::playing(move |_| play.clone())
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until somebody asked.
    pub(crate) fn wait(&self) {
        let arrivals = self.arrivals.lock().unwrap();
        arrivals.recv_timeout(Duration::from_mins(1)).unwrap();
    }

    /// Lets those go on who wait.
    pub(crate) fn go_on(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

type Shared = (
    Arc<Mutex<Vec<Asked>>>,
    Arc<(Mutex<bool>, Condvar)>,
    Arc<Mutex<Script>>,
    Sender<()>,
);

fn serve(stream: &TcpStream, (asked, gate, script, told): &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let play = script.lock().unwrap()(&request);
        asked.lock().unwrap().push(request);
        let _nobody_may_listen = told.send(());
        if play_to(stream, &play, gate).is_none() {
            let _may_be_gone = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn play_to(mut stream: &TcpStream, play: &Play, gate: &(Mutex<bool>, Condvar)) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: {}\r\nrequest-id: r-1\r\ntransfer-encoding: chunked\r\n\r\n",
        play.status, play.kind
    );
    stream.write_all(head.as_bytes()).ok()?;
    for at in 0..=play.pieces.len() {
        if play.waits_after == Some(at) {
            let open = gate.0.lock().unwrap();
            let wait = Duration::from_mins(1);
            drop(
                gate.1
                    .wait_timeout_while(open, wait, |open| !*open)
                    .unwrap(),
            );
        }
        if play.cut_after == Some(at) {
            return None;
        }
        let Some(piece) = play.pieces.get(at) else {
            break;
        };
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).ok()?;
    }
    stream.write_all(b"0\r\n\r\n").ok()
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// An answer of Anthropic's, whole.
pub(crate) fn message(input: u64, output: u64) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "pong"}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": input, "output_tokens": output}})
}

/// The same as a stream.
pub(crate) fn message_events(input: u64, output: u64) -> Vec<String> {
    let start = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": null, "usage": {"input_tokens": input, "output_tokens": 1}}});
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "pong"}});
    let stop = json!({"type": "content_block_stop", "index": 0});
    let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": output}});
    vec![
        event("message_start", &start),
        event("content_block_start", &block),
        event("content_block_delta", &delta),
        event("content_block_stop", &stop),
        event("message_delta", &end),
        event("message_stop", &json!({"type": "message_stop"})),
    ]
}

/// An answer of Chat Completions, whole.
pub(crate) fn completion(input: u64, output: u64) -> Value {
    json!({"id": "c-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}})
}

/// The same as a stream, with the chunk that says what was used.
pub(crate) fn completion_events(input: u64, output: u64) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let used = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    vec![
        chunk(
            json!([{"index": 0, "delta": {"role": "assistant", "content": "pong"}, "finish_reason": null}]),
            Value::Null,
        ),
        chunk(
            json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
            Value::Null,
        ),
        chunk(json!([]), used),
        "data: [DONE]\n\n".to_owned(),
    ]
}

/// An answer of Responses, whole.
pub(crate) fn response(input: u64, output: u64) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed",
        "output": [{"type": "message", "id": "o", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "pong", "annotations": []}]}],
        "usage": {"input_tokens": input, "output_tokens": output, "total_tokens": input + output}})
}

/// The same as a stream.
pub(crate) fn response_events(input: u64, output: u64) -> Vec<String> {
    let whole = response(input, output);
    let begun = json!({"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}});
    let delta = json!({"type": "response.output_text.delta", "item_id": "o", "output_index": 0, "content_index": 0, "delta": "pong"});
    vec![
        event("response.created", &begun),
        event("response.output_text.delta", &delta),
        event(
            "response.completed",
            &json!({"type": "response.completed", "response": whole}),
        ),
    ]
}
