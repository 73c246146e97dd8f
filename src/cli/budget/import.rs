//! `maestro budget import`: spend from elsewhere.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::wallet;
use crate::budget::foreign::{self, Desk, Filed, ForeignProblem, Found, Known, Row};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};
use crate::state::v1::{self, SPEND};

/// Take in what other agents have spent
///
/// Each call or session becomes a `spend` event, priced by our table where it knows the model; what the program itself reckons is kept beside. Seats, models without a price, and counts of several
/// models together are unpriced, which is never $0. Reading a file again adds nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  claude-code-action's `execution_file`
    $ maestro budget import --claude-execution claude-execution-output.json --pr 7

  What `codex exec --json` printed, which does not name its model
    $ maestro budget import --codex codex.ndjson --model gpt-5.3-codex

  The token log of GitHub Agentic Workflows' firewall, only to look
    $ maestro budget import --gh-aw token-usage.jsonl --dry-run")]
#[command(group = clap::ArgGroup::new("from").required(true))]
pub(crate) struct ImportArgs {
    /// Messages of Claude Code's SDK, as a JSON list or one a line
    #[arg(long, value_name = "FILE", group = "from")]
    claude_execution: Option<PathBuf>,

    /// Events of `codex exec --json`
    #[arg(long, value_name = "FILE", group = "from")]
    codex: Option<PathBuf>,

    /// `token-usage.jsonl` of gh-aw's firewall
    #[arg(long, value_name = "FILE", group = "from")]
    gh_aw: Option<PathBuf>,

    /// The pull request that it was spent on
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,

    /// The provider, where the file names none
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// The model, where the file names none
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// A subscription pays for all of it
    #[arg(long)]
    seat: bool,

    /// When it was spent, where the file does not say
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Say what would be taken in, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Reads a file of one kind.
type Read = fn(&str) -> Result<Found, ForeignProblem>;

impl Reported for ForeignProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}"))
            .hint("nothing was written; `maestro budget import --help` names the files that are understood")
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &ImportArgs) -> CommandResult {
    let (path, source, read): (_, _, Read) =
        match (&args.claude_execution, &args.codex, &args.gh_aw) {
            (Some(path), _, _) => (path, "claude-code", foreign::claude),
            (None, Some(path), _) => (path, "codex", foreign::codex),
            (None, None, Some(path)) => (path, "gh-aw", foreign::gh_aw),
            (None, None, None) => {
                return Err(CommandError::message(ErrorKind::Usage, "no file is named")
                    .hint("name one with `--claude-execution`, `--codex` or `--gh-aw`"));
            }
        };
    let text = super::read(session, path)?;
    let mut found = read(&text).map_err(|problem| problem.reported(&path.display().to_string()))?;
    clean(session, &mut found.rows);
    let table = super::table(session, args.prices.as_deref())?;
    let desk = Desk {
        table: &table,
        source,
        pull_request: args.pr,
        provider: args
            .provider
            .as_deref()
            .or((source == "codex").then_some("openai")),
        model: args.model.as_deref(),
        is_seat: args.seat,
        now: args.at.unwrap_or_else(|| session.now()),
    };
    let mut known = known(session)?;
    let filed = desk.file(&found.rows, &mut known);
    let new: Vec<&Filed> = filed.iter().filter(|row| !row.is_known).collect();
    if !args.dry_run && !new.is_empty() {
        let events = new.iter().map(|row| v1::encode_spend(&row.paid));
        let events: Vec<_> = events
            .collect::<Result<_, _>>()
            .map_err(CommandError::internal)?;
        session.state()?.save(&events)?;
    }
    let document = BudgetImportDocument::new(source, args.dry_run, &filed, found.notes);
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Takes secrets out of names.
fn clean(session: &Session<'_>, rows: &mut [Row]) {
    let plain = |name: &String| wallet::clean(session, name);
    for row in rows {
        row.key = plain(&row.key);
        row.models = row.models.iter().map(plain).collect();
        row.provider = row.provider.as_ref().map(plain);
    }
}

/// Reads what was taken in before.
fn known(session: &Session<'_>) -> Result<Known, CommandError> {
    let mut known = Known::default();
    session
        .state()?
        .read(&|kind, _| kind == SPEND, &mut |event| {
            known.add(&v1::decode_spend(event)?.spend);
            Ok(())
        })?;
    Ok(known)
}

/// What was taken in of what other agents have spent.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-import/v1"))]
pub(crate) struct BudgetImportDocument {
    /// `maestro.budget-import/v1`
    schema: &'static str,
    /// `claude-code`, `codex` or `gh-aw`.
    source: &'static str,
    dry_run: bool,
    rows: Vec<SpendRow>,
    /// Rows that were not there before.
    added: u64,
    /// Rows that were.
    known: u64,
    /// Rows without a price of ours.
    unpriced: u64,
    /// What the rows cost that have a price; nothing when that is more than can be counted.
    priced_usd: Option<String>,
    /// What the program reckons for the rows for which it does.
    reported_usd: Option<String>,
    /// What could not be read.
    notes: Vec<NoteRow>,
}

/// A call or session.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SpendRow {
    /// The line of the file, or the place in its list.
    line: u64,
    provider: String,
    /// Of several models that share counts, all.
    model: String,
    input_tokens: u64,
    output_tokens: u64,
    /// By our table of prices; nothing where there is no price.
    usd: Option<String>,
    /// What the program itself reckons.
    reported_usd: Option<String>,
    /// Why there is no price.
    why: Option<String>,
    /// Whether it was there before.
    known: bool,
}

/// What could not be read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NoteRow {
    line: u64,
    note: String,
}

impl From<&Filed> for SpendRow {
    fn from(filed: &Filed) -> Self {
        let spend = &filed.paid.spend;
        let usage = spend.usage.unwrap_or_default();
        Self {
            line: filed.line,
            provider: spend.provider.clone(),
            model: spend.model.clone(),
            input_tokens: usage.input_tokens().unwrap_or(u64::MAX),
            output_tokens: usage
                .output_tokens
                .saturating_add(usage.output_audio_tokens),
            usd: spend.usd.map(|usd| usd.to_string()),
            reported_usd: spend.reported_usd.map(|usd| usd.to_string()),
            why: filed.why.clone(),
            known: filed.is_known,
        }
    }
}

impl BudgetImportDocument {
    fn new(
        source: &'static str,
        dry_run: bool,
        filed: &[Filed],
        notes: Vec<(u64, String)>,
    ) -> Self {
        let known = filed.iter().filter(|row| row.is_known).count() as u64;
        let sum = |of: fn(&Filed) -> Option<Usd>| {
            let sum = filed
                .iter()
                .filter_map(of)
                .try_fold(Usd::ZERO, Usd::checked_add);
            sum.map(|usd| usd.to_string())
        };
        Self {
            schema: "maestro.budget-import/v1",
            source,
            dry_run,
            rows: filed.iter().map(SpendRow::from).collect(),
            added: filed.len() as u64 - known,
            known,
            unpriced: filed.iter().filter(|row| row.why.is_some()).count() as u64,
            priced_usd: sum(|row| row.paid.spend.usd),
            reported_usd: sum(|row| row.paid.spend.reported_usd),
            notes: notes
                .into_iter()
                .map(|(line, note)| NoteRow { line, note })
                .collect(),
        }
    }
}

impl Report for BudgetImportDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let verb = if self.dry_run {
            "would be added"
        } else {
            "added"
        };
        let priced = self.priced_usd.as_deref().unwrap_or("?");
        let reported = self.reported_usd.as_deref().unwrap_or("?");
        page.text(format!(
            "{} rows {verb}, {} were there before. Priced: ${priced}. {} rows have no price here. {} reckons ${reported}.",
            self.added, self.known, self.unpriced, self.source
        ));
        let rows = self.rows.iter().map(|row| {
            let dollars = |usd: &Option<String>| usd.as_ref().map(|usd| format!("${usd}"));
            let price = dollars(&row.usd).unwrap_or_else(|| {
                format!("unpriced: {}", row.why.as_deref().unwrap_or("nobody knows"))
            });
            vec![
                Cell::plain(row.line.to_string()),
                Cell::code(&row.model),
                Cell::plain(row.input_tokens.to_string()),
                Cell::plain(row.output_tokens.to_string()),
                Cell::plain(price),
                Cell::plain(dollars(&row.reported_usd).unwrap_or_else(|| "–".to_owned())),
            ]
        });
        page.table(
            vec![
                Column::right("Line"),
                Column::left("Model"),
                Column::right("Input"),
                Column::right("Output"),
                Column::left("USD"),
                Column::right("Reckoned there"),
            ],
            rows.collect(),
        );
        for note in &self.notes {
            page.text(format!("Line {}: {}.", note.line, note.note));
        }
        page
    }
}
