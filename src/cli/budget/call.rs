//! `maestro budget call`: ask a model, and say what it cost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::call_money::{Money, MoneyProblem};
use super::call_wire::{CallDocument, CallPlanDocument, Facts};
use super::wallet::{self, WalletArgs};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::cassettes::{Player, Recorder};
use crate::conduct::model::{Asked, Asking, NoAnswer, ask};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::llm::endpoint::{Endpoint, EndpointProblem, Known, fault_of_key};
use crate::llm::prices::Table;
use crate::llm::protocols::Protocol;
use crate::llm::request::{Choice, Keep, Message, Request, Schema, Tool};
use crate::money::Usd;
use crate::ports::forge::Secret;
use crate::ports::model::{Model, Patience};
use crate::redact::Redactor;

/// Ask a model, and say what it cost
///
/// Speaks Anthropic's Messages, OpenAI's Chat Completions and OpenAI's Responses, to these two or to any server that speaks like them (Ollama, llama.cpp, vLLM, LiteLLM). What an attempt
/// may cost at worst is put aside before it is made; one that does not fit under `--max-usd`, and in a repository under its caps or into the lease, is not made (exit 11). An answer that is cut off is none: it is paid for as far as is known, and asked for
/// again. Keys come from the environment only, and go to their provider's own server only, unless `--key-env` names one for another.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What would be sent, and what it may cost at worst; nothing is sent
    $ maestro budget call --provider openai --model gpt-5 --prompt-file prompt.txt --dry-run

  The same, as a stream
    $ maestro budget call --provider openai --model o3 --prompt-file prompt.txt --stream --dry-run")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct CallArgs {
    #[command(flatten)]
    wallet: WalletArgs,

    /// Whose call it is, such as `reviewer`
    #[arg(long, value_name = "NAME")]
    role: Option<String>,

    /// For which task of the run
    #[arg(long, value_name = "NAME")]
    task: Option<String>,

    /// Who is asked: anthropic, openai, or with `--base-url` another one of the table of prices
    #[arg(long, value_name = "NAME", required_unless_present = "base_url")]
    provider: Option<String>,

    /// Another address than the provider's own, such as http://localhost:8080 or <https://litellm.example/v1>
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// What is spoken: messages (or anthropic), chat or responses [default: messages to Anthropic, responses to OpenAI, chat to others]
    #[arg(long, value_name = "FLAVOR")]
    api_flavor: Option<String>,

    /// The model
    #[arg(long, value_name = "NAME")]
    model: String,

    /// What is asked; `-` is standard input
    #[arg(long, value_name = "FILE")]
    prompt_file: PathBuf,

    /// What stands above it
    #[arg(long, value_name = "FILE")]
    system_file: Option<PathBuf>,

    /// What the model may want done: a list of {"name", "description", "parameters"}, where the last is a JSON Schema
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,

    /// A JSON Schema that the answer must fit
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// The most output
    #[arg(long, value_name = "TOKENS", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..))]
    max_tokens: u64,

    /// Let the provider keep the beginning for 5m or 1h, where that must be asked for
    #[arg(long, value_name = "TIME", value_parser = ["5m", "1h"])]
    cache: Option<String>,

    /// Take the answer in pieces, as it is written
    #[arg(long)]
    stream: bool,

    /// What all attempts together may cost
    #[arg(long, value_name = "USD")]
    max_usd: Option<Usd>,

    /// It costs nothing that is counted here, because the server is your own
    #[arg(long, requires = "base_url", conflicts_with = "max_usd")]
    unpriced: bool,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// The variable that holds the key [default: that of the provider, for its own server]
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,

    /// Send over http:// to another machine, where everybody on the way can read it
    #[arg(long)]
    allow_http: bool,

    /// How long all attempts together may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    deadline: u64,

    /// How long a connection may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    connect_within: u64,

    /// How long it may take until an answer begins, in seconds [default: 300 for a stream, or the deadline]
    #[arg(long, value_name = "SECONDS")]
    begin_within: Option<u64>,

    /// How long nothing may come in the middle of an answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    silent_for: u64,

    /// How many attempts are made at most
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    attempts: u32,

    /// Keep each exchange in this folder, without secrets
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    record: Option<PathBuf>,

    /// Take answers from this folder: nobody is asked, and nothing is spent
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,

    /// Show what would be sent, and what it may cost; send nothing
    #[arg(long, conflicts_with = "replay")]
    dry_run: bool,
}

/// A tool of `--tools`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolFile {
    name: String,
    #[serde(default)]
    description: String,
    parameters: Value,
}

pub(super) fn run(session: &mut Session<'_>, args: &CallArgs) -> CommandResult {
    let known = args.provider.as_deref().and_then(Known::named);
    let endpoint = endpoint(args, known)?;
    let request = request(session, args, &endpoint)?;
    let body = endpoint.protocol.encode(&request).to_string();
    let wanted = request.schema.map(|schema| schema.schema);
    let table = super::table(session, args.prices.as_deref())?;
    let mut money = money(session, args, &endpoint, &body, &table)?;
    let provider = args.provider.clone().unwrap_or_default();
    if args.dry_run {
        let document = CallPlanDocument::new(&provider, &endpoint, &body, money.worst);
        session.render(&document)?;
        return Ok(ExitCode::Success);
    }
    open_purse(session, args, &mut money)?;
    let asked = send(session, args, known, (&endpoint, &body), &mut money);
    for settled in std::mem::take(&mut money.told) {
        wallet::tell(session, &settled, None);
    }
    if let Some(purse) = &money.purse {
        wallet::drain(session, purse, false)?;
    }
    let asked = asked?;
    for words in &asked.failed {
        session
            .ui
            .warn(&format!("another attempt was made: {words}"));
    }
    let facts = Facts {
        provider,
        flavor: endpoint.protocol.name(),
        requested: args.model.clone(),
        wanted,
        was_replayed: args.replay.is_some(),
    };
    let document = CallDocument::new(facts, &asked, &money);
    for words in document.warnings() {
        session.ui.warn(&words);
    }
    session.render(&document)?;
    if let Some(message) = document.is_other_than_asked() {
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("it is paid for; look at `stop`, and whether this server knows schemas in this flavor (llama.cpp does in chat)"));
    }
    Ok(ExitCode::Success)
}

fn endpoint(args: &CallArgs, known: Option<Known>) -> Result<Endpoint, CommandError> {
    let usage = |message: String| CommandError::message(ErrorKind::Usage, message);
    let protocol = match &args.api_flavor {
        Some(name) => Protocol::named(name).ok_or_else(|| {
            usage(format!("there is no flavor `{name}`"))
                .hint("one of messages (or anthropic), chat, responses")
        })?,
        None => known.map_or(Protocol::Chat, |known| known.protocol),
    };
    let base = args.base_url.as_deref();
    Endpoint::new(protocol, known, base, args.allow_http).map_err(|problem| problem.reported(""))
}

impl Reported for EndpointProblem {
    fn reported(self, _of: &str) -> CommandError {
        let hint = match &self {
            Self::Nowhere => "give `--base-url`; anthropic and openai are known without",
            Self::Plain(_) => "use https://, or `--allow-http` if nobody else is on the way",
            Self::HasPassword => "give the key in a variable that `--key-env` names",
            Self::NoAddress(_) => "such as https://api.openai.com/v1 or http://localhost:8080",
        };
        CommandError::new(ErrorKind::Usage, self).hint(hint)
    }
}

fn request(
    session: &mut Session<'_>,
    args: &CallArgs,
    endpoint: &Endpoint,
) -> Result<Request, CommandError> {
    let prompt = super::read(session, &args.prompt_file)?;
    if prompt.trim().is_empty() {
        let message = format!("`{}` asks nothing", args.prompt_file.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("write into it what the model is to be asked"));
    }
    let system = match &args.system_file {
        Some(path) => Some(super::read(session, path)?).filter(|text| !text.trim().is_empty()),
        None => None,
    };
    let tools: Vec<ToolFile> = match &args.tools {
        Some(path) => json(
            session,
            path,
            "a list of {\"name\", \"description\", \"parameters\"}",
        )?,
        None => Vec::new(),
    };
    let schema = match &args.schema {
        Some(path) => {
            let schema: serde_json::Map<String, Value> = json(session, path, "a JSON Schema")?;
            Some(Schema {
                name: "answer".to_owned(),
                schema: Value::Object(schema),
            })
        }
        None => None,
    };
    let tools = tools.into_iter().map(|tool| Tool {
        name: tool.name,
        description: tool.description,
        parameters: tool.parameters,
    });
    Ok(Request {
        model: args.model.clone(),
        system,
        messages: vec![Message::ask(prompt)],
        tools: tools.collect(),
        choice: Choice::Free,
        schema,
        max_tokens: args.max_tokens,
        keep: args.cache.as_deref().map(|time| match time {
            "1h" => Keep::Hour,
            _ => Keep::FiveMinutes,
        }),
        is_streamed: args.stream,
        house: endpoint.house,
    })
}

fn json<T: serde::de::DeserializeOwned>(
    session: &mut Session<'_>,
    path: &Path,
    what: &str,
) -> Result<T, CommandError> {
    let text = super::read(session, path)?;
    json::read(&text).map_err(|error| {
        let message = format!("`{}` is not {what}: {error}", path.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("mend it at that line and column; nothing was sent")
    })
}

fn money<'t>(
    session: &mut Session<'_>,
    args: &CallArgs,
    endpoint: &Endpoint,
    body: &str,
    table: &'t Table,
) -> Result<Money<'t>, CommandError> {
    let provider = args.provider.as_deref().unwrap_or_default();
    let mut money = Money::new(
        table,
        (provider, &args.model),
        endpoint.protocol.flavor(),
        args.max_usd,
        session.now(),
    );
    if args.unpriced || args.replay.is_some() {
        money.is_priced = !args.unpriced;
        return Ok(money);
    }
    let value: Value = json::read(body).unwrap_or_default();
    money.plan(&value, body.len() as u64).map_err(|problem| {
        let message = format!("nobody can say what the call may cost: {problem}");
        CommandError::message(ErrorKind::BadInput, message).hint(
            "`maestro budget prices show` lists what has a price; give another table with `--prices`, or `--unpriced` for a server of your own",
        )
    })?;
    Ok(money)
}

/// Opens the purse that pays. Without a repository there are no caps but `--max-usd`.
fn open_purse(
    session: &mut Session<'_>,
    args: &CallArgs,
    money: &mut Money<'_>,
) -> Result<(), CommandError> {
    let is_counted = money.worst.is_some() && args.replay.is_none();
    let has_purse = session.checkout.is_ok() || session.named_dir.is_some();
    if !is_counted || !(has_purse || args.wallet.lease.is_some()) {
        return Ok(());
    }
    money.role = args.role.as_ref().map(|name| wallet::clean(session, name));
    money.task = args.task.as_ref().map(|name| wallet::clean(session, name));
    money.purse = Some(wallet::open(session, &args.wallet)?);
    Ok(())
}

fn send(
    session: &mut Session<'_>,
    args: &CallArgs,
    known: Option<Known>,
    (endpoint, body): (&Endpoint, &str),
    money: &mut Money<'_>,
) -> Result<Asked, CommandError> {
    let mut variables = session.world.environment.vars();
    let key = if args.replay.is_some() {
        None
    } else {
        key(session, args, known, endpoint)?
    };
    if let Some(key) = &key {
        // Whatever its variable is called.
        variables.push(("API_KEY".to_owned(), key.expose().to_owned()));
    }
    let redactor = Redactor::new(&variables);
    let seconds = Duration::from_secs;
    let begin = if args.stream { 300 } else { args.deadline };
    let asking = Asking {
        endpoint,
        key: key.as_ref(),
        body,
        is_streamed: args.stream,
        patience: Patience {
            connect: seconds(args.connect_within),
            first_byte: seconds(args.begin_within.unwrap_or(begin)),
            between: seconds(args.silent_for),
            total: seconds(args.deadline),
        },
        most_attempts: args.attempts,
        waits: args.replay.is_none(),
        redactor: &redactor,
    };
    let (files, clock) = (session.world.files.as_ref(), session.world.clock.as_ref());
    let model: &dyn Model = session.world.model.as_ref();
    if let Some(folder) = &args.replay {
        let player = Player::new(files, &session.base.join(folder));
        return ask(&player, clock, &asking, money).map_err(|error| no_answer(error, true));
    }
    if session.settings.offline.value {
        let message = "`--offline` forbids asking a model";
        return Err(CommandError::message(ErrorKind::Unavailable, message)
            .hint("run it without --offline, or with `--replay`"));
    }
    let Some(folder) = &args.record else {
        return ask(model, clock, &asking, money)
            .map_err(|error| no_answer(error, args.replay.is_some()));
    };
    let folder = session.base.join(folder);
    let recorder = Recorder::new(model, files, &folder, &redactor);
    let recorder = recorder.map_err(|error| CommandError::writing(&folder, error))?;
    let asked = ask(&recorder, clock, &asking, money);
    if let Some((path, error)) = recorder.problem() {
        let message = format!("the exchange was not kept in `{}`: {error}", path.display());
        session.ui.warn(&message);
    }
    asked.map_err(|error| no_answer(error, args.replay.is_some()))
}

/// Returns the key, from the environment; nothing for a server that nobody named one for.
fn key(
    session: &Session<'_>,
    args: &CallArgs,
    known: Option<Known>,
    endpoint: &Endpoint,
) -> Result<Option<Secret>, CommandError> {
    let is_own = endpoint.house == crate::llm::request::House::Own;
    let own = known.filter(|_| is_own).map(|known| known.key_variable);
    let Some(name) = args.key_env.as_deref().or(own) else {
        return Ok(None);
    };
    let failed = |message: String| {
        CommandError::message(ErrorKind::Permission, message)
            .hint("put the key into that variable, or name another one with `--key-env`")
    };
    let Some(key) = session.var(name) else {
        return Err(failed(format!("there is no key: `{name}` is not set")));
    };
    let key = key.trim();
    if let Some(fault) = fault_of_key(key) {
        return Err(failed(format!("the key in `{name}` {fault}")));
    }
    Ok(Some(Secret::new(key)))
}

impl Reported for NoAnswer<MoneyProblem> {
    fn reported(self, _of: &str) -> CommandError {
        no_answer(self, false)
    }
}

fn no_answer(error: NoAnswer<MoneyProblem>, is_replay: bool) -> CommandError {
    let (kind, hint) = match &error {
        NoAnswer::Money(_) => {
            let NoAnswer::Money(problem) = error else {
                return CommandError::internal(error);
            };
            return problem.into();
        }
        NoAnswer::Refused {
            status: 401 | 403, ..
        } => (
            ErrorKind::Permission,
            "look at the key, and at what it may do; nothing was spent",
        ),
        NoAnswer::Refused { status: 404, .. } => (
            ErrorKind::NotFound,
            "look at `--model`, `--base-url` and `--api-flavor`; nothing was spent",
        ),
        NoAnswer::Refused {
            status: 300..=399, ..
        } => (
            ErrorKind::Unavailable,
            "a key is not taken elsewhere: give the address that it leads to with `--base-url`",
        ),
        NoAnswer::Refused { status: 429, .. } => (
            ErrorKind::Unavailable,
            "the provider's own quota is used up",
        ),
        NoAnswer::Refused {
            status: 400..=499, ..
        } => (
            ErrorKind::BadInput,
            "the provider does not take this request; `--dry-run` shows it",
        ),
        NoAnswer::Unusable(_) if is_replay => (
            ErrorKind::NotFound,
            "nothing was sent or spent; record it with `--record`, with the same prompt and options",
        ),
        NoAnswer::TooLate { .. } => (ErrorKind::Unavailable, "give more time with `--deadline`"),
        NoAnswer::Refused { .. } | NoAnswer::Failed { .. } | NoAnswer::Unusable(_) => (
            ErrorKind::Unavailable,
            "attempts whose bill nobody knows count as all that was put aside for them",
        ),
    };
    CommandError::message(kind, error.to_string()).hint(hint)
}
