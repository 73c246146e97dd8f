//! Durations, shares and metrics in words.

use crate::delivery::metrics::{Metric, Value};
use crate::delivery::quantiles::{Estimate, Spread};

/// Says a duration with two digits that matter; up to two days in hours.
pub(super) fn duration(seconds: f64) -> String {
    let units = [
        (2.0, 86_400.0, "d"),
        (1.0, 3_600.0, "h"),
        (1.0, 60.0, "min"),
    ];
    for (least, length, unit) in units {
        if seconds >= least * length {
            let value = seconds / length;
            return if value < 10.0 {
                format!("{value:.1} {unit}")
            } else {
                format!("{value:.0} {unit}")
            };
        }
    }
    format!("{seconds:.0} s")
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Says a quantile, or why there is none.
pub(super) fn estimate(found: Option<Estimate>, spread: &Spread, least: usize) -> String {
    match found {
        Some(found) => duration(found.value),
        None if spread.n < least => few(spread.n, least),
        None => "not reached".to_owned(),
    }
}

pub(super) fn few(n: usize, least: usize) -> String {
    format!("not enough data (n={n} < {least})")
}

/// Says a metric's value in a few words.
pub(super) fn value(metric: &Metric, least: usize) -> String {
    match &metric.value {
        Value::Spread(spread) => estimate(spread.median, spread, least),
        Value::Share(share) => share.rate.map_or_else(|| few(share.of, least), percent),
        Value::Rhythm(rhythm) => rate(rhythm.per_day),
        Value::Undefined => "not defined".to_owned(),
    }
}

/// Says how often something happens.
pub(super) fn rate(per_day: f64) -> String {
    if per_day >= 1.0 {
        format!("{per_day:.1} a day")
    } else if per_day * 7.0 >= 1.0 {
        format!("{:.1} a week", per_day * 7.0)
    } else {
        format!("{:.1} a month", per_day * 30.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_people_say_them() {
        for (seconds, words) in [
            (0.0, "0 s"),
            (59.4, "59 s"),
            (90.0, "1.5 min"),
            (7_200.0, "2.0 h"),
            (108_000.0, "30 h"),
            (1_000_000.0, "12 d"),
        ] {
            assert_eq!(duration(seconds), words);
        }
        assert_eq!(
            [rate(3.0), rate(0.5), rate(0.05)],
            ["3.0 a day", "3.5 a week", "1.5 a month"]
        );
    }
}
