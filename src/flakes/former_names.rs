//! Which test of a history was called what before, by the runs of each job on its main branch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::history::History;
use super::renames::{Named, Step};
use super::stored_lists::LaidOut;
use crate::sha::Sha;

/// So many of a job's newest runs are looked through.
const MOST_RUNS: usize = 2_000;

/// Everything that ran of a job at once: legs, and reports that were stored one by one.
struct Group {
    branch: u32,
    members: Vec<u32>,
}

/// When a job's tests were there.
struct Presence {
    groups: u32,
    /// By test: the numbers of the first and the last group that have it.
    spans: Vec<Option<(u32, u32)>>,
}

/// The lists of a group's runs, and what of them did not run.
type Shape<'h> = Vec<(Sha, &'h [(u32, u32)])>;

impl History {
    /// Joins the history of each test with what it was called before. Sums that are stored by name must be taken before.
    pub(crate) fn join_former_names(&mut self) {
        let jobs: Vec<Presence> = self
            .jobs()
            .iter()
            .map(|groups| self.presence(groups))
            .collect();
        let found: BTreeSet<(u32, u32)> = jobs.iter().flat_map(|job| self.renamed(job)).collect();
        let lists = self.runs_by_list();
        let mut olds: HashMap<u32, u32> = HashMap::new();
        let mut news: HashMap<u32, u32> = HashMap::new();
        for (old, new) in &found {
            *olds.entry(*old).or_default() += 1;
            *news.entry(*new).or_default() += 1;
        }
        // Jobs that do not agree say nothing.
        let is_clear = |(old, new): &(u32, u32)| olds[old] == 1 && news[new] == 1;
        let is_sound = |(old, new): &(u32, u32)| {
            jobs.iter().all(|job| job.allows(*old, *new)) && !self.run_together(&lists, *old, *new)
        };
        let newer = found
            .into_iter()
            .filter(|pair| is_clear(pair) && is_sound(pair));
        let newer: BTreeMap<u32, u32> = crate::order::map(newer);
        for &old in newer.keys() {
            let mut last = old;
            let mut steps = 0;
            while let Some(next) = newer.get(&last)
                && steps < newer.len()
            {
                last = *next;
                steps += 1;
            }
            if last != old {
                let before = std::mem::take(&mut self.tallies[old as usize]);
                self.tallies[last as usize].add(&before);
                self.former.entry(last).or_default().push(old);
                self.renamed.insert(old);
            }
        }
    }

    /// Returns what a test was called before.
    pub(crate) fn former_names(&self, test: u32) -> impl Iterator<Item = (&str, &str)> {
        let former = self.former.get(&test).into_iter().flatten();
        former.map(|old| self.test(*old))
    }

    /// Returns what the test that had this suite and name before is called today.
    pub(crate) fn newer_name(&self, suite: &str, name: &str) -> Option<(&str, &str)> {
        let mut joined = self.former.iter();
        let (newer, _) =
            joined.find(|(_, former)| former.iter().any(|old| self.test(*old) == (suite, name)))?;
        Some(self.test(*newer))
    }

    /// Returns the groups of each job, oldest first, those of its main branch only: the branch with most.
    fn jobs(&self) -> Vec<Vec<Group>> {
        let mut jobs: BTreeMap<&str, Vec<Group>> = BTreeMap::new();
        let mut places: HashMap<(&str, &str, u32), usize> = HashMap::new();
        for (number, (run, mark)) in (0_u32..).zip(self.runs.iter().zip(&self.marks)) {
            let (job, name) = (run.origin.job.as_str(), run.origin.run.as_str());
            let groups = jobs.entry(job).or_default();
            let at = *places
                .entry((job, name, mark.branch))
                .or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.members.push(number),
                None => groups.push(Group {
                    branch: mark.branch,
                    members: vec![number],
                }),
            }
        }
        jobs.into_values().map(of_main_branch).collect()
    }

    fn presence(&self, groups: &[Group]) -> Presence {
        let mut laid = LaidOut::default();
        let mut spans: Vec<Option<(u32, u32)>> = vec![None; self.len()];
        let mut before: Option<(Shape<'_>, Vec<u32>)> = None;
        for (number, group) in (0_u32..).zip(groups) {
            let members = group.members.iter().map(|run| &self.runs[*run as usize]);
            let shape: Shape<'_> = members
                .map(|run| (run.list, run.absent.as_slice()))
                .collect();
            // Most runs have the tests of the run before.
            let same = before.take().filter(|(known, _)| *known == shape);
            let tests = match same {
                Some((_, tests)) => tests,
                None => self.tests_of(group, &mut laid),
            };
            for test in &tests {
                spans[*test as usize].get_or_insert((number, number)).1 = number;
            }
            before = Some((shape, tests));
        }
        Presence {
            groups: u32::try_from(groups.len()).unwrap_or(u32::MAX),
            spans,
        }
    }

    fn tests_of(&self, group: &Group, laid: &mut LaidOut) -> Vec<u32> {
        let mut tests = Vec::new();
        for run in group.members.iter().map(|run| &self.runs[*run as usize]) {
            let Some(places) = self.lists.lay_out(&run.list, laid) else {
                continue;
            };
            let mut absent = run.absent.iter().peekable();
            for (place, test) in (0_u32..).zip(places.iter()) {
                while absent
                    .next_if(|(first, length)| place >= first.saturating_add(*length))
                    .is_some()
                {}
                if absent.peek().is_none_or(|(first, _)| place < *first) {
                    tests.push(test.test);
                }
            }
        }
        tests
    }

    /// Returns which tests of a job came for which.
    fn renamed(&self, job: &Presence) -> Vec<(u32, u32)> {
        let mut steps: BTreeMap<u32, Step<'_>> = BTreeMap::new();
        let named = |test: u32| {
            let (suite, name) = self.test(test);
            Named { test, suite, name }
        };
        for (test, (first, last)) in job.spans() {
            if last + 1 < job.groups {
                steps.entry(last + 1).or_default().gone.push(named(test));
            }
            if first > 0 {
                steps.entry(first).or_default().come.push(named(test));
            }
        }
        steps.retain(|_, step| !step.gone.is_empty() && !step.come.is_empty());
        if steps.is_empty() {
            return Vec::new();
        }
        let mut by_suite: HashMap<&str, Vec<(u32, u32)>> = HashMap::new();
        for (test, span) in job.spans() {
            by_suite.entry(self.test(test).0).or_default().push(span);
        }
        for (&at, step) in &mut steps {
            let suites: HashSet<&str> = step
                .gone
                .iter()
                .chain(&step.come)
                .map(|test| test.suite)
                .collect();
            // Something of it was there before and after.
            let stays = |suite: &&str| {
                let spans = by_suite.get(suite).into_iter().flatten();
                spans
                    .clone()
                    .any(|(first, last)| *first < at && at <= *last)
            };
            step.stayed = suites.into_iter().filter(stays).collect();
        }
        steps.values().flat_map(Step::renamed).collect()
    }

    /// Returns the runs that refer to each list.
    fn runs_by_list(&self) -> BTreeMap<Sha, Vec<u32>> {
        let mut lists: BTreeMap<Sha, Vec<u32>> = BTreeMap::new();
        for (number, run) in (0_u32..).zip(&self.runs) {
            lists.entry(run.list).or_default().push(number);
        }
        lists
    }

    /// Whether two tests ran in one run: then they are two.
    fn run_together(&self, lists: &BTreeMap<Sha, Vec<u32>>, old: u32, new: u32) -> bool {
        lists.iter().any(|(list, runs)| {
            let Some(old) = self.lists.place(list, old) else {
                return false;
            };
            let Some(new) = self.lists.place(list, new) else {
                return false;
            };
            let mut runs = runs.iter().map(|run| &self.runs[*run as usize]);
            runs.any(|run| !run.is_absent(old) && !run.is_absent(new))
        })
    }
}

/// Keeps the newest groups of the branch that has most.
fn of_main_branch(mut groups: Vec<Group>) -> Vec<Group> {
    let mut times: BTreeMap<u32, usize> = BTreeMap::new();
    for group in &groups {
        *times.entry(group.branch).or_default() += 1;
    }
    let most = times.iter().max_by_key(|(_, times)| **times);
    let most = most.map(|(branch, _)| *branch);
    groups.retain(|group| Some(group.branch) == most);
    groups.drain(..groups.len().saturating_sub(MOST_RUNS));
    groups
}

impl Presence {
    fn span(&self, test: u32) -> Option<(u32, u32)> {
        self.spans.get(test as usize).copied().flatten()
    }

    fn spans(&self) -> impl Iterator<Item = (u32, (u32, u32))> {
        let spans = (0_u32..).zip(&self.spans);
        spans.filter_map(|(test, span)| Some((test, (*span)?)))
    }

    /// Whether a job has the old test only before the new one, and at its end no more.
    fn allows(&self, old: u32, new: u32) -> bool {
        let Some((_, last)) = self.span(old) else {
            return true;
        };
        let is_gone = last + 1 < self.groups;
        is_gone && self.span(new).is_none_or(|(first, _)| last < first)
    }
}
