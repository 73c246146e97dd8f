//! `maestro budget reserve`: may this call be made?

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::SignedDuration;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::price::named_flavor;
use super::wallet::{self, WalletArgs};
use crate::budget::downshift::{self, Advice};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::purse::{Planned, PurseProblem};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::llm::prices::Table;
use crate::llm::usage::Flavor;
use crate::llm::worst::{self, Demand, Limits, WorstProblem};
use crate::money::Usd;
use crate::output::{Page, Report};

/// Put aside what a call of a model may cost at worst, before it is made
///
/// For scripts that call a provider by themselves. Prints a ticket; give it to `maestro budget settle` when the answer is there. Refused
/// (exit 11) when the worst case does not fit under the caps of the base branch or into the lease: then the call must not be made. A ticket
/// that nobody settles counts as all that was put aside.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("worst").required(true))]
#[command(after_long_help = "\
Examples:
  A request that is about to be sent
    $ maestro budget reserve --provider anthropic --model claude-haiku-4-5 --body request.json

  By what you know of it, without putting anything aside
    $ maestro budget reserve --provider openai --model gpt-5-mini --worst-usd 0.05 --dry-run")]
pub(crate) struct ReserveArgs {
    #[command(flatten)]
    wallet: WalletArgs,

    /// Who will be asked: anthropic, openai, or another one of the table
    #[arg(long, value_name = "NAME")]
    provider: String,

    /// The model
    #[arg(long, value_name = "NAME")]
    model: String,

    /// The body of the request; `-` is standard input
    #[arg(long, value_name = "FILE", group = "worst")]
    body: Option<PathBuf>,

    /// The most that the call may cost, where you know it
    #[arg(long, value_name = "USD", group = "worst")]
    worst_usd: Option<String>,

    /// The most input that the call may have
    #[arg(
        long,
        value_name = "TOKENS",
        group = "worst",
        requires = "output_tokens"
    )]
    input_tokens: Option<u64>,

    /// The most output that the call may have, where the request does not say
    #[arg(long, value_name = "TOKENS")]
    output_tokens: Option<u64>,

    /// The model's context, for requests that bring in what they do not hold
    #[arg(long, value_name = "TOKENS")]
    context_tokens: Option<u64>,

    /// The form of the request: messages, chat, responses or embeddings; by default that of the provider
    #[arg(long, value_name = "FLAVOR")]
    api_flavor: Option<String>,

    /// Whose call it is, such as `reviewer`
    #[arg(long, value_name = "NAME")]
    role: Option<String>,

    /// For which task of the run
    #[arg(long, value_name = "NAME")]
    task: Option<String>,

    /// How long the call may take: then it counts as all that was put aside
    #[arg(long, value_name = "TIME", default_value = "1h")]
    expires: SignedDuration,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Say whether it may be made, and put nothing aside
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &ReserveArgs) -> CommandResult {
    if args.expires <= SignedDuration::ZERO {
        return Err(
            CommandError::message(ErrorKind::Usage, "`--expires` is in the past")
                .hint("give a time such as 30m or 2h"),
        );
    }
    let table = super::table(session, args.prices.as_deref())?;
    let (worst, demand) = worst_case(session, args, &table)?;
    let clean = |name: &String| wallet::clean(session, name);
    let planned = Planned {
        provider: clean(&args.provider),
        model: clean(&args.model),
        role: args.role.as_ref().map(clean),
        task: args.task.as_ref().map(clean),
        worst,
    };
    let expires = session.now().saturating_add(args.expires);
    let expires = expires.map_err(|_| wallet::too_far())?;
    let (asked, left) = if args.dry_run {
        let (asked, left) = wallet::ask(session, &args.wallet, &planned)?;
        (asked.map(|()| None), left)
    } else {
        let purse = wallet::open(session, &args.wallet)?;
        let asked = purse.reserve_until(&planned, expires);
        let left = wallet::room(&mut |account| purse.standing(account))?;
        wallet::drain(session, &purse, false)?;
        (asked.map(Some), left)
    };
    match asked {
        Ok(ticket) => {
            let ticket = ticket.map(|ticket| ticket.to_string());
            session.render(&ReserveDocument::new(args, worst, ticket, left, None))?;
            Ok(ExitCode::Success)
        }
        Err(problem @ PurseProblem::Refused(_)) => {
            let names = (args.provider.as_str(), args.model.as_str());
            let advice = demand
                .and_then(|demand| downshift::advise(&table, names, &demand, left, session.now()));
            let mut error = CommandError::from(problem);
            if let Some(advice) = &advice {
                error = error.hint(in_words(advice));
            }
            session.render(&ReserveDocument {
                is_granted: false,
                ..ReserveDocument::new(args, worst, None, left, advice)
            })?;
            Err(error)
        }
        Err(problem) => Err(problem.into()),
    }
}

fn worst_case(
    session: &mut Session<'_>,
    args: &ReserveArgs,
    table: &Table,
) -> Result<(Usd, Option<Demand>), CommandError> {
    if let Some(text) = &args.worst_usd {
        let usd = text.parse().map_err(|problem| {
            CommandError::message(ErrorKind::Usage, format!("`--worst-usd`: {problem}"))
                .hint("give a decimal in US dollars, such as 0.25")
        })?;
        return Ok((usd, None));
    }
    let names = (args.provider.as_str(), args.model.as_str());
    let demand = if let Some(input) = args.input_tokens {
        Demand {
            input_tokens: input,
            longest_input: input,
            output_tokens: args.output_tokens.unwrap_or(0),
            writes_for_an_hour: args.provider == "anthropic",
            ..Demand::default()
        }
    } else {
        let path = args.body.clone().unwrap_or_default();
        let text = super::read(session, &path)?;
        let body: Value = json::read(&text).map_err(|error| {
            let message = format!("`{}` is no JSON: {error}", path.display());
            CommandError::message(ErrorKind::BadInput, message)
                .hint("give the body of the request as it will be sent")
        })?;
        let flavor = match &args.api_flavor {
            Some(name) => named_flavor(name).map_err(|why| why.into_error(&path))?,
            None => flavor_of(&args.provider, &body),
        };
        let limits = Limits {
            context: args.context_tokens,
            output: args.output_tokens,
        };
        let request = (&body, text.len() as u64, flavor);
        let usd = worst::of_request(table, names, request, limits, session.now());
        let demand = worst::demand(&body, text.len() as u64, flavor, limits);
        return Ok((usd.map_err(|problem| problem.reported(""))?, demand.ok()));
    };
    let usd = worst::of_demand(table, names, &demand, session.now());
    let usd = usd.map_err(|problem| WorstProblem::from(problem).reported(""))?;
    Ok((usd, Some(demand)))
}

/// Returns the form of a request by the fields that only it has.
fn flavor_of(provider: &str, body: &Value) -> Flavor {
    if provider == "anthropic" {
        Flavor::Messages
    } else if body["messages"].is_array() {
        Flavor::Chat
    } else if body["input"].is_null() || !body["max_output_tokens"].is_null() {
        Flavor::Responses
    } else if body["dimensions"].is_null() && body["encoding_format"].is_null() {
        // Embeddings have no output: whoever cannot be told from them is taken for what costs more.
        Flavor::Responses
    } else {
        Flavor::Embeddings
    }
}

impl Reported for WorstProblem {
    fn reported(self, _of: &str) -> CommandError {
        let hint = match &self {
        WorstProblem::NoLimit(field) => format!("set `{field}` in the request, or give `--output-tokens`"),
        WorstProblem::Unbounded(_) => "give the model's context with `--context-tokens`".to_owned(),
        WorstProblem::UnlimitedTool(_) => "give the tool a limit (`max_uses`), or the whole call one with `--worst-usd`".to_owned(),
        WorstProblem::NoPrice(_) => "say what the call may cost with `--worst-usd`".to_owned(),
        WorstProblem::Price(_) => "what has no price is refused under a cap; `maestro budget prices show` lists what has one, give another table with `--prices`".to_owned(),
        WorstProblem::NotANumber { .. } | WorstProblem::TooLarge => "mend the request".to_owned(),
    };
        CommandError::message(
            ErrorKind::BadInput,
            format!("nobody can say what the call may cost: {self}"),
        )
        .hint(hint)
    }
}

fn in_words(advice: &Advice) -> String {
    format!(
        "with `{}` the call may cost ${} at worst, which saves ${}",
        advice.model, advice.usd, advice.saves
    )
}

/// Whether a call may be made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-reserve/v1"))]
pub(crate) struct ReserveDocument {
    /// `maestro.budget-reserve/v1`
    schema: &'static str,
    /// Whether nothing was put aside.
    dry_run: bool,
    /// Whether the call may be made.
    is_granted: bool,
    /// What `budget settle --reservation` wants; nothing in a dry run.
    ticket: Option<String>,
    provider: String,
    model: String,
    /// The most that the call may cost, in US dollars.
    worst_usd: String,
    /// What the tightest cap leaves after it; nothing where there is no cap.
    left_usd: Option<String>,
    /// A cheaper model of the same provider, where the call was refused.
    cheaper: Option<CheaperRow>,
}

/// A cheaper model.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CheaperRow {
    model: String,
    /// The most that the same call may cost with it.
    worst_usd: String,
    /// How much less that is.
    saves_usd: String,
}

impl ReserveDocument {
    fn new(
        args: &ReserveArgs,
        worst: Usd,
        ticket: Option<String>,
        left: Option<Usd>,
        cheaper: Option<Advice>,
    ) -> Self {
        Self {
            schema: "maestro.budget-reserve/v1",
            dry_run: args.dry_run,
            is_granted: true,
            ticket,
            provider: args.provider.clone(),
            model: args.model.clone(),
            worst_usd: worst.to_string(),
            left_usd: left.map(|left| left.to_string()),
            cheaper: cheaper.map(|cheaper| CheaperRow {
                model: cheaper.model,
                worst_usd: cheaper.usd.to_string(),
                saves_usd: cheaper.saves.to_string(),
            }),
        }
    }
}

impl Report for ReserveDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    /// The ticket alone, so that a script can take it as it is.
    fn page(&self) -> Page {
        let mut page = Page::default();
        match &self.ticket {
            Some(ticket) => page.text(ticket.clone()),
            None if self.is_granted => {
                page.text(format!("It fits: ${} at worst.", self.worst_usd));
            }
            None => {}
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let ticket = self.ticket.clone();
        ticket
            .map(|ticket| ("ticket".to_owned(), ticket))
            .into_iter()
            .collect()
    }
}
