//! What an audit is made from.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::delivery::kpi::Finding;
use crate::delivery::metrics::Metric;
use crate::delivery::rows::Author;
use crate::forge::api::runs::{Job, Run};

use super::document::Missing;

/// Everything that was found out.
pub(crate) struct Facts<'a> {
    /// As `owner/name`, or the name of the folder.
    pub(crate) repository: String,
    pub(crate) now: Timestamp,
    pub(crate) since: Timestamp,
    pub(crate) days: u16,
    /// The newest commit that was looked at.
    pub(crate) head: String,
    pub(crate) jobs: Jobs,
    /// Changes of the branch, newest first.
    pub(crate) changes: &'a [Change],
    /// Whether there are older ones that nobody looked at.
    pub(crate) is_cut: bool,
    pub(crate) is_shallow: bool,
    /// When the newest change was made, whether or not it lies in the time.
    pub(crate) newest: Option<Timestamp>,
    /// None where GitHub's runs are not known.
    pub(crate) runs: Option<&'a Runs>,
    pub(crate) delivery: &'a Delivery,
    /// How many requests GitHub was sent, and how many it might have been.
    pub(crate) calls: (u64, u64),
    pub(crate) missing: Vec<Missing>,
}

/// Which jobs were planned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs {
    /// `configuration`, `init` or `ecosystems`.
    pub(crate) from: &'static str,
    pub(crate) names: Vec<String>,
}

/// A commit of the branch, planned against its first parent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) commit: String,
    /// The tip of what was merged, where the commit is a merge.
    pub(crate) tip: Option<String>,
    /// The pull request that it came by.
    pub(crate) number: Option<u64>,
    pub(crate) at: Timestamp,
    pub(crate) author: Author,
    /// Codes of the reasons why everything runs; empty where something may be skipped.
    pub(crate) reasons: Vec<String>,
    pub(crate) selected: Vec<String>,
    pub(crate) skipped: Vec<String>,
    /// What the built-in policy says of it; nothing where that could not be told.
    pub(crate) policy: Option<Judged>,
}

/// What a policy says of a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    /// `passed`, `warned`, `review` or `blocked`.
    pub(crate) outcome: &'static str,
    /// Entries of the policy and places, the heaviest first.
    pub(crate) breaches: Vec<(String, String)>,
}

/// GitHub's runs.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Runs that ended, newest first.
    pub(crate) list: Vec<Run>,
    /// How many GitHub says that there are.
    pub(crate) total: u64,
    /// Places in the list of the even sample whose jobs are known.
    pub(crate) sample: Vec<usize>,
    /// Jobs of runs, by the run's number, every attempt's; beside the sample also those of runs that were looked at for a reason.
    pub(crate) jobs: BTreeMap<u64, Vec<Job>>,
    pub(crate) pulls: Vec<PullHead>,
}

/// A merged pull request, as far as runs are told by it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullHead {
    pub(crate) number: u64,
    pub(crate) head_sha: String,
    /// The repository of its branch, as `owner/name`; empty where a fork is gone.
    pub(crate) repository: String,
    pub(crate) branch: String,
    pub(crate) merge_sha: String,
    pub(crate) created: Timestamp,
    pub(crate) merged: Timestamp,
}

/// How changes are delivered.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) metrics: Vec<Metric>,
    /// How long CI takes, as `dora kpi` has it; none where no run is known.
    pub(crate) ci: Option<Finding>,
    /// `github` or `git`.
    pub(crate) from: &'static str,
    /// Releases and tags within the time.
    pub(crate) releases: usize,
}
