//! Against which commit a change is held: every event in every kind of clone. A base that is not known never means nothing to do.

use std::fs;

use serde_json::{Value, json};

use crate::harness::Maestro;

/// A remote with a pull request, a queue, a merge of two lines and an orphan; clones of it lie beside it.
struct World {
    maestro: Maestro,
}

const BASE_TIP: &str = "refs/heads/main";

impl World {
    fn new() -> Self {
        let maestro = Maestro::in_folder();
        maestro.git(&["init", "--quiet", "--initial-branch=main", "origin"]);
        let world = Self { maestro };
        world
            .write("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n")
            .write("a/Cargo.toml", "[package]\nname = \"a\"\n")
            .write("b/Cargo.toml", "[package]\nname = \"b\"\n")
            .write(".maestro/maestro.yaml", "schema: maestro.config/v1\nenforce: [plan]\njobs:\n  a: { projects: \"cargo:a\" }\n  b: { projects: \"cargo:b\" }\n");
        world.commit("Begin");
        world.git("tag start");
        for number in 0..3 {
            world.write("a/x", &number.to_string());
            world.commit("On main");
        }
        // The pull request changes b; meanwhile others change a.
        world.git("checkout --quiet -b topic");
        for number in 0..2 {
            world.write("b/x", &number.to_string());
            world.commit("On topic");
        }
        world.git("checkout --quiet main");
        world.write("a/x", "later");
        world.commit("Meanwhile");
        world.git("checkout --quiet --detach main");
        world.git("merge --quiet --no-ff --message Merge topic");
        world.git("update-ref refs/pull/1/merge HEAD");
        world.git("update-ref refs/pull/1/head topic");
        world.git("update-ref refs/heads/queue HEAD");
        world.git("checkout --quiet --orphan alone");
        world.commit("Alone");
        world.git("checkout --quiet main");
        world.git("config uploadpack.allowFilter true");
        world
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        self.maestro.file(&format!("origin/{path}"), text);
        self
    }

    fn git(&self, args: &str) -> String {
        let mut all = vec!["-C", "origin"];
        all.extend(args.split(' '));
        self.maestro.git(&all)
    }

    fn commit(&self, subject: &str) {
        self.maestro.git(&["-C", "origin", "add", "--all"]);
        self.maestro
            .git(&["-C", "origin", "commit", "--quiet", "--message", subject]);
    }

    fn id(&self, revision: &str) -> String {
        self.git(&format!("rev-parse {revision}")).trim().to_owned()
    }

    /// Clones as `actions/checkout` does: one ref, and what lies behind it as far as the depth goes.
    fn clone(&self, kind: &str, reference: &str) -> String {
        let name = "clone";
        let _ = fs::remove_dir_all(self.maestro.path(name));
        self.maestro
            .git(&["init", "--quiet", "--initial-branch=none", name]);
        let url = format!("file://{}", self.maestro.path("origin").display());
        let git = |args: &[&str]| {
            let mut all = vec!["-C", name];
            all.extend(args);
            self.maestro.git(&all)
        };
        git(&["remote", "add", "origin", &url]);
        let target = format!("+{reference}:refs/remotes/checkout");
        match kind {
            "depth1" => git(&[
                "fetch",
                "--quiet",
                "--no-tags",
                "--depth=1",
                "origin",
                &target,
            ]),
            "depth2" => git(&[
                "fetch",
                "--quiet",
                "--no-tags",
                "--depth=2",
                "origin",
                &target,
            ]),
            "blobless" => {
                git(&["config", "remote.origin.promisor", "true"]);
                git(&["config", "remote.origin.partialclonefilter", "blob:none"]);
                git(&[
                    "fetch",
                    "--quiet",
                    "--filter=blob:none",
                    "origin",
                    &target,
                    "+refs/heads/*:refs/remotes/origin/*",
                ])
            }
            _ => git(&[
                "fetch",
                "--quiet",
                "origin",
                &target,
                "+refs/heads/*:refs/remotes/origin/*",
            ]),
        };
        git(&["checkout", "--quiet", "--detach", "refs/remotes/checkout"]);
        if kind == "offline" {
            git(&["remote", "remove", "origin"]);
        }
        name.to_owned()
    }

    /// Returns `mode`, the first reason, and the affected projects.
    fn plan(&self, clone: &str, event: Option<(&str, Value, &str)>, more: &[&str]) -> String {
        let head = self.maestro.git(&["-C", clone, "rev-parse", "HEAD"]);
        let mut command = self
            .maestro
            .command(["-C", clone, "plan", "--format", "json"].iter().chain(more));
        if let Some((name, payload, reference)) = event {
            let path = self.maestro.path("event.json");
            fs::write(&path, payload.to_string()).unwrap();
            command
                .env("GITHUB_EVENT_NAME", name)
                .env("GITHUB_EVENT_PATH", path)
                .env("GITHUB_REF", reference)
                .env("GITHUB_SHA", head.trim());
        }
        let output = command.output().unwrap();
        let code = output.status.code().unwrap();
        if code != 0 {
            return format!("exit {code}");
        }
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let projects = plan["projects"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["affected"] == true);
        let ids: Vec<&str> = projects
            .map(|row| row["id"].as_str().unwrap().trim_start_matches("cargo:"))
            .collect();
        let reason = plan["reasons"][0]["code"].as_str().unwrap_or_default();
        if plan["mode"] == "all" {
            // Loud, and nothing is skipped.
            assert_eq!(plan["matrix"]["include"].as_array().unwrap().len(), 2);
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(words.contains("everything runs: "), "{words}");
        }
        format!(
            "{} {reason} {}",
            plan["mode"].as_str().unwrap(),
            ids.join(" ")
        )
        .replace("  ", " ")
        .trim()
        .to_owned()
    }

    fn pull_request(&self) -> Value {
        json!({
            "action": "synchronize",
            "number": 1,
            "pull_request": {
                "number": 1,
                // Frozen when the pull request was opened.
                "base": { "ref": "main", "sha": self.id("main~1"), "repo": { "id": 1 } },
                "head": { "ref": "topic", "sha": self.id("topic"), "repo": { "id": 1 } },
            },
            "repository": { "id": 1, "default_branch": "main" },
        })
    }

    fn push(&self, branch: &str, before: &str) -> Value {
        json!({
            "ref": format!("refs/heads/{branch}"),
            "before": before,
            "after": self.id("HEAD"),
            "created": before.starts_with("000"),
            "forced": false,
            "deleted": false,
            "repository": { "id": 1, "default_branch": "main" },
        })
    }
}

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// The kind of clone, what is checked out, the event, and what the plan must be.
const ROWS: &str = "
full     merge pull_request                affected b
depth1   merge pull_request                affected b
depth2   merge pull_request                affected b
blobless merge pull_request                affected b
offline  merge pull_request                affected b
full     head  pull_request                affected b
depth1   head  pull_request                affected b
depth2   head  pull_request                affected b
blobless head  pull_request                affected b
offline  head  pull_request                affected b
full     head  pull_request_review         affected b
full     head  pull_request_target         affected b
full     main  pull_request_target         all head-unknown a b
depth1   main  pull_request_target         all head-unknown a b
full     merge pull_request/empty          all event-unreadable a b
full     queue merge_group                 affected b
depth1   queue merge_group                 affected b
blobless queue merge_group                 affected b
full     queue merge_group/gone            all base-missing a b
depth1   queue merge_group/gone            all base-missing a b
full     queue merge_group/empty           all event-unreadable a b
full     main  push/main                   all last-green-unknown a b
depth1   main  push/main                   all last-green-unknown a b
full     main  push/main/new               all last-green-unknown a b
full     topic push/topic                  affected b
full     topic push/topic/new              affected b
full     topic push/topic/forced           affected b
depth1   topic push/topic/new              affected b
depth2   topic push/topic/new              affected b
blobless topic push/topic/new              affected b
full     topic push/topic/deleted          all branch-deleted a b
full     topic push/topic/empty            all last-green-unknown a b
full     alone push/alone/new              all no-common-ancestor a b
depth1   alone push/alone/new              all no-common-ancestor a b
full     start push/tag                    all tag a b
depth1   start push/tag                    all tag a b
full     main  schedule                    all event a b
full     main  workflow_dispatch           all event a b
full     main  repository_dispatch         all event a b
full     main  workflow_run                all event a b
full     main  release                     all event a b
full     main  what_comes_next             all event a b
full     head  local                       affected b
blobless head  local                       affected b
offline  head  local                       affected b
full     main  local                       none
full     alone local                       all no-common-ancestor a b
";

impl World {
    /// Returns the name, payload and ref of an event of the table.
    fn event(&self, word: &str) -> Option<(String, Value, String)> {
        let parts: Vec<&str> = word.split('/').collect();
        let pull = "refs/pull/1/merge";
        let (payload, reference) = match parts[..] {
            ["local"] => return None,
            ["pull_request" | "pull_request_review"] => (self.pull_request(), pull.to_owned()),
            ["pull_request_target"] => (self.pull_request(), BASE_TIP.to_owned()),
            ["pull_request", "empty"] => (json!({}), pull.to_owned()),
            ["merge_group", "empty"] => (json!({}), "refs/heads/queue".to_owned()),
            ["merge_group", ..] => {
                let base = if parts.len() > 1 {
                    "1".repeat(40)
                } else {
                    self.id("main")
                };
                let group = json!({ "head_sha": self.id("queue"), "head_ref": "refs/heads/queue", "base_sha": base, "base_ref": BASE_TIP });
                (
                    json!({ "merge_group": group }),
                    "refs/heads/queue".to_owned(),
                )
            }
            ["push", "tag"] | ["release"] => (json!({}), "refs/tags/start".to_owned()),
            ["push", branch, ..] => {
                let payload = match parts.get(2) {
                    Some(&"empty") => json!({}),
                    Some(&"deleted") => {
                        json!({ "deleted": true, "repository": { "id": 1, "default_branch": "main" } })
                    }
                    Some(&"new") => self.push(branch, ZEROS),
                    Some(&"forced") => self.push(branch, &"1".repeat(40)),
                    _ => self.push(branch, &self.id(&format!("{branch}~1"))),
                };
                (payload, format!("refs/heads/{branch}"))
            }
            _ => (json!({}), BASE_TIP.to_owned()),
        };
        Some((parts[0].to_owned(), payload, reference))
    }
}

#[test]
fn every_event_in_every_kind_of_clone() {
    let world = World::new();
    let rows: Vec<&str> = ROWS.lines().filter(|row| !row.is_empty()).collect();
    assert!(rows.len() >= 40);
    for row in rows {
        let words: Vec<&str> = row.split_whitespace().collect();
        let reference = match words[1] {
            "merge" | "head" => format!("refs/pull/1/{}", words[1]),
            "start" => "refs/tags/start".to_owned(),
            branch => format!("refs/heads/{branch}"),
        };
        let clone = world.clone(words[0], &reference);
        let event = world.event(words[2]);
        let event = event
            .as_ref()
            .map(|(name, payload, reference)| (name.as_str(), payload.clone(), reference.as_str()));
        assert_eq!(
            world.plan(&clone, event, &[]),
            words[3..].join(" "),
            "{row}"
        );
    }
}

#[test]
fn without_the_network_a_shallow_clone_runs_everything() {
    let world = World::new();
    for reference in ["refs/pull/1/merge", "refs/pull/1/head"] {
        let clone = world.clone("depth1", reference);
        let event = Some(("pull_request", world.pull_request(), "refs/pull/1/merge"));
        assert_eq!(
            world.plan(&clone, event, &["--no-fetch"]),
            "all base-missing a b",
            "{reference}"
        );
        let event = Some(("pull_request", world.pull_request(), "refs/pull/1/merge"));
        assert_eq!(
            world.plan(&clone, event, &["--offline"]),
            "all base-missing a b",
            "{reference}"
        );
        world.maestro.git(&[
            "-C",
            &clone,
            "remote",
            "set-url",
            "origin",
            "file:///nowhere",
        ]);
        let event = Some(("pull_request", world.pull_request(), "refs/pull/1/merge"));
        assert_eq!(
            world.plan(&clone, event, &[]),
            "all base-missing a b",
            "{reference}"
        );
    }
}

#[test]
fn a_base_that_somebody_gives_must_be_there() {
    let world = World::new();
    let clone = world.clone("full", "refs/pull/1/head");
    let dispatch = || Some(("workflow_dispatch", json!({}), BASE_TIP));
    assert_eq!(
        world.plan(&clone, dispatch(), &["--base", "nowhere"]),
        "exit 66"
    );
    assert_eq!(
        world.plan(&clone, dispatch(), &["--base", &"1".repeat(40)]),
        "exit 66"
    );
    // The name of a branch that only the remote has, and no name at all.
    assert_eq!(
        world.plan(&clone, dispatch(), &["--base", "main"]),
        "affected b"
    );
    assert_eq!(
        world.plan(&clone, dispatch(), &["--base", ""]),
        "all event a b"
    );
    assert_eq!(world.plan(&clone, None, &["--head", "nowhere"]), "exit 66");
    let shallow = world.clone("depth1", "refs/pull/1/head");
    assert_eq!(
        world.plan(&shallow, dispatch(), &["--base", &world.id("main")]),
        "affected b"
    );
}

#[test]
fn an_unborn_branch_is_no_commit() {
    let maestro = Maestro::in_folder();
    maestro.git(&["init", "--quiet"]);
    maestro
        .run(["plan"])
        .exits_with(66)
        .says("nothing is committed yet");
}

#[test]
fn several_merge_bases_are_all_compared_with() {
    let world = World::new();
    // Two lines that merged each other.
    world.git("checkout --quiet -b one start");
    world.write("a/one", "");
    world.commit("One");
    world.git("checkout --quiet -b two start");
    world.write("b/two", "");
    world.commit("Two");
    world.git("checkout --quiet one");
    world.git("merge --quiet --no-ff --message M two~0");
    world.git("checkout --quiet two");
    world.git("merge --quiet --no-ff --message M one~1");
    world.git("branch --quiet crossed");
    assert_eq!(world.git("merge-base --all one crossed").lines().count(), 2);
    let clone = world.clone("full", "refs/heads/crossed");
    let expected = "affected a b";
    assert_eq!(
        world.plan(&clone, None, &["--base", &world.id("one")]),
        expected
    );
}

#[test]
fn in_a_submodule_the_submodule_is_planned() {
    let world = World::new();
    world
        .maestro
        .git(&["init", "--quiet", "--initial-branch=main", "outer"]);
    let url = format!("file://{}", world.maestro.path("origin").display());
    world.maestro.git(&[
        "-C",
        "outer",
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "inner",
    ]);
    world
        .maestro
        .git(&["-C", "outer/inner", "checkout", "--quiet", "origin/topic"]);
    assert_eq!(world.plan("outer/inner", None, &[]), "affected b");
}
