//! Every code of a plan: why everything runs, why a project is affected, why a job runs or does not.
//!
//! A code never changes its meaning; programs may compare it.

/// What a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Everything runs.
    Everything,
    /// A project is affected.
    Project,
    /// A job runs, or does not.
    Job,
}

/// A code.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) about: About,
    pub(crate) meaning: &'static str,
}

macro_rules! codes {
    ($($about:ident: $($code:literal = $meaning:literal;)+)+) => {
        /// Every code.
        pub(crate) const CODES: &[Code] = &[$($(Code { name: $code, about: About::$about, meaning: $meaning }),+),+];
    };
}

codes! {
    Everything:
    "base-missing" = "The commit to compare with is not in this clone and could not be fetched. Check out with more of the past (`fetch-depth: 0`), or let maestro fetch.";
    "branch-deleted" = "The push deleted the branch: there is nothing to compare.";
    "ci-config" = "A file that CI itself is made of changed: a workflow, an action, the configuration of a CI service.";
    "disabled" = "MAESTRO_DISABLE is set: nothing is skipped.";
    "event" = "The event changes nothing (a schedule, a dispatch, a release), or what started the run is not known (another CI service): there is nothing to compare. `--base` names a commit all the same.";
    "event-unreadable" = "The event's payload (GITHUB_EVENT_PATH) is not there, or not as GitHub documents it.";
    "first-commit" = "There is no commit before this one.";
    "head-unknown" = "What is checked out is neither the pull request's head nor its merge. Check out `refs/pull/N/merge` (the default of actions/checkout) or the head.";
    "last-green-unknown" = "No commit of the branch is known to have passed, so nothing is known to be good. It is asked of GitHub (`actions: read`) for the workflow that runs.";
    "lockfile" = "A lock file changed and could not be read on one of its sides.";
    "manifest-unreadable" = "A manifest that the graph of projects is read from could not be read on one of the two sides.";
    "no-common-ancestor" = "The two commits have no common ancestor, and the clone holds all of the past.";
    "path-not-utf8" = "A changed path is no UTF-8 text: no rule can be about it.";
    "planner-config" = "The configuration of maestro changed: plans are made by it.";
    "run-all-on" = "A glob of `run_all_on` takes the changed path in.";
    "source-missing" = "A source that may read what changed is not in this clone, and was not fetched.";
    "tag" = "A tag was pushed: what is released is tested whole.";
    "unowned-file" = "A changed file belongs to no project, component, job or rule. Give it to a component, to a job's `paths`, or to `ignore`.";

    Project:
    "changed-file" = "A file of it changed.";
    "dependency-changed" = "It has a dependency in one of the two commits only.";
    "linked-file" = "A file changed that a link among its files leads to.";
    "project-added" = "Only the planned commit has it.";
    "project-removed" = "Only the base has it; whoever depended on it is affected.";
    "read-file" = "A file changed that it reads from elsewhere: `include_str!`, `#[path]`, a build script, a readme, what COPY takes into an image.";
    "root-manifest" = "The workspace's root manifest changed in a part that reaches it.";
    "toolchain" = "A file changed that chooses compilers, interpreters, package managers or their settings, at the top or in a folder around it.";
    "workspace-file" = "A file changed that is its workspace's and no member's.";

    Job:
    "always" = "It names neither projects nor paths, so it always runs.";
    "no-project" = "No project has a name or folder that its `projects` say, in either commit: it runs until they are spelt right.";
    "not-affected" = "No changed file reaches a project or path that it is about.";
    "when" = "Its `when` does not let it run on this event, branch or label.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::change::base::codes;
    use crate::plan::{assess, jobs, manifests, rules};

    #[test]
    fn codes_are_there_once_and_those_that_have_names_are_there() {
        let known: BTreeSet<&str> = CODES.iter().map(|code| code.name).collect();
        assert_eq!(known.len(), CODES.len());
        let named = [
            codes::BASE_MISSING,
            codes::BRANCH_DELETED,
            codes::DISABLED,
            codes::EVENT,
            codes::EVENT_UNREADABLE,
            codes::FIRST_COMMIT,
            codes::HEAD_UNKNOWN,
            codes::LAST_GREEN_UNKNOWN,
            codes::NO_COMMON_ANCESTOR,
            codes::TAG,
            assess::PATH_NOT_UTF8,
            assess::SOURCE_MISSING,
            assess::TOOLCHAIN,
            assess::UNOWNED_FILE,
            jobs::NO_PROJECT,
            manifests::LOCKFILE,
            manifests::ROOT_MANIFEST,
            manifests::UNREADABLE,
            rules::CI_CONFIG,
            rules::PLANNER_CONFIG,
            rules::RUN_ALL_ON,
        ];
        for code in named {
            assert!(known.contains(code), "{code}");
        }
    }
}
