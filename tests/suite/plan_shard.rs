//! `maestro plan shard`: parts of a job's tests, by the time that they take.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::Maestro;

/// A report of pytest: each test with its seconds.
fn report(tests: &[(&str, f64)]) -> String {
    let cases: String = tests
        .iter()
        .map(|(name, seconds)| {
            format!("<testcase classname=\"tests.test_a\" name=\"{name}\" time=\"{seconds}\"/>")
        })
        .collect();
    format!("<testsuites><testsuite name=\"pytest\">{cases}</testsuite></testsuites>")
}

fn list(names: &[&str]) -> String {
    let lines: String = names
        .iter()
        .map(|name| format!("tests/test_a.py::{name}\n"))
        .collect();
    format!("{lines}\n{} tests collected in 0.01s\n", names.len())
}

fn ingest(maestro: &Maestro, run: &str, at: &str, tests: &[(&str, f64)]) {
    maestro.file("r.xml", report(tests));
    let args = [
        "flakes", "ingest", "r.xml", "--job", "test", "--run", run, "--at", at,
    ];
    let _ = maestro.run(args).success();
}

fn shard(maestro: &Maestro, shard: &str, more: &[&str]) -> Value {
    let mut args = vec![
        "plan",
        "shard",
        shard,
        "--runner",
        "pytest",
        "--tests",
        "tests.txt",
    ];
    args.extend(more);
    maestro.json(&args)
}

fn seconds(split: &Value) -> Vec<f64> {
    let shards = split["shards"].as_array().unwrap().iter();
    shards
        .map(|shard| shard["seconds"].as_f64().unwrap())
        .collect()
}

#[test]
fn tests_are_split_by_what_they_took() {
    let maestro = Maestro::in_repo();
    let tests = [("a", 8.0), ("b", 5.0), ("c", 4.0), ("d", 1.0)];
    for (run, at) in [("1", "2026-01-01T00:00:00Z"), ("2", "2026-01-02T00:00:00Z")] {
        ingest(&maestro, run, at, &tests);
    }
    maestro.file("tests.txt", list(&["a", "b", "c", "d", "new"]));
    let parts = [shard(&maestro, "1/2", &[]), shard(&maestro, "2/2", &[])];
    assert_eq!(parts[0]["known"], 4);
    // The third of four known times.
    assert_eq!(parts[0]["new_seconds"], 5.0);
    assert_eq!(seconds(&parts[0]), [12.0, 11.0]);
    assert_eq!(parts[0]["split"], parts[1]["split"]);
    let mut all = BTreeSet::new();
    for part in &parts {
        for id in part["calls"][0].as_array().unwrap() {
            assert!(all.insert(id.as_str().unwrap().to_owned()), "{id} twice");
        }
    }
    assert_eq!(all.len(), 5);
    let out = [
        "plan",
        "shard",
        "1/2",
        "--runner",
        "pytest",
        "--tests",
        "tests.txt",
        "--out",
        "shard.txt",
    ];
    let shown = maestro.run(out).success().stdout;
    assert!(shown.starts_with("Part 1 of 2"), "{shown}");
    let written = std::fs::read_to_string(maestro.path("shard.txt")).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    let calls: Vec<&str> = parts[0]["calls"][0]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    assert_eq!(lines, calls);
}

#[test]
fn the_median_of_the_last_days_is_expected_whatever_was_folded() {
    let maestro = Maestro::in_repo();
    for (day, seconds) in [9.0, 1.0, 2.0, 3.0, 2.0, 50.0].into_iter().enumerate() {
        let at = format!("2026-01-0{}T08:00:00Z", day + 1);
        ingest(
            &maestro,
            &format!("{day}"),
            &at,
            &[("a", seconds), ("b", 1.0)],
        );
    }
    maestro.file("tests.txt", list(&["a"]));
    // Of the last five: 1, 2, 3, 2 and 50.
    assert_eq!(seconds(&shard(&maestro, "1/1", &[])), [2.0]);
    let _ = maestro.run(["state", "fold", "--local"]).success();
    assert_eq!(seconds(&shard(&maestro, "1/1", &["--job", "test"])), [2.0]);
    // What nobody measured is split by number.
    let none = shard(&maestro, "1/1", &["--state", ""]);
    assert_eq!(
        (&none["known"], &none["shards"][0]["seconds"]),
        (&Value::from(0), &Value::Null)
    );
}

#[test]
fn a_day_is_kept_once_and_in_any_order() {
    let bytes = |order: [usize; 3]| {
        let maestro = Maestro::in_repo().env("CI", "true");
        let runs = [
            ("1", "2026-01-03T08:00:00Z", 3.0),
            ("2", "2026-01-03T09:00:00Z", 5.0),
            ("3", "2026-01-04T08:00:00Z", 7.0),
        ];
        for number in order {
            let (run, at, seconds) = runs[number];
            // Each as on a machine of its own.
            let outbox = maestro.path(".git/maestro");
            let aside = maestro.path("aside");
            let _moved = std::fs::rename(&outbox, &aside);
            ingest(&maestro, run, at, &[("a", seconds)]);
            if aside.exists() {
                for file in std::fs::read_dir(aside.join("outbox")).unwrap() {
                    let file = file.unwrap();
                    std::fs::rename(file.path(), outbox.join("outbox").join(file.file_name()))
                        .unwrap();
                }
                std::fs::remove_dir_all(&aside).unwrap();
            }
        }
        let _ = maestro.run(["state", "fold", "--local"]).success();
        let segment = maestro.path(".git/maestro/segments/events/test_timing/2026-01.ndjson");
        std::fs::read_to_string(segment).unwrap()
    };
    let one = bytes([0, 1, 2]);
    assert_eq!(one.lines().count(), 2);
    assert!(one.contains("\"ms\":[3000]") && one.contains("\"ms\":[7000]"));
    for order in [[2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        assert_eq!(bytes(order), one);
    }
}

#[test]
fn every_shard_sees_the_times_that_the_plan_saw() {
    let maestro = Maestro::in_repo();
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    maestro.git(&["remote", "add", "origin", "remote.git"]);
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\njobs: { test: { run: pytest, shards: 2 }, few: { shards: auto } }\n",
    );
    maestro.commit("Configure");
    ingest(
        &maestro,
        "1",
        "2026-01-01T08:00:00Z",
        &[("a", 400.0), ("b", 300.0)],
    );
    for command in ["push", "fold", "pull"] {
        let _ = maestro.run(["state", command]).success();
    }
    let plan = maestro.json(&["plan", "--base", "HEAD~1"]);
    let state = plan["state"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = plan["matrix"]["include"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "test (1/2)",
            "test (2/2)",
            "few (1/4)",
            "few (2/4)",
            "few (3/4)",
            "few (4/4)"
        ]
    );
    // Others store more meanwhile.
    ingest(
        &maestro,
        "2",
        "2026-01-02T08:00:00Z",
        &[("a", 1.0), ("b", 900.0)],
    );
    for command in ["push", "fold", "pull"] {
        let _ = maestro.run(["state", command]).success();
    }
    maestro.file("tests.txt", list(&["a", "b"]));
    assert_eq!(
        seconds(&shard(&maestro, "1/2", &["--state", &state])),
        [400.0, 300.0]
    );
    assert_eq!(seconds(&shard(&maestro, "1/2", &[])), [600.0, 200.5]);
    // A machine that has fetched the newest commit only gets the one that it is asked for.
    std::fs::remove_dir_all(maestro.path(".git/maestro")).unwrap();
    let _ = maestro.run(["state", "pull"]).success();
    assert_eq!(
        seconds(&shard(&maestro, "1/2", &["--state", &state])),
        [400.0, 300.0]
    );
    let gone = "0123456789012345678901234567890123456789";
    let args = [
        "plan",
        "shard",
        "1/2",
        "--runner",
        "pytest",
        "--tests",
        "tests.txt",
        "--state",
    ];
    let _ = maestro
        .run(args.iter().copied().chain([gone]))
        .exits_with(66);
    let _ = maestro
        .run(args.iter().copied().chain(["main"]))
        .exits_with(2);
}

#[test]
fn mistakes_are_told_apart() {
    let maestro = Maestro::in_repo();
    maestro.file("tests.txt", "tests/test_a.py: 3\n");
    let args = |shard: &'static str, runner: &'static str| {
        [
            "plan",
            "shard",
            shard,
            "--runner",
            runner,
            "--tests",
            "tests.txt",
        ]
    };
    let _ = maestro.run(args("3/2", "pytest")).exits_with(2).says("2/4");
    let _ = maestro
        .run(args("1/2", "pytst"))
        .exits_with(2)
        .says("did you mean `pytest`");
    let _ = maestro
        .run(args("1/2", "mocha"))
        .exits_with(15)
        .says("those of cargo-test, go-test, jest, nextest, pytest, vitest can");
    let _ = maestro
        .run(args("1/2", "pytest"))
        .exits_with(65)
        .says("pytest --collect-only -q");
    let _ = maestro
        .run([
            "plan",
            "shard",
            "1/2",
            "--runner",
            "jest",
            "--tests",
            "nowhere.txt",
        ])
        .exits_with(66);
}
