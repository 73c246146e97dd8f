//! The three protocols that models are spoken to in: one file a protocol, each encodes what is asked and decodes what is answered.
//!
//! Invariant: an answer whose stream did not come to its last event is none, whatever came before.

mod anthropic;
mod chat;
#[cfg(test)]
mod request_tests;
mod responses;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::reply::{Answer, Part, ToolResult, WireProblem, cut};
use super::request::Request;
use super::sse;
use super::usage::Flavor;

use crate::json;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Anthropic's Messages.
    Messages,
    /// OpenAI's Chat Completions, which others speak as well.
    Chat,
    /// OpenAI's Responses.
    Responses,
}

impl Protocol {
    /// Returns the form of its usage.
    pub(crate) fn flavor(self) -> Flavor {
        match self {
            Self::Messages => Flavor::Messages,
            Self::Chat => Flavor::Chat,
            Self::Responses => Flavor::Responses,
        }
    }

    /// Returns the protocol that options name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "anthropic" | "messages" => Some(Self::Messages),
            "chat" => Some(Self::Chat),
            "responses" => Some(Self::Responses),
            _ => None,
        }
    }

    /// Returns the name that documents have for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat",
            Self::Responses => "responses",
        }
    }

    /// Returns the body of a request.
    pub(crate) fn encode(self, request: &Request) -> Value {
        match self {
            Self::Messages => anthropic::encode(request),
            Self::Chat => chat::encode(request),
            Self::Responses => responses::encode(request),
        }
    }

    /// Reads an answer that came whole.
    pub(crate) fn whole(self, body: &[u8]) -> Result<Answer, WireProblem> {
        let body: Value =
            json::read(body).map_err(|error| WireProblem::NoJson(cut(&error.to_string(), 200)))?;
        if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
            return Err(WireProblem::said(error));
        }
        match self {
            Self::Messages => anthropic::whole(&body),
            Self::Chat => chat::whole(&body),
            Self::Responses => responses::whole(&body),
        }
    }

    /// Begins to read a stream.
    pub(crate) fn stream(self) -> StreamReader {
        StreamReader {
            events: sse::Reader::default(),
            decoder: match self {
                Self::Messages => Box::<anthropic::Stream>::default(),
                Self::Chat => Box::<chat::Stream>::default(),
                Self::Responses => Box::<responses::Stream>::default(),
            },
            count: 0,
            bytes: 0,
            is_over: false,
            problem: None,
        }
    }
}

/// What makes an answer of a protocol's events.
trait Decoder: std::fmt::Debug + Send {
    /// Takes one event; answers true when it is the last one.
    fn event(&mut self, event: &Value) -> Result<bool, WireProblem>;

    /// Whether data is the protocol's last word, which is no JSON.
    fn is_end(&self, _data: &[u8]) -> bool {
        false
    }

    /// Returns the answer after the last event.
    fn answer(&mut self) -> Result<Answer, WireProblem>;

    /// Names the last event.
    fn last(&self) -> &'static str;
}

/// No answer is larger.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Reads a stream, piece by piece.
#[derive(Debug)]
pub(crate) struct StreamReader {
    events: sse::Reader,
    decoder: Box<dyn Decoder>,
    count: u64,
    bytes: u64,
    is_over: bool,
    problem: Option<WireProblem>,
}

impl StreamReader {
    /// Reads more bytes. After a problem it is the same for ever; after the last event nothing is read.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), WireProblem> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        if self.is_over {
            return Ok(());
        }
        self.bytes += bytes.len() as u64;
        let read = match self.events.push(bytes) {
            Ok(events) if self.bytes <= LARGEST => self.take(events),
            _ => Err(WireProblem::TooLarge),
        };
        self.problem = read.as_ref().err().cloned();
        read
    }

    /// Whether the last event has come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Ends the stream.
    pub(crate) fn finish(mut self) -> Result<Answer, WireProblem> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if !self.is_over
            && let Some(event) = self.events.finish()
        {
            let is_whole = json::read::<serde::de::IgnoredAny>(&event.data).is_ok()
                || self.decoder.is_end(&event.data);
            if is_whole {
                self.take(vec![event])?;
            }
        }
        if !self.is_over {
            return Err(WireProblem::Truncated(self.decoder.last()));
        }
        self.decoder.answer()
    }

    fn take(&mut self, events: Vec<sse::Event>) -> Result<(), WireProblem> {
        for event in events {
            self.count += 1;
            if self.is_over {
                return Ok(());
            }
            if self.decoder.is_end(&event.data) {
                self.is_over = true;
                continue;
            }
            // Some servers keep a connection open with empty data.
            if event.data.is_empty() {
                continue;
            }
            let value: Value = match json::read(&event.data) {
                Ok(value) => value,
                Err(error) => {
                    return Err(WireProblem::BadEvent {
                        event: self.count,
                        words: cut(&error.to_string(), 200),
                    });
                }
            };
            let error = value.get("error").filter(|error| !error.is_null());
            if let Some(error) = error {
                return Err(WireProblem::said(error));
            }
            if event.name == "error" || value["type"] == "error" {
                return Err(WireProblem::said(&value));
            }
            self.is_over = self.decoder.event(&value)?;
        }
        Ok(())
    }
}

/// Returns the text of a message.
fn joined(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Returns what came of a call, where a protocol has no word for failures.
fn shown(result: &ToolResult) -> String {
    if result.is_error {
        format!("Error: {}", result.text)
    } else {
        result.text.clone()
    }
}

/// Puts a later account of what was used over an earlier one: what it does not say still holds.
fn lay_over(usage: &mut Option<Value>, later: Option<&Value>) {
    let Some(Value::Object(later)) = later else {
        return;
    };
    let base = usage.get_or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Value::Object(base) = base {
        for (key, value) in later {
            if !value.is_null() {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}
