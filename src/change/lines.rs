//! Which lines of a file a change adds, and how many it takes away.
//!
//! Compared here and not by git: a change may bring a `.gitattributes` that calls its sources binary, and git would then show none of their lines.
//! The way through is that of Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations" (Algorithmica 1, 1986), as far as it is short.

use std::collections::HashMap;

/// With more edits than this, lines are counted and not aligned: the way through takes the square of them.
const MOST_EDITS: usize = 1000;

/// As git: a NUL among the first bytes makes a file binary (`buffer_is_binary` of its `xdiff-interface.c`).
const FIRST_BYTES: usize = 8000;

/// What differs between two texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Difference<'a> {
    /// Numbers, from one, and lines of the new text.
    pub(crate) added: Vec<(u32, &'a [u8])>,
    /// How many lines of the old one are gone.
    pub(crate) deleted: u64,
}

/// Whether git would call it binary without an attribute that says so.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes.get(..FIRST_BYTES).unwrap_or(bytes)).is_some()
}

/// Compares two texts line by line.
pub(crate) fn compare<'a>(old: &[u8], new: &'a [u8]) -> Difference<'a> {
    let (old, new) = (split(old), split(new));
    let same = |(one, other): &(&&[u8], &&[u8])| one == other;
    let head = old.iter().zip(&new).take_while(same).count();
    let old = old.get(head..).unwrap_or_default();
    let new_rest = new.get(head..).unwrap_or_default();
    let tail = old
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    let old = old.get(..old.len() - tail).unwrap_or_default();
    let middle = new_rest.get(..new_rest.len() - tail).unwrap_or_default();
    let is_added = if old.is_empty() || middle.is_empty() {
        vec![true; middle.len()]
    } else {
        aligned(old, middle).unwrap_or_else(|| counted(old, middle))
    };
    let added: Vec<(u32, &'a [u8])> = middle
        .iter()
        .zip(is_added)
        .enumerate()
        .filter(|(_, (_, is_added))| *is_added)
        .map(|(at, (line, _))| (u32::try_from(head + at + 1).unwrap_or(u32::MAX), *line))
        .collect();
    let kept = middle.len() - added.len();
    Difference {
        deleted: (old.len() - kept) as u64,
        added,
    }
}

/// Returns the lines; a last one without an end is one too.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = Vec::with_capacity(text.len() / 32 + 1);
    let mut from = 0;
    for at in memchr::memchr_iter(b'\n', text) {
        lines.push(&text[from..at]);
        from = at + 1;
    }
    if from < text.len() {
        lines.push(&text[from..]);
    }
    lines
}

/// Returns for each new line whether it has no partner among the old ones on the shortest way; nothing when that is too long.
fn aligned(old: &[&[u8]], new: &[&[u8]]) -> Option<Vec<bool>> {
    let most = MOST_EDITS.min(old.len() + new.len());
    // How far each diagonal has come, after each number of edits; diagonals are numbered from `-most`.
    let mut reach = vec![0_usize; 2 * most + 3];
    let mut past: Vec<Vec<usize>> = Vec::new();
    for edits in 0..=most {
        past.push(window(&reach, most, edits));
        let mut slot = most + 1 - edits;
        while slot <= most + 1 + edits {
            let (left, right) = (*reach.get(slot - 1)?, *reach.get(slot + 1)?);
            let goes_down = slot == most + 1 - edits || slot != most + 1 + edits && left < right;
            let mut x = if goes_down { right } else { left + 1 };
            if edits == 0 {
                x = 0;
            }
            let mut y = (x + most + 1).checked_sub(slot)?;
            while let (Some(one), Some(other)) = (old.get(x), new.get(y))
                && one == other
            {
                x += 1;
                y += 1;
            }
            *reach.get_mut(slot)? = x;
            if x >= old.len() && y >= new.len() {
                return walk_back(&past, edits, (old.len(), new.len()));
            }
            slot += 2;
        }
    }
    None
}

/// Returns the diagonals that so many edits may have come to, and one more on each side.
fn window(reach: &[usize], most: usize, edits: usize) -> Vec<usize> {
    let from = most + 1 - edits.min(most + 1);
    let to = (most + 2 + edits).min(reach.len());
    reach.get(from..to).unwrap_or_default().to_vec()
}

fn walk_back(past: &[Vec<usize>], edits: usize, ends: (usize, usize)) -> Option<Vec<bool>> {
    let (mut x, mut y) = ends;
    let mut is_added = vec![false; y];
    for edits in (1..=edits).rev() {
        let before = past.get(edits)?;
        // The window of `edits` begins at the diagonal `-edits`.
        let at = |diagonal: isize| {
            let slot = diagonal.checked_add_unsigned(edits)?;
            before.get(usize::try_from(slot).ok()?).copied()
        };
        let diagonal = isize::try_from(x).ok()? - isize::try_from(y).ok()?;
        let span = isize::try_from(edits).ok()?;
        let goes_down = diagonal == -span
            || diagonal != span && at(diagonal - 1).unwrap_or(0) < at(diagonal + 1).unwrap_or(0);
        let from = if goes_down {
            diagonal + 1
        } else {
            diagonal - 1
        };
        let old_x = at(from)?;
        let old_y = usize::try_from(isize::try_from(old_x).ok()? - from).ok()?;
        if goes_down {
            *is_added.get_mut(old_y)? = true;
        }
        (x, y) = (old_x, old_y);
    }
    Some(is_added)
}

/// Calls lines new that stand more often in the new text than in the old one.
fn counted(old: &[&[u8]], new: &[&[u8]]) -> Vec<bool> {
    let mut left: HashMap<&[u8], usize> = HashMap::with_capacity(old.len());
    for line in old {
        *left.entry(line).or_default() += 1;
    }
    let is_added = new.iter().map(|line| match left.get_mut(line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    is_added.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, added: &[u32], deleted: u64) {
        let found = compare(old.as_bytes(), new.as_bytes());
        let numbers: Vec<u32> = found.added.iter().map(|(number, _)| *number).collect();
        assert_eq!((numbers.as_slice(), found.deleted), (added, deleted));
    }

    #[test]
    fn lines_that_came_and_went_are_told() {
        check("", "a\nb\n", &[1, 2], 0);
        check("a\nb\n", "", &[], 2);
        check("a\nb\nc\n", "a\nx\nc\n", &[2], 1);
        check("a\nb\nc\n", "b\nc\nd\n", &[3], 1);
        check("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", &[2, 6], 3);
        check("a\n", "a", &[], 0);
        check("a\nb\n", "a\nb\n", &[], 0);
    }

    #[test]
    fn a_text_that_is_all_new_ends_soon() {
        let lines = |from: usize| {
            let lines: Vec<String> = (from..from + 50_000).map(|n| n.to_string()).collect();
            lines.join("\n")
        };
        let (old, new) = (lines(0), lines(100_000));
        let found = compare(old.as_bytes(), new.as_bytes());
        assert_eq!((found.added.len(), found.deleted), (50_000, 50_000));
    }

    /// The length of the longest common subsequence, by its definition.
    fn common(old: &[&[u8]], new: &[&[u8]]) -> usize {
        match (old.split_first(), new.split_first()) {
            (Some((one, old_rest)), Some((other, new_rest))) => {
                if one == other {
                    1 + common(old_rest, new_rest)
                } else {
                    common(old_rest, new).max(common(old, new_rest))
                }
            }
            _ => 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_shorter_way_leads_from_one_text_to_the_other(old in "([abc]\n){0,7}", new in "([abc]\n){0,7}") {
            let found = compare(old.as_bytes(), new.as_bytes());
            let (old, new) = (split(old.as_bytes()), split(new.as_bytes()));
            let common = common(&old, &new);
            prop_assert_eq!(found.added.len(), new.len() - common);
            prop_assert_eq!(found.deleted, (old.len() - common) as u64);
            for (number, line) in found.added {
                prop_assert_eq!(new[number as usize - 1], line);
            }
        }
    }
}
