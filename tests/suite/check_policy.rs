//! `maestro check-policy`: whose policy counts, what is judged, and what it answers.

use serde_json::{Value, json};

use crate::harness::{Maestro, Run};

const POLICY: &str = "\
schema: maestro.policy/v1
rules:
- {rule: protected-paths, id: deploy, severity: block, reason: it ships, owner: '@acme/ops', protect: ['deploy/**']}
- {rule: protected-paths, id: docs, severity: review, reason: people read it, protect: ['docs/**']}
- {rule: title, id: short, severity: warn, reason: r, max_length: 20}
";

/// A repository whose `main` has this policy, on a branch `topic`.
fn guarded(policy: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/policy.yaml", policy);
    maestro.commit("Guard");
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro
}

fn judged(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}\n{}", run.stdout, run.stderr))
}

fn check(maestro: &Maestro, rest: &[&str]) -> Run {
    let mut args = vec!["check-policy", "--base", "main", "--format", "json"];
    args.extend(rest);
    maestro.run(args)
}

#[test]
fn a_block_names_file_line_observed_limit_reason_fix_and_owner() {
    let maestro = guarded(POLICY);
    maestro.file("deploy/a.yaml", "x: 1\n");
    maestro.commit("Change");
    let run = check(&maestro, &[])
        .exits_with(10)
        .says("the policy blocks the change");
    let violation = judged(&run)["violations"][0].clone();
    assert_eq!(
        violation["target"],
        json!({"kind": "file", "path": "deploy/a.yaml", "line": 1})
    );
    for (key, value) in [
        ("entry", "deploy"),
        ("rule", "protected-paths"),
        ("severity", "block"),
        ("observed", "added deploy/a.yaml"),
        ("limit", "no change at deploy/**"),
        ("reason", "it ships"),
        ("owner", "@acme/ops"),
        (
            "fix",
            "leave the file as it is, or ask its owner for a review",
        ),
    ] {
        assert_eq!(violation[key], value, "{key}");
    }
}

#[test]
fn a_change_is_judged_by_the_policy_that_it_comes_to() {
    let maestro = guarded(POLICY);
    // What the change itself says about it counts for nothing.
    maestro
        .file(".maestro/policy.yaml", POLICY.replace("block", "warn"))
        .file("deploy/a", "x\n");
    maestro.commit("Loosen");
    let document = judged(&check(&maestro, &[]).exits_with(10));
    assert_eq!(document["outcome"], "blocked");
    let entries: Vec<&str> = document["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["entry"].as_str().unwrap())
        .collect();
    assert_eq!(entries, ["deploy", "maestro-files", "short"]);
}

#[test]
fn a_pull_request_is_judged_by_its_base_as_the_remote_has_it_now() {
    let team = crate::harness::Team::new(&[]);
    team.git("a", "checkout --quiet -b topic");
    team.file("a/deploy/a", "x\n");
    team.commit("a");
    let head = team.git("a", "rev-parse HEAD").trim().to_owned();
    let before = team.git("a", "rev-parse main").trim().to_owned();
    // The policy comes in after the branch left.
    team.git(".", "clone --quiet --template= r.git b");
    team.file("b/.maestro/policy.yaml", POLICY);
    team.commit("b");
    team.git("b", "push --quiet origin main");
    let payload = json!({"number": 7, "pull_request": {
        "number": 7, "title": "A title", "author_association": "NONE", "user": {"id": 1, "login": "eve", "type": "User"},
        "head": {"ref": "topic", "sha": head, "repo": {"id": 2, "full_name": "eve/r"}},
        "base": {"ref": "main", "sha": before, "repo": {"id": 1, "full_name": "o/r"}}}});
    team.file("event.json", payload.to_string());
    let event = team.path("event.json");
    let team = team
        .env("CI", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", event)
        .env("GITHUB_SHA", &head)
        .env("GITHUB_BASE_REF", "main")
        .env("GITHUB_RUN_ID", "99");
    let run = team
        .run(["-C", "a", "check-policy", "--format", "json"])
        .exits_with(10);
    let document = judged(&run);
    assert_eq!(
        (
            &document["outcome"],
            &document["files"],
            &document["pull_request"]
        ),
        (&json!("blocked"), &json!(1), &json!(7))
    );
    let input = judged(
        &team
            .run([
                "-C",
                "a",
                "check-policy",
                "--explain-input",
                "--format",
                "json",
            ])
            .success(),
    );
    let asked = &input["asked"];
    assert_eq!(
        (&asked["author"], &asked["is_fork"], &asked["association"]),
        (&json!("eve"), &json!(true), &json!("NONE"))
    );
    let exported = team.run(["-C", "a", "state", "verify"]).success();
    assert!(exported.stdout.contains('1'), "{}", exported.stdout);
}

#[test]
fn a_review_stops_until_a_person_approves_and_a_warning_does_not() {
    let maestro = guarded(POLICY);
    maestro.file("docs/a.md", "x\n");
    maestro.commit("Change");
    let run = check(&maestro, &[])
        .exits_with(10)
        .says("a person has to approve this head");
    assert_eq!(judged(&run)["outcome"], "review");
    maestro.git(&["reset", "--quiet", "--hard", "main"]);
    maestro.file("src/a.rs", "x\n");
    maestro.commit("Change");
    assert_eq!(judged(&check(&maestro, &[]).success())["outcome"], "warned");
}

#[test]
fn without_a_policy_the_built_in_one_says_and_stops_nothing() {
    let maestro = Maestro::in_repo();
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro.file("a/.env", "TOKEN=x\n");
    maestro.commit("Leak");
    let document = judged(&check(&maestro, &[]).success().says("not enforced"));
    assert_eq!(
        (
            &document["outcome"],
            &document["enforced"],
            &document["policy"]["source"]
        ),
        (&json!("blocked"), &json!(false), &json!("built-in"))
    );
    let _ = check(&maestro, &["--enforce"]).exits_with(10);
    let _ = check(&maestro, &["--enforce", "--dry-run"]).success();
}

#[test]
fn a_configuration_says_whether_a_policy_counts() {
    for (enforce, code) in [("[]", 0), ("[plan]", 0), ("[policy]", 10)] {
        let maestro = Maestro::in_repo();
        maestro.file(".maestro/policy.yaml", POLICY).file(
            ".maestro/maestro.yaml",
            format!("schema: maestro.config/v1\nenforce: {enforce}\n"),
        );
        maestro.commit("Guard");
        maestro.git(&["checkout", "--quiet", "-b", "topic"]);
        // The change cannot switch it off either.
        maestro.file("deploy/a", "x\n").file(
            ".maestro/maestro.yaml",
            "schema: maestro.config/v1\nenforce: []\n",
        );
        maestro.commit("Change");
        let _ = check(&maestro, &[]).exits_with(code);
    }
}

#[test]
fn whoever_switches_maestro_off_is_heard() {
    let maestro = guarded(POLICY).env("MAESTRO_DISABLE", "1");
    maestro.file("deploy/a", "x\n");
    maestro.commit("Change");
    let run = check(&maestro, &[])
        .success()
        .says("MAESTRO_DISABLE is set");
    assert_eq!(judged(&run)["outcome"], "disabled");
}

#[test]
fn a_base_that_nobody_knows_is_no_pass() {
    let maestro = guarded(POLICY).env("CI", "true");
    let _ = maestro.run(["check-policy"]).exits_with(69);
    let maestro = guarded(POLICY);
    let _ = maestro
        .run(["check-policy", "--base", "nowhere"])
        .exits_with(66);
    let _ = maestro
        .run(["check-policy", "--base", "main", "--head", "nowhere"])
        .exits_with(66);
}

#[test]
fn reports_that_no_rule_reads_are_refused_and_not_passed_over() {
    let maestro = guarded(POLICY);
    for flag in [
        "--sbom",
        "--base-sbom",
        "--vulns",
        "--sarif",
        "--base-sarif",
        "--vex",
    ] {
        let _ = check(&maestro, &[flag, "r.json"]).exits_with(15).says(flag);
    }
}

#[test]
fn an_agents_task_is_judged_before_and_after() {
    let policy = POLICY.replace(
        "owner: '@acme/ops'",
        "owner: '@acme/ops', applies_to: agents",
    );
    let maestro = guarded(&policy);
    let task = |files: &str, scope: &str| {
        json!({"schema": "maestro.policy-task/v1", "id": "t1", "title": "Do it", "files": files.split(' ').collect::<Vec<_>>(), "scope": scope.split(' ').collect::<Vec<_>>()}).to_string()
    };
    let before = |files: &str| {
        maestro.file("task.json", task(files, "src/** deploy/**"));
        maestro.run(["check-policy", "--task", "task.json", "--format", "json"])
    };
    assert_eq!(judged(&before("src/a.rs").success())["task"], "t1");
    assert_eq!(
        judged(&before("src/a.rs deploy/x").exits_with(10))["violations"][0]["entry"],
        "deploy"
    );
    assert_eq!(
        judged(&before("src/../deploy/x").exits_with(10))["counts"]["block"],
        2
    );
    assert_eq!(
        judged(&before("lib/a.rs").exits_with(10))["violations"][0]["rule"],
        "task-scope"
    );
    maestro.file("src/a.rs", "x\n").file("lib/b.rs", "x\n");
    maestro.git(&["add", "src", "lib"]);
    maestro.git(&["commit", "--quiet", "--message", "Do it"]);
    maestro.file("task.json", task("src/a.rs", "src/**"));
    let after = check(&maestro, &["--task", "task.json"]).exits_with(10);
    assert_eq!(
        judged(&after)["violations"][0]["target"]["path"],
        "lib/b.rs"
    );
    for bad in [
        "{}",
        "",
        r#"{"schema": "maestro.policy-task/v2", "id": "t"}"#,
        r#"{"schema": "maestro.policy-task/v1", "id": "t", "more": 1}"#,
    ] {
        maestro.file("task.json", bad);
        let _ = maestro
            .run(["check-policy", "--task", "task.json"])
            .exits_with(65);
    }
    let _ = maestro
        .run(["check-policy", "--task", "nowhere.json"])
        .exits_with(66);
}

#[test]
fn a_policy_that_names_a_baseline_is_nothing_without_it() {
    let policy = POLICY.replace("rules:", "baseline: .maestro/known.json\nrules:");
    let maestro = guarded(&policy);
    let _ = check(&maestro, &[])
        .exits_with(78)
        .says(".maestro/known.json");
    let maestro = Maestro::in_repo();
    maestro
        .file(".maestro/policy.yaml", &policy)
        .file(".maestro/known.json", "{}");
    maestro.commit("Guard");
    let _ = maestro
        .run(["check-policy", "--base", "main"])
        .exits_with(78);
    maestro.file(
        ".maestro/known.json",
        r#"{"schema": "maestro.policy-baseline/v1", "entries": []}"#,
    );
    maestro.commit("Mend");
    let _ = maestro
        .run([
            "check-policy",
            "--base",
            "main",
            "--write-baseline",
            "b.json",
        ])
        .success();
    assert!(maestro.path("b.json").exists());
}

#[test]
fn an_organisations_policy_is_pinned_and_held() {
    let maestro = Maestro::in_repo();
    let floor = POLICY.replace("rules:", "locked: [deploy]\nrules:");
    maestro.file("org.yaml", &floor);
    maestro.commit("Publish");
    let pin = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let own =
        |rules: &str| format!("schema: maestro.policy/v1\nextends: //org.yaml@{pin}\n{rules}");
    let set = |text: &str| {
        maestro.file(".maestro/policy.yaml", text);
        maestro.commit("Guard");
    };
    set(&own(""));
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro.file("deploy/a", "x\n");
    maestro.commit("Change");
    let document = judged(&check(&maestro, &[]).exits_with(10));
    assert_eq!(
        (
            &document["violations"][0]["entry"],
            &document["violations"][0]["locked"]
        ),
        (&json!("deploy"), &json!(true))
    );
    assert_eq!(document["policy"]["extends"], format!("//org.yaml@{pin}"));

    maestro.git(&["checkout", "--quiet", "main"]);
    set(&own(
        "rules:\n- {rule: protected-paths, id: deploy, severity: warn, reason: r,\n   protect: ['deploy/**']}\n",
    ));
    let _ = check(&maestro, &[])
        .exits_with(78)
        .says(".maestro/policy.yaml:4:1")
        .says("`severity` of `deploy` is looser than locked");
    set(&own("").replace(&pin, &"0".repeat(40)));
    let _ = check(&maestro, &["--no-fetch"])
        .exits_with(69)
        .says("could not be read");
    set(&own("").replace("org.yaml", "nowhere.yaml"));
    let _ = check(&maestro, &[]).exits_with(66);
}
