//! CTRF (`results.tests`). The suite is `suite`, or the file where there is none.

use super::case::Outcome;
use super::foreign::hash;
use super::json::{ITEM, Json, Place, Value};

#[derive(Debug, Default)]
pub(super) struct Ctrf {
    test: Test,
}

#[derive(Debug, Default)]
struct Test {
    name: String,
    suites: Vec<String>,
    file: String,
    status: String,
    message: String,
    trace: String,
    milliseconds: f64,
    retries: usize,
    flaky: bool,
    earlier: Vec<Outcome>,
    earlier_message: String,
}

const RESULTS: u32 = hash(b"results");
const TESTS: u32 = hash(b"tests");
const NAME: u32 = hash(b"name");
const SUITE: u32 = hash(b"suite");
const FILE: u32 = hash(b"filePath");
const STATUS: u32 = hash(b"status");
const MESSAGE: u32 = hash(b"message");
const TRACE: u32 = hash(b"trace");
const DURATION: u32 = hash(b"duration");
const RETRIES: u32 = hash(b"retries");
const FLAKY: u32 = hash(b"flaky");
const ATTEMPTS: u32 = hash(b"retryAttempts");

/// Names of suites that one test has.
const MOST_SUITES: usize = 64;

impl Json for Ctrf {
    fn value(&mut self, path: &[u32], value: Value<'_>, _place: &mut Place<'_, '_>) {
        let [RESULTS, TESTS, ITEM, path @ ..] = path else {
            return;
        };
        let test = &mut self.test;
        let target = match path {
            [NAME] => &mut test.name,
            [FILE] => &mut test.file,
            [STATUS] => &mut test.status,
            [MESSAGE] => &mut test.message,
            [TRACE] => &mut test.trace,
            [SUITE] | [SUITE, ITEM] if test.suites.len() < MOST_SUITES => {
                test.suites.push(String::new());
                match test.suites.last_mut() {
                    Some(suite) => suite,
                    None => return,
                }
            }
            [DURATION] => {
                test.milliseconds = value.number();
                return;
            }
            [RETRIES] => {
                test.retries = value.count();
                return;
            }
            [FLAKY] => {
                test.flaky = matches!(value, Value::Bool(true));
                return;
            }
            [ATTEMPTS, ITEM, STATUS] if test.earlier.len() < 1000 => {
                test.earlier.extend(outcome(value.text()));
                return;
            }
            [ATTEMPTS, ITEM, MESSAGE] if test.earlier_message.is_empty() => {
                &mut test.earlier_message
            }
            _ => return,
        };
        value.text().clone_into(target);
    }

    fn open(&mut self, path: &[u32], _place: &mut Place<'_, '_>) {
        if matches!(path, [RESULTS, TESTS, ITEM]) {
            self.test = Test {
                milliseconds: f64::NAN,
                ..Test::default()
            };
        }
    }

    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        let test = &mut self.test;
        if !matches!(path, [RESULTS, TESTS, ITEM]) || test.status.is_empty() {
            return;
        }
        let out = &mut *place.out;
        if test.suites.is_empty() {
            out.enter(&[&test.file]);
        } else {
            let path: Vec<&str> = test.suites.iter().map(String::as_str).collect();
            out.enter(&path);
        }
        out.begin("", &test.name, place.offset);
        for words in [&test.message, &test.earlier_message, &test.trace] {
            if !words.is_empty() {
                out.say(words);
                out.say("\n");
            }
        }
        out.seconds(test.milliseconds / 1000.0);
        let last = outcome(&test.status).unwrap_or(Outcome::Skipped);
        // Some writers list the earlier attempts only, others the last one too.
        let count = test.earlier.len().max(test.retries);
        let is_whole = test.earlier.len() > test.retries && test.retries > 0;
        if last != Outcome::Skipped {
            for outcome in test.earlier.drain(..) {
                out.attempt(outcome);
            }
            if count == 0 && test.flaky && last == Outcome::Passed {
                out.attempt(Outcome::Failed);
            }
            while out.case.attempts.len() < count {
                out.attempt(Outcome::Failed);
            }
            if is_whole {
                out.case.attempts.pop();
            }
            out.attempt(last);
        }
        out.give(place.notes);
    }

    fn finish(&mut self, place: &mut Place<'_, '_>) {
        place.out.counts.suites += 1;
    }
}

fn outcome(status: &str) -> Option<Outcome> {
    Some(match status {
        "passed" => Outcome::Passed,
        "failed" => Outcome::Failed,
        "skipped" | "pending" | "other" => Outcome::Skipped,
        _ => return None,
    })
}
