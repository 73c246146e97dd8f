//! Better or worse: each measure against the week before, and no change where it may be chance.

use super::pack::{Answer, Change};
use super::sections::Measure;
use super::words::{difference, shown};
use crate::delivery::kpi::Measured;

/// A change is told of when it is so large a part of what was.
const LEAST_CHANGE: f64 = 0.05;

/// So many changes are told of on each side.
const MOST: usize = 2;

/// Compares measures. A value that lies within the interval of the week before, or whose interval holds the one before, has not changed.
pub(crate) fn answer(measures: &[Measure]) -> Answer {
    let mut answer = Answer::default();
    let mut changed: Vec<(f64, bool, Change)> = Vec::new();
    for measure in measures {
        let (Some(now), Some(before)) = (measure.now.value, measure.before.value) else {
            answer
                .unknown
                .push(format!("{}: {}", measure.name, why_unknown(measure)));
            continue;
        };
        let size = size(now, before);
        if is_chance_between(&measure.now, &measure.before) {
            answer.same.push(measure.name.to_owned());
            continue;
        }
        let is_better = (now < before) == measure.is_better_when_less;
        let words = format!(
            "{} {} \u{2192} {} ({})",
            measure.name,
            shown(before, measure.unit),
            shown(now, measure.unit),
            difference(now - before, measure.unit),
        );
        changed.push((
            size,
            is_better,
            Change {
                measure: measure.name.to_owned(),
                unit: measure.unit,
                before,
                now,
                n: measure.now.n,
                words,
                section: measure.section,
            },
        ));
    }
    crate::order::sort_by(&mut changed, |a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| a.2.measure.cmp(&b.2.measure))
    });
    for (_, is_better, change) in changed {
        let side = if is_better {
            &mut answer.better
        } else {
            &mut answer.worse
        };
        if side.len() < MOST {
            side.push(change);
        }
    }
    answer.words = words(&answer);
    answer
}

fn size(now: f64, before: f64) -> f64 {
    (now - before).abs() / before.abs().max(now.abs()).max(f64::MIN_POSITIVE)
}

/// Whether two values differ by nothing that anybody should be told of; what is not known differs from nothing.
pub(crate) fn is_chance_between(now: &Measured, before: &Measured) -> bool {
    let (Some(value), Some(was)) = (now.value, before.value) else {
        return true;
    };
    let holds = |interval: Option<(f64, f64)>, value: f64| {
        interval.is_some_and(|(low, high)| low <= value && value <= high)
    };
    value.total_cmp(&was).is_eq()
        || size(value, was) < LEAST_CHANGE
        || holds(before.interval, value)
        || holds(now.interval, was)
}

fn why_unknown(measure: &Measure) -> String {
    match (measure.now.value, measure.before.value) {
        (None, _) => format!("not enough data (n={})", measure.now.n),
        (Some(_), _) => format!(
            "nothing to compare with (n={} the week before)",
            measure.before.n
        ),
    }
}

fn words(answer: &Answer) -> String {
    match (answer.better.len(), answer.worse.len()) {
        (0, 0) if answer.same.is_empty() => {
            "Nothing can be compared with the week before yet.".to_owned()
        }
        (0, 0) => "About the same as the week before.".to_owned(),
        (_, 0) => "Better than the week before.".to_owned(),
        (0, _) => "Worse than the week before.".to_owned(),
        _ => "Some things are better than the week before, some worse.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::words::Measured as Unit;

    fn measure(before: Option<f64>, now: Option<f64>, interval: Option<(f64, f64)>) -> Measure {
        let value = |value| Measured {
            n: 9,
            value,
            interval,
            is_projected: false,
        };
        Measure {
            name: "m",
            unit: Unit::Seconds,
            is_better_when_less: true,
            now: value(now),
            before: Measured {
                interval: None,
                ..value(before)
            },
            section: "delivery",
        }
    }

    fn check(before: Option<f64>, now: Option<f64>, interval: Option<(f64, f64)>, said: &str) {
        assert_eq!(answer(&[measure(before, now, interval)]).words, said);
    }

    #[test]
    fn less_time_is_better_and_more_is_worse() {
        check(
            Some(1020.0),
            Some(840.0),
            None,
            "Better than the week before.",
        );
        check(
            Some(840.0),
            Some(1020.0),
            None,
            "Worse than the week before.",
        );
        let found = answer(&[measure(Some(1020.0), Some(840.0), None)]);
        assert_eq!(
            found.better[0].words,
            "m 17 min \u{2192} 14 min (\u{2212}3 min)"
        );
    }

    #[test]
    fn what_may_be_chance_has_not_changed() {
        check(
            Some(1020.0),
            Some(840.0),
            Some((500.0, 1100.0)),
            "About the same as the week before.",
        );
        check(
            Some(100.0),
            Some(101.0),
            None,
            "About the same as the week before.",
        );
        check(
            Some(0.0),
            Some(0.0),
            None,
            "About the same as the week before.",
        );
    }

    #[test]
    fn what_is_unknown_is_neither() {
        check(
            None,
            Some(1.0),
            None,
            "Nothing can be compared with the week before yet.",
        );
        check(
            Some(1.0),
            None,
            None,
            "Nothing can be compared with the week before yet.",
        );
    }

    #[test]
    fn something_that_comes_up_from_nothing_is_told_of() {
        check(Some(0.0), Some(3.0), None, "Worse than the week before.");
    }
}
