//! Causes: why a test failed, by what its message says, with the words that say so.
//!
//! The classes are those of Luo, Hariri, Eloussi and Marinov ("An empirical analysis of flaky tests", FSE 2014) with what Eck, Palomba,
//! Castelluccio and Bacchelli ("Understanding flaky tests: the developer's perspective", FSE 2019) add, as `tests/causes/RUBRIC.md` has them; so
//! are the steps: a named reason, deepest cause first; a visible wait; weak signs of a failed assertion; else nothing. It is better to
//! abstain than to guess.
//!
//! One file a class. Each is data (phrases) and at most two functions; `docs/causes.md` has the figures against labelled failures.

mod assertion;
mod async_wait;
pub(crate) mod cascade;
mod environment;
mod intermittent_concurrency;
// It reads the labels and the corpus, which nothing that decides may.
#[cfg(test)]
#[path = "../../../tests/causes/judge.rs"]
mod judge;
mod network;
mod order_dependent;
pub(crate) mod past;
#[cfg(test)]
mod past_tests;
mod phrases;
mod randomness;
mod resource_dependent;
#[cfg(test)]
mod tests;
mod text;
mod time_dependent;

use std::ops::Range;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use phrases::{Hit, Sign};
use text::Text;
pub(crate) use text::{Test, fit};

/// A class of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// A limited resource of the machine was used up or held by another.
    ResourceDependent,
    /// The machine, image or file system lacks or refuses something.
    Environment,
    /// A connection could not be made or was lost, or a download failed.
    Network,
    /// Threads met in an order that the code does not allow.
    IntermittentConcurrency,
    /// Another test, or an earlier attempt, left something behind.
    OrderDependent,
    /// The outcome hangs on a random draw, a hash order or a rounding.
    Randomness,
    /// The outcome hangs on the clock.
    TimeDependent,
    /// It looked too early, or waited too short.
    AsyncWait,
}

impl Class {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ResourceDependent => "resource-dependent",
            Self::Environment => "environment",
            Self::Network => "network",
            Self::IntermittentConcurrency => "intermittent-concurrency",
            Self::OrderDependent => "order-dependent",
            Self::Randomness => "randomness",
            Self::TimeDependent => "time-dependent",
            Self::AsyncWait => "async-wait",
        }
    }
}

/// How a cause is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// By what all of its failures have in common, and its passes have not.
    Past,
    /// By a failed assertion, and a sign of what it is about.
    Weak,
    /// A limited wait ran out, or a thread waits.
    Wait,
    /// The message names the reason.
    Named,
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) class: Class,
    pub(crate) strength: Strength,
    /// The words of the message, and of the test's name, that say so.
    pub(crate) evidence: Vec<String>,
}

impl Strength {
    /// How often such a cause is the one that a reader of the text finds: the low end of the 95 % interval under Jeffreys' prior, over the half
    /// of the labelled failures that the rules were written on (`tests/causes/judge.rs`).
    ///
    /// That what all failures have in common is why they fail, nobody has measured.
    pub(crate) fn confidence(self) -> f64 {
        match self {
            Self::Named | Self::Wait => 0.94,
            Self::Weak => 0.78,
            Self::Past => 0.5,
        }
    }
}

/// What a class goes by.
struct Rules {
    class: Class,
    /// Phrases of messages, letters of either case.
    words: &'static [&'static str],
    /// Names of exceptions and error codes, as they are written.
    names: &'static [&'static str],
    /// What phrases cannot say: finds the reason in one exception of the chain.
    named: fn(&Failure<'_>, usize) -> Option<Range<usize>>,
    /// Whether a phrase does not mean what it says here.
    refuses: fn(&Failure<'_>, &Hit) -> bool,
    /// Whether a failed assertion is probably of this class.
    weak: fn(&Failure<'_>) -> bool,
}

/// The classes; where one message names reasons of two, the order decides.
const CLASSES: [&Rules; 8] = [
    &resource_dependent::RULES,
    &environment::RULES,
    &network::RULES,
    &intermittent_concurrency::RULES,
    &order_dependent::RULES,
    &randomness::RULES,
    &time_dependent::RULES,
    &async_wait::RULES,
];

/// The order in which signs of failed assertions count.
const WEAK: [&Rules; 5] = [
    &randomness::RULES,
    &time_dependent::RULES,
    &intermittent_concurrency::RULES,
    &resource_dependent::RULES,
    &async_wait::RULES,
];

/// A failure, read.
struct Failure<'a> {
    test: Test<'a>,
    test_words: Vec<String>,
    text: Text<'a>,
    hits: Vec<Hit>,
}

impl<'a> Failure<'a> {
    fn read(test: Test<'a>, message: &'a str) -> Self {
        let read = Text::read(message);
        Self {
            test,
            test_words: test.words(),
            hits: phrases::find(&read),
            text: read,
        }
    }

    /// Whether the test's name or class has one of these words.
    fn is_about(&self, words: &[&str]) -> bool {
        self.test_words
            .iter()
            .any(|word| words.contains(&word.as_str()))
    }

    fn is_frame(&self, hit: &Hit) -> bool {
        self.text
            .lines
            .get(hit.line)
            .is_some_and(|line| line.is_frame)
    }

    /// Returns the first hit of a kind in the words of one exception, of those that are wanted.
    fn hit(&self, exception: usize, sign: Sign, is_wanted: impl Fn(&Hit) -> bool) -> Option<&Hit> {
        self.hits.iter().find(|hit| {
            let line = self.text.lines.get(hit.line);
            hit.sign == sign
                && line.is_some_and(|line| !line.is_frame && line.exception == exception)
                && is_wanted(hit)
        })
    }

    /// Returns the line around a place, as evidence.
    fn quote(&self, at: &Range<usize>) -> String {
        let line = self.text.lines.get(self.text.line_at(at.start));
        let line = line.map_or(0..0, |line| line.at.clone());
        quote(&self.text.whole, line, at)
    }

    /// The reason that a message of the chain names, the deepest first.
    fn named(&self) -> Option<Cause> {
        for exception in self.text.exceptions() {
            // What the words of a message say weighs more than what its exception is called.
            for by_name in [false, true] {
                for rules in CLASSES {
                    let sign = if by_name {
                        Sign::Name(rules.class)
                    } else {
                        Sign::Words(rules.class)
                    };
                    let hit = self.hit(exception, sign, |hit| !(rules.refuses)(self, hit));
                    let at = hit.map(|hit| hit.start..hit.end);
                    let at = at.or_else(|| {
                        if by_name {
                            None
                        } else {
                            (rules.named)(self, exception)
                        }
                    });
                    if let Some(at) = at {
                        return Some(Cause {
                            class: rules.class,
                            strength: Strength::Named,
                            evidence: vec![self.quote(&at)],
                        });
                    }
                }
            }
        }
        None
    }

    /// What a failed assertion is probably about.
    fn weak(&self) -> Option<Cause> {
        let is_assertion = |hit: &&Hit| hit.sign == Sign::Assertion && !self.is_frame(hit);
        let assertion = self.hits.iter().find(is_assertion)?;
        let rules = WEAK.into_iter().find(|rules| (rules.weak)(self))?;
        let mut evidence = vec![self.quote(&(assertion.start..assertion.end))];
        if !self.test.name.is_empty() {
            evidence.push(quote(self.test.name, 0..self.test.name.len(), &(0..0)));
        }
        Some(Cause {
            class: rules.class,
            strength: Strength::Weak,
            evidence,
        })
    }
}

/// Returns why a test failed, by its message or stack; nothing where that does not tell, or the failure is a knock-on.
pub(crate) fn cause(test: Test<'_>, message: &str) -> Option<Cause> {
    let failure = Failure::read(test, message);
    if cascade::of(&failure).is_some() {
        return None;
    }
    let wait = || {
        async_wait::visible(&failure).map(|at| Cause {
            class: Class::AsyncWait,
            strength: Strength::Wait,
            evidence: vec![failure.quote(&at)],
        })
    };
    failure.named().or_else(wait).or_else(|| failure.weak())
}

/// Longest evidence, in bytes.
const LONGEST_QUOTE: usize = 160;

/// Returns what stands around a place of a line.
fn quote(text: &str, line: Range<usize>, at: &Range<usize>) -> String {
    let mut from = line.start;
    if at.end.min(line.end) > line.start + LONGEST_QUOTE {
        from = text.ceil_char_boundary(at.start.saturating_sub(LONGEST_QUOTE / 3));
    }
    let to = text.floor_char_boundary(line.end.min(from + LONGEST_QUOTE));
    text.get(from..to).unwrap_or_default().trim().to_owned()
}

/// For classes whose reasons are all phrases.
fn no_named(_: &Failure<'_>, _: usize) -> Option<Range<usize>> {
    None
}

/// For classes whose phrases always mean what they say.
fn never(_: &Failure<'_>, _: &Hit) -> bool {
    false
}

/// For classes without weak signs.
fn no_weak(_: &Failure<'_>) -> bool {
    false
}
