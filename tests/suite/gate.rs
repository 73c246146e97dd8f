//! `maestro gate`, and the workflow around it: plan, exec, gate. However it goes wrong, it runs everything or fails loudly.

use std::fs;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::workflow::Workflow;

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
    red.play()
        .ends(14, "blocked", &["job-failed", "test-failed"]);
    let mut flaky = Workflow::new(ENFORCED, &["flaky"]);
    flaky.play().ends(0, "passed", &[]);
    let mut both = Workflow::new(ENFORCED, &["flaky", "broken"]);
    both.play()
        .ends(14, "blocked", &["job-failed", "test-failed"]);
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
    let document = workflow.ends(0, "would-block", &["job-failed", "test-failed"]);
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
    assert!(
        lines[0].contains("maestro: 2 things for you"),
        "{written:?}"
    );
    assert!(
        lines[0].ends_with(" · updated 09:00 UTC") && lines[1].contains("**FIX** `test` failed"),
        "{written:?}"
    );
    assert!(seen(&written[0]) <= 8, "{written:?}");
    // What was mended is said in the same one.
    let mended = comments(ENFORCED, &[]);
    assert_eq!(mended.len(), 1);
    assert!(mended[0].contains("nothing for you"), "{mended:?}");
}

/// Counts the lines of a comment that are seen before anything is unfolded.
fn seen(comment: &str) -> usize {
    let mut depth = 0;
    let mut seen = 0;
    for line in comment.lines() {
        let is_comment = line.starts_with("<!--") && line.ends_with("-->");
        if depth == 0 && !line.trim().is_empty() && !is_comment && line != "</details>" {
            seen += 1;
        }
        depth += line.matches("<details>").count();
        depth -= line.matches("</details>").count();
    }
    assert_eq!(depth, 0, "{comment}");
    seen
}

#[test]
fn both_who_write_in_the_comment_keep_what_the_other_said() {
    let fake = Fake::start();
    fake.add(
        "/pulls",
        "pull-request",
        json!({"number": 7, "created_at": "2026-01-05T07:00:00Z", "draft": false}),
    );
    let mut workflow = Workflow::new("enforce: [plan]\n", &["broken"]);
    workflow.play().at(&fake);
    // The first line of `src/a.txt` was executed by no test.
    let report = "SF:src/a.txt\nDA:1,0\nend_of_record\n";
    workflow.maestro.file("lcov.xml", report);
    let health = ["pr-health", "--comment", "--coverage", "lcov.xml"];
    let _ = workflow.run(&health).success();
    let alone = fake.comments(7);
    assert!(alone[0].starts_with("### Health: "), "{alone:?}");
    assert!(seen(&alone[0]) <= 9, "{alone:?}");
    let (_, document) = workflow.gate(&["--comment"]);
    assert_eq!(document["outcome"], "blocked");
    let both = fake.comments(7);
    assert_eq!(both.len(), 1, "{both:?}");
    assert!(both[0].starts_with("**❌ maestro: "), "{both:?}");
    assert!(
        both[0].contains("### Health: ") && both[0].contains("src/a.txt:1"),
        "{both:?}"
    );
    assert!(
        both[0].contains("1 of 2 jobs had to run") && both[0].contains("| `docs` | skipped |"),
        "{both:?}"
    );
    assert!(seen(&both[0]) <= 8, "{both:?}");
    // Whoever runs once more changes nothing, at whatever time.
    fake.writes();
    workflow.set("MAESTRO_NOW", "2026-01-05T10:30:00Z");
    let _ = workflow.gate(&["--comment"]);
    workflow.env.remove("MAESTRO_NOW");
    let _ = workflow.run(&health).success();
    assert_eq!((fake.comments(7), fake.writes().len()), (both, 0));
}

#[test]
fn two_at_once_make_one_comment() {
    let fake = Fake::start();
    let mut workflow = Workflow::new("enforce: [plan]\n", &["broken"]);
    workflow.play().at(&fake);
    workflow
        .maestro
        .file("lcov.xml", "SF:src/a.txt\nDA:1,0\nend_of_record\n");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let workflow = &workflow;
            scope.spawn(move || {
                if number % 2 == 0 {
                    let _ = workflow.gate(&["--comment"]);
                } else {
                    let health = ["pr-health", "--comment", "--coverage", "lcov.xml"];
                    let _ = workflow.run(&health).success();
                }
            });
        }
    });
    assert_eq!(fake.comments(7).len(), 1, "{:?}", fake.comments(7));
}

#[test]
fn never_means_never_and_always_always() {
    let fake = Fake::start();
    for (word, comments) in [("never", 0), ("always", 1)] {
        let mut workflow = Workflow::new(&format!("comment: {word}\n"), &[]);
        workflow.play().at(&fake);
        let _ = workflow.gate(&["--comment"]);
        workflow
            .maestro
            .file("lcov.xml", "SF:src/a.txt\nDA:1,0\nend_of_record\n");
        let _ = workflow
            .run(&["pr-health", "--comment", "--coverage", "lcov.xml"])
            .success();
        let written = fake.comments(7);
        assert_eq!(written.len(), comments, "{written:?}");
    }
}
