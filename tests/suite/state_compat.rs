//! The frozen formats: what was written once is read for ever, and what a newer writer adds survives.
//!
//! `state_compat/v1` is a state as `state_compat/make.sh` made it when the formats were frozen. It is never made again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::Digest;

use crate::harness::{Maestro, files_below, package};

fn frozen() -> PathBuf {
    package().join("tests/suite/state_compat/v1")
}

/// A repository whose segments are the frozen ones.
fn with_frozen_state() -> Maestro {
    let maestro = Maestro::in_repo();
    for path in files_below(&frozen()) {
        let short = path.strip_prefix(frozen()).unwrap();
        if short != Path::new("report.json") {
            let target = Path::new(".git/maestro/segments").join(short);
            maestro.file(&target.to_string_lossy(), fs::read(&path).unwrap());
        }
    }
    maestro
}

/// The segments, without those of events that a test added.
fn segments(maestro: &Maestro) -> Vec<(PathBuf, String)> {
    let top = maestro.path(".git/maestro/segments");
    let files = files_below(&top).into_iter();
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&top).unwrap().to_owned(), text)
        })
        .collect()
}

/// Returns the line of an event as any writer of version 1 makes it, with whatever stands between its fields.
pub(crate) fn line(kind: &str, run: &str, at: &str, payload: &str, more: &str) -> String {
    let parts = ["maestro.event/v1", kind, run, "1", "job", payload];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    let digest = sha2::Sha256::digest(&bytes);
    let id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{{\"schema\":\"maestro.event/v1\",{more}\"kind\":\"{kind}\",\"id\":\"{id}\",\"at\":\"{at}\",\"run\":\"{run}\",\"attempt\":1,\"job\":\"job\",\"commit\":\"\",\"branch\":\"main\",\"payload\":{payload}}}\n"
    )
}

const LIST: &str = "60654f9dbe5e23aa090e1f951258b75e346468a737fb128a6b285ec71f631092";

#[test]
fn the_frozen_state_is_read_as_it_was_written() {
    let maestro = with_frozen_state();
    maestro.run(["state", "verify"]).success();
    let frozen: Value =
        serde_json::from_str(&fs::read_to_string(frozen().join("report.json")).unwrap()).unwrap();
    let now = maestro.json(&["flakes", "report", "--all"]);
    for key in [
        "runs", "tests", "cases", "attempts", "passed", "failed", "errored", "skipped", "suites",
    ] {
        assert_eq!(now["totals"][key], frozen["totals"][key], "{key}");
    }
    let numbers = |report: &Value| -> Vec<Value> {
        let tests = report["tests"].as_array().unwrap().iter();
        let mut rows: Vec<Value> = tests
            .map(|row| {
                serde_json::json!([
                    row["suite"],
                    row["test"],
                    row["runs"],
                    row["failures"],
                    row["retry_passes"]
                ])
            })
            .collect();
        rows.sort_by_key(Value::to_string);
        rows
    };
    assert_eq!(numbers(&now), numbers(&frozen));
}

#[test]
fn a_fold_over_the_frozen_state_changes_no_byte_of_it() {
    let maestro = with_frozen_state();
    let before = segments(&maestro);
    // The whole of it comes again, by way of the outbox.
    let all: String = before
        .iter()
        .filter(|(path, _)| path.starts_with("events"))
        .map(|(_, text)| text.as_str())
        .collect();
    maestro.file(".git/maestro/outbox/again.ndjson", all);
    maestro.run(["state", "fold"]).success();
    assert_eq!(segments(&maestro), before);
}

#[test]
fn what_a_newer_writer_adds_survives_every_rewrite() {
    let maestro = with_frozen_state();
    let run = format!(
        "{{\"colour\":\"red\",\"differs\":{{\"f\":\"07\"}},\"files\":[],\"leg\":\"\",\"list\":\"{LIST}\"}}"
    );
    let lines = [
        line(
            "test_run",
            "n1",
            "2026-01-02T12:00:00Z",
            &run,
            "\"signed_by\":{\"key\":[1,2]},",
        ),
        line(
            "weather",
            "n2",
            "2026-01-02T13:00:00Z",
            "{\"rain\":true}",
            "",
        ),
        line(
            "cursor",
            "n3",
            "2026-01-02T14:00:00Z",
            "{\"position\":\"17\",\"stream\":\"x\",\"until\":\"later\"}",
            "",
        ),
    ];
    maestro.file(".git/maestro/outbox/newer.ndjson", lines.concat());
    let before = maestro.json(&["flakes", "report", "--all"]);
    maestro.run(["state", "fold"]).success();
    // Rewrites: a further event in each segment, a compaction, and a branch.
    let more = [
        line(
            "test_run",
            "m1",
            "2026-01-01T12:00:00Z",
            &format!("{{\"files\":[],\"list\":\"{LIST}\"}}"),
            "",
        ),
        line("weather", "m2", "2026-01-01T13:00:00Z", "{}", ""),
        line(
            "cursor",
            "m3",
            "2026-01-01T14:00:00Z",
            "{\"position\":\"1\",\"stream\":\"x\"}",
            "",
        ),
    ];
    maestro.file(".git/maestro/outbox/more.ndjson", more.concat());
    maestro.run(["state", "fold"]).success();
    maestro.run(["state", "compact", "--local"]).success();
    let all: String = segments(&maestro)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for line in &lines {
        assert!(all.contains(line.as_str()), "{line}");
    }
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    maestro.git(&["remote", "add", "origin", "remote.git"]);
    maestro.run(["state", "sync"]).success();
    maestro.run(["state", "compact"]).success();
    let git = ["--git-dir=remote.git", "show"];
    for (kind, line) in ["test_run", "weather", "cursor"].iter().zip(&lines) {
        let path = format!("maestro-state:.maestro/events/{kind}/2026-01.ndjson");
        assert!(
            maestro
                .git(&[git[0], git[1], &path])
                .contains(line.as_str())
        );
    }
    let after = maestro.json(&["flakes", "report", "--all"]);
    let runs = |report: &Value| report["totals"]["runs"].as_u64().unwrap();
    assert_eq!(runs(&after), runs(&before) + 1);
}

#[test]
fn an_older_writer_and_this_one_share_a_state() {
    let maestro = with_frozen_state();
    // This one stores the report that the frozen run is about: the list is known, so only the run is new.
    let xml = "<testsuites><testsuite name=\"unit\"><testcase name=\"flaky\" time=\"2.5\"/><testcase name=\"red\"/></testsuite></testsuites>";
    maestro.file("r.xml", xml);
    maestro
        .run([
            "flakes",
            "ingest",
            "--run",
            "new",
            "--at",
            "2026-01-04T00:00:00Z",
            "r.xml",
        ])
        .success();
    let lists = |maestro: &Maestro| {
        let all = segments(maestro).into_iter();
        let all = all.filter(|(path, _)| path.starts_with("events/test_list"));
        all.map(|(_, text)| text.lines().count()).sum::<usize>()
    };
    let before = lists(&maestro);
    maestro.run(["state", "fold"]).success();
    assert_eq!(
        lists(&maestro),
        before,
        "a partial run is written against the frozen list"
    );
    let report = maestro.json(&["flakes", "report", "--all"]);
    let flaky = report["tests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["test"] == "flaky")
        .unwrap();
    assert_eq!(flaky["runs"], 6);
}

#[test]
fn another_major_version_stops_every_writer_and_no_reader_of_damage() {
    for place in [
        ".git/maestro/segments/events/test_run/2026-01.ndjson",
        ".git/maestro/outbox/v2.ndjson",
    ] {
        let maestro = with_frozen_state();
        let old = fs::read_to_string(maestro.path(place)).unwrap_or_default();
        maestro.file(
            place,
            format!("{old}{{\"schema\":\"maestro.event/v2\",\"events\":[1]}}\n"),
        );
        maestro.file("r.xml", "<testsuite><testcase name=\"a\"/></testsuite>");
        let run = format!("{{\"files\":[],\"list\":\"{LIST}\"}}");
        let sound = line("test_run", "s", "2026-01-05T00:00:00Z", &run, "");
        maestro.file(".git/maestro/outbox/sound.ndjson", sound);
        maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
        maestro.git(&["remote", "add", "origin", "remote.git"]);
        let before = segments(&maestro);
        for call in [
            &["flakes", "ingest", "r.xml"][..],
            &["state", "fold", "--local"],
            &["state", "push"],
            &["state", "pack", "p.ndjson"],
        ] {
            let _ = maestro.run(call).exits_with(65).says("newer");
        }
        if place.contains("segments") {
            let _ = maestro
                .run(["state", "compact", "--local"])
                .exits_with(65)
                .says("newer");
        }
        assert_eq!(segments(&maestro), before);
        assert_eq!(maestro.git(&["--git-dir=remote.git", "for-each-ref"]), "");
        assert!(!maestro.path("p.ndjson").exists());
        let _ = maestro.run(["state", "doctor"]).success().says("newer");
        let _ = maestro.run(["state", "doctor", "--repair"]).success();
        assert_eq!(segments(&maestro), before);
    }
    let maestro = with_frozen_state();
    maestro.file(
        ".git/maestro/segments/retention.json",
        "{\"schema\":\"maestro.retention/v2\"}",
    );
    for call in [
        &["state", "fold", "--local"][..],
        &["state", "compact", "--local"],
    ] {
        let _ = maestro.run(call).exits_with(65).says("newer");
    }
}
