//! Whatever is lost, cut, down or damaged between plan and gate: everything runs, or something fails loudly. Never a silent green.
//!
//! In every row something is wrong with the change (its job `unit` did not run, or failed) or nothing is known; the row's fault must not hide it.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault};
use crate::harness::Run;
use crate::pull_request::QUARANTINE;
use crate::workflow::Workflow;

const ENFORCED: &str = "enforce: [plan, flakes]\n";

/// What became of a fault.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Every job of the change runs.
    RunAll,
    /// A step fails, and says why.
    Loud,
    /// Nobody noticed.
    SilentGreen,
}

/// How a gate ended: green is silent here.
fn gated(workflow: &Workflow) -> End {
    ended(&workflow.gate(&[]).0)
}

fn ended(run: &Run) -> End {
    let says = run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: ");
    if run.code != 0 && (says || run.code < 0) {
        End::Loud
    } else {
        End::SilentGreen
    }
}

/// How a plan ended: as long as it runs the job of the change, nothing is lost.
fn planned(workflow: &Workflow) -> End {
    let run = workflow.run(&["plan", "--format", "json"]);
    if run.code != 0 {
        return ended(&run);
    }
    let plan: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    let lines = plan["matrix"]["include"].as_array().cloned();
    let has = |job: &str| {
        let mut lines = lines.iter().flatten();
        lines.any(|line| line["job"] == job)
    };
    if has("unit") {
        End::RunAll
    } else {
        End::SilentGreen
    }
}

/// Counts rows, and fails with the names of those that nobody noticed.
#[track_caller]
fn all_noticed(part: &str, rows: &[(String, End)]) {
    let silent: Vec<&String> = rows
        .iter()
        .filter(|(_, end)| *end == End::SilentGreen)
        .map(|(name, _)| name)
        .collect();
    let of = |wanted: &End| rows.iter().filter(|(_, end)| end == wanted).count();
    eprintln!(
        "{part}: {} faults, {} run everything, {} fail loudly, {} silent",
        rows.len(),
        of(&End::RunAll),
        of(&End::Loud),
        silent.len()
    );
    assert!(silent.is_empty(), "silent green: {silent:?}");
}

/// A played run whose job `unit` was skipped, as GitHub shows it.
fn skipped() -> Workflow {
    let mut workflow = Workflow::new(ENFORCED, &[]);
    workflow.play();
    fs::remove_dir_all(workflow.maestro.path(".git/maestro")).unwrap();
    workflow.needs["test"]["result"] = json!("skipped");
    workflow
}

#[test]
fn outputs_and_needs_that_are_lost_hide_nothing() {
    let mut workflow = skipped();
    let whole = workflow.needs.clone();
    let other_run =
        json!({"matrix": "{\"include\":[{\"job\":\"docs\"}]}", "has_jobs": "true", "trusted": ""});
    let empty_run = json!({"matrix": "{\"include\":[]}", "has_jobs": "false"});
    let mut rows = Vec::new();
    for output in ["matrix", "has_jobs", "trusted"] {
        let text = whole["plan"]["outputs"][output]
            .as_str()
            .unwrap()
            .to_owned();
        for (fault, value) in [
            ("dropped", Value::Null),
            ("emptied", json!("")),
            ("cut", json!(text[..text.len() / 2])),
            ("from another run", other_run[output].clone()),
        ] {
            workflow.needs = whole.clone();
            let outputs = workflow.needs["plan"]["outputs"].as_object_mut().unwrap();
            if value.is_null() {
                outputs.remove(output);
            } else {
                outputs.insert(output.to_owned(), value);
            }
            rows.push((format!("{output} {fault}"), gated(&workflow)));
        }
    }
    let outputs = |outputs: &Value| {
        let mut needs = whole.clone();
        needs["plan"]["outputs"] = outputs.clone();
        needs
    };
    let text = whole.to_string();
    for (fault, needs) in [
        ("all outputs dropped", outputs(&json!({}))),
        ("all outputs of another run", outputs(&other_run)),
        (
            "all outputs of a run with nothing to do",
            outputs(&empty_run),
        ),
        ("no plan in needs", json!({"test": whole["test"]})),
        ("no test in needs", json!({"plan": whole["plan"]})),
        ("no needs", json!({})),
        ("needs null", Value::Null),
        ("needs of another kind", json!([])),
        (
            "plan failed",
            json!({"plan": {"result": "failure"}, "test": {"result": "skipped"}}),
        ),
        (
            "plan cancelled",
            json!({"plan": {"result": "cancelled"}, "test": {"result": "skipped"}}),
        ),
        (
            "plan skipped",
            json!({"plan": {"result": "skipped"}, "test": {"result": "skipped"}}),
        ),
        (
            "result unknown",
            json!({"plan": whole["plan"], "test": {"result": "neutral"}}),
        ),
    ] {
        workflow.needs = needs;
        rows.push((fault.to_owned(), gated(&workflow)));
    }
    for part in [1, text.len() / 3, text.len() - 1] {
        workflow.maestro.file("needs.xml", &text[..part]);
        let cut = workflow.run(&["gate", "--needs", "needs.xml"]);
        rows.push((format!("needs cut at {part}"), ended(&cut)));
    }
    let missing = workflow.run(&["gate", "--needs", "nowhere.json"]);
    rows.push(("needs not there".to_owned(), ended(&missing)));
    let unset = workflow.run(&["gate"]);
    rows.push(("needs not handed on".to_owned(), ended(&unset)));
    all_noticed("outputs and needs", &rows);
}

/// What an API may answer instead.
fn api_faults() -> Vec<(&'static str, Fault)> {
    let json = |status: u16, words: &str| Answer::json(status, &json!({"message": words}));
    let limited = json(403, "API rate limit exceeded")
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", "4102444800");
    vec![
        ("401", Fault::Instead(json(401, "Bad credentials"))),
        (
            "403",
            Fault::Instead(json(403, "Resource not accessible by integration")),
        ),
        ("404", Fault::Instead(json(404, "Not Found"))),
        ("rate limit", Fault::Instead(limited)),
    ]
}

#[test]
fn an_api_that_is_down_hides_nothing() {
    let fake = Fake::start();
    let mut rows = Vec::new();
    let mut workflow = skipped();
    workflow.at(&fake);
    for (name, fault) in api_faults() {
        let fault = fault.clone();
        fake.faults(move |_| Some(fault.clone()));
        rows.push((format!("gate, {name}"), gated(&workflow)));
    }
    fake.mend();
    // A push to main asks which commit passed last.
    let mut push = Workflow::new(ENFORCED, &[]);
    push.at(&fake);
    push.maestro.git(&["switch", "--quiet", "main"]);
    push.maestro.git(&["merge", "--quiet", "topic"]);
    let before = push.maestro.git(&["rev-parse", "HEAD~1"]);
    pushed(&mut push, &before);
    for (name, fault) in api_faults() {
        fake.faults(move |_| Some(fault.clone()));
        rows.push((format!("plan of a push, {name}"), planned(&push)));
    }
    all_noticed("the API", &rows);
}

/// Makes the event a push to `main` that began behind a commit.
fn pushed(push: &mut Workflow, before: &str) {
    let payload = json!({
        "ref": "refs/heads/main", "before": before.trim(), "created": false, "forced": false, "deleted": false,
        "repository": {"id": 1, "full_name": "o/n", "default_branch": "main"},
    });
    push.maestro.file("event.json", payload.to_string());
    for (name, value) in [
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_REF_NAME", "main"),
        (
            "GITHUB_WORKFLOW_REF",
            "o/n/.github/workflows/ci.yml@refs/heads/main",
        ),
    ] {
        push.set(name, value);
    }
}

#[test]
fn a_break_on_main_is_planned_until_it_passed() {
    let fake = Fake::start();
    let mut push = Workflow::new(ENFORCED, &[]);
    push.at(&fake);
    push.maestro.git(&["switch", "--quiet", "main"]);
    let green = push.maestro.git(&["rev-parse", "HEAD"]);
    push.maestro.file("src/a.txt", "breaks");
    push.maestro.commit("Break");
    let broken = push.maestro.git(&["rev-parse", "HEAD"]);
    push.maestro.file("docs/a.md", "words");
    push.maestro.commit("Write");
    let run = |id: u64, commit: &str, conclusion: &str| {
        let fields = json!({"head_sha": commit.trim(), "conclusion": conclusion, "status": conclusion, "path": ".github/workflows/ci.yml"});
        fake.ended(id, &fields, &[("2026-01-05T08:00:00Z", &[])]);
    };
    run(1, &green, "success");
    run(2, &broken, "failure");
    pushed(&mut push, &broken);
    let plan = push.run(&["plan", "--format", "json"]).success();
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["merge_base"], green.trim(), "{plan}");
    assert_eq!(planned(&push), End::RunAll);
}

#[test]
fn a_base_that_is_gone_hides_nothing() {
    let mut rows = Vec::new();
    let mut gone = skipped();
    gone.maestro
        .git(&["remote", "set-url", "origin", "file:///nowhere"]);
    rows.push(("remote gone, gate".to_owned(), gated(&gone)));
    rows.push(("remote gone, plan".to_owned(), planned(&gone)));
    // A shallow clone that has nothing of the base, and no remote to ask.
    let top = gone.maestro.path(".");
    let url = format!("file://{}", top.display());
    gone.maestro.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--branch=topic",
        &url,
        "out-shallow",
    ]);
    let shallow = gone.maestro.path("out-shallow");
    let shallow = shallow.to_str().unwrap();
    gone.maestro.git(&[
        "-C",
        shallow,
        "remote",
        "set-url",
        "origin",
        "file:///nowhere",
    ]);
    let event = gone.maestro.path("event.json");
    gone.set("GITHUB_EVENT_PATH", event.to_str().unwrap());
    let plan = gone.run(&["-C", shallow, "plan", "--format", "json"]);
    let document: Value = serde_json::from_str(&plan.stdout).unwrap_or_default();
    let is_all = document["mode"] == "all" && plan.stderr.contains("everything runs: ");
    let end = if plan.code == 0 && is_all {
        End::RunAll
    } else {
        ended(&plan)
    };
    rows.push(("base object missing, plan".to_owned(), end));
    let needs = gone.needs.to_string();
    gone.set("MAESTRO_NEEDS", &needs);
    let gate = gone.run(&["-C", shallow, "gate"]);
    rows.push(("base object missing, gate".to_owned(), ended(&gate)));
    let named = gone.run(&["gate", "--base", "0123456789012345678901234567890123456789"]);
    rows.push(("a named base that is not there".to_owned(), ended(&named)));
    all_noticed("the base", &rows);
}

#[test]
fn damage_on_the_machine_hides_nothing() {
    let mut rows = Vec::new();
    let workflow = skipped();
    let _ = workflow.run(&["plan"]).success();
    let cache = workflow.maestro.path(".git/maestro");
    let files = crate::harness::files_below(&cache);
    assert!(!files.is_empty());
    for (fault, content) in [
        ("emptied", Vec::new()),
        ("cut", b"{\"schema\":".to_vec()),
        ("garbage", vec![0xff; 4096]),
    ] {
        let copy = workflow.copy();
        for file in &files {
            let short = file.strip_prefix(workflow.maestro.path(".")).unwrap();
            fs::write(copy.maestro.path(short.to_str().unwrap()), &content).unwrap();
        }
        rows.push((format!("state and caches {fault}, plan"), planned(&copy)));
        rows.push((format!("state and caches {fault}, gate"), gated(&copy)));
    }
    let blocked = workflow.copy();
    fs::remove_dir_all(blocked.maestro.path(".git/maestro")).unwrap();
    blocked.maestro.file(".git/maestro", "in the way");
    rows.push(("no place for the state, plan".to_owned(), planned(&blocked)));
    rows.push(("no place for the state, gate".to_owned(), gated(&blocked)));
    // A full disk where the answer goes.
    for args in [["plan", "--format", "json"].as_slice(), &["gate"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = workflow.maestro.command(args);
        command
            .envs(&workflow.env)
            .env("MAESTRO_NEEDS", workflow.needs.to_string());
        let output = command.stdout(full).output().unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::new(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        rows.push((format!("a full disk, {}", args[0]), ended(&run)));
    }
    let mut full = workflow.copy();
    full.set("GITHUB_OUTPUT", "/dev/full");
    let plan = full.run(&["plan"]);
    rows.push(("outputs on a full disk".to_owned(), ended(&plan)));
    all_noticed("damage", &rows);
}

#[test]
fn a_step_that_is_killed_is_no_success() {
    let mut rows = Vec::new();
    let workflow = Workflow::new(ENFORCED, &[]);
    for (name, args) in [
        ("plan", ["plan"].as_slice()),
        ("exec", &["exec", "--", "sleep", "60"]),
        ("gate", &["gate"]),
    ] {
        let mut command = workflow.maestro.command(args);
        command
            .envs(&workflow.env)
            .env("MAESTRO_NEEDS", "{\"plan\": {\"result\": \"success\"}}")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let end = if status.success() {
            End::SilentGreen
        } else {
            End::Loud
        };
        rows.push((format!("{name} killed"), end));
    }
    // What GitHub makes of it: the job behind is skipped, or the job itself is red.
    let mut behind = Workflow::new(ENFORCED, &[]);
    for (name, needs) in [
        (
            "killed plan, gate",
            json!({"plan": {"result": "failure", "outputs": {}}, "test": {"result": "skipped"}}),
        ),
        (
            "killed exec, gate",
            json!({"plan": {"result": "success", "outputs": {"matrix": "{\"include\":[{\"job\":\"unit\"}]}", "has_jobs": "true"}}, "test": {"result": "failure"}}),
        ),
    ] {
        behind.needs = needs;
        rows.push((name.to_owned(), gated(&behind)));
    }
    all_noticed("kills", &rows);
}

#[test]
fn results_and_quarantines_that_are_lost_hide_nothing() {
    let mut rows = Vec::new();
    // A flake that fails without the quarantine is red.
    let mut flaky = Workflow::new(ENFORCED, &["flaky"]);
    flaky.play();
    let trusted = flaky.needs["plan"]["outputs"]["trusted"]
        .as_str()
        .unwrap()
        .to_owned();
    for (fault, text) in [
        ("dropped", String::new()),
        ("cut", trusted[..trusted.len() / 2].to_owned()),
        ("of another run", trusted.replace("flaky", "other")),
    ] {
        flaky.set("MAESTRO_TRUSTED", &text);
        let run = flaky.run(&["exec", "unit"]);
        let end = if run.code == 1 && run.stderr.contains("forgiven") {
            End::Loud
        } else {
            End::SilentGreen
        };
        rows.push((format!("trusted {fault}, exec"), end));
    }
    flaky.env.remove("MAESTRO_TRUSTED");
    // The base's own is damaged: nobody knows what is forgiven.
    flaky.maestro.git(&["switch", "--quiet", "main"]);
    flaky
        .maestro
        .file(".maestro/quarantine.json", &QUARANTINE[..40]);
    flaky.maestro.commit("Damage");
    flaky.maestro.git(&["push", "--quiet", "origin", "main"]);
    flaky.maestro.git(&["switch", "--quiet", "topic"]);
    flaky.event();
    rows.push((
        "the base's quarantine damaged, gate".to_owned(),
        gated(&flaky),
    ));
    // What a job left is lost, of another run, or no archive; the job's result counts, and a lost part of several is loud.
    let fake = Fake::start();
    let mut red = Workflow::new(ENFORCED, &["broken"]);
    red.play();
    let id = red.leave(&fake, 1);
    red.at(&fake);
    let archive = fake.store().archives[&id].clone();
    for (fault, bytes) in [
        ("lost", None),
        ("no archive", Some(b"no archive".to_vec())),
        ("cut", Some(archive[..archive.len() / 2].to_vec())),
        ("empty", Some(Vec::new())),
    ] {
        match bytes {
            None => drop(fake.store().archives.remove(&id)),
            Some(bytes) => drop(fake.store().archives.insert(id, bytes)),
        }
        rows.push((format!("artifact {fault}, gate"), gated(&red)));
    }
    fake.store().archives.insert(id, archive);
    // A job that is shown as green without having run.
    let job = json!({"run_id": 77, "run_attempt": 1, "name": "test (unit)", "status": "completed", "conclusion": "skipped"});
    fake.add("/actions/runs/77/attempts/1/jobs", "job", job);
    red.needs["test"]["result"] = json!("success");
    rows.push(("a skipped job shown as green".to_owned(), gated(&red)));
    fake.store()
        .lists
        .remove("/actions/runs/77/attempts/1/jobs");
    rows.push(("a red job shown as green".to_owned(), gated(&red)));
    all_noticed("results", &rows);
}
