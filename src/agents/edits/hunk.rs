//! A change of lines that follow one another: some stay, some go, some come. SEARCH and REPLACE is one as well, once it is clear what they share.

use std::ops::Range;

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Keep,
    Remove,
    Add,
}

/// Lines that follow one another, and what becomes of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    pub(crate) lines: Vec<(Sign, String)>,
    /// Lines below which it stands, outermost first (`@@ class A` of codex).
    pub(crate) scopes: Vec<String>,
    /// Whether it stands at the end of the file.
    pub(crate) is_at_end: bool,
    /// Whether it was made from two texts, so that nobody knows which of equal lines go, and whether new ones stand before or behind.
    pub(crate) is_mixed: bool,
    /// Whether the file's last line has an end afterwards, where the patch says so.
    pub(crate) is_ended: Option<bool>,
}

/// Old lines that go, next to one another, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run<'h> {
    /// Which of the old lines go.
    pub(super) old: Range<usize>,
    pub(super) added: Vec<&'h str>,
    /// Whether a new line stands before or behind all that go, or may do so: its place hangs on the line beyond.
    pub(super) opens_with_new: bool,
    pub(super) closes_with_new: bool,
}

/// How many pairs of lines are compared at most to find what two texts share.
const MOST_PAIRS: usize = 1 << 20;

impl Hunk {
    /// Returns what turns one text into another.
    pub(crate) fn between(search: &str, replace: &str) -> Self {
        let old: Vec<&str> = search.lines().collect();
        let new: Vec<&str> = replace.lines().collect();
        let mut lines = Vec::with_capacity(old.len() + new.len());
        let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let rest = old.iter().rev().zip(new.iter().rev());
        let most = old.len().min(new.len()) - head;
        let tail = rest.take(most).take_while(|(a, b)| a == b).count();
        let mut push = |sign, line: &str| lines.push((sign, line.to_owned()));
        for line in &old[..head] {
            push(Sign::Keep, line);
        }
        let (old_end, new_end) = (old.len() - tail, new.len() - tail);
        between(&old[head..old_end], &new[head..new_end], &mut push);
        for line in &old[old_end..] {
            push(Sign::Keep, line);
        }
        Self {
            lines,
            is_mixed: true,
            ..Self::default()
        }
    }

    /// Returns the lines that must be there.
    pub(super) fn old(&self) -> Vec<&str> {
        let old = self.lines.iter().filter(|(sign, _)| *sign != Sign::Add);
        old.map(|(_, line)| line.as_str()).collect()
    }

    /// Returns the lines that are there afterwards.
    pub(super) fn fresh(&self) -> impl Iterator<Item = &str> {
        let new = self.lines.iter().filter(|(sign, _)| *sign != Sign::Remove);
        new.map(|(_, line)| line.as_str())
    }

    pub(super) fn runs(&self) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut at = 0;
        let mut is_open = false;
        for (sign, line) in &self.lines {
            if *sign == Sign::Keep {
                is_open = false;
                at += 1;
                continue;
            }
            if !is_open {
                is_open = true;
                runs.push(Run {
                    old: at..at,
                    added: Vec::new(),
                    opens_with_new: *sign == Sign::Add,
                    closes_with_new: false,
                });
            }
            let Some(run) = runs.last_mut() else { continue };
            run.closes_with_new = *sign == Sign::Add;
            if *sign == Sign::Add {
                run.added.push(line);
            } else {
                at += 1;
                run.old.end = at;
            }
        }
        for run in runs.iter_mut().filter(|_| self.is_mixed) {
            (run.opens_with_new, run.closes_with_new) = (true, true);
        }
        runs
    }
}

/// Tells what two runs of lines share, by a longest common subsequence while that is cheap.
fn between(old: &[&str], new: &[&str], push: &mut impl FnMut(Sign, &str)) {
    let width = new.len() + 1;
    let mut best = vec![0_u32; 1];
    if old.len().saturating_mul(new.len()) <= MOST_PAIRS {
        best = vec![0; width * (old.len() + 1)];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                best[i * width + j] = if old[i] == new[j] {
                    best[(i + 1) * width + j + 1] + 1
                } else {
                    best[(i + 1) * width + j].max(best[i * width + j + 1])
                };
            }
        }
    }
    let common = |i: usize, j: usize| best.get(i * width + j).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] && best.len() > 1 {
            push(Sign::Keep, old[i]);
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common(i + 1, j) >= common(i, j + 1)) {
            push(Sign::Remove, old[i]);
            i += 1;
        } else {
            push(Sign::Add, new[j]);
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(hunk: &Hunk) -> String {
        let lines = hunk.lines.iter().map(|(sign, line)| match sign {
            Sign::Keep => format!(" {line}\n"),
            Sign::Remove => format!("-{line}\n"),
            Sign::Add => format!("+{line}\n"),
        });
        lines.collect()
    }

    #[test]
    fn what_two_texts_share_stays() {
        let hunk = Hunk::between("a\nb\nc\nd\n", "a\nx\nc\ny\nd\n");
        assert_eq!(drawn(&hunk), " a\n-b\n+x\n c\n+y\n d\n");
        let runs = hunk.runs();
        assert_eq!(
            runs[0],
            Run {
                old: 1..2,
                added: vec!["x"],
                opens_with_new: true,
                closes_with_new: true
            }
        );
        assert_eq!(
            runs[1],
            Run {
                old: 3..3,
                added: vec!["y"],
                opens_with_new: true,
                closes_with_new: true
            }
        );
    }

    #[test]
    fn repeated_lines_are_not_counted_twice() {
        assert_eq!(drawn(&Hunk::between("a\na\n", "a\na\na\n")), " a\n a\n+a\n");
        assert_eq!(drawn(&Hunk::between("a\na\na\n", "a\n")), " a\n-a\n-a\n");
    }

    #[test]
    fn huge_texts_are_told_apart_by_their_ends_only() {
        let old: String = (0..2000)
            .flat_map(|n| [format!("old {n}"), "same".into()])
            .collect::<Vec<_>>()
            .join("\n");
        let new: String = (0..2000)
            .flat_map(|n| [format!("new {n}"), "same".into()])
            .collect::<Vec<_>>()
            .join("\n");
        let hunk = Hunk::between(&old, &new);
        assert_eq!(
            hunk.lines
                .iter()
                .filter(|(sign, _)| *sign == Sign::Keep)
                .count(),
            1
        );
        assert_eq!(hunk.old(), old.lines().collect::<Vec<_>>());
        assert!(hunk.fresh().eq(new.lines()));
    }

    proptest! {
        #[test]
        fn a_hunk_holds_both_texts(old in "([abc]\n){0,12}", new in "([abc]\n){0,12}") {
            let hunk = Hunk::between(&old, &new);
            prop_assert_eq!(hunk.old(), old.lines().collect::<Vec<_>>());
            prop_assert!(hunk.fresh().eq(new.lines()));
            let gone: usize = hunk.runs().iter().map(|run| run.old.len()).sum();
            prop_assert_eq!(gone, hunk.lines.iter().filter(|(sign, _)| *sign == Sign::Remove).count());
        }
    }
}
