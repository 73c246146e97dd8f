//! `maestro plan`: what a change affects, what runs, and why.

use serde_json::Value;

use crate::harness::Maestro;

const CONFIG: &str = "schema: maestro.config/v1\nenforce: [plan]\njobs:\n  \
    test: { projects: cargo, run: cargo test, axes: { os: [linux, windows] }, runs_on: \"{os}-latest\" }\n  \
    web: { projects: \"npm:web\" }\n  docs: { paths: [\"docs/**\"] }\n  lint: {}\n";

/// A workspace of two packages, a package of npm, and documents.
fn workspace() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro
        .file(".maestro/maestro.yaml", CONFIG)
        .file(
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\ndep = \"1\"\n",
        )
        .file(
            "crates/a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\ndep.workspace = true\n",
        )
        .file("crates/a/src/lib.rs", "")
        .file(
            "crates/b/Cargo.toml",
            "[package]\nname = \"b\"\n[dependencies]\na = { path = \"../a\" }\n",
        )
        .file(
            "crates/b/src/lib.rs",
            "#![doc = include_str!(\"../../../GUIDE.md\")]\n",
        )
        .file("web/package.json", "{\"name\": \"web\"}\n")
        .file("web/index.js", "")
        .file("docs/index.md", "Hello\n")
        .file("GUIDE.md", "Guide\n")
        .file("LICENSE", "None\n");
    maestro.commit("Begin");
    maestro
}

/// Changes files, and returns the plan of the change.
fn plan(maestro: &Maestro, files: &[(&str, &str)]) -> Value {
    for (path, text) in files {
        maestro.file(path, text);
    }
    maestro.commit("Change");
    maestro.json(&["plan", "--base", "HEAD~1"])
}

fn affected(plan: &Value) -> Vec<&str> {
    let projects = plan["projects"].as_array().unwrap().iter();
    let affected = projects.filter(|project| project["affected"] == true);
    affected
        .map(|project| project["id"].as_str().unwrap())
        .collect()
}

fn jobs(plan: &Value) -> Vec<&str> {
    let jobs = plan["jobs"].as_array().unwrap().iter();
    jobs.filter(|job| job["run"] == true)
        .map(|job| job["id"].as_str().unwrap())
        .collect()
}

#[test]
fn a_change_affects_its_project_and_all_that_depend_on_it() {
    let maestro = workspace();
    let plan = plan(&maestro, &[("crates/a/src/lib.rs", "// changed\n")]);
    assert_eq!(plan["mode"], "affected");
    assert_eq!(affected(&plan), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(jobs(&plan), ["lint", "test"]);
    let why = &plan["projects"][1]["why"];
    assert_eq!(
        why,
        &serde_json::json!(["crates/a/src/lib.rs", "cargo:crates/a", "cargo:crates/b"])
    );
    let legs: Vec<&str> = plan["matrix"]["include"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leg| leg["id"].as_str().unwrap())
        .collect();
    assert_eq!(legs, ["lint", "test (linux)", "test (windows)"]);
    assert_eq!(plan["matrix"]["include"][1]["runs_on"], "linux-latest");
}

#[test]
fn a_rename_is_a_deletion_and_an_addition() {
    let maestro = workspace();
    maestro.git(&["mv", "crates/a/src/lib.rs", "docs/lib.rs"]);
    maestro.git(&["commit", "--quiet", "--message", "Move"]);
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    assert_eq!(affected(&plan), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(jobs(&plan), ["docs", "lint", "test"]);
}

#[test]
fn a_file_that_is_read_from_elsewhere_affects_its_reader_only() {
    let maestro = workspace();
    let plan = plan(&maestro, &[("GUIDE.md", "Another guide\n")]);
    assert_eq!(affected(&plan), ["cargo:crates/b"]);
    let project = &plan["projects"][1];
    assert_eq!(project["code"], "read-file");
}

#[test]
fn a_file_for_people_affects_nothing_and_one_of_nobody_everything() {
    let maestro = workspace();
    let license = plan(&maestro, &[("LICENSE", "MIT\n")]);
    assert_eq!(license["mode"], "none");
    assert_eq!(jobs(&license), ["lint"]);
    let script = plan(&maestro, &[("scripts/release.sh", "x\n")]);
    assert_eq!(script["mode"], "all");
    assert_eq!(script["reasons"][0]["code"], "unowned-file");
    assert_eq!(jobs(&script), ["docs", "lint", "test", "web"]);
}

#[test]
fn a_root_manifest_is_compared_by_what_it_says() {
    let maestro = workspace();
    let root = "# a comment\n[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\ndep = \"1\"\n";
    let comment = plan(&maestro, &[("Cargo.toml", root)]);
    assert_eq!(comment["mode"], "none");
    let bump = plan(&maestro, &[("Cargo.toml", &root.replace("\"1\"", "\"2\""))]);
    assert_eq!(affected(&bump), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(bump["projects"][0]["code"], "root-manifest");
    let profile = plan(
        &maestro,
        &[("Cargo.toml", &format!("{root}[profile.dev]\ndebug = 0\n"))],
    );
    assert_eq!(affected(&profile), ["cargo:crates/a", "cargo:crates/b"]);
    let broken = plan(&maestro, &[("Cargo.toml", "[workspace")]);
    assert_eq!(broken["mode"], "all");
    assert_eq!(broken["reasons"][0]["code"], "manifest-unreadable");
}

#[test]
fn a_lock_file_affects_the_users_of_what_changed() {
    let maestro = workspace();
    let lock = |version: &str| {
        format!(
            "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.0.0\"\ndependencies = [\"dep\"]\n\
             [[package]]\nname = \"b\"\nversion = \"0.0.0\"\n[[package]]\nname = \"dep\"\nversion = \"{version}\"\nsource = \"r\"\n"
        )
    };
    maestro.file("Cargo.lock", lock("1.0.0"));
    maestro.commit("Lock");
    let bump = plan(&maestro, &[("Cargo.lock", &lock("1.0.1"))]);
    assert_eq!(affected(&bump), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(bump["projects"][0]["code"], "lockfile");
    let broken = plan(&maestro, &[("Cargo.lock", "<<<<<<< HEAD\n")]);
    assert_eq!(broken["mode"], "all");
    assert_eq!(broken["reasons"][0]["code"], "lockfile");
}

#[cfg(unix)]
#[test]
fn a_link_a_mode_and_a_submodule_are_changes_too() {
    let maestro = workspace();
    std::os::unix::fs::symlink("../../LICENSE", maestro.path("crates/a/LICENSE")).unwrap();
    maestro.commit("Link");
    let linked = plan(&maestro, &[("LICENSE", "Apache-2.0\n")]);
    assert_eq!(affected(&linked), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(linked["projects"][0]["code"], "linked-file");
    maestro.git(&["update-index", "--chmod=+x", "web/index.js"]);
    maestro.git(&["commit", "--quiet", "--message", "Mode"]);
    assert_eq!(
        affected(&maestro.json(&["plan", "--base", "HEAD~1"])),
        ["npm:web"]
    );
    let commit = maestro.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{},web/vendored", commit.trim());
    maestro.git(&["update-index", "--add", "--cacheinfo", &entry]);
    maestro.git(&["commit", "--quiet", "--message", "Submodule"]);
    assert_eq!(
        affected(&maestro.json(&["plan", "--base", "HEAD~1"])),
        ["npm:web"]
    );
}

#[test]
fn strange_names_are_names() {
    let maestro = workspace();
    let plan = plan(
        &maestro,
        &[("crates/b/src/gr\u{fc}n \"x\"\n::error::y", "")],
    );
    assert_eq!(affected(&plan), ["cargo:crates/b"]);
    let page = maestro.run(["plan", "--base", "HEAD~1"]).success().stdout;
    assert!(!page.contains("\n::error"), "{page}");
}

#[test]
fn a_project_that_is_gone_affects_who_depended_on_it() {
    let maestro = workspace();
    std::fs::remove_dir_all(maestro.path("crates/a")).unwrap();
    maestro.file("crates/b/Cargo.toml", "[package]\nname = \"b\"\n");
    maestro.commit("Remove");
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    assert_eq!(affected(&plan), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(plan["projects"][0]["removed"], true);
    // What is gone cannot be tested.
    assert_eq!(
        plan["matrix"]["include"][1]["projects"],
        serde_json::json!(["cargo:crates/b"])
    );
}

#[test]
fn what_is_not_enforced_runs_and_says_what_it_would_have_skipped() {
    let maestro = workspace();
    maestro.file(
        ".maestro/maestro.yaml",
        CONFIG.replace("enforce: [plan]\n", ""),
    );
    maestro.commit("Shadow");
    let shadow = plan(&maestro, &[("web/index.js", "// x\n")]);
    assert_eq!(jobs(&shadow), ["docs", "lint", "test", "web"]);
    let selected: Vec<bool> = shadow["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["selected"] == true)
        .collect();
    assert_eq!(selected, [false, true, false, true]);
    let page = maestro.run(["plan", "--base", "HEAD~1"]).success().stdout;
    assert!(
        page.contains("run, would skip") && page.contains("2 would be skipped"),
        "{page}"
    );
    let enforced = maestro.json(&["plan", "--base", "HEAD~1", "--enforce"]);
    assert_eq!(jobs(&enforced), ["lint", "web"]);
}

#[test]
fn a_repository_without_configuration_has_a_job_for_each_ecosystem() {
    let maestro = workspace();
    std::fs::remove_dir_all(maestro.path(".maestro")).unwrap();
    maestro.commit("No configuration");
    let plan = plan(&maestro, &[("crates/a/src/lib.rs", "// x\n")]);
    let ids: Vec<&str> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["cargo", "npm"]);
    let enforced = maestro.json(&["plan", "--base", "HEAD~1", "--enforce"]);
    let legs = enforced["matrix"]["include"].as_array().unwrap();
    let legs: Vec<&str> = legs.iter().map(|leg| leg["id"].as_str().unwrap()).collect();
    assert_eq!(legs, ["cargo (cargo:crates/a)", "cargo (cargo:crates/b)"]);
}

#[test]
fn workflows_get_outputs_that_nothing_can_inject_into() {
    let maestro = workspace().env("GITHUB_ACTIONS", "true");
    let output = maestro.path("out");
    let maestro = maestro.env("GITHUB_OUTPUT", &output);
    maestro.file("crates/b/src/x\nhas_jobs=false\ny<<E", "");
    maestro.file("scripts/x\nmode=none", "");
    maestro.commit("Inject");
    maestro.run(["plan", "--base", "HEAD~1"]).success();
    let text = std::fs::read_to_string(output).unwrap();
    let keys: Vec<&str> = text
        .lines()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "mode", "matrix", "has_jobs", "count", "reason", "state", "trusted", "job_docs",
            "job_lint", "job_test", "job_web"
        ]
    );
    assert!(
        text.starts_with("mode=all\n") && text.contains("\nhas_jobs=true\n"),
        "{text}"
    );
}

#[test]
fn nothing_to_do_is_an_empty_matrix_that_says_so() {
    let maestro = workspace();
    maestro.file(".maestro/maestro.yaml", CONFIG.replace("  lint: {}\n", ""));
    maestro.commit("No lint");
    let maestro = maestro.env("GITHUB_ACTIONS", "true");
    let output = maestro.path("out");
    let maestro = maestro.env("GITHUB_OUTPUT", &output);
    maestro.file("LICENSE", "x\n");
    maestro.git(&["commit", "--quiet", "--message", "License", "LICENSE"]);
    maestro.run(["plan", "--base", "HEAD~1"]).success();
    let text = std::fs::read_to_string(output).unwrap();
    assert!(
        text.contains("mode=none\nmatrix={\"include\":[]}\nhas_jobs=false\ncount=0\n"),
        "{text}"
    );
}

#[test]
fn given_paths_are_planned_like_a_change() {
    let maestro = workspace();
    maestro.file("list", "crates/a/src/lib.rs\0docs/index.md\0");
    let plan = maestro.json(&["plan", "--files-from", "list"]);
    assert_eq!(affected(&plan), ["cargo:crates/a", "cargo:crates/b"]);
    assert_eq!(jobs(&plan), ["docs", "lint", "test"]);
    maestro.file("list", "Cargo.toml\n");
    let plan = maestro.json(&["plan", "--files-from", "list"]);
    assert_eq!(affected(&plan), ["cargo:crates/a", "cargo:crates/b"]);
}

#[test]
fn the_work_tree_can_be_planned_as_it_stands() {
    let maestro = workspace();
    maestro
        .file("web/index.js", "// not committed\n")
        .file("crates/b/new.rs", "");
    let status = maestro.git(&["status", "--porcelain"]);
    let plan = maestro.json(&["plan", "--base", "HEAD", "--worktree"]);
    assert_eq!(affected(&plan), ["cargo:crates/b", "npm:web"]);
    assert_eq!(maestro.git(&["status", "--porcelain"]), status);
    assert_eq!(maestro.json(&["plan", "--base", "HEAD"])["mode"], "none");
}

#[test]
fn more_changes_never_select_less() {
    let maestro = workspace();
    let files = [
        "crates/a/src/lib.rs",
        "crates/b/src/lib.rs",
        "web/index.js",
        "docs/index.md",
        "GUIDE.md",
        "LICENSE",
        "Cargo.toml",
    ];
    let mut selections: Vec<(u32, Vec<String>)> = Vec::new();
    for set in 0..1_u32 << files.len() {
        let some = files
            .iter()
            .enumerate()
            .filter(|(place, _)| set >> place & 1 == 1);
        let list: String = some.map(|(_, path)| format!("{path}\0")).collect();
        maestro.file("list", list);
        let plan = maestro.json(&["plan", "--files-from", "list"]);
        let mut all: Vec<String> = affected(&plan).into_iter().map(str::to_owned).collect();
        all.extend(jobs(&plan).into_iter().map(|job| format!("job {job}")));
        selections.push((set, all));
    }
    for (small, few) in &selections {
        for (large, many) in selections
            .iter()
            .filter(|(large, _)| small & large == *small)
        {
            assert!(
                few.iter().all(|id| many.contains(id)),
                "{small:b} {few:?} {large:b} {many:?}"
            );
        }
    }
}

#[test]
fn the_folder_and_the_kind_of_clone_do_not_matter() {
    let maestro = workspace();
    maestro.file("crates/a/src/lib.rs", "// x\n");
    maestro.commit("Change");
    maestro.file("crates/a/src/lib.rs", "// y\n");
    maestro.commit("Change");
    maestro.git(&["config", "uploadpack.allowFilter", "true"]);
    let origin = format!("file://{}", maestro.path(".").display());
    let clone = |args: &[&str], name: &str| {
        let mut all = vec!["clone", "--quiet"];
        all.extend(args);
        all.extend([origin.as_str(), name]);
        maestro.git(&all);
    };
    let base = maestro.git(&["rev-parse", "HEAD~2"]);
    let base = base.trim();
    let text = |folder: &str| {
        maestro
            .run(["-C", folder, "plan", "--base", base, "--format", "json"])
            .success()
            .stdout
    };
    let whole = text(".");
    assert!(whole.contains("cargo:crates/b"));
    assert_eq!(text("crates/b/src"), whole);
    for (args, name) in [
        (&["--bare"][..], "bare.git"),
        (&["--depth=1"], "shallow"),
        (&["--depth=2"], "two"),
        (&["--filter=blob:none", "--no-checkout"], "blobless"),
        (&["--filter=blob:none", "--bare"], "blobless.git"),
        (&["--filter=tree:0", "--no-checkout"], "treeless"),
    ] {
        clone(args, name);
        if name == "blobless" || name == "treeless" {
            // Without a checkout there is no configuration beside the commit.
            maestro.git(&["-C", name, "checkout", "--quiet", "HEAD", "--", ".maestro"]);
        }
        assert_eq!(text(name), whole, "{name}");
    }
    maestro.git(&["worktree", "add", "--quiet", "--detach", "tree"]);
    assert_eq!(text("tree"), whole);
}

#[test]
fn explain_tells_the_way_and_what_a_file_would_do() {
    let maestro = workspace();
    let _ = plan(&maestro, &[("crates/a/src/lib.rs", "// x\n")]);
    let job = maestro.json(&["plan", "explain", "test", "--base", "HEAD~1"]);
    assert_eq!(job["about"], "job");
    assert_eq!(
        job["jobs"][0]["why"],
        serde_json::json!(["crates/a/src/lib.rs", "cargo:crates/a", "job:test"])
    );
    let project = maestro.json(&["plan", "explain", "cargo:crates/b", "--base", "HEAD~1"]);
    assert_eq!(project["projects"][0]["why"].as_array().unwrap().len(), 3);
    let file = maestro.json(&["plan", "explain", "GUIDE.md"]);
    assert_eq!(file["projects"][0]["id"], "cargo:crates/b");
    let skipped = maestro.json(&["plan", "explain", "web", "--base", "HEAD~1"]);
    assert_eq!(skipped["jobs"][0]["code"], "not-affected");
    maestro
        .run(["plan", "explain", "crates/a/src/lob.rs"])
        .exits_with(66)
        .says("did you mean `crates/a/src/lib.rs`?");
}

#[test]
fn lint_names_what_never_applies() {
    let maestro = workspace();
    maestro.json(&["plan", "lint"]);
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nrun_all_on: [cargo/config.toml]\njobs:\n  test: { projects: [cargo, go] }\n",
    );
    maestro.file(".cargo/config.toml", "");
    maestro.commit("Rules");
    let run = maestro
        .run(["plan", "lint", "--format", "json"])
        .exits_with(16);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let codes: Vec<&str> = document["complaints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes[..2], ["dead-glob", "unknown-project"]);
    assert!(codes.contains(&"no-job"));
    assert!(run.stdout.contains("did you mean `.cargo/config.toml`?"));
}

#[test]
fn replay_adds_up_what_plans_would_have_skipped_and_missed() {
    let maestro = workspace();
    for (path, text) in [
        ("web/index.js", "1"),
        ("crates/a/src/lib.rs", "//"),
        ("scripts/x", "2"),
        ("LICENSE", "3"),
    ] {
        let _ = plan(&maestro, &[(path, text)]);
    }
    let commit = maestro.git(&["rev-parse", "HEAD"]);
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"t\"><failure message=\"m\"/></testcase></testsuite>",
    );
    maestro
        .run([
            "flakes",
            "ingest",
            "--run",
            "7",
            "--job",
            "web",
            "--branch",
            "main",
            "--commit",
            commit.trim(),
            "r.xml",
        ])
        .success();
    let replay = maestro.json(&["plan", "replay", "--last", "4", "--minutes", "test=10"]);
    assert_eq!(replay["totals"]["commits"], 4);
    assert_eq!(replay["totals"]["all"], 1);
    assert_eq!(replay["totals"]["none"], 1);
    // Without: 4 jobs for 4 commits. Selected: web and lint, test and lint, all four, lint.
    assert_eq!(replay["totals"]["selected"], 9);
    assert_eq!(replay["totals"]["skipped"], 7);
    assert_eq!(replay["totals"]["minutes_saved"], 20.0);
    assert_eq!(replay["reasons"][0]["paths"][0]["path"], "scripts/");
    assert_eq!(replay["escapes"][0]["job"], "web");
    assert_eq!(replay["escapes"][0]["failures"], 1);
}

#[test]
fn an_organisation_can_switch_plans_off() {
    let maestro = workspace().env("MAESTRO_DISABLE", "1");
    let plan = plan(&maestro, &[("LICENSE", "x\n")]);
    assert_eq!(plan["mode"], "all");
    assert_eq!(plan["reasons"][0]["code"], "disabled");
    assert_eq!(jobs(&plan), ["docs", "lint", "test", "web"]);
}

#[test]
fn a_run_of_ci_keeps_its_plan_and_a_person_does_not() {
    let maestro = workspace();
    let _ = plan(&maestro, &[("web/index.js", "// x\n")]);
    let events = |maestro: &Maestro| {
        let outbox = maestro.path(".git/maestro/outbox");
        let files = std::fs::read_dir(outbox).into_iter().flatten().flatten();
        let texts = files.map(|file| std::fs::read_to_string(file.path()).unwrap());
        texts.collect::<String>()
    };
    assert_eq!(events(&maestro), "");
    let maestro = maestro
        .env("GITHUB_RUN_ID", "88")
        .env("GITHUB_RUN_ATTEMPT", "2")
        .env("GITHUB_JOB", "plan");
    maestro.run(["plan", "--base", "HEAD~1"]).success();
    let event: Value = serde_json::from_str(&events(&maestro)).unwrap();
    assert_eq!(
        (&event["kind"], &event["run"], &event["attempt"]),
        (&"plan".into(), &"88".into(), &2.into())
    );
    assert_eq!(
        event["payload"]["selected"],
        serde_json::json!(["lint", "web"])
    );
    assert_eq!(
        event["payload"]["unselected"],
        serde_json::json!(["docs", "test"])
    );
    maestro.run(["state", "verify"]).success();
}
