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
const UNTOLD: &str = "(lease, calls not told)";

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

#[cfg(test)]
mod tests {
    use super::super::lease::tests::lease;
    use super::super::spend::tests::{paid, time, usd};
    use super::*;
    use crate::sha::Sha;

    fn accounts() -> Accounts {
        let mut accounts = Accounts::default();
        let mut known = paid("2");
        known.spend.role = Some("review".to_owned());
        known.spend.overshoot_usd = Some(usd("0.5"));
        let mut unknown = paid("3");
        unknown.spend.status = Status::Unknown;
        unknown.spend.pull_request = None;
        let mut seat = paid("0");
        (seat.spend.status, seat.spend.usd) = (Status::Unpriced, None);
        let mut before = paid("10");
        before.at = time("2026-10-31T23:00:00Z");
        for (event, paid) in (0_u8..).zip([known, unknown, seat, before]) {
            accounts.add(Sha::of(&[event]), paid);
        }
        accounts
    }

    fn sums(accounts: &Accounts, wanted: &Wanted) -> Sums {
        Sums::new(accounts, wanted, time("2026-11-05T11:00:00Z"))
    }

    #[test]
    fn bills_guesses_and_calls_without_a_price_are_kept_apart() {
        let sums = sums(&accounts(), &Wanted::default());
        let all = Sum {
            calls: 4,
            settled: usd("12"),
            unknown: usd("3"),
            unpriced: 1,
            overshoot: usd("0.5"),
        };
        assert_eq!(sums.all, all);
        assert_eq!(all.usd(), Some(usd("15")));
        assert_eq!(sums.spoken_for(usd("1")), usd("16"));
        let by = |sums: &BTreeMap<String, Sum>| {
            let sums = sums
                .iter()
                .map(|(key, sum)| format!("{key}: {} {}", sum.calls, sum.settled));
            sums.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(by(&sums.by_pull_request), "7: 3 12, –: 1 0");
        assert_eq!(by(&sums.by_role), "review: 1 2, –: 3 10");
        assert_eq!(by(&sums.by_model), "p/m: 4 12");
        assert_eq!(by(&sums.by_week), "2026-W44: 1 10, 2026-W45: 3 2");
    }

    #[test]
    fn only_calls_without_a_price_are_no_sum() {
        let sum = |calls, unpriced, unknown| {
            let unknown = usd(unknown);
            let sum = Sum {
                calls,
                unknown,
                unpriced,
                ..Sum::default()
            };
            sum.usd()
        };
        assert_eq!(sum(0, 0, "0"), Some(Usd::ZERO));
        assert_eq!(sum(2, 2, "0"), None);
        assert_eq!(sum(2, 1, "0"), Some(Usd::ZERO));
        // What a lease stands for has no call.
        assert_eq!(sum(2, 2, "1"), Some(usd("1")));
    }

    #[test]
    fn a_month_or_a_pull_request_may_be_asked_for() {
        let calls = |month: Option<&str>, pull_request| {
            let wanted = Wanted {
                month: month.map(str::to_owned),
                pull_request,
            };
            sums(&accounts(), &wanted).all.calls
        };
        assert_eq!(calls(Some("2026-11"), None), 3);
        assert_eq!(calls(None, Some(7)), 3);
        assert_eq!(calls(Some("2026-11"), Some(7)), 2);
        assert_eq!(calls(Some("2026-10"), Some(7)), 1);
        assert_eq!(calls(Some("2026-11"), Some(8)), 0);
    }

    #[test]
    fn an_open_lease_is_lent_and_another_counts_as_unknown() {
        let mut accounts = Accounts::default();
        accounts.add_lease(lease("a", "5"));
        let mut ended = lease("b", "4");
        ended.expires = time("2026-11-05T11:00:00Z");
        accounts.add_lease(ended);
        let mut other = lease("c", "1");
        other.pull_request = 8;
        accounts.add_lease(other);
        let wanted = Wanted {
            pull_request: Some(7),
            ..Wanted::default()
        };
        let sums = sums(&accounts, &wanted);
        assert_eq!((sums.lent, sums.all.unknown), (usd("5"), usd("4")));
        assert_eq!(sums.by_role[UNTOLD].unknown, usd("4"));
        assert_eq!(sums.by_pull_request["7"].unknown, usd("4"));
        assert_eq!(sums.by_week["2026-W45"].unknown, usd("4"));
        assert_eq!(sums.spoken_for(Usd::ZERO), usd("9"));
    }

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(share(usd("7.999"), usd("10")), Some(79));
        assert_eq!(share(usd("25"), usd("10")), Some(250));
        assert_eq!(share(usd("1"), Usd::ZERO), None);
    }
}
