//! From results to events: a list, unless it is stored already, and for each run what differs from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::test_list::{KnownLists, Placed};
use super::test_run::Differences;
use super::test_timing::encode_timing;
use crate::event::{Event, Origin};
use crate::flakes::duration::Time;
use crate::flakes::lists::{Listed, gaps};
use crate::flakes::neutral::{Group, NeutralFile};
use crate::flakes::results::{Results, expected};
use crate::flakes::timing::Sample;
use crate::junit::Counts;
use crate::sha::Sha;

/// What a run is filed under, beside its results.
#[derive(Debug, Clone)]
pub(crate) struct Filing {
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) leg: String,
    /// Digests of the report files, sorted.
    pub(crate) files: Vec<Sha>,
}

/// Encodes the results of one run.
pub(crate) fn encode_run(
    results: &Results,
    counts: &Counts,
    filing: &Filing,
    known: &mut KnownLists,
) -> Result<Vec<Event>, serde_json::Error> {
    // A million rows are looked at twice rather than kept.
    let order = results.order();
    let rows = || order.iter().map(|&at| results.at(at));
    let listed: Vec<Listed<'_>> = rows()
        .map(|row| Listed {
            suite: row.suite,
            name: row.name,
            expected: expected(&row.sequence),
            duration: row.time.duration(),
        })
        .collect();
    let placed = known.place(&listed, filing.at);
    let mut present = vec![false; placed.fit.length as usize];
    let mut differs = Differences::default();
    let mut times = Vec::new();
    for (number, row) in rows().enumerate() {
        let place = placed.fit.places[number];
        present[place as usize] = true;
        times.push((place, row.time));
        let expected = placed.expected(number, &listed[number]);
        differs.add(place, &row.sequence, expected, row.message);
    }
    let absent = gaps(present.into_iter());
    let timing = timing(filing, &placed, &absent, &times, known)?;
    let run = differs.into_event(filing, &placed.id, absent, counts)?;
    Ok(placed
        .event
        .into_iter()
        .chain([run])
        .chain(timing)
        .collect())
}

/// Encodes what the tests of a run took, unless that is known for the day.
fn timing(
    filing: &Filing,
    placed: &Placed,
    absent: &[(u32, u32)],
    times: &[(u32, Time)],
    known: &mut KnownLists,
) -> Result<Option<Event>, serde_json::Error> {
    let Some(sample) = Sample::of(times) else {
        return Ok(None);
    };
    let day = filing.at.to_zoned(TimeZone::UTC).date();
    let is_news = known.timed.note(&filing.origin.job, &filing.leg, day);
    is_news
        .then(|| encode_timing(filing, &placed.id, absent, &sample))
        .transpose()
}

/// Encodes a file in the neutral form: one list for each job, and one run for each group.
///
/// `filings` are those of the groups, in their order; a group whose filing is missing is left out.
pub(crate) fn encode_neutral(
    file: &NeutralFile,
    filings: &[Option<Filing>],
    known: &mut KnownLists,
) -> Result<Vec<Event>, serde_json::Error> {
    let mut jobs: BTreeMap<&str, Vec<(&Group, &Filing)>> = BTreeMap::new();
    for (group, filing) in file.groups.iter().zip(filings) {
        if let Some(filing) = filing {
            jobs.entry(&group.origin.job)
                .or_default()
                .push((group, filing));
        }
    }
    let mut events = Vec::new();
    for groups in jobs.into_values() {
        let tests = Seen::new(file, &groups);
        let first = groups.iter().map(|(_, filing)| filing.at).min();
        let placed = known.place(&tests.listed, first.unwrap_or(Timestamp::UNIX_EPOCH));
        for (group, filing) in groups {
            events.extend(encode_group(group, filing, &tests, &placed, known)?);
        }
        events.extend(placed.event);
    }
    Ok(events)
}

/// The tests of several groups, as one list.
struct Seen<'f> {
    listed: Vec<Listed<'f>>,
    /// For each test of the file, its number in the list.
    numbers: BTreeMap<u32, usize>,
}

impl<'f> Seen<'f> {
    fn new(file: &'f NeutralFile, groups: &[(&Group, &Filing)]) -> Self {
        struct Test {
            number: u32,
            was_executed: bool,
            time: Time,
        }
        let mut seen: BTreeMap<(&str, &str), Test> = BTreeMap::new();
        for (group, _) in groups {
            for test in group.tests() {
                let entry = seen.entry(file.test(test.test)).or_insert(Test {
                    number: test.test,
                    was_executed: false,
                    time: Time::UNKNOWN,
                });
                // Whether a test was ever executed decides what is expected of it.
                entry.was_executed |= test.sequence != "s";
                entry.time = entry.time.longest(test.time);
            }
        }
        let numbers = crate::order::map(seen.values().map(|test| test.number).zip(0..));
        let listed = seen.into_iter().map(|((suite, name), test)| Listed {
            suite,
            name,
            expected: Cow::Borrowed(if test.was_executed { "p" } else { "s" }),
            duration: test.time.duration(),
        });
        Self {
            listed: listed.collect(),
            numbers,
        }
    }
}

fn encode_group(
    group: &Group,
    filing: &Filing,
    tests: &Seen<'_>,
    placed: &Placed,
    known: &mut KnownLists,
) -> Result<Vec<Event>, serde_json::Error> {
    let mut present = vec![false; placed.fit.length as usize];
    let mut differs = Differences::default();
    let mut times = Vec::new();
    for test in &group.tests() {
        let Some(&number) = tests.numbers.get(&test.test) else {
            continue;
        };
        let place = placed.fit.places[number];
        present[place as usize] = true;
        times.push((place, test.time));
        let expected = placed.expected(number, &tests.listed[number]);
        differs.add(place, &test.sequence, expected, test.message);
    }
    let absent = gaps(present.into_iter());
    let timing = timing(filing, placed, &absent, &times, known)?;
    let run = differs.into_event(filing, &placed.id, absent, &group.counts)?;
    Ok([run].into_iter().chain(timing).collect())
}
