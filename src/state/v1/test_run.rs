//! `test_run`: how one run of a job went, as what differs from its list of tests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Filing, LineProblem, StoredEvent, TEST_RUN, bad_payload};
use crate::event::Event;
use crate::flakes::history::Run;
use crate::flakes::results::{Interner, kinds};
use crate::flakes::stated::{Stated, of_sequence};
use crate::flakes::{messages, places};
use crate::json;
use crate::junit::Counts;
use crate::sha::Sha;

/// Keys are sorted, as in all of the state. Sets of places are written as `flakes::places` says.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct RunRecord {
    /// Ranges of the list that did not run: first place and length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) absent: Vec<(u32, u32)>,
    /// Counts of the reports' elements, where the results do not give them.
    #[serde(default, skip_serializing_if = "CountsRecord::is_empty")]
    pub(super) counts: CountsRecord,
    /// For each sequence other than the expected one, the places of its tests in the list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) differs: BTreeMap<String, String>,
    files: Vec<String>,
    #[serde(default)]
    pub(super) leg: String,
    list: String,
    /// For each message, the places of the tests that failed with it; an empty set for all that failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) messages: BTreeMap<String, String>,
}

macro_rules! counts_record {
    ($($name:ident),+) => {
        #[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq)]
        pub(super) struct CountsRecord {
            $(#[serde(default, skip_serializing_if = "Option::is_none")] $name: Option<u64>,)+
        }

        impl CountsRecord {
            fn is_empty(&self) -> bool {
                *self == Self::default()
            }

            pub(super) fn all(&self) -> impl Iterator<Item = u64> {
                [$(self.$name),+].into_iter().flatten()
            }
        }

        impl From<Stated> for CountsRecord {
            fn from(stated: Stated) -> Self {
                Self { $($name: stated.$name),+ }
            }
        }

        impl From<CountsRecord> for Stated {
            fn from(record: CountsRecord) -> Self {
                Self { $($name: record.$name),+ }
            }
        }
    };
}

counts_record!(
    attempts, cases, disabled, errored, failed, passed, skipped, suites
);

/// What of a run differs from its list.
#[derive(Default)]
pub(super) struct Differences {
    differs: BTreeMap<String, Vec<u32>>,
    messages: BTreeMap<String, Vec<u32>>,
    /// The counts that all results of the run give.
    results: Counts,
}

impl Differences {
    /// Adds a result, with what the list expects.
    pub(super) fn add(&mut self, place: u32, sequence: &str, expected: &str, message: &str) {
        self.results.add(&of_sequence(sequence));
        if sequence == expected {
            return;
        }
        self.differs
            .entry(sequence.to_owned())
            .or_default()
            .push(place);
        if !message.is_empty() {
            self.messages
                .entry(message.to_owned())
                .or_default()
                .push(place);
        }
    }

    pub(super) fn into_event(
        self,
        filing: &Filing,
        list: &Sha,
        absent: Vec<(u32, u32)>,
        counts: &Counts,
    ) -> Result<Event, serde_json::Error> {
        let mut failed = Vec::new();
        let mut differs = BTreeMap::new();
        for (sequence, mut places) in self.differs {
            places.sort_unstable();
            if sequence.contains(['f', 'e']) {
                failed.extend_from_slice(&places);
            }
            differs.insert(sequence, places::write(&places));
        }
        failed.sort_unstable();
        let text = |places: Vec<u32>| {
            if places == failed {
                String::new()
            } else {
                places::write(&places)
            }
        };
        let messages = messages::group(self.messages).into_iter();
        let record = RunRecord {
            absent,
            counts: Stated::new(counts, &self.results).into(),
            differs,
            files: filing.files.iter().map(Sha::to_string).collect(),
            leg: filing.leg.clone(),
            list: list.to_string(),
            messages: crate::order::map(messages.map(|(message, places)| (message, text(places)))),
        };
        let payload = serde_json::to_string(&record)?;
        Ok(Event::new(
            TEST_RUN,
            filing.at,
            filing.origin.clone(),
            payload,
        ))
    }
}

fn sha(text: &str) -> Result<Sha, LineProblem> {
    Sha::parse(text).ok_or_else(|| LineProblem::BadPayload(format!("`{text}` is no digest")))
}

pub(super) fn places_of(text: &str) -> Result<Vec<u32>, LineProblem> {
    let wrong = || LineProblem::BadPayload(format!("`{text}` is no set of places"));
    places::read(text).ok_or_else(wrong)
}

/// What a `test_run` refers to.
#[derive(Debug)]
pub(crate) struct RunHead {
    /// Which shard or axis of the job.
    pub(crate) leg: String,
    /// Digests of the report files.
    pub(crate) files: Vec<Sha>,
    /// The list of tests.
    pub(crate) list: Sha,
}

/// Reads what a `test_run` refers to, and no results.
pub(crate) fn head_of_run(event: &StoredEvent<'_>) -> Result<RunHead, LineProblem> {
    #[derive(Deserialize)]
    struct HeadRecord {
        files: Vec<String>,
        #[serde(default)]
        leg: String,
        list: String,
    }
    let record: HeadRecord = json::read(event.payload).map_err(bad_payload)?;
    Ok(RunHead {
        leg: record.leg,
        files: record
            .files
            .iter()
            .map(|file| sha(file))
            .collect::<Result<_, _>>()?,
        list: sha(&record.list)?,
    })
}

/// Whether a test of a `test_run` failed and did not pass later.
pub(crate) fn has_failed(event: &StoredEvent<'_>) -> Result<bool, LineProblem> {
    #[derive(Deserialize)]
    struct Differs<'a> {
        #[serde(borrow, default)]
        differs: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    }
    let record: Differs<'_> = json::read(event.payload).map_err(bad_payload)?;
    let fails = |sequence: &str| kinds(sequence).any(|(kind, _)| kind.ends_with(['f', 'e']));
    Ok(record.differs.keys().any(|sequence| fails(sequence)))
}

/// Reads a `test_run`; its sequences get numbers.
pub(crate) fn decode_run(
    event: &StoredEvent<'_>,
    sequences: &mut Interner,
) -> Result<Run, LineProblem> {
    decode(event, sequences).map(|(run, _)| run)
}

/// The same with its messages, each with the places of its tests.
pub(super) fn decode(
    event: &StoredEvent<'_>,
    sequences: &mut Interner,
) -> Result<(Run, BTreeMap<String, String>), LineProblem> {
    let record: RunRecord = json::read(event.payload).map_err(bad_payload)?;
    let mut differs = Vec::new();
    for (sequence, places) in &record.differs {
        let sequence = sequences.number(sequence);
        let places = places_of(places)?.into_iter();
        differs.extend(places.map(|place| (place, sequence)));
    }
    let files: Result<_, _> = record.files.iter().map(|file| sha(file)).collect();
    let mut run = Run {
        id: event.id,
        at: event.at,
        origin: event.origin.clone(),
        leg: record.leg,
        files: files?,
        list: sha(&record.list)?,
        differs,
        absent: record.absent,
        stated: record.counts.into(),
        counts: Counts::default(),
    };
    run.tidy();
    Ok((run, record.messages))
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    let record: RunRecord = json::read(event.payload).map_err(bad_payload)?;
    for places in record.messages.values() {
        places_of(places)?;
    }
    decode_run(event, &mut Interner::default()).map(drop)
}
