//! Asking a model until there is an answer, or no hope of one: each attempt is paid for, and none is made that the money does not allow.

use std::time::Duration;

use serde_json::Value;

use crate::forge::request::Silence;
use crate::json;
use crate::llm::endpoint::Endpoint;
use crate::llm::protocols::{Protocol, StreamReader};
use crate::llm::reply::{Answer, WireProblem, cut, said};
use crate::llm::retry::{self, Charge, Failure, Next, Standing};
use crate::ports::Clock;
use crate::ports::forge::Secret;
use crate::ports::model::{Model, Patience, Piece, Post, Wish};
use crate::redact::Redactor;

/// Where the money for attempts is.
pub(crate) trait Till {
    /// What was put aside for an attempt.
    type Ticket;
    /// Why there is none.
    type Problem;
    /// Puts aside what an attempt may cost at worst. It may be made once this has answered.
    fn reserve(&mut self) -> Result<Self::Ticket, Self::Problem>;
    /// The answer is there, and says what was used.
    fn settle(&mut self, ticket: Self::Ticket, answer: &Answer) -> Result<(), Self::Problem>;
    /// Nobody knows what the attempt cost.
    fn unknown(&mut self, ticket: Self::Ticket, why: &str) -> Result<(), Self::Problem>;
    /// The attempt cost nothing.
    fn release(&mut self, ticket: Self::Ticket) -> Result<(), Self::Problem>;
}

/// A request, and the patience for it.
pub(crate) struct Asking<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) key: Option<&'a Secret>,
    pub(crate) body: &'a str,
    pub(crate) is_streamed: bool,
    /// `total` is for all attempts together.
    pub(crate) patience: Patience,
    pub(crate) most_attempts: u32,
    /// Whether to wait between attempts; what is played again need not.
    pub(crate) waits: bool,
    pub(crate) redactor: &'a Redactor,
}

impl Asking<'_> {
    /// Returns words that may be shown.
    fn clean(&self, words: &str) -> String {
        let clean = self.redactor.message(words);
        cut(clean.as_deref().unwrap_or(words), 400)
    }
}

/// An answer, and what it took.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) answer: Answer,
    pub(crate) attempts: u32,
    /// Of the exchange, as the provider knows it.
    pub(crate) request_id: Option<String>,
    /// Why attempts before failed.
    pub(crate) failed: Vec<String>,
}

/// Why there is no answer. No words have secrets in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer<P> {
    /// There is no money for it.
    #[error("there is no money for it")]
    Money(P),
    /// The provider will not answer this request.
    #[error("the provider answered {status}{}{}", if words.is_empty() { "" } else { ": " }, words)]
    Refused { status: u16, words: String },
    /// Asking again did not help.
    #[error("{words}, {}", times(*attempts))]
    Failed { words: String, attempts: u32 },
    /// The provider wants a longer wait than there is time for.
    #[error("{words}; another attempt would be in {:.0} s, and that is too late", wait.as_secs_f64().ceil())]
    TooLate { words: String, wait: Duration },
    /// It could not be asked at all.
    #[error("{0}")]
    Unusable(String),
}

fn times(attempts: u32) -> String {
    match attempts {
        1 => "at the only attempt".to_owned(),
        _ => format!("at the last of {attempts} attempts"),
    }
}

/// An attempt without an answer.
enum Failed {
    Status {
        status: u16,
        headers: Vec<(String, String)>,
        kind: String,
        words: String,
    },
    Wire(WireProblem),
    Silent(Silence),
}

impl Failed {
    fn as_failure(&self) -> Failure<'_> {
        match self {
            Self::Status {
                status,
                headers,
                kind,
                ..
            } => Failure::Status {
                status: *status,
                headers,
                kind,
            },
            Self::Wire(problem) => Failure::Wire(problem),
            Self::Silent(Silence::Unknown(_)) => Failure::Lost,
            Self::Silent(Silence::NotSent(_) | Silence::Unusable(_)) => Failure::NotSent,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Status { status, words, .. } if words.is_empty() => {
                format!("the provider answered {status}")
            }
            Self::Status { status, words, .. } => {
                format!("the provider answered {status}: {words}")
            }
            Self::Wire(problem) => problem.to_string(),
            Self::Silent(silence) => silence.to_string(),
        }
    }
}

/// Asks until there is an answer, or no hope of one.
pub(crate) fn ask<T: Till>(
    model: &dyn Model,
    clock: &dyn Clock,
    asking: &Asking<'_>,
    till: &mut T,
) -> Result<Asked, NoAnswer<T::Problem>> {
    let begun = clock.now().as_millisecond();
    let left = || {
        let spent = clock.now().as_millisecond() - begun;
        let spent = Duration::from_millis(u64::try_from(spent).unwrap_or(0));
        asking.patience.total.saturating_sub(spent)
    };
    let mut failed = Vec::new();
    let mut attempts = 0;
    loop {
        let ticket = till.reserve().map_err(NoAnswer::Money)?;
        attempts += 1;
        let failure = match attempt(model, asking, left()) {
            Ok((answer, request_id)) => {
                till.settle(ticket, &answer).map_err(NoAnswer::Money)?;
                return Ok(Asked {
                    answer,
                    attempts,
                    request_id,
                    failed,
                });
            }
            Err(failure) => failure,
        };
        let words = asking.clean(&failure.words());
        match retry::charge(&failure.as_failure()) {
            Charge::Nothing => till.release(ticket),
            Charge::Unknown => till.unknown(ticket, &words),
        }
        .map_err(NoAnswer::Money)?;
        if let Failed::Silent(Silence::Unusable(_)) = failure {
            return Err(NoAnswer::Unusable(words));
        }
        let standing = Standing {
            attempts,
            most: asking.most_attempts,
            left: left(),
            dice: clock.dice(),
            now: clock.now(),
        };
        match retry::next(&failure.as_failure(), &standing) {
            Next::Wait(wait) => {
                failed.push(words);
                if asking.waits {
                    clock.sleep(wait);
                }
            }
            Next::TooLate(wait) => return Err(NoAnswer::TooLate { words, wait }),
            Next::Final => {
                return Err(match failure {
                    Failed::Status { status, words, .. } => NoAnswer::Refused {
                        status,
                        words: asking.clean(&words),
                    },
                    _ => NoAnswer::Failed { words, attempts },
                });
            }
            Next::Enough => return Err(NoAnswer::Failed { words, attempts }),
        }
    }
}

/// What comes of an attempt.
struct Ear {
    protocol: Protocol,
    wants_stream: bool,
    head: Option<(u16, Vec<(String, String)>)>,
    stream: Option<StreamReader>,
    body: Vec<u8>,
    problem: Option<WireProblem>,
}

/// No whole answer is larger.
const LARGEST: usize = 64 * 1024 * 1024;

/// More of a refusal is not read.
const LARGEST_REFUSAL: usize = 64 * 1024;

impl Ear {
    fn take(&mut self, piece: Piece<'_>) -> Wish {
        match piece {
            Piece::Head { status, headers } => {
                let kind = headers.iter().find(|(name, _)| name == "content-type");
                let is_stream = match kind {
                    Some((_, kind)) => kind.starts_with("text/event-stream"),
                    None => self.wants_stream,
                };
                if is_stream && is_fine(status) {
                    self.stream = Some(self.protocol.stream());
                }
                self.head = Some((status, headers));
                Wish::More
            }
            Piece::Bytes(bytes) => {
                if let Some(stream) = &mut self.stream {
                    self.problem = stream.push(bytes).err();
                    return match self.problem {
                        Some(_) => Wish::Nothing,
                        None if stream.is_over() => Wish::Enough,
                        None => Wish::More,
                    };
                }
                let head = self.head.as_ref();
                let is_answer = head.is_some_and(|(status, _)| is_fine(*status));
                let most = if is_answer { LARGEST } else { LARGEST_REFUSAL };
                if self.body.len() + bytes.len() > most {
                    self.problem = is_answer.then_some(WireProblem::TooLarge);
                    return Wish::Nothing;
                }
                self.body.extend_from_slice(bytes);
                Wish::More
            }
        }
    }

    fn answer(self, done: Result<(), Silence>) -> Result<(Answer, Option<String>), Failed> {
        if let Some(problem) = self.problem {
            return Err(Failed::Wire(problem));
        }
        let is_over = self.stream.as_ref().is_some_and(StreamReader::is_over);
        if let Err(silence) = done
            && !is_over
        {
            return Err(Failed::Silent(silence));
        }
        let (status, headers) = self
            .head
            .ok_or_else(|| Failed::Silent(Silence::Unknown("it answered nothing".into())))?;
        if !is_fine(status) {
            let (kind, words) = refusal(&self.body);
            return Err(Failed::Status {
                status,
                headers,
                kind,
                words,
            });
        }
        let answer = match self.stream {
            Some(stream) => stream.finish(),
            None => self.protocol.whole(&self.body),
        };
        let ids = ["request-id", "x-request-id"];
        let id = headers
            .iter()
            .find(|(name, _)| ids.contains(&name.as_str()));
        let id = id.map(|(_, id)| cut(id, 100));
        answer.map(|answer| (answer, id)).map_err(Failed::Wire)
    }
}

fn is_fine(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Returns what a refusal says: the word for programs, and those for people.
fn refusal(body: &[u8]) -> (String, String) {
    let Ok(body) = json::read::<Value>(body) else {
        return (String::new(), cut(&String::from_utf8_lossy(body), 200));
    };
    let (kind, message) = said(body.get("error").unwrap_or(&body));
    if message.is_empty() {
        (kind, cut(&body.to_string(), 200))
    } else {
        (kind, message)
    }
}

fn attempt(
    model: &dyn Model,
    asking: &Asking<'_>,
    left: Duration,
) -> Result<(Answer, Option<String>), Failed> {
    let endpoint = asking.endpoint;
    let (header, before) = endpoint.key_header();
    let keys = asking.key.iter().map(|key| {
        let value = Secret::new(format!("{before}{}", key.expose()));
        (header.to_owned(), value)
    });
    let headers = endpoint.headers();
    let post = Post {
        method: "POST",
        url: &endpoint.url,
        headers: &headers,
        keys: keys.collect(),
        body: asking.body,
        is_gzip: false,
        patience: Patience {
            total: left,
            ..asking.patience
        },
    };
    let mut ear = Ear {
        protocol: endpoint.protocol,
        wants_stream: asking.is_streamed,
        head: None,
        stream: None,
        body: Vec::new(),
        problem: None,
    };
    let done = model.post(&post, &mut |piece| ear.take(piece));
    ear.answer(done)
}

#[cfg(test)]
#[path = "tests/model.rs"]
mod tests;
