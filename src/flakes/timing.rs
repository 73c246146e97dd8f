//! How long tests take: what is kept of a run, and what it lets expect of the next one.
//!
//! The heaviest tests of a run are kept with their own time, the others with their mean. One run a day of each job and leg
//! is kept. What is expected of a test is the median of the last five days that have it. Invariant: the answer depends on
//! the set of samples alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::duration::Time;
use super::history::HistoryBuilder;
use super::stored_lists::{LaidOut, join_ranges};
use crate::sha::Sha;

/// The heaviest tests that take so much of the whole are kept one by one, in hundredths.
const KEPT: f64 = 97.0;

/// And never more than so many.
pub(crate) const MOST_KEPT: usize = 1_500;

/// The median of so many days is expected.
const DAYS: usize = 5;

/// No more samples are looked at: those of half a year of a job, or of a month of many legs.
const MOST_SAMPLES: usize = 200;

/// What a run's tests took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sample {
    /// The heaviest tests: place in the list and milliseconds, in order of place.
    pub(crate) heavy: Vec<(u32, u32)>,
    /// How many others have a time.
    pub(crate) rest: u32,
    /// What they take all together, in milliseconds.
    pub(crate) rest_ms: u64,
}

impl Sample {
    /// Takes what is worth keeping of a run; nothing when its report names no time.
    pub(crate) fn of(times: &[(u32, Time)]) -> Option<Self> {
        let known = times
            .iter()
            .filter_map(|(place, time)| Some((*place, time.milliseconds()?)));
        let mut known: Vec<(u32, f64)> = known.collect();
        let total: f64 = known.iter().map(|(_, ms)| ms).sum();
        if total < 1.0 {
            return None;
        }
        crate::order::sort_by(&mut known, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut taken = 0.0;
        let heavy = known.iter().take(MOST_KEPT).take_while(|(_, ms)| {
            let is_needed = taken * 100.0 < total * KEPT && *ms >= 1.0;
            taken += ms;
            is_needed
        });
        let mut heavy: Vec<(u32, u32)> = heavy.map(|(place, ms)| (*place, whole(*ms))).collect();
        let rest = &known[heavy.len()..];
        heavy.sort_unstable();
        Some(Self {
            heavy,
            rest: u32::try_from(rest.len()).unwrap_or(u32::MAX),
            rest_ms: u64::from(whole(rest.iter().map(|(_, ms)| ms).sum())),
        })
    }

    /// Returns what one of the others takes, in milliseconds.
    fn light(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        let all = self.rest_ms as f64;
        all / f64::from(self.rest.max(1))
    }
}

fn whole(ms: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and is not negative"
    )]
    let whole = ms.round() as u32;
    whole
}

/// For which job, leg and day there is a sample.
#[derive(Debug, Default)]
pub(crate) struct Timed(HashSet<(String, String, Date)>);

impl Timed {
    /// Notes a sample; tells whether it is the first of its day.
    pub(crate) fn note(&mut self, job: &str, leg: &str, day: Date) -> bool {
        self.0.insert((job.to_owned(), leg.to_owned(), day))
    }
}

/// A stored sample.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    pub(crate) id: Sha,
    pub(crate) at: Timestamp,
    /// The day (UTC) that it is the sample of.
    pub(crate) day: Date,
    pub(crate) job: String,
    pub(crate) leg: String,
    pub(crate) list: Sha,
    /// Ranges of the list that did not run: first place and length.
    pub(crate) absent: Vec<(u32, u32)>,
    pub(crate) sample: Sample,
}

/// Stored samples, one a day of each job and leg.
#[derive(Debug, Default)]
pub(crate) struct Timings(BTreeMap<(Date, String, String), Timing>);

impl Timings {
    /// Returns what the tests of each job take in minutes, all legs of a day together: the median of the last days that have a sample.
    pub(crate) fn minutes(&self) -> BTreeMap<String, f64> {
        let mut days: BTreeMap<&str, BTreeMap<Date, f64>> = BTreeMap::new();
        for ((day, job, _), timing) in &self.0 {
            let heavy = timing.sample.heavy.iter().map(|(_, ms)| f64::from(*ms));
            let all = heavy.sum::<f64>() + timing.sample.light() * f64::from(timing.sample.rest);
            *days.entry(job).or_default().entry(*day).or_default() += all / 60_000.0;
        }
        let minutes = days.into_iter().map(|(job, days)| {
            let mut last: Vec<f64> = days.into_values().rev().take(DAYS).collect();
            crate::order::sort_numbers(&mut last);
            (job.to_owned(), last[last.len() / 2])
        });
        crate::order::map(minutes)
    }

    /// Adds a sample; of several of a day the first counts.
    pub(crate) fn add(&mut self, timing: Timing) {
        let key = (timing.day, timing.job.clone(), timing.leg.clone());
        match self.0.entry(key) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(timing);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                let before = place.get();
                if (timing.at, timing.id) < (before.at, before.id) {
                    place.insert(timing);
                }
            }
        }
    }

    fn has_job(&self, job: &str) -> bool {
        self.0.keys().any(|(_, other, _)| other == job)
    }

    /// Keeps those of a job, where it has any: the tests of a repository are much the same in all its jobs.
    fn of_job(mut self, job: Option<&str>) -> Vec<Timing> {
        if let Some(job) = job.filter(|job| self.has_job(job)) {
            self.0.retain(|(_, other, _), _| other == job);
        }
        let newest = self.0.into_values().rev().take(MOST_SAMPLES);
        newest.collect()
    }
}

/// What is expected of each test, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// By suite and name.
    pub(crate) tests: BTreeMap<(String, String), f64>,
    /// Whether that is by samples of the job that was asked about, and not of others.
    pub(crate) is_own: bool,
}

impl HistoryBuilder {
    /// Returns how long each test of the builder's lists is expected to take, by the samples of a job.
    pub(crate) fn expect(mut self, timings: Timings, job: Option<&str>) -> Expected {
        self.lists.settle();
        let mut laid = LaidOut::default();
        let mut seen: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let is_own = job.is_some_and(|job| timings.has_job(job));
        for timing in timings.of_job(job) {
            let Some(places) = self.lists.lay_out(&timing.list, &mut laid) else {
                continue;
            };
            let heavy: HashMap<u32, u32> = timing.sample.heavy.iter().copied().collect();
            let light = timing.sample.light();
            let absent = join_ranges(timing.absent);
            let is_absent = |place: u32| {
                let after = absent.partition_point(|&(first, _)| first <= place);
                after > 0 && place - absent[after - 1].0 < absent[after - 1].1
            };
            for (place, test) in (0_u32..).zip(places.iter()) {
                let days = seen.entry(test.test).or_default();
                if days.len() < DAYS && !is_absent(place) {
                    days.push(heavy.get(&place).map_or(light, |ms| f64::from(*ms)));
                }
            }
        }
        let mut expected = Expected {
            is_own,
            ..Expected::default()
        };
        for (test, mut days) in seen {
            if days.is_empty() {
                continue;
            }
            crate::order::sort_numbers(&mut days);
            let (suite, name) = self.name_of(test);
            let key = (suite.to_owned(), name.to_owned());
            expected.tests.insert(key, middle(&days));
        }
        expected
    }
}

/// Returns the median of sorted numbers, of which there is one at least.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        f64::midpoint(sorted[half - 1], sorted[half])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[f64]) -> Vec<(u32, Time)> {
        (0..)
            .zip(ms)
            .map(|(place, ms)| (place, Time::of_milliseconds(*ms)))
            .collect()
    }

    #[test]
    fn the_heaviest_tests_are_kept_one_by_one() {
        let mut all = vec![0.5; 100];
        all[7] = 3000.4;
        all[3] = 1000.0;
        let sample = Sample::of(&times(&all)).unwrap();
        assert_eq!(sample.heavy, [(3, 1000), (7, 3000)]);
        assert_eq!((sample.rest, sample.rest_ms), (98, 49));
        assert_eq!(Sample::of(&times(&[0.1, 0.2])), None);
        assert_eq!(Sample::of(&[(0, Time::UNKNOWN)]), None);
        let many = Sample::of(&times(&vec![5.0; 4000])).unwrap();
        assert_eq!((many.heavy.len(), many.rest), (1500, 2500));
    }

    fn timing(number: u8, when: &str, heavy: &[(u32, u32)], absent: &[(u32, u32)]) -> Timing {
        Timing {
            id: Sha([number; 32]),
            at: when.parse().unwrap(),
            day: when[..10].parse().unwrap(),
            job: "test".into(),
            leg: String::new(),
            list: Sha([9; 32]),
            absent: absent.to_vec(),
            sample: Sample {
                heavy: heavy.to_vec(),
                rest: 2,
                rest_ms: 20,
            },
        }
    }

    fn expect(timings: Vec<Timing>, name: &str) -> Option<f64> {
        let mut builder = HistoryBuilder::default();
        let names = ["a", "b", "c"].into_iter();
        builder.suite(Sha([9; 32]), "s", names, &BTreeMap::new());
        let mut all = Timings::default();
        for timing in timings {
            all.add(timing);
        }
        let expected = builder.expect(all, Some("test"));
        expected.tests.get(&("s".into(), name.into())).copied()
    }

    #[test]
    fn the_median_of_the_days_that_have_a_test_is_expected() {
        let all = vec![
            timing(1, "2026-01-01T00:00:00Z", &[(0, 100)], &[]),
            timing(2, "2026-01-02T00:00:00Z", &[(0, 900)], &[]),
            timing(3, "2026-01-03T00:00:00Z", &[(0, 120)], &[(1, 1)]),
            timing(4, "2026-01-04T00:00:00Z", &[(1, 50)], &[(0, 1)]),
        ];
        assert_eq!(expect(all.clone(), "a"), Some(120.0));
        assert_eq!(expect(all.clone(), "b"), Some(10.0));
        let mut reversed = all;
        reversed.reverse();
        assert_eq!(expect(reversed, "a"), Some(120.0));
    }

    #[test]
    fn the_first_sample_of_a_day_counts_whatever_comes_first() {
        let one = timing(1, "2026-01-01T10:00:00Z", &[(0, 100)], &[]);
        let two = timing(2, "2026-01-01T11:00:00Z", &[(0, 900)], &[]);
        assert_eq!(expect(vec![two.clone(), one.clone()], "a"), Some(100.0));
        assert_eq!(expect(vec![one, two], "a"), Some(100.0));
        let mut timed = Timed::default();
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(timed.note("j", "", day("2026-01-01")));
        assert!(!timed.note("j", "", day("2026-01-01")));
        assert!(timed.note("j", "", day("2026-01-02")));
    }

    #[test]
    fn minutes_of_a_job_are_those_of_its_median_day_all_legs_together() {
        let mut all = Timings::default();
        let days = [(1, 600_000), (2, 60_000), (3, 120_000)];
        for (day, ms) in days {
            let when = format!("2026-01-0{day}T00:00:00Z");
            all.add(timing(day, &when, &[(0, ms)], &[]));
            let mut leg = timing(day + 10, &when, &[(0, 30_000)], &[]);
            leg.leg = "other".into();
            (leg.sample.rest, leg.sample.rest_ms) = (3, 29_980);
            all.add(leg);
        }
        let minutes = all.minutes();
        assert_eq!(minutes.keys().collect::<Vec<_>>(), ["test"]);
        // Of 11, 2 and 3 minutes.
        assert!((minutes["test"] - 3.0).abs() < 1e-9, "{minutes:?}");
        // Five days count, the last ones.
        for day in 4..=8 {
            all.add(timing(
                day,
                &format!("2026-01-0{day}T00:00:00Z"),
                &[(0, 180_000)],
                &[],
            ));
        }
        assert!((all.minutes()["test"] - 3.0 - 20.0 / 60_000.0).abs() < 1e-9);
    }
}
