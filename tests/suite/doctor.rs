//! `maestro doctor`, beside a GitHub that remembers.

use serde_json::{Value, json};

use super::github::{Answer, Fake, Fault, TOKEN};
use super::harness::Maestro;

fn level<'d>(document: &'d Value, id: &str) -> &'d str {
    let mut checks = document["checks"].as_array().unwrap().iter();
    let found = checks.find(|check| check["id"] == id);
    found
        .and_then(|check| check["level"].as_str())
        .unwrap_or_default()
}

fn beside(fake: &Fake) -> Maestro {
    Maestro::in_repo()
        .env("GITHUB_API_URL", fake.api())
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
}

fn ask(maestro: &Maestro) -> Value {
    let run = maestro.run(["doctor", "--ci", "--format", "json"]);
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

#[test]
fn this_machine_is_looked_at_without_a_network() {
    let maestro = Maestro::in_repo();
    let document = maestro.json(&["doctor", "--offline"]);
    assert_eq!(document["checks"].as_array().unwrap().len(), 6);
    assert_eq!(level(&document, "git"), "ok");
    assert_eq!(level(&document, "clone"), "ok");
    assert_eq!(level(&document, "config"), "warn");
    maestro.file(".maestro/maestro.yaml", "schema: [\n");
    let run = maestro.run(["doctor"]).exits_with(77);
    assert!(
        run.stdout.contains("the configuration cannot be read"),
        "{}",
        run.stdout
    );
}

#[test]
fn without_a_token_or_a_repository_nothing_is_called_fine() {
    let document = ask(&Maestro::in_repo());
    for id in [
        "token",
        "actions",
        "forks",
        "required-check",
        "state-branch",
    ] {
        assert_eq!(level(&document, id), "unknown", "{id}");
    }
    let fake = Fake::start();
    let document = ask(&beside(&fake).env("GITHUB_TOKEN", ""));
    assert_eq!(level(&document, "actions"), "unknown");
    assert!(fake.store().asked.is_empty());
}

#[test]
fn settings_are_told_with_the_page_that_changes_them() {
    let fake = Fake::start();
    {
        let mut store = fake.store();
        let mut set = |path: &str, value: Value| store.things.insert(path.to_owned(), value);
        set(
            "/actions/permissions",
            json!({"enabled": true, "allowed_actions": "local_only"}),
        );
        set(
            "/actions/permissions/workflow",
            json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false}),
        );
        set(
            "/actions/permissions/fork-pr-contributor-approval",
            json!({"approval_policy": "first_time_contributors"}),
        );
        set(
            "/rules/branches/maestro-state",
            json!([{"type": "creation"}]),
        );
        set(
            "/rules/branches/main",
            json!([{"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "gate"}]}}]),
        );
        set(
            "/environments",
            json!({"total_count": 0, "environments": []}),
        );
    }
    let maestro = beside(&fake);
    let document = ask(&maestro);
    assert_eq!(level(&document, "actions"), "fail");
    assert_eq!(level(&document, "workflow-token"), "ok");
    assert_eq!(level(&document, "pull-requests"), "warn");
    assert_eq!(level(&document, "forks"), "ok");
    assert_eq!(level(&document, "required-check"), "ok");
    assert_eq!(level(&document, "merge-queue"), "ok");
    assert_eq!(level(&document, "state-branch"), "fail");
    assert_eq!(level(&document, "environments"), "warn");
    let text = document.to_string();
    assert!(
        text.contains("https://github.com/o/n/settings/actions"),
        "{text}"
    );
    assert!(!text.contains(TOKEN));
    let run = maestro.run(["doctor", "--ci"]).exits_with(77);
    assert!(run.stdout.contains("What to do"), "{}", run.stdout);
    assert!(fake.store().asked.len() <= 24, "{:?}", fake.store().asked);
}

#[test]
fn what_the_token_may_not_see_is_unknown() {
    for (status, message) in [
        (403, "Resource not accessible by integration"),
        (404, "Not Found"),
    ] {
        let fake = Fake::start();
        let answer = Answer::json(status, &json!({ "message": message }));
        fake.faults(move |_| Some(Fault::Instead(answer.clone())));
        let document = ask(&beside(&fake));
        let checks = document["checks"].as_array().unwrap();
        for check in checks.iter().skip(6) {
            assert_eq!(check["level"], "unknown", "{check}");
        }
        assert_eq!(document["fails"], 0);
    }
}
