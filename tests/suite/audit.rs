//! `maestro audit`: what it asks, what it says, and that it writes nothing.

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::harness::{Maestro, files_below};

/// A repository of two Go modules: a commit of both, one of `a`, one of `b`, and one for people.
fn shop() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro
        .file("a/go.mod", "module example.com/a\n")
        .file("a/a.go", "package a\n")
        .file("b/go.mod", "module example.com/b\n")
        .file("b/b.go", "package b\n");
    maestro.commit("Add two modules");
    maestro
        .file("a/a.go", "package a // changed\n")
        .commit("Change a (#1)");
    maestro
        .file("b/b.go", "package b // changed\n")
        .commit("Change b (#2)\n\nCo-Authored-By: Claude <noreply@anthropic.com>");
    maestro
        .file("README.md", "For people.\n")
        .commit("Say more");
    maestro
}

fn with(fake: &Fake) -> Maestro {
    shop()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api())
}

fn commit(maestro: &Maestro, revision: &str) -> String {
    maestro.git(&["rev-parse", revision]).trim().to_owned()
}

fn audit(maestro: &Maestro, more: &[&str]) -> Value {
    maestro.json(&[&["audit", "--now", "2026-01-06T00:00:00Z"], more].concat())
}

/// A run of ten minutes on a commit, with its jobs: name, attempt and conclusion, of ten minutes each.
fn run(fake: &Fake, id: u64, sha: &str, fields: &Value, jobs: &[(&str, u32, &str)]) {
    let at = |second: u64| {
        format!(
            "2026-01-05T{:02}:{:02}:00Z",
            9 + id / 60 % 12,
            (id + second) % 60
        )
    };
    let ours = json!({ "id": 1, "full_name": "o/n" });
    let mut own = json!({
        "id": id, "name": "CI", "workflow_id": 1, "run_attempt": 1, "status": "completed", "conclusion": "success", "event": "push",
        "head_branch": "main", "head_sha": sha, "created_at": at(0), "run_started_at": at(0), "updated_at": at(0), "repository": ours,
        "head_repository": ours, "path": ".github/workflows/ci.yml",
    });
    for (name, value) in fields.as_object().unwrap() {
        own[name] = value.clone();
    }
    fake.add("/actions/runs", "workflow-run", own);
    for (name, attempt, conclusion) in jobs {
        let hour = format!("2026-01-05T{:02}", 9 + attempt);
        let job = json!({
            "run_id": id, "run_attempt": attempt, "name": name, "status": "completed", "conclusion": conclusion,
            "created_at": format!("{hour}:00:00Z"), "started_at": format!("{hour}:00:30Z"), "completed_at": format!("{hour}:10:30Z"),
        });
        fake.add(&format!("/actions/runs/{id}/jobs"), "job", job);
    }
}

fn missing(document: &Value) -> Vec<String> {
    let rows = document["missing"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{}: {}",
            row["why"].as_str().unwrap(),
            row["how"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn five_hundred_runs_take_no_more_requests_than_allowed_and_the_sample_is_stated() {
    let fake = Fake::start();
    let maestro = with(&fake);
    let (a, b) = (commit(&maestro, "HEAD~2"), commit(&maestro, "HEAD~1"));
    for id in 1..=500 {
        let sha = if id % 2 == 0 { &a } else { &b };
        let missed = id == 77 || id == 78;
        let conclusion = if missed { "failure" } else { "success" };
        let fields = json!({ "conclusion": conclusion });
        // The odd runs are of `b`, of which plans skip `a`.
        run(
            &fake,
            id,
            sha,
            &fields,
            &[
                ("go-a", 1, if id == 77 { "failure" } else { "success" }),
                ("go-b (1.25)", 1, conclusion),
            ],
        );
    }
    let document = audit(&maestro, &[]);
    let asked = fake.asked().len() as u64;
    assert!(asked <= 300, "{asked}");
    assert_eq!(document["calls"], json!({ "sent": asked, "most": 300 }));
    let minutes = &document["minutes"];
    let looked = minutes["spent"]["looked_at"].as_u64().unwrap();
    assert!((200..300).contains(&looked), "{minutes}");
    assert_eq!(
        (&minutes["spent"]["of"], &minutes["linked"]),
        (&json!(500), &json!(500))
    );
    // Each run took twenty minutes, of which plans skip ten: whatever the sample, the estimate is that.
    assert_eq!(
        (&minutes["spent"]["value"], &minutes["skipped"]["value"]),
        (&json!(10_000.0), &json!(5_000.0))
    );
    assert_eq!(minutes["skipped"]["interval"], json!([5_000.0, 5_000.0]));
    assert_eq!(minutes["by_name"], 1.0);
    // Runs that failed are looked at beside the sample; in one of the two a job failed that the plan would have skipped, in the other as well.
    assert_eq!(document["escapes"]["known"], 2, "{}", document["escapes"]);
    let human = maestro
        .run(["audit", "--now", "2026-01-06T00:00:00Z"])
        .success()
        .stdout;
    let stated = format!("estimate: jobs of {looked} of 500 runs, every 1st\u{2013}2nd");
    assert!(human.contains(&stated), "{human}");
    assert!(fake.writes().is_empty());
    // A smaller budget is held as well.
    let small = audit(&maestro, &["--calls", "12"]);
    assert!(fake.asked().len() <= 12);
    assert!(
        small["minutes"]["spent"]["looked_at"].as_u64().unwrap() > 0,
        "{small}"
    );
    let none = audit(&maestro, &["--calls", "0"]);
    assert!(fake.asked().is_empty());
    assert!(
        missing(&none).iter().any(|line| line.contains("--calls")),
        "{none}"
    );
}

#[test]
fn without_a_token_git_alone_tells_and_what_is_missing_is_named() {
    let maestro = shop().env("GITHUB_REPOSITORY", "o/n");
    let before = files_below(&maestro.path("."));
    let document = audit(&maestro, &[]);
    assert_eq!(
        files_below(&maestro.path(".")),
        before,
        "it wrote something"
    );
    let plan = &document["plan"];
    assert_eq!(
        (&plan["jobs_from"], &plan["jobs"]),
        (&json!("init"), &json!(["go-a", "go-b"]))
    );
    // Both modules are new in the first change; then one job each, and none.
    assert_eq!(
        (&plan["changes"], &plan["job_runs"], &plan["skipped"]),
        (&json!(4), &json!(8), &json!(4)),
        "{plan}"
    );
    assert_eq!(plan["list"][1]["number"], 2);
    assert_eq!(
        document["authors"],
        json!({ "human": 3, "bot": 0, "agent": 1 })
    );
    assert_eq!(
        (
            &document["policy"]["judged"],
            &document["policy"]["blocked"]
        ),
        (&json!(4), &json!(0))
    );
    assert!(
        document["minutes"].is_null()
            && document["reruns"].is_null()
            && document["escapes"].is_null()
    );
    assert!(
        missing(&document)[0].contains("no token: GITHUB_TOKEN=$(gh auth token)"),
        "{document}"
    );
    let again = audit(&maestro, &[]);
    assert_eq!(document, again);
}

#[test]
fn a_token_that_may_not_read_actions_is_told_which_permission_is_missing() {
    let fake = Fake::start();
    let maestro = with(&fake);
    fake.faults(|asked| {
        let words = json!({ "message": "Resource not accessible by integration" });
        let answer =
            Answer::json(403, &words).with("x-accepted-github-permissions", "actions=read");
        asked
            .path
            .contains("/actions/")
            .then_some(Fault::Instead(answer))
    });
    let document = audit(&maestro, &[]);
    assert!(
        missing(&document)[0].contains("actions: read"),
        "{}",
        document["missing"]
    );
    assert!(document["ci"].is_null());
    assert_eq!(document["plan"]["skipped"], 4);
}

#[test]
fn a_run_that_passed_when_it_was_tried_again_counts_with_its_wait() {
    let fake = Fake::start();
    let maestro = with(&fake);
    let b = commit(&maestro, "HEAD~1");
    let again = json!({ "run_attempt": 2, "updated_at": "2026-01-05T11:10:30Z" });
    run(
        &fake,
        1,
        &b,
        &again,
        &[("go-b", 1, "failure"), ("go-b", 2, "success")],
    );
    run(
        &fake,
        2,
        "0000000000000000000000000000000000000000",
        &json!({ "event": "schedule" }),
        &[("go-b", 1, "success")],
    );
    let document = audit(&maestro, &["--page", "audit.html"]);
    let reruns = &document["reruns"];
    assert_eq!(
        (
            &reruns["runs"],
            &reruns["failed_before"],
            &reruns["minutes"]
        ),
        (&json!(1), &json!(1), &json!(60.0))
    );
    assert_eq!(
        (
            &document["minutes"]["spent"]["value"],
            &document["minutes"]["linked"]
        ),
        (&json!(30.0), &json!(1))
    );
    let page = std::fs::read_to_string(maestro.path("audit.html")).unwrap();
    for foreign in ["<script", "src=", "@import", "<link rel=\"stylesheet"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("1 of 1 (100 %)") && page.contains("Content-Security-Policy"));
    assert_eq!(audit(&maestro, &[])["reruns"], *reruns);
}

#[test]
fn what_a_server_makes_up_breaks_nothing() {
    let fake = Fake::start();
    let maestro = with(&fake);
    let b = commit(&maestro, "HEAD~1");
    let odd = json!({
        "name": "\u{1b}[2J::error::x<script>", "created_at": "2026-01-05T10:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        "run_attempt": 4_294_967_295_u64, "conclusion": null, "head_branch": null, "head_repository": null,
    });
    run(
        &fake,
        1,
        &b,
        &odd,
        &[("go-a / \u{202e}", 1, "failure"), ("", 1, "made-up")],
    );
    run(&fake, 1, &b, &json!({ "head_sha": "" }), &[]);
    let done = maestro
        .run(["audit", "--now", "2026-01-06T00:00:00Z", "--page", "p.html"])
        .success();
    assert!(
        !done.stdout.contains('\u{1b}') && !done.stdout.contains("\n::error"),
        "{}",
        done.stdout
    );
    assert!(
        !std::fs::read_to_string(maestro.path("p.html"))
            .unwrap()
            .contains("<script")
    );
    for body in [
        json!([]),
        json!({ "workflow_runs": "x" }),
        json!({ "workflow_runs": [{}] }),
    ] {
        fake.faults(move |_| Some(Fault::Instead(Answer::json(200, &body))));
        let document = audit(&maestro, &["--deadline", "1"]);
        assert!(!missing(&document).is_empty(), "{document}");
    }
}

#[test]
fn a_repository_without_commits_and_a_shallow_one_say_so() {
    let empty = Maestro::in_folder();
    empty.git(&["init", "--quiet"]);
    let document = audit(&empty, &[]);
    assert!(
        missing(&document)[0].contains("nothing is committed yet"),
        "{document}"
    );
    let maestro = shop();
    let from = format!("file://{}", maestro.path(".").display());
    maestro.git(&["clone", "--quiet", "--depth=2", &from, "shallow"]);
    let document = audit(&maestro, &["-C", "shallow"]);
    assert_eq!(
        (
            &document["plan"]["is_shallow"],
            &document["plan"]["changes"]
        ),
        (&json!(true), &json!(1)),
        "{document}"
    );
    assert!(
        missing(&document)
            .iter()
            .any(|line| line.contains("--unshallow"))
    );
}

#[test]
fn the_jobs_of_the_configuration_count_and_days_and_limit_narrow_it() {
    let maestro = shop();
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\njobs:\n  docs: {paths: [\"**/*.md\"], run: make docs}\n  all: {run: make}\n",
    );
    let document = audit(&maestro, &["--limit", "2"]);
    let plan = &document["plan"];
    assert_eq!(
        (&plan["jobs_from"], &plan["jobs"], &plan["is_cut"]),
        (
            &json!("configuration"),
            &json!(["all", "docs"]),
            &json!(true)
        )
    );
    assert_eq!(
        (&plan["changes"], &plan["skipped"]),
        (&json!(2), &json!(1)),
        "{plan}"
    );
    let late = maestro.json(&["audit", "--now", "2026-03-01T00:00:00Z", "--days", "7"]);
    assert_eq!(late["plan"]["changes"], 0);
    assert!(
        missing(&late)[0].contains("the newest is of 2026-01-05T09:00:00Z"),
        "{late}"
    );
}
