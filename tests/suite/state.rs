//! `maestro state`: the outbox, the fold, and damage.

use std::fs;
use std::path::PathBuf;

use sha2::Digest;

use crate::harness::{Maestro, files_below};

fn stored() -> Maestro {
    let maestro = Maestro::in_repo();
    for run in ["1", "2", "3"] {
        let xml = format!(
            "<testsuite name=\"s\"><testcase name=\"a{run}\"/><testcase name=\"b\"><failure message=\"m\"/></testcase></testsuite>"
        );
        maestro.file(&format!("{run}.xml"), xml);
        maestro
            .run(["flakes", "ingest", "--run", run, &format!("{run}.xml")])
            .success();
    }
    maestro
}

fn events(maestro: &Maestro) -> Vec<PathBuf> {
    let mut files = files_below(&maestro.path(".git/maestro"));
    files.retain(|path| path.extension().is_some_and(|e| e == "ndjson"));
    files
}

#[test]
fn a_fold_changes_no_report_and_a_second_one_no_byte() {
    let maestro = stored();
    let before = maestro.json(&["flakes", "report", "--all"]);
    maestro.run(["state", "fold"]).success();
    assert_eq!(maestro.json(&["flakes", "report", "--all"]), before);
    let bytes = |maestro: &Maestro| {
        events(maestro)
            .iter()
            .map(|path| fs::read(path).unwrap())
            .collect::<Vec<_>>()
    };
    let first = bytes(&maestro);
    maestro.run(["state", "fold"]).success();
    assert_eq!(bytes(&maestro), first);
    assert!(
        events(&maestro)
            .iter()
            .all(|path| path.to_string_lossy().contains("segments"))
    );
}

#[test]
fn segments_are_sorted_and_hold_one_event_a_line() {
    let maestro = stored();
    maestro.run(["state", "fold"]).success();
    let segment = maestro.path(".git/maestro/segments/events/test_run/2026-01.ndjson");
    let text = fs::read_to_string(segment).unwrap();
    let ids: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 3);
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(ids, sorted);
}

#[test]
fn folding_in_any_grouping_gives_the_same_bytes() {
    let all = |maestro: &Maestro| {
        events(maestro)
            .iter()
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let once = stored();
    once.run(["state", "fold"]).success();
    let twice = stored();
    // The same events arrive in two folds, one of them twice.
    let outbox = events(&twice);
    let kept = fs::read(&outbox[0]).unwrap();
    let late = fs::read(&outbox[2]).unwrap();
    fs::remove_file(&outbox[2]).unwrap();
    twice.run(["state", "fold"]).success();
    fs::create_dir_all(outbox[0].parent().unwrap()).unwrap();
    fs::write(&outbox[0], kept).unwrap();
    fs::write(&outbox[2], late).unwrap();
    twice.run(["state", "fold"]).success();
    assert_eq!(all(&once), all(&twice));
}

#[test]
fn a_sound_state_verifies() {
    let maestro = stored();
    let document = maestro.json(&["state", "verify"]);
    assert_eq!(document["damage"].as_array().unwrap().len(), 0);
    assert_eq!(document["events"], 6);
}

#[test]
fn every_kind_of_damage_is_named_set_aside_and_nothing_else_is_lost() {
    type Damage = fn(&[u8]) -> Vec<u8>;
    let kinds: [(&str, Damage); 5] = [
        ("cut off", |bytes| bytes[..bytes.len() - 20].to_vec()),
        ("id does not match", |bytes| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replacen("\"attempt\":1", "\"attempt\":9", 1)
                .into_bytes()
        }),
        ("not a JSON event", |bytes| [b"garbage\n", bytes].concat()),
        ("not a JSON event", |bytes| {
            [b"\xff\xfe\x00\n", bytes].concat()
        }),
        ("not a JSON event", |bytes| [b"{}\n", bytes].concat()),
    ];
    for folded in [false, true] {
        for (words, damage) in kinds {
            let maestro = stored();
            if folded {
                maestro.run(["state", "fold"]).success();
            }
            let file = events(&maestro).pop().unwrap();
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, damage(&bytes)).unwrap();
            let verify = maestro.run(["state", "verify"]).exits_with(65);
            assert!(verify.stdout.contains(words), "{words}: {}", verify.stdout);
            maestro
                .run(["flakes", "report"])
                .exits_with(65)
                .says("maestro state doctor");
            maestro.run(["state", "doctor"]).exits_with(65);
            maestro.run(["state", "verify"]).exits_with(65);
            maestro
                .run(["state", "doctor", "--repair"])
                .exits_with(65)
                .says("aside");
            maestro.run(["state", "verify"]).success();
            maestro.run(["state", "doctor"]).success();
            let aside = files_below(&maestro.path(".git/maestro/aside"));
            assert_eq!(aside.len(), 1);
            let report = maestro.json(&["flakes", "report"]);
            assert!(
                report["totals"]["runs"].as_u64().unwrap() >= 2,
                "{words}: {report}"
            );
        }
    }
}

#[test]
fn an_event_of_a_newer_version_stays_and_stops_the_fold() {
    let maestro = stored();
    let file = events(&maestro).pop().unwrap();
    let newer = "{\"schema\":\"maestro.event/v2\",\"kind\":\"test_run\"}\n";
    fs::write(
        &file,
        [newer.as_bytes(), &fs::read(&file).unwrap()].concat(),
    )
    .unwrap();
    maestro.run(["state", "fold"]).exits_with(65).says("newer");
    maestro.run(["state", "doctor"]).success().says("newer");
    assert!(fs::read_to_string(&file).unwrap().starts_with(newer));
}

#[test]
fn an_unknown_kind_and_unknown_fields_survive_a_fold() {
    let maestro = stored();
    let file = events(&maestro).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let marked = text.replace(
        "\"schema\":\"maestro.event/v1\"",
        "\"schema\":\"maestro.event/v1\",\"later\":{\"x\":1}",
    );
    fs::write(&file, marked).unwrap();
    maestro.run(["state", "fold"]).success();
    let all: String = events(&maestro)
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(all.contains("\"later\":{\"x\":1}"));
    maestro.run(["state", "verify"]).success();
}

#[test]
fn a_lock_that_another_process_holds_is_waited_for() {
    let maestro = stored();
    let lock = fs::OpenOptions::new()
        .write(true)
        .open(maestro.path(".git/maestro/lock"))
        .unwrap();
    lock.lock().unwrap();
    let mut fold = maestro.command(["state", "fold"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(fold.try_wait().unwrap().is_none(), "it did not wait");
    drop(lock);
    assert!(fold.wait().unwrap().success());
}

#[test]
fn a_work_tree_shares_the_state_of_its_repository() {
    let maestro = stored();
    maestro.git(&["worktree", "add", "--quiet", "other"]);
    let report = maestro.json(&["-C", "other", "flakes", "report"]);
    assert_eq!(report["totals"]["runs"], 3);
    assert!(!maestro.git(&["status", "--porcelain"]).contains("maestro"));
}

#[test]
fn what_was_reported_as_stored_survives_a_kill() {
    let maestro = Maestro::in_repo();
    let cases: String = (0..3000)
        .map(|n| format!("<testcase name=\"t{n}\"/>"))
        .collect();
    let mut reported = 0;
    for round in 0..30_u64 {
        let file = format!("{round}.xml");
        maestro.file(
            &file,
            format!("<testsuite name=\"s{round}\">{cases}</testsuite>"),
        );
        let run = round.to_string();
        let mut child = maestro
            .command(["flakes", "ingest", "--run", &run, &file])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(round * 700));
        // The last few live. Killing one that has ended already changes nothing.
        if round < 25 {
            child.kill().unwrap();
        }
        reported += u64::from(child.wait().unwrap().success());
    }
    let _ = maestro.run(["state", "verify"]).success();
    assert!(reported > 0, "every child was killed before it ended");
    let stored = maestro.json(&["flakes", "report"])["totals"]["runs"]
        .as_u64()
        .unwrap();
    assert!(stored >= reported, "{stored} of {reported} are there");
    let _ = maestro.run(["state", "fold"]).success();
    assert_eq!(
        maestro.json(&["flakes", "report"])["totals"]["runs"],
        stored
    );
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let maestro = Maestro::in_repo();
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"t\"/></testsuite>",
    );
    let children: Vec<_> = (0..24)
        .map(|run| {
            let run = run.to_string();
            let fold = run.ends_with('7');
            let args = ["flakes", "ingest", "--run", &run, "r.xml"];
            let ingest = maestro
                .command(args)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn();
            let fold = fold.then(|| {
                maestro
                    .command(["state", "fold"])
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .unwrap()
            });
            (ingest.unwrap(), fold)
        })
        .collect();
    for (mut ingest, fold) in children {
        assert!(ingest.wait().unwrap().success());
        if let Some(mut fold) = fold {
            assert!(fold.wait().unwrap().success());
        }
    }
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 24);
}

#[test]
fn a_list_that_is_gone_is_an_error_until_its_report_is_ingested_again() {
    let maestro = Maestro::in_repo();
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"t\"/></testsuite>",
    );
    let ingest = ["flakes", "ingest", "--run", "1", "r.xml"];
    let _ = maestro.run(ingest).success();
    let file = events(&maestro).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let run = text
        .lines()
        .find(|line| line.contains("\"test_run\""))
        .unwrap();
    fs::write(&file, format!("{run}\n")).unwrap();
    let _ = maestro
        .run(["flakes", "report"])
        .exits_with(65)
        .says("ingest their reports again");
    let _ = maestro.run(["state", "verify"]).exits_with(65);
    let _ = maestro.run(ingest).success();
    let _ = maestro.run(["state", "verify"]).success();
    let report = maestro.json(&["flakes", "report", "--all"]);
    assert_eq!(
        (&report["totals"]["runs"], &report["tests"][0]["runs"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn a_payload_of_another_shape_is_damage_that_doctor_mends() {
    let maestro = stored();
    let payload = "{\"suites\":7}";
    let parts: [&[u8]; 6] = [
        b"maestro.event/v1",
        b"test_list",
        b"",
        b"0",
        b"",
        payload.as_bytes(),
    ];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    let digest: String = sha2::Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let line = format!(
        "{{\"schema\":\"maestro.event/v1\",\"kind\":\"test_list\",\"id\":\"{digest}\",\"at\":\"2026-01-05T09:00:00Z\",\"run\":\"\",\"attempt\":0,\"job\":\"\",\"commit\":\"\",\"branch\":\"\",\"payload\":{payload}}}\n"
    );
    maestro.file(".git/maestro/outbox/odd.ndjson", line);
    let verify = maestro.run(["state", "verify"]).exits_with(65);
    assert!(verify.stdout.contains("payload"), "{}", verify.stdout);
    let _ = maestro.run(["state", "doctor", "--repair"]).exits_with(65);
    let _ = maestro.run(["state", "verify"]).success();
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next_fold() {
    let maestro = stored();
    maestro.file(".git/maestro/outbox/.tmp-abc", "half");
    let _ = maestro.run(["state", "verify"]).success();
    let _ = maestro.run(["state", "fold"]).success();
    assert!(!maestro.path(".git/maestro/outbox/.tmp-abc").exists());
}
