//! Which change a run was about: by its commit where git or a pull request knows it, else by the branch that was merged while the run took place.

use std::collections::HashMap;

use super::facts::{Change, PullHead, Runs};
use crate::forge::api::runs::Run;

/// What starts a run that is about a change.
const EVENTS: [&str; 4] = ["push", "pull_request", "pull_request_target", "merge_group"];

/// Changes by what runs know them by.
pub(crate) struct Links<'a> {
    commits: HashMap<&'a str, usize>,
    numbers: HashMap<u64, usize>,
    branches: HashMap<(&'a str, &'a str), Vec<&'a PullHead>>,
}

impl<'a> Links<'a> {
    pub(crate) fn new(changes: &'a [Change], runs: &'a Runs) -> Self {
        let mut links = Self {
            commits: HashMap::new(),
            numbers: HashMap::new(),
            branches: HashMap::new(),
        };
        for (place, change) in changes.iter().enumerate() {
            links.commits.insert(&change.commit, place);
            if let Some(tip) = &change.tip {
                links.commits.entry(tip).or_insert(place);
            }
            if let Some(number) = change.number {
                links.numbers.entry(number).or_insert(place);
            }
        }
        for pull in &runs.pulls {
            // A commit's message may name another number; where GitHub says that it went is where it went.
            let place = links.commits.get(pull.merge_sha.as_str()).copied();
            if let Some(place) = place {
                links.numbers.insert(pull.number, place);
            }
            if let Some(place) = links.numbers.get(&pull.number).copied() {
                links.commits.entry(&pull.head_sha).or_insert(place);
            }
            let key = (pull.repository.as_str(), pull.branch.as_str());
            links.branches.entry(key).or_default().push(pull);
        }
        links
    }

    /// Returns the place of the change that a run was about.
    pub(crate) fn of(&self, run: &Run) -> Option<usize> {
        if !EVENTS.contains(&run.event.as_str()) {
            return None;
        }
        if let Some(place) = self.commits.get(run.head_sha.as_str()) {
            return Some(*place);
        }
        let branch = run.head_branch.as_deref().unwrap_or_default();
        if run.event == "merge_group" {
            return self.numbers.get(&queued(branch)?).copied();
        }
        // An earlier push to the same pull request.
        let repository = run.head_repository.as_ref()?.full_name.as_str();
        let pulls = self.branches.get(&(repository, branch))?;
        let mut open = pulls
            .iter()
            .filter(|pull| pull.created <= run.updated_at && run.created_at <= pull.merged);
        self.numbers.get(&open.next()?.number).copied()
    }
}

/// Returns the number in the name of a merge queue's branch, `gh-readonly-queue/main/pr-7-0123…`.
fn queued(branch: &str) -> Option<u64> {
    let (_, tail) = branch.rsplit_once("/pr-")?;
    tail.split('-').next()?.parse().ok()
}
