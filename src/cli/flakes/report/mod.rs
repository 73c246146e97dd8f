//! `maestro flakes report`

mod cause;
mod wire;

use crate::cli::session::Session;
use crate::cli::state::{damage_error, warn_of_damage};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::detect::Analysis;
use crate::flakes::history::{History, HistoryBuilder};
use crate::flakes::verdict::times;
use crate::state::v1;
use crate::state::{StateFolder, Survey};

pub(crate) use wire::FlakesDocument;

/// Show what the stored history says about each test
///
/// Without --all, tests that never failed are left out. Runs that were outages are found first, and their failures are no
/// evidence. The rate is the posterior failure rate of one execution under Jeffreys' prior, with its 95 % interval, outside of
/// outages and of commits that had broken the test.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Name the flaky and the broken tests
    $ maestro flakes report

  Every test, for a program
    $ maestro flakes report --all --format json")]
pub(crate) struct ReportArgs {
    /// Also show tests that never failed
    #[arg(long)]
    all: bool,

    /// Exit with 3 when nothing is stored yet
    #[arg(long)]
    require_input: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &ReportArgs) -> CommandResult {
    let state = session.state()?;
    let (history, survey) = load(&state)?;
    let analysis = Analysis::of(&history);
    let document = FlakesDocument::new(&history, &analysis, args.all);
    session.render(&document)?;
    warn_of_damage(session, &survey);
    if history.runs.is_empty() {
        session.ui.warn("no test run is stored yet");
        session
            .ui
            .hint("store one: maestro flakes ingest target/nextest/ci/junit.xml");
        if args.require_input {
            return Ok(ExitCode::NothingToDo);
        }
    }
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    match history.missing_lists {
        0 => Ok(ExitCode::Success),
        missing => Err(missing_lists_error(missing)),
    }
}

/// The error of runs whose tests cannot be named.
pub(crate) fn missing_lists_error(missing: u64) -> CommandError {
    let message = format!(
        "the list of tests of {} is not here",
        times(missing, "stored run")
    );
    CommandError::message(ErrorKind::BadInput, message)
        .hint("their tests are missing from every report; ingest their reports again, or fetch the rest of the state")
}

/// Reads the whole history.
pub(crate) fn load(state: &StateFolder<'_>) -> Result<(History, Survey), CommandError> {
    let mut builder = HistoryBuilder::hearing();
    let survey = state.read(&|kind, _| v1::is_about_tests(kind), &mut |event| {
        v1::decode(event, &mut builder)
    })?;
    let mut history = builder.finish();
    history.join_former_names();
    Ok((history, survey))
}

/// Returns how many stored runs refer to a list that is not here.
pub(crate) fn missing_lists(state: &StateFolder<'_>) -> Result<u64, CommandError> {
    Ok(load(state)?.0.missing_lists)
}
