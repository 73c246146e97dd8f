//! Exercises with real tests (corpus/tasks): a scripted model has the gold solution, and gives it only to a prompt in which the failing tests' own
//! output stands; a fifth of its answers are faulty. Each ends as one draft pull request on a fake GitHub. `MAESTRO_TASKS=all` takes all of them, a
//! name that one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::script::{Say, edit, edits, plain, plan, provider, task};
use super::whole::at_github;
use crate::gateway::provider::{Play, Provider};
use crate::github::Fake;
use crate::harness::{Maestro, corpus};

/// An exercise.
pub(super) struct Exercise {
    pub(super) name: String,
    folder: PathBuf,
    /// Path, text as it is, text as it should be.
    files: Vec<(String, Option<String>, String)>,
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

pub(super) fn exercises(folder: &Path) -> Vec<Exercise> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let read_one = |folder: PathBuf| {
        let config: Value =
            serde_json::from_str(&read(&folder.join(".meta/config.json")).unwrap()).unwrap();
        let solution = config["files"]["solution"].as_array().unwrap();
        let mut files = Vec::new();
        for path in solution.iter().filter_map(Value::as_str) {
            let gold = match path {
                "Cargo.toml" => read(&folder.join(".meta/Cargo-example.toml")),
                _ => read(&folder.join(".meta/example.rs")),
            };
            // Where the solution needs nothing more, the manifest stays.
            let old = read(&folder.join(path));
            if let Some(gold) = gold.filter(|gold| old.as_ref() != Some(gold)) {
                files.push((path.to_owned(), old, gold));
            }
        }
        Exercise {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder,
            files,
        }
    };
    folders.into_iter().map(read_one).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') && name != ".gitignore" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            // The corpus is read-only, and its copy is not to be.
            std::fs::write(to.join(name), std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

const TEST: &str = "cargo test --offline -- --include-ignored";

impl Exercise {
    fn repository(&self) -> Maestro {
        let repo = Maestro::in_repo();
        copy(&self.folder, &repo.path(""));
        let instructions = read(&self.folder.join(".docs/instructions.md")).unwrap_or_default();
        repo.file(
            "issue.md",
            format!("# Solve {}\n\n{instructions}\n", self.name),
        );
        // What the solution needs is fetched beforehand: the commands of agents have no network.
        let manifest = read(&repo.path("Cargo.toml")).unwrap();
        for (path, _, gold) in &self.files {
            if path == "Cargo.toml" {
                repo.file("Cargo.toml", gold);
            }
        }
        let fetched = std::process::Command::new("cargo")
            .arg("fetch")
            .current_dir(repo.path(""))
            .output()
            .unwrap();
        assert!(
            fetched.status.success(),
            "{}: {}",
            self.name,
            String::from_utf8_lossy(&fetched.stderr)
        );
        repo.file("Cargo.toml", manifest);
        repo.commit("An exercise");
        repo
    }

    /// The solution's path, what stands there, and what should.
    pub(super) fn solution(&self) -> &(String, Option<String>, String) {
        let is_source = |file: &&(String, Option<String>, String)| file.0 == "src/lib.rs";
        self.files.iter().find(is_source).unwrap()
    }

    fn gold(&self) -> Value {
        let all = self.files.iter().map(|(path, old, gold)| match old {
            Some(old) if !old.is_empty() => edit(path, "replace", old, gold),
            Some(_) | None => edit(path, "create", "", gold),
        });
        edits("implementer", &all.collect::<Vec<_>>())
    }

    fn plan(&self) -> Value {
        let paths: Vec<&str> = self
            .files
            .iter()
            .map(|(path, _, _)| path.as_str())
            .collect();
        plan(&[task("solve", "implementer", &[], &paths, &[], &[TEST])])
    }
}

/// Numbers that look random, and are the same each time.
pub(super) fn dice(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// A fifth of all answers is faulty, in one of four ways.
fn fault(seed: &mut u64, gold: &Value) -> Option<Say> {
    if !dice(seed).is_multiple_of(5) {
        return None;
    }
    let error = |status: u16, kind: &str| {
        let mut play = Play::json(
            status,
            &json!({"type": "error", "error": {"type": kind, "message": "not now"}}),
        );
        play.status = status;
        Say::Play(play)
    };
    Some(match dice(seed) % 4 {
        0 => error(429, "rate_limit_error"),
        1 => {
            let mut play = super::script::stream("m", 100, &Say::json(gold));
            let pieces = play.pieces.len() - 2;
            play = play.cut_after(pieces);
            Say::Play(play)
        }
        2 => Say::json(&edits(
            "implementer",
            &[edit("src/lib.rs", "replace", "this stands nowhere", "x")],
        )),
        _ => Say::json(&edits("implementer", &[])),
    })
}

/// A model that has the gold, and gives it to whoever shows what the failing tests said.
fn scripted(exercise: &Exercise, at: usize) -> Provider {
    let (gold, planned) = (exercise.gold(), exercise.plan());
    let seed = Arc::new(Mutex::new(
        0x2545_f491_4f6c_dd1d_u64 ^ (at as u64 + 1) << 20,
    ));
    provider(move |question| {
        if question.role == "implementer" {
            // The real output of the real tests, or no solution.
            let has_output = question.text.contains("(exit code 101)")
                && (question.text.contains("error[E")
                    || question.text.contains("panicked at")
                    || question.text.contains("error:"));
            if let Some(fault) = fault(&mut seed.lock().unwrap(), &gold) {
                return fault;
            }
            return Say::json(if has_output { &gold } else { &Value::Null });
        }
        if let Some(Say::Play(play)) = fault(&mut seed.lock().unwrap(), &gold) {
            return Say::Play(play);
        }
        match question.role.as_str() {
            "planner" => Say::json(&planned),
            role => Say::json(&plain(role)),
        }
    })
}

/// What a run may cost.
const CAP: &str = "5";

/// Publishes what a run left; returns the number of its draft pull request, which is the only one, says what the run cost and holds its commit.
fn draft(repo: &Maestro, fake: &Fake, found: &Value) -> Result<String, String> {
    let run = repo.run(["run-agents", "publish", "bundle", "--format", "json"]);
    let published: Value = serde_json::from_str(&run.stdout).map_err(|_| run.stderr.clone())?;
    if run.code != 0 || published["pull_request"]["step"] != "opened" {
        return Err(format!("{published}"));
    }
    let pulls = fake
        .store()
        .lists
        .get("/pulls")
        .cloned()
        .unwrap_or_default();
    let [pull] = pulls.as_slice() else {
        return Err(format!("{} pull requests", pulls.len()));
    };
    assert_eq!(pull["draft"], true);
    assert_eq!(pull["number"], published["pull_request"]["number"]);
    let bundle: Value =
        serde_json::from_str(&std::fs::read_to_string(repo.path("bundle/bundle.json")).unwrap())
            .unwrap();
    assert_eq!(
        (&bundle["spent_usd"], &bundle["cap_usd"]),
        (&found["spent_usd"], &json!(CAP))
    );
    let tip = repo.git(&[
        "--git-dir=r.git",
        "rev-parse",
        published["head"]["branch"].as_str().unwrap(),
    ]);
    assert_eq!(tip.trim(), found["commit"]);
    for task in bundle["tasks"].as_array().unwrap() {
        assert!(task["attempts"].as_u64().unwrap() <= 3, "{task}");
    }
    Ok(format!("#{}", pull["number"]))
}

#[test]
fn exercises_become_draft_pull_requests_though_a_fifth_of_the_answers_is_faulty() {
    let Some(folder) = corpus("tasks/exercism-rust") else {
        return;
    };
    let all = exercises(&folder);
    assert_eq!(all.len(), 30);
    let which = std::env::var("MAESTRO_TASKS").unwrap_or("accumulate".to_owned());
    let is_wanted = |one: &Exercise| which == "all" || one.name == which;
    let count = all.iter().filter(|one| is_wanted(one)).count();
    let mut solved = 0;
    let mut told = Vec::new();
    for (at, exercise) in all
        .into_iter()
        .enumerate()
        .filter(|(_, one)| is_wanted(one))
    {
        let repo = exercise.repository();
        let model = scripted(&exercise, at);
        let home = std::env::var("HOME").unwrap_or_default();
        let cargo = std::env::var("CARGO_HOME").unwrap_or(format!("{home}/.cargo"));
        let rustup = std::env::var("RUSTUP_HOME").unwrap_or(format!("{home}/.rustup"));
        let address = model.address();
        let (repo, fake) = at_github(repo);
        let repo = repo.env("CARGO_HOME", cargo).env("RUSTUP_HOME", rustup);
        let run = repo.run([
            "run-agents",
            "--base-url",
            &address,
            "--issue",
            "issue.md",
            "--run-id",
            "run",
            "--allow-command",
            TEST,
            "--max-usd",
            CAP,
            "--bundle",
            "bundle",
            "--format",
            "json",
        ]);
        let found: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|_| panic!("{}: {}", exercise.name, run.stderr));
        let rows = found["tasks"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["tries"].as_u64().unwrap() <= 3));
        let spent: f64 = found["spent_usd"].as_str().unwrap().parse().unwrap();
        assert!(spent <= CAP.parse().unwrap());
        let is_green = run.code == 0 && found["outcome"] == "complete";
        let draft = if is_green {
            draft(&repo, &fake, &found)
        } else {
            Err("there is nothing to publish".to_owned())
        };
        let is_solved = draft.is_ok();
        solved += usize::from(is_solved);
        told.push(format!(
            "{} {} ${spent:.4} tries {} draft {}",
            exercise.name,
            found["outcome"],
            rows[0]["tries"],
            draft.unwrap_or_else(|why| format!("none: {why}"))
        ));
        if !is_solved {
            told.push(rows[0]["why"].to_string());
        }
        println!("{}", told.last().unwrap());
    }
    assert!(solved * 100 >= count * 99, "{told:#?}");
}
