//! A part that stands for the whole: an even sample, and what a total is by it.
//!
//! Every k-th of a list in the order of time is taken, which spreads over days and workflows. The total is the mean times the number of all, and its
//! interval Student's around that mean, narrowed by the finite population correction (Cochran, Sampling Techniques, 3rd edition, 2.6 and 2.8); a
//! systematic sample of a list in no particular order is as good as one at random (the same, 8.5).

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::delivery::quantiles::{around_mean, float};
use crate::stats::rounded;

/// Returns the places of an even sample, in order.
pub(crate) fn even(all: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(all);
    (0..wanted)
        .map(|number| (2 * number + 1) * all / (2 * wanted))
        .collect()
}

/// Returns numbers below a bound in an order of which every beginning lies about evenly over all of them, so that whoever has to stop early has an
/// even sample all the same: that of van der Corput (Proceedings, Akademie van Wetenschappen Amsterdam 38, 1935).
pub(crate) fn spread_order(all: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..all).collect();
    crate::order::sort_by_key(&mut numbers, |number| (number.reverse_bits(), *number));
    numbers
}

/// Returns how far apart the places of an even sample lie, at least and at most.
pub(crate) fn steps(sample: &[usize]) -> Option<(usize, usize)> {
    let gaps = || sample.windows(2).map(|pair| pair[1] - pair[0]);
    Some((gaps().min()?, gaps().max()?))
}

/// A total, measured or estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Total {
    pub(crate) value: f64,
    /// Its 95 % interval; none where all were counted, or too few for one.
    pub(crate) interval: Option<(f64, f64)>,
    /// How many were looked at.
    pub(crate) looked_at: usize,
    /// Of how many.
    pub(crate) of: usize,
}

/// Says what the total over all is by the values of some; nothing where none were looked at.
pub(crate) fn total(values: &[f64], of: usize) -> Option<Total> {
    let n = values.len();
    let of = of.max(n);
    if n == 0 {
        return (of == 0).then(Total::default);
    }
    let seen: f64 = values.iter().sum();
    let mean = seen / float(n);
    let value = mean * float(of);
    let interval = around_mean(mean, values)
        .filter(|_| n < of)
        .map(|(_, high)| {
            let correction = (1.0 - float(n) / float(of)).sqrt();
            let half = (high - mean) * correction * float(of);
            // What was seen is there.
            (rounded((value - half).max(seen)), rounded(value + half))
        });
    Some(Total {
        value: rounded(value),
        interval,
        looked_at: n,
        of,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sample_lies_evenly_over_the_whole() {
        assert_eq!(even(10, 5), [1, 3, 5, 7, 9]);
        assert_eq!(even(512, 200).len(), 200);
        assert_eq!(steps(&even(512, 200)), Some((2, 3)));
        assert_eq!(even(3, 9), [0, 1, 2]);
        assert!(even(0, 5).is_empty() && even(5, 0).is_empty());
    }

    #[test]
    fn every_beginning_of_the_order_is_even() {
        assert_eq!(spread_order(8), [0, 4, 2, 6, 1, 5, 3, 7]);
        let mut half = spread_order(1000);
        half.truncate(500);
        half.sort_unstable();
        assert!(
            half.windows(2).all(|pair| pair[1] - pair[0] <= 4),
            "{half:?}"
        );
    }

    #[test]
    fn all_that_was_counted_is_no_estimate() {
        let whole = total(&[1.0, 2.0, 3.0], 3).unwrap();
        assert_eq!((whole.value, whole.interval), (6.0, None));
        assert_eq!(total(&[], 0).map(|none| none.value), Some(0.0));
        assert_eq!(total(&[], 4), None);
        assert_eq!(total(&[2.0], 4).unwrap().interval, None);
    }

    #[test]
    fn the_interval_is_students_with_the_correction() {
        // By hand: mean 3, s² = 2.5, n = 5 of 20; t(4) = 2.776; 20 · 2.776 · √(2.5/5) · √0.75 = 34.0.
        let found = total(&[1.0, 2.0, 3.0, 4.0, 5.0], 20).unwrap();
        let (low, high) = found.interval.unwrap();
        assert_eq!(Some(found.value), Some(60.0));
        assert!(
            (high - 94.0).abs() < 0.1 && (low - 26.0).abs() < 0.1,
            "{low} {high}"
        );
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_inside(all in 0_usize..3000, wanted in 0_usize..3000) {
            let places = even(all, wanted);
            prop_assert_eq!(places.len(), wanted.min(all));
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(places.iter().all(|place| *place < all));
            if let Some((least, most)) = steps(&places) {
                prop_assert!(most - least <= 1);
            }
        }

        #[test]
        fn an_interval_holds_the_estimate_and_what_was_seen(
            values in proptest::collection::vec(0.0_f64..1000.0, 1..50),
            more in 0_usize..500,
        ) {
            let found = total(&values, values.len() + more).unwrap();
            if let Some((low, high)) = found.interval {
                prop_assert!(low <= found.value + 0.001 && found.value <= high + 0.001);
                prop_assert!(low + 0.001 >= values.iter().sum::<f64>());
            }
        }
    }
}
