//! What GitHub still knows of runs that ended: their attempts, what jobs left, and how they ended.
//!
//! A run that is tried again shows its last attempt only, so that every attempt is asked for by its number.

use jiff::Timestamp;

use crate::conduct::artifacts::{branch_of, downloaded};
use crate::conduct::github::{End, GitHub};
use crate::forge::api::runs::{self, Artifact, Filter, Job, Run};
use crate::forge::problem::ForgeError;
use crate::state::artifact_name::ArtifactName;

/// The name of what is read, in cursors.
pub(crate) const STREAM: &str = "github/backfill";

/// GitHub hands out so many runs for one question.
const MOST_RUNS: usize = 1_000;

/// No run leaves more artifacts, or has more jobs.
const MOST_PARTS: usize = 5_000;

/// Runs that were created between two times.
#[derive(Debug)]
pub(crate) struct Window {
    /// Newest first.
    pub(crate) runs: Vec<Run>,
    /// Whether there are older ones.
    pub(crate) is_cut: bool,
}

/// Lists the runs that have ended.
pub(crate) fn window(
    github: &GitHub<'_>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Window, ForgeError> {
    let filter = Filter {
        status: Some("completed"),
        created: Some((from, to)),
        ..Filter::default()
    };
    let listed = github.list(
        &runs::list(&github.repository, &filter),
        MOST_RUNS,
        &mut |_| true,
    );
    if let End::Broken(error) = listed.end {
        return Err(error);
    }
    let all = listed.total.unwrap_or_default();
    let is_cut = listed.end == End::Cut || all > listed.items.len() as u64;
    let mut runs = listed.items;
    crate::order::sort_by_key(&mut runs, |run| std::cmp::Reverse((run.created_at, run.id)));
    Ok(Window { runs, is_cut })
}

/// Returns the attempts of a run that GitHub still has, with when each began.
pub(crate) fn attempts(
    github: &GitHub<'_>,
    run: &Run,
) -> Result<Vec<(u32, Timestamp)>, ForgeError> {
    let mut attempts = Vec::new();
    for number in 1..run.attempt {
        match github.call(&runs::attempt(&github.repository, run.id, number)) {
            Ok(attempt) => attempts.push((number, begun(&attempt))),
            Err(ForgeError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    attempts.push((run.attempt, begun(run)));
    Ok(attempts)
}

fn begun(run: &Run) -> Timestamp {
    run.started_at.unwrap_or(run.created_at)
}

/// Returns what the jobs of a run left, but for what `state sync` takes in.
pub(crate) fn artifacts(github: &GitHub<'_>, run: &Run) -> Result<Vec<Artifact>, ForgeError> {
    let listing = runs::artifacts_of(&github.repository, run.id);
    let purpose = listing.request.purpose.clone();
    let listed = github.list(&listing, MOST_PARTS, &mut |_| true);
    let mut artifacts = listed.whole(&purpose)?;
    artifacts.retain(|artifact| ArtifactName::parse(&artifact.name).is_none());
    crate::order::sort_by_key(&mut artifacts, |artifact| artifact.id);
    Ok(artifacts)
}

/// Downloads an artifact; the inner error says why it cannot be had.
pub(crate) fn archive(
    github: &GitHub<'_>,
    artifact: &Artifact,
) -> Result<Result<Vec<u8>, String>, ForgeError> {
    downloaded(github, artifact)
}

/// Returns the jobs that one attempt of a run did itself: those that it took over from the one before are not tried again.
pub(crate) fn jobs(github: &GitHub<'_>, run: &Run, attempt: u32) -> Result<Vec<Job>, ForgeError> {
    let listing = runs::jobs(&github.repository, run.id, attempt);
    let purpose = listing.request.purpose.clone();
    let listed = github.list(&listing, MOST_PARTS, &mut |_| true);
    let mut jobs = listed.whole(&purpose)?;
    jobs.retain(|job| job.run_attempt.is_none_or(|of| of == attempt));
    Ok(jobs)
}

/// Returns the branch that a run's results are filed under: of a fork with its owner.
pub(crate) fn branch(run: &Run) -> String {
    let named = run.head_branch.clone().unwrap_or_default();
    match branch_of(run) {
        Some(branch) => branch,
        // A fork that is gone is still none of ours.
        None if run.head_repository.is_none() => format!("unknown:{named}"),
        None => named,
    }
}
