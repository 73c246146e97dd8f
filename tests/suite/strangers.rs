//! Strangers' repositories, from a clone to a green pull request, through `MAESTRO_STRANGERS`: a folder of clones by the names of
//! `tests/interop/strangers/strangers.json`, which `.ci/interop strangers` makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::harness::{Maestro, package};
use super::runner::Runner;

/// More lines than this nobody edits on the first day.
const MOST_LINES: usize = 5;

/// Minutes from a clone to a green pull request.
const MOST_MINUTES: u64 = 10;

fn strangers() -> (PathBuf, Vec<Value>) {
    let folder = package().join("tests/interop/strangers");
    let text = fs::read_to_string(folder.join("strangers.json")).unwrap();
    (folder, serde_json::from_str(&text).unwrap())
}

/// The lines that a person edits: of each hunk the added or the removed ones, whichever are more.
fn edited(diff: &str) -> usize {
    let (mut lines, mut added, mut removed) = (0, 0, 0);
    for line in diff.lines().chain(["@@"]) {
        if line.starts_with("@@") {
            lines += std::cmp::max(added, removed);
            (added, removed) = (0, 0);
        } else if line.starts_with('+') && !line.starts_with("+++") {
            added += 1;
        } else if line.starts_with('-') && !line.starts_with("---") {
            removed += 1;
        }
    }
    lines
}

#[test]
fn nobody_edits_more_than_five_lines() {
    let (folder, strangers) = strangers();
    assert!(!strangers.is_empty());
    for stranger in strangers {
        let name = stranger["name"].as_str().unwrap();
        let diff = fs::read_to_string(folder.join(format!("{name}.diff"))).unwrap_or_default();
        assert!(edited(&diff) <= MOST_LINES, "{name}: {}", edited(&diff));
    }
}

#[test]
fn edited_lines_are_counted_by_hunk() {
    assert_eq!(edited(""), 0);
    let diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n+c\n d\n@@ -9 +9 @@\n-e\n";
    assert_eq!(edited(diff), 3);
}

/// Puts one text in another's place.
fn replace(maestro: &Maestro, what: &Value) {
    let [path, from, to] = ["path", "from", "to"].map(|key| what[key].as_str().unwrap());
    let text = fs::read_to_string(maestro.path(path)).unwrap();
    assert!(text.contains(from), "{path} has no `{from}`");
    maestro.file(path, text.replacen(from, to, 1));
}

/// Whether every job of the workflow's `test` ended so.
fn tests_ended(outcome: &super::runner::Outcome, result: &str) -> bool {
    let mut jobs = outcome.jobs.iter().filter(|job| job.id == "test");
    jobs.all(|job| job.result == result)
}

#[test]
fn strangers_come_to_a_green_pull_request() {
    let Some(clones) = std::env::var_os("MAESTRO_STRANGERS") else {
        eprintln!("skipped: MAESTRO_STRANGERS is not set");
        return;
    };
    let (folder, strangers) = strangers();
    let mut seen = 0;
    for stranger in strangers {
        let name = stranger["name"].as_str().unwrap();
        let clone = Path::new(&clones).join(name);
        if clone.is_dir() {
            follow(&clone, &folder.join(format!("{name}.diff")), &stranger);
            seen += 1;
        }
    }
    assert!(seen > 0, "no clone of a stranger is there");
}

/// Goes the way of one stranger.
fn follow(clone: &Path, diff: &Path, stranger: &Value) {
    let name = stranger["name"].as_str().unwrap();
    let start = Instant::now();
    let maestro = Maestro::in_folder();
    let from = clone.to_str().unwrap();
    maestro.git(&["clone", "--quiet", "--template=", from, "."]);
    maestro.git(&["switch", "--quiet", "--create", "adopt"]);
    let _ = maestro.run(["init"]).success();
    let mut lines = 0;
    if let Ok(text) = fs::read_to_string(diff) {
        lines = edited(&text);
        maestro.git(&["apply", diff.to_str().unwrap()]);
    }
    maestro.commit("Let maestro look on");
    replace(&maestro, &stranger["change"]);
    maestro.commit("Change something");
    maestro.git(&["switch", "--quiet", "--create", "broken"]);
    replace(&maestro, &stranger["break"]);
    maestro.commit("Break it");
    maestro.git(&["switch", "--quiet", "adopt"]);
    let mut runner = Runner::new(&maestro.path(""));
    for (name, value) in caches() {
        runner = runner.env(name, &value);
    }
    let workflow = fs::read_to_string(maestro.path(".github/workflows/maestro.yml")).unwrap();
    runner.pull_request(7, "adopt", "main");
    let outcome = runner.run(&workflow);
    let took = start.elapsed();
    outcome.green();
    assert!(tests_ended(&outcome, "success"));
    let ran: Vec<&str> = outcome
        .jobs
        .iter()
        .filter(|job| job.id == "test")
        .map(|job| job.name.as_str())
        .collect();
    for job in stranger["jobs"].as_array().unwrap() {
        // A line of a job that runs for each project has the project behind it.
        let name = job.as_str().unwrap();
        let is_of_job = |ran: &&str| *ran == name || ran.starts_with(&format!("{name} ("));
        assert!(ran.iter().any(is_of_job), "{ran:?}");
    }
    runner.pull_request(8, "broken", "main");
    let broken = runner.run(&workflow);
    broken.red();
    assert!(!tests_ended(&broken, "success"));
    // Nothing is enforced: the job is red by itself, and the gate looks on.
    assert_eq!(broken.job("gate").result, "success");
    eprintln!(
        "{name}: {} jobs ({}), {lines} edited lines, from the clone to green in {} s; with a broken test red",
        ran.len(),
        ran.join(", "),
        took.as_secs()
    );
    assert!(took.as_secs() < MOST_MINUTES * 60, "{name}: {took:?}");
}

/// What was downloaded once is not downloaded for each job, as with the caches of CI.
fn caches() -> Vec<(&'static str, String)> {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| format!("{home}/.cache"));
    let at = |name: &str| format!("{cache}/{name}");
    // Node's own headers lie beside it, where Debian puts them.
    let mut all = vec![
        ("UV_CACHE_DIR", at("uv")),
        ("PIP_CACHE_DIR", at("pip")),
        ("NPM_CONFIG_CACHE", format!("{home}/.npm")),
        ("GOPATH", at("go")),
    ];
    if Path::new("/usr/include/node/node.h").is_file() {
        all.push(("NPM_CONFIG_NODEDIR", "/usr".to_owned()));
    }
    for name in [
        "GOPROXY",
        "GOFLAGS",
        "GONOSUMDB",
        "PIP_INDEX_URL",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "NPM_CONFIG_REGISTRY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    ] {
        if let Ok(value) = std::env::var(name) {
            all.push((name, value));
        }
    }
    all
}
