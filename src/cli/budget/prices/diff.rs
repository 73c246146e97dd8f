//! `maestro budget prices diff`

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::llm::prices::Table;
use crate::llm::prices::diff::{Change, Names, compare};
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report, Tone};

/// Say what changed between two tables of prices
///
/// The old one is the table in use (`--prices`, `models.prices`, or the built-in one), the new one that of `--with`. Without `--with` the built-in table is compared with
/// the one in use. Dollars a million tokens, as they hold today or at `--at`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What a new table would change
    $ maestro budget prices diff --with prices.json

  How the repository's own table differs from the built-in one
    $ maestro budget prices diff --prices prices.json")]
pub(crate) struct DiffArgs {
    /// The new table
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,

    /// The table in use
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Prices as of this time
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(session: &mut Session<'_>, args: &DiffArgs) -> CommandResult {
    let has_own = args.prices.is_some() || session.config.models.prices.is_some();
    let in_use = super::super::table_in_use(session, args.prices.as_deref())?;
    let (old, new) = match &args.with {
        Some(path) => (in_use, super::super::table(session, Some(path))?),
        None if has_own => {
            let built_in = Table::built_in();
            let built_in = built_in.map_err(CommandError::internal)?;
            (built_in, in_use)
        }
        None => {
            return Err(CommandError::message(
                ErrorKind::Usage,
                "there is only one table, the built-in one",
            )
            .hint("name another one with `--with FILE`, or set `models.prices`"));
        }
    };
    let at = args.at.unwrap_or_else(|| session.now());
    session.render(&PricesDiffDocument::new(&old, &new, at))?;
    Ok(ExitCode::Success)
}

/// What changed between two tables of prices, as both hold at one time.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-prices-diff/v1"))]
pub(crate) struct PricesDiffDocument {
    /// `maestro.budget-prices-diff/v1`
    schema: &'static str,
    old: TableRow,
    new: TableRow,
    /// Rates that are not the same.
    changes: Vec<ChangeRow>,
    /// Models that only the new table has.
    added: Vec<NameRow>,
    /// Models that only the old table has.
    removed: Vec<NameRow>,
    /// How many models have the same prices.
    same: u64,
}

/// A table.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TableRow {
    source: String,
    date: String,
    sha256: String,
}

/// A rate that is not the same: dollars a million tokens, or a thousand requests or searches.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ChangeRow {
    provider: String,
    /// As the old table names it; `*` for all.
    model: String,
    /// The key of the table.
    what: &'static str,
    /// In requests with more input than this.
    above_tokens: u64,
    old: Option<String>,
    new: Option<String>,
    /// How much more it is, as a share of the old price.
    change: Option<f64>,
}

/// A model.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NameRow {
    provider: String,
    model: String,
}

impl PricesDiffDocument {
    fn new(old: &Table, new: &Table, at: Timestamp) -> Self {
        let difference = compare(old, new, at);
        let table = |table: &Table| TableRow {
            source: table.source.clone(),
            date: table.date.clone(),
            sha256: table.sha256.to_string(),
        };
        let names = |names: Names| {
            let rows = names
                .into_iter()
                .map(|(provider, model)| NameRow { provider, model });
            rows.collect()
        };
        Self {
            schema: "maestro.budget-prices-diff/v1",
            old: table(old),
            new: table(new),
            changes: difference.changes.iter().map(ChangeRow::from).collect(),
            added: names(difference.added),
            removed: names(difference.removed),
            same: difference.same,
        }
    }
}

impl From<&Change> for ChangeRow {
    fn from(change: &Change) -> Self {
        let count = if change.what.ends_with("_mtok") {
            1_000_000
        } else {
            1_000
        };
        let shown = |price: Option<Usd>| Some(price?.times(count)?.to_string());
        let number = |price: Option<Usd>| price?.to_string().parse::<f64>().ok();
        let old = number(change.old).filter(|old| *old > 0.0);
        let relative = old
            .zip(number(change.new))
            .map(|(old, new)| (new - old) / old);
        Self {
            provider: change.provider.clone(),
            model: change.model.clone(),
            what: change.what,
            above_tokens: change.above,
            old: shown(change.old),
            new: shown(change.new),
            change: relative.map(|change| (change * 10_000.0).round() / 10_000.0),
        }
    }
}

impl Report for PricesDiffDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "From {} ({}) to {} ({}): {} rates differ, {} models are the same, {} are new, {} are gone.",
            self.old.source,
            self.old.date,
            self.new.source,
            self.new.date,
            self.changes.len(),
            self.same,
            self.added.len(),
            self.removed.len()
        ));
        let shown = |price: &Option<String>| Cell::plain(price.as_deref().unwrap_or("–"));
        let rows = self.changes.iter().map(|row| {
            let what = match row.above_tokens {
                0 => row.what.to_owned(),
                above => format!("{} above {above}", row.what),
            };
            let change = match row.change {
                Some(change) if change > 0.0 => {
                    Cell::toned(format!("+{:.1} %", change * 100.0), Tone::Bad)
                }
                Some(change) => Cell::plain(format!("{:.1} %", change * 100.0)),
                None => Cell::plain("–"),
            };
            vec![
                Cell::plain(&row.provider),
                Cell::code(&row.model),
                Cell::plain(what),
                shown(&row.old),
                shown(&row.new),
                change,
            ]
        });
        page.table(
            vec![
                Column::left("Provider"),
                Column::left("Model"),
                Column::left("Rate"),
                Column::right("Old"),
                Column::right("New"),
                Column::right("Change"),
            ],
            rows.collect(),
        );
        for (title, names) in [
            ("Only in the new table", &self.added),
            ("Only in the old table", &self.removed),
        ] {
            if !names.is_empty() {
                let rows = names
                    .iter()
                    .map(|row| vec![Cell::plain(&row.provider), Cell::code(&row.model)]);
                page.table(
                    vec![Column::left("Provider"), Column::left(title)],
                    rows.collect(),
                );
            }
        }
        page
    }
}
