//! `maestro pr-health`: what is known of a change, whose weights count, and the one comment.

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::harness::{Maestro, Run, package};

/// A repository with a branch `topic` that adds a file of three lines.
fn topic() -> Maestro {
    topic_of("")
}

fn topic_of(config: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    if !config.is_empty() {
        maestro.file(".maestro/maestro.yaml", config);
        maestro.commit("Configure");
    }
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro.file("src/a.py", "def f(a):\n    if a:\n        return 1\n");
    maestro.commit("Change");
    maestro
}

/// A report in which so many of the three lines were executed.
fn covered(lines: usize) -> String {
    let lines: String = (1..=3)
        .map(|line| format!("DA:{line},{}\n", u8::from(line <= lines)))
        .collect();
    format!("SF:/ci/work/src/a.py\n{lines}end_of_record\n")
}

fn health(maestro: &Maestro, rest: &[&str]) -> Run {
    let mut args = vec!["pr-health", "--base", "main", "--format", "json"];
    args.extend(rest);
    maestro.run(args)
}

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}\n{}", run.stdout, run.stderr))
}

fn factor(document: &Value, name: &str) -> Value {
    let factors = document["factors"].as_array().unwrap();
    let found = factors.iter().find(|factor| factor["name"] == name);
    found.unwrap().clone()
}

#[test]
fn what_nobody_knows_is_unknown() {
    let document = document(&health(&topic(), &[]).success());
    let unknown: Vec<&str> = document["factors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|factor| factor["score"].is_null())
        .map(|factor| factor["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        unknown,
        ["budget", "flakes", "patch-coverage", "reviews", "security"]
    );
    assert_eq!(factor(&document, "complexity")["score"], 96);
    assert_eq!(document["risk"], "medium");
    assert!(document["merge_time"]["p50_seconds"].is_null());
    let why = document["merge_time"]["unknown"].as_str().unwrap();
    assert!(why.contains("at least 20"), "{why}");
}

#[test]
fn every_factor_has_its_section_in_the_documentation() {
    let document = document(&health(&topic(), &[]).success());
    let docs = std::fs::read_to_string(package().join("docs/pr-health.md")).unwrap();
    for factor in document["factors"].as_array().unwrap() {
        let title = format!(
            "### `{}` ({})\n",
            factor["name"].as_str().unwrap(),
            factor["weight"]
        );
        assert!(docs.contains(&title), "{title}");
    }
}

#[test]
fn lines_that_no_test_executed_are_named() {
    let maestro = topic();
    maestro.file("lcov.info", covered(2));
    let document = document(&health(&maestro, &["--coverage", "lcov.info"]).success());
    let coverage = factor(&document, "patch-coverage");
    assert_eq!(coverage["score"], 66);
    let evidence = &coverage["evidence"][0];
    assert_eq!(
        (&evidence["path"], &evidence["line"]),
        (&json!("src/a.py"), &json!(3))
    );
    assert_eq!(coverage["recommendations"][0]["because_of"], json!([0]));
    assert_eq!(
        document["coverage"],
        json!({"forms": ["lcov"], "unplaced": 0})
    );
}

#[test]
fn a_report_that_is_broken_is_refused_with_its_place() {
    let maestro = topic();
    maestro.file("lcov.info", "SF:a\nDA:one,1\nend_of_record\n");
    let _ = health(&maestro, &["--coverage", "lcov.info"])
        .exits_with(65)
        .says("lcov.info:2:1: `DA:` has no number of a line");
    let _ = health(&maestro, &["--coverage", "nowhere"]).exits_with(66);
}

#[test]
fn weights_are_those_of_the_branch_that_it_goes_to() {
    let config = "schema: maestro.config/v1\nhealth: {weights: {complexity: 3}}\n";
    let maestro = topic_of(config);
    maestro.file(".maestro/maestro.yaml", config.replace('3', "77"));
    maestro.commit("Weigh");
    let found = document(&health(&maestro, &[]).success());
    assert_eq!(factor(&found, "complexity")["weight"], 3);
    assert_eq!(factor(&found, "security")["weight"], 20);
    let maestro = topic_of("schema: maestro.config/v1\nhealth: {weights: {complexty: 3}}\n");
    let _ = health(&maestro, &[])
        .exits_with(78)
        .says("did you mean `complexity`?");
}

#[test]
fn a_high_risk_fails_only_where_that_is_asked_for() {
    let maestro = topic();
    maestro.file("lcov.info", covered(0));
    let args = ["--coverage", "lcov.info"];
    assert_eq!(document(&health(&maestro, &args).success())["risk"], "high");
    let _ = health(&maestro, &["--coverage", "lcov.info", "--fail-on", "high"])
        .exits_with(10)
        .says("the risk is high: `patch-coverage` is 0 of 100");
    maestro.file("lcov.info", covered(3));
    let _ = health(&maestro, &["--coverage", "lcov.info", "--fail-on", "high"]).success();
}

#[test]
fn what_the_policy_says_of_this_very_commit_counts() {
    let maestro = topic();
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let report = |head: &str, forgiven: Value| {
        json!({
            "schema": "maestro.check-policy/v1", "outcome": "blocked", "head": head,
            "violations": [
                {"rule": "secrets", "severity": "block", "message": "a token", "target": {"kind": "file", "path": "src/a.py", "line": 2}, "forgiven": forgiven},
                {"rule": "title", "severity": "block", "message": "too long", "target": {"kind": "said", "what": "title"}, "forgiven": null},
            ],
        })
        .to_string()
    };
    let run = |text: String| {
        maestro.file("policy.json", text);
        health(&maestro, &["--policy-report", "policy.json"])
    };
    let security = |run: &Run| factor(&document(run), "security");
    let found = security(&run(report(&head, Value::Null)).success());
    assert_eq!(found["score"], 0);
    assert_eq!(found["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(found["evidence"][0]["line"], 2);
    let forgiven = json!({"by": "baseline"});
    assert_eq!(
        security(&run(report(&head, forgiven)).success())["score"],
        100
    );
    let _ = run(report("another", Value::Null))
        .exits_with(65)
        .says("is about the commit `another`");
    let _ = run("{}".into()).exits_with(65);
    // The verdict that is stored counts where no report is given.
    maestro.file("policy.yaml", "");
    let _ = maestro.run(["check-policy", "--base", "main"]).success();
    let found = factor(&document(&health(&maestro, &[]).success()), "security");
    assert_eq!(found["score"], 100, "{found}");
}

/// Rows of pull requests that took so many hours each.
fn past(many: i64, hours: i64) -> String {
    let start: jiff::Timestamp = "2025-06-01T00:00:00Z".parse().unwrap();
    let at = |seconds: i64| start + jiff::SignedDuration::from_secs(seconds);
    let rows = (0..many).map(|number| {
        let created = number * 3600;
        json!({
            "kind": "pull", "created": at(created).to_string(), "merged": at(created + hours * 3600).to_string(),
            "additions": 3, "deletions": 0, "files": 1, "commits": 1, "author_kind": "human",
        })
        .to_string()
            + "\n"
    });
    rows.collect()
}

/// A pull request as GitHub's API has it.
fn pull(created: &str) -> Value {
    json!({
        "id": 1, "number": 7, "state": "open", "title": "t", "body": null, "user": {"id": 1, "login": "ada", "type": "User"}, "draft": false,
        "created_at": created, "updated_at": created, "closed_at": null, "merged_at": null, "merge_commit_sha": null,
        "head": {"label": null, "ref": "topic", "sha": "h", "repo": null}, "base": {"label": null, "ref": "main", "sha": "b", "repo": null},
        "html_url": "https://example.org/o/n/pull/7", "commits": 1,
        "reviews": [],
    })
}

#[test]
fn when_it_is_merged_is_told_by_those_before_it() {
    let maestro = topic();
    maestro.file("past.ndjson", past(40, 5));
    maestro.file("pull.json", pull("2026-01-05T07:00:00Z").to_string());
    let args = ["--past", "past.ndjson", "--pull", "pull.json"];
    let found = document(&health(&maestro, &args).success());
    let time = &found["merge_time"];
    assert_eq!(
        (&time["p50_seconds"], &time["p80_seconds"], &time["n"]),
        (&json!(18_000), &json!(18_000), &json!(40))
    );
    assert_eq!(factor(&found, "reviews")["score"], 100);
    assert_eq!(found["pull_request"], 7);
    // It has been open for longer than any of them.
    maestro.file("pull.json", pull("2026-01-01T07:00:00Z").to_string());
    let found = document(&health(&maestro, &args).success());
    let why = found["merge_time"]["unknown"].as_str().unwrap();
    assert!(why.contains("for as long as this one"), "{why}");
    assert_eq!(factor(&found, "reviews")["score"], 24);
    maestro.file("past.ndjson", "{\"kind\": \"pull\"\n");
    let _ = health(&maestro, &args)
        .exits_with(65)
        .says("past.ndjson:1:1");
}

#[test]
fn flaky_tests_of_files_that_it_touches_are_named() {
    let maestro = Maestro::in_repo();
    maestro.file("net.py", "").file(
        "h.ndjson",
        crate::flakes_escalate::history(0..40, crate::flakes_escalate::TESTS),
    );
    maestro.commit("Test");
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro.file("net.py", "x = 1\n");
    maestro.commit("Change");
    let found = factor(&document(&health(&maestro, &[]).success()), "flakes");
    let about: Vec<&str> = found["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["about"].as_str().unwrap())
        .collect();
    assert!(about.contains(&"net > retries"), "{found}");
    assert!(!about.contains(&"net > well"), "{found}");
    assert!(found["score"].as_u64().unwrap() < 100, "{found}");
}

fn on_github(fake: &Fake) -> Maestro {
    fake.add(
        "/pulls",
        "pull-request",
        json!({"number": 7, "created_at": "2026-01-05T07:00:00Z", "draft": false}),
    );
    topic()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_API_URL", fake.api())
}

#[test]
fn there_is_one_comment_and_it_is_written_when_it_changes() {
    let fake = Fake::start();
    let maestro = on_github(&fake);
    let args = ["--pr", "7", "--comment", "--coverage", "lcov.info"];
    maestro.file("lcov.info", covered(3));
    let _ = health(&maestro, &args)
        .success()
        .says("there is nothing to do, and no comment");
    assert_eq!(fake.comments(7).len(), 0);
    maestro.file("lcov.info", covered(1));
    for _ in 0..3 {
        let _ = health(&maestro, &args).success();
    }
    let comments = fake.comments(7);
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0].contains("add tests that execute these lines: `src/a.py:2-3`"),
        "{comments:?}"
    );
    assert!(comments[0].contains("`maestro: pull-request`"));
    assert_eq!(fake.writes().len(), 1);
    // What was mended is no longer said.
    maestro.file("lcov.info", covered(3));
    let _ = health(&maestro, &args).success();
    let comments = fake.comments(7);
    assert_eq!(comments.len(), 1);
    assert!(!comments[0].contains("add tests"), "{comments:?}");
    assert_eq!(fake.writes().len(), 1);
}

#[test]
fn a_token_that_may_not_write_leaves_it_to_the_summary() {
    let fake = Fake::start();
    let maestro = on_github(&fake);
    maestro.file("lcov.info", covered(1));
    fake.faults(|asked| {
        let denied = Answer::json(
            403,
            &json!({"message": "Resource not accessible by integration"}),
        );
        (asked.method != "GET").then_some(Fault::Instead(denied))
    });
    let _ = health(
        &maestro,
        &["--pr", "7", "--comment", "--coverage", "lcov.info"],
    )
    .success()
    .says("the step summary has it all");
    assert_eq!(fake.comments(7).len(), 0);
}
