//! `maestro budget settle`: what did it cost?

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::lease::{read, register, store, write};
use super::price::{Why, named_flavor};
use super::wallet::{self, WalletArgs};
use crate::budget::downshift;
use crate::budget::lease::{Lease, LeaseFile, Stage};
use crate::budget::ledger::Settled;
use crate::budget::spend::Paid;
use crate::cli::session::Session;
use crate::cli::state::RemoteArgs;
use crate::conduct::purse::{Bill, Planned, Ticket};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::llm::priced::{self, Known};
use crate::llm::usage::Usage;
use crate::llm::worst::Demand;
use crate::money::Usd;
use crate::output::{Page, Report};
use crate::state::Turn;

/// Clocks of two machines differ by no more.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// Write what a call or a job did cost
///
/// With `--reservation`: a call that was put aside with `maestro budget reserve`, by the provider's answer. With `--lease`: all that a job spent
/// of its lease; what is left is given back. What was spent becomes `spend` events; `maestro state push` publishes them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  A call, by the body of its answer
    $ maestro budget settle --reservation 1 --body answer.json

  A lease that no job has opened; else give what the job left: --journal purse.ndjson
    $ maestro budget settle --lease lease.json --unused")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct SettleArgs {
    #[command(flatten)]
    wallet: WalletArgs,

    /// The ticket that `maestro budget reserve` printed; the number at its end is enough
    #[arg(long, value_name = "TICKET", required_unless_present = "lease")]
    reservation: Option<String>,

    /// The body of the answer, as it came; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "reservation", group = "end")]
    body: Option<PathBuf>,

    /// Nobody knows what it did cost: count all that was put aside
    #[arg(long, requires = "reservation", group = "end")]
    unknown: bool,

    /// It was never sent: give back what was put aside
    #[arg(long, requires = "reservation", group = "end")]
    unsent: bool,

    /// The form of the answer: messages, chat, responses or embeddings; by default what its fields tell
    #[arg(long, value_name = "FLAVOR", requires = "body")]
    api_flavor: Option<String>,

    /// The provider's name of the answer, where the body does not say
    #[arg(long, value_name = "ID", requires = "body")]
    request_id: Option<String>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// The purse of a job of the lease, where it is not on this machine; several may be given
    #[arg(long, value_name = "FILE", conflicts_with = "reservation")]
    journal: Vec<PathBuf>,

    /// No job ever opened the lease
    #[arg(long, conflicts_with_all = ["reservation", "journal"])]
    unused: bool,

    #[command(flatten)]
    remote: RemoteArgs,

    /// Say what it did cost, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &SettleArgs) -> CommandResult {
    match (&args.reservation, &args.wallet.lease) {
        (Some(ticket), _) => call(session, args, ticket),
        (None, Some(path)) => lease(session, args, path),
        (None, None) => Err(CommandError::message(
            ErrorKind::Usage,
            "neither `--reservation` nor `--lease` is given",
        )
        .hint("give the ticket that `maestro budget reserve` printed, or the file that `maestro budget lease` wrote")),
    }
}

/// Settles one call.
fn call(session: &mut Session<'_>, args: &SettleArgs, shown: &str) -> CommandResult {
    if args.body.is_none() && !args.unknown && !args.unsent {
        let message = "one of `--body`, `--unknown` and `--unsent` says what became of the call";
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("give the body of the answer, or `--unknown` when there is none"));
    }
    let ticket: Ticket = shown.parse()?;
    let purse = wallet::open_to_settle(session, &args.wallet, &ticket)?;
    let planned = purse.planned(&ticket)?;
    let bill = match &args.body {
        Some(path) => Some(bill(
            session,
            args,
            path,
            &planned.provider,
            &planned.model,
        )?),
        None => None,
    };
    let mut document = SettleDocument::new(args.dry_run);
    document.put_aside = Some(planned.worst.to_string());
    document.spent_usd = match (&bill, args.unsent) {
        (Some(bill), _) => bill.usd,
        (None, true) => Usd::ZERO,
        (None, false) => planned.worst,
    }
    .to_string();
    document.status = match (&bill, args.unsent) {
        (Some(_), _) => "settled",
        (None, true) => "unsent",
        (None, false) => "unknown",
    };
    let mut settled = Settled::default();
    let usage = bill.as_ref().map(|bill| bill.usage);
    if !args.dry_run {
        settled = match bill {
            Some(bill) => purse.settle(ticket, &bill)?,
            None if args.unsent => {
                purse.release(ticket)?;
                Settled::default()
            }
            None => purse.charge_unknown(ticket, "nobody knows what it did cost")?,
        };
        document.events = wallet::drain(session, &purse, false)?;
    }
    document.overshoot_usd = settled.overshoot.map(|over| over.to_string());
    let advice = match usage.filter(|_| !settled.alerts.is_empty()) {
        Some(usage) => cheaper(session, args, &planned, &usage)?,
        None => None,
    };
    wallet::tell(session, &settled, advice.as_deref());
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Returns which model would have done the same for less.
fn cheaper(
    session: &mut Session<'_>,
    args: &SettleArgs,
    planned: &Planned,
    usage: &Usage,
) -> Result<Option<String>, CommandError> {
    let table = super::table(session, args.prices.as_deref())?;
    let input = usage.input_tokens().unwrap_or(u64::MAX);
    let demand = Demand {
        input_tokens: input,
        longest_input: input,
        output_tokens: usage
            .output_tokens
            .saturating_add(usage.output_audio_tokens),
        ..Demand::default()
    };
    let names = (planned.provider.as_str(), planned.model.as_str());
    let advice = downshift::advise(&table, names, &demand, None, session.now());
    Ok(advice.map(|advice| {
        format!(
            "with `{}` a call such as this one may cost ${} at worst, which saves ${}",
            advice.model, advice.usd, advice.saves
        )
    }))
}

fn bill(
    session: &mut Session<'_>,
    args: &SettleArgs,
    path: &std::path::Path,
    provider: &str,
    model: &str,
) -> Result<Bill, CommandError> {
    let table = super::table(session, args.prices.as_deref())?;
    let text = super::read(session, path)?;
    let failed = |why: Why| {
        why.into_error(path).hint(
            "nothing was settled; `--unknown` counts all that was put aside, and so does a ticket that nobody settles",
        )
    };
    let body: Value = json::read(&text).map_err(|error| {
        let message = format!("`{}` is no JSON: {error}", path.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("give the body of one response, as it came; a stream is none")
    })?;
    let flavor = args.api_flavor.as_deref().map(named_flavor).transpose();
    let own = body["model"]
        .as_str()
        .or(body["response"]["model"].as_str());
    let known = Known {
        provider: Some(provider),
        flavor: flavor.map_err(failed)?,
        model: own.is_none().then_some(model),
        at: None,
    };
    let answer = priced::price(&table, &body, known, session.now())
        .map_err(|problem| failed(problem.into()))?;
    let id = body["id"].as_str().or(body["response"]["id"].as_str());
    let request_id = args.request_id.as_deref().or(id);
    Ok(Bill {
        model: wallet::clean(session, &answer.model),
        usage: answer.usage,
        usd: answer.total,
        price_table: table.sha256.to_string(),
        request_id: request_id.map(|id| wallet::clean(session, id)),
    })
}

/// Settles a lease.
fn lease(session: &mut Session<'_>, args: &SettleArgs, path: &std::path::Path) -> CommandResult {
    let file = wallet::lease_file(session, path)?;
    let paid = paid_of(session, args, &file)?;
    let amounts = paid.iter().filter_map(|paid| paid.spend.usd);
    let spent = amounts.into_iter().try_fold(Usd::ZERO, Usd::checked_add);
    let spent = spent.ok_or_else(|| {
        CommandError::message(ErrorKind::BadInput, "the journal spends more than can be counted")
            .hint("it is no journal that maestro wrote; let the lease end: all of it counts as spent then")
    })?;
    let state = session.state()?;
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    if !args.dry_run {
        // What was spent is known before anything is given back.
        wallet::save(&state, &paid)?;
    }
    let now = session.now();
    let mut turn = |old: Option<&[u8]>| {
        let mut register = read(old)?;
        let expired = register.expire(now);
        let settled = register.settle(&file, spent, now);
        let known = register.leases.get(&file.id).cloned();
        if args.dry_run || (expired.is_empty() && settled.is_err()) {
            return Ok(Turn::Leave((settled, known, expired)));
        }
        Ok(Turn::Write(write(&register)?, (settled, known, expired)))
    };
    let (settled, known, mut ended) = register(&remote).update(&mut turn)?;
    if !args.dry_run {
        // A command that was killed has told the register and nobody else.
        ended.extend(known.filter(|known| known.stage == Stage::Settled));
        store(&state, &ended)?;
    }
    let lease = settled?;
    let document = SettleDocument::of_lease(args.dry_run, &lease, spent, paid.len() as u64);
    if let Some(over) = &document.overshoot_usd {
        let message = format!("${over} more than was lent was spent (overshoot)");
        session.ui.warn(&message);
    }
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Returns what was paid from a lease.
fn paid_of(
    session: &mut Session<'_>,
    args: &SettleArgs,
    file: &LeaseFile,
) -> Result<Vec<Paid>, CommandError> {
    if args.unused {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let earliest = file.taken.saturating_sub(SLACK).unwrap_or(Timestamp::MIN);
    for path in &args.journal {
        let mut book = wallet::book_of(session, &session.base.join(path))?;
        let of = book.head().and_then(|head| head.lease.clone());
        if of.as_deref() != Some(&file.id) {
            return Err(foreign(
                path,
                "it is filled from another lease, or from none",
            ));
        }
        wallet::close(&mut book, session.now());
        for paid in book.paid(true) {
            let is_own = paid.origin.run == file.run
                && paid.origin.attempt == file.attempt
                && paid.spend.pull_request == Some(file.pull_request);
            if !is_own {
                return Err(foreign(path, "it has calls of another run"));
            }
            // The month that a call counts in is not the job's to choose.
            if paid.at < earliest || paid.at > file.expires {
                return Err(foreign(path, "it has calls from another time"));
            }
            all.push(cleaned(session, paid));
        }
    }
    if !args.journal.is_empty() {
        return Ok(all);
    }
    if !wallet::has_journal(session, &file.id)? {
        let message = "there is no purse of this lease on this machine";
        return Err(CommandError::message(ErrorKind::NotFound, message).hint(
            "give the one that the job left with `--journal FILE`, or `--unused` when no job ever opened it; a lease that nobody settles counts as spent whole",
        ));
    }
    if args.dry_run {
        let book = wallet::book_of(session, &wallet::journal_of(session, &file.id)?)?;
        return Ok(book.paid(true));
    }
    let purse = wallet::open(session, &args.wallet)?;
    wallet::drain(session, &purse, true)?;
    purse.close()?.map_err(|open| {
        let message = format!("{open} calls of the lease are under way");
        CommandError::message(ErrorKind::Locked, message)
            .hint("settle them first: `maestro budget settle --reservation TICKET`")
    })
}

fn foreign(path: &std::path::Path, why: &str) -> CommandError {
    let message = format!("`{}` is no journal of this lease: {why}", path.display());
    CommandError::message(ErrorKind::BadInput, message)
        .hint("give the purse that the job of this lease left; nothing was settled")
}

/// A job's journal says what the job wants.
fn cleaned(session: &Session<'_>, paid: Paid) -> Paid {
    let clean = |name: &String| wallet::clean(session, name);
    let mut spend = paid.spend;
    spend.provider = clean(&spend.provider);
    spend.model = clean(&spend.model);
    for name in [
        &mut spend.role,
        &mut spend.task,
        &mut spend.request_id,
        &mut spend.purse,
        &mut spend.price_table_sha256,
    ] {
        *name = name.as_ref().map(clean);
    }
    Paid {
        at: paid.at,
        origin: paid.origin.plain(),
        spend,
    }
}

/// What was settled.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-settle/v1"))]
pub(crate) struct SettleDocument {
    /// `maestro.budget-settle/v1`
    schema: &'static str,
    /// Whether nothing was written.
    dry_run: bool,
    /// `settled`; `unknown`, and then all that was put aside counts; or `unsent`.
    status: &'static str,
    /// The lease, where it was one.
    lease: Option<String>,
    /// What had been put aside or lent, in US dollars.
    put_aside: Option<String>,
    /// What was spent, in US dollars.
    spent_usd: String,
    /// What a lease gives back, in US dollars.
    returned_usd: Option<String>,
    /// How much more was spent than was put aside or lent.
    overshoot_usd: Option<String>,
    /// Events that were written: one for each call.
    events: u64,
}

impl SettleDocument {
    fn new(dry_run: bool) -> Self {
        Self {
            schema: "maestro.budget-settle/v1",
            dry_run,
            status: "settled",
            lease: None,
            put_aside: None,
            spent_usd: String::new(),
            returned_usd: None,
            overshoot_usd: None,
            events: 0,
        }
    }

    fn of_lease(dry_run: bool, lease: &Lease, spent: Usd, events: u64) -> Self {
        let over = spent.checked_sub(lease.usd);
        let left = lease.usd.checked_sub(spent).unwrap_or(Usd::ZERO);
        Self {
            lease: Some(lease.id.clone()),
            put_aside: Some(lease.usd.to_string()),
            spent_usd: spent.to_string(),
            returned_usd: Some(left.to_string()),
            overshoot_usd: over
                .filter(|over| *over > Usd::ZERO)
                .map(|over| over.to_string()),
            events,
            ..Self::new(dry_run)
        }
    }
}

impl Report for SettleDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let put_aside = self.put_aside.as_deref().unwrap_or("0");
        page.heading(match self.status {
            "unsent" => format!("Gave ${put_aside} back: the call was not sent"),
            "unknown" => format!("Counted all that was put aside: ${put_aside}"),
            _ => format!("Spent ${} of ${put_aside}", self.spent_usd),
        });
        if let Some(returned) = &self.returned_usd {
            page.text(format!("${returned} is given back."));
        }
        if let Some(over) = &self.overshoot_usd {
            page.text(format!("Overshoot: ${over} more than was put aside."));
        }
        page
    }
}
