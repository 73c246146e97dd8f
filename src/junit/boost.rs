//! Boost.Test's log (`TestLog`, `--log_format=XML`). Names are those of its own JUnit form: the suite is the module, and the class the
//! suites below it with a dot between them (Boost.Test 1.74, `junit_log_formatter.ipp`).

use super::case::{Case, Outcome};
use super::foreign::{Tag, Text, Xml, hash};
use super::notes::{NoteCode, Notes};
use super::out::Out;

#[derive(Debug, Default)]
pub(super) struct Boost {
    /// Names of the suites and cases that are open: a case may run suites of its own.
    path: Vec<String>,
    /// Elements below the deepest that is remembered.
    beyond: usize,
    /// Whether there is a case in the buffers.
    in_case: bool,
    /// Cases around it.
    around: Vec<Case>,
}

/// Nobody nests suites deeper.
const DEEPEST: usize = 64;

const SUITE: u32 = hash(b"TestSuite");
const CASE: u32 = hash(b"TestCase");
const ERROR: u32 = hash(b"Error");
const FATAL: u32 = hash(b"FatalError");
const EXCEPTION: u32 = hash(b"Exception");
const TIME: u32 = hash(b"TestingTime");

impl Boost {
    /// Sets the suite, which is the module.
    fn enter(&self, out: &mut Out<'_>) {
        out.enter(&[self.path.first().map_or("", String::as_str)]);
    }

    fn begin(&mut self, tag: &Tag<'_, '_>, out: &mut Out<'_>, notes: &mut Notes) {
        let [name, skipped, file] = tag.values(["name", "skipped", "file"], notes);
        if self.in_case {
            self.around.push(std::mem::take(&mut out.case));
        }
        self.in_case = true;
        let below = self.path.get(1..).unwrap_or_default().join(".");
        self.enter(out);
        out.begin(&below, &name, tag.offset);
        self.path.push(name);
        out.case.file = file;
        let is_skipped = skipped == "yes";
        out.outcome(if is_skipped {
            Outcome::Skipped
        } else {
            Outcome::Passed
        });
    }
}

impl Xml for Boost {
    fn start(
        &mut self,
        element: u32,
        tag: &Tag<'_, '_>,
        out: &mut Out<'_>,
        notes: &mut Notes,
    ) -> Text {
        match element {
            SUITE | CASE if self.path.len() >= DEEPEST => {
                self.beyond += 1;
                notes.once(NoteCode::TooDeep, tag.offset);
            }
            SUITE => {
                let [name] = tag.values(["name"], notes);
                self.path.push(name);
                out.counts.suites += 1;
            }
            CASE => self.begin(tag, out, notes),
            ERROR | FATAL | EXCEPTION if self.in_case => {
                let [file, line] = tag.values(["file", "line"], notes);
                if !out.case.message.is_empty() {
                    out.say("\n");
                }
                // As its JUnit has it: what could not be caught is an error.
                let is_error = element == EXCEPTION || out.case.attempts == [Outcome::Errored];
                out.outcome(if is_error {
                    Outcome::Errored
                } else {
                    Outcome::Failed
                });
                if line != "0" {
                    out.say(&format!("{file}:{line}: "));
                }
                return Text::Message;
            }
            // A fixture of a suite or of everything failed.
            ERROR | FATAL | EXCEPTION => {
                let [file, line] = tag.values(["file", "line"], notes);
                let mut place = format!("{file}:{line}");
                super::case::truncate(&mut place, 512);
                notes.detail(NoteCode::SuiteError, tag.offset, place);
            }
            TIME if self.in_case => return Text::Keep,
            _ => {}
        }
        Text::Ignore
    }

    fn end(&mut self, element: u32, kept: &str, out: &mut Out<'_>, notes: &mut Notes) {
        match element {
            SUITE | CASE if self.beyond > 0 => self.beyond -= 1,
            SUITE => {
                self.path.pop();
            }
            TIME if self.in_case => {
                let microseconds: Option<f64> = kept.trim().parse().ok();
                out.seconds(microseconds.map_or(f64::NAN, |time| time / 1e6));
            }
            CASE if self.in_case => {
                self.path.pop();
                // A suite inside may have gone by since.
                self.enter(out);
                out.give(notes);
                let around = self.around.pop();
                self.in_case = around.is_some();
                out.case = around.unwrap_or_default();
            }
            _ => {}
        }
    }
}
