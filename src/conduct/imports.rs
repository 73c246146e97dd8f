//! Looks for modules of a Go workspace that import each other without saying so in `go.mod`; each blob is looked at once, ever.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::planner::{Planned, Planner};
use crate::plan::graph::owners::Owners;
use crate::plan::graph::{Graph, Kind, Project, go};
use crate::plan::sources::extension;
use crate::ports::GitError;

/// What blobs import, by object id.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    known: HashMap<Arc<str>, Vec<String>>,
    /// Whether there is more than what was loaded.
    pub(crate) is_new: bool,
}

/// The version of the file; another one is another way of looking.
const HEAD: &str = "maestro go imports 1";

/// Of more blobs than this, the oldest knowledge is not kept.
const MOST: usize = 200_000;

impl Imports {
    /// Reads what an earlier plan found; what is no such file is nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Self::default();
        }
        let known = lines.take(MOST).filter_map(|line| {
            let mut fields = line.split('\t');
            let object = Arc::from(fields.next()?);
            Some((object, fields.map(str::to_owned).collect()))
        });
        Self {
            known: known.collect(),
            is_new: false,
        }
    }

    /// Returns the text that [`Self::parse`] reads.
    pub(crate) fn text(&self) -> String {
        let sorted: BTreeMap<&Arc<str>, &Vec<String>> = crate::order::map(self.known.iter());
        let mut text = format!("{HEAD}\n");
        for (object, paths) in sorted {
            text.push_str(object);
            for path in paths {
                text.push('\t');
                text.push_str(path);
            }
            text.push('\n');
        }
        text
    }

    fn add(&mut self, object: &str, text: &str) {
        // Only what can be a path: the file has one blob a line.
        let is_path = |path: &&str| !path.is_empty() && !path.contains(char::is_whitespace);
        let paths: BTreeSet<&str> = go::imports(text).into_iter().filter(is_path).collect();
        let paths = paths.into_iter().map(str::to_owned).collect();
        self.known.insert(object.into(), paths);
        self.is_new = true;
    }
}

impl Planner<'_> {
    /// Returns the edges of Go workspaces that only sources tell, from modules that nothing else affects.
    ///
    /// The planned commit's sources suffice: a module that imports another one no longer has changed itself.
    ///
    /// A source that is not here may import anything: its path comes back as the error inside.
    pub(super) fn imported(
        &mut self,
        planned: &Planned,
    ) -> Result<Result<Graph, String>, GitError> {
        let graph = Arc::clone(&planned.after.graph);
        let affected = &planned.assessment.affected;
        let is_affected = |id: &String| affected.contains_key(id);
        let of_workspace =
            |project: &Project| project.kind == Kind::Go && project.workspace.is_some();
        let open: Vec<_> = graph
            .projects()
            .filter(|(id, project)| of_workspace(project) && !is_affected(id))
            .collect();
        // A module that went, or is called otherwise now, is imported by its old path.
        let old = planned.before.iter().map(|before| &*before.snapshot.graph);
        let hit: Vec<_> = old
            .chain([&*graph])
            .flat_map(Graph::projects)
            .filter(|(id, project)| project.kind == Kind::Go && is_affected(id))
            .collect();
        // What a module of a workspace replaces is replaced for all of them.
        let mut users: BTreeMap<&str, Vec<&Project>> = BTreeMap::new();
        for (from, on) in graph.edges() {
            let user = graph.get(from).filter(|user| of_workspace(user));
            users.entry(on).or_default().extend(user);
        }
        let can_import = |project: &Project, id: &str, module: &Project| {
            let users = users.get(id).into_iter().flatten();
            shares(project, module) || users.into_iter().any(|user| shares(project, user))
        };
        let mut edges = Graph::default();
        let may_import = |project: &Project| {
            let mut hit = hit.iter();
            hit.any(|(id, module)| can_import(project, id, module))
        };
        if !open.iter().any(|(_, project)| may_import(project)) {
            return Ok(Ok(edges));
        }
        let is_open: BTreeSet<&str> = open.iter().map(|(id, _)| id.as_str()).collect();
        let owners = Owners::new(&graph);
        let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (path, entry) in planned.after.tree.iter() {
            if extension(path) == Some("go") {
                let of = owners.of_kind(Kind::Go, path).into_iter();
                for id in of.filter(|id| is_open.contains(id)) {
                    sources.entry(id).or_default().push(entry.object);
                }
            }
        }
        self.look_for_imports(sources.values().flatten().copied().collect())?;
        let unread = |object: &str| !self.imports.known.contains_key(object);
        if let Some(object) = sources.values().flatten().find(|object| unread(object)) {
            let mut files = planned.after.tree.iter();
            let file = files.find(|(_, entry)| entry.object == *object);
            let path = file.map_or_else(String::new, |(path, _)| path.to_owned());
            return Ok(Err(path));
        }
        let members: Vec<_> = hit.iter().chain(&open).collect();
        for (from, objects) in &sources {
            let Some(project) = graph.get(from) else {
                continue;
            };
            let known = &self.imports.known;
            let paths = objects.iter().filter_map(|object| known.get(*object));
            let paths: BTreeSet<&String> = paths.flatten().collect();
            for (on, module) in &members {
                if can_import(project, on, module)
                    && paths.iter().any(|path| is_of_module(path, &module.name))
                {
                    edges.depend(from, on);
                }
            }
        }
        Ok(Ok(edges))
    }

    /// Looks into blobs that nobody looked into yet.
    fn look_for_imports(&mut self, objects: BTreeSet<&str>) -> Result<(), GitError> {
        let known = &self.imports.known;
        let new = objects
            .into_iter()
            .filter(|object| !known.contains_key(*object));
        let names: Vec<String> = new.map(str::to_owned).collect();
        if names.is_empty() {
            return Ok(());
        }
        self.prefetch(&names)?;
        let imports = &mut self.imports;
        self.objects.read(&names, &mut |place, object| {
            if let Some(object) = object {
                imports.add(&names[place], &String::from_utf8_lossy(&object.bytes));
            }
        })
    }
}

/// Whether two modules are of one workspace.
fn shares(one: &Project, other: &Project) -> bool {
    let roots = one.workspace.iter().chain(&one.inner_workspaces);
    roots.into_iter().any(|root| other.is_of(root))
}

/// Whether a package's path lies in a module's.
fn is_of_module(path: &str, module: &str) -> bool {
    !module.is_empty()
        && path
            .strip_prefix(module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_reads_back_as_written() {
        let mut imports = Imports::default();
        imports.add("1", "package a\nimport (\n\"x/b\"\n\"x y\"\n\"fmt\"\n)\n");
        imports.add("2", "package a\n");
        assert!(imports.is_new);
        let read = Imports::parse(&imports.text());
        assert_eq!(read.known, imports.known);
        assert_eq!(read.known["1"], ["fmt", "x/b"]);
        assert!(Imports::parse("other\n1\tx").known.is_empty());
    }

    #[test]
    fn a_package_lies_in_its_module() {
        assert!(is_of_module("x/b", "x/b") && is_of_module("x/b/c", "x/b"));
        assert!(!is_of_module("x/bc", "x/b") && !is_of_module("x", ""));
    }
}
