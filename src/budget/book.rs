//! The book of a purse: its journal, read in order, and what follows from it for the next call.
//!
//! Pure: who writes the journal asks here first, writes a line, and then enters it here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::caps::Caps;
use super::journal::{Drained, Ended, Head, Line, Reserve, SCHEMA, Settle};
use super::ledger::{Account, Ledger, Refusal, Settled, Standing};
use super::spend::{Paid, Spend, Status, month};
use crate::money::Usd;

/// What a purse is for, and what it may hold.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) caps: Caps,
    /// Without one, the cap of a pull request holds for the run.
    pub(crate) pull_request: Option<u64>,
    pub(crate) run: String,
    /// What was lent to the job. The pull request and the month were asked when it was.
    pub(crate) lease: Option<Usd>,
    /// What was paid from other purses.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// What was paid from another purse, or from none.
#[derive(Debug, Clone)]
pub(crate) struct Elsewhere {
    pub(crate) purse: Option<String>,
    pub(crate) pull_request: Option<u64>,
    pub(crate) run: String,
    pub(crate) at: Timestamp,
    pub(crate) usd: Usd,
}

/// Why a line cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BookProblem {
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("it does not begin with its head")]
    NoHead,
    #[error("it is filled from another lease")]
    OtherLease,
    #[error("call {0} was not put aside, or has ended")]
    NotOpen(u64),
    #[error("call {0} was put aside twice")]
    Twice(u64),
}

/// How a call ended.
#[derive(Debug, Clone)]
enum End {
    Settled(Box<Settle>),
    Unknown,
    Released,
}

/// A purse's journal, read.
#[derive(Debug)]
pub(crate) struct Book {
    terms: Terms,
    month: String,
    ledger: Ledger,
    head: Option<Head>,
    open: BTreeMap<u64, Reserve>,
    ended: BTreeMap<u64, (Reserve, End)>,
    drained: BTreeSet<u64>,
    next: u64,
    /// A bill of this run that was above what was put aside.
    overshoot: Option<(u64, Usd)>,
    closed: Option<Timestamp>,
}

impl Book {
    pub(crate) fn new(terms: Terms, now: Timestamp) -> Self {
        let ledger = Ledger::new(terms.caps.call, terms.caps.alerts.clone());
        let mut book = Self {
            terms,
            month: month(now),
            ledger,
            head: None,
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            drained: BTreeSet::new(),
            next: 1,
            overshoot: None,
            closed: None,
        };
        book.accounts(None);
        book
    }

    /// Opens the accounts; `own` is this purse.
    fn accounts(&mut self, own: Option<&str>) {
        let terms = &self.terms;
        if let Some(lent) = terms.lease {
            self.ledger.open(Account::Lease, Some(lent), Usd::ZERO);
            return;
        }
        let (mut subject, mut in_month) = (Usd::ZERO, Usd::ZERO);
        for paid in &terms.elsewhere {
            if paid.purse.is_some() && paid.purse.as_deref() == own {
                continue;
            }
            if terms.is_about(paid.pull_request, &paid.run) {
                subject = subject.saturating_add(paid.usd);
            }
            if month(paid.at) == self.month {
                in_month = in_month.saturating_add(paid.usd);
            }
        }
        let caps = &terms.caps;
        self.ledger
            .open(Account::PullRequest, Some(caps.pull_request), subject);
        self.ledger.open(Account::Month, caps.month, in_month);
    }

    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub(crate) fn month(&self) -> &str {
        &self.month
    }

    pub(crate) fn next_call(&self) -> u64 {
        self.next
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn standing(&self, account: &Account) -> Standing {
        self.ledger.standing(account)
    }

    /// Returns the call of this run whose bill was above what was put aside, and by how much.
    pub(crate) fn overshoot(&self) -> Option<(u64, Usd)> {
        self.overshoot
    }

    /// Returns since when nothing more is granted.
    pub(crate) fn closed(&self) -> Option<Timestamp> {
        self.closed
    }

    /// Returns the calls that are under way.
    pub(crate) fn open_calls(&self) -> impl Iterator<Item = &Reserve> {
        self.open.values()
    }

    pub(crate) fn open_call(&self, call: u64) -> Option<&Reserve> {
        self.open.get(&call)
    }

    /// Whether a call has ended.
    pub(crate) fn has_ended(&self, call: u64) -> bool {
        self.ended.contains_key(&call)
    }

    fn accounts_of(&mut self, reserve: &Reserve) -> Vec<Account> {
        let mut accounts = Vec::new();
        let is_about = self.terms.is_about(reserve.pull_request, &reserve.run);
        let is_of_run = is_about && reserve.run == self.terms.run;
        if let Some(task) = reserve.task.as_ref().filter(|_| is_of_run) {
            let account = Account::Task(task.clone());
            if self.ledger.standing(&account) == Standing::default() {
                let cap = self.terms.caps.task;
                self.ledger.open(account.clone(), cap, Usd::ZERO);
            }
            accounts.push(account);
        }
        if self.terms.lease.is_some() {
            accounts.push(Account::Lease);
            return accounts;
        }
        if is_about {
            accounts.push(Account::PullRequest);
        }
        if month(reserve.at) == self.month {
            accounts.push(Account::Month);
        }
        accounts
    }

    /// Whether a call may be made; if so, it is put aside here, and its line must be written.
    pub(crate) fn reserve(&mut self, reserve: &Reserve) -> Result<(), Refusal> {
        let accounts = self.accounts_of(reserve);
        self.ledger
            .reserve(&reserve.call.to_string(), &accounts, reserve.worst_usd)?;
        self.next = reserve.call.saturating_add(1);
        self.open.insert(reserve.call, reserve.clone());
        Ok(())
    }

    /// Takes back what could not be written.
    pub(crate) fn forget(&mut self, call: u64) {
        if self.open.remove(&call).is_some() {
            self.ledger.release(&call.to_string());
        }
    }

    /// Enters a line that is written, whether or not it keeps to the caps.
    pub(crate) fn enter(&mut self, line: Line) -> Result<Settled, BookProblem> {
        if self.head.is_none() && !matches!(line, Line::Purse(_)) {
            return Err(BookProblem::NoHead);
        }
        match line {
            Line::Purse(head) => self.enter_head(head)?,
            Line::Reserve(reserve) => {
                let call = reserve.call;
                if self.open.contains_key(&call) || self.ended.contains_key(&call) {
                    return Err(BookProblem::Twice(call));
                }
                let accounts = self.accounts_of(&reserve);
                self.ledger
                    .put_aside(&call.to_string(), accounts, reserve.worst_usd);
                self.next = self.next.max(call.saturating_add(1));
                self.open.insert(call, *reserve);
            }
            Line::Settle(settle) => return self.settle(settle),
            Line::Unknown(Ended { call, .. }) => {
                let reserve = self.close(call)?;
                let charged = self.ledger.charge_unknown(&call.to_string());
                self.ended.insert(call, (reserve, End::Unknown));
                let alerts = charged.map_or_else(Vec::new, |(_, alerts)| alerts);
                return Ok(Settled {
                    alerts,
                    ..Settled::default()
                });
            }
            Line::Release(Ended { call, .. }) => {
                let reserve = self.close(call)?;
                self.ledger.release(&call.to_string());
                self.ended.insert(call, (reserve, End::Released));
            }
            Line::Drained(Drained { calls }) => self.drained.extend(calls),
            Line::Closed { at } => self.closed = Some(at),
        }
        Ok(Settled::default())
    }

    fn enter_head(&mut self, head: Head) -> Result<(), BookProblem> {
        if head.schema != SCHEMA {
            return Err(BookProblem::Schema(head.schema));
        }
        if self.head.is_some() {
            return Ok(());
        }
        if head.lease.is_some() != self.terms.lease.is_some() {
            return Err(BookProblem::OtherLease);
        }
        self.accounts(Some(&head.purse));
        self.head = Some(head);
        Ok(())
    }

    fn settle(&mut self, settle: Box<Settle>) -> Result<Settled, BookProblem> {
        let call = settle.call;
        let reserve = self.close(call)?;
        let settled = self
            .ledger
            .settle(&call.to_string(), settle.usd)
            .unwrap_or_default();
        if let Some(over) = settled.overshoot
            && reserve.run == self.terms.run
        {
            self.overshoot = Some((call, over));
        }
        self.ended.insert(call, (reserve, End::Settled(settle)));
        Ok(settled)
    }

    fn close(&mut self, call: u64) -> Result<Reserve, BookProblem> {
        self.open.remove(&call).ok_or(BookProblem::NotOpen(call))
    }

    /// Returns what was paid, call by call; those that are events already only when all are asked for.
    pub(crate) fn paid(&self, all: bool) -> Vec<Paid> {
        let wanted = |call: &u64| all || !self.drained.contains(call);
        let ended = self.ended.iter().filter(|(call, _)| wanted(call));
        ended
            .filter_map(|(_, (reserve, end))| self.paid_for(reserve, end))
            .collect()
    }

    fn paid_for(&self, reserve: &Reserve, end: &End) -> Option<Paid> {
        let head = self.head.as_ref()?;
        let bill = match end {
            End::Settled(settle) => Some(settle),
            End::Unknown => None,
            End::Released => return None,
        };
        let usd = bill.map_or(reserve.worst_usd, |bill| bill.usd);
        let over = usd.checked_sub(reserve.worst_usd);
        let spend = Spend {
            status: bill.map_or(Status::Unknown, |_| Status::Settled),
            provider: reserve.provider.clone(),
            model: bill.map_or_else(|| reserve.model.clone(), |bill| bill.model.clone()),
            role: reserve.role.clone(),
            task: reserve.task.clone(),
            pull_request: reserve.pull_request,
            usage: bill.map(|bill| bill.usage),
            usd: Some(usd),
            overshoot_usd: over.filter(|over| *over > Usd::ZERO),
            price_table_sha256: bill.map(|bill| bill.price_table_sha256.clone()),
            request_id: bill.and_then(|bill| bill.request_id.clone()),
            purse: Some(head.purse.clone()),
            call: Some(reserve.call),
            lease: head.lease.clone(),
            source: None,
            reported_usd: None,
        };
        Some(Paid {
            at: reserve.at,
            origin: reserve.origin(),
            spend,
        })
    }
}

impl Terms {
    fn is_about(&self, pull_request: Option<u64>, run: &str) -> bool {
        pull_request == self.pull_request && (pull_request.is_some() || run == self.run)
    }
}

#[cfg(test)]
mod tests;
