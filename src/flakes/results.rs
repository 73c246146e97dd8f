//! The results of one run of one job, packed: a million tests take their names and twenty-four bytes each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::duration::Time;
use crate::junit::{Case, Outcome, bound_name};

/// A test that ran, and ran again on the same commit, is written as a sequence of letters (`fp`: failed, then passed).
/// Executions that share a name without being attempts of one another (parametrised twins) are joined by this sign, sorted,
/// those of one kind once with their number: `f*3+p*150`.
const TWINS: char = '+';

/// Stands between a twin and its number.
const TIMES: char = '*';

/// More attempts than this of one execution are cut in the middle.
pub(super) const MOST_ATTEMPTS: usize = 200;

/// More kinds of twin than this under one name are told apart by their last outcome only.
const MOST_KINDS: usize = 50;

/// One test's results.
#[derive(Debug, Clone, Copy)]
struct Row {
    suite: u32,
    sequence: u32,
    start: usize,
    length: u32,
    /// All of its executions together.
    time: Time,
}

/// Tests by suite and name, with what happened to each.
#[derive(Debug, Default)]
pub(crate) struct Results {
    names: String,
    rows: Vec<Row>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    suites: Interner,
    sequences: Interner,
    messages: BTreeMap<u32, String>,
    /// Files of tests that failed, where reports name them.
    files: BTreeMap<u32, String>,
    /// For tests with twins: how often each sequence was seen.
    twins: BTreeMap<u32, BTreeMap<u32, u64>>,
    /// The suite of the case before: its path's number, its class, and its label.
    last_suite: Option<(u64, String, u32)>,
}

/// Strings by number.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    strings: Vec<String>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        let strings = &self.strings;
        if let Some(&found) = self.table.find(hash, |&n| strings[n as usize] == text) {
            return found;
        }
        let number = count(self.strings.len());
        self.strings.push(text.to_owned());
        let (strings, hasher) = (&self.strings, &self.hasher);
        self.table.insert_unique(hash, number, |&n| {
            hasher.hash_one(strings[n as usize].as_str())
        });
        number
    }

    /// Returns the number of a string that is known.
    #[cfg(feature = "bench")]
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        let strings = &self.strings;
        let found = self.table.find(hash, |&n| strings[n as usize] == text);
        found.copied()
    }

    pub(crate) fn text(&self, number: u32) -> &str {
        &self.strings[number as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.strings.len()
    }

    /// Applies a change to every string; returns the new number of each old one.
    pub(crate) fn rewritten(&mut self, change: &dyn Fn(&str) -> Option<String>) -> Vec<u32> {
        let old = std::mem::take(self);
        let new = old.strings.iter().map(|text| match change(text) {
            Some(changed) => self.number(&changed),
            None => self.number(text),
        });
        new.collect()
    }
}

/// Returns the new suite and name of a test that gets others.
pub(crate) type Renaming<'c> = &'c dyn Fn(&str, &str) -> Option<(String, String)>;

impl Results {
    /// Records a case of a report, with its message as it is to be stored.
    pub(crate) fn case(&mut self, suites: &[String], serial: u64, case: &Case, message: &str) {
        let suite = match &self.last_suite {
            Some((last, class, number)) if *last == serial && *class == case.class => *number,
            _ => {
                let number = self
                    .suites
                    .number(&suite_label(suites, &case.class, &case.name));
                // A label that depends on the name is good for this case only.
                if case.class == case.name {
                    self.last_suite = None;
                } else {
                    self.last_suite = Some((serial, case.class.clone(), number));
                }
                number
            }
        };
        let mut letters = [0_u8; 4];
        let sequence = match case.attempts.as_slice() {
            [] => self.sequences.number("s"),
            [only] => self
                .sequences
                .number(only.letter().encode_utf8(&mut letters)),
            several => {
                let (head, tail) = several.split_at(several.len().min(MOST_ATTEMPTS));
                // The last attempt is the one that counts.
                let all = head.iter().chain(tail.last());
                let text: String = all.map(|outcome| outcome.letter()).collect();
                self.sequences.number(&text)
            }
        };
        let time = case.seconds.map_or(Time::UNKNOWN, Time::of_seconds);
        let at = self.record(suite, &case.name, sequence, message, time);
        if !case.file.is_empty() && case.attempts.last().is_some_and(|last| last.is_failing()) {
            self.files.entry(at).or_insert_with(|| case.file.clone());
        }
    }

    /// Records a result; returns which row has it.
    fn record(&mut self, suite: u32, name: &str, sequence: u32, message: &str, time: Time) -> u32 {
        let hash = self.hasher.hash_one((suite, name));
        let (rows, names) = (&self.rows, &self.names);
        let found = self.table.find(hash, |&at| {
            let row = &rows[at as usize];
            row.suite == suite && name_of(names, row) == name
        });
        let at = if let Some(&at) = found {
            self.twin(at, sequence);
            let row = &mut self.rows[at as usize];
            row.time = row.time.plus(time);
            at
        } else {
            let at = count(self.rows.len());
            self.rows.push(Row {
                suite,
                sequence,
                start: self.names.len(),
                length: count(name.len()),
                time,
            });
            self.names.push_str(name);
            // Keeps neighbours apart for whoever looks over all the names at once.
            self.names.push('\n');
            let (rows, names, hasher) = (&self.rows, &self.names, &self.hasher);
            self.table.insert_unique(hash, at, |&at| {
                let row = &rows[at as usize];
                hasher.hash_one((row.suite, name_of(names, row)))
            });
            at
        };
        if !message.is_empty() {
            self.messages
                .entry(at)
                .or_insert_with(|| message.to_owned());
        }
        at
    }

    /// Adds a further result of a test that has one.
    fn twin(&mut self, at: u32, sequence: u32) {
        let first = self.rows[at as usize].sequence;
        let kinds = self
            .twins
            .entry(at)
            .or_insert_with(|| BTreeMap::from([(first, 1)]));
        let mut kind = sequence;
        if kinds.len() >= MOST_KINDS && !kinds.contains_key(&kind) {
            let last = self.sequences.text(sequence).chars().next_back();
            kind = self.sequences.number(&last.unwrap_or('p').to_string());
        }
        *kinds.entry(kind).or_default() += 1;
    }

    /// Returns a test's whole sequence.
    fn sequence(&self, at: u32) -> Cow<'_, str> {
        let Some(kinds) = self.twins.get(&at) else {
            return Cow::Borrowed(self.sequences.text(self.rows[at as usize].sequence));
        };
        let named = kinds
            .iter()
            .map(|(&kind, &times)| (self.sequences.text(kind), times));
        Cow::Owned(join_twins(named.collect()))
    }

    /// Adds the results of another file of the same run.
    pub(crate) fn absorb(&mut self, other: Self) {
        if self.rows.is_empty() {
            *self = other;
            return;
        }
        for at in 0..count(other.rows.len()) {
            let suite = other.suites.text(other.rows[at as usize].suite);
            self.adopt(&other, at, suite, None);
        }
    }

    /// Returns how many tests there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Applies a change to every suite and name; tests that become one are joined.
    pub(crate) fn rewrite_names(self, change: &dyn Fn(&str) -> Option<String>) -> Self {
        if self.is_clean(change) {
            return self;
        }
        let mut this = self;
        let renamed = this.suites.rewritten(change);
        let mut new = Self::default();
        for at in 0..count(this.rows.len()) {
            let row = &this.rows[at as usize];
            let suite = this.suites.text(renamed[row.suite as usize]);
            let name = change(name_of(&this.names, row));
            new.adopt(&this, at, suite, name.as_deref());
        }
        new
    }

    /// Whether a change leaves every suite and name as it is.
    pub(crate) fn is_clean(&self, change: &dyn Fn(&str) -> Option<String>) -> bool {
        // Names lie end to end, so that one look over all of them tells whether any needs a change.
        let mut suites = self.suites.strings.iter();
        change(&self.names).is_none() && suites.all(|suite| change(suite).is_none())
    }

    /// Gives tests other suites and names; those that become one are joined.
    pub(crate) fn rewritten(self, change: Renaming<'_>) -> Self {
        let mut new = Self::default();
        for at in 0..count(self.rows.len()) {
            let row = &self.rows[at as usize];
            let suite = self.suites.text(row.suite);
            match change(suite, name_of(&self.names, row)) {
                Some((suite, name)) => new.adopt(&self, at, &suite, Some(&name)),
                None => new.adopt(&self, at, suite, None),
            }
        }
        new
    }

    /// Takes a test of other results, perhaps under another name.
    fn adopt(&mut self, other: &Self, at: u32, suite: &str, name: Option<&str>) {
        let row = &other.rows[at as usize];
        let name = name.unwrap_or_else(|| name_of(&other.names, row));
        let suite = self.suites.number(suite);
        let message = other.messages.get(&at).map_or("", String::as_str);
        let once = BTreeMap::from([(row.sequence, 1)]);
        // The time is that of all twins together.
        let mut time = row.time;
        for (&kind, &times) in other.twins.get(&at).unwrap_or(&once) {
            let sequence = self.sequences.number(other.sequences.text(kind));
            for _ in 0..times {
                let time = std::mem::replace(&mut time, Time::UNKNOWN);
                let own = self.record(suite, name, sequence, message, time);
                if let Some(file) = other.files.get(&at) {
                    self.files.entry(own).or_insert_with(|| file.clone());
                }
            }
        }
    }

    /// Returns the order of suite and name, for [`Self::at`].
    pub(crate) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count(self.suites.len())).collect();
        order.sort_by_key(|&suite| self.suites.text(suite));
        let mut rank = vec![0_u32; order.len()];
        for (position, &suite) in order.iter().enumerate() {
            rank[suite as usize] = count(position);
        }
        let mut rows: Vec<u32> = (0..count(self.rows.len())).collect();
        rows.sort_unstable_by(|&a, &b| {
            let (a, b) = (&self.rows[a as usize], &self.rows[b as usize]);
            (rank[a.suite as usize].cmp(&rank[b.suite as usize]))
                .then_with(|| name_of(&self.names, a).cmp(name_of(&self.names, b)))
        });
        rows
    }

    /// Returns every test, in order of arrival.
    pub(crate) fn tests(&self) -> impl Iterator<Item = TestResult<'_>> {
        (0..count(self.rows.len())).map(|at| self.at(at))
    }

    /// Returns one test.
    pub(crate) fn at(&self, at: u32) -> TestResult<'_> {
        let row = &self.rows[at as usize];
        TestResult {
            suite: self.suites.text(row.suite),
            name: name_of(&self.names, row),
            sequence: self.sequence(at),
            message: self.messages.get(&at).map_or("", String::as_str),
            file: self.files.get(&at).map_or("", String::as_str),
            time: row.time,
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// One test of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestResult<'a> {
    pub(crate) suite: &'a str,
    pub(crate) name: &'a str,
    pub(crate) sequence: Cow<'a, str>,
    pub(crate) message: &'a str,
    /// Of a test that failed, where its report names one.
    pub(crate) file: &'a str,
    pub(crate) time: Time,
}

fn name_of<'a>(names: &'a str, row: &Row) -> &'a str {
    &names[row.start..row.start + row.length as usize]
}

/// Returns what tells tests of one name apart: the names of the suites around them, and the class where it adds
/// something.
fn suite_label(suites: &[String], class: &str, name: &str) -> String {
    let mut label = suites.join(" > ");
    let repeats = suites.last().is_some_and(|last| last == class);
    if !class.is_empty() && !repeats && class != name {
        if !label.is_empty() {
            label.push_str(" > ");
        }
        label.push_str(class);
    }
    bound_name(&mut label);
    label
}

/// Returns the sequence that a healthy run of the same shape has: passed for what ran, skipped for what did not.
pub(crate) fn expected(sequence: &str) -> Cow<'static, str> {
    let healthy = |twin: &str| -> &'static str { if twin == "s" { "s" } else { "p" } };
    if !sequence.contains([TWINS, TIMES]) {
        return Cow::Borrowed(healthy(sequence));
    }
    Cow::Owned(join_twins(
        kinds(sequence)
            .map(|(twin, times)| (healthy(twin), times))
            .collect(),
    ))
}

/// Writes twins as one sequence: sorted, each kind once.
fn join_twins(mut kinds: Vec<(&str, u64)>) -> String {
    kinds.sort_unstable();
    kinds.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            earlier.1 += later.1;
        }
        same
    });
    let write = |(twin, times): (&str, u64)| match times {
        1 => twin.to_owned(),
        times => format!("{twin}{TIMES}{times}"),
    };
    kinds.into_iter().map(write).collect::<Vec<_>>().join("+")
}

/// More executions of one kind under one name has no run.
const MOST_TWINS: u64 = 1_000_000;

/// Whether a text is a sequence as this program writes it.
pub(crate) fn is_sequence(text: &str) -> bool {
    let mut before = "";
    let mut count = 0;
    text.split(TWINS).all(|kind| {
        let (twin, times) = match kind.split_once(TIMES) {
            Some((twin, times)) => (twin, times),
            None => (kind, "2"),
        };
        let is_in_order = before < twin;
        before = twin;
        count += 1;
        is_in_order
            && count <= MOST_KINDS + 4
            && twin.len() <= MOST_ATTEMPTS + 1
            && twin.bytes().all(|letter| b"pfes".contains(&letter))
            && times.bytes().all(|digit| digit.is_ascii_digit())
            && !times.starts_with('0')
            && times
                .parse()
                .is_ok_and(|times: u64| (2..=MOST_TWINS).contains(&times))
    })
}

/// Returns the kinds of twin of a sequence, with their numbers.
pub(crate) fn kinds(sequence: &str) -> impl Iterator<Item = (&str, u64)> {
    sequence
        .split(TWINS)
        .map(|kind| match kind.split_once(TIMES) {
            // A number that no run can reach was not written by us.
            Some((twin, times)) => (
                twin,
                times.parse().map_or(1, |times: u64| times.min(1 << 32)),
            ),
            None => (kind, 1),
        })
}

/// Returns the executions of a sequence, kind by kind, with the number of each; what did not run is left out.
pub(crate) fn twins(sequence: &str) -> impl Iterator<Item = (Vec<Outcome>, u64)> + '_ {
    kinds(sequence).map(|(twin, times)| {
        let outcomes = twin.chars().filter_map(Outcome::from_letter);
        (
            outcomes
                .filter(|outcome| *outcome != Outcome::Skipped)
                .collect(),
            times,
        )
    })
}

#[cfg(test)]
mod tests;
