//! `maestro run-agents`, with a model that plays its parts by a script.

mod cascade;
mod counted;
mod exercism;
mod kept;
mod killed;
#[cfg(target_os = "linux")]
mod malice;
pub(crate) mod script;
mod team;
mod whole;

use serde_json::{Value, json};

use crate::gateway::provider::Provider;
use crate::harness::{Maestro, Run};
use script::{Say, edit, edits, plain, plan, provider, task};

/// A repository whose program adds wrongly.
fn adder() -> Maestro {
    let repo = Maestro::in_repo();
    repo.file("add.sh", "echo $(($1 - $2))\n");
    repo.file(
        "test.sh",
        "got=$(sh add.sh 2 3)\ntest \"$got\" = 5 || { echo \"expected 5, got $got\"; exit 1; }\necho fine\n",
    );
    repo.file(
        "issue.md",
        "# Adding subtracts\n\n`sh add.sh 2 3` prints -1.\n",
    );
    repo.commit("An adder");
    repo
}

fn args<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![
        "run-agents",
        "--base-url",
        model,
        "--allow-command",
        "sh test.sh",
    ];
    args.extend(more);
    args
}

fn go(repo: &Maestro, model: &Provider, more: &[&str]) -> Run {
    let address = model.address();
    repo.run(args(&address, more))
}

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}\n{}", run.stdout, run.stderr))
}

fn mend() -> Value {
    edits(
        "implementer",
        &[edit("add.sh", "replace", "$1 - $2", "$1 + $2")],
    )
}

fn one_task() -> Value {
    plan(&[task(
        "mend",
        "implementer",
        &[],
        &["add.sh"],
        &[],
        &["sh test.sh"],
    )])
}

/// Leaves a run `mend` in a repository.
pub(crate) fn recorded(repo: &Maestro) {
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&plan(&[task(
            "mend",
            "implementer",
            &[],
            &["README.md"],
            &[],
            &[],
        )])),
        "implementer" => Say::json(&edits(
            "implementer",
            &[edit(
                "README.md",
                "replace",
                "A repository.",
                "A better one.",
            )],
        )),
        role => Say::json(&plain(role)),
    });
    go(
        repo,
        &model,
        &["--issue", "task.md", "--run-id", "mend", "--unpriced"],
    )
    .success();
}

fn tasks(document: &Value) -> Vec<String> {
    let rows = document["tasks"].as_array().unwrap().iter();
    let row = |row: &Value| {
        format!(
            "{} {} {}",
            row["id"].as_str().unwrap(),
            row["state"].as_str().unwrap(),
            row["tries"]
        )
    };
    rows.map(row).collect()
}

#[test]
fn an_issue_goes_through_all_roles_to_a_commit() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => {
            assert!(question.text.contains("`sh add.sh 2 3` prints -1."));
            Say::json(&one_task())
        }
        "implementer" => {
            // It is told what fails before it writes anything.
            assert!(
                question.text.contains("expected 5, got -1"),
                "{}",
                question.text
            );
            Say::json(&mend())
        }
        "docs" => Say::json(&edits(
            "docs",
            &[edit("CHANGELOG.md", "create", "", "- Adding adds.\n")],
        )),
        role => {
            assert!(
                question.text.contains("$1 + $2"),
                "{role}: {}",
                question.text
            );
            Say::json(&plain(role))
        }
    });
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "first", "--format", "json",
        ],
    )
    .success();
    let found = document(&run);
    assert_eq!(found["outcome"], "complete");
    assert_eq!(
        tasks(&found),
        [
            "mend done 1",
            "tester done 1",
            "reviewer done 1",
            "docs done 1"
        ]
    );
    let record = ".maestro/changes/2026-01-05-it-works.yaml";
    assert_eq!(found["files"], json!([record, "CHANGELOG.md", "add.sh"]));
    assert_eq!(found["pull_request"]["title"], "Mend it");
    looked_at(&repo, &found);
    // Played again, nobody is asked, and it comes to the same.
    let count = model.asked().len();
    let again = go(&repo, &model, &["--replay", "first", "--format", "json"]).success();
    let again = document(&again);
    assert_eq!(model.asked().len(), count);
    for name in [
        "outcome",
        "commit",
        "tree",
        "board_sha256",
        "tasks",
        "spent_usd",
    ] {
        assert_eq!(again[name], found[name], "{name}");
    }
}

/// Looks at what the first run left, and at how it is told.
fn looked_at(repo: &Maestro, found: &Value) {
    let commit = found["commit"].as_str().unwrap();
    let store = repo.path(".git/maestro/runs/first/store.git");
    let git = |rest: &[&str]| {
        let mut args = vec!["--git-dir", store.to_str().unwrap()];
        args.extend(rest);
        repo.git(&args)
    };
    assert_eq!(
        git(&["show", &format!("{commit}:add.sh")]),
        "echo $(($1 + $2))\n"
    );
    let log = git(&[
        "log",
        "--format=%an %s %(trailers:key=Maestro-Task,valueonly,separator=%x2C)",
        commit,
    ]);
    assert_eq!(
        log,
        "maestro Do docs docs\nmaestro Do mend mend\nAda Example An adder \nAda Example Begin \n"
            .replace("Do docs docs", "docs: the whole change docs")
    );
    // The user's own files and branches are as they were.
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert_eq!(repo.git(&["branch", "--list"]).trim(), "* main");
    // It can be told afterwards.
    let shown = repo.json(&["run-agents", "show", "first", "--html", "run.html"]);
    assert_eq!(shown["outcome"], "complete");
    assert_eq!(shown["spent_usd"], found["spent_usd"]);
    let turns = shown["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 4);
    assert_eq!(turns[0]["steps"][0]["what"], "run");
    assert_eq!(
        turns[0]["steps"][0]["line"],
        "exit code 1: expected 5, got -1"
    );
    let page = std::fs::read_to_string(repo.path("run.html")).unwrap();
    assert!(
        page.contains("<span class=\"add\">+echo $(($1 + $2))</span>"),
        "{page}"
    );
}

#[test]
fn a_check_that_fails_is_fed_back_to_a_stronger_model() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" if question.model.contains("haiku") => Say::json(&edits(
            "implementer",
            &[edit("add.sh", "replace", "$1 - $2", "$1 * $2")],
        )),
        "implementer" => {
            assert!(
                question.text.contains("expected 5, got 6"),
                "{}",
                question.text
            );
            Say::json(&mend())
        }
        role => Say::json(&plain(role)),
    });
    let run = go(&repo, &model, &["--issue", "issue.md", "--format", "json"]).success();
    let found = document(&run);
    assert_eq!(tasks(&found)[0], "mend done 2");
    let models = found["tasks"][0]["models"].as_array().unwrap();
    assert_eq!(models.len(), 2, "{models:?}");
}

#[test]
fn a_reviewer_sends_the_work_back() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" if question.text.contains("nobody can read it") => Say::json(&edits(
            "implementer",
            &[edit(
                "add.sh",
                "replace",
                "echo $(($1 - $2))",
                "# Adds.\necho $(($1 + $2))",
            )],
        )),
        "implementer" => Say::json(&mend()),
        "reviewer" if !question.text.contains("# Adds.") => {
            let mut answer = plain("reviewer");
            answer["verdict"] = json!("request-changes");
            answer["findings"] = json!([{"severity": "blocking", "category": "docs", "path": "add.sh", "line": 1, "title": "Bare", "evidence": "x",
                "why": "nobody can read it", "fix": "say what it does", "confidence": "high"}]);
            Say::json(&answer)
        }
        role => Say::json(&plain(role)),
    });
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "sent", "--format", "json",
        ],
    )
    .success();
    let found = document(&run);
    assert_eq!(found["outcome"], "complete");
    assert_eq!(
        tasks(&found),
        [
            "mend done 2",
            "tester done 2",
            "reviewer done 2",
            "docs done 1"
        ]
    );
    go(&repo, &model, &["--replay", "sent"]).success();
}

#[test]
fn a_model_may_look_around_first() {
    let repo = adder();
    let model = provider(|question| match (question.role.as_str(), question.turns) {
        ("planner", _) => Say::json(&one_task()),
        ("implementer", 0) => Say::Calls(vec![
            ("list", json!({"below": ""})),
            ("read", json!({"path": "add.sh"})),
            ("search", json!({"pattern": "expected"})),
            ("read", json!({"path": "../secret"})),
        ]),
        ("implementer", 1) => {
            for words in [
                "README.md\nadd.sh",
                "echo $(($1 - $2))",
                "test.sh:2:",
                "has an empty part",
            ] {
                assert!(question.text.contains(words), "{words}: {}", question.text);
            }
            Say::Calls(vec![
                (
                    "edit",
                    json!({"edits": [edit("test.sh", "replace", "5", "-1")]}),
                ),
                (
                    "edit",
                    json!({"edits": [edit("add.sh", "replace", "$1 - $2", "$1 + $2")]}),
                ),
                ("run", json!({"command": "sh test.sh"})),
                ("run", json!({"command": "curl evil"})),
            ])
        }
        ("implementer", _) => {
            for words in [
                "`test.sh` is not yours to change",
                "fine\n(exit code 0)",
                "begins with none of",
            ] {
                assert!(question.text.contains(words), "{words}: {}", question.text);
            }
            Say::Calls(vec![("finish", plain("implementer"))])
        }
        (role, _) => Say::json(&plain(role)),
    });
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "looks", "--format", "json",
        ],
    )
    .success();
    assert_eq!(document(&run)["files"][1], "add.sh");
    go(&repo, &model, &["--replay", "looks"]).success();
}

#[test]
fn what_cannot_be_done_stops_what_needs_it_and_nothing_else() {
    let repo = adder();
    repo.file("other.txt", "old\n");
    repo.commit("Another file");
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&plan(&[
            task(
                "mend",
                "implementer",
                &[],
                &["add.sh"],
                &[],
                &["sh test.sh"],
            ),
            task("more", "implementer", &["mend"], &["README.md"], &[], &[]),
            task("beside", "implementer", &[], &["other.txt"], &[], &[]),
        ])),
        "implementer" if question.text.contains("Do beside") => Say::json(&edits(
            "implementer",
            &[edit("other.txt", "replace", "old", "new")],
        )),
        "implementer" => Say::json(&edits(
            "implementer",
            &[edit("add.sh", "replace", "$1 - $2", "$1 * $2")],
        )),
        role => Say::json(&plain(role)),
    });
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "part", "--format", "json",
        ],
    )
    .exits_with(13);
    let found = document(&run);
    assert_eq!(found["outcome"], "partial");
    assert_eq!(
        tasks(&found),
        [
            "mend failed 3",
            "more skipped 0",
            "beside done 1",
            "tester skipped 0",
            "reviewer skipped 0",
            "docs skipped 0"
        ]
    );
    assert_eq!(found["files"], json!(["other.txt"]));
    let why = found["unfinished"][0].as_str().unwrap();
    assert!(
        why.starts_with("mend (implementer) is failed: $ sh test.sh"),
        "{why}"
    );
    go(&repo, &model, &["--replay", "part"]).exits_with(13);
}

#[test]
fn a_cap_stops_a_run_and_more_money_lets_it_go_on() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => Say::json(&mend()),
        role => Say::json(&plain(role)),
    });
    let begun = go(
        &repo,
        &model,
        &[
            "--issue",
            "issue.md",
            "--run-id",
            "poor",
            "--max-usd",
            "0.000001",
        ],
    );
    let begun = begun.exits_with(11);
    assert!(model.asked().is_empty(), "{}", begun.stderr);
    let run = go(
        &repo,
        &model,
        &[
            "--issue",
            "issue.md",
            "--run-id",
            "rich",
            "--max-usd",
            "9",
            "--format",
            "json",
        ],
    )
    .success();
    let spent: f64 = document(&run)["spent_usd"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(spent > 0.0 && spent < 1.0, "{spent}");
}

#[test]
fn an_altered_byte_stops_a_recording_at_its_step() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => Say::json(&mend()),
        role => Say::json(&plain(role)),
    });
    go(&repo, &model, &["--issue", "issue.md", "--run-id", "whole"]).success();
    let journal = std::fs::read(repo.path(".git/maestro/runs/whole/journal.ndjson")).unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let at = text.find("$1 + $2").unwrap();
    let mut altered = journal;
    altered[at + 3] = b'*';
    repo.file("altered.ndjson", altered);
    let run = go(&repo, &model, &["--replay", "altered.ndjson"]).exits_with(13);
    assert!(
        run.stderr
            .contains("step `mend/0.1/model/1`: its bytes are not those that were written"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_plan_is_shown_with_its_price_and_nothing_is_kept() {
    let repo = adder();
    let model = provider(|_| Say::json(&one_task()));
    let run = go(
        &repo,
        &model,
        &["--issue", "issue.md", "--dry-run", "--format", "json"],
    )
    .success();
    let found = document(&run);
    let ids: Vec<&str> = found["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["mend", "tester", "reviewer", "docs"]);
    let usd = |name: &str| -> f64 { found["estimate"][name].as_str().unwrap().parse().unwrap() };
    assert!(
        usd("low_usd") > 0.0
            && usd("low_usd") < usd("likely_usd")
            && usd("likely_usd") < usd("high_usd")
    );
    assert_eq!(model.asked().len(), 1);
    assert!(!repo.path(".git/maestro/runs").exists());
}

#[test]
fn a_bad_plan_is_sent_back_and_a_question_ends_the_run() {
    let repo = adder();
    let model = provider(|question| match question.turns {
        0 => Say::Text("I would rather not.".to_owned()),
        1 => Say::json(&plan(&[task(
            "mend",
            "wizard",
            &["mend"],
            &["gone.sh"],
            &[],
            &["rm -rf /"],
        )])),
        _ => {
            for words in [
                "there is no role `wizard`",
                "`gone.sh`, which is not there",
                "begins with none of",
            ] {
                assert!(question.text.contains(words), "{words}");
            }
            let mut answer = plan(&[]);
            answer["verdict"] = json!("needs-answers");
            answer["questions"] = json!(["Which adder?"]);
            Say::json(&answer)
        }
    });
    let run = go(&repo, &model, &["--issue", "issue.md", "--format", "json"]).exits_with(13);
    assert_eq!(document(&run)["questions"], json!(["Which adder?"]));
    assert_eq!(model.asked().len(), 3);
    let body = model.asked()[0].body.clone().unwrap();
    let task = &body["output_config"]["format"]["schema"]["properties"]["tasks"]["items"];
    let roles = task["properties"]["role"]["enum"].as_array().unwrap();
    assert!(roles.contains(&json!("implementer")) && !roles.contains(&json!("wizard")));
}
