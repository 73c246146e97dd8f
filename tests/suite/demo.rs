//! `maestro demo`, for real: every act is played, README has what it says, and the flaky test is named until it is mended.

use std::fs;

use serde_json::Value;

use crate::harness::{Maestro, package};

const FLAKY: &str = "tests::the_second_try_comes_within_a_second";

/// When README's demo was, which every command of it takes for the present.
const NOW: &str = "2026-02-06T16:00:00Z";

/// Between these lines README has what the demo prints, and the part of it that is seen first.
const WHOLE: (&str, &str) = ("<!-- demo -->\n", "<!-- /demo -->\n");
const PART: (&str, &str) = ("<!-- demo, in short -->\n", "<!-- /demo, in short -->\n");

const BLESS: &str = "run MAESTRO_BLESS=1 cargo test --test suite demo";

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

/// Returns a folder with links to these programs, and to nothing else.
#[cfg(unix)]
fn only(maestro: &Maestro, programs: &[&str]) -> std::path::PathBuf {
    let bin = maestro.path("bin");
    fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in programs {
        let found = std::env::split_paths(&path)
            .map(|folder| folder.join(program))
            .find(|file| file.is_file());
        if let Some(found) = found {
            std::os::unix::fs::symlink(found, bin.join(program)).unwrap();
        }
    }
    bin
}

/// Returns what stands between two lines of a text, and where.
fn between<'t>(text: &'t str, (from, to): (&str, &str)) -> (&'t str, std::ops::Range<usize>) {
    let begin = text
        .find(from)
        .unwrap_or_else(|| panic!("README.md has no `{}`", from.trim()))
        + from.len();
    let end = begin
        + text[begin..]
            .find(to)
            .unwrap_or_else(|| panic!("README.md has no `{}`", to.trim()));
    (&text[begin..end], begin..end)
}

/// Holds README against what the demo printed, or writes it there.
fn check_readme(printed: &str) {
    let path = package().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (published, place) = between(&readme, WHOLE);
    let block = format!("```text\n{printed}```\n");
    if std::env::var_os("MAESTRO_BLESS").is_some() {
        let mut blessed = readme.clone();
        blessed.replace_range(place, &block);
        fs::write(&path, blessed).unwrap();
    } else if let Some((has, says)) = first_difference(published, &block) {
        panic!("README.md is stale: it has `{has}` where the demo says `{says}`; {BLESS}");
    }
    // Commands and lines of the short part are those of the whole, in their order.
    let (part, _) = between(&readme, PART);
    let mut rest = printed.lines();
    for line in part.lines().filter(|line| !line.starts_with("```")) {
        let is_said = line.trim().is_empty() || rest.any(|said| said.trim() == line.trim());
        assert!(
            is_said,
            "the short part of README's demo has `{line}`, and the demo does not say that there; take another line of the demo's"
        );
    }
}

/// Returns the first line that differs, as it is on either side.
fn first_difference<'t>(one: &'t str, other: &'t str) -> Option<(&'t str, &'t str)> {
    let (mut one, mut other) = (one.lines(), other.lines());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => return Some((left.unwrap_or("its end"), right.unwrap_or("its end"))),
        }
    }
}

#[test]
fn a_difference_is_named_by_its_line() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(("b", "c")));
    assert_eq!(first_difference("a\n", "a\nc\n"), Some(("its end", "c")));
}

/// Returns how the steps ended whose command has all of these words.
fn ends(document: &Value, words: &[&str]) -> Vec<i64> {
    let steps = document["steps"].as_array().unwrap().iter();
    let named = steps.filter(|step| {
        let command = step["command"].as_str().unwrap();
        words.iter().all(|word| command.contains(word))
    });
    named
        .map(|step| step["exit_code"].as_i64().unwrap())
        .collect()
}

/// Holds what has to pass and what has to be stopped.
fn check_ends(document: &Value) {
    for (words, expected) in [
        (["change gate", "needs.json"].as_slice(), [0, 12].as_slice()),
        (&["change gate", "skipped.json"], &[14]),
        (&["budget reserve"], &[0, 11, 0]),
        (&["gateway"], &[11]),
        (&["check-policy"], &[10, 0]),
        (&["provenance verify"], &[0, 14]),
        (&["run-agents"], &[0, 0, 0]),
        (&["state push", "job-"], &[0, 0]),
        (&["fleet diff"], &[16]),
        (&["notify"], &[0, 0]),
    ] {
        assert_eq!(ends(document, words), expected, "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn readme_has_what_the_demo_says_until_the_flaky_test_is_mended() {
    let maestro = with_toolchain();
    let args = ["--now", NOW, "demo", "--report", "json=demo.json", "d"];
    let run = maestro.run(args).success();
    check_readme(&run.stdout);
    let document = fs::read(maestro.path("demo.json")).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    check_ends(&document);
    // Whatever was run is there to be repeated.
    let commands = fs::read_to_string(maestro.path("d/commands.txt")).unwrap();
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(commands.lines().count(), steps.len());
    // Both jobs' runs and those before are in the one state, and nothing waits any more.
    let segment = "maestro-state:.maestro/events/test_run/2026-02.ndjson";
    let lines = maestro.git(&["--git-dir=d/remote.git", "show", segment]);
    for number in 1..=8 {
        let run = format!("\"run\":\"demo-{number}\"");
        assert!(lines.contains(&run), "{run} in {lines}");
    }
    let waiting = maestro.git(&["--git-dir=d/remote.git", "for-each-ref", "refs/maestro"]);
    assert_eq!(waiting, "");
    assert!(is_flaky(&document), "{}", document["report"]);

    // Left to chance, the test passes and fails; mended, it passes, and nobody names it.
    let maestro = maestro.env("MAESTRO_NOW", "");
    let both = (0..40).scan((false, false), |(green, red), _| {
        let run = maestro.run(["-C", "d/repository", "exec", "test"]);
        *green |= run.code == 0;
        *red |= run.code == 100;
        Some(*green && *red)
    });
    assert!(both.into_iter().any(|both| both));
    let source = maestro.path("d/repository/courier/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let mended = text.replace("% 600", "% 300");
    assert_ne!(mended, text);
    fs::write(&source, mended).unwrap();
    let commit = [
        "-C",
        "d/repository",
        "commit",
        "--quiet",
        "--all",
        "--message",
    ];
    maestro.git(&[commit.as_slice(), &["Keep the jitter within the second"]].concat());
    let again = maestro.json(&["demo", "d"]);
    assert!(!is_flaky(&again), "{}", again["report"]);
    // That was before pull request 7 made parcels dearer.
    let report = fs::read(maestro.path("d/report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["totals"]["verdicts"]["healthy"], 6);
}

fn is_flaky(document: &Value) -> bool {
    let tests = document["report"]["tests"].as_array().unwrap();
    tests
        .iter()
        .any(|row| row["verdict"] == "flaky" && row["test"] == FLAKY)
}

/// In another folder, without cargo-nextest, under other settings: not a byte differs.
#[cfg(unix)]
#[test]
fn the_demo_says_the_same_everywhere() {
    let readme = fs::read_to_string(package().join("README.md")).unwrap();
    let maestro = with_toolchain();
    let programs = ["cargo", "rustc", "rustup", "git", "cc", "ld", "as", "gcc"];
    let bin = only(&maestro, &programs);
    // Cargo looks for its subcommands in its home, too.
    let home = maestro.path("cargo-home");
    let maestro = maestro
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("CARGO_HOME", home)
        .env("LANG", "tr_TR.UTF-8")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("TZ", "Pacific/Kiritimati")
        .env("CLICOLOR_FORCE", "1")
        .env("GITHUB_ACTIONS", "true")
        .env("ANTHROPIC_API_KEY", "sk-of-somebody")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .env("MAESTRO_NOW", NOW);
    let run = maestro
        .run(["demo", "--color", "never", "another one"])
        .success();
    let (published, _) = between(&readme, WHOLE);
    let block = format!("```text\n{}```\n", run.stdout);
    assert_eq!(first_difference(published, &block), None, "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn without_cargo_the_other_acts_are_played_and_all_is_said_in_full() {
    let maestro = Maestro::in_folder();
    let bin = only(&maestro, &["git", "sh", "cat", "echo", "test", "bash"]);
    let maestro = maestro.env("PATH", bin);
    let args = ["--now", NOW, "demo", "--full", "d"];
    let run = maestro.run(args).success().says("install Rust");
    let told = &run.stdout;
    assert_eq!(
        told.matches("left out: cargo is not here").count(),
        4,
        "{told}"
    );
    for words in [
        // The issue, the refused try, the diff, its tests, and the draft's text.
        "# Bulky parcels are too cheap",
        "10000 g: expected 550, got 850",
        "+test \"$grams\" -gt 10000 && bulky=300",
        "all prices are right",
        "bulky parcels cost more",
        "Charge for bulky parcels",
        "Look first at the comparison",
        // The refusal, and what would do.
        "the pull request may cost $0.12; $0.09735 is spent or put aside",
        "the call may cost $",
        "`printer@1.0.0` is under GPL-3.0-only, which is not allowed",
        "`desk/labels.toml:1`: the line has a secret (github-token)",
        "provenance/file-differs",
        // How the team delivers: one of eight was taken back.
        "1 of 8",
        "The targets are an example",
        "| security | 100 |",
        // Plumbing is seen as well.
        "$ git clone --quiet",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    // A key is in no line.
    assert!(!told.contains("the-key-of-the-provider"), "{told}");
}

#[test]
fn without_git_the_demo_says_what_is_left_out() {
    let maestro = Maestro::in_folder().env("PATH", "/nonexistent");
    let run = maestro
        .run(["demo", "d"])
        .success()
        .says("install git")
        .says("install Rust");
    assert_eq!(
        run.stdout.matches("left out: ").count(),
        19,
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("passed, 0 failed"), "{}", run.stdout);
}

/// Commands that are no capability of their own.
const HELPERS: [&str; 5] = ["config", "demo", "explain", "help", "util"];

#[test]
fn every_capability_has_an_act() {
    let maestro = Maestro::in_folder();
    let help = maestro.run(["--help"]).success().stdout;
    let list = help.split("Commands:\n").nth(1).unwrap();
    let commands: Vec<&str> = list
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > HELPERS.len(), "{help}");
    let told = maestro.run(["demo", "--dry-run"]).success().stderr;
    let acts = told.trim().rsplit_once(": ").unwrap().1;
    let acts: Vec<&str> = acts.split(", ").collect();
    for command in &commands {
        assert!(
            acts.contains(command) != HELPERS.contains(command),
            "`maestro {command}` has no act in the demo: give it one in src/cli/demo/acts.rs, and {BLESS}; or, where it is no capability, a word in HELPERS here"
        );
    }
    for name in &acts {
        assert!(
            commands.contains(name),
            "`{name}` is an act in src/cli/demo/acts.rs, and `maestro {name}` is no command any more: take it out, and {BLESS}"
        );
    }
    let mut once = acts.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), acts.len(), "{acts:?}");
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
