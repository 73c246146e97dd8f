//! `go test -json`: one event a line, those of parallel packages between each other. Names are those of gotestsum's JUnit:
//! the suite is the package. Several runs of a test (`-count`, gotestsum's reruns) are attempts.

use std::collections::HashMap;

use super::case::{MESSAGE_LIMIT, Outcome, bound_name, truncate};
use super::foreign::hash;
use super::json::{Json, Place, Value};

/// What gotestsum calls a package that failed without a failed test.
const PACKAGE_TEST: &str = "TestMain";

/// Output that waits has so many bytes in all, and no more.
const MOST_WAITING: usize = 64 * 1024 * 1024;

const MOST_ATTEMPTS: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Go {
    line: Line,
    packages: Vec<Package>,
    by_name: HashMap<String, usize>,
    /// What building each package said.
    builds: HashMap<String, String>,
    /// The package that the compiler talks about, in plain text.
    building: String,
    waiting: usize,
}

#[derive(Debug, Default)]
struct Line {
    action: String,
    package: String,
    test: String,
    output: String,
    import: String,
    failed_build: String,
    elapsed: f64,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    tests: Vec<Test>,
    by_name: HashMap<String, usize>,
    output: String,
    /// Whether a test failed since the package began.
    has_failure: bool,
}

#[derive(Debug, Default)]
struct Test {
    name: String,
    attempts: Vec<Outcome>,
    seconds: f64,
    /// What it said since it began; none when it is not running.
    output: Option<String>,
    message: String,
    offset: u64,
}

const ACTION: u32 = hash(b"Action");
const PACKAGE: u32 = hash(b"Package");
const TEST: u32 = hash(b"Test");
const OUTPUT: u32 = hash(b"Output");
const IMPORT: u32 = hash(b"ImportPath");
const FAILED_BUILD: u32 = hash(b"FailedBuild");
const ELAPSED: u32 = hash(b"Elapsed");

impl Json for Go {
    fn value(&mut self, path: &[u32], value: Value<'_>, _place: &mut Place<'_, '_>) {
        let line = &mut self.line;
        let target = match path {
            [ACTION] => &mut line.action,
            [PACKAGE] => &mut line.package,
            [TEST] => &mut line.test,
            [OUTPUT] => &mut line.output,
            [IMPORT] => &mut line.import,
            [FAILED_BUILD] => &mut line.failed_build,
            [ELAPSED] => {
                line.elapsed = value.number();
                return;
            }
            _ => return,
        };
        value.text().clone_into(target);
    }

    fn open(&mut self, path: &[u32], _place: &mut Place<'_, '_>) {
        if path.is_empty() {
            let line = &mut self.line;
            for text in [
                &mut line.action,
                &mut line.package,
                &mut line.test,
                &mut line.output,
                &mut line.import,
                &mut line.failed_build,
            ] {
                text.clear();
            }
            line.elapsed = 0.0;
        }
    }

    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>) {
        if path.is_empty() {
            self.building.clear();
            let mut line = std::mem::take(&mut self.line);
            self.event(&mut line, place.offset);
            self.line = line;
        }
    }

    /// Before Go 1.24 a package that cannot be built is a line of text; what the compiler says stands before it where both
    /// streams went to one file.
    fn stray(&mut self, line: &str, place: &mut Place<'_, '_>) -> bool {
        let line = line.trim_end();
        if let Some(package) = line.strip_prefix("# ") {
            let package = package.split(' ').next().unwrap_or(package);
            package.clone_into(&mut self.building);
            return true;
        }
        let failed = line
            .strip_prefix("FAIL\t")
            .and_then(|rest| rest.strip_suffix(" failed]"))
            .and_then(|rest| rest.split_once(" ["));
        if let Some((package, _)) = failed {
            let mut line = Line {
                action: "fail".to_owned(),
                package: package.to_owned(),
                failed_build: package.to_owned(),
                ..Line::default()
            };
            self.event(&mut line, place.offset);
            return true;
        }
        if self.building.is_empty() {
            return false;
        }
        let said = self.builds.entry(self.building.clone()).or_default();
        append(said, line, &mut self.waiting);
        append(said, "\n", &mut self.waiting);
        true
    }

    fn finish(&mut self, place: &mut Place<'_, '_>) {
        for package in std::mem::take(&mut self.packages) {
            place.out.counts.suites += 1;
            place.out.enter(&[&package.name]);
            for test in package.tests {
                // One that never ended, in a stream that was cut, has shown nothing.
                if test.attempts.is_empty() {
                    continue;
                }
                let out = &mut *place.out;
                out.begin(&package.name, &test.name, test.offset);
                out.say(&test.message);
                out.seconds(test.seconds);
                for outcome in test.attempts {
                    out.attempt(outcome);
                }
                out.give(place.notes);
            }
        }
    }
}

impl Go {
    fn event(&mut self, line: &mut Line, offset: u64) {
        let outcome = match line.action.as_str() {
            "build-output" => {
                let said = self
                    .builds
                    .entry(std::mem::take(&mut line.import))
                    .or_default();
                return append(said, &line.output, &mut self.waiting);
            }
            "pass" | "bench" => Some(Outcome::Passed),
            "fail" => Some(Outcome::Failed),
            "skip" => Some(Outcome::Skipped),
            "start" | "run" | "output" => None,
            _ => return,
        };
        if line.package.is_empty() {
            return;
        }
        bound_name(&mut line.test);
        let package = match self.by_name.get(&line.package) {
            Some(&at) => at,
            None => {
                let at = self.packages.len();
                self.by_name.insert(line.package.clone(), at);
                self.packages.push(Package {
                    name: line.package.clone(),
                    ..Package::default()
                });
                at
            }
        };
        let Some(package) = self.packages.get_mut(package) else {
            return;
        };
        match (outcome, line.test.is_empty()) {
            (None, false) => {
                let Some(test) = package.test(&line.test, offset) else {
                    return;
                };
                if line.action == "run" {
                    self.waiting -= test.output.replace(String::new()).map_or(0, |o| o.len());
                } else if let Some(output) = &mut test.output
                    && !line.output.starts_with("=== ")
                {
                    append(output, &line.output, &mut self.waiting);
                }
            }
            (None, true) if line.action == "output" => {
                append(&mut package.output, &line.output, &mut self.waiting);
            }
            (None, true) => package.begin(&mut self.waiting),
            (Some(outcome), false) => {
                package.has_failure |= outcome.is_failing();
                if let Some(test) = package.test(&line.test, offset) {
                    test.end(outcome, &mut self.waiting);
                    if line.elapsed.is_finite() {
                        test.seconds += line.elapsed;
                    }
                }
            }
            (Some(outcome), true) => {
                let said = self.builds.get(&line.failed_build);
                package.end(outcome, said, offset, &mut self.waiting);
            }
        }
    }
}

impl Package {
    fn test(&mut self, name: &str, offset: u64) -> Option<&mut Test> {
        let at = match self.by_name.get(name) {
            Some(&at) => at,
            None => {
                let at = self.tests.len();
                self.by_name.insert(name.to_owned(), at);
                self.tests.push(Test {
                    name: name.to_owned(),
                    offset,
                    ..Test::default()
                });
                at
            }
        };
        self.tests.get_mut(at)
    }

    fn begin(&mut self, waiting: &mut usize) {
        *waiting -= std::mem::take(&mut self.output).len();
        self.has_failure = false;
    }

    /// Takes the end of the package: what still runs in one that failed has failed, and where no test did, the
    /// package itself did.
    fn end(&mut self, outcome: Outcome, build: Option<&String>, offset: u64, waiting: &mut usize) {
        for test in &mut self.tests {
            if test.output.is_some() {
                if outcome == Outcome::Failed {
                    self.has_failure = true;
                    test.end(outcome, waiting);
                }
                *waiting -= test.output.take().map_or(0, |output| output.len());
            }
        }
        let is_known = self.by_name.contains_key(PACKAGE_TEST);
        if outcome == Outcome::Failed && !self.has_failure {
            let words = build
                .map_or(self.output.as_str(), String::as_str)
                .to_owned();
            if let Some(test) = self.test(PACKAGE_TEST, offset) {
                *waiting += words.len();
                test.output = Some(words);
                test.end(outcome, waiting);
            }
        } else if outcome == Outcome::Passed
            && is_known
            && let Some(test) = self.test(PACKAGE_TEST, offset)
        {
            test.end(outcome, waiting);
        }
        self.begin(waiting);
    }
}

impl Test {
    fn end(&mut self, outcome: Outcome, waiting: &mut usize) {
        let output = self.output.take().unwrap_or_default();
        if outcome.is_failing() && self.message.is_empty() {
            self.message = output;
        } else {
            *waiting -= output.len();
        }
        if self.attempts.len() < MOST_ATTEMPTS {
            self.attempts.push(outcome);
        }
    }
}

fn append(text: &mut String, more: &str, waiting: &mut usize) {
    if *waiting >= MOST_WAITING || text.len() >= MESSAGE_LIMIT {
        return;
    }
    let before = text.len();
    text.push_str(more);
    truncate(text, MESSAGE_LIMIT);
    *waiting += text.len() - before;
}
