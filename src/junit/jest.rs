//! Jest's and Vitest's JSON (`testResults`). The suite is the file. Vitest's names are those of its JUnit form, titles with
//! ` > ` between them; Jest has none of its own, and its names are full names.

use super::case::Outcome;
use super::foreign::{file_name, hash};
use super::json::{ITEM, Json, Place, Value};

#[derive(Debug, Default)]
pub(super) struct Jest {
    /// The folder that paths are shortened by.
    root: String,
    file: File,
    test: Test,
    /// The tests of the file at hand: its name stands behind them.
    tests: Vec<Test>,
}

#[derive(Debug, Default)]
struct File {
    name: String,
    status: String,
    message: String,
}

#[derive(Debug, Default)]
struct Test {
    titles: Vec<String>,
    title: String,
    full: String,
    status: String,
    message: String,
    milliseconds: f64,
    runs: usize,
    is_vitest: bool,
    offset: u64,
}

const RESULTS: u32 = hash(b"testResults");
const NAME: u32 = hash(b"name");
const STATUS: u32 = hash(b"status");
const MESSAGE: u32 = hash(b"message");
const TESTS: u32 = hash(b"assertionResults");
const ANCESTORS: u32 = hash(b"ancestorTitles");
const TITLE: u32 = hash(b"title");
const FULL: u32 = hash(b"fullName");
const DURATION: u32 = hash(b"duration");
const FAILURES: u32 = hash(b"failureMessages");
const RUNS: u32 = hash(b"invocations");
const META: u32 = hash(b"meta");

impl Jest {
    pub(super) fn new(root: &str) -> Self {
        Self {
            root: root.to_owned(),
            ..Self::default()
        }
    }

    fn give(&mut self, place: &mut Place<'_, '_>) {
        let file = std::mem::take(&mut self.file);
        let name = file
            .name
            .strip_prefix(self.root.as_str())
            .map_or(file.name.as_str(), |rest| {
                rest.trim_start_matches(['/', '\\'])
            });
        place.out.counts.suites += 1;
        let tests = std::mem::take(&mut self.tests);
        if tests.is_empty() && file.status == "failed" {
            // The file could not be loaded.
            place.out.enter(&[name]);
            let own = if name.is_empty() {
                file_name(name)
            } else {
                name
            };
            place.out.begin("", own, place.offset);
            place.out.say(&file.message);
            place.out.outcome(Outcome::Errored);
            place.out.give(place.notes);
        }
        for test in tests {
            place.out.enter(&[name]);
            let path = if test.is_vitest {
                let mut path = test.titles.join(" > ");
                if !path.is_empty() {
                    path.push_str(" > ");
                }
                path + &test.title
            } else {
                test.full
            };
            place.out.begin("", &path, test.offset);
            place.out.say(&test.message);
            place.out.seconds(test.milliseconds / 1000.0);
            let last = match test.status.as_str() {
                "passed" => Outcome::Passed,
                "failed" => Outcome::Failed,
                _ => Outcome::Skipped,
            };
            if last != Outcome::Skipped {
                for _ in 1..test.runs {
                    place.out.attempt(Outcome::Failed);
                }
            }
            place.out.attempt(last);
            place.out.give(place.notes);
        }
    }
}

impl Json for Jest {
    fn value(&mut self, path: &[u32], value: Value<'_>, _place: &mut Place<'_, '_>) {
        let test = &mut self.test;
        let target = match path {
            [RESULTS, ITEM, NAME] => &mut self.file.name,
            [RESULTS, ITEM, STATUS] => &mut self.file.status,
            [RESULTS, ITEM, MESSAGE] => &mut self.file.message,
            [RESULTS, ITEM, TESTS, ITEM, path @ ..] => match path {
                [TITLE] => &mut test.title,
                [FULL] => &mut test.full,
                [STATUS] => &mut test.status,
                [ANCESTORS, ITEM] if test.titles.len() < 64 => {
                    test.titles.push(value.text().to_owned());
                    return;
                }
                [FAILURES, ITEM] if test.message.is_empty() => {
                    value.text().clone_into(&mut test.message);
                    super::case::truncate(&mut test.message, super::case::MESSAGE_LIMIT);
                    return;
                }
                [DURATION] => {
                    test.milliseconds = value.number();
                    return;
                }
                [RUNS] => {
                    test.runs = value.count();
                    return;
                }
                _ => return,
            },
            _ => return,
        };
        value.text().clone_into(target);
    }

    fn open(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        match path {
            [RESULTS, ITEM] => {
                self.file = File::default();
                self.tests.clear();
            }
            [RESULTS, ITEM, TESTS, ITEM] => {
                self.test = Test {
                    milliseconds: f64::NAN,
                    offset: place.offset,
                    ..Test::default()
                };
            }
            [RESULTS, ITEM, TESTS, ITEM, META] => self.test.is_vitest = true,
            _ => {}
        }
    }

    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        match path {
            [RESULTS, ITEM] => self.give(place),
            [RESULTS, ITEM, TESTS, ITEM] if !self.test.status.is_empty() => {
                let test = std::mem::take(&mut self.test);
                self.tests.push(test);
            }
            _ => {}
        }
    }
}
