//! What the stored state says about earlier runs of the jobs.

use std::io::Read;

use crate::cli::session::Session;
use crate::json;
use crate::plan::past::{Earlier, Past, Ran};
use crate::state::StateFolder;
use crate::state::v1::{self, LineProblem, PLAN, StoredEvent, TEST_RUN};

/// Where it is kept: a year of runs takes as long to read as ten plans.
const FILE: &str = "cache/past";

/// Another way of learning is another version.
const VERSION: &str = concat!("maestro past 1 ", env!("CARGO_PKG_VERSION"));

/// Returns it; nothing of what cannot be read. It orders jobs and saves a question to GitHub, and is no reason to fail.
pub(super) fn load(session: &Session<'_>) -> Past {
    let Ok(state) = session.state() else {
        return Past::default();
    };
    let fetched = state.fetched_commit(&session.settings.remote.value);
    let Some(commit) = fetched.ok().flatten() else {
        return read(&state, None);
    };
    let head = format!("{VERSION} {commit}\n");
    let path = state.root().join(FILE);
    let files = session.world.files.as_ref();
    let mut kept = String::new();
    let was_read = files
        .open(&path)
        .and_then(|mut file| file.read_to_string(&mut kept));
    if was_read.is_ok()
        && let Some(past) = kept.strip_prefix(&head)
        && let Ok(past) = json::read(past)
    {
        return past;
    }
    let past = read(&state, Some(&commit));
    if let Ok(text) = json::text(&past)
        && path
            .parent()
            .is_some_and(|folder| files.create_folder(folder).is_ok())
    {
        let text = format!("{head}{text}");
        // What was learnt is learnt again if it cannot be kept.
        let _learnt_again = files.write_atomic(&path, &mut |out| out.write_all(text.as_bytes()));
    }
    past
}

fn read(state: &StateFolder<'_>, commit: Option<&str>) -> Past {
    let (mut ran, mut plans) = (Vec::new(), Vec::new());
    let mut take = |event: &StoredEvent<'_>| learn(event, &mut ran, &mut plans);
    let wanted = |kind: &str| [PLAN, TEST_RUN].contains(&kind);
    let read = match commit {
        Some(commit) => state.read_at(commit, &wanted, &mut take),
        None => state.read(&|kind, _| wanted(kind), &mut take),
    };
    match read {
        Ok(_) => Past::new(&ran, &plans),
        Err(_) => Past::default(),
    }
}

fn learn(
    event: &StoredEvent<'_>,
    ran: &mut Vec<Ran>,
    plans: &mut Vec<Earlier>,
) -> Result<(), LineProblem> {
    let origin = &event.origin;
    if event.kind == TEST_RUN {
        ran.push(Ran {
            at: event.at,
            run: origin.run.clone(),
            attempt: origin.attempt,
            job: origin.job.clone(),
            leg: v1::head_of_run(event)?.leg,
            failed: v1::has_failed(event)?,
        });
        return Ok(());
    }
    let record = v1::decode_plan(event)?;
    plans.push(Earlier {
        at: event.at,
        run: origin.run.clone(),
        event: record.event,
        branch: origin.branch.clone(),
        head: record.head,
        legs: record.legs,
    });
    Ok(())
}
