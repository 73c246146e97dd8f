//! Who spent what: sums of calls by pull request, role, model and week.
//!
//! What has no price is counted and never summed: it is "unpriced", which is not $0.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::accounts::Accounts;
use super::spend::{Paid, Status, month};
use crate::money::Usd;

/// What the calls of a lease are listed under that nobody has told of.
pub(crate) const UNTOLD: &str = "(lease, calls not told)";

/// What calls are listed under that say nothing.
pub(crate) const NONE: &str = "–";

/// Which calls are looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) month: Option<String>,
    pub(crate) pull_request: Option<u64>,
}

/// A sum of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) calls: u64,
    /// By bills.
    pub(crate) settled: Usd,
    /// What counts because nobody knows better.
    pub(crate) unknown: Usd,
    /// Calls without a price.
    pub(crate) unpriced: u64,
    /// Above what had been put aside.
    pub(crate) overshoot: Usd,
}

impl Sum {
    /// Returns what was spent; nothing where no call has a price.
    pub(crate) fn usd(&self) -> Option<Usd> {
        let has_price = self.calls > self.unpriced || self.unknown > Usd::ZERO || self.calls == 0;
        has_price.then(|| self.settled.saturating_add(self.unknown))
    }

    fn add(&mut self, paid: &Paid) {
        self.calls += 1;
        match (paid.spend.status, paid.spend.usd) {
            (Status::Unpriced, _) | (_, None) => self.unpriced += 1,
            (Status::Settled, Some(usd)) => self.settled = self.settled.saturating_add(usd),
            (Status::Unknown, Some(usd)) => self.unknown = self.unknown.saturating_add(usd),
        }
        let over = paid.spend.overshoot_usd.unwrap_or(Usd::ZERO);
        self.overshoot = self.overshoot.saturating_add(over);
    }
}

/// Sums of the calls that are looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    pub(crate) all: Sum,
    /// What jobs may still spend of leases.
    pub(crate) lent: Usd,
    pub(crate) by_pull_request: BTreeMap<String, Sum>,
    pub(crate) by_role: BTreeMap<String, Sum>,
    pub(crate) by_model: BTreeMap<String, Sum>,
    /// ISO 8601 weeks, as `2026-W48`.
    pub(crate) by_week: BTreeMap<String, Sum>,
}

impl Sums {
    pub(crate) fn new(accounts: &Accounts, wanted: &Wanted, now: Timestamp) -> Self {
        let mut sums = Self::default();
        for paid in accounts.calls() {
            if wanted.has(paid.at, paid.spend.pull_request) {
                sums.add(paid);
            }
        }
        for rest in accounts.rests(now) {
            let lease = &rest.lease;
            if !wanted.has(lease.taken, Some(lease.pull_request)) {
                continue;
            }
            if rest.is_open {
                sums.lent = sums.lent.saturating_add(rest.usd);
                continue;
            }
            let keys = (
                lease.pull_request.to_string(),
                UNTOLD.to_owned(),
                UNTOLD.to_owned(),
                week(lease.taken),
            );
            for sum in sums.of(keys) {
                sum.unknown = sum.unknown.saturating_add(rest.usd);
            }
        }
        sums
    }

    /// Returns what counts against a cap: what was spent, what is put aside, and what is lent.
    pub(crate) fn spoken_for(&self, put_aside: Usd) -> Usd {
        let spent = self.all.usd().unwrap_or(Usd::ZERO);
        spent.saturating_add(put_aside).saturating_add(self.lent)
    }

    fn add(&mut self, paid: &Paid) {
        let spend = &paid.spend;
        let keys = (
            spend
                .pull_request
                .map_or_else(|| NONE.to_owned(), |number| number.to_string()),
            spend.role.clone().unwrap_or_else(|| NONE.to_owned()),
            format!("{}/{}", spend.provider, spend.model),
            week(paid.at),
        );
        for sum in self.of(keys) {
            sum.add(paid);
        }
    }

    fn of(&mut self, keys: (String, String, String, String)) -> [&mut Sum; 5] {
        let (pull_request, role, model, week) = keys;
        [
            &mut self.all,
            self.by_pull_request.entry(pull_request).or_default(),
            self.by_role.entry(role).or_default(),
            self.by_model.entry(model).or_default(),
            self.by_week.entry(week).or_default(),
        ]
    }
}

impl Wanted {
    pub(crate) fn has(&self, at: Timestamp, pull_request: Option<u64>) -> bool {
        let is_of_month = self
            .month
            .as_ref()
            .is_none_or(|wanted| month(at) == *wanted);
        is_of_month && (self.pull_request.is_none() || self.pull_request == pull_request)
    }
}

fn week(at: Timestamp) -> String {
    let week = at.to_zoned(TimeZone::UTC).date().iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

/// Returns how many hundredths of a cap are spent, rounded down; nothing for a cap of nothing.
pub(crate) fn share(spent: Usd, cap: Usd) -> Option<u64> {
    let hundred = spent.times(100)?;
    hundred.over(cap)
}
