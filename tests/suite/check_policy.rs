//! `maestro check-policy`: whose policy counts, what is judged, and what it answers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

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

#[test]
fn what_is_printed_has_the_published_form() {
    let maestro = guarded(POLICY);
    maestro
        .file("deploy/a.yaml", "x\n")
        .file("docs/a.md", "x\n");
    maestro.commit("Change");
    let valid = |name: &str, document: &Value| {
        let path = crate::harness::package().join(format!("schemas/{name}.json"));
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    };
    let run = check(&maestro, &["--write-baseline", "b.json"]).exits_with(10);
    valid("check-policy", &judged(&run));
    valid(
        "policy-input",
        &judged(&check(&maestro, &["--explain-input"]).success()),
    );
    let baseline = std::fs::read_to_string(maestro.path("b.json")).unwrap();
    valid("policy-baseline", &serde_json::from_str(&baseline).unwrap());
    let task =
        json!({"schema": "maestro.policy-task/v1", "id": "t", "files": ["a"], "scope": ["src/**"]});
    valid("policy-task", &task);
    valid(
        "change",
        &json!({"schema": "maestro.change/v1", "kind": "fixed", "summary": "s"}),
    );
    let disabled = maestro.env("MAESTRO_DISABLE", "1");
    valid("check-policy", &judged(&check(&disabled, &[]).success()));
}

#[test]
fn a_person_without_a_remote_is_judged_by_what_the_change_left() {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/policy.yaml", POLICY);
    maestro.commit("Guard");
    maestro
        .file("deploy/a", "x\n")
        .file(".maestro/policy.yaml", POLICY.replace("block", "warn"));
    maestro.commit("Loosen");
    let run = maestro
        .run(["check-policy", "--format", "json"])
        .exits_with(10);
    assert_eq!(judged(&run)["outcome"], "blocked");
}

#[test]
fn a_branch_of_an_agent_is_an_agents() {
    let policy = POLICY
        .replace("rules:", "agents: {branches: ['bots/**']}\nrules:")
        .replace("owner: '@acme/ops'", "applies_to: agents");
    let maestro = guarded(&policy);
    maestro.file("deploy/a", "x\n");
    maestro.commit("Change");
    let _ = check(&maestro, &[]).success();
    maestro.git(&["checkout", "--quiet", "-b", "bots/one"]);
    let _ = check(&maestro, &[]).exits_with(10);
}

/// A merge queue tries pull request 7, of which GitHub says this.
fn queued(answers: impl Fn(&str) -> Vec<(String, Value)>) -> Run {
    let policy = POLICY.replace("owner: '@acme/ops'", "applies_to: forks");
    let maestro = guarded(&policy);
    maestro.file("deploy/a", "x\n");
    maestro.commit("Change");
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let base = maestro.git(&["rev-parse", "main"]).trim().to_owned();
    let group = json!({"merge_group": {"head_sha": head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc", "base_sha": base, "base_ref": "refs/heads/main"}});
    maestro.file(".git/event.json", group.to_string());
    let event = maestro.path(".git/event.json");
    let maestro = maestro
        .env("CI", "true")
        .env("GITHUB_EVENT_NAME", "merge_group")
        .env("GITHUB_EVENT_PATH", event)
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_API_URL", github(answers(&head)))
        .env("GITHUB_TOKEN", "t");
    check(&maestro, &[])
}

#[test]
fn a_queue_asks_who_wants_the_change_and_fears_the_worst_when_nobody_says() {
    let pull = |head: &str, of: u64| {
        let side = |id: u64, sha: &str| json!({"label": "x:y", "ref": "topic", "sha": sha, "repo": {"id": id, "full_name": "o/r"}});
        json!({"id": 1, "number": 7, "state": "open", "title": "A title", "body": null, "user": {"id": 1, "login": "ada", "type": "User"},
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "closed_at": null, "merged_at": null, "merge_commit_sha": null,
            "head": side(of, head), "base": side(1, head), "labels": [], "html_url": "https://x"})
    };
    let known = |of: u64| {
        queued(|head| {
            vec![
                ("/pulls/7/reviews".to_owned(), json!([])),
                ("/pulls/7".to_owned(), pull(head, of)),
            ]
        })
    };
    let _ = known(1).success();
    let _ = known(2).exits_with(10);
    let unknown = queued(|_| Vec::new()).exits_with(10);
    assert_eq!(judged(&unknown)["violations"][0]["entry"], "deploy");
}

/// A server that answers each request whose line holds a text with a document, and others with 404.
pub(crate) fn github(answers: Vec<(String, Value)>) -> String {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://127.0.0.1:{}", door.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for visitor in door.incoming().flatten() {
            let lines: Vec<String> = BufReader::new(&visitor)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let line = lines.first().cloned().unwrap_or_default();
            let found = answers.iter().find(|(text, _)| line.contains(text));
            let (status, body) = found.map_or(("404 Not Found", json!({})), |(_, body)| {
                ("200 OK", body.clone())
            });
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = write!(&visitor, "{head}{body}");
        }
    });
    address
}

/// A pull request by `ada`, of which somebody said this at GitHub.
fn reviewed(reviews: &Value) -> Run {
    let maestro = guarded(POLICY);
    maestro.file("docs/a.md", "x\n");
    maestro.commit("Change");
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let base = maestro.git(&["rev-parse", "main"]).trim().to_owned();
    let reviews = reviews.to_string().replace("HEAD", &head);
    let address = github(vec![(
        "/pulls/7/reviews".to_owned(),
        serde_json::from_str(&reviews).unwrap(),
    )]);
    let repo = json!({"id": 1, "full_name": "o/r"});
    let payload = json!({"number": 7, "pull_request": {
        "number": 7, "title": "A title", "user": {"id": 1, "login": "ada", "type": "User"},
        "head": {"ref": "topic", "sha": head, "repo": repo}, "base": {"ref": "main", "sha": base, "repo": repo}}});
    maestro.file(".git/event.json", payload.to_string());
    let event = maestro.path(".git/event.json");
    let maestro = maestro
        .env("CI", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", event)
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_API_URL", address)
        .env("GITHUB_TOKEN", "t");
    check(&maestro, &[])
}

#[test]
fn a_persons_approval_of_this_head_opens_a_review() {
    let review = |login: &str, kind: &str, commit: &str, how: &str| json!([{"id": 1, "user": {"id": 2, "login": login, "type": kind}, "state": "APPROVED", "submitted_at": null, "commit_id": commit, "author_association": how}]);
    let approved = judged(&reviewed(&review("bob", "User", "HEAD", "MEMBER")).success());
    assert_eq!(
        approved["violations"][0]["forgiven"],
        json!({"by": "approval", "people": ["bob"]})
    );
    for (login, kind, commit, how) in [
        ("ada", "User", "HEAD", "OWNER"),
        ("x[bot]", "Bot", "HEAD", "MEMBER"),
        ("bob", "User", "0000", "MEMBER"),
        ("bob", "User", "HEAD", "CONTRIBUTOR"),
        ("bob", "User", "HEAD", "NONE"),
    ] {
        let run = reviewed(&review(login, kind, commit, how)).exits_with(10);
        assert_eq!(
            judged(&run)["outcome"],
            "review",
            "{login} {kind} {commit} {how}"
        );
    }
    // What is no list of reviews is no approval.
    let _ = reviewed(&json!({"message": "Server Error"})).exits_with(10);
}

#[test]
fn an_organisations_policy_is_read_from_github_at_its_commit() {
    let pin = "0123456789abcdef0123456789abcdef01234567";
    let floor = POLICY.replace("rules:", "locked: all\nrules:");
    let maestro = guarded(&format!(
        "schema: maestro.policy/v1\nextends: acme/ci-policy//p.yaml@{pin}\n"
    ));
    maestro.file("deploy/a", "x\n");
    maestro.commit("Change");
    // base64(1), by hand: no dependency for a test.
    let file = json!({"path": "p.yaml", "sha": "x", "size": floor.len(), "encoding": "base64", "content": base64(floor.as_bytes())});
    let line = format!("/repos/acme/ci-policy/contents/p.yaml?ref={pin}");
    let address = github(vec![(line, file)]);
    let maestro = maestro
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_API_URL", address)
        .env("GITHUB_TOKEN", "t");
    let document = judged(&check(&maestro, &[]).exits_with(10));
    assert_eq!(
        (
            &document["violations"][0]["entry"],
            &document["violations"][0]["locked"]
        ),
        (&json!("deploy"), &json!(true))
    );
    let _ = check(&maestro, &["--offline"]).exits_with(69);
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let number = part
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - part.len()));
        for digit in 0..4 {
            let at = (number >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= part.len() {
                char::from(DIGITS[at])
            } else {
                '='
            });
        }
    }
    text
}
