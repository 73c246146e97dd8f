//! Which runs of agents the indicators of a team count.

use serde_json::{Value, json};

use super::{adder, mend, one_task, recorded};
use crate::run_agents::script::plain;

#[test]
fn a_run_with_recorded_answers_is_no_success_of_an_agent() {
    let repo = adder();
    let answer = |task: &str, says: Value| json!({"task": task, "says": says, "usage": {"input_tokens": 1000, "output_tokens": 100}});
    let mut answers = vec![answer("plan", one_task()), answer("mend", mend())];
    answers.extend(["tester", "reviewer", "docs"].map(|role| answer(role, plain(role))));
    let file = json!({"schema": "maestro.agent-answers/v1", "answers": answers});
    repo.file("answers.json", file.to_string());
    let args = [
        "--offline",
        "run-agents",
        "--issue",
        "issue.md",
        "--run-id",
        "played",
    ];
    let more = [
        "--recorded",
        "answers.json",
        "--allow-command",
        "sh test.sh",
    ];
    repo.run(args.into_iter().chain(more)).success();
    let found = repo.json(&[
        "--now",
        "2026-01-06T09:00:00Z",
        "dora",
        "kpi",
        "--source",
        "git",
        "--targets",
        "example",
    ]);
    let success = &found["indicators"][6];
    assert_eq!(
        (&success["n"], &success["verdict"]),
        (&json!(0), &json!("not enough data"))
    );
    assert_eq!(success["left_out"][0]["code"], "recorded");
    // One in which a model was asked counts.
    repo.file("task.md", "Mend the readme.\n");
    recorded(&repo);
    let rows = repo.json(&[
        "--now",
        "2026-01-06T09:00:00Z",
        "dora",
        "explain",
        "kpi:agent-success",
        "--source",
        "git",
    ])["rows"]
        .clone();
    let rows = rows.as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|row| {
            (
                row["id"].as_str().unwrap().to_owned(),
                row["counted"] == true,
                row["part"] == true,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("mend".to_owned(), true, true),
            ("played".to_owned(), false, true)
        ]
    );
}
