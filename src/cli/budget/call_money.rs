//! The money of `budget call`: what an attempt may cost is put aside before, and billed after.

use jiff::Timestamp;
use serde_json::Value;

use crate::budget::ledger::{Account, Ledger, Refusal, Settled};
use crate::conduct::model::Till;
use crate::conduct::purse::{Bill, Planned, Purse, PurseProblem, Ticket};
use crate::error::{CommandError, ErrorKind};
use crate::llm::priced::{self, AnswerProblem, Known};
use crate::llm::prices::Table;
use crate::llm::reply::Answer;
use crate::llm::usage::{self, Flavor, Usage};
use crate::llm::worst::{self, Limits, WorstProblem};
use crate::money::Usd;

/// What was paid for an answer.
#[derive(Debug, Clone)]
pub(super) struct Paid {
    /// As the table of prices names the model.
    pub(super) priced_as: String,
    pub(super) usd: Usd,
}

/// The money of a call.
pub(super) struct Money<'t> {
    pub(super) table: &'t Table,
    provider: String,
    model: String,
    flavor: Flavor,
    at: Timestamp,
    /// Of this command alone.
    ledger: Ledger,
    count: u64,
    /// Of the run.
    pub(super) purse: Option<Purse>,
    pub(super) role: Option<String>,
    pub(super) task: Option<String>,
    /// What settling told.
    pub(super) told: Vec<Settled>,
    /// Whether it costs anything.
    pub(super) is_priced: bool,
    /// What an attempt may cost at worst.
    pub(super) worst: Option<Usd>,
    pub(super) usage: Option<Usage>,
    pub(super) paid: Option<Paid>,
    /// What is charged for attempts whose bill nobody knows.
    pub(super) unknown: Usd,
    /// Why the answer has no bill.
    pub(super) unbilled: Option<String>,
}

/// Why there is no money.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum MoneyProblem {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Purse(#[from] PurseProblem),
}

impl<'t> Money<'t> {
    pub(super) fn new(
        table: &'t Table,
        (provider, model): (&str, &str),
        flavor: Flavor,
        most: Option<Usd>,
        at: Timestamp,
    ) -> Self {
        let mut ledger = Ledger::new(None, Vec::new());
        ledger.open(account(), most, Usd::ZERO);
        Self {
            table,
            provider: provider.to_owned(),
            model: model.to_owned(),
            flavor,
            at,
            ledger,
            count: 0,
            purse: None,
            role: None,
            task: None,
            told: Vec::new(),
            is_priced: true,
            worst: None,
            usage: None,
            paid: None,
            unknown: Usd::ZERO,
            unbilled: None,
        }
    }

    /// Says what an attempt may cost at worst.
    pub(super) fn plan(&mut self, body: &Value, length: u64) -> Result<(), WorstProblem> {
        let names = (self.provider.as_str(), self.model.as_str());
        let limits = Limits::default();
        let request = (body, length, self.flavor);
        self.worst = Some(worst::of_request(
            self.table, names, request, limits, self.at,
        )?);
        Ok(())
    }

    fn bill(&self, body: &Value) -> Result<(Usage, Paid), AnswerProblem> {
        let known = |model| Known {
            provider: Some(&self.provider),
            flavor: Some(self.flavor),
            model,
            at: None,
        };
        let named = body["model"].is_null().then_some(self.model.as_str());
        let price = |model| priced::price(self.table, body, known(model), self.at);
        // Servers in between have names of their own for models.
        let answer = price(named).or_else(|_| price(Some(&self.model)))?;
        let paid = Paid {
            priced_as: answer.priced_as.id.clone(),
            usd: answer.total,
        };
        Ok((answer.usage, paid))
    }
}

/// What was put aside for an attempt.
pub(super) struct Held {
    id: String,
    ticket: Option<Ticket>,
}

impl Till for Money<'_> {
    /// Nothing where nothing is counted.
    type Ticket = Option<Held>;
    type Problem = MoneyProblem;

    fn reserve(&mut self) -> Result<Option<Held>, MoneyProblem> {
        let Some(worst) = self.worst else {
            return Ok(None);
        };
        self.count += 1;
        let id = self.count.to_string();
        self.ledger.reserve(&id, &[account()], worst)?;
        let planned = Planned {
            provider: self.provider.clone(),
            model: self.model.clone(),
            role: self.role.clone(),
            task: self.task.clone(),
            worst,
        };
        let ticket = match &self.purse {
            Some(purse) => Some(purse.reserve(&planned)?),
            None => None,
        };
        Ok(Some(Held { id, ticket }))
    }

    fn settle(&mut self, held: Option<Held>, answer: &Answer) -> Result<(), MoneyProblem> {
        let body = answer.for_billing();
        if !self.is_priced {
            self.usage = usage::read(&body, self.flavor).ok();
            return Ok(());
        }
        let (used, paid) = match self.bill(&body) {
            Ok(bill) => bill,
            Err(why) => {
                let why = why.to_string();
                self.usage = usage::read(&body, self.flavor).ok();
                self.unknown(held, &why)?;
                self.unbilled = Some(why);
                return Ok(());
            }
        };
        if let Some(held) = held {
            self.told.extend(self.ledger.settle(&held.id, paid.usd));
            let bill = Bill {
                model: answer.model.clone().unwrap_or_else(|| self.model.clone()),
                usage: used,
                usd: paid.usd,
                price_table: self.table.sha256.to_string(),
                request_id: answer.id.clone(),
            };
            if let (Some(purse), Some(ticket)) = (&self.purse, held.ticket) {
                self.told = vec![purse.settle(ticket, &bill)?];
            }
        }
        self.usage = Some(used);
        self.paid = Some(paid);
        Ok(())
    }

    fn unknown(&mut self, held: Option<Held>, why: &str) -> Result<(), MoneyProblem> {
        let Some(held) = held else { return Ok(()) };
        let worst = self.worst.unwrap_or(Usd::ZERO);
        self.unknown = self.unknown.saturating_add(worst);
        self.ledger.charge_unknown(&held.id);
        if let (Some(purse), Some(ticket)) = (&self.purse, held.ticket) {
            self.told.push(purse.charge_unknown(ticket, why)?);
        }
        Ok(())
    }

    fn release(&mut self, held: Option<Held>) -> Result<(), MoneyProblem> {
        let Some(held) = held else { return Ok(()) };
        self.ledger.release(&held.id);
        if let (Some(purse), Some(ticket)) = (&self.purse, held.ticket) {
            purse.release(ticket)?;
        }
        Ok(())
    }
}

/// What `--max-usd` is on.
fn account() -> Account {
    Account::Task("of this call".to_owned())
}

impl From<MoneyProblem> for CommandError {
    fn from(problem: MoneyProblem) -> Self {
        match problem {
            MoneyProblem::Refused(_) => Self::new(ErrorKind::Budget, problem)
                .hint("the attempt was not made; allow more with `--max-usd`, or less output with `--max-tokens`"),
            MoneyProblem::Purse(problem) => problem.into(),
        }
    }
}
