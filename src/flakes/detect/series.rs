//! A test's observations, commit by commit.
//!
//! The main line of a job and leg is the branch with most of its runs there. What happened on one of its commits counts on whatever branch it
//! happened. Of other branches, on which somebody works, passes count, and commits on which the test passed and failed; a commit that only
//! fails there is what such branches are for.

use std::collections::{BTreeMap, HashMap};

use super::model::{Series, Step};
use crate::flakes::history::{History, Mark};
use crate::flakes::verdict::Observation;

/// No place on the main line.
const ASIDE: u32 = u32::MAX;

/// The commits of the main lines, by job and leg.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// For each run, where its commit is on the main line.
    positions: Vec<u32>,
    /// For each job and leg, the first run of each commit of its main line, and that line's branch.
    lines: BTreeMap<u32, (u32, Vec<u32>)>,
}

impl Lines {
    pub(crate) fn of(history: &History) -> Self {
        let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for mark in &history.marks {
            *counts.entry((mark.environment, mark.branch)).or_default() += 1;
        }
        let mut most: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
        for ((environment, branch), count) in counts {
            // Numbers were given in the order of first sight: of two with as many runs the older branch counts.
            let best = most.entry(environment).or_insert((count, branch));
            if count > best.0 {
                *best = (count, branch);
            }
        }
        let mut lines: BTreeMap<u32, (u32, Vec<u32>)> = BTreeMap::new();
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        for (run, mark) in (0_u32..).zip(&history.marks) {
            let main = most
                .get(&mark.environment)
                .map_or(mark.branch, |(_, branch)| *branch);
            if mark.branch == main {
                let (_, line) = lines.entry(mark.environment).or_insert((main, Vec::new()));
                known
                    .entry((mark.environment, mark.commit))
                    .or_insert_with(|| {
                        line.push(run);
                        u32::try_from(line.len() - 1).unwrap_or(ASIDE)
                    });
            }
        }
        let position = |mark: &Mark| {
            let found = known.get(&(mark.environment, mark.commit));
            found.copied().unwrap_or(ASIDE)
        };
        Self {
            positions: history.marks.iter().map(position).collect(),
            lines,
        }
    }

    /// Returns the branch of a main line.
    pub(crate) fn branch(&self, environment: u32) -> u32 {
        self.lines
            .get(&environment)
            .map_or(0, |(branch, _)| *branch)
    }

    /// Returns the first run of a commit of a main line.
    pub(crate) fn run_at(&self, environment: u32, position: u32) -> Option<u32> {
        let (_, line) = self.lines.get(&environment)?;
        line.get(position as usize).copied()
    }

    /// Lays out what happened to a test in one job and leg; `is_outage` says for each run whether it is one.
    pub(crate) fn lay_out(&self, observations: &[Observation], is_outage: &[bool]) -> Laid {
        let (main, aside) = self.commits(observations, is_outage);
        Laid::of(main, aside)
    }

    /// Returns what happened on each commit of the main line, by its place there, and of other branches.
    pub(crate) fn commits(
        &self,
        observations: &[Observation],
        is_outage: &[bool],
    ) -> (Steps, Steps) {
        let mut main: Steps = Vec::with_capacity(observations.len());
        let mut aside: Steps = Vec::new();
        let mut failed: HashMap<(u32, u32), u32> = HashMap::new();
        for seen in observations {
            let mut step = seen.step;
            if is_outage.get(seen.run as usize) == Some(&true) && seen.failures > 0 {
                step = Step {
                    passed: step.passed,
                    ..Step::default()
                };
            }
            if seen.attempt > 1 {
                let mut before = (1..seen.attempt).rev().take(MOST_ATTEMPTS);
                let before = before.find_map(|at| failed.get(&(seen.place, at)));
                step.after(before.copied().unwrap_or(0));
            }
            // Twins, and reports of the same attempt, excuse nothing of one another.
            if step.failed > 0 {
                step.passed = 0;
            }
            let failures = step.failed_in_the_end();
            if failures > 0 {
                failed.insert((seen.place, seen.attempt), failures);
            }
            match self.positions.get(seen.run as usize) {
                Some(&position) if position != ASIDE => main.push((position, step)),
                _ => aside.push((seen.commit, step)),
            }
        }
        (join(main), join(aside))
    }
}

/// What happened on commits, each once and in order.
pub(crate) type Steps = Vec<(u32, Step)>;

/// No run has more attempts that matter.
const MOST_ATTEMPTS: usize = 50;

/// Adds up what happened on one commit.
fn join(mut steps: Steps) -> Steps {
    if !steps.is_sorted_by(|a, b| a.0 < b.0) {
        steps.sort_by_key(|(commit, _)| *commit);
        steps.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1.add(&later.1);
            }
            is_same
        });
    }
    steps
}

/// A test's history in one job and leg.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    pub(crate) series: Series,
}

impl Laid {
    fn of(main: Steps, aside: Steps) -> Self {
        let mut series = Series::default();
        for (_, step) in main {
            let is_clean =
                step.passed == 1 && step.failed + step.failed_again + step.recovered == 0;
            if is_clean {
                series.clean += 1;
            } else if step != Step::default() {
                let clean = std::mem::take(&mut series.clean);
                series.steps.push(Step { clean, ..step });
            }
        }
        for (_, step) in aside {
            if step.failed == 0 {
                series.aside = series.aside.saturating_add(step.passed);
            } else if step.is_mixed() {
                series.mixed_aside.push(step);
            }
        }
        series.mixed_aside.sort_unstable();
        Self { series }
    }

    /// Whether the test passed and failed on the same code, outside of outages.
    pub(crate) fn has_mixed(&self) -> bool {
        !self.series.mixed_aside.is_empty() || self.series.steps.iter().any(Step::is_mixed)
    }
}
