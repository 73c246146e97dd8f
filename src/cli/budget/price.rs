//! `maestro budget price`: what an answer of a provider costs.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::wire::{BatchDocument, PriceDocument, Row};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::llm::priced::{self, AnswerProblem, Known};
use crate::llm::prices::{PriceProblem, Table};
use crate::llm::usage::Flavor;

/// Say what a provider's answer costs
///
/// Reads the `usage` of a raw response body: Anthropic's Messages, OpenAI's Chat Completions, Responses and Embeddings. Tokens fall into buckets that do not overlap, and
/// every figure is an exact decimal. A price that changed counts as on the day of the answer (`created`, `created_at`), of `--at`, or today.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  One answer
    $ maestro budget price --provider anthropic --body answer.json

  Many, one JSON object a line: {\"id\", \"provider\", \"api_flavor\", \"model\", \"body\"}
    $ maestro budget price --batch answers.ndjson --format ndjson")]
pub(crate) struct PriceArgs {
    /// Who answered: anthropic, openai, or another one of the table
    #[arg(long, value_name = "NAME", required_unless_present = "batch")]
    provider: Option<String>,

    /// The form of the answer: messages (or default), chat, responses or embeddings; by default what its fields tell
    #[arg(long, value_name = "FLAVOR")]
    api_flavor: Option<String>,

    /// The model, where the body does not say
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// The body of one answer; `-` is standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "batch",
        required_unless_present = "batch"
    )]
    body: Option<PathBuf>,

    /// Many answers, one JSON object a line
    #[arg(long, value_name = "FILE")]
    batch: Option<PathBuf>,

    /// Prices as of this time, whatever the answers say
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// A line of a batch.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    api_flavor: Option<String>,
    #[serde(default)]
    model: Option<String>,
    body: Value,
}

pub(super) fn run(session: &mut Session<'_>, args: &PriceArgs) -> CommandResult {
    let table = super::table_in_use(session, args.prices.as_deref())?;
    let desk = Desk {
        args,
        table: &table,
        now: session.now(),
    };
    if let Some(path) = &args.batch {
        let text = super::read(session, path)?;
        let rows = (1_u64..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty());
        let document = BatchDocument::new(
            &table,
            rows.map(|(number, line)| desk.row(number, line)).collect(),
        );
        session.render(&document)?;
        return match document.failed() {
            0 => Ok(ExitCode::Success),
            failed => {
                let message = format!("{failed} of {} lines could not be priced", document.len());
                Err(CommandError::message(ErrorKind::BadInput, message)
                    .hint("the field `error` of each says why"))
            }
        };
    }
    let path = args.body.clone().unwrap_or_default();
    let text = super::read(session, &path)?;
    let body: Value = json::read(&text).map_err(|error| {
        let message = format!("`{}` is no JSON: {error}", path.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("give the body of one response, as it came; a stream is none")
    })?;
    let document = desk
        .price(None, &body, (None, None, None))
        .map_err(|why| why.into_error(&path))?;
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Why an answer could not be priced.
pub(super) struct Why {
    words: String,
    hint: String,
}

impl Why {
    fn new(words: impl std::fmt::Display, hint: impl Into<String>) -> Self {
        Self {
            words: words.to_string(),
            hint: hint.into(),
        }
    }

    pub(super) fn into_error(self, path: &std::path::Path) -> CommandError {
        let message = format!("`{}`: {}", path.display(), self.words);
        CommandError::message(ErrorKind::BadInput, message).hint(self.hint)
    }
}

impl From<PriceProblem> for Why {
    fn from(problem: PriceProblem) -> Self {
        let hint = match &problem {
            PriceProblem::UnknownModel { near: Some(near), .. } => format!("did you mean `{near}`?"),
            PriceProblem::UnknownProvider(_) | PriceProblem::UnknownModel { .. } => {
                "`maestro budget prices show` lists what has a price; give another table with `--prices`".to_owned()
            }
            PriceProblem::NoRate(..) | PriceProblem::TooLarge => {
                "give a table that has it with `--prices`".to_owned()
            }
        };
        Self::new(problem, hint)
    }
}

impl From<AnswerProblem> for Why {
    fn from(problem: AnswerProblem) -> Self {
        let hint = match problem {
            AnswerProblem::Price(problem) => return problem.into(),
            AnswerProblem::NoProvider => "say who answered: `provider`",
            AnswerProblem::NoFlavor => {
                "say which with `--api-flavor`; a stream must be put together first"
            }
            AnswerProblem::NoModel => "say which with `--model`",
            AnswerProblem::Usage(_) => "give the body of the response, as it came",
        };
        Self::new(problem, hint)
    }
}

impl Reported for PriceProblem {
    fn reported(self, of: &str) -> CommandError {
        Why::from(self).into_error(std::path::Path::new(of))
    }
}

impl Reported for AnswerProblem {
    fn reported(self, of: &str) -> CommandError {
        Why::from(self).into_error(std::path::Path::new(of))
    }
}

struct Desk<'a> {
    args: &'a PriceArgs,
    table: &'a Table,
    now: Timestamp,
}

impl Desk<'_> {
    fn row(&self, number: u64, text: &str) -> Row {
        let line: Line = match json::read(text) {
            Ok(line) => line,
            Err(error) => {
                return Row::failed(None, number, &format!("it is no line of a batch: {error}"));
            }
        };
        let id = line.id.clone();
        let said = (
            line.provider.as_deref(),
            line.api_flavor.as_deref(),
            line.model.as_deref(),
        );
        match self.price(line.id.clone(), &line.body, said) {
            Ok(document) => Row::Priced(Box::new(document)),
            Err(why) => Row::failed(id, number, &why.words),
        }
    }

    fn price(
        &self,
        id: Option<Value>,
        body: &Value,
        (provider, flavor, model): (Option<&str>, Option<&str>, Option<&str>),
    ) -> Result<PriceDocument, Why> {
        let flavor = flavor.or(self.args.api_flavor.as_deref());
        let known = Known {
            provider: provider.or(self.args.provider.as_deref()),
            flavor: flavor.map(named_flavor).transpose()?,
            model: model.or(self.args.model.as_deref()),
            at: self.args.at,
        };
        let answer = priced::price(self.table, body, known, self.now)?;
        let mut document = PriceDocument::new(
            id,
            self.table,
            (&answer.provider, &answer.model),
            answer.priced_as,
            (&answer.usage, &answer.bill),
        );
        for (name, used, bill) in &answer.others {
            document
                .add_other(name, used, bill)
                .ok_or(PriceProblem::TooLarge)?;
        }
        Ok(document)
    }
}

/// Returns the form of an answer by its name.
pub(super) fn named_flavor(name: &str) -> Result<Flavor, Why> {
    Flavor::named(name).ok_or_else(|| {
        Why::new(
            format!("there is no flavor `{name}`"),
            "one of messages, chat, responses, embeddings",
        )
    })
}
