//! Stored lists of tests, whole or standing on another one, read by place.
//!
//! A list that stands on another is not laid out: a thousand that differ by a few tests take the room of those few.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::sha::Sha;

/// A list: what remains of its base, then its own tests.
#[derive(Debug, Default)]
pub(super) struct List {
    base: Option<Sha>,
    /// Ranges of the base that are left out, sorted and apart, each with how many places are left out before it.
    without: Vec<(u32, u32, u32)>,
    /// How many places of the base remain.
    remaining: u32,
    /// How many lists it stands on.
    depth: u32,
    /// Number of each own test in the whole history.
    tests: Vec<u32>,
    /// Where each own test stands among them; the first place, should there be two.
    own_places: HashMap<u32, u32>,
    /// Own places, counted from the first own test, whose expected sequence is not `p`.
    expected: BTreeMap<u32, u32>,
}

impl List {
    /// Puts it on another list.
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
        for (place, &test) in (first..).zip(&tests) {
            self.own_places.entry(test).or_insert(place);
        }
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

    /// Takes what is left out away from the places of the base.
    fn without_ranges(&self, places: &mut Vec<Place>) {
        let mut to = 0;
        let mut from = 0;
        for &(first, length, _) in &self.without {
            let first = (first as usize).min(places.len());
            places.copy_within(from..first, to);
            to += first - from;
            from = first.saturating_add(length as usize).min(places.len());
        }
        if from > to {
            places.copy_within(from.., to);
            places.truncate(places.len() - (from - to));
        }
    }

    /// Returns where a place of the base is now; nothing when it is left out.
    fn above_base(&self, place: u32) -> Option<u32> {
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

    /// Measures what stands on what; a list whose base is missing is as good as missing.
    pub(super) fn settle(&mut self) {
        let mut lengths: HashMap<Sha, (u32, u32)> = HashMap::new();
        let mut open: Vec<Sha> = self.lists.keys().copied().collect();
        open.sort_unstable();
        // Each look measures what stands on something measured before; what is left over stands on nothing.
        loop {
            let before = open.len();
            open.retain(|id| {
                let Some(list) = self.lists.get_mut(id) else {
                    return false;
                };
                let (length, depth) = match list.base {
                    None => (0, 0),
                    Some(base) => match lengths.get(&base) {
                        Some(&(length, depth)) if depth < DEEPEST => (length, depth + 1),
                        _ => return true,
                    },
                };
                let ranges = list.without.iter();
                let gone: u32 = ranges
                    .map(|&(first, range, _)| range.min(length.saturating_sub(first)))
                    .sum();
                list.remaining = length - gone.min(length);
                list.depth = depth;
                let all = list.remaining.saturating_add(count(list.tests.len()));
                lengths.insert(*id, (all, depth));
                false
            });
            if open.len() == before {
                break;
            }
        }
        for id in open {
            self.lists.remove(&id);
        }
    }

    pub(super) fn get(&self, id: &Sha) -> Option<&List> {
        self.lists.get(id)
    }

    fn base(&self, list: &List) -> Option<&List> {
        self.lists.get(list.base.as_ref()?)
    }

    /// Finds the list that a place's test is an own one of, and its place there.
    fn owner<'l>(&'l self, mut list: &'l List, mut place: u32) -> Option<(&'l List, u32)> {
        while place < list.remaining {
            place = list.in_base(place);
            list = self.base(list)?;
        }
        Some((list, place - list.remaining))
    }

    /// Returns the test at a place.
    pub(super) fn test(&self, list: &List, place: u32) -> Option<u32> {
        let (owner, own) = self.owner(list, place)?;
        owner.tests.get(own as usize).copied()
    }

    /// Returns what is expected at a place, when that is not `p`.
    pub(super) fn expected(&self, list: &List, place: u32) -> Option<u32> {
        let (owner, own) = self.owner(list, place)?;
        owner.expected.get(&own).copied()
    }

    /// Returns where a test stands in a list.
    pub(super) fn place(&self, id: &Sha, test: u32) -> Option<u32> {
        let list = self.lists.get(id)?;
        let in_base = list.base.and_then(|base| self.place(&base, test));
        if let Some(place) = in_base.and_then(|place| list.above_base(place)) {
            return (place < list.remaining).then_some(place);
        }
        let own = list.own_places.get(&test)?;
        Some(list.remaining + own)
    }

    /// Lays a list out. The places of lists that were laid out before are kept at hand, up to a limit.
    pub(super) fn lay_out(&self, id: &Sha, laid: &mut LaidOut) -> Option<Rc<[Place]>> {
        let mut chain = Vec::new();
        let mut next = Some(*id);
        let mut places = Vec::new();
        while let Some(id) = next {
            if let Some(known) = laid.lists.get(&id) {
                if chain.is_empty() {
                    return Some(Rc::clone(known));
                }
                places.extend_from_slice(known);
                break;
            }
            let list = self.lists.get(&id)?;
            chain.push(list);
            next = list.base;
        }
        for list in chain.into_iter().rev() {
            list.without_ranges(&mut places);
            let own = (0_u32..).zip(&list.tests);
            places.extend(own.map(|(place, &test)| Place {
                test,
                expected: list.expected.get(&place).copied(),
            }));
        }
        let places: Rc<[Place]> = places.into();
        laid.keep(*id, &places);
        Some(places)
    }

    /// Returns how many lists a list stands on.
    pub(super) fn depth(&self, id: &Sha) -> u32 {
        self.lists.get(id).map_or(0, |list| list.depth)
    }
}

/// A place of a list that is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) test: u32,
    /// What is expected there, when that is not `p`.
    pub(super) expected: Option<u32>,
}

/// Lists that are laid out.
#[derive(Default)]
pub(super) struct LaidOut {
    lists: HashMap<Sha, Rc<[Place]>>,
    places: usize,
}

impl LaidOut {
    fn keep(&mut self, id: Sha, places: &Rc<[Place]>) {
        if self.places > MOST_LAID_OUT {
            *self = Self::default();
        }
        self.places += places.len();
        self.lists.insert(id, Rc::clone(places));
    }
}

/// So many places of lists are kept at hand: some tens of megabytes.
const MOST_LAID_OUT: usize = 4_000_000;

/// Lists deeper than this were not written by us.
const DEEPEST: u32 = 128;

/// Sorts ranges and joins those that touch.
pub(crate) fn join_ranges(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
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

    /// A list laid out: each test with what is expected of it.
    type Plain = Vec<(u32, Option<u32>)>;

    proptest! {
        #[test]
        fn a_list_reads_as_if_it_were_laid_out(
            length in 0_u32..40,
            layers in prop::collection::vec((prop::collection::vec((0_u32..50, 0_u32..9), 0..6), 0_u32..5), 0..4),
            unusual in prop::collection::btree_set(0_u32..40, 0..10),
        ) {
            let mut lists = Lists::default();
            let name = |layer: usize| Sha([u8::try_from(layer).unwrap(); 32]);
            let expected = unusual.iter().filter(|place| **place < length);
            lists.begin(name(0)).add((100..100 + length).collect(), expected.map(|place| (*place, 7)).collect());
            let mut plain: Plain = (0..length).map(|place| (100 + place, unusual.contains(&place).then_some(7))).collect();
            let mut all = vec![plain.clone()];
            for (layer, (ranges, own)) in layers.iter().enumerate() {
                let list = lists.begin(name(layer + 1));
                list.stand_on(name(layer), ranges.clone());
                let first = 1000 * (u32::try_from(layer).unwrap() + 1);
                list.add((first..first + own).collect(), vec![(0, 8)]);
                let gone = |place: u32| ranges.iter().any(|&(first, range)| (first..first + range).contains(&place));
                plain = (0..).zip(plain).filter(|(place, _)| !gone(*place)).map(|(_, test)| test).collect();
                plain.extend((0..*own).map(|place| (first + place, (place == 0).then_some(8))));
                all.push(plain.clone());
            }
            lists.settle();
            for (layer, plain) in all.iter().enumerate() {
                let list = lists.get(&name(layer)).unwrap();
                for (place, (test, expected)) in (0..).zip(plain) {
                    prop_assert_eq!(lists.test(list, place), Some(*test));
                    prop_assert_eq!(lists.expected(list, place), *expected);
                    prop_assert_eq!(lists.place(&name(layer), *test), Some(place));
                }
                prop_assert_eq!(lists.test(list, u32::try_from(plain.len()).unwrap()), None);
                prop_assert_eq!(lists.place(&name(layer), 99_999), None);
                let mut laid = LaidOut::default();
                for _ in 0..2 {
                    let places = lists.lay_out(&name(layer), &mut laid).unwrap();
                    let places: Plain = places.iter().map(|place| (place.test, place.expected)).collect();
                    prop_assert_eq!(&places, plain);
                }
            }
        }
    }
}
