//! What a project's manifest says by path.
//!
//! Dozens of backends and tools have a place for paths, and new ones come: beside the lists of dependencies every text that leads out
//! of the project's folder is taken for one.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::names::normal;
use super::section;
use crate::plan::sources::{is_within, join};

/// Where `[tool.uv.sources]` says that names lie.
#[derive(Debug, Default)]
pub(super) struct NamedSources {
    /// Folders and files, from the top, by normalised name; a marker chooses between several.
    pub(super) paths: BTreeMap<String, Vec<String>>,
    /// Names that the workspace has.
    pub(super) members: BTreeSet<String>,
}

/// Reads `[tool.uv.sources]` of the manifest in a folder.
pub(super) fn named_sources(table: &Table, dir: &str) -> NamedSources {
    let mut found = NamedSources::default();
    let sources = section(table, &["tool", "uv", "sources"]);
    for (name, source) in sources.into_iter().flatten() {
        let name = normal(name);
        let many = source.as_array().into_iter().flatten();
        for source in std::iter::once(source).chain(many) {
            if let Some(path) = source.get("path").and_then(Value::as_str) {
                let paths = found.paths.entry(name.clone()).or_default();
                paths.extend(join(dir, path));
            }
            if source.get("workspace").and_then(Value::as_bool) == Some(true) {
                found.members.insert(name.clone());
            }
        }
    }
    found
}

/// Returns Poetry's path dependencies, of every group.
pub(super) fn poetry_paths(table: &Table) -> impl Iterator<Item = String> {
    let poetry = section(table, &["tool", "poetry"]);
    let own = ["dependencies", "dev-dependencies"];
    let own = own
        .into_iter()
        .filter_map(move |key| poetry?.get(key)?.as_table());
    let groups = poetry.and_then(|poetry| poetry.get("group")?.as_table());
    let groups = groups.into_iter().flat_map(Table::values);
    let groups = groups.filter_map(|group| group.get("dependencies")?.as_table());
    let all: Vec<&Table> = own.chain(groups).collect();
    let paths = all.into_iter().flat_map(|list| {
        list.values().flat_map(|value| {
            let many = value.as_array().into_iter().flatten();
            let paths = std::iter::once(value).chain(many);
            paths
                .filter_map(|one| one.get("path")?.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        })
    });
    paths.collect::<Vec<_>>().into_iter()
}

/// Returns each `Cargo.toml` that a project is built from (maturin.rs, "Configuration"; setuptools-rust.readthedocs.io, "API
/// Reference").
pub(super) fn cargo_manifests(table: &Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let tool = section(table, &["tool"]);
    let path = |table: &Value, key: &str| -> String {
        let path = table.get(key).and_then(Value::as_str);
        path.unwrap_or("Cargo.toml").to_owned()
    };
    let backend = section(table, &["build-system"]).and_then(|build| build.get("build-backend"));
    match tool.and_then(|tool| tool.get("maturin")) {
        Some(maturin) => {
            found.insert(path(maturin, "manifest-path"));
        }
        None if backend.and_then(Value::as_str) == Some("maturin") => {
            found.insert("Cargo.toml".to_owned());
        }
        None => {}
    }
    let rust = tool.and_then(|tool| tool.get("setuptools-rust"));
    for list in ["ext-modules", "bins"] {
        let list = rust.and_then(|rust| rust.get(list)?.as_array());
        found.extend(list.into_iter().flatten().map(|one| path(one, "path")));
    }
    found
}

/// Whether dependencies of a project in a folder lie outside the folder.
pub(super) fn leads_out(table: &Table, dir: &str) -> bool {
    let named = named_sources(table, dir).paths.into_values().flatten();
    let poetry = poetry_paths(table).filter_map(|path| join(dir, &path));
    let mut all = named.chain(poetry);
    let lists = ["project", "dependency-groups", "build-system"];
    let lists = lists.iter().filter_map(|key| table.get(*key));
    all.any(|target| !is_within(&target, dir))
        || lists.into_iter().any(|list| {
            let mut found = BTreeSet::new();
            add_outward(list, dir, &mut found);
            !found.is_empty()
        })
}

/// Returns what texts of a manifest in a folder name outside the folder: files and folders, from the top.
pub(super) fn outward(table: &Table, dir: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        add_words(key, dir, &mut found);
        add_outward(value, dir, &mut found);
    }
    found
}

/// The reader of TOML bounds how deep values lie in each other.
fn add_outward(value: &Value, dir: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => add_words(text, dir, found),
        Value::Array(list) => list.iter().for_each(|one| add_outward(one, dir, found)),
        Value::Table(table) => {
            for (key, value) in table {
                add_words(key, dir, found);
                add_outward(value, dir, found);
            }
        }
        _ => {}
    }
}

/// A text may be a path, a requirement (`a @ {root:uri}/../a`), a list (`../a:../b`) or a command.
fn add_words(text: &str, dir: &str, found: &mut BTreeSet<String>) {
    if !text.contains("..") {
        return;
    }
    let is_between =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '=' | '\'' | '"' | '(' | ')');
    for word in text.split(is_between) {
        // What stands before is the project's own folder: `{root:uri}/..`, `${PROJECT_ROOT}/..`, `$MYPY_CONFIG_FILE_DIR/..`.
        let word = word.rsplit('}').next().unwrap_or(word);
        let word = match word.strip_prefix('$') {
            Some(rest) => rest.split_once('/').map_or("", |(_, rest)| rest),
            None => word,
        };
        let word = word.trim_start_matches('/');
        let parts = || word.split(['/', '\\']);
        if !parts().any(|part| part == "..") {
            continue;
        }
        // Of a glob what comes before it.
        let plain = parts().take_while(|part| !part.contains(['*', '?', '[']));
        let plain: Vec<&str> = plain.collect();
        let is_glob = plain.len() < parts().count();
        let Some(target) = join(dir, &plain.join("/")) else {
            continue;
        };
        // A folder around the project says where the repository is, and is no dependency on all that lies in it.
        let is_around = is_within(dir, &target);
        if (!is_around || is_glob && !target.is_empty()) && !is_within(&target, dir) {
            found.insert(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut found = BTreeSet::new();
        add_words(text, "p/b", &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn texts_that_lead_out_are_paths() {
        check("../a/ver.py", &["p/a/ver.py"]);
        check("a @ {root:uri}/../a", &["p/a"]);
        check(
            "a[x] @ file:///${PROJECT_ROOT}/../a ; python_version > '3'",
            &["p/a"],
        );
        check(
            "../../shared:$MYPY_CONFIG_FILE_DIR/../a",
            &["p/a", "shared"],
        );
        check("pytest --cov=../a ../c", &["p/a", "p/c"]);
        check("../c/*.txt", &["p/c"]);
        check("src\\..\\..\\a", &["p/a"]);
        check("../*/tests", &["p"]);
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "..",
            "../..",
            "../../*",
            "src/../lib",
            ">=1,<2",
            "a..b",
            "../../../out",
            "https://x/../y",
        ] {
            check(text, &[]);
        }
    }
}
