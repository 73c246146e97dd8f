//! `maestro dora`: how a team delivers, and what each number stands on.

mod audited;
mod explain;
mod forge;
mod gather;
pub(in crate::cli) mod kpi;
pub(in crate::cli) mod listed;
mod page;
mod question;
pub(in crate::cli) mod repositories;
mod space;
mod stored;
mod wire;
mod words;

use crate::cli::session::Session;
use crate::delivery::ask::Ask;
use crate::delivery::calendar::Calendar;
use crate::delivery::definitions;
use crate::delivery::metrics::Metric;
use crate::delivery::pool::{Pool, measure, parts};
use crate::delivery::splits::By;
use crate::delivery::trends::{Step, periods};
use crate::error::CommandResult;
use question::{AskArgs, Question};
use wire::Said;

pub(super) use audited::audited;
#[cfg(test)]
pub(crate) use explain::DoraExplainDocument;
#[cfg(test)]
pub(crate) use kpi::DoraKpiDocument;
#[cfg(test)]
pub(crate) use space::DoraSpaceDocument;
pub(super) use stored::Stored;
pub(crate) use wire::DoraDocument;

/// Say how changes reach their users: five metrics, each with its evidence
///
/// Change lead time (to merge, deploy and release), deployment frequency, failed deployment recovery time, change fail rate and rework rate, as
/// dora.dev has them since 2025: medians and 90th percentiles with how many values and which interval, and no number where there are too few. Rows
/// come from GitHub where there is a token (deployments, workflow runs, releases, pull requests, and issues that are incidents), are kept in the
/// state, and only what changed is asked for again; git alone is a fallback that says so. Every row is counted or left out with a reason:
/// `maestro dora explain METRIC` lists both.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "\
Examples:
  The last 90 days, out of git alone
    $ maestro dora --source git

  A year by months, people apart from bots and agents, for a program
    $ maestro dora --offline --since 365d --trend month --by author --format json

  All repositories that a list names, one path a line, pooled
    $ maestro dora --repos repositories.txt"
)]
pub(crate) struct DoraArgs {
    #[command(subcommand)]
    command: Option<DoraCommand>,

    #[command(flatten)]
    ask: AskArgs,

    /// Show parts beside the whole
    #[arg(long, value_name = "WHAT")]
    by: Option<ByWord>,

    /// How long the periods of the trend are
    #[arg(long, value_name = "PERIOD", default_value = "week")]
    trend: StepWord,
}

#[derive(Debug, clap::Subcommand)]
enum DoraCommand {
    Explain(explain::ExplainArgs),
    Kpi(kpi::KpiArgs),
    Space(space::SpaceArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ByWord {
    Environment,
    Path,
    Team,
    Author,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StepWord {
    Week,
    Month,
}

pub(crate) fn run(session: &mut Session<'_>, args: &DoraArgs) -> CommandResult {
    match &args.command {
        Some(DoraCommand::Explain(args)) => return explain::run(session, args),
        Some(DoraCommand::Kpi(args)) => return kpi::run(session, args),
        Some(DoraCommand::Space(args)) => return space::run(session, args),
        None => {}
    }
    let question = Question::new(session, &args.ask)?;
    let by = args.by.map(|word| match word {
        ByWord::Environment => By::Environment,
        ByWord::Path => By::Path,
        ByWord::Team => By::Team,
        ByWord::Author => By::Author,
    });
    let step = match args.trend {
        StepWord::Week => Step::Week,
        StepWord::Month => Step::Month,
    };
    let found = gather::gather(session, &args.ask, &question, by == Some(By::Path))?;
    let calendar = calendar(&question, &found.pool);
    let ask = question.ask(calendar.as_ref());
    let measured = measure(&found.pool, &ask);
    let said = Said {
        found: &found,
        measured: &measured,
        ask: &ask,
        trend: &periods(&measured.metrics, ask.window, step, ask.least),
        parts: by.map(|by| (by, parts(&found.pool, &ask, by))),
        standard: standard(&found.pool, &ask),
    };
    let document = DoraDocument::new(&said);
    session.render(&document)?;
    let verdict = repositories::verdict(session, &args.ask, &found);
    // The process ends here; giving many small pieces back one by one takes as long as reading them.
    std::mem::forget(found);
    verdict
}

/// Returns the hours of work over all times of rows, where somebody asked for them.
fn calendar(question: &Question, pool: &Pool) -> Option<Calendar> {
    let hours = question.hours.as_ref()?;
    let first = pool.earliest().unwrap_or(question.window.since);
    let first = first.min(question.window.since);
    Some(Calendar::new(
        hours,
        first,
        question.now.max(question.window.until),
    ))
}

/// Returns what the standard definition says, where another one was asked for.
fn standard(pool: &Pool, ask: &Ask<'_>) -> Option<Vec<Metric>> {
    let standard = definitions::standard();
    if ask.definition == standard {
        return None;
    }
    let mut other = ask.clone();
    other.definition = standard;
    Some(measure(pool, &other).metrics)
}
