//! What the rules say of messages of many languages and runners.

use proptest::prelude::*;

use super::text::{Text, words_of};
use super::{Strength, Test, cascade, cause, fit};

/// Checks the class of a message, and that its evidence stands in it; `unsure` for none.
#[track_caller]
fn check(class: &str, message: &str) {
    check_named("it_works", class, message);
}

#[track_caller]
fn check_named(name: &str, class: &str, message: &str) {
    let test = Test {
        suite: "shop.CartTest",
        name,
    };
    let found = cause(test, message);
    let answer = found.as_ref().map_or("unsure", |found| found.class.name());
    assert_eq!(answer, class, "{found:?}");
    for evidence in found.iter().flat_map(|found| &found.evidence) {
        assert!(
            message.contains(evidence.as_str()) || evidence == name,
            "{evidence}"
        );
        assert!(!evidence.is_empty() && evidence.len() <= 160);
    }
}

#[test]
fn a_used_up_resource_is_named_in_every_language() {
    for text in [
        "java.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)",
        "java.net.BindException: Address already in use",
        "listen tcp 127.0.0.1:8080: bind: address already in use",
        "Error: listen EADDRINUSE: address already in use :::3000\n    at Server.setupListenHandle (node:net:1463:16)",
        "OSError: [Errno 98] Address already in use",
        "OSError: [Errno 24] Too many open files: '/x'",
        "Error: EMFILE: too many open files, open '/x'",
        "System.IO.IOException: There is not enough space on the disk.",
        "thread 'a' panicked at src/a.rs:1:1:\ncalled `Result::unwrap()` on an `Err` value: Os { code: 28, kind: StorageFull, message: \"No space left on device\" }",
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "Only one usage of each socket address (protocol/network address/port) is normally permitted.",
        "Errno::EADDRINUSE: Address already in use - bind(2) for 127.0.0.1:9292",
        "ThreadError: can't create Thread: Resource temporarily unavailable",
        "FATAL: sorry, too many clients already",
    ] {
        check("resource-dependent", text);
    }
}

#[test]
fn a_lost_connection_is_named_in_every_language() {
    for text in [
        "java.util.concurrent.ExecutionException: x\n\tat a.B.c(B.java:1)\nCaused by: java.net.ConnectException: Connection refused",
        "dial tcp 127.0.0.1:5432: connect: connection refused",
        "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)",
        "Error: getaddrinfo ENOTFOUND db.example",
        "requests.exceptions.ConnectionError: HTTPConnectionPool(host='x', port=80): Max retries exceeded",
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        "System.Net.Sockets.SocketException (111): Connection refused",
        "System.Net.Http.HttpRequestException: No connection could be made because the target machine actively refused it.",
        "page.goto: net::ERR_CONNECTION_REFUSED at http://localhost:3000/",
        "Errno::ECONNREFUSED: Connection refused - connect(2) for 127.0.0.1:80",
        "Error: socket hang up",
        "called `Result::unwrap()` on an `Err` value: Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }",
        "lookup db.example on 127.0.0.53:53: no such host",
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "HTTP 502 Bad Gateway",
    ] {
        check("network", text);
    }
}

#[test]
fn a_limited_wait_that_ran_out_is_seen_in_every_language() {
    for text in [
        "thrown: \"Exceeded timeout of 5000 ms for a test.\"",
        "Timeout - Async callback was not invoked within the 5000 ms timeout specified by jest.setTimeout.",
        "Timeout of 2000ms exceeded. For async tests and hooks, ensure \"done()\" is called",
        "AssertionError: Timed out retrying after 4000ms: Expected to find element: `.cart`, but never found it.",
        "Error: Timed out 5000ms waiting for expect(locator).toBeVisible()",
        "Test timeout of 30000ms exceeded.",
        "context deadline exceeded",
        "panic: test timed out after 10m0s",
        "Timed out after 1.001s.\nExpected\n    <int>: 0\nto equal\n    <int>: 1",
        "asyncio.exceptions.TimeoutError",
        "Failed: Timeout >5.0s",
        "selenium.common.exceptions.TimeoutException: Message: ",
        "System.Threading.Tasks.TaskCanceledException : A task was canceled.",
        "System.TimeoutException: The operation has timed out.",
        "Timeout::Error: execution expired",
        "called `Result::unwrap()` on an `Err` value: Elapsed(())\ndeadline has elapsed",
        "org.junit.runners.model.TestTimedOutException: test timed out after 5000 milliseconds",
        "org.awaitility.core.ConditionTimeoutException: expected [4] but found [3] within 10 seconds.",
        "\"main\" #1 prio=5\n   java.lang.Thread.State: TIMED_WAITING (sleeping)",
        "rpc error: code = DeadlineExceeded desc = x",
    ] {
        check("async-wait", text);
    }
}

#[test]
fn threads_that_meet_badly_are_named_in_every_language() {
    for text in [
        "java.util.ConcurrentModificationException\n\tat java.util.HashMap$HashIterator.nextNode(HashMap.java:1)",
        "testing.go:1490: race detected during execution of test",
        "==================\nWARNING: DATA RACE\nWrite at 0x00c0000140 by goroutine 8:",
        "fatal error: all goroutines are asleep - deadlock!",
        "fatal error: concurrent map writes",
        "RuntimeError: dictionary changed size during iteration",
        "System.InvalidOperationException : Collection was modified; enumeration operation may not execute.",
        "thread 'a' panicked at src/a.rs:1:1:\nalready borrowed: BorrowMutError",
        "psycopg2.errors.SerializationFailure: could not serialize access due to concurrent update",
        "sqlite3.OperationalError: database is locked",
        "ActiveRecord::Deadlocked: Mysql2::Error: Deadlock found when trying to get lock",
        "WARNING: ThreadSanitizer: data race (pid=1)",
        "RuntimeError: can't add a new key into hash during iteration",
    ] {
        check("intermittent-concurrency", text);
    }
}

#[test]
fn what_others_left_behind_is_named() {
    for text in [
        "ConflictException: User already exists",
        "psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint \"users_pkey\"",
        "ValueError: Duplicated timeseries in CollectorRegistry: {'a'}",
        "java.lang.NoClassDefFoundError: Could not initialize class shop.Config",
        "FileExistsError: [Errno 17] File exists: '/tmp/x'",
        "Error: EEXIST: file already exists, mkdir '/tmp/x'",
        "RuntimeError: Event loop is closed",
        "java.lang.RuntimeException: boom",
        "java.lang.OutOfMemoryError: test",
    ] {
        check("order-dependent", text);
    }
}

#[test]
fn the_machine_and_its_image_are_named() {
    for text in [
        "org.testcontainers.containers.ContainerLaunchException: Container startup failed for image x\nCaused by: a.TimeoutException: Timed out waiting for the log",
        "sh: 1: jq: command not found",
        "exec: \"jq\": executable file not found in $PATH",
        "PermissionError: [Errno 13] Permission denied: '/x'",
        "ModuleNotFoundError: No module named 'x'",
        "Error: Cannot find module 'x'",
        "java.io.IOException: Unable to delete /tmp/x",
        "locale.Error: unsupported locale setting",
        "System.IO.IOException: The process cannot access the file 'x' because it is being used by another process.",
    ] {
        check("environment", text);
    }
}

#[test]
fn the_clock_is_named() {
    for text in [
        "java.lang.RuntimeException: Server took 61204ms to stop",
        "x509: certificate has expired or is not yet valid",
        "jwt.exceptions.ExpiredSignatureError: Signature has expired",
        "java.time.format.DateTimeParseException: Text '' could not be parsed",
        "Condition was evaluated in 9 seconds 8 milliseconds which is earlier than expected minimum timeout 10 seconds",
    ] {
        check("time-dependent", text);
    }
    let assertion = "AssertionError: expected [100] but found [87]";
    check_named("testEntriesExpire", "time-dependent", assertion);
    check_named("testEntryExpiry", "time-dependent", assertion);
    check_named("test_ttl_of_entries", "time-dependent", assertion);
    check_named("runsManyTimes", "unsure", assertion);
}

#[test]
fn chance_is_told_from_order() {
    check(
        "randomness",
        "java.lang.AssertionError: expected:<{a=1, b=2}> but was:<{b=2, a=1}>",
    );
    check("randomness", "assert 0.3 == 0.30000000000000004");
    check("randomness", "Falsifying example: test_it(x=0)");
    check(
        "unsure",
        "java.lang.AssertionError: expected:<[a, b]> but was:<[b, a]>",
    );
    check(
        "unsure",
        "java.lang.AssertionError: expected:<{a=1}> but was:<{a=2}>",
    );
    check("unsure", "assert 0.3 == 0.31");
    check_named(
        "testShareOfEach",
        "randomness",
        "AssertionError: expected [0.5] but found [0.38]",
    );
    check_named(
        "testSharedKey",
        "unsure",
        "AssertionError: expected [5] but found [3]",
    );
}

#[test]
fn signs_of_a_failed_assertion_are_weak() {
    check(
        "intermittent-concurrency",
        "AssertionError: expected [job-4] but found [job-7]",
    );
    check_named(
        "testConcurrentCarts",
        "intermittent-concurrency",
        "expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3",
    );
    check(
        "async-wait",
        "org.opentest4j.AssertionFailedError: expected: <DONE> but was: <RUNNING>",
    );
    check(
        "async-wait",
        "java.lang.AssertionError: expected [Reconnected] but found [null]",
    );
    check_named(
        "testCpuUsage",
        "resource-dependent",
        "java.lang.AssertionError: expected [true] but found [false]",
    );
    let found = cause(
        Test {
            suite: "",
            name: "a",
        },
        "expected [job-4] but found [job-7]",
    );
    assert_eq!(found.unwrap().strength, Strength::Weak);
}

#[test]
fn what_does_not_tell_is_unsure() {
    for text in [
        "",
        "java.lang.AssertionError: expected [3] but found [2]",
        "assert 1 == 2",
        "thread 'a' panicked at src/a.rs:1:1:\nassertion `left == right` failed\n  left: 1\n right: 2",
        "HTTP 500 Internal Server Error",
        "java.lang.NullPointerException",
        "java.lang.AssertionError: expected [broker] but found [proxy]",
        "java.lang.AssertionError: expected [true] but found [false]",
        "expect(received).toBe(expected)\n\nExpected: \"a\"\nReceived: \"b\"",
        "KeyError: 'name'",
        "no such element: x\nCommand duration or timeout: 50 milliseconds",
    ] {
        check("unsure", text);
    }
}

#[test]
fn the_deepest_cause_decides() {
    check(
        "network",
        "a.TimeoutException: timed out\n\tat a.B.c(B.java:1)\nCaused by: java.net.ConnectException: Connection refused\n\tat a.D.e(D.java:2)",
    );
    check(
        "network",
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    f()\nConnectionRefusedError: [Errno 111] Connection refused\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"b.py\", line 2, in b\n    g()\nshop.Error: user already exists",
    );
    check(
        "network",
        "shop.Failed : no\n ---> System.Net.Sockets.SocketException (111): Connection refused\n   at Shop.A.B() in /src/A.cs:line 3",
    );
    // The words of a message win over the name of its exception.
    check(
        "async-wait",
        "StoreAlreadyClosedException: waiting to recover",
    );
}

#[test]
fn frames_and_quoted_code_are_no_words() {
    check(
        "unsure",
        "java.lang.AssertionError: expected [1] but found [2]\n\tat a.DeadlockTest.timeout(DeadlockTest.java:1)\n\tat a.ConnectException.x(A.java:2)",
    );
    check(
        "unsure",
        "assert 1 == 2\n\n    def test_it():\n        # connection refused\n>       assert f() == 2\nE       assert 1 == 2\n\ntest_a.py:3: AssertionError",
    );
    check(
        "async-wait",
        "java.lang.AssertionError: expected [1] but found [2]\n\tat org.awaitility.core.Foo.await(Foo.java:1)",
    );
    // A helper that a message names is no wait that ran out, and a frame with another word is no helper.
    check(
        "unsure",
        "java.lang.AssertionError: awaitility: expected [1] but found [2]\n\tat a.B.c(B.java:1)",
    );
    // Whatever broke while a helper tried has not run out of time, also where its stack goes through assertions.
    check(
        "unsure",
        "java.lang.NullPointerException\n\tat a.AssertionErrors.of(A.java:1)\n\tat org.awaitility.core.Foo.await(Foo.java:1)",
    );
}

#[test]
fn evidence_begins_with_its_line_where_that_leaves_room_for_the_reason() {
    let quoted = |before: usize| {
        let message = format!(
            "{} Connection refused {}",
            "a".repeat(before),
            "b".repeat(200)
        );
        let test = Test {
            suite: "s",
            name: "t",
        };
        let mut found = cause(test, &message).unwrap();
        assert!(found.evidence[0].contains("Connection refused"));
        found.evidence.remove(0)
    };
    let phrase = " Connection refused".len();
    let just = quoted(160 - phrase);
    assert!(just.starts_with(&"a".repeat(160 - phrase)), "{just}");
    let beyond = quoted(161 - phrase);
    assert!(beyond.starts_with(&"a".repeat(50)), "{beyond}");
    assert!(beyond.ends_with(&"b".repeat(50)), "{beyond}");
}

#[test]
fn a_poll_without_a_limit_waits() {
    let frame = "\tat shop.CartTest.untilFull(CartTest.java:9)\n";
    check(
        "async-wait",
        &format!("java.lang.StackOverflowError\n{}", frame.repeat(5)),
    );
    check(
        "unsure",
        &format!(
            "java.lang.StackOverflowError\n{}",
            "\tat shop.Cart.add(Cart.java:9)\n".repeat(5)
        ),
    );
}

#[test]
fn a_broken_session_on_purpose_says_nothing() {
    let lost = "KeeperException$ConnectionLossException: KeeperErrorCode = ConnectionLoss";
    check("network", lost);
    check_named("testSessionLost", "unsure", lost);
}

#[test]
fn knock_ons_have_no_cause_of_their_own() {
    let test = Test {
        suite: "shop.CartTest",
        name: "testAdd",
    };
    let field = "java.lang.NullPointerException: Cannot invoke \"shop.Server.close()\" because \"this.server\" is null\n\tat shop.CartTest.cleanup(CartTest.java:9)";
    let product = "java.lang.NullPointerException: Cannot invoke \"shop.Ledger.close()\" because \"this.ledger\" is null\n\tat shop.Store.close(Store.java:9)";
    let received = "java.lang.NullPointerException: Cannot invoke \"shop.Message.id()\" because \"msg\" is null\n\tat shop.CartTest.testAdd(CartTest.java:9)";
    let python = "AttributeError: 'NoneType' object has no attribute 'close'\nTraceback (most recent call last):\n  File \"/a/test_cart.py\", line 3, in tearDown\n    self.client.close()";
    for (text, form) in [
        (
            "x.FailFastSkipException: Skipped after failure since failFast is set.",
            Some(cascade::Form::Skip),
        ),
        (
            "org.testng.SkipException: Method a.B.c() depends on not successfully finished methods",
            Some(cascade::Form::Skip),
        ),
        (
            "This test depends on \"CartTest::testAdd\" to pass.",
            Some(cascade::Form::Skip),
        ),
        (field, Some(cascade::Form::Fixture)),
        (python, Some(cascade::Form::Fixture)),
        (product, None),
        (received, None),
        (
            "java.lang.NullPointerException\n\tat shop.CartTest.cleanup(CartTest.java:9)",
            None,
        ),
    ] {
        assert_eq!(cascade::form(test, text), form, "{text}");
        assert!(form.is_none() || cascade::may_be(text));
        assert!(form.is_none() || cause(test, text).is_none());
    }
}

#[test]
fn names_are_taken_apart_into_words() {
    assert_eq!(
        words_of("testTTLOf_two2Carts"),
        ["test", "ttl", "of", "two", "carts"]
    );
    assert_eq!(words_of("E2ETest"), ["e", "e", "test"]);
    assert!(words_of("").is_empty());
}

#[test]
fn a_text_is_made_to_fit_without_losing_its_causes() {
    let frame = |n: usize| format!("\tat shop.Cart.add{n}(Cart.java:{n})\n");
    let frames = (0..40).map(frame).collect::<Vec<_>>().concat();
    let text = format!(
        "shop.Failed: no\n{frames}Caused by: java.net.ConnectException: Connection refused\n{frames}"
    );
    let short = fit(&text, 1024);
    assert!(short.len() <= 1024 && short.contains("Connection refused") && short.contains("add7("));
    assert!(!short.contains("add20("));
    assert_eq!(fit("é\n".repeat(3).as_str(), 4), "é\n");
    assert_eq!(fit(&text, text.len()), text);
}

#[test]
fn long_texts_cost_no_more_than_short_ones() {
    // Many beginnings of phrases whose end never comes, on one line and on many.
    for text in [
        "container ".repeat(200_000),
        "port…\n".repeat(200_000),
        "expected: ".repeat(200_000),
    ] {
        let _ = cause(
            Test {
                suite: "",
                name: "",
            },
            &text,
        );
        assert!(Text::read(&text).whole.len() <= 8192);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(?s)(at |Caused by: |\" is null|expected \\[|\\] but found \\[|\\\\n\\\\tat |File \"|, line 1, in |E   |: |\\.|…|é|[a-z(){}<>\"/]{0,6}|\n){0,60}", name in ".{0,20}") {
        let test = Test { suite: &name, name: &name };
        let found = cause(test, &text);
        let form = cascade::form(test, &text);
        prop_assert!(form.is_none() || cascade::may_be(&text));
        prop_assert!(form.is_none() || found.is_none());
        for evidence in found.into_iter().flat_map(|found| found.evidence) {
            prop_assert!(evidence.len() <= 160);
        }
    }
}
