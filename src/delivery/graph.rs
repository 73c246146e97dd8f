//! Which commit holds which: the parents of commits, walked once.

use std::collections::HashMap;

use super::rows::Commit;

/// Nobody.
const NONE: u32 = u32::MAX;

/// Commits and their parents, by place.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    places: HashMap<&'a str, u32>,
    parents: Vec<u32>,
    /// Where the parents of each commit end.
    ends: Vec<usize>,
}

/// Which of several tips is the first to hold each commit.
#[derive(Debug, Default)]
pub(crate) struct Holders(Vec<u32>);

impl<'a> Graph<'a> {
    pub(crate) fn new(commits: &'a [Commit]) -> Self {
        let mut places = HashMap::with_capacity(commits.len());
        for (place, commit) in (0_u32..NONE).zip(commits) {
            places.insert(commit.sha.as_str(), place);
        }
        let (mut parents, mut ends) = (Vec::new(), Vec::with_capacity(commits.len()));
        for commit in commits {
            let known = commit.parents.iter().map(String::as_str);
            parents.extend(known.filter_map(|parent| places.get(parent).copied()));
            ends.push(parents.len());
        }
        Self {
            places,
            parents,
            ends,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn place(&self, sha: &str) -> Option<u32> {
        self.places.get(sha).copied()
    }

    fn parents_of(&self, place: u32) -> &[u32] {
        let place = place as usize;
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.parents[from..self.ends[place]]
    }

    /// Walks from each tip, in order, to what no tip before it holds: each commit is looked at once.
    pub(crate) fn holders(&self, tips: impl Iterator<Item = Option<u32>>) -> Holders {
        let mut holders = vec![NONE; self.ends.len()];
        let mut open = Vec::new();
        for (number, tip) in (0_u32..NONE).zip(tips) {
            open.extend(tip);
            while let Some(place) = open.pop() {
                let holder = &mut holders[place as usize];
                if *holder != NONE {
                    continue;
                }
                *holder = number;
                open.extend(self.parents_of(place));
            }
        }
        Holders(holders)
    }
}

impl Holders {
    /// Returns the number of the first tip that holds a commit.
    pub(crate) fn of(&self, place: u32) -> Option<usize> {
        let holder = *self.0.get(place as usize)?;
        (holder != NONE).then_some(holder as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(sha: &str, parents: &[&str]) -> Commit {
        Commit {
            sha: sha.to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            ..Commit::default()
        }
    }

    #[test]
    fn a_commit_belongs_to_the_first_tip_that_holds_it() {
        let commits = [
            commit("a", &[]),
            commit("b", &["a"]),
            commit("side", &["a"]),
            commit("m", &["b", "side"]),
            commit("alone", &["gone"]),
        ];
        let graph = Graph::new(&commits);
        let tips = ["b", "nowhere", "m"].map(|sha| graph.place(sha));
        let holders = graph.holders(tips.into_iter());
        let of = |sha: &str| holders.of(graph.place(sha).unwrap());
        assert_eq!(
            ["a", "b", "side", "m", "alone"].map(of),
            [Some(0), Some(0), Some(2), Some(2), None]
        );
    }
}
