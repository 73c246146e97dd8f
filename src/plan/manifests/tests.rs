//! Whom root manifests and lock files of workspaces reach, from the files of two commits.

use super::*;
use crate::change::tests_support::{changes, tree};
use crate::plan::graph::components::Components;
use crate::plan::sources::Blobs;

type Files<'t> = &'t [(&'t str, &'t str)];

/// Says whom the change of a path reaches between two commits, and in which words.
fn reached(old: Files<'_>, new: Files<'_>, path: &str) -> Vec<String> {
    let mut blobs = Blobs::default();
    for (_, text) in old.iter().chain(new) {
        blobs.insert((*text).into(), Some(text.as_bytes().into()));
    }
    let (old, new) = (tree(old.iter().copied()), tree(new.iter().copied()));
    let changed = changes(&old, &new);
    let change = changed.iter().find(|one| one.path == path).unwrap();
    let [old, new] = [&old, &new].map(|tree| Sources {
        tree,
        blobs: &blobs,
    });
    let [old_graph, new_graph] =
        [old, new].map(|sources| crate::plan::graph::read(sources, &Components::new()));
    let side = |sources, graph| Side { sources, graph };
    match reach(change, side(old, &old_graph), side(new, &new_graph)) {
        None => vec!["nothing".to_owned()],
        Some(Reach::Projects(code, projects)) => projects
            .into_iter()
            .map(|(id, words)| format!("{code} {id}: {words}"))
            .collect(),
        Some(Reach::Unreadable(code, words)) => vec![format!("{code} {words}")],
    }
}

/// The same where one file becomes another; an empty text is none.
fn reached_by(files: Files<'_>, path: &str, text: &str) -> Vec<String> {
    let others = files.iter().copied().filter(|(other, _)| *other != path);
    let new = (!text.is_empty()).then_some((path, text));
    reached(files, &others.chain(new).collect::<Vec<_>>(), path)
}

const PNPM: Files<'_> = &[
    ("package.json", r#"{"name": "root"}"#),
    (
        "pnpm-workspace.yaml",
        "packages: ['p/*']\ncatalog: {x: '1'}\n",
    ),
    (
        "p/a/package.json",
        r#"{"name": "a", "dependencies": {"x": "catalog:"}}"#,
    ),
    (
        "p/b/package.json",
        r#"{"name": "b", "dependencies": {"y": "1"}}"#,
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n\n  p/a:\n    dependencies:\n      x:\n        specifier: 'catalog:'\n        version: 1.0.0\n\n  p/b:\n    dependencies:\n      y:\n        specifier: '1'\n        version: 1.0.0\n\npackages:\n\n  x@1.0.0:\n    resolution: {integrity: x}\n\n  y@1.0.0:\n    resolution: {integrity: y}\n\nsnapshots:\n\n  x@1.0.0: {}\n\n  y@1.0.0: {}\n",
    ),
];

#[test]
fn a_workspace_of_pnpm_reaches_those_that_its_changed_keys_are_about() {
    let by = |text: &str| reached_by(PNPM, "pnpm-workspace.yaml", text);
    let none: [&str; 0] = [];
    let (_, old) = PNPM[1];
    // Members come and go in the graph.
    assert_eq!(by(&old.replace("['p/*']", "['p/a', 'p/b']")), none);
    assert_eq!(by(&format!("# why\n{old}")), none);
    assert_eq!(
        by(&old.replace("'1'", "'2'")),
        ["root-manifest npm:p/a: it takes versions from the catalog"]
    );
    let everyone = "`overrides` is for every member";
    assert_eq!(
        by(&format!("{old}overrides: {{y: '2'}}\n")),
        [
            format!("root-manifest npm:.: {everyone}"),
            format!("root-manifest npm:p/a: {everyone}"),
            format!("root-manifest npm:p/b: {everyone}"),
        ]
    );
    let broken = by("packages: [\n");
    assert_eq!(broken.len(), 1);
    let words = "manifest-unreadable `pnpm-workspace.yaml` could not be read: ";
    assert!(broken[0].starts_with(words), "{broken:?}");
}

#[test]
fn a_lock_file_of_npm_or_pnpm_reaches_the_folders_that_use_what_changed() {
    let (path, old) = PNPM[4];
    assert_eq!(
        reached_by(PNPM, path, &old.replace("integrity: y", "integrity: z")),
        ["lockfile npm:p/b: it uses `y@1.0.0`, which changed"]
    );
    assert_eq!(
        reached_by(PNPM, path, ""),
        [
            "lockfile npm:.: the lock file came or went",
            "lockfile npm:p/a: the lock file came or went",
            "lockfile npm:p/b: the lock file came or went",
        ]
    );
    let words = "lockfile `pnpm-lock.yaml` could not be read: ";
    let broken = reached_by(PNPM, path, "<<<<<<< HEAD\n");
    assert!(broken[0].starts_with(words), "{broken:?}");
    let lock = r#"{"lockfileVersion": 3, "packages": {
        "": {"workspaces": ["p/*"], "devDependencies": {"tool": "1"}}, "node_modules/tool": {"version": "1.0.0"},
        "p/a": {"name": "a", "dependencies": {"x": "1"}}, "node_modules/a": {"resolved": "p/a", "link": true}, "node_modules/x": {"version": "1.0.1"},
        "p/gone": {"name": "gone", "dependencies": {"x": "1"}}, "node_modules/gone": {"resolved": "p/gone", "link": true}}}"#;
    let files = [
        (
            "web/package.json",
            r#"{"name": "root", "workspaces": ["p/*"]}"#,
        ),
        ("web/package-lock.json", lock),
        ("web/p/a/package.json", r#"{"name": "a"}"#),
        ("web/p/b/package.json", r#"{"name": "b"}"#),
    ];
    let by = |text: &str| reached_by(&files, "web/package-lock.json", text);
    // What the lock file names and nobody has is nobody's.
    assert_eq!(
        by(&lock.replace("1.0.1", "1.0.2")),
        ["lockfile npm:web/p/a: it uses `node_modules/x`, which changed"]
    );
    let everyone = "the root uses `node_modules/tool`, which changed";
    assert_eq!(
        by(&lock.replace("1.0.0", "1.0.3")),
        [
            format!("lockfile npm:web: {everyone}"),
            format!("lockfile npm:web/p/a: {everyone}"),
            format!("lockfile npm:web/p/b: {everyone}"),
        ]
    );
}

#[test]
fn a_lock_file_of_cargo_reaches_the_packages_of_its_own_workspace() {
    let lock = "version = 4\n[[package]]\nname = 'a'\nversion = '0.1.0'\ndependencies = ['x']\n[[package]]\nname = 'b'\nversion = '0.1.0'\n\
        [[package]]\nname = 'x'\nversion = '1.0.0'\nsource = 'r'\nchecksum = '1'\n";
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = ['a', 'b']"),
        ("Cargo.lock", lock),
        ("a/Cargo.toml", "[package]\nname = 'a'"),
        ("b/Cargo.toml", "[package]\nname = 'b'"),
        ("other/Cargo.toml", "[workspace]\nmembers = ['a']"),
        ("other/a/Cargo.toml", "[package]\nname = 'a'"),
    ];
    let by = |path: &str, text: &str| reached_by(&files, path, text);
    assert_eq!(
        by("Cargo.lock", &lock.replace("'1'", "'2'")),
        ["lockfile cargo:a: it uses `x 1.0.0 (r)`, which changed"]
    );
    assert_eq!(by("a/Cargo.toml", "[package]\nname = 'a'\n"), ["nothing"]);
}

#[test]
fn a_lock_file_of_uv_reaches_folders_and_a_root_manifest_its_own() {
    let lock = "version = 1\n[manifest]\nmembers = ['a', 'b']\n[[package]]\nname = 'a'\nversion = '0.1.0'\nsource = { editable = 'p/a' }\n\
        dependencies = [{ name = 'x' }]\n[[package]]\nname = 'b'\nversion = '0.1.0'\nsource = { editable = 'p/b' }\n\
        [[package]]\nname = 'x'\nversion = '1.0'\nsource = { registry = 'r' }\n";
    let root = "[project]\nname = 'root'\n[tool.uv.workspace]\nmembers = ['p/*']\n";
    let files = [
        ("pyproject.toml", root),
        ("uv.lock", lock),
        ("p/a/pyproject.toml", "[project]\nname = 'a'"),
        ("p/b/pyproject.toml", "[project]\nname = 'b'"),
    ];
    let by_lock = reached_by(&files, "uv.lock", &lock.replace("'1.0'", "'1.1'"));
    assert_eq!(by_lock.len(), 1);
    assert!(
        by_lock[0].starts_with("lockfile python:p/a: it uses `x 1.1 "),
        "{by_lock:?}"
    );
    assert_eq!(
        reached_by(
            &files,
            "pyproject.toml",
            &root.replace("'root'", "'root'\nversion = '2'")
        ),
        ["root-manifest python:.: the project's own part of the manifest changed"]
    );
    let everyone = "`tool.ruff` is for every member";
    assert_eq!(
        reached_by(
            &files,
            "pyproject.toml",
            &format!("{root}[tool.ruff]\nline-length = 9\n")
        ),
        [
            format!("root-manifest python:.: {everyone}"),
            format!("root-manifest python:p/a: {everyone}"),
            format!("root-manifest python:p/b: {everyone}"),
        ]
    );
    let none: [&str; 0] = [];
    assert_eq!(
        reached_by(&files, "pyproject.toml", &format!("# why\n{root}")),
        none
    );
}

#[test]
fn a_root_that_comes_or_goes_is_everyones() {
    let files = [
        ("go.work", "go 1.22\nuse (\n\t./a\n\t./b\n)\n"),
        ("a/go.mod", "module a\n"),
        ("b/go.mod", "module b\n"),
    ];
    let words = "it is about every module that it uses";
    assert_eq!(
        reached_by(&files, "go.work", "go 1.23\nuse (\n\t./a\n\t./b\n)\n"),
        [
            format!("root-manifest go:a: {words}"),
            format!("root-manifest go:b: {words}"),
        ]
    );
    let npm = [
        ("package.json", r#"{"name": "root", "workspaces": ["p/*"]}"#),
        ("p/a/package.json", r#"{"name": "a"}"#),
    ];
    let words = "the workspace's root came or went";
    assert_eq!(
        reached_by(&npm, "package.json", ""),
        [
            format!("root-manifest npm:.: {words}"),
            format!("root-manifest npm:p/a: {words}"),
        ]
    );
    assert_eq!(
        reached_by(
            &npm,
            "package.json",
            r#"{"name": "root", "version": "2", "workspaces": ["p/*"]}"#
        ),
        ["root-manifest npm:.: the root's own words changed"]
    );
}

#[test]
fn a_lock_file_of_bun_reaches_folders_too() {
    let lock = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "root", },
    "p/a": { "name": "a", "dependencies": { "x": "1" }, },
  },
  "packages": {
    "a": ["a@workspace:p/a"],
    "x": ["x@1.0.0", "", {}, "x1"],
  }
}"#;
    let files = [
        ("package.json", r#"{"name": "root", "workspaces": ["p/*"]}"#),
        ("bun.lock", lock),
        ("p/a/package.json", r#"{"name": "a"}"#),
    ];
    let found = reached_by(&files, "bun.lock", &lock.replace("x1", "x2"));
    assert_eq!(found, ["lockfile npm:p/a: it uses `x`, which changed"]);
}
