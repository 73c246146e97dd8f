//! What follows when a model was asked and no answer came: whether another attempt may help, when, and what this one is charged with.
//!
//! Each attempt is paid for. Statuses: Anthropic, "Errors"; OpenAI, "Error codes"; llama.cpp answers 503 while it loads a model.
//! `retry-after-ms` and `x-should-retry` are OpenAI's and Anthropic's. Waits: M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015),
//! with bounds that grow threefold; a wait is drawn from all of its bound that the wait before cannot have had, so that they grow for sure.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::reply::WireProblem;

/// The first wait, at most.
const FIRST: Duration = Duration::from_millis(500);

/// No wait that nobody asked for is longer.
const LONGEST: Duration = Duration::from_mins(1);

/// An answer that is none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure<'f> {
    /// The server says no.
    Status {
        status: u16,
        headers: &'f [(String, String)],
        /// What it says in place of an answer.
        kind: &'f str,
    },
    /// What came is no answer.
    Wire(&'f WireProblem),
    /// Nobody can have heard the request.
    NotSent,
    /// Somebody may have heard it.
    Lost,
}

/// How things stand after an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Attempts that were made.
    pub(crate) attempts: u32,
    /// Attempts that may be made.
    pub(crate) most: u32,
    /// What is left of the deadline.
    pub(crate) left: Duration,
    /// A random number.
    pub(crate) dice: u64,
    pub(crate) now: Timestamp,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again after that long.
    Wait(Duration),
    /// Asking again will not help.
    Final,
    /// There were enough attempts.
    Enough,
    /// The wait would be longer than what is left.
    TooLate(Duration),
}

/// What an attempt without an answer is charged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    /// The provider did no work.
    Nothing,
    /// Nobody knows: all that was put aside.
    Unknown,
}

/// Decides about an attempt that failed.
pub(crate) fn next(failure: &Failure<'_>, at: &Standing) -> Next {
    if !may_help(failure) {
        return Next::Final;
    }
    if at.attempts >= at.most {
        return Next::Enough;
    }
    let wait = asked(failure, at).unwrap_or_else(|| pause(at.attempts, at.dice));
    if wait >= at.left {
        Next::TooLate(wait)
    } else {
        Next::Wait(wait)
    }
}

/// Decides what an attempt that failed is charged with. Providers do not bill what they turned away; whatever was passed on by somebody in
/// between may have been worked on.
pub(crate) fn charge(failure: &Failure<'_>) -> Charge {
    match failure {
        Failure::NotSent
        | Failure::Status {
            status: 400..=407 | 409..=498 | 503 | 529,
            ..
        } => Charge::Nothing,
        Failure::Status { .. } | Failure::Wire(_) | Failure::Lost => Charge::Unknown,
    }
}

/// What asking again does not change.
const LASTING: &[&str] = &[
    "authentication_error",
    "billing_error",
    "billing_hard_limit_reached",
    "content_policy_violation",
    "context_length_exceeded",
    "insufficient_quota",
    "invalid_prompt",
    "invalid_request_error",
    "not_found_error",
    "permission_error",
    "request_too_large",
];

fn may_help(failure: &Failure<'_>) -> bool {
    match failure {
        Failure::Status {
            status,
            headers,
            kind,
        } => match header(headers, "x-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => {
                let is_passing = matches!(status, 408 | 409 | 429 | 500..=599);
                is_passing && !["insufficient_quota", "billing_hard_limit_reached"].contains(kind)
            }
        },
        Failure::Wire(WireProblem::TooLarge) => false,
        Failure::Wire(WireProblem::Said { kind, .. }) => {
            let is_refusal = kind.parse().is_ok_and(|code: u16| {
                (400..500).contains(&code) && ![408, 409, 429].contains(&code)
            });
            !is_refusal && !LASTING.contains(&kind.as_str())
        }
        Failure::Wire(_) | Failure::NotSent | Failure::Lost => true,
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut found = headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}

/// Returns how long the server asks to wait: milliseconds, seconds, or until a time (RFC 9110, section 10.2.3).
fn asked(failure: &Failure<'_>, at: &Standing) -> Option<Duration> {
    let Failure::Status { headers, .. } = failure else {
        return None;
    };
    let number = |name: &str| {
        let number: f64 = header(headers, name)?.parse().ok()?;
        number
            .is_finite()
            .then_some(number.clamp(0.0, 4_000_000_000.0))
    };
    let time = |name: &str| {
        let parser = rfc2822::DateTimeParser::new();
        parser.parse_timestamp(header(headers, name)?).ok()
    };
    let wait = if let Some(milliseconds) = number("retry-after-ms") {
        Duration::from_secs_f64(milliseconds / 1000.0)
    } else if let Some(seconds) = number("retry-after") {
        Duration::from_secs_f64(seconds)
    } else {
        // It is told in the server's time, and this machine's clock may be wrong.
        let until = time("retry-after")?;
        let there = time("date").unwrap_or(at.now);
        Duration::try_from(until.duration_since(there)).unwrap_or_default()
    };
    // Everybody who was turned away comes back at the same moment.
    let spread = (wait / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
    Some(wait + part(spread, at.dice))
}

/// Returns a wait after so many attempts.
fn pause(attempts: u32, dice: u64) -> Duration {
    let factor = 3_u32.saturating_pow(attempts.saturating_sub(1).min(16));
    let bound = FIRST.saturating_mul(factor).min(LONGEST);
    if attempts <= 1 {
        return part(bound, dice);
    }
    // The bound before was a third of this one.
    let least = bound.mul_f64(0.4);
    least + part(bound.saturating_sub(least), dice)
}

fn part(whole: Duration, dice: u64) -> Duration {
    let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX).max(1);
    Duration::from_micros(dice % micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            attempts: 1,
            most: 5,
            left: Duration::from_mins(10),
            dice: 0,
            now: "2026-01-05T09:00:00Z".parse().unwrap(),
        }
    }

    fn after(status: u16, headers: &[(&str, &str)], kind: &str) -> Next {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers: Vec<_> = headers.collect();
        let failure = Failure::Status {
            status,
            headers: &headers,
            kind,
        };
        next(&failure, &standing())
    }

    #[test]
    fn what_passes_is_asked_again_and_what_lasts_is_not() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(matches!(after(status, &[], ""), Next::Wait(_)), "{status}");
        }
        for status in [300, 301, 302, 307, 400, 401, 403, 404, 405, 413, 422] {
            assert_eq!(after(status, &[], ""), Next::Final, "{status}");
        }
        assert_eq!(after(429, &[], "insufficient_quota"), Next::Final);
        assert_eq!(after(503, &[("x-should-retry", "false")], ""), Next::Final);
        assert!(matches!(
            after(400, &[("X-Should-Retry", "true")], ""),
            Next::Wait(_)
        ));
    }

    #[test]
    fn a_server_says_when_in_three_ways() {
        let wait = |headers: &[(&str, &str)]| after(429, headers, "");
        let seconds = |seconds| Next::Wait(Duration::from_secs_f64(seconds));
        assert_eq!(wait(&[("retry-after", "7")]), seconds(7.0));
        assert_eq!(wait(&[("Retry-After", "0.5")]), seconds(0.5));
        assert_eq!(
            wait(&[("retry-after", "7"), ("retry-after-ms", "250")]),
            seconds(0.25)
        );
        // The server's clock is an hour behind ours.
        let date = [
            ("date", "Mon, 05 Jan 2026 08:00:00 GMT"),
            ("retry-after", "Mon, 05 Jan 2026 08:00:30 GMT"),
        ];
        assert_eq!(wait(&date), seconds(30.0));
        assert_eq!(
            wait(&[("retry-after", "Mon, 05 Jan 2026 09:00:09 GMT")]),
            seconds(9.0)
        );
        assert_eq!(
            wait(&[("retry-after", "Mon, 05 Jan 2026 08:00:00 GMT")]),
            seconds(0.0)
        );
        assert_eq!(wait(&[("retry-after", "-3")]), seconds(0.0));
        for nonsense in ["soon", "NaN", "inf", ""] {
            assert_eq!(
                wait(&[("retry-after", nonsense)]),
                seconds(0.0),
                "{nonsense}"
            );
        }
        assert!(matches!(
            wait(&[("retry-after", "1e300")]),
            Next::TooLate(_)
        ));
    }

    #[test]
    fn nobody_waits_beyond_the_deadline_or_for_ever() {
        let mut at = standing();
        at.left = Duration::from_secs(5);
        let headers = [("retry-after".to_owned(), "6".to_owned())];
        let busy = Failure::Status {
            status: 429,
            headers: &headers,
            kind: "",
        };
        assert_eq!(next(&busy, &at), Next::TooLate(Duration::from_secs(6)));
        at.attempts = at.most;
        assert_eq!(next(&busy, &at), Next::Enough);
    }

    #[test]
    fn waits_grow_for_sure_and_are_not_in_step() {
        for attempts in 1..8 {
            assert!(
                pause(attempts + 1, 0) >= pause(attempts, u64::MAX / 2).min(LONGEST.mul_f64(0.4))
            );
        }
        let bound = |attempts| {
            let all =
                (0..2000_u64).map(|dice| pause(attempts, dice.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            all.clone().max().zip(all.min()).unwrap()
        };
        for attempts in 1..5 {
            let ((most, least), (_, next)) = (bound(attempts), bound(attempts + 1));
            assert!(most > least * 2, "{attempts}");
            assert!(next > most.mul_f64(1.1), "{attempts}");
        }
        assert!(bound(40).0 <= LONGEST);
    }

    #[test]
    fn a_broken_answer_is_asked_for_again_unless_its_cause_lasts() {
        let at = standing();
        let said = |kind: &str| WireProblem::Said {
            kind: kind.into(),
            message: String::new(),
        };
        for passing in [
            WireProblem::Truncated("x"),
            WireProblem::Missing("x"),
            said("overloaded_error"),
            said("503"),
            said("server_error"),
            said(""),
        ] {
            let failure = Failure::Wire(&passing);
            assert!(matches!(next(&failure, &at), Next::Wait(_)), "{passing}");
            assert_eq!(charge(&failure), Charge::Unknown);
        }
        for lasting in [
            WireProblem::TooLarge,
            said("invalid_request_error"),
            said("400"),
            said("insufficient_quota"),
        ] {
            assert_eq!(
                next(&Failure::Wire(&lasting), &at),
                Next::Final,
                "{lasting}"
            );
        }
    }

    #[test]
    fn only_what_was_turned_away_costs_nothing() {
        let status = |status| {
            charge(&Failure::Status {
                status,
                headers: &[],
                kind: "",
            })
        };
        for free in [400, 401, 404, 409, 422, 429, 503, 529] {
            assert_eq!(status(free), Charge::Nothing, "{free}");
        }
        for unknown in [302, 408, 499, 500, 502, 504, 520] {
            assert_eq!(status(unknown), Charge::Unknown, "{unknown}");
        }
        assert_eq!(charge(&Failure::NotSent), Charge::Nothing);
        assert_eq!(charge(&Failure::Lost), Charge::Unknown);
    }
}
