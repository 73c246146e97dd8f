//! What failures said: of each test that failed, the messages of its last failures, as they are stored.
//!
//! A message is kept once for all that differ from it in numbers and ids only. What was a knock-on is found here, before anything is counted.

use std::collections::{BTreeMap, HashMap};

use super::causes::{Test, cascade};
use super::history::{History, Run};
use super::messages::template;
use super::places;
use super::signature::{Signature, signature};
use super::stored_lists::Lists;
use super::tally::Weights;
use crate::sha::Sha;

/// So many of a test's last failures are remembered.
const MOST_FAILURES: usize = 64;

/// So many bytes of different messages are kept; no repository has that many, and what comes after them is not looked at.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Gathers what runs say.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    texts: Vec<String>,
    /// Texts by what they are alike in.
    numbers: HashMap<String, u32>,
    bytes: usize,
    runs: HashMap<Sha, Vec<(u32, Box<str>)>>,
}

impl Hearing {
    /// Takes in the messages of a run, each with the places of its tests.
    pub(crate) fn hear(&mut self, run: Sha, messages: BTreeMap<String, String>) {
        let mut heard = Vec::with_capacity(messages.len());
        for (message, places) in messages {
            if let Some(number) = self.number(message) {
                heard.push((number, places.into_boxed_str()));
            }
        }
        if !heard.is_empty() {
            self.runs.insert(run, heard);
        }
    }

    fn number(&mut self, message: String) -> Option<u32> {
        let template = template(&message);
        if let Some(&number) = self.numbers.get(&template) {
            // Whichever comes first, the least is kept.
            let kept = self.texts.get_mut(number as usize)?;
            if message < *kept {
                *kept = message;
            }
            return Some(number);
        }
        if self.bytes + message.len() > MOST_BYTES {
            return None;
        }
        self.bytes += message.len();
        let number = u32::try_from(self.texts.len()).ok()?;
        self.texts.push(message);
        self.numbers.insert(template, number);
        Some(number)
    }

    /// Finds out who said what, and makes skips of what was a knock-on: it is neither a pass nor a failure.
    pub(super) fn settle<'n>(
        mut self,
        runs: &mut [Run],
        lists: &Lists,
        weights: &Weights,
        name_of: &dyn Fn(u32) -> (&'n str, &'n str),
    ) -> Said {
        let may_be_cascade: Vec<bool> = self
            .texts
            .iter()
            .map(|text| cascade::may_be(text))
            .collect();
        let mut of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for run in runs {
            let Some(heard) = self.runs.remove(&run.id) else {
                continue;
            };
            let Some(list) = lists.get(&run.list) else {
                continue;
            };
            // A hostile record may name a test under every one of its messages; one of a run counts.
            let mut has_spoken = vec![false; run.differs.len()];
            let mut spoke_for_all = false;
            for (text, places) in heard {
                if places.is_empty() && std::mem::replace(&mut spoke_for_all, true) {
                    continue;
                }
                for at in numbers_of(run, &places, weights) {
                    if std::mem::replace(&mut has_spoken[at], true) {
                        continue;
                    }
                    let (place, sequence) = run.differs[at];
                    let Some(test) = lists.test(list, place) else {
                        continue;
                    };
                    let message = &self.texts[text as usize];
                    if may_be_cascade[text as usize] && weights.at(sequence).only_failed() {
                        let (suite, name) = name_of(test);
                        if cascade::form(Test { suite, name }, message).is_some() {
                            run.differs[at].1 = weights.skipped;
                            continue;
                        }
                    }
                    let said = of.entry(test).or_default();
                    said.push(text);
                    if said.len() >= 2 * MOST_FAILURES {
                        said.drain(..MOST_FAILURES);
                    }
                }
            }
        }
        Said {
            texts: self.texts,
            of,
        }
    }
}

/// Returns which differences of a run a set of places means; an empty set means all that failed.
fn numbers_of(run: &Run, set: &str, weights: &Weights) -> Vec<usize> {
    let Some(places) = places::read(set) else {
        return Vec::new();
    };
    let failed = |at: &usize| weights.at(run.differs[*at].1).failures > 0;
    if places.is_empty() {
        return (0..run.differs.len()).filter(failed).collect();
    }
    let found = places
        .iter()
        .filter_map(|place| run.differs.binary_search_by_key(place, |(at, _)| *at).ok());
    found.filter(failed).collect()
}

/// What each test's failures said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    texts: Vec<String>,
    /// The messages of a test's failures, by number, oldest first.
    of: BTreeMap<u32, Vec<u32>>,
}

impl History {
    /// Returns a test by its number, and by those that it had under former names.
    fn numbers_of(&self, test: u32) -> impl Iterator<Item = u32> {
        let former = self.former.get(&test).into_iter().flatten();
        [test].into_iter().chain(former.copied())
    }

    /// Returns the messages of a test's last failures, the newest first; equal numbers are equal messages.
    pub(super) fn messages_of(&self, test: u32) -> impl Iterator<Item = (u32, &str)> {
        let said = &self.said;
        let numbers = self
            .numbers_of(test)
            .filter_map(|test| said.of.get(&test))
            .flat_map(|numbers| numbers.iter().rev())
            .take(MOST_FAILURES);
        numbers.filter_map(|&number| Some((number, said.texts.get(number as usize)?.as_str())))
    }

    /// Returns what a test's last failures said, without what differs from run to run: each signature with how many said so, the most
    /// frequent first.
    pub(crate) fn signatures_of(
        &self,
        test: u32,
        known: &mut HashMap<u32, Signature>,
    ) -> Vec<(Signature, u64)> {
        let mut times: BTreeMap<String, (Signature, u64)> = BTreeMap::new();
        for (number, message) in self.messages_of(test) {
            let signature = known.entry(number).or_insert_with(|| signature(message));
            let said = times.entry(signature.id.clone());
            said.or_insert_with(|| (signature.clone(), 0)).1 += 1;
        }
        let mut all: Vec<(Signature, u64)> = times.into_values().collect();
        crate::order::sort_by(&mut all, |a, b| {
            b.1.cmp(&a.1).then_with(|| a.0.id.cmp(&b.0.id))
        });
        all
    }

    /// Returns the runs in which a test failed, by number, with the number of each one's job and leg.
    pub(crate) fn failed_runs(&self, test: u32) -> Vec<(u32, u32)> {
        let deviations = self
            .numbers_of(test)
            .filter_map(|test| self.deviations.get(&test));
        let failed = deviations
            .flatten()
            .filter(|(_, sequence)| self.weights.at(*sequence).failures > 0);
        failed
            .map(|&(run, _)| (run, self.marks[run as usize].environment))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(messages: &[&str]) -> Vec<String> {
        let mut hearing = Hearing::default();
        for (number, message) in (0_u8..).zip(messages) {
            hearing.hear(
                Sha([number; 32]),
                BTreeMap::from([((*message).to_owned(), String::new())]),
            );
        }
        hearing.texts
    }

    #[test]
    fn messages_that_differ_in_numbers_are_kept_once_whatever_comes_first() {
        let messages = ["took 3 ms", "took 12 ms", "no route"];
        let mut turned = messages;
        turned.reverse();
        assert_eq!(heard(&messages), ["took 12 ms", "no route"]);
        assert_eq!(heard(&turned), ["no route", "took 12 ms"]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut hearing = Hearing {
            bytes: MOST_BYTES - 4,
            ..Hearing::default()
        };
        for (message, kept) in [("abc", true), ("de", false), ("f", true), ("abc", true)] {
            assert_eq!(
                hearing.number(message.to_owned()).is_some(),
                kept,
                "{message}"
            );
        }
    }
}
