//! `maestro dora kpi`: seven indicators against what a team wants them to be.

mod facts;
mod page;
mod record;
mod targets;
mod wire;

use jiff::Timestamp;

use super::explain::DoraExplainDocument;
use super::gather::{self, Gathered};
use super::question::{AskArgs, Question, time};
use crate::cli::session::Session;
use crate::delivery::ask::{Ask, Window};
use crate::delivery::kpi::facts::Facts;
use crate::delivery::kpi::{INDICATORS, Indicator, measure};
use crate::delivery::table::Rows;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
pub(in crate::cli) use facts::{Loaded, load};
pub(in crate::cli) use targets::TargetsWord;
pub(crate) use wire::DoraKpiDocument;
use wire::Said;

/// Hold seven indicators against what the team wants them to be
///
/// How long CI takes, lead time, merge success, flake rate, what models cost, and what agents get done: each with its 95 % interval, how many values it
/// stands on, and the same over the time before. A target is shown, and judged by, only where one is set (`kpi: {targets: {ci-p95: 15m}}` in
/// `.maestro/maestro.yaml`): `met`, `missed` or `not enough data`. What has not ended is never `met`. Rows come from GitHub as for `maestro dora`,
/// and from the state: test runs, calls of models, runs of agents. In CI the table is kept as an event.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The last 90 days, out of git and of the state, by the targets of an example
    $ maestro dora kpi --source git --targets example

  The last month beside the same days a year ago, for a program
    $ maestro dora kpi --source git --since 30d --baseline 395d..365d --format json")]
pub(super) struct KpiArgs {
    #[command(flatten)]
    ask: AskArgs,

    /// Compare with this time [default: the one before, of the same length]
    #[arg(long, value_name = "SINCE..UNTIL")]
    baseline: Option<String>,

    /// Which targets count
    #[arg(long, value_name = "WHICH", default_value = "config")]
    targets: TargetsWord,

    /// Keep the table as an event, as in CI
    #[arg(long, conflicts_with = "dry_run")]
    save: bool,

    /// Keep nothing, in CI neither; rows from GitHub are kept all the same
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &KpiArgs) -> CommandResult {
    let mut question = Question::new(session, &args.ask)?;
    let window = question.window;
    let baseline = match &args.baseline {
        Some(text) => baseline(text, question.now)?,
        None => before(window),
    };
    // Rows of both times are asked for.
    question.window.since = window.since.min(baseline.since);
    question.window.until = window.until.max(baseline.until);
    let (found, loaded) = gather(session, &args.ask, &mut question)?;
    let ask = |window| Ask {
        window,
        ..question.ask(None)
    };
    let facts = facts_of(found.rows()?, &found, &loaded);
    let findings = measure(&facts, &ask(window));
    let earlier = measure(&facts, &ask(baseline));
    let target = |indicator: &Indicator| args.targets.of(&session.config.kpi.targets, indicator);
    let mut document = DoraKpiDocument::new(&Said {
        found: &found,
        loaded: &loaded,
        window,
        baseline,
        now: question.now,
        targets: args.targets,
        target: &target,
        findings: &findings,
        earlier: &earlier,
    });
    let is_kept = args.save || session.var("GITHUB_RUN_ID").is_some();
    if is_kept && !args.dry_run {
        record::keep(session, &document)?;
        document.saved = true;
    }
    session.render(&document)?;
    if loaded.damaged == 0 {
        return Ok(ExitCode::Success);
    }
    let message = format!(
        "{} of the state cannot be used, and may be of an indicator",
        times(loaded.damaged, "line")
    );
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("`maestro state verify` names them"))
}

/// Says which rows an indicator was made from.
pub(super) fn explain(
    session: &mut Session<'_>,
    args: &AskArgs,
    indicator: &Indicator,
) -> Result<DoraExplainDocument, CommandError> {
    let mut question = Question::new(session, args)?;
    let (found, loaded) = gather(session, args, &mut question)?;
    let ask = question.ask(None);
    let facts = facts_of(found.rows()?, &found, &loaded);
    let findings = INDICATORS.iter().zip(measure(&facts, &ask));
    let finding = findings
        .filter(|(known, _)| known.id == indicator.id)
        .map(|(_, finding)| finding)
        .next()
        .unwrap_or_default();
    let words = wire::words(&finding, indicator.unit, None);
    Ok(DoraExplainDocument::of_indicator(
        indicator, &finding, words, &ask,
    ))
}

/// Returns the indicator of that name.
pub(super) fn find(id: &str) -> Option<&'static Indicator> {
    INDICATORS.iter().find(|known| known.id == id)
}

fn gather(
    session: &mut Session<'_>,
    args: &AskArgs,
    question: &mut Question,
) -> Result<(Gathered, Loaded), CommandError> {
    let unused = [
        ("--business-hours", question.hours.is_some()),
        ("--environment", question.environment.is_some()),
    ];
    if let Some((flag, _)) = unused.into_iter().find(|(_, is_given)| *is_given) {
        let message = format!("{flag} changes no indicator");
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("`maestro dora` has a column for it; leave it out here"));
    }
    if args.repos.is_some() {
        let message = "--repos pools the metrics of `maestro dora`, and no indicators";
        return Err(
            CommandError::message(ErrorKind::Usage, message).hint("ask each repository by itself")
        );
    }
    question.with_ci = true;
    let found = gather::gather(session, args, question, false)?;
    let loaded = load(session)?;
    Ok((found, loaded))
}

pub(super) fn facts_of<'a>(rows: &'a Rows, found: &Gathered, loaded: &'a Loaded) -> Facts<'a> {
    Facts {
        rows,
        knows_unmerged: found.from != "git",
        tests: &loaded.tests,
        calls: &loaded.calls,
        agents: &loaded.agents,
    }
}

/// Returns the time before another one, as long as it.
fn before(window: Window) -> Window {
    let length = window.until.duration_since(window.since);
    Window {
        since: window
            .since
            .saturating_sub(length)
            .unwrap_or(Timestamp::MIN),
        until: window.since,
    }
}

fn baseline(text: &str, now: Timestamp) -> Result<Window, CommandError> {
    let bad = |words: &str| {
        let message = format!("--baseline is `{text}`: {words}");
        CommandError::message(ErrorKind::Usage, message)
            .hint("write two times: 2026-01-01..2026-02-01, or 180d..90d")
    };
    let (since, until) = text
        .split_once("..")
        .ok_or_else(|| bad("there is no `..`"))?;
    let window = Window {
        since: time("--baseline", since, now)?,
        until: time("--baseline", until, now)?,
    };
    if window.since >= window.until {
        return Err(bad("it ends before it begins"));
    }
    Ok(window)
}
