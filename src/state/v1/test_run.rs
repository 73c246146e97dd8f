//! `test_run`: how one run of a job went, as what differs from its list of tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Filing, LineProblem, StoredEvent, TEST_RUN, bad_payload};
use crate::event::{Event, Sha};
use crate::flakes::history::Run;
use crate::junit::Counts;

/// Keys are sorted, as in all of the state.
#[derive(Serialize, Deserialize, Default)]
struct RunRecord {
    /// Ranges of the list that did not run: first place and length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent: Vec<(u32, u32)>,
    counts: CountsRecord,
    /// For each sequence other than the expected one, the places of its tests in the list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    differs: BTreeMap<String, Vec<u32>>,
    files: Vec<String>,
    #[serde(default)]
    leg: String,
    list: String,
    /// For each message, the places of the tests that failed with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    messages: BTreeMap<String, Vec<u32>>,
}

macro_rules! counts_record {
    ($($name:ident),+) => {
        /// Numbers that are zero are left out.
        #[derive(Serialize, Deserialize, Default, Clone, Copy)]
        struct CountsRecord {
            $(#[serde(default, skip_serializing_if = "is_zero")] $name: u64,)+
            #[serde(default, skip_serializing_if = "is_zero")]
            tests: u64,
        }

        impl CountsRecord {
            fn new(counts: &Counts, tests: u64) -> Self {
                Self { $($name: counts.$name,)+ tests }
            }

            fn counts(&self) -> Counts {
                Counts { $($name: self.$name,)+ }
            }
        }
    };
}

counts_record!(
    attempts, cases, disabled, errored, failed, passed, skipped, suites
);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "it is called by generated code"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What of a run differs from its list.
#[derive(Default)]
pub(super) struct Differences {
    differs: BTreeMap<String, Vec<u32>>,
    messages: BTreeMap<String, Vec<u32>>,
}

impl Differences {
    pub(super) fn add(&mut self, place: u32, sequence: &str, message: &str) {
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
        mut self,
        filing: &Filing,
        list: &Sha,
        absent: Vec<(u32, u32)>,
        counts: &Counts,
        tests: usize,
    ) -> Result<Event, serde_json::Error> {
        for places in self.differs.values_mut().chain(self.messages.values_mut()) {
            places.sort_unstable();
        }
        let record = RunRecord {
            absent,
            counts: CountsRecord::new(counts, tests as u64),
            differs: self.differs,
            files: filing.files.iter().map(Sha::to_string).collect(),
            leg: filing.leg.clone(),
            list: list.to_string(),
            messages: self.messages,
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

/// Reads a `test_run`.
pub(crate) fn decode_run(event: &StoredEvent<'_>) -> Result<Run, LineProblem> {
    let record: RunRecord = serde_json::from_str(event.payload).map_err(bad_payload)?;
    let sha = |text: &str| {
        Sha::parse(text).ok_or_else(|| LineProblem::BadPayload(format!("`{text}` is no digest")))
    };
    let mut differs = Vec::new();
    for (sequence, places) in &record.differs {
        differs.extend(places.iter().map(|place| (*place, sequence.clone())));
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
        counts: record.counts.counts(),
    };
    run.tidy();
    Ok(run)
}
