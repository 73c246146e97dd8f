//! Python: PEP 621 projects, uv and Poetry workspaces, path dependencies (packaging.python.org, "pyproject.toml specification";
//! docs.astral.sh/uv, "Workspaces"; python-poetry.org, "Dependency specification").

mod edges;
mod names;
mod paths;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use toml::{Table, Value};

use super::broken::{Manifests, path_in};
use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, file_name, folder_of, is_within, join};
pub(crate) use settings::{root_change, settings_folder, tools_differ};

/// Folders and files of a project that sits at a workspace's root.
const OWN: &[&str] = &[
    "src",
    "tests",
    "test",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "conftest.py",
];

/// Files that say that a project is installed by itself.
const LOCKS: &[&str] = &["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"];

/// The roots of the workspaces of a folder's project, the outermost first; a root belongs to its own.
#[derive(Default)]
struct Workspaces<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Workspaces<'a> {
    fn read(sources: Sources<'a>, folders: &[&'a str], graph: &mut Graph) -> Self {
        let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for dir in folders {
            let Some(table) = table(sources, dir) else {
                continue;
            };
            let Some(workspace) = section(&table, &["tool", "uv", "workspace"]) else {
                continue;
            };
            let globs = |key: &str| {
                let list = workspace.get(key).and_then(Value::as_array);
                let globs = list.into_iter().flatten().filter_map(Value::as_str);
                Patterns::of_workspace(dir, globs)
            };
            let (Ok(members), Ok(exclude)) = (globs("members"), globs("exclude")) else {
                graph.trouble(
                    manifest_path(dir),
                    "a glob of `tool.uv.workspace` is not one",
                );
                continue;
            };
            of.entry(dir).or_default().push(dir);
            for folder in folders {
                if folder != dir && members.names(folder) && !exclude.names(folder) {
                    of.entry(folder).or_default().push(dir);
                }
            }
        }
        Self(of)
    }

    fn of(&self, dir: &str) -> &[&'a str] {
        self.0.get(dir).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a folder's project belongs to a workspace whose root lies elsewhere.
    fn is_member(&self, dir: &str) -> bool {
        self.of(dir).iter().any(|root| *root != dir)
    }

    /// Whether a workspace has its root in a folder, and members elsewhere.
    fn has_members(&self, dir: &str) -> bool {
        let mut members = self.0.iter();
        members.any(|(member, roots)| *member != dir && roots.contains(&dir))
    }
}

/// Adds the projects and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let folders = sources.folders_with("pyproject.toml");
    let workspaces = Workspaces::read(sources, &folders, graph);
    let mut own_of = BTreeMap::new();
    for dir in &folders {
        if let Some(project) = project(sources, dir, &workspaces, &mut own_of, graph) {
            graph.add(project);
        }
    }
    edges::add(sources, &workspaces, graph);
    let manifests = Manifests {
        name: "pyproject.toml",
        locks: LOCKS,
        folders: &folders,
    };
    let words = |dir: &str| {
        let manifest = sources.toml(&manifest_path(dir))?;
        manifest.err().map(|words| words.to_string())
    };
    let is_inside = |dir: &str| {
        ancestors(dir)
            .skip(1)
            .any(|above| workspaces.is_member(above))
    };
    manifests.note(sources, &words, &is_inside, graph);
}

/// Returns the project in a folder, if it is one of its own. Those around it are in the graph.
fn project(
    sources: Sources<'_>,
    dir: &str,
    workspaces: &Workspaces<'_>,
    own_of: &mut BTreeMap<String, Vec<String>>,
    graph: &mut Graph,
) -> Option<Project> {
    let roots = workspaces.of(dir);
    let table = match sources.toml(&manifest_path(dir))? {
        Ok(table) => table,
        Err(words) => {
            if !roots.is_empty() {
                graph.trouble(manifest_path(dir), &*words);
            }
            return None;
        }
    };
    let name = project_name(&table);
    // A file that only configures tools makes no project.
    if name.is_none() && table.get("project").is_none() && table.get("build-system").is_none() {
        return None;
    }
    let around = ancestors(dir)
        .skip(1)
        .find_map(|above| graph.get(&id(above)));
    if roots.is_empty()
        && let Some(around) = around
    {
        let own = own_of
            .entry(around.dir.clone())
            .or_insert_with(|| own_folders(sources, &around.dir, &around.name));
        let is_own = own.iter().any(|own| dir != own && is_within(dir, own));
        // Below a workspace's root its tests and samples are often installed by themselves.
        let is_own = is_own && workspaces.of(&around.dir).is_empty();
        // Inside another one it is test data, unless it is locked by itself or builds on something outside itself.
        let is_data = is_own || workspaces.is_member(&around.dir);
        if is_data
            && !LOCKS.iter().any(|lock| sources.has(&path_in(dir, lock)))
            && !paths::leads_out(&table, dir)
        {
            return None;
        }
    }
    let name = name.unwrap_or_default();
    let mut project = Project::new(Kind::Python, dir, name.clone());
    project.join_workspaces(roots);
    let named = named_files(&table).filter_map(|file| join(dir, &file));
    (project.own_files, project.reads) = named.partition(|file| is_within(file, dir));
    project.scope = if workspaces.has_members(dir) && !workspaces.is_member(dir) {
        let mut own = own_folders(sources, dir, &name);
        own.extend(project.own_files.iter().cloned());
        Scope::Root(own)
    } else if around.is_some_and(|around| roots.is_empty() || workspaces.is_member(&around.dir)) {
        Scope::Loose
    } else {
        Scope::Folder
    };
    Some(project)
}

/// Returns the folders of a project at a workspace's root.
pub(super) fn own_folders(sources: Sources<'_>, dir: &str, name: &str) -> Vec<String> {
    let mut own: BTreeSet<String> = OWN.iter().filter_map(|own| join(dir, own)).collect();
    own.extend(join(dir, &name.replace(['-', '.'], "_")));
    // Packages that lie beside the manifest.
    for (path, _) in sources.tree.below(dir) {
        if file_name(path) == "__init__.py" && folder_of(folder_of(path)) == dir {
            own.insert(folder_of(path).to_owned());
        }
    }
    own.into_iter().collect()
}

fn named_files(table: &Table) -> impl Iterator<Item = String> {
    let project = table.get("project").and_then(Value::as_table);
    let file = |key: &str| {
        let value = project.and_then(|project| project.get(key))?;
        let file = value.as_table().and_then(|table| table.get("file"));
        let text = if key == "readme" {
            value.as_str()
        } else {
            None
        };
        text.or_else(|| file.and_then(Value::as_str))
            .map(str::to_owned)
    };
    [file("readme"), file("license")].into_iter().flatten()
}

fn project_name(table: &Table) -> Option<String> {
    let of = |keys: &[&str]| {
        section(table, keys)?
            .get("name")?
            .as_str()
            .map(str::to_owned)
    };
    of(&["project"]).or_else(|| of(&["tool", "poetry"]))
}

fn section<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Table> {
    let mut table = table;
    for key in keys {
        table = table.get(*key)?.as_table()?;
    }
    Some(table)
}

fn table(sources: Sources<'_>, dir: &str) -> Option<Rc<Table>> {
    sources.toml(&manifest_path(dir))?.ok()
}

fn manifest_path(dir: &str) -> String {
    path_in(dir, "pyproject.toml")
}

fn id(dir: &str) -> String {
    Project::new(Kind::Python, dir, "").id()
}

#[cfg(test)]
mod tests;
