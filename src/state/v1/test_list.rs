//! `test_list`: the tests of a job, what is expected of each, and about how long it takes.
//!
//! A list is whole, or it names a whole one as its `base` and holds what differs: ranges of the base that are left out, and
//! suites that come after what remains.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::{LineProblem, StoredEvent, TEST_LIST, bad_payload};
use crate::event::{Event, Origin, Sha};
use crate::flakes::duration::Duration;
use crate::flakes::history::HistoryBuilder;
use crate::flakes::lists::{Fit, Listed, Tests};

/// Known lists beyond this many bytes are forgotten, oldest first.
const MOST_KNOWN: usize = 48 * 1024 * 1024;

/// A name that is borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct ListRecord<'a> {
    /// The id of a whole list.
    #[serde(borrow, default)]
    base: Option<Cow<'a, str>>,
    #[serde(borrow)]
    suites: Vec<SuiteRecord<'a>>,
    /// Ranges of the base: first place and length.
    #[serde(default)]
    without: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
struct SuiteRecord<'a> {
    /// One letter a test, in their order.
    #[serde(borrow, default)]
    durations: Cow<'a, str>,
    /// Places, counted in this suite, whose expected sequence is not `p`.
    #[serde(default)]
    expected: BTreeMap<u32, String>,
    #[serde(borrow)]
    suite: Name<'a>,
    #[serde(borrow)]
    tests: Vec<Name<'a>>,
}

impl SuiteRecord<'_> {
    fn tests(&self) -> impl Iterator<Item = Listed<'_>> {
        let durations = self.durations.as_bytes();
        (0_u32..).zip(&self.tests).map(move |(place, name)| Listed {
            suite: &self.suite.0,
            name: &name.0,
            expected: Cow::Borrowed(self.expected.get(&place).map_or("p", String::as_str)),
            duration: durations
                .get(place as usize)
                .map_or(Duration::UNKNOWN, |letter| Duration::from_letter(*letter)),
        })
    }
}

fn read<'a>(payload: &'a str) -> Result<(ListRecord<'a>, Option<Sha>), LineProblem> {
    let record: ListRecord<'a> = serde_json::from_str(payload).map_err(bad_payload)?;
    let base = match &record.base {
        None => None,
        Some(base) => Some(
            Sha::parse(base)
                .ok_or_else(|| LineProblem::BadPayload(format!("`{base}` is no digest")))?,
        ),
    };
    Ok((record, base))
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    read(event.payload).map(drop)
}

/// Adds a `test_list` to a history.
pub(crate) fn decode_list(
    event: &StoredEvent<'_>,
    history: &mut HistoryBuilder,
) -> Result<(), LineProblem> {
    if history.has_list(&event.id) {
        return Ok(());
    }
    let (record, base) = read(event.payload)?;
    history.list(event.id, base, record.without);
    for suite in &record.suites {
        let names = suite.tests.iter().map(|name| name.0.as_ref());
        history.suite(event.id, &suite.suite.0, names, &suite.expected);
    }
    Ok(())
}

/// The lists that are stored already.
#[derive(Debug, Default)]
pub(crate) struct KnownLists {
    ids: HashSet<Sha>,
    /// Payloads of whole lists, by age.
    whole: BTreeMap<(Timestamp, Sha), String>,
    size: usize,
    /// Whether a list may hold durations although none is known yet. A machine that begins with nothing each time must
    /// not: durations vary, so it would store another list each time.
    pub(crate) is_lasting: bool,
}

impl KnownLists {
    /// Adds a stored list.
    pub(crate) fn add(&mut self, event: &StoredEvent<'_>) -> Result<(), LineProblem> {
        let (record, base) = read(event.payload)?;
        if base.is_none() && !record.suites.is_empty() {
            self.remember(event.at, event.id, event.payload);
        }
        self.ids.insert(event.id);
        Ok(())
    }

    fn remember(&mut self, at: Timestamp, id: Sha, payload: &str) {
        if self.ids.contains(&id) {
            return;
        }
        self.size += payload.len();
        self.whole.insert((at, id), payload.to_owned());
        while self.size > MOST_KNOWN && self.whole.len() > 1 {
            if let Some((_, oldest)) = self.whole.pop_first() {
                self.size -= oldest.len();
            }
        }
    }

    /// Whether a list is stored.
    pub(crate) fn has(&self, id: &Sha) -> bool {
        self.ids.contains(id)
    }

    /// Returns the list for the tests at hand, which are sorted, and the event that stores it if none does yet.
    pub(super) fn place(&mut self, tests: &[Listed<'_>], at: Timestamp) -> Placed {
        let finder = Tests::new(tests);
        for ((_, id), payload) in self.whole.iter().rev() {
            let Ok((record, _)) = read(payload) else {
                continue;
            };
            let Some(fit) = finder.fit(record.suites.iter().flat_map(SuiteRecord::tests)) else {
                continue;
            };
            if fit.is_same_list() {
                return Placed::new(*id, None, fit);
            }
            let added = fit.added.iter().map(|&number| &tests[number]);
            let event = event(at, payload_of(Some((id, &fit.without)), added, true));
            let id = event.id;
            let is_new = self.ids.insert(id);
            return Placed::new(id, is_new.then_some(event), fit);
        }
        let with_durations = self.is_lasting || !self.whole.is_empty();
        let event = event(at, payload_of(None, tests.iter(), with_durations));
        let length = u32::try_from(tests.len()).unwrap_or(u32::MAX);
        let fit = Fit {
            places: (0..length).collect(),
            length,
            ..Fit::default()
        };
        self.remember(at, event.id, &event.payload);
        let is_new = self.ids.insert(event.id);
        Placed::new(event.id, is_new.then_some(event), fit)
    }
}

/// A list for the tests at hand.
pub(super) struct Placed {
    pub(super) id: Sha,
    /// The list, where nobody has stored it yet.
    pub(super) event: Option<Event>,
    pub(super) fit: Fit,
}

impl Placed {
    fn new(id: Sha, event: Option<Event>, fit: Fit) -> Self {
        Self { id, event, fit }
    }

    /// Returns what the list expects of a test at hand.
    pub(super) fn expected<'f>(&'f self, number: usize, test: &'f Listed<'_>) -> &'f str {
        let exception = self.fit.exceptions.get(&number);
        exception.map_or(test.expected.as_ref(), String::as_str)
    }
}

/// A list is the same whoever writes it, so it names no run.
fn event(at: Timestamp, payload: String) -> Event {
    Event::new(TEST_LIST, at, Origin::default(), payload)
}

/// Writes a payload; its keys are sorted, and tests come in order of suite.
fn payload_of<'a>(
    base: Option<(&Sha, &[(u32, u32)])>,
    tests: impl Iterator<Item = &'a Listed<'a>>,
    with_durations: bool,
) -> String {
    let mut payload = String::from("{");
    if let Some((base, _)) = base {
        payload.push_str(&format!("\"base\":\"{base}\","));
    }
    payload.push_str("\"suites\":[");
    let mut suite = SuiteText::default();
    for test in tests {
        if suite.name != Some(test.suite) {
            suite.end(&mut payload);
            suite.name = Some(test.suite);
        }
        suite.add(test, with_durations);
    }
    suite.end(&mut payload);
    payload.push(']');
    if let Some((_, without)) = base
        && !without.is_empty()
    {
        payload.push_str(",\"without\":");
        payload.push_str(&json(&without));
    }
    payload.push('}');
    payload
}

/// The parts of one suite: what stands first in the text is known last.
#[derive(Default)]
struct SuiteText<'a> {
    name: Option<&'a str>,
    count: u32,
    durations: String,
    has_durations: bool,
    expected: BTreeMap<u32, &'a str>,
    tests: String,
}

impl<'a> SuiteText<'a> {
    fn add(&mut self, test: &'a Listed<'a>, with_durations: bool) {
        if !self.tests.is_empty() {
            self.tests.push(',');
        }
        self.tests.push_str(&json(&test.name));
        self.durations.push(test.duration.letter());
        self.has_durations |= with_durations && test.duration.is_known();
        if test.expected != "p" {
            self.expected.insert(self.count, &test.expected);
        }
        self.count += 1;
    }

    fn end(&mut self, payload: &mut String) {
        let this = std::mem::take(self);
        let Some(name) = this.name else { return };
        if !payload.ends_with('[') {
            payload.push(',');
        }
        payload.push('{');
        if this.has_durations {
            payload.push_str(&format!("\"durations\":\"{}\",", this.durations));
        }
        if !this.expected.is_empty() {
            payload.push_str(&format!("\"expected\":{},", json(&this.expected)));
        }
        payload.push_str(&format!(
            "\"suite\":{},\"tests\":[{}]}}",
            json(&name),
            this.tests
        ));
    }
}

/// Texts, numbers and maps of them can always be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
