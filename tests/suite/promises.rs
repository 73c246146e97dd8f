//! The promises of `docs/benchmarks.md`, each with what holds it; and those about git that no other test holds.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::{Maestro, Team, files_below, package};

/// The names of the tests of this binary: `module::function`, for files directly below the suite.
fn tests() -> BTreeSet<String> {
    let folder = package().join("tests/suite");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines() {
            match line.strip_prefix("fn ") {
                _ if line == "#[test]" => is_test = true,
                Some(rest) if is_test => {
                    let name = rest.split('(').next().unwrap();
                    names.insert(format!("{module}::{name}"));
                    is_test = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn each_promise_is_held_by_something_that_is_there() {
    let text = fs::read_to_string(package().join("docs/benchmarks.md")).unwrap();
    let (_, rest) = text.split_once("\n## Promises\n").unwrap();
    let rows: Vec<&str> = rest
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 20, "{rows:?}");
    let tests = tests();
    for row in rows {
        let holders = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = holders
            .split('`')
            .enumerate()
            .filter(|(at, _)| at % 2 == 1)
            .map(|(_, name)| name)
            .collect();
        assert!(!names.is_empty(), "nothing holds: {row}");
        for name in names {
            let is_there = match name.split_once("::") {
                Some(_) => tests.contains(name),
                None => package().join(name).is_file(),
            };
            assert!(is_there, "`{name}` is not there, and is to hold: {row}");
        }
    }
}

/// How many objects, and how many bytes, a clone has.
fn size(team: &Team, clone: &str) -> (String, u64) {
    let count = team.git(clone, "rev-list --objects --all");
    let pack = files_below(&team.path(&format!("{clone}/.git/objects")));
    let bytes = pack.iter().filter_map(|path| fs::metadata(path).ok());
    (count, bytes.map(|file| file.len()).sum())
}

#[test]
fn the_state_adds_nothing_to_a_clone_of_the_default_branch() {
    let team = Team::new(&[]);
    let url = format!("file://{}", team.path("r.git").display());
    let of_branch = "clone --quiet --template= --single-branch --branch main";
    team.git(".", &format!("{of_branch} {url} before"));
    for run in ["1", "2", "3"] {
        team.publish("a", run);
    }
    team.ok("a fold");
    // One more waits in the inbox.
    team.publish("a", "4");
    team.git(".", &format!("{of_branch} {url} after"));
    assert_eq!(size(&team, "before"), size(&team, "after"));
    // A clone of all branches has the state's branch, and nothing of the inbox.
    team.git(".", &format!("clone --quiet --template= {url} all"));
    let refs = team.git("all", "for-each-ref --format=%(refname)");
    assert!(
        refs.contains("origin/maestro-state") && !refs.contains("refs/maestro"),
        "{refs}"
    );
    let (objects, bytes) = size(&team, "all");
    let (fewer, less) = size(&team, "after");
    eprintln!(
        "of the default branch: {} objects, {less} bytes, with the state or without; all branches: {} objects, {bytes} bytes",
        fewer.lines().count(),
        objects.lines().count()
    );
    assert!(objects.lines().count() > fewer.lines().count());
}

#[cfg(unix)]
#[test]
fn of_five_hundred_secrets_in_messages_none_is_in_refs_or_artifacts() {
    let team = Team::new(&[]);
    let canaries = crate::observe::canaries();
    let cases = canaries.iter().enumerate().map(|(at, canary)| {
        format!("<testcase name=\"t{at}\"><failure message=\"login with {canary} failed\">token={canary}\n  at x</failure></testcase>")
    });
    let cases: String = cases.collect();
    team.file(
        "a/r.xml",
        format!("<testsuite name=\"s\">{cases}</testsuite>"),
    );
    let ingest = ["-C", "a", "flakes", "ingest", "r.xml", "--run", "1"];
    let _ = team.run(ingest).success();
    fs::remove_file(team.path("a/r.xml")).unwrap();
    team.ok("a pack ../left.ndjson");
    team.ok("a push");
    team.ok("a fold");
    let unpacked = Maestro::in_folder();
    let remote = format!("file://{}", team.path("r.git").display());
    unpacked.git(&["clone", "--quiet", "--mirror", &remote, "m.git"]);
    let mut seen = fs::read(team.path("left.ndjson")).unwrap();
    let packed = String::from_utf8_lossy(&seen).into_owned();
    assert!(
        packed.contains("login with") && packed.contains("redacted"),
        "{packed}"
    );
    for line in unpacked
        .git(&["-C", "m.git", "rev-list", "--objects", "--all"])
        .lines()
    {
        let object = line.split(' ').next().unwrap();
        seen.extend(
            unpacked
                .git(&["-C", "m.git", "cat-file", "-p", object])
                .bytes(),
        );
    }
    for file in files_below(&team.path("a/.git/maestro")) {
        seen.extend(fs::read(file).unwrap());
    }
    let seen = String::from_utf8_lossy(&seen);
    let told = canaries
        .iter()
        .filter(|canary| seen.contains(canary.as_str()));
    assert_eq!(told.count(), 0);
}
