//! Cargo: workspaces, packages and path dependencies, read from manifests only (The Cargo Book, "Workspaces").

pub(crate) mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::broken::Manifests;
use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::locks::{LockGraph, cargo as cargo_lock};
use crate::plan::sources::{Sources, ancestors, folder_of, is_within, join};
use manifest::{Dependency, Manifest};

/// Folders of a package that sits at a workspace's root; the rest of its folder is not known to be its own.
const OWN: &[&str] = &[
    "src",
    "tests",
    "benches",
    "examples",
    "build.rs",
    "Cargo.toml",
];

/// Adds the packages and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    Reader::new(sources).read(graph);
}

struct Reader<'a> {
    sources: Sources<'a>,
    /// Every folder with a `Cargo.toml`.
    folders: Vec<&'a str>,
    manifests: BTreeMap<String, Option<Rc<Manifest>>>,
    troubles: Vec<(String, String)>,
}

/// A workspace.
struct Workspace {
    root: String,
    members: BTreeSet<String>,
    exclude: Patterns,
    explicit: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(sources: Sources<'a>) -> Self {
        Self {
            sources,
            folders: sources.folders_with("Cargo.toml"),
            manifests: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    fn read(mut self, graph: &mut Graph) {
        let workspaces = self.workspaces();
        let mut of_member = BTreeMap::new();
        for (number, workspace) in workspaces.iter().enumerate() {
            for member in &workspace.members {
                // A package belongs to one workspace; the nearest root counts.
                let nearest = of_member.entry(member.clone()).or_insert(number);
                if workspaces[*nearest].root.len() < workspace.root.len() {
                    *nearest = number;
                }
            }
        }
        let mut nodes: BTreeSet<String> = of_member.keys().cloned().collect();
        self.add_loose(&workspaces, &of_member, &mut nodes);
        self.add_targets(&mut nodes);
        for dir in &nodes {
            let workspace = of_member.get(dir).map(|number| &workspaces[*number]);
            let project = self.project(dir, workspace, &nodes);
            graph.add(project);
        }
        for dir in &nodes {
            let workspace = of_member
                .get(dir)
                .map(|number| workspaces[*number].root.clone());
            self.add_edges(dir, workspace.as_deref(), &nodes, graph);
        }
        for workspace in &workspaces {
            self.add_patches(workspace, &nodes, graph);
        }
        for (dir, words) in &self.troubles {
            graph.trouble(manifest_path(dir), words);
        }
        let manifests = Manifests {
            name: "Cargo.toml",
            locks: &["Cargo.lock"],
            folders: &self.folders,
        };
        let words = |dir: &str| {
            let manifest = self.sources.toml(&manifest_path(dir))?;
            manifest.err().map(|words| words.to_string())
        };
        let is_inside = |dir: &str| {
            let mut around = ancestors(dir).skip(1);
            around.any(|above| owns(above, dir, &of_member, &workspaces))
        };
        manifests.note(self.sources, &words, &is_inside, graph);
    }

    /// Returns the manifest in a folder; one that is broken is trouble.
    fn manifest(&mut self, dir: &str) -> Option<Rc<Manifest>> {
        if let Some(known) = self.manifests.get(dir) {
            return known.clone();
        }
        let manifest = match self.sources.toml(&manifest_path(dir))? {
            Ok(table) => Some(Rc::new(Manifest::read(&table))),
            Err(words) => {
                self.troubles.push((dir.to_owned(), words.to_string()));
                None
            }
        };
        self.manifests.insert(dir.to_owned(), manifest.clone());
        manifest
    }

    /// Returns the manifest in a folder that may well be a test's broken one.
    fn readable(&mut self, dir: &str) -> Option<Rc<Manifest>> {
        if let Some(Some(known)) = self.manifests.get(dir) {
            return Some(Rc::clone(known));
        }
        let table = self.sources.toml(&manifest_path(dir))?.ok()?;
        let manifest = Rc::new(Manifest::read(&table));
        self.manifests
            .insert(dir.to_owned(), Some(Rc::clone(&manifest)));
        Some(manifest)
    }

    fn workspaces(&mut self) -> Vec<Workspace> {
        let mut workspaces: Vec<Workspace> = Vec::new();
        let folders = self.folders.clone();
        for dir in &folders {
            let text = self.sources.text(&manifest_path(dir)).unwrap_or_default();
            // Most manifests are members': not even parsed here.
            if !text.contains("workspace") && !dir.is_empty() {
                continue;
            }
            let is_top = dir.is_empty();
            let manifest = if is_top {
                self.manifest(dir)
            } else {
                self.readable(dir)
            };
            let Some(of_file) = manifest
                .as_ref()
                .and_then(|manifest| manifest.workspace.as_ref())
            else {
                continue;
            };
            // A fixture's workspace inside a package concerns that package only.
            let around = workspaces.iter().any(|around| {
                let inner = around.members.iter();
                let mut inner = inner.filter(|member| !member.is_empty() && is_within(dir, member));
                inner.any(|member| member != dir)
            });
            if !around {
                workspaces.push(self.workspace(dir, of_file));
            }
        }
        workspaces
    }

    fn workspace(&mut self, root: &str, of_file: &manifest::Workspace) -> Workspace {
        let prefixed = |glob: &String| join(root, glob);
        let exclude = of_file.exclude.iter().filter_map(prefixed);
        let exclude = Patterns::new(exclude).unwrap_or_else(|_| none());
        let mut explicit = BTreeSet::new();
        let mut members = BTreeSet::new();
        for glob in &of_file.members {
            let Some(glob) = prefixed(glob) else { continue };
            if !glob.contains(['*', '?', '[', '{']) {
                if self.sources.has(&manifest_path(&glob)) {
                    members.insert(glob.clone());
                }
                explicit.insert(glob);
                continue;
            }
            let Ok(patterns) = Patterns::new([&glob]) else {
                self.troubles
                    .push((root.to_owned(), format!("`{glob}` is no glob")));
                continue;
            };
            // A glob names the member's folder itself, and no folder below it.
            let found = self.folders.iter().filter(|dir| {
                patterns.is_match(dir)
                    && !patterns.is_match(folder_of(dir))
                    && !exclude.is_match(dir)
            });
            members.extend(found.map(|dir| (*dir).to_owned()));
        }
        let mut workspace = Workspace {
            root: root.to_owned(),
            members,
            exclude,
            explicit,
        };
        if self
            .manifest(root)
            .is_some_and(|manifest| manifest.package.is_some())
        {
            workspace.members.insert(root.to_owned());
        }
        self.add_path_members(&mut workspace);
        workspace
    }

    /// Path dependencies below the root are members too, and so are theirs.
    fn add_path_members(&mut self, workspace: &mut Workspace) {
        let root = workspace.root.clone();
        let of_root = self.manifest(&root);
        let shared = shared_of(of_root.as_deref());
        let mut open: Vec<String> = workspace.members.iter().cloned().collect();
        while let Some(dir) = open.pop() {
            let Some(manifest) = self.manifest(&dir) else {
                continue;
            };
            for target in path_targets(&dir, &manifest, &root, shared) {
                let is_new = is_within(&target, &root)
                    && !workspace.members.contains(&target)
                    && !workspace.excludes(&target)
                    && self.sources.has(&manifest_path(&target))
                    // Another workspace's root stays what it is.
                    && self.readable(&target).is_some_and(|manifest| manifest.workspace.is_none());
                if is_new {
                    workspace.members.insert(target.clone());
                    open.push(target);
                }
            }
        }
    }

    /// Adds packages that no workspace knows, unless they are some package's test data.
    fn add_loose(
        &mut self,
        workspaces: &[Workspace],
        of_member: &BTreeMap<String, usize>,
        nodes: &mut BTreeSet<String>,
    ) {
        let folders = self.folders.clone();
        let mut inside = Vec::new();
        for dir in folders {
            if nodes.contains(dir) {
                continue;
            }
            let Some(manifest) = self.readable(dir) else {
                continue;
            };
            if manifest.package.is_none()
                || self.sources.has(&format!("{dir}/.cargo-checksum.json"))
            {
                continue;
            }
            let mut around = ancestors(dir).skip(1);
            if around.any(|above| owns(above, dir, of_member, workspaces)) {
                inside.push((dir, manifest));
                continue;
            }
            let mut above = workspaces.iter().filter(|one| is_within(dir, &one.root));
            // Below a root that neither has nor excludes it, cargo refuses to build it: it is data.
            let is_data = above.any(|workspace| !workspace.excludes(dir));
            if !is_data {
                nodes.insert(dir.to_owned());
            }
        }
        // A package inside another is one of its own only where it builds on something outside itself.
        for (dir, manifest) in inside {
            let targets = path_targets(dir, &manifest, dir, &[]);
            if targets.iter().any(|target| nodes.contains(target)) {
                nodes.insert(dir.to_owned());
            }
        }
    }

    /// Adds what path dependencies and patches lead to, wherever it lies.
    fn add_targets(&mut self, nodes: &mut BTreeSet<String>) {
        let mut open: Vec<String> = nodes.iter().cloned().collect();
        // A virtual manifest patches too.
        let roots = self.folders.iter().map(|dir| (*dir).to_owned());
        open.extend(roots.filter(|dir| {
            let manifest = self.manifests.get(dir).and_then(Option::as_ref);
            manifest.is_some_and(|manifest| manifest.workspace.is_some())
        }));
        while let Some(dir) = open.pop() {
            let Some(manifest) = self.manifest(&dir) else {
                continue;
            };
            let shared = manifest.workspace.as_ref().map(|one| &one.dependencies[..]);
            let mut targets = path_targets(&dir, &manifest, &dir, shared.unwrap_or_default());
            targets.extend(paths_of(&dir, shared.unwrap_or_default()));
            let patches = manifest
                .patches
                .iter()
                .filter_map(|(_, path)| join(&dir, path));
            targets.extend(patches);
            for target in targets {
                if !nodes.contains(&target) && self.sources.has(&manifest_path(&target)) {
                    nodes.insert(target.clone());
                    open.push(target);
                }
            }
        }
    }

    fn project(
        &mut self,
        dir: &str,
        workspace: Option<&Workspace>,
        nodes: &BTreeSet<String>,
    ) -> Project {
        let manifest = self.manifest(dir).unwrap_or_default();
        let mut project = Project::new(
            Kind::Cargo,
            dir,
            manifest.package.as_deref().unwrap_or_default(),
        );
        project.workspace = workspace.map(|workspace| workspace.root.clone());
        let named = manifest.files.iter().filter_map(|file| join(dir, file));
        (project.own_files, project.reads) = named.partition(|file| is_within(file, dir));
        let is_root = workspace.is_some_and(|workspace| workspace.root == dir);
        let has_inner = nodes
            .iter()
            .any(|other| other != dir && is_within(other, dir));
        project.scope = if workspace.is_none() {
            Scope::Loose
        } else if is_root && has_inner {
            let own = OWN.iter().filter_map(|own| join(dir, own));
            Scope::Root(own.chain(project.own_files.iter().cloned()).collect())
        } else {
            Scope::Folder
        };
        project
    }

    fn add_edges(
        &mut self,
        dir: &str,
        root: Option<&str>,
        nodes: &BTreeSet<String>,
        graph: &mut Graph,
    ) {
        let Some(manifest) = self.manifest(dir) else {
            return;
        };
        let root = root.unwrap_or(dir);
        let of_root = self.manifest(root);
        let shared = shared_of(of_root.as_deref());
        let from = id(dir);
        for target in path_targets(dir, &manifest, root, shared) {
            if nodes.contains(&target) {
                graph.depend(&from, &id(&target));
            } else if let Some(project) = graph.get_mut(&from) {
                // A submodule, or a folder that is not there yet.
                project.reads.push(target);
            }
        }
    }

    /// What a patch replaces is a dependency of those that reach the name; the lock file says who they are.
    fn add_patches(&mut self, workspace: &Workspace, nodes: &BTreeSet<String>, graph: &mut Graph) {
        let root = workspace.root.as_str();
        let patches = self.manifest(root).map(|manifest| manifest.patches.clone());
        let patches = patches.unwrap_or_default();
        if patches.is_empty() {
            return;
        }
        let lock = join(root, "Cargo.lock").and_then(|path| self.sources.text(&path));
        let lock = lock.and_then(|text| cargo_lock::read(text).ok());
        for (name, path) in patches {
            let Some(target) = join(root, &path).filter(|target| nodes.contains(target)) else {
                continue;
            };
            let users = lock.as_ref().map(|lock| users_of(lock, &name));
            for member in &workspace.members {
                let package = self
                    .manifest(member)
                    .and_then(|manifest| manifest.package.clone());
                let is_user = match (&users, package) {
                    (Some(names), Some(package)) => names.contains(&package),
                    _ => true,
                };
                if is_user {
                    graph.depend(&id(member), &id(&target));
                }
            }
        }
    }
}

impl Workspace {
    fn excludes(&self, dir: &str) -> bool {
        let explicit = ancestors(dir).any(|above| self.explicit.contains(above));
        !explicit && self.exclude.is_match(dir)
    }
}

/// Whether a folder's package owns a folder below it.
fn owns(
    above: &str,
    dir: &str,
    of_member: &BTreeMap<String, usize>,
    workspaces: &[Workspace],
) -> bool {
    let Some(number) = of_member.get(above) else {
        return false;
    };
    if workspaces[*number].root != above || workspaces[*number].members.len() == 1 {
        return true;
    }
    let mut own = OWN.iter().filter_map(|own| join(above, own));
    own.any(|own| is_within(dir, &own))
}

fn shared_of(root: Option<&Manifest>) -> &[Dependency] {
    let workspace = root.and_then(|manifest| manifest.workspace.as_ref());
    workspace
        .map(|workspace| &workspace.dependencies[..])
        .unwrap_or_default()
}

fn users_of(lock: &LockGraph, name: &str) -> BTreeSet<String> {
    let seeds = lock.named(name);
    lock.dependents(&seeds)
        .into_iter()
        .filter_map(|package| lock.name(package))
        .collect()
}

fn paths_of(dir: &str, dependencies: &[Dependency]) -> Vec<String> {
    let paths = dependencies.iter().filter_map(|one| one.path.as_deref());
    paths.filter_map(|path| join(dir, path)).collect()
}

/// Returns the folders that a manifest's path dependencies lead to.
fn path_targets(dir: &str, manifest: &Manifest, root: &str, shared: &[Dependency]) -> Vec<String> {
    let mut targets = Vec::new();
    for dependency in &manifest.dependencies {
        if let Some(path) = &dependency.path {
            targets.extend(join(dir, path));
        } else if dependency.from_workspace {
            let of_root = shared.iter().find(|shared| shared.key == dependency.key);
            let path = of_root.and_then(|shared| shared.path.as_deref());
            targets.extend(path.and_then(|path| join(root, path)));
        }
    }
    targets
}

/// Returns what is plainly a package's own at the top.
pub(super) fn own_folders() -> Vec<String> {
    OWN.iter().map(|own| (*own).to_owned()).collect()
}

fn none() -> Patterns {
    Patterns::new::<&str>([]).unwrap_or_else(|_| unreachable!("no glob is no broken glob"))
}

fn manifest_path(dir: &str) -> String {
    if dir.is_empty() {
        "Cargo.toml".to_owned()
    } else {
        format!("{dir}/Cargo.toml")
    }
}

fn id(dir: &str) -> String {
    Project::new(Kind::Cargo, dir, "").id()
}

#[cfg(test)]
mod tests;
