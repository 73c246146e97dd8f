//! Change points: where in a test's history the rate of its failures changed, and how surely.
//!
//! The model is the one that Chromium's LUCI Analysis publishes (luci-go, `analysis/internal/changepoints/bayesian` at
//! 22eba00): the runs between two change points fail independently at one unknown rate, and a failure that is retried fails
//! again at another one. Both rates have Beta priors, so that a stretch of runs has a likelihood in closed form, and a history is
//! split where two stretches are enough likelier than one, over and over. The code and the shortcuts are our own.
//!
//! Two facts make it fast without changing an answer. Write `L(x, n) = E[p^x (1-p)^(n-x)]` for the likelihood of one sequence of
//! `n` runs with `x` failures. Along any fixed direction `(dx, dn)` it is a moment generating function of `log p` and `log (1-p)`,
//! so that `log L` is convex there (Hölder's inequality).
//!
//! 1. *Only the ends of a stretch matter.* While positions with proportional counts follow one another, moving the split walks
//!    both sides along one direction, and the sum of the two convex functions is largest at an end of the stretch. The ends of
//!    the whole history are no split at all, with nothing gained. So a history of one stretch has no change point.
//! 2. *The best split that there could be is known beforehand.* For fixed lengths the gain is convex in how many of the `x` failures lie
//!    on the left, so that one side is all passes or all failures; then it is convex in that side's length, whose ends are no split
//!    and the split into all passes and all failures. No order of the runs gains more than
//!    `log L(0, n-x) + log L(x, x) - log L(x, n)`, which is zero for histories that only pass or only fail.

#[cfg(test)]
mod tests;

use statrs::function::gamma::ln_gamma;

/// A Beta distribution of a rate; both parameters above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Prior {
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
}

/// What is assumed before anything was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Assumptions {
    /// How a test's failure rate is distributed.
    pub(crate) failure: Prior,
    /// How the rate is distributed at which a failure that is retried fails again.
    pub(crate) after_retry: Prior,
    /// How likely a change is at any one position.
    pub(crate) likelihood: f64,
    /// How much probability the interval of a change's position holds.
    pub(crate) interval: f64,
    /// Whether the positions between those that were seen exist: a change is then likelier in a wide gap than in a narrow one.
    pub(crate) is_consecutive: bool,
}

impl Default for Assumptions {
    /// What LUCI assumes in production.
    fn default() -> Self {
        Self {
            failure: Prior {
                alpha: 0.3,
                beta: 0.5,
            },
            after_retry: Prior {
                alpha: 0.5,
                beta: 0.5,
            },
            likelihood: 0.000_1,
            interval: 0.99,
            is_consecutive: false,
        }
    }
}

/// What happened at a position; each number is at most the one before it, and is taken so where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Where: positions are ordered, and several entries of one are added up.
    pub(crate) position: u64,
    /// Runs, each with its retries.
    pub(crate) runs: u32,
    /// Runs in which something failed.
    pub(crate) failed: u32,
    /// Runs in which something failed and that had a second result.
    pub(crate) retried: u32,
    /// Runs of two or more results in which everything failed.
    pub(crate) failed_after_retry: u32,
}

/// Sums of what happened. Sums of 32-bit numbers do not overflow 64 bits in any history that fits into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) failed: u64,
    pub(crate) retried: u64,
    pub(crate) failed_after_retry: u64,
}

impl Counts {
    fn of(seen: &Seen) -> Self {
        let failed = seen.failed.min(seen.runs);
        let retried = seen.retried.min(failed);
        Self {
            runs: seen.runs.into(),
            failed: failed.into(),
            retried: retried.into(),
            failed_after_retry: seen.failed_after_retry.min(retried).into(),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            runs: self.runs.saturating_add(other.runs),
            failed: self.failed.saturating_add(other.failed),
            retried: self.retried.saturating_add(other.retried),
            failed_after_retry: self
                .failed_after_retry
                .saturating_add(other.failed_after_retry),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            runs: self.runs.saturating_sub(other.runs),
            failed: self.failed.saturating_sub(other.failed),
            retried: self.retried.saturating_sub(other.retried),
            failed_after_retry: self
                .failed_after_retry
                .saturating_sub(other.failed_after_retry),
        }
    }

    /// Whether both are the same up to a factor; both have runs.
    fn is_proportional_to(self, other: Self) -> bool {
        let cross = |part: u64, whole: u64| u128::from(part) * u128::from(whole);
        cross(self.failed, other.runs) == cross(other.failed, self.runs)
            && cross(self.retried, other.runs) == cross(other.retried, self.runs)
            && cross(self.failed_after_retry, other.runs)
                == cross(other.failed_after_retry, self.runs)
    }
}

/// Where a history changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// The likeliest first position of what came after.
    pub(crate) position: u64,
    /// The last position before the interval: the change came after it.
    pub(crate) after: u64,
    /// The last position of the interval: the change came no later.
    pub(crate) until: u64,
    /// The natural logarithm of how many times likelier the two segments are than one of both, the prior included.
    ///
    /// A segment is split before its parts are, so that what counted then is not what is said here, which may even be below zero.
    pub(crate) evidence: f64,
}

/// Positions between two changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// The change that it begins with; the first one begins with none.
    pub(crate) change: Option<Change>,
    /// Its first and last position with a run.
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) counts: Counts,
}

/// Values of log-gamma that are looked up; beyond them they are calculated.
const TABLE: u32 = 4096;

/// The logarithm of the gamma function at whole steps from an offset.
#[derive(Debug)]
struct LogGamma {
    offset: f64,
    table: Vec<f64>,
}

impl LogGamma {
    fn new(offset: f64, size: u32) -> Self {
        let table = (0..size).map(|step| ln_gamma(f64::from(step) + offset));
        Self {
            offset,
            table: table.collect(),
        }
    }

    fn at(&self, step: u64) -> f64 {
        let known = usize::try_from(step)
            .ok()
            .and_then(|step| self.table.get(step));
        known.map_or_else(|| ln_gamma(float(step) + self.offset), |value| *value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 test runs")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Likelihoods of sequences of outcomes with one unknown rate.
#[derive(Debug)]
struct Sequences {
    hits: LogGamma,
    misses: LogGamma,
    all: LogGamma,
    /// The logarithm of one over the Beta function of the prior's parameters.
    scale: f64,
}

impl Sequences {
    fn new(prior: Prior, size: u32) -> Self {
        // A prior of nothing would be infinite.
        let (alpha, beta) = (prior.alpha.max(1e-6), prior.beta.max(1e-6));
        Self {
            hits: LogGamma::new(alpha, size),
            misses: LogGamma::new(beta, size),
            all: LogGamma::new(alpha + beta, size),
            scale: ln_gamma(alpha + beta) - ln_gamma(alpha) - ln_gamma(beta),
        }
    }

    /// Returns the logarithm of the likelihood of one sequence with so many hits.
    fn log_likelihood(&self, hits: u64, all: u64) -> f64 {
        if all == 0 {
            return 0.0;
        }
        let misses = all.saturating_sub(hits);
        self.scale + self.hits.at(hits) + self.misses.at(misses) - self.all.at(all)
    }

    /// Returns the most that any split gains over none, however the sequence is ordered (the second fact above).
    fn most(&self, hits: u64, all: u64) -> f64 {
        if hits == 0 || hits >= all {
            return 0.0;
        }
        self.log_likelihood(0, all - hits) + self.log_likelihood(hits, hits)
            - self.log_likelihood(hits, all)
    }
}

/// Positions with proportional counts.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The first of its positions.
    first: usize,
    /// The sum of all before it.
    before: Counts,
}

/// The analysis of histories, with everything that is calculated once for all of them.
#[derive(Debug)]
pub(crate) struct ChangePoints {
    assumptions: Assumptions,
    failure: Sequences,
    after_retry: Sequences,
    /// The logarithm of how likely a change is at a position.
    prior: f64,
}

impl ChangePoints {
    pub(crate) fn new(assumptions: Assumptions) -> Self {
        Self {
            assumptions,
            failure: Sequences::new(assumptions.failure, TABLE),
            after_retry: Sequences::new(assumptions.after_retry, TABLE),
            prior: assumptions.likelihood.clamp(0.0, 1.0).ln(),
        }
    }

    /// Whether runs with these sums could have a change point in any order.
    ///
    /// Where they could not, a caller need not lay a history out.
    fn could_change(&self, all: Counts) -> bool {
        let most = self.failure.most(all.failed, all.runs)
            + self.after_retry.most(all.failed_after_retry, all.retried);
        most + self.prior > rounding(all)
    }

    /// Splits a history into segments; positions may come in any order. No runs, no segments.
    pub(crate) fn segments(&self, history: &[Seen]) -> Vec<Segment> {
        let Some((first, last, all)) = sum(history) else {
            return Vec::new();
        };
        let whole = Segment {
            change: None,
            first,
            last,
            counts: all,
        };
        if first == last || !self.could_change(all) {
            return vec![whole];
        }
        let positions = positions(history);
        let stretches = stretches(&positions);
        let splits = self.splits(&stretches, all);
        if splits.is_empty() {
            return vec![whole];
        }
        self.between(&positions, &stretches, &splits, all)
    }

    /// Returns the stretches that begin with a change, in order.
    fn splits(&self, stretches: &[Stretch], all: Counts) -> Vec<usize> {
        let before = |at: usize| stretches.get(at).map_or(all, |stretch| stretch.before);
        let mut splits = Vec::new();
        // A list instead of a recursion, which a hostile history could make as deep as it is long.
        let mut open = vec![(0, stretches.len())];
        while let Some((from, to)) = open.pop() {
            let (start, end) = (before(from), before(to));
            let total = end.minus(start);
            if to - from < 2 || !self.could_change(total) {
                continue;
            }
            let margin = rounding(total);
            let mut best: Option<(usize, f64)> = None;
            for at in from + 1..to {
                let middle = before(at);
                let split = self.log_likelihood(middle.minus(start))
                    + self.log_likelihood(end.minus(middle));
                // Of positions that are equally likely the first one, whatever the last digit is on this machine.
                if best.is_none_or(|(_, likelihood)| split > likelihood + margin) {
                    best = Some((at, split));
                }
            }
            let Some((at, likelihood)) = best else {
                continue;
            };
            if likelihood - self.log_likelihood(total) + self.prior > margin {
                splits.push(at);
                open.push((from, at));
                open.push((at, to));
            }
        }
        splits.sort_unstable();
        splits
    }

    fn between(
        &self,
        positions: &[(u64, Counts)],
        stretches: &[Stretch],
        splits: &[usize],
        all: Counts,
    ) -> Vec<Segment> {
        let at = |number: usize| {
            let stretch = splits.get(number).and_then(|at| stretches.get(*at));
            stretch.map_or((positions.len(), all), |stretch| {
                (stretch.first, stretch.before)
            })
        };
        let mut segments = Vec::with_capacity(splits.len() + 1);
        let (mut start, mut before) = (0, Counts::default());
        for number in 0..=splits.len() {
            let (end, sum) = at(number);
            let change = number.checked_sub(1).map(|split| {
                let earlier = split.checked_sub(1).map_or(0, |earlier| at(earlier).0);
                self.change(&positions[earlier..end], start - earlier)
            });
            segments.push(Segment {
                change,
                first: positions[start].0,
                last: positions[end - 1].0,
                counts: sum.minus(before),
            });
            (start, before) = (end, sum);
        }
        segments
    }

    /// Says where the one change in a part of a history may have been.
    fn change(&self, part: &[(u64, Counts)], at: usize) -> Change {
        let tail = ((1.0 - self.assumptions.interval) / 2.0).clamp(0.0, 0.5);
        let quantiles = self.quantiles(part, &[tail, 1.0 - tail]);
        let (position, previous) = (part[at].0, part[at - 1].0);
        let (left, right) = (add_up(&part[..at]), add_up(&part[at..]));
        // The likeliest position is in the interval even where many others together are likelier.
        Change {
            position,
            after: quantiles[0].min(previous),
            until: quantiles[1].max(position),
            evidence: self.log_likelihood(left) + self.log_likelihood(right)
                - self.log_likelihood(left.plus(right))
                + self.prior,
        }
    }

    /// Returns, for ascending probabilities, by which position the one change in a history has come with that probability.
    ///
    /// Below one half it is the last position before the one where the sum of probabilities gets there, so that an interval errs
    /// by being wide.
    fn quantiles(&self, positions: &[(u64, Counts)], probabilities: &[f64]) -> Vec<u64> {
        let all = add_up(positions);
        let mut left = Counts::default();
        let mut logs = Vec::with_capacity(positions.len());
        for pair in positions.windows(2) {
            let ((start, counts), (end, _)) = (pair[0], pair[1]);
            left = left.plus(counts);
            let split = self.log_likelihood(left) + self.log_likelihood(all.minus(left));
            logs.push(if self.assumptions.is_consecutive {
                split + float(end - start).ln()
            } else {
                split
            });
        }
        let total = log_sum(&logs);
        let mut probabilities = probabilities.iter().peekable();
        let mut quantiles = Vec::new();
        let mut sum = 0.0;
        for (pair, log) in positions.windows(2).zip(&logs) {
            sum += (log - total).exp();
            while let Some(probability) = probabilities.next_if(|next| sum >= **next) {
                quantiles.push(if *probability < 0.5 {
                    pair[0].0
                } else {
                    pair[1].0
                });
            }
        }
        // What rounding left out.
        let last = positions.last().map_or(0, |(position, _)| *position);
        quantiles.extend(probabilities.map(|_| last));
        quantiles
    }

    fn log_likelihood(&self, counts: Counts) -> f64 {
        self.failure.log_likelihood(counts.failed, counts.runs)
            + self
                .after_retry
                .log_likelihood(counts.failed_after_retry, counts.retried)
    }
}

/// Returns how far a difference of likelihoods of these runs may be off by rounding alone: a dozen terms, none greater than the
/// logarithm of the factorial of the number of runs, each off by a few units in the last place.
fn rounding(counts: Counts) -> f64 {
    let runs = float(counts.runs) + 2.0;
    64.0 * f64::EPSILON * (runs * runs.ln() + 1.0)
}

/// Returns the logarithm of a sum of which the logarithms of the terms are given.
fn log_sum(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    most + sum.ln()
}

fn add_up(positions: &[(u64, Counts)]) -> Counts {
    let counts = positions.iter().map(|(_, counts)| *counts);
    counts.fold(Counts::default(), Counts::plus)
}

/// Returns the first and the last position with a run, and the sum of all.
fn sum(history: &[Seen]) -> Option<(u64, u64, Counts)> {
    let mut found: Option<(u64, u64, Counts)> = None;
    for seen in history.iter().filter(|seen| seen.runs > 0) {
        let counts = Counts::of(seen);
        found = Some(match found {
            None => (seen.position, seen.position, counts),
            Some((first, last, all)) => (
                first.min(seen.position),
                last.max(seen.position),
                all.plus(counts),
            ),
        });
    }
    found
}

/// Returns each position with a run once, in order.
fn positions(history: &[Seen]) -> Vec<(u64, Counts)> {
    let ran = history.iter().filter(|seen| seen.runs > 0);
    let mut all: Vec<(u64, Counts)> = ran.map(|seen| (seen.position, Counts::of(seen))).collect();
    all.sort_by_key(|(position, _)| *position);
    all.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 = kept.1.plus(next.1);
        }
        is_same
    });
    all
}

/// Returns where positions with proportional counts begin (the first fact above).
fn stretches(positions: &[(u64, Counts)]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut before = Counts::default();
    let mut previous: Option<Counts> = None;
    for (first, (_, counts)) in positions.iter().enumerate() {
        if !previous.is_some_and(|previous| previous.is_proportional_to(*counts)) {
            stretches.push(Stretch { first, before });
        }
        before = before.plus(*counts);
        previous = Some(*counts);
    }
    stretches
}
