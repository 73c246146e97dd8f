//! `maestro init`, over repositories of every ecosystem.

use std::fs;

use serde_json::Value;

use super::harness::{Maestro, Team};

const FIRST: [&str; 6] = [
    ".github/workflows/maestro-weekly.yml",
    ".github/workflows/maestro.yml",
    ".maestro/ci_budget.json",
    ".maestro/init.json",
    ".maestro/maestro.yaml",
    ".maestro/policy.yaml",
];

/// A repository of these files, committed.
fn repository(files: &[(&str, &str)]) -> Maestro {
    let maestro = Maestro::in_repo();
    for (path, text) in files {
        maestro.file(path, text);
    }
    maestro.commit("Add files");
    maestro
}

/// Files of the work tree that git does not know.
fn new_files(maestro: &Maestro) -> Vec<String> {
    let status = maestro.git(&["status", "--porcelain", "--untracked-files=all"]);
    status.lines().map(|line| line[3..].to_owned()).collect()
}

fn read(maestro: &Maestro, path: &str) -> String {
    fs::read_to_string(maestro.path(path)).unwrap()
}

fn codes(document: &Value) -> Vec<&str> {
    let notices = document["notices"].as_array().unwrap();
    notices
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

/// What is written is valid, has nothing to complain of, and plans; returns the commands by job.
#[track_caller]
fn adopts(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let maestro = repository(files);
    let document = maestro.json(&["init"]);
    assert_eq!(new_files(&maestro), FIRST);
    maestro.commit("Adopt");
    let shown = maestro.json(&["config", "show"]);
    assert_eq!(shown["file"], ".maestro/maestro.yaml");
    let lint = maestro.json(&["plan", "lint", "--no-cargo"]);
    assert_eq!(
        lint["complaints"].as_array().unwrap().as_slice(),
        [] as [Value; 0]
    );
    let plan = maestro.json(&["plan"]);
    let planned = plan["jobs"].as_array().unwrap().len();
    assert_eq!(planned, document["jobs"].as_array().unwrap().len());
    let _ = maestro.run(["check-policy"]).success();
    let _ = maestro
        .run(["budget", "set", "--per-pr", "10", "--dry-run"])
        .success();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let jobs = document["jobs"].as_array().unwrap().iter();
    jobs.map(|job| (text(&job["name"]), text(&job["run"])))
        .collect()
}

#[track_caller]
fn adopts_one(files: &[(&str, &str)], name: &str, run: &str) {
    assert_eq!(adopts(files), [(name.to_owned(), run.to_owned())]);
}

#[test]
fn rust() {
    let files = [
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        ("Cargo.lock", "version = 4\n"),
        ("src/lib.rs", ""),
    ];
    adopts_one(&files, "rust", "cargo test --workspace --locked");
}

#[test]
fn npm_pnpm_and_yarn() {
    let package = (
        "package.json",
        r#"{"name": "a", "scripts": {"test": "tap"}}"#,
    );
    let npm = [package, ("package-lock.json", "{}")];
    adopts_one(&npm, "node", "npm ci && npm test");
    let pnpm = [
        package,
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        ("pnpm-workspace.yaml", "packages: ['packages/*']\n"),
        ("packages/b/package.json", r#"{"name": "b"}"#),
    ];
    adopts_one(&pnpm, "node", "pnpm install --frozen-lockfile && pnpm test");
    let yarn = [package, ("yarn.lock", "# yarn lockfile v1\n")];
    adopts_one(&yarn, "node", "yarn install --frozen-lockfile && yarn test");
}

#[test]
fn python_with_uv_poetry_and_pip() {
    let project =
        "[project]\nname = \"a\"\nversion = \"1\"\n[dependency-groups]\ndev = [\"pytest\"]\n";
    let uv = [
        ("pyproject.toml", project),
        ("uv.lock", "version = 1\n"),
        ("tests/test_a.py", ""),
    ];
    adopts_one(
        &uv,
        "python",
        "uv sync --locked && uv run --no-sync pytest --junitxml=pytest.xml",
    );
    let poetry = [
        (
            "pyproject.toml",
            "[tool.poetry]\nname = \"a\"\n[tool.poetry.dev-dependencies]\npytest = \"*\"\n",
        ),
        ("poetry.lock", ""),
    ];
    let run = "poetry install --no-interaction && poetry run pytest --junitxml=pytest.xml";
    adopts_one(&poetry, "python", run);
    let pip = [("requirements.txt", "flask\npytest\n"), ("test_a.py", "")];
    let run = "python -m pip install -r requirements.txt && pytest --junitxml=pytest.xml";
    adopts_one(&pip, "python", run);
}

#[test]
fn go_and_a_mixed_repository() {
    adopts_one(
        &[("go.mod", "module a\n"), ("a.go", "package a\n")],
        "go",
        "go test ./...",
    );
    let mixed = adopts(&[
        (
            "core/Cargo.toml",
            "[package]\nname = \"core\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        ("core/src/lib.rs", ""),
        (
            "web/package.json",
            r#"{"name": "web", "scripts": {"test": "vitest"}}"#,
        ),
        ("web/package-lock.json", "{}"),
        ("tool/go.mod", "module tool\n"),
    ]);
    let names: Vec<&str> = mixed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rust", "node", "go"]);
    assert!(mixed[1].1.starts_with("cd web && npm ci"));
}

#[test]
fn a_second_time_changes_nothing() {
    let maestro = repository(&[("go.mod", "module a\n")]);
    let _ = maestro.run(["init"]).success();
    let before: Vec<String> = FIRST.iter().map(|path| read(&maestro, path)).collect();
    let again = maestro.json(&["init"]);
    let files = again["files"].as_array().unwrap();
    assert!(files.iter().all(|file| file["standing"] == "same"));
    let after: Vec<String> = FIRST.iter().map(|path| read(&maestro, path)).collect();
    assert_eq!(before, after);
}

#[test]
fn nothing_is_overwritten_and_a_dry_run_writes_nothing() {
    let own = "schema: maestro.config/v1\n";
    let maestro = repository(&[(".maestro/maestro.yaml", own), ("go.mod", "module a\n")]);
    let run = maestro.run(["init", "--dry-run"]).success();
    assert!(run.stdout.contains("--- .github/workflows/maestro.yml\n"));
    // What stays is shown by how it differs from what is there.
    assert!(run.stdout.contains("--- .maestro/maestro.yaml (stays"));
    assert!(
        run.stdout
            .contains("\n  schema: maestro.config/v1\n+ requires: ")
    );
    assert!(new_files(&maestro).is_empty());
    let document = maestro.json(&["init"]);
    assert_eq!(document["files"][0]["standing"], "kept");
    assert_eq!(read(&maestro, ".maestro/maestro.yaml"), own);
}

#[test]
fn removing_leaves_nothing_of_it_and_all_of_the_rest() {
    let maestro = repository(&[(".github/CODEOWNERS", "* @a\n"), ("go.mod", "module a\n")]);
    let _ = maestro.run(["init"]).success();
    let _ = maestro.run(["init", "--remove", "--dry-run"]).success();
    assert_eq!(new_files(&maestro), FIRST);
    let _ = maestro.run(["init", "--remove"]).success();
    assert!(new_files(&maestro).is_empty());
    assert!(!maestro.path(".maestro").exists());
    assert!(maestro.path(".github/CODEOWNERS").exists());
    assert!(!maestro.path(".github/workflows").exists());
    let _ = maestro
        .run(["init", "--remove"])
        .exits_with(66)
        .says("has written nothing");
}

#[test]
fn what_somebody_changed_is_removed_by_force_only() {
    let maestro = repository(&[("go.mod", "module a\n")]);
    let _ = maestro.run(["init"]).success();
    maestro.file(".maestro/maestro.yaml", "schema: [broken\n");
    maestro.file(".maestro/quarantine.json", "{}");
    let refused = maestro.run(["init", "--remove"]).exits_with(2);
    let _ = refused.says("changed since they were written: .maestro/maestro.yaml");
    assert!(maestro.path(".maestro/policy.yaml").exists());
    let removed = maestro.json(&["init", "--remove", "--force"]);
    assert_eq!(
        removed["left"],
        serde_json::json!([".maestro/quarantine.json"])
    );
    assert_eq!(new_files(&maestro), [".maestro/quarantine.json"]);
}

#[test]
fn a_record_that_names_other_files_is_not_believed() {
    let maestro = repository(&[("go.mod", "module a\n")]);
    let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    maestro.file("precious", "test");
    let record = format!(
        r#"{{"schema": "maestro.init-files/v1", "files": {{"precious": "{sum}", "../x": "{sum}"}}}}"#
    );
    maestro.file(".maestro/init.json", record);
    let _ = maestro.run(["init", "--remove"]).success();
    assert!(maestro.path("precious").exists());
    maestro.file(".maestro/init.json", "[]");
    let _ = maestro
        .run(["init", "--remove"])
        .exits_with(65)
        .says("no record");
}

#[test]
fn stored_state_goes_here_and_at_the_remote() {
    let team = Team::new(&["b"]);
    team.publish("a", "1");
    team.ok("a fold");
    team.publish("b", "2");
    assert!(team.refs().contains("refs/heads/maestro-state"));
    assert_eq!(team.inbox().len(), 1);
    let _ = team.run(["-C", "a", "init"]).success();
    let _ = team
        .run(["-C", "a", "init", "--remove", "--state", "--dry-run"])
        .success();
    assert_eq!(team.inbox().len(), 1);
    let _ = team
        .run(["-C", "a", "init", "--remove", "--state"])
        .success();
    assert!(!team.refs().contains("maestro"), "{}", team.refs());
    assert!(team.refs().contains("refs/heads/main"));
    assert!(!team.path("a/.git/maestro").exists());
    assert!(!team.path("a/.maestro").exists());
    let nothing = "init --remove --state --dry-run --format json";
    let again = team.run(["-C", "a"].into_iter().chain(nothing.split(' ')));
    let again: Value = serde_json::from_str(&again.success().stdout).unwrap();
    assert_eq!(again["state"]["folder"], Value::Null);
}

#[test]
fn a_state_branch_with_somebodys_files_stays() {
    let team = Team::new(&[]);
    team.file(
        "a/.maestro/maestro.yaml",
        "schema: maestro.config/v1\nstate: { branch: main }\n",
    );
    team.publish("a", "1");
    team.ok("a fold");
    let run = team
        .run(["-C", "a", "init", "--remove", "--state"])
        .success();
    assert!(
        run.stdout.contains("holds other files too"),
        "{}",
        run.stdout
    );
    assert!(team.refs().contains("refs/heads/main"));
}

#[test]
fn other_tools_are_noticed_and_the_folder_can_be_another() {
    let maestro = repository(&[
        (".maestro/config.yaml", "flows:\n  - login.yaml\n"),
        ("CODEOWNERS", "* @a\n"),
        ("go.mod", "module a\n"),
        ("turbo.json", "{}"),
    ]);
    let document = maestro.json(&["init", "--dir", ".ci-maestro"]);
    assert_eq!(codes(&document), ["mobile-maestro", "codeowners", "turbo"]);
    assert!(maestro.path(".ci-maestro/maestro.yaml").exists());
    assert!(!maestro.path(".maestro/maestro.yaml").exists());
    let workflow = read(&maestro, ".github/workflows/maestro.yml");
    assert!(workflow.contains("MAESTRO_DIR: \".ci-maestro\""));
    let _ = maestro.run(["init", "--dir", "/elsewhere"]).exits_with(2);
    // A flow is a file like any other: it does not pass for ours.
    maestro.commit("Adopt");
    let explained = maestro.json(&["plan", "explain", ".maestro/config.yaml"]);
    assert!(!explained.to_string().contains("own folder"), "{explained}");
}

#[test]
fn configurations_of_other_tools_are_taken_over() {
    let workflow = "jobs:\n  c:\n    steps:\n      - uses: dorny/paths-filter@v3\n        with:\n          filters: |\n            docs: ['docs/**']\n  d:\n    if: needs.c.outputs.docs == 'true'\n    steps: [{run: make docs}]\n";
    let maestro = repository(&[(".github/workflows/ci.yml", workflow), ("docs/a.txt", "")]);
    let document = maestro.json(&["init", "--from", "paths-filter"]);
    assert_eq!(document["jobs"][0]["run"], "make docs");
    maestro.commit("Adopt");
    let _ = maestro.run(["plan", "lint"]).success();
    let _ = maestro
        .run(["init", "--from", "nx"])
        .exits_with(66)
        .says("there is no nx.json");

    let nx = repository(&[
        ("apps/shop/main.ts", ""),
        (
            "apps/shop/project.json",
            r#"{"name": "shop", "projectType": "application", "targets": {"test": {}}}"#,
        ),
        ("libs/ui/index.ts", ""),
        (
            "libs/ui/project.json",
            r#"{"name": "ui", "projectType": "library"}"#,
        ),
        ("nx.json", r#"{"targetDefaults": {"test": {}}}"#),
        ("package-lock.json", "{}"),
        ("package.json", r#"{"name": "root", "scripts": {}}"#),
    ]);
    let _ = nx.run(["init", "--from", "nx"]).success();
    nx.commit("Adopt");
    nx.file("libs/ui/index.ts", "// changed\n");
    nx.commit("Change a library");
    let plan = nx.json(&["plan", "--base", "HEAD~1", "--enforce"]);
    let affected = plan.to_string();
    assert!(
        affected.contains("component:shop") && affected.contains("component:nx-libraries"),
        "{affected}"
    );
}

#[test]
fn without_a_repository_or_with_a_wrong_action_nothing_is_written() {
    let _ = Maestro::in_folder().run(["init"]).exits_with(66);
    let maestro = repository(&[("go.mod", "module a\n")]);
    let _ = maestro
        .run(["init", "--action", "a/b@v1"])
        .exits_with(2)
        .says("no action at a commit");
    assert!(new_files(&maestro).is_empty());
}

#[test]
fn before_the_first_commit_the_work_tree_counts() {
    let maestro = Maestro::in_folder();
    maestro.git(&["init", "--quiet", "--initial-branch=trunk"]);
    maestro.file("go.mod", "module a\n");
    let document = maestro.json(&["init"]);
    assert_eq!(document["jobs"][0]["name"], "go");
    let workflow = read(&maestro, ".github/workflows/maestro.yml");
    assert!(workflow.contains("branches: [\"trunk\"]"));
}
