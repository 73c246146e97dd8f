//! Answers on their way: what is read of them, and what follows for the books when they end.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::Gateway;
use super::money::Granted;
use super::tape::Exchange;
use crate::gateway::headers;
use crate::gateway::protocols::{Hiding, Protocol, Trouble};
use crate::gateway::route::Provider;
use crate::json;
use crate::llm::protocols::StreamReader;
use crate::llm::retry::{self, Failure};
use crate::ports::relay::{End, Passing, Piece, Reply, Watch};

/// What every answer has.
struct Passage {
    gateway: Arc<Gateway>,
    provider: Provider,
    exchange: Option<Exchange>,
    status: StatusCode,
}

impl Passage {
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) -> (HeaderMap, Passing) {
        self.status = status;
        let mut back = headers::back(headers);
        let told: Vec<_> = back
            .iter()
            .filter(|(_, value)| self.gateway.has_key_in(value.as_bytes()))
            .map(|(name, _)| name.clone())
            .collect();
        for name in told {
            back.remove(name);
        }
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_stream = kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"));
        if let Some(exchange) = &mut self.exchange {
            exchange.head(status.as_u16(), headers);
        }
        let passing = if is_stream {
            Passing::Stream
        } else {
            Passing::Whole
        };
        (back, passing)
    }

    /// Takes down what the provider said.
    fn hear(&mut self, bytes: &[u8]) {
        if let Some(exchange) = &mut self.exchange {
            exchange.add(bytes);
        }
    }

    /// Returns a whole body as the client gets it.
    fn cleaned(&self, body: Vec<u8>) -> Vec<u8> {
        if !self.gateway.has_key_in(&body) {
            return body;
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        self.gateway.without_keys(text).into_bytes()
    }

    fn keep(&mut self, end: &End) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let kept = match &self.gateway.setup.tape {
            Some(tape) => tape.keep(&exchange, end),
            None => Ok(()),
        };
        if let Err(error) = kept {
            let mut count = self.gateway.tally.count();
            count.say(format!("an exchange was not recorded: {error}"));
        }
    }

    fn excuse(&self, end: &End) -> Reply {
        let words = match end {
            End::NotSent(words) => format!("the provider cannot be reached: {words}"),
            End::Broken(words) => format!("the provider's answer broke off: {words}"),
            End::Whole | End::Left => "there is no answer".to_owned(),
        };
        self.gateway
            .reply(self.provider, Trouble::Unreachable, &words)
    }
}

/// An answer that costs nothing.
pub(super) struct Free(Passage);

impl Free {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        provider: Provider,
        exchange: Option<Exchange>,
    ) -> Self {
        Self(Passage {
            gateway,
            provider,
            exchange,
            status: StatusCode::OK,
        })
    }
}

impl Watch for Free {
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) -> (HeaderMap, Passing) {
        self.0.head(status, headers)
    }

    fn piece(&mut self, bytes: &[u8]) -> (Piece, bool) {
        self.0.hear(bytes);
        (Piece::AsIs, false)
    }

    fn whole(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.0.hear(&body);
        self.0.cleaned(body)
    }

    fn rest(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn end(&mut self, end: End) {
        self.0.gateway.tally.count().free += 1;
        self.0.keep(&end);
    }

    fn excuse(&self, end: &End) -> Reply {
        self.0.excuse(end)
    }
}

/// An answer that costs money.
pub(super) struct Metered {
    passage: Passage,
    protocol: Protocol,
    /// As the request names it.
    model: String,
    granted: Option<Granted>,
    hiding: Hiding,
    reader: Option<StreamReader>,
    /// What an answer says that came whole.
    said: Option<Value>,
}

/// What follows from an end.
enum Charge {
    /// The answer says what was used.
    Bill(Value),
    Unknown(String),
    /// Nothing was done for it.
    Nothing,
}

impl Metered {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        (protocol, model): (Protocol, String),
        granted: Granted,
        hiding: Hiding,
        exchange: Option<Exchange>,
    ) -> Self {
        Self {
            passage: Passage {
                gateway,
                provider: protocol.provider(),
                exchange,
                status: StatusCode::OK,
            },
            protocol,
            model,
            granted: Some(granted),
            hiding,
            reader: None,
            said: None,
        }
    }

    fn charge(&mut self, end: &End) -> Charge {
        if let End::NotSent(_) = end {
            return Charge::Nothing;
        }
        if let Some(reader) = self.reader.take() {
            // A stream that has said its last word is whole, whoever left afterwards.
            if !reader.is_over() {
                return Charge::Unknown(match end {
                    End::Left => "whoever asked hung up".into(),
                    End::Broken(words) => format!("the stream broke off: {words}"),
                    _ => match reader.finish() {
                        Ok(answer) => return Charge::Bill(answer.for_billing()),
                        Err(problem) => problem.to_string(),
                    },
                });
            }
            return match reader.finish() {
                Ok(answer) => Charge::Bill(answer.for_billing()),
                Err(problem) => Charge::Unknown(problem.to_string()),
            };
        }
        let status = self.passage.status;
        match (end, self.said.take()) {
            (_, Some(said)) if said["usage"].is_object() => Charge::Bill(said),
            (End::Whole, _) if is_not_charged(status) => Charge::Nothing,
            (End::Whole, _) => Charge::Unknown(format!("status {status} without usage")),
            (End::Left, _) => Charge::Unknown("whoever asked hung up".into()),
            (End::Broken(words), _) => Charge::Unknown(format!("the answer broke off: {words}")),
            (End::NotSent(_), _) => Charge::Nothing,
        }
    }
}

/// Whether a provider charges nothing when it answers with a status.
fn is_not_charged(status: StatusCode) -> bool {
    let failure = Failure::Status {
        status: status.as_u16(),
        headers: &[],
        kind: "",
    };
    !status.is_success() && retry::charge(&failure) == retry::Charge::Nothing
}

impl Watch for Metered {
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) -> (HeaderMap, Passing) {
        let (back, passing) = self.passage.head(status, headers);
        let is_plain = headers
            .get(CONTENT_ENCODING)
            .is_none_or(|coding| coding == "identity");
        if matches!(passing, Passing::Stream) && is_plain {
            self.reader = self.protocol.stream();
        }
        (back, passing)
    }

    fn piece(&mut self, bytes: &[u8]) -> (Piece, bool) {
        self.passage.hear(bytes);
        let is_known = match &mut self.reader {
            // What is wrong with a stream is asked at its end.
            Some(reader) => reader.push(bytes).is_ok() && reader.is_over(),
            None => false,
        };
        let piece = match self.hiding.piece(bytes) {
            Some(mut seen) => {
                if is_known {
                    seen.extend(self.hiding.rest());
                }
                Piece::Instead(seen)
            }
            None => Piece::AsIs,
        };
        (piece, is_known)
    }

    fn whole(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.passage.hear(&body);
        self.said = json::read(&body).ok();
        self.passage.cleaned(body)
    }

    fn rest(&mut self) -> Vec<u8> {
        self.hiding.rest()
    }

    fn end(&mut self, end: End) {
        let charge = self.charge(&end);
        let Some(granted) = self.granted.take() else {
            return;
        };
        let gateway = Arc::clone(&self.passage.gateway);
        let money = gateway.money();
        let ending = match charge {
            Charge::Bill(body) => money
                .settle(granted, (self.protocol, &self.model), &body)
                .map(Some),
            Charge::Unknown(why) => {
                let why = gateway.without_keys(why);
                money.charge_unknown(granted, &self.model, &why).map(Some)
            }
            Charge::Nothing => money.release(granted).map(|()| None),
        };
        {
            let mut count = gateway.tally.count();
            match ending {
                Ok(Some(ending)) => count.ended(self.protocol.provider().name(), ending),
                Ok(None) => count.free += 1,
                Err(problem) => {
                    count.say(format!("what a call did cost was not written: {problem}"));
                }
            }
        }
        self.passage.keep(&end);
    }

    fn excuse(&self, end: &End) -> Reply {
        self.passage.excuse(end)
    }
}
