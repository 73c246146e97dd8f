//! The detector: what all histories of a repository together say about each test.
//!
//! Outages are taken out first; then the repository's habits are fitted, every test is held against them, and what has no evidence
//! from one and the same commit is called flaky only as far as few of such calls are false.

pub(crate) mod fit;
pub(crate) mod model;
pub(crate) mod series;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use self::model::{KINDS, Model, Series};
use self::series::{Laid, Lines};
use super::changepoint::{self, ChangePoints};
use super::history::History;
use super::outage::{self, Outage};
use super::verdict::{self, Counted, Judgement, Opinion, Shape, Suspects, Verdict};

/// What is known about the tests of a history.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// For each run that is an outage, which one.
    pub(crate) outages: BTreeMap<u32, Outage>,
    /// For each run, whether it is one.
    is_outage: Vec<bool>,
    /// Tests that failed outside of outages.
    judged: BTreeMap<u32, Judgement>,
}

/// How many of the calls without evidence from one commit may be false.
const FALSE_CALLS: f64 = 0.1;

/// And each of them must be likelier right than wrong.
const LIKELY: f64 = 0.5;

/// A test in one job and leg.
struct Unit {
    test: u32,
    environment: u32,
    /// Whether it ran in others as well.
    is_one_of_several: bool,
    laid: Laid,
    shape: Shape,
    flaky: f64,
    broken: f64,
    kinds: [f64; KINDS],
}

impl Analysis {
    pub(crate) fn of(history: &History) -> Self {
        let outages = outages(history);
        let mut is_outage = vec![false; history.runs.len()];
        for run in outages.keys() {
            is_outage[*run as usize] = true;
        }
        let about = About {
            history,
            lines: Lines::of(history),
            is_outage,
            changes: ChangePoints::new(changepoint::Assumptions::default()),
        };
        let mut units = units(history, &about.lines, &about.is_outage);
        let model = believe(history, &mut units);
        let bar = bar(&units);
        let mut by_test: BTreeMap<u32, Vec<&Unit>> = BTreeMap::new();
        for unit in &units {
            by_test.entry(unit.test).or_default().push(unit);
        }
        let mut judged = BTreeMap::new();
        for (test, units) in by_test {
            let opinions = units
                .iter()
                .map(|unit| (unit.environment, &unit.shape, opinion(&about, unit, bar)));
            let is_one_of_several = units.iter().any(|unit| unit.is_one_of_several);
            let name = |environment| is_one_of_several.then(|| history.environment(environment));
            let all = counted(history, test, &about.is_outage);
            let mut sound = all;
            for unit in &units {
                leave_out_broken(&mut sound, &model, unit);
            }
            let tally = history.tally(test);
            let judgement = verdict::judge(tally, (all, sound), opinions.collect(), &name);
            judged.insert(test, judgement);
        }
        Self {
            outages,
            is_outage: about.is_outage,
            judged,
        }
    }

    /// Returns what a test is.
    pub(crate) fn verdict(&self, history: &History, test: u32) -> Verdict {
        match self.judged.get(&test) {
            Some(judgement) => judgement.verdict,
            None => self.judge_unseen(history, test).verdict,
        }
    }

    /// Whether a run says nothing about single tests.
    pub(crate) fn is_outage(&self, run: u32) -> bool {
        self.is_outage.get(run as usize) == Some(&true)
    }

    /// Returns what is known about a test.
    pub(crate) fn judge(&self, history: &History, test: u32) -> Judgement {
        match self.judged.get(&test) {
            Some(judgement) => judgement.clone(),
            None => self.judge_unseen(history, test),
        }
    }

    fn judge_unseen(&self, history: &History, test: u32) -> Judgement {
        let counted = counted(history, test, &self.is_outage);
        verdict::judge_unseen(history.tally(test), counted)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 test runs")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Counts the executions of a test that say how often it fails.
fn counted(history: &History, test: u32, is_outage: &[bool]) -> Counted {
    let tally = history.tally(test);
    let mut counted = Counted {
        executions: float(tally.runs),
        failures: float(tally.failures),
        in_outages: 0,
    };
    for (run, sequence) in history.deviations.get(&test).into_iter().flatten() {
        if is_outage.get(*run as usize) == Some(&true) {
            let weight = history.weights.at(*sequence);
            let passed = u64::from(weight.step.passed);
            counted.executions -= float(weight.executions.saturating_sub(passed));
            counted.failures -= float(weight.failures);
            counted.in_outages += weight.failures;
        }
    }
    counted
}

/// Leaves out what a test did on commits that had broken it, as far as they had.
fn leave_out_broken(counted: &mut Counted, model: &Model, unit: &Unit) {
    let broken = model.broken_at(&unit.laid.series, &unit.kinds);
    for (step, broken) in unit.laid.series.steps.iter().zip(broken) {
        let failures = f64::from(step.failed) + f64::from(step.failed_again);
        let all = failures + f64::from(step.passed) + f64::from(step.recovered);
        counted.executions -= broken * all;
        counted.failures -= broken * failures;
    }
}

/// Finds the outages of each job and leg, by the numbers of their runs.
pub(crate) fn outages(history: &History) -> BTreeMap<u32, Outage> {
    let mut runs: Vec<outage::Run> = history
        .runs
        .iter()
        .map(|run| outage::Run {
            executed: (run.counts.passed + run.counts.failed + run.counts.errored)
                .saturating_sub(run.counts.disabled),
            ..outage::Run::default()
        })
        .collect();
    for (test, deviations) in &history.deviations {
        let mut last = None;
        for (run, sequence) in deviations {
            let weight = history.weights.at(*sequence);
            // A hostile list may name a test twice; its first place counts.
            if weight.step.failed == 0 || last.replace(*run) == Some(*run) {
                continue;
            }
            let Some(found) = runs.get_mut(*run as usize) else {
                continue;
            };
            found.failed.push(*test);
            if weight.retried > 0 || history.passes_later(*run, *test) {
                found.recovered.push(*test);
            }
        }
    }
    let suites: Vec<u32> = (0..u32::try_from(history.len()).unwrap_or(u32::MAX))
        .map(|test| history.suite_of(test))
        .collect();
    let mut environments: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (run, mark) in (0_u32..).zip(&history.marks) {
        environments.entry(mark.environment).or_default().push(run);
    }
    let mut outages = BTreeMap::new();
    for numbers in environments.into_values() {
        let own: Vec<outage::Run> = numbers
            .iter()
            .map(|number| std::mem::take(&mut runs[*number as usize]))
            .collect();
        for found in outage::outages(&own, &suites) {
            outages.insert(numbers[found.run], found);
        }
    }
    outages
}

/// Lays out each test that failed outside of outages, where it did.
fn units(history: &History, lines: &Lines, is_outage: &[bool]) -> Vec<Unit> {
    let mut units = Vec::new();
    for (test, deviations) in &history.deviations {
        let is_seen = deviations.iter().any(|(run, sequence)| {
            history.weights.at(*sequence).failures > 0 && !is_outage[*run as usize]
        });
        if !is_seen {
            continue;
        }
        let mut environments: BTreeMap<u32, Vec<verdict::Observation>> = BTreeMap::new();
        for seen in history.observations(*test) {
            environments.entry(seen.environment).or_default().push(seen);
        }
        let is_one_of_several = environments.len() > 1;
        for (environment, observations) in environments {
            let has_failed =
                |seen: &verdict::Observation| seen.failures > 0 && !is_outage[seen.run as usize];
            if observations.iter().any(has_failed) {
                let laid = lines.lay_out(&observations, is_outage);
                let is_evidence = |seen: &verdict::Observation| {
                    seen.failures == 0 || !is_outage[seen.run as usize]
                };
                let evidence: Vec<_> = observations.into_iter().filter(is_evidence).collect();
                units.push(Unit {
                    test: *test,
                    environment,
                    is_one_of_several,
                    laid,
                    shape: Shape::of(&evidence, lines.branch(environment)),
                    flaky: 0.0,
                    broken: 0.0,
                    kinds: [0.0; KINDS],
                });
            }
        }
    }
    units
}

/// Fits the repository's habits, and holds every test against them.
fn believe(history: &History, units: &mut [Unit]) -> Model {
    let mut histories: BTreeMap<Series, u64> = BTreeMap::new();
    let mut is_eventful = vec![false; history.len()];
    for unit in &*units {
        is_eventful[unit.test as usize] = true;
        *histories.entry(unit.laid.series.clone()).or_default() += 1;
    }
    for (test, _) in (0_u32..)
        .zip(&is_eventful)
        .filter(|(_, eventful)| !**eventful)
    {
        let tally = history.tally(test);
        let passed = tally.runs.saturating_sub(tally.failures);
        let series = Series {
            clean: u32::try_from(passed).unwrap_or(u32::MAX),
            ..Series::default()
        };
        *histories.entry(series).or_default() += 1;
    }
    let mut models: Vec<(Model, f64)> = fit::fit(&histories)
        .into_iter()
        .map(|(habits, weight)| (Model::new(habits), weight))
        .collect();
    let mut known: HashMap<Series, (f64, f64, [f64; KINDS])> = HashMap::new();
    for unit in units {
        let found = known.get(&unit.laid.series).copied();
        let found = found.unwrap_or_else(|| chances(&models, &unit.laid.series));
        (unit.flaky, unit.broken, unit.kinds) = found;
        known.entry(unit.laid.series.clone()).or_insert(found);
    }
    models.swap_remove(0).0
}

/// Returns how likely a test is flaky, how likely it is broken now, and how likely it is of each kind.
fn chances(models: &[(Model, f64)], series: &Series) -> (f64, f64, [f64; KINDS]) {
    let mut all = [0.0; KINDS];
    let mut broken = 0.0;
    for (model, weight) in models {
        let belief = model.belief(series);
        let (kinds, _) = belief.kinds(&model.habits().shares);
        for ((sum, kind), own) in all.iter_mut().zip(kinds).zip(belief.broken) {
            *sum += weight * kind;
            broken += weight * kind * own;
        }
    }
    (all[1..].iter().sum(), broken, all)
}

/// Returns from which probability on a test without evidence from one commit is called flaky.
///
/// The step-up of Benjamini and Hochberg (Journal of the Royal Statistical Society B 57:1, 1995) over posterior probabilities: the most
/// calls of which not more are expected to be false than allowed (Newton, Noueiry, Sarkar and Ahlquist, Biostatistics 5:2, 2004).
fn bar(units: &[Unit]) -> f64 {
    let without = units.iter().filter(|unit| !unit.laid.has_mixed());
    let mut chances: Vec<f64> = without.map(|unit| unit.flaky).collect();
    crate::order::sort_numbers(&mut chances);
    chances.reverse();
    let mut bar = 1.0;
    let (mut wrong, mut calls) = (0.0, 0.0);
    for (at, chance) in chances.iter().enumerate() {
        wrong += 1.0 - chance;
        calls += 1.0;
        // Equal ones are called together or not at all.
        let is_last = chances.get(at + 1) != Some(chance);
        if is_last && wrong <= FALSE_CALLS * calls && *chance >= LIKELY {
            bar = *chance;
        }
    }
    bar
}

/// Says what is thought of a test in one job and leg.
fn opinion(about: &About<'_>, unit: &Unit, bar: f64) -> Opinion {
    let may_be_broken = unit.broken >= LIKELY;
    Opinion {
        flaky: unit.flaky,
        broken: unit.broken,
        has_mixed: unit.laid.has_mixed(),
        bar,
        suspects: may_be_broken.then(|| suspects(about, unit)).flatten(),
    }
}

/// Everything that is known before single tests are judged.
struct About<'h> {
    history: &'h History,
    lines: Lines,
    is_outage: Vec<bool>,
    changes: ChangePoints,
}

/// So many suspects are named.
const MOST_SUSPECTS: usize = 20;

/// Returns the commits of which one broke the test, by the last change point of its history.
fn suspects(about: &About<'_>, unit: &Unit) -> Option<Suspects> {
    let observations = about.history.observations(unit.test);
    let own: Vec<verdict::Observation> = observations
        .into_iter()
        .filter(|seen| seen.environment == unit.environment)
        .collect();
    let (main, _) = about.lines.commits(&own, &about.is_outage);
    let seen = main.iter().map(|(position, step)| {
        let retried = step
            .failed
            .min(step.failed_again.saturating_add(step.recovered));
        changepoint::Seen {
            position: u64::from(*position),
            runs: step.failed.saturating_add(step.passed),
            failed: step.failed,
            retried,
            failed_after_retry: retried.saturating_sub(step.recovered),
        }
    });
    let segments = about.changes.segments(&seen.collect::<Vec<_>>());
    let last = segments.last()?;
    let change = last.change?;
    if last.counts.failed * 2 <= last.counts.runs {
        return None;
    }
    let name = |position: u64| -> Option<String> {
        let position = u32::try_from(position).ok()?;
        let run = about.lines.run_at(unit.environment, position)?;
        let commit = &about.history.runs.get(run as usize)?.origin.commit;
        (!commit.is_empty()).then(|| commit.clone())
    };
    let all = change.after + 1..=change.until;
    Some(Suspects {
        likeliest: name(change.position)?,
        count: change.until.saturating_sub(change.after),
        commits: all.filter_map(name).take(MOST_SUSPECTS).collect(),
    })
}
