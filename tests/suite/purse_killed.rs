//! A script that spends is killed at any point: nothing that the provider billed is forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{BINARY, Maestro};

/// Loops that spend at once.
const WORKERS: usize = 4;

/// Each call is put aside, sent to a provider that writes its bill before it answers, and settled by the answer.
const SCRIPT: &str = r#"
spend() {
    n=0
    while :; do
        n=$((n + 1))
        ticket=$("$MAESTRO" budget reserve --pr 7 --provider anthropic --model claude-haiku-4-5 --worst-usd 0.01) || exit
        tokens=$(((n * 37 + $1 * 1000 + ROUND * 7) % 10000))
        id="msg-$ROUND-$1-$n"
        echo "$ticket $id $tokens" >>bills
        echo "{\"id\": \"$id\", \"model\": \"claude-haiku-4-5\", \"usage\": {\"input_tokens\": $tokens, \"output_tokens\": 0}}" >answer-$1.json
        "$MAESTRO" budget settle --reservation "$ticket" --body answer-$1.json >/dev/null || exit
    done
}
for worker in 1 2 3 4; do spend $worker & done
wait
"#;

fn micro_dollars(text: &str) -> u64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<6}");
    whole.parse::<u64>().unwrap() * 1_000_000 + fraction.parse::<u64>().unwrap()
}

/// Returns how many bills the provider has written.
fn bills(maestro: &Maestro) -> usize {
    let bills = fs::read_to_string(maestro.path("bills"));
    bills.map_or(0, |bills| bills.lines().count())
}

fn kill_at_random_points(rounds: u64) {
    let maestro = Maestro::in_repo();
    maestro.file(
        ".maestro/ci_budget.json",
        r#"{"schema": "maestro.ci-budget/v1", "per_pull_request": "1000"}"#,
    );
    maestro.commit("Cap");
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..rounds {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let mut child = maestro
            .shell(SCRIPT, &[])
            .env("MAESTRO", BINARY)
            .env("ROUND", round.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        // Once there is a bill more than there are loops, one of them has settled a call: it spends, however slow the machine is.
        let enough = bills(&maestro) + WORKERS + 1;
        for _ in 0..3_000 {
            if bills(&maestro) >= enough {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(dice % 300));
        let group = format!("-{}", child.id());
        let killed = Command::new("kill").args(["-9", "--", &group]).status();
        assert!(killed.unwrap().success());
        child.wait().unwrap();
    }
    // An hour later, what nobody settled is charged; a call that is never sent brings it about.
    let maestro = maestro.env("MAESTRO_NOW", "2026-01-05T11:00:00Z");
    let reserve = [
        "budget",
        "reserve",
        "--pr",
        "7",
        "--provider",
        "anthropic",
        "--model",
        "claude-haiku-4-5",
        "--worst-usd",
        "0",
    ];
    let ticket = maestro.run(reserve).success().stdout;
    let unsent = [
        "budget",
        "settle",
        "--reservation",
        ticket.trim(),
        "--unsent",
    ];
    maestro.run(unsent).success();
    judge(&maestro, rounds);
}

/// Compares the ledger with the provider's bills.
fn judge(maestro: &Maestro, rounds: u64) {
    let bills = fs::read_to_string(maestro.path("bills")).unwrap();
    let bills: BTreeMap<&str, (&str, u64)> = bills
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let (ticket, id) = (words.next().unwrap(), words.next().unwrap());
            (ticket, (id, words.next().unwrap().parse().unwrap()))
        })
        .collect();
    let mut rows: BTreeMap<String, Value> = BTreeMap::new();
    for file in fs::read_dir(maestro.path(".git/maestro/outbox")).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let payload = &event["payload"];
            let ticket = format!("{}-{}", payload["purse"].as_str().unwrap(), payload["call"]);
            let twice = rows.insert(ticket.clone(), event.clone());
            assert!(
                twice.is_none_or(|twice| twice["id"] == event["id"]),
                "{ticket}"
            );
        }
    }
    let (mut settled, mut unknown, mut sum) = (0, 0, 0);
    for (ticket, event) in &rows {
        let payload = &event["payload"];
        let usd = micro_dollars(payload["usd"].as_str().unwrap());
        sum += usd;
        if payload["status"] == "settled" {
            let (id, tokens) = bills[ticket.as_str()];
            assert_eq!((payload["request_id"].as_str(), usd), (Some(id), tokens));
            settled += 1;
        } else {
            unknown += 1;
        }
    }
    let billed: u64 = bills.values().map(|(_, tokens)| tokens).sum();
    eprintln!(
        "{rounds} kills: {} bills, {settled} settled, {unknown} unknown, ledger {sum}, provider {billed}",
        bills.len()
    );
    assert!(bills.keys().all(|ticket| rows.contains_key(*ticket)));
    assert!(unknown <= WORKERS as u64 * rounds);
    assert!(sum >= billed);
    assert!(settled >= rounds, "too few calls to tell anything");
    let args = ["budget", "status", "--pr", "7"];
    let status = maestro.json(&args);
    assert_eq!(micro_dollars(status["total"]["usd"].as_str().unwrap()), sum);
    assert_eq!(status["put_aside_usd"], "0");
}

#[test]
fn a_script_that_is_killed_while_it_spends_forgets_no_bill() {
    kill_at_random_points(6);
}

/// Minutes long: `cargo test --test suite two_hundred -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes"]
fn a_script_that_is_killed_two_hundred_times_forgets_no_bill() {
    kill_at_random_points(200);
}
