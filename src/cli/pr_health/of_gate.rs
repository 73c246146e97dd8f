//! How a change stands, as far as the gate knows it anyway: no report of coverage, and nobody is asked who reviewed.

use super::gather::Said;
use super::{gather, safety, touched};
use crate::cli::check_policy;
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::gate::parts::HealthPart;
use crate::health::comment;
use crate::health::{Subject, judge, moved};

/// Returns the part of the one comment. `policy` is what the policy said of the same commit.
pub(in crate::cli) fn for_gate(
    session: &mut Session<'_>,
    (base, no_fetch): (Option<&str>, bool),
    (number, policy): (u64, Option<&check_policy::CheckPolicyDocument>),
) -> Result<HealthPart, CommandError> {
    let scene = check_policy::scene(session, ("HEAD", no_fetch), base, None)?;
    let trusted = base
        .or_else(|| gather::local_base(session, &scene.bases))
        .map(str::to_owned);
    let Said { weights, .. } = gather::said(session, trusted.as_deref(), !no_fetch)?;
    let lines = moved::join(check_policy::lines(&scene.changed));
    let paths = gather::paths(session, no_fetch, &scene.head)?;
    let tests = touched::tests(session, &scene.changed, &paths);
    let security = safety::of_verdict(policy, &scene.head);
    let spending = gather::spending(session, Some(number), trusted.as_deref());
    let health = judge(
        &Subject {
            files: &lines,
            coverage: None,
            pull: None,
            tests: tests.as_ref(),
            security: Some(&security),
            spending: spending.as_ref(),
            now: session.now(),
        },
        &|name| weights.get(name).copied(),
    );
    Ok(HealthPart {
        commit: scene.head.clone(),
        is_of_gate: true,
        sections: comment::sections(&health, None, &scene.head),
    })
}
