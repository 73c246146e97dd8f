//! Hours of work: how much of a time lies within them. Days are those of a zone's calendar, so that the clocks may change in between.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Nobody asks about a longer time.
const MOST_DAYS: usize = 366 * 60;

/// When people work.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    pub(crate) zone: TimeZone,
    /// From Monday on.
    pub(crate) days: [bool; 7],
    /// Minutes after midnight.
    pub(crate) from: u16,
    pub(crate) to: u16,
}

/// The hours of work between two times, each with what came before it.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// When work begins and ends, and the seconds of work before it.
    shifts: Vec<(i64, i64, i64)>,
}

/// Reads `Mon-Fri,9-17` or `Mon,Wed,Sat-Sun,8:30-12`.
pub(crate) fn days_and_hours(text: &str) -> Result<([bool; 7], u16, u16), String> {
    let mut days = [false; 7];
    let mut hours = None;
    for part in text.split(',').map(str::trim) {
        if part.starts_with(|c: char| c.is_ascii_digit()) {
            let (from, to) = part
                .split_once('-')
                .ok_or_else(|| format!("`{part}` is no time of a day, as `9-17`"))?;
            let (from, to) = (minutes(from)?, minutes(to)?);
            if from >= to {
                return Err(format!("`{part}` ends before it begins"));
            }
            if hours.replace((from, to)).is_some() {
                return Err("there are two times of a day".to_owned());
            }
            continue;
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (weekday(first)?, weekday(last)?);
        loop {
            days[at] = true;
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    let (from, to) = hours.ok_or("there is no time of a day, as `9-17`")?;
    if !days.contains(&true) {
        return Err("there is no day, as `Mon-Fri`".to_owned());
    }
    Ok((days, from, to))
}

fn minutes(text: &str) -> Result<u16, String> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let both = hour.parse::<u16>().ok().zip(minute.parse::<u16>().ok());
    both.filter(|(hour, minute)| *minute < 60 && hour * 60 + minute <= 24 * 60 && *hour <= 24)
        .map(|(hour, minute)| hour * 60 + minute)
        .ok_or_else(|| format!("`{text}` is no time of a day"))
}

fn weekday(text: &str) -> Result<usize, String> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let text = text.trim().to_lowercase();
    let found = names.iter().position(|name| text.starts_with(name));
    found.ok_or_else(|| format!("`{text}` is no day of the week"))
}

impl Calendar {
    /// Lays out the hours between two times.
    pub(crate) fn new(hours: &Hours, from: Timestamp, to: Timestamp) -> Self {
        let mut shifts = Vec::new();
        let mut before = 0;
        let first = date(from, &hours.zone);
        let last = date(to, &hours.zone);
        for day in first.series(1.day()).take(MOST_DAYS) {
            if day > last {
                break;
            }
            if !hours.days[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())] {
                continue;
            }
            let (Some(begin), Some(end)) = (
                instant(day, hours.from, &hours.zone),
                instant(day, hours.to, &hours.zone),
            ) else {
                continue;
            };
            if begin < end {
                shifts.push((begin, end, before));
                before += end - begin;
            }
        }
        Self { shifts }
    }

    /// Returns the seconds of work between two times.
    pub(crate) fn seconds(&self, from: Timestamp, to: Timestamp) -> f64 {
        let worked = self.until(to) - self.until(from);
        #[expect(clippy::cast_precision_loss, reason = "nobody works 2^52 seconds")]
        let worked = worked.max(0) as f64;
        worked
    }

    fn until(&self, at: Timestamp) -> i64 {
        let at = at.as_second();
        let begun = self.shifts.partition_point(|(begin, _, _)| *begin <= at);
        let shift = begun.checked_sub(1).and_then(|last| self.shifts.get(last));
        shift.map_or(0, |(begin, end, before)| before + at.min(*end) - begin)
    }
}

fn date(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// Returns when a time of day is; one that the clocks leave out comes with the next that they show.
fn instant(day: Date, minutes: u16, zone: &TimeZone) -> Option<i64> {
    let (hour, minute) = (
        i8::try_from(minutes / 60).ok()?,
        i8::try_from(minutes % 60).ok()?,
    );
    let at = if hour == 24 {
        day.tomorrow().ok()?.at(0, 0, 0, 0)
    } else {
        day.at(hour, minute, 0, 0)
    };
    let zoned = zone.to_ambiguous_zoned(at).compatible().ok()?;
    Some(zoned.timestamp().as_second())
}

/// Returns the first day of the week of a time, which begins on Monday (ISO 8601, UTC).
pub(crate) fn week(at: Timestamp) -> Date {
    let day = date(at, &TimeZone::UTC);
    let since = i64::from(day.weekday().since(Weekday::Monday));
    day.saturating_sub(since.days())
}

/// Returns the first day of the month of a time (UTC).
pub(crate) fn month(at: Timestamp) -> Date {
    date(at, &TimeZone::UTC).first_of_month()
}

/// Returns the day of a time (UTC).
pub(crate) fn day(at: Timestamp) -> Date {
    date(at, &TimeZone::UTC)
}

/// Returns when a day begins (UTC).
pub(crate) fn midnight(day: Date) -> Timestamp {
    let zoned = day.to_zoned(TimeZone::UTC);
    zoned.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Berlin, as a rule of POSIX: summer from the last Sunday of March to the last one of October.
    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn calendar(words: &str) -> Calendar {
        let (days, from, to) = days_and_hours(words).unwrap();
        let hours = Hours {
            zone: berlin(),
            days,
            from,
            to,
        };
        Calendar::new(
            &hours,
            at("2026-01-01T00:00:00Z"),
            at("2026-12-31T00:00:00Z"),
        )
    }

    fn check(words: &str, from: &str, to: &str, hours: f64) {
        let found = calendar(words).seconds(at(from), at(to)) / 3600.0;
        assert!((found - hours).abs() < 1e-9, "{words} {from} {to}: {found}");
    }

    #[test]
    fn a_weekend_and_a_night_do_not_count() {
        // Friday 16:00 to Monday 10:00 in Berlin.
        check(
            "Mon-Fri,9-17",
            "2026-01-09T15:00:00Z",
            "2026-01-12T09:00:00Z",
            2.0,
        );
        check(
            "Mon-Fri,9-17",
            "2026-01-10T00:00:00Z",
            "2026-01-11T12:00:00Z",
            0.0,
        );
        check(
            "Sat-Mon,8:30-12",
            "2026-01-10T00:00:00Z",
            "2026-01-13T00:00:00Z",
            10.5,
        );
    }

    #[test]
    fn the_days_on_which_clocks_change_have_their_own_length() {
        // 29 March 2026 has 23 hours in Berlin, 25 October 25.
        check(
            "Mon-Sun,0-24",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
            23.0,
        );
        check(
            "Mon-Sun,0-24",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            25.0,
        );
        // Work from nine to five lasts eight hours all the same, an hour earlier on the world's clock.
        check(
            "Mon-Sun,9-17",
            "2026-03-29T00:00:00Z",
            "2026-03-29T23:00:00Z",
            8.0,
        );
        check(
            "Mon-Fri,9-17",
            "2026-03-30T07:00:00Z",
            "2026-03-30T15:00:00Z",
            8.0,
        );
        check(
            "Mon-Fri,9-17",
            "2026-03-27T07:00:00Z",
            "2026-03-27T15:00:00Z",
            7.0,
        );
        // From half past two, which the clocks leave out, to four.
        check(
            "Sun,2:30-4",
            "2026-03-29T00:00:00Z",
            "2026-03-29T23:00:00Z",
            0.5,
        );
    }

    #[test]
    fn words_that_say_no_hours_are_refused() {
        for bad in [
            "",
            "Mon-Fri",
            "9-17",
            "Mon,17-9",
            "Mon,9",
            "Foo,9-17",
            "Mon,25-26",
            "Mon,9-17,18-19",
            "Mon,9:60-17",
        ] {
            assert!(days_and_hours(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn hours_of_parts_add_up_and_never_exceed_the_whole(from in 0_i64..300, mid in 0_i64..40, more in 0_i64..40) {
            let start = at("2026-01-02T00:00:00Z").as_second() + from * 86_400 + mid * 61;
            let moment = |seconds: i64| Timestamp::from_second(seconds).unwrap();
            let (one, two) = (start + mid * 3_700, start + mid * 3_700 + more * 4_100);
            let calendar = calendar("Mon-Fri,9-17");
            let whole = calendar.seconds(moment(start), moment(two));
            let parts = calendar.seconds(moment(start), moment(one)) + calendar.seconds(moment(one), moment(two));
            prop_assert!((whole - parts).abs() < 1e-9);
            #[expect(clippy::cast_precision_loss, reason = "it is small")]
            let wall = (two - start) as f64;
            prop_assert!(whole <= wall);
        }
    }
}
