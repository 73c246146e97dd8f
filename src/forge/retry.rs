//! What follows from an answer, or from none: take it, ask again after a while, or give up and say why.
//!
//! Waits follow docs.github.com, "Best practices for using the REST API" and "Rate limits": `Retry-After`, then the reset time of an
//! exhausted limit, then a minute for a secondary limit; for faults of the network a doubling bound with full jitter
//! (M. Brooker, "Exponential Backoff And Jitter", AWS 2015).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::problem::{ForgeError, explain, message_of};
use super::request::{Request, Response, Silence};

/// The first wait after a fault, at most.
const FIRST: Duration = Duration::from_millis(500);

/// No wait after a fault is longer.
const LONGEST: Duration = Duration::from_secs(20);

/// What failed so often will fail again.
const MOST_FAULTS: u32 = 6;

/// Where a secondary limit does not say how long: the first wait.
const SECONDARY: Duration = Duration::from_mins(1);

/// What to do next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// The answer is one.
    Take,
    /// Ask again after that long.
    Wait(Duration),
    /// Asking again will not help.
    GiveUp(ForgeError),
}

/// How things stand before another try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Tries that failed before this one.
    pub(crate) faults: u32,
    /// Tries that a limit turned away before this one.
    pub(crate) limits: u32,
    /// What is left until nobody waits any more.
    pub(crate) left: Duration,
    /// A random number.
    pub(crate) dice: u64,
    pub(crate) now: Timestamp,
}

/// Decides about one try.
pub(crate) fn judge(request: &Request, answer: &Result<Response, Silence>, at: &Standing) -> Next {
    match answer {
        Ok(response) => match response.status {
            200..=399 => Next::Take,
            403 | 429 => match limit(response, at) {
                Some(wait) => wait_for_limit(request, wait, at),
                None if response.status == 429 => wait_for_limit(request, SECONDARY, at),
                None => Next::GiveUp(explain(request, response)),
            },
            500..=599 => after_fault(
                request,
                at,
                || format!("it answered {}", response.status),
                true,
            ),
            _ => Next::GiveUp(explain(request, response)),
        },
        Err(Silence::NotSent(words)) => after_fault(request, at, || words.clone(), false),
        Err(Silence::Unknown(words)) => after_fault(request, at, || words.clone(), true),
        Err(Silence::Unusable(words)) => Next::GiveUp(ForgeError::Unavailable {
            purpose: request.purpose.clone(),
            words: words.clone(),
        }),
    }
}

/// Decides about an answer that came whole and is not what it should be.
pub(crate) fn after_nonsense(request: &Request, words: &str, at: &Standing) -> Next {
    // A second look tells a torn answer from one that this version does not understand.
    if at.faults >= 2 || !request.is_repeatable {
        return Next::GiveUp(ForgeError::Nonsense {
            purpose: request.purpose.clone(),
            words: words.to_owned(),
        });
    }
    after_fault(request, at, || words.to_owned(), true)
}

fn after_fault(
    request: &Request,
    at: &Standing,
    words: impl Fn() -> String,
    may_have_been_heard: bool,
) -> Next {
    if may_have_been_heard && !request.is_repeatable {
        return Next::GiveUp(ForgeError::MayHaveHappened {
            purpose: request.purpose.clone(),
            words: words(),
        });
    }
    let bound = FIRST.saturating_mul(1 << at.faults.min(16)).min(LONGEST);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX).max(1);
    let wait = Duration::from_micros(at.dice % micros);
    if at.faults + 1 >= MOST_FAULTS || wait > at.left {
        return Next::GiveUp(ForgeError::Unavailable {
            purpose: request.purpose.clone(),
            words: words(),
        });
    }
    Next::Wait(wait)
}

fn wait_for_limit(request: &Request, wait: Duration, at: &Standing) -> Next {
    if wait > at.left {
        let until = at.now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        return Next::GiveUp(ForgeError::RateLimited {
            purpose: request.purpose.clone(),
            until,
        });
    }
    Next::Wait(wait)
}

/// Returns how long a limit asks to wait; nothing when the answer is about something else.
fn limit(response: &Response, at: &Standing) -> Option<Duration> {
    // Limits are told in the server's time, and this machine's clock may be wrong.
    let there = response
        .header("date")
        .and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok())
        .unwrap_or(at.now);
    let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    // Everybody who was turned away comes back at the same second.
    let jitter = Duration::from_millis(at.dice % 1000);
    if let Some(after) = response.number("retry-after") {
        return Some(seconds(after.max(1)) + jitter);
    }
    if response.number("x-ratelimit-remaining") == Some(0)
        && let Some(reset) = response.number("x-ratelimit-reset")
    {
        return Some(seconds((reset - there.as_second()).max(0) + 1) + jitter);
    }
    let words = message_of(response).to_lowercase();
    let is_secondary = words.contains("secondary rate limit") || words.contains("abuse detection");
    is_secondary.then(|| SECONDARY.saturating_mul(1 << at.limits.min(5)) + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::request::{Method, Need};

    fn request(method: Method) -> Request {
        Request::new(method, "/x".into(), "do x".into(), Need::write("issues"))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "an answer stands beside a silence"
    )]
    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, Silence> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ok(Response {
            status,
            headers: headers.collect(),
            body: body.into(),
        })
    }

    fn standing() -> Standing {
        Standing {
            faults: 0,
            limits: 0,
            left: Duration::from_mins(2),
            dice: 0,
            now: "2026-01-05T09:00:00Z".parse().unwrap(),
        }
    }

    #[track_caller]
    fn waits(answer: &Result<Response, Silence>, seconds: u64) {
        for method in [Method::Get, Method::Post] {
            let next = judge(&request(method), answer, &standing());
            assert_eq!(next, Next::Wait(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_limit_is_waited_for_in_the_servers_time() {
        // The server's clock is an hour behind ours.
        let there: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
        let reset = (there.as_second() + 30).to_string();
        let headers = [
            ("date", "Mon, 05 Jan 2026 08:00:00 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        waits(&answer(403, &headers, "{}"), 31);
        waits(&answer(429, &[("retry-after", "7")], ""), 7);
        waits(
            &answer(
                403,
                &[],
                "{\"message\":\"You have exceeded a secondary rate limit\"}",
            ),
            60,
        );
    }

    #[test]
    fn a_limit_beyond_the_deadline_is_not_waited_for() {
        let far = answer(429, &[("retry-after", "3600")], "");
        let next = judge(&request(Method::Get), &far, &standing());
        assert!(
            matches!(next, Next::GiveUp(ForgeError::RateLimited { until, .. }) if until.to_string() == "2026-01-05T10:00:00Z")
        );
    }

    #[test]
    fn what_may_have_happened_is_not_repeated() {
        for lost in [answer(502, &[], ""), Err(Silence::Unknown("reset".into()))] {
            let next = judge(&request(Method::Post), &lost, &standing());
            assert!(
                matches!(next, Next::GiveUp(ForgeError::MayHaveHappened { .. })),
                "{next:?}"
            );
            assert!(matches!(
                judge(&request(Method::Patch), &lost, &standing()),
                Next::Wait(_)
            ));
        }
        let unheard = Err(Silence::NotSent("refused".into()));
        assert!(matches!(
            judge(&request(Method::Post), &unheard, &standing()),
            Next::Wait(_)
        ));
    }

    #[test]
    fn faults_end() {
        let lost = answer(503, &[], "");
        let mut at = standing();
        let mut tries = 0;
        while let Next::Wait(wait) = judge(&request(Method::Get), &lost, &at) {
            assert!(wait <= LONGEST);
            at.faults += 1;
            at.dice = u64::MAX;
            tries += 1;
        }
        assert_eq!(tries, MOST_FAULTS - 1);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        for status in [400, 401, 404, 409, 410, 422, 451] {
            let next = judge(
                &request(Method::Get),
                &answer(status, &[], "{}"),
                &standing(),
            );
            assert!(matches!(next, Next::GiveUp(_)), "{status}");
        }
    }
}
