//! Go: modules, `go.work` and `replace` by path (go.dev/ref/mod).

use std::collections::{BTreeMap, BTreeSet};

use super::broken::path_in;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, ancestors, extension, join};

/// A `go.mod` or `go.work`, as far as plans need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Module {
    path: String,
    requires: BTreeSet<String>,
    /// Packages that `go tool` runs.
    tools: BTreeSet<String>,
    /// Module path, and the folder that stands for it.
    replaces: Vec<(String, String)>,
    uses: Vec<String>,
}

/// A `go.work`.
struct Workspace<'a> {
    root: &'a str,
    used: BTreeSet<String>,
    /// Module path and folder, of its own and of all that it uses: they count for every module.
    replaces: Vec<(String, String)>,
}

impl<'a> Workspace<'a> {
    fn new(root: &'a str, work: &Module, modules: &BTreeMap<String, Module>) -> Self {
        let used = work.uses.iter().filter_map(|path| join(root, path));
        let used: BTreeSet<String> = used.collect();
        let of_used = used
            .iter()
            .filter_map(|dir| Some((dir.as_str(), modules.get(dir)?)));
        let all = of_used.chain([(root, work)]);
        let replaces = all.flat_map(|(dir, module)| {
            let replaces = module.replaces.iter();
            replaces.filter_map(move |(path, folder)| Some((path.clone(), join(dir, folder)?)))
        });
        Self {
            root,
            replaces: replaces.collect(),
            used,
        }
    }
}

/// Adds the modules and their edges.
///
/// Modules of a workspace find each other without `require` too: who imports whom without saying so is read from sources, when
/// it matters (`conduct/imports.rs`).
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
    for root in sources.folders_with("go.work") {
        let work = parse(sources.text(&path_in(root, "go.work")).unwrap_or_default());
        workspaces.push(Workspace::new(root, &work, &modules));
    }
    for (dir, module) in &modules {
        let mut project = Project::new(Kind::Go, dir, module.path.clone());
        let of = workspaces.iter().filter(|one| one.used.contains(dir));
        let of: Vec<&str> = of.map(|one| one.root).collect();
        project.join_workspaces(&of);
        let is_inside = ancestors(dir)
            .skip(1)
            .any(|above| modules.contains_key(above));
        // Packages of a module are not those of a module inside it.
        project.scope = Scope::Folder;
        if is_inside && of.is_empty() {
            project.scope = Scope::Loose;
        }
        graph.add(project);
    }
    // An old copy may keep the path of its module.
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (dir, module) in &modules {
        by_path.entry(&module.path).or_default().push(dir);
    }
    for (dir, module) in &modules {
        let from = id(dir);
        for target in targets(dir, module, &workspaces, &by_path) {
            if modules.contains_key(&target) {
                graph.depend(&from, &id(&target));
            } else if let Some(project) = graph.get_mut(&from) {
                project.reads.push(target);
            }
        }
    }
}

/// Returns the folders of what a module needs.
fn targets(
    dir: &str,
    module: &Module,
    workspaces: &[Workspace<'_>],
    by_path: &BTreeMap<&str, Vec<&str>>,
) -> BTreeSet<String> {
    // What is replaced may be needed by what is required, and not be required itself.
    let own = module.replaces.iter();
    let mut targets: BTreeSet<String> = own.filter_map(|(_, folder)| join(dir, folder)).collect();
    for workspace in workspaces.iter().filter(|one| one.used.contains(dir)) {
        for (path, target) in &workspace.replaces {
            if module.requires.contains(path) {
                targets.insert(target.clone());
            }
        }
        let is_used = |target: &&&str| workspace.used.contains(**target);
        for required in &module.requires {
            let named = by_path.get(required.as_str()).into_iter().flatten();
            targets.extend(named.filter(is_used).map(|target| (*target).to_owned()));
        }
        for tool in &module.tools {
            let around = ancestors(tool).filter_map(|path| by_path.get(path));
            let used = around.flatten().filter(is_used);
            targets.extend(used.map(|target| (*target).to_owned()));
        }
    }
    targets
}

/// Returns the paths that a source imports (go.dev/ref/spec, "Import declarations"): they stand before everything else.
pub(crate) fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = after_space(text);
    let mut in_group = false;
    // The package clause comes first.
    if let Some(name) = rest.strip_prefix("package") {
        rest = name.trim_start().trim_start_matches(is_of_name);
    }
    loop {
        rest = after_space(rest);
        let Some(first) = rest.chars().next() else {
            return found;
        };
        if matches!(first, '"' | '`') {
            let Some((path, after)) = rest[1..].split_once(first) else {
                return found;
            };
            found.push(path);
            rest = after;
        } else if is_of_name(first) {
            let after = rest.trim_start_matches(is_of_name);
            let word = &rest[..rest.len() - after.len()];
            // Inside a declaration a name stands before its path.
            let is_alias = in_group || after_space(after).starts_with(['"', '`']);
            if word != "import" && !is_alias {
                return found;
            }
            rest = after;
        } else {
            match first {
                '(' => in_group = true,
                ')' => in_group = false,
                ';' | '.' => {}
                _ => return found,
            }
            rest = &rest[1..];
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns what follows spaces and comments.
fn after_space(text: &str) -> &str {
    let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    loop {
        rest = if let Some(comment) = rest.strip_prefix("//") {
            comment.find('\n').map_or("", |end| &comment[end..])
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map_or("", |end| &comment[end + 2..])
        } else {
            return rest;
        };
        rest = rest.trim_start();
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
            None => {
                let end = line.find(|c: char| c.is_whitespace() || c == '(');
                line.split_at(end.unwrap_or(line.len()))
            }
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
            ("tool", [path, ..]) => {
                module.tools.insert((*path).to_owned());
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

fn id(dir: &str) -> String {
    Project::new(Kind::Go, dir, "").id()
}

#[cfg(test)]
mod tests {
    use super::imports;
    use crate::plan::graph::tests::{dependents, projects, read};

    /// Returns who depends on the module in `b`.
    #[track_caller]
    fn of_b(files: &[(&str, &str)]) -> Vec<String> {
        let graph = read(files);
        let of_b = dependents(&graph, "go:b");
        of_b.into_iter().map(str::to_owned).collect()
    }

    const NEEDS: (&str, &str) = ("a/go.mod", "module x/a\nrequire x/b v1.0.0\n");
    const B: (&str, &str) = ("b/go.mod", "module x/b\n");

    #[test]
    fn blocks_need_no_space() {
        let a = "module x/a\nrequire(\n\tx/b v1\n)\nreplace(\n\tx/b => ../b\n)\n";
        assert_eq!(of_b(&[("a/go.mod", a), B]), ["go:a"]);
        let work = "go 1.22\nuse(\n\t./a\n\t./b\n)\n";
        assert_eq!(of_b(&[("go.work", work), NEEDS, B]), ["go:a"]);
    }

    #[test]
    fn what_is_replaced_is_needed_though_only_others_require_it() {
        let a = "module x/a\nrequire y/z v1.0.0\nreplace x/b => ../b\n";
        assert_eq!(of_b(&[("a/go.mod", a), B]), ["go:a"]);
    }

    #[test]
    fn what_one_module_of_a_workspace_replaces_is_replaced_for_all() {
        let work = ("go.work", "use ./a\nuse ./c\n");
        let c = ("c/go.mod", "module x/c\nreplace x/b => ../b\n");
        assert_eq!(of_b(&[work, NEEDS, B, c]), ["go:a", "go:c"]);
        let work = ("go.work", "use ./a\nreplace x/b v1.0.0 => ./b\n");
        assert_eq!(of_b(&[work, NEEDS, B]), ["go:a"]);
    }

    #[test]
    fn a_tool_is_needed() {
        let work = ("go.work", "use ./a\nuse ./b\n");
        let a = ("a/go.mod", "module x/a\ntool (\n\tx/b/cmd/t\n)\n");
        assert_eq!(of_b(&[work, a, B]), ["go:a"]);
    }

    #[test]
    fn an_old_copy_takes_no_edge_away() {
        let work = ("go.work", "use ./a\nuse ./b\n");
        assert_eq!(of_b(&[work, NEEDS, B, ("old/b/go.mod", B.1)]), ["go:a"]);
    }

    #[test]
    fn a_module_may_be_of_several_workspaces() {
        let files = [
            ("go.work", "use ./a\nuse ./c\n"),
            ("sub/go.work", "use ../a\nuse ../b\n"),
            NEEDS,
            B,
            ("c/go.mod", "module x/c\n"),
        ];
        assert_eq!(of_b(&files), ["go:a"]);
        let graph = read(&files);
        let a = graph.get("go:a").unwrap();
        assert!(a.is_of("") && a.is_of("sub"));
    }

    #[test]
    fn imports_are_read_in_every_form() {
        let text = "\u{feff}// c \"no\"\n//go:build x\n\npackage a // p\n\n/* d */ import \"one\"; import . `two`\nimport x \"three\" // t\nimport (\n\t_ \"four\"\n\n\ty \"five\" /* \"no\" */\n)\nimport \"C\"\n\nvar s = \"no\"\nfunc f() {}\n";
        assert_eq!(imports(text), ["one", "two", "three", "four", "five", "C"]);
        for none in [
            "",
            "package",
            "package a\nconst x = `y`",
            "import",
            "import (",
            "import \"x",
            "\u{2028}",
        ] {
            assert!(imports(none).is_empty(), "{none}");
        }
    }

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
