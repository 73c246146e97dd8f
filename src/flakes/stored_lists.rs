//! Stored lists of tests, whole or standing on a whole one, read by place.
//!
//! A list that stands on another is not laid out: a thousand that differ by a few tests take the room of those few.

use std::collections::{BTreeMap, HashMap};

use crate::event::Sha;

/// A list: what remains of its base, then its own tests.
#[derive(Debug, Default)]
pub(super) struct List {
    base: Option<Sha>,
    /// Ranges of the base that are left out, sorted and apart, each with how many places are left out before it.
    without: Vec<(u32, u32, u32)>,
    /// How many places of the base remain.
    remaining: u32,
    /// Number of each own test in the whole history.
    tests: Vec<u32>,
    /// Own places, counted from the first own test, whose expected sequence is not `p`.
    expected: BTreeMap<u32, u32>,
}

impl List {
    /// Puts it on a whole list.
    pub(super) fn stand_on(&mut self, base: Sha, without: Vec<(u32, u32)>) {
        self.base = Some(base);
        let mut before = 0;
        self.without = join_ranges(without)
            .into_iter()
            .map(|(first, length)| {
                let range = (first, length, before);
                before += length;
                range
            })
            .collect();
    }

    /// Adds tests with what is expected of them, by place among them.
    pub(super) fn add(&mut self, tests: Vec<u32>, expected: Vec<(u32, u32)>) {
        let first = count(self.tests.len());
        self.tests.extend(tests);
        for (place, sequence) in expected {
            self.expected.insert(first.saturating_add(place), sequence);
        }
    }

    /// Returns the place in the base of what remains at a place.
    fn in_base(&self, place: u32) -> u32 {
        // A range lies before the place when what remains before it is no more than the place.
        let after = self
            .without
            .partition_point(|&(first, _, before)| first - before <= place);
        let gone = match after.checked_sub(1) {
            Some(last) => self.without[last].1 + self.without[last].2,
            None => 0,
        };
        place.saturating_add(gone)
    }

    /// Returns where a place of the base is now; nothing when it is left out.
    fn from_base(&self, place: u32) -> Option<u32> {
        let after = self
            .without
            .partition_point(|&(first, _, _)| first <= place);
        let Some(last) = after.checked_sub(1) else {
            return Some(place);
        };
        let (first, length, before) = self.without[last];
        (place - first >= length).then(|| place - before - length)
    }
}

/// Every stored list.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: HashMap<Sha, List>,
}

impl Lists {
    pub(super) fn begin(&mut self, id: Sha) -> &mut List {
        self.lists.entry(id).or_default()
    }

    pub(super) fn has(&self, id: &Sha) -> bool {
        self.lists.contains_key(id)
    }

    /// Measures what stands on what; a list whose base is missing, or not whole, is as good as missing.
    pub(super) fn settle(&mut self) {
        let whole = self.lists.iter().filter(|(_, list)| list.base.is_none());
        let lengths: HashMap<Sha, u32> = whole
            .map(|(id, list)| (*id, count(list.tests.len())))
            .collect();
        self.lists.retain(|_, list| {
            let Some(base) = list.base else { return true };
            let Some(&length) = lengths.get(&base) else {
                return false;
            };
            let gone: u32 = list
                .without
                .iter()
                .map(|&(first, range, _)| range.min(length.saturating_sub(first)))
                .sum();
            list.remaining = length - gone.min(length);
            true
        });
    }

    pub(super) fn get(&self, id: &Sha) -> Option<&List> {
        self.lists.get(id)
    }

    /// Returns all lists, in order of id.
    pub(super) fn all(&self) -> impl Iterator<Item = (Sha, &List)> {
        let mut ids: Vec<&Sha> = self.lists.keys().collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| (*id, &self.lists[id]))
    }

    fn base(&self, list: &List) -> Option<&List> {
        self.lists.get(list.base.as_ref()?)
    }

    /// Returns the test at a place.
    pub(super) fn test(&self, list: &List, place: u32) -> Option<u32> {
        match self.base(list) {
            Some(base) if place < list.remaining => {
                base.tests.get(list.in_base(place) as usize).copied()
            }
            _ => {
                let own = place.checked_sub(list.remaining)?;
                list.tests.get(own as usize).copied()
            }
        }
    }

    /// Returns every test, in order of place.
    pub(super) fn tests<'l>(&'l self, list: &'l List) -> impl Iterator<Item = u32> + 'l {
        let own = count(list.tests.len());
        (0..list.remaining.saturating_add(own)).filter_map(move |place| self.test(list, place))
    }

    /// Returns what is expected at a place, when that is not `p`.
    pub(super) fn expected(&self, list: &List, place: u32) -> Option<u32> {
        match self.base(list) {
            Some(base) if place < list.remaining => {
                base.expected.get(&list.in_base(place)).copied()
            }
            _ => {
                let own = place.checked_sub(list.remaining)?;
                list.expected.get(&own).copied()
            }
        }
    }

    /// Returns the places at which something else than `p` is expected.
    pub(super) fn unusual(&self, list: &List) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        if let Some(base) = self.base(list) {
            for (&place, &sequence) in &base.expected {
                let now = list.from_base(place);
                all.extend(
                    now.filter(|now| *now < list.remaining)
                        .map(|now| (now, sequence)),
                );
            }
        }
        let own = list.expected.iter();
        all.extend(own.map(|(&place, &sequence)| (list.remaining.saturating_add(place), sequence)));
        all
    }
}

/// Sorts ranges and joins those that touch.
pub(super) fn join_ranges(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, length) in ranges {
        let end = first.saturating_add(length);
        match joined.last_mut() {
            Some((start, before)) if first <= start.saturating_add(*before) => {
                *before = (*before).max(end - *start);
            }
            _ => joined.push((first, end - first)),
        }
    }
    joined
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_reads_as_if_it_were_laid_out(
            length in 0_u32..40,
            ranges in prop::collection::vec((0_u32..50, 0_u32..9), 0..6),
            own in 0_u32..5,
            unusual in prop::collection::btree_set(0_u32..40, 0..10),
        ) {
            let mut lists = Lists::default();
            let (base, id) = (Sha([1; 32]), Sha([2; 32]));
            let expected = unusual.iter().filter(|place| **place < length);
            lists.begin(base).add((100..100 + length).collect(), expected.map(|place| (*place, 7)).collect());
            let list = lists.begin(id);
            list.stand_on(base, ranges.clone());
            list.add((900..900 + own).collect(), vec![(0, 8)]);
            lists.settle();
            let gone = |place: u32| ranges.iter().any(|&(first, range)| (first..first + range).contains(&place));
            let mut wanted: Vec<(u32, Option<u32>)> = (0..length)
                .filter(|place| !gone(*place))
                .map(|place| (100 + place, unusual.contains(&place).then_some(7)))
                .collect();
            wanted.extend((0..own).map(|place| (900 + place, (place == 0).then_some(8))));
            let list = lists.get(&id).unwrap();
            let read: Vec<_> = lists.tests(list).zip(0..).map(|(test, place)| (test, lists.expected(list, place))).collect();
            prop_assert_eq!(&read, &wanted);
            let mut places = lists.unusual(list);
            places.retain(|(place, _)| (*place as usize) < wanted.len());
            let by_place = (0..).zip(&wanted).filter_map(|(place, (_, expected))| expected.map(|expected| (place, expected)));
            prop_assert_eq!(places, by_place.collect::<Vec<_>>());
        }
    }
}
