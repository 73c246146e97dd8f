//! `maestro flakes backfill`: the history that GitHub still has.

use std::io::Write;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN};
use crate::harness::Maestro;

/// What an artifact holds, by name.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A report of two tests; that of the name fails.
fn report(failing: &str) -> String {
    let case = |test: &str| {
        let child = if test == failing {
            "<failure message=\"m\"/>"
        } else {
            ""
        };
        format!("<testcase name=\"{test}\">{child}</testcase>")
    };
    format!(
        "<testsuite name=\"s\">{}{}</testsuite>",
        case("a"),
        case("b")
    )
}

fn machine(fake: &Fake) -> Maestro {
    Maestro::in_repo()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api())
}

fn backfill(maestro: &Maestro, more: &[&str]) -> (i32, Value) {
    let args = [&["flakes", "backfill", "--format", "json"], more].concat();
    let run = maestro.run(args);
    let document = serde_json::from_str(&run.stdout).unwrap_or(Value::String(run.stderr));
    (run.code, document)
}

fn tests(maestro: &Maestro) -> Vec<String> {
    let report = maestro.json(&["flakes", "report", "--all"]);
    let rows = report["tests"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{} > {}: {} of {} {}",
            row["suite"].as_str().unwrap(),
            row["test"].as_str().unwrap(),
            row["failures"],
            row["runs"],
            row["verdict"].as_str().unwrap()
        )
    })
    .collect()
}

const FIRST: &str = "2026-01-03T08:00:00Z";
const SECOND: &str = "2026-01-03T09:00:00Z";

/// A run whose first attempt left a red report, and whose second a green one.
fn tried_again(fake: &Fake) {
    fake.ended(
        5,
        &json!({}),
        &[
            (FIRST, &[("unit", "failure")]),
            (SECOND, &[("unit", "success")]),
        ],
    );
    let red = zipped(&[
        ("target/junit.xml", report("b").as_bytes()),
        ("log.txt", b"x"),
        ("empty/", b""),
    ]);
    fake.artifact("test-results", 5, "2026-01-03T08:10:00Z", red);
    let green = zipped(&[("target/junit.xml", report("").as_bytes())]);
    fake.artifact("test-results", 5, "2026-01-03T09:10:00Z", green);
    fake.artifact("docs", 5, "2026-01-03T09:10:00Z", b"no archive".to_vec());
}

#[test]
fn every_attempt_is_read_and_a_second_time_adds_nothing() {
    let fake = Fake::start();
    tried_again(&fake);
    let maestro = machine(&fake);
    let (code, planned) = backfill(&maestro, &["--dry-run"]);
    assert_eq!(
        (code, &planned["totals"]["artifacts"]),
        (0, &json!(2)),
        "{planned}"
    );
    assert!(!fake.asked().iter().any(|line| line.contains("/zip")));
    let (code, document) = backfill(&maestro, &[]);
    assert_eq!(
        (code, &document["totals"]["stored_runs"]),
        (0, &json!(2)),
        "{document}"
    );
    assert_eq!(document["totals"]["attempts"], 2);
    let found = ["s > b: 1 of 2 flaky", "s > a: 0 of 2 healthy"];
    assert_eq!(tests(&maestro), found);
    let before = fake.asked().len();
    for now in ["2026-01-05T10:00:00Z", "2026-01-20T10:00:00Z"] {
        let (code, document) = backfill(&maestro, &["--now", now]);
        assert_eq!(
            (code, &document["totals"]["events"]),
            (0, &json!(0)),
            "{document}"
        );
        assert_eq!(tests(&maestro), found);
    }
    // What is settled is not even asked for.
    assert!(fake.asked().len() < before + 4, "{before}");
}

#[test]
fn a_job_that_passed_when_it_was_tried_again_is_evidence_without_any_report() {
    let fake = Fake::start();
    fake.ended(
        6,
        &json!({}),
        &[
            (
                FIRST,
                &[
                    ("unit", "failure"),
                    ("lint", "success"),
                    ("deploy", "skipped"),
                ],
            ),
            (SECOND, &[("unit", "success")]),
        ],
    );
    let maestro = machine(&fake);
    let (code, document) = backfill(&maestro, &[]);
    assert_eq!(
        (code, &document["totals"]["by_jobs"]),
        (0, &json!(1)),
        "{document}"
    );
    let found = tests(&maestro);
    assert_eq!(
        found,
        [
            "GitHub Actions > ci.yml > unit: 1 of 2 flaky",
            "GitHub Actions > ci.yml > lint: 0 of 1 healthy"
        ]
    );
    assert_eq!(backfill(&maestro, &[]).1["totals"]["events"], 0);
    assert_eq!(tests(&maestro), found);
    let other = machine(&fake);
    assert_eq!(backfill(&other, &["--no-jobs"]).1["totals"]["by_jobs"], 0);
}

#[test]
fn what_was_ended_goes_on_where_it_was() {
    let fake = Fake::start();
    for run in 0..45 {
        let at = format!("2026-01-01T{:02}:{:02}:00Z", run / 10, run);
        fake.ended(
            100 + run,
            &json!({ "head_sha": format!("c{run}") }),
            &[(&at, &[("unit", "success")])],
        );
        fake.artifact(
            "junit",
            100 + run,
            &at,
            zipped(&[("r.xml", report("").as_bytes())]),
        );
    }
    let maestro = machine(&fake);
    let mut downloads = 0;
    let words = json!({ "message": "API rate limit exceeded" });
    fake.faults(move |asked| {
        downloads += i32::from(asked.path.ends_with("/zip"));
        (downloads > 30).then(|| Fault::Instead(Answer::json(403, &words).with("retry-after", 900)))
    });
    let (code, document) = backfill(&maestro, &["--deadline", "20"]);
    assert_eq!(
        (code, &document["totals"]["stored_runs"]),
        (69, &json!(30)),
        "{document}"
    );
    fake.mend();
    drop(fake.asked());
    let (code, document) = backfill(&maestro, &["--now", "2026-01-06T09:00:00Z"]);
    assert_eq!(
        (code, &document["totals"]["stored_runs"]),
        (0, &json!(15)),
        "{document}"
    );
    let downloads = fake
        .asked()
        .iter()
        .filter(|line| line.ends_with("/zip"))
        .count();
    // The last one may be of the same second as the next.
    assert!((15..=16).contains(&downloads), "{downloads}");
    assert_eq!(
        tests(&maestro),
        ["s > a: 0 of 45 healthy", "s > b: 0 of 45 healthy"]
    );
}

/// What a pull request of a fork leaves that means no good.
fn left_by_a_stranger(fake: &Fake) {
    let stranger = json!({ "event": "pull_request", "head_branch": "main", "head_repository": { "id": 2, "full_name": "stranger/n" } });
    fake.ended(7, &stranger, &[(FIRST, &[])]);
    let line = |run: u64, test: &str| {
        format!(
            "{{\"run\": {run}, \"commit\": \"x\", \"branch\": \"main\", \"test\": \"{test}\", \"status\": \"failed\"}}\n"
        )
    };
    // Members of one stream, each of eight mebibytes of nothing.
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![b' '; 8 * 1024 * 1024]).unwrap();
    let bomb = member.finish().unwrap().repeat(33);
    for (name, files) in [
        (
            "test-paths",
            vec![
                ("../../evil.xml", report("").into_bytes()),
                ("/abs.xml", report("a").into_bytes()),
            ],
        ),
        (
            "test-lines",
            vec![(
                "h.ndjson",
                (line(7, "own") + &line(8, "other")).into_bytes(),
            )],
        ),
        ("test-bomb", vec![("bomb.xml.gz", bomb)]),
        ("test-page", vec![("page.xml", b"<html/>".to_vec())]),
    ] {
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (*name, bytes.as_slice()))
            .collect();
        fake.artifact(name, 7, "2026-01-03T08:10:00Z", zipped(&files));
    }
    fake.artifact(
        "test-broken",
        7,
        "2026-01-03T08:10:00Z",
        b"no archive".to_vec(),
    );
    let id = fake.artifact(
        "test-changed",
        7,
        "2026-01-03T08:10:00Z",
        zipped(&[("r.xml", report("").as_bytes())]),
    );
    fake.store()
        .archives
        .insert(id, zipped(&[("r.xml", report("b").as_bytes())]));
}

#[test]
fn hostile_archives_are_refused_and_speak_about_their_own_run_only() {
    let fake = Fake::start();
    left_by_a_stranger(&fake);
    let maestro = machine(&fake);
    let (code, document) = backfill(&maestro, &[]);
    assert_eq!(code, 0, "{document}");
    let refused = document["refused"].as_array().unwrap().iter();
    let refused: Vec<String> = refused
        .map(|row| {
            format!(
                "{}: {}",
                row["artifact"].as_str().unwrap(),
                row["why"].as_str().unwrap()
            )
        })
        .collect();
    for words in [
        "test-lines: 1 of its runs",
        "test-bomb: it unpacks to more",
        "test-broken: ",
        "test-changed: what was downloaded",
    ] {
        assert!(
            refused.iter().any(|row| row.starts_with(words)),
            "{words}: {refused:?}"
        );
    }
    assert!(!maestro.path("../evil.xml").exists() && !maestro.path("evil.xml").exists());
    let found = tests(&maestro);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(!found.iter().any(|row| row.contains("other")), "{found:?}");
    // A stranger's main is not ours.
    let events = crate::harness::files_below(&maestro.path(".git/maestro/outbox"));
    let stored: String = events
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(
        stored.contains("\"branch\":\"stranger:main\"") && !stored.contains("\"branch\":\"main\""),
        "{stored}"
    );
}

#[test]
fn secrets_stay_out_of_what_is_stored() {
    let fake = Fake::start();
    fake.ended(9, &json!({}), &[(FIRST, &[])]);
    let secret = format!("ghp_{}", "a1B2".repeat(9));
    let report = format!(
        "<testsuite name=\"s\"><testcase name=\"a\"><failure message=\"{secret}\"/></testcase></testsuite>"
    );
    fake.artifact(
        &format!("test-{secret}"),
        9,
        FIRST,
        zipped(&[("r.xml", report.as_bytes())]),
    );
    let maestro = machine(&fake);
    assert_eq!(backfill(&maestro, &[]).1["totals"]["stored_runs"], 1);
    for path in crate::harness::files_below(&maestro.path(".git/maestro/outbox")) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains(&secret), "{text}");
    }
}
