//! `maestro state compact`: what is old becomes sums, and no total changes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::Maestro;

/// Numbers without a pattern.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Runs over two years: two jobs, retries in the same run and in further attempts, some over the end of a month.
fn history(seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut text = String::new();
    for run in 0..60_u64 {
        let month = run * 24 / 60;
        let (year, month) = (2024 + month / 12, month % 12 + 1);
        let mut day = 1 + dice.below(28);
        for job in ["unit", "web"] {
            let attempts = 1 + dice.below(3);
            for attempt in 1..=attempts {
                let mut month = month;
                // The last attempt of some runs comes in the next month.
                if attempt == 3 && month < 12 {
                    (month, day) = (month + 1, 1);
                }
                for test in 0..8 {
                    let status = ["passed", "passed", "failed", "skipped"]
                        [usize::try_from(dice.below(4)).unwrap()];
                    for _ in 0..=dice.below(2) {
                        text.push_str(&format!(
                            "{{\"run\":\"r{run}\",\"attempt\":{attempt},\"job\":\"{job}\",\"at\":\"{year}-{month:02}-{day:02}T10:{attempt:02}:00Z\",\"commit\":\"c{run}\",\"branch\":\"main\",\"suite\":\"s\",\"test\":\"t{test}\",\"status\":\"{status}\",\"duration_ms\":{test}}}\n"
                        ));
                    }
                }
            }
        }
    }
    text
}

/// Totals, and for each test executions, failures and passes on retry.
fn totals(maestro: &Maestro) -> (Value, BTreeMap<String, [u64; 3]>) {
    let report = maestro.json(&["flakes", "report", "--all"]);
    let tests = report["tests"].as_array().unwrap().iter().map(|row| {
        let number = |key: &str| row[key].as_u64().unwrap();
        let name = row["test"].as_str().unwrap().to_owned();
        (
            name,
            [number("runs"), number("failures"), number("retry_passes")],
        )
    });
    let mut totals = report["totals"].clone();
    // Verdicts look at what is kept.
    totals.as_object_mut().unwrap().remove("verdicts");
    totals.as_object_mut().unwrap().remove("duplicate_runs");
    (totals, tests.collect())
}

fn stored(seed: u64) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file("history.ndjson", history(seed));
    maestro
        .run(["flakes", "ingest", "history.ndjson"])
        .success();
    // A report that came alone, and again with others.
    for (name, test) in [("a", "t1"), ("b", "t2")] {
        let xml = format!(
            "<testsuite name=\"s\"><testcase name=\"{test}\"><failure message=\"m\"/></testcase></testsuite>"
        );
        maestro.file(&format!("{name}.xml"), xml);
    }
    for (files, at) in [
        (&["a.xml"][..], "2024-03-31T23:00:00Z"),
        (&["a.xml", "b.xml"], "2024-04-01T01:00:00Z"),
    ] {
        let fixed = [
            "flakes", "ingest", "--run", "twice", "--job", "unit", "--at", at,
        ];
        maestro.run(fixed.iter().chain(files)).success();
    }
    maestro
}

#[test]
fn no_total_changes_however_often_and_whenever_it_is_compacted() {
    for seed in 1..=4 {
        let maestro = stored(seed);
        let before = totals(&maestro);
        maestro.run(["state", "fold", "--local"]).success();
        for now in [
            "2025-06-15T00:00:00Z",
            "2025-06-15T00:00:00Z",
            "2025-09-01T00:00:00Z",
            "2027-06-01T00:00:00Z",
        ] {
            maestro
                .run(["state", "compact", "--local", "--now", now])
                .success();
            assert_eq!(totals(&maestro), before, "seed {seed}, {now}");
            maestro.run(["state", "verify"]).success();
        }
        let left = maestro.path(".git/maestro/segments/events/test_run");
        assert_eq!(
            crate::harness::files_below(&left).len(),
            0,
            "everything is old by now"
        );
    }
}

#[test]
fn a_dry_run_changes_nothing_and_says_the_same() {
    let maestro = stored(1);
    maestro.run(["state", "fold", "--local"]).success();
    let bytes = |maestro: &Maestro| -> Vec<_> {
        let files = crate::harness::files_below(&maestro.path(".git/maestro/segments"));
        files
            .into_iter()
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect()
    };
    let before = bytes(&maestro);
    let call = [
        "state",
        "compact",
        "--local",
        "--now",
        "2025-09-01T00:00:00Z",
    ];
    let would = maestro.json(&[&call[..], &["--dry-run"]].concat());
    assert_eq!(bytes(&maestro), before);
    let did = maestro.json(&call);
    assert_ne!(bytes(&maestro), before);
    for key in ["runs", "rollups", "kept_runs", "lists", "kept_from"] {
        assert_eq!(would[key], did[key], "{key}");
    }
    assert!(did["runs"].as_u64().unwrap() > 10);
}

#[test]
fn what_comes_too_late_is_refused_and_counted_once() {
    let maestro = stored(2);
    maestro.run(["state", "fold", "--local"]).success();
    maestro
        .run([
            "state",
            "compact",
            "--local",
            "--now",
            "2025-09-01T00:00:00Z",
        ])
        .success();
    let before = totals(&maestro);
    maestro.file("late.ndjson", "{\"run\":\"late\",\"job\":\"unit\",\"at\":\"2024-02-02T00:00:00Z\",\"suite\":\"s\",\"test\":\"t1\",\"status\":\"failed\"}\n");
    for _ in 0..2 {
        maestro.run(["flakes", "ingest", "late.ndjson"]).success();
        assert_eq!(
            totals(&maestro),
            before,
            "it does not count before it is folded either"
        );
        let folded = maestro.json(&["state", "fold", "--local"]);
        assert_eq!(folded["late"], 1);
    }
    assert_eq!(totals(&maestro), before);
    let late = maestro.path(".git/maestro/segments/events/late/2024-02.ndjson");
    assert_eq!(std::fs::read_to_string(late).unwrap().lines().count(), 1);
}

#[test]
fn the_state_branch_becomes_one_commit_and_others_go_on() {
    let maestro = stored(3);
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    maestro.git(&["remote", "add", "origin", "remote.git"]);
    let before = totals(&maestro);
    maestro.run(["state", "sync"]).success();
    maestro.file("more.ndjson", "{\"run\":\"more\",\"job\":\"unit\",\"at\":\"2025-12-02T00:00:00Z\",\"suite\":\"s\",\"test\":\"t1\",\"status\":\"skipped\"}\n");
    maestro.run(["flakes", "ingest", "more.ndjson"]).success();
    maestro.run(["state", "push"]).success();
    let done = maestro.json(&["state", "compact", "--now", "2025-09-01T00:00:00Z"]);
    assert_eq!(done["squashed"], true);
    maestro.run(["state", "fold"]).success();
    let commits = maestro.git(&[
        "--git-dir=remote.git",
        "rev-list",
        "--count",
        "maestro-state",
    ]);
    assert_eq!(
        commits.trim(),
        "2",
        "the compacted one, and the fold after it"
    );
    let after = totals(&maestro);
    assert_eq!(after.1, before.1);
    assert_eq!(
        after.0["runs"].as_u64(),
        before.0["runs"].as_u64().map(|runs| runs + 1)
    );
}

#[test]
fn damage_stops_it_because_it_would_be_missing_from_the_sums() {
    let maestro = stored(4);
    maestro.run(["state", "fold", "--local"]).success();
    let segment = maestro.path(".git/maestro/segments/events/test_run/2024-01.ndjson");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.extend_from_slice(b"garbage\n");
    std::fs::write(&segment, &bytes).unwrap();
    let _ = maestro
        .run([
            "state",
            "compact",
            "--local",
            "--now",
            "2025-09-01T00:00:00Z",
        ])
        .exits_with(65)
        .says("maestro state doctor");
    assert_eq!(std::fs::read(&segment).unwrap(), bytes);
}

#[test]
fn a_list_goes_a_month_after_nobody_needed_it() {
    let maestro = Maestro::in_repo();
    maestro.file(
        "a.xml",
        "<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>",
    );
    maestro.file(
        "b.xml",
        "<testsuite name=\"s\"><testcase name=\"a\" time=\"0\"/></testsuite>",
    );
    let ingest = |file: &str, run: &str, at: &str| {
        let _ = maestro
            .run(["flakes", "ingest", file, "--run", run, "--at", at])
            .success();
    };
    let compact = |now: &str| maestro.json(&["state", "compact", "--local", "--now", now]);
    ingest("a.xml", "1", "2024-01-05T09:00:00Z");
    let _ = maestro.run(["state", "fold", "--local"]).success();
    // The run that stands on the same list is stored, and not folded yet.
    ingest("b.xml", "2", "2026-01-05T09:00:00Z");
    let first = compact("2026-01-05T10:00:00Z");
    assert_eq!(
        (&first["runs"], &first["lists"]),
        (&1.into(), &0.into()),
        "{first}"
    );
    let _ = maestro.run(["state", "fold", "--local"]).success();
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 2);
    // Now it is needed, however long it goes on.
    assert_eq!(compact("2026-03-05T10:00:00Z")["lists"], 0);
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 2);
    // Once that run is a sum too, a month passes.
    assert_eq!(compact("2028-01-01T00:00:00Z")["lists"], 0);
    assert_eq!(compact("2028-01-20T00:00:00Z")["lists"], 0);
    assert_eq!(compact("2028-02-01T00:00:00Z")["lists"], 1);
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 2);
}
