//! `resource-dependent`: memory, threads, files, disk, ports or a pool's connections were used up or held by another.
//!
//! Luo's resource leak, and a part of Eck's platform dependency. Error codes: POSIX.1-2017 `errno.h`.

use super::phrases::Hit;
use super::{Class, Failure, Rules};

pub(super) const RULES: Rules = Rules {
    class: Class::ResourceDependent,
    words: &[
        "java heap space",
        "gc overhead limit",
        "|metaspace",
        "direct buffer memory",
        "heap out of memory",
        "|out of memory|",
        "unable to create native thread",
        "unable to create new native thread",
        "can't start new thread",
        "cannot create thread",
        "pthread_create failed",
        "resource temporarily unavailable",
        "too many open files",
        "no space left on device",
        "disk quota exceeded",
        "disk is full",
        "not enough space on the disk",
        "cannot allocate memory",
        "insufficient memory",
        "address already in use",
        "address in use",
        "only one usage of each socket address",
        "port is already allocated",
        "|port…already in use",
        "|port…in use by another",
        "pool exhausted",
        "pool is exhausted",
        "connection pool…exhausted",
        "timeout waiting for connection from pool",
        "connection is not available, request timed out",
        "queuepool limit",
        "too many connections",
        "too many clients already",
        "remaining connection slots",
        "quota exceeded",
        "oomkilled",
    ],
    names: &[
        "OutOfMemoryError",
        "OutOfMemoryException",
        "OutOfDirectMemoryError",
        "|MemoryError|",
        "NoMemoryError",
        "BindException",
        "PoolExhaustedException",
        "|EMFILE|",
        "|ENFILE|",
        "|ENOSPC|",
        "|ENOMEM|",
        "|EDQUOT|",
        "|EADDRINUSE|",
    ],
    named: super::no_named,
    refuses: is_injected,
    weak: |failure| {
        failure.is_about(&["cpu", "memory", "disk"])
            && failure.is_about(&["usage", "use", "used", "load"])
    },
};

/// Whether an out-of-memory error was thrown by a test on purpose: its message is a test's word.
fn is_injected(failure: &Failure<'_>, hit: &Hit) -> bool {
    failure
        .text
        .lines
        .get(hit.line)
        .is_some_and(|line| super::order_dependent::is_injected(failure.text.line(line)))
}
