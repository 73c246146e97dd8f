//! `maestro budget lease`: money for a job that may ask nobody.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::SignedDuration;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::wallet;
use crate::budget::lease::{Lease, LeaseFile, LeaseProblem, Register, Stage};
use crate::budget::ledger::{Alert, Refusal};
use crate::cli::session::Session;
use crate::cli::state::RemoteArgs;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::money::MoneyProblem;
use crate::money::Usd;
use crate::output::{Inline, Page, Report};
use crate::sha::Sha;
use crate::state::v1::encode_lease;
use crate::state::{self, Remote, StateError, StateFolder, Turn};

/// Where the register lies, at the remote.
const NAME: &str = "refs/maestro/budget";

/// The file that holds it.
const FILE: &str = "budget.json";

/// No lease lasts longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Lend a job what it may spend on a pull request
///
/// For a job that calls models but may not write to the repository. Asks the remote's register (`refs/maestro/budget`) by
/// compare-and-swap: however many jobs ask at once, no more is lent than the caps of the base branch leave (exit 11). The job spends inside the
/// lease without asking anybody; `maestro budget settle --lease` gives back what it did not spend. A lease that nobody settles in time counts as
/// spent whole.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Two dollars for pull request 12, for two hours
    $ maestro budget lease --pr 12 --usd 2 --out lease.json

  See whether it would be lent
    $ maestro budget lease --pr 12 --usd 2 --out lease.json --dry-run")]
pub(crate) struct LeaseArgs {
    /// The pull request that pays
    #[arg(long, value_name = "NUMBER")]
    pr: u64,

    /// How much, in US dollars
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    usd: String,

    /// The file to write, for the job
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// How long it lasts
    #[arg(long, value_name = "TIME", default_value = "2h")]
    expires: SignedDuration,

    /// Take the caps from this revision, instead of where the change goes to
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    #[command(flatten)]
    remote: RemoteArgs,

    /// Say whether it would be lent, and lend nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &LeaseArgs) -> CommandResult {
    let usd = amount("--usd", &args.usd)?;
    if args.expires <= SignedDuration::ZERO || args.expires > LONGEST {
        let message = "`--expires` is no time from a second to 31 days";
        return Err(
            CommandError::message(ErrorKind::Usage, message).hint("give a time such as 90m or 2h")
        );
    }
    let caps = wallet::caps(session, args.base.as_deref())?;
    let state = session.state()?;
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    remote.pull()?;
    let (known, _) = wallet::accounts(session, &state)?;
    let wanted = wanted(session, args, usd)?;
    let now = session.now();
    let mut turn = |old: Option<&[u8]>| {
        let mut register = read(old)?;
        let expired = register.expire(now);
        match register.lend(wanted.clone(), &known, &caps, now) {
            Ok(alerts) if args.dry_run => Ok(Turn::Leave(Ok((expired, alerts)))),
            Ok(alerts) => Ok(Turn::Write(write(&register)?, Ok((expired, alerts)))),
            Err(refusal) => Ok(Turn::Leave(Err(refusal))),
        }
    };
    let (expired, alerts) = register(&remote).update(&mut turn)?.map_err(refused)?;
    let document = LeaseDocument::new(args, &wanted);
    if !args.dry_run {
        let file = LeaseFile::new(&wanted, wallet::repository(session), &caps);
        if let Err(error) = hand_out(session, args, &file) {
            give_back(&remote, &file, session)?;
            return Err(error);
        }
        store(
            &state,
            &[&expired[..], std::slice::from_ref(&wanted)].concat(),
        )?;
    }
    for Alert { account, share } in alerts {
        let message = format!("{account} has spent or lent {share} % of what it may cost");
        session.ui.warn(&message);
    }
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn wanted(session: &Session<'_>, args: &LeaseArgs, usd: Usd) -> Result<Lease, CommandError> {
    let origin = wallet::origin(session);
    let now = session.now();
    let expires = now.saturating_add(args.expires);
    let expires = expires.map_err(|_| wallet::too_far())?;
    let whose = format!(
        "{} {now} {} {} {} {}",
        session.world.clock.dice(),
        origin.run,
        origin.attempt,
        origin.job,
        args.pr
    );
    let id: String = Sha::of(whose.as_bytes())
        .to_string()
        .chars()
        .take(32)
        .collect();
    Ok(Lease {
        id,
        stage: Stage::Taken,
        pull_request: args.pr,
        usd,
        taken: now,
        expires,
        run: origin.run,
        attempt: origin.attempt,
        job: origin.job,
        settled: None,
        spent_usd: None,
    })
}

fn hand_out(session: &Session<'_>, args: &LeaseArgs, file: &LeaseFile) -> Result<(), CommandError> {
    let path = session.base.join(&args.out);
    let mut bytes = crate::json::pretty_bytes(file).map_err(CommandError::internal)?;
    bytes.push(b'\n');
    let files = session.world.files.as_ref();
    files
        .write_atomic(&path, &mut |out| out.write_all(&bytes))
        .map_err(|error| CommandError::writing(&path, error))
}

/// Gives a lease back that nobody will ever see.
fn give_back(
    remote: &Remote<'_>,
    file: &LeaseFile,
    session: &Session<'_>,
) -> Result<(), CommandError> {
    let now = session.now();
    let mut turn = |old: Option<&[u8]>| {
        let mut register = read(old)?;
        match register.settle(file, Usd::ZERO, now) {
            Ok(_) => Ok(Turn::Write(write(&register)?, ())),
            Err(_) => Ok(Turn::Leave(())),
        }
    };
    Ok(register(remote).update(&mut turn)?)
}

fn refused(refusal: Refusal) -> CommandError {
    CommandError::new(ErrorKind::Budget, refusal)
        .hint("nothing was lent; settle leases that are not needed any more, ask for less, or raise the cap with `maestro budget set` in a reviewed change of the base branch")
}

/// Reads an amount of the command line.
pub(super) fn amount(flag: &str, text: &str) -> Result<Usd, CommandError> {
    text.parse()
        .map_err(|problem: MoneyProblem| problem.reported(flag))
}

impl Reported for MoneyProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::Usage, format!("`{of}`: {self}"))
            .hint("give a decimal in US dollars, such as 2.50")
    }
}

/// Returns the register of the remote.
pub(super) fn register<'r, 'w>(remote: &'r Remote<'w>) -> state::Register<'r, 'w> {
    state::Register {
        remote,
        name: NAME,
        file: FILE,
    }
}

pub(super) fn read(old: Option<&[u8]>) -> Result<Register, StateError> {
    Register::read(old).map_err(damaged)
}

pub(super) fn write(register: &Register) -> Result<Vec<u8>, StateError> {
    register.write().map_err(damaged)
}

fn damaged(problem: LeaseProblem) -> StateError {
    let path = PathBuf::from(NAME);
    match problem {
        LeaseProblem::Schema { found, .. } => StateError::Newer {
            path,
            schema: found,
        },
        problem => StateError::Damaged {
            path,
            problem: problem.to_string(),
        },
    }
}

/// Stores what is known of leases as events.
pub(super) fn store(state: &StateFolder<'_>, leases: &[Lease]) -> Result<(), CommandError> {
    let events: Result<Vec<_>, _> = leases
        .iter()
        .map(|lease| encode_lease(lease, lease.since()))
        .collect();
    let events = events.map_err(CommandError::internal)?;
    state.save(&events)?;
    Ok(())
}

/// What was lent.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-lease/v1"))]
pub(crate) struct LeaseDocument {
    /// `maestro.budget-lease/v1`
    schema: &'static str,
    /// Whether nothing was lent.
    dry_run: bool,
    /// Its id; nothing in a dry run.
    lease: Option<String>,
    pull_request: u64,
    /// How much, in US dollars.
    usd: String,
    /// Until when it must be settled.
    expires: String,
    /// The file for the job.
    file: String,
}

impl LeaseDocument {
    fn new(args: &LeaseArgs, lease: &Lease) -> Self {
        Self {
            schema: "maestro.budget-lease/v1",
            dry_run: args.dry_run,
            lease: (!args.dry_run).then(|| lease.id.clone()),
            pull_request: lease.pull_request,
            usd: lease.usd.to_string(),
            expires: lease.expires.to_string(),
            file: args.out.to_string_lossy().into_owned(),
        }
    }
}

impl Report for LeaseDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let verb = if self.dry_run { "Would lend" } else { "Lent" };
        page.heading(format!(
            "{verb} ${} for pull request {} until {}",
            self.usd, self.pull_request, self.expires
        ));
        page.line(vec![Inline::Code(self.file.clone())]);
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let lease = self.lease.clone();
        lease
            .map(|lease| ("lease".to_owned(), lease))
            .into_iter()
            .collect()
    }
}
