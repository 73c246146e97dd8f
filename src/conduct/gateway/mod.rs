//! The gateway at work: each request is looked at, paid for, changed and passed on as `crate::gateway` says.
//!
//! The provider's key is here and goes to the provider, and nowhere else: it is in no message, no record and no answer.

pub(crate) mod money;
pub(crate) mod tally;
pub(crate) mod tape;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::gateway::members::Members;
use crate::gateway::protocols::{Protocol, Trouble};
use crate::gateway::route::{Provider, Route, route, url};
use crate::gateway::{door, headers};
use crate::json;
use crate::ports::forge::Secret;
use crate::ports::relay::{Decision, Desk, Forward, Head, Onward, Reply};
use money::{Denied, Money, Wanted};
use tally::Tally;
use tape::Tape;
use watch::{Free, Metered};

/// Said once when a search was left out.
const SEARCHES: &str = "web search has no limit in OpenAI's Responses, so that nobody can say what it costs at worst: it was left out of requests";

/// Who answers in the end, and what opens its door.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) address: String,
    pub(crate) key: Option<Secret>,
    /// Whether it answers nobody without a key.
    pub(crate) needs_key: bool,
}

/// What a gateway is made of.
pub(crate) struct Setup {
    pub(crate) token: Secret,
    pub(crate) anthropic: Upstream,
    pub(crate) openai: Upstream,
    pub(crate) money: Money,
    pub(crate) tape: Option<Tape>,
}

/// A gateway.
pub(crate) struct Gateway {
    setup: Setup,
    tally: Tally,
    is_closed: AtomicBool,
}

impl Gateway {
    pub(crate) fn new(setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            setup,
            tally: Tally::default(),
            is_closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn money(&self) -> &Money {
        &self.setup.money
    }

    fn upstream(&self, provider: Provider) -> &Upstream {
        match provider {
            Provider::Anthropic => &self.setup.anthropic,
            Provider::OpenAi => &self.setup.openai,
        }
    }

    /// Returns a text without the keys, should somebody have put them there.
    fn without_keys(&self, text: String) -> String {
        let keys = [&self.setup.anthropic, &self.setup.openai].into_iter();
        let keys = keys.filter_map(|upstream| upstream.key.as_ref());
        keys.fold(text, |text, key| text.replace(key.expose(), "[redacted]"))
    }

    fn has_key_in(&self, bytes: &[u8]) -> bool {
        let keys = [&self.setup.anthropic, &self.setup.openai].into_iter();
        keys.filter_map(|upstream| upstream.key.as_ref())
            .any(|key| memchr::memmem::find(bytes, key.expose().as_bytes()).is_some())
    }

    fn reply(&self, provider: Provider, trouble: Trouble, words: &str) -> Reply {
        let words = self.without_keys(words.to_owned());
        let (status, headers, body) = provider.trouble(trouble, &words);
        Reply {
            status,
            headers,
            body,
        }
    }

    /// Refuses a request, and takes it down.
    fn refuse(&self, provider: Provider, trouble: Trouble, words: &str) -> Reply {
        let reply = self.reply(provider, trouble, words);
        let mut count = self.tally.count();
        if trouble == Trouble::Budget {
            count.refused += 1;
        } else {
            count.turned_away += 1;
        }
        count.say(self.without_keys(words.to_owned()));
        reply
    }

    fn check_key(&self, provider: Provider) -> Result<(), Box<Reply>> {
        let upstream = self.upstream(provider);
        if upstream.needs_key && upstream.key.is_none() {
            let variable = provider.key_variable();
            let words = format!("the gateway was started without {variable}");
            return Err(Box::new(self.refuse(provider, Trouble::NoKey, &words)));
        }
        Ok(())
    }

    /// Returns a request as the provider gets it.
    fn onward(&self, provider: Provider, head: &Head, body: Vec<u8>) -> Onward {
        let upstream = self.upstream(provider);
        let mut headers = headers::onward(&head.headers);
        if let Some(key) = &upstream.key {
            let (name, text) = match provider {
                Provider::Anthropic => ("x-api-key", key.expose().to_owned()),
                Provider::OpenAi => (AUTHORIZATION.as_str(), format!("Bearer {}", key.expose())),
            };
            if let (Ok(name), Ok(mut value)) = (
                name.parse::<http::HeaderName>(),
                HeaderValue::from_str(&text),
            ) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        Onward {
            method: head.method.clone(),
            url: url(&upstream.address, &head.target),
            headers,
            body,
        }
    }

    fn pass_on(self: &Arc<Self>, provider: Provider, head: &Head, body: Vec<u8>) -> Decision {
        if let Err(reply) = self.check_key(provider) {
            return Decision::Answer(*reply);
        }
        let exchange = self.begin(&body);
        let onward = self.onward(provider, head, body);
        let watch = Box::new(Free::new(Arc::clone(self), provider, exchange));
        Decision::Forward(Box::new(Forward { onward, watch }))
    }

    /// Begins to record an exchange, where that is wanted.
    fn begin(&self, body: &[u8]) -> Option<tape::Exchange> {
        let _tape = self.setup.tape.as_ref()?;
        Some(tape::Exchange::begin(body))
    }

    fn meter(
        self: &Arc<Self>,
        protocol: Protocol,
        head: &Head,
        body: &[u8],
    ) -> Result<Forward, Box<Reply>> {
        let provider = protocol.provider();
        self.check_key(provider)?;
        let unreadable = |words: &str| {
            let words = format!("the request cannot be read: {words}");
            Box::new(self.refuse(provider, Trouble::Unreadable, &words))
        };
        let mut members = Members::read(body).map_err(|error| unreadable(&error.to_string()))?;
        let value: Value = json::read(body).map_err(|error| unreadable(&error.to_string()))?;
        let model = value["model"].as_str();
        let model = model.ok_or_else(|| unreadable("`model` is missing"))?;
        let exchange = self.begin(body);
        let hiding = protocol.make_countable(&mut members);
        let searches = protocol.leave_out_searches(&mut members);
        let sent = members.write();
        let changed: Value = if searches {
            json::read(&sent).map_err(|error| unreadable(&error.to_string()))?
        } else {
            Value::Null
        };
        let wanted = Wanted {
            protocol,
            model,
            body: if searches { &changed } else { &value },
            length: sent.len() as u64,
        };
        let granted = self.setup.money.reserve(&wanted);
        let granted = granted.map_err(|denied| Box::new(self.denied(provider, &denied)))?;
        if let Some(most) = granted.limit {
            protocol.set_limit(&mut members, most);
            self.tally.count().shortened += 1;
        }
        if searches {
            let mut count = self.tally.count();
            count.without_search += 1;
            count.say(SEARCHES.to_owned());
        }
        let onward = self.onward(provider, head, members.write());
        let watch = Metered::new(
            Arc::clone(self),
            (protocol, model.to_owned()),
            granted,
            hiding,
            exchange,
        );
        Ok(Forward {
            onward,
            watch: Box::new(watch),
        })
    }

    fn denied(&self, provider: Provider, denied: &Denied) -> Reply {
        let (trouble, words) = match denied {
            Denied::Reached(words) => (
                Trouble::Budget,
                format!("stopped by the budget: {words}. Asking again will not help"),
            ),
            Denied::Unpriced(problem) => (
                Trouble::Unpriced,
                format!("nobody can say what this may cost at worst, so it is not sent: {problem}"),
            ),
            Denied::Books(problem) => (
                Trouble::Books,
                format!("what this may cost cannot be put aside: {problem}"),
            ),
            Denied::Closed => (Trouble::Closing, "the gateway ends".to_owned()),
        };
        self.refuse(provider, trouble, &words)
    }
}

/// The gateway as requests meet it.
pub(crate) struct Counter(pub(crate) Arc<Gateway>);

impl Desk for Counter {
    fn greet(&self, head: &Head) -> Result<(), Box<Reply>> {
        let way = route(&head.method, &head.target, &head.headers);
        let provider = match way {
            Route::Knock => {
                return Err(Box::new(Reply {
                    status: StatusCode::OK,
                    headers: HeaderMap::new(),
                    body: Vec::new(),
                }));
            }
            Route::Metered(protocol) => protocol.provider(),
            Route::Free(provider) | Route::Refused(provider) => provider,
        };
        let gateway = &self.0;
        let may_enter = door::is_local(&head.headers)
            .and_then(|()| door::has_token(&head.headers, gateway.setup.token.expose()));
        if let Err(turned) = may_enter {
            let trouble = Trouble::Turned(turned.status());
            let reply = gateway.reply(provider, trouble, &turned.to_string());
            return Err(Box::new(reply));
        }
        if gateway.is_closed.load(Ordering::SeqCst) {
            let reply = gateway.reply(provider, Trouble::Closing, "the gateway ends");
            return Err(Box::new(reply));
        }
        if let Route::Refused(_) = way {
            let path = head.target.split('?').next().unwrap_or_default();
            let path: String = path.chars().take(80).collect();
            let words = format!(
                "{} {path} may cost money that nobody counts, or show what is nobody's business; the gateway passes on Messages, Chat Completions, Responses, Embeddings, the counting of tokens and the list of models",
                head.method
            );
            let reply = gateway.refuse(provider, Trouble::NotServed, &words);
            return Err(Box::new(reply));
        }
        Ok(())
    }

    fn decide(&self, head: Head, body: Vec<u8>) -> Decision {
        match route(&head.method, &head.target, &head.headers) {
            Route::Free(provider) => self.0.pass_on(provider, &head, body),
            Route::Metered(protocol) => match self.0.meter(protocol, &head, &body) {
                Ok(forward) => Decision::Forward(Box::new(forward)),
                Err(reply) => Decision::Answer(*reply),
            },
            // These were answered at the door.
            Route::Knock | Route::Refused(_) => Decision::Answer(self.0.reply(
                Provider::OpenAi,
                Trouble::NotServed,
                "this is not passed on",
            )),
        }
    }

    fn unread(&self, head: &Head, is_too_long: bool) -> Reply {
        let provider = match route(&head.method, &head.target, &head.headers) {
            Route::Metered(protocol) => protocol.provider(),
            Route::Free(provider) | Route::Refused(provider) => provider,
            Route::Knock => Provider::OpenAi,
        };
        if is_too_long {
            let words = "the request is longer than the gateway takes";
            return self.0.refuse(provider, Trouble::TooLarge, words);
        }
        let words = "the request did not arrive";
        self.0.reply(provider, Trouble::Unreadable, words)
    }

    fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
        self.0.setup.money.close();
    }
}
