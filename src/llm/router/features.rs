//! What is counted in a prompt, and what each count weighs.
//!
//! Points of a feature are its weight times ln(1 + count), so that the tenth comma says less than the first. No weight is negative: more of anything
//! never asks for a weaker model. The first six weights are fitted (`docs/router.md`), the others are set by hand.

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feature {
    Words,
    Clauses,
    Ratios,
    Comparisons,
    Symbols,
    Names,
    Steps,
    Code,
    Demands,
}

/// How many there are.
const FEATURES: usize = 9;

impl Feature {
    pub(crate) const ALL: [Self; FEATURES] = [
        Self::Words,
        Self::Clauses,
        Self::Ratios,
        Self::Comparisons,
        Self::Symbols,
        Self::Names,
        Self::Steps,
        Self::Code,
        Self::Demands,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Clauses => "clauses",
            Self::Ratios => "ratios",
            Self::Comparisons => "comparisons",
            Self::Symbols => "symbols",
            Self::Names => "names",
            Self::Steps => "steps",
            Self::Code => "code",
            Self::Demands => "demands",
        }
    }

    /// Returns points for each unit of ln(1 + count).
    pub(crate) fn weight(self) -> f64 {
        match self {
            Self::Words => 7.75,
            Self::Clauses => 6.66,
            Self::Ratios => 11.23,
            Self::Comparisons => 5.72,
            Self::Symbols => 13.43,
            Self::Names => 9.80,
            // By hand, and below the fitted ones: the prompts that those are fitted on have next to none of these.
            Self::Steps | Self::Code => 3.0,
            Self::Demands => 6.0,
        }
    }

    /// Returns thousandths of a point.
    pub(crate) fn points(self, count: u64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the logarithm of a count is small and not negative"
        )]
        let points = (self.weight() * 1000.0 * (count as f64).ln_1p()).round() as u64;
        points
    }
}

/// Counts of all features, in order of [`Feature::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([u64; FEATURES]);

/// Of a longer text, as much is read of its beginning and of its end as is half of this.
const LONGEST: usize = 4 * 1024;

/// A run of characters without a blank that is longer than this is no word of a language with blanks: each eight bytes of it count as one.
const LONGEST_WORD: usize = 32;

/// Words that are counted, in lower case and in order of length, then of letters: of shares, multiples and means; those that hold one thing against
/// another; and those of work that is known to be hard.
const LEXICON: [(&str, Feature); 77] = [
    ("half", Feature::Ratios),
    ("leak", Feature::Demands),
    ("less", Feature::Comparisons),
    ("lock", Feature::Demands),
    ("more", Feature::Comparisons),
    ("most", Feature::Comparisons),
    ("race", Feature::Demands),
    ("rate", Feature::Ratios),
    ("rest", Feature::Ratios),
    ("than", Feature::Comparisons),
    ("crash", Feature::Demands),
    ("debug", Feature::Demands),
    ("fewer", Feature::Comparisons),
    ("fifth", Feature::Ratios),
    ("flaky", Feature::Demands),
    ("least", Feature::Comparisons),
    ("older", Feature::Comparisons),
    ("proof", Feature::Demands),
    ("prove", Feature::Demands),
    ("ratio", Feature::Ratios),
    ("third", Feature::Ratios),
    ("times", Feature::Ratios),
    ("twice", Feature::Ratios),
    ("atomic", Feature::Demands),
    ("bisect", Feature::Demands),
    ("cyclic", Feature::Demands),
    ("derive", Feature::Demands),
    ("design", Feature::Demands),
    ("double", Feature::Ratios),
    ("faster", Feature::Comparisons),
    ("fifths", Feature::Ratios),
    ("fourth", Feature::Ratios),
    ("halves", Feature::Ratios),
    ("longer", Feature::Comparisons),
    ("slower", Feature::Comparisons),
    ("thirds", Feature::Ratios),
    ("thrice", Feature::Ratios),
    ("triple", Feature::Ratios),
    ("average", Feature::Ratios),
    ("doubled", Feature::Ratios),
    ("doubles", Feature::Ratios),
    ("fourths", Feature::Ratios),
    ("migrate", Feature::Demands),
    ("percent", Feature::Ratios),
    ("quarter", Feature::Ratios),
    ("rewrite", Feature::Demands),
    ("tripled", Feature::Ratios),
    ("triples", Feature::Ratios),
    ("younger", Feature::Comparisons),
    ("deadlock", Feature::Demands),
    ("fraction", Feature::Ratios),
    ("lifetime", Feature::Demands),
    ("optimise", Feature::Demands),
    ("optimize", Feature::Demands),
    ("quarters", Feature::Ratios),
    ("redesign", Feature::Demands),
    ("refactor", Feature::Demands),
    ("security", Feature::Demands),
    ("algorithm", Feature::Demands),
    ("invariant", Feature::Demands),
    ("migration", Feature::Demands),
    ("recursive", Feature::Demands),
    ("remaining", Feature::Ratios),
    ("complexity", Feature::Demands),
    ("concurrent", Feature::Demands),
    ("idempotent", Feature::Demands),
    ("percentage", Feature::Ratios),
    ("regression", Feature::Demands),
    ("concurrency", Feature::Demands),
    ("distributed", Feature::Demands),
    ("performance", Feature::Demands),
    ("transaction", Feature::Demands),
    ("architecture", Feature::Demands),
    ("asynchronous", Feature::Demands),
    ("cryptography", Feature::Demands),
    ("intermittent", Feature::Demands),
    ("vulnerability", Feature::Demands),
];

/// The longest word of the lexicon.
const LONGEST_KNOWN: usize = 13;

/// For each first letter, which lengths of words the lexicon has: most words are none of it, and this says so at once.
const LENGTHS: [u16; 26] = {
    let mut lengths = [0; 26];
    let mut at = 0;
    while at < LEXICON.len() {
        let word = LEXICON[at].0.as_bytes();
        lengths[(word[0] - b'a') as usize] |= 1 << word.len();
        at += 1;
    }
    lengths
};

/// Whether the lexicon may have a word that begins so and has this length.
fn may_be_known(first: u8, length: usize) -> bool {
    let letter = usize::from(first.to_ascii_lowercase().wrapping_sub(b'a'));
    let lengths = LENGTHS.get(letter).copied().unwrap_or(0);
    length <= LONGEST_KNOWN && lengths >> length & 1 == 1
}

/// Returns which feature a word in lower case belongs to.
fn meaning(word: &str) -> Option<Feature> {
    let order = |known: &(&str, Feature)| {
        let by_length = known.0.len().cmp(&word.len());
        by_length.then_with(|| known.0.cmp(word))
    };
    let at = LEXICON.binary_search_by(order).ok()?;
    LEXICON.get(at).map(|(_, feature)| *feature)
}

impl Counts {
    /// Counts what is in a prompt.
    pub(crate) fn of(text: &str) -> Self {
        let mut counts = Self::default();
        if text.len() <= LONGEST {
            counts.read(text);
            return counts;
        }
        let head = text.floor_char_boundary(LONGEST / 2);
        let tail = text.ceil_char_boundary(text.len() - LONGEST / 2);
        counts.read(&text[..head]);
        counts.read(&text[tail..]);
        let read = (head + text.len() - tail) as u128;
        for count in &mut counts.0 {
            let scaled = u128::from(*count) * text.len() as u128 / read;
            *count = u64::try_from(scaled).unwrap_or(u64::MAX);
        }
        counts
    }

    pub(crate) fn get(&self, feature: Feature) -> u64 {
        self.0[feature as usize]
    }

    fn add(&mut self, feature: Feature, count: u64) {
        self.0[feature as usize] += count;
    }

    fn read(&mut self, text: &str) {
        let mut is_fenced = false;
        for line in text.split('\n') {
            let body = line.trim_ascii_start();
            if body.starts_with("```") || body.starts_with("~~~") {
                is_fenced = !is_fenced;
            } else if is_fenced {
                self.add(Feature::Code, 1);
            } else if is_item(body) {
                self.add(Feature::Steps, 1);
            }
            self.line(body);
        }
    }

    fn line(&mut self, line: &str) {
        for word in line.split_ascii_whitespace() {
            self.add(
                Feature::Words,
                match word.len() {
                    length if length > LONGEST_WORD => length as u64 / 8,
                    _ => 1,
                },
            );
            let bytes = word.as_bytes();
            let mut start = 0;
            for (at, byte) in bytes.iter().enumerate() {
                if is_letter(*byte) {
                    continue;
                }
                self.part(&bytes[start..at]);
                start = at + 1;
                match byte {
                    b',' | b';' => self.add(Feature::Clauses, 1),
                    b'=' | b'<' | b'>' | b'^' | b'*' | b'+' | b'/' | b'\\' | b'|' => {
                        self.add(Feature::Symbols, 1);
                    }
                    _ => {}
                }
            }
            self.part(&bytes[start..]);
        }
    }

    /// Counts a run of letters and digits.
    fn part(&mut self, part: &[u8]) {
        let [first, second, ..] = part else {
            return;
        };
        if first.is_ascii_uppercase() && second.is_ascii_lowercase() {
            self.add(Feature::Names, 1);
        }
        if !may_be_known(*first, part.len()) {
            return;
        }
        let mut lower = [0; LONGEST_KNOWN];
        let Some(lower) = lower.get_mut(..part.len()) else {
            return;
        };
        lower.copy_from_slice(part);
        lower.make_ascii_lowercase();
        if let Ok(word) = std::str::from_utf8(lower)
            && let Some(feature) = meaning(word)
        {
            self.add(feature, 1);
        }
    }
}

/// Whether a byte is part of a word: letters, digits, and whatever is not ASCII.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || byte == b'_'
}

/// Whether a line is one of a list: `- `, `* `, `1. `, `1) `.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let marks: &[&str] = match digits {
        0 => &["- ", "* "],
        1..=3 => &[". ", ") "],
        _ => &[],
    };
    marks.iter().any(|mark| rest.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Vec<(&'static str, u64)> {
        let counts = Counts::of(text);
        let all = Feature::ALL
            .into_iter()
            .map(|feature| (feature.name(), counts.get(feature)));
        all.filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn the_lexicon_is_in_order() {
        assert!(LEXICON.is_sorted_by(|a, b| (a.0.len(), a.0) < (b.0.len(), b.0)));
        assert_eq!(LEXICON.last().map(|last| last.0.len()), Some(LONGEST_KNOWN));
        for (word, feature) in LEXICON {
            assert_eq!(meaning(word), Some(feature), "{word}");
        }
    }

    #[test]
    fn features_are_counted() {
        assert_eq!(
            counted("Anna has twice as many pens as Bob, and 1/2 more than Eve; how many?"),
            [
                ("words", 15),
                ("clauses", 2),
                ("ratios", 1),
                ("comparisons", 2),
                ("symbols", 1),
                ("names", 3)
            ]
        );
        assert_eq!(
            counted("fix:\n- a race\n 2. b\n```\n- c\n\n```"),
            [("words", 10), ("steps", 2), ("code", 2), ("demands", 1)]
        );
        assert_eq!(counted(" \n\t"), []);
    }

    #[test]
    fn more_of_anything_never_scores_less() {
        for feature in Feature::ALL {
            assert!(feature.weight() > 0.0);
            let points = [0, 1, 2, 10, 1000, u64::MAX].map(|count| feature.points(count));
            assert!(points.is_sorted(), "{points:?}");
            assert_eq!(points[0], 0);
        }
    }

    #[test]
    fn a_long_text_is_read_at_both_ends_and_scaled() {
        let long = "Anna, ".repeat(100_000);
        let counts = Counts::of(&long);
        let names = counts.get(Feature::Names);
        assert!((99_900..=100_100).contains(&names), "{names}");
        // A place inside a character is none.
        let wide = "ä".repeat(20_001);
        assert!(Counts::of(&wide).get(Feature::Words) > 4_900);
    }

    #[test]
    fn any_text_is_counted() {
        for text in [
            "",
            "\u{0}",
            "```",
            "ÄÖ Ünder\u{2028}x",
            "1234) x",
            "a\r\n- b",
        ] {
            let _ = Counts::of(text);
        }
    }
}
