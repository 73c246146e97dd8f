//! `maestro pr-health`: how a pull request stands.

mod gather;
mod of_gate;
mod pull;
mod safety;
mod touched;
mod wire;

use std::path::PathBuf;

use crate::cli::check_policy;
use crate::cli::comment::{Wish, keep_part};
use crate::cli::session::Session;
use crate::config::file::CommentWord;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::health::factors::FACTORS;
use crate::health::merge_time::{Abstention, Estimate, estimate};
use crate::health::{Health, Risk, Subject, judge, moved};
pub(in crate::cli) use of_gate::for_gate;
pub(crate) use wire::PrHealthDocument;

/// Say how a pull request stands, with evidence and its risk
///
/// Also says when pull requests like it were merged, by the repository's own past. The factors are budget, complexity, flakes, patch-coverage, reviews and security. What nobody knows is unknown, and never 100. Nothing is blocked
/// unless `--fail-on high` is given. How much a factor counts is read from the configuration of the branch that the change goes to
/// (`health: {weights: {complexity: 10}}`), never from the change's own.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  How this branch stands, with the coverage of its tests
    $ maestro pr-health --coverage coverage.xml

  In the one comment of a pull request
    $ maestro pr-health --pr 12 --coverage lcov.info --comment")]
pub(crate) struct PrHealthArgs {
    /// Compare with where the head left this revision, and take the configuration from it, instead of what the event or the remote's default branch says
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Judge this commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,

    /// Fetch nothing, even where a clone has too little of the past
    #[arg(long)]
    no_fetch: bool,

    #[command(flatten)]
    inputs: InputArgs,

    /// Keep the part of the one comment of the pull request; where the token may not, it goes to the step summary
    #[arg(long)]
    comment: bool,

    /// Exit with 10 when the risk is this
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
}

/// At which risk it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    High,
}

/// What is known of the change.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What is known of it")]
struct InputArgs {
    /// A report of coverage (lcov, Cobertura, JaCoCo, Clover, SimpleCov, coverage.py, Go, llvm-cov; can be repeated)
    #[arg(long, value_name = "FILE")]
    coverage: Vec<PathBuf>,

    /// What `maestro check-policy --report json=FILE` said [default: the verdict on this head that is stored]
    #[arg(long, value_name = "FILE")]
    policy_report: Option<PathBuf>,

    /// Findings of a scanner (SARIF 2.1.0; can be repeated)
    #[arg(long, value_name = "FILE")]
    sarif: Vec<PathBuf>,

    /// Findings of the scanner on what it is compared with (can be repeated)
    #[arg(long, value_name = "FILE")]
    base_sarif: Vec<PathBuf>,

    /// The pull request [default: the one that started the workflow]
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,

    /// The pull request as GitHub's API has it, with its `reviews` beside, instead of asking GitHub
    #[arg(long, value_name = "FILE", conflicts_with = "pr")]
    pull: Option<PathBuf>,

    /// Past pull requests, one row a line, beside those that are stored
    #[arg(long, value_name = "FILE")]
    past: Option<PathBuf>,
}

/// What was judged, and what came of it.
struct Judged {
    bases: Vec<String>,
    head: String,
    number: Option<u64>,
    health: Health,
    time: Result<Estimate, Abstention>,
    /// Whether past pull requests are those that git alone shows.
    is_proxy: bool,
    coverage: Option<(Vec<&'static str>, u64)>,
}

pub(super) fn run(session: &mut Session<'_>, args: &PrHealthArgs) -> CommandResult {
    let base = args.base.as_deref().filter(|base| !base.is_empty());
    let scene = check_policy::scene(session, (&args.head, args.no_fetch), base, None)?;
    let trusted = base
        .or_else(|| gather::local_base(session, &scene.bases))
        .map(str::to_owned);
    let said = gather::said(session, trusted.as_deref(), !args.no_fetch)?;
    let lines = moved::join(check_policy::lines(&scene.changed));
    let paths = gather::paths(session, args.no_fetch, &scene.head)?;
    let coverage = gather::coverage(session, &args.inputs.coverage, &paths)?;
    let number = args.inputs.pr.or_else(|| pull::number(session));
    let pull = pull::find(session, args.inputs.pull.as_deref(), number)?;
    let number = pull.as_ref().map(|pull| pull.number).or(number);
    let rows = pull::rows(session, args.inputs.past.as_deref(), number)?;
    let tests = touched::tests(session, &scene.changed, &paths);
    let security = safety::find(session, &args.inputs, (&scene.head, number))?;
    let spending = gather::spending(session, number, trusted.as_deref());
    let subject = Subject {
        files: &lines,
        coverage: coverage.as_ref(),
        pull: pull.as_ref(),
        tests: tests.as_ref(),
        security: Some(&security),
        spending: spending.as_ref(),
        now: session.now(),
    };
    let health = judge(&subject, &|name| said.weights.get(name).copied());
    let asked = pull::asked(&subject, &rows);
    let time = estimate(&rows.past, &asked, session.now().as_second());
    let document = PrHealthDocument::new(&Judged {
        bases: scene.bases,
        head: scene.head,
        number,
        health,
        time,
        is_proxy: rows.is_proxy,
        coverage: coverage.map(|coverage| (coverage.forms, coverage.unplaced)),
    });
    session.render(&document)?;
    if args.comment {
        comment(session, &document, said.comment)?;
    }
    let is_disabled = session.is_disabled();
    match args.fail_on {
        Some(FailOn::High) if is_disabled => {
            session
                .ui
                .warn("MAESTRO_DISABLE is set: the risk stops nothing");
            Ok(ExitCode::Success)
        }
        Some(FailOn::High) if document.risk() == Risk::High => Err(CommandError::message(
            ErrorKind::Policy,
            format!("the risk is high: {}", document.reason()),
        )
        .hint("what to do stands below the factors; without --fail-on nothing is blocked")),
        _ => Ok(ExitCode::Success),
    }
}

/// Keeps its part of the one comment; the gate's stays as it is.
fn comment(
    session: &mut Session<'_>,
    document: &PrHealthDocument,
    word: Option<CommentWord>,
) -> Result<(), CommandError> {
    let Some(number) = document.pull_request() else {
        let message = "a comment needs a pull request, and none started this run";
        return Err(
            CommandError::message(ErrorKind::Usage, message).hint("name it with --pr NUMBER")
        );
    };
    let wish = Wish {
        word,
        is_actionable: document.is_actionable(),
    };
    keep_part(session, number, wish, &|parts| {
        parts.with_health(document.part())
    })
}

/// Whether a factor is called that.
fn is_factor(name: &str) -> bool {
    FACTORS.iter().any(|about| about.name == name)
}
