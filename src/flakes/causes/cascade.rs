//! Cascades: what did not get to run its own steps because something before it went wrong. Neither a pass nor a failure.
//!
//! Two forms, as `tests/causes/RUBRIC.md` has them: a skip after a failure elsewhere, and a fixture that was never made. A set-up that fails by
//! itself is a failure: it is the root, not the knock-on.

use super::phrases::Sign;
use super::text::Frame;
use super::{Failure, Test};

/// Why an entry is no failure of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It was skipped after a failure elsewhere.
    Skip,
    /// What its set-up should have made is not there.
    Fixture,
}

/// What says that a test was skipped because something else failed: TestNG's and fail-fast listeners', PHPUnit's, CTest's, pytest-dependency's and
/// pytest's recipe for incremental tests.
pub(super) const SKIPS: &[&str] = &[
    "FailFastSkipException",
    "skipped after failure",
    "skipped after a failure",
    "skipped due to previous fail",
    "skipped because of previous fail",
    "skipped because a previous",
    "depends on not successfully finished",
    "depends on failed method",
    "depends on method…failed",
    "which failed or was skipped",
    "because of configuration failure",
    "this test depends on…to pass",
    "failed test dependencies",
    "fixture dependency failed",
    "previous test failed (",
];

/// Returns whether a failed entry is a knock-on, and of which form.
pub(crate) fn form(test: Test<'_>, message: &str) -> Option<Form> {
    of(&Failure::read(test, message))
}

/// Whether a text could be a knock-on at all; quick, and wrong in one direction only.
pub(crate) fn may_be(text: &str) -> bool {
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    [
        "kip",
        "epend",
        "previous test failed",
        "onfiguration",
        "is null",
        "NoneType",
        "of undefined",
        "of null",
    ]
    .into_iter()
    .any(has)
}

pub(super) fn of(failure: &Failure<'_>) -> Option<Form> {
    // The topmost exception alone: further down, a skip is what a test of skips talks about.
    let skip = failure.hit(0, Sign::Skip, |hit| hit.line < 3);
    if skip.is_some() {
        return Some(Form::Skip);
    }
    let mut exceptions = failure.text.exceptions();
    exceptions
        .any(|exception| is_missing_fixture(failure, exception))
        .then_some(Form::Fixture)
}

fn is_missing_fixture(failure: &Failure<'_>, exception: usize) -> bool {
    let text = &failure.text;
    let Some(frame) = text.frames(exception).next() else {
        return false;
    };
    if !frame.is_test_code(failure.test) {
        return false;
    }
    text.words(exception).any(|line| {
        java_field(line).is_some_and(|field| is_fixture(field, line))
            || is_python_clean_up(failure, exception, line, frame)
    })
}

/// Returns what a null pointer's message calls the thing that is null (JEP 358, "Helpful `NullPointerExceptions`").
fn java_field(line: &str) -> Option<&str> {
    if !line.contains("NullPointerException") {
        return None;
    }
    let (before, _) = line.split_once("\" is null")?;
    before.rsplit('"').next()
}

/// Whether a null thing is one that a set-up makes: a field of the test, or a variable that is called after a usual fixture or after the product
/// whose types it has.
fn is_fixture(name: &str, line: &str) -> bool {
    const FIXTURES: [&str; 16] = [
        "server",
        "client",
        "broker",
        "admin",
        "app",
        "application",
        "driver",
        "browser",
        "page",
        "database",
        "db",
        "cluster",
        "container",
        "service",
        "fixture",
        "context",
    ];
    if let Some(field) = name.strip_prefix("this.") {
        return !field.contains('.');
    }
    let is_product = line
        .split(['"', '(', ')', ' '])
        .filter(|word| word.matches('.').count() >= 2)
        .any(|word| word.split('.').any(|part| part == name));
    FIXTURES.contains(&name) || is_product && name.len() >= 3
}

/// Python: a clean-up that uses what the set-up did not make.
fn is_python_clean_up(
    failure: &Failure<'_>,
    exception: usize,
    line: &str,
    frame: Frame<'_>,
) -> bool {
    let is_none = line.contains("'NoneType' object has no attribute");
    let is_clean_up = [
        "tearDown",
        "teardown",
        "teardown_method",
        "teardown_class",
        "tearDownClass",
        "asyncTearDown",
    ]
    .contains(&frame.method);
    let uses_self = || {
        let mut frames = failure
            .text
            .lines
            .iter()
            .filter(|line| line.exception == exception && line.is_frame);
        frames.any(|line| failure.text.line(line).trim_start().starts_with("self."))
    };
    is_none && is_clean_up && uses_self()
}
