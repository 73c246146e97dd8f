//! The ledger of a run: what a call may cost at worst is put aside before it is made, and what it did cost is written after.
//!
//! Invariant: what is spent and put aside on an account is never more than its cap, but for bills above what was put aside, and these are
//! named. What nobody settles stays charged. The order of calls decides who is refused, and nothing else.

use std::collections::BTreeMap;

use crate::money::Usd;

/// What a cap is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    /// A task of the run, by name.
    Task(String),
    PullRequest,
    Month,
    /// What was lent to a job.
    Lease,
    /// What one process may spend.
    Session,
}

/// What is known of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) cap: Option<Usd>,
    /// What bills say.
    pub(crate) settled: Usd,
    /// What was put aside for calls whose bill nobody knows.
    pub(crate) unknown: Usd,
    /// What is put aside for calls that are under way.
    pub(crate) reserved: Usd,
}

impl Standing {
    /// Returns all that is spent or may be; nothing when that is more than can be counted.
    pub(crate) fn committed(&self) -> Option<Usd> {
        self.settled
            .checked_add(self.unknown)?
            .checked_add(self.reserved)
    }

    /// Whether so much more fits under the cap.
    fn has_room(&self, more: Usd) -> bool {
        let after = self
            .committed()
            .and_then(|committed| committed.checked_add(more));
        match (after, self.cap) {
            (Some(after), Some(cap)) => after <= cap,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// Why a call may not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("a call may cost ${cap}, and this one may cost ${asked}")]
    Call { cap: Usd, asked: Usd },
    #[error(
        "{account} may cost ${cap}; ${committed} is spent or put aside, and ${asked} more is asked for"
    )]
    Account {
        account: Account,
        cap: Usd,
        committed: Usd,
        asked: Usd,
    },
    #[error("`{0}` is put aside already")]
    Twice(String),
    #[error("the sum is more than can be counted")]
    TooLarge,
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Task(task) => write!(f, "the task `{task}`"),
            Self::PullRequest => f.write_str("the pull request"),
            Self::Month => f.write_str("the month"),
            Self::Lease => f.write_str("the lease"),
            Self::Session => f.write_str("the session"),
        }
    }
}

/// A share of a cap that is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) account: Account,
    /// In hundredths of the cap.
    pub(crate) share: u8,
}

/// What settling a call says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    /// How much the bill is above what was put aside.
    pub(crate) overshoot: Option<Usd>,
    /// Shares that what is billed has reached by this call, each once.
    pub(crate) alerts: Vec<Alert>,
}

/// A call that is under way.
#[derive(Debug, Clone)]
struct Reservation {
    accounts: Vec<Account>,
    worst: Usd,
}

/// Accounts, and the calls under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    accounts: BTreeMap<Account, Standing>,
    open: BTreeMap<String, Reservation>,
    call: Option<Usd>,
    shares: Vec<u8>,
}

impl Ledger {
    pub(crate) fn new(call: Option<Usd>, shares: Vec<u8>) -> Self {
        Self {
            call,
            shares,
            ..Self::default()
        }
    }

    /// Opens an account, with what was spent on it before.
    pub(crate) fn open(&mut self, account: Account, cap: Option<Usd>, spent: Usd) {
        let standing = self.accounts.entry(account).or_default();
        standing.cap = cap;
        standing.settled = spent;
    }

    pub(crate) fn standing(&self, account: &Account) -> Standing {
        self.accounts.get(account).copied().unwrap_or_default()
    }

    /// Puts aside what a call may cost at worst, on every account or on none.
    pub(crate) fn reserve(
        &mut self,
        id: &str,
        accounts: &[Account],
        worst: Usd,
    ) -> Result<(), Refusal> {
        if self.open.contains_key(id) {
            return Err(Refusal::Twice(id.to_owned()));
        }
        if let Some(cap) = self.call.filter(|cap| worst > *cap) {
            return Err(Refusal::Call { cap, asked: worst });
        }
        let mut accounts = accounts.to_vec();
        crate::order::sort(&mut accounts);
        accounts.dedup();
        for account in &accounts {
            let standing = self.standing(account);
            if standing.has_room(worst) {
                continue;
            }
            return Err(match (standing.cap, standing.committed()) {
                (Some(cap), Some(committed)) => Refusal::Account {
                    account: account.clone(),
                    cap,
                    committed,
                    asked: worst,
                },
                _ => Refusal::TooLarge,
            });
        }
        self.put_aside(id, accounts, worst);
        Ok(())
    }

    /// Puts aside what somebody was granted, whether or not it fits.
    pub(crate) fn put_aside(&mut self, id: &str, accounts: Vec<Account>, worst: Usd) {
        for account in &accounts {
            let standing = self.accounts.entry(account.clone()).or_default();
            standing.reserved = standing.reserved.saturating_add(worst);
        }
        self.open
            .insert(id.to_owned(), Reservation { accounts, worst });
    }

    /// Writes what a call did cost; nothing when nothing was put aside for it.
    pub(crate) fn settle(&mut self, id: &str, bill: Usd) -> Option<Settled> {
        let reservation = self.close(id)?;
        let mut settled = Settled {
            overshoot: bill
                .checked_sub(reservation.worst)
                .filter(|over| *over > Usd::ZERO),
            ..Settled::default()
        };
        for account in reservation.accounts {
            let standing = self.accounts.entry(account.clone()).or_default();
            let before = *standing;
            standing.settled = standing.settled.saturating_add(bill);
            let alerts = alerts(&self.shares, &account, &before, standing);
            settled.alerts.extend(alerts);
        }
        Some(settled)
    }

    /// Charges all that was put aside for a call whose bill nobody knows.
    pub(crate) fn charge_unknown(&mut self, id: &str) -> Option<(Usd, Vec<Alert>)> {
        let reservation = self.close(id)?;
        let mut told = Vec::new();
        for account in reservation.accounts {
            let standing = self.accounts.entry(account.clone()).or_default();
            let before = *standing;
            standing.unknown = standing.unknown.saturating_add(reservation.worst);
            told.extend(alerts(&self.shares, &account, &before, standing));
        }
        Some((reservation.worst, told))
    }

    /// Gives back what was put aside for a call that was never sent.
    pub(crate) fn release(&mut self, id: &str) -> Option<Usd> {
        self.close(id).map(|reservation| reservation.worst)
    }

    /// Returns the calls that are under way.
    #[cfg(test)]
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    fn close(&mut self, id: &str) -> Option<Reservation> {
        let reservation = self.open.remove(id)?;
        for account in &reservation.accounts {
            if let Some(standing) = self.accounts.get_mut(account) {
                standing.reserved = standing
                    .reserved
                    .checked_sub(reservation.worst)
                    .unwrap_or(Usd::ZERO);
            }
        }
        Some(reservation)
    }
}

/// Returns the shares that an account has reached since it was as it was before.
fn alerts(shares: &[u8], account: &Account, before: &Standing, after: &Standing) -> Vec<Alert> {
    let reached = shares
        .iter()
        .filter(|share| !reaches(before, **share) && reaches(after, **share));
    let alert = |share: &u8| Alert {
        account: account.clone(),
        share: *share,
    };
    reached.map(alert).collect()
}

/// Whether what is spent is so many hundredths of a cap, or more.
fn reaches(standing: &Standing, share: u8) -> bool {
    let Some(cap) = standing.cap else {
        return false;
    };
    let spent = standing.settled.saturating_add(standing.unknown);
    // Exact where it can be counted, and reached where it cannot.
    match (spent.times(100), cap.times(u64::from(share))) {
        (Some(spent), Some(wanted)) => spent >= wanted,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn ledger(cap: &str) -> Ledger {
        let mut ledger = Ledger::new(None, vec![80, 95]);
        ledger.open(Account::PullRequest, Some(usd(cap)), Usd::ZERO);
        ledger
    }

    #[test]
    fn a_call_is_refused_when_its_worst_case_does_not_fit() {
        let mut ledger = ledger("1");
        let on = [Account::PullRequest];
        ledger.reserve("a", &on, usd("0.6")).unwrap();
        let refused = ledger.reserve("b", &on, usd("0.400000000001")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the pull request may cost $1; $0.6 is spent or put aside, and $0.400000000001 more is asked for"
        );
        ledger.reserve("b", &on, usd("0.4")).unwrap();
        assert_eq!(
            ledger.reserve("b", &on, usd("0")),
            Err(Refusal::Twice("b".into()))
        );
        // What was put aside and not used is there again.
        ledger.settle("a", usd("0.1")).unwrap();
        ledger.reserve("c", &on, usd("0.5")).unwrap();
        assert_eq!(
            ledger.standing(&Account::PullRequest).committed(),
            Some(usd("1"))
        );
    }

    #[test]
    fn all_accounts_or_none() {
        let mut ledger = ledger("10");
        let task = Account::Task("t".into());
        ledger.open(task.clone(), Some(usd("1")), Usd::ZERO);
        let refused = ledger.reserve("a", &[Account::PullRequest, task.clone()], usd("2"));
        assert!(matches!(refused, Err(Refusal::Account { .. })));
        assert_eq!(ledger.standing(&Account::PullRequest).reserved, Usd::ZERO);
        let mut small = Ledger::new(Some(usd("0.5")), vec![]);
        assert!(matches!(
            small.reserve("a", &[], usd("0.6")),
            Err(Refusal::Call { .. })
        ));
        small.reserve("a", &[], usd("0.5")).unwrap();
    }

    #[test]
    fn what_nobody_settles_stays_charged() {
        let mut ledger = ledger("1");
        ledger
            .reserve("a", &[Account::PullRequest], usd("0.7"))
            .unwrap();
        assert_eq!(ledger.under_way().collect::<Vec<_>>(), ["a"]);
        assert_eq!(ledger.charge_unknown("a"), Some((usd("0.7"), Vec::new())));
        assert!(
            ledger
                .reserve("b", &[Account::PullRequest], usd("0.4"))
                .is_err()
        );
        assert_eq!(
            (ledger.settle("a", usd("0.1")), ledger.release("a")),
            (None, None)
        );
        ledger
            .reserve("b", &[Account::PullRequest], usd("0.3"))
            .unwrap();
        assert_eq!(ledger.release("b"), Some(usd("0.3")));
        assert_eq!(
            ledger.standing(&Account::PullRequest).committed(),
            Some(usd("0.7"))
        );
    }

    #[test]
    fn each_share_is_told_once_and_an_overshoot_is_named() {
        let mut ledger = ledger("1");
        let on = [Account::PullRequest];
        let mut shares = Vec::new();
        for (id, bill) in ["0.799999999999", "0.000000000001", "0.1", "0.06"]
            .iter()
            .enumerate()
        {
            ledger.reserve(&id.to_string(), &on, usd("0")).unwrap();
            let settled = ledger.settle(&id.to_string(), usd(bill)).unwrap();
            assert_eq!(settled.overshoot, Some(usd(bill)));
            shares.push(
                settled
                    .alerts
                    .iter()
                    .map(|alert| alert.share)
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(shares, [vec![], vec![80], vec![], vec![95]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Sixty-four tasks call in any order; bills are at most what was put aside.
        #[test]
        fn never_a_pico_dollar_over(
            calls in prop::collection::vec((0_usize..64, 1_u64..500_000_000_000, 0_u8..=100, 0_u8..10), 1..300),
        ) {
            let cap = usd("10");
            let mut ledger = ledger("10");
            let on = [Account::PullRequest];
            let mut under_way: Vec<Option<(String, Usd, Usd, u8)>> = vec![None; 64];
            let (mut billed, mut unknown) = (Usd::ZERO, Usd::ZERO);
            for (number, (task, worst, share, fate)) in calls.into_iter().enumerate() {
                if let Some((id, worst, bill, fate)) = under_way[task].take() {
                    match fate {
                        0 => unknown = unknown.saturating_add(ledger.charge_unknown(&id).unwrap().0),
                        1 => prop_assert_eq!(ledger.release(&id), Some(worst)),
                        _ => {
                            let settled = ledger.settle(&id, bill).unwrap();
                            prop_assert_eq!(settled.overshoot, None);
                            billed = billed.saturating_add(bill);
                        }
                    }
                }
                let before = ledger.standing(&Account::PullRequest).committed().unwrap();
                let worst = Usd::from_pico(u128::from(worst));
                let bill = Usd::from_pico(worst.pico() * u128::from(share) / 100);
                let id = number.to_string();
                let fits = before.saturating_add(worst) <= cap;
                prop_assert_eq!(ledger.reserve(&id, &on, worst).is_ok(), fits);
                if fits {
                    under_way[task] = Some((id, worst, bill, fate));
                }
                prop_assert!(ledger.standing(&Account::PullRequest).committed().unwrap() <= cap);
            }
            // Nothing is left behind once every call has ended.
            for (id, ..) in under_way.into_iter().flatten() {
                ledger.release(&id).unwrap();
            }
            let standing = ledger.standing(&Account::PullRequest);
            prop_assert_eq!((standing.reserved, standing.settled, standing.unknown), (Usd::ZERO, billed, unknown));
            prop_assert_eq!(ledger.under_way().count(), 0);
        }
    }
}
