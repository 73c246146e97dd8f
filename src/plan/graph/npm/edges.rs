//! Who depends on whom: what names and ranges lead to inside the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::broken::path_in;
use super::super::{Graph, Kind, Project, Scope};
use super::redirects::Redirects;
use super::{Workspaces, dependencies};
use crate::plan::sources::{Sources, ancestors, join};

/// What a dependency leads to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lead {
    /// The members that have the name.
    Name(String),
    /// A folder or file, from the top.
    Path(String),
    /// The same, if it is a package's folder.
    Perhaps(String),
}

struct Edges<'a> {
    sources: Sources<'a>,
    workspaces: &'a Workspaces<'a>,
    /// Ids of members, by their workspace's root and their name.
    by_name: BTreeMap<(String, String), Vec<String>>,
    redirects: BTreeMap<String, Redirects>,
}

/// Adds the edges, and packages that only paths lead to.
pub(super) fn add(sources: Sources<'_>, workspaces: &Workspaces<'_>, graph: &mut Graph) {
    let mut edges = Edges {
        sources,
        workspaces,
        by_name: BTreeMap::new(),
        redirects: BTreeMap::new(),
    };
    let mut open: Vec<Project> = graph
        .projects()
        .filter(|(_, project)| project.kind == Kind::Npm)
        .map(|(_, project)| project.clone())
        .collect();
    for project in open.iter().filter(|project| !project.name.is_empty()) {
        for root in workspaces.of(&project.dir) {
            let key = ((*root).to_owned(), project.name.clone());
            edges.by_name.entry(key).or_default().push(project.id());
        }
    }
    while let Some(project) = open.pop() {
        for lead in edges.leads(&project) {
            match lead {
                Lead::Name(name) => edges.depend_on_name(&project, name, graph),
                Lead::Path(target) => open.extend(edges.depend_on_path(&project, target, graph)),
                Lead::Perhaps(target) => {
                    if sources.has(&path_in(&target, "package.json")) {
                        open.extend(edges.depend_on_path(&project, target, graph));
                    }
                }
            }
        }
    }
}

impl Edges<'_> {
    /// Returns the roots whose words count for a package: those of its workspaces, or itself.
    fn roots<'p>(&'p self, project: &'p Project) -> Vec<&'p str> {
        match self.workspaces.of(&project.dir) {
            [] => vec![&project.dir],
            roots => roots.to_vec(),
        }
    }

    fn leads(&mut self, project: &Project) -> BTreeSet<Lead> {
        let mut leads = BTreeSet::new();
        let manifest = self.sources.json(&path_in(&project.dir, "package.json"));
        let Some(Ok(manifest)) = manifest else {
            return leads;
        };
        let roots: Vec<String> = self.roots(project).into_iter().map(str::to_owned).collect();
        for root in &roots {
            if !self.redirects.contains_key(root) {
                let redirects = Redirects::read(self.sources, root);
                self.redirects.insert(root.clone(), redirects);
            }
        }
        let dependencies = dependencies(&manifest);
        let names: BTreeSet<&String> = dependencies.iter().map(|(name, _)| name).collect();
        for (name, range) in &dependencies {
            add_leads(name, range, &project.dir, &roots, &mut leads);
        }
        for root in &roots {
            let Some(redirects) = self.redirects.get(root) else {
                continue;
            };
            for (name, range) in &dependencies {
                let range = range.strip_prefix("catalog:");
                let range = range.and_then(|range| redirects.in_catalog(range, name));
                if let Some(range) = range {
                    add_leads(name, range, root, &roots, &mut leads);
                }
            }
            for (name, range) in &redirects.overrides {
                // A package from elsewhere may need the name: then it is everybody's.
                let is_path = local_path(range).is_some();
                if is_path || names.contains(name) {
                    let catalog = range.strip_prefix("catalog:");
                    let inner = catalog.and_then(|catalog| redirects.in_catalog(catalog, name));
                    add_leads(name, inner.unwrap_or(range), root, &roots, &mut leads);
                }
            }
        }
        leads
    }

    fn depend_on_name(&self, project: &Project, name: String, graph: &mut Graph) {
        let mut roots = self.workspaces.of(&project.dir).to_vec();
        // What is installed by itself may still be linked with the repository's own.
        if roots.is_empty() {
            roots.push("");
        }
        let mut key = (String::new(), name);
        for root in roots {
            root.clone_into(&mut key.0);
            for target in self.by_name.get(&key).into_iter().flatten() {
                graph.depend(&project.id(), target);
            }
        }
    }

    /// Depends on the package that a path leads into; returns it where nothing else leads there.
    fn depend_on_path(
        &self,
        project: &Project,
        target: String,
        graph: &mut Graph,
    ) -> Option<Project> {
        let from = project.id();
        let manifest = path_in(&target, "package.json");
        let at = Project::new(Kind::Npm, target.as_str(), "");
        let is_new = graph.get(&at.id()).is_none() && target != project.dir;
        match self.sources.json(&manifest).filter(|_| is_new) {
            Some(Ok(found)) => {
                let name = found.get("name").and_then(|name| name.as_str());
                let mut found = Project::new(Kind::Npm, target, name.unwrap_or_default());
                // It lies inside another one, or nothing else would have to lead there.
                found.scope = Scope::Loose;
                let id = graph.add(found.clone());
                graph.depend(&from, &id);
                return Some(found);
            }
            Some(Err(words)) => graph.trouble(manifest, &*words),
            None => {}
        }
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
            graph.depend(&from, &owner);
        } else if let Some(project) = graph.get_mut(&from) {
            project.reads.push(target);
        }
        None
    }
}

/// Adds what a name and its range lead to, as meant from a folder.
fn add_leads(name: &str, range: &str, dir: &str, roots: &[String], leads: &mut BTreeSet<Lead>) {
    if let Some(path) = local_path(range) {
        leads.extend(join(dir, path).map(Lead::Path));
        return;
    }
    if let Some(rest) = range
        .strip_prefix("workspace:")
        .filter(|rest| !rest.is_empty())
    {
        // Yarn takes a member's folder from the root.
        let folders = roots.iter().map(String::as_str).chain([dir]);
        let targets = folders.filter_map(|folder| join(folder, rest));
        leads.extend(targets.map(Lead::Perhaps));
    }
    let (other, is_certain) = alias(range);
    leads.extend(other.map(|other| Lead::Name(other.to_owned())));
    if !is_certain {
        leads.insert(Lead::Name(name.to_owned()));
    }
}

fn local_path(range: &str) -> Option<&str> {
    let schemes = ["file:", "link:", "portal:", "exec:"];
    let path = schemes.iter().find_map(|scheme| range.strip_prefix(scheme));
    let is_bare = range.starts_with("./") || range.starts_with("../");
    path.or_else(|| is_bare.then_some(range))
}

/// Returns the name behind `npm:name@range`, `npm:name` or `workspace:name@range`, and whether it can only be a name.
fn alias(range: &str) -> (Option<&str>, bool) {
    let end = |rest: &str| rest.char_indices().skip(1).find(|(_, c)| *c == '@');
    let (rest, is_npm) = match range.strip_prefix("npm:") {
        Some(rest) => (rest, true),
        None => (range.strip_prefix("workspace:").unwrap_or_default(), false),
    };
    match end(rest) {
        Some((end, _)) => (Some(&rest[..end]), true),
        None if rest.starts_with('@') => (Some(rest), true),
        // Yarn writes a tag or a range so too.
        None => (is_npm.then_some(rest), false),
    }
}
