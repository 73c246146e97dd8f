//! What all machines spent, as far as it is known here: calls, and leases that stand for calls that nobody has told of yet.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::book::Elsewhere;
use super::lease::{Lease, Stage};
use super::spend::{Paid, Spend};
use crate::event::Sha;
use crate::money::Usd;

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
