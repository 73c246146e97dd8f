//! A run that is killed again and again comes to the same end, and does nothing twice that was finished.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Say, edit, edits, plain, plan, provider, task};
use crate::gateway::provider::Provider;
use crate::harness::Maestro;

/// A repository with four programs that are wrong in the same way.
fn repository() -> Maestro {
    let repo = Maestro::in_repo();
    for name in ["a", "b", "c", "d"] {
        repo.file(&format!("{name}.sh"), "echo $(($1 - $2))\n");
        repo.file(
            &format!("test-{name}.sh"),
            format!("test \"$(sh {name}.sh 2 3)\" = 5 || {{ echo {name} is wrong; exit 1; }}\n"),
        );
    }
    repo.file("issue.md", "# All subtract\n\nThey are to add.\n");
    repo.commit("Four");
    repo
}

/// Six roles, four branches; `b` is written wrongly first.
fn team() -> Provider {
    provider(|question| {
        let name = ["a", "b", "c", "d"]
            .into_iter()
            .find(|name| question.text.contains(&format!("Do mend-{name}")))
            .unwrap_or("?");
        match question.role.as_str() {
            "planner" => {
                let mut tasks = vec![task("frame", "scaffolder", &[], &[], &["frame.txt"], &[])];
                for name in ["a", "b", "c", "d"] {
                    tasks.push(task(
                        &format!("mend-{name}"),
                        "implementer",
                        &["frame"],
                        &[&format!("{name}.sh")],
                        &[],
                        &[&format!("sh test-{name}.sh")],
                    ));
                }
                Say::json(&plan(&tasks))
            }
            "scaffolder" => Say::json(&edits(
                "scaffolder",
                &[edit("frame.txt", "create", "", "A frame.\n")],
            )),
            "implementer" if name == "b" && question.model.contains("haiku") => Say::json(&edits(
                "implementer",
                &[edit("b.sh", "replace", "$1 - $2", "$1 * $2")],
            )),
            "implementer" if question.turns == 0 => Say::Calls(vec![
                (
                    "edit",
                    json!({"edits": [edit(&format!("{name}.sh"), "replace", "$1 - $2", "$1 + $2")]}),
                ),
                ("run", json!({"command": format!("sh test-{name}.sh")})),
            ]),
            "implementer" => Say::Calls(vec![("finish", plain("implementer"))]),
            "docs" => Say::json(&edits(
                "docs",
                &[edit("CHANGELOG.md", "create", "", "- All add.\n")],
            )),
            role => Say::json(&plain(role)),
        }
    })
}

fn args(model: &Provider, more: &[&str]) -> Vec<String> {
    let address = model.address();
    let mut args = vec!["run-agents", "--base-url", &address, "--format", "json"];
    for name in ["a", "b", "c", "d"] {
        args.extend([
            "--allow-command",
            match name {
                "a" => "sh test-a.sh",
                "b" => "sh test-b.sh",
                "c" => "sh test-c.sh",
                _ => "sh test-d.sh",
            },
        ]);
    }
    args.extend(more);
    args.into_iter().map(str::to_owned).collect()
}

/// Looks whether a finished step was done again.
fn repeats(journal: &str) -> Vec<String> {
    let mut finished: BTreeMap<String, usize> = BTreeMap::new();
    let mut repeated = Vec::new();
    for (number, line) in journal.lines().enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        let step = |kind: &str| match kind {
            "intent" | "outcome" => line["step"].as_str().unwrap().to_owned(),
            _ => line["turn"].to_string(),
        };
        let kind = line["kind"].as_str().unwrap();
        let is_repeated = match kind {
            "intent" | "begun" => finished.contains_key(&step(kind)),
            "outcome" | "ended" => finished.insert(step(kind), number).is_some(),
            _ => false,
        };
        if is_repeated {
            repeated.push(step(kind));
        }
    }
    repeated
}

fn what_counts(found: &Value) -> Value {
    let tasks = found["tasks"].as_array().unwrap().iter();
    let tasks: Vec<Value> = tasks
        .map(|task| json!([task["id"], task["state"], task["tries"]]))
        .collect();
    json!([
        found["outcome"],
        found["tree"],
        found["board_sha256"],
        found["files"],
        tasks
    ])
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "it kills a process after a while"
)]
fn a_run_that_is_killed_comes_to_the_same_end() {
    let kills = std::env::var("MAESTRO_KILLS")
        .ok()
        .and_then(|count| count.parse().ok());
    let kills: u64 = kills.unwrap_or(10);
    let model = team();
    let whole = repository();
    let started = std::time::Instant::now();
    let run = whole
        .run(args(&model, &["--issue", "issue.md", "--run-id", "whole"]))
        .success();
    let length = started.elapsed();
    let expected = what_counts(&serde_json::from_str(&run.stdout).unwrap());
    assert_eq!(expected[0], "complete");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let repo = repository();
        // The record of the change names the run.
        let id = "whole".to_owned();
        let mut more = vec![
            "--issue".to_owned(),
            "issue.md".to_owned(),
            "--run-id".to_owned(),
            id.clone(),
        ];
        let journal = repo.path(&format!(".git/maestro/runs/{id}/journal.ndjson"));
        // Three deaths a run at most, at any time of it.
        for _ in 0..3 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let part = f64::from(u32::try_from(random >> 40).unwrap()) / f64::from(1_u32 << 24);
            let more_args: Vec<&str> = more.iter().map(String::as_str).collect();
            let mut child = repo
                .command(args(&model, &more_args))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(length.mul_f64(part * 0.8));
            child.kill().unwrap();
            if !child.wait().unwrap().success() {
                killed += 1;
            }
            let has_begun = std::fs::read(&journal).is_ok_and(|bytes| bytes.contains(&b'\n'));
            if has_begun {
                more = vec!["--resume".to_owned(), id.clone()];
            } else {
                let _nothing_there = std::fs::remove_dir_all(journal.parent().unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let run = repo.run(args(&model, &more)).success();
        let found = what_counts(&serde_json::from_str(&run.stdout).unwrap());
        assert_eq!(found, expected);
        assert_eq!(
            repeats(&std::fs::read_to_string(&journal).unwrap()),
            [""; 0]
        );
        // What was recorded in several lives is played in one.
        let played = repo.run(args(&model, &["--replay", &id])).success();
        assert_eq!(
            what_counts(&serde_json::from_str(&played.stdout).unwrap()),
            expected
        );
    }
    println!("{killed} kills in {round} runs of {length:?}");
}
