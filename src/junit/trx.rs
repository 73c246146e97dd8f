//! VSTest's TRX (`TestRun`). Classes stand behind the results, so that the results wait for the end of the file. Names are
//! those of the JUnit logger for VSTest: the assembly's file, the class, and the test's name without the class.

use std::collections::HashMap;

use super::case::{Outcome, bound_name, truncate};
use super::foreign::{Tag, Text, Xml, file_name, hash};
use super::notes::Notes;
use super::out::Out;
use crate::order;

#[derive(Debug, Default)]
pub(super) struct Trx {
    results: Vec<TrxResult>,
    /// Places of the results that are open, from the outside in.
    open: Vec<usize>,
    in_error: bool,
    /// What the definition of a test says.
    tests: HashMap<String, Test>,
    test: Option<(String, Test)>,
    /// All messages that wait, in bytes.
    waiting: usize,
}

#[derive(Debug, Default)]
struct TrxResult {
    test: String,
    name: String,
    seconds: Option<f64>,
    outcome: Option<Outcome>,
    message: String,
    offset: u64,
    /// A row of data or a step stands inside it: those are the executions.
    is_outer: bool,
}

#[derive(Debug, Default)]
struct Test {
    class: String,
    assembly: String,
}

/// Messages that wait for the end of the file have so many bytes together, and no more.
const MOST_WAITING: usize = 64 * 1024 * 1024;

const RESULT: u32 = hash(b"UnitTestResult");
const OTHER_RESULT: u32 = hash(b"TestResult");
const GENERIC_RESULT: u32 = hash(b"GenericTestResult");
const ERROR: u32 = hash(b"ErrorInfo");
const MESSAGE: u32 = hash(b"Message");
const TRACE: u32 = hash(b"StackTrace");
const TEST: u32 = hash(b"UnitTest");
const METHOD: u32 = hash(b"TestMethod");

impl Xml for Trx {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        _out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            RESULT | OTHER_RESULT | GENERIC_RESULT => self.result(tag, notes),
            ERROR => self.in_error = !self.open.is_empty(),
            MESSAGE | TRACE if self.in_error => return Text::Keep,
            TEST => {
                let [id, storage] = tag.values(["id", "storage"], notes);
                let assembly = file_name(&storage).to_owned();
                let test = Test {
                    assembly,
                    ..Test::default()
                };
                self.test = Some((id, test));
            }
            METHOD => {
                if let Some((_, test)) = &mut self.test {
                    let [class, code] = tag.values(["className", "codeBase"], notes);
                    // MSTest writes the assembly behind the class.
                    class
                        .split(',')
                        .next()
                        .unwrap_or("")
                        .clone_into(&mut test.class);
                    bound_name(&mut test.class);
                    if !code.is_empty() {
                        file_name(&code).clone_into(&mut test.assembly);
                    }
                    bound_name(&mut test.assembly);
                }
            }
            _ => {}
        }
        Text::Ignore
    }

    fn end(&mut self, element: u32, kept: &str, _out: &mut Out<'_>, _notes: &mut Notes) {
        match element {
            RESULT | OTHER_RESULT | GENERIC_RESULT => {
                self.open.pop();
                self.in_error = false;
            }
            ERROR => self.in_error = false,
            MESSAGE | TRACE if self.in_error => {
                let result = self.open.last().and_then(|&at| self.results.get_mut(at));
                if let Some(result) = result
                    && self.waiting < MOST_WAITING
                {
                    let before = result.message.len();
                    result.message.push_str(kept);
                    result.message.push('\n');
                    truncate(&mut result.message, super::case::MESSAGE_LIMIT);
                    self.waiting += result.message.len().saturating_sub(before);
                }
            }
            TEST => {
                if let Some((id, test)) = self.test.take() {
                    self.tests.entry(id).or_insert(test);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Out<'_>, notes: &mut Notes) {
        let nothing = Test::default();
        for result in std::mem::take(&mut self.results) {
            if result.is_outer {
                continue;
            }
            let test = self.tests.get(&result.test).unwrap_or(&nothing);
            let own = result
                .name
                .strip_prefix(test.class.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                .filter(|rest| !rest.is_empty())
                .unwrap_or(&result.name);
            out.enter(&[&test.assembly]);
            out.begin(&test.class, own, result.offset);
            out.say(&result.message);
            out.case.seconds = result.seconds;
            out.outcome(result.outcome.unwrap_or(Outcome::Errored));
            out.give(notes);
        }
        let mut assemblies: Vec<&str> = self.tests.values().map(|t| t.assembly.as_str()).collect();
        order::sort(&mut assemblies);
        assemblies.dedup();
        out.counts.suites += assemblies.len() as u64;
    }
}

impl Trx {
    fn result(&mut self, tag: &Tag<'_, '_>, notes: &mut Notes) {
        if let Some(outer) = self.open.last().and_then(|&at| self.results.get_mut(at)) {
            outer.is_outer = true;
        }
        let [mut name, mut test, outcome, duration] =
            tag.values(["testName", "testId", "outcome", "duration"], notes);
        bound_name(&mut name);
        bound_name(&mut test);
        self.open.push(self.results.len());
        self.results.push(TrxResult {
            test,
            name,
            seconds: seconds(&duration),
            outcome: Some(verdict(&outcome)),
            message: String::new(),
            offset: tag.offset,
            is_outer: false,
        });
    }
}

/// No word at all means an error: it is the first value of the enumeration, which Visual Studio leaves out.
fn verdict(outcome: &str) -> Outcome {
    match outcome {
        "Passed" | "PassedButRunAborted" | "Warning" | "Completed" => Outcome::Passed,
        "Failed" | "Timeout" | "Aborted" => Outcome::Failed,
        "Error" | "" | "Disconnected" => Outcome::Errored,
        _ => Outcome::Skipped,
    }
}

/// Reads `1.02:03:04.5678`: days, hours, minutes and seconds.
fn seconds(text: &str) -> Option<f64> {
    let (days, text) = match text.split_once(':')?.0.split_once('.') {
        Some((days, _)) => (days.parse::<f64>().ok()?, text.split_once('.')?.1),
        None => (0.0, text),
    };
    let mut total = days * 24.0;
    let mut parts = text.splitn(3, ':');
    total += parts.next()?.parse::<f64>().ok()?;
    for part in parts {
        total = total * 60.0 + part.parse::<f64>().ok()?;
    }
    Some(total).filter(|time| time.is_finite() && *time >= 0.0)
}
