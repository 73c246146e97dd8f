//! Why a test fails, over its whole history: what its failures say, and where they say nothing, what all of them have in common that its passes
//! have not.
//!
//! Three things are looked for: that it fails in one job and leg only (environment), only in some hours, on one day of the week or around the ends
//! of months (time-dependent), or only where a part of the tests ran, or all (order-dependent). Each is Fisher's exact test (R. A. Fisher,
//! "Statistical Methods for Research Workers", 1934, §21.02) in its extreme case: of N units with n of the kind, all K that failed are of the
//! kind with chance (n/N)·((n−1)/(N−1))···. Units are commits or days, not runs, as a bad commit or day fails many runs. The chance is multiplied
//! by how many such kinds were looked at (Bonferroni).

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{Class, Strength, Test, cause};
use crate::flakes::history::History;

/// The chance of a coincidence that is left.
const CHANCE: f64 = 0.001;

/// Fewer failures than this, on commits or days of their own, have nothing in common.
const LEAST: usize = 3;

/// So many different messages of a test are read, the newest first.
const MOST_MESSAGES: usize = 16;

/// Longest window of the day that is looked for, in hours.
const WINDOW: u8 = 6;

/// Windows of the day, days of the week, and the ends of months: how many kinds of time are looked at.
const KINDS_OF_TIME: f64 = 24.0 * WINDOW as f64 + 7.0 + 1.0;

/// Why a test fails, over its history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Nothing where neither messages nor history tell.
    pub(crate) class: Option<Class>,
    /// How sure that is, between zero and one.
    pub(crate) confidence: f64,
    /// The words of a message, or a sentence about the history.
    pub(crate) evidence: Vec<String>,
    /// Of the last failures with a message, so many say so.
    pub(crate) agreeing: u64,
    /// The last failures with a message.
    pub(crate) read: u64,
}

/// When a run was.
#[derive(Debug, Clone, Copy)]
struct When {
    /// Days since 1970.
    day: i64,
    hour: u8,
    /// Sunday is 0.
    weekday: u8,
    month: i32,
    /// The first or last day of a month.
    is_edge: bool,
}

/// Looks for the causes of the tests of a history.
#[derive(Debug)]
pub(crate) struct Causes<'h> {
    history: &'h History,
    /// For each run.
    when: Vec<When>,
}

impl<'h> Causes<'h> {
    pub(crate) fn of(history: &'h History) -> Self {
        let when = |run: &crate::flakes::history::Run| {
            let date = run.at.to_zoned(TimeZone::UTC);
            When {
                day: run.at.as_second().div_euclid(24 * 3600),
                hour: date.hour().unsigned_abs(),
                weekday: date.weekday().to_sunday_zero_offset().unsigned_abs(),
                month: i32::from(date.year()) * 12 + i32::from(date.month()),
                is_edge: date.day() == 1 || date.day() == date.days_in_month(),
            }
        };
        Self {
            history,
            when: history.runs.iter().map(when).collect(),
        }
    }

    /// Returns why a test fails that has failed.
    pub(crate) fn find(&self, test: u32) -> Found {
        let said = self.said(test);
        if said.class.is_some() {
            return said;
        }
        let Some((class, sentence)) = self.in_common(test) else {
            return said;
        };
        Found {
            class: Some(class),
            confidence: Strength::Past.confidence(),
            evidence: vec![sentence],
            ..said
        }
    }

    /// What most of the failures say that say anything.
    fn said(&self, test: u32) -> Found {
        let (suite, name) = self.history.test(test);
        let mut known: BTreeMap<u32, Option<super::Cause>> = BTreeMap::new();
        let mut votes: BTreeMap<Class, (u64, super::Cause)> = BTreeMap::new();
        let (mut read, mut decided) = (0, 0);
        for (number, message) in self.history.messages_of(test) {
            if !known.contains_key(&number) {
                if known.len() >= MOST_MESSAGES {
                    continue;
                }
                known.insert(number, cause(Test { suite, name }, message));
            }
            read += 1;
            let Some(Some(found)) = known.get(&number) else {
                continue;
            };
            decided += 1;
            let vote = votes
                .entry(found.class)
                .or_insert_with(|| (0, found.clone()));
            vote.0 += 1;
            if found.strength > vote.1.strength {
                vote.1 = found.clone();
            }
        }
        // Of classes with equally many, the first in their order.
        let mut best: Option<(u64, super::Cause)> = None;
        for (count, cause) in votes.into_values() {
            if best.as_ref().is_none_or(|(most, _)| count > *most) {
                best = Some((count, cause));
            }
        }
        let Some((agreeing, cause)) = best else {
            return Found {
                class: None,
                confidence: 0.0,
                evidence: Vec::new(),
                agreeing: 0,
                read,
            };
        };
        Found {
            class: Some(cause.class),
            confidence: cause.strength.confidence() * share(agreeing, decided),
            evidence: cause.evidence,
            agreeing,
            read,
        }
    }

    /// What all failures have in common, with a sentence about it.
    fn in_common(&self, test: u32) -> Option<(Class, String)> {
        let failed = self.history.failed_runs(test);
        // A look at the failures alone leaves few tests whose passes are worth a look.
        if failed.len() < LEAST || !self.may_have_in_common(&failed) {
            return None;
        }
        let seen: Vec<Unit> = self
            .history
            .observations(test)
            .iter()
            .filter_map(|seen| self.unit(seen))
            .collect();
        in_one_environment(&seen)
            .map(|number| {
                let place = self.history.environment(number);
                (
                    Class::Environment,
                    format!("it failed only in {place}, and not where else it ran"),
                )
            })
            .or_else(|| {
                at_some_time(&seen)
                    .map(|when| (Class::TimeDependent, format!("it failed only {when} (UTC)")))
            })
            .or_else(|| {
                among_some_tests(&seen).map(|which| {
                    (
                        Class::OrderDependent,
                        format!("it failed only in runs of {which}"),
                    )
                })
            })
    }

    fn unit(&self, seen: &crate::flakes::verdict::Observation) -> Option<Unit> {
        Some(Unit {
            commit: seen.commit,
            environment: seen.environment,
            when: *self.when.get(seen.run as usize)?,
            is_part: !self.history.runs.get(seen.run as usize)?.absent.is_empty(),
            failed: seen.failures > 0,
        })
    }

    fn may_have_in_common(&self, failed: &[(u32, u32)]) -> bool {
        let same = |of: &dyn Fn(u32) -> i64| {
            let mut values = failed.iter().map(|&(run, _)| of(run));
            values
                .next()
                .is_some_and(|first| values.all(|value| value == first))
        };
        let when = |run: u32| self.when.get(run as usize);
        let environment = failed
            .iter()
            .all(|(_, environment)| Some(environment) == failed.first().map(|(_, first)| first));
        let hours = failed.iter();
        let hours = hours.filter_map(|(run, _)| Some(when(*run)?.hour));
        let hours: BTreeSet<u8> = crate::order::set(hours);
        let part = |run: u32| {
            i64::from(
                self.history
                    .runs
                    .get(run as usize)
                    .is_some_and(|run| !run.absent.is_empty()),
            )
        };
        environment
            || window(&hours).is_some()
            || same(&|run| when(run).map_or(-1, |when| i64::from(when.weekday)))
            || failed
                .iter()
                .all(|(run, _)| when(*run).is_some_and(|when| when.is_edge))
            || same(&part)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    let small = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if whole == 0 {
        0.0
    } else {
        small(part) / small(whole)
    }
}

/// One observation.
#[derive(Debug, Clone, Copy)]
struct Unit {
    commit: u32,
    environment: u32,
    when: When,
    /// Whether other tests of its list did not run with it.
    is_part: bool,
    failed: bool,
}

/// Of things that failed or not, each of a kind or not: the chance that all that failed are of the kind; nothing where one is not.
struct Tried<K>(BTreeMap<K, (bool, bool)>);

impl<K: Ord> Tried<K> {
    fn of(units: impl Iterator<Item = (K, bool, bool)>) -> Self {
        let mut tried: BTreeMap<K, (bool, bool)> = BTreeMap::new();
        for (key, is_of_kind, failed) in units {
            let unit = tried.entry(key).or_insert((is_of_kind, false));
            unit.1 |= failed;
        }
        Self(tried)
    }

    /// How many failed, where no more than one of each group counts.
    fn chance<G: Ord>(&self, group: impl Fn(&K) -> G) -> Option<f64> {
        let failed: Vec<_> = self.0.iter().filter(|(_, (_, failed))| *failed).collect();
        if failed.iter().any(|(_, (is_of_kind, _))| !is_of_kind) {
            return None;
        }
        let failures = failed.into_iter().map(|(key, _)| group(key));
        let failures = crate::order::set(failures).len();
        if failures < LEAST {
            return None;
        }
        let all = self.0.len();
        let of_kind = self
            .0
            .values()
            .filter(|(is_of_kind, _)| *is_of_kind)
            .count();
        let chance = (0..failures).map(|before| {
            let left = |n: usize| u64::try_from(n.saturating_sub(before)).unwrap_or(0);
            share(left(of_kind), left(all))
        });
        Some(chance.product())
    }
}

/// Returns the only environment in which it fails, where that is no coincidence.
fn in_one_environment(seen: &[Unit]) -> Option<u32> {
    let environments: BTreeSet<u32> = seen.iter().map(|unit| unit.environment).collect();
    let only = seen.iter().find(|unit| unit.failed)?.environment;
    let tried = Tried::of(seen.iter().map(|unit| {
        (
            (unit.commit, unit.environment),
            unit.environment == only,
            unit.failed,
        )
    }));
    let chance = tried.chance(|(commit, _)| *commit)?;
    (chance * share(environments.len() as u64, 1) < CHANCE).then_some(only)
}

/// Returns the only time at which it fails, where that is no coincidence.
fn at_some_time(seen: &[Unit]) -> Option<String> {
    const DAYS: [&str; 7] = [
        "Sundays",
        "Mondays",
        "Tuesdays",
        "Wednesdays",
        "Thursdays",
        "Fridays",
        "Saturdays",
    ];
    let is_no_accident =
        |chance: Option<f64>| chance.is_some_and(|chance| chance * KINDS_OF_TIME < CHANCE);
    let failed = || seen.iter().filter(|unit| unit.failed).map(|unit| unit.when);
    let hours: BTreeSet<u8> = crate::order::set(failed().map(|when| when.hour));
    if let Some((first, length)) = window(&hours) {
        let is_inside = |hour: u8| (hour + 24 - first) % 24 < length;
        let tried = Tried::of(seen.iter().map(|unit| {
            (
                (unit.when.day, unit.when.hour),
                is_inside(unit.when.hour),
                unit.failed,
            )
        }));
        if is_no_accident(tried.chance(|(day, _)| *day)) {
            return Some(format!("from {first}:00 to {}:00", (first + length) % 24));
        }
    }
    let weekday = failed().next()?.weekday;
    let tried = Tried::of(
        seen.iter()
            .map(|unit| (unit.when.day, unit.when.weekday == weekday, unit.failed)),
    );
    if is_no_accident(tried.chance(|day| *day)) {
        return Some(format!("on {}", DAYS.get(usize::from(weekday))?));
    }
    let tried = Tried::of(seen.iter().map(|unit| {
        (
            (unit.when.month, unit.when.day),
            unit.when.is_edge,
            unit.failed,
        )
    }));
    is_no_accident(tried.chance(|(month, _)| *month))
        .then(|| "on the first or last day of a month".to_owned())
}

/// Returns the shortest window of the day that holds these hours, by its first hour and length, where it is short enough.
fn window(hours: &BTreeSet<u8>) -> Option<(u8, u8)> {
    let windows = hours.iter().map(|&first| {
        let length = hours
            .iter()
            .map(|hour| (hour + 24 - first) % 24)
            .max()
            .unwrap_or(0)
            + 1;
        (length, first)
    });
    windows
        .min()
        .filter(|(length, _)| *length <= WINDOW)
        .map(|(length, first)| (first, length))
}

/// Returns whether it fails only where a part of the tests runs, or only where all do, within one environment.
fn among_some_tests(seen: &[Unit]) -> Option<&'static str> {
    let is_part = seen.iter().find(|unit| unit.failed)?.is_part;
    let environments: BTreeSet<u32> = seen
        .iter()
        .filter(|unit| unit.failed)
        .map(|unit| unit.environment)
        .collect();
    let mut chances = environments.iter().filter_map(|&environment| {
        let own = seen.iter().filter(|unit| unit.environment == environment);
        Tried::of(own.map(|unit| {
            (
                (unit.commit, unit.is_part),
                unit.is_part == is_part,
                unit.failed,
            )
        }))
        .chance(|(commit, _)| *commit)
    });
    let is_no_accident = |chance: f64| chance * 2.0 * share(environments.len() as u64, 1) < CHANCE;
    let which = if is_part {
        "a part of the tests"
    } else {
        "all tests"
    };
    chances.any(is_no_accident).then_some(which)
}
