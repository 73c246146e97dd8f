//! `maestro budget prices import`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::llm::prices::Table;
use crate::llm::prices::import::{self, ImportProblem, Imported};
use crate::output::{Cell, Column, Page, Report};
use crate::sha::Sha;

/// Make a table of prices from somebody else's
///
/// Every decimal goes over digit by digit. Models and prices that our table cannot say are named; a price that is negative, too large or in another currency
/// refuses the file. Use the table with `--prices`, or for the repository with `models.prices` in `.maestro/maestro.yaml`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  genai-prices' table (prices/data.json or data_slim.json)
    $ maestro budget prices import --genai-prices data_slim.json --out prices.json

  LiteLLM's table, only to see what would come of it
    $ maestro budget prices import --litellm model_prices_and_context_window.json")]
#[command(group = clap::ArgGroup::new("from").required(true))]
pub(crate) struct ImportArgs {
    /// The table of github.com/pydantic/genai-prices
    #[arg(long, value_name = "FILE", group = "from")]
    genai_prices: Option<PathBuf>,

    /// The table of github.com/BerriAI/litellm
    #[arg(long, value_name = "FILE", group = "from")]
    litellm: Option<PathBuf>,

    /// Where to write the table; without it nothing is written
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The day of the figures; today unless set
    #[arg(long, value_name = "DATE")]
    date: Option<jiff::civil::Date>,

    /// Where the figures are from, in words
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

/// Reads a table of one kind.
type Read = fn(&str) -> Result<Imported, ImportProblem>;

impl Reported for ImportProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}"))
            .hint("nothing was written; `maestro budget prices import --help` names the tables that are understood")
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &ImportArgs) -> CommandResult {
    let (path, name, read): (_, _, Read) = match (&args.genai_prices, &args.litellm) {
        (Some(path), _) => (path, "genai-prices (pydantic, MIT)", import::genai_prices),
        (None, Some(path)) => (path, "LiteLLM (BerriAI, MIT)", import::litellm),
        (None, None) => {
            return Err(CommandError::message(ErrorKind::Usage, "no table is named")
                .hint("name one with `--genai-prices` or `--litellm`"));
        }
    };
    let text = super::super::read(session, path)?;
    let sha = Sha::of(text.as_bytes());
    let refused = |problem: ImportProblem| problem.reported(&path.display().to_string());
    let mut imported = read(&text).map_err(refused)?;
    let built_in = Table::built_in();
    let built_in = built_in.map_err(CommandError::internal)?;
    let searches = if imported.borrow_searches(&built_in) {
        format!("; web searches: built-in table of {}", built_in.date)
    } else {
        String::new()
    };
    let named = args.source.clone();
    let source = named.unwrap_or_else(|| format!("{name}, sha256 {sha}{searches}"));
    let date = args.date.map_or_else(
        || session.now().strftime("%Y-%m-%d").to_string(),
        |date| date.to_string(),
    );
    let table = imported.text(&source, &date).map_err(refused)?;
    if let Some(out) = &args.out {
        write(session, out, &table)?;
    }
    let document = PricesImportDocument {
        schema: "maestro.budget-prices-import/v1",
        source,
        date,
        source_sha256: sha.to_string(),
        sha256: Sha::of(table.as_bytes()).to_string(),
        providers: imported.providers() as u64,
        models: imported.models() as u64,
        left_out: left_out(&imported),
        unread: unread(&imported),
        written: args.out.as_deref().map(|out| out.display().to_string()),
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn write(session: &Session<'_>, out: &Path, table: &str) -> Result<(), CommandError> {
    let path = session.base.join(out);
    let files = session.world.files.as_ref();
    let written = files.write_atomic(&path, &mut |file| file.write_all(table.as_bytes()));
    written.map_err(|error| CommandError::writing(out, error))
}

/// What came of somebody else's table.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-prices-import/v1"))]
pub(crate) struct PricesImportDocument {
    /// `maestro.budget-prices-import/v1`
    schema: &'static str,
    /// What the new table says of where it is from.
    source: String,
    /// The day of the figures.
    date: String,
    /// SHA-256 of the file that was read.
    source_sha256: String,
    /// SHA-256 of the new table.
    sha256: String,
    providers: u64,
    models: u64,
    /// Models that are not in the new table.
    left_out: Vec<LeftOutRow>,
    /// Prices that have no place in the new table, of models that are in it or left out.
    unread: Vec<UnreadRow>,
    /// The file that was written.
    written: Option<String>,
}

/// A model that is not in the new table.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LeftOutRow {
    provider: String,
    model: String,
    why: String,
}

/// A price that has no place in the new table.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct UnreadRow {
    /// As the file calls it.
    key: String,
    /// How many models have it.
    models: u64,
}

fn left_out(imported: &Imported) -> Vec<LeftOutRow> {
    let rows = imported.left_out.iter().map(|one| LeftOutRow {
        provider: one.provider.clone(),
        model: one.model.clone(),
        why: one.why.clone(),
    });
    rows.collect()
}

fn unread(imported: &Imported) -> Vec<UnreadRow> {
    let rows = imported.unread.iter().map(|(key, models)| UnreadRow {
        key: key.clone(),
        models: *models,
    });
    rows.collect()
}

impl Report for PricesImportDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let written = match &self.written {
            Some(path) => format!("written to {path}"),
            None => "nothing is written without --out".to_owned(),
        };
        page.text(format!(
            "{} models of {} providers; {written}. {} models are left out.",
            self.models,
            self.providers,
            self.left_out.len()
        ));
        if !self.left_out.is_empty() {
            let rows = self.left_out.iter().map(|row| {
                vec![
                    Cell::plain(&row.provider),
                    Cell::code(&row.model),
                    Cell::plain(&row.why),
                ]
            });
            page.table(
                vec![
                    Column::left("Provider"),
                    Column::left("Model"),
                    Column::left("Left out because"),
                ],
                rows.collect(),
            );
        }
        if !self.unread.is_empty() {
            let rows = self
                .unread
                .iter()
                .map(|row| vec![Cell::code(&row.key), Cell::plain(row.models.to_string())]);
            page.table(
                vec![
                    Column::left("Price without a place"),
                    Column::right("Models"),
                ],
                rows.collect(),
            );
        }
        page
    }
}
