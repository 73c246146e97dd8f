//! The purse of a command: whose money it is, which caps hold, and where its journal lies.

use std::io::Read;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::budget::accounts::Accounts;
use crate::budget::book::{Book, Terms};
use crate::budget::caps::CapsProblem;
use crate::budget::caps::{self, Caps};
use crate::budget::journal::{Ended, Line};
use crate::budget::lease::{LeaseFile, LeaseProblem};
use crate::budget::ledger::{Account, Alert, Refusal, Settled, Standing};
use crate::budget::spend::Paid;
use crate::budget::sums::Wanted;
use crate::cli::flakes::rules::trusted_files;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::purse::{Opening, Planned, Purse, PurseProblem, Ticket};
use crate::error::{CommandError, ErrorKind};
use crate::event::{Origin, plain_name};
use crate::forge::repository::of_remote;
use crate::money::Usd;
use crate::redact::Redactor;
use crate::sha::Sha;
use crate::state::v1::{self, LEASE, SPEND};
use crate::state::{Damage, StateFolder};

/// The journal of what is paid without a lease.
const OWN: &str = "own";

/// No file of money is longer.
const LONGEST: u64 = 128 * 1024 * 1024;

/// Whose money it is.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct WalletArgs {
    /// The pull request that pays [default: the one that started the workflow]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pr: Option<u64>,

    /// Spend from this lease, and ask nobody
    #[arg(long, value_name = "FILE")]
    pub(crate) lease: Option<PathBuf>,

    /// Take the caps from this revision, instead of where the change goes to
    #[arg(long, value_name = "REV", conflicts_with = "lease")]
    pub(crate) base: Option<String>,
}

/// Opens the purse of a command.
pub(crate) fn open(session: &mut Session<'_>, args: &WalletArgs) -> Result<Purse, CommandError> {
    let opening = opening_of(session, args)?;
    open_as(session, opening)
}

/// Opens the purse of a command that ends a call: with the eyes of whoever began it. Caps that cannot be read now are no reason to lose a
/// bill.
pub(super) fn open_to_settle(
    session: &mut Session<'_>,
    args: &WalletArgs,
    ticket: &Ticket,
) -> Result<Purse, CommandError> {
    let caps = match args.lease {
        Some(_) => Caps::default(),
        None => match caps(session, args.base.as_deref()) {
            Ok(caps) => caps,
            Err(error) => {
                let message = format!(
                    "the caps could not be read, so that nobody hears how near they are: {:#}",
                    error.error
                );
                session.ui.warn(&message);
                Caps::default()
            }
        },
    };
    let mut opening = opening(session, args, caps)?;
    if session.world.files.kind(&opening.path).is_ok()
        && let Some(reserve) = book_of(session, &opening.path)?.open_call(ticket.call())
    {
        opening.terms.pull_request = reserve.pull_request;
        opening.terms.run.clone_from(&reserve.run);
    }
    open_as(session, opening)
}

/// Returns what opens the purse of a command, for those that open it several times.
pub(crate) fn opening_of(
    session: &mut Session<'_>,
    args: &WalletArgs,
) -> Result<Opening, CommandError> {
    let caps = match args.lease {
        Some(_) => Caps::default(),
        None => caps(session, args.base.as_deref())?,
    };
    opening(session, args, caps)
}

fn open_as(session: &Session<'_>, opening: Opening) -> Result<Purse, CommandError> {
    let world = session.world;
    Ok(Purse::open(
        world.files.as_ref(),
        world.clock.as_ref(),
        opening,
    )?)
}

/// Asks whether a call may be made, and writes nothing; the second is how much is left.
pub(super) fn ask(
    session: &mut Session<'_>,
    args: &WalletArgs,
    planned: &Planned,
) -> Result<(Result<(), PurseProblem>, Option<Usd>), CommandError> {
    let caps = match args.lease {
        Some(_) => Caps::default(),
        None => caps(session, args.base.as_deref())?,
    };
    let opening = opening(session, args, caps)?;
    let now = session.now();
    let mut book = Book::new(opening.terms.clone(), now);
    if session.world.files.kind(&opening.path).is_ok() {
        read_into(session, &opening.path, &mut book)?;
    }
    let line = opening.line(planned, book.next_call(), now);
    let end = opening.lease.as_ref().map(|(_, end)| *end);
    let asked = match (
        end.filter(|end| now >= *end),
        book.closed(),
        book.overshoot(),
    ) {
        (Some(end), _, _) => Err(PurseProblem::Expired(end)),
        (None, Some(at), _) => Err(PurseProblem::Closed(at)),
        (None, None, Some((call, over))) => Err(PurseProblem::Overshot { call, over }),
        (None, None, None) => book.reserve(&line).map_err(PurseProblem::from),
    };
    Ok((asked, room(&mut |account| Ok(book.standing(account)))?))
}

/// Returns how much the tightest account has left.
pub(super) fn room(
    standing: &mut dyn FnMut(&Account) -> Result<Standing, PurseProblem>,
) -> Result<Option<Usd>, PurseProblem> {
    let mut room = None;
    for account in [Account::Lease, Account::PullRequest, Account::Month] {
        let standing = standing(&account)?;
        if let (Some(cap), Some(committed)) = (standing.cap, standing.committed()) {
            let left = cap.checked_sub(committed).unwrap_or(Usd::ZERO);
            room = Some(room.map_or(left, |room: Usd| room.min(left)));
        }
    }
    Ok(room)
}

fn opening(
    session: &mut Session<'_>,
    args: &WalletArgs,
    caps: Caps,
) -> Result<Opening, CommandError> {
    let origin = origin(session);
    let state = session.state()?;
    let lease = match &args.lease {
        Some(path) => Some(lease_file(session, path)?),
        None => None,
    };
    if let Some(lease) = &lease {
        let own = (lease.run.as_str(), lease.attempt) == (origin.run.as_str(), origin.attempt);
        if !own {
            let problem = LeaseProblem::OtherRun {
                run: lease.run.clone(),
                attempt: lease.attempt,
            };
            return Err(problem.into());
        }
    }
    let pull_request = match &lease {
        Some(lease) => Some(lease.pull_request),
        None => pull_request(session, args),
    };
    let accounts = match &lease {
        // The pull request and the month were asked when it was lent.
        Some(_) => Accounts::default(),
        None => accounts(session, &state)?.0,
    };
    let name = lease.as_ref().map_or(OWN, |lease| lease.id.as_str());
    let terms = Terms {
        caps: lease.as_ref().map_or(caps, LeaseFile::caps),
        pull_request,
        run: origin.run.clone(),
        lease: lease.as_ref().map(|lease| lease.usd),
        elsewhere: accounts.elsewhere(),
    };
    Ok(Opening {
        path: journal(&state, name),
        origin,
        terms,
        lease: lease.map(|lease| (lease.id, lease.expires)),
        now: session.settings.now.value,
    })
}

/// Returns where a purse's journal lies.
fn journal(state: &StateFolder<'_>, name: &str) -> PathBuf {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect();
    state.root().join("purse").join(format!("{plain}.ndjson"))
}

/// Returns where the purse of a lease lies.
pub(super) fn journal_of(session: &Session<'_>, lease: &str) -> Result<PathBuf, CommandError> {
    Ok(journal(&session.state()?, lease))
}

/// Whether this machine has the purse of a lease.
pub(super) fn has_journal(session: &Session<'_>, lease: &str) -> Result<bool, CommandError> {
    let path = journal_of(session, lease)?;
    Ok(session.world.files.kind(&path).is_ok())
}

/// Reads the caps of the branch that a change goes to. Without a repository nobody can propose a change, and the folder's own count.
pub(in crate::cli) fn caps(
    session: &mut Session<'_>,
    base: Option<&str>,
) -> Result<Caps, CommandError> {
    let base = base.filter(|base| !base.is_empty());
    let (bytes, of) = if session.checkout.is_err() && session.named_dir.is_some() {
        let path = session.maestro_dir().join("ci_budget.json");
        (read_if_there(session, &path)?, path.display().to_string())
    } else {
        let (commit, [bytes]) = trusted_files(session, base, true, [caps::PATH])?;
        (bytes, format!("{} of {}", caps::PATH, &commit[..9]))
    };
    Caps::read(&bytes.unwrap_or_default()).map_err(|problem| problem.reported(&of))
}

impl Reported for CapsProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadConfig, format!("`{of}`: {self}")).hint(
            "`maestro util schema ci-budget` prints what may stand where; `maestro budget set` writes it",
        )
    }
}

/// Reads a file, or nothing where there is none.
pub(super) fn read_if_there(
    session: &Session<'_>,
    path: &std::path::Path,
) -> Result<Option<Vec<u8>>, CommandError> {
    let failed = |error| CommandError::reading(path, error);
    let mut bytes = Vec::new();
    match session.world.files.open(path) {
        Ok(file) => {
            file.take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
            // Half a journal would be half the money.
            if bytes.len() as u64 == LONGEST {
                let message = format!(
                    "`{}` is longer than any that maestro writes",
                    path.display()
                );
                return Err(CommandError::message(ErrorKind::BadInput, message)
                    .hint("nothing was read of it, and nothing was spent"));
            }
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Reads a job's lease; it must be of this repository.
pub(super) fn lease_file(
    session: &Session<'_>,
    path: &std::path::Path,
) -> Result<LeaseFile, CommandError> {
    let bytes = needed(session, &session.base.join(path))?;
    let file = LeaseFile::read(&bytes)?;
    file.is_of(&repository(session))?;
    Ok(file)
}

/// Returns what this repository is called: by its address, without how it is reached and by whom.
pub(super) fn repository(session: &Session<'_>) -> String {
    if let Some(name) = session.var("GITHUB_REPOSITORY") {
        return name;
    }
    match session.remote_address(None) {
        Some(address) => match of_remote(&address) {
            Some((_, name)) => name.to_string(),
            None => Sha::of(address.trim_end_matches('/').as_bytes()).to_string(),
        },
        None => String::new(),
    }
}

/// Returns the pull request that pays.
pub(in crate::cli) fn pull_request(session: &Session<'_>, args: &WalletArgs) -> Option<u64> {
    args.pr.or_else(|| {
        let payload = payload(session)?;
        payload.pull_request.map(|pull_request| pull_request.number)
    })
}

/// Returns who is asking. On a person's machine that is the day.
pub(in crate::cli) fn origin(session: &Session<'_>) -> Origin {
    let name = |names: &[&str]| names.iter().find_map(|name| session.var(name));
    let local = || session.now().strftime("local-%Y-%m-%d").to_string();
    let attempt = name(&["MAESTRO_ATTEMPT", "GITHUB_RUN_ATTEMPT"]);
    let origin = Origin {
        run: name(&["MAESTRO_RUN", "GITHUB_RUN_ID"]).unwrap_or_else(local),
        attempt: attempt
            .and_then(|attempt| attempt.parse().ok())
            .unwrap_or(1)
            .max(1),
        job: name(&["MAESTRO_JOB", "GITHUB_JOB"]).unwrap_or_default(),
        commit: name(&["MAESTRO_COMMIT", "GITHUB_SHA"]).unwrap_or_default(),
        branch: name(&["MAESTRO_BRANCH", "GITHUB_HEAD_REF", "GITHUB_REF_NAME"]).unwrap_or_default(),
    };
    origin.plain()
}

/// Returns a name as it may be stored.
pub(crate) fn clean(session: &Session<'_>, name: &str) -> String {
    let name = if session.settings.redact.value {
        let redactor = Redactor::new(&session.world.environment.vars());
        redactor.name(name).unwrap_or_else(|| name.to_owned())
    } else {
        name.to_owned()
    };
    plain_name(name)
}

/// Reads what all machines spent, as far as it is known here, with what is damaged of it.
pub(in crate::cli) fn accounts(
    session: &Session<'_>,
    state: &StateFolder<'_>,
) -> Result<(Accounts, Vec<Damage>), CommandError> {
    let mut accounts = Accounts::default();
    let survey = state.read(&|kind, _| [SPEND, LEASE].contains(&kind), &mut |event| {
        if event.kind == SPEND {
            accounts.add(event.id, v1::decode_spend(event)?);
        } else {
            accounts.add_lease(v1::decode_lease(event)?);
        }
        Ok(())
    })?;
    for path in journals(session, state)? {
        for paid in book_of(session, &path)?.paid(true) {
            // The key of a call is its purse and number; the digest tells nothing apart.
            accounts.add(Sha([0; 32]), paid);
        }
    }
    Ok((accounts, survey.damage))
}

/// Returns the journals on this machine.
pub(super) fn journals(
    session: &Session<'_>,
    state: &StateFolder<'_>,
) -> Result<Vec<PathBuf>, CommandError> {
    let folder = state.root().join("purse");
    let names = session.world.files.names(&folder);
    let names = names.map_err(|error| CommandError::reading(&folder, error))?;
    let journals = names.iter().map(|name| folder.join(name));
    Ok(journals
        .filter(|path| path.extension().is_some_and(|end| end == "ndjson"))
        .collect())
}

/// Reads a journal, and changes nothing. A last line without an end does not count.
pub(super) fn book_of(session: &Session<'_>, path: &std::path::Path) -> Result<Book, CommandError> {
    let head = first_line(session, path)?;
    let is_lent = matches!(head, Some(Line::Purse(head)) if head.lease.is_some());
    let terms = Terms {
        caps: Caps::default(),
        pull_request: None,
        run: String::new(),
        lease: is_lent.then_some(Usd::ZERO),
        elsewhere: Vec::new(),
    };
    let mut book = Book::new(terms, session.now());
    read_into(session, path, &mut book)?;
    Ok(book)
}

fn first_line(session: &Session<'_>, path: &std::path::Path) -> Result<Option<Line>, CommandError> {
    let bytes = needed(session, path)?;
    let end = memchr::memchr(b'\n', &bytes).unwrap_or(0);
    Ok(Line::decode(&bytes[..end]).ok())
}

fn needed(session: &Session<'_>, path: &std::path::Path) -> Result<Vec<u8>, CommandError> {
    read_if_there(session, path)?.ok_or_else(|| {
        CommandError::reading(path, std::io::Error::from(std::io::ErrorKind::NotFound))
    })
}

fn read_into(
    session: &Session<'_>,
    path: &std::path::Path,
    book: &mut Book,
) -> Result<(), CommandError> {
    let bytes = needed(session, path)?;
    let damaged = |line: u64, problem: &dyn std::fmt::Display| PurseProblem::Damaged {
        path: path.to_path_buf(),
        line,
        problem: problem.to_string(),
    };
    let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
    let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
    for (number, line) in (1..).zip(lines) {
        let line = Line::decode(line).map_err(|error| damaged(number, &error))?;
        book.enter(line)
            .map_err(|problem| damaged(number, &problem))?;
    }
    Ok(())
}

/// Returns what is put aside for calls under way on this machine, as far as they are looked at.
pub(super) fn put_aside(
    session: &Session<'_>,
    state: &StateFolder<'_>,
    wanted: &Wanted,
) -> Result<Usd, CommandError> {
    let mut sum = Usd::ZERO;
    for path in journals(session, state)? {
        let book = book_of(session, &path)?;
        // What is lent counts as lent.
        if book.head().is_some_and(|head| head.lease.is_some()) {
            continue;
        }
        let open = book
            .open_calls()
            .filter(|open| wanted.has(open.at, open.pull_request));
        sum = open.fold(sum, |sum, open| sum.saturating_add(open.worst_usd));
    }
    Ok(sum)
}

/// Counts every open call of a book as unknown.
pub(super) fn close(book: &mut Book, now: Timestamp) {
    let open: Vec<u64> = book.open_calls().map(|open| open.call).collect();
    for call in open {
        let why = "its purse came without an end".to_owned();
        // An open call can always be ended.
        let _settled = book.enter(Line::Unknown(Ended { call, at: now, why }));
    }
}

/// Stores what was paid from a purse as events; returns how many. What was lent becomes events where the lease is settled: nobody takes
/// money from artifacts. `own` says whether this process makes no calls any more.
pub(crate) fn drain(session: &Session<'_>, purse: &Purse, own: bool) -> Result<u64, CommandError> {
    if purse.is_lent() {
        purse.sweep(session.world.files.as_ref(), own)?;
        return Ok(0);
    }
    let state = session.state()?;
    purse.drain(session.world.files.as_ref(), own, |paid| save(&state, paid))
}

/// Stores what was paid as events.
pub(super) fn save(state: &StateFolder<'_>, paid: &[Paid]) -> Result<(), CommandError> {
    if paid.is_empty() {
        return Ok(());
    }
    let events: Result<Vec<_>, _> = paid.iter().map(v1::encode_spend).collect();
    let events = events.map_err(CommandError::internal)?;
    state.save(&events)?;
    Ok(())
}

/// Says on standard error what settling a call told.
pub(crate) fn tell(session: &mut Session<'_>, settled: &Settled, advice: Option<&str>) {
    for Alert { account, share } in &settled.alerts {
        let mut message = format!("{account} has spent {share} % of what it may cost");
        if let Some(advice) = advice {
            message = format!("{message}; {advice}");
        }
        session.ui.warn(&message);
    }
    if let Some(over) = settled.overshoot {
        let message = format!(
            "the bill is ${over} above what was put aside (overshoot); this run may spend nothing more"
        );
        session.ui.warn(&message);
    }
}

/// An end that no calendar has.
pub(super) fn too_far() -> CommandError {
    CommandError::message(ErrorKind::Usage, "`--expires` is too far away")
        .hint("give a time such as 30m or 2h")
}

impl From<PurseProblem> for CommandError {
    fn from(problem: PurseProblem) -> Self {
        match problem {
            PurseProblem::Refused(Refusal::Twice(_)) => Self::internal(problem),
            PurseProblem::Refused(_) => Self::new(ErrorKind::Budget, problem)
                .hint("nothing was sent and nothing was spent; raise the cap with `maestro budget set` in a reviewed change of the base branch"),
            PurseProblem::Overshot { .. } => Self::new(ErrorKind::Budget, problem)
                .hint("look at the call (`maestro budget status`), and begin a new run"),
            PurseProblem::Expired(_) | PurseProblem::Closed(_) => Self::new(ErrorKind::Budget, problem)
                .hint("nothing was spent; take another one with `maestro budget lease`"),
            PurseProblem::ForeignTicket(_) => Self::new(ErrorKind::NotFound, problem)
                .hint("give the ticket that `maestro budget reserve` printed in this repository"),
            PurseProblem::Ended(_) => Self::new(ErrorKind::BadInput, problem)
                .hint("a call is settled once; nothing was changed"),
            PurseProblem::Damaged { .. } => Self::new(ErrorKind::BadInput, problem)
                .hint("nothing is granted from it; what is in the state is safe: move the file away, and what it put aside is forgotten"),
            PurseProblem::Locked(_) => Self::new(ErrorKind::Locked, problem)
                .hint("run the command again when the other one is done"),
            PurseProblem::Disk { path, source } => Self::writing(&path, source),
            PurseProblem::Broken(_) => Self::new(ErrorKind::CannotWrite, problem)
                .hint("free some room or mend the disk, and run the command again"),
        }
    }
}

impl From<LeaseProblem> for CommandError {
    fn from(problem: LeaseProblem) -> Self {
        let (kind, hint) = match &problem {
            LeaseProblem::Expired { .. } => (
                ErrorKind::Budget,
                "take another one with `maestro budget lease`",
            ),
            LeaseProblem::OtherRun { .. } => (
                ErrorKind::BadInput,
                "take a lease in each attempt of a run: run all jobs again, not only those that failed",
            ),
            LeaseProblem::Unknown => (
                ErrorKind::NotFound,
                "give the file that `maestro budget lease` wrote for this repository",
            ),
            _ => (
                ErrorKind::BadInput,
                "give the file as `maestro budget lease` wrote it; nothing was spent",
            ),
        };
        Self::message(kind, format!("the lease cannot be used: {problem}")).hint(hint)
    }
}
