//! Wire types, version 1: the envelope and the payloads of `test_list` and `test_run`.
//!
//! Never change the meaning of a field; add a version. A reader ignores fields that it does not know, and a rewrite keeps
//! each line's bytes, so that a newer writer's fields survive.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{EVENT_SCHEMA, Event, Origin, Sha, event_id};
use crate::flakes::history::{HistoryBuilder, Run};
use crate::flakes::neutral::{Group, NeutralFile};
use crate::flakes::results::{Results, expected};
use crate::junit::Counts;

pub(crate) const TEST_LIST: &str = "test_list";
pub(crate) const TEST_RUN: &str = "test_run";

#[derive(Deserialize)]
struct EventRecord<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    at: Timestamp,
    #[serde(borrow)]
    run: Cow<'a, str>,
    attempt: u32,
    #[serde(borrow)]
    job: Cow<'a, str>,
    #[serde(borrow)]
    commit: Cow<'a, str>,
    #[serde(borrow)]
    branch: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// A stored event, its payload still as text.
#[derive(Debug)]
pub(crate) struct StoredEvent<'a> {
    pub(crate) kind: Cow<'a, str>,
    pub(crate) id: Sha,
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) payload: &'a str,
}

/// Why a line is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineProblem {
    #[error("it is not a JSON event ({0})")]
    NotAnEvent(String),
    #[error("its schema `{0}` is newer than this maestro understands")]
    OtherSchema(String),
    #[error("its kind `{0}` is not a plain name")]
    BadKind(String),
    #[error("its id does not match its content")]
    WrongId,
    #[error("it is cut off: the last line has no end")]
    CutOff,
    #[error("its payload cannot be read ({0})")]
    BadPayload(String),
}

/// Writes the line of an event, with its line break; the payload goes out as it is.
pub(crate) fn write_line(event: &Event, out: &mut dyn io::Write) -> io::Result<()> {
    let origin = &event.origin;
    write!(
        out,
        "{{\"schema\":\"{EVENT_SCHEMA}\",\"kind\":\"{}\"",
        event.kind
    )?;
    write!(
        out,
        ",\"id\":\"{}\",\"at\":\"{}\",\"run\":",
        event.id, event.at
    )?;
    serde_json::to_writer(&mut *out, &origin.run)?;
    write!(out, ",\"attempt\":{},\"job\":", origin.attempt)?;
    serde_json::to_writer(&mut *out, &origin.job)?;
    out.write_all(b",\"commit\":")?;
    serde_json::to_writer(&mut *out, &origin.commit)?;
    out.write_all(b",\"branch\":")?;
    serde_json::to_writer(&mut *out, &origin.branch)?;
    out.write_all(b",\"payload\":")?;
    out.write_all(event.payload.as_bytes())?;
    out.write_all(b"}\n")
}

/// Reads a line and checks its identity.
pub(crate) fn parse(line: &str) -> Result<StoredEvent<'_>, LineProblem> {
    #[derive(Deserialize)]
    struct SchemaOnly<'a> {
        #[serde(borrow)]
        schema: Cow<'a, str>,
    }
    let record: EventRecord<'_> = match serde_json::from_str(line) {
        Ok(record) => record,
        Err(error) => {
            return Err(match serde_json::from_str::<SchemaOnly<'_>>(line) {
                Ok(only) if only.schema != EVENT_SCHEMA => {
                    LineProblem::OtherSchema(only.schema.into_owned())
                }
                _ => LineProblem::NotAnEvent(error.to_string()),
            });
        }
    };
    if record.schema != EVENT_SCHEMA {
        return Err(LineProblem::OtherSchema(record.schema.into_owned()));
    }
    if !is_plain_kind(&record.kind) {
        return Err(LineProblem::BadKind(record.kind.into_owned()));
    }
    let origin = Origin {
        run: record.run.into_owned(),
        attempt: record.attempt,
        job: record.job.into_owned(),
        commit: record.commit.into_owned(),
        branch: record.branch.into_owned(),
    };
    let payload = record.payload.get();
    let id = event_id(&record.kind, &origin, payload.as_bytes());
    if Sha::parse(&record.id) != Some(id) {
        return Err(LineProblem::WrongId);
    }
    Ok(StoredEvent {
        kind: record.kind,
        id,
        at: record.at,
        origin,
        payload,
    })
}

/// A kind names a folder, so it is made of harmless letters.
fn is_plain_kind(kind: &str) -> bool {
    (1..=40).contains(&kind.len())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns the kind and id of a line as this program writes it, without reading the payload.
pub(crate) fn peek(line: &[u8]) -> Option<(&str, Sha)> {
    let head = std::str::from_utf8(line.get(..line.len().min(256))?.utf8_head()).ok()?;
    let rest = head.strip_prefix("{\"schema\":\"maestro.event/v1\",\"kind\":\"")?;
    let (kind, rest) = rest.split_once("\",\"id\":\"")?;
    let id = Sha::parse(rest.get(..64)?)?;
    Some((kind, id))
}

/// The part of a byte string that holds whole characters.
trait Utf8Head {
    fn utf8_head(&self) -> &[u8];
}

impl Utf8Head for [u8] {
    fn utf8_head(&self) -> &[u8] {
        match std::str::from_utf8(self) {
            Ok(_) => self,
            Err(error) => &self[..error.valid_up_to()],
        }
    }
}

/// A name that is borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct ListRecord<'a> {
    #[serde(borrow)]
    suites: Vec<SuiteRecord<'a>>,
}

#[derive(Deserialize)]
struct SuiteRecord<'a> {
    /// Places, counted in this suite, whose expected sequence is not `p`.
    #[serde(default)]
    expected: BTreeMap<u32, String>,
    #[serde(borrow)]
    suite: Name<'a>,
    #[serde(borrow)]
    tests: Vec<Name<'a>>,
}

#[derive(Serialize, Deserialize, Default)]
struct RunRecord {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent: Vec<(u32, u32)>,
    counts: CountsRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    differs: Vec<DiffersRecord>,
    files: Vec<String>,
    leg: String,
    list: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct DiffersRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<u32>,
    outcome: String,
    test: u32,
}

#[derive(Serialize, Deserialize, Default, Clone, Copy)]
struct CountsRecord {
    attempts: u64,
    cases: u64,
    disabled: u64,
    errored: u64,
    failed: u64,
    passed: u64,
    skipped: u64,
    suites: u64,
    tests: u64,
}

impl CountsRecord {
    fn new(counts: &Counts, tests: u64) -> Self {
        Self {
            attempts: counts.attempts,
            cases: counts.cases,
            disabled: counts.disabled,
            errored: counts.errored,
            failed: counts.failed,
            passed: counts.passed,
            skipped: counts.skipped,
            suites: counts.suites,
            tests,
        }
    }
}

/// Writes lists, suite by suite.
struct ListWriter {
    payload: Vec<u8>,
    suite: Option<String>,
    place: u32,
    expected: BTreeMap<u32, String>,
}

impl ListWriter {
    fn new(capacity: usize) -> Self {
        let mut payload = Vec::with_capacity(capacity);
        payload.extend_from_slice(b"{\"suites\":[");
        Self {
            payload,
            suite: None,
            place: 0,
            expected: BTreeMap::new(),
        }
    }

    /// Adds a test; tests come in order of suite and name.
    ///
    /// Keys are sorted, so `expected` stands before `tests` in the text although it is known after them: the tests of
    /// a suite are written first and the head is put before them when the suite ends.
    fn test(
        &mut self,
        suite: &str,
        name: &str,
        expected: &str,
        tests: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        if self.suite.as_deref() != Some(suite) {
            self.end_suite(tests)?;
            self.suite = Some(suite.to_owned());
        }
        if !tests.is_empty() {
            tests.push(b',');
        }
        serde_json::to_writer(&mut *tests, name)?;
        if expected != "p" {
            self.expected.insert(self.place, expected.to_owned());
        }
        self.place += 1;
        Ok(())
    }

    fn end_suite(&mut self, tests: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let Some(suite) = self.suite.take() else {
            return Ok(());
        };
        if !self.payload.ends_with(b"[") {
            self.payload.push(b',');
        }
        self.payload.push(b'{');
        if !self.expected.is_empty() {
            self.payload.extend_from_slice(b"\"expected\":");
            serde_json::to_writer(&mut self.payload, &self.expected)?;
            self.payload.push(b',');
            self.expected.clear();
        }
        self.payload.extend_from_slice(b"\"suite\":");
        serde_json::to_writer(&mut self.payload, &suite)?;
        self.payload.extend_from_slice(b",\"tests\":[");
        self.payload.extend_from_slice(tests);
        self.payload.extend_from_slice(b"]}");
        tests.clear();
        self.place = 0;
        Ok(())
    }

    fn finish(mut self, at: Timestamp, tests: &mut Vec<u8>) -> Result<Event, serde_json::Error> {
        self.end_suite(tests)?;
        self.payload.extend_from_slice(b"]}");
        let payload = String::from_utf8(self.payload).map_err(serde::ser::Error::custom)?;
        // A list is the same whoever writes it, so it names no run.
        Ok(Event::new(TEST_LIST, at, Origin::default(), payload))
    }
}

/// What a run is filed under, beside its results.
#[derive(Debug, Clone)]
pub(crate) struct Filing {
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) leg: String,
    /// Digests of the report files, sorted.
    pub(crate) files: Vec<Sha>,
}

/// Encodes the results of one run as a list and what differs from it.
pub(crate) fn encode_run(
    results: &Results,
    counts: &Counts,
    filing: &Filing,
) -> Result<[Event; 2], serde_json::Error> {
    let mut list = ListWriter::new(results.len() * 48);
    let mut differs = Differences::default();
    let mut buffer = Vec::new();
    for (place, at) in results.order().into_iter().enumerate() {
        let test = results.at(at);
        let expected = expected(&test.sequence);
        list.test(test.suite, test.name, &expected, &mut buffer)?;
        if expected != test.sequence {
            differs.add(place, &test.sequence, test.message);
        }
    }
    let list = list.finish(filing.at, &mut buffer)?;
    let run = differs.into_event(filing, &list, Vec::new(), counts, results.len())?;
    Ok([list, run])
}

/// Encodes a file in the neutral form: one list for each job, and one run for each group.
///
/// `filings` are those of the groups, in their order; a group whose filing is missing is left out.
pub(crate) fn encode_neutral(
    file: &NeutralFile,
    filings: &[Option<Filing>],
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
        // Whether a test was ever executed decides what is expected of it.
        let mut seen: BTreeMap<(&str, &str), (u32, bool)> = BTreeMap::new();
        for (group, _) in &groups {
            for test in group.tests() {
                let entry = seen
                    .entry(file.test(test.test))
                    .or_insert((test.test, false));
                entry.1 |= test.sequence != "s";
            }
        }
        let mut list = ListWriter::new(seen.len() * 48);
        let mut buffer = Vec::new();
        let mut places: BTreeMap<u32, (usize, &str)> = BTreeMap::new();
        for (place, (&(suite, name), &(test, executed))) in seen.iter().enumerate() {
            let expected = if executed { "p" } else { "s" };
            list.test(suite, name, expected, &mut buffer)?;
            places.insert(test, (place, expected));
        }
        let first = groups.iter().map(|(_, filing)| filing.at).min();
        let list = list.finish(first.unwrap_or(Timestamp::UNIX_EPOCH), &mut buffer)?;
        for (group, filing) in groups {
            let mut tests = group.tests();
            tests.sort_by_key(|test| places.get(&test.test).map_or(0, |place| place.0));
            let mut present = vec![false; places.len()];
            let mut differs = Differences::default();
            for test in &tests {
                let Some(&(place, expected)) = places.get(&test.test) else {
                    continue;
                };
                present[place] = true;
                if test.sequence != expected {
                    differs.add(place, &test.sequence, test.message);
                }
            }
            events.push(differs.into_event(
                filing,
                &list,
                gaps(&present),
                &group.counts,
                tests.len(),
            )?);
        }
        events.push(list);
    }
    Ok(events)
}

/// Returns the ranges of places that are not present.
fn gaps(present: &[bool]) -> Vec<(u32, u32)> {
    let mut gaps: Vec<(u32, u32)> = Vec::new();
    for (place, _) in (0_u32..).zip(present).filter(|(_, here)| !**here) {
        match gaps.last_mut() {
            Some((first, length)) if *first + *length == place => *length += 1,
            _ => gaps.push((place, 1)),
        }
    }
    gaps
}

#[derive(Default)]
struct Differences {
    differs: Vec<DiffersRecord>,
    messages: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Differences {
    fn add(&mut self, place: usize, outcome: &str, message: &str) {
        let message = (!message.is_empty()).then(|| {
            if let Some(&number) = self.numbers.get(message) {
                return number;
            }
            let number = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
            self.messages.push(message.to_owned());
            self.numbers.insert(message.to_owned(), number);
            number
        });
        self.differs.push(DiffersRecord {
            message,
            outcome: outcome.to_owned(),
            test: u32::try_from(place).unwrap_or(u32::MAX),
        });
    }

    fn into_event(
        self,
        filing: &Filing,
        list: &Event,
        absent: Vec<(u32, u32)>,
        counts: &Counts,
        tests: usize,
    ) -> Result<Event, serde_json::Error> {
        let record = RunRecord {
            absent,
            counts: CountsRecord::new(counts, tests as u64),
            differs: self.differs,
            files: filing.files.iter().map(Sha::to_string).collect(),
            leg: filing.leg.clone(),
            list: list.id.to_string(),
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

/// Adds a `test_list` to a history.
pub(crate) fn decode_list(
    event: &StoredEvent<'_>,
    history: &mut HistoryBuilder,
) -> Result<(), LineProblem> {
    if history.has_list(&event.id) {
        return Ok(());
    }
    let record: ListRecord<'_> = serde_json::from_str(event.payload).map_err(bad_payload)?;
    history.list(event.id);
    for suite in &record.suites {
        let names = suite.tests.iter().map(|name| name.0.as_ref());
        history.suite(event.id, &suite.suite.0, names, &suite.expected);
    }
    Ok(())
}

/// Checks that a payload can be read; one of a kind that is not known here always can.
pub(crate) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    match event.kind.as_ref() {
        TEST_LIST => serde_json::from_str::<ListRecord<'_>>(event.payload)
            .map(drop)
            .map_err(bad_payload),
        TEST_RUN => decode_run(event).map(drop),
        _ => Ok(()),
    }
}

/// Reads a `test_run`.
pub(crate) fn decode_run(event: &StoredEvent<'_>) -> Result<Run, LineProblem> {
    let record: RunRecord = serde_json::from_str(event.payload).map_err(bad_payload)?;
    let sha = |text: &str| {
        Sha::parse(text).ok_or_else(|| LineProblem::BadPayload(format!("`{text}` is no digest")))
    };
    let counts = record.counts;
    let mut run = Run {
        id: event.id,
        at: event.at,
        origin: event.origin.clone(),
        leg: record.leg,
        files: record
            .files
            .iter()
            .map(|file| sha(file))
            .collect::<Result<_, _>>()?,
        list: sha(&record.list)?,
        differs: record
            .differs
            .into_iter()
            .map(|differs| (differs.test, differs.outcome))
            .collect(),
        absent: record.absent,
        counts: Counts {
            suites: counts.suites,
            cases: counts.cases,
            passed: counts.passed,
            failed: counts.failed,
            errored: counts.errored,
            skipped: counts.skipped,
            disabled: counts.disabled,
            attempts: counts.attempts,
        },
    };
    run.tidy();
    Ok(run)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function value"
)]
fn bad_payload(error: serde_json::Error) -> LineProblem {
    LineProblem::BadPayload(error.to_string())
}
