//! `maestro gate`, and the workflow around it: plan, exec, gate. However it goes wrong, it runs everything or fails loudly.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::harness::{Maestro, Run};

const QUARANTINE: &str = r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "flaky", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#;

/// A pull request that changes `src/`, of which the job `unit` is; `docs` is not touched.
struct Workflow {
    maestro: Maestro,
    env: BTreeMap<String, String>,
    needs: Value,
}

impl Workflow {
    /// `failing` are the tests of `unit` that fail.
    fn new(config: &str, failing: &[&str]) -> Self {
        let maestro = Maestro::in_repo();
        let jobs = "jobs:\n  unit: { paths: ['src/**'], run: 'sh unit.sh', junit: r.xml }\n  docs: { paths: ['docs/**'], run: 'true' }\n";
        let cases = failing
            .iter()
            .map(|test| format!("<testcase name=\"{test}\"><failure/></testcase>"));
        let cases: String = cases.collect();
        let status = i32::from(!failing.is_empty());
        let script = format!(
            "cat > r.xml <<'X'\n<testsuite name=\"s\"><testcase name=\"ok\"/>{cases}</testsuite>\nX\nexit {status}\n"
        );
        maestro
            .file(
                ".maestro/maestro.yaml",
                format!("schema: maestro.config/v1\n{config}{jobs}"),
            )
            .file(".maestro/quarantine.json", QUARANTINE)
            .file(".gitignore", "*.xml\nevent.json\nremote.git\nout*\n")
            .file("unit.sh", script)
            .file("src/a.txt", "a")
            .file("docs/a.md", "a");
        maestro.commit("Configure");
        maestro.git(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            "remote.git",
        ]);
        maestro.git(&["remote", "add", "origin", "remote.git"]);
        maestro.git(&["push", "--quiet", "origin", "main"]);
        maestro.git(&["switch", "--quiet", "--create", "topic"]);
        maestro.file("src/a.txt", "b");
        maestro.commit("Change");
        let mut this = Self {
            maestro,
            env: BTreeMap::new(),
            needs: json!({}),
        };
        this.event();
        this
    }

    /// Writes what GitHub says of the pull request as it stands.
    fn event(&mut self) {
        let side = |branch: &str| {
            let commit = self.maestro.git(&["rev-parse", branch]);
            json!({"ref": branch, "sha": commit.trim(), "repo": {"id": 1, "full_name": "o/n"}})
        };
        let payload = json!({
            "pull_request": {"number": 7, "title": "Change", "base": side("main"), "head": side("topic")},
            "repository": {"id": 1, "full_name": "o/n"},
        });
        self.maestro.file("event.json", payload.to_string());
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_REPOSITORY", "o/n"),
        ] {
            self.env.insert(name.to_owned(), value.to_owned());
        }
        let head = self.maestro.git(&["rev-parse", "topic"]);
        self.env
            .insert("GITHUB_SHA".to_owned(), head.trim().to_owned());
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    fn run(&self, args: &[&str]) -> Run {
        let output = self.maestro.command(args).envs(&self.env).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The plan's job, and the matrix that follows from its outputs; the results stand in `needs` as GitHub has them.
    fn play(&mut self) -> &mut Self {
        let output = self.maestro.path("out.plan");
        self.maestro.file("out.plan", "");
        self.set("GITHUB_OUTPUT", output.to_str().unwrap());
        let _ = self.run(&["plan"]).success();
        self.env.remove("GITHUB_OUTPUT");
        let outputs = outputs(&fs::read_to_string(output).unwrap());
        let matrix: Value = serde_json::from_str(&outputs["matrix"]).unwrap();
        self.set("MAESTRO_TRUSTED", &outputs["trusted"]);
        let mut result = "skipped";
        if outputs["has_jobs"] == "true" {
            result = "success";
            for line in matrix["include"].as_array().unwrap() {
                let job = line["job"].as_str().unwrap();
                let shard = line["shard"].as_str().unwrap_or_default();
                if self.run(&["exec", job, "--shard", shard]).code != 0 {
                    result = "failure";
                }
            }
        }
        self.env.remove("MAESTRO_TRUSTED");
        self.needs = json!({
            "plan": {"result": "success", "outputs": outputs},
            "test": {"result": result, "outputs": {}},
        });
        self
    }

    fn gate(&self, args: &[&str]) -> (Run, Value) {
        let mut all = vec!["gate", "--format", "json"];
        all.extend(args);
        let output = self
            .maestro
            .command(all)
            .envs(&self.env)
            .env("MAESTRO_NEEDS", self.needs.to_string())
            .output()
            .unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let document = serde_json::from_str(&run.stdout).unwrap_or_default();
        (run, document)
    }

    /// The gate answers so, for these rules. What the policy says of a changed configuration is not looked at: nobody enforces it here.
    #[track_caller]
    fn ends(&self, code: i32, outcome: &str, rules: &[&str]) -> Value {
        let (run, document) = self.gate(&[]);
        let rows = document["problems"].as_array().cloned().unwrap_or_default();
        let of_policy = |row: &Value| row["capability"] == "policy";
        let has_policy = rows.iter().any(of_policy);
        let rows = rows.iter().filter(|row| !of_policy(row));
        let found: Vec<&str> = rows.map(|row| row["rule"].as_str().unwrap()).collect();
        let mut outcome_found = document["outcome"].as_str().unwrap_or_default();
        if has_policy && outcome_found == "would-block" {
            outcome_found = outcome;
        }
        assert_eq!(
            (run.code, outcome_found, found.as_slice()),
            (code, outcome, rules),
            "{}\n{}",
            run.stdout,
            run.stderr
        );
        if code != 0 {
            assert!(
                run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: "),
                "{}",
                run.stderr
            );
        }
        document
    }
}

/// Reads `GITHUB_OUTPUT`.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match (line.split_once("<<"), line.split_once('=')) {
            (Some((name, end)), _) if !name.contains('=') => {
                let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                outputs.insert(name.to_owned(), inside.join("\n"));
            }
            (_, Some((name, value))) => {
                outputs.insert(name.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    outputs
}

const ENFORCED: &str = "enforce: [plan, flakes]\n";

#[test]
fn what_is_fine_passes_and_says_what_ran() {
    let mut workflow = Workflow::new(ENFORCED, &[]);
    let document = workflow.play().ends(0, "passed", &[]);
    assert_eq!(
        (&document["jobs_planned"], &document["jobs"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn a_red_job_blocks_and_a_known_flake_does_not() {
    let mut red = Workflow::new(ENFORCED, &["broken"]);
    red.play().ends(14, "blocked", &["job-failed"]);
    let mut flaky = Workflow::new(ENFORCED, &["flaky"]);
    flaky.play().ends(0, "passed", &[]);
    let mut both = Workflow::new(ENFORCED, &["flaky", "broken"]);
    both.play().ends(14, "blocked", &["job-failed"]);
}

#[test]
fn what_was_planned_and_did_not_run_blocks() {
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    workflow.needs["test"]["result"] = json!("skipped");
    workflow.ends(14, "blocked", &["job-skipped"]);
    workflow.needs["test"]["result"] = json!("cancelled");
    workflow.ends(14, "blocked", &["job-cancelled"]);
    // A step after the plan's lost the job from the matrix.
    workflow.needs["test"]["result"] = json!("success");
    workflow.needs["plan"]["outputs"]["matrix"] = json!(r#"{"include":[{"job":"docs"}]}"#);
    workflow.ends(14, "blocked", &["plan-differs"]);
}

#[test]
fn dropped_outputs_are_no_green() {
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    let whole = workflow.needs.clone();
    // GitHub drops an output that looks like a secret: the jobs behind it are skipped.
    workflow.needs["plan"]["outputs"] = json!({});
    workflow.needs["test"]["result"] = json!("skipped");
    workflow.ends(14, "blocked", &["output-missing", "job-skipped"]);
    workflow.needs = whole.clone();
    workflow.needs["plan"]["outputs"]["matrix"] = json!("{\"include\":[{\"jo");
    workflow.ends(14, "blocked", &["output-missing"]);
    workflow.needs = json!({"test": whole["test"]});
    workflow.ends(14, "blocked", &["plan-missing"]);
    for needs in [json!({}), json!(null), json!("")] {
        workflow.needs = needs;
        workflow.ends(14, "blocked", &["needs-missing"]);
    }
    // A plan that failed leaves everything behind it skipped.
    workflow.needs = json!({"plan": {"result": "failure"}, "test": {"result": "skipped"}});
    workflow.ends(14, "blocked", &["job-failed", "job-skipped"]);
    // Without the quarantine a flake is red, and not forgiven in silence.
    let mut flaky = Workflow::new(ENFORCED, &["flaky"]);
    flaky.play();
    let _ = flaky
        .run(&["exec", "unit"])
        .exits_with(1)
        .says("nothing is forgiven");
}

#[test]
fn a_lost_state_is_no_green() {
    let mut workflow = Workflow::new("enforce: [plan, budget]\n", &[]);
    let document = workflow.play().ends(11, "blocked", &["state-missing"]);
    assert!(
        document["problems"][0]["fix"]
            .to_string()
            .contains("maestro state pull")
    );
    // Nor does it matter to what ran.
    let mut other = Workflow::new(ENFORCED, &[]);
    other.maestro.file(".git/maestro", "in the way");
    other.play();
    let (run, document) = other.gate(&[]);
    assert_eq!(
        (run.code, &document["outcome"]),
        (0, &json!("would-block")),
        "{}",
        run.stderr
    );
}

#[test]
fn an_api_that_does_not_answer_leaves_the_rest() {
    let fake = Fake::start();
    fake.faults(|_| {
        Some(Fault::Instead(Answer::json(
            401,
            &json!({"message": "Bad credentials"}),
        )))
    });
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    workflow.set("GITHUB_API_URL", &fake.api());
    workflow.set("GITHUB_TOKEN", TOKEN);
    let document = workflow.ends(0, "passed", &[]);
    assert!(
        document["infos"]
            .to_string()
            .contains("`needs` counts alone"),
        "{document}"
    );
    workflow.needs["test"]["result"] = json!("skipped");
    workflow.ends(14, "blocked", &["job-skipped"]);
}

#[test]
fn the_list_of_jobs_tells_what_needs_hides() {
    let fake = Fake::start();
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    workflow.set("GITHUB_API_URL", &fake.api());
    workflow.set("GITHUB_TOKEN", TOKEN);
    let add = |name: &str, conclusion: &str| {
        let job = json!({"run_id": 77, "run_attempt": 1, "name": name, "status": "completed", "conclusion": conclusion});
        fake.add("/actions/runs/77/attempts/1/jobs", "job", job);
    };
    add("plan", "success");
    add("test (unit)", "success");
    workflow.ends(0, "passed", &[]);
    fake.store().lists.clear();
    add("test (unit)", "skipped");
    workflow.ends(14, "blocked", &["job-not-run"]);
}

#[test]
fn an_unknown_base_is_loud() {
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    workflow
        .maestro
        .git(&["remote", "set-url", "origin", "file:///nowhere"]);
    let (run, _) = workflow.gate(&[]);
    let _ = run.exits_with(69).says("error: ");
    // The plan itself skips nothing of it then.
    let plan = workflow.run(&["plan", "--format", "json"]);
    let document: Value = serde_json::from_str(&plan.stdout).unwrap();
    let jobs = document["jobs"].as_array().unwrap();
    let unit = jobs.iter().find(|job| job["id"] == "unit");
    assert_eq!(unit.unwrap()["run"], true, "{document}");
}

#[test]
fn a_plan_that_cannot_be_made_runs_everything_or_fails() {
    let broken = |config: &str| {
        let mut workflow = Workflow::new(config, &[]);
        workflow.play();
        // The change brings a configuration that no plan can be made with.
        let path = ".maestro/maestro.yaml";
        let text = fs::read_to_string(workflow.maestro.path(path)).unwrap();
        workflow
            .maestro
            .file(path, text.replace("'docs/**'", "'docs/[**'"));
        workflow.maestro.commit("Break");
        workflow.event();
        workflow
    };
    let mut workflow = broken(ENFORCED);
    let document = workflow.ends(0, "passed", &[]);
    assert!(
        document["infos"]
            .to_string()
            .contains("everything had to run"),
        "{document}"
    );
    workflow.needs["test"]["result"] = json!("skipped");
    workflow.ends(14, "blocked", &["job-skipped"]);
    broken("enforce: [plan]\non_internal_error: fail\n").ends(14, "blocked", &["not-planned"]);
    // What is no configuration at all ends the command.
    workflow.maestro.file(".maestro/maestro.yaml", "jobs: [");
    let (run, _) = workflow.gate(&[]);
    let _ = run.exits_with(78).says("error: ");
}

#[test]
fn in_shadow_nothing_is_blocked_and_everything_is_said() {
    let mut workflow = Workflow::new("", &["broken"]);
    workflow.play();
    let document = workflow.ends(0, "would-block", &["job-failed"]);
    assert_eq!(document["problems"][0]["state"], "would-block");
    // What the change itself enforces, or switches off, counts for nothing.
    let mut strict = Workflow::new(ENFORCED, &["broken"]);
    strict.play();
    let path = ".maestro/maestro.yaml";
    let text = fs::read_to_string(strict.maestro.path(path)).unwrap();
    strict.maestro.file(path, text.replace(ENFORCED, ""));
    strict.maestro.commit("Loosen");
    strict.event();
    assert_eq!(strict.gate(&[]).0.code, 14);
}

#[test]
fn switched_off_it_is_neutral_and_loud() {
    let mut workflow = Workflow::new(ENFORCED, &["broken"]);
    workflow.play();
    workflow.set("MAESTRO_DISABLE", "1");
    let (run, document) = workflow.gate(&[]);
    assert_eq!(document["outcome"], "disabled");
    let _ = run.success().says("MAESTRO_DISABLE is set");
}

/// Somebody's comment, at a time.
fn said(fake: &Fake, who: &str, body: &str, (at, changed): (&str, &str)) {
    let comment = json!({"user": {"login": who, "id": 9}, "body": body, "created_at": at, "updated_at": changed});
    fake.add("/issues/7/comments", "issue-comment", comment);
}

#[test]
fn a_person_can_overrule_for_this_head_and_for_a_while() {
    let config = "enforce: [plan, budget]\noverrides: { users: [ada], expires: 2d }\n";
    let mut workflow = Workflow::new(config, &[]);
    let fake = Fake::start();
    workflow.play();
    workflow.set("GITHUB_API_URL", &fake.api());
    workflow.set("GITHUB_TOKEN", TOKEN);
    fake.run(77, 1, json!({"created_at": "2026-01-04T09:00:00Z"}));
    let rules = ["state-missing"];
    let words = "/maestro override state-missing the state branch is new";
    let today = "2026-01-05T08:00:00Z";
    for (who, body, times) in [
        ("eve", words, (today, today)),
        (
            "ada",
            words,
            ("2026-01-04T08:00:00Z", "2026-01-04T08:00:00Z"),
        ),
        ("ada", words, (today, "2026-01-05T08:30:00Z")),
        ("ada", "/maestro override state-missing", (today, today)),
        ("ada", "/maestro override size because", (today, today)),
        (
            "ada",
            "> /maestro override state-missing why",
            (today, today),
        ),
    ] {
        fake.store().lists.clear();
        said(&fake, who, body, times);
        workflow.ends(11, "blocked", &rules);
    }
    said(&fake, "ada", words, (today, today));
    let document = workflow.ends(0, "passed", &rules);
    let row = &document["problems"][0];
    assert_eq!(
        (&row["state"], &row["overridden"]["by"]),
        (&json!("overridden"), &json!("ada"))
    );
    let outbox = crate::harness::files_below(&workflow.maestro.path(".git/maestro/outbox"));
    let kept: String = outbox
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(
        kept.contains("\"kind\":\"override\"") && kept.contains("the state branch is new"),
        "{kept}"
    );
    // Two days later it is over.
    workflow.set("MAESTRO_NOW", "2026-01-07T09:00:00Z");
    workflow.ends(11, "blocked", &rules);
}

#[test]
fn there_is_one_comment_and_only_when_there_is_something_to_do() {
    let fake = Fake::start();
    let comments = |config: &str, failing: &[&str]| {
        let mut workflow = Workflow::new(config, failing);
        workflow.play();
        workflow.set("GITHUB_API_URL", &fake.api());
        workflow.set("GITHUB_TOKEN", TOKEN);
        let _ = workflow.gate(&["--comment"]);
        let _ = workflow.gate(&["--comment"]);
        fake.comments(7)
    };
    assert_eq!(comments(ENFORCED, &[]).len(), 0);
    assert_eq!(
        comments("enforce: [plan]\ncomment: never\n", &["broken"]).len(),
        0
    );
    let written = comments(ENFORCED, &["broken"]);
    assert_eq!(written.len(), 1, "{written:?}");
    let lines: Vec<&str> = written[0].lines().collect();
    assert!(lines[0].contains("maestro: 1 thing for you"), "{written:?}");
    assert!(lines[1].contains("**FIX** `test` failed"), "{written:?}");
    let visible = lines
        .iter()
        .take_while(|line| !line.starts_with("<details>"));
    assert!(
        visible.filter(|line| !line.trim().is_empty()).count() <= 8,
        "{written:?}"
    );
    // What was mended is said in the same one.
    let mended = comments(ENFORCED, &[]);
    assert_eq!(mended.len(), 1);
    assert!(mended[0].contains("nothing for you"), "{mended:?}");
}
