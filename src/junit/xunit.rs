//! xUnit.net v1 to v3 (`assemblies`, `assembly`). Names are those of xUnit.net's own JUnit form: the suite is the
//! collection, the class the type, and the name the display name.

use super::case::Outcome;
use super::foreign::{Tag, Text, Xml, hash};
use super::notes::{NoteCode, Notes};
use super::out::Out;

#[derive(Debug, Default)]
pub(super) struct Xunit {
    collection: String,
    in_test: bool,
    in_failure: bool,
}

/// xUnit.net v1 has classes where later versions have collections.
const CLASS: u32 = hash(b"class");
const COLLECTION: u32 = hash(b"collection");
const TEST: u32 = hash(b"test");
const FAILURE: u32 = hash(b"failure");
const MESSAGE: u32 = hash(b"message");
const TRACE: u32 = hash(b"stack-trace");
const ERROR: u32 = hash(b"error");

impl Xml for Xunit {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            COLLECTION | CLASS => {
                let [name] = tag.values(["name"], notes);
                self.collection = name;
                out.counts.suites += 1;
            }
            TEST if !self.in_test => {
                self.in_test = true;
                out.enter(&[&self.collection]);
                let [name, class, result, time] =
                    tag.values(["name", "type", "result", "time"], notes);
                out.begin(&class, &name, tag.offset);
                out.case.read_time(time.as_bytes());
                out.outcome(match result.as_str() {
                    "Pass" => Outcome::Passed,
                    "Fail" => Outcome::Failed,
                    _ => Outcome::Skipped,
                });
            }
            // The clean-up of a fixture or an assembly failed: no test, and still worth a look.
            ERROR if !self.in_test => {
                let [kind, name] = tag.values(["type", "name"], notes);
                notes.detail(NoteCode::SuiteError, tag.offset, short(&kind, &name));
            }
            FAILURE => self.in_failure = self.in_test,
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
            TEST if self.in_test => {
                self.in_test = false;
                self.in_failure = false;
                out.give(notes);
            }
            FAILURE => self.in_failure = false,
            _ => {}
        }
    }
}

fn short(kind: &str, name: &str) -> String {
    let mut text = format!("{kind} {name}");
    super::case::truncate(&mut text, 512);
    text.trim().to_owned()
}
