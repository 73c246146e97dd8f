//! Outages: runs in which so much failed at once that it says nothing about single tests.
//!
//! A run of one job and leg is an outage when, of the tests that it executed and that are not broken anyway,
//!
//! - more than 30 % failed (and ten, or all where fewer ran); or
//! - at least one in twenty-five failed (and three), which independent tests with their own rates would do with a chance below one in
//!   a million: the tail of the Poisson-binomial distribution (Hodges and Le Cam, "The Poisson Approximation to the Poisson Binomial
//!   Distribution", Annals of Mathematical Statistics 31:3, 1960). Where failures were retried, what passed then is counted by
//!   itself: a commit that breaks many tests at once breaks them on every retry.
//!
//! Flakes come in clusters, which are far less likely than independent tests as well. So what fails together again is taken out
//! first: half of what failed failed together in another run, with runs between them in which it passed. And what all lies in one
//! suite of many, and fills it, is a fixture that failed: whoever owns the suite owns that flake. An outage that takes the same
//! tests down again and again is by the same token a flake of those tests, and one that is smaller than one in twenty-five is one.
//!
//! A test's rate is its failures outside of outages and one execution at the rate of all tests together, over its executions and one:
//! the sum over a run is then what runs have on average, and a test that is seen for the first time is like the others. What an outage
//! excludes is taken out, and all is looked at again until nothing is added; all runs are judged before anything is taken out.
//!
//! What is excluded is no evidence of a flake. A regression that fails many tests looks the same in a single run, and is none
//! either; whoever looks for what is broken looks at all runs.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// A run of one job and leg: how many tests it executed, and which of them failed, in order and each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) executed: u64,
    /// Tests of which a first attempt failed.
    pub(crate) failed: Vec<u32>,
    /// Those of them that passed on a retry.
    pub(crate) recovered: Vec<u32>,
}

/// Why a run is an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Too large a share failed.
    Share,
    /// So many failures are improbable.
    Improbable,
}

impl Reason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Improbable => "improbable",
        }
    }
}

/// A run that is an outage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outage {
    /// Its place among the runs.
    pub(crate) run: usize,
    pub(crate) reason: Reason,
    /// How many of its tests failed that are not broken anyway.
    pub(crate) failed: usize,
    /// How many failures were to be expected.
    pub(crate) expected: f64,
}

/// The share of the executed tests that failed, for any run.
const SHARE: f64 = 0.3;

/// How many tests must have failed at least where a share decides.
const LEAST: usize = 10;

/// The share that an outage fails at the least, and the number.
const LEAST_SHARE: f64 = 0.04;
const LEAST_OF_FEW: usize = 3;

/// The share of tests that do not fail together with others again and again anyway.
const LEAST_NEW: f64 = 0.02;

/// Of fewer tests nothing can be told but that all failed.
const FEW: u64 = 30;

/// The chance of so many failures or more, below which they are no accident.
const TAIL: f64 = 1e-6;

/// One suite may be what failed, where there are so many.
const MANY_SUITES: usize = 8;

/// How much of what failed lies in that suite, and how much of it failed.
const IN_SUITE: f64 = 0.8;
const OF_SUITE: f64 = 0.8;

/// Runs are held against so many others on each side.
const NEIGHBOURS: usize = 400;

/// So many steps of an exact tail are worth it.
const EXACT: usize = 4_000_000;

/// A bound above this many times the limit is not made exact: it is never that far off where so few tests fail.
const NEAR: f64 = 1000.0;

/// From so many executions on, a test that fails in half of them is broken.
const KNOWN: u64 = 5;

/// After so many rounds nothing is added any more; two or three are usual.
const ROUNDS: usize = 8;

/// Finds the outages among the runs of one job and leg, which come oldest first; `suites` says for each test which suite it is in.
pub(crate) fn outages(runs: &[Run], suites: &[u32]) -> Vec<Outage> {
    let large = |run: &Run| run.failed.len() >= least(LEAST_SHARE, run.executed).min(LEAST);
    let candidates: Vec<usize> = (0..runs.len()).filter(|at| large(&runs[*at])).collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let suites = Suites::of(suites);
    let mut rates = Rates::of(runs, suites.of_test.len());
    let mut found: BTreeMap<usize, Outage> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let left: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|run| !found.contains_key(run))
            .collect();
        let mut news: Vec<Outage> = left
            .iter()
            .filter_map(|&run| share(run, &runs[run], &rates))
            .collect();
        // What everything fails in would be what everything fails together in again.
        if news.is_empty() {
            let together = Together::of(runs, &left, &rates);
            news.extend(left.iter().enumerate().filter_map(|(at, &run)| {
                let own = together.again(at, runs, &rates);
                improbable(run, &runs[run], &own, &rates, &suites)
            }));
        }
        if news.is_empty() {
            break;
        }
        for outage in news {
            rates.exclude(&runs[outage.run]);
            found.insert(outage.run, outage);
        }
    }
    found.into_values().collect()
}

/// Returns how many failures an outage has at the least.
fn least(share: f64, executed: u64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of tests"
    )]
    let share = (share * float(executed)).ceil() as usize;
    share.max(LEAST_OF_FEW)
}

fn share(number: usize, run: &Run, rates: &Rates) -> Option<Outage> {
    let failed = run
        .failed
        .iter()
        .filter(|test| !rates.is_broken(**test))
        .count();
    let executed = run.executed.saturating_sub(rates.broken());
    let enough = usize::try_from(executed).map_or(LEAST, |executed| executed.min(LEAST));
    let is_outage = executed > 2 && failed >= enough && is_more(failed, SHARE, executed);
    is_outage.then(|| Outage {
        run: number,
        reason: Reason::Share,
        failed,
        expected: rates.expected(),
    })
}

fn improbable(
    number: usize,
    run: &Run,
    own: &BTreeSet<u32>,
    rates: &Rates,
    suites: &Suites,
) -> Option<Outage> {
    let sound = |tests: &[u32]| -> Vec<u32> {
        let sound = tests.iter().filter(|test| !rates.is_broken(**test));
        sound.copied().collect()
    };
    let new = |tests: &[u32]| -> Vec<u32> {
        let new = tests.iter().filter(|test| !own.contains(*test));
        new.copied().collect()
    };
    let (failed, recovered) = (sound(&run.failed), sound(&run.recovered));
    // Where failures were retried, what passed then tells more: what is broken is not among it.
    let telling = if recovered.len() >= LEAST_OF_FEW {
        &recovered
    } else {
        &failed
    };
    let is_fixture = [&failed, telling, &new(telling)]
        .into_iter()
        .any(|tests| suites.is_fixture(tests));
    if run.executed < FEW || failed.len() < least(LEAST_SHARE, run.executed) || is_fixture {
        return None;
    }
    let (failed, recovered) = (new(&failed), new(&recovered));
    if failed.len() < least(LEAST_NEW, run.executed) {
        return None;
    }
    let all = rates.failures.is_improbable(&failed, TAIL);
    let retried =
        recovered.len() >= LEAST_OF_FEW && rates.recoveries.is_improbable(&recovered, TAIL);
    (all || retried).then(|| Outage {
        run: number,
        reason: Reason::Improbable,
        failed: failed.len(),
        expected: rates.expected(),
    })
}

/// Which tests lie together.
#[derive(Debug)]
struct Suites<'s> {
    of_test: &'s [u32],
    sizes: BTreeMap<u32, usize>,
}

impl<'s> Suites<'s> {
    fn of(of_test: &'s [u32]) -> Self {
        let mut sizes = BTreeMap::new();
        for suite in of_test {
            *sizes.entry(*suite).or_default() += 1;
        }
        Self { of_test, sizes }
    }

    /// Whether what failed is one suite of many.
    fn is_fixture(&self, failed: &[u32]) -> bool {
        if self.sizes.len() < MANY_SUITES {
            return false;
        }
        let mut hit: BTreeMap<u32, usize> = BTreeMap::new();
        for suite in failed
            .iter()
            .filter_map(|test| self.of_test.get(*test as usize))
        {
            *hit.entry(*suite).or_default() += 1;
        }
        let most = hit.into_iter().max_by_key(|(_, count)| *count);
        most.is_some_and(|(suite, count)| {
            let size = self.sizes.get(&suite).copied().unwrap_or(0) as u64;
            is_more(count, IN_SUITE, failed.len() as u64) && is_more(count, OF_SUITE, size)
        })
    }
}

/// The tests that failed in the runs that may be outages, as sets of bits.
#[derive(Debug)]
struct Together {
    runs: Vec<usize>,
    /// Which bit a test has: only what failed in one of them has one. Others are beyond all sets.
    places: Vec<usize>,
    bits: Vec<Vec<u64>>,
    counts: Vec<usize>,
}

/// The bit of what has none.
const NOWHERE: usize = usize::MAX;

impl Together {
    fn of(runs: &[Run], chosen: &[usize], rates: &Rates) -> Self {
        let mut places = vec![NOWHERE; rates.is_broken.len()];
        let mut bits = Vec::with_capacity(chosen.len());
        let mut counts = Vec::with_capacity(chosen.len());
        let mut known = 0;
        for &run in chosen {
            let mut set = vec![0_u64; known / 64 + 1];
            let mut count = 0;
            for test in runs[run]
                .failed
                .iter()
                .filter(|test| !rates.is_broken(**test))
            {
                let Some(place) = places.get_mut(*test as usize) else {
                    continue;
                };
                if *place == NOWHERE {
                    *place = known;
                    known += 1;
                    set.resize(known / 64 + 1, 0);
                }
                set[*place / 64] |= 1 << (*place % 64);
                count += 1;
            }
            bits.push(set);
            counts.push(count);
        }
        Self {
            runs: chosen.to_vec(),
            places,
            bits,
            counts,
        }
    }

    /// Whether half of what failed in one of two runs failed in the other as well.
    fn is_alike(&self, one: usize, other: usize) -> bool {
        let pairs = self.bits[one].iter().zip(&self.bits[other]);
        let both: u32 = pairs.map(|(a, b)| (a & b).count_ones()).sum();
        let both = both as usize;
        both >= LEAST_OF_FEW && both * 2 >= self.counts[one].min(self.counts[other])
    }

    /// Returns what failed in a run and fails together with much of it again, with runs between them that are not like it.
    fn again(&self, at: usize, runs: &[Run], rates: &Rates) -> BTreeSet<u32> {
        let mut again = BTreeSet::new();
        let before: Vec<usize> = (0..at).rev().take(NEIGHBOURS).collect();
        let after: Vec<usize> = (at + 1..self.runs.len()).take(NEIGHBOURS).collect();
        for side in [before, after] {
            // The same outage, or the same regression, as long as it lasts.
            let mut is_same = true;
            let mut last = self.runs[at];
            for other in side {
                let is_alike = self.is_alike(at, other);
                is_same &= is_alike && self.runs[other].abs_diff(last) == 1;
                last = self.runs[other];
                if is_alike && !is_same {
                    let failed = runs[self.runs[at]].failed.iter();
                    let is_in = |test: &&u32| {
                        let place = self.places.get(**test as usize).copied();
                        let place = place.unwrap_or(NOWHERE);
                        let word = self.bits[other].get(place / 64);
                        word.is_some_and(|word| word >> (place % 64) & 1 == 1)
                    };
                    again.extend(failed.filter(is_in).filter(|test| !rates.is_broken(**test)));
                }
            }
        }
        again
    }
}

/// How often something happens to each test outside of outages.
#[derive(Debug, Default)]
struct Happenings {
    counts: Vec<u64>,
    /// How many tests it happened to so often.
    classes: BTreeMap<u64, usize>,
    executions: f64,
    pooled: f64,
}

impl Happenings {
    fn refresh(&mut self, executions: f64, is_left_out: &[bool]) {
        self.classes.clear();
        let mut all = 0;
        for (count, _) in self
            .counts
            .iter()
            .zip(is_left_out)
            .filter(|(_, out)| !**out)
        {
            *self.classes.entry(*count).or_default() += 1;
            all += count;
        }
        let tests = float(self.classes.values().sum::<usize>() as u64);
        self.executions = executions;
        self.pooled = (float(all) + 0.5) / (tests * executions + 1.0);
    }

    fn rate(&self, count: u64) -> f64 {
        ((float(count) + self.pooled) / (self.executions + 1.0)).min(1.0)
    }

    fn expected(&self) -> f64 {
        let classes = self.classes.iter();
        classes
            .map(|(count, tests)| self.rate(*count) * float(*tests as u64))
            .sum()
    }

    /// Whether it is improbable that it happens to so many tests at once, of which each has it once less than is counted.
    fn is_improbable(&self, tests: &[u32], limit: f64) -> bool {
        let mut classes = self.classes.clone();
        for test in tests {
            let count = self.counts.get(*test as usize).copied().unwrap_or(0);
            if let Some(class) = classes.get_mut(&count) {
                *class = class.saturating_sub(1);
            }
            *classes.entry(count.saturating_sub(1)).or_default() += 1;
        }
        let classes: Vec<(f64, usize)> = classes
            .into_iter()
            .filter(|(_, tests)| *tests > 0)
            .map(|(count, tests)| (self.rate(count), tests))
            .collect();
        is_improbable(&classes, tests.len(), limit)
    }
}

/// How often tests fail outside of outages.
#[derive(Debug, Default)]
struct Rates {
    /// How many runs there are. Tests that are not in all of them are rarer than that, which makes fewer outages.
    runs: u64,
    failures: Happenings,
    recoveries: Happenings,
    is_broken: Vec<bool>,
}

impl Rates {
    fn of(runs: &[Run], tests: usize) -> Self {
        let most = runs.iter().filter_map(|run| run.failed.last()).max();
        let size = most.map_or(0, |most| *most as usize + 1).max(tests);
        let mut rates = Self {
            runs: runs.len() as u64,
            ..Self::default()
        };
        rates.failures.counts = vec![0; size];
        rates.recoveries.counts = vec![0; size];
        for run in runs {
            for test in &run.failed {
                rates.failures.counts[*test as usize] += 1;
            }
            for test in &run.recovered {
                if let Some(count) = rates.recoveries.counts.get_mut(*test as usize) {
                    *count += 1;
                }
            }
        }
        rates.refresh();
        rates
    }

    fn refresh(&mut self) {
        let failures = self.failures.counts.iter();
        let is_broken = |count: &u64| self.runs >= KNOWN && count.saturating_mul(2) >= self.runs;
        self.is_broken = failures.map(is_broken).collect();
        let executions = float(self.runs);
        self.failures.refresh(executions, &self.is_broken);
        self.recoveries.refresh(executions, &self.is_broken);
    }

    fn exclude(&mut self, run: &Run) {
        self.runs = self.runs.saturating_sub(1);
        for (tests, happenings) in [
            (&run.failed, &mut self.failures),
            (&run.recovered, &mut self.recoveries),
        ] {
            for test in tests {
                if let Some(count) = happenings.counts.get_mut(*test as usize) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        self.refresh();
    }

    fn is_broken(&self, test: u32) -> bool {
        self.is_broken.get(test as usize).copied().unwrap_or(false)
    }

    fn broken(&self) -> u64 {
        self.is_broken.iter().filter(|broken| **broken).count() as u64
    }

    fn expected(&self) -> f64 {
        self.failures.expected()
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 test runs")]
fn float(count: u64) -> f64 {
    count as f64
}

fn is_more(part: usize, share: f64, whole: u64) -> bool {
    float(part as u64) > share * float(whole)
}

/// Whether so many or more failures of independent tests, given as rates and numbers of tests, are less likely than a limit.
///
/// Decided by Chernoff's bound, which is never below the chance, where it is below the limit. Where it is not but near, the chance
/// itself decides if it can be had in reasonable time, and otherwise the answer is no.
fn is_improbable(classes: &[(f64, usize)], failures: usize, limit: f64) -> bool {
    let bound = chernoff(classes, failures);
    if bound < limit.ln() {
        return true;
    }
    let tests: usize = classes.iter().map(|(_, count)| count).sum();
    let is_near = bound < (limit * NEAR).ln();
    is_near && tests.saturating_mul(failures) <= EXACT && tail(classes, failures) < limit
}

/// Returns the logarithm of Chernoff's bound of the chance of so many failures or more: the least over `t` of
/// `E[exp(t K)] / exp(t k)` (Chernoff, Annals of Mathematical Statistics 23:4, 1952). Any `t` is a bound, so that the search may be
/// rough.
fn chernoff(classes: &[(f64, usize)], failures: usize) -> f64 {
    let failures = float(failures as u64);
    let slope = |t: f64| -> f64 {
        let tilted = classes.iter().map(|(rate, count)| {
            let odds = rate * t.exp();
            float(*count as u64) * odds / (1.0 - rate + odds).max(f64::MIN_POSITIVE)
        });
        tilted.sum::<f64>() - failures
    };
    if slope(0.0) >= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 60.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let moment = classes
        .iter()
        .map(|(rate, count)| float(*count as u64) * (rate * low.exp_m1()).ln_1p());
    (moment.sum::<f64>() - low * failures).min(0.0)
}

/// Returns the chance of so many failures or more, test by test: the distribution of the sum is convolved with each test's.
///
/// Only sums of positive numbers, so that the smallest chance is as exact as any other.
fn tail(classes: &[(f64, usize)], failures: usize) -> f64 {
    if failures == 0 {
        return 1.0;
    }
    // The chance of each number of failures below; what gets there stays there.
    let mut below = vec![0.0; failures];
    below[0] = 1.0;
    let mut reached = 0.0;
    for (rate, count) in classes {
        for _ in 0..*count {
            reached += below[failures - 1] * rate;
            for number in (1..failures).rev() {
                below[number] = below[number] * (1.0 - rate) + below[number - 1] * rate;
            }
            below[0] *= 1.0 - rate;
        }
    }
    reached
}
