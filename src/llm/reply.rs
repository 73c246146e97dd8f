//! What a model answered, in words that no provider owns, and why an answer is none.

use serde_json::{Map, Value};

/// An answer that is there to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The provider's name for it.
    pub(crate) id: Option<String>,
    /// The model, as the answer names it.
    pub(crate) model: Option<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) stop: Stop,
    /// The provider's own account of what was used, as [`usage`](super::usage) reads it; streams have several snapshots of it, and this
    /// is the last state of them.
    pub(crate) usage: Option<Value>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    /// The model wants something done.
    Call(ToolCall),
    /// What came of a call; only people and programs send it.
    Result(ToolResult),
    /// What only its own provider understands, as signed thoughts: it goes back as it came.
    Opaque(Value),
}

/// What a model wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON, if the model wrote some: what it wrote is kept as it is.
    pub(crate) arguments: String,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolResult {
    pub(crate) call: String,
    pub(crate) text: String,
    pub(crate) is_error: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The model had no more to say.
    End,
    /// The most tokens that were asked for, or that the model has.
    MaxTokens,
    /// It waits for the results of its calls.
    Tools,
    /// It, or a filter of its provider, will not answer.
    Refusal,
    /// The provider wants the same again, with this answer in it.
    Paused,
    /// A reason that is not known here.
    Other,
}

impl Stop {
    pub(crate) const ALL: [Self; 6] = [
        Self::End,
        Self::MaxTokens,
        Self::Tools,
        Self::Refusal,
        Self::Paused,
        Self::Other,
    ];

    /// Returns the word that documents have for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::MaxTokens => "max_tokens",
            Self::Tools => "tools",
            Self::Refusal => "refusal",
            Self::Paused => "paused",
            Self::Other => "other",
        }
    }
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireProblem {
    #[error("the stream ended without `{0}`: the answer is cut off")]
    Truncated(&'static str),
    #[error("event {event} of the stream is no JSON: {words}")]
    BadEvent { event: u64, words: String },
    #[error("the answer is no JSON: {0}")]
    NoJson(String),
    #[error("the answer has no `{0}`")]
    Missing(&'static str),
    #[error("the provider says `{kind}`: {message}")]
    Said { kind: String, message: String },
    #[error("the answer is larger than any should be")]
    TooLarge,
}

impl Answer {
    /// Returns all of its text.
    pub(crate) fn text(&self) -> String {
        let parts = self.parts.iter();
        let texts = parts.filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Returns what the model wants done.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    }

    /// Returns model and usage where [`usage::read`](super::usage::read) and prices look for them.
    pub(crate) fn for_billing(&self) -> Value {
        let mut body = Map::new();
        if let Some(model) = &self.model {
            body.insert("model".into(), Value::from(model.as_str()));
        }
        if let Some(usage) = &self.usage {
            body.insert("usage".into(), usage.clone());
        }
        Value::Object(body)
    }
}

impl WireProblem {
    /// Reads what a provider says in place of an answer.
    pub(super) fn said(error: &Value) -> Self {
        let (kind, message) = said(error);
        Self::Said { kind, message }
    }
}

/// Returns what a provider's `{"error": {"type" or "code", "message"}}`, or the object in it, says to programs and to people.
pub(crate) fn said(error: &Value) -> (String, String) {
    let named = |key: &str| match &error[key] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let kind = named("type").filter(|kind| kind != "error");
    let kind = kind.or_else(|| named("code")).unwrap_or_default();
    let message = named("message").or_else(|| error.as_str().map(str::to_owned));
    (cut(&kind, 60), cut(&message.unwrap_or_default(), 300))
}

/// Returns the beginning of a text, on one line.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace(|sign: char| sign.is_control(), " ")
}

/// Returns a field that is text and not empty.
pub(super) fn text_of(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns a field that is an object.
pub(super) fn object_of(value: &Value, key: &str) -> Option<Value> {
    value.get(key).filter(|value| value.is_object()).cloned()
}
