//! `maestro flakes escalate`: one issue a cluster, whatever is killed, lost, closed or renamed on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, ME, TOKEN};
use crate::harness::{Maestro, files_below};
use crate::killed::crash;

/// A name that would call, link, close, inject a cell and command the runner.
const HOSTILE: &str = "x @org/team fixes #1 | `c` <img src=x>\n::error::y";

/// Fails in the runs given, and passes when they are tried again.
pub(crate) const TESTS: &[(&str, &[u32])] = &[
    ("retries", &[3, 11, 27, 33]),
    ("reconnects", &[11, 27, 33]),
    ("alone", &[8, 19]),
    (HOSTILE, &[14, 30]),
    ("well", &[]),
];

/// The results of runs, some of which fail at first.
pub(crate) fn history(runs: std::ops::Range<u32>, failing: &[(&str, &[u32])]) -> String {
    let mut lines = String::new();
    for run in runs {
        let at = format!("2026-01-{:02}T{:02}:00:00Z", 1 + run / 24, run % 24);
        let is_red = failing.iter().any(|(_, red)| red.contains(&run));
        for attempt in 1..=1 + u32::from(is_red) {
            for (test, red) in failing {
                let status = if attempt == 1 && red.contains(&run) {
                    "failed"
                } else {
                    "passed"
                };
                let line = json!({
                    "run": run, "attempt": attempt, "commit": format!("c{run}"), "branch": "main", "job": "test", "at": at, "suite": "net",
                    "test": test, "status": status,
                });
                lines.push_str(&format!("{line}\n"));
            }
        }
    }
    lines
}

pub(crate) fn machine() -> Maestro {
    let maestro = Maestro::in_repo()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN);
    maestro
        .file("CODEOWNERS", "net.py @acme/net\n")
        .file("net.py", "")
        .file("h.ndjson", history(0..40, TESTS));
    maestro.commit("Own");
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    maestro
}

/// Escalates at a time; returns the exit code and the document.
pub(crate) fn escalate_at(
    maestro: &Maestro,
    fake: &Fake,
    now: &str,
    more: &[&str],
) -> (i32, Value) {
    let args = [&["flakes", "escalate", "--format", "json"], more].concat();
    let mut command = maestro.command(args);
    command
        .env("GITHUB_API_URL", fake.api())
        .env("MAESTRO_NOW", now);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::String(text));
    (output.status.code().unwrap_or(-1), document)
}

const NOW: &str = "2026-01-05T09:00:00Z";

pub(crate) fn escalate(maestro: &Maestro, fake: &Fake) -> Value {
    let (code, document) = escalate_at(maestro, fake, NOW, &[]);
    assert_eq!(code, 0, "{document}");
    document
}

pub(crate) fn issues(fake: &Fake) -> Vec<Value> {
    fake.store()
        .lists
        .get("/issues")
        .cloned()
        .unwrap_or_default()
}

/// Changes the issue of a test.
fn change(fake: &Fake, test: &str, change: impl Fn(&mut Value)) {
    let mut store = fake.store();
    let issues = store.lists.get_mut("/issues").unwrap().iter_mut();
    let is_it = |issue: &&mut Value| issue["title"].as_str().unwrap().contains(test);
    change(issues.into_iter().find(is_it).unwrap());
}

fn steps(document: &Value) -> Vec<String> {
    let rows = document["clusters"].as_array().unwrap().iter();
    let mut steps: Vec<String> = rows
        .map(|row| {
            let first = row["tests"][0]["test"].as_str().unwrap();
            format!(
                "{} {}",
                first.split(' ').next().unwrap(),
                row["step"].as_str().unwrap()
            )
        })
        .collect();
    steps.sort();
    steps
}

const ALL: [&str; 3] = ["alone opened", "retries opened", "x opened"];

#[test]
fn a_cluster_gets_one_issue_that_says_what_is_known_and_calls_nobody() {
    let (maestro, fake) = (machine(), Fake::start());
    let (code, planned) = escalate_at(&maestro, &fake, NOW, &["--dry-run"]);
    assert_eq!((code, steps(&planned)), (0, ALL.map(String::from).to_vec()));
    assert!(fake.writes().is_empty());
    assert_eq!(steps(&escalate(&maestro, &fake)), ALL);
    let all = issues(&fake);
    assert_eq!(all.len(), 3);
    let of = |name: &str| {
        let found = all
            .iter()
            .find(|issue| issue["title"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("{name}: {all:#?}"))["body"]
            .as_str()
            .unwrap()
    };
    let body = of("retries");
    for words in [
        "**2 tests fail in the same runs**",
        "| `net > reconnects` | 3 of 48 |",
        "Owner: `@acme/net` · first seen 2026-01-01 · last failed 2026-01-02",
        "failed and then passed in the same run 3 times",
    ] {
        assert!(body.contains(words), "`{words}` is not in:\n{body}");
    }
    let is_line = |start: &str| {
        body.lines()
            .any(|line| line.starts_with(start) && line.ends_with('`'))
    };
    assert!(
        is_line("`flaky-test-id: ") && is_line("`flaky-tests: ") && is_line("`maestro: flaky "),
        "{body}"
    );
    // Outside of code spans nothing of a name is left.
    let hostile = of("x @org");
    let outside: String = hostile.split("``").step_by(2).collect();
    for sign in ["@org", "#1", "<img", "| `c`", "::error::"] {
        assert!(!outside.contains(sign), "`{sign}` acts in:\n{hostile}");
    }
    assert!(
        !hostile
            .lines()
            .any(|line| line.trim_start().starts_with("::"))
    );
    // Nothing is new.
    assert_eq!(fake.writes().len(), 3);
    let again = escalate(&maestro, &fake);
    assert_eq!(steps(&again), ["alone kept", "retries kept", "x kept"]);
    assert_eq!(
        fake.asked()
            .iter()
            .filter(|line| !line.starts_with("GET "))
            .count(),
        0
    );
}

/// One of a hundred replays: killed at a request, begun anew, and looked at.
fn replay(maestro: &Maestro, stored: &BTreeSet<PathBuf>, number: usize, requests: usize) {
    let forget = || {
        for path in files_below(&maestro.path(".git/maestro")) {
            if !stored.contains(&path) {
                fs::remove_file(path).unwrap();
            }
        }
    };
    let fake = Fake::start();
    forget();
    // Each request, before it is done and after.
    let at = number / 2 % requests;
    assert!(
        crash(maestro, &fake, &["flakes", "escalate"], at, number % 2 == 1),
        "request {at} was not made"
    );
    // Then it begins anew, sometimes on a machine that has forgotten what it stored.
    if number.is_multiple_of(3) {
        forget();
    }
    escalate(maestro, &fake);
    let all = issues(&fake);
    let open = all.iter().filter(|issue| issue["state"] == "open");
    let key = |issue: &Value| {
        let body = issue["body"].as_str().unwrap();
        body.lines()
            .find(|line| line.starts_with("`maestro: "))
            .map(str::to_owned)
    };
    let keys: BTreeSet<String> = open.filter_map(key).collect();
    assert_eq!(
        (all.len(), keys.len()),
        (3, 3),
        "replay {number}, request {at}: {all:#?}"
    );
}

#[test]
fn a_hundred_replays_with_a_crash_at_every_request_leave_one_issue_a_cluster() {
    let requests = {
        let fake = Fake::start();
        escalate(&machine(), &fake);
        fake.asked().len()
    };
    assert!((8..50).contains(&requests), "{requests}");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let maestro = machine();
                let stored = files_below(&maestro.path(".git/maestro"))
                    .into_iter()
                    .collect();
                for number in (worker..100).step_by(4) {
                    replay(&maestro, &stored, number, requests);
                }
            });
        }
    });
}

#[test]
fn two_runners_at_once_leave_one_open_issue_a_cluster() {
    let machines = [machine(), machine()];
    // The second one has seen more.
    machines[1].file(
        "more.ndjson",
        history(40..50, &[("later", &[41, 47]), ("retries", &[44])]),
    );
    let _ = machines[1]
        .run(["flakes", "ingest", "more.ndjson"])
        .success();
    let fake = Fake::start();
    std::thread::scope(|scope| {
        for maestro in &machines {
            let fake = &fake;
            scope.spawn(move || escalate(maestro, fake));
        }
    });
    for maestro in &machines {
        escalate(maestro, &fake);
    }
    let open: Vec<String> = issues(&fake)
        .iter()
        .filter(|issue| issue["state"] == "open")
        .map(|issue| issue["title"].as_str().unwrap().to_owned())
        .collect();
    let titles: BTreeSet<&String> = open.iter().collect();
    assert_eq!((open.len(), titles.len()), (4, 4), "{open:?}");
}

#[test]
fn what_a_person_closed_is_opened_again_when_there_is_a_reason() {
    let (maestro, fake) = (machine(), Fake::start());
    escalate(&maestro, &fake);
    let close = |test: &str, at: &str| {
        change(&fake, test, |issue| {
            issue["state"] = json!("closed");
            issue["closed_at"] = json!(at);
        });
    };
    // Before its last failure, and after it.
    close("retries", "2026-01-02T05:00:00Z");
    close("alone", "2026-01-04T00:00:00Z");
    let document = escalate(&maestro, &fake);
    assert_eq!(
        steps(&document),
        ["alone rests", "retries reopened", "x kept"]
    );
    // In quarantine it is somebody's work whatever happened since.
    let _ = maestro
        .run([
            "flakes",
            "quarantine",
            "add",
            "alone",
            "--reason",
            "timeouts",
        ])
        .success();
    assert_eq!(
        steps(&escalate(&maestro, &fake)),
        ["alone reopened", "retries kept", "x kept"]
    );
    assert_eq!(issues(&fake).len(), 3);
    assert!(issues(&fake).iter().all(|issue| issue["state"] == "open"));
}

#[test]
fn a_deleted_issue_is_opened_anew_and_a_renamed_label_doubles_nothing() {
    let (maestro, fake) = (machine(), Fake::start());
    escalate(&maestro, &fake);
    for issue in fake.store().lists.get_mut("/issues").unwrap() {
        issue["labels"][0]["name"] = json!("flaky-test");
    }
    assert_eq!(
        steps(&escalate(&maestro, &fake)),
        ["alone kept", "retries kept", "x kept"]
    );
    change(&fake, "retries", |issue| {
        issue["body"] = json!("somebody wrote over it");
    });
    let is_alone = |issue: &Value| issue["title"].as_str().unwrap().contains("alone");
    fake.store()
        .lists
        .get_mut("/issues")
        .unwrap()
        .retain(|issue| !is_alone(issue));
    assert_eq!(
        steps(&escalate(&maestro, &fake)),
        ["alone opened", "retries opened", "x kept"]
    );
    assert_eq!(
        steps(&escalate(&maestro, &fake)),
        ["alone kept", "retries kept", "x kept"]
    );
}

#[test]
fn a_cluster_keeps_its_id_when_the_state_is_lost_and_when_it_grows() {
    let (maestro, fake) = (machine(), Fake::start());
    let before = escalate(&maestro, &fake);
    let other = machine();
    // A test that failed earlier than any other of the cluster would name it otherwise.
    other.file(
        "old.ndjson",
        history(0..40, &[("oldest", &[1, 3, 11, 27])]).replace("\"net\"", "\"old\""),
    );
    let _ = other
        .run(["flakes", "ingest", "--job", "old", "old.ndjson"])
        .success();
    let after = escalate(&other, &fake);
    assert_eq!(steps(&after), ["alone kept", "oldest updated", "x kept"]);
    let ids = |document: &Value| {
        let rows = document["clusters"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&before), ids(&after));
    assert_eq!(issues(&fake).len(), 3);
}

#[test]
fn so_many_issues_are_opened_at_once_and_what_fails_most_comes_first() {
    let (maestro, fake) = (machine(), Fake::start());
    for (opened, waits) in [(1, 2), (2, 1), (3, 0), (3, 0)] {
        let (_, document) = escalate_at(&maestro, &fake, NOW, &["--most-new", "1"]);
        assert_eq!(document["totals"]["waits"], waits, "{document}");
        let all = issues(&fake);
        assert_eq!(all.len(), opened);
        assert!(all[0]["title"].as_str().unwrap().contains("retries"));
    }
}

#[test]
fn clusters_that_become_one_keep_the_older_issue() {
    let (maestro, fake) = (machine(), Fake::start());
    let before = escalate(&maestro, &fake);
    let runs: &[u32] = &[50, 52, 54, 56, 58, 59];
    let joined = history(
        50..60,
        &[
            ("alone", runs),
            ("retries", runs),
            ("reconnects", runs),
            ("well", &[]),
        ],
    );
    maestro.file("n.ndjson", joined);
    let _ = maestro.run(["flakes", "ingest", "n.ndjson"]).success();
    let now = "2026-01-06T09:00:00Z";
    let (_, document) = escalate_at(&maestro, &fake, now, &[]);
    assert_eq!(
        steps(&document),
        ["alone closed", "retries updated", "x kept"]
    );
    let id = |document: &Value, test: &str| {
        let mut rows = document["clusters"].as_array().unwrap().iter();
        let row = rows.find(|row| row["tests"][0]["test"] == test).unwrap();
        (row["id"].clone(), row["issue"].clone())
    };
    let (older, _) = id(&before, "retries");
    assert_eq!(id(&document, "retries").0, older);
    let young = document["clusters"].as_array().unwrap().last().unwrap();
    assert_eq!(young["merged_into"], older);
    let all = issues(&fake);
    let closed = all.iter().find(|issue| issue["state"] == "closed").unwrap();
    let number = id(&document, "retries").1;
    assert!(
        closed["body"]
            .as_str()
            .unwrap()
            .contains(&format!("see #{number}.")),
        "{closed}"
    );
    let (_, again) = escalate_at(&maestro, &fake, "2026-01-06T10:00:00Z", &[]);
    assert_eq!(steps(&again), ["retries kept", "x kept"]);
}

#[test]
fn new_failures_are_told_once_a_day() {
    let (maestro, fake) = (machine(), Fake::start());
    let number = |test: &str| {
        let all = issues(&fake);
        let found = all
            .iter()
            .find(|issue| issue["title"].as_str().unwrap().contains(test));
        found.unwrap()["number"].as_u64().unwrap()
    };
    escalate(&maestro, &fake);
    let comments = || fake.comments(number("retries"));
    let fail = |run: u32| {
        maestro.file(
            "n.ndjson",
            history(run..run + 1, &[("retries", &[run]), ("alone", &[])]),
        );
        let _ = maestro.run(["flakes", "ingest", "n.ndjson"]).success();
    };
    for (run, now, told) in [
        (100, "2026-01-06T09:00:00Z", 1),
        (101, "2026-01-06T12:00:00Z", 1),
        (102, "2026-01-06T23:59:59Z", 1),
        (103, "2026-01-07T00:00:01Z", 2),
    ] {
        fail(run);
        for _ in 0..2 {
            let (code, document) = escalate_at(&maestro, &fake, now, &[]);
            assert_eq!((code, comments().len()), (0, told), "{now}: {document}");
        }
    }
    assert!(
        comments()[1].starts_with(
            "Failed again since 2026-01-05 (1 test), last on 2026-01-05:\n\n- `net > retries`"
        ),
        "{:?}",
        comments()
    );
    assert!(fake.comments(number("alone")).is_empty());
}

#[test]
fn an_issue_closes_with_the_release_of_its_last_test_and_opens_when_it_fails_again() {
    let (maestro, fake) = (machine(), Fake::start());
    let quarantine = |args: &[&str]| {
        let _ = maestro
            .run([&["flakes", "quarantine"], args].concat())
            .success();
    };
    for test in ["retries", "reconnects", "alone"] {
        quarantine(&["add", test, "--reason", "timeouts"]);
    }
    escalate(&maestro, &fake);
    quarantine(&["release", "retries", "--force"]);
    let step = |now: &str| {
        let (code, document) = escalate_at(&maestro, &fake, now, &[]);
        assert_eq!(code, 0, "{document}");
        steps(&document)
    };
    assert_eq!(
        step("2026-01-06T09:00:00Z"),
        ["alone kept", "reconnects updated", "x kept"]
    );
    quarantine(&["release", "reconnects", "--force"]);
    let closed = step("2026-01-07T09:00:00Z");
    assert!(
        closed.contains(&"reconnects closed".to_owned()),
        "{closed:?}"
    );
    let state = |test: &str| {
        let all = issues(&fake);
        let found = all
            .iter()
            .find(|issue| issue["title"].as_str().unwrap().contains(test));
        let found = found.unwrap_or_else(|| panic!("{all:#?}"));
        (
            found["state"].as_str().unwrap().to_owned(),
            found["body"].as_str().unwrap().to_owned(),
        )
    };
    let (is, body) = state("reconnects");
    assert!(
        is == "closed" && body.contains("Each of its tests is out of quarantine"),
        "{is} {body}"
    );
    assert_eq!(step("2026-01-08T09:00:00Z"), ["alone kept", "x kept"]);
    maestro.file("n.ndjson", history(300..301, &[("retries", &[300])]));
    let _ = maestro.run(["flakes", "ingest", "n.ndjson"]).success();
    assert_eq!(
        step("2026-01-14T09:00:00Z"),
        ["alone kept", "retries reopened", "x kept"]
    );
    assert_eq!(issues(&fake).len(), 3);
}

#[test]
fn limits_are_waited_for_and_what_could_not_be_done_is_done_the_next_time() {
    let (maestro, fake) = (machine(), Fake::start());
    let limited = |seconds: u64| {
        let words = json!({ "message": "You have exceeded a secondary rate limit" });
        Fault::Instead(Answer::json(403, &words).with("retry-after", seconds))
    };
    let mut posts = 0;
    fake.faults(move |asked| {
        posts += i32::from(asked.method == "POST");
        (asked.method == "POST" && posts >= 2).then(|| limited(900))
    });
    let (code, _) = escalate_at(&maestro, &fake, NOW, &["--deadline", "5"]);
    assert_eq!((code, issues(&fake).len()), (69, 1));
    fake.faults_for(1, limited(1));
    assert_eq!(escalate(&maestro, &fake)["totals"]["opened"], 2);
    assert_eq!(issues(&fake).len(), 3);
}

#[test]
fn what_somebody_else_wrote_is_not_taken_for_ours() {
    let (maestro, fake) = (machine(), Fake::start());
    let document = escalate(&maestro, &fake);
    let mine = issues(&fake)[0].clone();
    fake.store().lists.clear();
    let stranger = json!({ "title": mine["title"], "body": mine["body"], "labels": mine["labels"], "state": "open", "user": { "id": ME + 1 } });
    fake.add("/issues", "issue", stranger);
    assert_eq!(
        escalate(&maestro, &fake)["totals"]["opened"],
        document["totals"]["opened"]
    );
    assert_eq!(issues(&fake).len(), 4);
}

#[test]
fn without_a_history_nothing_is_closed() {
    let (maestro, fake) = (machine(), Fake::start());
    escalate(&maestro, &fake);
    let fresh = Maestro::in_repo()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN);
    assert_eq!(escalate_at(&fresh, &fake, NOW, &["--require-input"]).0, 3);
    // One green run shows nothing either, and a quarantine takes no cluster apart.
    for test in ["retries", "reconnects"] {
        let _ = fresh
            .run([
                "flakes",
                "quarantine",
                "add",
                test,
                "--suite",
                "net",
                "--reason",
                "r",
            ])
            .success();
    }
    assert_eq!(escalate_at(&fresh, &fake, NOW, &["--require-input"]).0, 3);
    fresh.file(
        "n.ndjson",
        history(90..91, &[("retries", &[]), ("alone", &[])]),
    );
    let _ = fresh.run(["flakes", "ingest", "n.ndjson"]).success();
    let (code, document) = escalate_at(&fresh, &fake, NOW, &[]);
    assert_eq!((code, &document["totals"]["closed"]), (0, &json!(0)));
    assert_eq!(issues(&fake).len(), 3, "{document}");
    assert!(issues(&fake).iter().all(|issue| issue["state"] == "open"));
}
