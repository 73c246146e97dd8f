//! `maestro flakes gate`: only failures that nobody quarantined fail the job.

mod wire;

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::ingest::{ReadReports, read_reports};
use super::rules::{self, RulesArgs};
use crate::cli::session::Session;
use crate::cli::trouble::named_runner;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::gate::{Law, Trouble, judge};
use crate::flakes::runners::Runner;

pub(crate) use wire::FlakesGateDocument;

/// Forgive quarantined failures, and no others
///
/// Reads the reports of one run, and the quarantine of the branch that the change goes to: what a change itself puts into
/// `.maestro/quarantine.json` forgives nothing before it is merged. Overdue entries, reports that break off and runners that fail for
/// another reason are not forgiven; a test that is absent has not passed. Without `enforce: [flakes]` nothing is forgiven, and the result
/// says what would be. Exits with 12 when something is left.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Decide whether the job fails
    $ maestro flakes gate --junit green.xml

  The same, for a program, with what the runner exited with
    $ maestro flakes gate --junit green.xml --runner pytest --status 0 --format json")]
pub(crate) struct GateArgs {
    /// Reports of the run: files, folders and globs
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    junit: Vec<PathBuf>,

    /// What the test runner exited with: a status that failed tests do not explain is not forgiven
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    status: Option<i32>,

    /// What ran the tests: then only the status that it has for failed tests is explained by them
    #[arg(long, value_name = "RUNNER", requires = "status")]
    runner: Option<String>,

    #[command(flatten)]
    rules: RulesArgs,
}

pub(super) fn run(session: &mut Session<'_>, args: &GateArgs) -> CommandResult {
    let runner = args.runner.as_deref().map(named_runner).transpose()?;
    let rules = rules::load(session, &args.rules)?;
    let never = rules::never(&rules.never)?;
    let ReadReports {
        results,
        files,
        broken,
        suites,
        failures,
        ..
    } = read_reports(session, &args.junit)?;
    if let Some(failure) = failures.into_iter().next() {
        return Err(failure);
    }
    let mut troubles: Vec<Trouble> = broken.into_iter().map(Trouble::NotWhole).collect();
    troubles.extend(suites.into_iter().map(Trouble::Suite));
    troubles.extend((files == 0).then_some(Trouble::NoReport));
    let law = Law {
        quarantine: &rules.quarantine,
        today: session.now().to_zoned(TimeZone::UTC).date(),
        is_enforced: rules.enforced,
        never: &|suite, test, file| rules::never_by(&never, suite, test, file),
        failed: runner.map(Runner::failed),
    };
    let judged = judge(&results, troubles, args.status, &law);
    let document = FlakesGateDocument::new(&rules, &judged, files);
    session.render(&document)?;
    document.complaint().map_or(Ok(ExitCode::Success), Err)
}
