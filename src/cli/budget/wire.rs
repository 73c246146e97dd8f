//! The documents of `budget price`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::llm::prices::{Bill, Model, Table};
use crate::llm::usage::Usage;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};

/// What an answer costs. Every amount is an exact decimal in US dollars.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.price/v1"))]
pub(crate) struct PriceDocument {
    /// `maestro.price/v1`
    schema: &'static str,
    /// The `id` of the batch's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    provider: String,
    /// As the answer names it.
    model: String,
    /// As the table of prices names it.
    priced_as: String,
    usage: UsageRow,
    /// Of all input.
    input_usd: String,
    /// Of all output.
    output_usd: String,
    /// Of searches, and of the request itself.
    other_usd: String,
    /// `input_usd`, `output_usd` and `other_usd` together.
    total_usd: String,
    /// Other models that took part in the answer, as advisors do.
    other_models: Vec<OtherRow>,
    /// `total_usd`, and what the other models cost: what the provider bills.
    bill_usd: String,
    /// SHA-256 of the table of prices.
    price_table_sha256: String,
    #[serde(skip)]
    bill: Usd,
}

/// What was used. No token is counted twice, but for reasoning, which is part of the output.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct UsageRow {
    /// All input: `net_input_tokens`, what was read from the cache and written to it, and audio.
    pub(super) input_tokens: u64,
    net_input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_5m_tokens: u64,
    cache_write_1h_tokens: u64,
    input_audio_tokens: u64,
    /// All output: text, and audio.
    pub(super) output_tokens: u64,
    output_audio_tokens: u64,
    /// Part of `output_tokens`.
    reasoning_tokens: u64,
    web_searches: u64,
}

/// Another model inside an answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OtherRow {
    model: String,
    usage: UsageRow,
    total_usd: String,
}

impl From<&Usage> for UsageRow {
    fn from(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens().unwrap_or(u64::MAX),
            net_input_tokens: usage.net_input_tokens,
            cache_read_tokens: usage.cache_read_tokens,
            cache_write_5m_tokens: usage.cache_write_5m_tokens,
            cache_write_1h_tokens: usage.cache_write_1h_tokens,
            input_audio_tokens: usage.input_audio_tokens,
            output_tokens: usage
                .output_tokens
                .saturating_add(usage.output_audio_tokens),
            output_audio_tokens: usage.output_audio_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            web_searches: usage.web_searches,
        }
    }
}

impl PriceDocument {
    pub(super) fn new(
        id: Option<Value>,
        table: &Table,
        (provider, name): (&str, &str),
        model: &Model,
        (usage, bill): (&Usage, &Bill),
    ) -> Self {
        Self {
            schema: "maestro.price/v1",
            id,
            provider: provider.to_owned(),
            model: name.to_owned(),
            priced_as: model.id.clone(),
            usage: usage.into(),
            input_usd: bill.input.to_string(),
            output_usd: bill.output.to_string(),
            other_usd: bill.other.to_string(),
            total_usd: bill.total.to_string(),
            other_models: Vec::new(),
            bill_usd: bill.total.to_string(),
            price_table_sha256: table.sha256.to_string(),
            bill: bill.total,
        }
    }

    /// Adds what another model did; nothing when that is more than can be counted.
    pub(super) fn add_other(&mut self, name: &str, usage: &Usage, bill: &Bill) -> Option<()> {
        self.bill = self.bill.checked_add(bill.total)?;
        self.bill_usd = self.bill.to_string();
        self.other_models.push(OtherRow {
            model: name.to_owned(),
            usage: usage.into(),
            total_usd: bill.total.to_string(),
        });
        Some(())
    }
}

impl Report for PriceDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "{} of {}: ${}",
            self.model, self.provider, self.bill_usd
        ));
        let rows = [
            ("Input", self.usage.input_tokens, &self.input_usd),
            ("Output", self.usage.output_tokens, &self.output_usd),
        ];
        let mut rows: Vec<Vec<Cell>> = rows
            .into_iter()
            .map(|(what, tokens, usd)| {
                vec![
                    Cell::plain(what),
                    Cell::plain(tokens.to_string()),
                    Cell::plain(format!("${usd}")),
                ]
            })
            .collect();
        if self.other_usd != "0" {
            rows.push(vec![
                Cell::plain("Searches, requests"),
                Cell::plain(""),
                Cell::plain(format!("${}", self.other_usd)),
            ]);
        }
        for other in &self.other_models {
            let tokens = other
                .usage
                .input_tokens
                .saturating_add(other.usage.output_tokens);
            rows.push(vec![
                Cell::code(&other.model),
                Cell::plain(tokens.to_string()),
                Cell::plain(format!("${}", other.total_usd)),
            ]);
        }
        page.table(
            vec![
                Column::left("What"),
                Column::right("Tokens"),
                Column::right("USD"),
            ],
            rows,
        );
        page
    }
}

/// A line of a batch, priced or not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub(crate) enum Row {
    Priced(Box<PriceDocument>),
    Failed(FailedRow),
}

/// A line that could not be priced.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FailedRow {
    /// `maestro.price-failed/v1`
    schema: &'static str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    /// The line of the batch.
    line: u64,
    /// Why.
    error: String,
}

impl Row {
    pub(super) fn failed(id: Option<Value>, line: u64, error: &str) -> Self {
        Self::Failed(FailedRow {
            schema: "maestro.price-failed/v1",
            id,
            line,
            error: error.to_owned(),
        })
    }
}

/// What many answers cost.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.price-batch/v1"))]
pub(crate) struct BatchDocument {
    /// `maestro.price-batch/v1`
    schema: &'static str,
    /// In order of the batch's lines.
    rows: Vec<Row>,
    /// Lines that could not be priced.
    failed: u64,
    /// What the others cost together; nothing when that is more than can be counted.
    bill_usd: Option<String>,
    /// SHA-256 of the table of prices.
    price_table_sha256: String,
}

impl BatchDocument {
    pub(super) fn new(table: &Table, rows: Vec<Row>) -> Self {
        let failed = rows
            .iter()
            .filter(|row| matches!(row, Row::Failed(_)))
            .count();
        let bills = rows.iter().filter_map(|row| match row {
            Row::Priced(document) => Some(document.bill),
            Row::Failed(_) => None,
        });
        let bill = bills.into_iter().try_fold(Usd::ZERO, Usd::checked_add);
        Self {
            schema: "maestro.price-batch/v1",
            failed: failed as u64,
            bill_usd: bill.map(|bill| bill.to_string()),
            price_table_sha256: table.sha256.to_string(),
            rows,
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Report for BatchDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.rows {
            serde_json::to_writer(&mut *out, row).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let bill = self.bill_usd.as_deref().unwrap_or("?");
        page.text(format!(
            "{} answers: ${bill}; {} could not be priced.",
            self.rows.len(),
            self.failed
        ));
        let rows = self.rows.iter().map(|row| match row {
            Row::Priced(one) => vec![
                Cell::code(&one.model),
                Cell::plain(one.usage.input_tokens.to_string()),
                Cell::plain(one.usage.output_tokens.to_string()),
                Cell::plain(format!("${}", one.bill_usd)),
            ],
            Row::Failed(one) => vec![
                Cell::code(format!("line {}", one.line)),
                Cell::plain(""),
                Cell::plain(""),
                Cell::code(&one.error),
            ],
        });
        page.table(
            vec![
                Column::left("Model"),
                Column::right("Input"),
                Column::right("Output"),
                Column::right("USD"),
            ],
            rows.collect(),
        );
        page
    }
}
