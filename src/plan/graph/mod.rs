//! Project graphs: what a repository's manifests say about who depends on whom. One file an ecosystem.
//!
//! To add one: a file with a `read` that adds projects and edges to a [`Graph`], a [`Kind`], and a line in [`read`].

mod broken;
pub(crate) mod cargo;
pub(crate) mod components;
pub(crate) mod docker;
mod extglob;
pub(crate) mod go;
pub(crate) mod npm;
pub(crate) mod owners;
pub(crate) mod patterns;
pub(crate) mod python;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::sources::Sources;
use patterns::Patterns;

/// An ecosystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    Cargo,
    Npm,
    Python,
    Go,
    Docker,
    Component,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::Python => "python",
            Self::Go => "go",
            Self::Docker => "docker",
            Self::Component => "component",
        }
    }

    /// Reads a word of the configuration; package managers that share manifests share projects.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "cargo" => Self::Cargo,
            "npm" | "pnpm" | "yarn" | "bun" => Self::Npm,
            "python" | "uv" | "poetry" => Self::Python,
            "go" => Self::Go,
            "docker" => Self::Docker,
            "component" | "components" => Self::Component,
            _ => return None,
        })
    }
}

/// Which files are a project's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// All below its folder, except what lies in another member.
    Folder,
    /// The same, and they concern the project around it as well: no workspace knows it, so they may be its test data.
    Loose,
    /// A workspace's root: only these files and folders. The rest of its folder may be anybody's.
    Root(Vec<String>),
    /// Only what it reads.
    Nothing,
}

/// Something with files of its own that others may depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) kind: Kind,
    /// From the top; `""` is the top.
    pub(crate) dir: String,
    /// Sets projects of one folder apart, as the stages of a Dockerfile.
    pub(crate) part: Option<String>,
    /// As its manifest calls it.
    pub(crate) name: String,
    pub(crate) scope: Scope,
    /// Files and folders beyond its own that it is made from.
    pub(crate) reads: Vec<String>,
    /// Whether files at the top that belong to nobody are its own as far as anybody's.
    pub(crate) is_fallback: bool,
    /// Files in its folder that its manifest names.
    pub(crate) own_files: Vec<String>,
    /// What it reads, as patterns.
    pub(crate) patterns: Option<Patterns>,
    /// The folder of the workspace that it belongs to; of several, the outermost.
    pub(crate) workspace: Option<String>,
    /// The other workspaces that it belongs to as well.
    #[serde(default)]
    pub(crate) inner_workspaces: Vec<String>,
    /// How an image is built.
    pub(crate) image: Option<docker::Image>,
}

impl Project {
    pub(crate) fn new(kind: Kind, dir: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            dir: dir.into(),
            part: None,
            name: name.into(),
            scope: Scope::Folder,
            reads: Vec::new(),
            is_fallback: false,
            own_files: Vec::new(),
            patterns: None,
            workspace: None,
            inner_workspaces: Vec::new(),
            image: None,
        }
    }

    /// Makes it a member of workspaces, the outermost first.
    fn join_workspaces<S: AsRef<str>>(&mut self, roots: &[S]) {
        let mut roots = roots.iter().map(|root| root.as_ref().to_owned());
        self.workspace = roots.next();
        self.inner_workspaces = roots.collect();
    }

    /// Whether it is a member of the workspace in a folder.
    pub(crate) fn is_of(&self, root: &str) -> bool {
        self.workspace.as_deref() == Some(root)
            || self.inner_workspaces.iter().any(|inner| inner == root)
    }

    /// Returns what it is called in plans: the kind, and the folder, because names need not be unique.
    pub(crate) fn id(&self) -> String {
        if self.kind == Kind::Component {
            return format!("component:{}", self.name);
        }
        let dir = if self.dir.is_empty() { "." } else { &self.dir };
        match &self.part {
            Some(part) => format!("{}:{dir}#{part}", self.kind.name()),
            None => format!("{}:{dir}", self.kind.name()),
        }
    }
}

/// A manifest that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) path: String,
    pub(crate) words: String,
}

/// The projects of a commit, and who depends on whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    projects: BTreeMap<String, Project>,
    /// From a project to what it depends on.
    edges: BTreeSet<(String, String)>,
    pub(crate) troubles: Vec<Trouble>,
}

impl Graph {
    /// Adds a project; one that is there already keeps its place.
    pub(crate) fn add(&mut self, project: Project) -> String {
        let id = project.id();
        self.projects.entry(id.clone()).or_insert(project);
        id
    }

    /// Says that one project depends on another.
    pub(crate) fn depend(&mut self, from: &str, on: &str) {
        if from != on {
            self.edges.insert((from.to_owned(), on.to_owned()));
        }
    }

    pub(crate) fn trouble(&mut self, path: impl Into<String>, words: impl Into<String>) {
        self.troubles.push(Trouble {
            path: path.into(),
            words: words.into(),
        });
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Project> {
        self.projects.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Project> {
        self.projects.get_mut(id)
    }

    /// Returns the projects in order of their ids.
    pub(crate) fn projects(&self) -> impl Iterator<Item = (&String, &Project)> {
        self.projects.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.projects.len()
    }

    /// Returns pairs: a project, and one that it depends on.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edges
            .iter()
            .map(|(from, on)| (from.as_str(), on.as_str()))
    }

    /// Returns the members of a workspace, by the folder of its root.
    pub(crate) fn members_of<'g>(
        &'g self,
        kind: Kind,
        workspace: &'g str,
    ) -> impl Iterator<Item = (&'g String, &'g Project)> {
        self.projects
            .iter()
            .filter(move |(_, project)| project.kind == kind && project.is_of(workspace))
    }

    /// Leaves out edges to projects that are not there.
    fn tidy(&mut self) {
        let projects = &self.projects;
        self.edges
            .retain(|(from, on)| projects.contains_key(from) && projects.contains_key(on));
        crate::order::sort(&mut self.troubles);
        self.troubles.dedup();
    }
}

/// Reads every ecosystem's graph.
pub(crate) fn read(sources: Sources<'_>, components: &components::Components) -> Graph {
    let mut graph = Graph::default();
    cargo::read(sources, &mut graph);
    npm::read(sources, &mut graph);
    python::read(sources, &mut graph);
    go::read(sources, &mut graph);
    docker::read(sources, &mut graph);
    components::read(components, &mut graph);
    narrow_top(sources, &mut graph);
    graph.tidy();
    graph
}

/// A project at the top that is not alone there owns what is plainly its own; the rest may be anybody's.
fn narrow_top(sources: Sources<'_>, graph: &mut Graph) {
    let kinds = [Kind::Cargo, Kind::Npm, Kind::Python, Kind::Go];
    let ids: Vec<String> = kinds
        .iter()
        .map(|kind| Project::new(*kind, "", "").id())
        .collect();
    for id in ids {
        let is_alone = graph.len() == 1;
        let Some(project) = graph.get_mut(&id) else {
            continue;
        };
        if is_alone || matches!(project.scope, Scope::Root(_)) {
            continue;
        }
        let mut own = match project.kind {
            Kind::Cargo => cargo::own_folders(),
            Kind::Npm => npm::own_folders(),
            Kind::Python => python::own_folders(sources, "", &project.name),
            _ => go::own_folders(sources),
        };
        own.append(&mut project.own_files);
        project.scope = Scope::Root(own);
        project.is_fallback = true;
    }
}

/// Whether a graph is read from a file of this path.
pub(crate) fn is_source(path: &str) -> bool {
    let name = super::sources::file_name(path);
    matches!(
        name,
        "Cargo.toml"
            | "package.json"
            | "pnpm-workspace.yaml"
            | "lerna.json"
            | "pyproject.toml"
            | "go.mod"
            | "go.work"
    ) || docker::is_source(name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::change::tests_support::tree;
    use crate::plan::sources::Blobs;

    /// Reads the graph of a repository of these files; a file's object is its text.
    pub(crate) fn read(files: &[(&str, &str)]) -> Graph {
        let tree = tree(files.iter().copied());
        let mut blobs = Blobs::default();
        for (_, text) in files {
            blobs.insert((*text).into(), Some(text.as_bytes().into()));
        }
        let sources = Sources {
            tree: &tree,
            blobs: &blobs,
        };
        super::read(sources, &components::Components::new())
    }

    pub(crate) fn projects(graph: &Graph) -> Vec<&str> {
        graph.projects().map(|(id, _)| id.as_str()).collect()
    }

    /// Returns who depends on a project directly.
    pub(crate) fn dependents<'g>(graph: &'g Graph, id: &str) -> Vec<&'g str> {
        let edges = graph.edges().filter(|(_, on)| *on == id);
        edges.map(|(from, _)| from).collect()
    }

    #[test]
    fn kinds_are_called_by_their_tools_too() {
        let kinds = [
            Kind::Cargo,
            Kind::Npm,
            Kind::Python,
            Kind::Go,
            Kind::Docker,
            Kind::Component,
        ];
        for kind in kinds {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
        for word in ["pnpm", "yarn", "bun"] {
            assert_eq!(Kind::parse(word), Some(Kind::Npm), "{word}");
        }
        for word in ["uv", "poetry"] {
            assert_eq!(Kind::parse(word), Some(Kind::Python), "{word}");
        }
        assert_eq!(Kind::parse("components"), Some(Kind::Component));
        assert_eq!(Kind::parse("Cargo"), None);
    }

    #[test]
    fn edges_lead_from_and_to_projects_that_are_there() {
        let mut graph = Graph::default();
        for dir in ["a", "b"] {
            graph.add(Project::new(Kind::Npm, dir, dir));
        }
        for (from, on) in [
            ("npm:a", "npm:b"),
            ("npm:a", "npm:gone"),
            ("npm:gone", "npm:b"),
            ("npm:a", "npm:a"),
        ] {
            graph.depend(from, on);
        }
        graph.trouble("x", "words");
        graph.trouble("x", "words");
        graph.tidy();
        assert_eq!(graph.edges().collect::<Vec<_>>(), [("npm:a", "npm:b")]);
        assert_eq!(graph.troubles.len(), 1);
    }

    #[test]
    fn a_package_at_the_top_beside_others_has_what_is_plainly_its_own() {
        let graph = read(&[
            ("Cargo.toml", "[package]\nname='top'"),
            ("web/package.json", r#"{"name": "web"}"#),
        ]);
        let top = graph.get("cargo:.").unwrap();
        assert!(top.is_fallback);
        let Scope::Root(own) = &top.scope else {
            panic!("{:?}", top.scope);
        };
        assert!(own.iter().any(|one| one == "src"), "{own:?}");
        assert!(!own.iter().any(String::is_empty), "{own:?}");
        // Of Go it is every folder that holds some.
        let graph = read(&[
            ("go.mod", "module top"),
            ("cmd/x/main.go", ""),
            ("main.go", ""),
            ("docs/a.md", ""),
            ("web/package.json", r#"{"name": "web"}"#),
        ]);
        let Scope::Root(own) = &graph.get("go:.").unwrap().scope else {
            panic!("{graph:?}");
        };
        assert_eq!(own[..], ["cmd", "go.mod", "go.sum", "main.go"]);
    }
}
