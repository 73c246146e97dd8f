//! A segment: the events of one kind and month, sorted by time and identity, one a line, each once.
//!
//! Invariant: the bytes of a segment depend on the set of its events alone. Of two lines with one identity the lesser by
//! time and text stays, so that the order in which they arrive does not matter.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::lines::{Damage, read_lines};
use super::v1::{self, LineProblem, StoredEvent};
use crate::sha::Sha;

/// The folder of all segments, in a state folder and in the tree of a state branch.
pub(super) const EVENTS: &str = "events";

/// Returns the month of a time, as segments are named.
pub(super) fn month_of(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

/// Returns where the events of a kind and month lie.
pub(super) fn path_of(kind: &str, month: &str) -> String {
    format!("{EVENTS}/{kind}/{month}.ndjson")
}

/// Returns the kind and month that a path of a segment names.
pub(super) fn name_of(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(EVENTS)?.strip_prefix('/')?;
    let (kind, file) = rest.split_once('/')?;
    let month = file.strip_suffix(".ndjson")?;
    Some((kind, month))
}

/// One line on its way into a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) at: Timestamp,
    pub(super) id: Sha,
    pub(super) line: &'a str,
}

struct Row {
    segment: u32,
    at: Timestamp,
    id: Sha,
    start: usize,
    length: usize,
}

/// What takes the events of one segment: its kind, its month, and the lines.
pub(super) type TakeSegment<'t, E> =
    &'t mut dyn FnMut(&str, &str, &[Incoming<'_>]) -> Result<(), E>;

/// Events on their way into segments.
#[derive(Default)]
pub(super) struct Batch {
    text: String,
    rows: Vec<Row>,
    segments: BTreeMap<(String, String), u32>,
    /// The month of the event before, because most events of a file share it.
    last: Option<(String, i64, i64, u32)>,
}

impl Batch {
    pub(super) fn add(&mut self, event: &StoredEvent<'_>, line: &str) {
        let segment = self.segment(&event.kind, event.at);
        self.rows.push(Row {
            segment,
            at: event.at,
            id: event.id,
            start: self.text.len(),
            length: line.len(),
        });
        self.text.push_str(line);
    }

    fn segment(&mut self, kind: &str, at: Timestamp) -> u32 {
        const DAY: i64 = 86_400;
        let second = at.as_second();
        if let Some((last, from, to, segment)) = &self.last
            && last == kind
            && (*from..*to).contains(&second)
        {
            return *segment;
        }
        let next = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        let name = (kind.to_owned(), month_of(at));
        let segment = *self.segments.entry(name).or_insert(next);
        let from = second.div_euclid(DAY) * DAY;
        self.last = Some((kind.to_owned(), from, from + DAY, segment));
        segment
    }

    /// Returns how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.rows.len() * size_of::<Row>()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns how many different events it holds.
    pub(super) fn distinct(&self) -> usize {
        let ids: HashSet<Sha> = self.rows.iter().map(|row| row.id).collect();
        ids.len()
    }

    /// Returns the lines of a kind.
    pub(super) fn lines_of(&self, kind: &str) -> impl Iterator<Item = &str> {
        let wanted: HashSet<u32> = (self.segments.iter())
            .filter(|((name, _), _)| name == kind)
            .map(|(_, number)| *number)
            .collect();
        let rows = self.rows.iter();
        rows.filter(move |row| wanted.contains(&row.segment))
            .map(|row| &self.text[row.start..row.start + row.length])
    }

    /// Returns the identities of what it holds.
    pub(super) fn ids(&self) -> impl Iterator<Item = Sha> + '_ {
        self.rows.iter().map(|row| row.id)
    }

    /// Takes the events of another batch whose kind and month are wanted.
    pub(super) fn absorb(&mut self, other: &Self, wanted: &dyn Fn(&str, &str) -> bool) {
        let names: HashMap<u32, &(String, String)> = other
            .segments
            .iter()
            .map(|(name, number)| (*number, name))
            .collect();
        for row in &other.rows {
            let Some((kind, month)) = names.get(&row.segment) else {
                continue;
            };
            if !wanted(kind, month) {
                continue;
            }
            let next = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
            let name = (kind.clone(), month.clone());
            let segment = *self.segments.entry(name).or_insert(next);
            self.rows.push(Row {
                segment,
                start: self.text.len(),
                ..*row
            });
            self.text
                .push_str(&other.text[row.start..row.start + row.length]);
        }
    }

    /// Hands out the events, segment by segment, sorted and each once.
    pub(super) fn each<E>(mut self, take: TakeSegment<'_, E>) -> Result<(), E> {
        let text = &self.text;
        let line = |row: &Row| &text[row.start..row.start + row.length];
        self.rows.sort_unstable_by(|a, b| {
            (a.segment, a.id, a.at)
                .cmp(&(b.segment, b.id, b.at))
                .then_with(|| line(a).cmp(line(b)))
        });
        self.rows
            .dedup_by(|later, earlier| (later.segment, later.id) == (earlier.segment, earlier.id));
        self.rows
            .sort_unstable_by_key(|row| (row.segment, row.at, row.id));
        for ((kind, month), segment) in &self.segments {
            let start = self.rows.partition_point(|row| row.segment < *segment);
            let end = self.rows.partition_point(|row| row.segment <= *segment);
            let incoming: Vec<Incoming<'_>> = self.rows[start..end]
                .iter()
                .map(|row| Incoming {
                    at: row.at,
                    id: row.id,
                    line: line(row),
                })
                .collect();
            take(kind, month, &incoming)?;
        }
        Ok(())
    }
}

/// What a merge did.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// Events that were not there before.
    pub(super) added: u64,
    /// Lines of the old segment that cannot be used; the new one must not replace it.
    pub(super) damage: Vec<Damage>,
    /// The old segment is not sorted, or repeats an event; the new one must not replace it.
    pub(super) is_out_of_order: bool,
}

/// Returns time and identity of a line that stands in a segment. Its payload is not read again: it is copied as it is, and
/// `state verify` looks at it.
fn key_of(line: &str) -> Result<(Timestamp, Sha), LineProblem> {
    if let Some(head) = v1::head(line).filter(|_| line.ends_with('}')) {
        return Ok((head.at, head.id));
    }
    v1::parse(line).map(|event| (event.at, event.id))
}

/// Drops what a segment needs only once: of samples of time, the first of each job, leg and day. What stays is the least
/// of a set, so that it does not matter in which order and in which parts they arrive.
#[derive(Default)]
pub(super) struct Thinning(v1::Timed);

impl Thinning {
    pub(super) fn drops(&mut self, line: &str) -> bool {
        if v1::head(line).is_none_or(|head| head.kind != v1::TEST_TIMING) {
            return false;
        }
        let timing = v1::parse(line).and_then(|event| v1::decode_timing(&event));
        timing.is_ok_and(|timing| !self.0.note(&timing.job, &timing.leg, timing.day))
    }
}

/// Writes an old segment and what comes in as one, in one pass.
pub(super) fn merge(
    old: &mut dyn Read,
    path: &Path,
    incoming: &[Incoming<'_>],
    out: &mut dyn Write,
) -> io::Result<Merged> {
    let places: HashMap<Sha, usize> = incoming
        .iter()
        .enumerate()
        .map(|(place, new)| (new.id, place))
        .collect();
    // Lines that came in and lost against an old one with the same identity.
    let mut lost = vec![false; incoming.len()];
    let mut merged = Merged::default();
    let mut next = 0;
    let mut before: Option<(Timestamp, Sha)> = None;
    let mut thinning = Thinning::default();
    let mut write = |line: &str| {
        if thinning.drops(line) {
            return Ok(false);
        }
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n").map(|()| true)
    };
    let mut dropped = 0_u64;
    let mut known = 0_u64;
    read_lines(old, path, &mut |line| {
        let line = match line {
            Ok(line) => line,
            Err(damage) => {
                merged.damage.push(damage);
                return Ok(());
            }
        };
        let key = match key_of(line.text) {
            Ok(key) => key,
            Err(problem) => {
                merged.damage.push(line.damage(path, problem));
                return Ok(());
            }
        };
        merged.is_out_of_order |= before.is_some_and(|before| before >= key);
        before = Some(key);
        while let Some(new) = incoming.get(next).filter(|new| (new.at, new.id) < key) {
            if !lost[next] && !write(new.line)? {
                dropped += 1;
            }
            next += 1;
        }
        if let Some(&place) = places.get(&key.1) {
            known += 1;
            let new = &incoming[place];
            if (new.at, new.line) < (key.0, line.text) {
                // The new line is written in its own place, before or right after this one.
                return Ok(());
            }
            lost[place] = true;
        }
        write(line.text).map(drop)
    })?;
    for (new, lost) in incoming.iter().zip(&lost).skip(next) {
        if !lost && !write(new.line)? {
            dropped += 1;
        }
    }
    merged.added = (incoming.len() as u64).saturating_sub(known + dropped);
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_kind_and_month_and_nothing_else_does() {
        assert_eq!(
            name_of("events/test_run/2026-01.ndjson"),
            Some(("test_run", "2026-01"))
        );
        assert_eq!(name_of("events/test_run.ndjson"), None);
        assert_eq!(name_of("packs/test_run/2026-01.ndjson"), None);
        assert_eq!(path_of("plan", "2026-01"), "events/plan/2026-01.ndjson");
    }
}
