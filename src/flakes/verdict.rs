//! What a test's history says: flaky, broken, fixed, healthy, or not known yet.
//!
//! First form: a pass after a failure on the same commit shows a flake; a row of failures to the end shows a broken
//! test; a clean row that is too long for the old failure rate shows a fixed one; everything else waits for more runs.
//! Failures on different commits alone show nothing, because a real regression looks just like that.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::history::Tally;
use crate::stats::{failure_rate, probability_below};

/// What a test is, in the order in which people want to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// It passes and fails on the same code.
    Flaky,
    /// It fails, and has not passed since it began to.
    Broken,
    /// It failed before, and the passes since then are too many to be luck.
    Fixed,
    /// The history is too short or too mixed to tell.
    Unknown,
    /// It never failed.
    Healthy,
}

/// Returns what a verdict means, in full.
pub(crate) fn explain(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Flaky => {
            "The test passed and failed on the same code: it failed and passed on a retry, or one commit has a run that \
             passed and a run that failed in the same job and leg; or it failed in three or more separate episodes on the branch \
             with most runs."
        }
        Verdict::Broken => {
            "In one job and leg the test never passed, or it failed in each of its last five runs, or it passed before and has \
             failed ever since on two commits or more. Where it fails is in the evidence."
        }
        Verdict::Fixed => {
            "The test failed before, and has since passed so often on other commits that luck explains it with a chance of \
             less than 5 %, at the failure rate that it had."
        }
        Verdict::Healthy => {
            "The test never failed. The confidence is the posterior probability that it fails in less than 5 % of its \
             executions, so that it grows with the number of runs."
        }
        Verdict::Unknown => {
            "The history is too short or too mixed to tell: a failure on one commit alone, or on a branch under work, may have \
             been a real one."
        }
    }
}

impl Verdict {
    pub(crate) const ALL: [Self; 5] = [
        Self::Flaky,
        Self::Broken,
        Self::Fixed,
        Self::Healthy,
        Self::Unknown,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flaky => "flaky",
            Self::Broken => "broken",
            Self::Fixed => "fixed",
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
        }
    }
}

/// One attempt of one run, for a test that failed at least once in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observation {
    /// The stored run, by number; the first of several reports of one attempt.
    pub(crate) run: u32,
    /// Attempts of one run, job, leg and commit share this number.
    pub(crate) place: u32,
    /// Which attempt of the run.
    pub(crate) attempt: u32,
    pub(crate) has_commit: bool,
    /// Runs of one commit share this number; without a commit, each run has its own.
    pub(crate) commit: u32,
    /// Runs of one job and leg share this number: what fails on one platform only is not flaky.
    pub(crate) environment: u32,
    pub(crate) branch: u32,
    pub(crate) executions: u64,
    pub(crate) failures: u64,
    /// Whether its last word was a failure.
    pub(crate) failed: bool,
    /// How many of its twins failed and then passed.
    pub(crate) retried: u64,
}

impl Observation {
    /// Takes in another report of the same attempt: like twins, they fail together and excuse nothing of one another.
    pub(crate) fn join(&mut self, other: &Self) {
        self.executions += other.executions;
        self.failures += other.failures;
        self.failed |= other.failed;
        self.retried += other.retried;
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Between zero and one: how sure the verdict is under the model that its evidence names.
    pub(crate) confidence: f64,
    pub(crate) evidence: Vec<String>,
}

/// A row of failing runs this long, over at least two commits, is broken and no longer flaky.
const BROKEN_ROW: usize = 5;

/// The chance of luck that a verdict may leave.
const LUCK: f64 = 0.05;

/// A test that never failed counts as healthy against this failure rate.
const HEALTHY_BELOW: f64 = 0.05;

/// A failing test is broken against this failure rate.
const BROKEN_ABOVE: f64 = 0.8;

/// Separate episodes of failure that make a flake even where no commit ran twice.
const EPISODES: usize = 3;

/// Counts how often the test failed and then passed in the same run, job and leg, and on the same commit.
pub(crate) fn retry_passes(observations: &[Observation]) -> u64 {
    let mut passes: u64 = observations.iter().map(|seen| seen.retried).sum();
    let mut attempts: Vec<&Observation> = observations.iter().collect();
    attempts.sort_by_key(|seen| (seen.place, seen.attempt));
    for pair in attempts.windows(2) {
        if pair[0].place == pair[1].place && pair[0].failed && !pair[1].failed {
            passes += 1;
        }
    }
    passes
}

/// Judges a test; `name` says what an environment's number stands for.
pub(crate) fn judge(
    tally: Tally,
    observations: &[Observation],
    name: &dyn Fn(u32) -> String,
) -> Judgement {
    if tally.runs == 0 {
        return Judgement {
            verdict: Verdict::Unknown,
            confidence: 0.0,
            evidence: vec!["it was skipped in every run".into()],
        };
    }
    if tally.failures == 0 {
        let evidence = match tally.runs {
            1 => "passed its only execution".to_owned(),
            runs => format!("passed all {runs} executions"),
        };
        return Judgement {
            verdict: Verdict::Healthy,
            confidence: probability_below(0, tally.runs, HEALTHY_BELOW),
            evidence: vec![evidence],
        };
    }
    let mut environments: BTreeMap<u32, Vec<Observation>> = BTreeMap::new();
    for seen in observations {
        environments
            .entry(seen.environment)
            .or_default()
            .push(*seen);
    }
    let several = environments.len() > 1;
    let failing = environments
        .into_iter()
        .filter(|(_, seen)| seen.iter().any(|seen| seen.failures > 0));
    let mut worst: Option<Judgement> = None;
    for (environment, seen) in failing {
        let mut own = judge_environment(&seen);
        if several {
            let place = name(environment);
            for sentence in &mut own.evidence {
                *sentence = format!("in {place}: {sentence}");
            }
        }
        let is_worse = |before: &Judgement| urgency(own.verdict) < urgency(before.verdict);
        if worst.as_ref().is_none_or(is_worse) {
            worst = Some(own);
        }
    }
    let mut evidence = vec![rate_sentence(tally)];
    match worst {
        Some(mut own) => {
            evidence.append(&mut own.evidence);
            Judgement { evidence, ..own }
        }
        None => Judgement {
            verdict: Verdict::Unknown,
            confidence: 0.0,
            evidence,
        },
    }
}

/// Returns which of two verdicts on two environments counts: what is broken somewhere needs a repair first.
fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Broken => 0,
        Verdict::Flaky => 1,
        Verdict::Unknown => 2,
        Verdict::Fixed => 3,
        Verdict::Healthy => 4,
    }
}

/// Judges what happened in one job and leg.
fn judge_environment(observations: &[Observation]) -> Judgement {
    let shape = Shape::of(observations);
    let mut evidence = Vec::new();
    if shape.retry_passes > 0 {
        evidence.push(format!(
            "failed and then passed in the same run {}",
            count_times(shape.retry_passes)
        ));
    }
    if shape.disagreements > 0 {
        evidence.push(format!(
            "passed and failed on the same commit, on {}",
            times(shape.disagreements, "commit")
        ));
    }
    let (verdict, confidence) = decide(&shape, &mut evidence);
    Judgement {
        verdict,
        confidence,
        evidence,
    }
}

fn decide(shape: &Shape, evidence: &mut Vec<String>) -> (Verdict, f64) {
    if shape.failures >= shape.executions {
        if shape.executions < 3 {
            evidence.push("too few executions to tell a broken test from a flaky one".into());
            return (Verdict::Unknown, 0.0);
        }
        evidence.push("never passed".into());
        let below = probability_below(shape.failures, shape.executions, BROKEN_ABOVE);
        return (Verdict::Broken, 1.0 - below);
    }
    let row = shape.failing_row as u64;
    let commits = shape.failing_row_commits as u64;
    if shape.failing_row >= BROKEN_ROW && (commits >= 2 || shape.failing_row_is_pure) {
        evidence.push(format!(
            "failed the last {} on {}",
            times(row, "run"),
            times(commits, "commit")
        ));
        let below = probability_below(row, row, BROKEN_ABOVE);
        return (Verdict::Broken, 1.0 - below);
    }
    if let Some(luck) = shape.luck_of_clean_row()
        && luck < LUCK
    {
        let chance = if luck < 0.001 {
            "less than 0.1".to_owned()
        } else {
            percent(luck)
        };
        evidence.push(format!(
            "passed the last {}, which luck explains with a chance of {chance} %",
            times(shape.clean_row as u64, "run"),
        ));
        return (Verdict::Fixed, 1.0 - luck);
    }
    if shape.is_same_code() {
        // The code was the same: only an outage, told apart by other means, could explain it otherwise.
        let sightings = shape.retry_passes.max(shape.disagreements);
        return (Verdict::Flaky, if sightings > 1 { 0.99 } else { 0.95 });
    }
    if shape.episodes >= EPISODES {
        evidence.push(format!(
            "failed in {} with passing runs between them",
            times(shape.episodes as u64, "separate episode")
        ));
        return (Verdict::Flaky, 0.8);
    }
    if shape.failing_row >= 2 && shape.episodes == 1 && commits >= 2 {
        evidence.push(format!(
            "passed before, and failed the last {} on {}",
            times(row, "run"),
            times(commits, "commit")
        ));
        return (Verdict::Broken, 0.7);
    }
    if shape.episodes == 0 {
        evidence.push(
            "failed only on branches with fewer runs, where a failure is often a real one".into(),
        );
    } else {
        evidence.push(
            "no commit was seen both passing and failing: it may have been a real failure".into(),
        );
    }
    (Verdict::Unknown, 0.0)
}

/// The shape of a history in one job and leg. Rows and episodes are those of the branch with most runs, because a branch on
/// which somebody works fails for good reasons; what happened on one and the same commit counts on every branch.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    executions: u64,
    failures: u64,
    retry_passes: u64,
    /// Commits with a run that passed and a run that failed.
    disagreements: u64,
    /// Rows of failing runs.
    episodes: usize,
    /// Failing runs at the end.
    failing_row: usize,
    failing_row_commits: usize,
    /// Whether none of the commits of that row has a run that passed.
    failing_row_is_pure: bool,
    /// Runs at the end in which no execution failed.
    clean_row: usize,
    /// Runs before that, and how many of them had a failing execution.
    before: u64,
    before_failing: u64,
    /// Whether the clean row began with another commit than the last failure's.
    clean_on_new_commit: bool,
}

impl Shape {
    fn of(observations: &[Observation]) -> Self {
        let mut shape = Self {
            executions: observations.iter().map(|seen| seen.executions).sum(),
            failures: observations.iter().map(|seen| seen.failures).sum(),
            retry_passes: retry_passes(observations),
            ..Self::default()
        };
        // Whether a run passed, and whether one failed, by commit.
        let mut codes: BTreeMap<u32, (bool, bool)> = BTreeMap::new();
        for seen in observations {
            if seen.has_commit {
                let both = codes.entry(seen.commit).or_default();
                both.0 |= !seen.failed;
                both.1 |= seen.failed;
            }
        }
        let mixed = codes.values().filter(|(passed, failed)| *passed && *failed);
        shape.disagreements = mixed.count() as u64;
        let line = main_line(observations);
        let mut was_failing = false;
        for seen in &line {
            if seen.failed && !was_failing {
                shape.episodes += 1;
            }
            was_failing = seen.failed;
        }
        let row = line.iter().rev().take_while(|seen| seen.failed);
        shape.failing_row = row.clone().count();
        let commits: BTreeSet<u32> = row.map(|seen| seen.commit).collect();
        shape.failing_row_commits = commits.len();
        let passed = |commit: &u32| codes.get(commit).is_some_and(|(passed, _)| *passed);
        shape.failing_row_is_pure = !commits.iter().any(passed);
        let clean = line.iter().rev().take_while(|seen| seen.failures == 0);
        shape.clean_row = clean.count();
        let edge = line.len() - shape.clean_row;
        shape.before = edge as u64;
        let failing = line[..edge].iter().filter(|seen| seen.failures > 0);
        shape.before_failing = failing.count() as u64;
        if let (Some(last), Some(first)) = (line[..edge].last(), line.get(edge)) {
            shape.clean_on_new_commit = first.commit != last.commit;
        }
        shape
    }

    /// Whether the test passed and failed on the same code.
    fn is_same_code(&self) -> bool {
        self.retry_passes > 0 || self.disagreements > 0
    }

    /// Returns the chance that the clean row at the end is luck, given the failure rate before it.
    ///
    /// For a flaky test the rate is taken at the low end of its interval, because the row must refute every rate that
    /// the past allows. A test that failed without a break was broken, and a single pass on new code is its repair
    /// only when it stays: the same rule, with the mean.
    fn luck_of_clean_row(&self) -> Option<f64> {
        if self.clean_row == 0 || self.before == 0 {
            return None;
        }
        // On the commit that failed, a clean row is the flake itself.
        if !self.clean_on_new_commit {
            return None;
        }
        let rate = failure_rate(self.before_failing, self.before);
        let rate = if self.is_same_code() {
            rate.low
        } else {
            rate.mean
        };
        let row = i32::try_from(self.clean_row).unwrap_or(i32::MAX);
        Some((1.0 - rate).powi(row))
    }
}

/// Returns the observations on the branch that has most of them; of two with as many, the one seen first.
fn main_line(observations: &[Observation]) -> Vec<&Observation> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for seen in observations {
        *counts.entry(seen.branch).or_default() += 1;
    }
    // Numbers were given in the order of first sight.
    let main = counts
        .iter()
        .max_by_key(|(branch, count)| (**count, std::cmp::Reverse(**branch)));
    let main = main.map(|(branch, _)| *branch);
    observations
        .iter()
        .filter(|seen| Some(seen.branch) == main)
        .collect()
}

fn rate_sentence(tally: Tally) -> String {
    let rate = failure_rate(tally.failures, tally.runs);
    format!(
        "failed {} of {}: {} % ({}\u{2013}{})",
        tally.failures,
        times(tally.runs, "execution"),
        percent(rate.mean),
        percent(rate.low),
        percent(rate.high)
    )
}

/// Returns a rate in per cent with one decimal.
pub(crate) fn percent(rate: f64) -> String {
    format!("{:.1}", rate * 100.0)
}

/// Returns a number with its noun.
pub(crate) fn times(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("{count} {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn count_times(count: u64) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        more => format!("{more} times"),
    }
}
