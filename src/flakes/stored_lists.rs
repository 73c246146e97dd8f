//! Stored lists of tests, whole or standing on another one, read by place.
//!
//! A list that stands on another is not laid out: a thousand that differ by a few tests take the room of those few.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::stated::subtract;
use crate::event::Sha;
use crate::junit::Counts;

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

    /// Returns the sum of something over what a list expects of its tests.
    pub(super) fn total(
        &self,
        id: &Sha,
        of: &dyn Fn(Option<u32>) -> Counts,
        known: &mut HashMap<Sha, Counts>,
    ) -> Counts {
        if let Some(total) = known.get(id) {
            return *total;
        }
        let mut total = Counts::default();
        let Some(list) = self.lists.get(id) else {
            return total;
        };
        if let (Some(base_id), Some(base)) = (list.base, self.base(list)) {
            total = self.total(&base_id, of, known);
            for &(first, length, _) in &list.without {
                for place in first..first.saturating_add(length) {
                    if self.test(base, place).is_none() {
                        break;
                    }
                    subtract(&mut total, &of(self.expected(base, place)));
                }
            }
        }
        for place in 0..count(list.tests.len()) {
            total.add(&of(list.expected.get(&place).copied()));
        }
        known.insert(*id, total);
        total
    }

    /// Spreads how often each list is used over its tests: hands out tests, what is expected of them when that is not `p`, and
    /// how often, which is negative for what a list leaves out of its base.
    pub(super) fn expected_uses(&self, uses: BTreeMap<Sha, u64>) -> Vec<(u32, Option<u32>, i64)> {
        let mut by_depth: BTreeMap<(Reverse<u32>, Sha), i64> = BTreeMap::new();
        for (id, uses) in uses {
            if let Some(list) = self.lists.get(&id) {
                by_depth.insert((Reverse(list.depth), id), uses.cast_signed());
            }
        }
        let mut all = Vec::new();
        // The deepest first, so that a list has the uses of all that stand on it before it is spread itself.
        while let Some(((_, id), uses)) = by_depth.pop_first() {
            let Some(list) = self.lists.get(&id) else {
                continue;
            };
            for (place, &test) in (0_u32..).zip(&list.tests) {
                all.push((test, list.expected.get(&place).copied(), uses));
            }
            let Some(base_id) = list.base else { continue };
            let Some(base) = self.lists.get(&base_id) else {
                continue;
            };
            *by_depth.entry((Reverse(base.depth), base_id)).or_default() += uses;
            for &(first, length, _) in &list.without {
                for place in first..first.saturating_add(length) {
                    let Some(test) = self.test(base, place) else {
                        break;
                    };
                    all.push((test, self.expected(base, place), -uses));
                }
            }
        }
        all
    }
}

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
            let mut wanted: BTreeMap<(u32, Option<u32>), i64> = BTreeMap::new();
            let mut uses = BTreeMap::new();
            for (layer, plain) in all.iter().enumerate() {
                let list = lists.get(&name(layer)).unwrap();
                for (place, (test, expected)) in (0..).zip(plain) {
                    prop_assert_eq!(lists.test(list, place), Some(*test));
                    prop_assert_eq!(lists.expected(list, place), *expected);
                    prop_assert_eq!(lists.place(&name(layer), *test), Some(place));
                    *wanted.entry((*test, *expected)).or_default() += i64::try_from(layer).unwrap() + 1;
                }
                prop_assert_eq!(lists.test(list, u32::try_from(plain.len()).unwrap()), None);
                prop_assert_eq!(lists.place(&name(layer), 99_999), None);
                uses.insert(name(layer), layer as u64 + 1);
            }
            let mut spread: BTreeMap<(u32, Option<u32>), i64> = BTreeMap::new();
            for (test, expected, uses) in lists.expected_uses(uses) {
                *spread.entry((test, expected)).or_default() += uses;
            }
            spread.retain(|_, uses| *uses != 0);
            prop_assert_eq!(spread, wanted);
        }
    }
}
