//! Statistics: posterior rates of failure.
//!
//! A failure rate is the Beta posterior under Jeffreys' prior Beta(1/2, 1/2), its interval equal-tailed (Brown, Cai and
//! `DasGupta`, "Interval Estimation for a Binomial Proportion", Statistical Science 16:2, 2001).

use statrs::distribution::{Beta, ContinuousCDF, Normal};

/// A rate with its interval; all three between zero and one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// How much probability lies inside an interval.
pub(crate) const INTERVAL: f64 = 0.95;

/// Beyond so many executions the normal distribution of the same mean and variance serves: the fourth decimal is the same, and the
/// incomplete beta function no longer converges in the steps that it is given.
const MANY: f64 = 1_000_000.0;

/// The quantile of the standard normal distribution at 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// The standard deviation of a Beta distribution.
fn deviation(alpha: f64, beta: f64) -> f64 {
    let all = alpha + beta;
    (alpha * beta / (all * all * (all + 1.0))).sqrt()
}

/// Returns what a failure rate does not exceed, with 95 % probability: the one-sided bound under Jeffreys' prior.
pub(crate) fn upper_bound(failures: u64, runs: u64) -> f64 {
    let (alpha, beta) = posterior(failures, runs);
    Beta::new(alpha, beta).map_or(1.0, |distribution| distribution.inverse_cdf(INTERVAL))
}

/// Returns the posterior of so many failures in so many runs.
pub(crate) fn failure_rate(failures: u64, runs: u64) -> Rate {
    rate_of(posterior(failures, runs))
}

/// Returns the posterior of failures in runs of which some may count in part only.
pub(crate) fn weighed_rate(failures: f64, runs: f64) -> Rate {
    let failures = failures.clamp(0.0, runs.max(0.0));
    rate_of((failures + 0.5, runs.max(0.0) - failures + 0.5))
}

fn rate_of((alpha, beta): (f64, f64)) -> Rate {
    let tail = (1.0 - INTERVAL) / 2.0;
    let mean = alpha / (alpha + beta);
    if alpha + beta > MANY {
        let spread = Z * deviation(alpha, beta);
        return Rate {
            mean,
            low: (mean - spread).max(0.0),
            high: (mean + spread).min(1.0),
        };
    }
    match Beta::new(alpha, beta) {
        Ok(distribution) => Rate {
            mean,
            low: distribution.inverse_cdf(tail),
            high: distribution.inverse_cdf(1.0 - tail),
        },
        // Both parameters are at least one half, so that a distribution always exists.
        Err(_) => Rate {
            mean,
            low: 0.0,
            high: 1.0,
        },
    }
}

/// Returns the probability that the rate lies below a bound.
pub(crate) fn probability_below(failures: u64, runs: u64, bound: f64) -> f64 {
    let (alpha, beta) = posterior(failures, runs);
    if alpha + beta > MANY {
        let mean = alpha / (alpha + beta);
        let normal = Normal::new(mean, deviation(alpha, beta));
        return normal.map_or(0.0, |distribution| distribution.cdf(bound));
    }
    Beta::new(alpha, beta).map_or(0.0, |distribution| distribution.cdf(bound))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 test runs")]
fn posterior(failures: u64, runs: u64) -> (f64, f64) {
    let failures = failures.min(runs);
    (failures as f64 + 0.5, (runs - failures) as f64 + 0.5)
}

/// Rounds to four decimals, which is finer than any history can tell, so that equal data print equal bytes everywhere.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_passes_without_a_failure_show_that_a_test_is_well() {
        // For 10, 5, 2 and 1 %, by R: qbeta(0.95, 0.5, n + 0.5).
        for (passes, rate) in [(18, 0.1), (38, 0.05), (95, 0.02), (191, 0.01)] {
            assert!(upper_bound(0, passes) < rate, "{passes}");
            assert!(upper_bound(0, passes - 1) >= rate, "{passes}");
        }
    }

    fn check(failures: u64, runs: u64, low: f64, high: f64) {
        let rate = failure_rate(failures, runs);
        assert!((rate.low - low).abs() < 0.0006, "{rate:?}");
        assert!((rate.high - high).abs() < 0.0006, "{rate:?}");
    }

    // Figures of the R package binom, method "bayes" with its default prior.
    #[test]
    fn the_interval_is_jeffreys() {
        check(1, 10, 0.011, 0.381);
        check(3, 100, 0.0085, 0.078);
        check(5, 50, 0.039, 0.205);
        check(0, 3, 0.0, 0.5356);
    }

    #[test]
    fn more_failures_than_runs_do_not_panic() {
        assert!(failure_rate(5, 3).high <= 1.0);
    }

    #[test]
    fn a_million_and_more_executions_give_the_same_decimals_and_end() {
        for rate in [0.0, 0.000_001, 0.01, 0.5, 0.999] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a small number"
            )]
            let of = |runs: u32| failure_rate((f64::from(runs) * rate) as u64, u64::from(runs));
            let (below, above) = (of(999_000), of(1_001_000));
            assert!(
                (below.low - above.low).abs() < 0.000_1,
                "{below:?} {above:?}"
            );
            assert!(
                (below.high - above.high).abs() < 0.000_1,
                "{below:?} {above:?}"
            );
        }
        let rate = failure_rate(u64::MAX / 3, u64::MAX);
        assert!(rate.low <= rate.mean && rate.mean <= rate.high);
        assert!(probability_below(1, 4_000_000_000, 0.01) > 0.99);
    }

    #[test]
    fn a_clean_history_becomes_surer_with_length() {
        assert!(probability_below(0, 200, 0.01) > 0.95);
        assert!(probability_below(0, 20, 0.01) < 0.6);
    }
}
