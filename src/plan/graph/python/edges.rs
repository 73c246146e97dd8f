//! Who depends on whom: what names and paths lead to inside the repository.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use super::super::{Graph, Kind, Project, Scope};
use super::names::{are_dynamic, normal, requirements};
use super::paths::{self, NamedSources, named_sources};
use super::{Workspaces, id, manifest_path, project_name, section, table};
use crate::plan::sources::{Sources, file_name, folder_of, is_within, join};

/// Ids of members, by their workspace's root and their normalised name.
type ByName = BTreeMap<(String, String), Vec<String>>;

/// Adds the edges, and projects that only paths lead to.
pub(super) fn add(sources: Sources<'_>, workspaces: &Workspaces<'_>, graph: &mut Graph) {
    let mut open: Vec<Project> = graph
        .projects()
        .filter(|(_, project)| project.kind == Kind::Python)
        .map(|(_, project)| project.clone())
        .collect();
    let mut by_name = ByName::new();
    for project in &open {
        for root in workspaces.of(&project.dir) {
            let key = ((*root).to_owned(), normal(&project.name));
            by_name.entry(key).or_default().push(project.id());
        }
    }
    while let Some(project) = open.pop() {
        let Some(table) = table(sources, &project.dir) else {
            continue;
        };
        let roots = workspaces.of(&project.dir);
        let own = named_sources(&table, &project.dir);
        let shared: Vec<NamedSources> = roots
            .iter()
            .filter(|root| **root != project.dir)
            .filter_map(|root| Some(named_sources(&*self::table(sources, root)?, root)))
            .collect();
        let from = project.id();
        let mut targets = BTreeSet::new();
        for name in names(&table, &own, &shared) {
            let paths = own.paths.get(&name).or_else(|| {
                let mut shared = shared.iter();
                shared.find_map(|sources| sources.paths.get(&name))
            });
            targets.extend(paths.into_iter().flatten().cloned());
            // A name that the workspace has can only mean the member.
            for root in roots {
                let members = by_name.get(&((*root).to_owned(), name.clone()));
                for member in members.into_iter().flatten() {
                    graph.depend(&from, member);
                }
            }
        }
        targets.extend(paths::poetry_paths(&table).filter_map(|path| join(&project.dir, &path)));
        let manifests = paths::cargo_manifests(&table);
        targets.extend(manifests.iter().filter_map(|path| join(&project.dir, path)));
        targets.extend(paths::outward(&table, &project.dir));
        for target in targets {
            open.extend(depend_on_path(sources, &from, &target, graph));
        }
    }
}

/// Returns the names that a project may require; normalised.
fn names(table: &Table, own: &NamedSources, shared: &[NamedSources]) -> BTreeSet<String> {
    let mut names = requirements(table);
    let all = |sources: &NamedSources| -> Vec<String> {
        let paths = sources.paths.keys();
        paths.chain(&sources.members).cloned().collect()
    };
    // Where a backend reads them from a file, any may be among them that is said to lie somewhere.
    if are_dynamic(table) && section(table, &["tool", "poetry", "dependencies"]).is_none() {
        names.extend(shared.iter().chain([own]).flat_map(all));
    }
    names
}

/// Depends on what lies at a path; returns the project there where nothing else leads to it.
fn depend_on_path(
    sources: Sources<'_>,
    from: &str,
    target: &str,
    graph: &mut Graph,
) -> Option<Project> {
    let folder = match file_name(target) {
        "Cargo.toml" => folder_of(target),
        _ => target,
    };
    let package = Project::new(Kind::Cargo, folder, "").id();
    if graph.get(&package).is_some() {
        graph.depend(from, &package);
    }
    let there = id(target);
    if graph.get(&there).is_some() {
        graph.depend(from, &there);
        return None;
    }
    match sources.toml(&manifest_path(target)) {
        Some(Ok(table)) if table.contains_key("project") || project_name(&table).is_some() => {
            let mut project = Project::new(
                Kind::Python,
                target,
                project_name(&table).unwrap_or_default(),
            );
            // It lies inside another one, or nothing else would have to lead there.
            project.scope = Scope::Loose;
            graph.add(project.clone());
            graph.depend(from, &there);
            return Some(project);
        }
        Some(Err(words)) => graph.trouble(manifest_path(target), &*words),
        _ => {}
    }
    if let Some(project) = graph.get_mut(from) {
        // A package that the graph does not have is read whole.
        let folder = Some(folder).filter(|folder| !is_within(&project.dir, folder));
        let read = folder.unwrap_or(target).to_owned();
        if !project.reads.contains(&read) {
            project.reads.push(read);
        }
    }
    None
}
