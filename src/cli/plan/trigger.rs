//! What started this run, as GitHub Actions tells it, or a person at a terminal.

use std::io::Read;

use crate::change::base::Trigger;
use crate::cli::session::Session;
use crate::forge::webhook::Payload;
use crate::plan::jobs::Situation;

/// Of an event's payload, more than this is not read.
const LARGEST_PAYLOAD: u64 = 32 * 1024 * 1024;

/// What started the run, and what jobs may ask about it.
#[derive(Debug, Clone)]
pub(super) struct Occasion {
    pub(super) trigger: Trigger,
    pub(super) situation: Situation,
}

/// Reads it from the environment.
pub(super) fn occasion(session: &Session<'_>) -> Occasion {
    let Some(event) = session.var("GITHUB_EVENT_NAME") else {
        return Occasion {
            trigger: Trigger::Local,
            situation: Situation::default(),
        };
    };
    let payload = payload(session);
    let reference = session.var("GITHUB_REF").unwrap_or_default();
    let branch_of_ref = reference.strip_prefix("refs/heads/").map(str::to_owned);
    let mut situation = Situation {
        event: Some(event.clone()),
        branch: branch_of_ref.clone(),
        labels: Vec::new(),
    };
    let pull_request = payload
        .as_ref()
        .and_then(|payload| payload.pull_request.as_ref());
    if let Some(pull_request) = pull_request {
        situation.branch = Some(pull_request.base.branch.clone());
        situation.labels = pull_request
            .labels
            .iter()
            .map(|label| label.name.clone())
            .collect();
    }
    let trigger = match (event.as_str(), &payload) {
        (name, Some(payload)) if name.starts_with("pull_request") => match &payload.pull_request {
            Some(pull_request) => Trigger::PullRequest {
                base_branch: pull_request.base.branch.clone(),
                base_commit: pull_request.base.sha.clone(),
                head_commit: pull_request.head.sha.clone(),
                checkout: session.var("GITHUB_SHA"),
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
            let repository = payload
                .as_ref()
                .and_then(|payload| payload.repository.as_ref());
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
    Occasion { trigger, situation }
}

/// Returns the branch that the run is about, as `owner:branch` where it is a fork's.
pub(super) fn branch(session: &Session<'_>) -> Option<String> {
    let of_payload = payload(session).and_then(|payload| payload.branch());
    of_payload.or_else(|| {
        session
            .var("GITHUB_HEAD_REF")
            .or_else(|| session.var("GITHUB_REF_NAME"))
    })
}

fn payload(session: &Session<'_>) -> Option<Payload> {
    let path = session.base.join(session.var("GITHUB_EVENT_PATH")?);
    let file = session.world.files.open(&path).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST_PAYLOAD).read_to_end(&mut bytes).ok()?;
    Payload::read(&bytes).ok()
}
