//! `test_list`: the tests of a job, what is expected of each, and about how long it takes.
//!
//! A list is whole, or it names another one as its `base` and holds what differs: ranges of the base that are left out, and
//! suites that come after what remains. A whole list, and one with `durations` of its own, is a checkpoint: drift is measured
//! from it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{LineProblem, StoredEvent, TEST_LIST, bad_payload};
use crate::event::{Event, Origin};
use crate::flakes::duration::Duration;
use crate::flakes::history::HistoryBuilder;
use crate::flakes::lists::{Comparison, Fit, Known, Listed};
use crate::flakes::results::Interner;
use crate::flakes::stored_lists::join_ranges;
use crate::flakes::test_table::TestTable;
use crate::flakes::timing::Timed;
use crate::json;
use crate::sha::Sha;

/// Known lists beyond this many bytes are forgotten, oldest first.
const MOST_KNOWN: usize = 48 * 1024 * 1024;

/// A name that is borrowed from the line where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Deserialize)]
pub(super) struct ListRecord<'a> {
    /// The id of another list.
    #[serde(borrow, default)]
    base: Option<Cow<'a, str>>,
    /// In a checkpoint that stands on another list: one letter a test, for every place; empty when none is known.
    #[serde(borrow, default)]
    pub(super) durations: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) suites: Vec<SuiteRecord<'a>>,
    /// Ranges of the base: first place and length.
    #[serde(default)]
    pub(super) without: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
pub(super) struct SuiteRecord<'a> {
    /// One letter a test, in their order.
    #[serde(borrow, default)]
    pub(super) durations: Cow<'a, str>,
    /// Places, counted in this suite, whose expected sequence is not `p`.
    #[serde(default)]
    pub(super) expected: BTreeMap<u32, String>,
    #[serde(borrow)]
    pub(super) suite: Name<'a>,
    #[serde(borrow)]
    pub(super) tests: Vec<Name<'a>>,
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

pub(super) fn read<'a>(payload: &'a str) -> Result<(ListRecord<'a>, Option<Sha>), LineProblem> {
    let record: ListRecord<'a> = json::read(payload).map_err(bad_payload)?;
    let base = match &record.base {
        None => None,
        Some(base) => Some(
            Sha::parse(base)
                .ok_or_else(|| LineProblem::BadPayload(format!("`{base}` is no digest")))?,
        ),
    };
    Ok((record, base))
}

/// Returns the list that a list stands on.
pub(crate) fn base_of(event: &StoredEvent<'_>) -> Result<Option<Sha>, LineProblem> {
    read(event.payload).map(|(_, base)| base)
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

/// Only so many lists, the newest ones, are looked at for one that is close.
const MOST_LOOKS: usize = 400;

/// Of those, so many that look closest are compared test by test.
const MOST_COMPARED: usize = 4;

/// Lists that are laid out are forgotten beyond so many places of all of them: some hundred megabytes.
const MOST_LAID: usize = 8_000_000;

/// So many lists stand on each other after a checkpoint, at most.
const HIGHEST: usize = 48;

/// No list stands on more than so many others; readers take somewhat more.
const DEEPEST: usize = 96;

/// Sums over the tests of a list, by a part of their number: how many sums differ tells about how many tests do.
const SUMS: usize = 256;

/// A stored list, as text.
#[derive(Debug)]
struct StoredList {
    base: Option<Sha>,
    is_checkpoint: bool,
    payload: String,
}

/// A list and what it stands on, the whole one last.
#[derive(Debug)]
struct Chain {
    ids: Vec<Sha>,
    /// Which of them is the nearest checkpoint.
    checkpoint: usize,
}

impl Chain {
    /// Returns the checkpoint and what it stands on.
    fn ground(&self) -> Self {
        Self {
            ids: self.ids[self.checkpoint..].to_vec(),
            checkpoint: 0,
        }
    }
}

/// A list laid out.
#[derive(Debug)]
struct Laid {
    /// For each place the test, what is expected, and how long it takes, by number.
    tests: Vec<(u32, u32, Duration)>,
    sums: Sums,
}

#[derive(Debug, Clone)]
struct Sums(Vec<u64>);

impl Sums {
    fn of(tests: impl Iterator<Item = u32>) -> Self {
        let mut sums = vec![0_u64; SUMS];
        for test in tests {
            let mixed = u64::from(test)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let sum = &mut sums[(mixed >> 56) as usize];
            *sum = sum.wrapping_add(mixed | 1);
        }
        Self(sums)
    }

    fn distance(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).filter(|(a, b)| a != b).count()
    }
}

/// The lists that are stored already.
#[derive(Debug, Default)]
pub(crate) struct KnownLists {
    ids: HashSet<Sha>,
    lists: HashMap<Sha, StoredList>,
    by_age: BTreeSet<(Timestamp, Sha)>,
    size: usize,
    /// Lists that were looked at, laid out.
    laid: HashMap<Sha, Rc<Laid>>,
    /// How many places they have, all together.
    laid_places: usize,
    suites: Interner,
    tests: TestTable,
    sequences: Interner,
    /// Whether a list may hold durations although none is known yet. A machine that begins with nothing each time must
    /// not: durations vary, so it would store another list each time.
    pub(crate) is_lasting: bool,
    /// For which days it is known how long tests took.
    pub(crate) timed: Timed,
}

impl KnownLists {
    /// Adds a stored list.
    pub(crate) fn add(&mut self, event: &StoredEvent<'_>) -> Result<(), LineProblem> {
        let (record, base) = read(event.payload)?;
        let is_empty = base.is_none() && record.suites.is_empty();
        if !self.ids.contains(&event.id) && !is_empty {
            let is_checkpoint = base.is_none() || record.durations.is_some();
            self.remember(event.at, event.id, base, is_checkpoint, event.payload);
        }
        self.ids.insert(event.id);
        Ok(())
    }

    fn remember(
        &mut self,
        at: Timestamp,
        id: Sha,
        base: Option<Sha>,
        is_checkpoint: bool,
        payload: &str,
    ) {
        let list = StoredList {
            base,
            is_checkpoint,
            payload: payload.to_owned(),
        };
        self.size += payload.len();
        self.by_age.insert((at, id));
        self.lists.insert(id, list);
        while self.size > MOST_KNOWN && self.lists.len() > 1 {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                break;
            };
            self.laid.remove(&oldest);
            if let Some(list) = self.lists.remove(&oldest) {
                self.size -= list.payload.len();
            }
        }
    }

    /// Whether a list is stored.
    pub(crate) fn has(&self, id: &Sha) -> bool {
        self.ids.contains(id)
    }

    /// Returns the ids of a list and of those that it stands on, the whole one last; nothing when one is not known.
    fn chain(&self, id: Sha) -> Option<Chain> {
        let mut list = self.lists.get(&id)?;
        let mut chain = Chain {
            ids: vec![id],
            checkpoint: 0,
        };
        let mut is_beyond = list.is_checkpoint;
        while let Some(base) = list.base {
            if chain.ids.len() > DEEPEST {
                return None;
            }
            list = self.lists.get(&base)?;
            if !is_beyond {
                chain.checkpoint = chain.ids.len();
                is_beyond = list.is_checkpoint;
            }
            chain.ids.push(base);
        }
        Some(chain)
    }

    /// Lays out a list and what it stands on.
    fn lay_out(&mut self, chain: &[Sha]) -> Option<Rc<Laid>> {
        let mut below: Option<Rc<Laid>> = None;
        for id in chain.iter().rev() {
            if let Some(laid) = self.laid.get(id) {
                below = Some(Rc::clone(laid));
                continue;
            }
            let list = self.lists.get(id)?;
            let (record, _) = read(&list.payload).ok()?;
            let base = below.as_ref().map_or(&[][..], |below| &below.tests);
            let mut tests = Vec::with_capacity(base.len() + 64);
            let mut from = 0;
            for (first, length) in join_ranges(record.without) {
                let first = (first as usize).clamp(from, base.len());
                tests.extend_from_slice(&base[from..first]);
                from = first.saturating_add(length as usize).min(base.len());
            }
            tests.extend_from_slice(&base[from..]);
            for suite in &record.suites {
                let number = self.suites.number(&suite.suite.0);
                for test in suite.tests() {
                    tests.push((
                        self.tests.number(number, test.name),
                        self.sequences.number(&test.expected),
                        test.duration,
                    ));
                }
            }
            if let Some(durations) = &record.durations {
                for (test, letter) in tests.iter_mut().zip(durations.bytes()) {
                    test.2 = Duration::from_letter(letter);
                }
            }
            let sums = Sums::of(tests.iter().map(|(test, ..)| *test));
            let laid = Rc::new(Laid { tests, sums });
            if self.laid_places > MOST_LAID {
                self.laid.clear();
                self.laid_places = 0;
            }
            self.laid_places += laid.tests.len();
            self.laid.insert(*id, Rc::clone(&laid));
            below = Some(laid);
        }
        below
    }

    /// Finds the lists that look closest to the tests at hand, among the newest ones that follow a close checkpoint; and
    /// the newest checkpoint that is related, if none is close.
    fn closest(&mut self, tests: &[Listed<'_>], numbers: &Numbers) -> (Vec<Chain>, Option<Chain>) {
        let mut checkpoints: HashMap<Sha, bool> = HashMap::new();
        let mut found: Vec<(usize, Chain)> = Vec::new();
        let mut related = None;
        let newest: Vec<Sha> = self.by_age.iter().rev().map(|(_, id)| *id).collect();
        for id in newest {
            let Some(chain) = self.chain(id) else {
                continue;
            };
            let checkpoint = chain.ids[chain.checkpoint];
            let is_close = match checkpoints.get(&checkpoint) {
                Some(is_close) => *is_close,
                None => {
                    let ground = chain.ground();
                    let comparison = self.compare(&ground.ids, tests, numbers);
                    let is_close = comparison.as_ref().is_some_and(Comparison::is_close);
                    checkpoints.insert(checkpoint, is_close);
                    let is_related = comparison.as_ref().is_some_and(Comparison::is_related);
                    if is_related && related.is_none() {
                        related = Some(ground);
                    }
                    is_close
                }
            };
            if !is_close {
                continue;
            }
            let Some(laid) = self.lay_out(&chain.ids) else {
                continue;
            };
            let distance = laid.sums.distance(&numbers.sums);
            found.push((distance, chain));
            if distance == 0 || found.len() >= MOST_LOOKS {
                break;
            }
        }
        // The newest first among equals.
        crate::order::sort_by_key(&mut found, |(distance, _)| *distance);
        found.truncate(MOST_COMPARED);
        (found.into_iter().map(|(_, chain)| chain).collect(), related)
    }

    /// Returns the list for the tests at hand, which are sorted, and the event that stores it if none does yet.
    pub(super) fn place(&mut self, tests: &[Listed<'_>], at: Timestamp) -> Placed {
        if self.lists.is_empty() {
            return self.whole(tests, at);
        }
        let numbers = self.numbers(tests);
        let (closest, related) = self.closest(tests, &numbers);
        let mut best: Option<(usize, Chain)> = None;
        for chain in closest {
            let Some(comparison) = self.compare(&chain.ids, tests, &numbers) else {
                continue;
            };
            let cost = comparison.cost();
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, chain));
            }
        }
        let best = best.map(|(cost, chain)| {
            // Lists that follow stand on a new one near the ground.
            let is_high = cost > 0 && chain.checkpoint >= HIGHEST;
            if is_high { chain.ground() } else { chain }
        });
        if let Some(chain) = best
            && let Some(comparison) = self.compare(&chain.ids, tests, &numbers)
        {
            let fit = comparison.into_fit(false);
            return self.stand(chain.ids[0], fit, tests, None, at);
        }
        if let Some(chain) = related.filter(|chain| chain.ids.len() < DEEPEST - HIGHEST)
            && let Some(comparison) = self.compare(&chain.ids, tests, &numbers)
        {
            let fit = comparison.into_fit(true);
            let mut durations = vec!['-'; fit.length as usize];
            for (test, place) in tests.iter().zip(&fit.places) {
                durations[*place as usize] = test.duration.letter();
            }
            if durations.iter().all(|letter| *letter == '-') {
                durations.clear();
            }
            let durations = durations.into_iter().collect();
            return self.stand(chain.ids[0], fit, tests, Some(durations), at);
        }
        self.whole(tests, at)
    }

    /// Returns a list that stands on no other.
    fn whole(&mut self, tests: &[Listed<'_>], at: Timestamp) -> Placed {
        let with_durations = self.is_lasting || !self.lists.is_empty();
        let text = payload_of(None, tests.iter(), None, with_durations);
        let length = u32::try_from(tests.len()).unwrap_or(u32::MAX);
        let fit = Fit {
            places: (0..length).collect(),
            length,
            ..Fit::default()
        };
        self.store(at, None, true, text, fit)
    }

    /// Returns the list that stands on another.
    fn stand(
        &mut self,
        base: Sha,
        fit: Fit,
        tests: &[Listed<'_>],
        durations: Option<String>,
        at: Timestamp,
    ) -> Placed {
        if fit.is_same_list() && durations.is_none() {
            return Placed::new(base, None, fit);
        }
        let added = fit.added.iter().map(|&number| &tests[number]);
        let is_checkpoint = durations.is_some();
        let text = payload_of(
            Some((&base, &fit.without)),
            added,
            durations,
            !is_checkpoint,
        );
        self.store(at, Some(base), is_checkpoint, text, fit)
    }

    fn store(
        &mut self,
        at: Timestamp,
        base: Option<Sha>,
        is_checkpoint: bool,
        payload: String,
        fit: Fit,
    ) -> Placed {
        // A list is the same whoever writes it, so it names no run.
        let event = Event::new(TEST_LIST, at, Origin::default(), payload);
        let id = event.id;
        let is_new = self.ids.insert(id);
        // One that would drive out all the others is not kept at hand.
        if is_new && fit.length > 0 && event.payload.len() <= MOST_KNOWN / 2 {
            self.remember(at, id, base, is_checkpoint, &event.payload);
        }
        Placed::new(id, is_new.then_some(event), fit)
    }

    /// Compares the tests at hand with the first list of a chain.
    fn compare<'t, 'a>(
        &mut self,
        chain: &[Sha],
        tests: &'t [Listed<'a>],
        numbers: &Numbers,
    ) -> Option<Comparison<'t, 'a>> {
        let laid = self.lay_out(chain)?;
        let sequences = &self.sequences;
        let known = laid.tests.iter().map(|(test, expected, duration)| Known {
            number: numbers.at.get(*test as usize).copied().flatten(),
            expected: sequences.text(*expected),
            duration: *duration,
        });
        Some(Comparison::new(tests, known))
    }

    fn numbers(&mut self, tests: &[Listed<'_>]) -> Numbers {
        let mut at = vec![None; self.tests.len() + tests.len()];
        let mut numbers = Vec::with_capacity(tests.len());
        for (place, test) in tests.iter().enumerate() {
            let suite = self.suites.number(test.suite);
            let number = self.tests.number(suite, test.name);
            at[number as usize] = Some(place);
            numbers.push(number);
        }
        Numbers {
            at,
            sums: Sums::of(numbers.into_iter()),
        }
    }
}

/// The tests at hand by number.
struct Numbers {
    /// For each number, which of the tests at hand it is.
    at: Vec<Option<usize>>,
    sums: Sums,
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

/// Writes a payload; its keys are sorted, and tests come in order of suite.
fn payload_of<'a>(
    base: Option<(&Sha, &[(u32, u32)])>,
    tests: impl Iterator<Item = &'a Listed<'a>>,
    durations: Option<String>,
    with_durations: bool,
) -> String {
    let tests: Vec<&Listed<'a>> = tests.collect();
    // A million names grow past twice their size when the text grows by doubling.
    let size: usize = tests.iter().map(|test| test.name.len() + 4).sum();
    let mut payload = String::with_capacity(size + 4096);
    payload.push('{');
    if let Some((base, _)) = base {
        payload.push_str(&format!("\"base\":\"{base}\","));
    }
    if let Some(durations) = durations {
        payload.push_str(&format!("\"durations\":\"{durations}\","));
    }
    payload.push_str("\"suites\":[");
    for suite in tests.chunk_by(|a, b| a.suite == b.suite) {
        if !payload.ends_with('[') {
            payload.push(',');
        }
        write_suite(&mut payload, suite, with_durations);
    }
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

/// Writes the tests of one suite.
fn write_suite(payload: &mut String, tests: &[&Listed<'_>], with_durations: bool) {
    payload.push('{');
    if with_durations && tests.iter().any(|test| test.duration.is_known()) {
        let letters: String = tests.iter().map(|test| test.duration.letter()).collect();
        payload.push_str(&format!("\"durations\":\"{letters}\","));
    }
    let unusual = (0_u32..)
        .zip(tests)
        .filter(|(_, test)| test.expected != "p");
    let unusual = unusual.map(|(place, test)| (place, test.expected.as_ref()));
    let expected: BTreeMap<u32, &str> = crate::order::map(unusual);
    if !expected.is_empty() {
        payload.push_str(&format!("\"expected\":{},", json(&expected)));
    }
    let suite = tests.first().map_or("", |test| test.suite);
    payload.push_str(&format!("\"suite\":{},\"tests\":[", json(&suite)));
    for test in tests {
        if !payload.ends_with('[') {
            payload.push(',');
        }
        payload.push_str(&json(&test.name));
    }
    payload.push_str("]}");
}

/// Texts, numbers and maps of them can always be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
