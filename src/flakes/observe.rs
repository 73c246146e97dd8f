//! What happened to one test, run by run.

use std::collections::HashMap;
use std::iter::Peekable;
use std::slice;

use super::history::{History, Mark};
use super::tally::Weight;
use super::verdict::Observation;

/// Where a test stands in a list, and what is expected of it there.
#[derive(Clone, Copy)]
enum Standing {
    /// Nobody has looked yet.
    Unknown,
    /// It is not in the list.
    Absent,
    At {
        place: u32,
        expected: Option<u32>,
    },
}

/// A look at one name of a test, run by run.
struct Look<'h> {
    test: u32,
    /// By list.
    standings: Vec<Standing>,
    /// Where it went other than expected.
    deviations: Peekable<slice::Iter<'h, (u32, u32)>>,
}

impl<'h> Look<'h> {
    fn new(history: &'h History, test: u32) -> Self {
        let lists = history
            .marks
            .iter()
            .map(|mark| mark.list as usize + 1)
            .max();
        let deviations = history.deviations.get(&test).map_or(&[][..], Vec::as_slice);
        Self {
            test,
            standings: vec![Standing::Unknown; lists.unwrap_or(0)],
            deviations: deviations.iter().peekable(),
        }
    }

    /// Returns how it went in a run, later than those before; nothing where it was not executed.
    fn weight(&mut self, history: &'h History, number: u32) -> Option<&'h Weight> {
        let (run, mark) = (
            &history.runs[number as usize],
            &history.marks[number as usize],
        );
        // A hostile list may name a test twice; its first place counts.
        while self.deviations.next_if(|(at, _)| *at < number).is_some() {}
        let deviation = self.deviations.next_if(|(at, _)| *at == number);
        let standing = &mut self.standings[mark.list as usize];
        if matches!(standing, Standing::Unknown) {
            *standing = history.standing(number, self.test);
        }
        let Standing::At { place, expected } = *standing else {
            return None;
        };
        let sequence = match (deviation, expected) {
            (Some((_, sequence)), _) => *sequence,
            (None, _) if run.is_absent(place) => return None,
            (None, Some(expected)) => expected,
            (None, None) => history.weights.passed,
        };
        Some(history.weights.at(sequence)).filter(|weight| weight.executions > 0)
    }
}

impl History {
    /// Returns what happened, run by run and oldest first, to a test that failed at least once; nothing for any other.
    ///
    /// Laid out anew each time: ten thousand tests that one outage failed, over a year of runs, would not fit in memory.
    /// Reports that were stored one by one for the same attempt are one observation.
    pub(crate) fn observations(&self, test: u32) -> Vec<Observation> {
        let all = 0..u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        self.observe(test, all)
    }

    /// Returns what happened to a test where it failed: the attempts of one thing are there together or not at all.
    ///
    /// Passes on retry are found there, and a year of runs need not be looked through for each test that ever failed.
    pub(super) fn observations_around_failures(&self, test: u32) -> Vec<Observation> {
        let deviations = self.deviations.get(&test).into_iter().flatten();
        let mut places: Vec<u32> = deviations
            .map(|(run, _)| self.marks[*run as usize].place)
            .collect();
        places.sort_unstable();
        places.dedup();
        let mut runs: Vec<u32> = Vec::with_capacity(places.len());
        for place in places {
            let first = self.by_place.partition_point(|(other, _)| *other < place);
            let same = self.by_place[first..]
                .iter()
                .take_while(|(other, _)| *other == place);
            runs.extend(same.map(|(_, run)| run));
        }
        runs.sort_unstable();
        self.observe(test, runs.into_iter())
    }

    fn observe(&self, test: u32, runs: impl Iterator<Item = u32>) -> Vec<Observation> {
        let former = self.former.get(&test).into_iter().flatten();
        let mut looks: Vec<Look<'_>> = [&test]
            .into_iter()
            .chain(former)
            .map(|test| Look::new(self, *test))
            .collect();
        if looks.iter().all(|look| look.deviations.len() == 0) {
            return Vec::new();
        }
        let mut observations: Vec<Observation> = Vec::new();
        let mut known: HashMap<(u32, u32), usize> = HashMap::new();
        for number in runs {
            let (run, mark) = (&self.runs[number as usize], &self.marks[number as usize]);
            for weight in looks
                .iter_mut()
                .filter_map(|look| look.weight(self, number))
            {
                let seen = seen(number, mark, run.origin.attempt, weight);
                if !mark.is_shared {
                    observations.push(seen);
                    continue;
                }
                match known.get(&(seen.place, seen.attempt)) {
                    Some(&at) => observations[at].join(&seen),
                    None => {
                        known.insert((seen.place, seen.attempt), observations.len());
                        observations.push(seen);
                    }
                }
            }
        }
        observations
    }

    /// Returns how a test went in a run; nothing where it did not run.
    pub(super) fn weight(&self, run: u32, test: u32) -> Option<&Weight> {
        let stored = self.runs.get(run as usize)?;
        let place = self.lists.place(&stored.list, test)?;
        if stored.is_absent(place) {
            return None;
        }
        let differs = stored.differs.binary_search_by_key(&place, |(at, _)| *at);
        let sequence = match differs {
            Ok(at) => stored.differs[at].1,
            Err(_) => {
                let list = self.lists.get(&stored.list)?;
                self.lists
                    .expected(list, place)
                    .unwrap_or(self.weights.passed)
            }
        };
        Some(self.weights.at(sequence))
    }

    fn standing(&self, run: u32, test: u32) -> Standing {
        let id = self.runs[run as usize].list;
        let place = self.lists.place(&id, test);
        let list = self.lists.get(&id);
        match (place, list) {
            (Some(place), Some(list)) => Standing::At {
                place,
                expected: self.lists.expected(list, place),
            },
            _ => Standing::Absent,
        }
    }
}

fn seen(run: u32, mark: &Mark, attempt: u32, weight: &Weight) -> Observation {
    Observation {
        run,
        place: mark.place,
        attempt,
        has_commit: mark.has_commit,
        commit: mark.commit,
        environment: mark.environment,
        branch: mark.branch,
        executions: weight.executions,
        failures: weight.failures,
        failed: weight.failed,
        retried: weight.retried,
        step: weight.step,
    }
}
