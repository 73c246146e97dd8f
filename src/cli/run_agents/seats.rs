//! Who is asked for each tier, where, and with which key.

use super::RunAgentsArgs;
use super::oracle::Seat;
use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::llm::endpoint::{Endpoint, EndpointProblem, Known, fault_of_key};
use crate::llm::protocols::Protocol;
use crate::llm::request::House;
use crate::llm::router::tiers::TierModel;
use crate::ports::forge::Secret;

/// Seats the models of the tiers.
pub(super) fn seats(
    session: &Session<'_>,
    args: &RunAgentsArgs,
    models: [TierModel; 3],
) -> Result<[Seat; 3], CommandError> {
    let [small, medium, large] = models;
    Ok([
        seat(session, args, small)?,
        seat(session, args, medium)?,
        seat(session, args, large)?,
    ])
}

fn seat(
    session: &Session<'_>,
    args: &RunAgentsArgs,
    model: TierModel,
) -> Result<Seat, CommandError> {
    let known = Known::named(&model.provider);
    let usage = |message: String| CommandError::message(ErrorKind::Usage, message);
    let protocol = match &args.api_flavor {
        Some(name) => Protocol::named(name).ok_or_else(|| {
            usage(format!("there is no flavor `{name}`"))
                .hint("one of messages (or anthropic), chat, responses")
        })?,
        None => known.map_or(Protocol::Chat, |known| known.protocol),
    };
    let endpoint = Endpoint::new(protocol, known, args.base_url.as_deref(), false);
    let endpoint = endpoint.map_err(|problem| {
        let hint = match &problem {
            EndpointProblem::Nowhere => {
                "give `--base-url`, or models of anthropic or openai in `models.tiers`"
            }
            EndpointProblem::Plain(_) => "use https://",
            EndpointProblem::HasPassword => "give the key in a variable that `--key-env` names",
            EndpointProblem::NoAddress(_) => "such as https://api.openai.com/v1",
        };
        usage(problem.to_string()).hint(hint)
    })?;
    let own = known.filter(|_| endpoint.house == House::Own);
    let name = args
        .key_env
        .as_deref()
        .or(own.map(|known| known.key_variable));
    let key = match name {
        Some(name) => Some(key(session, name)?),
        None => None,
    };
    Ok(Seat {
        model,
        endpoint,
        key,
    })
}

fn key(session: &Session<'_>, name: &str) -> Result<Secret, CommandError> {
    let failed = |message: String| {
        CommandError::message(ErrorKind::Permission, message)
            .hint("put the key into that variable, or name another one with `--key-env`")
    };
    let key = session
        .var(name)
        .ok_or_else(|| failed(format!("there is no key: `{name}` is not set")))?;
    let key = key.trim();
    if let Some(fault) = fault_of_key(key) {
        return Err(failed(format!("the key in `{name}` {fault}")));
    }
    Ok(Secret::new(key))
}
