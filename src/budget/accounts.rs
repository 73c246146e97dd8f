//! What all machines spent, as far as it is known here: calls, and leases that stand for calls that nobody has told of yet.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::book::Elsewhere;
use super::lease::{Lease, Stage};
use super::spend::{Paid, Spend};
use crate::money::Usd;
use crate::sha::Sha;

/// What tells calls apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A call of a purse, also when several events tell of it.
    Call(String, u64),
    Event(Sha),
}

/// What all machines spent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    calls: BTreeMap<Key, Paid>,
    leases: BTreeMap<String, Lease>,
}

/// What a lease stands for beside the calls that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) lease: Lease,
    pub(crate) usd: Usd,
    /// Whether a job may still spend it.
    pub(crate) is_open: bool,
}

impl Accounts {
    /// Adds a call; `event` is who tells of it.
    pub(crate) fn add(&mut self, event: Sha, paid: Paid) {
        let key = match (&paid.spend.purse, paid.spend.call) {
            (Some(purse), Some(call)) => Key::Call(purse.clone(), call),
            _ => Key::Event(event),
        };
        self.calls.entry(key).or_insert(paid);
    }

    /// Adds what is known of a lease; what became of it later counts.
    pub(crate) fn add_lease(&mut self, lease: Lease) {
        let known = self.leases.get(&lease.id);
        if known.is_none_or(|known| known.stage < lease.stage) {
            self.leases.insert(lease.id.clone(), lease);
        }
    }

    pub(crate) fn lease(&self, id: &str) -> Option<&Lease> {
        self.leases.get(id)
    }

    /// Returns every call.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Paid> {
        self.calls.values()
    }

    /// Returns what leases stand for beside the calls that are known.
    pub(crate) fn rests(&self, now: Timestamp) -> Vec<Rest> {
        let mut known: BTreeMap<&str, Usd> = BTreeMap::new();
        for Paid { spend, .. } in self.calls.values() {
            if let Spend {
                lease: Some(lease),
                usd: Some(usd),
                ..
            } = spend
            {
                let sum = known.entry(lease).or_default();
                *sum = sum.saturating_add(*usd);
            }
        }
        let rest = |lease: &Lease| {
            let known = known.get(lease.id.as_str()).copied().unwrap_or_default();
            let usd = lease.charge().checked_sub(known)?;
            let is_open = lease.stage == Stage::Taken && now < lease.expires;
            (usd > Usd::ZERO).then(|| Rest {
                lease: lease.clone(),
                usd,
                is_open,
            })
        };
        self.leases.values().filter_map(rest).collect()
    }

    /// Returns everything that counts against caps.
    pub(crate) fn elsewhere(&self) -> Vec<Elsewhere> {
        let calls = self.calls.values().filter_map(|paid| {
            Some(Elsewhere {
                purse: paid.spend.purse.clone(),
                pull_request: paid.spend.pull_request,
                run: paid.origin.run.clone(),
                at: paid.at,
                usd: paid.spend.usd?,
            })
        });
        let rests = self.rests(Timestamp::MAX);
        let rests = rests.into_iter().map(|rest| Elsewhere {
            purse: None,
            pull_request: Some(rest.lease.pull_request),
            run: rest.lease.run,
            at: rest.lease.taken,
            usd: rest.usd,
        });
        calls.chain(rests).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lease::tests::lease;
    use super::super::spend::tests::{paid, time, usd};
    use super::*;

    fn of_purse(cost: &str, purse: &str, call: u64) -> Paid {
        let mut paid = paid(cost);
        paid.spend.purse = Some(purse.to_owned());
        paid.spend.call = Some(call);
        paid
    }

    #[test]
    fn a_call_that_two_events_tell_of_is_one() {
        let mut accounts = Accounts::default();
        accounts.add(Sha::of(b"1"), of_purse("1", "a", 1));
        accounts.add(Sha::of(b"2"), of_purse("1", "a", 1));
        accounts.add(Sha::of(b"3"), of_purse("2", "a", 2));
        accounts.add(Sha::of(b"4"), of_purse("4", "b", 1));
        // Of no purse: only the event tells them apart.
        accounts.add(Sha::of(b"5"), paid("8"));
        accounts.add(Sha::of(b"5"), paid("8"));
        accounts.add(Sha::of(b"6"), paid("16"));
        let spent = accounts.calls().map(|paid| paid.spend.usd.unwrap());
        assert_eq!(spent.fold(Usd::ZERO, Usd::saturating_add), usd("31"));
        assert_eq!(accounts.calls().count(), 5);
    }

    #[test]
    fn what_became_of_a_lease_later_counts() {
        let mut accounts = Accounts::default();
        assert_eq!(accounts.lease("l"), None);
        for stage in [Stage::Expired, Stage::Taken, Stage::Settled, Stage::Expired] {
            let mut lease = lease("l", "5");
            lease.stage = stage;
            accounts.add_lease(lease);
        }
        assert_eq!(
            accounts.lease("l").map(|lease| lease.stage),
            Some(Stage::Settled)
        );
        // The first word about a stage stays.
        let mut other = lease("l", "9");
        other.stage = Stage::Settled;
        accounts.add_lease(other);
        assert_eq!(accounts.lease("l").map(|lease| lease.usd), Some(usd("5")));
    }

    #[test]
    fn a_lease_stands_for_the_calls_that_nobody_told_of() {
        let mut accounts = Accounts::default();
        accounts.add_lease(lease("l", "5"));
        let rest = |accounts: &Accounts, now: &str| {
            let rests = accounts.rests(time(now));
            let rests = rests
                .iter()
                .map(|rest| (rest.usd.to_string(), rest.is_open));
            rests.collect::<Vec<_>>()
        };
        let (open, ended) = ("2026-11-05T11:59:59Z", "2026-11-05T12:00:00Z");
        assert_eq!(rest(&accounts, open), [("5".to_owned(), true)]);
        assert_eq!(rest(&accounts, ended), [("5".to_owned(), false)]);
        for (event, cost) in [("1", "2"), ("2", "1.5")] {
            let mut paid = paid(cost);
            paid.spend.lease = Some("l".to_owned());
            accounts.add(Sha::of(event.as_bytes()), paid);
        }
        accounts.add(Sha::of(b"3"), paid("3"));
        assert_eq!(rest(&accounts, open), [("1.5".to_owned(), true)]);
        let counted = accounts.elsewhere();
        let counted = counted.iter().map(|paid| paid.usd.to_string());
        let mut counted: Vec<_> = counted.collect();
        counted.sort();
        assert_eq!(counted, ["1.5", "1.5", "2", "3"]);

        let mut settled = lease("l", "5");
        settled.stage = Stage::Settled;
        settled.spent_usd = Some(usd("4"));
        accounts.add_lease(settled.clone());
        // A job may spend nothing of it any more.
        assert_eq!(rest(&accounts, open), [("0.5".to_owned(), false)]);
        let mut all_told = Accounts::default();
        settled.spent_usd = Some(usd("3"));
        all_told.add_lease(settled);
        let mut paid = paid("3");
        paid.spend.lease = Some("l".to_owned());
        all_told.add(Sha::of(b"1"), paid);
        assert_eq!(rest(&all_told, open), []);
    }
}
