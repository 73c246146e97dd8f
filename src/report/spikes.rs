//! Days that cost far more than usual, by the modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, ASQC 1993).
//!
//! A day is held against the days with any cost in the eight weeks before it: the score is 0.6745 (x − median) / MAD. Where more than half of the days
//! are equal, the mean deviation from the median stands in (x − median, by 1.2533 times that mean). A spike scores more than 5 and not, as they
//! advise, 3.5: that is for values that lie evenly around their mean, and costs of days do not. With 3.5 more than one day in a hundred of noise would be
//! a spike, and with 5 less than one in two hundred of every noise that the tests know. A spike is half as much again as usual at least, and is told of from ten days on.

/// So many days before a day are what is usual.
pub(crate) const DAYS_BEFORE: usize = 56;

/// Of fewer days with any cost nothing is said.
const LEAST_DAYS: usize = 10;

/// What a score must exceed.
const BOUND: f64 = 5.0;

/// A spike is so many times the usual day at least.
const LEAST_RATIO: f64 = 1.5;

/// How closely costs can lie, as a part of the usual day: those that differ by less are equal.
const LEAST_SPREAD: f64 = 0.01;

/// A day that cost far more than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spike {
    /// Its place among the days.
    pub(crate) day: usize,
    pub(crate) value: f64,
    /// The median of the days before it.
    pub(crate) usual: f64,
    pub(crate) score: f64,
}

/// Finds the spikes among the days from `first` on; a value a day, zero where nothing was spent.
pub(crate) fn find(days: &[f64], first: usize) -> Vec<Spike> {
    let judged = (first..days.len()).filter_map(|day| judge(days, day));
    judged.collect()
}

fn judge(days: &[f64], day: usize) -> Option<Spike> {
    let value = *days.get(day)?;
    let before = days.get(day.saturating_sub(DAYS_BEFORE)..day)?;
    let before: Vec<f64> = before
        .iter()
        .copied()
        .filter(|value| *value > 0.0)
        .collect();
    if before.len() < LEAST_DAYS || value <= 0.0 || !value.is_finite() {
        return None;
    }
    let usual = median(before.clone())?;
    let deviations: Vec<f64> = before.iter().map(|value| (value - usual).abs()).collect();
    let mean = deviations.iter().sum::<f64>() / crate::delivery::quantiles::float(before.len());
    let least = LEAST_SPREAD * usual;
    let mad = median(deviations)? / 0.6745;
    let spread = if mad > least { mad } else { 1.2533 * mean };
    let score = (value - usual) / spread.max(least);
    (score > BOUND && value >= LEAST_RATIO * usual).then_some(Spike {
        day,
        value,
        usual,
        score,
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    crate::order::sort_numbers(&mut values);
    crate::delivery::quantiles::quantile(&values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between zero and one that come the same each time (splitmix64, public domain).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bits = u32::try_from((z ^ (z >> 31)) >> 32).unwrap();
            f64::from(bits) / f64::from(u32::MAX)
        }

        fn normal(&mut self) -> f64 {
            let (a, b) = (self.next().max(1e-12), self.next());
            (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
        }
    }

    /// A year of days; on weekends a third is spent, or nothing.
    fn year(numbers: &mut Numbers, noise: &str) -> Vec<f64> {
        let day = |day: usize| {
            let weekend = day % 7 >= 5;
            match noise {
                "normal" => (20.0 + 4.0 * numbers.normal()).max(0.0),
                "lognormal" => 20.0 * (0.35 * numbers.normal()).exp(),
                "gamma" => {
                    -10.0
                        * (numbers.next().max(1e-12)
                            * numbers.next().max(1e-12)
                            * numbers.next().max(1e-12))
                        .ln()
                }
                "weekdays" if weekend => 0.0,
                "weekends" if weekend => 7.0 * (0.25 * numbers.normal()).exp(),
                _ => 20.0 * (0.25 * numbers.normal()).exp(),
            }
        };
        (0..364).map(day).collect()
    }

    const NOISES: [&str; 5] = ["normal", "lognormal", "gamma", "weekdays", "weekends"];

    #[test]
    fn of_noise_less_than_one_day_in_a_hundred_is_a_spike() {
        for noise in NOISES {
            let mut numbers = Numbers(47);
            let (mut found, mut days) = (0, 0);
            for _ in 0..12 {
                let year = year(&mut numbers, noise);
                found += find(&year, DAYS_BEFORE).len();
                days += year.len() - DAYS_BEFORE;
            }
            assert!(found * 100 < days, "{noise}: {found} of {days}");
        }
    }

    #[test]
    fn of_twenty_spikes_in_a_year_nineteen_are_named() {
        for noise in NOISES {
            let mut numbers = Numbers(20);
            let mut year = year(&mut numbers, noise);
            // A day costs five to eight times what it usually does.
            let usual =
                median(year.iter().copied().filter(|value| *value > 0.0).collect()).unwrap();
            let places: Vec<usize> = (0..20)
                .map(|number| 60 + number * 15 + number % 3)
                .collect();
            let places = places
                .iter()
                .map(|day| if day % 7 >= 5 { day - 2 } else { *day });
            let places: Vec<usize> = places.collect();
            for day in &places {
                year[*day] = usual * (5.0 + 3.0 * numbers.next());
            }
            let found = find(&year, DAYS_BEFORE);
            let named = places
                .iter()
                .filter(|day| found.iter().any(|spike| spike.day == **day));
            assert!(named.count() >= 19, "{noise}: {found:?}");
            let false_ones = found
                .iter()
                .filter(|spike| !places.contains(&spike.day))
                .count();
            assert!(false_ones * 100 < year.len(), "{noise}: {false_ones}");
        }
    }

    #[test]
    fn days_that_are_always_equal_have_spikes_and_small_differences_are_none() {
        let mut days = vec![5.0; 30];
        days.push(5.2);
        assert_eq!(find(&days, 30), []);
        days.push(20.0);
        let found = find(&days, 30);
        assert_eq!(found.len(), 1);
        assert!((found[0].usual - 5.0).abs() < 1e-9);
    }

    #[test]
    fn of_a_few_days_and_of_nonsense_nothing_is_said() {
        assert_eq!(find(&[1.0, 1.0, 1.0, 100.0], 0), []);
        assert_eq!(find(&[f64::NAN; 40], 20), []);
        assert_eq!(find(&[0.0; 40], 20), []);
        assert_eq!(find(&[], 5), []);
    }
}
