//! What a month will have cost at its end, if days go on as they did.
//!
//! The bootstrap of daily sums (B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993; percentile intervals: chapter 13): the
//! days that are left are drawn, with replacement, from the days that were seen, many times; the answer is the median of all those months, and
//! their tenth and ninetieth percentiles. The draws come from a generator with a fixed seed (xorshift64*, S. Vigna, "An experimental
//! exploration of Marsaglia's xorshift generators, scrambled", 2016), so that the same days give the same answer.

use crate::money::Usd;
use crate::order;

/// How many months are drawn.
pub(crate) const MONTHS: usize = 2000;

/// How many days are looked back on.
pub(crate) const DAYS: usize = 28;

/// Percentiles of the interval.
pub(crate) const INTERVAL: (usize, usize) = (10, 90);

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a month will have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forecast {
    pub(crate) low: Usd,
    pub(crate) median: Usd,
    pub(crate) high: Usd,
}

/// What is known of a month.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course {
    /// Sums of whole days, oldest first; the last 28 count. They may be of the month before.
    pub(crate) days: Vec<Usd>,
    /// Of this month, up to yesterday.
    pub(crate) before: Usd,
    pub(crate) today: Usd,
    /// Days of this month after today.
    pub(crate) left: u32,
}

/// Forecasts the end of a month.
pub(crate) fn forecast(course: &Course) -> Forecast {
    let first = course.days.len().saturating_sub(DAYS);
    let mut days = course.days[first..].to_vec();
    if days.is_empty() {
        // On the first day there is nothing else to go by.
        days.push(course.today);
    }
    let mut state = SEED;
    let mut months: Vec<Usd> = (0..MONTHS)
        .map(|_| {
            let today = course.today.max(draw(&mut state, &days));
            let begun = course.before.saturating_add(today);
            let left = (0..course.left).map(|_| draw(&mut state, &days));
            left.fold(begun, Usd::saturating_add)
        })
        .collect();
    order::sort(&mut months);
    let at = |percentile: usize| {
        let place = (percentile * (MONTHS - 1) + 50) / 100;
        months.get(place).copied().unwrap_or_default()
    };
    Forecast {
        low: at(INTERVAL.0),
        median: at(50),
        high: at(INTERVAL.1),
    }
}

fn draw(state: &mut u64, days: &[Usd]) -> Usd {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    let number = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
    // The upper bits, scaled to the number of days (D. Lemire, "Fast random integer generation in an interval", 2019).
    let place = (u128::from(number) * days.len() as u128) >> 64;
    let place = usize::try_from(place).unwrap_or_default();
    days.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(dollars: u128) -> Usd {
        Usd::from_pico(dollars * 1_000_000_000_000)
    }

    fn course(days: &[u128], before: u128, today: u128, left: u32) -> Course {
        Course {
            days: days.iter().map(|day| usd(*day)).collect(),
            before: usd(before),
            today: usd(today),
            left,
        }
    }

    #[test]
    fn days_that_are_all_alike_leave_no_doubt() {
        let found = forecast(&course(&[3; 10], 30, 3, 20));
        assert_eq!(
            (found.low, found.median, found.high),
            (usd(93), usd(93), usd(93))
        );
        let nothing = forecast(&Course::default());
        assert_eq!(nothing.high, Usd::ZERO);
    }

    #[test]
    fn on_the_last_day_only_the_rest_of_today_is_open() {
        let found = forecast(&course(&[0, 10], 50, 4, 0));
        assert_eq!((found.low, found.high), (usd(54), usd(60)));
    }

    #[test]
    fn days_that_differ_give_an_interval_around_the_mean() {
        // A day costs 0 or 10 dollars: twenty of them cost 100 on average, with a standard deviation of 22.
        let found = forecast(&course(&[0, 10], 0, 0, 19));
        assert!((usd(90)..=usd(110)).contains(&found.median), "{found:?}");
        assert!((usd(60)..=usd(80)).contains(&found.low), "{found:?}");
        assert!((usd(120)..=usd(140)).contains(&found.high), "{found:?}");
        assert_eq!(found, forecast(&course(&[0, 10], 0, 0, 19)));
    }

    #[test]
    fn only_the_last_days_count() {
        let mut days = vec![1000; 50];
        days.extend([1; DAYS]);
        assert_eq!(forecast(&course(&days, 0, 1, 9)).high, usd(10));
    }

    #[test]
    fn more_than_can_be_counted_is_the_most_that_can() {
        let most = Usd::from_pico(u128::MAX);
        let course = Course {
            days: vec![most],
            before: most,
            today: most,
            left: 5,
        };
        assert_eq!(forecast(&course).median, most);
    }

    // The same draws by a generator written in another language, from days of 0, 1, 8, 27, … dollars.
    #[test]
    fn months_are_those_of_the_generator_and_percentiles_the_nearest_of_them() {
        let days: Vec<u128> = (0..28).map(|day| day * day * day).collect();
        let found = forecast(&course(&days, 0, 0, 9));
        let expected = (usd(27_246), usd(49_744), usd(75_247));
        assert_eq!((found.low, found.median, found.high), expected);
    }
}
