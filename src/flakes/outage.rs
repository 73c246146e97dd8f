//! Outages: runs in which so much failed at once that it says nothing about single tests.
//!
//! A run is an outage when, of the tests that it executed,
//!
//! - more than 30 % failed; or
//! - so many failed that independent tests with their own rates would do so with a chance below one in a million: the tail of the
//!   Poisson-binomial distribution (Hodges and Le Cam, "The Poisson Approximation to the Poisson Binomial Distribution", Annals of
//!   Mathematical Statistics 31:3, 1960); or
//! - more than 30 % of the failures have one signature.
//!
//! Each of these needs ten failures, or all where fewer tests ran. Flakes come in clusters: tests that share a fixture or a
//! parametrised body fail together, and together they are far less likely than independent tests, while a handful of them is no
//! outage but what is looked for. Ten is the least number of equal tests that is more than 30 % of a run of thirty.
//!
//! A test's rate is its failures and one execution at the rate of all tests together, over its executions and one: the sum over a run is
//! then what runs have on average, and a test that is seen for the first time is like the others. (Jeffreys' prior would expect a
//! hundred failures of 20,000 tests that passed a hundred times.) What an outage excludes is taken out, and all is looked
//! at again until nothing is added; because all runs are judged before anything is taken out, their order does not matter.
//!
//! What is excluded is no evidence of a flake. A regression that fails many tests looks the same in a single run, and is none
//! either; whoever looks for what is broken looks at all runs. A test that is known to be broken at some run is to be left out of
//! what it executed, and one that fails in half of its executions or more is left out here.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// A test that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) test: u32,
    /// What its message is like.
    pub(crate) signature: Option<u32>,
}

/// A run: which tests were executed, each once, and which of them failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'r> {
    pub(crate) executed: &'r [u32],
    pub(crate) failures: &'r [Failure],
}

/// From where on a run is an outage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// The share of the executed tests that failed, and of the failures that have one signature.
    pub(crate) share: f64,
    /// The chance of so many failures or more.
    pub(crate) tail: f64,
    /// How many tests must have failed in any case.
    pub(crate) least: usize,
    /// The share of a suite that failed, where the suite is what the outage is about.
    pub(crate) suite: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            share: 0.3,
            tail: 1e-6,
            least: 10,
            suite: 0.5,
        }
    }
}

/// Why a run is an outage; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Too large a share failed.
    Share,
    /// So many failures are improbable.
    Improbable,
    /// Failures share this signature.
    Signature(u32),
}

/// What of a run is no evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Affected {
    All,
    /// What these tests did, in order: all of them failed.
    Tests(Vec<u32>),
}

/// A run that is an outage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outage {
    /// Its place among the runs.
    pub(crate) run: usize,
    pub(crate) reason: Reason,
    pub(crate) affected: Affected,
    /// How many of its tests failed.
    pub(crate) failed: usize,
    /// How many failures were to be expected.
    pub(crate) expected: f64,
}

/// Rates are whole numbers of this, so that sums of them are the same in any order.
const UNIT: f64 = 1.0 / 17_592_186_044_416.0;

/// So many steps of an exact tail are worth it.
const EXACT: usize = 4_000_000;

/// A bound above this many times the limit is not made exact: it is never that far off where so few tests fail.
const NEAR: f64 = 1000.0;

/// From so many executions on, a test that fails in half of them is broken.
const KNOWN: u64 = 5;

/// After so many rounds nothing is added any more; two or three are usual.
const ROUNDS: usize = 32;

/// Finds the outages among runs; `suites` says for each test which suite it is in.
pub(crate) fn outages(runs: &[Run<'_>], suites: &[u32], limits: &Limits) -> Vec<Outage> {
    let mut rates = Rates::of(runs);
    let mut found: BTreeMap<usize, Outage> = BTreeMap::new();
    for _ in 0..ROUNDS {
        rates.refresh();
        let mut news = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            let known = found.get(&number).map(|outage| &outage.affected);
            if let Some(outage) = judge(number, run, known, &rates, suites, limits) {
                news.push(outage);
            }
        }
        if news.is_empty() {
            break;
        }
        for outage in news {
            let known = found.get(&outage.run).map(|outage| &outage.affected);
            rates.exclude(&runs[outage.run], known, &outage.affected);
            match found.get_mut(&outage.run) {
                Some(known) => known.affected = union(&known.affected, outage.affected),
                None => {
                    found.insert(outage.run, outage);
                }
            }
        }
    }
    found.into_values().collect()
}

fn union(known: &Affected, more: Affected) -> Affected {
    match (known, more) {
        (Affected::Tests(known), Affected::Tests(more)) => {
            let all: BTreeSet<u32> = known.iter().copied().chain(more).collect();
            Affected::Tests(all.into_iter().collect())
        }
        _ => Affected::All,
    }
}

/// How often tests fail outside of outages.
#[derive(Debug, Default)]
struct Rates {
    executions: Vec<u64>,
    failures: Vec<u64>,
    /// The rate of each test in units; nothing for one that is left out.
    units: Vec<Option<u64>>,
}

impl Rates {
    fn of(runs: &[Run<'_>]) -> Self {
        let tests = runs.iter().flat_map(|run| run.executed);
        let size = tests.max().map_or(0, |most| *most as usize + 1);
        let mut rates = Self {
            executions: vec![0; size],
            failures: vec![0; size],
            units: Vec::new(),
        };
        for run in runs {
            for test in run.executed {
                rates.executions[*test as usize] += 1;
            }
            for test in failed(run, None) {
                rates.failures[test as usize] += 1;
            }
        }
        rates
    }

    /// Works out the rates from the sums.
    fn refresh(&mut self) {
        let failures: u64 = self.failures.iter().sum();
        let executions: u64 = self.executions.iter().sum();
        let pooled = (float(failures) + 0.5) / (float(executions) + 1.0);
        let pairs = self.executions.iter().zip(&self.failures);
        let units = pairs.map(|(&executions, &failures)| {
            let is_broken = executions >= KNOWN && failures.saturating_mul(2) >= executions;
            let rate = (float(failures) + pooled) / (float(executions) + 1.0);
            (!is_broken).then(|| in_units(rate))
        });
        self.units = units.collect();
    }

    /// Takes out what of a run was not out before.
    fn exclude(&mut self, run: &Run<'_>, known: Option<&Affected>, affected: &Affected) {
        let failed = failed(run, known);
        let mut take = |test: u32| {
            let failures = u64::from(failed.contains(&test));
            let place = test as usize;
            self.executions[place] = self.executions[place].saturating_sub(1);
            self.failures[place] = self.failures[place].saturating_sub(failures);
        };
        match affected {
            Affected::All => {
                let known = tests_of(known);
                let rest = run.executed.iter().copied();
                rest.filter(|test| known.binary_search(test).is_err())
                    .for_each(&mut take);
            }
            Affected::Tests(tests) => tests.iter().copied().for_each(&mut take),
        }
    }

    fn at(&self, test: u32) -> Option<u64> {
        self.units.get(test as usize).copied().flatten()
    }
}

fn tests_of(affected: Option<&Affected>) -> &[u32] {
    match affected {
        Some(Affected::Tests(tests)) => tests,
        _ => &[],
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 test runs")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is between zero and one"
)]
fn in_units(rate: f64) -> u64 {
    // Upwards: a chance that is taken for greater makes fewer outages.
    (rate.clamp(0.0, 1.0) / UNIT).ceil() as u64
}

/// Returns the tests that failed, each once, without those that are excluded already.
fn failed(run: &Run<'_>, known: Option<&Affected>) -> BTreeSet<u32> {
    let failed: BTreeSet<u32> = run.failures.iter().map(|failure| failure.test).collect();
    if failed.is_empty() {
        return failed;
    }
    let known = tests_of(known);
    let executed = run.executed.iter().copied();
    executed
        .filter(|test| failed.contains(test) && known.binary_search(test).is_err())
        .collect()
}

/// What is left of a run: how many tests have which rate, and who failed.
#[derive(Debug)]
struct Rest {
    /// By their rates, so that sums are the same in any order.
    classes: BTreeMap<u64, usize>,
    executed: usize,
    failed: BTreeSet<u32>,
}

impl Rest {
    fn of(run: &Run<'_>, known: Option<&Affected>, rates: &Rates) -> Self {
        let failed = failed(run, known);
        let known = tests_of(known);
        let mut rest = Self {
            classes: BTreeMap::new(),
            executed: 0,
            failed: failed
                .into_iter()
                .filter(|test| rates.at(*test).is_some())
                .collect(),
        };
        for test in run.executed {
            if let Some(units) = rates.at(*test)
                && known.binary_search(test).is_err()
            {
                rest.executed += 1;
                *rest.classes.entry(units).or_default() += 1;
            }
        }
        rest
    }

    /// Takes tests out that failed.
    fn take(&mut self, tests: &BTreeSet<u32>, rates: &Rates) {
        for test in tests {
            if !self.failed.remove(test) {
                continue;
            }
            self.executed -= 1;
            let class = rates
                .at(*test)
                .and_then(|units| self.classes.get_mut(&units));
            if let Some(class) = class {
                *class -= 1;
            }
        }
    }

    fn classes(&self) -> Vec<(f64, usize)> {
        let classes = self.classes.iter().filter(|(_, count)| **count > 0);
        classes
            .map(|(units, count)| ((float(*units) * UNIT).min(1.0), *count))
            .collect()
    }

    fn expected(&self) -> f64 {
        let classes = self.classes();
        classes
            .iter()
            .map(|(rate, count)| rate * float(*count as u64))
            .sum()
    }

    fn has_least(&self, limits: &Limits) -> bool {
        // Of two tests nothing can be told.
        self.executed > 2 && self.failed.len() >= limits.least.min(self.executed)
    }

    fn is_share(&self, limits: &Limits) -> bool {
        self.has_least(limits) && is_more(self.failed.len(), limits.share, self.executed)
    }

    fn is_improbable(&self, limits: &Limits) -> bool {
        self.has_least(limits) && is_improbable(&self.classes(), self.failed.len(), limits.tail)
    }
}

fn is_more(part: usize, share: f64, whole: usize) -> bool {
    float(part as u64) > share * float(whole as u64)
}

/// Judges what is left of a run.
fn judge(
    number: usize,
    run: &Run<'_>,
    known: Option<&Affected>,
    rates: &Rates,
    suites: &[u32],
    limits: &Limits,
) -> Option<Outage> {
    // Most runs are done with here, without a look at what they executed.
    let could = run.failures.len() >= limits.least.min(run.executed.len());
    if !could || run.failures.is_empty() || known == Some(&Affected::All) {
        return None;
    }
    let mut rest = Rest::of(run, known, rates);
    let outage = |reason, affected, rest: &Rest| {
        Some(Outage {
            run: number,
            reason,
            affected,
            failed: rest.failed.len(),
            expected: rest.expected(),
        })
    };
    if rest.is_share(limits) {
        return outage(Reason::Share, Affected::All, &rest);
    }
    let signatures = signatures(run, &rest, limits);
    let is_improbable = rest.is_improbable(limits);
    let reason = match (is_improbable, signatures.first()) {
        (true, _) => Reason::Improbable,
        (false, Some((signature, _))) => Reason::Signature(*signature),
        (false, None) => return None,
    };
    let mut found = outage(reason, Affected::All, &rest)?;
    let mut affected: BTreeSet<u32> = BTreeSet::new();
    for (_, tests) in &signatures {
        rest.take(tests, rates);
        affected.extend(tests);
    }
    // What one suite explains is not looked for elsewhere.
    if is_improbable && rest.is_improbable(limits) {
        for tests in broken_suites(run, &rest, rates, suites, limits) {
            rest.take(&tests, rates);
            affected.extend(tests);
        }
        if affected.is_empty() || rest.is_improbable(limits) {
            return Some(found);
        }
    }
    found.affected = Affected::Tests(affected.into_iter().collect());
    Some(found)
}

/// Returns the signatures that so many failures have, the most frequent first, with their tests.
fn signatures(run: &Run<'_>, rest: &Rest, limits: &Limits) -> Vec<(u32, BTreeSet<u32>)> {
    let mut groups: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for failure in run.failures {
        if let Some(signature) = failure.signature
            && rest.failed.contains(&failure.test)
        {
            groups.entry(signature).or_default().insert(failure.test);
        }
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .filter(|(_, tests)| {
            tests.len() >= limits.least && is_more(tests.len(), limits.share, rest.failed.len())
        })
        .collect();
    groups.sort_by_key(|(signature, tests)| (std::cmp::Reverse(tests.len()), *signature));
    groups
}

/// Returns what failed of each suite of which too much did.
fn broken_suites(
    run: &Run<'_>,
    rest: &Rest,
    rates: &Rates,
    suites: &[u32],
    limits: &Limits,
) -> Vec<BTreeSet<u32>> {
    let suite = |test: u32| suites.get(test as usize).copied();
    let mut executed: BTreeMap<u32, usize> = BTreeMap::new();
    for test in run.executed {
        if let Some(suite) = suite(*test)
            && rates.at(*test).is_some()
        {
            *executed.entry(suite).or_default() += 1;
        }
    }
    let mut groups: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for test in &rest.failed {
        if let Some(suite) = suite(*test) {
            groups.entry(suite).or_default().insert(*test);
        }
    }
    groups.retain(|suite, tests| {
        let executed = executed.get(suite).copied().unwrap_or(0);
        tests.len() >= limits.least && is_more(tests.len(), limits.suite, executed)
    });
    groups.into_values().collect()
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
