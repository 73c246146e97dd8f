//! `maestro budget status`: who spent what.

use std::collections::BTreeMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::set::CapsRow;
use super::wallet;
use crate::budget::caps::Caps;
use crate::budget::spend::month;
use crate::budget::sums::{Sum, Sums, Wanted, share};
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report, Tone};

/// How wide a bar is.
const BAR: u64 = 24;

/// Show who spent what, and how near the caps are
///
/// Sums over everything that is known here: what other machines published (`maestro state pull` fetches it), and this machine's own purses. What
/// nobody could price is "unpriced", never $0. Without `--pr`, the calls of one month (UTC).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  This month
    $ maestro budget status

  One pull request, whatever the month, for a program
    $ maestro budget status --pr 12 --format json")]
pub(crate) struct StatusArgs {
    /// Only this pull request
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,

    /// Only this month [default: the present one; with --pr, all]
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,

    /// Take the caps from this revision, instead of where the change goes to
    #[arg(long, value_name = "REV")]
    base: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &StatusArgs) -> CommandResult {
    let now = session.now();
    if let Some(text) = &args.month {
        check_month(text)?;
    }
    let month = args
        .month
        .clone()
        .or_else(|| args.pr.is_none().then(|| month(now)));
    let state = session.state()?;
    let (accounts, damage) = wallet::accounts(session, &state)?;
    let caps = caps_if_known(session, args.base.as_deref());
    let wanted = Wanted {
        month: month.clone(),
        pull_request: args.pr,
    };
    let sums = Sums::new(&accounts, &wanted, now);
    let put_aside = wallet::put_aside(session, &state, &wanted)?;
    let mut document = StatusDocument::new(wanted, &sums, put_aside, caps.as_ref());
    document.damaged = damage.len() as u64;
    session.render(&document)?;
    if damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    let message = format!(
        "{} of the state cannot be used, and may be money",
        times(damage.len() as u64, "line")
    );
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("`maestro state verify` names them"))
}

/// Returns the caps; a report does without them when nobody can say which ones count.
pub(in crate::cli) fn caps_if_known(session: &mut Session<'_>, base: Option<&str>) -> Option<Caps> {
    match wallet::caps(session, base) {
        Ok(caps) => Some(caps),
        Err(error) => {
            let message = format!("the caps are not known: {:#}", error.error);
            session.ui.warn(&message);
            None
        }
    }
}

fn check_month(text: &str) -> Result<(), CommandError> {
    let first = format!("{text}-01").parse::<jiff::civil::Date>();
    if text.len() == 7 && first.is_ok() {
        return Ok(());
    }
    Err(
        CommandError::message(ErrorKind::Usage, format!("`{text}` is no month"))
            .hint("write it as 2026-11"),
    )
}

/// What was spent.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-status/v1"))]
pub(crate) struct StatusDocument {
    /// `maestro.budget-status/v1`
    schema: &'static str,
    /// The month (UTC) that is looked at; nothing for all.
    month: Option<String>,
    /// The pull request that is looked at; nothing for all.
    pull_request: Option<u64>,
    /// Caps of the base branch; nothing where nobody can say which they are.
    caps: Option<CapsRow>,
    /// Of everything that is looked at.
    total: SumRow,
    /// What is put aside for calls under way on this machine, in US dollars.
    put_aside_usd: String,
    /// What jobs may still spend of leases, in US dollars.
    lent_usd: String,
    /// How many hundredths of the cap are spent or spoken for: that of the pull request with `--pr`, else that of the month.
    share: Option<u64>,
    by_pull_request: Vec<SumRow>,
    by_role: Vec<SumRow>,
    by_model: Vec<SumRow>,
    /// ISO 8601 weeks (UTC).
    by_week: Vec<SumRow>,
    /// Lines of the state that cannot be used.
    damaged: u64,
}

/// A sum of calls, in US dollars.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SumRow {
    /// The pull request, role, model or week; nothing for all.
    name: Option<String>,
    calls: u64,
    /// All of it; nothing where no call has a price.
    usd: Option<String>,
    /// Of that, what counts because nobody knows the bill.
    unknown_usd: String,
    /// Of that, what was above what had been put aside.
    overshoot_usd: String,
    /// Calls without a price, which are not in `usd`.
    unpriced: u64,
    #[serde(skip)]
    amount: Usd,
}

impl SumRow {
    fn new(name: Option<&str>, sum: &Sum) -> Self {
        Self {
            name: name.map(str::to_owned),
            calls: sum.calls,
            usd: sum.usd().map(|usd| usd.to_string()),
            unknown_usd: sum.unknown.to_string(),
            overshoot_usd: sum.overshoot.to_string(),
            unpriced: sum.unpriced,
            amount: sum.usd().unwrap_or(Usd::ZERO),
        }
    }

    fn all(sums: &BTreeMap<String, Sum>) -> Vec<Self> {
        let mut rows: Vec<Self> = sums
            .iter()
            .map(|(name, sum)| Self::new(Some(name), sum))
            .collect();
        crate::order::sort_by_key(&mut rows, |row| std::cmp::Reverse(row.amount));
        rows
    }

    fn shown(&self) -> String {
        match (&self.usd, self.unpriced) {
            (None, _) => "unpriced".to_owned(),
            (Some(usd), 0) => format!("${usd}"),
            (Some(usd), unpriced) => format!("${usd}, {unpriced} unpriced"),
        }
    }
}

impl StatusDocument {
    fn new(wanted: Wanted, sums: &Sums, put_aside: Usd, caps: Option<&Caps>) -> Self {
        let cap = caps.and_then(|caps| match wanted.pull_request {
            Some(_) => Some(caps.pull_request),
            None => caps.month,
        });
        let spoken_for = sums.spoken_for(put_aside);
        let mut by_week = SumRow::all(&sums.by_week);
        crate::order::sort_by(&mut by_week, |a, b| a.name.cmp(&b.name));
        Self {
            schema: "maestro.budget-status/v1",
            month: wanted.month,
            pull_request: wanted.pull_request,
            caps: caps.map(CapsRow::new),
            total: SumRow::new(None, &sums.all),
            put_aside_usd: put_aside.to_string(),
            lent_usd: sums.lent.to_string(),
            share: cap.and_then(|cap| share(spoken_for, cap)),
            by_pull_request: SumRow::all(&sums.by_pull_request),
            by_role: SumRow::all(&sums.by_role),
            by_model: SumRow::all(&sums.by_model),
            by_week,
            damaged: 0,
        }
    }
}

/// Returns a bar of so many hundredths.
fn bar(share: u64) -> String {
    let full = (share.min(100) * BAR + 50) / 100;
    let width = usize::try_from(full).unwrap_or_default();
    let rest = usize::try_from(BAR - full).unwrap_or_default();
    format!("{}{}", "█".repeat(width), "░".repeat(rest))
}

impl Report for StatusDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let of = match (&self.pull_request, &self.month) {
            (Some(number), Some(month)) => format!("pull request {number} in {month}"),
            (Some(number), None) => format!("pull request {number}"),
            (None, month) => month.clone().unwrap_or_default(),
        };
        page.heading(format!(
            "{of}: {} in {}",
            self.total.shown(),
            times(self.total.calls, "call")
        ));
        for (what, usd) in [
            ("put aside for calls under way", &self.put_aside_usd),
            ("lent to jobs", &self.lent_usd),
            (
                "counted whole, because nobody knows the bill",
                &self.total.unknown_usd,
            ),
            ("above what had been put aside", &self.total.overshoot_usd),
        ] {
            if usd != "0" {
                page.text(format!("${usd} {what}."));
            }
        }
        if let (Some(share), Some(caps)) = (self.share, &self.caps) {
            let cap = caps.of(self.pull_request.is_some());
            page.text(format!("{} {share} % of ${cap}", bar(share)));
        }
        for (title, rows) in [
            ("Pull request", &self.by_pull_request),
            ("Role", &self.by_role),
            ("Model", &self.by_model),
            ("Week", &self.by_week),
        ] {
            if !rows.is_empty() {
                page.table(columns(title), table(rows, self.total.amount));
            }
        }
        page
    }
}

fn columns(title: &'static str) -> Vec<Column> {
    vec![
        Column::left(title),
        Column::right("Calls"),
        Column::right("USD"),
        Column::left("Share"),
    ]
}

fn table(rows: &[SumRow], all: Usd) -> Vec<Vec<Cell>> {
    let cells = |row: &SumRow| {
        let share = share(row.amount, all);
        let tone = if row.unknown_usd == "0" {
            Tone::Plain
        } else {
            Tone::Warn
        };
        vec![
            Cell::code(row.name.clone().unwrap_or_default()),
            Cell::plain(row.calls.to_string()),
            Cell::toned(row.shown(), tone),
            Cell::plain(share.map(bar).unwrap_or_default()),
        ]
    };
    rows.iter().map(cells).collect()
}
