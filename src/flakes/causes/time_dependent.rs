//! `time-dependent`: the outcome hangs on the clock: a date, a zone, a precision, or how long something took.
//!
//! Luo's time.

use std::ops::Range;

use super::{Class, Failure, Rules};

pub(super) const RULES: Rules = Rules {
    class: Class::TimeDependent,
    words: &[
        "|too early|",
        "|too late|",
        "earlier than expected",
        "later than expected",
        "sooner than expected",
        "took too long",
        "took longer than",
        "finished too quickly",
        "should have taken",
        "|time zone",
        "|timezone",
        "unparseable date",
        "invalid date",
        "clock skew",
        "clock moved backwards",
        "certificate has expired",
        "certificate is not yet valid",
        "token is expired",
        "token has expired",
        "token used before issued",
        "jwt expired",
        "ambiguous time",
    ],
    names: &[
        "DateTimeParseException",
        "DateTimeException",
        "ZoneRulesException",
        "ZoneInfoNotFoundError",
        "NonExistentTimeError",
        "AmbiguousTimeError",
        "CertificateExpiredException",
        "CertificateNotYetValidException",
        "CERT_HAS_EXPIRED",
        "ExpiredJwtException",
        "ExpiredSignatureError",
    ],
    named: took,
    refuses: super::never,
    weak: |failure| failure.is_about(&CLOCK),
};

/// Words of clock time.
const CLOCK: [&str; 19] = [
    "time",
    "clock",
    "timestamp",
    "timestamps",
    "ttl",
    "expire",
    "expires",
    "expired",
    "expiry",
    "expiration",
    "delay",
    "delays",
    "delayed",
    "timeout",
    "schedule",
    "scheduled",
    "midnight",
    "zone",
    "timezone",
];

/// A message says how long something took.
fn took(failure: &Failure<'_>, exception: usize) -> Option<Range<usize>> {
    failure
        .text
        .first_that(exception, |line| is_duration_after(line, " took "))
}

/// Whether a number with a unit of time follows some words.
fn is_duration_after(line: &str, words: &str) -> bool {
    let Some((_, rest)) = line.split_once(words) else {
        return false;
    };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '…');
    let unit = after.trim_start();
    let units = ["ms", "millis", "s ", "sec", "µs", "ns", "minutes"];
    after.len() < rest.len() && units.iter().any(|name| unit.starts_with(name))
}
