//! Test runners: how each lists its tests, how its reports call them, and how it is told which ones to run. One file a runner.

mod cargo_test;
mod ctest;
mod go_test;
mod gtest;
mod javascript;
mod jest;
mod mocha;
mod nextest;
mod phpunit;
mod playwright;
mod pytest;
mod rspec;
mod skip;
mod surefire;
mod vitest;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::timing::Expected;

use crate::json;
pub(crate) use skip::{Skip, Unskippable, left_out};

/// What a runner can be told to run by itself: a test, or a file where it knows nothing smaller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unit {
    /// Binary, file or package: units of one group share what is set up once. Empty where there is nothing of the kind.
    pub(crate) group: String,
    /// What the runner calls it inside the group.
    pub(crate) name: String,
    /// Whether the list leaves out others of the group that would run, so that nothing may name the group as a whole.
    pub(crate) is_of_part: bool,
}

impl Unit {
    fn new(group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            name: name.into(),
            is_of_part: false,
        }
    }
}

/// One argument holds at most so many bytes: Linux takes 131,072.
const LONGEST: usize = 100_000;

/// Splits words so that no part is longer than an argument may be, with a byte between each two.
fn in_parts<'w>(words: &[&'w str]) -> Vec<Vec<&'w str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut room = 0;
    for word in words {
        match parts.last_mut() {
            Some(part) if word.len() < room => part.push(word),
            _ => {
                parts.push(vec![word]);
                room = LONGEST;
            }
        }
        room = room.saturating_sub(word.len() + 1);
    }
    parts
}

/// Why a text is no list of tests of a runner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct ListProblem {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl ListProblem {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            problem: problem.into(),
        }
    }
}

/// A test runner.
pub(crate) trait Runner: Sync {
    /// What it is called in configuration and on the command line.
    fn name(&self) -> &'static str;
    /// Returns what makes it leave out these tests, by suite and name as its reports have them, and no others. A file that it needs
    /// will lie in this folder, whose path is absolute.
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable>;
    /// Returns what it exits with when tests have failed and nothing else is wrong.
    fn failed(&self) -> &'static [i32] {
        &[1]
    }
    /// Returns how its tests are listed and split, where maestro knows.
    fn shards(&self) -> Option<&dyn Sharded> {
        None
    }
}

/// A test runner whose tests are split over several jobs.
pub(crate) trait Sharded: Runner {
    /// The command that lists its tests.
    fn list_command(&self) -> &'static str;
    /// Reads the list.
    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem>;
    /// Returns the arguments that make it run these units and no others: one line of arguments for each call. Nobody may
    /// have an empty list run everything.
    fn only(&self, chosen: &[&Unit], all: &[Unit]) -> Vec<Vec<String>>;
    /// Returns how long a unit is expected to take, in milliseconds.
    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64>;
    /// Whether it may have to be called more than once; then a file of arguments has a line for each call.
    fn has_lines_of_calls(&self) -> bool {
        false
    }
    /// Returns units, by number, that it can only be told to run together; each number once.
    fn together(&self, all: &[Unit]) -> Vec<Vec<usize>> {
        (0..all.len()).map(|number| vec![number]).collect()
    }
}

/// Every runner, in order of name.
pub(crate) const RUNNERS: &[&dyn Runner] = &[
    &cargo_test::CargoTest,
    &ctest::Ctest,
    &go_test::GoTest,
    &gtest::Gtest,
    &jest::Jest,
    &mocha::Mocha,
    &nextest::Nextest,
    &phpunit::Phpunit,
    &playwright::Playwright,
    &pytest::Pytest,
    &rspec::Rspec,
    &surefire::Surefire,
    &surefire::SurefireJunit4,
    &vitest::Vitest,
];

/// Returns the runner of a name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Runner> {
    RUNNERS.iter().copied().find(|runner| runner.name() == name)
}

/// What stands between the names of nested suites.
const NESTED: &str = " > ";

/// How long tests take, by what reports call them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By a suite around it, the innermost or any, and its name.
    tests: HashMap<(String, String), f64>,
    /// By name, whatever its suite.
    names: HashMap<String, f64>,
    /// All tests below a suite.
    suites: HashMap<String, f64>,
}

impl Known {
    pub(crate) fn new(expected: &Expected) -> Self {
        let mut known = Self::default();
        for ((label, name), ms) in &expected.tests {
            *known.names.entry(name.clone()).or_default() += ms;
            let suites: BTreeSet<&str> = label.split(NESTED).chain([label.as_str()]).collect();
            for suite in suites {
                let key = (suite.to_owned(), name.clone());
                *known.tests.entry(key).or_default() += ms;
                *known.suites.entry(suite.to_owned()).or_default() += ms;
            }
        }
        known
    }

    fn test(&self, suite: &str, name: &str) -> Option<f64> {
        let key = (suite.to_owned(), name.to_owned());
        self.tests.get(&key).copied()
    }

    fn name(&self, name: &str) -> Option<f64> {
        self.names.get(name).copied()
    }

    /// Returns what the tests of a file take. Reports may call it by a shorter path than the runner does.
    fn file(&self, path: &str) -> Option<f64> {
        let mut rest = path;
        loop {
            if let Some(ms) = self.suites.get(rest) {
                return Some(*ms);
            }
            (_, rest) = rest.split_once('/')?;
        }
    }
}

/// Returns the lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines());
    lines.filter(|(_, line)| !line.trim().is_empty())
}

/// Sorts units; each is there once.
fn tidy(mut units: Vec<Unit>) -> Vec<Unit> {
    crate::order::sort(&mut units);
    units.dedup();
    units
}

/// Groups units by group; units are in order.
fn by_group<'u>(units: &[&'u Unit]) -> Vec<(&'u str, Vec<&'u str>)> {
    let groups = units.chunk_by(|a, b| a.group == b.group);
    groups
        .map(|group| {
            let names = group.iter().map(|unit| unit.name.as_str());
            (group[0].group.as_str(), names.collect())
        })
        .collect()
}

/// Returns how many units each group has.
fn sizes(all: &[Unit]) -> HashMap<&str, usize> {
    let mut sizes = HashMap::new();
    for unit in all {
        *sizes.entry(unit.group.as_str()).or_default() += 1;
    }
    sizes
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Reads `["a", "b"]` or `[{"file": "a"}]`.
fn files_of_json(text: &str) -> Result<Vec<String>, ListProblem> {
    let wrong = |error: serde_json::Error| ListProblem::new(error.line(), error.to_string());
    let rows: Vec<serde_json::Value> = json::read(text).map_err(wrong)?;
    let file = |row: &serde_json::Value| {
        let file = row.as_str().or_else(|| row["file"].as_str());
        file.map(str::to_owned)
            .ok_or_else(|| ListProblem::new(1, format!("`{row}` names no file")))
    };
    rows.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a runner: what it lists, and what it is told for the first of these units.
    pub(super) fn listed(runner: &dyn Sharded, text: &str) -> Vec<String> {
        let units = runner.read_list(text).unwrap();
        let shown = units
            .iter()
            .map(|unit| format!("{} {}", unit.group, unit.name));
        shown.map(|unit| unit.trim_start().to_owned()).collect()
    }

    pub(super) fn known(tests: &[(&str, &str, f64)]) -> Known {
        let tests = tests
            .iter()
            .map(|(suite, name, ms)| (((*suite).to_owned(), (*name).to_owned()), *ms));
        Known::new(&Expected {
            tests: tests.collect(),
            is_own: true,
        })
    }

    #[test]
    fn runners_are_in_order_of_name() {
        assert!(RUNNERS.is_sorted_by(|a, b| a.name() < b.name()));
        for runner in RUNNERS {
            assert_eq!(find(runner.name()).unwrap().name(), runner.name());
        }
    }

    #[test]
    fn no_runner_takes_nothing_for_everything() {
        for runner in RUNNERS.iter().filter_map(|runner| runner.shards()) {
            let all = [Unit::new("g", "n")];
            let calls = runner.only(&[], &all);
            assert!(
                calls.iter().all(|call| !call.is_empty()),
                "{}",
                runner.name()
            );
            assert_eq!(calls.len(), 1, "{}", runner.name());
        }
    }

    #[test]
    fn parts_are_as_long_as_an_argument_may_be() {
        let long = "x".repeat(LONGEST);
        let words = ["a", "b", &long, "c"];
        assert_eq!(
            in_parts(&words),
            [vec!["a", "b"], vec![long.as_str()], vec!["c"]]
        );
        let many: Vec<String> = (0..30_000).map(|n| format!("test_{n:06}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let parts = in_parts(&many);
        assert_eq!(parts.concat(), many);
        assert_eq!(parts.len(), 4);
        assert!(parts.iter().all(|part| part.join("|").len() <= LONGEST));
        assert!(in_parts(&[]).is_empty());
    }

    #[test]
    fn a_file_is_found_by_the_shorter_path_of_a_report() {
        let known = known(&[
            ("src/a.test.ts > src/a.test.ts", "x", 5.0),
            ("src/a.test.ts", "y", 2.0),
        ]);
        assert_eq!(known.file("/r/repo/src/a.test.ts"), Some(7.0));
        assert_eq!(known.file("src/b.test.ts"), None);
        assert_eq!(known.name("y"), Some(2.0));
    }
}
