//! Python: PEP 621 projects, uv and Poetry workspaces, path dependencies (packaging.python.org, "pyproject.toml specification";
//! docs.astral.sh/uv, "Workspaces"; python-poetry.org, "Dependency specification").

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, file_name, folder_of, is_within, join};

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

/// Adds the projects and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let folders = sources.folders_with("pyproject.toml");
    let mut member_of: BTreeMap<String, String> = BTreeMap::new();
    for dir in &folders {
        let Some(table) = table(sources, dir) else {
            continue;
        };
        let Some(workspace) = section(&table, &["tool", "uv", "workspace"]) else {
            continue;
        };
        let globs = |key: &str| {
            let list = workspace.get(key).and_then(Value::as_array);
            let globs = list.into_iter().flatten().filter_map(Value::as_str);
            Patterns::new(globs.filter_map(|glob| join(dir, glob)))
        };
        let (Ok(members), Ok(exclude)) = (globs("members"), globs("exclude")) else {
            graph.trouble(
                manifest_path(dir),
                "a glob of `tool.uv.workspace` is not one",
            );
            continue;
        };
        member_of.insert((*dir).to_owned(), (*dir).to_owned());
        for folder in &folders {
            let named = members.is_match(folder) && !members.is_match(folder_of(folder))
                || members.sources().any(|one| one == *folder);
            if named && !exclude.is_match(folder) {
                member_of.insert((*folder).to_owned(), (*dir).to_owned());
            }
        }
    }
    add_projects(sources, &folders, &member_of, graph);
    add_edges(sources, &member_of, graph);
}

fn add_projects(
    sources: Sources<'_>,
    folders: &[&str],
    member_of: &BTreeMap<String, String>,
    graph: &mut Graph,
) {
    for dir in folders {
        let workspace = member_of.get(*dir);
        let parsed = sources.toml(&manifest_path(dir));
        let table = match parsed {
            Some(Ok(table)) => table,
            Some(Err(words)) if workspace.is_some() => {
                graph.trouble(manifest_path(dir), &*words);
                continue;
            }
            _ => continue,
        };
        let name = project_name(&table);
        // A file that only configures tools makes no project.
        if name.is_none() && table.get("project").is_none() && table.get("build-system").is_none() {
            continue;
        }
        let around = ancestors(dir)
            .skip(1)
            .find(|above| graph.get(&id(above)).is_some());
        let is_inside =
            around.is_some_and(|above| member_of.get(above).is_none_or(|root| root != above));
        // A project inside another one that no workspace names is its test data, unless it is locked by itself.
        if workspace.is_none()
            && is_inside
            && !sources.has(&format!("{dir}/uv.lock"))
            && !sources.has(&format!("{dir}/poetry.lock"))
        {
            continue;
        }
        let name = name.unwrap_or_default();
        let mut project = Project::new(Kind::Python, *dir, name.clone());
        project.workspace = workspace.cloned();
        let named = named_files(&table).filter_map(|file| join(dir, &file));
        (project.own_files, project.reads) = named.partition(|file| is_within(file, dir));
        let has_members = member_of
            .iter()
            .any(|(member, root)| root == dir && member != dir);
        project.scope = if has_members {
            let mut own = own_folders(sources, dir, &name);
            own.extend(project.own_files.iter().cloned());
            Scope::Root(own)
        } else if workspace.is_none() && around.is_some() {
            Scope::Loose
        } else {
            Scope::Folder
        };
        graph.add(project);
    }
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

fn add_edges(sources: Sources<'_>, member_of: &BTreeMap<String, String>, graph: &mut Graph) {
    let projects: Vec<(String, Project)> = graph
        .projects()
        .filter(|(_, project)| project.kind == Kind::Python)
        .map(|(id, project)| (id.clone(), project.clone()))
        .collect();
    let mut by_name: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for (id, project) in &projects {
        if let Some(root) = member_of.get(&project.dir) {
            by_name.insert((root, normal(&project.name)), id);
        }
    }
    for (from, project) in &projects {
        let Some(table) = table(sources, &project.dir) else {
            continue;
        };
        let root = member_of.get(&project.dir);
        let root_table = root.and_then(|root| self::table(sources, root));
        let own_sources = source_paths(&table, &project.dir);
        let root_sources = root_table
            .as_ref()
            .map(|table| source_paths(table, root.map_or("", String::as_str)));
        let mut targets = BTreeSet::new();
        for name in requirements(&table) {
            let name = normal(&name);
            let path = own_sources
                .get(&name)
                .or_else(|| root_sources.as_ref()?.get(&name));
            targets.extend(path.cloned());
            // A name that the workspace has can only mean the member.
            if let Some(root) = root
                && let Some(member) = by_name.get(&(root.as_str(), name))
            {
                graph.depend(from, member);
            }
        }
        if let Some(manifest) = maturin_manifest(&table) {
            let folder = join(&project.dir, &manifest).map(|path| folder_of(&path).to_owned());
            let package = folder.map(|folder| Project::new(Kind::Cargo, folder, "").id());
            if let Some(package) = package.filter(|package| graph.get(package).is_some()) {
                graph.depend(from, &package);
            }
        }
        targets.extend(poetry_paths(&table).filter_map(|path| join(&project.dir, &path)));
        for target in targets {
            let target_id = id(&target);
            if graph.get(&target_id).is_some() {
                graph.depend(from, &target_id);
            } else if let Some(project) = graph.get_mut(from) {
                project.reads.push(target);
            }
        }
    }
}

/// Returns where `[tool.uv.sources]` says that names lie, as far as they lie in folders.
fn source_paths(table: &Table, dir: &str) -> BTreeMap<String, String> {
    let sources = section(table, &["tool", "uv", "sources"])
        .into_iter()
        .flatten();
    let paths = sources.filter_map(|(name, source)| {
        let one = source.as_table();
        let many = source
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_table);
        let path = one
            .into_iter()
            .chain(many)
            .find_map(|source| source.get("path")?.as_str())?;
        Some((normal(name), join(dir, path)?))
    });
    paths.collect()
}

/// Returns the names that a project requires, in every list.
fn requirements(table: &Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |list: Option<&Value>| {
        let list = list
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        names.extend(list.filter_map(requirement_name));
    };
    if let Some(project) = table.get("project").and_then(Value::as_table) {
        add(project.get("dependencies"));
        let optional = project
            .get("optional-dependencies")
            .and_then(Value::as_table);
        optional
            .into_iter()
            .flat_map(Table::values)
            .for_each(|list| add(Some(list)));
    }
    // Lists that a hook fills in stand with the hook.
    let hooks = section(table, &["tool", "hatch", "metadata", "hooks"]);
    for hook in hooks
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table)
    {
        add(hook.get("dependencies"));
        let optional = hook.get("optional-dependencies").and_then(Value::as_table);
        optional
            .into_iter()
            .flat_map(Table::values)
            .for_each(|list| add(Some(list)));
    }
    let groups = table.get("dependency-groups").and_then(Value::as_table);
    groups
        .into_iter()
        .flat_map(Table::values)
        .for_each(|list| add(Some(list)));
    add(section(table, &["tool", "uv"]).and_then(|uv| uv.get("dev-dependencies")));
    add(section(table, &["build-system"]).and_then(|build| build.get("requires")));
    names
}

/// Returns the name at the start of a requirement (PEP 508).
fn requirement_name(requirement: &str) -> Option<String> {
    let text = requirement.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let name = &text[..end.unwrap_or(text.len())];
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns Poetry's path dependencies, of every group.
fn poetry_paths(table: &Table) -> impl Iterator<Item = String> {
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

/// Returns the `Cargo.toml` that a project is built from (maturin.rs, "Configuration").
fn maturin_manifest(table: &Table) -> Option<String> {
    let backend = table.get("build-system")?.get("build-backend")?.as_str()?;
    let named = section(table, &["tool", "maturin"])
        .and_then(|maturin| maturin.get("manifest-path")?.as_str());
    (backend == "maturin").then(|| named.unwrap_or("Cargo.toml").to_owned())
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

/// Returns a name as PEP 503 normalises it.
fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(c.to_lowercase());
        }
    }
    normal
}

fn section<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Table> {
    let mut table = table;
    for key in keys {
        table = table.get(*key)?.as_table()?;
    }
    Some(table)
}

fn table(sources: Sources<'_>, dir: &str) -> Option<std::rc::Rc<Table>> {
    sources.toml(&manifest_path(dir))?.ok()
}

fn manifest_path(dir: &str) -> String {
    if dir.is_empty() {
        "pyproject.toml".to_owned()
    } else {
        format!("{dir}/pyproject.toml")
    }
}

fn id(dir: &str) -> String {
    Project::new(Kind::Python, dir, "").id()
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
    use super::root_change;
    use crate::plan::graph::tests::{dependents, projects, read};

    #[test]
    fn a_uv_workspace_has_members_and_sources() {
        let files = [
            (
                "pyproject.toml",
                "[project]\nname='root'\n[tool.uv.workspace]\nmembers=['packages/*']\nexclude=['packages/old']\n[tool.uv.sources]\nlocal={path='vendor/local'}",
            ),
            (
                "packages/a/pyproject.toml",
                "[project]\nname='my_a'\ndependencies=['httpx>=1', 'local']",
            ),
            (
                "packages/b/pyproject.toml",
                "[project]\nname='b'\n[dependency-groups]\ndev=['My.A[extra] ; x']",
            ),
            ("packages/old/pyproject.toml", "[project]\nname='old'"),
            ("packages/c/pyproject.toml", "[tool.ruff]\nline-length=1"),
            ("vendor/local/pyproject.toml", "[project]\nname='local'"),
        ];
        let graph = read(&files);
        let expected = [
            "python:.",
            "python:packages/a",
            "python:packages/b",
            "python:packages/old",
            "python:vendor/local",
        ];
        assert_eq!(projects(&graph), expected);
        assert_eq!(
            dependents(&graph, "python:packages/a"),
            ["python:packages/b"]
        );
        assert_eq!(
            dependents(&graph, "python:vendor/local"),
            ["python:packages/a"]
        );
    }

    #[test]
    fn poetry_projects_depend_by_path() {
        let files = [
            (
                "a/pyproject.toml",
                "[tool.poetry]\nname='a'\n[tool.poetry.group.dev.dependencies]\nb={path='../b',develop=true}",
            ),
            (
                "b/pyproject.toml",
                "[tool.poetry]\nname='b'\n[tool.poetry.dependencies]\npython='^3'",
            ),
        ];
        assert_eq!(dependents(&read(&files), "python:b"), ["python:a"]);
    }

    #[test]
    fn a_project_in_rust_depends_on_its_package() {
        let files = [
            (
                "py/pyproject.toml",
                "[project]\nname='p'\n[build-system]\nbuild-backend='maturin'\n[tool.maturin]\nmanifest-path='../core/Cargo.toml'",
            ),
            ("core/Cargo.toml", "[package]\nname='core'"),
        ];
        assert_eq!(dependents(&read(&files), "cargo:core"), ["python:py"]);
    }

    #[test]
    fn a_roots_own_parts_are_its_own() {
        let read = |text: &str| text.parse().unwrap();
        let old = read("[project]\nname='a'\n[tool.ruff]\nx=1\n[tool.uv.workspace]\nmembers=['a']");
        assert!(
            root_change(
                &old,
                &read("[project]\nname='b'\n[tool.ruff]\nx=1\n[tool.uv.workspace]\nmembers=['b']")
            )
            .is_empty()
        );
        let new = read("[project]\nname='a'\n[tool.ruff]\nx=2\n[tool.uv]\nindex='x'");
        assert_eq!(
            root_change(&old, &new).into_iter().collect::<Vec<_>>(),
            ["tool.ruff", "tool.uv"]
        );
    }
}
