//! What the gate makes of the test results that jobs left: judged anew by the base's quarantine, and never taken for a pass where they are lost.

use serde_json::json;

use crate::github::{Answer, Fake, Fault};
use crate::workflow::Workflow;

const ENFORCED: &str = "enforce: [plan, flakes]\n";

/// A run whose jobs' results are at GitHub alone, and whose jobs all say that they succeeded.
fn elsewhere(config: &str, failing: &[&str]) -> (Workflow, Fake) {
    let fake = Fake::start();
    let mut workflow = Workflow::new(config, failing);
    workflow.play();
    workflow.leave(&fake, 1);
    workflow.at(&fake);
    workflow.needs["test"]["result"] = json!("success");
    (workflow, fake)
}

#[test]
fn known_flakes_that_failed_are_named_and_forgiven() {
    let (workflow, _fake) = elsewhere(ENFORCED, &["flaky"]);
    let document = workflow.ends(0, "passed", &[]);
    let row = &document["flakes"][0];
    assert_eq!(
        (&row["test"], &row["forgiven"], &row["review_by"]),
        (&json!("s > flaky"), &json!(true), &json!("2026-02-01"))
    );
    let counts = ["test_runs", "artifacts", "artifacts_read"].map(|name| &document[name]);
    assert_eq!(counts, [&json!(1), &json!(1), &json!(1)]);
    // In shadow nothing is forgiven, and what would be is said.
    let (shadow, _fake) = elsewhere("", &["flaky"]);
    let document = shadow.ends(0, "passed", &[]);
    assert_eq!(document["flakes"][0]["forgiven"], false);
}

#[test]
fn a_job_that_says_it_passed_is_not_believed_against_its_own_reports() {
    let (mut workflow, _fake) = elsewhere(ENFORCED, &["broken", "flaky"]);
    workflow.ends(12, "blocked", &["test-failed"]);
    // The same in shadow is said, and blocks nothing.
    let (shadow, _fake2) = elsewhere("", &["broken"]);
    shadow.ends(0, "would-block", &["test-failed"]);
    // Once its time is over, the flake is one as well.
    workflow.set("MAESTRO_NOW", "2026-02-02T09:00:00Z");
    workflow.ends(12, "blocked", &["quarantine-overdue", "test-failed"]);
}

#[test]
fn only_the_last_attempt_of_a_leg_counts() {
    let (mut workflow, fake) = elsewhere(ENFORCED, &["broken"]);
    workflow.ends(12, "blocked", &["test-failed"]);
    // The job was run again, and passed.
    workflow.set("GITHUB_RUN_ATTEMPT", "2");
    workflow.maestro.file("unit.sh", "echo '<testsuite name=\"s\"><testcase name=\"ok\"/><testcase name=\"broken\"/></testsuite>' > r.xml\n");
    let _ = workflow.run(&["exec", "unit"]).success();
    workflow.leave(&fake, 2);
    workflow.ends(0, "passed", &[]);
}

#[test]
fn results_that_are_lost_are_no_pass() {
    let (workflow, fake) = elsewhere(ENFORCED, &[]);
    workflow.ends(0, "passed", &[]);
    // Another job left something, and `unit` nothing.
    fake.store().lists.clear();
    workflow.maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"ok\"/></testsuite>",
    );
    let args = ["flakes", "ingest", "r.xml", "--job", "other"];
    let _ = workflow.run(&args).success();
    workflow.leave(&fake, 1);
    workflow.ends(12, "blocked", &["report-lost"]);
    // Nobody left anything: the jobs' results count, and that is said.
    fake.store().lists.clear();
    let document = workflow.ends(0, "passed", &[]);
    let infos = document["infos"].to_string();
    assert!(infos.contains("no job left results"), "{infos}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_jobs_results_count() {
    let (mut workflow, fake) = elsewhere(ENFORCED, &["broken"]);
    let says = |workflow: &Workflow, words: &str| {
        let document = workflow.ends(0, "passed", &[]);
        let infos = document["infos"].to_string();
        assert!(infos.contains(words), "{infos}");
    };
    fake.faults(|asked| {
        let is_about = asked.path.ends_with("/artifacts");
        let gone = Answer::json(404, &json!({"message": "Not Found"}));
        is_about.then_some(Fault::Instead(gone))
    });
    says(
        &workflow,
        "could not be read, so that their results count alone",
    );
    fake.mend();
    for archive in fake.store().archives.values_mut() {
        *archive = b"no archive".to_vec();
    }
    says(&workflow, "was refused");
    workflow.needs["test"]["result"] = json!("failure");
    workflow.ends(14, "blocked", &["job-failed"]);
}

#[test]
fn a_folder_of_artifacts_takes_the_place_of_requests() {
    let (workflow, fake) = elsewhere(ENFORCED, &["broken"]);
    let archive = fake.store().archives.values().next().cloned().unwrap();
    workflow.maestro.file("left/a.zip.xml", archive);
    fake.asked();
    let (run, document) = workflow.gate(&["--left", "left/a.zip.xml"]);
    assert_eq!(
        (run.code, &document["problems"][0]["rule"]),
        (12, &json!("test-failed")),
        "{document}"
    );
    let asked = fake.asked();
    assert!(
        !asked.iter().any(|line| line.contains("artifacts")),
        "{asked:?}"
    );
}

/// Forty-seven jobs, a dozen of which run in three legs each.
fn many_jobs() -> String {
    let mut jobs =
        String::from("jobs:\n  unit: { paths: ['src/**'], run: 'sh unit.sh', junit: r.xml }\n");
    for number in 1..47 {
        let axes = if number <= 12 {
            ", axes: { os: [a, b, c] }"
        } else {
            ""
        };
        jobs.push_str(&format!(
            "  job{number}: {{ paths: ['src/**'], run: 'true', junit: 'none/*.xml'{axes} }}\n"
        ));
    }
    jobs
}

#[test]
fn a_run_of_a_pull_request_asks_github_twenty_times_at_most() {
    let fake = Fake::start();
    let config = "enforce: [plan, flakes, policy]\noverrides: { users: [ada] }\ncomment: always\n";
    let mut workflow = Workflow::of_jobs(config, &many_jobs(), &["broken"]);
    workflow.at(&fake);
    fake.run(77, 1, json!({"created_at": "2026-01-04T09:00:00Z"}));
    let output = workflow.maestro.path("out.plan");
    workflow.maestro.file("out.plan", "");
    workflow.set("GITHUB_OUTPUT", output.to_str().unwrap());
    let _ = workflow.run(&["plan"]).success();
    workflow.env.remove("GITHUB_OUTPUT");
    let outputs = crate::workflow::outputs(&std::fs::read_to_string(output).unwrap());
    let matrix: serde_json::Value = serde_json::from_str(&outputs["matrix"]).unwrap();
    let lines = matrix["include"].as_array().unwrap();
    assert_eq!(lines.len(), 47 + 2 * 12);
    let place = "/actions/runs/77/attempts/1/jobs";
    let job = |name: &str, conclusion: &str| {
        let job = json!({"run_id": 77, "run_attempt": 1, "name": name, "status": "completed", "conclusion": conclusion});
        fake.add(place, "job", job);
    };
    job("plan", "success");
    for line in lines {
        let id = line["job"].as_str().unwrap();
        let legs = line["id"].as_str().unwrap();
        let conclusion = if id == "unit" { "failure" } else { "success" };
        let legs = legs.replace(" (", ", ");
        job(
            &format!("test ({})", legs.trim_end_matches(')')),
            conclusion,
        );
    }
    let _ = workflow.run(&["exec", "unit"]);
    // All legs left something; that of the red job is read first.
    for _ in lines {
        fake.artifact(
            "maestro+77+1+other+0123456789abcdef",
            77,
            "2026-01-05T08:30:00Z",
            b"no zip".to_vec(),
        );
    }
    workflow.leave(&fake, 1);
    workflow.needs = json!({
        "plan": {"result": "success", "outputs": outputs},
        "test": {"result": "failure", "outputs": {}},
    });
    let (run, document) = workflow.gate(&["--comment"]);
    assert_eq!(run.code, 14, "{}", run.stderr);
    let rules = document["problems"].to_string();
    assert!(rules.contains("test-failed"), "{rules}");
    assert_eq!(fake.comments(7).len(), 1);
    let asked = fake.asked();
    assert!(asked.len() <= 20, "{}: {asked:#?}", asked.len());
    eprintln!(
        "{} requests for 47 jobs in {} legs",
        asked.len(),
        lines.len()
    );
}
