//! `order-dependent`: the test met what another test, or an earlier attempt of the same one, left in the process or server.
//!
//! Luo's test order dependency.

use std::ops::Range;

use super::{Class, Failure, Rules};

pub(super) const RULES: Rules = Rules {
    class: Class::OrderDependent,
    words: &[
        "already exists",
        "already exist|",
        "already registered",
        "already been registered",
        "already started",
        "already been started",
        "already initialized",
        "already been initialized",
        "already defined",
        "already closed",
        "already been closed",
        "has been closed",
        "|client is closed",
        "|store is closed",
        "|database is closed",
        "|closed database",
        "|pool is closed",
        "|pool was closed",
        "|driver is closed",
        "|session is closed",
        "|session closed",
        "|producer is closed",
        "event loop is closed",
        "operation on closed file",
        "sessionfactory is closed",
        "applicationcontext…closed",
        "could not initialize class",
        "duplicate key value",
        "unique constraint",
        "duplicate entry",
        "duplicated timeseries",
        "duplicate metrics collector",
        "file exists",
        "attempted to wrap…already wrapped",
    ],
    names: &[
        "AlreadyExistsException",
        "AlreadyClosedException",
        "FileExistsError",
        "FileAlreadyExistsException",
        "DuplicateKeyException",
        "UniqueViolation",
        "|EEXIST|",
    ],
    named,
    refuses: super::never,
    weak: super::no_weak,
};

fn named(failure: &Failure<'_>, exception: usize) -> Option<Range<usize>> {
    let is_again = || {
        let mut frames = failure.text.all_frames();
        frames.any(|frame| {
            ["TestRetry", "RetryTest"]
                .iter()
                .any(|name| frame.class.contains(name))
        })
    };
    failure.text.first_that(exception, |line| {
        is_injected(line) || is_missing(line) && is_again()
    })
}

/// Whether a line says that something is not there.
fn is_missing(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "nonode",
        "not found",
        "no such ",
        "does not exist",
        "doesn't exist",
    ]
    .iter()
    .any(|mark| line.contains(mark))
}

/// Whether an exception's message is a word that only a test gives it, so that some test injects it.
pub(super) fn is_injected(line: &str) -> bool {
    let Some((before, message)) = line.trim().rsplit_once(": ") else {
        return false;
    };
    let of = before.rsplit(' ').next().unwrap_or_default();
    let is_exception =
        (of.ends_with("Exception") || of.ends_with("Error")) && !of.contains("Assertion");
    let message = message.trim_matches(['"', '\'', '!', '.']);
    is_exception
        && [
            "test",
            "boom",
            "mock",
            "mocked",
            "injected",
            "fake",
            "simulated",
        ]
        .iter()
        .any(|word| message.eq_ignore_ascii_case(word))
}
