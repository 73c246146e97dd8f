//! What it saves to begin with a cheap model and to ask a stronger one when the check failed, on the exercises of corpus/tasks.
//!
//! Whether a model solves an exercise is drawn, with a seed, from the answers that real models gave (corpus/router, GSM8K of `RouteLLM`): the small
//! tier solves it where Mixtral was right, the large one where GPT-4 was, and the one between them takes either column. Who fails, fails each time.
//! Prices are those of the built-in table, tokens a quarter of the bytes that really went over the wire. The check compares with the solution by
//! digest; that the real tests accept it is what `exercism` shows.
//! `MAESTRO_SEEDS=20` takes twenty seeds; without it, one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::exercism::{Exercise, dice, exercises};
use super::script::{Question, Say, edit, edits, plain, plan, provider, task};
use crate::harness::{Maestro, corpus};

/// What three tiers make of one exercise.
type Solves = [bool; 3];

/// What became of a run.
struct Bill {
    solved: usize,
    usd: f64,
    /// How many tasks asked a model.
    calls: BTreeMap<String, usize>,
}

/// Who was right, question by question: the weak model, and the strong one.
fn answers(path: &Path) -> Vec<(bool, bool)> {
    let text = std::fs::read_to_string(path).unwrap();
    // Questions and answers hold commas, quotes and lines; the two columns between them do not.
    let is_right = |text: &str| text == "True";
    let mut found = Vec::new();
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                if character == '\n' {
                    if fields[1] == "True" || fields[1] == "False" {
                        found.push((is_right(&fields[1]), is_right(fields[2].trim())));
                    }
                    fields.clear();
                }
            }
            _ => field.push(character),
        }
    }
    found
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SOLUTION: &str = "src/lib.rs";

/// One repository with all exercises, and a check that knows a solution when it sees one.
fn repository(all: &[Exercise], one_model: Option<&str>) -> Maestro {
    let repo = Maestro::in_repo();
    repo.file(
        "check.sh",
        "got=$(sha256sum < $1/src/lib.rs | cut -d' ' -f1)\ntest \"$got\" = \"$(cat $1/digest)\" || { echo \"$1: not solved\"; exit 1; }\n",
    );
    for exercise in all {
        let (_, old, gold) = exercise.solution();
        let name = &exercise.name;
        repo.file(
            &format!("{name}/{SOLUTION}"),
            old.clone().unwrap_or_default(),
        );
        repo.file(&format!("{name}/digest"), digest(gold));
    }
    repo.file(
        "issue.md",
        "# Solve them all\n\nEach folder holds an exercise.\n",
    );
    if let Some(model) = one_model {
        let tiers =
            ["small", "medium", "large"].map(|tier| format!("    {tier}: {{model: {model}}}\n"));
        repo.file(
            ".maestro/maestro.yaml",
            format!(
                "schema: maestro.config/v1\nmodels:\n  tiers:\n{}",
                tiers.concat()
            ),
        );
    }
    repo.commit("Exercises");
    repo
}

/// What a model says that solves exercises, or does not.
fn say(
    question: &Question,
    all: &[(String, Option<String>, String)],
    solves: &[Solves],
    planned: &Value,
    is_alone: bool,
) -> Say {
    match question.role.as_str() {
        "planner" => Say::json(planned),
        "implementer" => {
            let (_, named) = question.text.split_once("Do what ").unwrap();
            let named = named.split(' ').next().unwrap();
            let at = all.iter().position(|(name, _, _)| name == named).unwrap();
            let (name, old, gold) = &all[at];
            let tier = match question.model.as_str() {
                _ if is_alone => 2,
                "claude-haiku-4-5" => 0,
                "claude-sonnet-5" => 1,
                _ => 2,
            };
            let wrong = format!("{gold}// and not quite\n");
            let new = if solves[at][tier] { gold } else { &wrong };
            let path = format!("{name}/{SOLUTION}");
            Say::json(&edits(
                "implementer",
                &[match old.as_deref() {
                    None | Some("") => edit(&path, "create", "", new),
                    Some(old) => edit(&path, "replace", old, new),
                }],
            ))
        }
        role => Say::json(&plain(role)),
    }
}

fn run(all: &[Exercise], solves: &[Solves], one_model: Option<&str>, tries: &str) -> Bill {
    let repo = repository(all, one_model);
    let tasks = all.iter().map(|exercise| {
        let name = &exercise.name;
        let path = format!("{name}/{SOLUTION}");
        task(
            name,
            "implementer",
            &[],
            &[&path],
            &[],
            &[&format!("sh check.sh {name}")],
        )
    });
    let planned = plan(&tasks.collect::<Vec<_>>());
    let texts = all.iter().map(|exercise| {
        let (_, old, gold) = exercise.solution();
        (exercise.name.clone(), old.clone(), gold.clone())
    });
    let (texts, solves): (Vec<_>, Arc<[Solves]>) = (texts.collect(), solves.into());
    let is_alone = one_model.is_some();
    let model = provider(move |question| say(question, &texts, &solves, &planned, is_alone));
    let address = model.address();
    let run = repo.run([
        "run-agents",
        "--base-url",
        &address,
        "--issue",
        "issue.md",
        "--run-id",
        "run",
        "--allow-command",
        "sh check.sh",
        "--max-usd",
        "50",
        "--tries",
        tries,
        "--max-tasks",
        "40",
        "--sandbox",
        "off",
        "--format",
        "json",
    ]);
    let found: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let is_solved =
        |row: &&Value| names.contains(&row["id"].as_str().unwrap()) && row["state"] == "done";
    let mut calls = BTreeMap::new();
    for row in found["tasks"].as_array().unwrap() {
        for model in row["models"].as_array().unwrap() {
            *calls.entry(model.as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    Bill {
        solved: found["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_solved)
            .count(),
        usd: found["spent_usd"].as_str().unwrap().parse().unwrap(),
        calls,
    }
}

#[test]
fn a_cascade_costs_half_and_solves_as_much() {
    let (Some(tasks), Some(router)) = (
        corpus("tasks/exercism-rust"),
        corpus("router/routellm_gsm8k_responses.csv"),
    ) else {
        return;
    };
    let all: Vec<Exercise> = exercises(&tasks);
    let rows = answers(&router);
    assert_eq!(rows.len(), 1319);
    let seeds: u64 = std::env::var("MAESTRO_SEEDS").map_or(1, |text| text.parse().unwrap());
    let (mut cascade, mut strong) = ((0, 0.0), (0, 0.0));
    let mut one_try = 0.0;
    for number in 1..=seeds {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number);
        let draw = |_| {
            let (weak, strong) =
                rows[usize::try_from(dice(&mut seed) % rows.len() as u64).unwrap()];
            [
                weak,
                if dice(&mut seed).is_multiple_of(2) {
                    weak
                } else {
                    strong
                },
                strong,
            ]
        };
        let solves: Vec<Solves> = all.iter().map(draw).collect();
        let ours = run(&all, &solves, None, "3");
        let theirs = run(&all, &solves, Some("claude-opus-5"), "3");
        // Who fails each time is not tried again by everybody.
        let once = run(&all, &solves, Some("claude-opus-5"), "1");
        println!(
            "seed {number}: cascade {} solved ${:.4} {:?}; strong alone {} solved ${:.4}, or ${:.4} where it has one try",
            ours.solved, ours.usd, ours.calls, theirs.solved, theirs.usd, once.usd
        );
        cascade = (cascade.0 + ours.solved, cascade.1 + ours.usd);
        strong = (strong.0 + theirs.solved, strong.1 + theirs.usd);
        one_try += once.usd;
    }
    let float = |count: usize| f64::from(u32::try_from(count).unwrap());
    let count = float(all.len()) * float(usize::try_from(seeds).unwrap());
    let share = |solved: usize| 100.0 * float(solved) / count;
    let cheaper = 100.0 * (1.0 - cascade.1 / strong.1);
    println!(
        "{seeds} seeds: cascade {:.1} %, strong alone {:.1} %, {cheaper:.1} % cheaper, and {:.1} % than the strong one with one try",
        share(cascade.0),
        share(strong.0),
        100.0 * (1.0 - cascade.1 / one_try)
    );
    assert!(share(cascade.0) >= share(strong.0) - 1.0);
    assert!(cheaper >= 50.0);
}
