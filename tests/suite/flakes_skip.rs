//! `maestro flakes quarantine skip`. Whether runners do what they are told is shown by `.ci/interop quarantine-skip`.

use std::fs;

use crate::harness::{Maestro, Run};

/// A repository with these tests in quarantine, by suite and name.
fn repository(tests: &[(&str, &str)]) -> Maestro {
    let maestro = Maestro::in_repo();
    let entries: Vec<String> = tests
        .iter()
        .map(|(suite, test)| {
            format!(
                r#"{{"suite": "{suite}", "test": "{test}", "mode": "skip", "reason": "r", "since": "2026-01-01", "review_by": "2999-01-01"}}"#
            )
        })
        .collect();
    let quarantine = format!(
        r#"{{"schema": "maestro.quarantine/v1", "tests": [{}]}}"#,
        entries.join(", ")
    );
    maestro
        .file(
            ".maestro/maestro.yaml",
            "schema: maestro.config/v1\nenforce: [flakes]\n",
        )
        .file(".maestro/quarantine.json", quarantine);
    maestro.commit("Quarantine");
    maestro
}

/// Checks what a run prints.
fn prints(run: Run, words: &[&str]) {
    let printed = run.success().stdout;
    for words in words {
        assert!(printed.contains(words), "`{words}` is not in:\n{printed}");
    }
}

fn skip(maestro: &Maestro, more: &[&str]) -> Run {
    let args = ["flakes", "quarantine", "skip", "--base", "HEAD", "--runner"];
    maestro.run(args.iter().chain(more))
}

#[test]
fn the_file_lies_in_the_folder_and_the_argument_names_it() {
    let maestro = repository(&[("a.spec.js", "it's")]);
    let _ = skip(&maestro, &["mocha"]).exits_with(2).says("--out");
    prints(
        skip(&maestro, &["mocha", "--out", "out put"]),
        &["--require '", "out put/maestro"],
    );
    let text = fs::read_to_string(maestro.path("out put/maestro_quarantine.mocha.cjs")).unwrap();
    assert!(text.contains(r#"[["a.spec.js","it\'s"]]"#), "{text}");
}

#[test]
fn what_cannot_be_left_out_exactly_is_refused() {
    let maestro = repository(&[("net", "waits*"), ("spec/a_spec", "works")]);
    let _ = skip(&maestro, &["gtest"])
        .exits_with(15)
        .says("`net > waits*` cannot be left out")
        .says("--only");
    let only = skip(&maestro, &["gtest", "--only", "spec/*"]);
    prints(only, &["--gtest_filter=-spec/a_spec.works"]);
    let _ = skip(&maestro, &["gtest", "--only", "["]).exits_with(2);
}

#[test]
fn a_condition_of_exactness_is_said() {
    let maestro = repository(&[("demo.ATest", "works")]);
    prints(
        skip(&maestro, &["surefire"]),
        &["1 test left out", "the POM must leave"],
    );
}

#[test]
fn without_enforcement_nothing_is_left_out_and_that_is_said() {
    let maestro = Maestro::in_repo();
    maestro.file(
        ".maestro/quarantine.json",
        r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "t", "mode": "skip", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#,
    );
    maestro.commit("Skip");
    let args = [
        "flakes",
        "quarantine",
        "skip",
        "--runner",
        "pytest",
        "--base",
        "HEAD",
        "--out",
        "out",
    ];
    let _ = maestro
        .run(args)
        .success()
        .says("the quarantine is not enforced where the change goes to");
}
