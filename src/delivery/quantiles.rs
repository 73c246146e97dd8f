//! What is said of many values: quantiles, what they may be, and shares.
//!
//! Quantiles are of type 7 (Hyndman and Fan, The American Statistician 50:4, 1996; `PERCENTILE_CONT` of SQL). Their intervals are those of order
//! statistics (David and Nagaraja, Order Statistics, 3rd edition, 7.1), which assume no distribution; those of shares are Wilson's (JASA 22:158,
//! 1927). The median of durations of which some have not ended is Kaplan and Meier's (JASA 53:282, 1958).

/// Of fewer values nothing is said.
pub(crate) const LEAST: usize = 5;

/// The quantile of the standard normal distribution at 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// What lies outside of an interval on one side.
const TAIL: f64 = 0.025;

/// A quantile and its 95 % interval, where so few values have one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

/// What is said of durations, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) n: usize,
    pub(crate) median: Option<Estimate>,
    pub(crate) p90: Option<Estimate>,
    /// For definitions that say it.
    pub(crate) mean: Option<f64>,
}

/// A part of a whole, with its 95 % interval where there is enough of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Share {
    pub(crate) part: usize,
    pub(crate) of: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) interval: Option<(f64, f64)>,
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 rows")]
pub(crate) fn float(number: usize) -> f64 {
    number as f64
}

/// Says what there is to say of values, in any order.
pub(crate) fn spread(mut values: Vec<f64>, least: usize) -> Spread {
    crate::order::sort_numbers(&mut values);
    let n = values.len();
    if n < least.max(1) {
        return Spread {
            n,
            ..Spread::default()
        };
    }
    let of = |share: f64| {
        Some(Estimate {
            value: quantile(&values, share)?,
            interval: interval(&values, share),
        })
    };
    Spread {
        n,
        median: of(0.5),
        p90: of(0.9),
        mean: Some(values.iter().sum::<f64>() / float(n)),
    }
}

/// Returns a quantile of values in any order, with its interval; nothing of fewer values than that.
pub(crate) fn estimate(mut values: Vec<f64>, share: f64, least: usize) -> Option<Estimate> {
    if values.len() < least.max(1) {
        return None;
    }
    crate::order::sort_numbers(&mut values);
    Some(Estimate {
        value: quantile(&values, share)?,
        interval: interval(&values, share),
    })
}

/// Returns the interval of a mean of amounts that are not negative: Student's (Biometrika 6:1, 1908).
pub(crate) fn around_mean(mean: f64, values: &[f64]) -> Option<(f64, f64)> {
    let freedom = float(values.len().checked_sub(1).filter(|freedom| *freedom > 0)?);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    let error = (squares.sum::<f64>() / freedom / float(values.len())).sqrt();
    let half = student(freedom) * error;
    Some(((mean - half).max(0.0), mean + half))
}

/// The quantile of Student's distribution at 97.5 %, by its expansion around the normal one (Abramowitz and Stegun, Handbook of Mathematical
/// Functions, 26.7.5): right to three digits from four degrees of freedom on.
fn student(freedom: f64) -> f64 {
    let z = |power: i32| Z.powi(power);
    let terms = [
        (z(3) + z(1)) / 4.0,
        (5.0 * z(5) + 16.0 * z(3) + 3.0 * z(1)) / 96.0,
        (3.0 * z(7) + 19.0 * z(5) + 17.0 * z(3) - 15.0 * z(1)) / 384.0,
        (79.0 * z(9) + 776.0 * z(7) + 1482.0 * z(5) - 1920.0 * z(3) - 945.0 * z(1)) / 92_160.0,
    ];
    let mut power = 1.0;
    let mut sum = Z;
    for term in terms {
        power *= freedom;
        sum += term / power;
    }
    sum
}

/// Returns the interval of how many events are to be expected where so many happened: the exact one of the Poisson distribution (Garwood, Biometrika
/// 28:3/4, 1936).
pub(crate) fn around_count(count: usize) -> (f64, f64) {
    let most = float(count) + 10.0 * float(count).sqrt() + 20.0;
    let find = |is_below: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, most);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if is_below(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    };
    let low = count.checked_sub(1).map_or(0.0, |below| {
        find(&|mean| 1.0 - chance_of_at_most(below, mean) < TAIL)
    });
    (low, find(&|mean| chance_of_at_most(count, mean) > TAIL))
}

/// The chance of so many events or fewer where so many are to be expected.
fn chance_of_at_most(count: usize, mean: f64) -> f64 {
    let (mut mass, mut sum) = (-mean, 0.0);
    let step = mean.ln();
    for number in 0..=count {
        if number > 0 {
            mass += step - float(number).ln();
        }
        sum += mass.exp();
    }
    sum
}

/// Returns a quantile of sorted values.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * float(last);
    let below = place.floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between zero and the last place"
    )]
    let at = below as usize;
    let low = *sorted.get(at)?;
    let high = *sorted.get(at + 1).unwrap_or(&low);
    Some(low + (high - low) * (place - below))
}

/// Returns the values between which a quantile lies with 95 %: the places are those of the binomial distribution.
fn interval(sorted: &[f64], share: f64) -> Option<(f64, f64)> {
    let n = sorted.len();
    let (low, high) = (place(n, share)?, place(n, 1.0 - share)?);
    Some((*sorted.get(low)?, *sorted.get(n.checked_sub(high + 1)?)?))
}

/// Returns the last place (from zero) above which a quantile lies with 97.5 % at least; none where there is no such place.
fn place(n: usize, share: f64) -> Option<usize> {
    let (mut mass, mut sum) = (float(n) * (1.0 - share).ln(), 0.0);
    let odds = (share / (1.0 - share)).ln();
    for count in 0..n {
        sum += mass.exp();
        // So many of n values, or fewer, lie below the quantile with this probability.
        if sum > TAIL {
            return count.checked_sub(1);
        }
        mass += odds + (float(n - count) / float(count + 1)).ln();
    }
    None
}

/// Returns a share with Wilson's interval.
pub(crate) fn share(part: usize, of: usize, least: usize) -> Share {
    if of < least.max(1) {
        return Share {
            part,
            of,
            ..Share::default()
        };
    }
    let (n, rate) = (float(of), float(part) / float(of));
    let scale = 1.0 + Z * Z / n;
    let middle = (rate + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let low = (middle - half).clamp(0.0, 1.0).min(rate);
    let high = (middle + half).clamp(0.0, 1.0).max(rate);
    Share {
        part,
        of,
        rate: Some(rate),
        interval: Some((low, high)),
    }
}

/// A duration, in seconds, and whether it has ended.
pub(crate) type Lived = (f64, bool);

/// Returns when so many have ended, as Kaplan and Meier estimate it; none when too many have not.
pub(crate) fn survival_quantile(lived: &[Lived], ended: f64) -> Option<f64> {
    let mut sorted = lived.to_vec();
    // What ended and what was still open at one time: the open one was still at risk.
    crate::order::sort_by(&mut sorted, |one, other| {
        one.0.total_cmp(&other.0).then(other.1.cmp(&one.1))
    });
    let mut at_risk = sorted.len();
    let mut alive = 1.0;
    for (seconds, has_ended) in sorted {
        if has_ended {
            alive *= float(at_risk - 1) / float(at_risk);
            // What is one half on paper may lie a bit above it here.
            if alive <= 1.0 - ended + 1e-9 {
                return Some(seconds);
            }
        }
        at_risk -= 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 5e-4, "{one} {other}");
    }

    // R: quantile(c(1, 2, 3, 4, 10), c(.5, .9), type = 7)
    #[test]
    fn quantiles_are_of_type_seven() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 10.0];
        near(quantile(&sorted, 0.5).unwrap(), 3.0);
        near(quantile(&sorted, 0.9).unwrap(), 7.6);
        near(quantile(&sorted, 0.25).unwrap(), 2.0);
        assert_eq!(quantile(&[], 0.5), None);
    }

    // Places of the tables for the sign test: 6 values have the first and the last, 10 the 2nd and 9th, 20 the 6th and 15th.
    #[test]
    fn the_interval_of_a_median_is_that_of_the_sign_test() {
        for (n, low, high) in [
            (6, 1.0, 6.0),
            (10, 2.0, 9.0),
            (20, 6.0, 15.0),
            (100, 40.0, 61.0),
        ] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let median = spread(values, 1).median.unwrap();
            assert_eq!(median.interval, Some((low, high)), "{n}");
        }
        assert_eq!(spread(vec![1.0; 5], 1).median.unwrap().interval, None);
    }

    // R: binom::binom.confint(4, 23, method = "wilson")
    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        let found = share(4, 23, 5);
        near(found.rate.unwrap(), 0.1739);
        let (low, high) = found.interval.unwrap();
        near(low, 0.0698);
        near(high, 0.3714);
        assert_eq!(share(1, 4, 5).rate, None);
    }

    // R: qt(0.975, c(4, 9, 29)); poisson.test(c(0, 8, 100))$conf.int
    #[test]
    fn means_and_counts_have_the_intervals_of_the_tables() {
        for (freedom, quantile) in [(4.0, 2.776_445), (9.0, 2.262_157), (29.0, 2.045_23)] {
            assert!(
                (student(freedom) - quantile).abs() < 5e-3 * quantile,
                "{freedom}"
            );
        }
        let (low, high) = around_mean(3.0, &[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!((low - 1.036_757).abs() < 5e-3 && (high - 4.963_243).abs() < 5e-3);
        assert_eq!(around_mean(1.0, &[1.0]), None);
        for (count, low, high) in [
            (0, 0.0, 3.688_879),
            (8, 3.453_832, 15.763_19),
            (100, 81.363_99, 121.627_1),
        ] {
            let found = around_count(count);
            near(found.0, low);
            near(found.1, high);
        }
    }

    #[test]
    fn a_high_quantile_has_no_upper_end_of_few_values() {
        let values: Vec<f64> = (1..=40).map(f64::from).collect();
        let found = estimate(values.clone(), 0.95, 20).unwrap();
        near(found.value, 38.05);
        assert_eq!(found.interval, None);
        assert_eq!(estimate(values[..19].to_vec(), 0.95, 20), None);
    }

    // The 6-MP arm of Freireich's remission times, as in Kaplan-Meier textbooks: the median is 23 weeks.
    #[test]
    fn what_has_not_ended_moves_the_median_as_kaplan_and_meier_say() {
        let ended = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let open = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
        let ended = ended.map(|weeks| (f64::from(weeks), true));
        let open = open.map(|weeks| (f64::from(weeks), false));
        let all: Vec<Lived> = ended.into_iter().chain(open).collect();
        assert_eq!(survival_quantile(&all, 0.5), Some(23.0));
        assert_eq!(survival_quantile(&all, 0.9), None);
        let whole: Vec<Lived> = [3.0, 1.0, 2.0].map(|at| (at, true)).to_vec();
        assert_eq!(survival_quantile(&whole, 0.5), Some(2.0));
    }

    proptest! {
        #[test]
        fn shares_and_their_intervals_lie_within_zero_and_one(of in 1_usize..2000, part in 0_usize..2000) {
            let found = share(part.min(of), of, 1);
            let (low, high) = found.interval.unwrap();
            let rate = found.rate.unwrap();
            prop_assert!(0.0 <= low && low <= rate && rate <= high && high <= 1.0);
        }

        #[test]
        fn the_interval_holds_the_median_whatever_the_order(values in prop::collection::vec(0.0_f64..1e9, 6..300)) {
            let forth = spread(values.clone(), 5);
            let mut back = values;
            back.reverse();
            let median = forth.median.unwrap();
            let (low, high) = median.interval.unwrap();
            prop_assert!(low <= median.value && median.value <= high);
            let again = spread(back, 5);
            prop_assert_eq!(forth.median, again.median);
            prop_assert_eq!(forth.p90, again.p90);
        }
    }
}
