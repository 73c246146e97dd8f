//! What tests are expected to take, by what is stored.

use crate::cli::session::Session;
use crate::cli::state::warn_of_damage;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::history::HistoryBuilder;
use crate::flakes::timing::{Expected, Timings};
use crate::plan::jobs::Job;
use crate::state::StateError;
use crate::state::v1::{self, StoredEvent, TEST_LIST, TEST_TIMING};

/// `shards: auto` aims at so many minutes.
const MINUTES: f64 = 5.0;

/// And makes no more shards of a job.
const MOST_AUTO: u32 = 16;

/// So many where no time is known.
const UNKNOWN: u32 = 4;

/// A fetch that says nothing for so long is given up.
const FETCH_SECONDS: u64 = 60;

/// Returns what is expected of a job's tests, by all that is stored here or by one commit of the state branch.
pub(crate) fn expected(
    session: &mut Session<'_>,
    job: Option<&str>,
    commit: Option<&str>,
) -> Result<Expected, CommandError> {
    let mut builder = HistoryBuilder::default();
    let mut timings = Timings::default();
    let mut take = |event: &StoredEvent<'_>| match event.kind.as_ref() {
        TEST_LIST => v1::decode(event, &mut builder),
        _ => v1::decode_timing(event).map(|timing| timings.add(timing)),
    };
    let wanted = |kind: &str| [TEST_LIST, TEST_TIMING].contains(&kind);
    let survey = match commit {
        Some("") => return Ok(Expected::default()),
        Some(commit) => {
            let state = session.state()?;
            if !is_id(commit) {
                let message = format!("`{commit}` is no commit of the state branch");
                return Err(CommandError::message(ErrorKind::Usage, message).hint(
                    "give the output `state` of `maestro plan`, 40 hexadecimal digits or more",
                ));
            }
            if !state.has_commit(commit) && !fetch(session, commit)? {
                let message = format!("the state branch's commit `{commit}` is not there any more");
                return Err(CommandError::message(ErrorKind::NotFound, message).hint(
                    "the branch has been compacted since the plan: run the whole workflow again",
                ));
            }
            state.read_at(commit, &wanted, &mut take)?
        }
        None => session.state()?.read(&|kind, _| wanted(kind), &mut take)?,
    };
    if let Some(newer) = survey.newer() {
        return Err(newer.into());
    }
    warn_of_damage(session, &survey);
    Ok(builder.expect(timings, job))
}

fn is_id(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn fetch(session: &Session<'_>, commit: &str) -> Result<bool, CommandError> {
    let fetched = session.remote(None, FETCH_SECONDS)?.fetch_commit(commit);
    match fetched {
        Ok(found) => Ok(found && session.state()?.has_commit(commit)),
        // What a server does not want to hand out is gone; one that cannot be reached may still have it.
        Err(StateError::Git(error)) if is_refused(&error.to_string()) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a server says that it has no such commit, or none that it hands out (`upload-pack.c` of git).
fn is_refused(words: &str) -> bool {
    [
        "not our ref",
        "unadvertised object",
        "couldn't find remote ref",
    ]
    .iter()
    .any(|said| words.contains(said))
}

/// Returns the commit of the state branch that was fetched, for the shards of a plan; none where nothing was.
pub(crate) fn now(session: &Session<'_>) -> Option<String> {
    let state = session.state().ok()?;
    state.fetched_commit(&session.settings.remote.value).ok()?
}

/// Returns how many shards a job gets by `auto`: as many as bring each to about five minutes.
fn shards_for(expected: &Expected) -> u32 {
    let total: f64 = expected.tests.values().sum();
    if total <= 0.0 || !expected.is_own {
        return UNKNOWN;
    }
    let minutes = total / 60_000.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and is not negative"
    )]
    let shards = (minutes / MINUTES).ceil() as u32;
    shards.clamp(1, MOST_AUTO)
}

/// Puts the number of shards into jobs that ask for as many as they need.
pub(in crate::cli::plan) fn fill_auto(session: &mut Session<'_>, jobs: &mut [Job]) {
    for job in jobs.iter_mut().filter(|job| job.auto_shards) {
        let found = expected(session, Some(&job.id), None);
        job.shards = Some(found.map_or(UNKNOWN, |expected| shards_for(&expected)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(minutes: f64) -> u32 {
        let key = ("s".to_owned(), "t".to_owned());
        shards_for(&Expected {
            tests: [(key, minutes * 60_000.0)].into(),
            is_own: true,
        })
    }

    #[test]
    fn a_shard_takes_about_five_minutes() {
        assert_eq!(
            [0.0, 0.1, 5.0, 5.1, 34.0, 1e9].map(shards),
            [4, 1, 1, 2, 7, 16]
        );
    }
}
