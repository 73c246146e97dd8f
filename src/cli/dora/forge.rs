//! Rows from GitHub, by way of what is stored: only what changed is asked for.

use hmac::hidden;
use jiff::SignedDuration;

use super::gather::Gathered;
use super::question::{AskArgs, Question};
use crate::cli::session::Session;
use crate::conduct::deliveries::{self, Position, STREAM, Wanted};
use crate::delivery::table::Gathering;
use crate::error::CommandError;
use crate::redact::Redactor;

mod hmac;

/// What keeps hashes of logins from being guessed.
const HASH_KEY: &str = "MAESTRO_HASH_KEY";

/// The first look goes so much further back than the time that was asked for: what was deployed in it was begun before.
const BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Reads what is stored and what changed since; false where nothing is known of a repository at GitHub.
pub(super) fn read(
    session: &mut Session<'_>,
    args: &AskArgs,
    question: &Question,
    to: &mut Gathering,
    found: &mut Gathered,
) -> Result<bool, CommandError> {
    let meant = session.github(
        args.github.repository.as_deref(),
        None,
        args.github.deadline,
    )?;
    let Some((github, _)) = meant else {
        return Ok(false);
    };
    let repository = github.repository.to_string();
    found.repository = Some(repository.clone());
    let state = session.state()?;
    let survey = state.delivery_rows(&repository, to)?;
    if args.is_stored {
        return Ok(!to.is_empty());
    }
    let why = if session.settings.offline.value {
        Some("--offline forbids it")
    } else if github.server.borrow().is_none() {
        Some("there is no token; set GITHUB_TOKEN")
    } else {
        None
    };
    if let Some(why) = why {
        session.ui.hint(&format!("GitHub was not asked: {why}"));
        return Ok(!to.is_empty());
    }
    if let Some(newer) = survey.newer() {
        return Err(newer.into());
    }
    let (github, _) = session.needed_github(&args.github, "dora")?;
    let stream = format!("{STREAM}{repository}");
    let position = Position::read(&state.cursor(&stream)?.unwrap_or_default());
    let key = session.var(HASH_KEY).unwrap_or_default();
    let hash = |login: &str| hidden(&key, login);
    let since = question.window.since;
    let ask = question.ask(None);
    let wanted = Wanted {
        now: question.now,
        since: since.saturating_sub(BEFORE).unwrap_or(since),
        sources: ask.sources,
        workflow: ask.workflow,
        incidents: &question.incidents,
        with_ci: question.with_ci,
        authors: &question.authors,
        hash: &hash,
        known: to,
    };
    let mut fresh = deliveries::read(&github, &wanted, position.clone());
    found.calls = github.calls();
    found.notes.extend(fresh.notes);
    if session.settings.redact.value {
        let redactor = Redactor::new(&session.world.environment.vars());
        for (_, row) in &mut fresh.rows {
            row.each_text(&mut |text| {
                if let Some(clean) = redactor.name(text) {
                    *text = clean;
                }
            });
        }
    }
    if !fresh.rows.is_empty() || fresh.position != position {
        let text = fresh.position.text();
        state.save_delivery_rows(&repository, &fresh.rows, (&stream, &text, question.now))?;
    }
    for (as_of, row) in fresh.rows {
        to.add(as_of, row);
    }
    match fresh.broken {
        Some(error) => {
            session
                .ui
                .hint("what was read is stored: the same command goes on from there, and --offline shows what there is");
            Err(error.into())
        }
        None => Ok(true),
    }
}
