//! What one answer of a provider costs, read from its body.

use jiff::Timestamp;
use serde_json::Value;

use super::prices::{Bill, Model, PriceProblem, Table};
use super::usage::{self, Flavor, Usage, UsageProblem};
use crate::money::Usd;

/// What is known of an answer beside its body.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'k> {
    pub(crate) provider: Option<&'k str>,
    pub(crate) flavor: Option<Flavor>,
    pub(crate) model: Option<&'k str>,
    /// The time of the prices, whatever the answer says.
    pub(crate) at: Option<Timestamp>,
}

/// An answer with its price.
#[derive(Debug)]
pub(crate) struct Answer<'t> {
    pub(crate) provider: String,
    /// As the answer names it.
    pub(crate) model: String,
    pub(crate) priced_as: &'t Model,
    pub(crate) usage: Usage,
    pub(crate) bill: Bill,
    /// Other models that took part.
    pub(crate) others: Vec<(String, Usage, Bill)>,
    /// Of all models together.
    pub(crate) total: Usd,
}

/// Why an answer has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnswerProblem {
    #[error("it names no provider")]
    NoProvider,
    #[error("its fields tell no form of an answer")]
    NoFlavor,
    #[error("it names no model")]
    NoModel,
    #[error(transparent)]
    Usage(#[from] UsageProblem),
    #[error(transparent)]
    Price(#[from] PriceProblem),
}

/// Prices an answer. What is known counts before what the body says.
pub(crate) fn price<'t>(
    table: &'t Table,
    body: &Value,
    known: Known<'_>,
    now: Timestamp,
) -> Result<Answer<'t>, AnswerProblem> {
    let provider = known.provider.ok_or(AnswerProblem::NoProvider)?;
    let flavor = known.flavor.or_else(|| Flavor::of(body));
    let used = usage::read(body, flavor.ok_or(AnswerProblem::NoFlavor)?)?;
    let own = body["model"]
        .as_str()
        .or_else(|| body["response"]["model"].as_str());
    let name = known.model.or(own).ok_or(AnswerProblem::NoModel)?;
    let at = known.at.or_else(|| created(body)).unwrap_or(now);
    let (payee, priced_as) = table.model(provider, name)?;
    let bill = payee.bill(priced_as, &used, at)?;
    let mut total = bill.total;
    let mut others = Vec::new();
    for (name, used) in usage::others(body)? {
        let (payee, model) = table.model(provider, &name)?;
        let bill = payee.bill(model, &used, at)?;
        let sum = total.checked_add(bill.total);
        total = sum.ok_or(PriceProblem::TooLarge)?;
        others.push((name, used, bill));
    }
    Ok(Answer {
        provider: provider.to_owned(),
        model: name.to_owned(),
        priced_as,
        usage: used,
        bill,
        others,
        total,
    })
}

/// Returns when an answer was made, where it says so.
fn created(body: &Value) -> Option<Timestamp> {
    let seconds = ["created", "created_at"]
        .iter()
        .find_map(|key| body[key].as_i64())?;
    Timestamp::from_second(seconds).ok()
}
