//! How likely a test's history is: a hidden Markov model of two states (Rabiner, "A tutorial on hidden Markov models", Proceedings of
//! the IEEE 77:2, 1989), once for each rate at which the test could be flaky.
//!
//! On a commit a test is *well*, and fails as often as it is flaky, or *regressed*: somebody broke it, it fails nearly always, and nearly
//! always again when it is retried. Which of the two it is stays as it is from commit to commit until somebody breaks or mends it.
//! Long rows of passes are a step or two: powers of a matrix, so that a history takes time in proportion to its failures.

use crate::junit::Outcome;

/// Rates of failure that a flaky test may have. They lie closer than a history can tell apart.
const RATES: [f64; 15] = [
    0.0003, 0.0007, 0.0015, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.18, 0.3, 0.42, 0.55, 0.7, 0.85,
];

/// A test that is not flaky, and all rates at which it could be.
pub(crate) const KINDS: usize = RATES.len() + 1;

/// How often a well test that is not flaky fails all the same: by what nobody took for an outage.
const MISHAP: f64 = 0.000_002;

/// How often such a failure is there again on a retry.
const MISHAP_STAYS: f64 = 0.9;

/// How much of the way to certainty a flaky test's failure makes the next one: what made it fail is often still there.
const STICKS: f64 = 0.1;

/// Rows of passes are walked by the digits of their length, in this base.
const BASE: usize = 16;

/// As many digits; what is longer is walked in rows of the power above.
const DIGITS: usize = 3;

/// What happened on one commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Step {
    /// Commits before it on which the test passed once and nothing else happened.
    pub(crate) clean: u32,
    /// First attempts.
    pub(crate) failed: u32,
    pub(crate) passed: u32,
    /// Attempts after a failure.
    pub(crate) failed_again: u32,
    pub(crate) recovered: u32,
}

impl Step {
    /// Whether the test passed and failed on this commit.
    pub(crate) fn is_mixed(&self) -> bool {
        self.failed > 0 && self.passed + self.recovered > 0
    }

    /// Adds what so many executions did, attempt by attempt.
    pub(crate) fn count(&mut self, attempts: &[Outcome], executions: u32) {
        let mut is_retry = false;
        for outcome in attempts {
            let count = match (is_retry, outcome.is_failing()) {
                (false, true) => &mut self.failed,
                (false, false) => &mut self.passed,
                (true, true) => &mut self.failed_again,
                (true, false) => &mut self.recovered,
            };
            *count = count.saturating_add(executions);
            is_retry = outcome.is_failing();
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.failed = self.failed.saturating_add(other.failed);
        self.passed = self.passed.saturating_add(other.passed);
        self.failed_again = self.failed_again.saturating_add(other.failed_again);
        self.recovered = self.recovered.saturating_add(other.recovered);
    }

    /// Takes so many first attempts for retries, those that failed again first.
    pub(crate) fn after(&mut self, failures: u32) {
        let again = self.failed.min(failures);
        let recovered = self.passed.min(failures - again);
        self.failed -= again;
        self.failed_again = self.failed_again.saturating_add(again);
        self.passed -= recovered;
        self.recovered = self.recovered.saturating_add(recovered);
    }

    /// Returns how many executions failed in the end.
    pub(crate) fn failed_in_the_end(&self) -> u32 {
        let failed = self.failed.saturating_sub(self.recovered);
        // Of retries alone, each that failed is one.
        if self.failed == 0 {
            self.failed_again
        } else {
            failed
        }
    }
}

/// What happened to a test in one job and leg.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series {
    /// Commits of the main line on which something else happened than one pass, oldest first.
    pub(crate) steps: Vec<Step>,
    /// Clean commits after the last one.
    pub(crate) clean: u32,
    /// Passes on branches under work.
    pub(crate) aside: u32,
    /// Commits of branches under work on which it passed and failed.
    pub(crate) mixed_aside: Vec<Step>,
}

/// What a repository's tests are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Habits {
    /// How often a commit breaks a test.
    pub(crate) breaks: f64,
    /// How often a commit mends one that is broken.
    pub(crate) mends: f64,
    /// How often a broken test fails.
    pub(crate) fails: f64,
    /// How often a broken test that failed passes on a retry.
    pub(crate) recovers: f64,
    /// How many of the tests are of each kind.
    pub(crate) shares: [f64; KINDS],
}

/// No more of the tests are broken when a history begins: one commit alone does not show how long what is broken stays so.
const BEGINS_BROKEN: f64 = 0.01;

/// How often a commit of a branch under work has broken any one test: ten times as often as one of the main line.
const BROKEN_ASIDE: f64 = 0.01;

impl Default for Habits {
    fn default() -> Self {
        const FLAKY: f64 = 0.03;
        #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
        let mut shares = [FLAKY / RATES.len() as f64; KINDS];
        shares[0] = 1.0 - FLAKY;
        Self {
            breaks: 0.001,
            mends: 0.2,
            fails: 0.95,
            recovers: 0.012,
            shares,
        }
    }
}

type Matrix = [[f64; 2]; 2];

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    let cell = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]]
}

/// Logarithms of how likely each outcome is.
#[derive(Debug, Clone, Copy)]
struct Outcomes {
    fail: f64,
    pass: f64,
    again: f64,
    recover: f64,
}

impl Outcomes {
    fn of(fail: f64, again: f64) -> Self {
        Self {
            fail: fail.ln(),
            pass: (1.0 - fail).ln(),
            again: again.ln(),
            recover: (1.0 - again).ln(),
        }
    }

    fn of_step(&self, step: &Step) -> f64 {
        f64::from(step.failed) * self.fail
            + f64::from(step.passed) * self.pass
            + f64::from(step.failed_again) * self.again
            + f64::from(step.recovered) * self.recover
    }
}

/// One kind of test, with all that is calculated once for it.
#[derive(Debug)]
struct Kind {
    well: Outcomes,
    /// The step of so many clean commits as each digit says at its place, from one on.
    rows: [[Matrix; BASE - 1]; DIGITS],
    /// The step of as many as no digits can say.
    whole: Matrix,
}

impl Kind {
    fn new(well: Outcomes, clean: Matrix) -> Self {
        let mut unit = clean;
        let rows = [(); DIGITS].map(|()| {
            let mut row = [unit; BASE - 1];
            for digit in 1..row.len() {
                row[digit] = times(&row[digit - 1], &unit);
            }
            unit = times(&row[BASE - 2], &unit);
            row
        });
        Self {
            well,
            rows,
            whole: unit,
        }
    }
}

/// The model of a repository.
#[derive(Debug)]
pub(crate) struct Model {
    habits: Habits,
    kinds: Vec<Kind>,
    broken: Outcomes,
    /// How likely it is that a history begins with a broken test.
    begins_broken: f64,
}

/// Both states' shares, and the logarithm of what was taken out of them.
#[derive(Debug, Clone, Copy)]
struct State {
    well: f64,
    broken: f64,
    log: f64,
}

impl State {
    /// Takes out what would get too small for a number.
    #[expect(
        clippy::inline_always,
        reason = "all the time goes here, in a build for size as well"
    )]
    #[inline(always)]
    fn scaled(self) -> Self {
        if self.well + self.broken > 1e-100 {
            self
        } else {
            self.summed()
        }
    }

    /// Takes everything out, so that both are shares.
    fn summed(mut self) -> Self {
        let sum = self.well + self.broken;
        if sum > 0.0 && sum.is_finite() {
            self.well /= sum;
            self.broken /= sum;
            self.log += sum.ln();
        } else {
            self.log = f64::NEG_INFINITY;
        }
        self
    }

    #[expect(
        clippy::inline_always,
        reason = "all the time goes here, in a build for size as well"
    )]
    #[inline(always)]
    fn stepped(self, matrix: &Matrix) -> Self {
        Self {
            well: matrix[0][0] * self.well + matrix[0][1] * self.broken,
            broken: matrix[1][0] * self.well + matrix[1][1] * self.broken,
            log: self.log,
        }
        .scaled()
    }
}

/// What a history says under a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Belief {
    /// The logarithm of how likely the history is, for each kind.
    pub(crate) logs: [f64; KINDS],
    /// How likely the test is broken at the end, for each kind.
    pub(crate) broken: [f64; KINDS],
}

impl Belief {
    /// Returns how likely each kind is, and the logarithm of how likely the history is.
    pub(crate) fn kinds(&self, shares: &[f64; KINDS]) -> ([f64; KINDS], f64) {
        let most = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut kinds = [0.0; KINDS];
        if most == f64::NEG_INFINITY {
            kinds[0] = 1.0;
            return (kinds, -1e9);
        }
        for ((kind, log), share) in kinds.iter_mut().zip(&self.logs).zip(shares) {
            *kind = share * (log - most).exp();
        }
        let sum: f64 = kinds.iter().sum();
        for kind in &mut kinds {
            *kind /= sum;
        }
        (kinds, most + sum.ln())
    }
}

impl Model {
    pub(crate) fn new(habits: Habits) -> Self {
        let Habits {
            breaks,
            mends,
            fails,
            recovers,
            ..
        } = habits;
        let rates = RATES
            .into_iter()
            .map(|rate| Outcomes::of(rate, rate + STICKS * (1.0 - rate)));
        let kinds = std::iter::once(Outcomes::of(MISHAP, MISHAP_STAYS)).chain(rates);
        let kinds = kinds.map(|well| {
            let (pass, broken_pass) = (well.pass.exp(), 1.0 - fails);
            let clean = [
                [pass * (1.0 - breaks), pass * mends],
                [broken_pass * breaks, broken_pass * (1.0 - mends)],
            ];
            Kind::new(well, clean)
        });
        Self {
            habits,
            kinds: kinds.collect(),
            broken: Outcomes::of(fails, 1.0 - recovers),
            begins_broken: (breaks / (breaks + mends)).min(BEGINS_BROKEN),
        }
    }

    pub(crate) fn habits(&self) -> &Habits {
        &self.habits
    }

    fn begin(&self) -> State {
        State {
            well: 1.0 - self.begins_broken,
            broken: self.begins_broken,
            log: 0.0,
        }
    }

    fn clean(kind: &Kind, mut state: State, count: u32) -> State {
        let mut left = count as usize;
        for row in &kind.rows {
            if left == 0 {
                return state;
            }
            let digit = left % BASE;
            left /= BASE;
            if digit > 0 {
                state = state.stepped(&row[digit - 1]);
            }
        }
        for _ in 0..left {
            state = state.stepped(&kind.whole);
        }
        state
    }

    /// Weighs both states by what happened on a commit.
    fn weighed(&self, kind: &Kind, state: State, step: &Step) -> State {
        let [well, broken, most] = self.likelihoods(kind, step);
        State {
            well: state.well * well,
            broken: state.broken * broken,
            log: state.log + most,
        }
        .scaled()
    }

    /// Says how likely what happened on a commit is in both states, over the likelier one, and the logarithm of that one.
    fn likelihoods(&self, kind: &Kind, step: &Step) -> [f64; 3] {
        let (well, broken) = (kind.well.of_step(step), self.broken.of_step(step));
        if well >= broken {
            [1.0, (broken - well).exp(), well]
        } else {
            [(well - broken).exp(), 1.0, broken]
        }
    }

    fn moved(&self, state: State) -> State {
        let Habits { breaks, mends, .. } = self.habits;
        // All of what was there is still there: nothing gets too small.
        State {
            well: (1.0 - breaks) * state.well + mends * state.broken,
            broken: breaks * state.well + (1.0 - mends) * state.broken,
            log: state.log,
        }
    }

    fn aside(&self, kind: &Kind, series: &Series) -> f64 {
        let mixed = series.mixed_aside.iter().map(|step| {
            let [well, broken, most] = self.likelihoods(kind, step);
            most + ((1.0 - BROKEN_ASIDE) * well + BROKEN_ASIDE * broken).ln()
        });
        mixed.sum::<f64>() + f64::from(series.aside) * kind.well.pass
    }

    /// Says how likely a history is for each kind of test.
    pub(crate) fn belief(&self, series: &Series) -> Belief {
        // All kinds take a step before any takes the next: a processor does more of them at once.
        let mut states = [self.begin(); KINDS];
        for step in &series.steps {
            for (state, kind) in states.iter_mut().zip(&self.kinds) {
                let before = Self::clean(kind, *state, step.clean);
                *state = self.weighed(kind, self.moved(before), step);
            }
        }
        let mut belief = Belief {
            logs: [0.0; KINDS],
            broken: [0.0; KINDS],
        };
        for (at, (state, kind)) in states.into_iter().zip(&self.kinds).enumerate() {
            let state = Self::clean(kind, state, series.clean).summed();
            belief.logs[at] = state.log + self.aside(kind, series);
            belief.broken[at] = state.broken;
        }
        belief
    }

    /// Says for each step how likely the test was broken at it: forwards and backwards.
    pub(crate) fn broken_at(&self, series: &Series, kinds: &[f64; KINDS]) -> Vec<f64> {
        let mut all = vec![0.0; series.steps.len()];
        for (kind, share) in self.kinds.iter().zip(kinds) {
            if *share < 1e-6 {
                continue;
            }
            let mut state = self.begin();
            let mut forwards = Vec::with_capacity(series.steps.len());
            for step in &series.steps {
                state = Self::clean(kind, state, step.clean);
                state = self.weighed(kind, self.moved(state), step);
                forwards.push(state);
            }
            // What comes after, given each state: walked from the end by the same steps, transposed.
            let mut after = Self::clean_back(kind, [1.0, 1.0], series.clean);
            for (at, step) in series.steps.iter().enumerate().rev() {
                let (well, broken) = (forwards[at].well * after[0], forwards[at].broken * after[1]);
                if well + broken > 0.0 {
                    all[at] += share * broken / (well + broken);
                }
                let [fits, fits_broken, _] = self.likelihoods(kind, step);
                let seen = [after[0] * fits, after[1] * fits_broken];
                let Habits { breaks, mends, .. } = self.habits;
                let before = [
                    (1.0 - breaks) * seen[0] + breaks * seen[1],
                    mends * seen[0] + (1.0 - mends) * seen[1],
                ];
                after = Self::clean_back(kind, before, step.clean);
            }
        }
        all
    }

    fn clean_back(kind: &Kind, mut after: [f64; 2], count: u32) -> [f64; 2] {
        let back = |after: [f64; 2], matrix: &Matrix| {
            let before = [
                after[0] * matrix[0][0] + after[1] * matrix[1][0],
                after[0] * matrix[0][1] + after[1] * matrix[1][1],
            ];
            let sum = before[0] + before[1];
            if sum > 0.0 {
                [before[0] / sum, before[1] / sum]
            } else {
                [0.5, 0.5]
            }
        };
        let mut left = count as usize;
        for row in &kind.rows {
            let digit = left % BASE;
            left /= BASE;
            if digit > 0 {
                after = back(after, &row[digit - 1]);
            }
        }
        for _ in 0..left {
            after = back(after, &kind.whole);
        }
        after
    }
}

#[cfg(test)]
mod tests;
