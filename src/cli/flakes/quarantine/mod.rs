//! `maestro flakes quarantine`: the file in the work tree, which counts once it is merged.

mod bulk;
mod import;
mod pull;
pub(in crate::cli) mod skip;
mod wire;

use std::io::Read;
use std::path::PathBuf;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::owners::owner_of;
use super::report::load;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::config::days::days_of;
use crate::config::file::QuarantineWord;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::detect::Analysis;
use crate::flakes::history::History;
use crate::flakes::quarantine::QuarantineProblem;
use crate::flakes::quarantine::{Entry, Mode, Quarantine, USUAL_DAYS, is_well, shown};
use crate::flakes::verdict::Verdict;
use crate::stats::upper_bound;

use pull::{Proposal, PullArgs, PullRow, Rejected};
#[cfg(test)]
pub(crate) use skip::SkipDocument;
use wire::Change;
pub(crate) use wire::QuarantineDocument;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum QuarantineCommand {
    Add(AddArgs),
    Extend(ExtendArgs),
    Release(ReleaseArgs),
    Review(ReviewArgs),
    Import(import::ImportArgs),
    Skip(skip::SkipArgs),
}

/// Put a test into quarantine
///
/// Edits `.maestro/quarantine.json` in the work tree; it counts once it is merged. The evidence is what the stored history says. A test that
/// is broken is refused: it has to be mended. `--auto` takes in every test that the history shows to be flaky, what fails most first, up to
/// `flakes.most_per_owner`. `--pull-request` proposes the change instead: one pull request at most, never a push to the default branch.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Forgive a test of the stored history for two weeks
    $ maestro flakes quarantine add t --reason timeouts --dry-run

  A test that no history has, with an owner
    $ maestro flakes quarantine add x --suite net --reason port-in-use --owner @ada --dry-run

  Everything that the history shows to be flaky
    $ maestro flakes quarantine add --auto --dry-run")]
pub(crate) struct AddArgs {
    /// The test, by its name or as `maestro flakes report` shows it
    #[arg(required_unless_present = "auto", conflicts_with = "auto")]
    test: Option<String>,

    /// Its suite, where the history does not say which
    #[arg(long, conflicts_with = "auto")]
    suite: Option<String>,

    /// Every test that the history shows to be flaky
    #[arg(long)]
    auto: bool,

    /// Why, for whoever reads it later
    #[arg(long, required_unless_present = "auto")]
    reason: Option<String>,

    /// Who looks after it; unless given, the file's owner by CODEOWNERS
    #[arg(long)]
    owner: Option<String>,

    /// Where it is worked on
    #[arg(long, value_name = "URL")]
    issue: Option<String>,

    /// Do not run it, instead of forgiving it
    #[arg(long)]
    skip: bool,

    #[command(flatten)]
    pull: PullArgs,

    #[command(flatten)]
    common: Common,
}

/// Forgive a quarantined test for longer
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Two weeks from today
    $ maestro flakes quarantine extend known --reason in-review --dry-run

  A month from today
    $ maestro flakes quarantine extend known --reason new-runner --days 30 --dry-run")]
pub(crate) struct ExtendArgs {
    /// The test, by its name or as `maestro flakes report` shows it
    test: String,

    /// Its suite, where two suites have the name
    #[arg(long)]
    suite: Option<String>,

    /// Why it needs longer
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    common: Common,
}

/// Take a test out of quarantine
///
/// Refused until the stored runs since it came in show that it is well: the upper bound of its failure rate (95 %, Jeffreys' prior) must be
/// under 1 %, which takes 191 passes without a failure. `--force` takes it out all the same; `--auto` takes out all that are well.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See whether it may go
    $ maestro flakes quarantine release known --force --dry-run

  For a program
    $ maestro flakes quarantine release known --force --dry-run --format json

  All that are well
    $ maestro flakes quarantine release --auto --dry-run")]
pub(crate) struct ReleaseArgs {
    /// The test, by its name or as `maestro flakes report` shows it
    #[arg(required_unless_present = "auto", conflicts_with = "auto")]
    test: Option<String>,

    /// Its suite, where two suites have the name
    #[arg(long, conflicts_with = "auto")]
    suite: Option<String>,

    /// Every test that the history shows to be well
    #[arg(long)]
    auto: bool,

    /// Whatever its history says
    #[arg(long, conflicts_with = "auto")]
    force: bool,

    #[command(flatten)]
    pull: PullArgs,

    /// Say what would be, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// List the tests in quarantine, the most overdue first
///
/// A test that the stored history shows to be renamed is named: its entry forgives nothing until somebody writes the new name.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What is to be looked at
    $ maestro flakes quarantine review

  For a program
    $ maestro flakes quarantine review --format json")]
pub(crate) struct ReviewArgs {}

#[derive(Debug, clap::Args)]
struct Common {
    /// For so many days from today [default: `flakes.review_by`, or 14]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=365))]
    days: Option<u16>,

    /// Say what would be, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, command: &QuarantineCommand) -> CommandResult {
    if let QuarantineCommand::Skip(args) = command {
        return skip::run(session, args);
    }
    let mut home = Home::open(session, command)?;
    let today = session.now().to_zoned(TimeZone::UTC).date();
    let mut left_out = Vec::new();
    let (change, dry_run) = match command {
        QuarantineCommand::Add(args) if args.auto => {
            let rejected = home.rejected();
            let quarantine = home.quarantine();
            let (change, rest) = bulk::add(session, quarantine, args, today, &rejected)?;
            left_out = rest;
            (change, args.common.dry_run)
        }
        QuarantineCommand::Add(args) => (
            add(session, home.quarantine(), args, today)?,
            args.common.dry_run,
        ),
        QuarantineCommand::Extend(args) => {
            let days = days(session, args.common.days)?;
            let change = extend(home.quarantine(), args, later(today, days), today)?;
            (change, args.common.dry_run)
        }
        QuarantineCommand::Release(args) if args.auto => {
            (bulk::release(session, home.quarantine())?, args.dry_run)
        }
        QuarantineCommand::Release(args) => (
            release(session, home.quarantine(), args, today)?,
            args.dry_run,
        ),
        QuarantineCommand::Import(args) => {
            let days = days(session, args.common.days)?;
            let change = import::import(session, home.quarantine(), args, (today, days))?;
            (change, args.common.dry_run)
        }
        QuarantineCommand::Review(_) | QuarantineCommand::Skip(_) => (Change::None, true),
    };
    let pull = if dry_run { None } else { home.write(session)? };
    let mut document = QuarantineDocument::new(home.quarantine(), change, today, dry_run);
    document.add(pull, left_out);
    if let QuarantineCommand::Review(_) = command {
        let (history, _) = load(&session.state()?)?;
        document.add_renamed(&|suite, test| {
            let (suite, test) = history.newer_name(suite, test)?;
            Some(shown(suite, test))
        });
    }
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Where the quarantine is that is changed.
enum Home<'w> {
    Work(WorkFile),
    Pull(Box<Proposal<'w>>),
}

impl<'w> Home<'w> {
    fn open(session: &Session<'w>, command: &QuarantineCommand) -> Result<Self, CommandError> {
        let (pull, auto) = match command {
            QuarantineCommand::Add(args) => (Some(&args.pull), args.auto),
            QuarantineCommand::Release(args) => (Some(&args.pull), false),
            _ => (None, false),
        };
        match pull.filter(|pull| pull.pull_request) {
            Some(pull) => {
                let proposal = Proposal::open(session, pull, auto)?;
                Ok(Self::Pull(Box::new(proposal)))
            }
            None => WorkFile::open(session).map(Self::Work),
        }
    }

    fn quarantine(&mut self) -> &mut Quarantine {
        match self {
            Self::Work(file) => &mut file.quarantine,
            Self::Pull(proposal) => &mut proposal.quarantine,
        }
    }

    fn rejected(&self) -> Rejected {
        match self {
            Self::Work(_) => Rejected::new(),
            Self::Pull(proposal) => proposal.rejected.clone(),
        }
    }

    fn write(&self, session: &Session<'_>) -> Result<Option<PullRow>, CommandError> {
        match self {
            Self::Work(file) => file.write(session).map(|()| None),
            Self::Pull(proposal) => proposal.propose().map(Some),
        }
    }
}

/// Returns for how many days a test is forgiven.
fn days(session: &Session<'_>, given: Option<u16>) -> Result<u16, CommandError> {
    if let Some(days) = given {
        return Ok(days);
    }
    let Some(text) = &session.config.flakes.review_by else {
        return Ok(USUAL_DAYS);
    };
    days_of(text).ok_or_else(|| {
        let message = format!("`flakes.review_by: {text}` is no time");
        CommandError::message(ErrorKind::BadConfig, message)
            .hint("write days or weeks, a year at most: `14d`, `2w`")
    })
}

/// Returns what quarantine means for a test that comes in.
fn mode(session: &Session<'_>, skip: bool) -> Mode {
    match session.config.flakes.quarantine {
        Some(QuarantineWord::Skip) => Mode::Skip,
        _ if skip => Mode::Skip,
        _ => Mode::Gate,
    }
}

/// The file in the work tree.
pub(in crate::cli) struct WorkFile {
    path: PathBuf,
    pub(in crate::cli) quarantine: Quarantine,
}

impl WorkFile {
    pub(in crate::cli) fn open(session: &Session<'_>) -> Result<Self, CommandError> {
        let path = session.maestro_dir().join("quarantine.json");
        let mut bytes = Vec::new();
        match session.world.files.open(&path) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes)
                    .map_err(|error| CommandError::reading(&path, error))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(CommandError::reading(&path, error)),
        }
        let quarantine = Quarantine::read(&bytes)
            .map_err(|problem| problem.reported(&format!("`{}`", path.display())))?;
        Ok(Self { path, quarantine })
    }

    fn write(&self, session: &Session<'_>) -> Result<(), CommandError> {
        let bytes = self.quarantine.write();
        let bytes = bytes.map_err(|error| {
            let message = format!("the quarantine would not be one any more: {error}");
            CommandError::message(ErrorKind::BadInput, message).hint("nothing was written")
        })?;
        let files = session.world.files.as_ref();
        let folder = self
            .path
            .parent()
            .map_or(Ok(()), |folder| files.create_folder(folder));
        folder
            .and_then(|()| files.write_atomic(&self.path, &mut |out| out.write_all(&bytes)))
            .map_err(|error| CommandError::writing(&self.path, error))
    }
}

fn add(
    session: &mut Session<'_>,
    quarantine: &mut Quarantine,
    args: &AddArgs,
    today: Date,
) -> Result<Change, CommandError> {
    let (history, _) = load(&session.state()?)?;
    let name = args.test.as_deref().unwrap_or_default();
    let found = find(&history, name, args.suite.as_deref())?;
    let (suite, test, evidence) = match found {
        Some((number, suite, test)) => {
            let judgement = Analysis::of(&history).judge(&history, number);
            if judgement.verdict == Verdict::Broken {
                let message = format!(
                    "`{}` is broken, not flaky: {}",
                    shown(&suite, &test),
                    judgement.evidence.join("; ")
                );
                return Err(CommandError::message(ErrorKind::BadInput, message).hint(
                    "mend it, or take back the change that broke it; a quarantine would hide it",
                ));
            }
            (suite, test, judgement.evidence)
        }
        None => match &args.suite {
            Some(suite) => (suite.clone(), name.to_owned(), Vec::new()),
            None => {
                let message = format!("no stored run has a test `{name}`");
                return Err(CommandError::message(ErrorKind::NotFound, message)
                    .hint("`maestro flakes report --all` lists them; name its suite with `--suite` to add it all the same"));
            }
        },
    };
    let owner = args.owner.clone().or_else(|| owner_of(session, &suite));
    let entry = Entry {
        suite,
        test,
        mode: mode(session, args.skip),
        reason: args.reason.as_deref().unwrap_or_default().trim().to_owned(),
        evidence,
        owner,
        issue: args.issue.clone(),
        since: today,
        review_by: later(today, days(session, args.common.days)?),
    };
    let shown = entry.shown();
    if quarantine.find(&entry.suite, &entry.test).is_some() {
        return Err(CommandError::message(
            ErrorKind::BadInput,
            format!("`{shown}` is in quarantine already"),
        )
        .hint("`maestro flakes quarantine extend` forgives it for longer"));
    }
    if entry.reason.is_empty() {
        return Err(
            CommandError::message(ErrorKind::Usage, "a reason is needed")
                .hint("say what is known: `--reason 'times out under load'`"),
        );
    }
    quarantine.put(entry);
    Ok(Change::Added(shown))
}

fn later(today: Date, days: u16) -> Date {
    today.saturating_add(i64::from(days).days())
}

fn extend(
    quarantine: &mut Quarantine,
    args: &ExtendArgs,
    review_by: Date,
    today: Date,
) -> Result<Change, CommandError> {
    let (suite, test) = in_quarantine(quarantine, &args.test, args.suite.as_deref())?;
    let Some(mut entry) = quarantine.take(&suite, &test) else {
        return Ok(Change::None);
    };
    entry.review_by = review_by.max(entry.review_by);
    entry
        .evidence
        .push(format!("{today}: {}", args.reason.trim()));
    let shown = entry.shown();
    quarantine.put(entry);
    Ok(Change::Extended(shown))
}

fn release(
    session: &mut Session<'_>,
    quarantine: &mut Quarantine,
    args: &ReleaseArgs,
    today: Date,
) -> Result<Change, CommandError> {
    let name = args.test.as_deref().unwrap_or_default();
    let (suite, test) = in_quarantine(quarantine, name, args.suite.as_deref())?;
    let since = quarantine
        .find(&suite, &test)
        .map_or(today, |entry| entry.since);
    if !args.force {
        let (history, _) = load(&session.state()?)?;
        let found = find(&history, &test, Some(&suite))?;
        let (runs, failures) = found.map_or((0, 0), |(number, ..)| history.since(number, since));
        if !is_well(failures, runs) {
            let upper = upper_bound(failures, runs);
            let message = format!(
                "`{}` is not known to be well: {failures} of {runs} runs since {since} failed, so its rate may be {:.1} %",
                shown(&suite, &test),
                upper * 100.0
            );
            return Err(CommandError::message(ErrorKind::BadInput, message)
                .hint("191 passes without a failure show that it fails less than once in a hundred runs; `--force` takes it out all the same"));
        }
    }
    let entry = quarantine.take(&suite, &test);
    Ok(entry.map_or(Change::None, |entry| Change::Released(entry.shown())))
}

/// Finds the entry that a name means.
fn in_quarantine(
    quarantine: &Quarantine,
    name: &str,
    suite: Option<&str>,
) -> Result<(String, String), CommandError> {
    let fits = |entry: &&Entry| {
        suite.is_none_or(|suite| suite == entry.suite)
            && (entry.test == name || entry.shown() == name)
    };
    let found: Vec<&Entry> = quarantine.tests.iter().filter(fits).collect();
    match &found[..] {
        [entry] => Ok((entry.suite.clone(), entry.test.clone())),
        [] => Err(CommandError::message(
            ErrorKind::NotFound,
            format!("`{name}` is not in quarantine"),
        )
        .hint("`maestro flakes quarantine review` lists what is")),
        several => Err(ambiguous(
            name,
            several.iter().map(|entry| entry.suite.as_str()),
        )),
    }
}

fn ambiguous<'a>(name: &str, suites: impl Iterator<Item = &'a str>) -> CommandError {
    let suites: Vec<String> = suites.take(5).map(|suite| format!("`{suite}`")).collect();
    CommandError::message(
        ErrorKind::Usage,
        format!("several suites have a test `{name}`"),
    )
    .hint(format!("name one with `--suite`: {}", suites.join(", ")))
}

/// Finds the test of the history that a name means: its number, suite and name.
fn find(
    history: &History,
    name: &str,
    suite: Option<&str>,
) -> Result<Option<(u32, String, String)>, CommandError> {
    let mut found = Vec::new();
    for number in history.in_order() {
        let (of, test) = history.test(number);
        if suite.is_none_or(|suite| suite == of) && (test == name || shown(of, test) == name) {
            found.push((number, of.to_owned(), test.to_owned()));
        }
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ambiguous(
            name,
            found.iter().map(|(_, suite, _)| suite.as_str()),
        )),
    }
}

impl Reported for QuarantineProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadConfig, format!("{of}: {self}"))
            .hint("mend it by hand; `maestro util schema quarantine` prints what may stand where")
    }
}
