//! What calls of the gateway may cost, and what they did: worst cases are put aside before, and settled after.
//!
//! A call that would fit if others had ended waits for them: what is put aside for calls under way is mostly given back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::budget::ledger::{Account, Alert, Ledger, Refusal, Standing};
use crate::conduct::purse::{Bill, Planned, Purse, PurseProblem, Ticket};
use crate::event::plain_name;
use crate::gateway::outputs;
use crate::gateway::protocols::{Protocol, limit_of};
use crate::llm::priced::{self, AnswerProblem, Known};
use crate::llm::prices::Table;
use crate::llm::usage::Usage;
use crate::llm::worst::{self, Demand, Limits, WorstProblem};
use crate::money::Usd;
use crate::ports::Clock;

/// How long a call waits for others to end: programs give up at ten minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// How often a call that waits looks by itself; other processes may spend from the same purse.
const LOOK: Duration = Duration::from_millis(200);

/// Bytes that a limit may add to a body.
const ROOM_FOR_LIMIT: u64 = 64;

/// Who spends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spender {
    pub(crate) role: Option<String>,
    pub(crate) task: Option<String>,
}

/// The money of a gateway.
pub(crate) struct Money {
    purse: Purse,
    table: Table,
    clock: Arc<dyn Clock>,
    /// The time, where it is fixed.
    now: Option<Timestamp>,
    spender: Spender,
    session: Mutex<Session>,
    /// Told whenever a call ends.
    ended: Condvar,
}

/// What this process alone knows.
struct Session {
    ledger: Ledger,
    next: u64,
    is_closed: bool,
}

/// What a request wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'r> {
    pub(crate) protocol: Protocol,
    pub(crate) model: &'r str,
    pub(crate) body: &'r Value,
    /// Bytes that are sent.
    pub(crate) length: u64,
}

/// A call that may be sent.
#[derive(Debug)]
pub(crate) struct Granted {
    ticket: Ticket,
    /// Its name in the ledger of the session.
    session: String,
    pub(crate) worst: Usd,
    /// How much it may write, where that is not what it asked for.
    pub(crate) limit: Option<u64>,
}

/// Why a call may not be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    /// It does not fit under a cap.
    #[error("{0}")]
    Reached(String),
    /// Nobody knows what it would cost at worst.
    #[error(transparent)]
    Unpriced(#[from] WorstProblem),
    /// The books cannot be kept.
    #[error(transparent)]
    Books(PurseProblem),
    #[error("the gateway ends")]
    Closed,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What it is charged with.
    pub(crate) usd: Usd,
    /// What was used; nothing where nobody knows.
    pub(crate) usage: Option<Usage>,
    /// As the answer names it.
    pub(crate) model: String,
    pub(crate) overshoot: Option<Usd>,
    pub(crate) alerts: Vec<Alert>,
}

impl Money {
    pub(crate) fn new(
        purse: Purse,
        table: Table,
        (clock, now): (Arc<dyn Clock>, Option<Timestamp>),
        spender: Spender,
        most: Option<Usd>,
    ) -> Self {
        let mut ledger = Ledger::new(None, vec![80, 95]);
        ledger.open(Account::Session, most, Usd::ZERO);
        Self {
            purse,
            table,
            clock,
            now,
            spender,
            session: Mutex::new(Session {
                ledger,
                next: 0,
                is_closed: false,
            }),
            ended: Condvar::new(),
        }
    }

    pub(crate) fn purse(&self) -> &Purse {
        &self.purse
    }

    pub(crate) fn price_table(&self) -> String {
        self.table.sha256.to_string()
    }

    /// Returns how the session stands.
    pub(crate) fn session_standing(&self) -> Standing {
        self.session().ledger.standing(&Account::Session)
    }

    /// Nobody waits any more.
    pub(crate) fn close(&self) {
        self.session().is_closed = true;
        self.ended.notify_all();
    }

    /// Puts aside what a call may cost at worst, waiting for others where that helps; a call that is too long by what it may write is
    /// shortened.
    pub(crate) fn reserve(&self, wanted: &Wanted<'_>) -> Result<Granted, Denied> {
        let at = self.at();
        let limits = Limits {
            context: Some(outputs::CONTEXT),
            output: Some(outputs::most(wanted.model)),
        };
        let length = wanted.length.saturating_add(ROOM_FOR_LIMIT);
        let flavor = wanted.protocol.flavor();
        let demand = worst::demand(wanted.body, length, flavor, limits)?;
        let mut call = Call {
            money: self,
            wanted,
            each: limit_of(wanted.protocol, wanted.body)
                .or(limits.output)
                .unwrap_or_default(),
            demand,
            limit: None,
            at,
        };
        let mut patience = PATIENCE;
        loop {
            let refused = match call.try_once()? {
                Ok(granted) => return Ok(granted),
                Err(refused) => refused,
            };
            if refused.would_fit_alone && patience > LOOK {
                self.wait()?;
                patience -= LOOK;
                continue;
            }
            let Some(room) = refused.room else {
                return Err(Denied::Reached(refused.words));
            };
            if !call.shorten(room)? {
                return Err(Denied::Reached(refused.words));
            }
        }
    }

    fn wait(&self) -> Result<(), Denied> {
        let session = self.session();
        let waited = self.ended.wait_timeout(session, LOOK);
        let (session, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if session.is_closed {
            return Err(Denied::Closed);
        }
        Ok(())
    }

    /// Writes what a call did cost: `body` has the model and the usage. What cannot be priced is charged whole.
    pub(crate) fn settle(
        &self,
        granted: Granted,
        (protocol, model): (Protocol, &str),
        body: &Value,
    ) -> Result<Ending, PurseProblem> {
        match self.bill((protocol, model), body) {
            Ok(bill) => {
                let settled = self.purse.settle(granted.ticket, &bill);
                let own = self.session().ledger.settle(&granted.session, bill.usd);
                self.ended.notify_all();
                let mut settled = settled?;
                settled
                    .alerts
                    .extend(own.map(|own| own.alerts).unwrap_or_default());
                Ok(Ending {
                    usd: bill.usd,
                    usage: Some(bill.usage),
                    model: bill.model,
                    overshoot: settled.overshoot,
                    alerts: settled.alerts,
                })
            }
            Err(problem) => self.charge_unknown(granted, model, &problem.to_string()),
        }
    }

    /// Charges all that was put aside.
    pub(crate) fn charge_unknown(
        &self,
        granted: Granted,
        model: &str,
        why: &str,
    ) -> Result<Ending, PurseProblem> {
        let settled = self.purse.charge_unknown(granted.ticket, why);
        let own = self.session().ledger.charge_unknown(&granted.session);
        self.ended.notify_all();
        let mut alerts = settled?.alerts;
        alerts.extend(own.map(|(_, alerts)| alerts).unwrap_or_default());
        Ok(Ending {
            usd: granted.worst,
            usage: None,
            model: plain_name(model.to_owned()),
            overshoot: None,
            alerts,
        })
    }

    /// Gives back what was put aside.
    pub(crate) fn release(&self, granted: Granted) -> Result<(), PurseProblem> {
        let released = self.purse.release(granted.ticket);
        let _given_back = self.session().ledger.release(&granted.session);
        self.ended.notify_all();
        released
    }

    fn bill(
        &self,
        (protocol, asked): (Protocol, &str),
        body: &Value,
    ) -> Result<Bill, AnswerProblem> {
        let known = Known {
            provider: Some(protocol.provider().name()),
            flavor: Some(protocol.flavor()),
            ..Known::default()
        };
        let price = |model| priced::price(&self.table, body, Known { model, ..known }, self.at());
        // A server may answer under a name of its own.
        let answer = price(None).or_else(|_| price(Some(asked)))?;
        Ok(Bill {
            model: plain_name(body["model"].as_str().unwrap_or(asked).to_owned()),
            usage: answer.usage,
            usd: answer.total,
            price_table: self.price_table(),
            request_id: body["id"].as_str().map(|id| plain_name(id.to_owned())),
        })
    }

    fn at(&self) -> Timestamp {
        self.now.unwrap_or_else(|| self.clock.now())
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a call does not fit now.
struct Refused {
    words: String,
    /// Whether it would if no other call were under way.
    would_fit_alone: bool,
    /// What it might cost if no other call were under way; nothing where that is not the point.
    room: Option<Usd>,
}

impl Refused {
    fn new(refusal: &Refusal, standing: Option<Standing>) -> Self {
        let (room, asked) = match refusal {
            Refusal::Call { cap, asked } => (Some(*cap), Some(*asked)),
            Refusal::Account { cap, asked, .. } => {
                let spent = standing.and_then(|all| all.settled.checked_add(all.unknown));
                (spent.and_then(|spent| cap.checked_sub(spent)), Some(*asked))
            }
            _ => (None, None),
        };
        Self {
            words: refusal.to_string(),
            would_fit_alone: room.zip(asked).is_some_and(|(room, asked)| asked <= room),
            room,
        }
    }
}

/// A call that asks for money.
struct Call<'m> {
    money: &'m Money,
    wanted: &'m Wanted<'m>,
    demand: Demand,
    /// How much each answer may write.
    each: u64,
    limit: Option<u64>,
    at: Timestamp,
}

impl Call<'_> {
    fn try_once(&mut self) -> Result<Result<Granted, Refused>, Denied> {
        let worst = self.worst(&self.demand)?;
        let money = self.money;
        let name = {
            let mut session = money.session();
            if session.is_closed {
                return Err(Denied::Closed);
            }
            session.next += 1;
            let name = session.next.to_string();
            let on = [Account::Session];
            if let Err(refusal) = session.ledger.reserve(&name, &on, worst) {
                let standing = session.ledger.standing(&Account::Session);
                return Ok(Err(Refused::new(&refusal, Some(standing))));
            }
            name
        };
        let planned = Planned {
            provider: self.wanted.protocol.provider().name().to_owned(),
            model: plain_name(self.wanted.model.to_owned()),
            role: money.spender.role.clone(),
            task: money.spender.task.clone(),
            worst,
        };
        let problem = match money.purse.reserve(&planned) {
            Ok(ticket) => {
                return Ok(Ok(Granted {
                    ticket,
                    session: name,
                    worst,
                    limit: self.limit,
                }));
            }
            Err(problem) => problem,
        };
        let _given_back = money.session().ledger.release(&name);
        match problem {
            PurseProblem::Refused(refusal) => {
                let standing = match &refusal {
                    Refusal::Account { account, .. } => {
                        Some(money.purse.standing(account).map_err(Denied::Books)?)
                    }
                    _ => None,
                };
                Ok(Err(Refused::new(&refusal, standing)))
            }
            problem @ (PurseProblem::Overshot { .. } | PurseProblem::Expired(_)) => {
                Err(Denied::Reached(problem.to_string()))
            }
            problem => Err(Denied::Books(problem)),
        }
    }

    fn worst(&self, demand: &Demand) -> Result<Usd, WorstProblem> {
        let provider = self.wanted.protocol.provider().name();
        let names = (provider, self.wanted.model);
        Ok(worst::of_demand(&self.money.table, names, demand, self.at)?)
    }

    /// Lets the call write less, so that it fits into a room; false where too little would be left.
    fn shorten(&mut self, room: Usd) -> Result<bool, WorstProblem> {
        let answers = ["n", "best_of"].iter();
        let answers = answers.filter_map(|field| self.wanted.body[*field].as_u64());
        let answers = answers.max().unwrap_or(1).max(1);
        let with = |each: u64| {
            let less = (self.each - each).saturating_mul(answers);
            Demand {
                output_tokens: self.demand.output_tokens.saturating_sub(less),
                ..self.demand
            }
        };
        // What fits is found by halves: the price rises with what is written.
        let (mut fits, mut high) = (0, self.each);
        while fits < high {
            let middle = fits + (high - fits).div_ceil(2);
            if self.worst(&with(middle))? <= room {
                fits = middle;
            } else {
                high = middle - 1;
            }
        }
        if fits >= self.each || fits < self.least() {
            return Ok(false);
        }
        self.demand = with(fits);
        self.each = fits;
        self.limit = Some(fits);
        Ok(true)
    }

    /// Returns how much an answer must be allowed to write to be of use.
    fn least(&self) -> u64 {
        let thought = self.wanted.body["thinking"]["budget_tokens"].as_u64();
        outputs::LEAST.saturating_add(thought.unwrap_or(0))
    }
}
