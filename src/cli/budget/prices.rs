//! `maestro budget prices`

mod diff;
mod import;

#[cfg(test)]
pub(crate) use diff::PricesDiffDocument;
#[cfg(test)]
pub(crate) use import::PricesImportDocument;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::llm::prices::rates::Rates;
use crate::llm::prices::{Model, Table};
use crate::output::{Cell, Column, Page, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    Show(ShowArgs),
    Import(import::ImportArgs),
    Diff(diff::DiffArgs),
}

/// Show what models cost
///
/// Dollars a million tokens, as they hold today or at `--at`. A request with much input may cost more; that is the second line of a model.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Everything that has a price
    $ maestro budget prices show

  One provider, for a program
    $ maestro budget prices show --provider anthropic --format json")]
pub(crate) struct ShowArgs {
    /// Only this provider
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// Prices as of this time
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session<'_>, command: &PricesCommand) -> CommandResult {
    let args = match command {
        PricesCommand::Show(args) => args,
        PricesCommand::Import(args) => return import::run(session, args),
        PricesCommand::Diff(args) => return diff::run(session, args),
    };
    let table = super::table_in_use(session, args.prices.as_deref())?;
    let at = args.at.unwrap_or_else(|| session.now());
    let document = PricesDocument::new(&table, args.provider.as_deref(), at);
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// What models cost at a time.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-prices/v1"))]
pub(crate) struct PricesDocument {
    /// `maestro.budget-prices/v1`
    schema: &'static str,
    /// Where the figures are from.
    source: String,
    /// The day of the figures.
    date: String,
    /// SHA-256 of the table.
    sha256: String,
    models: Vec<ModelRow>,
}

/// What a model costs, in US dollars a million tokens.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ModelRow {
    provider: String,
    model: String,
    /// For requests with more input than this.
    above_tokens: u64,
    input: Option<String>,
    cache_read: Option<String>,
    cache_write: Option<String>,
    output: Option<String>,
}

impl PricesDocument {
    fn new(table: &Table, only: Option<&str>, at: Timestamp) -> Self {
        let providers = table.providers.iter();
        let wanted = providers.filter(|provider| only.is_none_or(|only| only == provider.id));
        let models = wanted.flat_map(|provider| {
            let rows = provider.models.iter().flat_map(|model| rows(model, at));
            rows.map(|row| ModelRow {
                provider: provider.id.clone(),
                ..row
            })
        });
        Self {
            schema: "maestro.budget-prices/v1",
            source: table.source.clone(),
            date: table.date.clone(),
            sha256: table.sha256.to_string(),
            models: models.collect(),
        }
    }
}

fn rows(model: &Model, at: Timestamp) -> Vec<ModelRow> {
    let rates = model.rates(at);
    let million = |kind: usize, input: u64| {
        let token = rates.of(kind, input)?;
        Some(token.times(1_000_000)?.to_string())
    };
    let row = |above: u64| ModelRow {
        provider: String::new(),
        model: model.id.clone(),
        above_tokens: above,
        input: million(Rates::INPUT, above.saturating_add(1)),
        cache_read: million(Rates::CACHE_READ, above.saturating_add(1)),
        cache_write: million(Rates::CACHE_WRITE, above.saturating_add(1)),
        output: million(Rates::OUTPUT, above.saturating_add(1)),
    };
    let starts = [0].into_iter().chain(rates.starts());
    starts.map(row).collect()
}

impl Report for PricesDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "Dollars a million tokens. From {}, {}.",
            self.source, self.date
        ));
        let shown = |price: &Option<String>| Cell::plain(price.as_deref().unwrap_or("–"));
        let rows = self.models.iter().map(|row| {
            let name = match row.above_tokens {
                0 => row.model.clone(),
                above => format!("{} above {above} tokens", row.model),
            };
            vec![
                Cell::plain(&row.provider),
                Cell::code(name),
                shown(&row.input),
                shown(&row.cache_read),
                shown(&row.cache_write),
                shown(&row.output),
            ]
        });
        page.table(
            vec![
                Column::left("Provider"),
                Column::left("Model"),
                Column::right("Input"),
                Column::right("Cache read"),
                Column::right("Cache write"),
                Column::right("Output"),
            ],
            rows.collect(),
        );
        page
    }
}
