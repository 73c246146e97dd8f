//! Teams as the configuration makes them.

use serde_json::{Value, json};

use super::kept::agent_runs;
use super::script::{Say, edit, edits, plain, plan, provider, task};
use super::{adder, document, go, mend, one_task, tasks};
use crate::gateway::provider::Provider;
use crate::harness::Maestro;

fn configured(agents: &str) -> Maestro {
    let repo = adder();
    repo.file(
        ".maestro/maestro.yaml",
        format!("schema: maestro.config/v1\nagents:\n{agents}"),
    );
    repo.file("scan.sh", "grep -n eval add.sh || echo 'no eval'\n");
    repo.commit("A team");
    repo
}

fn found(severity: &str) -> Value {
    json!({"verdict": "request-changes", "summary": "It evaluates what comes in.", "findings": [{"severity": severity, "category": "injection", "path": "add.sh", "line": 1,
        "title": "CWE-95: input is evaluated", "evidence": "eval", "why": "Who adds may run anything.", "fix": "Add without eval.", "confidence": "high"}],
        "checked": ["add.sh"], "suspicious": []})
}

fn with_eval() -> Value {
    edits(
        "implementer",
        &[edit(
            "add.sh",
            "replace",
            "$(($1 - $2))",
            "$(eval \"echo \\$(($1 + $2))\")",
        )],
    )
}

/// A model whose implementer evaluates its input until somebody minds, and whose security role does.
fn careless(listens: bool) -> Provider {
    provider(move |question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" if listens && question.text.contains("CWE-95") => Say::json(&mend()),
        "implementer" => Say::json(&with_eval()),
        "security" if question.text.contains("eval") => Say::json(&found("blocking")),
        role => Say::json(&plain(role)),
    })
}

fn run(repo: &Maestro, model: &Provider, id: &str) -> crate::harness::Run {
    let more = [
        "--issue", "issue.md", "--run-id", id, "--bundle", id, "--format", "json",
    ];
    go(repo, model, &more)
}

#[test]
fn a_security_role_that_gates_has_its_findings_mended() {
    let repo = configured("  roles:\n    security: {gates: true, tier: small}\n");
    let model = careless(true);
    let done = document(&run(&repo, &model, "gated").success());
    assert_eq!(
        tasks(&done),
        [
            "mend done 2",
            "tester done 2",
            "reviewer done 2",
            "security done 2",
            "docs done 1"
        ],
        "{done}"
    );
    assert_eq!(done["advice"], json!([]));
    let [event] = agent_runs(&repo).try_into().unwrap();
    let failure = &event["tasks"][1]["failures"][0];
    assert_eq!(
        (&failure["by"], &failure["end"]),
        (&json!("security"), &json!("rejected")),
        "{event}"
    );
    assert_eq!(event["tasks"][4]["models"], json!(["claude-haiku-4-5"]));
    let played = go(&repo, &model, &["--replay", "gated", "--format", "json"]).success();
    assert_eq!(document(&played)["tree"], done["tree"]);
}

#[test]
fn what_a_gate_finds_and_nobody_mends_stops_the_run() {
    let repo = configured("  max_attempts: 2\n  roles:\n    security: {}\n");
    let done = document(&run(&repo, &careless(false), "stopped").exits_with(13));
    assert_eq!(done["outcome"], "partial");
    let rows = tasks(&done);
    assert_eq!(
        (rows[0].as_str(), rows[4].as_str()),
        ("mend done 2", "docs skipped 0"),
        "{done}"
    );
    assert!(rows[3].starts_with("security failed"), "{done}");
}

#[test]
fn a_security_role_that_does_not_gate_is_heard_and_stops_nobody() {
    let repo = configured(
        "  commands: [sh test.sh]\n  roles:\n    security: {gates: false, commands: [sh scan.sh]}\n",
    );
    let model = provider(|question| {
        // It sees what its own commands print, and no other role does.
        let sees =
            question.text.contains("$ sh scan.sh") && question.text.contains("(exit code 0)");
        assert_eq!(
            sees,
            question.role == "security",
            "{}: {}",
            question.role,
            question.text
        );
        match question.role.as_str() {
            "planner" => Say::json(&one_task()),
            "implementer" => Say::json(&with_eval()),
            "security" => Say::json(&found("blocking")),
            role => Say::json(&plain(role)),
        }
    });
    let address = model.address();
    let told = [
        "run-agents",
        "--base-url",
        &address,
        "--issue",
        "issue.md",
        "--run-id",
        "told",
        "--bundle",
        "told",
        "--format",
        "json",
    ];
    let done = document(&repo.run(told).success());
    assert_eq!(
        tasks(&done),
        [
            "mend done 1",
            "tester done 1",
            "reviewer done 1",
            "security done 1",
            "docs done 1"
        ]
    );
    let sentence = "security (blocking): add.sh:1 CWE-95: input is evaluated";
    assert_eq!(done["advice"], json!([sentence]));
    let bundle: Value =
        serde_json::from_slice(&std::fs::read(repo.path("told/bundle.json")).unwrap()).unwrap();
    let body = bundle["pull_request"]["body"].as_str().unwrap();
    assert!(body.ends_with(&format!("- {sentence}\n")), "{body}");
    go(&repo, &model, &["--replay", "told"]).success();
}

#[test]
fn a_role_that_does_not_gate_may_fail() {
    let repo = configured("  roles:\n    security: {gates: false, max_attempts: 1}\n");
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" => Say::json(&mend()),
        "security" => Say::Text("I would rather not.".to_owned()),
        role => Say::json(&plain(role)),
    });
    let done = document(&run(&repo, &model, "failed").success());
    assert_eq!(done["outcome"], "complete");
    assert_eq!(tasks(&done)[3..], ["security failed 1", "docs done 1"]);
    assert_eq!(done["files"][1], "add.sh");
    let [event] = agent_runs(&repo).try_into().unwrap();
    assert_eq!(
        event["tasks"][4]["failures"][0]["end"], "let-through",
        "{event}"
    );
    go(&repo, &model, &["--replay", "failed"]).success();
}

#[test]
fn a_role_is_held_to_its_paths_its_commands_and_its_cap() {
    let repo = configured(
        "  roles:\n    implementer: {paths: ['*.sh'], commands: [sh test.sh], max_usd: 0.000001}\n    docs: {paths: [docs/**]}\n",
    );
    let model = provider(|question| match (question.role.as_str(), question.turns) {
        ("planner", 0) => {
            assert!(
                question
                    .text
                    .contains("changes nothing but *.sh; runs nothing but sh test.sh")
            );
            Say::json(&plan(&[task(
                "mend",
                "implementer",
                &[],
                &["README.md"],
                &[],
                &["sh scan.sh"],
            )]))
        }
        ("planner", _) => {
            for words in [
                "`README.md` is nothing that `implementer` may change",
                "begins with none of sh test.sh",
            ] {
                assert!(question.text.contains(words), "{words}");
            }
            Say::json(&one_task())
        }
        ("implementer", _) => Say::json(&mend()),
        (role, _) => Say::json(&plain(role)),
    });
    let done = document(&run(&repo, &model, "held").exits_with(13));
    assert_eq!(
        (done["outcome"].as_str(), tasks(&done)[0].as_str()),
        (Some("failed"), "mend failed 1"),
        "{done}"
    );
    let why = done["tasks"][0]["why"].as_str().unwrap();
    assert_eq!(why, "the task `mend` has reached its cap");
    assert_eq!(
        model.asked().len(),
        2,
        "nobody was asked for what there is no money for"
    );
}

#[test]
fn flags_go_before_the_configuration() {
    let repo = configured(
        "  max_usd: 0.000001\n  max_attempts: 1\n  roles:\n    implementer: {max_attempts: 1}\n",
    );
    let model = provider(|question| match question.role.as_str() {
        "planner" => Say::json(&one_task()),
        "implementer" if question.text.contains("got 6") => Say::json(&mend()),
        "implementer" => Say::json(&edits(
            "implementer",
            &[edit("add.sh", "replace", "$1 - $2", "$1 * $2")],
        )),
        role => Say::json(&plain(role)),
    });
    go(&repo, &model, &["--issue", "issue.md"]).exits_with(11);
    go(&repo, &model, &["--issue", "issue.md", "--max-usd", "1"]).exits_with(13);
    go(
        &repo,
        &model,
        &["--issue", "issue.md", "--max-usd", "1", "--tries", "2"],
    )
    .success();
}

#[test]
fn a_team_that_makes_no_sense_is_refused_with_its_place() {
    for (agents, words) in [
        (
            "  roles:\n    security: {gate: false}\n",
            "maestro.yaml:4:16",
        ),
        (
            "  roles:\n    security: {gate: false}\n",
            "did you mean `gates`?",
        ),
        (
            "  roles:\n    implementor: {tier: large}\n",
            "did you mean `implementer`?",
        ),
        (
            "  roles:\n    tester: {tier: huge}\n",
            "valid words here: small, medium, large",
        ),
        (
            "  concurrency: 0\n",
            "`agents.concurrency` is 0, and may be from 1 to 64",
        ),
        ("  max_usd: much\n", "`agents.max_usd` is `much`"),
    ] {
        let repo = configured(agents);
        let model = careless(true);
        let refused = go(&repo, &model, &["--issue", "issue.md"]).exits_with(78);
        assert!(
            refused.stderr.contains(words),
            "{words}: {}",
            refused.stderr
        );
        assert!(model.asked().is_empty());
    }
}

#[test]
fn the_team_of_the_page_is_a_team() {
    let page = include_str!("../../../docs/run-agents.md");
    let (_, rest) = page.split_once("## A team of your own").unwrap();
    let (_, rest) = rest.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let repo = adder();
    repo.file(
        ".maestro/maestro.yaml",
        format!("schema: maestro.config/v1\n{example}"),
    );
    repo.commit("A team");
    let model = provider(|_| {
        let mut answer = plan(&[]);
        answer["verdict"] = json!("needs-answers");
        answer["questions"] = json!(["Which?"]);
        Say::json(&answer)
    });
    go(&repo, &model, &["--issue", "issue.md"]).exits_with(13);
    let asked = model.asked();
    let told = asked[0].body.clone().unwrap().to_string();
    for words in [
        "translates the messages",
        "what an attacker could do",
        "makes slower or larger",
    ] {
        assert!(told.contains(words), "{words}");
    }
}
