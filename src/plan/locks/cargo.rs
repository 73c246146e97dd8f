//! `Cargo.lock`, versions 1 to 4 (`cargo-lock` and cargo's `encode.rs` describe it).

use std::collections::HashMap;

use toml::{Table, Value};

use super::{LockGraph, NotALock, PackageId};

/// Reads a lock file; members are packages without a source, by name.
pub(crate) fn read(text: &str) -> Result<LockGraph, NotALock> {
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| NotALock(error.message().to_owned()))?;
    let mut graph = LockGraph::default();
    let packages = match table.get("package") {
        None => &[],
        Some(Value::Array(packages)) => &packages[..],
        Some(_) => return Err(NotALock("`package` is no list".into())),
    };
    let metadata = table.get("metadata").and_then(Value::as_table);
    let mut by_name: HashMap<&str, Vec<PackageId>> = HashMap::new();
    let mut read = Vec::new();
    for package in packages {
        let package = package
            .as_table()
            .ok_or_else(|| NotALock("a package is no table".into()))?;
        let field = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, version, source) = (field("name"), field("version"), field("source"));
        if name.is_empty() {
            return Err(NotALock("a package has no name".into()));
        }
        let key = if source.is_empty() {
            format!("{name} {version}")
        } else {
            format!("{name} {version} ({source})")
        };
        let mut content = field("checksum").to_owned();
        // The first version of the format keeps checksums apart.
        let apart = metadata.and_then(|metadata| metadata.get(&format!("checksum {key}")));
        content.push_str(apart.and_then(Value::as_str).unwrap_or_default());
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        let dependencies: Vec<&str> = dependencies
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for dependency in &dependencies {
            content.push('\n');
            content.push_str(dependency);
        }
        let number = graph.add(&key, name, &content, source.is_empty().then_some(name));
        by_name.entry(name).or_default().push(number);
        read.push((number, dependencies));
    }
    for (number, dependencies) in read {
        for dependency in dependencies {
            let mut words = dependency.splitn(3, ' ');
            let name = words.next().unwrap_or_default();
            let rest = words.next();
            let candidates = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
            let fitting = candidates.iter().filter(|candidate| {
                // A name alone means that there is one only; a version, that no source is needed.
                let key = &graph.packages[**candidate].key;
                rest.is_none() || *key == dependency || key.starts_with(&format!("{dependency} ("))
            });
            let fitting: Vec<PackageId> = fitting.copied().collect();
            if fitting.is_empty() {
                return Err(NotALock(format!("`{dependency}` is needed and not there")));
            }
            for needed in fitting {
                graph.need(number, needed);
            }
        }
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::super::tests::users;
    use super::read;

    const OLD: &str = r#"
version = 4
[[package]]
name = "a"
version = "0.1.0"
dependencies = ["mid", "one 1.0.0"]
[[package]]
name = "b"
version = "0.1.0"
dependencies = ["one 2.0.0"]
[[package]]
name = "c"
version = "0.1.0"
dependencies = ["a"]
[[package]]
name = "mid"
version = "1.0.0"
source = "registry+x"
checksum = "m"
dependencies = ["deep"]
[[package]]
name = "deep"
version = "1.0.0"
source = "registry+x"
checksum = "d"
[[package]]
name = "one"
version = "1.0.0"
source = "registry+x"
checksum = "1"
[[package]]
name = "one"
version = "2.0.0"
source = "registry+x"
checksum = "2"
"#;

    #[test]
    fn users_of_a_changed_package_are_found_however_far_away() {
        assert_eq!(
            users(
                read,
                OLD,
                &OLD.replace(r#"checksum = "d""#, r#"checksum = "e""#)
            ),
            ["a", "c"]
        );
        assert_eq!(
            users(
                read,
                OLD,
                &OLD.replace(r#"checksum = "2""#, r#"checksum = "e""#)
            ),
            ["b"]
        );
    }

    #[test]
    fn a_new_version_is_another_package() {
        assert_eq!(users(read, OLD, &OLD.replace("2.0.0", "2.1.0")), ["b"]);
    }

    #[test]
    fn a_new_dependency_reaches_who_has_it() {
        let new = OLD.replace(r#"["one 2.0.0"]"#, r#"["one 1.0.0", "one 2.0.0"]"#);
        assert_eq!(users(read, OLD, &new), ["b"]);
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        assert!(read("[[package]]\nname='a'\nversion='1'\ndependencies=['gone']").is_err());
        assert!(read("<<<<<<< HEAD").is_err());
        assert!(read("").is_ok());
    }
}
