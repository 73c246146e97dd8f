//! What a run came to, as events that others read.

use serde_json::{Value, json};

use super::script::{Say, edit, edits, plain, plan, provider};
use super::whole::{at_github, team};
use super::{adder, document, go, mend, one_task};
use crate::harness::{Maestro, files_below};

/// Returns the payloads of all events `agent_run`, in the order of their files.
pub(super) fn agent_runs(repo: &Maestro) -> Vec<Value> {
    events(repo, "agent_run")
}

fn events(repo: &Maestro, kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for file in files_below(&repo.path(".git/maestro/outbox")) {
        let text = std::fs::read_to_string(file).unwrap();
        let events = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.extend(events.filter(|event| event["kind"] == kind));
    }
    found.iter().map(|event| event["payload"].clone()).collect()
}

#[test]
fn an_event_says_who_did_what_at_what_price_and_what_went_wrong() {
    let repo = adder().env("GITHUB_TOKEN", "ghp_0123456789abcdefghijklmnopqrstuvwxyz");
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" if !question.text.contains("got 6") => Say::json(&edits(
            "implementer",
            &[edit("add.sh", "replace", "$1 - $2", "$1 * $2")],
        )),
        "implementer" => Say::json(&mend()),
        role => Say::json(&plain(role)),
    });
    let more = [
        "--issue", "issue.md", "--run-id", "mend", "--format", "json",
    ];
    let run = go(&repo, &model, &more).success();
    let found = document(&run);
    let [event] = agent_runs(&repo).try_into().unwrap();
    for name in ["run", "outcome", "base", "commit", "tree", "spent_usd"] {
        assert_eq!(event[name], found[name], "{name}");
    }
    assert_eq!(
        (&event["stage"], &event["cap_usd"], &event["files"]),
        (&json!("ended"), &json!("10"), &json!(2))
    );
    let rows = event["tasks"].as_array().unwrap();
    let roles: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row["role"].as_str().unwrap(),
                row["state"].as_str().unwrap(),
                row["attempts"]
            )
        })
        .collect();
    assert_eq!(
        roles,
        [
            "planner done 1",
            "implementer done 2",
            "tester done 1",
            "reviewer done 1",
            "docs done 1"
        ]
    );
    assert_eq!(
        rows[1]["failures"],
        json!([{"by": null, "end": "refused", "why": "$ sh test.sh: expected 5, got 6 (exit code 1)"}])
    );
    let usd = |row: &Value| row["usd"].as_str().unwrap().parse::<f64>().unwrap();
    let sum: f64 = rows.iter().map(usd).sum();
    assert!(
        (sum - usd(&json!({"usd": event["spent_usd"]}))).abs() < 1e-9
            && rows.iter().all(|row| usd(row) > 0.0)
    );
    // Playing it again is no run.
    go(&repo, &model, &["--replay", "mend"]).success();
    assert_eq!(agent_runs(&repo).len(), 1);
}

#[test]
fn a_run_that_fails_asks_or_has_no_money_is_told_too() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" if question.text.contains("Which adder") => {
            let mut answer = plan(&[]);
            answer["verdict"] = json!("needs-answers");
            answer["questions"] = json!(["Which one, @ada?"]);
            Say::json(&answer)
        }
        "planner" => Say::json(&one_task()),
        role => Say::json(&plain(role)),
    });
    repo.file("asks.md", "# Which adder\n\nIt subtracts.\n");
    go(&repo, &model, &["--issue", "asks.md"]).exits_with(13);
    go(&repo, &model, &["--issue", "issue.md"]).exits_with(13);
    go(
        &repo,
        &model,
        &["--issue", "issue.md", "--max-usd", "0.000001"],
    )
    .exits_with(11);
    let mut seen: Vec<String> = agent_runs(&repo)
        .iter()
        .map(|event| {
            let rows = event["tasks"].as_array().unwrap().iter();
            let states: Vec<&str> = rows.map(|row| row["state"].as_str().unwrap()).collect();
            format!(
                "{} {}",
                event["outcome"].as_str().unwrap(),
                states.join(" ")
            )
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "failed done failed skipped skipped skipped",
            "needs-answers open",
            "stopped-by-budget failed"
        ]
    );
    // A plan that is only shown is no run.
    go(&repo, &model, &["--issue", "issue.md", "--dry-run"]).success();
    assert_eq!(agent_runs(&repo).len(), 3);
}

#[test]
fn publishing_adds_the_pull_request() {
    let (repo, _fake) = at_github(adder());
    let model = team();
    let more = [
        "--issue", "issue.md", "--run-id", "sent", "--bundle", "bundle",
    ];
    go(&repo, &model, &more).success();
    for _ in 0..2 {
        repo.run(["run-agents", "publish", "bundle"]).success();
    }
    let events = agent_runs(&repo);
    let stages: Vec<(&Value, &Value)> = events
        .iter()
        .map(|event| (&event["stage"], &event["pull_request"]))
        .collect();
    let published = events
        .iter()
        .find(|event| event["stage"] == "published")
        .unwrap();
    assert_eq!(stages.len(), 2, "{stages:?}");
    assert!(published["pull_request"].as_u64().is_some());
    let ended = events
        .iter()
        .find(|event| event["stage"] == "ended")
        .unwrap();
    for name in ["run", "commit", "tree", "spent_usd", "outcome"] {
        assert_eq!(ended[name], published[name], "{name}");
    }
}

#[test]
fn recorded_answers_are_priced_and_paid_by_nobody() {
    let repo = adder();
    let answer = |task: &str, says: Value| json!({"task": task, "says": says, "usage": {"input_tokens": 1000, "output_tokens": 100}});
    let mut answers = vec![answer("plan", one_task()), answer("mend", mend())];
    answers.extend(["tester", "reviewer", "docs"].map(|role| answer(role, plain(role))));
    let file = |answers: &[Value]| {
        json!({"schema": "maestro.agent-answers/v1", "answers": answers}).to_string()
    };
    repo.file("answers.json", file(&answers));
    repo.file("few.json", file(&answers[..2]));
    repo.file(
        "none.json",
        "{\"schema\": \"maestro.agent-answers/v1\", \"answer\": []}",
    );
    let run = |answers: &str, id: &str| {
        let args = [
            "--offline",
            "run-agents",
            "--issue",
            "issue.md",
            "--recorded",
            answers,
            "--run-id",
            id,
        ];
        repo.run(
            args.into_iter()
                .chain(["--allow-command", "sh test.sh", "--format", "json"]),
        )
    };
    let found = document(&run("answers.json", "whole").success());
    assert!(found["spent_usd"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    assert_eq!(found["files"][1], "add.sh");
    assert_eq!(events(&repo, "spend"), [Value::Null; 0]);
    assert_eq!(agent_runs(&repo)[0]["engine"], "recorded");
    let few = document(&run("few.json", "few").exits_with(13));
    assert_eq!(few["tasks"][1]["state"], "failed");
    let why = few["tasks"][1]["why"].as_str().unwrap();
    assert!(
        why.ends_with("no answer of the task `tester` is left"),
        "{why}"
    );
    run("none.json", "none")
        .exits_with(65)
        .says("unknown field `answer`");
    // Playing it again needs no answers.
    repo.run(["--offline", "run-agents", "--replay", "whole"])
        .success();
}

#[test]
fn the_bundle_says_how_its_change_came_to_be_and_a_lie_is_refused() {
    let (repo, fake) = at_github(adder());
    let model = team();
    go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "told", "--bundle", "bundle",
        ],
    )
    .success();
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(repo.path(name)).unwrap()).unwrap()
    };
    let index = read("bundle/bundle.json");
    let slsa = read("bundle/provenance/slsa-provenance.statement.json");
    assert_eq!(
        slsa["subject"][0]["digest"]["gitCommit"],
        index["head"]["commit"]
    );
    let from = &slsa["predicate"]["buildDefinition"]["resolvedDependencies"];
    assert_eq!(from[0]["digest"]["gitCommit"], index["base"]["commit"]);
    let told = "bundle/provenance/agent-run.statement.json";
    let statement = read(told);
    assert_eq!(statement["predicate"]["spentUsd"], index["spent_usd"]);
    repo.run(["provenance", "show", told]).success();
    // Somebody says that it was cheaper, and mends the digest in the index.
    let lie = statement
        .to_string()
        .replace("\"spentUsd\":\"0.", "\"spentUsd\":\"1.");
    let mut other = index.clone();
    let files = other["files"].as_object_mut().unwrap();
    files.insert(
        "provenance/agent-run.statement.json".to_owned(),
        json!(crate::publish::work::digest(lie.as_bytes())),
    );
    repo.file(told, lie)
        .file("bundle/bundle.json", other.to_string());
    repo.run(["run-agents", "publish", "bundle"])
        .exits_with(65)
        .says("it says something else of the run than the index");
    assert!(fake.store().lists.get("/pulls").is_none_or(Vec::is_empty));
    repo.file(told, statement.to_string())
        .file("bundle/bundle.json", index.to_string());
    repo.run(["run-agents", "publish", "bundle"]).success();
}
