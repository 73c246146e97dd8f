//! npm, pnpm, Yarn and Bun: workspaces and the packages in them, by `package.json` (docs.npmjs.com, "workspaces"; pnpm.io,
//! "pnpm-workspace.yaml"; yarnpkg.com, "Workspaces").
//!
//! Two members may have one name, as examples and playgrounds do: who depends on the name depends on both. A member may be the root
//! of a workspace itself: npm and pnpm pass that over, Yarn does not, and so its members are members of both.

mod edges;
mod redirects;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::broken::{Manifests, path_in};
use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, is_within, join};

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

/// Which packages belong to which workspaces.
#[derive(Default)]
struct Workspaces<'a> {
    roots: Vec<&'a str>,
    /// The roots of the workspaces of a folder's package, the outermost first; a root belongs to its own.
    of: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Workspaces<'a> {
    fn read(sources: Sources<'a>, folders: &[&'a str], graph: &mut Graph) -> Self {
        let mut workspaces = Self::default();
        for dir in folders {
            // A fixture's workspace inside a member concerns that member only.
            if workspaces.of(dir).is_empty() && workspaces.is_inside_member(dir) {
                continue;
            }
            let Some(globs) = workspace_globs(sources, dir, graph) else {
                continue;
            };
            let Ok(patterns) = Patterns::of_workspace(dir, &globs) else {
                graph.trouble(
                    path_in(dir, "package.json"),
                    "a glob of its workspaces is not one",
                );
                continue;
            };
            workspaces.roots.push(dir);
            workspaces.of.entry(dir).or_default().push(dir);
            for folder in folders {
                if folder != dir && is_within(folder, dir) && patterns.names(folder) {
                    workspaces.of.entry(folder).or_default().push(dir);
                }
            }
        }
        workspaces
    }

    fn of(&self, dir: &str) -> &[&'a str] {
        self.of.get(dir).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a folder's package belongs to a workspace whose root lies elsewhere.
    fn is_member(&self, dir: &str) -> bool {
        self.of(dir).iter().any(|root| *root != dir)
    }

    /// Whether a member lies around a folder.
    fn is_inside_member(&self, dir: &str) -> bool {
        ancestors(dir).skip(1).any(|above| self.is_member(above))
    }

    /// Whether a folder that no workspace names is taken for its neighbour's test data.
    fn is_data(&self, dir: &str) -> bool {
        let mut above = ancestors(dir).skip(1);
        let Some(above) = above.find(|above| !self.of(above).is_empty()) else {
            return false;
        };
        let mut own = OWN.iter().filter_map(|own| join(above, own));
        self.is_member(above) || own.any(|own| is_within(dir, &own))
    }
}

/// Adds the packages and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let folders = sources.folders_with("package.json");
    let workspaces = Workspaces::read(sources, &folders, graph);
    for dir in &folders {
        if let Some(project) = project(sources, dir, &workspaces, graph) {
            graph.add(project);
        }
    }
    edges::add(sources, &workspaces, graph);
    let manifests = Manifests {
        name: "package.json",
        locks: LOCKS,
        folders: &folders,
    };
    let words = |dir: &str| {
        let manifest = sources.json(&path_in(dir, "package.json"))?;
        manifest.err().map(|words| words.to_string())
    };
    manifests.note(sources, &words, &|dir| workspaces.is_data(dir), graph);
}

/// Returns the globs of a workspace whose root a folder is.
fn workspace_globs(sources: Sources<'_>, dir: &str, graph: &mut Graph) -> Option<Vec<String>> {
    let mut found = None;
    let mut add = |globs: Vec<String>| found.get_or_insert_with(Vec::new).extend(globs);
    let yaml = path_in(dir, "pnpm-workspace.yaml");
    if sources.has(&yaml) {
        match redirects::yaml(sources, &yaml) {
            Ok(document) => {
                let list = document.get("packages");
                let one = list.and_then(|one| one.as_str());
                let many = list.and_then(|list| list.as_sequence()).into_iter();
                let many = many.flatten().filter_map(|glob| glob.as_str());
                add(one.into_iter().chain(many).map(str::to_owned).collect());
            }
            Err(words) => graph.trouble(&yaml, words),
        }
    }
    let texts = |list: &Value| -> Vec<String> {
        let globs = list.as_array().into_iter().flatten();
        globs.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let manifest = sources.json(&path_in(dir, "package.json"));
    let manifest = manifest.and_then(Result::ok);
    let list = manifest
        .as_ref()
        .and_then(|manifest| manifest.get("workspaces"));
    if let Some(list) = list {
        add(texts(list.get("packages").unwrap_or(list)));
    }
    let lerna = sources
        .json(&path_in(dir, "lerna.json"))
        .and_then(Result::ok);
    if let Some(list) = lerna.as_ref().and_then(|lerna| lerna.get("packages")) {
        add(texts(list));
    }
    found
}

/// Returns the package in a folder, if it is one of its own.
fn project(
    sources: Sources<'_>,
    dir: &str,
    workspaces: &Workspaces<'_>,
    graph: &mut Graph,
) -> Option<Project> {
    let path = path_in(dir, "package.json");
    let roots = workspaces.of(dir);
    // A package inside a member is its fixture, unless it is installed by itself.
    if roots.is_empty()
        && workspaces.is_data(dir)
        && !LOCKS.iter().any(|lock| sources.has(&path_in(dir, lock)))
    {
        return None;
    }
    let manifest = match sources.json(&path)? {
        Ok(manifest) => manifest,
        Err(words) => {
            if !roots.is_empty() {
                graph.trouble(&path, &*words);
            }
            return None;
        }
    };
    let name = manifest
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    // Without a name and without anything to install, it only says how files are to be read.
    if roots.is_empty()
        && name.is_empty()
        && !LISTS.iter().any(|list| manifest.get(*list).is_some())
    {
        return None;
    }
    let mut project = Project::new(Kind::Npm, dir, name);
    project.join_workspaces(roots);
    let above = ancestors(dir).skip(1);
    let above = above
        .filter(|above| !workspaces.of(above).is_empty())
        .take(1);
    let mut above = above.map(|above| workspaces.is_member(above));
    project.scope = if workspaces.roots.contains(&dir) && !workspaces.is_member(dir) {
        Scope::Root(OWN.iter().filter_map(|own| join(dir, own)).collect())
    } else if above.any(|is_member| roots.is_empty() || is_member) {
        // Inside another member it is its neighbour's test or example too.
        Scope::Loose
    } else {
        Scope::Folder
    };
    Some(project)
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
        .filter(|key| match key.as_str() {
            // Members come and go in the graph, and a catalog is for those that use it.
            "workspaces" => settings_of(old.get(key)) != settings_of(new.get(key)),
            "catalog" | "catalogs" => false,
            key => !WORDS.contains(&key) && old.get(key) != new.get(key),
        })
        .collect()
}

/// Returns what a manifest's `workspaces` say beside the members and the catalogs.
fn settings_of(workspaces: Option<&Value>) -> BTreeMap<&String, &Value> {
    let fields = workspaces.and_then(Value::as_object).into_iter().flatten();
    crate::order::map(
        fields.filter(|(key, _)| !matches!(key.as_str(), "packages" | "catalog" | "catalogs")),
    )
}

/// Whether two versions of a workspace root's manifest have other catalogs (bun.sh, "Catalogs").
pub(crate) fn catalogs_differ(old: &Value, new: &Value) -> bool {
    let of = |manifest: &Value| -> Vec<Option<Value>> {
        let inner = manifest.get("workspaces").unwrap_or(&Value::Null);
        let places = [manifest, inner];
        let catalogs = places.iter().flat_map(|place| {
            ["catalog", "catalogs"]
                .iter()
                .map(|key| place.get(*key).cloned())
        });
        catalogs.collect()
    };
    of(old) != of(new)
}

/// Returns what is plainly a package's own at the top.
pub(super) fn own_folders() -> Vec<String> {
    OWN.iter().map(|own| (*own).to_owned()).collect()
}

#[cfg(test)]
mod tests;
