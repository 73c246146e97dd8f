//! `uv.lock` (docs.astral.sh, "Project structure"; `crates/uv-resolver/src/lock` writes it).

use std::collections::HashMap;

use toml::{Table, Value};

use super::{LockGraph, NotALock, PackageId};

/// Reads a lock file; members are packages of the repository, by their folder from the lock file's.
pub(crate) fn read(text: &str) -> Result<LockGraph, NotALock> {
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| NotALock(error.message().to_owned()))?;
    let mut graph = LockGraph::default();
    for (key, value) in &table {
        // The list of members comes from the manifests.
        if !matches!(key.as_str(), "package" | "manifest" | "revision") {
            graph.settings.insert(key.clone(), shown(value));
        }
    }
    let packages = table.get("package").and_then(Value::as_array);
    let mut by_name: HashMap<&str, Vec<(PackageId, &str)>> = HashMap::new();
    let mut read = Vec::new();
    for package in packages.into_iter().flatten() {
        let package = package
            .as_table()
            .ok_or_else(|| NotALock("a package is no table".into()))?;
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (text("name"), text("version"));
        let source = package.get("source").and_then(Value::as_table);
        let local = source.and_then(|source| {
            let keys = ["editable", "virtual", "directory"];
            keys.iter().find_map(|key| source.get(*key)?.as_str())
        });
        let origin = source.map(shown).unwrap_or_default();
        let key = format!("{name} {version} {origin}");
        let number = graph.add(&key, name, &shown(package), local.map(folder));
        by_name.entry(name).or_default().push((number, version));
        read.push((number, package));
    }
    for (number, package) in read {
        for (name, version) in dependencies(package) {
            let candidates = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
            let fitting = candidates
                .iter()
                .filter(|(_, own)| version.is_none_or(|wanted| wanted == *own));
            let fitting: Vec<PackageId> = fitting.map(|(number, _)| *number).collect();
            if fitting.is_empty() {
                return Err(NotALock(format!("`{name}` is needed and not there")));
            }
            for needed in fitting {
                graph.need(number, needed);
            }
        }
    }
    Ok(graph)
}

/// Returns a value as text, for comparing.
fn shown(value: &impl serde::Serialize) -> String {
    crate::json::text(value).unwrap_or_default()
}

fn folder(path: &str) -> &str {
    if path == "." { "" } else { path }
}

/// Returns what a package needs, from all its lists: its own, those of extras and those of groups.
fn dependencies(package: &Table) -> Vec<(&str, Option<&str>)> {
    let own = package.get("dependencies").and_then(Value::as_array);
    let grouped = ["optional-dependencies", "dev-dependencies"];
    let grouped = grouped
        .iter()
        .filter_map(|key| package.get(*key)?.as_table());
    let grouped = grouped.flat_map(|groups| groups.values().filter_map(Value::as_array));
    let all = own
        .into_iter()
        .chain(grouped)
        .flatten()
        .filter_map(Value::as_table);
    all.filter_map(|one| {
        let version = one.get("version").and_then(Value::as_str);
        Some((one.get("name")?.as_str()?, version))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::users;
    use super::read;

    const OLD: &str = r#"
version = 1
requires-python = ">=3.12"
[manifest]
members = ["a", "b"]
[[package]]
name = "a"
version = "0.1.0"
source = { editable = "packages/a" }
dependencies = [{ name = "mid" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "b"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "a" }, { name = "two", version = "2.0" }]
[[package]]
name = "mid"
version = "1.0"
source = { registry = "r" }
dependencies = [{ name = "deep", marker = "x" }]
[[package]]
name = "deep"
version = "1.0"
source = { registry = "r" }
sdist = { hash = "h" }
[[package]]
name = "pytest"
version = "8.0"
source = { registry = "r" }
[[package]]
name = "two"
version = "1.0"
source = { registry = "r" }
[[package]]
name = "two"
version = "2.0"
source = { registry = "r" }
"#;

    #[test]
    fn users_are_found_through_every_list() {
        assert_eq!(
            users(read, OLD, &OLD.replace(r#"hash = "h""#, r#"hash = "i""#)),
            ["", "packages/a"]
        );
        assert_eq!(
            users(read, OLD, &OLD.replace("8.0", "8.1")),
            ["", "packages/a"]
        );
        assert_eq!(users(read, OLD, &OLD.replace(r#""2.0""#, r#""2.1""#)), [""]);
    }

    #[test]
    fn settings_are_about_everyone() {
        assert_eq!(
            users(read, OLD, &OLD.replace(">=3.12", ">=3.13")),
            ["!requires-python"]
        );
    }
}
