//! What in a file is most like lines that are not in it, so that whoever wrote them sees what differs. In proportion to the file, whatever it holds.

use std::collections::HashMap;

use super::levels::{Level, weight};
use super::text::{Text, digest};
use crate::order;

/// Lines that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    /// The first of them.
    pub(super) from: usize,
    /// How many of the wanted lines are there, but for white space.
    pub(super) alike: usize,
}

/// How many places are told.
const MOST: usize = 2;

/// Returns the likeliest places, best first.
pub(super) fn nearest(text: &mut Text<'_>, wanted: &[&str]) -> Vec<Near> {
    let level = Level::Folded;
    let mut index: HashMap<u64, usize> = HashMap::new();
    for (nth, line) in wanted.iter().enumerate() {
        if weight(line) >= 3 {
            index.entry(digest(level, line)).or_insert(nth);
        }
    }
    let lines = text.digests(level).iter().enumerate();
    let mut votes: Vec<usize> = lines
        .filter_map(|(at, digest)| at.checked_sub(*index.get(digest)?))
        .collect();
    order::sort(&mut votes);
    let counted = votes.chunk_by(|a, b| a == b).filter_map(|same| {
        Some(Near {
            from: *same.first()?,
            alike: same.len(),
        })
    });
    let mut places: Vec<Near> = counted.collect();
    order::sort_by_key(&mut places, |near| (usize::MAX - near.alike, near.from));
    let mut best: Vec<Near> = Vec::new();
    for near in places {
        if best.len() == MOST {
            break;
        }
        if best
            .iter()
            .all(|other| other.from.abs_diff(near.from) >= wanted.len())
        {
            best.push(near);
        }
    }
    if best.is_empty() {
        best.extend(by_letters(text, wanted));
    }
    best
}

/// Pairs of bytes, as a set.
struct Pairs([u64; 1024]);

impl Pairs {
    fn of(line: &str) -> Self {
        let mut pairs = Self([0; 1024]);
        for pair in line.as_bytes().windows(2) {
            let (word, bit) = Self::place(pair);
            pairs.0[word] |= bit;
        }
        pairs
    }

    fn place(pair: &[u8]) -> (usize, u64) {
        let nth = pair
            .iter()
            .fold(0, |nth, byte| nth * 256 + usize::from(*byte));
        (nth / 64, 1 << (nth % 64))
    }

    fn count(&self, line: &str) -> usize {
        let is_known = |pair: &&[u8]| {
            let (word, bit) = Self::place(pair);
            self.0[word] & bit != 0
        };
        line.as_bytes().windows(2).filter(is_known).count()
    }
}

/// Finds the line that shares most pairs of bytes with the most telling of the wanted ones (Dice 1945), if it is at least half alike.
fn by_letters(text: &Text<'_>, wanted: &[&str]) -> Option<Near> {
    let (nth, telling) = wanted
        .iter()
        .enumerate()
        .max_by_key(|(nth, line)| (weight(line).min(200), wanted.len() - nth))?;
    let telling = telling.trim();
    let pairs = Pairs::of(telling);
    let mut best = (0, 0);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.len() > telling.len() * 4 + 20 {
            continue;
        }
        let likeness = pairs.count(line) * 2000 / (line.len() + telling.len()).max(1);
        if likeness > best.0 {
            best = (likeness, at);
        }
    }
    (best.0 >= 500 && telling.len() > 2).then(|| Near {
        from: best.1.saturating_sub(nth),
        alike: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, wanted: &[&str]) -> Vec<(usize, usize)> {
        let near = nearest(&mut Text::read(text), wanted);
        near.iter().map(|near| (near.from, near.alike)).collect()
    }

    #[test]
    fn most_shared_lines_come_first() {
        let text = "one\nthree\nx\nx\nx\none\ntwo\nthree\n";
        assert_eq!(found(text, &["one", "too", "three"]), [(5, 2), (0, 1)]);
        assert_eq!(found(text, &["{", "}"]), []);
    }

    #[test]
    fn a_line_with_a_slip_is_found_by_its_letters() {
        let text = "fn a() {}\nfn parse_header(line: &str) -> Header {\nfn c() {}\n";
        assert_eq!(
            found(
                text,
                &["    fn parse_headers(line: &str) -> Option<Header> {"]
            ),
            [(1, 0)]
        );
        assert_eq!(found(text, &["something else altogether"]), []);
    }

    #[test]
    fn equal_lines_by_the_hundred_thousand_take_no_time() {
        let text = "same line\n".repeat(200_000);
        let wanted = vec!["same line"; 1000];
        assert_eq!(found(&text, &wanted).len(), 2);
    }
}
