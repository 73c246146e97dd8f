//! NUnit 3 (`test-run`). Names are those of NUnit's own conversion, `nunit3-junit.xslt`: the suite is the names of all
//! suites around the case, each with a dot behind it.

use super::case::Outcome;
use super::foreign::{Tag, Text, Xml, hash};
use super::notes::Notes;
use super::out::Out;

#[derive(Debug, Default)]
pub(super) struct Nunit3 {
    suites: Vec<String>,
    /// Whether a case is open, and whether it is inside a failure.
    in_case: bool,
    in_failure: bool,
}

const SUITE: u32 = hash(b"test-suite");
const CASE: u32 = hash(b"test-case");
const FAILURE: u32 = hash(b"failure");
const MESSAGE: u32 = hash(b"message");
const TRACE: u32 = hash(b"stack-trace");

impl Xml for Nunit3 {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            SUITE => {
                let [name] = tag.values(["name"], notes);
                self.suites.push(name);
            }
            CASE if !self.in_case => {
                self.in_case = true;
                out.enter(&[&path(&self.suites)]);
                let [name, class, result, label, time] =
                    tag.values(["name", "classname", "result", "label", "duration"], notes);
                out.begin(&class, &name, tag.offset);
                out.case.read_time(time.as_bytes());
                out.outcome(outcome(&result, &label));
            }
            FAILURE => self.in_failure = self.in_case,
            MESSAGE | TRACE if self.in_failure => {
                if element == TRACE {
                    out.say("\n");
                }
                return Text::Message;
            }
            _ => {}
        }
        Text::Ignore
    }

    fn end(&mut self, element: u32, _kept: &str, out: &mut Out<'_>, notes: &mut Notes) {
        match element {
            SUITE => {
                self.suites.pop();
                out.counts.suites += 1;
            }
            CASE if self.in_case => {
                self.in_case = false;
                self.in_failure = false;
                out.give(notes);
            }
            FAILURE => self.in_failure = false,
            _ => {}
        }
    }
}

/// Joins names, each with a dot behind it; more of them than a path may have become no part of it.
fn path(suites: &[String]) -> String {
    let mut path = String::new();
    for name in suites.iter().take(super::out::SUITE_PATH) {
        path.push_str(name);
        path.push('.');
        if path.len() > 64 * 1024 {
            break;
        }
    }
    path
}

/// A case without a verdict has shown nothing, so that it is no pass.
fn outcome(result: &str, label: &str) -> Outcome {
    match result {
        "Passed" | "Warning" => Outcome::Passed,
        "Failed" if matches!(label, "Error" | "Invalid" | "Cancelled") => Outcome::Errored,
        "Failed" => Outcome::Failed,
        _ => Outcome::Skipped,
    }
}
