//! The neutral form of results: one JSON object a line, so that histories can come from anywhere.
//!
//! `{"run": "8812", "attempt": 1, "commit": "…", "branch": "main", "job": "test", "at": "2026-01-05T09:00:00Z",
//! "test": "retries", "suite": "net", "status": "failed", "duration_ms": 12, "message": "…"}`; `run`, `test` and
//! `status` are required. Several lines for one test in the same run, attempt and job are its attempts, in order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::duration::Time;
use super::results::{Interner, MOST_ATTEMPTS};
use crate::event::Origin;
use crate::json;
use crate::junit::{Counts, Note, NoteCode, Notes, Outcome, bound_name};
use crate::sha::{Hasher, Sha};

/// A line longer than this is not a test result.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// How much of the reason why a line is none is kept, in bytes.
const REASON_LIMIT: usize = 200;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    run: Word<'a>,
    attempt: Option<u32>,
    #[serde(borrow)]
    commit: Option<Cow<'a, str>>,
    #[serde(borrow)]
    branch: Option<Cow<'a, str>>,
    #[serde(borrow)]
    job: Option<Cow<'a, str>>,
    at: Option<Timestamp>,
    #[serde(borrow)]
    test: Cow<'a, str>,
    #[serde(borrow)]
    suite: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    /// A number; whatever else stands there is no reason to lose the line.
    #[serde(borrow)]
    duration_ms: Option<&'a RawValue>,
}

/// A run's name: GitHub's are numbers, and both spellings are common.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Number(u64),
}

/// One run, attempt and job of the file.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) origin: Origin,
    /// The earliest time of its lines.
    pub(crate) at: Option<Timestamp>,
    /// Test number, outcome and time, in the order of the lines.
    rows: Vec<(u32, Outcome, Time)>,
    messages: BTreeMap<u32, String>,
    pub(crate) counts: Counts,
    /// A digest of its lines, so that a history which grows between two readings is known run by run.
    digest: Hasher,
}

/// Everything that the file holds.
#[derive(Debug, Default)]
pub(crate) struct NeutralFile {
    tests: Vec<(u32, u32)>,
    suites: Interner,
    names: Interner,
    pub(crate) groups: Vec<Group>,
    pub(crate) counts: Counts,
    pub(crate) notes: Vec<Note>,
    /// Lines that are no test result.
    pub(crate) dropped: u64,
}

/// One test of one group.
#[derive(Debug)]
pub(crate) struct GroupTest<'a> {
    pub(crate) test: u32,
    pub(crate) sequence: String,
    pub(crate) message: &'a str,
    pub(crate) time: Time,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum NeutralError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("no line of it is a test result: {first}")]
    NoResult { first: String },
}

/// Reads a file; `clean` makes of a message what is to be stored.
pub(crate) fn read(
    source: impl Read,
    clean: &dyn Fn(&str) -> String,
) -> Result<NeutralFile, NeutralError> {
    let mut source = BufReader::with_capacity(256 * 1024, source);
    let mut reader = Reader::new(clean);
    let mut line = Vec::new();
    let mut offset = 0;
    loop {
        line.clear();
        let count = (&mut source)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)? as u64;
        if count == 0 {
            break;
        }
        if count == LONGEST_LINE && line.last() != Some(&b'\n') {
            reader.bad(offset, "it is longer than 16 MiB");
            offset += count + skip_line(&mut source)?;
            continue;
        }
        let text = line.trim_ascii();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        reader.line(text, offset);
        offset += count;
    }
    reader.finish()
}

fn skip_line(source: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let data = source.fill_buf()?;
        if data.is_empty() {
            return Ok(skipped);
        }
        let (count, done) = match data.iter().position(|&byte| byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (data.len(), false),
        };
        source.consume(count);
        skipped += count as u64;
        if done {
            return Ok(skipped);
        }
    }
}

struct Reader<'c> {
    clean: &'c dyn Fn(&str) -> String,
    file: NeutralFile,
    notes: Notes,
    by_name: HashMap<(u32, u32), u32>,
    by_run: HashMap<(String, u32, String), usize>,
    last: Option<usize>,
    first_trouble: Option<String>,
}

impl<'c> Reader<'c> {
    fn new(clean: &'c dyn Fn(&str) -> String) -> Self {
        Self {
            clean,
            file: NeutralFile::default(),
            notes: Notes::default(),
            by_name: HashMap::new(),
            by_run: HashMap::new(),
            last: None,
            first_trouble: None,
        }
    }

    fn line(&mut self, line: &[u8], offset: u64) {
        if line.is_empty() {
            return;
        }
        // Messages of failures hold what a program printed, so a stray byte must not cost the failure.
        let mended;
        let parsed: Line<'_> = match json::read(line) {
            Ok(parsed) => parsed,
            Err(_) => {
                mended = without_lone_surrogates(&String::from_utf8_lossy(line));
                match json::read(&mended) {
                    Ok(parsed) => {
                        self.notes.once(NoteCode::BadUtf8, offset);
                        parsed
                    }
                    Err(error) => return self.bad(offset, reason(&error.to_string())),
                }
            }
        };
        if parsed.attempt == Some(0) {
            return self.bad(offset, "attempts count from 1");
        }
        let Some(outcome) = outcome(&parsed.status) else {
            return self.bad(offset, &format!("unknown status `{}`", parsed.status));
        };
        let origin = Origin {
            run: match parsed.run {
                Word::Text(text) => text.into_owned(),
                Word::Number(number) => number.to_string(),
            },
            attempt: parsed.attempt.unwrap_or(1),
            job: parsed.job.unwrap_or_default().into_owned(),
            commit: parsed.commit.unwrap_or_default().into_owned(),
            branch: parsed.branch.unwrap_or_default().into_owned(),
        }
        .plain();
        let suite = self
            .file
            .suites
            .number(&bounded(parsed.suite.as_deref().unwrap_or("")));
        let name = self.file.names.number(&bounded(&parsed.test));
        let next = u32::try_from(self.file.tests.len()).unwrap_or(u32::MAX);
        let test = *self.by_name.entry((suite, name)).or_insert(next);
        if test == next {
            self.file.tests.push((suite, name));
        }
        let group = self.group(origin, offset);
        let group = &mut self.file.groups[group];
        group.digest.update(line);
        group.digest.update(b"\n");
        group.at = match (group.at, parsed.at) {
            (Some(before), Some(at)) => Some(before.min(at)),
            (before, at) => before.or(at),
        };
        let milliseconds = parsed.duration_ms.and_then(|raw| raw.get().parse().ok());
        let time = milliseconds.map_or(Time::UNKNOWN, Time::of_milliseconds);
        group.rows.push((test, outcome, time));
        count(&mut group.counts, outcome);
        count(&mut self.file.counts, outcome);
        if let Some(message) = parsed.message
            && outcome.is_failing()
            && !message.is_empty()
        {
            let clean = self.clean;
            group
                .messages
                .entry(test)
                .or_insert_with(|| clean(&message));
        }
    }

    /// Finds the group of a line. The first line of a run, attempt and job names its commit and branch.
    fn group(&mut self, origin: Origin, offset: u64) -> usize {
        let same = |group: &Group| {
            let own = &group.origin;
            (own.attempt, &own.run, &own.job) == (origin.attempt, &origin.run, &origin.job)
        };
        // Lines of one run usually stand together.
        let last = self.last.filter(|&last| same(&self.file.groups[last]));
        let found = last.unwrap_or_else(|| {
            let key = (origin.run.clone(), origin.attempt, origin.job.clone());
            let next = self.file.groups.len();
            *self.by_run.entry(key).or_insert(next)
        });
        self.last = Some(found);
        match self.file.groups.get_mut(found) {
            None => self.file.groups.push(Group {
                origin,
                ..Group::default()
            }),
            Some(group) => {
                let own = &mut group.origin;
                if own.commit.is_empty() {
                    own.commit = origin.commit;
                } else if !origin.commit.is_empty() && own.commit != origin.commit {
                    self.notes.once(NoteCode::MixedCommits, offset);
                }
                if own.branch.is_empty() {
                    own.branch = origin.branch;
                }
            }
        }
        found
    }

    fn bad(&mut self, offset: u64, why: &str) {
        self.file.dropped += 1;
        // A reason may quote the line.
        let why = &why[..why.floor_char_boundary(REASON_LIMIT)];
        self.notes.detail(NoteCode::BadLine, offset, why);
        if self.first_trouble.is_none() {
            self.first_trouble = Some(why.to_owned());
        }
    }

    fn finish(mut self) -> Result<NeutralFile, NeutralError> {
        if self.file.groups.is_empty() {
            let first = self.first_trouble.unwrap_or_else(|| "it is empty".into());
            return Err(NeutralError::NoResult { first });
        }
        self.file.counts.suites = self.file.suites.len() as u64;
        self.file.notes = self.notes.into_vec();
        Ok(self.file)
    }
}

/// Returns a parser's reason without the line number, which is always one.
fn reason(words: &str) -> &str {
    let end = words.find(" at line 1 ").unwrap_or(words.len());
    &words[..end]
}

/// Puts U+FFFD in place of `\\ud800` and its like where the other half of the pair is missing.
fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = text[from..].find('\\').map(|at| from + at) {
        mended.push_str(&text[from..at]);
        let (length, keep) = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => (12, true),
            Some(0xd800..=0xdfff) => (6, false),
            Some(_) => (6, true),
            None => (
                1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
                true,
            ),
        };
        mended.push_str(if keep {
            &text[at..at + length]
        } else {
            "\\ufffd"
        });
        from = at + length;
    }
    mended.push_str(&text[from..]);
    mended
}

fn count(counts: &mut Counts, outcome: Outcome) {
    counts.cases += 1;
    match outcome {
        Outcome::Passed => counts.passed += 1,
        Outcome::Failed => counts.failed += 1,
        Outcome::Errored => counts.errored += 1,
        Outcome::Skipped => {
            counts.skipped += 1;
            return;
        }
    }
    counts.attempts += 1;
}

/// Reads a status word as the common runners write it.
fn outcome(status: &str) -> Option<Outcome> {
    let is = |words: &[&str]| words.iter().any(|word| status.eq_ignore_ascii_case(word));
    Some(
        if is(&["passed", "pass", "ok", "success", "succeeded", "successful"]) {
            Outcome::Passed
        } else if is(&["failed", "fail", "failure"]) {
            Outcome::Failed
        } else if is(&[
            "errored", "error", "broken", "timeout", "timedout", "crashed",
        ]) {
            Outcome::Errored
        } else if is(&[
            "skipped", "skip", "ignored", "pending", "disabled", "todo", "notrun",
        ]) {
            Outcome::Skipped
        } else {
            return None;
        },
    )
}

impl NeutralFile {
    /// Returns how many distinct tests there are.
    pub(crate) fn test_count(&self) -> usize {
        self.tests.len()
    }

    /// Returns a test's suite and name.
    pub(crate) fn test(&self, test: u32) -> (&str, &str) {
        let (suite, name) = self.tests[test as usize];
        (self.suites.text(suite), self.names.text(name))
    }

    /// Applies a change to every suite, test and run name; tests that become one are one.
    pub(crate) fn rewrite_names(&mut self, change: &dyn Fn(&str) -> Option<String>) {
        for group in &mut self.groups {
            let origin = &mut group.origin;
            for name in [
                &mut origin.run,
                &mut origin.job,
                &mut origin.commit,
                &mut origin.branch,
            ] {
                if let Some(new) = change(name) {
                    *name = new;
                }
            }
        }
        let suites = self.suites.rewritten(change);
        let names = self.names.rewritten(change);
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut tests = Vec::new();
        let mut renumbered = Vec::with_capacity(self.tests.len());
        for (suite, name) in &self.tests {
            let test = (suites[*suite as usize], names[*name as usize]);
            let next = u32::try_from(tests.len()).unwrap_or(u32::MAX);
            let number = *numbers.entry(test).or_insert(next);
            if number == next {
                tests.push(test);
            }
            renumbered.push(number);
        }
        if tests.len() == self.tests.len() {
            self.tests = tests;
            return;
        }
        self.tests = tests;
        for group in &mut self.groups {
            for (test, _, _) in &mut group.rows {
                *test = renumbered[*test as usize];
            }
            let messages = std::mem::take(&mut group.messages).into_iter();
            for (test, message) in messages {
                let test = renumbered[test as usize];
                group.messages.entry(test).or_insert(message);
            }
        }
    }
}

/// Cuts a long name as those of reports are cut.
fn bounded(name: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(name);
    if name.len() > LONGEST_UNCUT {
        bound_name(name.to_mut());
    }
    name
}

/// Names of this length are never cut.
const LONGEST_UNCUT: usize = 4096;

impl Group {
    /// Returns a digest of its lines.
    pub(crate) fn sha(&self) -> Sha {
        self.digest.clone().sha()
    }

    /// Returns the tests with their attempts, in the order of first sight.
    pub(crate) fn tests(&self) -> Vec<GroupTest<'_>> {
        let mut place: HashMap<u32, usize> = HashMap::with_capacity(self.rows.len());
        let mut tests: Vec<GroupTest<'_>> = Vec::with_capacity(self.rows.len());
        for &(test, outcome, time) in &self.rows {
            let at = *place.entry(test).or_insert_with(|| {
                tests.push(GroupTest {
                    test,
                    sequence: String::new(),
                    message: self.messages.get(&test).map_or("", String::as_str),
                    time: Time::UNKNOWN,
                });
                tests.len() - 1
            });
            let sequence = &mut tests[at].sequence;
            if sequence.len() > MOST_ATTEMPTS {
                // As in reports: cut in the middle, and the last attempt is the one that counts.
                sequence.pop();
            }
            sequence.push(outcome.letter());
            tests[at].time = tests[at].time.longest(time);
        }
        tests
    }
}

#[cfg(test)]
mod tests;
