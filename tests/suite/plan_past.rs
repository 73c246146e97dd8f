//! What stored runs say about a plan: which jobs are likely to fail, and which commit passed last.

use std::fs;

use serde_json::Value;

use crate::harness::{Maestro, package};

const CONFIG: &str = "schema: maestro.config/v1\nenforce: [plan]\nignore: ['*.txt']\njobs:\n  \
    a: { projects: 'npm:a' }\n  b: { projects: 'npm:b', shards: 2 }\n  c: { projects: 'npm:c' }\n";

fn repository() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/maestro.yaml", CONFIG);
    for name in ["a", "b", "c"] {
        maestro.file(
            &format!("{name}/package.json"),
            format!("{{\"name\": \"{name}\"}}"),
        );
    }
    maestro.commit("Begin");
    maestro
}

/// Stores a report of a job's leg.
fn report(maestro: &Maestro, run: &str, attempt: &str, job: &str, leg: &str, passed: bool) {
    let failure = if passed {
        ""
    } else {
        "<failure message=\"m\"/>"
    };
    let text = format!(
        "<testsuite name=\"{run}{attempt}{job}{leg}\"><testcase name=\"t\" classname=\"c\">{failure}</testcase></testsuite>"
    );
    maestro.file("r.xml", text);
    let args = [
        "flakes",
        "ingest",
        "r.xml",
        "--run",
        run,
        "--attempt",
        attempt,
        "--job",
        job,
        "--leg",
        leg,
    ];
    let _ = maestro.run(args).success();
    fs::remove_file(maestro.path("r.xml")).unwrap();
}

/// Plans a push to main, as GitHub would start it.
fn push(maestro: Maestro, run: &str) -> (Maestro, Value) {
    maestro.file(
        "event.txt",
        "{\"repository\": {\"id\": 1, \"full_name\": \"o/r\", \"default_branch\": \"main\"}}",
    );
    let maestro = maestro
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_REF_NAME", "main")
        .env("GITHUB_EVENT_PATH", "event.txt")
        .env("GITHUB_RUN_ID", run);
    let plan = maestro.json(&["plan"]);
    (maestro, plan)
}

#[test]
fn what_is_likeliest_to_fail_comes_first_and_nothing_is_skipped_for_it() {
    let maestro = repository();
    for run in ["1", "2", "3"] {
        report(&maestro, run, "1", "a", "", true);
        report(&maestro, run, "1", "c", "", run == "1");
    }
    for name in ["a", "b", "c"] {
        maestro.file(&format!("{name}/x"), "1");
    }
    maestro.commit("Change");
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    let lines = plan["matrix"]["include"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(
        lines,
        ["c (npm:c)", "a (npm:a)", "b (npm:b, 1/2)", "b (npm:b, 2/2)"]
    );
    let jobs = plan["jobs"].as_array().unwrap().iter();
    let priorities: Vec<Value> = jobs.map(|job| job["priority"].clone()).collect();
    assert_eq!(
        priorities,
        [Value::from(0.125), Value::Null, Value::from(0.625)]
    );
}

#[test]
fn without_github_the_state_says_which_commit_passed_last() {
    let (maestro, first) = push(repository(), "1");
    assert_eq!(
        (&first["mode"], &first["reasons"][0]["code"]),
        (&Value::from("all"), &Value::from("last-green-unknown"))
    );
    let green = maestro.git(&["rev-parse", "HEAD"]);
    report(&maestro, "1", "1", "a", "", true);
    report(&maestro, "1", "1", "b", "1/2", true);
    report(&maestro, "1", "1", "c", "", false);
    maestro.file("a/x", "1");
    maestro.commit("Second");
    // A leg of `b` has left no report, and `c` has failed.
    let (maestro, second) = push(maestro, "2");
    assert_eq!(second["mode"], "all");
    report(&maestro, "1", "2", "c", "", true);
    report(&maestro, "1", "1", "b", "2/2", true);
    maestro.file("b/x", "1");
    maestro.commit("Third");
    let (_, third) = push(maestro, "3");
    assert_eq!(third["merge_base"], green.trim());
    let run: Vec<&str> = third["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["run"] == true)
        .map(|job| job["id"].as_str().unwrap())
        .collect();
    // What the second push changed was never seen to pass.
    assert_eq!(run, ["a", "b"]);
}

/// Events as they were written when their kinds were frozen; never made again.
#[test]
fn frozen_plans_and_times_are_read_as_they_were_written() {
    let maestro = Maestro::in_repo();
    let frozen = package().join("tests/suite/state_compat/v1-plan/events");
    for kind in ["plan", "test_list", "test_run", "test_timing"] {
        let path = format!("{kind}/2026-01.ndjson");
        let text = fs::read(frozen.join(&path)).unwrap();
        maestro.file(&format!(".git/maestro/segments/events/{path}"), text);
    }
    let _ = maestro.run(["state", "verify"]).success();
    maestro.file(
        "tests.txt",
        "tests/test_a.py::slow\ntests/test_a.py::quick\ntests/test_a.py::new\n",
    );
    let split = maestro.json(&[
        "plan",
        "shard",
        "1/1",
        "--runner",
        "pytest",
        "--tests",
        "tests.txt",
    ]);
    assert_eq!(
        (&split["known"], &split["new_seconds"]),
        (&Value::from(2), &Value::from(4.5))
    );
    assert_eq!(split["shards"][0]["seconds"], 9.25);
    // The plan of a push of the first commit, which passed.
    let first = maestro.git(&["rev-parse", "HEAD"]);
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\njobs: { test: {}, other: {} }\n",
    );
    maestro.commit("Add");
    let (_, plan) = push(maestro, "9");
    assert_eq!(plan["merge_base"], first.trim());
}
