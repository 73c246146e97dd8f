//! Trials of the ledger: many seeds of many tasks that spend at once.

use super::ledger::{Account, Ledger, Refusal};
use crate::money::Usd;

const TASKS: usize = 64;

const CALLS: u64 = 10_000;

const CAP: Usd = Usd::from_pico(10_000_000_000_000);

/// A call under way: its number, what was put aside, and what it will cost.
type Call = (u64, Usd, Usd);

/// What happened in a trial.
#[derive(Debug, Default)]
struct Seen {
    granted: u64,
    refused: u64,
}

struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Sixty-four tasks make ten thousand calls in random order under a cap of ten dollars.
fn spend(seed: u64) -> Seen {
    let on = [Account::PullRequest];
    let mut ledger = Ledger::new(None, vec![80, 95]);
    ledger.open(Account::PullRequest, Some(CAP), Usd::ZERO);
    let mut dice = Dice(seed * 2 + 1);
    let mut under_way: Vec<Option<Call>> = vec![None; TASKS];
    let mut found = Seen::default();
    let (mut spent, mut reserved) = (Usd::ZERO, Usd::ZERO);
    let mut number = 0;
    while number < CALLS {
        let task = usize::try_from(dice.throw(TASKS as u64)).unwrap();
        if let Some((id, worst, cost)) = under_way[task].take() {
            reserved = reserved.checked_sub(worst).unwrap();
            let id = id.to_string();
            match dice.throw(20) {
                0 => {
                    spent = spent.saturating_add(ledger.charge_unknown(&id).unwrap().0);
                }
                1 => assert_eq!(ledger.release(&id), Some(worst)),
                _ => {
                    assert_eq!(ledger.settle(&id, cost).unwrap().overshoot, None);
                    spent = spent.saturating_add(cost);
                }
            }
            continue;
        }
        number += 1;
        // Calls become smaller as the money does, so that the cap is met from below again and again.
        let largest = if number % 2 == 0 { 1 << 36 } else { 1 << 24 };
        let worst = Usd::from_pico(u128::from(dice.throw(largest)));
        let cost = Usd::from_pico(worst.pico() * u128::from(dice.throw(101)) / 100);
        let fits = spent.saturating_add(reserved).saturating_add(worst) <= CAP;
        match ledger.reserve(&number.to_string(), &on, worst) {
            Ok(()) => {
                assert!(fits, "seed {seed}: call {number} is above the cap");
                reserved = reserved.saturating_add(worst);
                under_way[task] = Some((number, worst, cost));
                found.granted += 1;
            }
            Err(Refusal::Account { .. }) => {
                assert!(!fits, "seed {seed}: call {number} would have fitted");
                found.refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    for (id, ..) in under_way.into_iter().flatten() {
        ledger.release(&id.to_string()).unwrap();
    }
    let standing = ledger.standing(&Account::PullRequest);
    assert_eq!(standing.reserved, Usd::ZERO);
    assert_eq!(standing.committed(), Some(spent));
    assert!(spent <= CAP);
    assert_eq!(ledger.under_way().count(), 0);
    found
}

fn spend_all(seeds: u64) -> Seen {
    let mut all = Seen::default();
    for seed in 0..seeds {
        let found = spend(seed);
        assert!(found.granted > 0 && found.refused > 0, "seed {seed}");
        all.granted += found.granted;
        all.refused += found.refused;
    }
    all
}

#[test]
fn ten_thousand_calls_never_cost_a_pico_dollar_more_than_the_cap() {
    let _found = spend_all(20);
}

#[test]
#[ignore = "it takes a minute"]
#[expect(clippy::disallowed_macros, reason = "it tells figures")]
fn a_thousand_seeds_of_ten_thousand_calls() {
    eprintln!("1,000 seeds of 10,000 calls: {:?}", spend_all(1000));
}
