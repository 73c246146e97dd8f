//! What the gateway knows of each protocol that costs money: what a request says, what is changed in it, and how an answer is read.
//!
//! One file a protocol. A protocol's own words for trouble are in `messages.rs` and `openai.rs`.

mod chat;
mod messages;
mod openai;
mod responses;

pub(crate) use chat::Hiding;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::members::Members;
use super::route::Provider;
use crate::llm::protocols::{self, StreamReader};
use crate::llm::usage::Flavor;

/// What is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Messages,
    Chat,
    Responses,
    Embeddings,
}

/// Why a request goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Whoever asks may not.
    Turned(StatusCode),
    /// It cannot be read.
    Unreadable,
    TooLarge,
    /// It does not fit under a cap. Agents must not ask again.
    Budget,
    /// It would cost nobody knows how much.
    Unpriced,
    /// It is nothing that the gateway passes on.
    NotServed,
    /// The gateway has no key for it.
    NoKey,
    /// The provider did not answer.
    Unreachable,
    /// The gateway ends.
    Closing,
    /// The books cannot be kept.
    Books,
}

impl Protocol {
    pub(crate) fn provider(self) -> Provider {
        match self {
            Self::Messages => Provider::Anthropic,
            Self::Chat | Self::Responses | Self::Embeddings => Provider::OpenAi,
        }
    }

    pub(crate) fn flavor(self) -> Flavor {
        match self {
            Self::Messages => Flavor::Messages,
            Self::Chat => Flavor::Chat,
            Self::Responses => Flavor::Responses,
            Self::Embeddings => Flavor::Embeddings,
        }
    }

    /// Begins to read a stream; nothing where there are none.
    pub(crate) fn stream(self) -> Option<StreamReader> {
        match self {
            Self::Messages => Some(protocols::Protocol::Messages.stream()),
            Self::Chat => Some(protocols::Protocol::Chat.stream()),
            Self::Responses => Some(protocols::Protocol::Responses.stream()),
            Self::Embeddings => None,
        }
    }

    /// Returns the members that say how much output there may be at most, and where none of them is set, the one to set.
    pub(crate) fn limits(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &["max_tokens"],
            // Its successor comes first; servers that do not know it yet say so.
            Self::Chat => &["max_completion_tokens", "max_tokens"],
            Self::Responses => &["max_output_tokens"],
            Self::Embeddings => &[],
        }
    }

    /// Sets how much output there may be, wherever the request does.
    pub(crate) fn set_limit(self, body: &mut Members, most: u64) {
        let is_set =
            |body: &Members, name: &str| body.get(name).is_some_and(|value| value.get() != "null");
        let set: Vec<&str> = self
            .limits()
            .iter()
            .copied()
            .filter(|name| is_set(body, name))
            .collect();
        let first = self.limits().first().copied();
        let names = if set.is_empty() {
            first.into_iter().collect()
        } else {
            set
        };
        for name in names {
            body.set(name, &json!(most));
        }
    }

    /// Takes out what nobody can say the price of and a model can do without; true where there was something.
    pub(crate) fn leave_out_searches(self, body: &mut Members) -> bool {
        match self {
            Self::Responses => responses::leave_out_searches(body),
            _ => false,
        }
    }

    /// Changes what must be so that the answer can be metered; returns what is to be hidden from the client for it.
    pub(crate) fn make_countable(self, body: &mut Members) -> Hiding {
        match self {
            Self::Chat => chat::ask_for_usage(body),
            _ => Hiding::Nothing,
        }
    }
}

/// Returns how much output a request allows; nothing where it says nothing.
pub(crate) fn limit_of(protocol: Protocol, body: &Value) -> Option<u64> {
    let fields = protocol.limits().iter();
    fields.filter_map(|field| body[*field].as_u64()).max()
}

impl Provider {
    /// Says in the provider's words why a request goes no further.
    pub(crate) fn trouble(
        self,
        trouble: Trouble,
        message: &str,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let message = format!("maestro: {message}");
        let (status, body) = match self {
            Self::Anthropic => messages::trouble(trouble, &message),
            Self::OpenAi => openai::trouble(trouble, &message),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if !trouble.may_pass() {
            // Both providers' libraries ask again after some statuses unless they are told not to.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        (status, headers, body.to_string().into_bytes())
    }
}

impl Trouble {
    /// Whether the same request may be answered a little later.
    fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(protocol: Protocol, body: &str) -> String {
        let mut members = Members::read(body.as_bytes()).unwrap();
        protocol.set_limit(&mut members, 5);
        String::from_utf8(members.write()).unwrap()
    }

    #[test]
    fn a_limit_is_set_where_the_request_has_it() {
        assert_eq!(
            set(Protocol::Responses, r#"{"model":"m"}"#),
            r#"{"max_output_tokens":5,"model":"m"}"#
        );
        assert_eq!(
            set(Protocol::Chat, r#"{"max_tokens":9}"#),
            r#"{"max_tokens":5}"#
        );
        assert_eq!(
            set(
                Protocol::Chat,
                r#"{"max_tokens":9,"max_completion_tokens":null}"#
            ),
            r#"{"max_tokens":5,"max_completion_tokens":null}"#
        );
        assert_eq!(set(Protocol::Embeddings, r#"{"a":1}"#), r#"{"a":1}"#);
        let both = json!({"max_tokens": 3, "max_completion_tokens": 8});
        assert_eq!(limit_of(Protocol::Chat, &both), Some(8));
    }

    #[test]
    fn agents_are_told_to_stop_in_their_own_words() {
        let (status, headers, body) = Provider::Anthropic.trouble(Trouble::Budget, "no more");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status.as_u16(), &headers["x-should-retry"]),
            (402, &HeaderValue::from_static("false"))
        );
        assert_eq!(
            body,
            json!({"type": "error", "error": {"type": "billing_error", "message": "maestro: no more"}})
        );
        let (status, _, body) = Provider::OpenAi.trouble(Trouble::Budget, "no more");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status.as_u16(), &body["error"]["message"]),
            (400, &json!("maestro: no more"))
        );
        let (_, headers, _) = Provider::OpenAi.trouble(Trouble::Unreachable, "gone");
        assert!(!headers.contains_key("x-should-retry"));
    }
}
