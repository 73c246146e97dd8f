//! What GitHub says about the event that started a workflow (`GITHUB_EVENT_PATH`; docs.github.com, "Webhook events and payloads").
//!
//! Only fields that decide something are read; what has another shape than expected there is an error, everything else is ignored.

use jiff::Timestamp;
use serde::Deserialize;

use super::api::{Label, User};

use crate::json;

/// An event's payload: each kind of event has some of these.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Payload {
    /// As `opened`.
    pub(crate) action: Option<String>,
    /// Of a pull request.
    pub(crate) number: Option<u64>,
    pub(crate) pull_request: Option<PullRequest>,
    pub(crate) issue: Option<Issue>,
    pub(crate) comment: Option<Comment>,
    pub(crate) merge_group: Option<MergeGroup>,
    pub(crate) workflow_run: Option<WorkflowRun>,
    pub(crate) repository: Option<Repository>,
    pub(crate) sender: Option<User>,
    /// Of a push: the full name; of a deployment or tag: a short one.
    #[serde(rename = "ref")]
    pub(crate) name: Option<String>,
    /// Of a push: what the ref was and is; forty zeros for nothing.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) created: Option<bool>,
    pub(crate) deleted: Option<bool>,
    pub(crate) forced: Option<bool>,
    /// Of a schedule: the line of cron.
    pub(crate) schedule: Option<String>,
    /// Of a release.
    pub(crate) release: Option<Release>,
}

/// A pull request, as events show it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PullRequest {
    pub(crate) number: u64,
    pub(crate) head: Side,
    pub(crate) base: Side,
    #[serde(default)]
    pub(crate) draft: bool,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    pub(crate) author_association: Option<String>,
    pub(crate) merged_at: Option<Timestamp>,
}

/// One end of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Side {
    /// `owner:branch`.
    pub(crate) label: Option<String>,
    #[serde(rename = "ref")]
    pub(crate) branch: String,
    pub(crate) sha: String,
    /// None when the fork is gone.
    pub(crate) repo: Option<Repository>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) full_name: String,
    pub(crate) default_branch: Option<String>,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    pub(crate) author_association: Option<String>,
    /// There where it is a pull request.
    pub(crate) pull_request: Option<serde::de::IgnoredAny>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) user: Option<User>,
    pub(crate) author_association: Option<String>,
}

/// What a merge queue tries.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct MergeGroup {
    pub(crate) head_sha: String,
    pub(crate) head_ref: String,
    pub(crate) base_sha: String,
    pub(crate) base_ref: String,
}

/// The run that started this one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct WorkflowRun {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) run_attempt: u32,
    pub(crate) event: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_sha: String,
    pub(crate) head_repository: Option<Repository>,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Release {
    pub(crate) tag_name: String,
}

impl Payload {
    /// Reads a payload.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        json::read(bytes)
    }

    /// Returns the branch that the event's results are about, as `owner:branch` where it is a fork's: a stranger's `main` is not ours.
    pub(crate) fn branch(&self) -> Option<String> {
        let pull = self.pull_request.as_ref()?;
        let (Some(head), Some(base)) = (&pull.head.repo, &pull.base.repo) else {
            // A fork that is gone is still none of ours.
            return Some(
                pull.head
                    .label
                    .clone()
                    .unwrap_or_else(|| format!("unknown:{}", pull.head.branch)),
            );
        };
        if head.id == base.id {
            return Some(pull.head.branch.clone());
        }
        Some(of_fork(&head.full_name, &pull.head.branch))
    }
}

/// Returns how a fork's branch is called here.
pub(crate) fn of_fork(full_name: &str, branch: &str) -> String {
    let owner = full_name.split('/').next().unwrap_or_default();
    format!("{owner}:{branch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, base: &str, wanted: &str) {
        let text = format!(
            "{{\"pull_request\":{{\"number\":1,\"head\":{{\"ref\":\"main\",\"sha\":\"a\",\"label\":\"x:main\",\"repo\":{head}}},\"base\":{{\"ref\":\"main\",\"sha\":\"b\",\"repo\":{base}}}}}}}"
        );
        assert_eq!(
            Payload::read(text.as_bytes()).unwrap().branch().as_deref(),
            Some(wanted)
        );
    }

    #[test]
    fn a_strangers_main_is_not_ours() {
        let ours = "{\"id\":1,\"full_name\":\"o/n\"}";
        check(ours, ours, "main");
        check(
            "{\"id\":2,\"full_name\":\"stranger/n\"}",
            ours,
            "stranger:main",
        );
        check("null", ours, "x:main");
    }

    #[expect(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the payloads are files of somebody else, and who skips says so"
    )]
    /// Every example of npm's `@octokit/webhooks-examples`, where `.ci/interop webhooks` put them.
    #[test]
    fn the_examples_of_octokit_are_read() {
        let Some(folder) = std::env::var_os("MAESTRO_WEBHOOKS") else {
            println!(
                "skipped: MAESTRO_WEBHOOKS names no folder of payloads (`.ci/interop webhooks` does)"
            );
            return;
        };
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let payload =
                Payload::read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(
                payload != Payload::default(),
                "{}: nothing was read",
                path.display()
            );
            read += 1;
        }
        println!("{read} payloads were read");
        assert!(read >= 329, "{read}");
    }
}
