//! Changes that `ci-code` is about, and such that it leaves alone.

use crate::policy::rules::tests::{Case, check};

const RULE: &str = "{rule: ci-code, also: ['scripts/ci/**'], except: ['examples/**']}";

#[test]
fn what_is_executed_counts_in_every_spelling() {
    let bad = [
        ".github/workflows/ci.yml",
        ".GITHUB/Workflows/ci.yml",
        "sub/.github/workflows/x.yml",
        ".github/actions/a/action.yml",
        "a/action.yml",
        ".husky/pre-commit",
        "build.rs",
        "crates/a/Build.rs",
        "tests/conftest.py",
        "setup.py",
        "a/Makefile",
        "rules.mk",
        "Dockerfile.dev",
        "vite.config.ts",
        ".eslintrc.cjs",
        ".cargo/config.toml",
        "rust-toolchain.toml",
        "gradle/wrapper/gradle-wrapper.jar",
        ".vscode/tasks.json",
        ".devcontainer/devcontainer.json",
        "scripts/ci/x.sh",
        "src/../build.rs",
        "Jenkinsfile",
        ".npmrc",
        "x.pth",
        "app.csproj",
        "Dockerfile.go",
        "docker/Dockerfile-web",
    ];
    check(RULE, Case::paths(&bad), &bad);
    check(
        RULE,
        Case::paths(&[
            "src/main.rs",
            "docs/makefile.md",
            "examples/build.rs",
            "tasks.json",
            "src/build/mod.rs",
            "a.config.json",
            "README",
            "src/arc.ts",
            ".hidden.js",
            ".husky-old/pre-commit",
            "a/.githubby/workflows/x.yml",
        ]),
        &[],
    );
    check(
        RULE,
        Case::paths(&[
            "frontend/dockerfile_test.go",
            "dockerfilegen.py",
            "Dockerfile.md",
        ]),
        &[],
    );
}

#[test]
fn its_removal_and_what_stands_in_its_place_count() {
    check(
        RULE,
        Case::default()
            .removed("build.rs")
            .added("src/build2.rs", ""),
        &["build.rs"],
    );
    check(RULE, Case::default().link(".github", "x"), &[".github"]);
    check(RULE, Case::default().link("hooks", ".husky/x"), &["hooks"]);
    check(RULE, Case::default().submodule(".Github"), &[".Github"]);
    check(RULE, Case::default().link("docs/a", "b"), &[]);
}

#[test]
fn of_manifests_only_what_is_run_counts() {
    let json = |old: &str, new: &str| Case::default().changed("web/package.json", old, new);
    check(
        RULE,
        json("{\"version\": \"1\"}", "{\"version\": \"2\"}"),
        &[],
    );
    check(
        RULE,
        json(
            "{\"scripts\": {\"a\": \"b\"}}",
            "{\"scripts\": {\"a\": \"b\"}, \"x\": 1}",
        ),
        &[],
    );
    check(
        RULE,
        json("{}", "{\"scripts\": {\"postinstall\": \"curl x\"}}"),
        &["web/package.json"],
    );
    check(
        RULE,
        json("{\"scripts\": {\"test\": \"x\"}}", "{}"),
        &["web/package.json"],
    );
    check(RULE, json("{}", "{ broken"), &["web/package.json"]);
    let toml = |old: &str, new: &str| Case::default().changed("pyproject.toml", old, new);
    check(
        RULE,
        toml("[project]\nname = 'a'\n", "[project]\nname = 'b'\n"),
        &[],
    );
    check(
        RULE,
        toml("", "[build-system]\nrequires = ['x']\n"),
        &["pyproject.toml"],
    );
    check(
        RULE,
        Case::default().changed("Cargo.toml", "[package]\n", "[package]\nbuild = 'b.rs'\n"),
        &["Cargo.toml"],
    );
    check(
        RULE,
        Case::default().added("a/package.json", "{\"name\": \"a\"}"),
        &[],
    );
}
