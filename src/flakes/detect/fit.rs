//! What a repository's tests are like, by their histories: empirical Bayes (Robbins, "An Empirical Bayes Approach to Statistics",
//! Third Berkeley Symposium, 1956).
//!
//! How many tests are flaky at which rate, how often commits break tests and how soon they are mended differs from repository to
//! repository. The habits are those under which all histories together are likeliest, held by what is usual where there is little to
//! see: each one is searched on a grid in turn, the shares of the kinds by expectation maximisation (Dempster, Laird and Rubin, Journal
//! of the Royal Statistical Society B 39:1, 1977). Histories come as a sorted map, so that their order does not matter.

use std::collections::BTreeMap;

use super::model::{Belief, Habits, KINDS, Model, Series};

/// How many tests what is usual counts for.
const USUAL: f64 = 200.0;

/// So many different histories are enough to see what a repository is like.
const ENOUGH: usize = 1200;

/// How often each habit is searched, and how often the shares are worked out each time.
const ROUNDS: usize = 2;
const STEPS: usize = 4;

const BREAKS: [f64; 8] = [
    0.000_03, 0.000_1, 0.000_3, 0.001, 0.002, 0.004, 0.008, 0.016,
];
const MENDS: [f64; 8] = [0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5];
const FAILS: [f64; 6] = [0.8, 0.85, 0.9, 0.95, 0.98, 0.995];
const RECOVERS: [f64; 6] = [0.002, 0.005, 0.012, 0.03, 0.06, 0.1];

/// What is searched: how a habit is set, on which grid, and how far (in natural logarithms) it usually strays.
type Search = (
    fn(&mut Habits, f64),
    fn(&Habits) -> f64,
    &'static [f64],
    f64,
);

const SEARCHES: [Search; 4] = [
    (
        |habits, value| habits.breaks = value,
        |habits| habits.breaks,
        &BREAKS,
        1.5,
    ),
    (
        |habits, value| habits.mends = value,
        |habits| habits.mends,
        &MENDS,
        0.8,
    ),
    (
        |habits, value| habits.fails = value,
        |habits| 1.0 - habits.fails,
        &FAILS,
        0.8,
    ),
    (
        |habits, value| habits.recovers = value,
        |habits| habits.recovers,
        &RECOVERS,
        1.2,
    ),
];

/// Habits with how likely they are.
pub(crate) type Weighed = Vec<(Habits, f64)>;

/// Less likely habits are left out.
const UNLIKELY: f64 = 0.01;

/// Finds the habits of a repository; each history with the number of tests that have it.
///
/// How often broken tests recover decides whether a pass on a retry shows a flake, and a small repository does not show it: so all
/// values that are likely come back, the likeliest first.
pub(crate) fn fit(histories: &BTreeMap<Series, u64>) -> Weighed {
    let usual = Habits::default();
    let chosen = choose(histories);
    let mut best = usual;
    if chosen.is_empty() {
        return vec![(best, 1.0)];
    }
    let mut score = f64::NEG_INFINITY;
    for _ in 0..ROUNDS {
        for (set, .., grid, _) in SEARCHES {
            let start = best;
            for value in grid {
                let mut habits = start;
                set(&mut habits, *value);
                let (found, fits) = shares(habits, &usual, &chosen);
                let fits = fits + far(&habits, &usual);
                if fits > score {
                    (score, best) = (fits, found);
                }
            }
        }
    }
    let near = RECOVERS.map(|recovers| {
        let mut habits = best;
        habits.recovers = recovers;
        let (found, fits) = shares(habits, &usual, &chosen);
        (found, fits + far(&found, &usual))
    });
    let most = near
        .iter()
        .map(|(_, fits)| *fits)
        .fold(f64::NEG_INFINITY, f64::max);
    let mut near: Weighed = near
        .into_iter()
        .map(|(habits, fits)| (habits, (fits - most).exp()))
        .filter(|(_, weight)| *weight >= UNLIKELY)
        .collect();
    let all: f64 = near.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut near {
        *weight /= all;
    }
    near.sort_by(|a, b| b.1.total_cmp(&a.1));
    near
}

/// Returns the logarithm of how usual habits are, but for a constant.
fn far(habits: &Habits, usual: &Habits) -> f64 {
    let terms = SEARCHES.iter().map(|(_, get, _, strays)| {
        let far = (get(habits) / get(usual)).ln() / strays;
        -0.5 * far * far
    });
    terms.sum()
}

/// Takes every so manieth history with something in it; clean ones are few and count for many.
fn choose(histories: &BTreeMap<Series, u64>) -> Vec<(&Series, f64)> {
    let eventful = histories
        .iter()
        .filter(|(series, _)| !series.steps.is_empty());
    let stride = eventful.count().div_ceil(ENOUGH).max(1);
    let mut number = 0_usize;
    let mut chosen = Vec::new();
    let mut taken = 0.0;
    let mut all = 0.0;
    for (series, count) in histories {
        let weight = float(*count);
        if series.steps.is_empty() {
            chosen.push((series, weight));
            continue;
        }
        all += weight;
        if number.is_multiple_of(stride) {
            taken += weight;
            chosen.push((series, weight));
        }
        number += 1;
    }
    let scale = if taken > 0.0 { all / taken } else { 1.0 };
    for (series, weight) in &mut chosen {
        if !series.steps.is_empty() {
            *weight *= scale;
        }
    }
    chosen
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 tests")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Works out the shares of the kinds; returns the habits with them, and the logarithm of how likely all histories are.
fn shares(mut habits: Habits, usual: &Habits, chosen: &[(&Series, f64)]) -> (Habits, f64) {
    let model = Model::new(habits);
    let beliefs: Vec<(Belief, f64)> = chosen
        .iter()
        .map(|(series, weight)| (model.belief(series), *weight))
        .collect();
    let mut fits = 0.0;
    for step in 0..STEPS {
        let mut sums = usual.shares.map(|share| share * USUAL);
        fits = 0.0;
        for (belief, weight) in &beliefs {
            let (kinds, log) = belief.kinds(&habits.shares);
            fits += log * weight;
            for (sum, kind) in sums.iter_mut().zip(kinds) {
                *sum += kind * weight;
            }
        }
        for (usual, share) in usual.shares.iter().zip(&habits.shares) {
            fits += USUAL * usual * share.ln();
        }
        if step + 1 < STEPS {
            let all: f64 = sums.iter().sum();
            habits.shares = [0.0; KINDS];
            for (share, sum) in habits.shares.iter_mut().zip(sums) {
                *share = sum / all;
            }
        }
    }
    (habits, fits)
}

#[cfg(test)]
mod tests;
