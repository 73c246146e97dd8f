//! Trials of the purse: many threads on one disk, and a process that is killed while it spends.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "real threads and processes spend, on a real disk"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::tests::{bill, drained, open, opening, planned, usd};
use super::*;
use crate::budget::spend::Status;
use crate::money::Usd;

/// Tasks that spend at once.
const TASKS: u64 = 64;

/// Names a folder to a process that is to be killed.
const VICTIM: &str = "MAESTRO_TEST_PURSE";

/// Numbers without a pattern (xorshift64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What was spent, as those know it who spent it.
#[derive(Default)]
struct Known {
    settled: Usd,
    unknown: Usd,
    refused: u64,
    granted: u64,
}

/// Spends from a purse with 64 threads; every call ends.
fn spend(folder: &Path, seed: u64, calls: u64) {
    let purse = open(opening(folder, "10")).unwrap();
    let known = Mutex::new(Known::default());
    std::thread::scope(|scope| {
        for task in 0..TASKS {
            let (purse, known) = (&purse, &known);
            scope.spawn(move || {
                let mut dice = Dice(seed * 1000 + task + 1);
                for _ in 0..calls / TASKS {
                    let worst = Usd::from_pico(u128::from(dice.throw(40_000_000_000)));
                    let share = dice.throw(101);
                    let cost = Usd::from_pico(worst.pico() * u128::from(share) / 100);
                    let ticket = match purse.reserve(&planned(&worst.to_string())) {
                        Ok(ticket) => ticket,
                        Err(PurseProblem::Refused(_)) => {
                            known.lock().unwrap().refused += 1;
                            continue;
                        }
                        Err(problem) => panic!("{problem}"),
                    };
                    let fate = dice.throw(20);
                    match fate {
                        0 => drop(purse.charge_unknown(ticket, "lost").unwrap()),
                        1 => purse.release(ticket).unwrap(),
                        _ => drop(purse.settle(ticket, &bill(&cost.to_string())).unwrap()),
                    }
                    let mut known = known.lock().unwrap();
                    known.granted += 1;
                    match fate {
                        0 => known.unknown = known.unknown.saturating_add(worst),
                        1 => {}
                        _ => known.settled = known.settled.saturating_add(cost),
                    }
                }
            });
        }
    });
    let known = known.into_inner().unwrap();
    let standing = purse.standing(&Account::PullRequest).unwrap();
    assert_eq!(
        (standing.settled, standing.unknown, standing.reserved),
        (known.settled, known.unknown, Usd::ZERO),
        "seed {seed}"
    );
    assert!(standing.committed().unwrap() <= usd("10"), "seed {seed}");
    assert!(known.refused > 0 && known.granted > 100, "seed {seed}");
    drop(purse);
    // The disk says the same.
    let again = open(opening(folder, "10")).unwrap();
    assert_eq!(again.standing(&Account::PullRequest).unwrap(), standing);
    let paid = drained(&again, true).into_iter();
    let sum = paid.fold(Usd::ZERO, |sum, paid| {
        sum.saturating_add(paid.spend.usd.unwrap())
    });
    assert_eq!(Some(sum), standing.committed());
}

#[test]
fn sixty_four_threads_never_spend_a_pico_dollar_more_than_there_is() {
    for seed in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        spend(folder.path(), seed, 2_000);
    }
}

#[test]
#[ignore = "it takes an hour"]
fn a_thousand_seeds_of_ten_thousand_calls_on_disk() {
    let seeds = std::env::var("MAESTRO_SEEDS").map_or(1000, |seeds| seeds.parse().unwrap());
    let begin = Instant::now();
    for seed in 0..seeds {
        let folder = tempfile::tempdir().unwrap();
        spend(folder.path(), seed, 10_000);
        if (seed + 1) % 100 == 0 || seed + 1 == seeds {
            let took = begin.elapsed();
            eprintln!(
                "{} seeds of 10,000 calls by 64 threads, each on disk: {took:?}",
                seed + 1
            );
        }
    }
}

/// A provider: it bills, and then it answers.
fn provider(folder: &Path, ticket: &str, cost: Usd) {
    let mut bills = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join("bills"))
        .unwrap();
    bills
        .write_all(format!("{ticket} {cost}\n").as_bytes())
        .unwrap();
}

/// Threads of a process that is killed.
const THREADS: u64 = 8;

/// Spends for ever.
fn be_killed(folder: &Path, seed: u64) {
    let purse = open(opening(folder, "1000000")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let purse = &purse;
            scope.spawn(move || {
                let mut dice = Dice(seed * THREADS + thread + 1);
                loop {
                    let worst = Usd::from_pico(u128::from(dice.throw(1_000_000_000_000)));
                    let cost = Usd::from_pico(worst.pico() / 3);
                    let ticket = purse.reserve(&planned(&worst.to_string())).unwrap();
                    provider(folder, &ticket.to_string(), cost);
                    purse.settle(ticket, &bill(&cost.to_string())).unwrap();
                }
            });
        }
    });
}

/// The same test is the victim when it is told so.
#[test]
fn a_process_that_is_killed_forgets_no_bill() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        let seed = std::env::var("SEED").unwrap().parse().unwrap();
        be_killed(Path::new(&folder), seed);
        return;
    }
    kill(30);
}

#[test]
#[ignore = "it takes a minute"]
fn a_process_that_is_killed_two_hundred_times_forgets_no_bill() {
    kill(200);
}

fn kill(kills: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x9e37_79b9);
    for seed in 0..kills {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "conduct::purse::trials::a_process_that_is_killed_forgets_no_bill",
            ])
            .env(VICTIM, folder.path())
            .env("SEED", seed.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It spends, and then it is at any point.
        let bills = folder.path().join("bills");
        let length = || std::fs::metadata(&bills).map_or(0, |file| file.len());
        let (before, mut waited) = (length(), 0);
        while length() == before && waited < 5_000 {
            std::thread::sleep(Duration::from_millis(1));
            waited += 1;
        }
        std::thread::sleep(Duration::from_micros(dice.throw(40_000)));
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let purse = open(opening(folder.path(), "1000000")).unwrap();
    let paid = drained(&purse, true);
    let bills = std::fs::read_to_string(folder.path().join("bills")).unwrap();
    let bills: BTreeMap<&str, Usd> = bills
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(ticket, cost)| (ticket, usd(cost)))
        .collect();
    let (mut settled, mut unknown) = (0_u64, 0_u64);
    let mut ledger = Usd::ZERO;
    let mut known = BTreeMap::new();
    for paid in &paid {
        let spend = &paid.spend;
        let ticket = format!("{}-{}", spend.purse.as_ref().unwrap(), spend.call.unwrap());
        let amount = spend.usd.unwrap();
        ledger = ledger.saturating_add(amount);
        match spend.status {
            Status::Settled => {
                assert_eq!(bills.get(ticket.as_str()), Some(&amount), "{ticket}");
                settled += 1;
            }
            _ => unknown += 1,
        }
        known.insert(ticket, amount);
    }
    let billed = bills
        .values()
        .fold(Usd::ZERO, |sum, cost| sum.saturating_add(*cost));
    eprintln!(
        "{kills} kills: {} bills, {settled} settled, {unknown} unknown, ledger ${ledger}, provider ${billed}",
        bills.len()
    );
    for (ticket, cost) in &bills {
        assert!(known[*ticket] >= *cost, "{ticket}");
    }
    assert!(unknown <= THREADS * kills);
    assert!(ledger >= billed && settled > kills);
}
