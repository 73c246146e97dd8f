//! `maestro dora` with GitHub: what is asked, what is kept, and what comes of it.

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, TOKEN, template};
use crate::harness::{Maestro, files_below};

fn machine(fake: &Fake) -> Maestro {
    Maestro::in_repo()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api())
        .env("MAESTRO_NOW", "2026-02-01T00:00:00Z")
}

fn at(day: u64, hour: u64) -> String {
    format!("2026-01-{day:02}T{hour:02}:00:00Z")
}

/// A pull request that was begun, opened and merged on a day, at 8, 9 and 12 o'clock.
fn pull(fake: &Fake, number: u64, day: u64, login: &str, fields: &Value) {
    let (merged, sha) = (at(day, 12), format!("{number:040}"));
    let user = json!({ "id": number, "login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } });
    fake.add("/issues", "issue", json!({ "number": number, "state": "closed", "pull_request": { "url": "u" }, "user": user, "updated_at": merged }));
    let mut pull = json!({
        "number": number, "state": "closed", "merged_at": merged, "closed_at": merged, "created_at": at(day, 9), "updated_at": merged,
        "merge_commit_sha": sha, "user": user, "html_url": format!("https://github.com/o/n/pull/{number}"), "additions": 7, "changed_files": 2,
    });
    for (name, value) in fields.as_object().unwrap() {
        pull[name] = value.clone();
    }
    fake.add("/pulls", "pull-request", pull);
    let timeline = format!("/issues/{number}/timeline");
    let author = json!({ "author": { "date": at(day, 8) }, "message": "Change it" });
    fake.add(&timeline, "timeline-committed", author);
    fake.add(
        &timeline,
        "timeline-reviewed",
        json!({ "submitted_at": at(day, 10), "user": { "id": 999, "login": "reviewer" } }),
    );
}

/// A deployment of a commit at 14 o'clock of a day, with its statuses.
fn deployment(fake: &Fake, day: u64, sha: u64, states: &[(&str, u64)]) -> u64 {
    let last = states
        .last()
        .map_or(at(day, 14), |(_, hour)| at(day, *hour));
    let id = fake.add(
        "/deployments",
        "deployment",
        json!({ "sha": format!("{sha:040}"), "environment": "production", "created_at": at(day, 13), "updated_at": last }),
    );
    for (state, hour) in states {
        let row = json!({ "state": state, "created_at": at(day, *hour) });
        fake.add(
            &format!("/deployments/{id}/statuses"),
            "deployment-status",
            row,
        );
    }
    id
}

/// Six days with a pull request and a deployment each; the third deployment never succeeds, and an incident follows the fourth.
fn six_days(fake: &Fake) {
    for number in 1..=6 {
        let login = if number == 2 {
            "dependabot[bot]"
        } else {
            "octocat"
        };
        pull(fake, number, number + 4, login, &json!({}));
        let states: &[(&str, u64)] = match number {
            3 => &[("failure", 14)],
            5 => &[("success", 14), ("inactive", 20)],
            _ => &[("in_progress", 13), ("success", 14)],
        };
        deployment(fake, number + 4, number, states);
    }
    let label = {
        let mut label = template("label");
        label["name"] = "incident".into();
        label
    };
    fake.add(
        "/issues",
        "issue",
        json!({ "number": 50, "labels": [label], "created_at": at(8, 16), "updated_at": at(8, 18), "closed_at": at(8, 18), "state": "closed" }),
    );
}

fn dora(maestro: &Maestro, more: &[&str]) -> Value {
    maestro.json(&[&["dora", "--since", "2026-01-01"], more].concat())
}

fn metric<'d>(document: &'d Value, id: &str) -> &'d Value {
    let mut metrics = document["metrics"].as_array().unwrap().iter();
    metrics.find(|metric| metric["id"] == id).unwrap()
}

#[test]
fn deployments_pull_requests_and_incidents_become_five_metrics() {
    let fake = Fake::start();
    six_days(&fake);
    let maestro = machine(&fake);
    let document = dora(&maestro, &[]);
    assert_eq!(
        (&document["source"], &document["rows_from"]),
        (&json!("deployments"), &json!("github"))
    );
    let frequency = metric(&document, "deployment-frequency");
    assert_eq!(frequency["frequency"]["deployments"], 5);
    assert_eq!(frequency["left_out"][0]["code"], "never-succeeded");
    // The pull requests' commits are not in this clone, and nothing is guessed.
    let lead = metric(&document, "lead-time-deploy");
    assert_eq!(
        (&lead["counted"], &lead["left_out"][0]["code"]),
        (&json!(0), &json!("commit-unknown"))
    );
    let rate = metric(&document, "change-fail-rate");
    assert_eq!(
        (&rate["share"]["part"], &rate["share"]["rate"]),
        (&json!(1), &json!(0.2))
    );
    assert_eq!(
        metric(&document, "lead-time-merge")["duration"]["median"],
        4.0 * 3600.0
    );
    let people = dora(&maestro, &["--author", "bot"]);
    assert_eq!(metric(&people, "lead-time-merge")["counted"], 1);
}

#[test]
fn in_a_shallow_clone_the_next_deployment_after_the_merge_is_taken_and_the_rows_say_so() {
    let fake = Fake::start();
    six_days(&fake);
    let maestro = machine(&fake);
    maestro.file("more.md", "More.\n").commit("Go on");
    let from = format!("file://{}", maestro.path(".").display());
    maestro.git(&["clone", "--quiet", "--depth=1", &from, "shallow"]);
    let document = dora(&maestro, &["-C", "shallow"]);
    let lead = metric(&document, "lead-time-deploy");
    assert_eq!(document["is_shallow"], true);
    // The first came with the first deployment; the third waited for the fourth deployment.
    assert_eq!(
        (&lead["counted"], &lead["duration"]["p90"]),
        (&json!(5), &json!(20.4 * 3600.0))
    );
    assert_eq!(lead["remarks"][0]["code"], "by-time");
}

#[test]
fn a_quiet_day_takes_three_requests_and_offline_none() {
    let fake = Fake::start();
    six_days(&fake);
    let maestro = machine(&fake);
    let first = dora(&maestro, &[]);
    fake.asked();
    let second = dora(&maestro, &["--now", "2026-02-01T08:00:00Z"]);
    let asked = fake.asked();
    assert!(asked.len() <= 3, "{asked:?}");
    assert_eq!(second["calls"], asked.len());
    let median =
        |document: &Value| metric(document, "lead-time-merge")["duration"]["median"].clone();
    assert_eq!(median(&first), median(&second));
    let offline = dora(&maestro, &["--offline", "--now", "2026-02-01T09:00:00Z"]);
    assert_eq!(
        (fake.asked().len(), &offline["rows_from"]),
        (0, &json!("github"))
    );
    // What happened since is all that is asked for.
    pull(&fake, 7, 20, "octocat", &json!({}));
    deployment(&fake, 20, 7, &[("success", 14)]);
    let third = dora(&maestro, &["--now", "2026-02-01T10:00:00Z"]);
    // Two lists, the pull request with its timeline, and the deployment's statuses; that there are no releases is known.
    assert_eq!(fake.asked().len(), 5);
    assert_eq!(
        metric(&third, "deployment-frequency")["frequency"]["deployments"],
        6
    );
    assert_eq!(metric(&third, "lead-time-merge")["counted"], 7);
}

#[test]
fn when_a_draft_was_ready_is_asked_for_once_and_kept() {
    let fake = Fake::start();
    six_days(&fake);
    // Ready at ten, drawn back, and ready again at eleven; opened at nine and merged at twelve, as all the others.
    for (event, hour) in [
        ("ready_for_review", 10),
        ("convert_to_draft", 10),
        ("ready_for_review", 11),
    ] {
        let row = json!({ "created_at": at(8, hour) });
        fake.add("/issues/4/timeline", &format!("timeline-{event}"), row);
    }
    let maestro = machine(&fake);
    let lead = |more: &[&str]| {
        let more = [
            &[
                "explain",
                "lead-time-merge",
                "--since",
                "2026-01-01",
                "--start",
                "ready",
                "--format",
                "json",
            ],
            more,
        ]
        .concat();
        let document = maestro.json(&[&["dora"], more.as_slice()].concat());
        let rows = document["rows"].as_array().unwrap().iter();
        let mut hours: Vec<(String, f64)> = rows
            .map(|row| {
                (
                    row["id"].as_str().unwrap().to_owned(),
                    row["seconds"].as_f64().unwrap() / 3600.0,
                )
            })
            .collect();
        hours.sort_by(|one, other| one.0.cmp(&other.0));
        hours
    };
    let first = lead(&[]);
    let wanted: Vec<(String, f64)> = (1..=6)
        .map(|number| (number.to_string(), if number == 4 { 1.0 } else { 3.0 }))
        .collect();
    assert_eq!(first, wanted);
    // One request for each timeline, and none where nothing changed.
    let timelines = |asked: Vec<String>| {
        asked
            .into_iter()
            .filter(|line| line.contains("/timeline"))
            .count()
    };
    assert_eq!(timelines(fake.asked()), 6);
    assert_eq!(lead(&["--now", "2026-02-01T08:00:00Z"]), wanted);
    assert_eq!(timelines(fake.asked()), 0);
    assert_eq!(lead(&["--offline"]), wanted);
    assert_eq!(timelines(fake.asked()), 0);
}

#[test]
fn agents_of_the_configuration_are_agents() {
    let fake = Fake::start();
    six_days(&fake);
    pull(&fake, 7, 20, "acme-coder", &json!({}));
    fake.add(
        "/issues/6/timeline",
        "timeline-committed",
        json!({ "author": { "date": at(10, 8) }, "message": "Change it\n\nAssisted-By: acme 2" }),
    );
    let maestro = machine(&fake);
    maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\nagents: { authors: [Acme-Coder], trailers: [\"Assisted-By: acme\"] }\ndelivery: { bots: [octocat] }\n",
    );
    let counted = |kind: &str| {
        let document = dora(&maestro, &["--author", kind]);
        metric(&document, "lead-time-merge")["counted"].clone()
    };
    assert_eq!(
        ["agent", "bot", "human"].map(counted),
        [json!(2), json!(5), json!(0)]
    );
}

#[test]
fn a_secret_in_a_name_is_not_stored() {
    // In two pieces, so that nobody takes it for one of ours.
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let fake = Fake::start();
    six_days(&fake);
    let label = json!({"labels": [{"id": 1, "name": format!("key {secret}")}]});
    pull(&fake, 7, 20, "octocat", &label);
    let maestro = machine(&fake);
    assert_eq!(
        metric(&dora(&maestro, &[]), "lead-time-merge")["counted"],
        7
    );
    // Beside it lies what GitHub answered, as it was: it never leaves this machine.
    let state = maestro.path(".git/maestro/outbox");
    let mut is_redacted = false;
    for path in files_below(&state) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        is_redacted |= text.contains("key [redacted");
        assert!(!text.contains(&secret), "{}: {text}", path.display());
    }
    assert!(is_redacted);
}

#[test]
fn a_deployment_that_fails_after_a_while_is_seen_again() {
    let fake = Fake::start();
    six_days(&fake);
    let last = deployment(&fake, 31, 6, &[("success", 14)]);
    let maestro = machine(&fake);
    assert_eq!(
        metric(&dora(&maestro, &[]), "change-fail-rate")["share"]["part"],
        1
    );
    fake.add(
        &format!("/deployments/{last}/statuses"),
        "deployment-status",
        json!({ "state": "failure", "created_at": at(31, 20) }),
    );
    for found in fake.store().lists.get_mut("/deployments").unwrap() {
        if found["id"] == last {
            found["updated_at"] = at(31, 20).into();
        }
    }
    assert_eq!(
        metric(
            &dora(&maestro, &["--now", "2026-02-01T01:00:00Z"]),
            "change-fail-rate"
        )["share"]["part"],
        2
    );
}

#[test]
fn no_login_is_stored_and_a_key_makes_a_hash() {
    let fake = Fake::start();
    six_days(&fake);
    let maestro = machine(&fake).env("MAESTRO_HASH_KEY", "only the owners have it");
    dora(&maestro, &[]);
    let exported = maestro.run([
        "state",
        "export",
        "--kind",
        "delivery_row",
        "--format",
        "ndjson",
    ]);
    let mut stored = exported.stdout;
    for entry in std::fs::read_dir(maestro.path(".git/maestro/outbox")).unwrap() {
        stored.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert!(stored.contains("\"author_hash\""), "{stored}");
    assert!(
        !stored.contains("octocat") && !stored.contains("dependabot"),
        "{stored}"
    );
}

#[test]
fn a_list_that_the_token_may_not_see_is_told_and_the_rest_is_read() {
    let fake = Fake::start();
    six_days(&fake);
    fake.faults(|asked| {
        let denied = Answer::json(
            403,
            &json!({ "message": "Resource not accessible by integration" }),
        );
        asked
            .path
            .ends_with("/deployments")
            .then_some(Fault::Instead(denied))
    });
    let maestro = machine(&fake);
    let document = dora(&maestro, &[]);
    let notes = document["notes"].to_string();
    assert!(notes.contains("deployments could not be read"), "{notes}");
    assert_eq!(metric(&document, "lead-time-merge")["counted"], 6);
}

#[test]
fn a_look_that_breaks_off_goes_on_where_it_was() {
    let fake = Fake::start();
    six_days(&fake);
    fake.faults(|asked| {
        let gone = Answer::json(500, &json!({}));
        asked
            .path
            .ends_with("/pulls/4")
            .then_some(Fault::Instead(gone))
    });
    let maestro = machine(&fake);
    let run = maestro.run(["dora", "--since", "2026-01-01", "--deadline", "2"]);
    assert_eq!(run.code, 69, "{}", run.stderr);
    fake.mend();
    fake.asked();
    dora(&maestro, &[]);
    let again = fake
        .asked()
        .into_iter()
        .filter(|line| line.contains("/pulls/"))
        .count();
    assert_eq!(again, 3);
}

#[test]
fn without_a_token_git_is_asked_and_that_is_said() {
    let fake = Fake::start();
    let maestro = Maestro::in_repo().env("GITHUB_REPOSITORY", "o/n");
    let run = maestro.run(["dora", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("GitHub was not asked"),
        "{}",
        run.stderr
    );
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["rows_from"], "git");
    assert_eq!(fake.asked().len(), 0);
}
