//! `package-lock.json` and `npm-shrinkwrap.json`, versions 2 and 3 (docs.npmjs.com, "package-lock.json").

use serde_json::{Map, Value};

use super::{LockGraph, NotALock};

use crate::json;

const LISTS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Reads a lock file; members are the places outside `node_modules`, `""` for the root.
pub(crate) fn read(text: &str) -> Result<LockGraph, NotALock> {
    let document: Value = json::read(text).map_err(|error| NotALock(error.to_string()))?;
    let Some(packages) = document.get("packages").and_then(Value::as_object) else {
        return Err(NotALock(
            "it has no `packages`: only versions 2 and 3 are read".into(),
        ));
    };
    let mut graph = LockGraph::default();
    for (place, package) in packages {
        let is_member = !place.split('/').any(|part| part == "node_modules");
        let name = place.rsplit("node_modules/").next().unwrap_or(place);
        // Which members use a development tool is no property of the tool.
        let mut content = package.clone();
        if let Some(content) = content.as_object_mut() {
            for flag in ["dev", "devOptional", "optional", "peer", "extraneous"] {
                content.remove(flag);
            }
        }
        graph.add(
            place,
            name,
            &content.to_string(),
            is_member.then_some(place.as_str()),
        );
    }
    for (place, package) in packages {
        let (Some(package), Some(number)) = (package.as_object(), graph.find(place)) else {
            return Err(NotALock(format!("`{place}` is no object")));
        };
        if package.get("link").and_then(Value::as_bool) == Some(true) {
            let target = package
                .get("resolved")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if let Some(target) = graph.find(target) {
                graph.need(number, target);
            }
            continue;
        }
        for name in names(package) {
            // Optional ones may not be installed; others are where node looks for them.
            if let Some(found) = resolve(&graph, place, name) {
                graph.need(number, found);
            }
        }
    }
    Ok(graph)
}

fn names(package: &Map<String, Value>) -> impl Iterator<Item = &String> {
    LISTS
        .iter()
        .filter_map(|list| package.get(*list)?.as_object())
        .flat_map(Map::keys)
}

/// Finds a package as node does: in the folder's own `node_modules`, then in those above it.
fn resolve(graph: &LockGraph, place: &str, name: &str) -> Option<usize> {
    let mut folder = place;
    loop {
        let candidate = if folder.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{folder}/node_modules/{name}")
        };
        if let Some(found) = graph.find(&candidate) {
            return Some(found);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::users;
    use super::read;

    const OLD: &str = r#"{"lockfileVersion": 3, "packages": {
        "": {"workspaces": ["p/*"], "devDependencies": {"tool": "1"}},
        "node_modules/tool": {"version": "1.0.0", "dev": true},
        "p/a": {"name": "a", "dependencies": {"x": "1"}},
        "p/b": {"name": "b", "dependencies": {"a": "*", "x": "2"}},
        "node_modules/a": {"resolved": "p/a", "link": true},
        "node_modules/b": {"resolved": "p/b", "link": true},
        "node_modules/x": {"version": "1.0.0", "dependencies": {"y": "1"}},
        "node_modules/y": {"version": "1.0.0"},
        "p/b/node_modules/x": {"version": "2.0.0"}
    }}"#;

    #[test]
    fn users_are_found_where_node_looks() {
        let new = OLD.replace(
            r#""node_modules/y": {"version": "1.0.0""#,
            r#""node_modules/y": {"version": "1.1.0""#,
        );
        assert_eq!(users(read, OLD, &new), ["p/a", "p/b"]);
        assert_eq!(users(read, OLD, &OLD.replace("2.0.0", "2.1.0")), ["p/b"]);
        let new = OLD.replace(
            r#"tool": {"version": "1.0.0", "dev": true"#,
            r#"tool": {"version": "1.1.0""#,
        );
        assert_eq!(users(read, OLD, &new), [""]);
    }

    #[test]
    fn a_flag_alone_changes_nobody() {
        let none: [&str; 0] = [];
        assert_eq!(users(read, OLD, &OLD.replace(r#", "dev": true"#, "")), none);
    }

    #[test]
    fn the_first_version_is_refused() {
        assert!(read(r#"{"lockfileVersion": 1, "dependencies": {}}"#).is_err());
    }
}
