//! cargo test: `cargo test -- --list --format terse`, and `--exact` with names (rustc book, "Tests").
//!
//! The list does not say which binary a test is from, and neither can the arguments: equal names run together. Tests in
//! documentation have names of several words, which rustdoc takes apart: all of them run together, by `--doc`.

use std::path::Path;

use super::skip::innermost;
use super::{
    Known, ListProblem, NESTED, Runner, Sharded, Skip, Unit, Unskippable, in_parts, lines, texts,
    tidy,
};

pub(super) struct CargoTest;

/// A name that no test has.
const NOTHING: &str = "no::test::of::this::shard";

impl Runner for CargoTest {
    fn name(&self) -> &'static str {
        "cargo-test"
    }

    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        let mut args = Vec::new();
        for (suite, test) in tests {
            if test.contains(char::is_whitespace) {
                let why = "rustdoc takes apart names of several words, and would leave out others";
                return Err(Unskippable::test(suite, test, why));
            }
            for name in names(suite, test) {
                args.extend(["--skip".to_owned(), name]);
            }
        }
        if !args.is_empty() {
            args.splice(0..0, texts(&["--", "--exact"]));
        }
        Ok(Skip::args(args))
    }

    /// What a test program exits with is handed on; a build that fails exits with 101 as well, and leaves a broken report.
    fn failed(&self) -> &'static [i32] {
        &[101]
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for CargoTest {
    fn list_command(&self) -> &'static str {
        "cargo test -- --list --format terse"
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        let mut units = Vec::new();
        for (number, line) in lines(text) {
            if let Some(name) = line.strip_suffix(": test") {
                units.push(Unit::new("", name));
            } else if !line.ends_with(": benchmark") && !line.ends_with(": bench") && !is_sum(line)
            {
                return Err(ListProblem::new(
                    number,
                    "it is neither `NAME: test` nor `NAME: bench`",
                ));
            }
        }
        Ok(tidy(units))
    }

    fn only(&self, chosen: &[&Unit], _: &[Unit]) -> Vec<Vec<String>> {
        let (docs, others): (Vec<&&Unit>, _) = chosen.iter().partition(|unit| is_doc(&unit.name));
        let mut calls = Vec::new();
        let mut names: Vec<&str> = others.iter().map(|unit| unit.name.as_str()).collect();
        if chosen.is_empty() {
            names.push(NOTHING);
        }
        for part in in_parts(&names) {
            calls.push([texts(&["--", "--exact"]), texts(&part)].concat());
        }
        if !docs.is_empty() {
            calls.push(texts(&["--doc"]));
        }
        calls
    }

    fn together(&self, all: &[Unit]) -> Vec<Vec<usize>> {
        let (docs, others): (Vec<usize>, Vec<usize>) =
            (0..all.len()).partition(|number| is_doc(&all[*number].name));
        let mut groups: Vec<Vec<usize>> = others.into_iter().map(|number| vec![number]).collect();
        groups.extend((!docs.is_empty()).then_some(docs));
        groups
    }

    fn has_lines_of_calls(&self) -> bool {
        true
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        known.name(&unit.name).or_else(|| {
            let (class, name) = unit.name.rsplit_once("::")?;
            known.test(class, name)
        })
    }
}

/// Returns what a test may be called. libtest's own report has the module apart from the name, `crate` where a test is in none, and
/// `integration` with the whole name (rust-lang/rust, `library/test/src/formatters/junit.rs`).
fn names(suite: &str, test: &str) -> Vec<String> {
    let class = innermost(suite);
    let plain = test.to_owned();
    if !suite.contains(NESTED) || test.contains("::") || matches!(class, "" | "crate") {
        return vec![plain];
    }
    let with_module = format!("{class}::{test}");
    if class == "integration" {
        // Or a module is called so.
        return vec![plain, with_module];
    }
    vec![with_module]
}

/// Whether a name is one of rustdoc's: `src/lib.rs - f (line 3)`.
fn is_doc(name: &str) -> bool {
    name.contains(" - ") && name.contains("(line ")
}

/// Whether a line is `3 tests, 0 benchmarks`, which the longer format ends with.
fn is_sum(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    matches!(&words[..], [tests, "test," | "tests,", benches, "benchmark" | "benchmarks"]
        if [tests, benches].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{known, listed};
    use super::*;

    #[test]
    fn tests_of_all_binaries_are_listed_once() {
        let text = "m::a: test\nm::b: test\n\n2 tests, 0 benchmarks\nm::a: test\nquick: bench\nsrc/lib.rs - f (line 3): test\n";
        assert_eq!(
            listed(&CargoTest, text),
            ["m::a", "m::b", "src/lib.rs - f (line 3)"]
        );
        let problem = CargoTest
            .read_list("m::a: test\nwarning: unused\n")
            .unwrap_err();
        assert_eq!(problem.line, 2);
    }

    #[test]
    fn names_are_exact() {
        let all = CargoTest.read_list("a: test\nb: test\n").unwrap();
        assert_eq!(CargoTest.only(&[&all[1]], &all), [["--", "--exact", "b"]]);
    }

    #[test]
    fn tests_in_documentation_run_together() {
        let all = CargoTest.read_list("a: test\nsrc/lib.rs - f (line 3): test\nsrc/lib.rs - g (line 9) - compile fail: test\n").unwrap();
        assert_eq!(CargoTest.together(&all), [vec![0], vec![1, 2]]);
        assert_eq!(CargoTest.only(&[&all[1], &all[2]], &all), [["--doc"]]);
        let both = CargoTest.only(&[&all[0], &all[1], &all[2]], &all);
        assert_eq!(both, [vec!["--", "--exact", "a"], vec!["--doc"]]);
    }

    #[test]
    fn tests_are_left_out_by_exact_name() {
        let skip = CargoTest
            .skip(&[("crate", "m::a"), ("test > m", "b")], Path::new(""))
            .unwrap();
        assert_eq!(
            skip.args,
            ["--", "--exact", "--skip", "m::a", "--skip", "m::b"]
        );
        let skip = CargoTest
            .skip(
                &[("test > crate", "r"), ("test > integration", "t")],
                Path::new(""),
            )
            .unwrap();
        let names = ["r", "t", "integration::t"].map(|name| ["--skip", name]);
        assert_eq!(skip.args[2..], names.concat());
        assert!(
            CargoTest
                .skip(&[("test > src/lib.rs", "f (line 1)")], Path::new(""))
                .is_err()
        );
        assert!(CargoTest.skip(&[], Path::new("")).unwrap().args.is_empty());
    }

    #[test]
    fn reports_name_the_module_or_the_whole_path() {
        let known = known(&[("test > m::n", "f", 3.0), ("x", "m::g", 4.0)]);
        assert_eq!(
            CargoTest.time_of(&Unit::new("", "m::n::f"), &known),
            Some(3.0)
        );
        assert_eq!(CargoTest.time_of(&Unit::new("", "m::g"), &known), Some(4.0));
    }
}
