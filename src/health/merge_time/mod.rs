//! How long until a pull request is merged: the median and the 80 % quantile of the repository's own past ones, those like it counting most.
//!
//! A past pull request weighs what it is like this one in lines, commits and how many its author had merged before (a normal kernel over each logarithm:
//! E. A. Nadaraya, Theory Probab. Appl. 9, 1964; G. S. Watson, Sankhyā A 26, 1964), and a little in any case: that little shrinks what few are like to
//! what all are. Older ones count less. Only what was merged before this one was opened is looked at, and nothing is said of under twenty.
//! What it is worth is measured by `study.rs`; the figures are in `docs/benchmarks.md`.
use crate::order;

#[cfg(test)]
mod study;

/// A pull request that was merged. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Past {
    pub(crate) opened: i64,
    pub(crate) merged: i64,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) files: u64,
    pub(crate) commits: u64,
    /// How many of its author's were merged before it was opened, where that is known.
    pub(crate) earlier: Option<u64>,
    pub(crate) is_bot: bool,
}

/// The one that is asked about; when it will be merged is not looked at.
pub(crate) type Asked = Past;

/// Fewer say nothing.
const FEWEST: usize = 20;

/// More are not looked at: the last ones say most.
const MOST: usize = 2000;

/// After so many later ones a past one counts half.
const HALF_LIFE: f64 = 300.0;

/// What one counts that is not like it at all.
const SHRINKAGE: f64 = 0.02;

/// How far apart two may be to be alike, in doublings.
const WIDTH_OF_LINES: f64 = 2.0;
const WIDTH_OF_COMMITS: f64 = 0.4;
const WIDTH_OF_EARLIER: f64 = 1.0;

/// What one of a program counts for one of a person, and the other way round.
const OTHER_KIND: f64 = 0.02;

/// When it may be merged, in seconds after it was opened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) p50: i64,
    pub(crate) p80: i64,
    /// How many past ones it rests on.
    pub(crate) many: usize,
    /// How many of them are like it: what their weights come to (Kish's effective size).
    pub(crate) alike: f64,
    /// How long it has been open; past ones that were merged sooner are left out.
    pub(crate) open_for: i64,
}

/// Returns the estimate in a sentence. What git alone shows of past ones begins with their first commits.
pub(crate) fn sentence(estimate: &Estimate, is_proxy: bool) -> String {
    let clock = if is_proxy {
        "their first commit"
    } else {
        "being opened"
    };
    format!(
        "Half of the repository's pull requests like it were merged within {} of {clock}, four of five within {} (n={}).",
        span(estimate.p50),
        span(estimate.p80),
        estimate.many
    )
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abstention {
    #[error("{0} pull requests were merged before it was opened, and at least {FEWEST} are needed")]
    TooFew(usize),
    #[error("only {0} of the repository's pull requests were open for as long as this one")]
    TooOld(usize),
}

/// Returns the whole doublings of a count, and their parts.
fn doublings(count: u64) -> f64 {
    (super::count(count) + 1.0).log2()
}

/// How much two are alike, between 0 and 1.
fn likeness(past: &Past, asked: &Asked) -> f64 {
    let lines = |one: &Past| doublings(one.additions.saturating_add(one.deletions));
    let apart = |one: f64, other: f64, width: f64| ((one - other) / width).powi(2);
    let mut distance = apart(lines(past), lines(asked), WIDTH_OF_LINES)
        + apart(
            doublings(past.commits),
            doublings(asked.commits),
            WIDTH_OF_COMMITS,
        );
    if let (Some(one), Some(other)) = (past.earlier, asked.earlier) {
        distance += apart(doublings(one), doublings(other), WIDTH_OF_EARLIER);
    }
    let kind = if past.is_bot == asked.is_bot {
        1.0
    } else {
        OTHER_KIND
    };
    kind * (-0.5 * distance).exp()
}

/// Estimates when a pull request is merged that is still open at a time. `past` is in order of merges.
pub(crate) fn estimate(past: &[Past], asked: &Asked, now: i64) -> Result<Estimate, Abstention> {
    let known = past.partition_point(|one| one.merged < asked.opened);
    let before = past.get(..known).unwrap_or_default();
    if before.len() < FEWEST {
        return Err(Abstention::TooFew(before.len()));
    }
    let open_for = now.saturating_sub(asked.opened).max(0);
    let latest = before.iter().rev().take(MOST).enumerate();
    // Those that were merged sooner than this one is old say nothing of how long it will still take.
    let mut weighed: Vec<(i64, f64)> = latest
        .map(|(age, one)| {
            (
                one.merged.saturating_sub(one.opened),
                0.5_f64.powf(super::count(age as u64) / HALF_LIFE)
                    * (SHRINKAGE + likeness(one, asked)),
            )
        })
        .filter(|(took, _)| *took > open_for)
        .collect();
    if weighed.len() < FEWEST {
        return Err(Abstention::TooOld(weighed.len()));
    }
    order::sort_by(&mut weighed, |(one, light), (other, heavy)| {
        one.cmp(other).then(light.total_cmp(heavy))
    });
    let sum: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    let squares: f64 = weighed.iter().map(|(_, weight)| weight * weight).sum();
    Ok(Estimate {
        p50: quantile(&weighed, 0.5),
        p80: quantile(&weighed, 0.8),
        many: weighed.len(),
        alike: if squares > 0.0 {
            sum * sum / squares
        } else {
            0.0
        },
        open_for,
    })
}

/// Returns a quantile of sorted durations with weights: between two of them the logarithm is interpolated. With equal weights this is type 7
/// (R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", Am. Stat. 50:4, 1996).
fn quantile(weighed: &[(i64, f64)], part: f64) -> i64 {
    let gaps = super::count(weighed.len().saturating_sub(1) as u64);
    let mut before = 0.0;
    // S_k = (k - 1) w_k + (n - 1) (w_1 + … + w_(k-1)), of which the last one is all.
    let places = weighed.iter().enumerate().map(|(at, (took, weight))| {
        let place = super::count(at as u64) * weight + gaps * before;
        before += weight;
        (place, *took)
    });
    let places: Vec<(f64, i64)> = places.collect();
    let wanted = part * places.last().map_or(0.0, |(place, _)| *place);
    let above = places.partition_point(|(place, _)| *place < wanted);
    let at = |number: usize| places.get(number).copied().unwrap_or_default();
    let (high, low) = (
        at(above.min(places.len().saturating_sub(1))),
        at(above.saturating_sub(1)),
    );
    let span = high.0 - low.0;
    let share = if span > 0.0 {
        ((wanted - low.0) / span).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let log = |took: i64| super::count(took.max(1).unsigned_abs()).ln();
    let seconds = (log(low.1) + share * (log(high.1) - log(low.1))).exp();
    format!("{seconds:.0}").parse().unwrap_or(i64::MAX)
}

/// Returns a span of time in the largest unit that says something.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let of =
        |whole: i64, unit: &str| format!("{whole} {unit}{}", if whole == 1 { "" } else { "s" });
    match (days, hours, minutes) {
        (14.., ..) => of(days / 7, "week"),
        (2.., ..) => of(days, "day"),
        (_, 2.., _) => of(hours, "hour"),
        _ => of(minutes, "minute"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3600;

    fn past(opened: i64, hours: i64, lines: u64) -> Past {
        Past {
            opened: opened * HOUR,
            merged: (opened + hours) * HOUR,
            additions: lines,
            commits: 1,
            ..Past::default()
        }
    }

    fn asked(opened: i64, lines: u64) -> Asked {
        past(opened, 0, lines)
    }

    #[test]
    fn under_twenty_nothing_is_said() {
        let all: Vec<Past> = (0..30).map(|number| past(number, 1, 10)).collect();
        assert_eq!(
            estimate(&all, &asked(20, 10), 20 * HOUR),
            Err(Abstention::TooFew(19))
        );
        assert!(estimate(&all, &asked(21, 10), 21 * HOUR).is_ok());
    }

    #[test]
    fn what_was_merged_after_it_was_opened_is_not_looked_at() {
        let mut all: Vec<Past> = (0..30).map(|number| past(number, 1, 10)).collect();
        let before = estimate(&all, &asked(31, 10), 31 * HOUR);
        all.extend((0..500).map(|number| past(40 + number, 900, 10)));
        assert_eq!(estimate(&all, &asked(31, 10), 31 * HOUR), before);
    }

    #[test]
    fn those_of_its_size_count_most_and_the_others_a_little() {
        let mut all: Vec<Past> = (0..200)
            .flat_map(|number| [past(number, 1, 4), past(number, 100, 4096)])
            .collect();
        all.sort_by_key(|past| past.merged);
        let of = |lines| estimate(&all, &asked(1000, lines), 1000 * HOUR).unwrap();
        assert_eq!((of(4).p50, of(4).p80), (HOUR, HOUR));
        assert_eq!((of(4096).p50, of(4096).p80), (100 * HOUR, 100 * HOUR));
        assert!(of(128).p80 > HOUR);
    }

    #[test]
    fn one_that_is_old_will_take_longer_than_it_has() {
        let mut all: Vec<Past> = (0..100)
            .map(|number| past(number, 1 + number % 50, 10))
            .collect();
        all.sort_by_key(|past| past.merged);
        let fresh = estimate(&all, &asked(1000, 10), 1000 * HOUR).unwrap();
        let old = estimate(&all, &asked(1000, 10), 1030 * HOUR).unwrap();
        assert!(old.p50 > fresh.p50 && old.p50 > 30 * HOUR && old.open_for == 30 * HOUR);
        assert_eq!(
            estimate(&all, &asked(1000, 10), 1045 * HOUR),
            Err(Abstention::TooOld(10))
        );
    }

    #[test]
    fn equal_weights_make_the_seventh_type() {
        // Of the logarithms 0, 1, 2, 3, 4.
        let weighed: Vec<(i64, f64)> = [10, 100, 1000, 10_000, 100_000]
            .map(|took| (took, 1.0))
            .into();
        assert_eq!(quantile(&weighed, 0.5), 1000);
        assert_eq!(quantile(&weighed, 0.8), 15_849);
        assert_eq!(quantile(&weighed[..1], 0.8), 10);
    }

    #[test]
    fn spans_have_a_unit_that_says_something() {
        let shown = [59, 60, 7199, 7200, 172_799, 172_800, 1_209_599, 1_209_600].map(span);
        assert_eq!(
            shown,
            [
                "0 minutes",
                "1 minute",
                "119 minutes",
                "2 hours",
                "47 hours",
                "2 days",
                "13 days",
                "2 weeks"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn quantiles_lie_among_what_was_seen_and_in_order(hours in prop::collection::vec(0..5000_i64, 20..80), lines in 0..5000_u64) {
            let mut all: Vec<Past> = hours.iter().enumerate().map(|(at, hours)| past(i64::try_from(at).unwrap(), *hours, lines * at as u64 % 977)).collect();
            all.sort_by_key(|past| past.merged);
            let now = 10_000;
            if let Ok(found) = estimate(&all, &asked(now, lines), now * HOUR) {
                prop_assert!(found.p50 <= found.p80);
                let most = all.iter().map(|past| past.merged - past.opened).max().unwrap();
                prop_assert!(found.p80 <= most.max(1) + 1);
            }
        }
    }
}
