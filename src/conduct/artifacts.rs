//! The artifact transport: what jobs left at GitHub is looked through since the last time, downloaded and taken in.
//!
//! Artifacts are listed newest first and never change. How far the list was read is a `cursor` event: a time, and the artifacts that
//! were taken in after it. The time stays an hour behind, because an artifact gets its number when its upload begins and is listed when
//! it ends. An artifact that is taken in twice changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::conduct::github::{End, GitHub};
use crate::forge::api::runs::{self, Artifact, Run};
use crate::forge::problem::ForgeError;
use crate::forge::webhook;
use crate::json;
use crate::sha::Sha;
use crate::state::artifact_name::ArtifactName;
use crate::state::intake::{Expected, TakenIn};
use crate::state::{StateError, StateFolder};

/// The name of what is read, in cursors.
pub(crate) const STREAM: &str = "github/artifacts";

/// An upload takes less.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// Before the first time nothing is older than what `save` keeps.
const FIRST: SignedDuration = SignedDuration::from_hours(24 * 14);

/// No archive of ours is larger: it holds text, and is compressed.
const LARGEST: u64 = 64 * 1024 * 1024;

/// So many artifacts are looked at in one go.
const MOST: usize = 20_000;

/// A cursor has room for so many numbers of artifacts.
const MOST_DONE: usize = 320;

/// How far the list was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// What was created before is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    /// What was created later and is done.
    done: BTreeSet<u64>,
}

/// What became of one artifact.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    TakenIn(TakenIn),
    /// It is not from where it says, or cannot be had any more.
    Refused(String),
}

/// What was looked through.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) artifacts: Vec<Looked>,
    /// Why the rest must wait.
    pub(crate) broken: Option<ForgeError>,
    /// Artifacts that are left for the next time.
    pub(crate) left: u64,
    /// Whether there are more than anybody looks at in one go: the oldest are not taken in.
    pub(crate) is_cut: bool,
    /// Where the next look begins, where that has changed. It is stored once the events are published: a cursor that is known elsewhere,
    /// and events that are not, would be a loss.
    pub(crate) position: Option<String>,
}

/// Takes in what is new.
pub(crate) fn fetch(
    github: &GitHub<'_>,
    state: &StateFolder<'_>,
    now: Timestamp,
    dry_run: bool,
    step: &mut dyn FnMut(usize, usize),
) -> Result<Fetched, StateError> {
    let before = position(state)?;
    let from = before
        .from
        .unwrap_or_else(|| now.saturating_sub(FIRST).unwrap_or(Timestamp::MIN));
    let mut fetched = Fetched::default();
    let listed = github.list(
        &runs::artifacts(&github.repository),
        MOST,
        &mut |artifact| {
            // Somewhat further, should the list be out of order.
            artifact
                .created_at
                .is_none_or(|at| at >= from.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN))
        },
    );
    let is_whole = !matches!(listed.end, End::Broken(_));
    fetched.is_cut = listed.end == End::Cut;
    if let End::Broken(error) = listed.end {
        fetched.broken = Some(error);
    }
    let newest = listed
        .items
        .iter()
        .filter_map(|artifact| artifact.created_at)
        .max();
    let created = listed.items.iter();
    let created = created.filter_map(|artifact| Some((artifact.id, artifact.created_at?)));
    let created: BTreeMap<u64, Timestamp> = crate::order::map(created);
    let mut fresh: Vec<(Artifact, ArtifactName)> = listed
        .items
        .into_iter()
        .filter(|artifact| !artifact.expired && !before.done.contains(&artifact.id))
        .filter(|artifact| artifact.created_at.is_none_or(|at| at >= from))
        .filter_map(|artifact| ArtifactName::parse(&artifact.name).map(|name| (artifact, name)))
        .collect();
    crate::order::sort_by_key(&mut fresh, |(artifact, _)| artifact.id);
    let mut after = before.clone();
    let mut waiting: Option<Timestamp> = None;
    let mut known: BTreeMap<u64, Run> = BTreeMap::new();
    let all = fresh.len();
    for (number, (artifact, name)) in fresh.into_iter().enumerate() {
        step(number, all);
        if fetched.broken.is_some() {
            fetched.left += 1;
            waiting = earlier(waiting, artifact.created_at);
            continue;
        }
        match one(github, state, &artifact, &name, &mut known, now, dry_run)? {
            Ok(outcome) => {
                after.done.insert(artifact.id);
                fetched.artifacts.push(Looked {
                    id: artifact.id,
                    name: artifact.name,
                    outcome,
                });
            }
            Err(error) => {
                fetched.broken = Some(error);
                fetched.left += 1;
                waiting = earlier(waiting, artifact.created_at);
            }
        }
    }
    if is_whole && let Some(newest) = newest {
        let reached = newest.saturating_sub(OVERLAP).unwrap_or(newest);
        let reached = waiting.map_or(reached, |waiting| reached.min(waiting));
        after.from = Some(after.from.map_or(reached, |from| from.max(reached)));
    }
    if is_whole && let Some(from) = after.from {
        // What was created before is known by its time.
        let is_recent = |id: &u64| created.get(id).is_some_and(|at| *at >= from);
        after.done.retain(is_recent);
    }
    while after.done.len() > MOST_DONE {
        after.done.pop_first();
    }
    if after != before && !dry_run {
        fetched.position = Some(json::text(&after)?);
    }
    Ok(fetched)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn position(state: &StateFolder<'_>) -> Result<Position, StateError> {
    let position = state.cursor(STREAM)?;
    // One that cannot be read costs a longer look, nothing else.
    Ok(position
        .and_then(|text| json::read(&text).ok())
        .unwrap_or_default())
}

/// Looks at one artifact; the inner error means that it has to wait.
fn one(
    github: &GitHub<'_>,
    state: &StateFolder<'_>,
    artifact: &Artifact,
    name: &ArtifactName,
    known: &mut BTreeMap<u64, Run>,
    now: Timestamp,
    dry_run: bool,
) -> Result<Result<Outcome, ForgeError>, StateError> {
    let Some(id) = artifact.workflow_run.as_ref().map(|run| run.id) else {
        return Ok(Ok(Outcome::Refused(
            "GitHub does not say from which run it is".into(),
        )));
    };
    let run = match known.get(&id) {
        Some(run) => run.clone(),
        None => match github.call(&runs::get(&github.repository, id)) {
            Ok(run) => {
                known.insert(id, run.clone());
                run
            }
            Err(ForgeError::Missing { .. }) => {
                return Ok(Ok(Outcome::Refused(format!("run {id} is gone"))));
            }
            Err(error) => return Ok(Err(error)),
        },
    };
    if let Err(words) = is_of(name, &run) {
        return Ok(Ok(Outcome::Refused(words)));
    }
    let archive = match downloaded(github, artifact) {
        Ok(Ok(archive)) => archive,
        Ok(Err(words)) => return Ok(Ok(Outcome::Refused(words))),
        Err(error) => return Ok(Err(error)),
    };
    let expected = Expected {
        repository: Some(run.repository.full_name.clone()),
        run: Some(name.run.clone()),
        attempt: Some(name.attempt),
        // The name has the workflow's job, results have that of the configuration: `exec unit` in a job `test`. Both are the job's own words.
        job: None,
        branch: branch_of(&run),
        now,
    };
    let taken = state.ingest_archive(&artifact.name, archive, &expected, dry_run)?;
    Ok(Ok(Outcome::TakenIn(taken)))
}

/// Downloads an artifact; the inner error says why it cannot be had, the outer one that it has to wait.
pub(super) fn downloaded(
    github: &GitHub<'_>,
    artifact: &Artifact,
) -> Result<Result<Vec<u8>, String>, ForgeError> {
    if artifact.size_in_bytes > LARGEST {
        let words = format!(
            "its {} bytes are more than any job's tests leave",
            artifact.size_in_bytes
        );
        return Ok(Err(words));
    }
    let archive = match github.download(&runs::archive(&github.repository, artifact.id), LARGEST) {
        Ok(archive) => archive,
        Err(error @ (ForgeError::Missing { .. } | ForgeError::Refused { status: 410, .. })) => {
            return Ok(Err(format!("it is gone: {error}")));
        }
        Err(error) => return Err(error),
    };
    let digest = artifact.digest.as_deref();
    if let Some(digest) = digest.and_then(|digest| digest.strip_prefix("sha256:"))
        && Sha::of(&archive).to_string() != digest
    {
        let words = "what was downloaded is not what GitHub says was left";
        return Ok(Err(words.into()));
    }
    Ok(Ok(archive))
}

/// Whether an artifact is from where its name says.
fn is_of(name: &ArtifactName, run: &Run) -> Result<(), String> {
    if name.run != run.id.to_string() {
        return Err(format!(
            "it says that it is of run {}, and it is of run {}",
            name.run, run.id
        ));
    }
    if name.attempt == 0 || name.attempt > run.attempt {
        return Err(format!(
            "it says that it is of attempt {}, and there were {}",
            name.attempt, run.attempt
        ));
    }
    Ok(())
}

/// Returns the branch that events of a run must be about, where a stranger's code could say otherwise.
pub(super) fn branch_of(run: &Run) -> Option<String> {
    let is_fork = run
        .head_repository
        .as_ref()
        .is_none_or(|head| head.id != run.repository.id);
    if !is_fork && !run.event.starts_with("pull_request") {
        return None;
    }
    let branch = run.head_branch.clone().unwrap_or_default();
    match &run.head_repository {
        Some(head) if is_fork => Some(webhook::of_fork(&head.full_name, &branch)),
        Some(_) => Some(branch),
        // The fork is gone, and with it its name.
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_room_in_a_cursor() {
        let done = (0..MOST_DONE as u64).map(|number| 99_999_000_000 - number * 7_777_777);
        let position = Position {
            from: Some("2026-01-05T09:00:00.123456789Z".parse().unwrap()),
            done: done.collect(),
        };
        assert!(serde_json::to_string(&position).unwrap().len() <= 4_096);
    }
}
