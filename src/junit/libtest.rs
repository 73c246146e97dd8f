//! libtest's JSON (`--format json -Z unstable-options`). Names are those of its JUnit form: the suite `test`, the module as
//! the class. It does not say which binary a test is from.

use super::case::Outcome;
use super::foreign::hash;
use super::json::{Json, Place, Value};
use super::notes::NoteCode;

#[derive(Debug, Default)]
pub(super) struct Libtest {
    kind: String,
    event: String,
    name: String,
    stdout: String,
    message: String,
    seconds: f64,
    /// Whether a suite began and has not ended.
    in_suite: bool,
}

const TYPE: u32 = hash(b"type");
const EVENT: u32 = hash(b"event");
const NAME: u32 = hash(b"name");
const STDOUT: u32 = hash(b"stdout");
const MESSAGE: u32 = hash(b"message");
const EXEC_TIME: u32 = hash(b"exec_time");

impl Json for Libtest {
    fn value(&mut self, path: &[u32], value: Value<'_>, _place: &mut Place<'_, '_>) {
        let target = match path {
            [TYPE] => &mut self.kind,
            [EVENT] => &mut self.event,
            [NAME] => &mut self.name,
            [STDOUT] => &mut self.stdout,
            [MESSAGE] => &mut self.message,
            [EXEC_TIME] => {
                // Older ones write `"0.012s"`.
                let text = value.text().trim_end_matches('s').parse();
                self.seconds = text.unwrap_or_else(|_| value.number());
                return;
            }
            _ => return,
        };
        value.text().clone_into(target);
    }

    fn open(&mut self, path: &[u32], _place: &mut Place<'_, '_>) {
        if path.is_empty() {
            *self = Self {
                in_suite: self.in_suite,
                seconds: f64::NAN,
                ..Self::default()
            };
        }
    }

    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        if !path.is_empty() {
            return;
        }
        let outcome = match (self.kind.as_str(), self.event.as_str()) {
            ("suite", event) => {
                self.in_suite = event == "started";
                place.out.counts.suites += u64::from(self.in_suite);
                return;
            }
            ("test", "ok") | ("bench", _) => Outcome::Passed,
            ("test", "failed") => Outcome::Failed,
            ("test", "ignored") => Outcome::Skipped,
            _ => return,
        };
        let (class, name) = class_and_name(&self.name);
        let out = &mut *place.out;
        out.enter(&["test"]);
        out.begin(class, name, place.offset);
        out.say(&self.message);
        if !self.message.is_empty() {
            out.say("\n");
        }
        out.say(&self.stdout);
        out.seconds(self.seconds);
        out.outcome(outcome);
        out.give(place.notes);
    }

    fn finish(&mut self, place: &mut Place<'_, '_>) {
        if self.in_suite && !place.notes.has(NoteCode::Truncated) {
            place.notes.add(NoteCode::Truncated, place.offset);
        }
    }
}

/// Splits a name as libtest's JUnit form does: `src/lib.rs - module::item (line 3)` is of a doc test.
fn class_and_name(name: &str) -> (&str, &str) {
    if let Some((file, item)) = name.split_once(" - ")
        && std::path::Path::new(file)
            .extension()
            .is_some_and(|ending| ending == "rs")
    {
        return (file, item);
    }
    match name.rsplit_once("::") {
        Some((module, test)) => (module, test),
        // A test at the top of a crate has no module; most of those are integration tests.
        None => ("integration", name),
    }
}
