//! An ISO 8601 week: seven days from Monday, midnight (UTC), to the next one.

use jiff::Timestamp;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;

use crate::delivery::ask::Window;
use crate::delivery::calendar::midnight;

/// A week, by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Week {
    monday: Date,
}

/// What a week's name looks like.
const NAME: &str = "2026-W47";

impl Week {
    /// Returns the week that a time is in.
    pub(crate) fn of(at: Timestamp) -> Self {
        let day = at.to_zoned(TimeZone::UTC).date();
        let back = i64::from(day.weekday().to_monday_zero_offset());
        Self {
            monday: shift(day, -back),
        }
    }

    /// Returns the last week that was over at a time.
    pub(crate) fn last_full(now: Timestamp) -> Self {
        Self::of(now).back(1)
    }

    /// Reads a week's name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, week) = text.split_once("-W")?;
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if text.len() != NAME.len() || !is_digits(year) || !is_digits(week) {
            return None;
        }
        let (year, week) = (year.parse().ok()?, week.parse().ok()?);
        let date = ISOWeekDate::new(year, week, Weekday::Monday).ok()?.date();
        // The weeks around it are looked at too.
        (date.year() > 1970 && date.year() < 9000).then_some(Self { monday: date })
    }

    /// Returns its name, as `2026-W47`.
    pub(crate) fn name(self) -> String {
        let week = self.monday.iso_week_date();
        format!("{}-W{:02}", week.year(), week.week())
    }

    /// Returns the week so many weeks before.
    pub(crate) fn back(self, weeks: i64) -> Self {
        Self {
            monday: shift(self.monday, weeks.saturating_mul(-7)),
        }
    }

    /// Returns the days from Monday to Sunday.
    pub(crate) fn days(self) -> [Date; 7] {
        std::array::from_fn(|day| shift(self.monday, i64::try_from(day).unwrap_or_default()))
    }

    pub(crate) fn window(self) -> Window {
        Window {
            since: midnight(self.monday),
            until: midnight(shift(self.monday, 7)),
        }
    }

    pub(crate) fn holds(self, at: Timestamp) -> bool {
        self.window().holds(at)
    }

    /// Returns its first and last day as people write them: `16–22 Nov 2026`.
    pub(crate) fn span(self) -> String {
        let (first, last) = (self.monday, shift(self.monday, 6));
        let month =
            |date: Date| MONTHS[usize::from(date.month().unsigned_abs().saturating_sub(1)) % 12];
        let from = if first.year() != last.year() {
            format!("{} {} {}", first.day(), month(first), first.year())
        } else if first.month() != last.month() {
            format!("{} {}", first.day(), month(first))
        } else {
            first.day().to_string()
        };
        format!(
            "{from}\u{2013}{} {} {}",
            last.day(),
            month(last),
            last.year()
        )
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Returns the day so many days later; at the ends of time the day itself.
fn shift(day: Date, days: i64) -> Date {
    day.checked_add(jiff::Span::new().try_days(days).unwrap_or_default())
        .unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_full_week_ends_before_now() {
        assert_eq!(
            Week::last_full(at("2026-11-26T17:00:00Z")).name(),
            "2026-W47"
        );
        assert_eq!(
            Week::last_full(at("2026-11-23T00:00:00Z")).name(),
            "2026-W47"
        );
        assert_eq!(
            Week::last_full(at("2026-11-22T23:59:59Z")).name(),
            "2026-W46"
        );
    }

    #[test]
    fn a_year_may_begin_in_the_last_week_of_another() {
        assert_eq!(Week::of(at("2027-01-01T00:00:00Z")).name(), "2026-W53");
        let week = Week::parse("2026-W53").unwrap();
        assert_eq!(week.window().since, at("2026-12-28T00:00:00Z"));
        assert_eq!(week.span(), "28 Dec 2026\u{2013}3 Jan 2027");
        assert_eq!(week.back(1).name(), "2026-W52");
    }

    #[test]
    fn what_is_no_week_is_none() {
        for text in [
            "", "2026-W54", "2025-W53", "2026-W00", "2026-47", "2026-W4", "2026-W+7", "20é6-W1",
        ] {
            assert_eq!(Week::parse(text), None, "{text}");
        }
    }
}
