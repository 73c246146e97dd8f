//! Keeps what a policy said, for the gate, for proofs and for those who look back.

use super::wire::CheckPolicyDocument;
use crate::cli::plan::trigger::branch;
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::event::{Origin, plain_name};
use crate::sha::Sha;
use crate::state::v1::{PolicyVerdictRecord, encode_policy_verdict};

/// Stores the verdict of a run; one on a person's machine is called by what it is about.
pub(super) fn record(
    session: &Session<'_>,
    document: &CheckPolicyDocument,
) -> Result<(), CommandError> {
    let record = PolicyVerdictRecord {
        approved_by: document.approved_by(),
        base: document.merge_bases.first().cloned(),
        blocked_by: document.ids("block"),
        enforced: document.enforced,
        files: document.files,
        forgiven: document.counts.forgiven,
        head: document.head.clone(),
        outcome: document.outcome.to_owned(),
        policy_commit: document.policy.commit.clone(),
        policy_sha256: document.policy.sha256.clone(),
        pull_request: document.pull_request,
        review_by: document.ids("review"),
        task: document.task.clone(),
        warned_by: document.ids("warn"),
    };
    let name = |name: &str| plain_name(session.var(name).unwrap_or_default());
    let local = || {
        let about = format!(
            "{} {} {}",
            record.policy_sha256, record.head, record.outcome
        );
        let digest = Sha::of(about.as_bytes()).to_string();
        format!("local-{}", digest.get(..16).unwrap_or_default())
    };
    let origin = Origin {
        run: session.var("GITHUB_RUN_ID").map_or_else(local, plain_name),
        attempt: name("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1).max(1),
        job: name("GITHUB_JOB"),
        commit: document.head.clone(),
        branch: branch(session).map(plain_name).unwrap_or_default(),
    };
    let event = encode_policy_verdict(&record, session.now(), origin);
    let event = event.map_err(CommandError::internal)?;
    session.state()?.save(&[event])?;
    Ok(())
}
