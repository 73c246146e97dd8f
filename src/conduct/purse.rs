//! The purse: the money of a run on disk.
//!
//! What a call may cost at worst is on the disk before the call is sent, and what it did cost is before anybody is told. Several threads
//! and processes may share one purse; its journal is written under a lock, and calls that are made at once wait for the disk together.
//! What nobody settled counts as all that was put aside: at the latest when the purse is opened or drained after the process that made
//! the call is gone. After an error of the disk nothing more is granted.

mod durable;
mod turn;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::durable::Durable;
use self::turn::{Sweep, Turn, holder};
pub(crate) use self::words::{Bill, Planned, PurseProblem, Ticket};
use crate::budget::book::{Book, BookProblem, Terms};
use crate::budget::journal::{Drained, Ended, Head, Line, Reserve, SCHEMA, Settle};
use crate::budget::ledger::{Account, Settled, Standing};
use crate::budget::spend::{Paid, month};
use crate::event::Origin;
use crate::ports::log_file::LogFile;
use crate::ports::{Clock, Files, Lock};
use crate::sha::Sha;

/// What opens a purse.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// The journal.
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) terms: Terms,
    /// Id and end of the lease that it is filled from.
    pub(crate) lease: Option<(String, Timestamp)>,
    /// The time, where it is fixed.
    pub(crate) now: Option<Timestamp>,
}

impl Opening {
    /// Returns the line of a call, without who makes it.
    pub(crate) fn line(&self, planned: &Planned, call: u64, at: Timestamp) -> Reserve {
        let origin = self.origin.clone();
        Reserve {
            call,
            at,
            holder: None,
            expires: None,
            provider: planned.provider.clone(),
            model: planned.model.clone(),
            role: planned.role.clone(),
            task: planned.task.clone(),
            pull_request: self.terms.pull_request,
            worst_usd: planned.worst,
            run: origin.run,
            attempt: origin.attempt,
            job: origin.job,
            commit: origin.commit,
            branch: origin.branch,
        }
    }
}

/// What is known of the journal.
struct Inner {
    book: Book,
    /// How much of the file is in the book.
    offset: u64,
    lines: u64,
}

/// The money of a run. See the module.
pub(crate) struct Purse {
    log: Box<dyn LogFile>,
    clock: Arc<dyn Clock>,
    opening: Opening,
    /// The id, which tickets carry.
    id: String,
    /// The name of the lock that says that this process lives.
    holder: String,
    inner: Mutex<Inner>,
    durable: Durable,
    _alive: Mutex<Box<dyn Lock>>,
}

impl Purse {
    /// Opens a purse, which is made when missing. Calls of processes that are gone count as unknown from here on.
    pub(crate) fn open(
        files: &dyn Files,
        clock: &dyn Clock,
        opening: Opening,
    ) -> Result<Self, PurseProblem> {
        let log = files
            .log(&opening.path)
            .map_err(|source| PurseProblem::Disk {
                path: opening.path.clone(),
                source,
            })?;
        Self::open_on(log, files, clock, opening)
    }

    fn open_on(
        log: Box<dyn LogFile>,
        files: &dyn Files,
        clock: &dyn Clock,
        opening: Opening,
    ) -> Result<Self, PurseProblem> {
        let disk = |source| PurseProblem::Disk {
            path: opening.path.clone(),
            source,
        };
        let now = opening.now.unwrap_or_else(|| clock.now());
        let mut inner = Inner {
            book: Book::new(opening.terms.clone(), now),
            offset: 0,
            lines: 0,
        };
        let turn = Turn::take(log.as_ref(), clock, &opening.path)?;
        inner.catch_up(log.as_ref(), &opening.path)?;
        if inner.book.head().is_none() {
            let head = head(&opening, now, clock.dice());
            inner.write(log.as_ref(), &opening.path, Line::Purse(head))?;
        }
        let id = inner.book.head().map(|head| head.purse.clone());
        let is_other = opening.lease.as_ref().map(|(id, _)| id) != lease_of(&inner.book);
        if is_other {
            return Err(damaged(&opening.path, 1, &BookProblem::OtherLease));
        }
        let sweep = Sweep {
            files,
            log: log.as_ref(),
            path: &opening.path,
            own: None,
            now,
        };
        sweep.run(&mut inner)?;
        let (holder, alive) = holder(files, &opening.path)?;
        log.sync().map_err(disk)?;
        let end = inner.offset;
        turn.end()?;
        Ok(Self {
            log,
            clock: clock.shared(),
            opening,
            id: id.unwrap_or_default(),
            holder,
            inner: Mutex::new(inner),
            durable: Durable::new(end),
            _alive: Mutex::new(alive),
        })
    }

    /// Puts aside what a call may cost at worst. The call may be sent once this has answered.
    pub(crate) fn reserve(&self, planned: &Planned) -> Result<Ticket, PurseProblem> {
        self.put_aside(planned, Some(self.holder.clone()), None)
    }

    /// The same, for a call that another process makes: it must be settled by a time.
    pub(crate) fn reserve_until(
        &self,
        planned: &Planned,
        expires: Timestamp,
    ) -> Result<Ticket, PurseProblem> {
        self.put_aside(planned, None, Some(expires))
    }

    fn put_aside(
        &self,
        planned: &Planned,
        holder: Option<String>,
        expires: Option<Timestamp>,
    ) -> Result<Ticket, PurseProblem> {
        let now = self.now();
        if let Some((_, end)) = &self.opening.lease
            && now >= *end
        {
            return Err(PurseProblem::Expired(*end));
        }
        let (call, end) = self.turn(|purse, inner| {
            inner.renew(purse, now)?;
            if let Some(at) = inner.book.closed() {
                return Err(PurseProblem::Closed(at));
            }
            if let Some((call, over)) = inner.book.overshoot() {
                return Err(PurseProblem::Overshot { call, over });
            }
            let call = inner.book.next_call();
            let reserve = Reserve {
                holder,
                expires,
                ..self.opening.line(planned, call, now)
            };
            inner.book.reserve(&reserve)?;
            let line = Line::Reserve(Box::new(reserve));
            if let Err(problem) = inner.add(self.log.as_ref(), self.path(), &line) {
                inner.book.forget(call);
                return Err(problem);
            }
            Ok((call, inner.offset))
        })?;
        self.wait_for_disk(end)?;
        Ok(Ticket {
            purse: self.id.clone(),
            call,
        })
    }

    /// Writes what a call did cost.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket counts once, and is gone then"
    )]
    pub(crate) fn settle(&self, ticket: Ticket, bill: &Bill) -> Result<Settled, PurseProblem> {
        let line = Line::Settle(Box::new(Settle {
            call: ticket.call,
            at: self.now(),
            model: bill.model.clone(),
            usage: bill.usage,
            usd: bill.usd,
            price_table_sha256: bill.price_table.clone(),
            request_id: bill.request_id.clone(),
        }));
        self.end(&ticket, line)
    }

    /// Counts all that was put aside for a call whose bill nobody knows.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket counts once, and is gone then"
    )]
    pub(crate) fn charge_unknown(
        &self,
        ticket: Ticket,
        why: &str,
    ) -> Result<Settled, PurseProblem> {
        let ended = self.ended(&ticket, why);
        self.end(&ticket, Line::Unknown(ended))
    }

    /// Gives back what was put aside for a call that was never sent.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket counts once, and is gone then"
    )]
    pub(crate) fn release(&self, ticket: Ticket) -> Result<(), PurseProblem> {
        let ended = self.ended(&ticket, "it was not sent");
        self.end(&ticket, Line::Release(ended)).map(drop)
    }

    fn ended(&self, ticket: &Ticket, why: &str) -> Ended {
        Ended {
            call: ticket.call,
            at: self.now(),
            why: why.to_owned(),
        }
    }

    fn end(&self, ticket: &Ticket, line: Line) -> Result<Settled, PurseProblem> {
        if !ticket.is_of(&self.id) {
            return Err(PurseProblem::ForeignTicket(ticket.to_string()));
        }
        let (settled, end) = self.turn(|purse, inner| {
            if inner.book.open_call(ticket.call).is_none() {
                return Err(if inner.book.has_ended(ticket.call) {
                    PurseProblem::Ended(ticket.call)
                } else {
                    PurseProblem::ForeignTicket(ticket.to_string())
                });
            }
            let settled = inner.write(purse.log.as_ref(), purse.path(), line)?;
            Ok((settled, inner.offset))
        })?;
        self.wait_for_disk(end)?;
        Ok(settled)
    }

    /// Returns what is known of an account.
    pub(crate) fn standing(&self, account: &Account) -> Result<Standing, PurseProblem> {
        self.turn(|_, inner| Ok(inner.book.standing(account)))
    }

    /// Returns provider, model and the rest of a call that is under way.
    pub(crate) fn planned(&self, ticket: &Ticket) -> Result<Planned, PurseProblem> {
        self.turn(|_, inner| {
            let reserve = inner
                .book
                .open_call(ticket.call)
                .filter(|_| ticket.is_of(&self.id));
            match reserve {
                Some(reserve) => Ok(Planned {
                    provider: reserve.provider.clone(),
                    model: reserve.model.clone(),
                    role: reserve.role.clone(),
                    task: reserve.task.clone(),
                    worst: reserve.worst_usd,
                }),
                None if ticket.is_of(&self.id) && inner.book.has_ended(ticket.call) => {
                    Err(PurseProblem::Ended(ticket.call))
                }
                None => Err(PurseProblem::ForeignTicket(ticket.to_string())),
            }
        })
    }

    /// Grants nothing from here on; returns what was paid. Nothing may be under way.
    pub(crate) fn close(&self) -> Result<Result<Vec<Paid>, usize>, PurseProblem> {
        let (paid, end) = self.turn(|purse, inner| {
            let open = inner.book.open_calls().count();
            if open > 0 {
                return Ok((Err(open), inner.offset));
            }
            if inner.book.closed().is_none() {
                let line = Line::Closed { at: purse.now() };
                inner.write(purse.log.as_ref(), purse.path(), line)?;
            }
            Ok((Ok(inner.book.paid(true)), inner.offset))
        })?;
        self.wait_for_disk(end)?;
        Ok(paid)
    }

    /// Counts the open calls of processes that are gone as unknown. `own` says whether this process makes no calls any more either.
    pub(crate) fn sweep(&self, files: &dyn Files, own: bool) -> Result<(), PurseProblem> {
        let end = self.turn(|purse, inner| {
            let sweep = Sweep {
                files,
                log: purse.log.as_ref(),
                path: purse.path(),
                own: own.then_some(purse.holder.as_str()),
                now: purse.now(),
            };
            sweep.run(inner)?;
            Ok(inner.offset)
        })?;
        self.wait_for_disk(end)
    }

    /// Whether it is filled from a lease.
    pub(crate) fn is_lent(&self) -> bool {
        self.opening.lease.is_some()
    }

    /// Sweeps, and hands out what was paid and is no event yet. Once `save` has answered, it is.
    pub(crate) fn drain<E: From<PurseProblem>>(
        &self,
        files: &dyn Files,
        own: bool,
        save: impl FnOnce(&[Paid]) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.sweep(files, own)?;
        let paid = self.turn(|_, inner| Ok(inner.book.paid(false)))?;
        if paid.is_empty() {
            return Ok(0);
        }
        save(&paid)?;
        let calls = paid.iter().filter_map(|paid| paid.spend.call).collect();
        let end = self.turn(|purse, inner| {
            let line = Line::Drained(Drained { calls });
            inner.write(purse.log.as_ref(), purse.path(), line)?;
            Ok(inner.offset)
        })?;
        self.wait_for_disk(end)?;
        Ok(paid.len() as u64)
    }

    fn path(&self) -> &Path {
        &self.opening.path
    }

    fn now(&self) -> Timestamp {
        self.opening.now.unwrap_or_else(|| self.clock.now())
    }

    /// Does something while nobody else writes, with all that others wrote before.
    fn turn<T>(
        &self,
        act: impl FnOnce(&Self, &mut Inner) -> Result<T, PurseProblem>,
    ) -> Result<T, PurseProblem> {
        if self.durable.is_broken() {
            return Err(PurseProblem::Broken(self.path().to_path_buf()));
        }
        let mut inner = lock(&self.inner);
        let turn = Turn::take(self.log.as_ref(), self.clock.as_ref(), self.path())?;
        let done = match inner.catch_up(self.log.as_ref(), self.path()) {
            Ok(()) => act(self, &mut inner),
            Err(problem) => Err(problem),
        };
        if let Err(PurseProblem::Disk { .. } | PurseProblem::Damaged { .. }) = &done {
            self.durable.break_down();
        }
        turn.end()?;
        done
    }

    fn wait_for_disk(&self, end: u64) -> Result<(), PurseProblem> {
        let sync = || self.log.sync();
        self.durable
            .reach(end, &sync)
            .map_err(|source| PurseProblem::Disk {
                path: self.path().to_path_buf(),
                source,
            })
    }
}

impl Inner {
    /// Reads what others wrote. A last line without an end was never answered for, and goes.
    fn catch_up(&mut self, log: &dyn LogFile, path: &Path) -> Result<(), PurseProblem> {
        let disk = |source| PurseProblem::Disk {
            path: path.to_path_buf(),
            source,
        };
        let bytes = log.read_from(self.offset).map_err(disk)?;
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
            self.lines += 1;
            let line = Line::decode(line).map_err(|error| damaged(path, self.lines, &error))?;
            self.book
                .enter(line)
                .map_err(|problem| damaged(path, self.lines, &problem))?;
        }
        self.offset += whole as u64;
        if whole < bytes.len() {
            log.cut(self.offset).map_err(disk)?;
        }
        Ok(())
    }

    /// Adds a line to the file; what is half-written goes at the next turn.
    fn add(&mut self, log: &dyn LogFile, path: &Path, line: &Line) -> Result<(), PurseProblem> {
        let disk = |source| PurseProblem::Disk {
            path: path.to_path_buf(),
            source,
        };
        let bytes = line.encode().map_err(|error| disk(error.into()))?;
        if let Err(error) = log.append(&bytes) {
            // If this fails too, whoever comes next cuts it off.
            let _whoever_comes_next = log.cut(self.offset);
            return Err(disk(error));
        }
        self.offset += bytes.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Adds a line to the file and enters it.
    fn write(
        &mut self,
        log: &dyn LogFile,
        path: &Path,
        line: Line,
    ) -> Result<Settled, PurseProblem> {
        self.add(log, path, &line)?;
        self.book
            .enter(line)
            .map_err(|problem| damaged(path, self.lines, &problem))
    }

    /// Reads the journal anew when a month has begun.
    fn renew(&mut self, purse: &Purse, now: Timestamp) -> Result<(), PurseProblem> {
        if self.book.month() == month(now) {
            return Ok(());
        }
        let mut renewed = Self {
            book: Book::new(self.book.terms().clone(), now),
            offset: 0,
            lines: 0,
        };
        renewed.catch_up(purse.log.as_ref(), purse.path())?;
        *self = renewed;
        Ok(())
    }
}

fn head(opening: &Opening, now: Timestamp, dice: u64) -> Head {
    let lease = opening.lease.as_ref().map(|(id, _)| id.clone());
    let origin = &opening.origin;
    let whose = format!(
        "{now} {dice} {} {} {}",
        origin.run, origin.attempt, origin.job
    );
    let digest = Sha::of(whose.as_bytes()).to_string();
    Head {
        schema: SCHEMA.to_owned(),
        purse: digest.chars().take(16).collect(),
        created: now,
        lease,
    }
}

fn lease_of(book: &Book) -> Option<&String> {
    book.head().and_then(|head| head.lease.as_ref())
}

fn damaged(path: &Path, line: u64, problem: &dyn fmt::Display) -> PurseProblem {
    PurseProblem::Damaged {
        path: path.to_path_buf(),
        line,
        problem: problem.to_string(),
    }
}

/// Locks what no thread leaves half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trials;
