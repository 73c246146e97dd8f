//! What a plan must not miss: one case for each way in which a job was once skipped that should have run.

use serde_json::Value;

use crate::harness::Maestro;

fn repository(config: &str, files: &[(&str, &str)]) -> Maestro {
    let maestro = Maestro::in_repo();
    let config =
        format!("schema: maestro.config/v1\nenforce: [plan]\nignore: ['*.none']\n{config}");
    maestro.file(".maestro/maestro.yaml", config);
    for (path, text) in files {
        maestro.file(path, text);
    }
    maestro.commit("Begin");
    maestro
}

fn affected(plan: &Value) -> String {
    if plan["mode"] == "all" {
        return format!("all: {}", plan["reasons"][0]["code"].as_str().unwrap());
    }
    let projects = plan["projects"].as_array().unwrap().iter();
    let affected = projects.filter(|project| project["affected"] == true);
    let ids = affected.map(|project| project["id"].as_str().unwrap());
    ids.collect::<Vec<_>>().join(" ")
}

fn change(maestro: &Maestro, path: &str) -> String {
    let before = std::fs::read_to_string(maestro.path(path)).unwrap_or_default();
    maestro.file(path, format!("{before}changed = 1\n"));
    maestro.commit("Change");
    affected(&maestro.json(&["plan", "--base", "HEAD~1"]))
}

fn package(name: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\n{more}")
}

/// Two packages: `b` is given, `a` has the sources that are given.
fn crates(b: &str, files: &[(&str, &str)]) -> Maestro {
    let a = package("a", "");
    let mut all = vec![
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("crates/a/Cargo.toml", a.as_str()),
        ("crates/b/Cargo.toml", b),
        ("crates/a/src/lib.rs", "mod other;\n"),
        ("crates/a/src/other.rs", ""),
        ("crates/b/src/lib.rs", ""),
    ];
    all.extend(files);
    repository("", &all)
}

#[test]
fn sources_of_another_package_bring_their_modules() {
    let library = package("b", "[lib]\npath = \"../a/src/lib.rs\"\n");
    let maestro = crates(&library, &[]);
    assert_eq!(
        change(&maestro, "crates/a/src/other.rs"),
        "cargo:crates/a cargo:crates/b"
    );

    let files = [
        (
            "crates/b/src/lib.rs",
            "#[path = \"../../a/src/common/mod.rs\"] mod common;\n",
        ),
        ("crates/a/src/common/mod.rs", "pub mod sub;\n"),
        (
            "crates/a/src/common/sub.rs",
            "const X: &str = include_str!(\"../../data.txt\");\n",
        ),
        ("crates/a/data.txt", "1"),
    ];
    let maestro = crates(&package("b", ""), &files);
    for path in ["crates/a/data.txt", "crates/a/src/common/sub.rs"] {
        assert_eq!(
            change(&maestro, path),
            "cargo:crates/a cargo:crates/b",
            "{path}"
        );
    }
}

#[test]
fn a_build_script_may_go_up_from_a_folder_in_a_format_string() {
    let script =
        "fn main() { let p = format!(\"{}/../proto/x.proto\", env!(\"CARGO_MANIFEST_DIR\")); }\n";
    let files = [
        ("crates/b/build.rs", script),
        ("crates/proto/Cargo.toml", "[package]\nname = \"proto\"\n"),
        ("crates/proto/x.proto", ""),
    ];
    let maestro = crates(&package("b", ""), &files);
    assert_eq!(
        change(&maestro, "crates/proto/x.proto"),
        "cargo:crates/b cargo:crates/proto"
    );
}

#[test]
fn what_was_kept_of_an_earlier_tree_is_not_taken_for_another() {
    let files = [
        ("deploy/Dockerfile", "FROM x\nCOPY src /s\n"),
        ("deploy/package.json", "{\"name\": \"d\"}"),
        ("src/a", ""),
    ];
    let maestro = repository("components: { src: { paths: ['src/**'] } }\n", &files);
    assert_eq!(change(&maestro, "src/a"), "component:src docker:deploy");
    std::fs::create_dir_all(maestro.path("deploy/src")).unwrap();
    maestro.git(&["mv", "src/a", "deploy/src/a"]);
    maestro.commit("Move");
    let _ = maestro.json(&["plan", "--base", "HEAD~1"]);
    assert_eq!(change(&maestro, "deploy/src/a"), "docker:deploy npm:deploy");
}

#[test]
fn a_source_that_is_not_here_may_read_anything() {
    let reader = "const X: &str = include_str!(\"../../a/data.txt\");\n";
    let files = [("crates/b/src/lib.rs", reader), ("crates/a/data.txt", "1")];
    let maestro = crates(&package("b", ""), &files);
    let blob = maestro.git(&["rev-parse", "HEAD:crates/b/src/lib.rs"]);
    maestro.file("crates/a/data.txt", "2");
    maestro.commit("Change");
    let (folder, file) = blob.trim().split_at(2);
    std::fs::remove_file(maestro.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    let plan = maestro.json(&["plan", "--base", "HEAD~1", "--no-fetch"]);
    assert_eq!(affected(&plan), "all: source-missing");
}

#[test]
fn a_submodule_that_moves_concerns_whoever_reads_what_is_in_it() {
    let reader = "const X: &str = include_str!(\"../../../web/sub/data/x\");\n";
    let config =
        "components: { docs: { paths: ['web/sub/docs/**'] }, other: { paths: ['other/**'] } }\n";
    let b = package("b", "");
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("crates/b/Cargo.toml", b.as_str()),
        ("crates/b/src/lib.rs", reader),
        ("image/Dockerfile", "FROM x\nCOPY web/sub/docs /d\n"),
        ("web/package.json", "{\"name\": \"web\"}"),
    ];
    let maestro = repository(config, &files);
    for commit in ["1", "2"] {
        let entry = format!("160000,{},web/sub", commit.repeat(40));
        maestro.git(&["update-index", "--add", "--cacheinfo", &entry]);
        maestro.git(&["commit", "--quiet", "--message", "Move"]);
    }
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    assert_eq!(
        affected(&plan),
        "cargo:crates/b component:docs docker:image npm:web"
    );
}

#[test]
fn a_shallow_clone_proves_no_common_ancestor_beyond_its_end() {
    let files = [
        ("a/package.json", "{\"name\": \"a\"}"),
        ("a/x", "0"),
        ("b/package.json", "{\"name\": \"b\"}"),
        ("b/x", "0"),
    ];
    let maestro = repository("", &files);
    maestro.git(&["branch", "old"]);
    maestro.file("a/x", "1");
    maestro.commit("X");
    maestro.git(&["switch", "--quiet", "--create", "topic"]);
    maestro.file("a/x", "0");
    maestro.commit("Revert");
    maestro.git(&["switch", "--quiet", "old"]);
    maestro.file("b/x", "1");
    maestro.commit("Old");
    maestro.git(&["switch", "--quiet", "topic"]);
    maestro.git(&[
        "merge",
        "--quiet",
        "--strategy=ours",
        "--message",
        "Merge",
        "old",
    ]);
    maestro.file("b/x", "2");
    maestro.commit("Change");
    let whole = affected(&maestro.json(&["plan", "--base", "main"]));
    assert_eq!(whole, "npm:a npm:b");
    for depth in ["1", "2", "3", "4", "5"] {
        let address = format!("file://{}", maestro.path(".git").display());
        let folder = format!("depth{depth}");
        maestro.git(&[
            "clone",
            "--quiet",
            "--depth",
            depth,
            "--no-single-branch",
            "--branch",
            "topic",
            &address,
            &folder,
        ]);
        let args = ["-C", folder.as_str(), "plan", "--base", "origin/main"];
        let offline: Vec<&str> = args.iter().copied().chain(["--no-fetch"]).collect();
        let cut = affected(&maestro.json(&offline));
        assert!(cut == whole || cut == "all: base-missing", "{depth}: {cut}");
        assert_eq!(affected(&maestro.json(&args)), whole, "{depth}");
    }
}

#[test]
fn no_job_gets_lost_on_the_way_from_the_configuration() {
    let refused = |jobs: &str, words: &str| {
        let maestro = repository(
            &format!("jobs:\n{jobs}"),
            &[("a/package.json", "{\"name\": \"a\"}")],
        );
        let run = maestro.run(["plan"]).exits_with(78);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    };
    refused(
        "  test: { projects: npm }\n  test: { projects: cargo }\n",
        "the key `test` stands twice",
    );
    refused("  test: { axes: { os: [] } }\n", "`os` without a value");
    refused(
        "  test: { axes: { os: [a] }, exclude: [{ os: a }] }\n",
        "excludes every combination",
    );
    refused(
        "  test: { shards: 4000000000 }\n",
        "4000000000 combinations",
    );
    refused(
        "  test: { when: { events: [pushh] } }\n",
        "did you mean `push`",
    );
    refused("  test: { when: { branches: ['mai[n'] } }\n", "is no glob");
    refused("  test: { runs_on: '{os}-latest' }\n", "names `{os}`");
    let values: Vec<String> = (0..300).map(|n| format!("r{n}")).collect();
    let many = format!(
        "  test: {{ axes: {{ r: [{}] }}, runs_on: '{{r}}' }}\n",
        values.join(", ")
    );
    refused(&many, "300 different runners");
}

#[test]
fn a_job_whose_projects_are_misspelt_runs() {
    let maestro = repository(
        "jobs: { test: { projects: 'cargos:x' } }\n",
        &[("a.none", "")],
    );
    maestro.file("a.none", "1");
    maestro.commit("Change");
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    assert_eq!(
        (&plan["jobs"][0]["run"], &plan["jobs"][0]["code"]),
        (&Value::from(true), &Value::from("no-project"))
    );
}

#[test]
fn paths_that_somebody_gives_are_read_as_they_are_meant() {
    let files = [
        ("a/package.json", "{\"name\": \"a\"}"),
        ("b/package.json", "{\"name\": \"b\"}"),
        ("a/x", ""),
        ("b/x", ""),
    ];
    let maestro = repository("", &files);
    for text in ["a/x\r\n", "./a/x\n", "b/../a/x"] {
        maestro.file("paths.txt", text);
        let plan = maestro.json(&["plan", "--files-from", "paths.txt"]);
        assert_eq!(affected(&plan), "npm:a", "{text:?}");
    }
}

#[test]
fn an_unknown_ci_runs_everything() {
    let maestro = repository("", &[("a/package.json", "{\"name\": \"a\"}")]).env("CI", "true");
    assert_eq!(affected(&maestro.json(&["plan"])), "all: event");
    let _ = maestro.json(&["plan", "--base", "HEAD"]);
}

#[test]
fn what_github_does_not_say_refuses_no_job() {
    let jobs = "jobs: { test: { when: { branches: [main] } } }\n";
    let runs = |event: &str, reference: &str, payload: &str| {
        let maestro = repository(jobs, &[])
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_REF", reference)
            .env("GITHUB_EVENT_PATH", "event.json");
        maestro.file("event.json", payload);
        maestro.json(&["plan"])["jobs"][0]["run"] == true
    };
    assert!(runs("pull_request", "refs/pull/1/merge", "{"));
    assert!(runs(
        "merge_group",
        "refs/heads/gh-readonly-queue/main/pr-7-abc",
        "{"
    ));
    assert!(!runs(
        "merge_group",
        "refs/heads/gh-readonly-queue/next/pr-7-abc",
        "{"
    ));
    assert!(runs("push", "refs/heads/main", "{}"));
    assert!(!runs("push", "refs/heads/topic", "{}"));
    assert!(!runs("push", "refs/tags/v1", "{}"));
}
