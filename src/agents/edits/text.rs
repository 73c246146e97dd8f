//! A file's text as lines. What is not edited keeps its bytes: its ends of lines, its byte order mark, and whether the last line has an end.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use super::levels::{LEVELS, Level};

/// What a line ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Nothing,
    Lf,
    CrLf,
}

/// A line.
#[derive(Debug, Clone)]
struct Line<'a> {
    text: Cow<'a, str>,
    end: End,
}

/// Lines, and digests of what they are compared by.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    has_mark: bool,
    lines: Vec<Line<'a>>,
    /// One a line and level; none until somebody asks.
    digests: [Vec<u64>; LEVELS],
}

/// Where lines were found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// The first of them.
    pub(super) first: Vec<usize>,
    /// How many there are.
    pub(super) count: usize,
}

impl Hits {
    /// How many of them are kept.
    const KEPT: usize = 5;

    pub(super) fn add(&mut self, at: usize) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(at);
        }
    }
}

impl<'a> Text<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let rest = text.strip_prefix('\u{feff}');
        let lines = rest.unwrap_or(text).split_inclusive('\n').map(|piece| {
            let (text, end) = match piece.strip_suffix('\n') {
                None => (piece, End::Nothing),
                Some(line) => match line.strip_suffix('\r') {
                    Some(line) => (line, End::CrLf),
                    None => (line, End::Lf),
                },
            };
            Line {
                text: text.into(),
                end,
            }
        });
        Self {
            has_mark: rest.is_some(),
            lines: lines.collect(),
            digests: Default::default(),
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let length = self.lines.iter().map(|line| line.text.len() + 2).sum();
        let mut bytes = Vec::with_capacity(length);
        if self.has_mark {
            bytes.extend_from_slice("\u{feff}".as_bytes());
        }
        for line in &self.lines {
            bytes.extend_from_slice(line.text.as_bytes());
            bytes.extend_from_slice(match line.end {
                End::Nothing => b"",
                End::Lf => b"\n",
                End::CrLf => b"\r\n",
            });
        }
        bytes
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn line(&self, at: usize) -> &str {
        self.lines.get(at).map_or("", |line| &line.text)
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| &*line.text)
    }

    /// Whether the last line has an end.
    pub(super) fn is_ended(&self) -> bool {
        self.lines
            .last()
            .is_none_or(|line| line.end != End::Nothing)
    }

    /// Gives the last line an end, or takes it.
    pub(super) fn set_ended(&mut self, is_ended: bool) {
        let last = self.lines.len().saturating_sub(1);
        let end = if is_ended {
            self.end_near(last)
        } else {
            End::Nothing
        };
        if let Some(line) = self.lines.last_mut()
            && (line.end == End::Nothing) == is_ended
        {
            line.end = end;
        }
    }

    /// Ends all lines as another text does, and begins as it does.
    pub(super) fn end_like(&mut self, other: &Self) {
        let Some(first) = other
            .lines
            .first()
            .map(|line| line.end)
            .filter(|end| *end != End::Nothing)
        else {
            return;
        };
        self.has_mark |= other.has_mark;
        let ended = self
            .lines
            .iter_mut()
            .filter(|line| line.end != End::Nothing);
        ended.for_each(|line| line.end = first);
    }

    /// The end that a new line at a place gets: that of the line there, or of one before it.
    fn end_near(&self, at: usize) -> End {
        let upto = self.lines.get(..=at).unwrap_or(&self.lines);
        let mut ends = upto.iter().rev().take(2).map(|line| line.end);
        let end = ends.find(|end| *end != End::Nothing);
        let first = || {
            self.lines
                .first()
                .map(|line| line.end)
                .filter(|end| *end != End::Nothing)
        };
        end.or_else(first).unwrap_or(End::Lf)
    }

    /// Puts lines in the place of others. Whether the last line has an end stays as it is.
    pub(super) fn splice(&mut self, range: Range<usize>, with: Vec<String>) {
        let was_ended = self.is_ended();
        let is_last = range.end >= self.lines.len();
        let end = self.end_near(range.start);
        if is_last
            && !was_ended
            && let Some(last) = self.lines.last_mut()
        {
            last.end = end;
        }
        for (level, digests) in LEVEL.into_iter().zip(&mut self.digests) {
            if !digests.is_empty() {
                let fresh = with.iter().map(|line| digest(level, line));
                digests.splice(range.clone(), fresh);
            }
        }
        let fresh = with.into_iter().map(|line| Line {
            text: line.into(),
            end,
        });
        self.lines.splice(range, fresh);
        if is_last && !was_ended {
            self.set_ended(false);
        }
    }

    /// The digests of all lines at a level.
    pub(super) fn digests(&mut self, level: Level) -> &[u64] {
        let digests = &mut self.digests[level as usize];
        if digests.is_empty() {
            digests.extend(self.lines.iter().map(|line| digest(level, &line.text)));
        }
        digests
    }

    /// Finds lines that follow one another, within a range. Takes time in proportion to the file (Knuth, Morris and Pratt 1977), whatever it holds.
    pub(super) fn find(&mut self, level: Level, wanted: &[&str], within: Range<usize>) -> Hits {
        let mut hits = Hits::default();
        let needle: Vec<u64> = wanted.iter().map(|line| digest(level, line)).collect();
        let within = within.start..within.end.min(self.lines.len());
        if needle.is_empty() || within.len() < needle.len() {
            return hits;
        }
        let fallback = fallback(&needle);
        let mut matched = 0;
        self.digests(level);
        let hay = &self.digests[level as usize];
        for (at, digest) in hay.iter().enumerate().take(within.end).skip(within.start) {
            while matched > 0 && needle[matched] != *digest {
                matched = fallback[matched - 1];
            }
            if needle[matched] == *digest {
                matched += 1;
            }
            if matched == needle.len() {
                let from = at + 1 - matched;
                // Digests of two lines may be equal; a place that is looked into is compared itself.
                let is_kept = hits.first.len() < Hits::KEPT;
                if !is_kept || self.agrees(level, wanted, from) {
                    hits.add(from);
                }
                matched = fallback[matched - 1];
            }
        }
        hits
    }

    /// The digests of lines that were asked for before.
    pub(super) fn known_digests(&self, level: Level, from: usize, count: usize) -> &[u64] {
        self.digests[level as usize]
            .get(from..from + count)
            .unwrap_or_default()
    }

    pub(super) fn agrees(&self, level: Level, wanted: &[&str], from: usize) -> bool {
        let mut pairs = wanted.iter().zip(self.lines.iter().skip(from));
        pairs.all(|(wanted, line)| level.form(wanted) == level.form(&line.text))
    }
}

const LEVEL: [Level; LEVELS] = [
    Level::Exact,
    Level::Ends,
    Level::Indent,
    Level::Folded,
    Level::Comma,
];

pub(super) fn digest(level: Level, line: &str) -> u64 {
    let mut hasher = DefaultHasher::default();
    level.form(line).hash(&mut hasher);
    hasher.finish()
}

/// For each beginning of the needle, how long a beginning of it ends there as well.
fn fallback(needle: &[u64]) -> Vec<usize> {
    let mut table = vec![0; needle.len()];
    let mut matched = 0;
    for at in 1..needle.len() {
        while matched > 0 && needle[matched] != needle[at] {
            matched = table[matched - 1];
        }
        if needle[matched] == needle[at] {
            matched += 1;
        }
        table[at] = matched;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spliced(text: &str, range: Range<usize>, with: &[&str]) -> String {
        let mut lines = Text::read(text);
        lines.digests(Level::Folded);
        lines.splice(range, with.iter().map(|line| (*line).to_owned()).collect());
        let known = lines.digests(Level::Folded).to_vec();
        let fresh: Vec<u64> = lines
            .lines()
            .map(|line| digest(Level::Folded, line))
            .collect();
        assert_eq!(known, fresh);
        String::from_utf8(lines.write()).unwrap()
    }

    #[test]
    fn new_lines_end_as_their_neighbours_do() {
        assert_eq!(
            spliced("a\r\nb\r\nc\r\n", 1..2, &["x", "y"]),
            "a\r\nx\r\ny\r\nc\r\n"
        );
        assert_eq!(spliced("a\nb\r\n", 0..1, &["x"]), "x\nb\r\n");
        assert_eq!(spliced("", 0..0, &["x"]), "x\n");
        assert_eq!(spliced("a\r\nb", 2..2, &["x"]), "a\r\nb\r\nx");
    }

    #[test]
    fn a_last_line_without_an_end_stays_one() {
        assert_eq!(spliced("a\nb", 1..2, &["x"]), "a\nx");
        assert_eq!(spliced("a\nb", 2..2, &["x"]), "a\nb\nx");
        assert_eq!(spliced("a\nb", 1..2, &[]), "a");
        assert_eq!(spliced("a\nb", 0..1, &["x"]), "x\nb");
        assert_eq!(spliced("a\nb\n", 2..2, &["x"]), "a\nb\nx\n");
        assert_eq!(spliced("\u{feff}a\n", 0..1, &["x"]), "\u{feff}x\n");
    }

    #[test]
    fn all_places_are_counted_and_the_first_kept() {
        let text = "a\n".repeat(9);
        let hits = Text::read(&text).find(Level::Exact, &["a", "a"], 0..9);
        assert_eq!((hits.first, hits.count), (vec![0, 1, 2, 3, 4], 8));
        let hits = Text::read(&text).find(Level::Exact, &["a", "a"], 6..8);
        assert_eq!((hits.first, hits.count), (vec![6], 1));
        assert_eq!(
            Text::read("a\n").find(Level::Exact, &[], 0..1),
            Hits::default()
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(text in "(\u{feff}|[ab\r\n]){0,30}") {
            prop_assert_eq!(Text::read(&text).write(), text.as_bytes());
        }

        #[test]
        fn every_place_is_found(hay in "([ab]\n){0,20}", needle in "([ab]\n){1,4}") {
            let wanted: Vec<&str> = needle.lines().collect();
            let lines: Vec<&str> = hay.lines().collect();
            let count = lines.windows(wanted.len()).filter(|window| *window == wanted).count();
            prop_assert_eq!(Text::read(&hay).find(Level::Exact, &wanted, 0..99).count, count);
        }
    }
}
