//! The document of `gateway`: the bill.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::conduct::gateway::Gateway;
use crate::conduct::gateway::tally::{Count, Row};
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It served until it was told to end, or nothing was asked.
    Served,
    /// The command's exit code.
    Exited(i32),
    /// The signal that ended the command.
    Killed(i32),
}

/// What went through a gateway, and what it costs. Every amount is an exact decimal in US dollars.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.gateway/v1"))]
pub(crate) struct GatewayDocument {
    /// `maestro.gateway/v1`
    schema: &'static str,
    /// Whether a cap refused a request.
    stopped_by_budget: bool,
    /// The command's exit code; nothing without a command, or when a signal ended it.
    command_exit: Option<i32>,
    /// Calls that are charged.
    calls: u64,
    /// Of these, the ones whose bill nobody knows; they are charged with all that was put aside.
    unknown_calls: u64,
    /// Requests that a cap refused.
    refused: u64,
    /// Requests that were turned away because nobody could say what they cost, or because they are not passed on.
    turned_away: u64,
    /// Calls that were allowed to write less than they asked for.
    shortened: u64,
    /// Calls that were passed on without a search of the web that has no limit.
    without_search: u64,
    /// Requests that were passed on and cost nothing.
    free: u64,
    /// What bills say.
    settled_usd: String,
    /// What was put aside for calls whose bill nobody knows.
    unknown_usd: String,
    /// Both together.
    total_usd: String,
    /// `--max-usd`.
    max_usd: Option<String>,
    /// How much bills were above what was put aside.
    overshoot_usd: Option<String>,
    /// What each model costs.
    models: Vec<ModelRow>,
    /// Shares of caps that were reached.
    alerts: Vec<AlertRow>,
    /// SHA-256 of the table of prices.
    price_table_sha256: String,
}

/// What one model costs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ModelRow {
    provider: &'static str,
    /// As the answers name it.
    model: String,
    calls: u64,
    unknown_calls: u64,
    /// All input, of the calls that are known.
    input_tokens: u64,
    /// Part of `input_tokens`.
    cache_read_tokens: u64,
    output_tokens: u64,
    usd: String,
}

/// A share of a cap.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct AlertRow {
    /// What the cap is on.
    account: String,
    /// In hundredths of the cap.
    share: u8,
}

impl GatewayDocument {
    pub(super) fn new(gateway: &Gateway, ending: Ending) -> Self {
        let money = gateway.money();
        let count = gateway.tally().get();
        let total = count.settled_usd.saturating_add(count.unknown_usd);
        let sum = |of: fn(&Row) -> u64| count.models.values().map(of).sum();
        Self {
            schema: "maestro.gateway/v1",
            stopped_by_budget: count.refused > 0,
            command_exit: match ending {
                Ending::Exited(code) => Some(code),
                Ending::Served | Ending::Killed(_) => None,
            },
            calls: sum(|row| row.calls),
            unknown_calls: sum(|row| row.unknown),
            refused: count.refused,
            turned_away: count.turned_away,
            shortened: count.shortened,
            without_search: count.without_search,
            free: count.free,
            settled_usd: count.settled_usd.to_string(),
            unknown_usd: count.unknown_usd.to_string(),
            total_usd: total.to_string(),
            max_usd: money.session_standing().cap.map(|cap| cap.to_string()),
            overshoot_usd: count.overshoot_usd.as_ref().map(Usd::to_string),
            alerts: alerts(&count),
            price_table_sha256: money.price_table(),
            models: rows(count),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped_by_budget
    }
}

fn alerts(count: &Count) -> Vec<AlertRow> {
    let alerts = count.alerts.iter().map(|alert| AlertRow {
        account: alert.account.to_string(),
        share: alert.share,
    });
    alerts.collect()
}

fn rows(count: Count) -> Vec<ModelRow> {
    let rows = count.models.into_iter();
    rows.map(|((provider, model), row)| ModelRow {
        provider,
        model,
        calls: row.calls,
        unknown_calls: row.unknown,
        input_tokens: row.input_tokens,
        cache_read_tokens: row.cache_read_tokens,
        output_tokens: row.output_tokens,
        usd: row.usd.to_string(),
    })
    .collect()
}

impl Report for GatewayDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let mut words = format!("{} calls, ${}", self.calls, self.total_usd);
        if self.unknown_calls > 0 {
            words.push_str(&format!(
                ", of which {} calls with ${} that nobody knows the bill of",
                self.unknown_calls, self.unknown_usd
            ));
        }
        if let Some(most) = &self.max_usd {
            words.push_str(&format!("; at most ${most}"));
        }
        if let Some(over) = &self.overshoot_usd {
            words.push_str(&format!("; ${over} above what was put aside"));
        }
        page.text(words + ".");
        if self.stopped_by_budget {
            page.text(format!(
                "Stopped by the budget: {} requests refused.",
                self.refused
            ));
        }
        for alert in &self.alerts {
            page.text(format!(
                "{} % of the cap of {} is reached.",
                alert.share, alert.account
            ));
        }
        let rows = self.models.iter().map(|row| {
            vec![
                Cell::code(&row.model),
                Cell::plain(row.calls.to_string()),
                Cell::plain(row.input_tokens.to_string()),
                Cell::plain(row.cache_read_tokens.to_string()),
                Cell::plain(row.output_tokens.to_string()),
                Cell::plain(format!("${}", row.usd)),
            ]
        });
        if !self.models.is_empty() {
            page.table(
                vec![
                    Column::left("Model"),
                    Column::right("Calls"),
                    Column::right("Input"),
                    Column::right("From cache"),
                    Column::right("Output"),
                    Column::right("USD"),
                ],
                rows.collect(),
            );
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("usd".to_owned(), self.total_usd.clone()),
            ("calls".to_owned(), self.calls.to_string()),
            (
                "stopped_by_budget".to_owned(),
                self.stopped_by_budget.to_string(),
            ),
        ]
    }
}
