//! The documents of `budget call`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::call_money::Money;
use super::wire::UsageRow;
use crate::conduct::model::Asked;
use crate::json;
use crate::llm::endpoint::Endpoint;
use crate::llm::reply::Stop;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};
use crate::prompts::output_schema;

/// What a model answered, and what it cost.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.call/v1"))]
pub(crate) struct CallDocument {
    /// `maestro.call/v1`
    schema: &'static str,
    /// As `--provider` names it; empty for a server that has no name.
    provider: String,
    /// What was spoken: `messages`, `chat` or `responses`.
    api_flavor: &'static str,
    /// As the answer names it, or as it was asked for.
    model: String,
    /// The provider's name for the answer.
    id: Option<String>,
    /// The provider's name for the exchange.
    request_id: Option<String>,
    text: String,
    /// The text, read as JSON, where `--schema` wants some; null when it is none.
    json: Option<Value>,
    /// Where it does not fit `--schema`, such as `tasks[2].files: expected an array, found a string`; ten at most.
    mismatches: Vec<String>,
    tool_calls: Vec<ToolCallRow>,
    /// Why it ended: `end`, `max_tokens`, `tools`, `refusal`, `paused`, `other`.
    stop: &'static str,
    attempts: u32,
    /// Why attempts before the last one failed.
    failed_attempts: Vec<String>,
    /// Whether it was played from a folder: then nobody was asked, and nothing was spent.
    is_replayed: bool,
    /// Nothing where the provider does not say.
    usage: Option<UsageRow>,
    /// As the table of prices names the model.
    priced_as: Option<String>,
    /// What the provider bills for the answer; nothing where nobody knows.
    bill_usd: Option<String>,
    /// What was put aside for an attempt.
    worst_usd: Option<String>,
    /// What is charged for attempts whose bill nobody knows.
    unknown_usd: String,
    /// SHA-256 of the table of prices.
    price_table_sha256: String,
    #[serde(skip)]
    unbilled: Option<String>,
    #[serde(skip)]
    wants_json: bool,
    #[serde(skip)]
    unchecked: Vec<String>,
}

/// What the model wants done.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ToolCallRow {
    id: String,
    name: String,
    /// As the model wrote them; JSON, if it did as it was told.
    arguments: String,
}

/// What is known of a call beside its answer.
pub(super) struct Facts {
    pub(super) provider: String,
    pub(super) flavor: &'static str,
    pub(super) requested: String,
    /// What the answer must look like.
    pub(super) wanted: Option<Value>,
    pub(super) was_replayed: bool,
}

impl CallDocument {
    pub(super) fn new(facts: Facts, asked: &Asked, money: &Money<'_>) -> Self {
        let answer = &asked.answer;
        let text = answer.text();
        let calls = answer.calls().map(|call| ToolCallRow {
            id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        });
        let json = facts.wanted.as_ref().and_then(|_| json::read(&text).ok());
        let unchecked = facts
            .wanted
            .as_ref()
            .map(output_schema::faults)
            .unwrap_or_default();
        let mismatches = match (&facts.wanted, &json) {
            (Some(schema), Some(json)) if unchecked.is_empty() => {
                output_schema::check(schema, json).err()
            }
            _ => None,
        };
        Self {
            schema: "maestro.call/v1",
            provider: facts.provider,
            api_flavor: facts.flavor,
            model: answer.model.clone().unwrap_or(facts.requested),
            id: answer.id.clone(),
            request_id: asked.request_id.clone(),
            json,
            mismatches: mismatches.unwrap_or_default(),
            tool_calls: calls.collect(),
            stop: answer.stop.name(),
            attempts: asked.attempts,
            failed_attempts: asked.failed.clone(),
            is_replayed: facts.was_replayed,
            usage: money.usage.as_ref().map(Into::into),
            priced_as: money.paid.as_ref().map(|paid| paid.priced_as.clone()),
            bill_usd: money.paid.as_ref().map(|paid| paid.usd.to_string()),
            worst_usd: money.worst.map(|worst| worst.to_string()),
            unknown_usd: money.unknown.to_string(),
            price_table_sha256: money.table.sha256.to_string(),
            unbilled: money.unbilled.clone(),
            wants_json: facts.wanted.is_some(),
            unchecked,
            text,
        }
    }

    /// Says why the answer is other than `--schema` asks for.
    pub(super) fn is_other_than_asked(&self) -> Option<String> {
        if self.wants_json && self.json.is_none() {
            return Some("the answer is no JSON, although `--schema` asks for some".to_owned());
        }
        let (first, others) = self.mismatches.split_first()?;
        let others = match others.len() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        Some(format!(
            "the answer does not fit `--schema`: {first}{others}"
        ))
    }

    /// Returns what somebody should know.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.stop == Stop::MaxTokens.name() {
            warnings.push(
                "the answer is cut at the most tokens that were asked for (`--max-tokens`)"
                    .to_owned(),
            );
        }
        if let Some(fault) = self.unchecked.first() {
            warnings.push(format!("whether the answer fits `--schema` was not checked, because the schema has what is not known here: {fault}"));
        }
        if let Some(why) = &self.unbilled {
            let charge = match &self.worst_usd {
                Some(worst) => format!("it counts as ${worst}"),
                None => "it has no bill".to_owned(),
            };
            warnings.push(format!(
                "nobody can say what the answer costs, so that {charge}: {why}"
            ));
        }
        warnings
    }
}

impl Report for CallDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if !self.text.is_empty() {
            page.text(self.text.clone());
        }
        if !self.tool_calls.is_empty() {
            let columns = vec![Column::left("call"), Column::left("arguments")];
            let rows = self.tool_calls.iter().map(|call| {
                vec![
                    Cell::plain(call.name.clone()),
                    Cell::plain(call.arguments.clone()),
                ]
            });
            page.table(columns, rows.collect());
        }
        let bill = match (&self.bill_usd, self.is_replayed) {
            (_, true) => "played again: nothing was spent".to_owned(),
            (Some(bill), _) => format!("${bill}"),
            (None, _) => "unpriced".to_owned(),
        };
        let used = match &self.usage {
            Some(usage) => format!(
                "{} tokens of input, {} of output",
                usage.input_tokens, usage.output_tokens
            ),
            None => "the provider does not say what was used".to_owned(),
        };
        page.text(format!("{}: {bill} ({used})", self.model));
        page
    }
}

/// What would be sent, and what it may cost.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.call-plan/v1"))]
pub(crate) struct CallPlanDocument {
    /// `maestro.call-plan/v1`
    schema: &'static str,
    provider: String,
    api_flavor: &'static str,
    url: String,
    /// The body of the request.
    request: Value,
    /// What an attempt may cost at worst; nothing where nothing is counted.
    worst_usd: Option<String>,
}

impl CallPlanDocument {
    pub(super) fn new(provider: &str, endpoint: &Endpoint, body: &str, worst: Option<Usd>) -> Self {
        Self {
            schema: "maestro.call-plan/v1",
            provider: provider.to_owned(),
            api_flavor: endpoint.protocol.name(),
            url: endpoint.url.clone(),
            request: json::read(body).unwrap_or_default(),
            worst_usd: worst.map(|worst| worst.to_string()),
        }
    }
}

impl Report for CallPlanDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(match &self.worst_usd {
            Some(worst) => format!("POST {}: ${worst} at worst", self.url),
            None => format!("POST {}: unpriced", self.url),
        });
        page.text(json::pretty(&self.request).unwrap_or_default());
        page
    }
}
