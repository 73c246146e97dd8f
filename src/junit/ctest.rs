//! CTest's `Test.xml` (`Site`, `Testing`). Names are those of `ctest --output-junit`: the suite is the build.

use super::case::Outcome;
use super::foreign::{Tag, Text, Xml, hash};
use super::notes::Notes;
use super::out::Out;

#[derive(Debug, Default)]
pub(super) struct Ctest {
    build: String,
    in_test: bool,
    in_list: bool,
    in_results: bool,
    measurement: String,
}

const LIST: u32 = hash(b"TestList");
const TEST: u32 = hash(b"Test");
const NAME: u32 = hash(b"Name");
const RESULTS: u32 = hash(b"Results");
const NAMED: u32 = hash(b"NamedMeasurement");
const MEASUREMENT: u32 = hash(b"Measurement");
const VALUE: u32 = hash(b"Value");

impl Ctest {
    pub(super) fn new(build: String) -> Self {
        Self {
            build,
            ..Self::default()
        }
    }
}

impl Xml for Ctest {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            LIST => self.in_list = true,
            TEST if !self.in_list => {
                self.in_test = true;
                self.in_results = false;
                let [status] = tag.values(["Status"], notes);
                out.begin("", "", tag.offset);
                out.outcome(match status.as_str() {
                    "passed" => Outcome::Passed,
                    "failed" => Outcome::Failed,
                    _ => Outcome::Skipped,
                });
            }
            NAME if self.in_test && !self.in_results => return Text::Keep,
            RESULTS => self.in_results = true,
            NAMED => [self.measurement] = tag.values(["name"], notes),
            MEASUREMENT => "output".clone_into(&mut self.measurement),
            VALUE if self.in_test => match self.measurement.as_str() {
                "Execution Time" | "Exit Code" => return Text::Keep,
                "output" => {
                    let [encoding] = tag.values(["encoding"], notes);
                    if encoding.is_empty() {
                        return Text::Message;
                    }
                }
                _ => {}
            },
            _ => {}
        }
        Text::Ignore
    }

    fn end(&mut self, element: u32, kept: &str, out: &mut Out<'_>, notes: &mut Notes) {
        match element {
            LIST => self.in_list = false,
            NAME if self.in_test && !self.in_results => {
                let kept = kept.trim();
                kept.clone_into(&mut out.case.name);
                kept.clone_into(&mut out.case.class);
            }
            VALUE if self.in_test => match self.measurement.as_str() {
                "Execution Time" => out.case.read_time(kept.as_bytes()),
                // `Failed` is what every failure says; the others say what went wrong.
                "Exit Code" if !matches!(kept, "" | "Failed") => {
                    out.say(kept);
                    out.say("\n");
                }
                _ => {}
            },
            RESULTS => self.in_results = false,
            TEST if self.in_test => {
                self.in_test = false;
                out.enter(&[&self.build]);
                out.give(notes);
            }
            _ => {}
        }
    }
}
