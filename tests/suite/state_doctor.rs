//! `maestro state doctor --repair` on a state branch that somebody damaged.

use std::fs;

use crate::harness::{Maestro, files_below};

/// A repository whose state branch has three runs from three folds.
fn shared() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    maestro.git(&["remote", "add", "origin", "remote.git"]);
    for run in ["1", "2", "3"] {
        store(&maestro, run);
        maestro.run(["state", "sync"]).success();
    }
    maestro
}

fn store(maestro: &Maestro, run: &str) {
    let xml = format!(
        "<testsuite name=\"s\"><testcase name=\"a\"/><testcase name=\"b{run}\"><failure message=\"m\"/></testcase></testsuite>"
    );
    maestro.file("r.xml", xml);
    maestro
        .run(["flakes", "ingest", "--run", run, "r.xml"])
        .success();
}

const RUNS: &str = "checkout/.maestro/events/test_run/2026-01.ndjson";

/// Commits a change to the state branch, by hand.
fn edit(maestro: &Maestro, change: &dyn Fn(&Maestro)) {
    maestro.git(&[
        "clone",
        "--quiet",
        "--branch",
        "maestro-state",
        "remote.git",
        "checkout",
    ]);
    change(maestro);
    maestro.git(&["-C", "checkout", "add", "--all"]);
    maestro.git(&[
        "-C",
        "checkout",
        "commit",
        "--quiet",
        "--message",
        "By hand",
    ]);
    maestro.git(&[
        "-C",
        "checkout",
        "push",
        "--quiet",
        "origin",
        "maestro-state",
    ]);
    fs::remove_dir_all(maestro.path("checkout")).unwrap();
    maestro.run(["state", "pull"]).success();
}

fn runs(maestro: &Maestro) -> u64 {
    let report = maestro.run(["flakes", "report", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    report["totals"]["runs"].as_u64().unwrap()
}

/// Repairs, and returns the document.
fn repair(maestro: &Maestro) -> serde_json::Value {
    let run = maestro
        .run(["state", "doctor", "--repair", "--format", "json"])
        .exits_with(65);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn what_an_editor_broke_comes_back_from_the_last_good_commit() {
    let maestro = shared();
    edit(&maestro, &|maestro| {
        let text = fs::read_to_string(maestro.path(RUNS)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[0] = lines[0].replace("\"job\":\"\"", "\"job\":\"x\"");
        lines[1].truncate(300);
        maestro.file(RUNS, format!("{}\n", lines.join("\n")));
    });
    assert_eq!(runs(&maestro), 1);
    maestro
        .run(["state", "verify"])
        .exits_with(65)
        .says("2 damaged lines");
    let only_said = maestro.run(["state", "doctor"]).exits_with(65);
    assert!(
        only_said.stderr.contains("--repair"),
        "{}",
        only_said.stderr
    );
    store(&maestro, "4");
    maestro.run(["state", "sync"]).exits_with(65);
    let document = repair(&maestro);
    assert_eq!(document["recovered"]["events"], 2, "{document}");
    assert_eq!(document["recovered"]["lost"].as_array().unwrap().len(), 0);
    maestro.run(["state", "sync"]).success();
    maestro.run(["state", "verify"]).success();
    assert_eq!(runs(&maestro), 4);
    let aside = files_below(&maestro.path(".git/maestro/aside"));
    assert_eq!(aside.len(), 1, "the damaged file is kept");
}

#[test]
fn a_segment_that_was_deleted_beside_damage_comes_back_too() {
    let maestro = shared();
    edit(&maestro, &|maestro| {
        fs::remove_file(maestro.path("checkout/.maestro/events/test_list/2026-01.ndjson")).unwrap();
        maestro.file(RUNS, "garbage\n");
    });
    let document = repair(&maestro);
    assert_eq!(document["recovered"]["lost"].as_array().unwrap().len(), 1);
    maestro.run(["state", "verify"]).success();
    assert_eq!(runs(&maestro), 3);
}

#[test]
fn what_no_commit_has_is_named_as_lost() {
    let maestro = shared();
    maestro.run(["state", "compact"]).success();
    edit(&maestro, &|maestro| {
        let text = fs::read_to_string(maestro.path(RUNS)).unwrap();
        maestro.file(
            RUNS,
            text.replacen("{\"schema\"", "<<<<<<< HEAD\n{\"schema\"", 1),
        );
    });
    // The past of the branch goes: only the damaged commit is left.
    let tree = maestro.git(&["--git-dir=remote.git", "rev-parse", "maestro-state^{tree}"]);
    let commit = maestro.git(&[
        "--git-dir=remote.git",
        "commit-tree",
        tree.trim(),
        "-m",
        "Alone",
    ]);
    maestro.git(&[
        "--git-dir=remote.git",
        "update-ref",
        "refs/heads/maestro-state",
        commit.trim(),
    ]);
    maestro.run(["state", "pull"]).success();
    let document = repair(&maestro);
    assert_eq!(document["recovered"]["good"], serde_json::Value::Null);
    assert_eq!(document["recovered"]["lost"][0]["line"], 1);
    maestro.run(["state", "verify"]).success();
    assert_eq!(runs(&maestro), 3);
}

#[test]
fn a_damaged_commit_in_the_inbox_is_folded_as_far_as_it_is_sound_and_set_aside() {
    let maestro = shared();
    store(&maestro, "4");
    maestro.run(["state", "push"]).success();
    let names = maestro.git(&[
        "--git-dir=remote.git",
        "for-each-ref",
        "--format=%(refname)",
        "refs/maestro/inbox",
    ]);
    let name = names.trim();
    let file = maestro.git(&[
        "--git-dir=remote.git",
        "show",
        &format!("{name}:events.ndjson"),
    ]);
    maestro.git(&["init", "--quiet", "odd"]);
    maestro.file("odd/events.ndjson", format!("{file}broken\n"));
    maestro.git(&["-C", "odd", "add", "--all"]);
    maestro.git(&["-C", "odd", "commit", "--quiet", "--message", "Odd"]);
    let target = format!("+HEAD:{name}");
    maestro.git(&["-C", "odd", "push", "--quiet", "../remote.git", &target]);
    maestro.run(["state", "pull"]).success();
    let document = repair(&maestro);
    assert_eq!(document["recovered"]["refs"][0], name, "{document}");
    maestro.run(["state", "verify"]).success();
    assert_eq!(runs(&maestro), 4);
    let left = maestro.git(&["--git-dir=remote.git", "for-each-ref", "refs/maestro/inbox"]);
    assert_eq!(left, "");
}

#[test]
fn a_run_that_refers_to_a_list_of_one_remote_takes_it_to_another() {
    let maestro = shared();
    maestro.git(&["init", "--quiet", "--bare", "other.git"]);
    maestro.git(&["remote", "add", "other", "other.git"]);
    // The list is known from `origin`, so only the run is new.
    store(&maestro, "3");
    store(&maestro, "4");
    maestro
        .run(["state", "push", "--remote", "other"])
        .success();
    maestro.git(&[
        "clone",
        "--quiet",
        "--no-checkout",
        "other.git",
        "elsewhere",
    ]);
    let elsewhere = ["-C", "elsewhere"];
    maestro
        .run(elsewhere.iter().chain(&["state", "pull"]))
        .success();
    let report = maestro.json(&["-C", "elsewhere", "flakes", "report", "--all"]);
    assert_eq!(report["totals"]["runs"], 2);
}
