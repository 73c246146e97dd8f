//! Go: modules, `go.work` and `replace` by path (go.dev/ref/mod).

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, extension, join};

/// A `go.mod` or `go.work`, as far as plans need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Module {
    path: String,
    requires: BTreeSet<String>,
    /// Module path, and the folder that stands for it.
    replaces: Vec<(String, String)>,
    uses: Vec<String>,
}

/// Adds the modules and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let mut modules: BTreeMap<String, Module> = BTreeMap::new();
    for dir in sources.folders_with("go.mod") {
        // The go command looks into neither of these.
        if dir
            .split('/')
            .any(|part| part == "testdata" || part == "vendor" || part.starts_with('_'))
        {
            continue;
        }
        let text = sources.text(&path_in(dir, "go.mod")).unwrap_or_default();
        modules.insert(dir.to_owned(), parse(text));
    }
    let mut workspaces = Vec::new();
    for dir in sources.folders_with("go.work") {
        let work = parse(sources.text(&path_in(dir, "go.work")).unwrap_or_default());
        let used: BTreeSet<String> = work
            .uses
            .iter()
            .filter_map(|path| join(dir, path))
            .collect();
        workspaces.push((dir, work, used));
    }
    for (dir, module) in &modules {
        let mut project = Project::new(Kind::Go, dir, module.path.clone());
        let workspace = workspaces.iter().find(|(_, _, used)| used.contains(dir));
        project.workspace = workspace.map(|(root, ..)| (*root).to_owned());
        let is_inside = ancestors(dir)
            .skip(1)
            .any(|above| modules.contains_key(above));
        // Packages of a module are not those of a module inside it.
        project.scope = Scope::Folder;
        if is_inside && workspace.is_none() {
            project.scope = Scope::Loose;
        }
        graph.add(project);
    }
    let by_path: BTreeMap<&str, &str> = modules
        .iter()
        .map(|(dir, module)| (module.path.as_str(), dir.as_str()))
        .collect();
    for (dir, module) in &modules {
        let from = id(dir);
        let workspace = workspaces.iter().find(|(_, _, used)| used.contains(dir));
        for required in &module.requires {
            let replaced = module.replaces.iter().find(|(path, _)| path == required);
            let own = replaced.and_then(|(_, folder)| join(dir, folder));
            let shared = workspace.and_then(|(root, work, used)| {
                let replaced = work.replaces.iter().find(|(path, _)| path == required);
                let replaced = replaced.and_then(|(_, folder)| join(root, folder));
                let used = by_path
                    .get(required.as_str())
                    .filter(|target| used.contains(**target));
                replaced.or_else(|| used.map(|target| (*target).to_owned()))
            });
            for target in own.into_iter().chain(shared) {
                if modules.contains_key(&target) {
                    graph.depend(&from, &id(&target));
                } else if let Some(project) = graph.get_mut(&from) {
                    project.reads.push(target);
                }
            }
        }
    }
}

/// Returns the folders at the top that hold Go.
pub(super) fn own_folders(sources: Sources<'_>) -> Vec<String> {
    let files = sources
        .tree
        .iter()
        .filter(|(path, _)| extension(path) == Some("go"));
    let mut own: BTreeSet<String> = files
        .map(|(path, _)| path.split('/').next().unwrap_or(path).to_owned())
        .collect();
    own.extend(["go.mod".to_owned(), "go.sum".to_owned()]);
    own.into_iter().collect()
}

fn parse(text: &str) -> Module {
    let mut module = Module::default();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if line == ")" {
            block = None;
            continue;
        }
        let (verb, rest) = match block {
            Some(verb) => (verb, line),
            None => line.split_once(char::is_whitespace).unwrap_or((line, "")),
        };
        let rest = rest.trim();
        if rest == "(" {
            block = Some(verb);
            continue;
        }
        let words: Vec<&str> = rest
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']))
            .collect();
        match (verb, &words[..]) {
            ("module", [path, ..]) => (*path).clone_into(&mut module.path),
            ("require", [path, ..]) => {
                module.requires.insert((*path).to_owned());
            }
            ("use", [path, ..]) => module.uses.push((*path).to_owned()),
            ("replace", [path, rest @ ..]) => {
                let target = rest.iter().skip_while(|word| **word != "=>").nth(1);
                if let Some(target) = target.filter(|target| target.starts_with('.')) {
                    module
                        .replaces
                        .push(((*path).to_owned(), (*target).to_owned()));
                }
            }
            _ => {}
        }
    }
    module
}

fn path_in(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

fn id(dir: &str) -> String {
    Project::new(Kind::Go, dir, "").id()
}

#[cfg(test)]
mod tests {
    use crate::plan::graph::tests::{dependents, projects, read};

    #[test]
    fn modules_depend_by_replace_and_by_workspace() {
        let files = [
            ("go.work", "go 1.22\nuse (\n\t./a\n\t./b // c\n)\n"),
            (
                "a/go.mod",
                "module example.com/a\nrequire example.com/b v0.1.0\n",
            ),
            ("b/go.mod", "module example.com/b\n"),
            (
                "c/go.mod",
                "module example.com/c\nrequire (\n\texample.com/a v1 // indirect\n\texample.com/b v1\n)\nreplace example.com/a v1 => ../a\n",
            ),
            ("a/testdata/x/go.mod", "module x\n"),
        ];
        let graph = read(&files);
        assert_eq!(projects(&graph), ["go:a", "go:b", "go:c"]);
        assert_eq!(dependents(&graph, "go:b"), ["go:a"]);
        assert_eq!(dependents(&graph, "go:a"), ["go:c"]);
    }
}
