//! Which runner tests a Python project, and what has to be installed for it.

use super::{at, in_workflows};
use crate::plan::sources::{extension, file_name, folder_of, is_within};
use crate::setup::Seen;

/// A test runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runner {
    Pytest,
    /// With options that let it find the tests.
    Unittest(String),
}

/// What asks for pytest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where {
    /// The project itself.
    Project,
    /// An optional dependency of it (PEP 621).
    Extra(String),
    /// A dependency group (PEP 735, or Poetry's).
    Group(String),
    /// A list of requirements.
    Requirements(String),
    Nowhere,
}

/// Whether a requirement (PEP 508) is pytest itself, and no plug-in of it.
fn is_pytest(requirement: &str) -> bool {
    requirement
        .trim_start()
        .strip_prefix("pytest")
        .is_some_and(|rest| {
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c))
        })
}

fn has_pytest(list: &toml::Value) -> bool {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(toml::Value::as_str).any(is_pytest)
}

/// Returns the table at the end of a chain of keys.
fn table<'t>(table: &'t toml::Table, keys: &[&str]) -> Option<&'t toml::Table> {
    keys.iter()
        .try_fold(table, |table, key| table.get(*key)?.as_table())
}

/// Looks for what asks for pytest.
pub(super) fn where_pytest_is(seen: Seen<'_>, root: &str) -> Where {
    let parsed = seen.sources.toml(&at(root, "pyproject.toml"));
    if let Some(Ok(manifest)) = parsed
        && let Some(found) = in_manifest(&manifest)
    {
        return found;
    }
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    if let Some(extra) = extra_of_setup_cfg(seen, root) {
        return Where::Extra(extra);
    }
    let lists = paths.filter(|path| is_requirements(path) && is_near(path, root));
    for path in lists {
        let text = seen.sources.text(path).unwrap_or_default();
        if text.lines().any(is_pytest) {
            let inside = path.strip_prefix(root).unwrap_or(path);
            return Where::Requirements(inside.trim_start_matches('/').to_owned());
        }
    }
    Where::Nowhere
}

/// Whether a file is a list of requirements: `requirements-dev.txt`, `dev-requirements.txt`, `requirements/test.txt`.
pub(crate) fn is_requirements(path: &str) -> bool {
    let is_named =
        file_name(path).contains("requirements") || file_name(folder_of(path)) == "requirements";
    is_named && extension(path) == Some("txt")
}

/// Returns the extra of `setup.cfg` that holds pytest (setuptools, "Configuring setuptools using setup.cfg files").
fn extra_of_setup_cfg(seen: Seen<'_>, root: &str) -> Option<String> {
    let text = seen.sources.text(&at(root, "setup.cfg"))?;
    let mut section = "";
    let mut key = "";
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.trim();
            continue;
        }
        let is_continued = line.starts_with([' ', '\t']);
        let mut value = line;
        if !is_continued && let Some((name, first)) = line.split_once('=') {
            key = name.trim();
            value = first;
        }
        if section == "[options.extras_require]" && value.split(';').any(is_pytest) {
            return Some(key.to_owned());
        }
    }
    None
}

/// Whether a file lies in a folder, or one level below it.
fn is_near(path: &str, root: &str) -> bool {
    let folder = folder_of(path);
    folder == root || (is_within(folder, root) && folder_of(folder) == root)
}

fn in_manifest(manifest: &toml::Table) -> Option<Where> {
    if table(manifest, &["project"])
        .and_then(|project| project.get("dependencies"))
        .is_some_and(has_pytest)
    {
        return Some(Where::Project);
    }
    // The group that every tool installs comes first.
    if let Some(groups) = table(manifest, &["dependency-groups"]) {
        let names = ["dev"].into_iter().chain(groups.keys().map(String::as_str));
        for name in names {
            if groups.get(name).is_some_and(has_pytest) {
                return Some(Where::Group(name.to_owned()));
            }
        }
    }
    let extras = table(manifest, &["project", "optional-dependencies"]);
    if let Some((name, _)) =
        extras.and_then(|extras| extras.iter().find(|(_, list)| has_pytest(list)))
    {
        return Some(Where::Extra(name.clone()));
    }
    let uv = table(manifest, &["tool", "uv"]).and_then(|uv| uv.get("dev-dependencies"));
    if uv.is_some_and(has_pytest) {
        return Some(Where::Group("dev".to_owned()));
    }
    let poetry = table(manifest, &["tool", "poetry"])?;
    let has_key =
        |keys: &[&str]| table(poetry, keys).is_some_and(|table| table.contains_key("pytest"));
    if has_key(&["dependencies"]) || has_key(&["dev-dependencies"]) {
        return Some(Where::Project);
    }
    let groups = table(poetry, &["group"])?;
    let found = groups
        .keys()
        .find(|name| has_key(&["group", name, "dependencies"]))?;
    Some(Where::Group(found.clone()))
}

/// Says what tests a project; nothing when no test was found. What lies in `others`, projects of their own below it, is theirs.
pub(super) fn runner(seen: Seen<'_>, root: &str, others: &[String]) -> Option<Runner> {
    let text_has = |name: &str, words: &str| {
        let text = seen.sources.text(&at(root, name));
        text.is_some_and(|text| text.contains(words))
    };
    let is_pytest = ["pytest.ini", ".pytest.ini", "pytest.toml"]
        .iter()
        .any(|name| seen.sources.has(&at(root, name)))
        || text_has("pyproject.toml", "[tool.pytest")
        || text_has("setup.cfg", "[tool:pytest]")
        || text_has("tox.ini", "pytest")
        || text_has("noxfile.py", "pytest")
        || where_pytest_is(seen, root) != Where::Nowhere;
    let mut has_conftest = false;
    let tests: Vec<&str> = files(seen, root, others)
        .inspect(|path| has_conftest |= file_name(path) == "conftest.py")
        .filter(|path| is_test(path))
        .collect();
    if is_pytest || has_conftest {
        return Some(Runner::Pytest);
    }
    let is_said = || in_workflows(seen, "pytest") || text_has("Makefile", "pytest");
    match tests.as_slice() {
        [] => None,
        _ if is_said() => Some(Runner::Pytest),
        tests => Some(Runner::Unittest(discovery(seen, root, tests))),
    }
}

fn is_test(path: &str) -> bool {
    let name = file_name(path);
    extension(path) == Some("py") && (name.starts_with("test_") || name.ends_with("_test.py"))
}

/// Returns the files of a project.
fn files<'s>(seen: Seen<'s>, root: &'s str, others: &'s [String]) -> impl Iterator<Item = &'s str> {
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    let is_own = move |path: &&str| {
        let is_others =
            |other: &String| other != root && is_within(other, root) && is_within(path, other);
        is_within(path, root) && !others.iter().any(is_others)
    };
    paths.filter(is_own)
}

/// `unittest discover` goes into packages only, and looks for `test*.py` unless it is told otherwise.
fn discovery(seen: Seen<'_>, root: &str, tests: &[&str]) -> String {
    let below = |path: &str| {
        path.strip_prefix(root)
            .unwrap_or(path)
            .trim_start_matches('/')
            .to_owned()
    };
    let mut shared = below(folder_of(tests[0]));
    while !tests.iter().all(|path| is_within(&below(path), &shared)) {
        shared = folder_of(&shared).to_owned();
    }
    // A package is found by its name, from the folder that it lies in.
    while !shared.is_empty()
        && seen
            .sources
            .has(&at(root, &format!("{shared}/__init__.py")))
    {
        shared = folder_of(&shared).to_owned();
    }
    let mut options = String::new();
    if !shared.is_empty() {
        options = format!(" -s {}", super::quoted(&shared));
    }
    if !tests.iter().any(|path| file_name(path).starts_with("test")) {
        options.push_str(" -p '*_test.py'");
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    #[test]
    fn plug_ins_are_not_pytest_itself() {
        for yes in [
            "pytest",
            "pytest>=8",
            "pytest[x]==1",
            "  pytest ; python_version>'3'",
        ] {
            assert!(is_pytest(yes), "{yes}");
        }
        for no in ["pytest-xdist", "pytest_asyncio", "pytests", "my-pytest"] {
            assert!(!is_pytest(no), "{no}");
        }
    }

    #[test]
    fn requirements_may_lie_a_folder_deeper() {
        let files = [
            ("requirements/requirements-test.txt", "pytest\n"),
            ("a/b/requirements.txt", "pytest"),
        ];
        look(&files, |seen| {
            let wanted = Where::Requirements("requirements/requirements-test.txt".to_owned());
            assert_eq!(where_pytest_is(seen, ""), wanted);
        });
    }

    #[test]
    fn a_conftest_is_enough() {
        look(&[("a/conftest.py", "")], |seen| {
            assert_eq!(runner(seen, "", &[]), Some(Runner::Pytest));
            assert_eq!(runner(seen, "b", &[]), None);
        });
    }

    #[test]
    fn lists_of_requirements_have_many_names() {
        for yes in [
            "requirements.txt",
            "dev-requirements.txt",
            "requirements/test.txt",
            "a/requirements_dev.txt",
        ] {
            assert!(is_requirements(yes), "{yes}");
        }
        for no in ["requirements.in", "test.txt", "requirements/README.md"] {
            assert!(!is_requirements(no), "{no}");
        }
    }

    #[test]
    fn an_extra_may_stand_in_setup_cfg() {
        let text = "[metadata]\nname = a\n[options]\ninstall_requires =\n    pytest-like\n[options.extras_require]\ndocs = sphinx\ntesting =\n    coverage\n    pytest>=6\n";
        look(&[("setup.cfg", text)], |seen| {
            assert_eq!(
                where_pytest_is(seen, ""),
                Where::Extra("testing".to_owned())
            );
        });
    }

    #[test]
    fn tests_of_a_project_below_are_its_own() {
        let files = [("a/b/test_x.py", ""), ("a/setup.py", "")];
        look(&files, |seen| {
            assert_eq!(runner(seen, "a", &["a".to_owned(), "a/b".to_owned()]), None);
            assert!(runner(seen, "a", &["a".to_owned()]).is_some());
        });
    }

    #[test]
    fn a_workflow_that_says_pytest_is_believed() {
        let workflow = "jobs: {a: {steps: [{run: pytest tests}]}}";
        look(
            &[
                ("tests/test_a.py", ""),
                (".github/workflows/ci.yml", workflow),
            ],
            |seen| {
                assert_eq!(runner(seen, "", &[]), Some(Runner::Pytest));
            },
        );
    }

    #[test]
    fn unittest_is_led_to_its_tests() {
        let check = |files: &[(&str, &str)], wanted: &str| {
            look(files, |seen| {
                assert_eq!(
                    runner(seen, "", &[]),
                    Some(Runner::Unittest(wanted.to_owned()))
                );
            });
        };
        check(&[("tests/test_a.py", "")], " -s tests");
        check(&[("tests/test_a.py", ""), ("tests/__init__.py", "")], "");
        check(&[("test_a.py", ""), ("tests/test_b.py", "")], "");
        check(&[("tests/a_test.py", "")], " -s tests -p '*_test.py'");
        check(
            &[("bindings/python/tests/test_a.py", "")],
            " -s bindings/python/tests",
        );
        check(
            &[("lib/tests/test_a.py", ""), ("lib/tests/__init__.py", "")],
            " -s lib",
        );
    }
}
