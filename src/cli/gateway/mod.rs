//! `maestro gateway`: a door to the providers that counts what goes through it, and closes when the money is spent.

mod opening;
mod wire;

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::budget::wallet::WalletArgs;
use super::session::Session;
use crate::conduct::gateway::money::Money;
use crate::conduct::gateway::tape::Tape;
use crate::conduct::gateway::{Counter, Gateway, Setup, Upstream};
use crate::error::{CommandError, ErrorKind};
use crate::exit_code::{ExitCode, Verdict};
use crate::gateway::child;
use crate::gateway::route::Provider;
use crate::money::Usd;
use crate::ports::Call;
use crate::ports::forge::Secret;
use crate::ports::relay::{CommandEnd, Desk, Ended, RelayProblem, Serving};
use crate::redact::Redactor;
use opening::Opened;
use wire::Ending;
pub(crate) use wire::GatewayDocument;

/// Let an agent spend no more than a cap, whichever agent it is
///
/// Serves Anthropic's Messages and OpenAI's Chat Completions, Responses and Embeddings on 127.0.0.1. The provider's key stays here: ANTHROPIC_API_KEY and OPENAI_API_KEY of the gateway's own
/// environment. What runs behind it gets an address and a token of this run. Before a request is passed on, what it may cost at worst is put aside; when that does not fit under a cap,
/// the request is refused, in words that agents show and do not repeat.
///
/// With a command, the command's exit code is passed on, unless a cap refused something: then it is 11.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  One command, at most two dollars
    $ maestro gateway --max-usd 2 -- printenv ANTHROPIC_BASE_URL

  For later steps of a workflow, until nothing was asked for a minute
    $ maestro gateway --out gateway.env --idle-timeout 0")]
pub(crate) struct GatewayArgs {
    /// Spend no more than this in dollars while it runs; the caps of the repository hold as well
    #[arg(long, value_name = "USD", value_parser = Usd::from_str)]
    max_usd: Option<Usd>,

    #[command(flatten)]
    wallet: WalletArgs,

    /// Who spends: a role, for the books
    #[arg(long, value_name = "NAME")]
    role: Option<String>,

    /// What for: a task, which may have a cap of its own
    #[arg(long, value_name = "NAME")]
    task: Option<String>,

    /// Ask somebody else than the provider, as `anthropic=URL` or `openai=URL` (can be repeated)
    #[arg(long, value_name = "NAME=URL", value_parser = upstream)]
    upstream: Vec<(Provider, String)>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Write what goes through it to this folder, without secrets
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,

    /// Listen on this port; 0 lets the system choose
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    port: u16,

    /// Append address and token to a file as `NAME=value` lines, such as $GITHUB_ENV
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    out: Option<PathBuf>,

    /// End when nothing was asked for so many seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "command")]
    idle_timeout: Option<u64>,

    /// A command that runs behind it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A request is not longer: both providers take no more.
const LONGEST_REQUEST: usize = 32 * 1024 * 1024;

/// An answer that is no stream is not longer.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// How long calls may take that are under way when it ends.
const GRACE: Duration = Duration::from_secs(10);

fn upstream(text: &str) -> Result<(Provider, String), String> {
    let expected = "expected anthropic=URL or openai=URL";
    let (name, url) = text.split_once('=').ok_or(expected)?;
    let provider = Provider::ALL.into_iter().find(|one| one.name() == name);
    let provider = provider.ok_or(expected)?;
    is_address(url)?;
    Ok((provider, url.to_owned()))
}

fn is_address(url: &str) -> Result<(), String> {
    let uri: http::Uri = url
        .parse()
        .map_err(|error| format!("`{url}` is no address: {error}"))?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if is_web && uri.authority().is_some() && uri.query().is_none() {
        Ok(())
    } else {
        Err(format!(
            "`{url}` is no address: it begins with http:// or https:// and has no query"
        ))
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &GatewayArgs) -> Result<Verdict, CommandError> {
    if session.settings.offline.value {
        let message = "`--offline` forbids asking a provider";
        return Err(
            CommandError::message(ErrorKind::Unavailable, message).hint("run it without --offline")
        );
    }
    let relay = session.world.relay.as_ref();
    relay.hide();
    let variables = session.world.environment.vars();
    let token = relay.token().map_err(CommandError::internal)?;
    let opened = opening::open(session, args)?;
    let keys: Vec<&str> = Provider::ALL
        .into_iter()
        .filter_map(|provider| child::key_of(provider, &variables))
        .collect();
    if keys.is_empty() {
        session.ui.detail("neither ANTHROPIC_API_KEY nor OPENAI_API_KEY is set: only servers that need no key will answer");
    }
    let gateway = Gateway::new(setup(session, args, opened, (&variables, &token))?);
    let serving = Serving {
        address: Ipv4Addr::LOCALHOST.into(),
        port: args.port,
        idle: args.idle_timeout.map(Duration::from_secs),
        until: None,
        longest_request: LONGEST_REQUEST,
        longest_answer: LONGEST_ANSWER,
        grace: GRACE,
    };
    let desk: Arc<dyn Desk> = Arc::new(Counter(Arc::clone(&gateway)));
    let mut begun = |port: u16| begin(session, args, port, &token, (&variables, &keys));
    let ended = relay.serve(&serving, desk, &mut begun);
    // Whatever happened, what was spent is written down.
    opening::close(session, &gateway)?;
    let ended = ended.map_err(|problem| trouble(args, problem))?;
    answer(session, args, &gateway, &ended)
}

/// Returns what a gateway is made of.
fn setup(
    session: &Session<'_>,
    args: &GatewayArgs,
    opened: Opened,
    (variables, token): (&[(String, String)], &str),
) -> Result<Setup, CommandError> {
    let tape = match &args.record {
        Some(folder) => {
            let folder = session.base.join(folder);
            let mut secret = variables.to_vec();
            secret.push(("RUN_TOKEN".to_owned(), token.to_owned()));
            let files = session.world.files.shared();
            let tape = Tape::open(files, &folder, Redactor::new(&secret));
            Some(tape.map_err(|error| CommandError::writing(&folder, error))?)
        }
        None => None,
    };
    let clock = (session.world.clock.shared(), session.settings.now.value);
    Ok(Setup {
        token: Secret::new(token),
        anthropic: upstream_of(Provider::Anthropic, &args.upstream, variables)?,
        openai: upstream_of(Provider::OpenAi, &args.upstream, variables)?,
        money: Money::new(
            opened.purse,
            opened.table,
            clock,
            opened.spender,
            args.max_usd,
        ),
        tape,
    })
}

pub(super) fn upstream_of(
    provider: Provider,
    given: &[(Provider, String)],
    variables: &[(String, String)],
) -> Result<Upstream, CommandError> {
    let named = given.iter().rev().find(|(one, _)| *one == provider);
    let variable = provider.address_variable();
    let mut set = variables.iter();
    let set = set.find(|(name, value)| name == variable && !value.is_empty());
    let address = match (named, set) {
        (Some((_, url)), _) => url.as_str(),
        (None, Some((_, url))) => {
            is_address(url).map_err(|problem| {
                CommandError::message(ErrorKind::Usage, format!("{variable}: {problem}"))
                    .hint("give --upstream, or set the variable to an address")
            })?;
            url.as_str()
        }
        (None, None) => provider.default_address(),
    };
    Ok(Upstream {
        address: address.to_owned(),
        key: child::key_of(provider, variables).map(Secret::new),
        needs_key: address == provider.default_address(),
    })
}

/// Says where the gateway is, once it is there; returns the command that runs behind it.
fn begin(
    session: &mut Session<'_>,
    args: &GatewayArgs,
    port: u16,
    token: &str,
    (variables, keys): (&[(String, String)], &[&str]),
) -> std::io::Result<Option<Call>> {
    if let Some(file) = &args.out {
        let path = session.base.join(file);
        let lines = child::env_file(port, token);
        session.world.files.append(&path, lines.as_bytes())?;
    }
    let Some((program, rest)) = args.command.split_first() else {
        let ui = &mut *session.ui;
        ui.status(&format!("listening on http://127.0.0.1:{port}"));
        if args.out.is_none() {
            ui.status("programs find it by these variables:");
            for (name, value) in child::addresses(port, token) {
                ui.status(&format!("  export {name}={value}"));
            }
        }
        return Ok(None);
    };
    let changes = child::environment(variables, keys, port, token);
    Ok(Some(Call {
        program: program.clone(),
        args: rest.to_vec(),
        folder: session.base.clone(),
        env: changes
            .into_iter()
            .map(|(name, value)| (name, value.map(OsString::from)))
            .collect(),
        stdin: Vec::new(),
    }))
}

/// Prints the bill, and returns what the process answers.
fn answer(
    session: &mut Session<'_>,
    args: &GatewayArgs,
    gateway: &Gateway,
    ended: &Ended,
) -> Result<Verdict, CommandError> {
    let ending = match ended {
        Ended::Command(CommandEnd::Exited(code)) => Ending::Exited(*code),
        Ended::Command(CommandEnd::Killed(signal)) => Ending::Killed(*signal),
        Ended::Asked | Ended::Idle => Ending::Served,
    };
    let document = GatewayDocument::new(gateway, ending);
    for words in gateway.tally().get().words {
        session.ui.warn(&words);
    }
    if args.command.is_empty() {
        session.render(&document)?;
    } else {
        // Standard output is the command's.
        session.render_beside(&document)?;
    }
    if document.is_stopped() {
        return Ok(Verdict::Own(ExitCode::BudgetExceeded));
    }
    Ok(match ending {
        Ending::Served => Verdict::Own(ExitCode::Success),
        Ending::Exited(code) => Verdict::Passed(u8::try_from(code).unwrap_or(u8::MAX)),
        // As shells say it.
        Ending::Killed(signal) => Verdict::Passed(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
    })
}

fn trouble(args: &GatewayArgs, problem: RelayProblem) -> CommandError {
    match problem {
        RelayProblem::Listen(error) => {
            let what = format!("cannot listen on 127.0.0.1:{}", args.port);
            let error = anyhow::Error::new(error).context(what);
            CommandError::new(ErrorKind::Unavailable, error)
                .hint("another program may listen there; `--port 0` lets the system choose")
        }
        RelayProblem::Start(error) => {
            let program = args.command.first().map(|name| name.to_string_lossy());
            let what = format!("cannot run `{}`", program.unwrap_or_default());
            let kind = match error.kind() {
                std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
                _ => ErrorKind::NotFound,
            };
            CommandError::new(kind, anyhow::Error::new(error).context(what))
                .hint("check the spelling, and whether it is installed and may be run")
        }
        RelayProblem::Ready(error) => {
            let path = args.out.as_deref().unwrap_or(Path::new("--out"));
            CommandError::writing(path, error)
        }
        RelayProblem::Other(error) => CommandError::internal(error),
    }
}
