//! What is about more than the project whose folder it lies in: parts of a root's manifest, and files that tools look for in the
//! folders above (docs.pytest.org, "Configuration: rootdir"; coverage, mypy, Ruff, tox and nox do alike).

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::plan::sources::{file_name, folder_of};

/// Files that tools look for in folders above.
const SETTINGS: &[&str] = &[
    ".coveragerc",
    ".flake8",
    ".mypy.ini",
    ".pylintrc",
    ".pytest.ini",
    ".pytest.toml",
    ".ruff.toml",
    "conftest.py",
    "mypy.ini",
    "noxfile.py",
    "pylintrc",
    "pyrightconfig.json",
    "pytest.ini",
    "pytest.toml",
    "ruff.toml",
    "setup.cfg",
    "tox.ini",
    "tox.toml",
];

/// Tables of `tool` that are about building and installing the project itself.
const OWN_TOOLS: &[&str] = &[
    "flit",
    "hatch",
    "maturin",
    "pdm",
    "poetry",
    "scikit-build",
    "setuptools",
    "setuptools-rust",
    "setuptools_scm",
    "uv",
];

/// Returns the folder below which tools read a file.
pub(crate) fn settings_folder(path: &str) -> Option<&str> {
    SETTINGS.contains(&file_name(path)).then(|| folder_of(path))
}

/// Whether two versions of a manifest have other settings of tools that look for them in folders above.
pub(crate) fn tools_differ(old: &Table, new: &Table) -> bool {
    root_change(old, new).iter().any(|part| {
        let tool = part.strip_prefix("tool.");
        tool.is_some_and(|tool| !OWN_TOOLS.contains(&tool))
    })
}

/// Parts of a root's manifest that are about itself only.
const OWN_PARTS: &[&str] = &["project", "build-system"];

/// Returns the parts of a workspace root's manifest that differ and are about every member.
pub(crate) fn root_change(old: &Table, new: &Table) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        if OWN_PARTS.contains(&key.as_str()) || old.get(key) == new.get(key) {
            continue;
        }
        if key != "tool" {
            parts.insert(key.clone());
            continue;
        }
        let tools = |table: &Table| {
            table
                .get("tool")
                .and_then(Value::as_table)
                .cloned()
                .unwrap_or_default()
        };
        let (old, new) = (tools(old), tools(new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names
            .into_iter()
            .filter(|name| old.get(*name) != new.get(*name))
        {
            // Members come and go in the graph; everything else of uv's is for all.
            let without = |table: &Table| {
                let mut table = table
                    .get(name)
                    .and_then(Value::as_table)
                    .cloned()
                    .unwrap_or_default();
                table.remove("workspace");
                table
            };
            if name != "uv" || without(&old) != without(&new) {
                parts.insert(format!("tool.{name}"));
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_for_all_below_are_known_wherever_they_lie() {
        assert_eq!(settings_folder("conftest.py"), Some(""));
        assert_eq!(settings_folder("a/b/setup.cfg"), Some("a/b"));
        assert_eq!(settings_folder("a/setup.py"), None);
    }

    #[test]
    fn settings_of_tests_are_for_all_below_and_those_of_builds_are_not() {
        let read = |text: &str| text.parse::<Table>().unwrap();
        let old = read("[tool.pytest.ini_options]\na='1'\n[tool.hatch]\nb=1");
        assert!(!tools_differ(
            &old,
            &read("[tool.pytest.ini_options]\na='1'\n[tool.hatch]\nb=2")
        ));
        assert!(tools_differ(
            &old,
            &read("[tool.pytest.ini_options]\na='2'\n[tool.hatch]\nb=1")
        ));
    }
}
