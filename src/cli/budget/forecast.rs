//! `maestro budget forecast`: what the month will have cost.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::status::caps_if_known;
use super::wallet;
use crate::budget::accounts::Accounts;
use crate::budget::forecast::{Course, DAYS, Forecast, forecast};
use crate::budget::spend::month;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::money::Usd;
use crate::output::{Page, Report};

/// Say what this month will have cost at its end
///
/// The days that are left are drawn from the last 28 whole days (UTC), two thousand times: the median, and the interval that holds eight of ten.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  This month
    $ maestro budget forecast

  For a program
    $ maestro budget forecast --format json")]
pub(crate) struct ForecastArgs {
    /// Take the caps from this revision, instead of where the change goes to
    #[arg(long, value_name = "REV")]
    base: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &ForecastArgs) -> CommandResult {
    let state = session.state()?;
    let (accounts, damage) = wallet::accounts(session, &state)?;
    let now = session.now();
    let course = course(&accounts, now);
    let found = forecast(&course);
    let caps = caps_if_known(session, args.base.as_deref());
    let cap = caps.and_then(|caps| caps.month);
    let document = ForecastDocument::new(month(now), &course, found, cap);
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

/// Returns the sums of days, from the first that cost anything.
pub(super) fn course(accounts: &Accounts, now: Timestamp) -> Course {
    let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let today = date(now);
    let mut sums: BTreeMap<Date, Usd> = BTreeMap::new();
    for paid in accounts.elsewhere() {
        let sum = sums.entry(date(paid.at)).or_default();
        *sum = sum.saturating_add(paid.usd);
    }
    let of = |day: &Date| sums.get(day).copied().unwrap_or_default();
    let yesterday = today.saturating_sub(1.day());
    let longest = i32::try_from(DAYS).unwrap_or(i32::MAX) - 1;
    let window = yesterday.saturating_sub(longest.days());
    let first = sums.keys().next().copied().unwrap_or(today).max(window);
    let days = first.series(1.day()).take_while(|day| *day < today);
    let is_before = |(day, _): &(&Date, &Usd)| **day < today && **day >= today.first_of_month();
    let before = sums.iter().filter(is_before);
    let left = today.last_of_month().day() - today.day();
    Course {
        days: days.map(|day| of(&day)).collect(),
        before: before.fold(Usd::ZERO, |sum, (_, usd)| sum.saturating_add(*usd)),
        today: of(&today),
        left: u32::try_from(left).unwrap_or_default(),
    }
}

/// What a month will have cost.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-forecast/v1"))]
pub(crate) struct ForecastDocument {
    /// `maestro.budget-forecast/v1`
    schema: &'static str,
    /// The month (UTC).
    month: String,
    /// What is spent or lent so far, in US dollars.
    so_far_usd: String,
    /// Days of the month after today.
    days_left: u32,
    /// Whole days that the rest is drawn from: few of them say little.
    days_seen: u64,
    /// Half of all drawn months cost less.
    median_usd: String,
    /// One of ten costs less.
    low_usd: String,
    /// One of ten costs more.
    high_usd: String,
    /// The cap of the month; nothing where there is none.
    cap_usd: Option<String>,
    /// Whether the median is above it.
    is_above_cap: bool,
}

impl ForecastDocument {
    fn new(month: String, course: &Course, found: Forecast, cap: Option<Usd>) -> Self {
        Self {
            schema: "maestro.budget-forecast/v1",
            month,
            so_far_usd: course.before.saturating_add(course.today).to_string(),
            days_left: course.left,
            days_seen: course.days.len() as u64,
            median_usd: found.median.to_string(),
            low_usd: found.low.to_string(),
            high_usd: found.high.to_string(),
            cap_usd: cap.map(|cap| cap.to_string()),
            is_above_cap: cap.is_some_and(|cap| found.median > cap),
        }
    }
}

impl Report for ForecastDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if self.days_seen == 0 {
            page.heading(format!("{}: ${} so far", self.month, self.so_far_usd));
            page.text(
                "No whole day is known yet, so nothing can be said of the days that are left.",
            );
            return page;
        }
        page.heading(format!(
            "{}: ${} so far, about ${} at its end",
            self.month, self.so_far_usd, self.median_usd
        ));
        page.text(format!(
            "Eight of ten such months cost from ${} to ${}, as the last {} went.",
            self.low_usd,
            self.high_usd,
            times(self.days_seen, "whole day")
        ));
        if let Some(cap) = &self.cap_usd {
            let word = if self.is_above_cap { "above" } else { "within" };
            page.text(format!("That is {word} the cap of ${cap}."));
        }
        page
    }
}
