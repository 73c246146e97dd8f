//! npm, pnpm, Yarn and Bun: workspaces and the packages in them, by `package.json` (docs.npmjs.com, "workspaces"; pnpm.io,
//! "pnpm-workspace.yaml").
//!
//! Two members may have one name, as examples and playgrounds do: who depends on the name depends on both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, folder_of, is_within, join};

/// Lists of a manifest that make one package depend on another.
pub(crate) const LISTS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
];

/// Folders of a package that sits at a workspace's root.
const OWN: &[&str] = &[
    "src",
    "test",
    "tests",
    "__tests__",
    "lib",
    "bin",
    "package.json",
];

/// Files that say that a folder is installed by itself.
const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
];

/// Adds the packages and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let folders = sources.folders_with("package.json");
    let mut member_of: BTreeMap<&str, &str> = BTreeMap::new();
    let mut roots = Vec::new();
    for dir in &folders {
        let Some(globs) = workspace_globs(sources, dir, graph) else {
            continue;
        };
        // A fixture's workspace inside a member concerns that member only.
        let inside = ancestors(dir)
            .any(|above| above != *dir && member_of.get(above).is_some_and(|root| *root != above));
        if inside {
            continue;
        }
        let Ok(patterns) = Patterns::new(globs.iter().flat_map(|glob| from_top(dir, glob))) else {
            graph.trouble(
                path_in(dir, "package.json"),
                "a glob of its workspaces is not one",
            );
            continue;
        };
        roots.push(*dir);
        member_of.insert(dir, dir);
        let below = folders
            .iter()
            .filter(|folder| **folder != *dir && is_within(folder, dir));
        for folder in below.filter(|folder| is_named(&patterns, folder)) {
            member_of.insert(folder, dir);
        }
    }
    add_projects(sources, &folders, &roots, &member_of, graph);
    add_edges(sources, &member_of, graph);
}

/// A glob names a package's own folder; `packages/*` is not `packages/a/b`.
fn is_named(patterns: &Patterns, folder: &str) -> bool {
    let mut named = false;
    for (source, touched) in patterns.sources().zip(patterns.touched(folder)) {
        let (negative, glob) = match source.strip_prefix('!') {
            Some(glob) => (true, glob),
            None => (false, source),
        };
        let deep = glob.contains("**");
        // What matched because a folder above it did is named by `**` only.
        let above = Patterns::new([glob]).is_ok_and(|one| one.is_match(folder_of(folder)));
        if touched && (negative || deep || !above || folder_of(folder).is_empty()) {
            named = !negative;
        }
    }
    named
}

/// Returns a glob of a workspace as meant from the top. `a/**` names `a` too, because it stands for `a/**/package.json`.
fn from_top(dir: &str, glob: &str) -> Vec<String> {
    let (sign, glob) = match glob.strip_prefix('!') {
        Some(glob) => ("!", glob),
        None => ("", glob),
    };
    let Some(glob) = join(dir, glob) else {
        return Vec::new();
    };
    let around = glob
        .strip_suffix("/**")
        .map(|around| format!("{sign}{around}"));
    around
        .into_iter()
        .chain([format!("{sign}{glob}")])
        .collect()
}

/// Returns the globs of a workspace whose root a folder is.
fn workspace_globs(sources: Sources<'_>, dir: &str, graph: &mut Graph) -> Option<Vec<String>> {
    let yaml = path_in(dir, "pnpm-workspace.yaml");
    if sources.has(&yaml) {
        let document =
            serde_yaml::from_str::<serde_yaml::Value>(sources.text(&yaml).unwrap_or_default());
        match document {
            Ok(document) => {
                let globs = document.get("packages").and_then(|list| list.as_sequence());
                let globs = globs.into_iter().flatten().filter_map(|glob| glob.as_str());
                return Some(globs.map(str::to_owned).collect());
            }
            Err(error) => graph.trouble(&yaml, error.to_string()),
        }
    }
    let manifest = sources.json(&path_in(dir, "package.json"))?.ok()?;
    let list = manifest.get("workspaces")?;
    let list = list.get("packages").unwrap_or(list).as_array()?;
    Some(
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

fn add_projects(
    sources: Sources<'_>,
    folders: &[&str],
    roots: &[&str],
    member_of: &BTreeMap<&str, &str>,
    graph: &mut Graph,
) {
    for dir in folders {
        let path = path_in(dir, "package.json");
        let workspace = member_of.get(dir).copied();
        let above = ancestors(dir)
            .skip(1)
            .find_map(|above| member_of.get_key_value(above));
        if workspace.is_none() {
            let has_lock = LOCKS.iter().any(|lock| sources.has(&path_in(dir, lock)));
            let below_member = above.is_some_and(|(above, root)| above != root);
            let in_own = above.is_some_and(|(above, _)| {
                OWN.iter()
                    .any(|own| join(above, own).is_some_and(|own| is_within(dir, &own)))
            });
            // A package inside a member is its fixture, unless it is installed by itself.
            if (below_member || in_own) && !has_lock {
                continue;
            }
        }
        let manifest = match sources.json(&path) {
            Some(Ok(manifest)) => manifest,
            Some(Err(words)) if workspace.is_some() => {
                graph.trouble(&path, &*words);
                continue;
            }
            _ => continue,
        };
        let name = manifest
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Without a name and without anything to install, it only says how files are to be read.
        if workspace.is_none()
            && name.is_empty()
            && !LISTS.iter().any(|list| manifest.get(*list).is_some())
        {
            continue;
        }
        let mut project = Project::new(Kind::Npm, *dir, name);
        project.workspace = workspace.map(str::to_owned);
        project.scope = if roots.contains(dir) {
            Scope::Root(OWN.iter().filter_map(|own| join(dir, own)).collect())
        } else if above.is_some_and(|(above, root)| workspace.is_none() || above != root) {
            // Inside another member it is its neighbour's test or example too.
            Scope::Loose
        } else {
            Scope::Folder
        };
        graph.add(project);
    }
}

fn add_edges(sources: Sources<'_>, member_of: &BTreeMap<&str, &str>, graph: &mut Graph) {
    let mut by_name: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let projects: Vec<(String, Project)> = graph
        .projects()
        .filter(|(_, project)| project.kind == Kind::Npm)
        .map(|(id, project)| (id.clone(), project.clone()))
        .collect();
    for (id, project) in &projects {
        if let Some(root) = member_of.get(project.dir.as_str())
            && !project.name.is_empty()
        {
            let key = ((*root).to_owned(), project.name.clone());
            by_name.entry(key).or_default().push(id.clone());
        }
    }
    for (id, project) in &projects {
        let Some(Ok(manifest)) = sources.json(&path_in(&project.dir, "package.json")) else {
            continue;
        };
        let root = member_of
            .get(project.dir.as_str())
            .copied()
            .unwrap_or_default();
        for (name, range) in dependencies(&manifest) {
            if let Some(path) = local_path(&range) {
                let Some(target) = join(&project.dir, path) else {
                    continue;
                };
                // It may name what a package builds, inside its folder.
                let owner = ancestors(&target).find_map(|folder| {
                    // The top has everything in it.
                    if folder.is_empty() && !target.is_empty() {
                        return None;
                    }
                    let owner = Project::new(Kind::Npm, folder, "").id();
                    graph.get(&owner).is_some().then_some(owner)
                });
                if let Some(owner) = owner {
                    graph.depend(id, &owner);
                } else if let Some(project) = graph.get_mut(id) {
                    project.reads.push(target);
                }
                continue;
            }
            let name = alias(&range).unwrap_or(&name).to_owned();
            for target in by_name.get(&(root.to_owned(), name)).into_iter().flatten() {
                graph.depend(id, target);
            }
        }
    }
}

/// Returns every dependency of a manifest: name and range.
pub(crate) fn dependencies(manifest: &Value) -> BTreeSet<(String, String)> {
    let lists = LISTS
        .iter()
        .filter_map(|list| manifest.get(*list)?.as_object());
    let entries = lists.flatten();
    entries
        .map(|(name, range)| (name.clone(), range.as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn local_path(range: &str) -> Option<&str> {
    let schemes = ["file:", "link:", "portal:"];
    let path = schemes.iter().find_map(|scheme| range.strip_prefix(scheme));
    let is_bare = range.starts_with("./") || range.starts_with("../");
    path.or_else(|| is_bare.then_some(range))
}

/// Returns the name behind `npm:name@range` or `workspace:name@range`.
fn alias(range: &str) -> Option<&str> {
    let rest = range
        .strip_prefix("npm:")
        .or_else(|| range.strip_prefix("workspace:"))?;
    let end = rest.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some(&rest[..end])
}

/// Keys of a root's manifest that nothing is built, installed or tested by.
const WORDS: &[&str] = &[
    "author",
    "bugs",
    "contributors",
    "description",
    "funding",
    "homepage",
    "keywords",
    "license",
    "maintainers",
    "name",
    "private",
    "repository",
    "version",
    // Members come and go in the graph.
    "workspaces",
];

/// Returns the keys of a workspace root's manifest that differ and are about every member.
pub(crate) fn root_change(old: &Value, new: &Value) -> BTreeSet<String> {
    let keys = |value: &Value| -> BTreeSet<String> {
        value
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys().cloned())
            .collect()
    };
    let all: BTreeSet<String> = keys(old).union(&keys(new)).cloned().collect();
    all.into_iter()
        .filter(|key| !WORDS.contains(&key.as_str()) && old.get(key) != new.get(key))
        .collect()
}

/// Returns what is plainly a package's own at the top.
pub(super) fn own_folders() -> Vec<String> {
    OWN.iter().map(|own| (*own).to_owned()).collect()
}

fn path_in(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::root_change;
    use crate::plan::graph::tests::{dependents, projects, read};

    #[test]
    fn a_pnpm_workspace_has_the_packages_that_its_globs_name() {
        let files = [
            ("package.json", "{\"name\": \"root\"}"),
            (
                "pnpm-workspace.yaml",
                "packages:\n  - 'packages/*'\n  - examples/**/__tests__/**\n  - examples/**\n  - '!examples/old/**'\n",
            ),
            ("packages/a/package.json", r#"{"name": "a"}"#),
            ("examples/old2/__tests__/package.json", r#"{"name": "t"}"#),
            ("packages/a/fixtures/x/package.json", r#"{"name": "x"}"#),
            (
                "packages/b/package.json",
                r#"{"name": "b", "peerDependencies": {"a": "workspace:*"}}"#,
            ),
            (
                "examples/deep/one/package.json",
                r#"{"name": "e", "devDependencies": {"b": "^1"}}"#,
            ),
            (
                "examples/two/package.json",
                r#"{"name": "e", "dependencies": {"alias": "npm:b@1"}}"#,
            ),
            (
                "examples/old/package.json",
                r#"{"name": "o", "dependencies": {"a": "link:../../packages/a"}}"#,
            ),
            ("packages/b/node_modules/z/package.json", r#"{"name": "z"}"#),
        ];
        let graph = read(&files);
        let expected = [
            "npm:.",
            "npm:examples/deep/one",
            "npm:examples/old",
            "npm:examples/old2/__tests__",
            "npm:examples/two",
            "npm:packages/a",
            "npm:packages/b",
        ];
        assert_eq!(projects(&graph), expected);
        assert_eq!(
            dependents(&graph, "npm:packages/a"),
            ["npm:examples/old", "npm:packages/b"]
        );
        assert_eq!(
            dependents(&graph, "npm:packages/b"),
            ["npm:examples/deep/one", "npm:examples/two"]
        );
    }

    #[test]
    fn npm_and_yarn_name_their_workspaces_in_the_manifest() {
        for workspaces in [
            r#"["./libs/*", "app"]"#,
            r#"{"packages": ["libs/*", "app"]}"#,
        ] {
            let root = format!(r#"{{"workspaces": {workspaces}}}"#);
            let files = [
                ("package.json", root.as_str()),
                ("libs/a/package.json", r#"{"name": "@s/a"}"#),
                (
                    "app/package.json",
                    r#"{"name": "app", "dependencies": {"@s/a": "*"}}"#,
                ),
            ];
            let graph = read(&files);
            assert_eq!(projects(&graph), ["npm:.", "npm:app", "npm:libs/a"]);
            assert_eq!(dependents(&graph, "npm:libs/a"), ["npm:app"]);
        }
    }

    #[test]
    fn who_depends_on_a_name_that_two_have_depends_on_both() {
        let files = [
            ("package.json", r#"{"workspaces": ["p/*"]}"#),
            ("p/a/package.json", r#"{"name": "same"}"#),
            ("p/b/package.json", r#"{"name": "same"}"#),
            (
                "p/c/package.json",
                r#"{"name": "c", "dependencies": {"same": "*"}}"#,
            ),
        ];
        let graph = read(&files);
        assert_eq!(dependents(&graph, "npm:p/a"), ["npm:p/c"]);
        assert_eq!(dependents(&graph, "npm:p/b"), ["npm:p/c"]);
    }

    #[test]
    fn a_path_into_a_package_is_a_dependency_on_it() {
        let files = [
            ("api/package.json", r#"{"name": "api"}"#),
            (
                "app/package.json",
                r#"{"name": "app", "dependencies": {"api": "../api/dist"}}"#,
            ),
        ];
        assert_eq!(dependents(&read(&files), "npm:api"), ["npm:app"]);
    }

    #[test]
    fn a_roots_words_change_nothing_and_its_tools_everything() {
        let read = |text: &str| serde_json::from_str(text).unwrap();
        let old = read(r#"{"version": "1", "scripts": {"a": "b"}}"#);
        assert!(root_change(&old, &read(r#"{"version": "2", "scripts": {"a": "b"}}"#)).is_empty());
        let keys = root_change(
            &old,
            &read(r#"{"version": "1", "devDependencies": {"t": "1"}}"#),
        );
        assert_eq!(
            keys.into_iter().collect::<Vec<_>>(),
            ["devDependencies", "scripts"]
        );
    }
}
