//! What projects and edges are read from manifests.

use std::collections::BTreeSet;

use super::paths::cargo_manifests;
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

/// Returns who depends on a project of these files.
fn users(files: &[(&str, &str)], id: &str) -> Vec<String> {
    let graph = read(files);
    let users = dependents(&graph, id);
    users.into_iter().map(str::to_owned).collect()
}

#[test]
fn projects_below_one_at_the_top_are_projects_whatever_they_are_called() {
    for folder in ["services", "apps"] {
        let path = format!("{folder}/y/pyproject.toml");
        let files = [
            ("pyproject.toml", "[project]\nname='root'"),
            ("lib/pyproject.toml", "[project]\nname='lib'"),
            ("tests/data/x/pyproject.toml", "[project]\nname='x'"),
            (
                path.as_str(),
                "[project]\nname='y'\ndependencies=['lib']\n[tool.uv.sources]\nlib={path='../../lib'}",
            ),
        ];
        let user = format!("python:{folder}/y");
        let mut expected = vec!["python:.", "python:lib", user.as_str()];
        expected.sort_unstable();
        assert_eq!(projects(&read(&files)), expected);
        assert_eq!(users(&files, "python:lib"), [user]);
    }
}

#[test]
fn test_data_that_builds_on_something_outside_is_a_project() {
    let files = [
        ("pyproject.toml", "[project]\nname='root'"),
        (
            "tests/app/x/pyproject.toml",
            "[tool.poetry]\nname='x'\n[tool.poetry.dependencies]\ny={path='../y'}",
        ),
        ("tests/app/y/pyproject.toml", "[tool.poetry]\nname='y'"),
    ];
    assert_eq!(users(&files, "python:tests/app/y"), ["python:tests/app/x"]);
}

#[test]
fn each_glob_names_members_by_itself() {
    let files = [
        (
            "pyproject.toml",
            "[tool.uv.workspace]\nmembers=['packages/*','packages/a/plugins/*','libs/**']",
        ),
        ("packages/a/pyproject.toml", "[project]\nname='a'"),
        ("packages/a/plugins/x/pyproject.toml", "[project]\nname='x'"),
        (
            "packages/b/pyproject.toml",
            "[project]\nname='b'\ndependencies=['x','z']",
        ),
        ("libs/g/z/pyproject.toml", "[project]\nname='z'"),
    ];
    assert_eq!(
        users(&files, "python:packages/a/plugins/x"),
        ["python:packages/b"]
    );
    assert_eq!(users(&files, "python:libs/g/z"), ["python:packages/b"]);
}

#[test]
fn a_root_inside_a_workspace_stays_a_member() {
    let files = [
        ("pyproject.toml", "[tool.uv.workspace]\nmembers=['p/*']"),
        (
            "p/a/pyproject.toml",
            "[project]\nname='a'\n[tool.uv.workspace]\nmembers=[]",
        ),
        (
            "p/b/pyproject.toml",
            "[project]\nname='b'\ndependencies=['a']",
        ),
    ];
    assert_eq!(users(&files, "python:p/a"), ["python:p/b"]);
}

/// Checks what a manifest in `p/b` says of `p/a`.
#[track_caller]
fn check_manifest(manifest: &str, id: &str) {
    let files = [
        ("p/a/pyproject.toml", "[project]\nname='a'"),
        ("p/c/pyproject.toml", "[project]\nname='c'"),
        ("core/Cargo.toml", "[package]\nname='core'"),
        ("p/b/pyproject.toml", manifest),
    ];
    assert_eq!(users(&files, id), ["python:p/b"], "{manifest}");
}

#[test]
fn paths_are_read_wherever_a_manifest_has_them() {
    let project = "[project]\nname='b'\n";
    let many = "dependencies=['x']\n[tool.uv.sources]\nx=[{path='../c',marker='a'},{path='../a',marker='b'}]";
    check_manifest(&format!("{project}{many}"), "python:p/a");
    check_manifest(&format!("{project}{many}"), "python:p/c");
    for requirement in [
        "a @ {root:uri}/../a",
        "a @ file:///${PROJECT_ROOT}/../a",
        "a @ ../a",
    ] {
        let manifest = format!("{project}dependencies=['{requirement}']");
        check_manifest(&manifest, "python:p/a");
    }
    for rust in [
        "[[tool.setuptools-rust.ext-modules]]\npath='../../core/Cargo.toml'",
        "[tool.maturin]\nmanifest-path='../../core/Cargo.toml'",
    ] {
        check_manifest(&format!("{project}{rust}"), "cargo:core");
    }
}

#[test]
fn files_of_others_are_read() {
    for words in [
        "[tool.hatch.version]\npath='../a/ver.py'",
        "[tool.setuptools.dynamic]\nversion={file=['../a/ver.py']}",
        "[tool.hatch.build.targets.wheel.force-include]\n'../a/ver.py'='b/ver.py'",
    ] {
        let manifest = format!("[project]\nname='b'\n{words}");
        let graph = read(&[("p/b/pyproject.toml", &manifest)]);
        let project = graph.get("python:p/b").unwrap();
        assert_eq!(project.reads, ["p/a/ver.py"], "{words}");
    }
}

#[test]
fn dynamic_requirements_may_be_any_that_the_workspace_says_where_they_lie() {
    let root = "[tool.uv.workspace]\nmembers=['p/*']\n";
    let sources = "[tool.uv.sources]\na={workspace=true}\n";
    let dynamic = "[project]\nname='b'\ndynamic=['dependencies']\n";
    let shared = (format!("{root}{sources}"), dynamic.to_owned());
    let own = (root.to_owned(), format!("{dynamic}{sources}"));
    for (root, b) in [shared, own] {
        let files = [
            ("pyproject.toml", root.as_str()),
            ("p/a/pyproject.toml", "[project]\nname='a'"),
            ("p/b/pyproject.toml", &b),
        ];
        assert_eq!(users(&files, "python:p/a"), ["python:p/b"]);
    }
    let hook = format!("{dynamic}[tool.hatch.metadata.hooks.h]\ndependencies=['x']\n{sources}");
    let files = [
        ("pyproject.toml", root),
        ("p/a/pyproject.toml", "[project]\nname='a'"),
        ("p/b/pyproject.toml", &hook),
    ];
    assert!(users(&files, "python:p/a").is_empty());
}

#[test]
fn tests_below_a_workspaces_root_may_be_projects() {
    let files = [
        (
            "pyproject.toml",
            "[project]\nname='root'\n[tool.uv.workspace]\nmembers=['p/*']",
        ),
        ("p/a/pyproject.toml", "[project]\nname='a'"),
        ("p/a/tests/data/pyproject.toml", "[project]\nname='x'"),
        ("tests/plugin/pyproject.toml", "[project]\nname='y'"),
    ];
    let expected = ["python:.", "python:p/a", "python:tests/plugin"];
    assert_eq!(projects(&read(&files)), expected);
}

#[test]
fn the_manifests_that_a_project_is_built_from_are_named_or_beside_it() {
    let check = |text: &str, expected: &[&str]| {
        let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(cargo_manifests(&text.parse().unwrap()), expected, "{text}");
    };
    check(
        "[tool.maturin]\nmanifest-path='core/Cargo.toml'",
        &["core/Cargo.toml"],
    );
    check("[tool.maturin]\nstrip=true", &["Cargo.toml"]);
    check("[build-system]\nbuild-backend='maturin'", &["Cargo.toml"]);
    check("[build-system]\nbuild-backend='hatchling'", &[]);
}

#[test]
fn a_path_to_a_broken_manifest_is_trouble_and_read_whole() {
    let files = [
        (
            "app/pyproject.toml",
            "[project]\nname='app'\ndependencies=['lib']\n[tool.uv.sources]\nlib={path='../lib'}",
        ),
        ("lib/pyproject.toml", "[project"),
    ];
    let graph = read(&files);
    let troubles: Vec<_> = graph.troubles.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(troubles, ["lib/pyproject.toml"]);
    assert_eq!(graph.get("python:app").unwrap().reads, ["lib"]);
}

#[test]
fn a_path_to_settings_of_tools_is_read_whole_and_no_project() {
    let files = [
        (
            "app/pyproject.toml",
            "[project]\nname='app'\ndependencies=['lib']\n[tool.uv.sources]\nlib={path='../lib'}",
        ),
        ("lib/pyproject.toml", "[tool.ruff]\nline-length=9"),
    ];
    let graph = read(&files);
    assert_eq!(projects(&graph), ["python:app"]);
    assert!(graph.troubles.is_empty());
    assert_eq!(graph.get("python:app").unwrap().reads, ["lib"]);
}
