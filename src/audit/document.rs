//! An audit as a value: what every format is written from, and `maestro.audit/v1`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::reruns::Reruns;
use super::savings::{Escapes, Savings};
use crate::report::words::Measured as Unit;

/// What maestro would bring a repository, measured on its past.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.audit/v1"))]
pub(crate) struct Audit {
    /// `maestro.audit/v1`
    pub(crate) schema: &'static str,
    /// As `owner/name`, or the name of the folder.
    pub(crate) repository: String,
    /// From then on.
    pub(crate) since: String,
    /// Until then.
    pub(crate) until: String,
    pub(crate) days: u16,
    /// The newest commit that was looked at.
    pub(crate) head: String,
    pub(crate) plan: Plan,
    /// Minutes of runners; nothing where GitHub's runs are not known.
    pub(crate) minutes: Option<Savings>,
    /// What plans would have missed; nothing where GitHub's runs are not known.
    pub(crate) escapes: Option<Escapes>,
    /// Nothing where GitHub's runs are not known.
    pub(crate) reruns: Option<Reruns>,
    /// Nothing where GitHub's runs are not known.
    pub(crate) ci: Option<Ci>,
    pub(crate) delivery: Delivery,
    pub(crate) policy: Policy,
    pub(crate) authors: Authors,
    /// What each capability would change, with the command to type next.
    pub(crate) next: Vec<Next>,
    /// What nobody could know, why, and how to get it.
    pub(crate) missing: Vec<Missing>,
    /// Requests that GitHub was sent, and the most that were allowed.
    pub(crate) calls: Calls,
}

/// What plans would have done.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Plan {
    /// Where the planned jobs are from: the `configuration`, those that `init` would write, or a job for each of the `ecosystems`.
    pub(crate) jobs_from: &'static str,
    pub(crate) jobs: Vec<String>,
    /// Commits of the branch, each against its first parent.
    pub(crate) changes: usize,
    /// Whether there are more that nobody looked at.
    pub(crate) is_cut: bool,
    pub(crate) is_shallow: bool,
    /// Changes for which everything runs.
    pub(crate) everything: usize,
    /// Every job for every change.
    pub(crate) job_runs: usize,
    /// Those that plans would have skipped.
    pub(crate) skipped: usize,
    /// Why everything ran, the most frequent first.
    pub(crate) reasons: Vec<Reason>,
    /// Each change, newest first.
    pub(crate) list: Vec<ChangeRow>,
}

/// How often everything ran for a reason.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Reason {
    /// `maestro explain plan/CODE` says more.
    pub(crate) code: String,
    pub(crate) changes: usize,
}

/// A change.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ChangeRow {
    pub(crate) commit: String,
    pub(crate) number: Option<u64>,
    pub(crate) at: String,
    /// `human`, `bot` or `agent`.
    pub(crate) author: &'static str,
    /// Codes of the reasons why everything runs.
    pub(crate) reasons: Vec<String>,
    pub(crate) selected: Vec<String>,
    pub(crate) skipped: Vec<String>,
    /// What the built-in policy says of it: `passed`, `warned`, `review` or `blocked`; nothing where that could not be told.
    pub(crate) policy: Option<&'static str>,
}

/// How long CI takes.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Ci {
    /// Runs that ended, of every event.
    pub(crate) runs: usize,
    /// How many GitHub says there are.
    pub(crate) total: u64,
    /// Of each commit the longest run, as `dora kpi` has it.
    pub(crate) commits: Took,
    /// Workflows, the longest first.
    pub(crate) workflows: Vec<WorkflowRow>,
    /// Merged pull requests whose head had a failed run of a workflow that nothing passed after, of those whose runs are known.
    pub(crate) merged_red: usize,
    pub(crate) merged: usize,
}

/// How long something takes, in seconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Took {
    pub(crate) n: usize,
    pub(crate) median: Option<f64>,
    /// The 95th percentile; nothing where there are too few.
    pub(crate) p95: Option<f64>,
    /// Its 95 % interval.
    pub(crate) interval: Option<(f64, f64)>,
}

/// A workflow.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct WorkflowRow {
    pub(crate) name: String,
    pub(crate) took: Took,
    pub(crate) failed: usize,
}

/// How changes are delivered.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Delivery {
    /// `github` or `git`.
    pub(crate) from: &'static str,
    pub(crate) figures: Vec<Figure>,
    /// Releases and tags within the time.
    pub(crate) releases: usize,
}

/// A metric.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Figure {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// Nothing where it is unknown or there is too little to say.
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) n: usize,
}

/// What the built-in policy says of changes that were merged.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Policy {
    pub(crate) judged: usize,
    pub(crate) blocked: usize,
    /// A person would have had to approve them.
    pub(crate) review: usize,
    pub(crate) warned: usize,
    /// What would have been stopped.
    pub(crate) list: Vec<Stopped>,
}

/// A change that a policy would have stopped.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Stopped {
    pub(crate) commit: String,
    pub(crate) number: Option<u64>,
    /// `review` or `blocked`.
    pub(crate) outcome: &'static str,
    /// The entry of the policy, and the place.
    pub(crate) entry: String,
    pub(crate) place: String,
}

/// Who wrote the changes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Authors {
    pub(crate) human: usize,
    pub(crate) bot: usize,
    pub(crate) agent: usize,
}

/// What a capability would change.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Next {
    pub(crate) capability: &'static str,
    /// What was measured.
    pub(crate) words: String,
    /// The command to type next.
    pub(crate) command: &'static str,
}

/// Something that nobody could know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Missing {
    pub(crate) what: String,
    pub(crate) why: String,
    /// How to get it.
    pub(crate) how: String,
}

/// Requests.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Calls {
    pub(crate) sent: u64,
    pub(crate) most: u64,
}

impl Missing {
    pub(crate) fn new(
        what: impl Into<String>,
        why: impl Into<String>,
        how: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
            how: how.into(),
        }
    }
}

impl Audit {
    /// Lets somebody change every foreign text.
    pub(crate) fn each_foreign(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.repository);
        let escapes = self.escapes.iter_mut();
        for escape in escapes.flat_map(|found| found.list.iter_mut().chain(&mut found.unknown)) {
            change(&mut escape.workflow);
            change(&mut escape.job);
            change(&mut escape.url);
        }
        let reruns = self.reruns.iter_mut();
        for row in reruns.flat_map(|found| &mut found.workflows) {
            change(&mut row.name);
        }
        for row in self.ci.iter_mut().flat_map(|ci| &mut ci.workflows) {
            change(&mut row.name);
        }
        for stopped in &mut self.policy.list {
            change(&mut stopped.place);
        }
        for missing in &mut self.missing {
            change(&mut missing.why);
            change(&mut missing.how);
        }
    }
}
