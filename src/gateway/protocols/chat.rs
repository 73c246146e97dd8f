//! OpenAI's Chat Completions: a stream says what was used only when it is asked to (`stream_options.include_usage`), in a chunk of its own
//! before the last word, whose `choices` are empty.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::gateway::members::Members;
use crate::json;

/// What a client does not see of a stream.
#[derive(Debug)]
pub(crate) enum Hiding {
    Nothing,
    /// The chunk with the usage, for which only the gateway asked; and what has come of an event that is not whole.
    Usage(Vec<u8>),
}

/// No event is longer; one that is, is passed on.
const LONGEST: usize = 32 * 1024 * 1024;

/// Lets a stream say what was used.
pub(super) fn ask_for_usage(body: &mut Members) -> Hiding {
    let is = |name: &str, wanted: &str| body.get(name).is_some_and(|value| value.get() == wanted);
    if !is("stream", "true") {
        return Hiding::Nothing;
    }
    let options = body.get("stream_options").map(RawValue::get);
    let mut options: Value = options
        .and_then(|text| json::read(text).ok())
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    if options["include_usage"] == true {
        return Hiding::Nothing;
    }
    options["include_usage"] = json!(true);
    body.set("stream_options", &options);
    Hiding::Usage(Vec::new())
}

impl Hiding {
    /// Takes a piece of the stream, and returns what the client sees; nothing when that is all of it.
    pub(crate) fn piece(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self::Usage(held) = self else {
            return None;
        };
        held.extend_from_slice(bytes);
        let mut seen = Vec::with_capacity(held.len());
        let mut begin = 0;
        while let Some(length) = event_length(held.get(begin..).unwrap_or_default()) {
            let event = held.get(begin..begin + length).unwrap_or_default();
            if !is_usage(event) {
                seen.extend_from_slice(event);
            }
            begin += length;
        }
        held.drain(..begin);
        if held.len() > LONGEST {
            seen.append(held);
        }
        Some(seen)
    }

    /// Returns what is left when the stream has ended.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        match self {
            Self::Usage(held) if !is_usage(held) => std::mem::take(held),
            _ => Vec::new(),
        }
    }
}

/// Returns how long the first event is, with the empty line that ends it.
fn event_length(bytes: &[u8]) -> Option<usize> {
    let unix = memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2);
    let dos = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4);
    match (unix, dos) {
        (Some(unix), Some(dos)) => Some(unix.min(dos)),
        (one, other) => one.or(other),
    }
}

fn is_usage(event: &[u8]) -> bool {
    let Some(data) = event.trim_ascii().strip_prefix(b"data:") else {
        return false;
    };
    // Most chunks are told apart without being read.
    if memchr::memmem::find(data, b"\"usage\"").is_none() {
        return false;
    }
    let Ok(chunk) = json::read::<Value>(data) else {
        return false;
    };
    chunk["usage"].is_object() && chunk["choices"].as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n";
    const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n";
    const END: &str = "data: [DONE]\n\n";

    fn asked(body: &str) -> (String, bool) {
        let mut members = Members::read(body.as_bytes()).unwrap();
        let hiding = ask_for_usage(&mut members);
        let text = String::from_utf8(members.write()).unwrap();
        (text, matches!(hiding, Hiding::Usage(_)))
    }

    #[test]
    fn usage_is_asked_for_where_there_is_a_stream() {
        let (text, hides) = asked(r#"{"stream":true,"stream_options":{"x":1}}"#);
        assert_eq!(
            text,
            r#"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#
        );
        assert!(hides);
        for same in [
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            r#"{"stream":false}"#,
            r#"{"model":"m"}"#,
        ] {
            assert_eq!(asked(same), (same.to_owned(), false));
        }
        assert!(asked(r#"{"stream":true,"stream_options":null}"#).1);
    }

    #[test]
    fn the_chunk_with_the_usage_is_hidden_however_the_stream_is_cut() {
        let stream = [TEXT, USAGE, ": ping\n\n", END].concat();
        let expected = [TEXT, ": ping\n\n", END].concat();
        for size in 1..stream.len() {
            let mut hiding = Hiding::Usage(Vec::new());
            let mut seen = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                seen.extend(hiding.piece(piece).unwrap());
            }
            seen.extend(hiding.rest());
            assert_eq!(String::from_utf8(seen).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn what_is_whole_is_passed_on_at_once_and_the_rest_at_the_end() {
        let mut hiding = Hiding::Usage(Vec::new());
        let both = format!("{TEXT}data: {{");
        assert_eq!(hiding.piece(both.as_bytes()).unwrap(), TEXT.as_bytes());
        assert_eq!(hiding.rest(), b"data: {");
        assert_eq!(Hiding::Nothing.piece(b"x"), None);
    }
}
