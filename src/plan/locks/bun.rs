//! `bun.lock`, the text form (bun.sh, "Lockfile"): JSON with comments and trailing commas.

use serde_json::{Map, Value};

use super::{LockGraph, NotALock};
use crate::plan::jsonc;

const LISTS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Reads a lock file; members are workspaces, by their folder, `""` for the root.
pub(crate) fn read(text: &str) -> Result<LockGraph, NotALock> {
    let document = jsonc::read(text).map_err(NotALock)?;
    let section = |name: &str| document.get(name).and_then(Value::as_object);
    let workspaces =
        section("workspaces").ok_or_else(|| NotALock("it has no `workspaces`".into()))?;
    let empty = Map::new();
    let packages = section("packages").unwrap_or(&empty);
    let mut graph = LockGraph::default();
    for name in [
        "lockfileVersion",
        "patchedDependencies",
        "trustedDependencies",
        "overrides",
    ] {
        if let Some(value) = document.get(name) {
            graph.settings.insert(name.to_owned(), value.to_string());
        }
    }
    for (place, package) in packages {
        let name = place.rsplit('/').next().unwrap_or(place);
        graph.add(place, name, &package.to_string(), None);
    }
    for (place, package) in packages {
        let Some(number) = graph.find(place) else {
            continue;
        };
        let fields = package.as_array().map(Vec::as_slice).unwrap_or_default();
        for object in fields.iter().filter_map(Value::as_object) {
            needs(&mut graph, number, place, object);
        }
    }
    for (folder, workspace) in workspaces {
        let Some(fields) = workspace.as_object() else {
            return Err(NotALock(format!("`{folder}` is no object")));
        };
        let number = graph.add(
            &format!("workspace {folder}"),
            folder,
            &workspace.to_string(),
            Some(folder),
        );
        // What is not hoisted lies below the workspace's name.
        let name = fields
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        needs(&mut graph, number, name, fields);
    }
    Ok(graph)
}

fn needs(graph: &mut LockGraph, number: usize, place: &str, fields: &Map<String, Value>) {
    let lists = LISTS
        .iter()
        .filter_map(|list| fields.get(*list)?.as_object());
    let names: Vec<&String> = lists.flat_map(Map::keys).collect();
    for name in names {
        let mut above = Some(place);
        let mut found = None;
        while let Some(place) = above {
            found = graph.find(&format!("{place}/{name}"));
            if found.is_some() {
                break;
            }
            above = place.rsplit_once('/').map(|(above, _)| above);
        }
        if let Some(found) = found.or_else(|| graph.find(name)) {
            graph.need(number, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::users;
    use super::*;

    const OLD: &str = r#"{
  "lockfileVersion": 1, // text
  "workspaces": {
    "": { "name": "root", "devDependencies": { "tool": "1", }, },
    "p/a": { "name": "a", "dependencies": { "x": "1" }, },
    "p/b": { "name": "b", "dependencies": { "x": "2", "a": "workspace:*" }, },
  },
  "packages": {
    "a": ["a@workspace:p/a"],
    "tool": ["tool@1.0.0", "", {}, "t"],
    "x": ["x@1.0.0", "", { "dependencies": { "y": "1" } }, "x1"],
    "y": ["y@1.0.0", "", {}, "y1"],
    "b/x": ["x@2.0.0", "", {}, "x2"],
  }
}"#;

    #[test]
    fn users_are_found_where_they_are_hoisted_and_where_not() {
        assert_eq!(users(read, OLD, &OLD.replace("\"y1\"", "\"y2\"")), ["p/a"]);
        assert_eq!(users(read, OLD, &OLD.replace("\"x2\"", "\"x3\"")), ["p/b"]);
        assert_eq!(users(read, OLD, &OLD.replace("\"t\"", "\"u\"")), [""]);
    }
}
