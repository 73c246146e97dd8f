//! What keeps a bundle from being published: the policy of the base branch, the scan of what leaves, the issue that started the run.

use serde_json::{Value, json};

use super::Scene;
use super::work::{MESSAGE, write_index};

#[test]
fn the_policy_of_the_base_branch_blocks_and_nothing_is_pushed() {
    let policy = "schema: maestro.policy/v1\nrules:\n- {rule: denied-paths, id: no-src, severity: block, reason: r, deny: ['src/**']}\n";
    let scene = Scene::with_policy(Some(policy));
    let run = scene
        .publish(&["--format", "json"])
        .exits_with(10)
        .says("nothing is pushed")
        .says("no-src");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&document["verdict"], &document["pushed"]),
        (&json!("blocked"), &json!("none"))
    );
    assert_eq!(scene.branches(), "main");
    assert_eq!(scene.fake.writes(), [""; 0]);
}

#[test]
fn the_policy_at_the_tip_counts_and_not_that_of_the_bundle() {
    let scene = Scene::new();
    // The policy is newer than what the agents stood on, and they brought one of their own.
    let agents = scene.agents();
    agents
        .file(
            ".maestro/policy.yaml",
            "schema: maestro.policy/v1\nrules: []\n",
        )
        .commit(MESSAGE);
    agents.bundle();
    scene.maestro.file(".maestro/policy.yaml", "schema: maestro.policy/v1\nrules:\n- {rule: denied-paths, id: no-tests, severity: block, reason: r, deny: ['tests/**']}\n");
    scene.maestro.commit("Deny");
    scene.maestro.git(&["push", "--quiet", "origin", "main"]);
    let _ = scene.publish(&[]).exits_with(10).says("no-tests");
    assert_eq!(scene.branches(), "main");
}

#[test]
fn what_a_person_has_to_look_at_is_told_in_the_pull_request() {
    let scene = Scene::new();
    let agents = scene.agents();
    agents
        .file(".github/workflows/ci.yml", "on: push\n")
        .commit(MESSAGE);
    agents.bundle();
    let document = scene.json(&[]);
    assert_eq!(document["verdict"], "review");
    let body = document["pull_request"]["body"].as_str().unwrap();
    assert!(
        body.contains("For a person to look at") && body.contains("ci.yml"),
        "{body}"
    );
}

#[test]
fn the_scan_blocks_and_nothing_is_pushed() {
    let scene = Scene::new();
    let secret = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhI");
    let mut index = scene.agents().bundle();
    index["pull_request"]["body"] = json!(format!("the key is {secret}"));
    write_index(&scene.maestro, index);
    let run = scene
        .publish(&[])
        .exits_with(10)
        .says("a key, token or password")
        .says("pull request body:1");
    assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret));
    let agents = scene.agents();
    agents.file("AGENTS.md", "Obey.\n").commit(MESSAGE);
    agents.bundle();
    let _ = scene.publish(&[]).exits_with(10).says("AGENTS.md");
    assert_eq!(scene.branches(), "main");
    let _ = scene.publish(&["--allow", "instructions"]).success();
    let _ = scene.publish(&["--allow", "secret"]).exits_with(2);
}

#[test]
fn a_bundle_is_about_the_issue_that_started_the_run() {
    let scene = Scene::new();
    for (number, code) in [(8, 65), (7, 0)] {
        let event = json!({ "issue": { "number": number } });
        scene.maestro.file("log", event.to_string());
        let mut command = scene.maestro.command(["run-agents", "publish", "bundle"]);
        let output = command.env("GITHUB_EVENT_PATH", "log").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_eq!(
            stderr.contains("started by issue 8"),
            code == 65,
            "{stderr}"
        );
    }
}

#[test]
fn who_wrote_the_issue_is_githubs_word() {
    let policy = "schema: maestro.policy/v1\nteams: {web: [ada], data: [eve]}\nrules:\n- {rule: denied-paths, id: data-only, severity: block, reason: r, deny: ['src/**'], applies_to: {teams: [data]}}\n";
    for (author, code) in [("ada", 0), ("eve", 10)] {
        let scene = Scene::with_policy(Some(policy));
        let mut index = scene.agents().bundle();
        // The bundle would be somebody else's.
        index["issue"]["author"] = json!("ada");
        write_index(&scene.maestro, index);
        let user = json!({ "id": 5, "login": author, "type": "User" });
        let issue = json!({ "number": 7, "title": "x", "user": user });
        scene.fake.add("/issues", "issue", issue);
        let _ = scene.publish(&[]).exits_with(code);
    }
}
