//! Playwright's JSON. Names are those of its JUnit form: the suite is the file, the name the titles with ` › ` between them.
//! Each retry is an attempt; the same test in several projects is several executions, as there.

use super::case::Outcome;
use super::foreign::hash;
use super::json::{ITEM, Json, Place, Value};

#[derive(Debug, Default)]
pub(super) struct Playwright {
    /// Titles of the suites around, the file's first.
    titles: Vec<String>,
    file: String,
    spec: String,
    expected: String,
    status: String,
    milliseconds: f64,
    message: String,
    attempts: Vec<String>,
}

const SUITES: u32 = hash(b"suites");
const SPECS: u32 = hash(b"specs");
const TESTS: u32 = hash(b"tests");
const RESULTS: u32 = hash(b"results");
const TITLE: u32 = hash(b"title");
const FILE: u32 = hash(b"file");
const EXPECTED: u32 = hash(b"expectedStatus");
const STATUS: u32 = hash(b"status");
const DURATION: u32 = hash(b"duration");
const ERROR: u32 = hash(b"error");
const MESSAGE: u32 = hash(b"message");

impl Json for Playwright {
    fn value(&mut self, path: &[u32], value: Value<'_>, place: &mut Place<'_, '_>) {
        let text = value.text();
        let target = match path {
            [.., SPECS, ITEM, TITLE] => &mut self.spec,
            [.., TESTS, ITEM, EXPECTED] => &mut self.expected,
            [.., TESTS, ITEM, STATUS] => &mut self.status,
            [.., RESULTS, ITEM, STATUS] if self.attempts.len() < 1000 => {
                self.attempts.push(text.chars().take(16).collect());
                return;
            }
            [.., RESULTS, ITEM, DURATION] if value.number() >= 0.0 => {
                self.milliseconds += value.number();
                return;
            }
            [.., RESULTS, ITEM, ERROR, MESSAGE] if self.message.is_empty() => &mut self.message,
            [SUITES, ITEM, FILE] => &mut self.file,
            [SUITES, .., SUITES, ITEM, TITLE] | [SUITES, ITEM, TITLE] => {
                match self.titles.last_mut() {
                    Some(title) => title,
                    None => return,
                }
            }
            [errors, ITEM, MESSAGE] if *errors == hash(b"errors") => {
                let mut text = text.to_owned();
                super::case::truncate(&mut text, 512);
                let code = super::notes::NoteCode::SuiteError;
                return place.notes.detail(code, place.offset, text);
            }
            _ => return,
        };
        text.clone_into(target);
    }

    fn open(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        match path {
            [SUITES, ITEM] => {
                place.out.counts.suites += 1;
                self.file.clear();
                self.titles = vec![String::new()];
            }
            [SUITES, .., SUITES, ITEM] => self.titles.push(String::new()),
            [.., SPECS, ITEM] => self.spec.clear(),
            [.., SPECS, ITEM, TESTS, ITEM] => {
                self.expected.clear();
                self.status.clear();
                self.milliseconds = 0.0;
                self.message.clear();
                self.attempts.clear();
            }
            _ => {}
        }
    }

    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        match path {
            [SUITES, ITEM] | [SUITES, .., SUITES, ITEM] => {
                self.titles.pop();
            }
            [.., SPECS, ITEM, TESTS, ITEM] => self.give(place),
            _ => {}
        }
    }
}

impl Playwright {
    fn give(&mut self, place: &mut Place<'_, '_>) {
        let out = &mut *place.out;
        let file = match self.titles.first() {
            Some(title) if !title.is_empty() => title,
            _ => &self.file,
        };
        out.enter(&[file]);
        let inner = self.titles.iter().skip(1);
        let mut name = String::new();
        for title in inner.filter(|title| !title.is_empty()) {
            name.push_str(title);
            name.push_str(" \u{203a} ");
            if name.len() > 64 * 1024 {
                break;
            }
        }
        name.push_str(&self.spec);
        out.begin("", &name, place.offset);
        out.say(&self.message);
        out.seconds(self.milliseconds / 1000.0);
        if self.status != "skipped" {
            for status in &self.attempts {
                out.attempt(match status.as_str() {
                    // A test that was cut short by others has shown nothing.
                    "skipped" | "interrupted" => Outcome::Skipped,
                    status if status == self.expected => Outcome::Passed,
                    _ => Outcome::Failed,
                });
            }
        }
        out.give(place.notes);
    }
}
