//! `test_timing`: how long the tests of a run took, version 1. One a day of each job and leg is kept.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::judge::RunDemand;
use super::test_run::places_of;
use super::{Filing, LineProblem, StoredEvent, TEST_TIMING, bad_payload};
use crate::event::Event;
use crate::flakes::places;
use crate::flakes::timing::{MOST_KEPT, Sample, Timing};
use crate::json;
use crate::sha::Sha;

/// Keys are sorted, as in all of the state.
#[derive(Serialize, Deserialize)]
struct TimingRecord {
    /// Ranges of the list that did not run: first place and length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent: Vec<(u32, u32)>,
    /// The day (UTC) that it is the sample of: unlike the event's time it is part of the event's identity, so that copies with other
    /// times stay samples of one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    leg: String,
    list: String,
    /// Milliseconds of the heaviest tests.
    ms: Vec<u32>,
    /// Their places in the list, as `flakes::places` writes them.
    places: String,
    /// How many others have a time.
    rest: u32,
    /// What those take all together, in milliseconds.
    rest_ms: u64,
}

/// Encodes a sample.
pub(super) fn encode_timing(
    filing: &Filing,
    list: &Sha,
    absent: &[(u32, u32)],
    sample: &Sample,
) -> Result<Event, serde_json::Error> {
    let (at, ms): (Vec<u32>, Vec<u32>) = sample.heavy.iter().copied().unzip();
    let record = TimingRecord {
        absent: absent.to_vec(),
        day: Some(filing.at.to_zoned(TimeZone::UTC).date()),
        leg: filing.leg.clone(),
        list: list.to_string(),
        ms,
        places: places::write(&at),
        rest: sample.rest,
        rest_ms: sample.rest_ms,
    };
    let payload = serde_json::to_string(&record)?;
    let origin = filing.origin.clone();
    Ok(Event::new(TEST_TIMING, filing.at, origin, payload))
}

/// Decodes a sample.
pub(crate) fn decode_timing(event: &StoredEvent<'_>) -> Result<Timing, LineProblem> {
    let wrong = |problem: &str| LineProblem::BadPayload(problem.to_owned());
    let record: TimingRecord = json::read(event.payload).map_err(bad_payload)?;
    let places = places_of(&record.places)?;
    if places.len() != record.ms.len() {
        return Err(wrong("it has not one time for each place"));
    }
    let list = Sha::parse(&record.list).ok_or_else(|| wrong("its list is no digest"))?;
    Ok(Timing {
        id: event.id,
        at: event.at,
        day: record
            .day
            .unwrap_or_else(|| event.at.to_zoned(TimeZone::UTC).date()),
        job: event.origin.job.clone(),
        leg: record.leg,
        list,
        absent: record.absent,
        sample: Sample {
            heavy: places.into_iter().zip(record.ms).collect(),
            rest: record.rest,
            rest_ms: record.rest_ms,
        },
    })
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_timing(event).map(drop)
}

/// Reads a stranger's sample; returns what it asks of its list.
pub(crate) fn judge_timing(event: &StoredEvent<'_>) -> Result<RunDemand, LineProblem> {
    let wrong = |problem: &str| Err(LineProblem::BadPayload(problem.to_owned()));
    // Four digits a place, and two numbers a range.
    if event.payload.len() > 64 * MOST_KEPT + LONGEST_ABSENT {
        return wrong("it is longer than samples are");
    }
    let timing = decode_timing(event)?;
    if timing.sample.heavy.len() > MOST_KEPT {
        return wrong("it has more tests than are kept one by one");
    }
    let mut end = 0;
    for &(first, length) in &timing.absent {
        if length == 0 || (first <= end && end > 0) || first.checked_add(length).is_none() {
            return wrong("what is absent is not in order");
        }
        end = first + length;
    }
    let last = timing
        .sample
        .heavy
        .last()
        .map_or(0, |(place, _)| place.saturating_add(1));
    Ok(RunDemand {
        list: timing.list,
        end: end.max(last),
        results: 0,
    })
}

/// A shard of a million tests leaves out no more ranges than these bytes hold.
const LONGEST_ABSENT: usize = 4 * 1024 * 1024;
