//! `maestro budget lease` and `settle --lease`, with real remotes.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Maestro, Team};

const NOW: &str = "2026-01-05T09:00:00Z";

/// Clones of a repository with caps; CI's run is number 88.
fn team(clones: &[&str], keys: &str) -> Team {
    let team = Team::new(&[])
        .env("GITHUB_RUN_ID", "88")
        .env("GITHUB_REPOSITORY", "o/r");
    team.file(
        "a/.maestro/ci_budget.json",
        format!(r#"{{"schema": "maestro.ci-budget/v1"{keys}}}"#),
    );
    team.commit("a");
    team.git("a", "push --quiet origin main");
    team.git("a", "fetch --quiet origin");
    for clone in clones {
        team.git(".", &format!("clone --quiet --template= r.git {clone}"));
    }
    team
}

fn budget(team: &Team, clone: &str, args: &str) -> crate::harness::Run {
    let all = ["-C", clone, "budget"].into_iter().chain(args.split(' '));
    team.run(all)
}

fn json(team: &Team, clone: &str, args: &str) -> Value {
    let run = budget(team, clone, &format!("{args} --format json")).success();
    serde_json::from_str(&run.stdout).unwrap()
}

/// Spends so many millionths of a dollar inside a lease.
fn spend(team: &Team, clone: &str, worst: &str, tokens: u64) {
    let reserve = format!(
        "reserve --lease lease.json --provider anthropic --model claude-haiku-4-5 --worst-usd {worst}"
    );
    let ticket = budget(team, clone, &reserve).success().stdout;
    let body =
        json!({"model": "claude-haiku-4-5", "usage": {"input_tokens": tokens, "output_tokens": 0}});
    team.file(&format!("{clone}/answer.json"), body.to_string());
    let settle = format!(
        "settle --lease lease.json --reservation {} --body answer.json",
        ticket.trim()
    );
    budget(team, clone, &settle).success();
}

#[test]
fn what_a_job_did_not_spend_is_given_back() {
    let team = team(&["b", "c"], r#", "per_month": "5""#);
    let _ = budget(&team, "a", "lease --pr 12 --usd 4 --out lease.json")
        .success()
        .says("the month has spent or lent 80 % of what it may cost");
    // What is lent is gone for all others.
    let _ = budget(&team, "b", "lease --pr 13 --usd 2 --out lease.json")
        .exits_with(11)
        .says("the month may cost $5; $4 is spent or put aside");
    // The agent's job has another runner, and no remote.
    fs::copy(team.path("a/lease.json"), team.path("b/lease.json")).unwrap();
    spend(&team, "b", "3", 1_500_000);
    let too_much =
        "reserve --lease lease.json --provider anthropic --model claude-haiku-4-5 --worst-usd 3";
    let _ = budget(&team, "b", too_much)
        .exits_with(11)
        .says("the lease may cost $4; $1.5 is spent");
    // The publishing job has a third one; the purse came as an artifact.
    let lease = fs::read_dir(team.path("b/.git/maestro/purse")).unwrap();
    let journal = lease
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "ndjson"));
    fs::copy(journal.unwrap(), team.path("c/purse.ndjson")).unwrap();
    fs::copy(team.path("a/lease.json"), team.path("c/lease.json")).unwrap();
    let _ = budget(&team, "c", "settle --lease lease.json")
        .exits_with(66)
        .says("--journal");
    // Whoever wrote it: calls are of the lease's run and time.
    let journal = team.read("c/purse.ndjson");
    for (from, to, words) in [
        ("\"run\":\"88\"", "\"run\":\"87\"", "of another run"),
        (
            "\"at\":\"2026-01-05",
            "\"at\":\"2025-12-05",
            "from another time",
        ),
        ("\"1.5\"", "\"-1.5\"", "negative"),
        ("maestro.purse/v1", "maestro.purse/v9", "its schema is"),
    ] {
        assert!(journal.contains(from), "{from}");
        team.file("c/other.ndjson", journal.replace(from, to));
        let _ = budget(
            &team,
            "c",
            "settle --lease lease.json --journal other.ndjson",
        )
        .exits_with(65)
        .says(words);
    }
    let document = json(
        &team,
        "c",
        "settle --lease lease.json --journal purse.ndjson",
    );
    assert_eq!(
        (
            &document["spent_usd"],
            &document["returned_usd"],
            &document["events"]
        ),
        (&json!("1.5"), &json!("2.5"), &json!(1))
    );
    let _ = budget(
        &team,
        "c",
        "settle --lease lease.json --journal purse.ndjson",
    )
    .exits_with(65)
    .says("it was settled at");
    budget(&team, "b", "lease --pr 13 --usd 3.5 --out lease2.json").success();
    // Both machines publish what they know, and each call counts once.
    for clone in ["a", "b", "c"] {
        team.ok(&format!("{clone} push"));
    }
    team.ok("a fold");
    team.ok("a pull");
    let status = json(&team, "a", "status --pr 12");
    assert_eq!(
        (
            &status["total"]["usd"],
            &status["total"]["calls"],
            &status["lent_usd"]
        ),
        (&json!("1.5"), &json!(1), &json!("0"))
    );
    assert_eq!(json(&team, "a", "status")["lent_usd"], "3.5");
}

#[test]
fn a_lease_that_nobody_settles_is_spent_whole() {
    let team = team(&[], r#", "per_pull_request": "5""#);
    budget(
        &team,
        "a",
        "lease --pr 12 --usd 4 --expires 30m --out lease.json",
    )
    .success();
    spend(&team, "a", "1", 500_000);
    let team = team.env("MAESTRO_NOW", "2026-01-05T09:30:00Z");
    let late =
        "reserve --lease lease.json --provider anthropic --model claude-haiku-4-5 --worst-usd 1";
    let _ = budget(&team, "a", late)
        .exits_with(11)
        .says("the lease ended at");
    let _ = budget(&team, "a", "settle --lease lease.json")
        .exits_with(11)
        .says("all of it, $4, counts as spent");
    let _ = budget(&team, "a", "lease --pr 12 --usd 1.01 --out lease.json")
        .exits_with(11)
        .says("$4 is spent or put aside");
    let status = json(&team, "a", "status --pr 12");
    assert_eq!(
        (&status["total"]["usd"], &status["total"]["unknown_usd"]),
        (&json!("4"), &json!("3.5"))
    );
    budget(&team, "a", "lease --pr 12 --usd 1 --out lease.json").success();
}

#[test]
fn a_lease_is_what_was_lent_and_nothing_else() {
    let team = team(&[], "");
    budget(&team, "a", "lease --pr 12 --usd 4 --out lease.json").success();
    let text = team.read("a/lease.json");
    let reserve = "reserve --provider anthropic --model claude-haiku-4-5 --worst-usd 1 --lease";
    let fails = |file: &str, text: &str, words: &str| {
        team.file(&format!("a/{file}"), text);
        for args in [
            format!("{reserve} {file}"),
            format!("settle --unused --lease {file}"),
        ] {
            let _ = budget(&team, "a", &args).exits_with(65).says(words);
        }
    };
    fails(
        "more.json",
        &text.replace("\"4\"", "\"40\""),
        "it was altered",
    );
    fails("word.json", "{}", "its schema is");
    fails(
        "euro.json",
        &text.replace("\"4\"", "\"4 EUR\""),
        "no decimal number",
    );
    fails("debt.json", &text.replace("\"4\"", "\"-4\""), "negative");
    // Another repository.
    let other = Maestro::in_repo().env("GITHUB_RUN_ID", "88");
    other.git(&["remote", "add", "origin", "https://github.com/o/other.git"]);
    other.file("lease.json", &text);
    let args: Vec<&str> = "budget settle --unused --lease lease.json"
        .split(' ')
        .collect();
    let _ = other.run(args).exits_with(65).says("and this is `o/other`");
    // Another run, which may have spent it already.
    let again = team.env("GITHUB_RUN_ATTEMPT", "2");
    let _ = budget(&again, "a", &format!("{reserve} lease.json"))
        .exits_with(65)
        .says("attempt 1 of run `88`");
    for (amount, words) in [
        ("-1", "negative"),
        ("1e30", "more than can be counted"),
        ("1USD", "no decimal number"),
    ] {
        let args = format!("lease --pr 1 --usd={amount} --out x.json");
        let _ = budget(&again, "a", &args).exits_with(2).says(words);
    }
    assert!(!again.path("a/.git/maestro/purse").exists());
}

#[test]
fn four_clones_that_lease_at_once_never_get_more_than_there_is() {
    let clones = ["a", "b", "c", "d"];
    let team = team(
        &["b", "c", "d"],
        r#", "per_month": "10", "per_pull_request": "6""#,
    );
    let team = team.env("MAESTRO_NOW", NOW);
    // Each asks eight times, for two pull requests in turn: 32 × $1 are wanted, and $10 are there.
    let script = |clone: &str| {
        format!(
            "for n in 1 2 3 4 5 6 7 8; do \"$MAESTRO\" -C {clone} budget lease --pr $((n % 2 + 1)) --usd 1 --out lease$n.json --deadline 300 --format json >>{clone}.out 2>>{clone}.err; echo $? >>{clone}.codes; done"
        )
    };
    let children: Vec<_> = clones
        .iter()
        .map(|clone| {
            team.shell(&script(clone))
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        child.wait().unwrap();
    }
    let mut granted = Vec::new();
    for clone in clones {
        let codes = team.read(&format!("{clone}.codes"));
        assert!(
            codes.lines().all(|code| ["0", "11"].contains(&code)),
            "{clone}: {codes}{}",
            team.read(&format!("{clone}.err"))
        );
        for line in team.read(&format!("{clone}.out")).lines() {
            let lease: Value = serde_json::from_str(line).unwrap();
            granted.push((
                lease["lease"].as_str().unwrap().to_owned(),
                lease["pull_request"].as_u64().unwrap(),
            ));
        }
    }
    let of = |number: u64| granted.iter().filter(|(_, pr)| *pr == number).count();
    assert_eq!(granted.len(), 10, "{granted:?}");
    assert!(of(1) <= 6 && of(2) <= 6);
    let register = team.git("r.git", "show refs/maestro/budget:budget.json");
    let register: Value = serde_json::from_str(&register).unwrap();
    let stored = register["leases"].as_object().unwrap();
    assert_eq!(stored.len(), 10);
    assert!(granted.iter().all(|(id, _)| stored.contains_key(id)));
}
