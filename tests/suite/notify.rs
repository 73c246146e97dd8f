//! `maestro notify`, and the commands that tell on their way: what channels get, once, and what happens when they do not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Maestro, Team, files_below};
use crate::observe::{Tap, bill};
use crate::state_compat::line;

/// What only whoever may write into the channel knows.
const PATH: &str = "/services/T0/B0/pathcanary";

const QUARANTINE: &str = r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "late <!channel>", "reason": "r", "owner": "@acme/web", "since": "2025-12-01", "review_by": "2025-12-30"}]}"#;

fn configuration(channels: &[&str]) -> String {
    let channels = channels.iter().map(|one| format!("  - {{ {one} }}\n"));
    format!(
        "schema: maestro.config/v1\nnotify:\n{}",
        channels.collect::<String>()
    )
}

/// A repository with such channels, and a test that is overdue.
fn machine(channels: &[&str]) -> Maestro {
    let maestro = Maestro::in_repo().env("GITHUB_REPOSITORY", "acme/shop");
    maestro
        .file(".maestro/maestro.yaml", configuration(channels))
        .file(".maestro/quarantine.json", QUARANTINE);
    maestro.commit("Configure");
    maestro
}

fn address(tap: &Tap) -> String {
    format!("{}{PATH}", tap.address)
}

fn bodies(tap: &Tap) -> Vec<Value> {
    let came = tap.came().into_iter();
    came.map(|came| serde_json::from_slice(&came.body).unwrap())
        .collect()
}

/// Everything that is stored.
fn stored(maestro: &Maestro) -> String {
    let folder = maestro.path(".git/maestro");
    if !folder.exists() {
        return String::new();
    }
    let files = files_below(&folder).into_iter();
    files
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect()
}

const SLACK: &str = "to: slack, url_env: SLACK_WEBHOOK, on: [quarantine-overdue, budget-95]";

fn slack_heard_of_both(slack: &Tap) {
    insta::assert_snapshot!(serde_json::to_string_pretty(&bodies(slack)).unwrap(), @r#"
    [
      {
        "blocks": [
          {
            "text": {
              "emoji": false,
              "text": "Agents spent 100 % of the cap of pull request #7",
              "type": "plain_text"
            },
            "type": "header"
          },
          {
            "text": {
              "text": "• $1 of $1",
              "type": "mrkdwn",
              "verbatim": true
            },
            "type": "section"
          },
          {
            "elements": [
              {
                "text": "budget-95 · acme/shop · <https://github.com/acme/shop/pull/7|Open>",
                "type": "mrkdwn",
                "verbatim": true
              }
            ],
            "type": "context"
          },
          {
            "type": "divider"
          },
          {
            "text": {
              "emoji": false,
              "text": "1 test is in quarantine after its review day",
              "type": "plain_text"
            },
            "type": "header"
          },
          {
            "text": {
              "text": "• s &gt; late &lt;!channel&gt; of @acme/web, 6 days overdue",
              "type": "mrkdwn",
              "verbatim": true
            },
            "type": "section"
          },
          {
            "elements": [
              {
                "text": "quarantine-overdue · acme/shop · <https://github.com/acme/shop/blob/HEAD/.maestro/quarantine.json|Open>",
                "type": "mrkdwn",
                "verbatim": true
              }
            ],
            "type": "context"
          }
        ],
        "text": "acme/shop: Agents spent 100 % of the cap of pull request #7; 1 test is in quarantine after its review day",
        "unfurl_links": false,
        "unfurl_media": false
      }
    ]
    "#);
}

fn the_others_heard_what_they_listen_to(teams: &Tap, own: &Tap) {
    let card = bodies(teams)[0]["attachments"][0]["content"].clone();
    assert_eq!(card["type"], "AdaptiveCard");
    let text = &card["body"][0]["items"][1]["inlines"][0]["text"];
    assert_eq!(
        *text,
        "\u{2022} s > late <!channel> of @acme/web, 6 days overdue"
    );
    let letters = bodies(own);
    let types: Vec<&str> = letters
        .iter()
        .map(|letter| letter["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["budget-95", "quarantine-overdue"]);
    for (came, letter) in own.came().iter().zip(&letters) {
        assert_eq!(came.line, format!("POST {PATH} HTTP/1.1"));
        let id = letter["id"].as_str().unwrap();
        assert!(
            came.head.contains(&format!("webhook-id: {id}")),
            "{}",
            came.head
        );
        assert!(came.head.contains("webhook-timestamp: 1767603600"));
        assert!(came.head.contains("webhook-signature: v1,"));
    }
}

#[test]
fn each_channel_gets_what_it_listens_to_once() {
    let [slack, teams, own] = [(); 3].map(|()| Tap::answering("200 OK"));
    let maestro = machine(&[
        SLACK,
        "to: teams, url_env: TEAMS, on: [quarantine-overdue]",
        "to: webhook, url_env: OWN, secret_env: OWN_KEY, on: [budget-95, quarantine-overdue, weekly]",
    ])
    .env("SLACK_WEBHOOK", address(&slack))
    .env("TEAMS", address(&teams))
    .env("OWN", address(&own))
    .env("OWN_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    maestro.file(
        ".maestro/ci_budget.json",
        r#"{"schema": "maestro.ci-budget/v1", "per_pull_request": "1"}"#,
    );
    maestro.commit("Cap");
    bill(&maestro, "a");
    let dry = maestro.json(&["notify", "--dry-run"]);
    assert_eq!(dry["channels"][0]["state"], "would-tell");
    assert_eq!(slack.came().len(), 0);
    let first = maestro.json(&["notify"]);
    assert_eq!(first["channels"][2]["state"], "told");
    assert_eq!(
        first["channels"][2]["quiet"][0]["why"],
        "only `maestro learning-pack` tells of it"
    );
    slack_heard_of_both(&slack);
    the_others_heard_what_they_listen_to(&teams, &own);
    let again = maestro.json(&["notify"]);
    for channel in again["channels"].as_array().unwrap() {
        assert_eq!(channel["state"], "nothing");
    }
    assert_eq!(
        again["channels"][0]["quiet"][0]["why"],
        "it was told before"
    );
    assert_eq!(
        [slack.came().len(), teams.came().len(), own.came().len()],
        [1, 1, 2]
    );
    maestro.run(["state", "verify"]).success();
}

#[test]
fn a_channel_that_is_down_costs_two_seconds_and_hears_it_the_next_time() {
    // It takes a connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}{PATH}", silent.local_addr().unwrap());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed_at = format!("http://{}{PATH}", closed.local_addr().unwrap());
    drop(closed);
    let busy = Tap::answering("429 Too Many Requests\r\nretry-after: 1");
    let gone = Tap::answering("404 Not Found");
    let event = "on: [quarantine-overdue]";
    let channels =
        ["A", "B", "C", "D", "E"].map(|name| format!("to: slack, url_env: {name}, {event}"));
    let maestro = machine(&channels.each_ref().map(String::as_str))
        .env("A", silent)
        .env("B", closed_at)
        .env("C", address(&busy))
        .env("D", address(&gone))
        .env("E", "http://hooks.example/pathcanary");
    let begun = Instant::now();
    let run = maestro.run(["notify"]).success();
    assert!(
        begun.elapsed() < Duration::from_millis(3500),
        "{:?}",
        begun.elapsed()
    );
    for words in [
        "slack (B) was not told: it cannot be reached",
        "slack (C) was not told: it wants patience (429)",
        "slack (D) was not told: it answered 404",
        "slack (E) was not told: what `E` has is no address with https://",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(
        (busy.came().len(), gone.came().len()),
        (1, 1),
        "nobody is asked twice"
    );
    assert!(!stored(&maestro).contains("\"notification\""));
    let up = Tap::answering("202 Accepted");
    let maestro = maestro.env("C", address(&up)).env("A", "").env("B", "");
    let second = maestro.json(&["notify"]);
    assert_eq!(second["channels"][2]["state"], "told");
    assert_eq!(
        second["channels"][0]["problem"],
        "the variable `A` is not set"
    );
    assert_eq!(up.came().len(), 1);
    assert_eq!(
        stored(&maestro)
            .matches("\"kind\":\"notification\"")
            .count(),
        1
    );
}

#[test]
fn addresses_and_secrets_are_shown_nowhere() {
    let tap = Tap::answering("500 pathcanary");
    let maestro = machine(&[
        "to: webhook, url_env: OWN, secret_env: OWN_KEY, on: [quarantine-overdue]",
        "to: slack, url_env: ODD, on: [quarantine-overdue]",
    ])
    .env("OWN", address(&tap))
    .env("OWN_KEY", "keycanary-keycanary-keycanary")
    .env("ODD", "https://user:pathcanary@hooks.example/x");
    // A person wrote it into a text.
    let text = format!("see {} and keycanary-keycanary-keycanary", address(&tap));
    maestro.file(
        ".maestro/quarantine.json",
        QUARANTINE.replace("late", &text),
    );
    maestro.commit("Quarantine");
    for args in [
        &["notify"][..],
        &["notify", "--test"],
        &["notify", "--dry-run", "--format", "json"],
        &["notify", "--verbose", "--format", "markdown"],
        &["config", "show"],
        &["doctor", "--format", "json"],
    ] {
        let run = maestro.run(args);
        let said = run.stdout + &run.stderr;
        assert!(
            !said.contains("pathcanary") && !said.contains("keycanary"),
            "{said}"
        );
    }
    let came = tap.came();
    assert!(came.len() >= 3);
    for came in came {
        let body = String::from_utf8(came.body).unwrap();
        assert!(
            !body.contains("pathcanary") && !body.contains("keycanary"),
            "{body}"
        );
    }
    assert!(!stored(&maestro).contains("canary"));
}

#[test]
fn an_address_in_the_file_is_refused_and_not_shown() {
    for entry in [
        "to: slack, url_env: 'https://hooks.slack.com/services/T0/B0/pathcanary', on: [weekly]",
        "to: slack, url: 'https://hooks.slack.com/services/T0/B0/pathcanary', url_env: A, on: [weekly]",
    ] {
        let run = machine(&[entry])
            .run(["notify"])
            .exits_with(78)
            .says("keep it as a secret");
        assert!(!run.stderr.contains("pathcanary"), "{}", run.stderr);
    }
}

#[test]
fn five_hundred_canaries_in_reasons_reach_nobody() {
    let tap = Tap::answering("200 OK");
    let maestro =
        machine(&["to: webhook, url_env: OWN, on: [override-used]"]).env("OWN", address(&tap));
    let mut number = 0_u32;
    let mut canary = || {
        number += 1;
        match number % 5 {
            0 => format!("ghp_{number:036}"),
            1 => format!("xoxb-1234567890-{number:024}"),
            2 => format!("sk-ant-api03-{number:040}"),
            3 => format!("password={number:012}canary"),
            _ => format!("glpat-{number:020}"),
        }
    };
    let mut lines = String::new();
    for event in 0..100 {
        let canaries: Vec<String> = (0..5).map(|_| canary()).collect();
        let payload = json!({
            "by": "ada", "expires": "2026-01-09T00:00:00Z", "head": format!("h{event}"), "place": "label", "pull_request": event,
            "reason": canaries.join(" "), "rule": "size", "said_at": "2026-01-05T08:00:00Z",
        });
        lines += &line(
            "override",
            &event.to_string(),
            "2026-01-05T08:00:00Z",
            &payload.to_string(),
            "",
        );
    }
    maestro.file(".git/maestro/outbox/o.ndjson", lines);
    for _ in 0..5 {
        maestro.run(["notify"]).success();
    }
    let came = tap.came();
    assert_eq!(came.len(), 100, "twenty at a time, and each once");
    for came in came {
        let body = String::from_utf8(came.body).unwrap();
        assert_eq!(body.matches("[redacted").count(), 5, "{body}");
        assert!(!body.contains("0000"), "{body}");
    }
    assert_eq!(maestro.json(&["notify"])["channels"][0]["state"], "nothing");
}

#[test]
fn what_one_machine_told_another_does_not() {
    let tap = Tap::answering("200 OK");
    let team = Team::new(&[]).env("SLACK_WEBHOOK", address(&tap));
    team.file("a/.maestro/maestro.yaml", configuration(&[SLACK]));
    team.file("a/.maestro/quarantine.json", QUARANTINE);
    team.commit("a");
    team.git("a", "push --quiet origin main");
    for clone in ["b", "c"] {
        team.git(".", &format!("clone --quiet --template= r.git {clone}"));
    }
    team.prints("b sync", "slack (SLACK_WEBHOOK): told");
    assert_eq!(team.inbox(), [""; 0]);
    let segment = ".maestro/events/notification/2026-01.ndjson";
    let segments = team.segments("r.git", "maestro-state");
    assert!(
        segments.iter().any(|(path, _)| path == segment),
        "{segments:?}"
    );
    let second = team.json("c sync");
    assert_eq!(second["notified"][0]["state"], "nothing");
    assert_eq!(tap.came().len(), 1);
    // Nobody listens, and nothing is different.
    team.file(
        "d.xml",
        "<testsuite name=\"s\"><testcase name=\"t\"/></testsuite>",
    );
    let team = team
        .env("SLACK_WEBHOOK", "http://127.0.0.1:9/pathcanary")
        .env("MAESTRO_NOW", "2026-01-12T09:00:00Z");
    let run = team
        .state("c sync")
        .success()
        .says("slack (SLACK_WEBHOOK) was not told: it cannot be reached");
    assert!(!run.stderr.contains("pathcanary"));
}

#[test]
fn the_gate_tells_by_the_base_and_answers_as_it_would() {
    let gate = |address: &str, other: &str| {
        let maestro = machine(&["to: slack, url_env: SLACK_WEBHOOK, on: [gate-blocked]"])
            .env("SLACK_WEBHOOK", address)
            .env("OTHER", other);
        let enforced = |channel: &str| {
            configuration(&[channel]) + "enforce: [plan]\njobs: { unit: { run: 'true' } }\n"
        };
        maestro.file(
            ".maestro/maestro.yaml",
            enforced("to: slack, url_env: SLACK_WEBHOOK, on: [gate-blocked]"),
        );
        maestro.commit("Enforce");
        maestro.file(
            ".maestro/maestro.yaml",
            enforced("to: slack, url_env: OTHER, on: [gate-blocked]"),
        );
        maestro.commit("Change");
        maestro.file("needs.json", r#"{"plan": {"result": "failure"}}"#);
        maestro.run(["gate", "--needs", "needs.json", "--base", "HEAD~1"])
    };
    let [tap, other] = [(); 2].map(|()| Tap::answering("200 OK"));
    let told = gate(&address(&tap), &address(&other)).exits_with(14);
    assert_eq!(
        other.came().len(),
        0,
        "what the change says counts once it is merged"
    );
    let body = String::from_utf8(tap.came().remove(0).body).unwrap();
    assert!(
        body.contains("The gate blocks") && body.contains("plan"),
        "{body}"
    );
    let untold = gate("http://127.0.0.1:9/pathcanary", "").exits_with(14);
    assert_eq!(told.stdout, untold.stdout);
    assert!(untold.stderr.contains("was not told") && !untold.stderr.contains("pathcanary"));
}

#[test]
fn the_page_of_the_last_week_is_told_once() {
    let tap = Tap::answering("200 OK");
    let maestro = machine(&["to: webhook, url_env: OWN, on: [weekly]"]).env("OWN", address(&tap));
    for args in [
        &["learning-pack", "--week", "2025-W40"][..],
        &["learning-pack", "--dry-run"],
        &["learning-pack"],
        &["learning-pack"],
    ] {
        maestro.run(args).success();
    }
    let bodies = bodies(&tap);
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["keys"], json!(["weekly/2026-W01"]));
    assert!(
        bodies[0]["title"]
            .as_str()
            .unwrap()
            .starts_with("Week 2026-W01: ")
    );
}

#[test]
fn a_sample_tries_every_channel_out() {
    let tap = Tap::answering("200 OK");
    let gone = Tap::answering("410 Gone");
    let channels = [
        SLACK,
        "to: teams, url_env: TEAMS, on: [weekly]",
        "to: webhook, url_env: OWN, secret_env: KEY, on: [outage]",
    ];
    let maestro = machine(&channels)
        .env("SLACK_WEBHOOK", address(&tap))
        .env("OWN", address(&tap));
    let run = maestro.run(["notify", "--test"]).success();
    assert!(
        run.stdout
            .contains("teams (TEAMS): is left out: the variable `TEAMS` is not set"),
        "{}",
        run.stdout
    );
    // Without its secret nothing goes to a channel that checks it.
    assert_eq!(tap.came().len(), 1);
    assert!(
        bodies(&tap)[0]["text"]
            .as_str()
            .unwrap()
            .contains("maestro reaches this channel")
    );
    let maestro = maestro.env("TEAMS", address(&gone));
    let _ = maestro
        .run(["notify", "--test"])
        .exits_with(69)
        .says("1 of 3 channels were not reached");
    let _ = maestro.run(["notify", "--test", "--offline"]).success();
    assert!(!stored(&maestro).contains("\"notification\""));
    assert_eq!(maestro.json(&["notify"])["channels"][0]["state"], "told");
}
