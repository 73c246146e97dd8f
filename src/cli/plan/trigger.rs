//! What started this run, as GitHub Actions tells it, or a person at a terminal.

use std::io::Read;

use crate::change::base::Trigger;
use crate::change::trust::Branches;
use crate::cli::session::Session;
use crate::forge::webhook::Payload;
use crate::plan::jobs::Situation;

/// Of an event's payload, more than this is not read.
const LARGEST_PAYLOAD: u64 = 32 * 1024 * 1024;

/// What started the run, and what jobs may ask about it.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Occasion {
    pub(in crate::cli) trigger: Trigger,
    pub(in crate::cli) situation: Situation,
    /// For whoever asks whose rules count.
    pub(in crate::cli) branches: Branches,
}

/// Reads it from the environment.
pub(in crate::cli) fn occasion(session: &Session<'_>) -> Occasion {
    let Some(event) = session.var("GITHUB_EVENT_NAME") else {
        // A machine that runs a branch's newest commit would find nothing that differs from it.
        let is_ci = ["CI", "GITHUB_ACTIONS"]
            .iter()
            .any(|name| session.var(name).is_some_and(|value| value != "false"));
        let trigger = if is_ci {
            Trigger::UnknownCi
        } else {
            Trigger::Local
        };
        return Occasion {
            trigger,
            situation: Situation::default(),
            branches: Branches::default(),
        };
    };
    let payload = payload(session);
    let reference = session.var("GITHUB_REF").unwrap_or_default();
    let branch_of_ref = reference.strip_prefix("refs/heads/").map(str::to_owned);
    let situation = situation(session, &event, payload.as_ref(), &reference);
    let repository = payload
        .as_ref()
        .and_then(|payload| payload.repository.as_ref());
    let branches = Branches {
        base: situation.branch.clone(),
        default: repository.and_then(|repository| repository.default_branch.clone()),
        current: branch_of_ref.clone(),
    };
    let trigger = match (event.as_str(), &payload) {
        (name, Some(payload)) if name.starts_with("pull_request") => match &payload.pull_request {
            Some(pull_request) => Trigger::PullRequest {
                base_branch: pull_request.base.branch.clone(),
                base_commit: pull_request.base.sha.clone(),
                head_commit: pull_request.head.sha.clone(),
                // The commit of `pull_request_target` is the base's, and a merge there is another pull request's.
                checkout: session
                    .var("GITHUB_SHA")
                    .filter(|_| name != "pull_request_target"),
            },
            None => Trigger::Unreadable(event),
        },
        ("merge_group", Some(payload)) => match &payload.merge_group {
            Some(group) => Trigger::MergeGroup {
                base_commit: group.base_sha.clone(),
            },
            None => Trigger::Unreadable(event),
        },
        ("push", _) if reference.starts_with("refs/tags/") => Trigger::Tag,
        ("push", payload) => {
            let deleted = payload.as_ref().and_then(|payload| payload.deleted);
            match branch_of_ref {
                Some(branch) => Trigger::Push {
                    branch,
                    default_branch: repository
                        .and_then(|repository| repository.default_branch.clone()),
                    deleted: deleted.unwrap_or(false),
                },
                None => Trigger::Unreadable(event),
            }
        }
        ("pull_request" | "pull_request_target" | "merge_group", None) => {
            Trigger::Unreadable(event)
        }
        _ => Trigger::Other(event),
    };
    Occasion {
        trigger,
        situation,
        branches,
    }
}

/// Returns what jobs may ask about an event; what it does not say is not known.
fn situation(
    session: &Session<'_>,
    event: &str,
    payload: Option<&Payload>,
    reference: &str,
) -> Situation {
    let branch_of_ref = reference.strip_prefix("refs/heads/").map(str::to_owned);
    let is_pull_request = event.starts_with("pull_request");
    let mut situation = Situation {
        event: Some(event.to_owned()),
        branch: match &branch_of_ref {
            _ if is_pull_request => session.var("GITHUB_BASE_REF"),
            // A queue tries branches of its own: `gh-readonly-queue/main/pr-7-…`.
            Some(branch) if event == "merge_group" => queued_for(branch),
            other => other.clone(),
        },
        // A tag is no branch, and then that is known.
        is_branch_known: branch_of_ref.is_some() && !is_pull_request && event != "merge_group"
            || reference.starts_with("refs/tags/"),
        labels: None,
    };
    situation.is_branch_known |= situation.branch.is_some();
    if let Some(group) = payload.and_then(|payload| payload.merge_group.as_ref()) {
        let base = group.base_ref.strip_prefix("refs/heads/");
        situation.branch = Some(base.unwrap_or(&group.base_ref).to_owned());
        situation.is_branch_known = true;
    }
    let pull_request = payload.and_then(|payload| payload.pull_request.as_ref());
    if let Some(pull_request) = pull_request {
        situation.branch = Some(pull_request.base.branch.clone());
        situation.is_branch_known = true;
        let labels = pull_request.labels.iter().map(|label| label.name.clone());
        situation.labels = Some(labels.collect());
    }
    situation
}

/// Returns the branch that a merge queue's own branch is for.
fn queued_for(branch: &str) -> Option<String> {
    let rest = branch.strip_prefix("gh-readonly-queue/")?;
    let (base, _) = rest.rsplit_once("/pr-")?;
    Some(base.to_owned())
}

/// Returns the branch that the run is about, as `owner:branch` where it is a fork's.
pub(in crate::cli) fn branch(session: &Session<'_>) -> Option<String> {
    let of_payload = payload(session).and_then(|payload| payload.branch());
    of_payload.or_else(|| {
        session
            .var("GITHUB_HEAD_REF")
            .or_else(|| session.var("GITHUB_REF_NAME"))
    })
}

pub(in crate::cli) fn payload(session: &Session<'_>) -> Option<Payload> {
    let path = session.base.join(session.var("GITHUB_EVENT_PATH")?);
    let file = session.world.files.open(&path).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST_PAYLOAD).read_to_end(&mut bytes).ok()?;
    Payload::read(&bytes).ok()
}
