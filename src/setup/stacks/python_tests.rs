//! Which runner tests a Python project, and what has to be installed for it.

use super::at;
use crate::plan::sources::{extension, file_name, folder_of, is_within};
use crate::setup::Seen;

/// A test runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    Pytest,
    Unittest,
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
    let lists = paths.filter(|path| {
        let name = file_name(path);
        let is_list = name.starts_with("requirements") && extension(path) == Some("txt");
        is_list && is_near(path, root)
    });
    for path in lists {
        let text = seen.sources.text(path).unwrap_or_default();
        if text.lines().any(is_pytest) {
            let inside = path.strip_prefix(root).unwrap_or(path);
            return Where::Requirements(inside.trim_start_matches('/').to_owned());
        }
    }
    Where::Nowhere
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

/// Says what tests a project; nothing when no test was found.
pub(super) fn runner(seen: Seen<'_>, root: &str) -> Option<Runner> {
    let text_has = |name: &str, words: &str| {
        let text = seen.sources.text(&at(root, name));
        text.is_some_and(|text| text.contains(words))
    };
    let is_pytest = seen.sources.has(&at(root, "pytest.ini"))
        || text_has("pyproject.toml", "[tool.pytest")
        || text_has("setup.cfg", "[tool:pytest]")
        || text_has("tox.ini", "pytest")
        || where_pytest_is(seen, root) != Where::Nowhere;
    let mut files = seen.sources.tree.iter().map(|(path, _)| path);
    let mut has_tests = false;
    let has_conftest = files.any(|path| {
        if !is_within(path, root) {
            return false;
        }
        let name = file_name(path);
        let is_python = extension(path) == Some("py");
        has_tests |= is_python && (name.starts_with("test_") || name.ends_with("_test.py"));
        name == "conftest.py"
    });
    if is_pytest || has_conftest {
        Some(Runner::Pytest)
    } else {
        has_tests.then_some(Runner::Unittest)
    }
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
            assert_eq!(runner(seen, ""), Some(Runner::Pytest));
            assert_eq!(runner(seen, "b"), None);
        });
    }
}
