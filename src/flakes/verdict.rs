//! What a test's history says: flaky, broken, fixed, healthy, or not known yet.
//!
//! The detector says how likely a test is flaky or broken in a job and leg; the shape of its history there says whether it never passed,
//! whether it fails now, and whether a clean row is too long for the old failure rate. Everything else waits for more runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::detect::model::Step;
use super::history::Tally;
use crate::order;
use crate::stats::{Rate, failure_rate, probability_below, weighed_rate};

/// What a test is, in the order in which people want to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// It never failed, or only in outages.
    Healthy,
}

/// Returns what a verdict means, in full.
pub(crate) fn explain(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Flaky => {
            "The test fails now and then on code that has not changed: it passed and failed on one and the same commit, outside of \
             outages, or its failures come and go as no regression does. The confidence is the probability of that."
        }
        Verdict::Broken => {
            "In one job and leg the test never passed, or it passed before, failed its last two runs or more and is likelier broken \
             than not. Where it fails, and which commits may have broken it, is in the evidence."
        }
        Verdict::Fixed => {
            "The test failed before, and has since passed so often on other commits that luck explains it with a chance of \
             less than 5 %, at the failure rate that it had; for a flaky test less than 0.1 %, at the least rate that it may have had."
        }
        Verdict::Healthy => {
            "The test never failed, or only in runs that were outages. The confidence is the posterior probability that it fails in less than 5 % of its \
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
    /// The same, attempt by attempt.
    pub(crate) step: Step,
}

impl Observation {
    /// Takes in another report of the same attempt: like twins, they fail together and excuse nothing of one another.
    pub(crate) fn join(&mut self, other: &Self) {
        self.executions += other.executions;
        self.failures += other.failures;
        self.failed |= other.failed;
        self.retried += other.retried;
        self.step.add(&other.step);
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Between zero and one: how sure the verdict is under the model that its evidence names.
    pub(crate) confidence: f64,
    /// How likely it is flaky, whatever the verdict.
    pub(crate) flaky: f64,
    /// Executions that say how often it fails, and how many of them failed: those of outages are left out, and those on commits that
    /// had broken it, as far as it was.
    pub(crate) counted: Counted,
    /// Where it broke, if it is broken and that can be said.
    pub(crate) suspects: Option<Suspects>,
    pub(crate) evidence: Vec<String>,
}

/// Executions, and how many of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counted {
    pub(crate) executions: f64,
    pub(crate) failures: f64,
    /// Failures that were left out because the run is an outage.
    pub(crate) in_outages: u64,
}

/// Commits of which one broke a test, with a probability of 99 %.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Suspects {
    pub(crate) likeliest: String,
    /// How many there are; not all of them are named.
    pub(crate) count: u64,
    /// Oldest first.
    pub(crate) commits: Vec<String>,
}

impl Counted {
    pub(crate) fn rate(self) -> Rate {
        weighed_rate(self.failures, self.executions)
    }
}

/// The chance of luck that a verdict may leave.
const LUCK: f64 = 0.05;

/// And the verdict that a flaky test is well.
const LUCK_OF_FLAKY: f64 = 0.001;

/// A test that never failed counts as healthy against this failure rate.
const HEALTHY_BELOW: f64 = 0.05;

/// A failing test is broken against this failure rate.
const BROKEN_ABOVE: f64 = 0.8;

/// Counts how often the test failed and then passed in the same run, job and leg, and on the same commit.
pub(crate) fn retry_passes(observations: &[Observation]) -> u64 {
    let mut passes: u64 = observations.iter().map(|seen| seen.retried).sum();
    let mut attempts: Vec<&Observation> = observations.iter().collect();
    order::sort_by_key(&mut attempts, |seen| (seen.place, seen.attempt));
    for pair in attempts.windows(2) {
        if pair[0].place == pair[1].place && pair[0].failed && !pair[1].failed {
            passes += 1;
        }
    }
    passes
}

/// What the model says of a test in one job and leg.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Opinion {
    /// How likely it is flaky.
    pub(crate) flaky: f64,
    /// How likely it is broken now.
    pub(crate) broken: f64,
    /// Whether it passed and failed on the same code, outside of outages.
    pub(crate) has_mixed: bool,
    /// How likely it must be flaky to be called so where it did not.
    pub(crate) bar: f64,
    /// Where it broke, if it may be broken.
    pub(crate) suspects: Option<Suspects>,
}

/// Judges a test that failed in no run that says something.
pub(crate) fn judge_unseen(tally: Tally, counted: Counted) -> Judgement {
    if tally.runs == 0 {
        return Judgement {
            verdict: Verdict::Unknown,
            confidence: 0.0,
            flaky: 0.0,
            counted,
            suspects: None,
            evidence: vec!["it was skipped in every run".into()],
        };
    }
    let is_excused = counted.in_outages >= tally.failures;
    let evidence = match (tally.failures, tally.runs) {
        (0, 1) => "passed its only execution".to_owned(),
        (0, runs) => format!("passed all {runs} executions"),
        (failures, _) if is_excused => {
            format!(
                "failed {}, and only in runs that were outages",
                count_times(failures)
            )
        }
        // What has been rolled up says no more than that.
        _ => rate_sentence(tally, counted),
    };
    let passed = tally.runs.saturating_sub(tally.failures);
    let is_healthy = is_excused && passed > 0;
    Judgement {
        verdict: if is_healthy {
            Verdict::Healthy
        } else {
            Verdict::Unknown
        },
        confidence: if is_healthy {
            probability_below(0, passed, HEALTHY_BELOW)
        } else {
            0.0
        },
        flaky: 0.0,
        counted,
        suspects: None,
        evidence: vec![evidence],
    }
}

/// Judges a test by what is said of it in each job and leg in which it failed; `name` says what an environment's number stands for, where
/// there are several. Executions are counted outside of outages, and once more without what had broken it.
pub(crate) fn judge(
    tally: Tally,
    (all, sound): (Counted, Counted),
    opinions: Vec<(u32, &Shape, Opinion)>,
    name: &dyn Fn(u32) -> Option<String>,
) -> Judgement {
    let mut worst: Option<Judgement> = None;
    for (environment, shape, opinion) in opinions {
        let mut own = judge_environment(shape, &opinion);
        if let Some(place) = name(environment) {
            for sentence in &mut own.evidence {
                *sentence = format!("in {place}: {sentence}");
            }
        }
        let is_worse = |before: &Judgement| urgency(own.verdict) < urgency(before.verdict);
        if worst.as_ref().is_none_or(is_worse) {
            worst = Some(own);
        }
    }
    let mut judgement = worst.unwrap_or(Judgement {
        verdict: Verdict::Unknown,
        confidence: 0.0,
        flaky: 0.0,
        counted: all,
        suspects: None,
        evidence: Vec::new(),
    });
    // What is broken fails as often as it does; how often it would fail if it were not is another question.
    let is_broken = judgement.verdict == Verdict::Broken;
    judgement.counted = if is_broken { all } else { sound };
    let mut evidence = vec![rate_sentence(tally, judgement.counted)];
    if all.in_outages > 0 {
        evidence.push(format!(
            "{} {} in runs that were outages, and no evidence",
            times(all.in_outages, "failure"),
            if all.in_outages == 1 { "was" } else { "were" }
        ));
    }
    evidence.append(&mut judgement.evidence);
    Judgement {
        evidence,
        ..judgement
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
fn judge_environment(shape: &Shape, opinion: &Opinion) -> Judgement {
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
    let (verdict, confidence) = decide(shape, opinion, &mut evidence);
    Judgement {
        verdict,
        confidence,
        flaky: opinion.flaky,
        counted: Counted::default(),
        suspects: opinion
            .suspects
            .clone()
            .filter(|_| verdict == Verdict::Broken),
        evidence,
    }
}

/// A test with evidence from one commit that is as likely flaky as this is called so.
const FLAKY_FROM: f64 = 0.7;

/// A test that is likelier broken than not is called so; one that is flaky as well, of which rows of failures are to be expected, when
/// it is as good as sure.
const BROKEN_FROM: f64 = 0.5;
const BROKEN_FROM_OF_FLAKY: f64 = 0.9;

fn decide(shape: &Shape, opinion: &Opinion, evidence: &mut Vec<String>) -> (Verdict, f64) {
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
    let is_flaky = if opinion.has_mixed {
        opinion.flaky >= FLAKY_FROM
    } else {
        opinion.flaky >= opinion.bar
    };
    let from = if is_flaky {
        BROKEN_FROM_OF_FLAKY
    } else {
        BROKEN_FROM
    };
    let is_likely = opinion.broken >= from;
    if is_likely && shape.failing_row >= 2 && (commits >= 2 || shape.failing_row_is_pure) {
        evidence.push(format!(
            "passed before, and failed the last {} on {}",
            times(row, "run"),
            times(commits, "commit")
        ));
        if let Some(suspects) = &opinion.suspects {
            evidence.push(format!(
                "broke most likely at commit {}, and with 99 % at one of {}",
                short(&suspects.likeliest),
                times(suspects.count, "commit")
            ));
        }
        return (Verdict::Broken, opinion.broken);
    }
    let allowed = if is_flaky { LUCK_OF_FLAKY } else { LUCK };
    if let Some(luck) = shape.luck_of_clean_row(is_flaky)
        && luck < allowed
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
    if is_flaky {
        if !opinion.has_mixed {
            evidence.push(format!(
                "failed in {} with passing runs between them",
                times(shape.episodes as u64, "separate episode")
            ));
        }
        return (Verdict::Flaky, opinion.flaky);
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
pub(crate) struct Shape {
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
    pub(crate) fn of(observations: &[Observation], main: u32) -> Self {
        let mut shape = Self {
            executions: observations.iter().map(|seen| seen.executions).sum(),
            failures: observations.iter().map(|seen| seen.failures).sum(),
            retry_passes: retry_passes(observations),
            ..Self::default()
        };
        // Whether a run passed, and whether one failed, on each commit on which one failed.
        let failing = observations
            .iter()
            .filter(|seen| seen.failed && seen.has_commit);
        let mut codes: BTreeMap<u32, (bool, bool)> =
            order::map(failing.map(|seen| (seen.commit, (false, true))));
        for seen in observations {
            if seen.has_commit
                && !seen.failed
                && let Some(both) = codes.get_mut(&seen.commit)
            {
                both.0 = true;
            }
        }
        let mixed = codes.values().filter(|(passed, failed)| *passed && *failed);
        shape.disagreements = mixed.count() as u64;
        let on_main = |seen: &&Observation| seen.branch == main;
        let line: Vec<&Observation> = observations.iter().filter(on_main).collect();
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

    /// Returns the chance that the clean row at the end is luck, given the failure rate before it.
    ///
    /// For a flaky test the row must refute every rate that the past allows: the rate is taken at the low end of its interval, and
    /// without the last failure, because the past was made to end with it. A test that failed without a break was broken, and a single
    /// pass on new code is its repair only when it stays: the same rule, with the mean.
    fn luck_of_clean_row(&self, is_flaky: bool) -> Option<f64> {
        if self.clean_row == 0 || self.before == 0 {
            return None;
        }
        // On the commit that failed, a clean row is the flake itself.
        if !self.clean_on_new_commit {
            return None;
        }
        let rate = if is_flaky {
            failure_rate(self.before_failing - 1, self.before - 1).low
        } else {
            failure_rate(self.before_failing, self.before).mean
        };
        let row = i32::try_from(self.clean_row).unwrap_or(i32::MAX);
        Some((1.0 - rate).powi(row))
    }
}

/// Returns the beginning of a commit's name.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn rate_sentence(tally: Tally, counted: Counted) -> String {
    let rate = counted.rate();
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

#[cfg(test)]
mod tests;
