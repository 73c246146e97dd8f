//! go test: `go test -list . ./...`, and `-run` (`go help testflag`). A package that is not whole is a call of its own.

use std::collections::BTreeMap;
use std::path::Path;

use super::skip::{argument, escaped_pattern, innermost, path_in};
use super::{
    Known, ListProblem, Runner, Sharded, Skip, Unit, Unskippable, by_group, in_parts, lines, sizes,
    texts, tidy,
};
use crate::json;
use crate::order;

pub(super) struct GoTest;

impl Runner for GoTest {
    fn name(&self) -> &'static str {
        "go-test"
    }

    /// `-skip` holds for every package, so a program that `-exec` names adds it to the ones that it is meant for.
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let mut packages: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (suite, test) in tests {
            packages
                .entry(innermost(suite))
                .or_default()
                .push(pattern(test));
        }
        let mut cases = String::new();
        for (package, mut patterns) in packages {
            order::sort(&mut patterns);
            patterns.dedup();
            let skip = argument(patterns.join("|"))?;
            let (package, skip) = (in_shell(package), in_shell(&skip));
            cases.push_str(&format!("{package}) skip={skip} ;;\n"));
        }
        let path = path_in(folder, FILE);
        // `go help test`: the words of -exec may be quoted, with either quote.
        let quote = if path.contains('\'') { '"' } else { '\'' };
        let args = texts(&["-exec", &format!("sh {quote}{path}{quote}")]);
        Ok(Skip::with_file(
            args,
            FILE,
            WRAPPER.replacen("CASES\n", &cases, 1),
        ))
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for GoTest {
    fn list_command(&self) -> &'static str {
        "go test -list . ./..."
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        if text.trim_start().starts_with('{') {
            return read_json(text);
        }
        let mut units = Vec::new();
        let mut names = Vec::new();
        for (number, line) in lines(text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match &words[..] {
                ["ok", package, ..] => {
                    units.extend(names.drain(..).map(|name: &str| Unit::new(*package, name)));
                }
                ["FAIL", ..] => {
                    return Err(ListProblem::new(number, "a package could not be listed"));
                }
                [name] if is_test(name) => names.push(*name),
                // Benchmarks, and packages without tests.
                _ => {}
            }
        }
        if let Some(name) = names.first() {
            let problem =
                format!("`{name}` is followed by no `ok PACKAGE`, so the list is not whole");
            return Err(ListProblem::new(text.lines().count(), problem));
        }
        Ok(tidy(units))
    }

    fn only(&self, chosen: &[&Unit], all: &[Unit]) -> Vec<Vec<String>> {
        let sizes = sizes(all);
        let mut whole = Vec::new();
        let mut calls = Vec::new();
        for (package, names) in by_group(chosen) {
            if sizes.get(package) == Some(&names.len()) {
                whole.push(package);
                continue;
            }
            for part in in_parts(&names) {
                let run = format!("^({})$", part.join("|"));
                calls.push(texts(&["-run", &run, package]));
            }
        }
        let packages = in_parts(&whole);
        calls.splice(0..0, packages.iter().map(|part| texts(part)));
        if calls.is_empty() {
            let package = all.first().map_or(".", |unit| unit.group.as_str());
            calls.push(texts(&["-run", "^$", package]));
        }
        calls
    }

    fn has_lines_of_calls(&self) -> bool {
        true
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        known.test(&unit.group, &unit.name)
    }
}

const FILE: &str = "maestro_quarantine.sh";

/// Runs a package's tests but those in quarantine; `go test` calls it in the folder of the package.
const WRAPPER: &str = r#"# Leaves out what is in quarantine. Written by maestro; do not edit.
package=$(go list -e -f '{{.ImportPath}}') || exit 2
case $package in
CASES
*) exec "$@" ;;
esac
binary=$1
shift
for argument; do
    shift
    case $argument in
    -test.skip=*) skip="$skip|${argument#-test.skip=}" ;;
    *) set -- "$@" "$argument" ;;
    esac
done
exec "$binary" "-test.skip=$skip" "$@"
"#;

/// Returns what `-skip` takes for one test: a pattern for each part of its name.
fn pattern(test: &str) -> String {
    let parts = test.split('/').map(escaped_pattern);
    let parts: Vec<String> = parts.map(|part| format!("^{part}$")).collect();
    parts.join("/")
}

fn in_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Whether `go test` runs it without being asked for benchmarks.
fn is_test(name: &str) -> bool {
    ["Test", "Fuzz", "Example"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Reads `go test -json -list . ./...`: the output of packages may come in turns.
fn read_json(text: &str) -> Result<Vec<Unit>, ListProblem> {
    let mut units = Vec::new();
    let mut outputs: BTreeMap<String, String> = BTreeMap::new();
    for (number, line) in lines(text) {
        let row: serde_json::Value =
            json::read(line).map_err(|error| ListProblem::new(number, error.to_string()))?;
        let word = |name: &str| row[name].as_str().unwrap_or_default();
        let package = word("Package");
        match word("Action") {
            "output" => outputs
                .entry(package.to_owned())
                .or_default()
                .push_str(word("Output")),
            "fail" => {
                return Err(ListProblem::new(
                    number,
                    format!("`{package}` could not be listed"),
                ));
            }
            _ => {}
        }
    }
    for (package, output) in outputs {
        let names = output
            .lines()
            .filter(|line| is_test(line) && !line.contains(char::is_whitespace));
        units.extend(names.map(|name| Unit::new(&package, name)));
    }
    Ok(tidy(units))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{known, listed};
    use super::*;

    const LIST: &str = "TestA\nBenchmarkX\nFuzzY\nok  \tex.com/m/p\t0.002s\nTestA\nExampleZ\nok  \tex.com/m/q\t0.004s\n?   \tex.com/m/r\t[no test files]\n";

    #[test]
    fn tests_are_listed_with_their_packages() {
        let tests = [
            "ex.com/m/p FuzzY",
            "ex.com/m/p TestA",
            "ex.com/m/q ExampleZ",
            "ex.com/m/q TestA",
        ];
        assert_eq!(listed(&GoTest, LIST), tests);
        assert!(GoTest.read_list("TestA\n").is_err());
        assert!(
            GoTest
                .read_list("FAIL\tex.com/m/p [build failed]\n")
                .is_err()
        );
        let json = "{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"TestA\\n\"}\n{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"ok  \\tp\\t0.1s\\n\"}\n";
        assert_eq!(listed(&GoTest, json), ["p TestA"]);
    }

    #[test]
    fn whole_packages_are_one_call() {
        let all = GoTest.read_list(LIST).unwrap();
        let chosen = [&all[0], &all[2], &all[3]];
        assert_eq!(
            GoTest.only(&chosen, &all),
            [vec!["ex.com/m/q"], vec!["-run", "^(FuzzY)$", "ex.com/m/p"]]
        );
    }

    #[test]
    fn reports_name_the_package() {
        let known = known(&[
            ("ex.com/m/p > p", "TestA", 3.0),
            ("ex.com/m/p", "TestA/sub", 2.0),
        ]);
        assert_eq!(
            GoTest.time_of(&Unit::new("ex.com/m/p", "TestA"), &known),
            Some(3.0)
        );
    }

    #[test]
    fn a_program_leaves_tests_out_of_their_package() {
        let tests = [
            ("m/p", "TestA/x.y/#00"),
            ("m/it's", "TestB"),
            ("m/p", "TestC"),
        ];
        let skip = GoTest.skip(&tests, Path::new("/o p")).unwrap();
        assert_eq!(skip.args, ["-exec", "sh '/o p/maestro_quarantine.sh'"]);
        let (_, text) = skip.file.unwrap();
        let cases = "case $package in\n'm/it'\\''s') skip='^TestB$' ;;\n'm/p') skip='^TestA$/^x\\.y$/^\\#00$|^TestC$' ;;\n*) exec";
        assert!(text.contains(cases), "{text}");
    }
}
