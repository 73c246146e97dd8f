//! From an issue to a draft pull request, with either engine.

use serde_json::{Value, json};

use super::script::{Say, edit, edits, plain, plan, provider, task};
use super::{adder, args, document, go, mend, one_task, tasks};
use crate::gateway::provider::Provider;
use crate::github::{Fake, TOKEN};
use crate::harness::Maestro;

const KEY: &str = "sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz";

/// A program that asks a model once, looks whether it can see a key, changes what it is to change, and leaves its answer.
const AGENT: &str = r#"import json, os, re, sys, urllib.request

prompt = sys.stdin.read()
role = re.search(r"You are the (\w+)", prompt).group(1)
if any("sk-ant" in value for value in os.environ.values()):
    sys.exit("a key")
body = {"model": os.environ["MAESTRO_MODEL"], "max_tokens": 100, "messages": [{"role": "user", "content": "You are the helper."}]}
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "content-type": "application/json", "anthropic-version": "2023-06-01"}
ask = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)
urllib.request.urlopen(ask).read()
answer = {"blocked": "", "suspicious": []}
if role == "implementer":
    text = open("add.sh").read()
    open("add.sh", "w").write(text.replace(" - ", " + "))
    answer.update(summary="It adds.", notes=[])
elif role == "tester":
    answer.update(summary="", covers=[], commands=[], diagnosis=[], gaps=[])
elif role == "reviewer":
    answer = {"verdict": "approve", "summary": "Right.", "findings": [], "checked": [], "suspicious": []}
else:
    answer.update(pull_request={"title": "Mend it", "body": "It works."}, change={"kind": "fixed", "title": "It works", "why": "", "user_visible": True, "breaking": False})
json.dump(answer, open(os.environ["MAESTRO_ANSWER"], "w"))
print("done")
"#;

pub(super) fn team() -> Provider {
    provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => Say::json(&mend()),
        role => Say::json(&plain(role)),
    })
}

/// The repository of the adder, with a remote and GitHub behind it.
pub(super) fn at_github(repo: Maestro) -> (Maestro, Fake) {
    let fake = Fake::start();
    let repo = repo
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api());
    repo.git(&["clone", "--quiet", "--bare", "--template=", ".", "r.git"]);
    let remote = repo.path("r.git");
    repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    fake.store().git = Some(remote);
    (repo, fake)
}

#[test]
fn an_issue_becomes_a_draft_pull_request() {
    let (repo, fake) = at_github(adder());
    let repo = repo.env("ANTHROPIC_API_KEY", KEY);
    let model = team();
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "whole", "--bundle", "bundle", "--format", "json",
        ],
    )
    .success();
    let found = document(&run);
    let published = repo
        .run(["run-agents", "publish", "bundle", "--format", "json"])
        .success();
    let published: Value = serde_json::from_str(&published.stdout).unwrap();
    assert_eq!(published["pull_request"]["step"], "opened", "{published}");
    assert_eq!(published["head"]["commit"], found["commit"]);
    let pulls = fake
        .store()
        .lists
        .get("/pulls")
        .cloned()
        .unwrap_or_default();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0]["draft"], true);
    assert_eq!(pulls[0]["title"], "Mend it");
    // No key of a model and no decoy is in anything that the run left.
    for path in crate::harness::files_below(&repo.path(".git/maestro/runs/whole")) {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(KEY) && !text.contains("canary-"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_program_does_the_work_behind_the_gateway() {
    // What a version manager has put in front of it lies where nothing of the sandbox may look.
    if !std::path::Path::new("/usr/bin/python3").exists() {
        eprintln!("skipped: there is no /usr/bin/python3");
        return;
    }
    let repo = adder();
    repo.file("agent.py", AGENT);
    repo.commit("An agent");
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&plan(&[task(
            "mend",
            "implementer",
            &[],
            &["add.sh"],
            &[],
            &["sh test.sh"],
        )])),
        _ => Say::Play(crate::gateway::provider::Play::json(
            200,
            &crate::gateway::provider::message(10, 5),
        )),
    });
    let repo = repo.env("ANTHROPIC_API_KEY", KEY);
    let run = go(
        &repo,
        &model,
        &[
            "--issue",
            "issue.md",
            "--run-id",
            "hands",
            "--agent",
            "/usr/bin/python3 agent.py",
            "--format",
            "json",
        ],
    )
    .success();
    let found = document(&run);
    assert_eq!(
        tasks(&found),
        [
            "mend done 1",
            "tester done 1",
            "reviewer done 1",
            "docs done 1"
        ],
        "{found}"
    );
    assert_eq!(found["files"][1], "add.sh");
    for row in found["tasks"].as_array().unwrap() {
        assert!(row["usd"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    }
    let played = go(&repo, &model, &["--replay", "hands", "--format", "json"]).success();
    assert_eq!(document(&played)["tree"], found["tree"]);
}

#[test]
fn what_the_change_affects_is_run_and_known_flaky_tests_are_forgiven() {
    let repo = adder();
    repo.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nenforce: [flakes]\njobs:\n  all:\n    paths: ['*.sh']\n    run: sh ci.sh\n    junit: out/r.xml\n  docs:\n    paths: ['*.md']\n    run: exit 1\n",
    )
    .file(
        ".maestro/quarantine.json",
        r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "flaky", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}]}"#,
    )
    .file(".gitignore", "/out\n")
    .file(
        "ci.sh",
        "mkdir -p out\nsum=$(sh add.sh 2 3)\ntest \"$sum\" = 5 && state='' || state='<failure/>'\n\
        echo \"<testsuite name='s'><testcase name='adds'>$state</testcase><testcase name='flaky'><failure/></testcase></testsuite>\" > out/r.xml\nexit 1\n",
    );
    repo.commit("A job");
    let model = team();
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "jobs", "--format", "json",
        ],
    )
    .success();
    assert_eq!(document(&run)["outcome"], "complete");
    let told = repo.json(&["run-agents", "show", "jobs"]);
    let turns = told["turns"].as_array().unwrap();
    let says = turns.iter().find(|turn| turn["role"] == "tester").unwrap()["says"]
        .as_array()
        .unwrap();
    let tests = says.iter().find(|said| said["type"] == "tests").unwrap();
    assert_eq!(tests["excused"], json!(["s > flaky"]));
    assert_eq!(tests["commands"], json!(["sh test.sh", "sh ci.sh"]));
    // Without the quarantine the same run does not end well.
    repo.git(&["rm", "--quiet", ".maestro/quarantine.json"]);
    repo.commit("Forgive nothing");
    let run = go(
        &repo,
        &model,
        &[
            "--issue", "issue.md", "--run-id", "strict", "--format", "json",
        ],
    )
    .exits_with(13);
    assert_eq!(document(&run)["tasks"][1]["state"], "failed");
}

#[test]
fn edits_in_a_models_own_form_are_taken() {
    let repo = adder();
    let model = provider(|question| {
        match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => Say::Text("Adding it is.\n\nadd.sh\n```\n<<<<<<< SEARCH\necho $(($1 - $2))\n=======\necho $(($1 + $2))\n>>>>>>> REPLACE\n```\n".to_owned()),
        role => Say::json(&plain(role)),
    }
    });
    let address = model.address();
    repo.run(args(&address, &["--issue", "issue.md"])).success();
}

#[test]
fn the_policy_of_the_base_guards_each_task() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&plan(&[task(
            "mend",
            "implementer",
            &[],
            &[],
            &[".env", "b.txt"],
            &[],
        )])),
        "implementer" => Say::json(&edits(
            "implementer",
            &[edit(".env", "create", "", "A=1\n")],
        )),
        role => Say::json(&plain(role)),
    });
    let run = go(&repo, &model, &["--issue", "issue.md", "--format", "json"]).exits_with(13);
    let found = document(&run);
    let why = found["tasks"][0]["why"].as_str().unwrap();
    assert!(why.contains("no-credentials"), "{why}");
    // Nobody was asked for what may not be done.
    assert!(model.asked().len() < 3);
}

#[test]
fn nothing_stays_of_a_run_that_did_not_begin() {
    let repo = adder();
    let start = ["run-agents", "--issue", "issue.md", "--run-id", "again"];
    let run = repo.run(start).exits_with(77);
    assert!(run.stderr.contains("ANTHROPIC_API_KEY"), "{}", run.stderr);
    assert!(!repo.path(".git/maestro/runs/again").exists());
    // The same name may be used when the key is there.
    let model = team();
    go(&repo, &model, &["--issue", "issue.md", "--run-id", "again"]).success();
}

#[test]
fn rules_that_ask_for_reports_wait_until_there_are_some() {
    let repo = adder();
    repo.file(
        ".maestro/policy.yaml",
        "schema: maestro.policy/v1\nrules:\n- {rule: licences, id: l, severity: block, reason: r, owner: o, allow: [MIT]}\n",
    );
    repo.commit("A policy");
    let model = team();
    go(&repo, &model, &["--issue", "issue.md"]).success();
}

#[test]
fn a_provider_that_is_not_reached_is_no_fault_of_the_agents() {
    let repo = adder();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let start = ["--issue", "issue.md", "--run-id", "early"];
    let run = repo.run(args(&address, &start)).exits_with(69);
    assert!(run.stderr.contains("there is no plan"), "{}", run.stderr);
    // The same name may be used when it is there again.
    let model = team();
    go(&repo, &model, &start).success();
}

#[test]
fn a_run_that_told_its_mark_is_played_to_the_same_end() {
    let repo = adder();
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => {
            let mut answer = mend();
            let (_, mark) = question.text.split_once("mark of this run is ").unwrap();
            answer["notes"] = json!([mark.split('.').next().unwrap()]);
            Say::json(&answer)
        }
        role => Say::json(&plain(role)),
    });
    let start = [
        "--issue", "issue.md", "--run-id", "told", "--format", "json",
    ];
    let found = document(&go(&repo, &model, &start).exits_with(13));
    let again = ["--replay", "told", "--format", "json"];
    let again = document(&go(&repo, &model, &again).exits_with(13));
    assert_eq!(again["tasks"], found["tasks"]);
    let why = found["tasks"][0]["why"].as_str().unwrap();
    assert!(why.contains("the canary `prompt`, as it is"), "{why}");
}
