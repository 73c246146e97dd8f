//! Words that name a reason, all looked for at once.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::text::Text;
use super::{CLASSES, Class, async_wait, cascade};
use crate::order;

/// What a phrase is evidence of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A class's reason, in the words of a message.
    Words(Class),
    /// A class's reason, in the name of an exception or an error's code.
    Name(Class),
    /// That a limited wait ran out, or a thread waits.
    Wait,
    /// The same, in a frame of the stack.
    Helper,
    /// That an assertion failed.
    Assertion,
    /// That the test did not get to run.
    Skip,
}

/// A phrase found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) sign: Sign,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line's number.
    pub(super) line: usize,
}

/// More hits than this are not looked at: no honest text has them.
const MOST_HITS: usize = 512;

/// How much of a line after a phrase's first part may hold the rest of it, in bytes.
const REACH: usize = 200;

/// A phrase, taken apart.
struct Phrase {
    sign: Sign,
    first: &'static str,
    /// Parts that follow on the same line, in order.
    rest: Vec<&'static str>,
    begins_a_word: bool,
    ends_a_word: bool,
}

struct Phrases {
    automaton: Option<AhoCorasick>,
    phrases: Vec<Phrase>,
}

impl Phrase {
    /// Reads `|word…rest|`: a bar is the edge of a word, dots stand for a few words of the same line.
    fn read(sign: Sign, text: &'static str) -> Self {
        let begins_a_word = text.starts_with('|');
        let ends_a_word = text.ends_with('|');
        let mut parts = text.trim_matches('|').split('…');
        let first = parts.next().unwrap_or_default();
        Self {
            sign,
            first,
            rest: parts.collect(),
            begins_a_word,
            ends_a_word,
        }
    }
}

fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(|| {
        let mut phrases = Vec::new();
        let mut add = |sign, texts: &[&'static str]| {
            phrases.extend(texts.iter().map(|text| Phrase::read(sign, text)));
        };
        for rules in CLASSES {
            add(Sign::Words(rules.class), rules.words);
            add(Sign::Name(rules.class), rules.names);
        }
        add(Sign::Wait, async_wait::WAITS);
        add(Sign::Helper, async_wait::HELPERS);
        add(Sign::Assertion, super::assertion::MARKS);
        add(Sign::Skip, cascade::SKIPS);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            // A full table would be quicker to run and far slower to build; most programs read a few thousand messages.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(phrases.iter().map(|phrase: &Phrase| phrase.first));
        Phrases {
            automaton: automaton.ok(),
            phrases,
        }
    })
}

/// Finds every phrase of a text, in order.
pub(super) fn find(text: &Text<'_>) -> Vec<Hit> {
    let known = phrases();
    let Some(automaton) = &known.automaton else {
        return Vec::new();
    };
    let whole = text.whole.as_ref();
    let mut hits = Vec::new();
    for found in automaton.find_overlapping_iter(whole) {
        let Some(phrase) = known.phrases.get(found.pattern().as_usize()) else {
            continue;
        };
        let (start, mut end) = (found.start(), found.end());
        let is_exact = matches!(phrase.sign, Sign::Name(_));
        if is_exact && whole.get(start..end) != Some(phrase.first) {
            continue;
        }
        let line = text.line_at(start);
        let Some(limit) = text.lines.get(line).map(|line| line.at.end) else {
            continue;
        };
        let mut is_whole = true;
        for part in &phrase.rest {
            let limit = whole.floor_char_boundary(limit.min(end + REACH));
            match find_ignoring_case(whole.get(end..limit).unwrap_or_default(), part) {
                Some(at) => end += at + part.len(),
                None => is_whole = false,
            }
        }
        let bytes = whole.as_bytes();
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_alphanumeric)
        };
        let is_inside = phrase.begins_a_word && is_letter(start.checked_sub(1))
            || phrase.ends_a_word && is_letter(Some(end));
        if is_whole && !is_inside {
            hits.push(Hit {
                sign: phrase.sign,
                start,
                end,
                line,
            });
            if hits.len() >= MOST_HITS {
                break;
            }
        }
    }
    order::sort_by_key(&mut hits, |hit| hit.start);
    hits
}

fn find_ignoring_case(text: &str, part: &str) -> Option<usize> {
    let windows = text.as_bytes().windows(part.len().max(1));
    windows
        .enumerate()
        .find(|(_, window)| window.eq_ignore_ascii_case(part.as_bytes()))
        .map(|(at, _)| at)
}
