//! `async-wait`: the test asked for something that another thread, process or server does in its own time, and looked too early or
//! waited too short.
//!
//! Luo's async wait, and Eck's test case timeout.

use std::ops::Range;

use super::phrases::{Hit, Sign};
use super::{Class, Failure, Rules, assertion};

pub(super) const RULES: Rules = Rules {
    class: Class::AsyncWait,
    words: &[
        "|not ready",
        "|not yet ",
        "|isn't ready",
        "|no leader",
        "leader not available",
        "leader is not",
        "not been registered",
        "is not registered",
        "|not running",
        "|no owner",
        "find ownership",
        "retry again",
        "retry later",
        "try again later",
        "waiting to recover",
        "still connected",
        "still in use",
        "still running",
        "still active",
        "active connected",
        "has…connected",
        "already connected",
        "|ongoing ",
        "in progress",
        "not finished",
        "|not empty|",
        "|non empty|",
        "|non-empty…delete",
        "not been received",
        "not received",
        "never received",
        "no message received",
        "did not receive",
        "didn't receive",
        "can not receive",
        "cannot log after tests are done",
        "after the jest environment has been torn down",
        "done() called multiple times",
        "stale element reference",
        "is not attached to the page",
        "element not interactable",
        "element click intercepted",
    ],
    names: &[
        "NotEmptyException",
        "NotReadyException",
        "ConsumerBusyException",
        "StaleElementReference",
    ],
    named: nothing_came,
    refuses: is_of_an_address,
    weak: is_another_moment,
};

/// What says that a limited wait ran out, or that a thread waits.
pub(super) const WAITS: &[&str] = &[
    "timed out",
    "timedout",
    // Not the word alone: messages print settings of that name (Selenium's "Command duration or timeout").
    "|timeout of…exceeded",
    "|timeout exceeded",
    "|timeout expired",
    "|timeout elapsed",
    "|timeout reached",
    "|timeout occurred",
    "|timeout after",
    "|timeout while",
    "|timeout waiting",
    "|timeout - ",
    "|timeout >",
    "|timeout {",
    "|timeout error",
    "|request timeout",
    "|read timeout",
    "|operation timeout",
    "within the time-out",
    "within the timeout",
    "exceeded the timeout",
    "exceeded its timeout",
    "TimeoutException",
    "TimeoutError",
    "Timeout::Error",
    "execution expired",
    "deadline exceeded",
    "deadline has elapsed",
    "DeadlineExceeded",
    "DEADLINE_EXCEEDED",
    "within given timeout",
    "condition was not met",
    "condition not satisfied after",
    "condition never satisfied",
    "gave up waiting",
    "gave up after",
    "TaskCanceledException",
    "a task was canceled",
    "exceeded timeout",
    "thread.state: waiting",
    "thread.state: timed_waiting",
    "parking to wait",
    "async callback was not invoked",
    "|[chan receive",
    "|[select, ",
    "|[semacquire",
    "|[sleep",
];

/// Methods that try until a limit, in frames.
pub(super) const HELPERS: &[&str] = &[
    "awaitility",
    ".retrystrategically",
    ".eventually",
    ".waitfor",
    ".waituntil",
    ".polluntil",
    ".retryuntil",
    ".assertretry",
    "in wait_for",
    "in wait_until",
    "in retry_until",
    "in eventually",
    "asynctestutil",
];

/// A limited wait that ran out, or a thread that is shown waiting.
pub(super) fn visible(failure: &Failure<'_>) -> Option<Range<usize>> {
    let is_said = |hit: &&Hit| hit.sign == Sign::Wait && !failure.is_frame(hit);
    if let Some(hit) = failure.hits.iter().find(is_said) {
        return Some(hit.start..hit.end);
    }
    let has_failed_assertion = failure
        .hits
        .iter()
        .any(|hit| hit.sign == Sign::Assertion && !failure.is_frame(hit));
    let is_helper = |hit: &&Hit| hit.sign == Sign::Helper && failure.is_frame(hit);
    if let Some(hit) = failure.hits.iter().find(is_helper)
        && has_failed_assertion
    {
        return Some(hit.start..hit.end);
    }
    endless_poll(failure)
}

/// A stack overflow of a test's helper that calls itself on one line: a poll without a limit.
fn endless_poll(failure: &Failure<'_>) -> Option<Range<usize>> {
    let text = &failure.text;
    let overflows = [
        "StackOverflowError",
        "maximum recursion depth",
        "Maximum call stack size",
        "stack level too deep",
    ];
    let line = text.lines.iter().find(|line| {
        !line.is_frame && overflows.iter().any(|mark| text.line(line).contains(mark))
    })?;
    let frames: Vec<&str> = text
        .lines
        .iter()
        .filter(|line| line.is_frame)
        .map(|line| text.line(line).trim())
        .take(8)
        .collect();
    let frame = text.frames(line.exception).next()?;
    let is_one_line = frames
        .windows(3)
        .any(|three| matches!(three, [a, b, c] if a == b && b == c));
    (is_one_line && frame.is_test_code(failure.test)).then(|| line.at.clone())
}

/// The text says that a message or an event is null, or that an asynchronous call is missing or one too many.
fn nothing_came(failure: &Failure<'_>, exception: usize) -> Option<Range<usize>> {
    const MESSAGES: [&str; 9] = [
        "msg",
        "message",
        "event",
        "reply",
        "response",
        "received",
        "receivedmsg",
        "receivedmessage",
        "notification",
    ];
    let text = &failure.text;
    let mut is_call_next = false;
    for line in text.word_lines(exception) {
        let words = text.line(line);
        let lower = words.to_ascii_lowercase();
        if let Some((before, _)) = lower.split_once("\" is null")
            && let Some(name) = before.rsplit('"').next()
            && MESSAGES.contains(&name)
        {
            return Some(line.at.clone());
        }
        let is_read = ["read", "receiv", "poll"]
            .iter()
            .any(|verb| lower.contains(verb));
        if is_read && lower.contains("to not be null") {
            return Some(line.at.clone());
        }
        if is_call_next && lower.contains('(') {
            let is_asynchronous = ["async", "response", "callback", "future", "listener"]
                .iter()
                .any(|mark| lower.contains(mark));
            if is_asynchronous {
                return Some(line.at.clone());
            }
            is_call_next = false;
        }
        is_call_next |= [
            "wanted but not invoked",
            "toomanyactualinvocations",
            "toofewactualinvocations",
            "neverwantedbutinvoked",
        ]
        .iter()
        .any(|mark| lower.contains(mark));
    }
    None
}

/// Whether what is connected already is an address, and no client.
fn is_of_an_address(failure: &Failure<'_>, hit: &Hit) -> bool {
    let line = failure
        .text
        .lines
        .get(hit.line)
        .map_or("", |line| failure.text.line(line));
    let found = failure
        .text
        .whole
        .get(hit.start..hit.end)
        .unwrap_or_default();
    found.eq_ignore_ascii_case("already connected") && line.contains("AlreadyConnectedException")
}

/// Two named states of one life cycle differ, or a named state was expected and nothing found.
fn is_another_moment(failure: &Failure<'_>) -> bool {
    let Some((expected, found)) = assertion::values(&failure.text) else {
        return false;
    };
    is_state(expected) && (is_state(found) || is_nothing(found))
}

fn is_nothing(value: &str) -> bool {
    ["null", "none", "nil", "undefined"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether a value is the name of a state: a constant in capitals, or a participle or state's word that begins with one.
fn is_state(value: &str) -> bool {
    const STATES: [&str; 16] = [
        "ready", "open", "done", "idle", "up", "down", "active", "inactive", "online", "offline",
        "alive", "dead", "success", "error", "leader", "follower",
    ];
    let is_word = value.len() >= 2 && value.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let lower = value.to_ascii_lowercase();
    if !is_word || is_nothing(value) || ["true", "false", "nan"].contains(&lower.as_str()) {
        return false;
    }
    let is_constant = value.len() >= 3 && value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let is_capitalised = value.starts_with(|c: char| c.is_ascii_uppercase());
    let is_participle = lower.ends_with("ed") || lower.ends_with("ing");
    is_constant || is_capitalised && (is_participle || STATES.contains(&lower.as_str()))
}
