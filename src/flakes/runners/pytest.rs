//! pytest: `pytest --collect-only -q`, and node ids as arguments (pytest documentation, "How to invoke pytest").

use std::path::Path;

use super::skip::{innermost, program};
use super::{Known, ListProblem, Runner, Sharded, Skip, Unit, Unskippable, lines, texts, tidy};

pub(super) struct Pytest;

impl Runner for Pytest {
    fn name(&self) -> &'static str {
        "pytest"
    }

    /// `--deselect` takes out whatever begins alike; a plugin takes out what is meant.
    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        let names: Vec<(&str, &str)> = tests
            .iter()
            .map(|(suite, test)| (innermost(suite), *test))
            .collect();
        Ok(Skip {
            args: texts(&["-p", "maestro_quarantine"]),
            file: Some(("maestro_quarantine.py", program(PLUGIN, &names))),
            variable: Some("PYTHONPATH"),
            condition: None,
        })
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for Pytest {
    fn list_command(&self) -> &'static str {
        "pytest --collect-only -q"
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        let mut units = Vec::new();
        // Sections of warnings and errors come after the tests.
        let mut is_over = false;
        for (number, line) in lines(text) {
            let wrong = |problem: &str| Err(ListProblem::new(number, problem));
            is_over |= line.starts_with("==");
            // Names of tests hold any words; what pytest says of errors comes between or after them.
            let is_said = is_over || !line.contains("::");
            let is_error = line.contains(" error") && line.contains("collect");
            if line.starts_with("ERROR ") || is_said && is_error {
                return wrong("tests could not be collected, so the list is not whole");
            }
            if is_count(line) {
                return wrong("it counts the tests of a file; `-q` once lists them");
            }
            if let Some((file, name)) = line.split_once("::").filter(|_| !is_over) {
                units.push(Unit::new(file, name));
            }
        }
        Ok(tidy(units))
    }

    fn only(&self, chosen: &[&Unit], _: &[Unit]) -> Vec<Vec<String>> {
        if chosen.is_empty() {
            return vec![texts(&["--collect-only", "-q"])];
        }
        let ids = chosen
            .iter()
            .map(|unit| format!("{}::{}", unit.group, unit.name));
        vec![ids.collect()]
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        let (class, name) = report_names(unit);
        known.test(&class, name)
    }
}

/// Marks what is in quarantine; names are told as pytest's own reports tell them.
const PLUGIN: &str = r#""""Leaves out what is in quarantine. Written by maestro; do not edit."""
import json

import pytest

QUARANTINED = {tuple(pair) for pair in json.loads('NAMES')}


def names(nodeid):
    plain, bracket, parameters = nodeid.partition("[")
    path, *parts = plain.split("::")
    path = path[:-3] if path.endswith(".py") else path
    classes = [path.replace("/", "."), *parts[:-1]]
    return ".".join(classes), (parts[-1] if parts else "") + bracket + parameters


def pytest_collection_modifyitems(items):
    for item in items:
        if names(item.nodeid) in QUARANTINED:
            item.add_marker(pytest.mark.skip(reason="in quarantine"))
"#;

/// Returns `classname` and `name` as pytest's reports have them.
fn report_names(unit: &Unit) -> (String, &str) {
    // `::` inside the brackets of parameters is part of the name.
    let bracket = unit.name.find('[').unwrap_or(unit.name.len());
    let (classes, name) = match unit.name[..bracket].rfind("::") {
        Some(at) => (&unit.name[..at], &unit.name[at + 2..]),
        None => ("", unit.name.as_str()),
    };
    let module = unit.group.strip_suffix(".py").unwrap_or(&unit.group);
    let mut class = module.replace(['/', '\\'], ".");
    for part in classes.split("::").filter(|part| !part.is_empty()) {
        class.push('.');
        class.push_str(part);
    }
    (class, name)
}

/// Whether a line is `tests/test_a.py: 3`, as `-qq` writes it.
fn is_count(line: &str) -> bool {
    line.rsplit_once(": ").is_some_and(|(file, count)| {
        file.contains('.') && !file.contains(' ') && count.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{known, listed};
    use super::*;

    const LIST: &str = "sub/test_a.py::test_p[a b]\nsub/test_a.py::test_p[::]\nsub/test_a.py::TestC::TestD::test_x[1]\n\n3 tests collected in 0.02s\n";

    #[test]
    fn node_ids_are_listed() {
        assert_eq!(
            listed(&Pytest, LIST),
            [
                "sub/test_a.py TestC::TestD::test_x[1]",
                "sub/test_a.py test_p[::]",
                "sub/test_a.py test_p[a b]"
            ]
        );
        let counts = Pytest.read_list("tests/test_a.py: 3\n").unwrap_err();
        assert!(counts.problem.contains("-q"));
        let warned = "test_a.py::x\n\n==== warnings summary ====\ntest_b.py::y\n";
        assert_eq!(listed(&Pytest, warned), ["test_a.py x"]);
        let odd = "test_a.py::test_x[ error while collecting]\n";
        assert_eq!(Pytest.read_list(odd).unwrap().len(), 1);
        let broken = "test_a.py::x\n==== 1 error during collection ====\n";
        assert_eq!(Pytest.read_list(broken).unwrap_err().line, 2);
    }

    #[test]
    fn node_ids_are_arguments() {
        let all = Pytest.read_list(LIST).unwrap();
        assert_eq!(
            Pytest.only(&[&all[0], &all[1]], &all),
            [[
                "sub/test_a.py::TestC::TestD::test_x[1]",
                "sub/test_a.py::test_p[::]"
            ]]
        );
    }

    #[test]
    fn a_plugin_leaves_out_what_is_meant() {
        let skip = Pytest
            .skip(
                &[("pytest > sub.test_a", "test_p['a\\\\b\"]")],
                Path::new(""),
            )
            .unwrap();
        let (name, text) = skip.file.unwrap();
        assert_eq!(
            (name, skip.variable),
            ("maestro_quarantine.py", Some("PYTHONPATH"))
        );
        assert!(
            text.contains(r#"json.loads('[["sub.test_a","test_p[\'a\\\\\\\\b\\"]"]]')"#),
            "{text}"
        );
    }

    #[test]
    fn reports_name_module_and_classes() {
        let all = Pytest.read_list(LIST).unwrap();
        let known = known(&[
            ("pytest > sub.test_a.TestC.TestD", "test_x[1]", 3.0),
            ("pytest > sub.test_a", "test_p[::]", 4.0),
        ]);
        let times: Vec<_> = all
            .iter()
            .map(|unit| Pytest.time_of(unit, &known))
            .collect();
        assert_eq!(times, [Some(3.0), Some(4.0), None]);
    }
}
