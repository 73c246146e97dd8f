//! Shards: tests split by the time they are expected to take.
//!
//! Longest processing time first (R. L. Graham, SIAM J. Appl. Math. 17, 1969). Light tests of one file, binary or package
//! are taken together in blocks of a fortieth of a shard, so that what they share is set up in few places. Invariant: each
//! test is in one shard, and the split depends on the names and times alone.

use crate::order;
use std::cmp::Reverse;

/// A block takes at most one part in so many of a shard.
const BLOCKS: u64 = 40;

/// What cannot be split, as the splitter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    /// Neighbours with the same group may share a block.
    pub(crate) group: &'a str,
    /// Expected time in microseconds.
    pub(crate) time: u64,
}

/// Returns for each item its shard, from 0.
pub(crate) fn split(items: &[Item<'_>], shards: u32) -> Vec<u32> {
    let shards = shards.max(1);
    // A test that takes no time at all is still one more to start.
    let times: Vec<u64> = items.iter().map(|item| item.time.max(1)).collect();
    let total = times
        .iter()
        .fold(0_u64, |sum, time| sum.saturating_add(*time));
    let most = total / u64::from(shards) / BLOCKS;
    let mut blocks: Vec<(u64, std::ops::Range<usize>)> = Vec::new();
    for (number, (item, time)) in items.iter().zip(&times).enumerate() {
        match blocks.last_mut() {
            Some((sum, range)) if items[range.start].group == item.group && *sum + time <= most => {
                *sum += time;
                range.end = number + 1;
            }
            _ => blocks.push((*time, number..number + 1)),
        }
    }
    order::sort_by_key(&mut blocks, |(time, range)| (Reverse(*time), range.start));
    let mut loads = vec![0_u64; shards as usize];
    let mut shard_of = vec![0_u32; items.len()];
    for (time, range) in blocks {
        let lightest = (0_u32..)
            .zip(&loads)
            .min_by_key(|(shard, load)| (**load, *shard));
        let shard = lightest.map_or(0, |(shard, _)| shard);
        loads[shard as usize] = loads[shard as usize].saturating_add(time);
        shard_of[range].fill(shard);
    }
    shard_of
}

/// Returns the time that three of four known times do not exceed; nothing when none is known.
pub(crate) fn third_quartile(times: impl Iterator<Item = u64>) -> Option<u64> {
    let mut times: Vec<u64> = times.collect();
    order::sort(&mut times);
    // The nearest rank.
    let rank = (times.len() * 3).div_ceil(4);
    times.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items<'a>(times: &[(&'a str, u64)]) -> Vec<Item<'a>> {
        times
            .iter()
            .map(|&(group, time)| Item { group, time })
            .collect()
    }

    fn loads(items: &[Item<'_>], shards: u32) -> Vec<u64> {
        let mut loads = vec![0; shards as usize];
        for (item, shard) in items.iter().zip(split(items, shards)) {
            loads[shard as usize] += item.time.max(1);
        }
        loads
    }

    #[test]
    fn the_longest_come_first() {
        let items = items(&[("a", 7), ("a", 6), ("a", 5), ("a", 4), ("a", 3), ("a", 5)]);
        assert_eq!(loads(&items, 2), [15, 15]);
    }

    #[test]
    fn light_tests_of_a_group_stay_together() {
        let many: Vec<(String, u64)> = (0..4000).map(|n| (format!("f{}", n / 20), 10)).collect();
        let many: Vec<(&str, u64)> = many
            .iter()
            .map(|(group, time)| (group.as_str(), *time))
            .collect();
        let items = items(&many);
        let shard_of = split(&items, 4);
        let whole = shard_of
            .chunks(20)
            .filter(|file| file.iter().all(|shard| *shard == file[0]));
        assert_eq!(whole.count(), 200);
        assert_eq!(loads(&items, 4), [10_000; 4]);
    }

    #[test]
    fn there_may_be_more_shards_than_tests_and_no_tests() {
        assert_eq!(split(&items(&[("a", 1)]), 3), [0]);
        assert_eq!(split(&[], 3), Vec::<u32>::new());
        assert_eq!(split(&items(&[("a", 0), ("a", 0)]), 2), [0, 1]);
    }

    #[test]
    fn the_third_quartile_is_the_nearest_rank() {
        assert_eq!(third_quartile([4, 1, 3, 2].into_iter()), Some(3));
        assert_eq!(third_quartile([9].into_iter()), Some(9));
        assert_eq!(third_quartile([].into_iter()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn shards_are_disjoint_and_complete_and_no_worse_than_graham_says(
            times in prop::collection::vec((0_u8..6, 0_u64..100_000), 0..200),
            shards in 1_u32..12,
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let times: Vec<(&str, u64)> = times.iter().map(|(group, time)| (names[*group as usize], *time)).collect();
            let items = items(&times);
            let shard_of = split(&items, shards);
            // Each has one shard, and there is no other.
            prop_assert_eq!(shard_of.len(), items.len());
            prop_assert!(shard_of.iter().all(|shard| *shard < shards));
            let loads = loads(&items, shards);
            let total: u64 = items.iter().map(|item| item.time.max(1)).sum();
            prop_assert_eq!(loads.iter().sum::<u64>(), total);
            // List scheduling: no shard is longer than the mean and the longest piece.
            let mean = total / u64::from(shards) + 1;
            let piece = items.iter().map(|item| item.time.max(1)).max().unwrap_or(0).max(mean / BLOCKS);
            prop_assert!(loads.iter().max().copied().unwrap_or(0) <= mean + piece);
        }
    }
}
