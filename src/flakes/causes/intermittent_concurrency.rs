//! `intermittent-concurrency`: threads met in an order that the code does not allow: race, deadlock, atomicity, a conflict of versions.
//!
//! Luo's concurrency.

use std::ops::Range;

use super::{Class, Failure, Rules, assertion};

pub(super) const RULES: Rules = Rules {
    class: Class::IntermittentConcurrency,
    words: &[
        "|deadlock",
        "|data race",
        "|race detected",
        "|race condition",
        "concurrent map ",
        "blocked (on object monitor",
        "waiting to lock <",
        "collection was modified",
        "changed size during iteration",
        "mutated during iteration",
        "hash during iteration",
        "already borrowed",
        "already mutably borrowed",
        "poisoned lock",
        "lock poisoned",
        "send on closed channel",
        "close of closed channel",
        "bad version",
        "version conflict",
        "compare-and-set",
        "compareandset failed",
        "compare and swap failed",
        "could not serialize access",
        "serialization failure",
        "lock wait timeout exceeded",
        "database is locked",
        "row was updated or deleted by another transaction",
        "|fenced|",
        "wrong thread",
        "cross-thread operation",
        "expect…thread…but…thread",
        "not on the main thread",
        "from a different thread",
    ],
    names: &[
        "ConcurrentModificationException",
        "BadVersion",
        "OptimisticLock",
        "StaleObjectState",
        "DeadlockLoserDataAccessException",
        "DeadlockException",
        "FencedException",
        "SynchronizationLockException",
        "IllegalMonitorStateException",
        "CalledFromWrongThreadException",
        "BrokenBarrierException",
        "UnfinishedStubbing",
        "UnfinishedVerification",
        "WrongTypeOfReturnValue",
        "PoisonError",
        "BorrowMutError",
        "ThreadSanitizer",
    ],
    named: wrong_type_of_getter,
    refuses: super::never,
    weak,
};

/// A plain getter that returned another type: a mock was stubbed while another thread used it.
fn wrong_type_of_getter(failure: &Failure<'_>, exception: usize) -> Option<Range<usize>> {
    let frame = failure.text.frames(exception).next()?;
    let is_getter = frame
        .method
        .strip_prefix("get")
        .is_some_and(|rest| rest.starts_with(char::is_uppercase));
    if !is_getter {
        return None;
    }
    failure.text.first_that(exception, |line| {
        line.contains("ClassCastException") && line.contains("cannot be cast to")
    })
}

/// The same kind of value in the wrong order or twice; or a test of many threads, by its name.
fn weak(failure: &Failure<'_>) -> bool {
    let is_twice = failure.text.all_words().any(|line| {
        let line = line.to_ascii_lowercase();
        ["duplicate", "received twice", "more than once"]
            .iter()
            .any(|mark| line.contains(mark))
    });
    let is_of_many = failure.is_about(&[
        "concurrent",
        "concurrently",
        "concurrency",
        "parallel",
        "race",
        "multithread",
        "multithreaded",
    ]) || failure.test_words.windows(2).any(
        |pair| matches!(pair, [first, second] if first == "multi" && second.starts_with("thread")),
    );
    is_twice || is_of_many || is_other_of_a_kind(failure)
}

/// Whether a value was found that differs from the expected one in numbers only, and is more than a number.
fn is_other_of_a_kind(failure: &Failure<'_>) -> bool {
    let Some((expected, found)) = assertion::values(&failure.text) else {
        return false;
    };
    let is_plain =
        |value: &str| !value.contains(['/', '@', '{', '=', '(', '$', '\n']) && value.len() <= 80;
    let kind = |value: &str| value.replace(|c: char| c.is_ascii_digit(), "");
    let letters = expected.chars().filter(|c| c.is_alphabetic()).count();
    let is_masked = expected.contains('…');
    let differs = expected != found || is_masked;
    letters >= 3
        && differs
        && is_plain(expected)
        && is_plain(found)
        && kind(expected) == kind(found)
}
