//! Asks models for a run, and pays them: out of the run's own cap, and out of the purse of the repository or its lease.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::recorded::Recorded;
use crate::budget::ledger::{Account, Ledger, Refusal};
use crate::conduct::agents::crew::{Heard, Oracle, Silent, Wish};
use crate::conduct::agents::steps::Abandon;
use crate::conduct::model::{Asking, NoAnswer, Till, ask};
use crate::conduct::purse::{Bill, Planned, Purse, PurseProblem, Ticket};
use crate::llm::endpoint::Endpoint;
use crate::llm::priced::{self, Known};
use crate::llm::prices::Table;
use crate::llm::reply::Answer;
use crate::llm::request::{Choice, Keep, Request, Schema};
use crate::llm::router::tiers::TierModel;
use crate::llm::worst::{self, Limits};
use crate::money::Usd;
use crate::ports::Clock;
use crate::ports::forge::Secret;
use crate::ports::model::{Model, Patience};
use crate::redact::Redactor;

/// Who is asked for a tier.
pub(super) struct Seat {
    pub(super) model: TierModel,
    pub(super) endpoint: Endpoint,
    pub(super) key: Option<Secret>,
}

/// Seats of a run that is played again: nobody is asked.
pub(super) fn nobody(models: [TierModel; 3]) -> [Seat; 3] {
    models.map(|model| Seat {
        model,
        endpoint: Endpoint {
            protocol: crate::llm::protocols::Protocol::Messages,
            url: String::new(),
            house: crate::llm::request::House::Other,
        },
        key: None,
    })
}

/// What the purse says on the way.
#[derive(Default)]
struct Told(Vec<String>);

/// Asks and pays.
pub(super) struct Payer<'p> {
    pub(super) seats: [Seat; 3],
    pub(super) table: &'p Table,
    pub(super) purse: Option<&'p Purse>,
    pub(super) model: &'p dyn Model,
    pub(super) clock: &'p dyn Clock,
    pub(super) redactor: &'p Redactor,
    pub(super) at: jiff::Timestamp,
    pub(super) is_unpriced: bool,
    /// What is heard in place of a model.
    pub(super) recorded: Option<Recorded>,
    book: Mutex<Book>,
}

/// The run's own money.
struct Book {
    ledger: Ledger,
    count: u64,
    told: Told,
    tasks: TaskCaps,
}

impl Book {
    /// Returns the accounts that pay for a task: the run's, and its own where its role has a cap.
    fn accounts(&mut self, role: &str, task: &str) -> Vec<Account> {
        let Some(cap) = self.tasks.caps.get(role).copied() else {
            return vec![of_run()];
        };
        let own = Account::Task(task.to_owned());
        if self.ledger.standing(&own).cap.is_none() {
            let spent = self.tasks.spent.get(task).copied().unwrap_or(Usd::ZERO);
            self.ledger.open(own.clone(), Some(cap), spent);
        }
        vec![of_run(), own]
    }

    fn left(&self, account: &Account) -> Option<Usd> {
        let standing = self.ledger.standing(account);
        let (cap, committed) = (standing.cap?, standing.committed()?);
        Some(cap.checked_sub(committed).unwrap_or(Usd::ZERO))
    }
}

/// What a run may spend.
fn of_run() -> Account {
    Account::Task("of this run".to_owned())
}

/// The caps of single tasks.
#[derive(Debug, Default)]
pub(super) struct TaskCaps {
    /// By role.
    pub(super) caps: BTreeMap<String, Usd>,
    /// What tasks spent in earlier lives of the run.
    pub(super) spent: BTreeMap<String, Usd>,
}

/// How often a call is made at most, and how long all of it may take.
const ATTEMPTS: u32 = 5;
const TOTAL: Duration = Duration::from_mins(15);

impl<'p> Payer<'p> {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the world that it pays in"
    )]
    pub(super) fn new(
        seats: [Seat; 3],
        table: &'p Table,
        purse: Option<&'p Purse>,
        model: &'p dyn Model,
        clock: &'p dyn Clock,
        redactor: &'p Redactor,
        at: jiff::Timestamp,
        (cap, spent, is_unpriced): (Option<Usd>, Usd, bool),
        tasks: TaskCaps,
    ) -> Self {
        let mut ledger = Ledger::new(None, Vec::new());
        ledger.open(of_run(), cap, spent);
        Self {
            seats,
            table,
            purse,
            model,
            clock,
            redactor,
            at,
            is_unpriced,
            recorded: None,
            book: Mutex::new(Book {
                ledger,
                count: 0,
                told: Told::default(),
                tasks,
            }),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how much a task may still spend, nothing where nobody caps it; and whether that is its own cap.
    pub(super) fn remaining(&self, role: &str, task: &str) -> (Option<Usd>, bool) {
        let mut book = self.book();
        let accounts = book.accounts(role, task);
        let run = book.left(&of_run());
        let own = accounts.get(1).and_then(|own| book.left(own));
        match (run, own) {
            (Some(run), Some(own)) => (Some(run.min(own)), own < run),
            (run, own) => (run.or(own), own.is_some()),
        }
    }

    /// Counts what somebody else's program spent.
    pub(super) fn charge(&self, role: &str, task: &str, usd: Usd) {
        let mut book = self.book();
        book.count += 1;
        let id = book.count.to_string();
        let accounts = book.accounts(role, task);
        // It was held to what was left; what others spent meanwhile does not make it unspent.
        if book.ledger.reserve(&id, &accounts, usd).is_ok() {
            let _alerts = book.ledger.settle(&id, usd);
        }
    }

    /// Returns what was said about the money.
    pub(super) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.book().told.0)
    }
}

impl Oracle for Payer<'_> {
    fn ask(&self, wish: &Wish<'_>) -> Result<Result<Heard, Silent>, Abandon> {
        let seat = &self.seats[wish.tier as usize];
        let request = request(wish, seat);
        let body = seat.endpoint.protocol.encode(&request);
        let text = body.to_string();
        let flavor = seat.endpoint.protocol.flavor();
        let names = (seat.model.provider.as_str(), seat.model.model.as_str());
        let worst = if self.is_unpriced {
            None
        } else {
            let size = text.len() as u64;
            match worst::of_request(
                self.table,
                names,
                (&body, size, flavor),
                Limits::default(),
                self.at,
            ) {
                Ok(worst) => Some(worst),
                Err(problem) => {
                    let why = format!(
                        "nobody can say what a call of `{}` may cost: {problem}",
                        names.1
                    );
                    return Ok(Err(Silent::Refused(why)));
                }
            }
        };
        let mut till = CallTill {
            payer: self,
            whose: (wish.role, wish.task),
            seat,
            worst,
            planned: worst.map(|worst| Planned {
                provider: seat.model.provider.clone(),
                model: seat.model.model.clone(),
                role: Some(wish.role.to_owned()),
                task: Some(wish.task.to_owned()),
                worst,
            }),
            spent: Usd::ZERO,
        };
        let asking = Asking {
            endpoint: &seat.endpoint,
            key: seat.key.as_ref(),
            body: &text,
            is_streamed: true,
            patience: Patience {
                connect: Duration::from_secs(10),
                first_byte: Duration::from_mins(5),
                between: Duration::from_mins(2),
                total: TOTAL,
            },
            most_attempts: ATTEMPTS,
            waits: true,
            redactor: self.redactor,
        };
        let answered = match &self.recorded {
            Some(recorded) => recorded.next(wish.task, &mut till),
            None => ask(self.model, self.clock, &asking, &mut till).map(|asked| asked.answer),
        };
        let spent = till.spent;
        match answered {
            Ok(answer) => Ok(Ok(Heard {
                model: answer
                    .model
                    .clone()
                    .unwrap_or_else(|| seat.model.model.clone()),
                answer: self.clean(answer),
                usd: spent,
            })),
            Err(no_answer) => silent(no_answer, spent).map(Err),
        }
    }
}

/// Returns what a seat is asked.
fn request(wish: &Wish<'_>, seat: &Seat) -> Request {
    Request {
        model: seat.model.model.clone(),
        system: wish
            .system
            .map(|system| format!("{system}\n\n{}", wish.mark)),
        messages: wish.messages.to_vec(),
        tools: wish.tools.to_vec(),
        choice: Choice::Free,
        schema: wish.schema.map(|schema| Schema {
            name: "answer".to_owned(),
            schema: schema.clone(),
        }),
        max_tokens: wish.max_tokens,
        keep: Some(Keep::FiveMinutes),
        is_streamed: true,
        house: seat.endpoint.house,
    }
}

/// Says what it means that there is no answer.
fn silent(no_answer: NoAnswer<MoneyProblem>, spent: Usd) -> Result<Silent, Abandon> {
    match no_answer {
        // The cap of its own task stops that task and nobody else.
        NoAnswer::Money(MoneyProblem::Refused(Refusal::Account { account, .. }))
            if account != of_run() =>
        {
            Ok(Silent::Refused(format!("{account} has reached its cap")))
        }
        NoAnswer::Money(MoneyProblem::Refused(refusal)) => Ok(Silent::Money(refusal.to_string())),
        NoAnswer::Money(MoneyProblem::Purse(problem)) => match problem {
            PurseProblem::Refused(_)
            | PurseProblem::Overshot { .. }
            | PurseProblem::Expired(_)
            | PurseProblem::Closed(_) => Ok(Silent::Money(problem.to_string())),
            problem => Err(Abandon::trouble("the purse cannot be used", problem)),
        },
        NoAnswer::Refused {
            status: 400..=428 | 430..=499,
            words,
        } if spent == Usd::ZERO => Ok(Silent::Refused(format!(
            "the provider refuses the request: {words}"
        ))),
        error => Ok(Silent::Broken(error.to_string(), spent)),
    }
}

impl Payer<'_> {
    /// Takes secrets out of an answer before anybody acts on it or keeps it.
    fn clean(&self, mut answer: Answer) -> Answer {
        use crate::llm::reply::Part;
        for part in &mut answer.parts {
            let text = match part {
                Part::Text(text) => text,
                Part::Call(call) => &mut call.arguments,
                Part::Result(_) | Part::Opaque(_) => continue,
            };
            if let Some(clean) = self.redactor.name(text) {
                *text = clean;
            }
        }
        answer
    }
}

/// Why there is no money.
#[derive(Debug, thiserror::Error)]
pub(super) enum MoneyProblem {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Purse(#[from] PurseProblem),
}

/// Pays for one call.
struct CallTill<'c, 'p> {
    payer: &'c Payer<'p>,
    /// Role and task.
    whose: (&'c str, &'c str),
    seat: &'c Seat,
    worst: Option<Usd>,
    planned: Option<Planned>,
    spent: Usd,
}

/// What was put aside for an attempt.
struct Held {
    id: String,
    ticket: Option<Ticket>,
}

impl CallTill<'_, '_> {
    fn bill(&self, answer: &Answer) -> Option<Bill> {
        let body = answer.for_billing();
        let names = (&self.seat.model.provider, &self.seat.model.model);
        let known = |model| Known {
            provider: Some(names.0.as_str()),
            flavor: Some(self.seat.endpoint.protocol.flavor()),
            model,
            at: None,
        };
        let price = |model| priced::price(self.payer.table, &body, known(model), self.payer.at);
        let asked_for = body["model"].is_null().then_some(names.1.as_str());
        // Servers in between have names of their own for models.
        let priced = price(asked_for)
            .or_else(|_| price(Some(names.1.as_str())))
            .ok()?;
        Some(Bill {
            model: answer.model.clone().unwrap_or_else(|| names.1.clone()),
            usage: priced.usage,
            usd: priced.total,
            price_table: self.payer.table.sha256.to_string(),
            request_id: answer.id.clone(),
        })
    }

    fn tell(&self, settled: &crate::budget::ledger::Settled) {
        let mut book = self.payer.book();
        for alert in &settled.alerts {
            let words = format!(
                "{} has spent {} % of what it may cost",
                alert.account, alert.share
            );
            book.told.0.push(words);
        }
        if let Some(over) = settled.overshoot {
            book.told.0.push(format!(
                "a bill is ${over} above what was put aside (overshoot)"
            ));
        }
    }
}

impl Till for CallTill<'_, '_> {
    type Ticket = Option<Held>;
    type Problem = MoneyProblem;

    fn reserve(&mut self) -> Result<Option<Held>, MoneyProblem> {
        let (Some(worst), Some(planned)) = (self.worst, &self.planned) else {
            return Ok(None);
        };
        let id = {
            let mut book = self.payer.book();
            book.count += 1;
            let id = book.count.to_string();
            let accounts = book.accounts(self.whose.0, self.whose.1);
            book.ledger.reserve(&id, &accounts, worst)?;
            id
        };
        let ticket = match self
            .payer
            .purse
            .map(|purse| purse.reserve(planned))
            .transpose()
        {
            Ok(ticket) => ticket,
            Err(problem) => {
                self.payer.book().ledger.release(&id);
                return Err(problem.into());
            }
        };
        Ok(Some(Held { id, ticket }))
    }

    fn settle(&mut self, held: Option<Held>, answer: &Answer) -> Result<(), MoneyProblem> {
        let Some(held) = held else { return Ok(()) };
        let Some(bill) = self.bill(answer) else {
            return self.unknown(Some(held), "the answer has no bill that can be read");
        };
        self.spent = self.spent.saturating_add(bill.usd);
        let settled = self.payer.book().ledger.settle(&held.id, bill.usd);
        if let Some(settled) = settled {
            self.tell(&settled);
        }
        if let (Some(purse), Some(ticket)) = (self.payer.purse, held.ticket) {
            let settled = purse.settle(ticket, &bill)?;
            self.tell(&settled);
        }
        Ok(())
    }

    fn unknown(&mut self, held: Option<Held>, why: &str) -> Result<(), MoneyProblem> {
        let Some(held) = held else { return Ok(()) };
        self.spent = self.spent.saturating_add(self.worst.unwrap_or(Usd::ZERO));
        self.payer.book().ledger.charge_unknown(&held.id);
        if let (Some(purse), Some(ticket)) = (self.payer.purse, held.ticket) {
            let settled = purse.charge_unknown(ticket, why)?;
            self.tell(&settled);
        }
        Ok(())
    }

    fn release(&mut self, held: Option<Held>) -> Result<(), MoneyProblem> {
        let Some(held) = held else { return Ok(()) };
        self.payer.book().ledger.release(&held.id);
        if let (Some(purse), Some(ticket)) = (self.payer.purse, held.ticket) {
            purse.release(ticket)?;
        }
        Ok(())
    }
}
