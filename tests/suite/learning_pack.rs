//! `maestro learning-pack`: the page out of what other commands stored.

use std::fs;

use serde_json::{Value, json};

use crate::flakes_escalate::issues;
use crate::github::{Fake, TOKEN};
use crate::harness::{Maestro, files_below};

/// The Thursday after week 3 of 2026.
pub(crate) const NOW: &str = "2026-01-22T09:00:00Z";

/// Runs of tests until the end of week 3, six a day: one test fails now and then and passes when it is tried again.
pub(crate) fn history(names: &dyn Fn(u32) -> String) -> String {
    let mut lines = String::new();
    for run in 0..108_u32 {
        let at = format!("2026-01-{:02}T{:02}:00:00Z", 1 + run / 6, 3 + run % 6 * 3);
        let is_red = run % 9 == 4;
        for attempt in 1..=1 + u32::from(is_red) {
            for test in 0..3 {
                let fails = test == 0 && is_red && attempt == 1;
                let line = json!({
                    "run": run, "attempt": attempt, "commit": format!("c{run}"), "branch": "main", "job": "test", "at": at, "suite": "net",
                    "test": names(test), "status": if fails { "failed" } else { "passed" },
                });
                lines.push_str(&format!("{line}\n"));
            }
        }
    }
    lines
}

fn team() -> Maestro {
    let maestro = Maestro::in_repo()
        .env("MAESTRO_NOW", NOW)
        .env("GITHUB_REPOSITORY", "o/n");
    maestro
        .file("CODEOWNERS", "net.py @acme/net\n")
        .file("net.py", "")
        .file("h.ndjson", history(&|test| format!("test_{test}")));
    maestro.commit("Own");
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    maestro
}

fn section<'p>(pack: &'p Value, id: &str) -> &'p Value {
    let mut sections = pack["sections"].as_array().unwrap().iter();
    sections.find(|section| section["id"] == id).unwrap()
}

#[test]
fn a_week_is_written_three_ways_and_its_decisions_are_followed_up() {
    let maestro = team();
    let done = maestro.run(["learning-pack", "--out", "packs"]).success();
    assert!(done.stdout.contains("Week 2026-W03"), "{}", done.stdout);
    let read = |name: &str| fs::read_to_string(maestro.path(&format!("packs/{name}"))).unwrap();
    let names = ["2026-W03.html", "2026-W03.md", "2026-W03.json"];
    let first = names.map(read);
    let pack: Value = serde_json::from_str(&first[2]).unwrap();
    assert_eq!(pack["decisions"][0]["kind"], "flake");
    assert_eq!(pack["decisions"][0]["owner"], "@acme/net");
    assert_eq!(section(&pack, "cost")["is_unknown"], true);
    assert!(
        first[0].contains("No call of a model is stored"),
        "{}",
        first[0]
    );
    // Once more, now that its decisions are kept: nothing is another.
    let _ = maestro.run(["learning-pack", "--out", "packs"]).success();
    assert_eq!(names.map(read), first);
    let later = ["--now", "2026-01-29T09:00:00Z", "learning-pack"];
    let next = maestro.json(&later);
    assert_eq!(next["last_week"]["week"], "2026-W03");
    assert_eq!(
        next["last_week"]["decisions"][0]["id"],
        pack["decisions"][0]["id"]
    );
    assert_eq!(next["last_week"]["decisions"][0]["state"], "done");
}

#[test]
fn a_dry_run_writes_nothing_and_shows_the_issue() {
    let maestro = team();
    let before = files_below(&maestro.path(".")).len();
    let done = maestro
        .run(["learning-pack", "--out", "packs", "--dry-run", "--issue"])
        .success();
    assert_eq!(files_below(&maestro.path(".")).len(), before);
    assert!(done.stdout.contains("would be opened"), "{}", done.stdout);
    assert!(done.stdout.contains("```mermaid"), "{}", done.stdout);
    assert!(
        done.stdout.contains("`maestro: week 2026-W03`"),
        "{}",
        done.stdout
    );
}

#[test]
fn nothing_is_stored_yet_and_that_is_said() {
    let maestro = Maestro::in_repo().env("MAESTRO_NOW", NOW);
    let pack = maestro.json(&["learning-pack", "--out", "packs"]);
    assert_eq!(pack["decisions"], json!([]));
    assert_eq!(section(&pack, "flakes")["is_unknown"], true);
    let page = fs::read_to_string(maestro.path("packs/2026-W03.html")).unwrap();
    assert!(!page.contains("<svg") || !page.contains("NaN"), "{page}");
    let _ = maestro
        .run(["learning-pack", "--week", "2026-W54"])
        .exits_with(2)
        .says("no ISO 8601 week");
}

#[test]
fn one_issue_a_week_is_open() {
    let fake = Fake::start();
    let maestro = team()
        .env("GITHUB_API_URL", fake.api())
        .env("GITHUB_TOKEN", TOKEN);
    let writes = |now: &str| {
        let _before = fake.writes();
        let _ = maestro
            .run(["--now", now, "learning-pack", "--issue"])
            .success();
        fake.writes().len()
    };
    assert!(writes(NOW) > 0);
    assert_eq!(writes(NOW), 0, "the same page is not written twice");
    assert!(writes("2026-01-29T09:00:00Z") > 0);
    let issues = issues(&fake);
    let states: Vec<(&str, &str)> = issues
        .iter()
        .map(|issue| {
            (
                issue["title"].as_str().unwrap(),
                issue["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("Week 3 \u{b7} o/n", "closed"),
            ("Week 4 \u{b7} o/n", "open")
        ]
    );
}

#[test]
fn of_five_hundred_secrets_in_names_none_is_on_the_page() {
    let maestro = Maestro::in_repo().env("MAESTRO_NOW", NOW);
    let secret = |number: u32| {
        let letters: String = (0..36_u32)
            .map(|place| {
                char::from(
                    b'A' + u8::try_from((number * 7 + place * 11 + place * number) % 26).unwrap(),
                )
            })
            .collect();
        format!("ghp_{letters}")
    };
    let mut lines = String::new();
    for number in 0..500 {
        for (attempt, status) in [(1, "failed"), (2, "passed")] {
            let line = json!({
                "run": number / 50, "attempt": attempt, "commit": format!("c{}", number / 50), "branch": "main", "job": "test",
                "at": format!("2026-01-{:02}T10:00:00Z", 12 + number / 100), "suite": "net", "test": format!("logs in with {}", secret(number)),
                "status": status, "message": format!("token {} was refused", secret(number)),
            });
            lines.push_str(&format!("{line}\n"));
        }
    }
    // Even where somebody has told maestro to store texts as they are.
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nstate: { redact: false }\n",
    );
    maestro.file("h.ndjson", lines);
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    let done = maestro.run(["learning-pack", "--out", "packs"]).success();
    let mut all = done.stdout + &done.stderr;
    for ending in ["html", "md", "json"] {
        all.push_str(
            &fs::read_to_string(maestro.path(&format!("packs/2026-W03.{ending}"))).unwrap(),
        );
    }
    assert!(all.contains("redacted"), "{all}");
    for number in 0..500 {
        assert!(!all.contains(&secret(number)[..20]), "{number}");
    }
}
