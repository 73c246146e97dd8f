//! `maestro plan`: edges and reasons that more than one manifest says, through both commits and what is kept of earlier plans.

use serde_json::Value;

use crate::harness::Maestro;

/// A repository of files whose plans are enforced.
fn repository(files: &[(&str, &str)]) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nenforce: [plan]\n",
    );
    for (path, text) in files {
        maestro.file(path, text);
    }
    maestro.commit("Begin");
    maestro
}

/// Changes files, and returns what the change affects, or why everything runs. The second plan knows what the first one found.
#[track_caller]
fn affected(maestro: &Maestro, files: &[(&str, &str)]) -> Vec<String> {
    for (path, text) in files {
        maestro.file(path, text);
    }
    maestro.commit("Change");
    let plan = || shown(&maestro.json(&["plan", "--base", "HEAD~1"]));
    let first = plan();
    assert_eq!(plan(), first, "a plan from what was kept is the same one");
    first
}

fn shown(plan: &Value) -> Vec<String> {
    let texts = |list: &Value, key: &str, is_wanted: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let all = list.as_array().unwrap().iter();
        all.filter(|one| is_wanted(one))
            .map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    if plan["mode"] == "all" {
        return texts(&plan["reasons"], "code", &|_| true);
    }
    texts(&plan["projects"], "id", &|project| {
        project["affected"] == true
    })
}

#[test]
fn modules_of_a_go_workspace_depend_on_what_their_sources_import() {
    let maestro = repository(&[
        ("go.work", "go 1.22\nuse (\n\t./a\n\t./b\n\t./c\n\t./d\n)\n"),
        ("a/go.mod", "module x.org/a\n"),
        ("a/a_test.go", "package a\n\nimport _ \"x.org/b/inner\"\n"),
        ("b/go.mod", "module x.org/b\n"),
        (
            "b/inner/b.go",
            "package inner\n\nimport (\n\tc \"x.org/c\"\n)\n",
        ),
        ("c/go.mod", "module x.org/c\n"),
        ("c/c.go", "package c\n"),
        ("d/go.mod", "module x.org/d\n"),
        (
            "d/d.go",
            "package d\n\n// \"x.org/c\"\nimport \"x.org/cc\"\n",
        ),
    ]);
    let change = [("c/c.go", "package c\n\nfunc C() {}\n")];
    assert_eq!(affected(&maestro, &change), ["go:a", "go:b", "go:c"]);
    let change = [("d/d.go", "package d\n")];
    assert_eq!(affected(&maestro, &change), ["go:d"]);
    // What was kept of one source says nothing of another one.
    let change = [("d/d.go", "package d\n\nimport \"x.org/c\"\n")];
    assert_eq!(affected(&maestro, &change), ["go:d"]);
    let change = [("c/c.go", "package c\n")];
    assert_eq!(
        affected(&maestro, &change),
        ["go:a", "go:b", "go:c", "go:d"]
    );
    // It is called otherwise, and others import it by its old path.
    let change = [("c/go.mod", "module x.org/other\n")];
    assert_eq!(
        affected(&maestro, &change),
        ["go:a", "go:b", "go:c", "go:d"]
    );
}

#[test]
fn a_replacement_is_for_every_module_that_imports_it() {
    let maestro = repository(&[
        (
            "go.work",
            "use ./a\nuse ./b\nuse ./c\nreplace x.org/z => ./z\n",
        ),
        ("a/go.mod", "module x.org/a\n"),
        ("a/a.go", "package a\n\nimport \"x.org/z/inner\"\n"),
        ("b/go.mod", "module x.org/b\nrequire x.org/z v1.0.0\n"),
        ("c/go.mod", "module x.org/c\n"),
        ("c/c.go", "package c\n"),
        ("z/go.mod", "module x.org/z\n"),
        ("z/inner/z.go", "package inner\n"),
    ]);
    let change = [("z/inner/z.go", "package inner\n\nfunc Z() {}\n")];
    assert_eq!(affected(&maestro, &change), ["go:a", "go:b", "go:z"]);
}

#[test]
fn settings_of_tests_are_for_the_python_projects_below() {
    let maestro = repository(&[
        (
            "pyproject.toml",
            "[project]\nname='root'\n[tool.uv.workspace]\nmembers=['p/*']\n",
        ),
        ("conftest.py", ""),
        ("p/a/pyproject.toml", "[project]\nname='a'\n"),
        ("p/b/pyproject.toml", "[project]\nname='b'\n"),
        ("p/b/tests/conftest.py", ""),
        ("q/pyproject.toml", "[project]\nname='q'\n"),
        ("q/r/pyproject.toml", "[project]\nname='r'\n"),
        ("web/package.json", "{\"name\": \"web\"}\n"),
    ]);
    let all = [
        "python:.",
        "python:p/a",
        "python:p/b",
        "python:q",
        "python:q/r",
    ];
    assert_eq!(affected(&maestro, &[("conftest.py", "x = 1\n")]), all);
    assert_eq!(affected(&maestro, &[("setup.cfg", "[tool:pytest]\n")]), all);
    let change = [("p/b/tests/conftest.py", "x = 1\n")];
    assert_eq!(affected(&maestro, &change), ["python:p/b"]);
    let change = [(
        "q/pyproject.toml",
        "[project]\nname='q'\n[tool.pytest.ini_options]\naddopts='-x'\n",
    )];
    assert_eq!(affected(&maestro, &change), ["python:q", "python:q/r"]);
}

#[test]
fn a_catalog_in_the_roots_manifest_is_for_those_that_use_it() {
    let root = |range: &str| {
        format!(r#"{{"workspaces": {{"packages": ["p/*"], "catalog": {{"x": "{range}"}}}}}}"#)
    };
    let maestro = repository(&[
        ("package.json", &root("^1")),
        (
            "p/a/package.json",
            r#"{"name": "a", "dependencies": {"x": "catalog:"}}"#,
        ),
        ("p/b/package.json", r#"{"name": "b"}"#),
    ]);
    let change = [("package.json", &*root("^2"))];
    assert_eq!(affected(&maestro, &change), ["npm:.", "npm:p/a"]);
}

#[test]
fn a_manifest_that_neither_commit_can_be_read_of_runs_everything() {
    let broken = [
        ("package.json", r#"{"workspaces": ["p/*"],}"#),
        ("pyproject.toml", "[tool.uv.workspace\n"),
        ("rust/Cargo.toml", "[workspace\n"),
    ];
    for (path, text) in broken {
        let maestro = repository(&[
            (path, text),
            ("p/a/package.json", r#"{"name": "a"}"#),
            ("p/a/index.js", ""),
        ]);
        let change = [("p/a/index.js", "1\n")];
        assert_eq!(
            affected(&maestro, &change),
            ["manifest-unreadable"],
            "{path}"
        );
    }
    let maestro = repository(&[
        ("package.json", r#"{"workspaces": ["p/*"]}"#),
        ("p/a/package.json", r#"{"name": "a"}"#),
        ("p/a/index.js", ""),
        ("p/a/cases/bad/package.json", "{"),
        ("fixtures/bad/Cargo.toml", "["),
    ]);
    let change = [("p/a/index.js", "1\n")];
    assert_eq!(affected(&maestro, &change), ["npm:p/a"]);
}
