//! What events of strangers must be: as this program writes them, not only such that it can read them.

use super::test_list::{ListRecord, read};
use super::test_run::{RunRecord, head_of_run, places_of};
use super::{LineProblem, StoredEvent, bad_payload};
use crate::flakes::results::{self, is_sequence};
use crate::flakes::stored_lists::join_ranges;
use crate::json;
use crate::order;
use crate::sha::Sha;

/// Names of reports are cut at 4096 bytes and get a digest; labels of suites are joined names.
const LONGEST_NAME: usize = 8 * 1024;

/// Longer is no leg.
const LONGEST_LEG: usize = 4096;

/// Messages are cut at 4096 bytes; what stands for numbers in a template takes three.
const LONGEST_MESSAGE: usize = 3 * 4096;

/// A run of a million tests that all fail in their own way takes less.
const LONGEST_RUN: usize = 16 * 1024 * 1024;

/// More different sequences has no run.
const MOST_KINDS: usize = 20_000;

/// Nor more different messages.
const MOST_MESSAGES: usize = 200_000;

/// No report has more of anything.
const MOST_COUNTED: u64 = 1 << 40;

/// More results other than the expected ones has no run: four million would be a million tests with all their retries.
pub(crate) const MOST_RESULTS: u64 = 4_000_000;

/// How long a list is, as far as it says so itself.
#[derive(Debug, Clone)]
pub(crate) struct ListShape {
    pub(crate) base: Option<Sha>,
    /// Ranges of the base that are left out, sorted and apart.
    without: Vec<(u32, u32)>,
    /// Tests of its own.
    own: u32,
    /// How many places have a duration, where they are given for the whole list.
    durations: Option<usize>,
}

impl ListShape {
    /// Returns how many places it has, given those of its base; nothing when the two do not fit.
    pub(crate) fn length(&self, base: u32) -> Option<u32> {
        let end = self
            .without
            .last()
            .map_or(0, |(first, length)| first.saturating_add(*length));
        let gone: u32 = self.without.iter().map(|(_, length)| length).sum();
        let length = base.checked_sub(gone)?.checked_add(self.own)?;
        let fits = self
            .durations
            .is_none_or(|durations| durations == 0 || durations == length as usize);
        (end <= base && fits).then_some(length)
    }
}

/// Reads how long a stored list is.
pub(crate) fn shape_of(event: &StoredEvent<'_>) -> Result<ListShape, LineProblem> {
    let (record, base) = read(event.payload)?;
    Ok(shape(record, base))
}

fn shape(record: ListRecord<'_>, base: Option<Sha>) -> ListShape {
    let own: usize = record.suites.iter().map(|suite| suite.tests.len()).sum();
    ListShape {
        base,
        without: join_ranges(record.without),
        own: u32::try_from(own).unwrap_or(u32::MAX),
        durations: record.durations.map(|durations| durations.len()),
    }
}

/// Reads a `test_list` of a stranger: everything must be as this program writes it, not only such that it can be read.
pub(crate) fn judge_list(event: &StoredEvent<'_>) -> Result<ListShape, LineProblem> {
    let wrong = |problem: String| Err(LineProblem::BadPayload(problem));
    let (record, base) = read(event.payload)?;
    let letters = |text: &str| {
        text.bytes()
            .all(|letter| letter == b'-' || letter.is_ascii_lowercase())
    };
    let mut before: Option<(&str, &str)> = None;
    for suite in &record.suites {
        let (name, tests) = (suite.suite.0.as_ref(), &suite.tests);
        for test in tests {
            let test = test.0.as_ref();
            if test.len().max(name.len()) > LONGEST_NAME {
                return wrong(format!("`{}` is longer than names are", short(test)));
            }
            if before.is_some_and(|before| before >= (name, test)) {
                return wrong(format!("`{}` stands twice, or not in order", short(test)));
            }
            before = Some((name, test));
        }
        if !suite.durations.is_empty() && suite.durations.len() != tests.len()
            || !letters(&suite.durations)
        {
            return wrong(format!(
                "the durations of `{}` are not those of its tests",
                short(name)
            ));
        }
        for (place, sequence) in &suite.expected {
            let is_healthy = sequence == results::expected(sequence).as_ref();
            if *place as usize >= tests.len() || !is_sequence(sequence) || !is_healthy {
                return wrong(format!(
                    "`{}` cannot be expected at {place}",
                    short(sequence)
                ));
            }
        }
    }
    if !letters(record.durations.as_deref().unwrap_or_default()) {
        return wrong("its durations are no letters".into());
    }
    let is_apart = |pair: &[(u32, u32)]| {
        let ((first, length), (next, _)) = (pair[0], pair[1]);
        first.checked_add(length).is_some_and(|end| end < next)
    };
    let is_range =
        |(first, length): &(u32, u32)| *length > 0 && first.checked_add(*length).is_some();
    if !record.without.iter().all(is_range) || !record.without.windows(2).all(is_apart) {
        return wrong("what it leaves out is not in order".into());
    }
    if base.is_none() && (!record.without.is_empty() || record.durations.is_some()) {
        return wrong("it leaves something out of nothing".into());
    }
    Ok(shape(record, base))
}

/// What a `test_run` of a stranger asks of its list.
#[derive(Debug)]
pub(crate) struct RunDemand {
    pub(crate) list: Sha,
    /// One past the last place that it names.
    pub(crate) end: u32,
    /// How many results it has that are not the expected ones.
    pub(crate) results: u64,
}

/// Reads a `test_run` of a stranger: everything must be as this program writes it, not only such that it can be read.
pub(crate) fn judge_run(event: &StoredEvent<'_>) -> Result<RunDemand, LineProblem> {
    let wrong = |problem: String| Err(LineProblem::BadPayload(problem));
    if event.payload.len() > LONGEST_RUN {
        return wrong(format!(
            "{} bytes are more than any run takes",
            event.payload.len()
        ));
    }
    let head = head_of_run(event)?;
    let record: RunRecord = json::read(event.payload).map_err(bad_payload)?;
    if record.differs.len() > MOST_KINDS || record.messages.len() > MOST_MESSAGES {
        return wrong("it has more kinds of result, or messages, than any run".into());
    }
    if record.leg.len() > LONGEST_LEG || has_controls(&record.leg) {
        return wrong("its leg is no name".into());
    }
    for number in record.counts.all() {
        if number > MOST_COUNTED {
            return wrong(format!("{number} is more than any report has"));
        }
    }
    let mut end = 0;
    for &(first, length) in &record.absent {
        // Sorted, apart, and none empty.
        if length == 0 || (first <= end && end > 0) || first.checked_add(length).is_none() {
            return wrong(format!(
                "`absent` has no range of {length} places at {first}"
            ));
        }
        end = first + length;
    }
    let absent = |place: u32| {
        let after = record.absent.partition_point(|&(first, _)| first <= place);
        after > 0 && place - record.absent[after - 1].0 < record.absent[after - 1].1
    };
    let mut differing: Vec<u32> = Vec::new();
    for (sequence, places) in &record.differs {
        if !is_sequence(sequence) {
            return wrong(format!("`{}` is no sequence", short(sequence)));
        }
        // A digit holds four places at most, so that this bounds the memory too.
        if (differing.len() + places.len()) as u64 > MOST_RESULTS {
            return wrong(format!("more than {MOST_RESULTS} results"));
        }
        differing.extend(places_of(places)?);
    }
    order::sort(&mut differing);
    if let Some([place, _]) = differing.array_windows().find(|[a, b]| a == b) {
        return wrong(format!("place {place} has two results"));
    }
    if let Some(place) = differing.iter().find(|place| absent(**place)) {
        return wrong(format!("place {place} is absent and has a result"));
    }
    for (message, places) in &record.messages {
        if message.len() > LONGEST_MESSAGE || places.len() as u64 > MOST_RESULTS {
            return wrong("a message is longer than messages are".into());
        }
        let places = places_of(places)?;
        if let Some(place) = places
            .iter()
            .find(|place| differing.binary_search(place).is_err())
        {
            return wrong(format!("place {place} has a message and no result"));
        }
    }
    let end = end.max(differing.last().map_or(0, |last| last.saturating_add(1)));
    Ok(RunDemand {
        list: head.list,
        end,
        results: differing.len() as u64,
    })
}

/// Whether a name has characters that are no text. A leg may be JSON on several lines.
fn has_controls(name: &str) -> bool {
    name.chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// Returns the beginning of a text, for messages.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
