//! `maestro state sync` and what jobs leave at GitHub.

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::harness::Maestro;

/// A repository with a remote of its own, and GitHub beside it.
struct Team {
    maestro: Maestro,
    fake: Fake,
    /// Where the remote lies.
    remote: Maestro,
}

impl Team {
    fn new() -> Self {
        let remote = Maestro::in_folder();
        remote.git(&["init", "--quiet", "--bare", "remote.git"]);
        let fake = Fake::start();
        Self {
            maestro: machine(&remote, &fake).env("GITHUB_TOKEN", TOKEN),
            fake,
            remote,
        }
    }

    fn sync(&self, args: &[&str]) -> (i32, Value) {
        let run = self
            .maestro
            .run([&["state", "sync", "--format", "json"], args].concat());
        (
            run.code,
            serde_json::from_str(&run.stdout).unwrap_or(Value::Null),
        )
    }

    fn runs(&self) -> u64 {
        self.maestro.json(&["flakes", "report"])["totals"]["runs"]
            .as_u64()
            .unwrap()
    }

    /// Adds an artifact of run 5.
    fn left(&self, attempt: u32, leg: &str, branch: &str) {
        let (name, archive) = job(5, attempt, "unit", leg, branch);
        self.fake
            .artifact(&name, 5, "2026-01-05T08:10:00Z", archive);
    }
}

/// A fresh machine with a clone of nothing.
fn machine(remote: &Maestro, fake: &Fake) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.git(&[
        "remote",
        "add",
        "origin",
        &remote.path("remote.git").to_string_lossy(),
    ]);
    maestro
        .env("GITHUB_API_URL", fake.api())
        .env("GITHUB_REPOSITORY", "o/n")
}

/// What a job of a run leaves: its own machine, its own pack.
fn job(run: u64, attempt: u32, job: &str, leg: &str, branch: &str) -> (String, Vec<u8>) {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", "<testsuite name=\"s\"><testcase name=\"a\"/><testcase name=\"b\"><failure message=\"m\"/></testcase></testsuite>");
    let maestro = maestro
        .env("GITHUB_RUN_ID", run.to_string())
        .env("GITHUB_RUN_ATTEMPT", attempt.to_string())
        .env("GITHUB_JOB", job)
        .env("MAESTRO_LEG", leg)
        .env("MAESTRO_BRANCH", branch)
        .env("MAESTRO_COMMIT", "c")
        .env("GITHUB_REPOSITORY", "o/n")
        .env("MAESTRO_NOW", "2026-01-05T08:00:00Z");
    let _ = maestro.run(["flakes", "ingest", "r.xml"]).success();
    let packed = maestro.json(&["state", "pack", "p.ndjson"]);
    let name = packed["artifact"].as_str().unwrap().to_owned();
    (
        name,
        zipped(&std::fs::read(maestro.path("p.ndjson")).unwrap()),
    )
}

pub(crate) fn zipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file(
            "maestro-events.ndjson",
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
    archive.write_all(bytes).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn what_three_jobs_of_two_attempts_left_is_taken_in_once_and_the_hostile_one_is_named() {
    let team = Team::new();
    team.fake.run(5, 2, json!({}));
    for attempt in 1..=2 {
        for name in ["unit", "it", "lint"] {
            for leg in ["a", "b", "c", "d"] {
                let (artifact, archive) = job(5, attempt, name, leg, "main");
                team.fake
                    .artifact(&artifact, 5, "2026-01-05T08:10:00Z", archive);
            }
        }
    }
    // Its name says run 5; what is in it is of run 6.
    let (_, foreign) = job(6, 1, "unit", "a", "main");
    team.fake.artifact(
        "maestro+5+1+unit+00000000deadbeef",
        5,
        "2026-01-05T08:20:00Z",
        foreign,
    );
    team.fake
        .artifact("coverage", 5, "2026-01-05T08:30:00Z", b"no zip".to_vec());
    let (code, document) = team.sync(&[]);
    assert_eq!(code, 0, "{document}");
    let artifacts = document["artifacts"]["artifacts"].as_array().unwrap();
    let refused: Vec<&Value> = artifacts.iter().filter(|row| row["refused"] != 0).collect();
    assert_eq!(artifacts.len(), 25);
    assert_eq!(refused.len(), 1, "{document}");
    assert_eq!(refused[0]["name"], "maestro+5+1+unit+00000000deadbeef");
    assert_eq!(refused[0]["reasons"], json!(["artifact/foreign-run"]));
    assert_eq!(team.runs(), 24);
    // A quiet day: nothing new, one request, nothing twice.
    team.fake.asked();
    let (code, document) = team.sync(&[]);
    assert_eq!((code, &document["artifacts"]["artifacts"]), (0, &json!([])));
    assert_eq!(team.fake.asked(), ["GET /repos/o/n/actions/artifacts"]);
    assert_eq!(team.runs(), 24);
}

#[test]
fn the_cursor_is_shared_by_machines() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    team.left(1, "", "main");
    assert_eq!(team.sync(&[]).0, 0);
    // A fresh runner knows nothing but the remote.
    let fresh = machine(&team.remote, &team.fake).env("GITHUB_TOKEN", TOKEN);
    let team = Team {
        maestro: fresh,
        ..team
    };
    team.fake.asked();
    let (code, document) = team.sync(&[]);
    assert_eq!(
        (code, &document["artifacts"]["artifacts"]),
        (0, &json!([])),
        "{document}"
    );
    assert_eq!(team.fake.asked().len(), 1);
    assert_eq!(team.runs(), 1);
}

#[test]
fn a_stranger_speaks_for_his_own_branch_only() {
    let team = Team::new();
    let fork = json!({ "event": "pull_request", "head_branch": "main", "head_repository": { "id": 9, "full_name": "stranger/n" } });
    team.fake.run(5, 1, fork);
    for branch in ["main", "stranger:main"] {
        team.left(1, "", branch);
    }
    let (code, document) = team.sync(&[]);
    let rows = document["artifacts"]["artifacts"].as_array().unwrap();
    let reasons: Vec<_> = rows.iter().map(|row| &row["reasons"]).collect();
    assert_eq!(
        (code, reasons),
        (0, vec![&json!(["artifact/foreign-run"]), &json!([])]),
        "{document}"
    );
    assert_eq!(team.runs(), 1);
}

#[test]
fn what_breaks_off_goes_on_the_next_time() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    for leg in ["a", "b", "c"] {
        team.left(1, leg, "main");
    }
    let downloads = std::sync::atomic::AtomicUsize::new(0);
    team.fake.faults(move |asked| {
        let is_second = asked.path.ends_with("/zip")
            && downloads.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0;
        is_second.then(|| {
            Fault::Instead(Answer::json(
                403,
                &json!({ "message": "Resource not accessible by integration" }),
            ))
        })
    });
    let (code, document) = team.sync(&[]);
    assert_eq!(
        (code, &document["artifacts"]["left"]),
        (77, &json!(2)),
        "{document}"
    );
    assert_eq!(team.runs(), 1);
    team.fake.mend();
    let (code, document) = team.sync(&[]);
    assert_eq!(
        (
            code,
            document["artifacts"]["artifacts"].as_array().unwrap().len()
        ),
        (0, 2),
        "{document}"
    );
    assert_eq!(team.runs(), 3);
}

#[test]
fn a_machine_that_cannot_publish_moves_no_cursor() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    team.left(1, "", "main");
    let hook = "#!/bin/sh\necho GH006: protected branch; exit 1\n";
    team.remote.file("remote.git/hooks/pre-receive", hook);
    let hook = team.remote.path("remote.git/hooks/pre-receive");
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(team.sync(&[]).0, 77);
    // That runner is gone, with what it took in. The next one finds it again.
    std::fs::remove_file(hook).unwrap();
    let fresh = machine(&team.remote, &team.fake).env("GITHUB_TOKEN", TOKEN);
    let team = Team {
        maestro: fresh,
        ..team
    };
    let (code, document) = team.sync(&[]);
    assert_eq!(
        (
            code,
            document["artifacts"]["artifacts"].as_array().unwrap().len()
        ),
        (0, 1),
        "{document}"
    );
    assert_eq!(team.runs(), 1);
}

#[test]
fn what_no_job_leaves_is_not_even_downloaded() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    team.left(1, "", "main");
    team.fake
        .store()
        .lists
        .get_mut("/actions/artifacts")
        .unwrap()[0]["size_in_bytes"] = json!(1_u64 << 40);
    let (code, document) = team.sync(&[]);
    assert_eq!(
        (code, &document["artifacts"]["artifacts"][0]["refused"]),
        (0, &json!(1)),
        "{document}"
    );
    assert!(!team.fake.asked().iter().any(|line| line.ends_with("/zip")));
}

#[test]
fn a_claim_about_another_attempt_is_refused() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    team.left(2, "", "main");
    let (code, document) = team.sync(&[]);
    let row = &document["artifacts"]["artifacts"][0];
    assert_eq!((code, &row["events"]), (0, &json!(0)));
    assert_eq!(
        row["reasons"],
        json!(["it says that it is of attempt 2, and there were 1"])
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let team = Team::new();
    team.fake.run(5, 1, json!({}));
    team.left(1, "", "main");
    let (code, document) = team.sync(&["--dry-run"]);
    assert_eq!(
        (code, &document["artifacts"]["artifacts"][0]["events"]),
        (0, &json!(2))
    );
    assert_eq!(team.runs(), 0);
    assert_eq!(team.sync(&[]).0, 0);
    assert_eq!(team.runs(), 1);
}

#[test]
fn the_branch_is_written_by_the_api_where_a_push_may_not() {
    let team = Team::new();
    let remote = team.remote.path("remote.git");
    team.fake.store().git = Some(remote.clone());
    // Rules want signed commits on branches; GitHub signs its own, which come by no push.
    let hook = "#!/bin/sh\nwhile read old new ref; do case $ref in refs/heads/*) echo GH013: unsigned; exit 1;; esac; done\n";
    team.remote.file("remote.git/hooks/pre-receive", hook);
    #[cfg(unix)]
    std::fs::set_permissions(
        remote.join("hooks/pre-receive"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    team.fake.run(5, 1, json!({}));
    team.left(1, "a", "main");
    assert_eq!(team.sync(&[]).0, 77);
    let (code, document) = team.sync(&["--via", "api"]);
    assert_eq!(code, 0, "{document}");
    let log = |what: &str| {
        team.remote.git(&[
            "-C",
            "remote.git",
            "log",
            &format!("--format={what}"),
            "maestro-state",
        ])
    };
    assert_eq!(log("%an"), "GitHub\n");
    assert_eq!(document["folded"]["remote"]["commit"], log("%H").trim());
    // The next one stands on it; refs of the inbox are gone.
    team.left(1, "b", "main");
    team.fake
        .store()
        .lists
        .get_mut("/actions/artifacts")
        .unwrap()[1]["created_at"] = json!("2026-01-05T08:40:00Z");
    let (code, document) = team.sync(&["--via", "api"]);
    assert_eq!((code, log("%an").lines().count()), (0, 2), "{document}");
    assert_eq!(
        team.remote
            .git(&["-C", "remote.git", "for-each-ref", "refs/maestro/inbox"]),
        ""
    );
    let fresh = machine(&team.remote, &team.fake);
    let _ = fresh.run(["state", "pull"]).success();
    assert_eq!(fresh.json(&["flakes", "report"])["totals"]["runs"], 2);
}

#[test]
fn who_is_slower_by_the_api_begins_again() {
    let team = Team::new();
    let remote = team.remote.path("remote.git");
    team.fake.store().git = Some(remote.clone());
    for run in ["1", "2"] {
        let other = machine(&team.remote, &team.fake);
        other.file(
            "r.xml",
            format!("<testsuite name=\"s\"><testcase name=\"{run}\"/></testsuite>"),
        );
        let _ = other
            .run(["flakes", "ingest", "r.xml", "--run", run])
            .success();
        let _ = other.run(["state", "push"]).success();
        if run == "1" {
            let _ = other.run(["state", "fold"]).success();
        }
    }
    // While this one writes its commit, somebody else moves the branch by a push.
    let moved = std::sync::atomic::AtomicBool::new(false);
    team.fake.faults(move |asked| {
        if asked.path.ends_with("/git/commits")
            && asked.method == "POST"
            && !moved.swap(true, std::sync::atomic::Ordering::SeqCst)
        {
            let git = |args: &[&str]| {
                let done = std::process::Command::new("git")
                    .arg("-C")
                    .arg(&remote)
                    .args(args)
                    .env("GIT_CONFIG_GLOBAL", "/dev/null")
                    .output()
                    .unwrap();
                String::from_utf8(done.stdout).unwrap().trim().to_owned()
            };
            let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
            let tree = git(&["rev-parse", "maestro-state^{tree}"]);
            let commit = git(&[
                &identity[..],
                &["commit-tree", &tree, "-p", "maestro-state", "-m", "Faster"],
            ]
            .concat());
            git(&["update-ref", "refs/heads/maestro-state", &commit]);
        }
        None
    });
    let (code, document) = team.sync(&["--via", "api", "--no-artifacts"]);
    assert_eq!(
        (code, &document["folded"]["remote"]["commits"]),
        (0, &json!(1)),
        "{document}"
    );
    let log = team
        .remote
        .git(&["-C", "remote.git", "log", "--format=%s", "maestro-state"]);
    assert_eq!(log, "Fold 2 events\nFaster\nFold 2 events\n");
    assert_eq!(team.runs(), 2);
}

#[test]
fn without_a_token_nothing_is_asked_and_no_token_is_shown() {
    let team = Team::new();
    let without = machine(&team.remote, &team.fake);
    let run = without.run(["state", "sync"]).success();
    assert!(run.stderr.contains("no token for GitHub"), "{}", run.stderr);
    assert!(team.fake.asked().is_empty());
    let _ = without
        .run(["state", "sync", "--repository", "o/n"])
        .exits_with(77);
    let token = "ghs_wrongwrongwrongwrongwrongwrongwrong12";
    let run = without
        .env("GITHUB_TOKEN", token)
        .run(["state", "sync", "-v"])
        .exits_with(77);
    assert!(
        run.stderr.contains("does not accept the token"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains(token) && !run.stdout.contains(token));
}
