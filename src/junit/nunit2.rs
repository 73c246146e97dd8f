//! NUnit 2 (`test-results`). Names are those of Jenkins' conversion: the class is the names of namespaces and fixtures
//! around the case, and the case's name loses it where it begins with it.

use super::case::Outcome;
use super::foreign::{Tag, Text, Xml, hash};
use super::notes::Notes;
use super::out::{Out, SUITE_PATH};

#[derive(Debug, Default)]
pub(super) struct Nunit2 {
    suites: Vec<Suite>,
    in_case: bool,
    in_failure: bool,
}

#[derive(Debug)]
struct Suite {
    name: String,
    kind: String,
}

const SUITE: u32 = hash(b"test-suite");
const CASE: u32 = hash(b"test-case");
const FAILURE: u32 = hash(b"failure");
const MESSAGE: u32 = hash(b"message");
const TRACE: u32 = hash(b"stack-trace");

impl Xml for Nunit2 {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            SUITE => {
                let [name, kind] = tag.values(["name", "type"], notes);
                self.suites.push(Suite { name, kind });
            }
            CASE if !self.in_case => {
                self.in_case = true;
                let [name, executed, success, result, time] =
                    tag.values(["name", "executed", "success", "result", "time"], notes);
                let class = self.class(&name);
                let own = name
                    .strip_prefix(class.as_str())
                    .filter(|rest| rest.starts_with(['.', '(', '<']))
                    .map_or(name.as_str(), |rest| rest.strip_prefix('.').unwrap_or(rest));
                out.enter(&[&class]);
                out.begin(&class, own, tag.offset);
                out.case.read_time(time.as_bytes());
                out.outcome(outcome(&executed, &success, &result));
            }
            FAILURE if self.in_case => {
                self.in_failure = true;
                // NUnit 2.2 has no `result`.
                if out.case.attempts != [Outcome::Errored] {
                    out.outcome(Outcome::Failed);
                }
            }
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

impl Nunit2 {
    /// Returns the class of the cases inside the innermost suite.
    fn class(&self, name: &str) -> String {
        let mut class = String::new();
        for suite in self.suites.iter().take(SUITE_PATH) {
            match suite.kind.as_str() {
                // The fixtures inside generic and parametrised ones have the whole name.
                "Assembly"
                | "Assemblies"
                | "Project"
                | "Test Project"
                | "GenericFixture"
                | "ParameterizedFixture" => continue,
                // Before NUnit 2.5 a suite has no type and its whole name.
                "" => class.clear(),
                _ => {}
            }
            if !class.is_empty() {
                class.push('.');
            }
            class.push_str(&suite.name);
            if class.len() > 64 * 1024 {
                break;
            }
        }
        let inside = format!(".{class}.");
        if self
            .suites
            .last()
            .is_some_and(|suite| suite.kind.is_empty())
            && let Some(at) = name.find(&inside)
        {
            // Some of those have the last part of it only, and the case has all.
            return name[..at + inside.len() - 1].to_owned();
        }
        class
    }
}

fn outcome(executed: &str, success: &str, result: &str) -> Outcome {
    match result {
        "Error" | "NotRunnable" | "Cancelled" => Outcome::Errored,
        "" if executed.eq_ignore_ascii_case("false") => Outcome::Skipped,
        "Failure" => Outcome::Failed,
        "" if success.eq_ignore_ascii_case("false") => Outcome::Failed,
        "Success" | "" => Outcome::Passed,
        // Ignored, Skipped, and Inconclusive: nothing was shown, so that it is no pass.
        _ => Outcome::Skipped,
    }
}
