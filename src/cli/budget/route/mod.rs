//! `maestro budget route`: which model a prompt is for.

mod backtest;
mod wire;

#[cfg(test)]
pub(crate) use backtest::BacktestDocument;
#[cfg(test)]
pub(crate) use wire::RouteBatchDocument;
pub(crate) use wire::RouteDocument;

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::llm::prices::Table;
use crate::llm::router::cascade::{self, Attempt, Outcome};
use crate::llm::router::tiers::Tiers;
use crate::llm::router::tiers::TiersProblem;
use crate::llm::router::{self, Tier, Worst};
use crate::llm::usage::Usage;
use crate::llm::worst::{self, Demand, FRAMING};
use crate::money::Usd;
use wire::{Advice, RouteBatchDocument as Batch, Row};

/// Say which model a prompt is for
///
/// Advice, and no call: counts in the prompt give a score, and the score a tier (`models.tiers` in `.maestro/maestro.yaml`). With `--remaining-usd` the tier is one that can be paid for.
/// With `--after` it says what follows when a check of an answer passed or failed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  One task
    $ maestro budget route --prompt-file task.md --remaining-usd 2.50

  The cheap model's patch failed the tests: what next?
    $ maestro budget route --prompt-file task.md --after small:failed

  Many, one JSON object a line: {\"id\", \"prompt\"}
    $ maestro budget route --batch prompts.ndjson --format ndjson

  What it would have saved on questions that two models have answered
    $ maestro budget route --backtest answers.csv")]
pub(crate) struct RouteArgs {
    /// The prompt; `-` is standard input
    #[arg(long, value_name = "FILE", required_unless_present_any = ["batch", "backtest"], conflicts_with_all = ["batch", "backtest"])]
    prompt_file: Option<PathBuf>,

    /// Many prompts, one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with = "backtest")]
    batch: Option<PathBuf>,

    /// Questions with a column `prompt`, and one for each of two models that says how right it was
    #[arg(long, value_name = "FILE")]
    backtest: Option<PathBuf>,

    /// What is left to spend
    #[arg(long, value_name = "USD", conflicts_with = "backtest")]
    remaining_usd: Option<String>,

    /// The most tokens that an answer may have
    #[arg(long, value_name = "NUMBER", default_value_t = 4096)]
    max_tokens: u64,

    /// A call that was made and what became of it, in order: `small:failed`, and passed, failed or broken (no answer)
    #[arg(long, value_name = "TIER:OUTCOME", requires = "prompt_file")]
    after: Vec<String>,

    /// The weak model's column
    #[arg(long, value_name = "COLUMN", requires = "backtest")]
    weak: Option<String>,

    /// The strong model's column
    #[arg(long, value_name = "COLUMN", requires = "backtest")]
    strong: Option<String>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// A line of a batch.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    prompt: String,
}

impl Reported for TiersProblem {
    fn reported(self, _of: &str) -> CommandError {
        CommandError::new(ErrorKind::BadConfig, self)
            .hint("`maestro util schema config` prints what may stand where")
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &RouteArgs) -> CommandResult {
    let tiers =
        Tiers::read(&session.config.models.tiers).map_err(|problem| problem.reported(""))?;
    let table = super::table_in_use(session, args.prices.as_deref())?;
    let remaining = args.remaining_usd.as_deref().map(str::parse::<Usd>);
    let remaining = remaining
        .transpose()
        .map_err(|problem| problem.reported("--remaining-usd"))?;
    let desk = Desk {
        tiers: &tiers,
        table: &table,
        remaining,
        max_tokens: args.max_tokens,
        now: session.now(),
    };
    if let Some(path) = &args.backtest {
        return backtest::run(session, &desk, path, args);
    }
    if let Some(path) = &args.batch {
        let text = super::read(session, path)?;
        let lines = (1_u64..).zip(text.lines());
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let rows = lines.map(|(number, line)| desk.row(number, line));
        let document = Batch::new(rows.collect());
        session.render(&document)?;
        return match document.failed() {
            0 => Ok(ExitCode::Success),
            failed => Err(CommandError::message(
                ErrorKind::BadInput,
                match failed {
                    1 => "1 line is no prompt".to_owned(),
                    failed => format!("{failed} lines are no prompts"),
                },
            )
            .hint("a line is a JSON object with `id` and `prompt`")),
        };
    }
    let attempts: Vec<Attempt> = args
        .after
        .iter()
        .map(|text| attempt(text))
        .collect::<Result<_, _>>()?;
    let path = args.prompt_file.clone().unwrap_or_default();
    let text = super::read(session, &path)?;
    let mut document = RouteDocument::new(Value::Null, desk.advice(&text), desk.tiers);
    if !attempts.is_empty() {
        let start = desk.tiers.thresholds.tier(router::score(&text).points);
        let next = cascade::next(start, &attempts, &desk.worst(&text), remaining);
        document.follow(next, desk.tiers);
    }
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Reads `small:failed`.
fn attempt(text: &str) -> Result<Attempt, CommandError> {
    let parts = text.split_once(':');
    let read = parts.and_then(|(tier, outcome)| {
        Some(Attempt {
            tier: Tier::named(tier)?,
            outcome: Outcome::named(outcome)?,
        })
    });
    read.ok_or_else(|| {
        CommandError::message(ErrorKind::Usage, format!("`{text}` is no attempt"))
            .hint("write a tier and what became of it, as `small:failed`: small, medium or large; passed, failed or broken")
    })
}

/// All that an advice rests on beside the prompt.
struct Desk<'a> {
    tiers: &'a Tiers,
    table: &'a Table,
    remaining: Option<Usd>,
    max_tokens: u64,
    now: jiff::Timestamp,
}

impl Desk<'_> {
    fn advice(&self, prompt: &str) -> Advice {
        let score = router::score(prompt);
        let wanted = self.tiers.thresholds.tier(score.points);
        let money = self.remaining.map(|remaining| {
            let worst = self.worst(prompt);
            (remaining, worst, router::afford(wanted, &worst, remaining))
        });
        Advice {
            score,
            wanted,
            money,
        }
    }

    /// Returns what a call costs at worst, by tier: a token is at least one byte.
    fn worst(&self, prompt: &str) -> Worst {
        let input = (prompt.len() as u64).saturating_add(FRAMING);
        let demand = Demand {
            input_tokens: input,
            longest_input: input,
            output_tokens: self.max_tokens,
            ..Demand::default()
        };
        Tier::ALL.map(|tier| {
            let model = self.tiers.model(tier);
            let named = (model.provider.as_str(), model.model.as_str());
            worst::of_demand(self.table, named, &demand, self.now).ok()
        })
    }

    /// Returns what so many tokens cost, none of them from the cache.
    fn cost(&self, tier: Tier, input: u64, output: u64) -> Option<Usd> {
        let model = self.tiers.model(tier);
        let (payee, priced) = self.table.model(&model.provider, &model.model).ok()?;
        let usage = Usage {
            net_input_tokens: input,
            output_tokens: output,
            ..Usage::default()
        };
        Some(payee.bill(priced, &usage, self.now).ok()?.total)
    }

    fn row(&self, number: u64, text: &str) -> Row {
        match json::read::<Line>(text) {
            Ok(line) => Row::Routed(Box::new(RouteDocument::new(
                line.id,
                self.advice(&line.prompt),
                self.tiers,
            ))),
            Err(error) => Row::failed(number, &format!("it is no line of a batch: {error}")),
        }
    }
}
