//! `maestro flakes quarantine add --auto` and `--pull-request`.

use serde_json::{Value, json};

use crate::flakes_escalate::{history, machine};
use crate::github::Fake;
use crate::harness::Maestro;
use crate::killed::crash;

const BRANCH: &str = "maestro/quarantine";

const AUTO: [&str; 5] = ["flakes", "quarantine", "add", "--auto", "--pull-request"];

/// A machine with a history, and GitHub with its repository.
fn team() -> (Maestro, Fake) {
    let maestro = machine();
    maestro.git(&["clone", "--quiet", "--bare", ".", "r.git"]);
    let fake = Fake::start();
    fake.store().git = Some(maestro.path("r.git"));
    let api = fake.api();
    (maestro.env("GITHUB_API_URL", api), fake)
}

fn git(maestro: &Maestro, args: &[&str]) -> String {
    maestro.git(&[&["-C", "r.git"], args].concat())
}

/// The names in quarantine at a revision.
fn names(maestro: &Maestro, at: &str) -> Vec<String> {
    let text = git(
        maestro,
        &["show", &format!("{at}:.maestro/quarantine.json")],
    );
    let file: Value = serde_json::from_str(&text).unwrap();
    let tests = file["tests"].as_array().unwrap().iter();
    tests
        .map(|entry| {
            let name = entry["test"].as_str().unwrap();
            name.split(' ').next().unwrap().to_owned()
        })
        .collect()
}

fn pulls(fake: &Fake) -> Vec<Value> {
    fake.store()
        .lists
        .get("/pulls")
        .cloned()
        .unwrap_or_default()
}

fn left_out(document: &Value) -> Vec<String> {
    let rows = document["left_out"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{}: {}",
            row["test"].as_str().unwrap(),
            row["why"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn auto_takes_in_what_is_flaky_and_never_what_is_broken() {
    let maestro = machine();
    let broken = history(0..40, &[("broken", &[])]).replace("passed", "failed");
    maestro.file("b.ndjson", broken).file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nflakes: { quarantine: skip, review_by: 3w, most_per_owner: 2, never: ['alone'] }\n",
    );
    let _ = maestro.run(["flakes", "ingest", "b.ndjson"]).success();
    let add = ["flakes", "quarantine", "add", "--auto"];
    let planned = maestro.json(&[&add[..], &["--dry-run"]].concat());
    assert_eq!(
        planned["names"],
        json!(["net > retries", "net > reconnects"]),
        "{planned}"
    );
    assert!(!maestro.path(".maestro/quarantine.json").exists());
    let done = maestro.json(&add);
    assert_eq!(done["names"], planned["names"]);
    let left = left_out(&done);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.iter()
            .any(|row| row == "alone: `flakes.never` has `alone`"),
        "{left:?}"
    );
    assert!(
        left.iter()
            .any(|row| row.contains("@acme/net has 2 in quarantine, and 2 is the most")),
        "{left:?}"
    );
    let entry = &done["tests"][0];
    assert_eq!(
        (&entry["mode"], &entry["review_by"], &entry["owner"]),
        (&json!("skip"), &json!("2026-01-26"), &json!("@acme/net"))
    );
    // A second time there is nothing to take in.
    assert_eq!(maestro.json(&add)["names"], json!([]));
    for wrong in ["review_by: soon", "most_per_owner: many"] {
        maestro.file(
            ".maestro/maestro.yaml",
            format!("schema: maestro.config/v1\nflakes: {{ {wrong} }}\n"),
        );
        let _ = maestro
            .run(add)
            .exits_with(78)
            .says(wrong.split(':').next().unwrap());
    }
}

#[test]
fn auto_releases_what_is_well() {
    let maestro = machine();
    for (test, since) in [("retries", "2026-01-01"), ("well", "2025-12-01")] {
        let _ = maestro
            .run([
                "flakes",
                "quarantine",
                "add",
                test,
                "--reason",
                "r",
                "--now",
                &format!("{since}T00:00:00Z"),
            ])
            .success();
    }
    let runs = history(1000..1200, &[("well", &[])]);
    maestro.file(
        "n.ndjson",
        runs.replace("2026-01-4", "2026-01-0")
            .replace("2026-01-5", "2026-01-0"),
    );
    let _ = maestro.run(["flakes", "ingest", "n.ndjson"]).success();
    let done = maestro.json(&["flakes", "quarantine", "release", "--auto"]);
    assert_eq!(done["names"], json!(["net > well"]), "{done}");
    assert_eq!(done["tests"].as_array().unwrap().len(), 1);
}

/// A test that no history has, by a pull request.
const ONE: [&str; 9] = [
    "flakes",
    "quarantine",
    "add",
    "more",
    "--suite",
    "s",
    "--reason",
    "r",
    "--pull-request",
];

#[test]
fn a_pull_request_is_opened_once_and_the_default_branch_stays() {
    let (maestro, fake) = team();
    let main = git(&maestro, &["rev-parse", "main"]);
    let planned = maestro.json(&[&AUTO[..], &["--dry-run"]].concat());
    assert_eq!(planned["names"].as_array().unwrap().len(), 4, "{planned}");
    assert!(fake.writes().is_empty());
    let done = maestro.json(&AUTO);
    assert_eq!(done["pull_request"]["state"], "proposed", "{done}");
    assert!(!maestro.path(".maestro/quarantine.json").exists());
    assert_eq!(
        names(&maestro, BRANCH),
        ["alone", "reconnects", "retries", "x"]
    );
    assert_eq!(git(&maestro, &["rev-parse", "main"]), main);
    let body = pulls(&fake)[0]["body"].as_str().unwrap().to_owned();
    assert!(
        body.contains("### Into quarantine: 4 tests") && body.contains("`maestro: quarantine`"),
        "{body}"
    );
    assert_eq!(pulls(&fake)[0]["draft"], false);
    let tip = git(&maestro, &["rev-parse", BRANCH]);
    // On another day nothing is new, whatever else is known by then; a further test goes into the same pull request.
    drop(fake.asked());
    let again = maestro.json(&[&AUTO[..], &["--now", "2026-01-06T09:00:00Z"]].concat());
    assert_eq!((&again["names"], fake.writes().len()), (&json!([]), 0));
    assert_eq!(git(&maestro, &["rev-parse", BRANCH]), tip);
    let _ = maestro.run(ONE).success();
    assert_eq!(
        names(&maestro, BRANCH),
        ["alone", "reconnects", "retries", "x", "more"]
    );
    assert_eq!(pulls(&fake).len(), 1);
    // Somebody merges something else meanwhile.
    maestro.git(&["clone", "--quiet", "r.git", "c"]);
    maestro.file(
        "c/.maestro/quarantine.json",
        r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "t", "test": "theirs", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}]}"#,
    );
    maestro.git(&["-C", "c", "add", "."]);
    maestro.git(&["-C", "c", "commit", "--quiet", "--message", "Theirs"]);
    maestro.git(&["-C", "c", "push", "--quiet", "origin", "HEAD:main"]);
    let _ = maestro.run(AUTO).success();
    assert_eq!(
        names(&maestro, BRANCH),
        ["alone", "reconnects", "retries", "x", "more", "theirs"]
    );
    assert_eq!(names(&maestro, "main"), ["theirs"]);
    assert_eq!(
        git(
            &maestro,
            &["log", "--format=%s", "main..maestro/quarantine"]
        )
        .lines()
        .count(),
        1
    );
    // Out again, by the same pull request.
    let _ = maestro
        .run([
            "flakes",
            "quarantine",
            "release",
            "theirs",
            "--force",
            "--pull-request",
        ])
        .success();
    assert_eq!(
        names(&maestro, BRANCH),
        ["alone", "reconnects", "retries", "x", "more"]
    );
    assert_eq!(pulls(&fake).len(), 1);
}

#[test]
fn what_a_person_refused_is_not_proposed_again_and_what_they_pushed_is_not_overwritten() {
    let (maestro, fake) = team();
    let _ = maestro.run(AUTO).success();
    maestro.git(&["clone", "--quiet", "--branch", BRANCH, "r.git", "c"]);
    maestro.file("c/x", "by hand");
    maestro.git(&["-C", "c", "add", "."]);
    maestro.git(&["-C", "c", "commit", "--quiet", "--message", "By hand"]);
    maestro.git(&["-C", "c", "push", "--quiet", "origin", "HEAD"]);
    let tip = git(&maestro, &["rev-parse", BRANCH]);
    let _ = maestro
        .run(ONE)
        .exits_with(65)
        .says("somebody else has pushed");
    assert_eq!(git(&maestro, &["rev-parse", BRANCH]), tip);
    // They close it.
    {
        let mut store = fake.store();
        let pull = &mut store.lists.get_mut("/pulls").unwrap()[0];
        pull["state"] = json!("closed");
        pull["head"]["sha"] = json!(tip.trim());
    }
    let done = maestro.json(&AUTO);
    assert_eq!(
        (&done["names"], &done["pull_request"]["state"]),
        (&json!([]), &json!("nothing")),
        "{done}"
    );
    assert!(
        left_out(&done)
            .iter()
            .all(|row| row.contains("somebody closed the pull request")),
        "{done}"
    );
    assert_eq!(pulls(&fake).len(), 1);
    // Whoever names a test means it.
    let _ = maestro.run(ONE).success();
    assert_eq!(
        (names(&maestro, BRANCH), pulls(&fake).len()),
        (vec!["more".to_owned()], 2)
    );
}

#[test]
fn a_crash_at_any_request_leaves_one_pull_request() {
    let requests = {
        let (maestro, fake) = team();
        let _ = maestro.run(AUTO).success();
        fake.asked().len()
    };
    assert!((8..40).contains(&requests), "{requests}");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                for number in (worker..requests * 2).step_by(4) {
                    let (maestro, fake) = team();
                    let main = git(&maestro, &["rev-parse", "main"]);
                    assert!(crash(&maestro, &fake, &AUTO, number / 2, number % 2 == 1));
                    let _ = maestro.run(AUTO).success();
                    let _ = maestro.run(AUTO).success();
                    assert_eq!(pulls(&fake).len(), 1, "request {number}");
                    assert_eq!(names(&maestro, BRANCH).len(), 4);
                    assert_eq!(git(&maestro, &["rev-parse", "main"]), main);
                }
            });
        }
    });
}

#[test]
fn what_has_an_issue_names_it() {
    let (maestro, fake) = team();
    let _ = maestro.run(["flakes", "escalate"]).success();
    let done = maestro.json(&["flakes", "quarantine", "add", "--auto"]);
    let issues = fake.store().lists["/issues"].clone();
    let urls: Vec<&Value> = issues.iter().map(|issue| &issue["html_url"]).collect();
    let named = done["tests"].as_array().unwrap().iter();
    assert!(
        named.clone().count() == 4 && named.clone().all(|entry| urls.contains(&&entry["issue"])),
        "{done}"
    );
}
