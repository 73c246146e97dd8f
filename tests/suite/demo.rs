//! `maestro demo`, for real: the tests of its repository run, and the flaky one is named.

use std::fs;

use serde_json::Value;

use crate::harness::Maestro;

const FLAKY: &str = "the_second_try_comes_within_a_second";

/// The demo needs a toolchain, found as for a user.
fn with_toolchain() -> Maestro {
    let mut maestro = Maestro::in_folder();
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            maestro = maestro.env(name, value);
        }
    }
    maestro
}

fn names_the_flaky_test(report: &Value) -> bool {
    let tests = report["tests"].as_array().unwrap();
    tests
        .iter()
        .any(|row| row["verdict"] == "flaky" && row["test"].as_str().unwrap().ends_with(FLAKY))
}

fn check_exit_codes_and_money(stdout: &str) {
    // The flaky test is forgiven, and a wrong price is not.
    let codes: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("exit code"))
        .collect();
    let money = [
        // The cap, a call that is put aside and paid for, one that is refused, a cheaper one, the bill.
        "exit code 0",
        "exit code 0",
        "exit code 0",
        "exit code 11",
        "exit code 0",
        "exit code 0",
        "exit code 0",
    ];
    let safety = [
        // A GPL library and a token; neither of them; its health; keys, statements, signatures, their verification, and another file.
        "exit code 10",
        "exit code 0",
        "exit code 0",
        "exit code 0",
        "exit code 0",
        "exit code 0",
        "exit code 0",
        "exit code 14",
    ];
    // A run of agents, its story, what would be published.
    let team = ["exit code 0"; 3];
    // How the team delivers, its indicators, how the change stands.
    let delivery = ["exit code 0"; 3];
    let expected = [
        ["exit code 0", "exit code 12"].as_slice(),
        &money,
        &safety,
        &team,
        &delivery,
    ]
    .concat();
    assert_eq!(codes, expected, "{stdout}");
    // 2,300 tokens in and 6,030 out at $3 and $15 a million; then 2,100 and 640 at $1 and $5.
    for said in [
        "$0.09735",
        "has spent 80 % of what it may cost; with `claude-haiku-4-5`",
        "the pull request may cost $0.12; $0.09735 is spent or put aside",
        "`printer@1.0.0` is under GPL-3.0-only, which is not allowed",
        "`desk/labels.toml:1`: the line has a secret (github-token)",
        "provenance/file-differs",
        "pull request 7: $0.10265 in 2 calls\n████████████████████░░░░ 85 % of $0.12",
    ] {
        assert!(stdout.contains(said), "{said} in {stdout}");
    }
}

/// Returns the row of a table that ends with a word.
fn row_of<'t>(told: &'t str, word: &str) -> &'t str {
    let mut rows = told.lines();
    rows.find(|line| line.trim_end().ends_with(&format!("  {word}")))
        .unwrap_or_else(|| panic!("{word} in {told}"))
}

/// Holds what the demo says of how its team delivers, of its indicators and of its change.
fn check_delivery(told: &str) {
    let told = &told[told.find("How the team delivers").unwrap()..];
    assert!(row_of(told, "lead-time-merge").contains("8.0 h"), "{told}");
    assert!(
        row_of(told, "deployment-frequency").contains(" 8 "),
        "{told}"
    );
    // One of eight was taken back.
    assert!(
        row_of(told, "change-fail-rate").contains("1 of 8"),
        "{told}"
    );
    let lead = row_of(told, "pull-lead-time");
    assert!(
        lead.contains("≤ 12.6 h") && lead.contains(" met "),
        "{lead}"
    );
    let agents = row_of(told, "autonomous-pulls");
    assert!(
        agents.contains("≥ 10 a week") && agents.contains(" missed "),
        "{agents}"
    );
    for nobody in ["ci-p95", "merge-success", "llm-per-pull", "agent-success"] {
        let row = row_of(told, nobody);
        assert!(
            row.contains("not enough data") && !row.contains(" met "),
            "{row}"
        );
    }
    assert!(told.contains("The targets are an example"), "{told}");
    // The last is Markdown, as the comment has it.
    let health = &told[told.find("How the change with the labels stands").unwrap()..];
    assert!(health.contains("| security | 100 |"), "{health}");
}

#[test]
fn the_demo_names_the_flaky_test_until_it_is_mended() {
    let maestro = with_toolchain();
    let run = maestro.run(["demo", "d"]).success();
    assert!(
        run.stdout.contains(&format!(
            "flaky: `courier > tests::{FLAKY}` failed and then passed"
        )),
        "{}",
        run.stdout
    );
    // A change of the tariff reaches the desk and not the courier.
    assert!(
        run.stdout.contains("tariff/src/lib.rs → cargo:tariff"),
        "{}",
        run.stdout
    );
    let tested = run
        .stdout
        .lines()
        .find(|line| line.contains("../change/Cargo.toml"));
    assert!(
        tested.unwrap().ends_with(" -p desk -p tariff"),
        "{}",
        run.stdout
    );
    check_exit_codes_and_money(&run.stdout);
    check_delivery(&run.stdout);
    // The runs of its tests were published, and half of them were spoilt.
    let flakes = row_of(&run.stdout, "flake-rate");
    assert!(
        flakes.contains("< 1 %") && flakes.contains(" missed "),
        "{flakes}"
    );
    let report = |maestro: &Maestro| -> Value {
        serde_json::from_slice(&fs::read(maestro.path("d/report.json")).unwrap()).unwrap()
    };
    let first = report(&maestro);
    assert!(names_the_flaky_test(&first));
    assert_eq!(first["totals"]["verdicts"]["flaky"], 1);
    assert_eq!(first["totals"]["tests"], 6);
    // Two jobs published at once, and the state branch has what both saw and what was here.
    let segment = [
        "--git-dir=d/remote.git",
        "show",
        "maestro-state:.maestro/events/test_run",
    ];
    let months = maestro.git(&segment);
    let month = months.lines().last().unwrap().trim();
    let path = format!("{}/{month}", segment[2]);
    let lines = maestro.git(&[segment[0], segment[1], &path]);
    let runs = first["totals"]["runs"].as_u64().unwrap();
    assert_eq!(lines.lines().count() as u64, runs);
    for number in [runs - 1, runs] {
        assert!(
            lines.contains(&format!("\"run\":\"demo-{number}\"")),
            "{lines}"
        );
    }
    let waiting = maestro.git(&["--git-dir=d/remote.git", "for-each-ref", "refs/maestro"]);
    assert_eq!(waiting, "");

    let source = maestro.path("d/repository/courier/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let mended = text.replace("% 600", "% 300");
    assert_ne!(mended, text);
    fs::write(&source, mended).unwrap();
    maestro.git(&[
        "-C",
        "d/repository",
        "commit",
        "--quiet",
        "--all",
        "--message",
        "Keep the jitter within the second",
    ]);

    let run = maestro.run(["demo", "d"]).success();
    assert!(!run.stdout.contains("flaky: `courier"), "{}", run.stdout);
    assert!(!names_the_flaky_test(&report(&maestro)));
    assert_eq!(report(&maestro)["totals"]["verdicts"]["healthy"], 6);
}

#[cfg(unix)]
#[test]
fn the_demo_works_without_nextest_and_prints_json() {
    let maestro = with_toolchain();
    // A PATH on which cargo, rustc, git and the linker are, and cargo-nextest is not.
    let bin = maestro.path("bin");
    fs::create_dir(&bin).unwrap();
    for program in ["cargo", "rustc", "rustup", "git", "cc", "ld", "as", "gcc"] {
        if let Some(found) = on_path(program) {
            std::os::unix::fs::symlink(found, bin.join(program)).unwrap();
        }
    }
    // Cargo looks for its subcommands in its home, too.
    let home = maestro.path("cargo-home");
    let maestro = maestro
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("CARGO_HOME", home);
    let document = maestro.json(&["demo", "d"]);
    let steps = document["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["command"].as_str().unwrap().contains("--format junit")),
        "{steps:?}"
    );
    assert!(
        names_the_flaky_test(&document["report"]),
        "{}",
        document["report"]
    );
}

#[cfg(unix)]
fn on_path(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let maestro = with_toolchain();
    maestro.file("d/precious.txt", "mine");
    maestro.run(["demo", "d"]).exits_with(74).says("not empty");
    assert_eq!(
        fs::read_to_string(maestro.path("d/precious.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn without_cargo_the_demo_says_what_to_install() {
    let maestro = Maestro::in_folder().env("PATH", "/nonexistent");
    maestro
        .run(["demo", "d"])
        .exits_with(15)
        .says("hint: ")
        .says("install Rust");
}

/// The part of a demo in which a team of agents works, on a machine without cargo.
#[cfg(unix)]
fn team_of_a_demo() -> String {
    use std::os::unix::fs::PermissionsExt;
    let maestro = Maestro::in_folder();
    maestro.file("bin/cargo", "#!/bin/sh\nexit 1\n");
    let cargo = maestro.path("bin/cargo");
    fs::set_permissions(cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", maestro.path("bin").display());
    let maestro = maestro.env("PATH", path);
    let run = maestro
        .run(["--now", "2026-01-05T09:00:00Z", "demo", "d"])
        .success();
    assert!(run.stderr.contains("install Rust"), "{}", run.stderr);
    let from = run.stdout.find("A team of agents").unwrap();
    run.stdout[from..].replace(maestro.path("").to_str().unwrap(), "")
}

#[cfg(unix)]
#[test]
fn a_team_of_agents_is_shown_without_cargo_model_or_network_and_always_the_same() {
    let told = team_of_a_demo();
    for words in [
        "# Bulky parcels are too cheap",
        "10000 g: expected 550, got 850",
        "complete",
        "planner",
        "scaffolder",
        "implementer",
        "tester",
        "reviewer",
        "docs",
        "+test \"$grams\" -gt 10000 && bulky=300",
        "all prices are right\nbulky parcels cost more",
        "Charge for bulky parcels",
        "Look first at the comparison",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    check_delivery(&told);
    assert_eq!(told, team_of_a_demo());
}

#[test]
fn the_demo_clears_no_history_but_its_own() {
    let maestro = with_toolchain();
    fs::create_dir_all(maestro.path("d/repository/.git/maestro")).unwrap();
    maestro.git(&["-C", "d/repository", "init", "--quiet"]);
    maestro.file("d/repository/.git/maestro/precious", "mine");
    let _ = maestro
        .run(["demo", "d"])
        .exits_with(74)
        .says("a repository of its own");
    assert!(maestro.path("d/repository/.git/maestro/precious").exists());
}
