//! Keeps what a plan decided in a run of CI, so that what it missed can be told later.

use super::wire::PlanDocument;
use crate::cli::session::Session;
use crate::error::CommandError;
use crate::event::{Origin, plain_name};
use crate::state::v1::{PlanRecord, encode_plan};

/// Stores the plan of a run; a person's plan is nobody's history.
pub(super) fn record(session: &Session<'_>, document: &PlanDocument) -> Result<(), CommandError> {
    let Some(run) = session.var("GITHUB_RUN_ID") else {
        return Ok(());
    };
    let name = |name: &str| plain_name(session.var(name).unwrap_or_default());
    let origin = Origin {
        run: plain_name(run),
        attempt: name("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1).max(1),
        job: name("GITHUB_JOB"),
        commit: document.head.clone(),
        branch: super::trigger::branch(session)
            .map(plain_name)
            .unwrap_or_default(),
    };
    let jobs = |selected: bool| {
        let jobs = document.jobs.iter().filter(|job| job.selected == selected);
        jobs.map(|job| job.id.clone()).collect()
    };
    let mut reasons: Vec<String> = document
        .reasons
        .iter()
        .map(|reason| reason.code.clone())
        .collect();
    crate::order::sort(&mut reasons);
    reasons.dedup();
    let record = PlanRecord {
        base: document.merge_base.clone(),
        enforced: document.enforced,
        event: name("GITHUB_EVENT_NAME"),
        legs: document.legs_of_jobs(),
        files: document.changed_files.len() as u64,
        head: document.head.clone(),
        mode: document.mode.name().to_owned(),
        projects: document
            .projects
            .iter()
            .filter(|project| project.affected)
            .count() as u64,
        reasons,
        selected: jobs(true),
        unselected: jobs(false),
    };
    let event = encode_plan(&record, session.now(), origin);
    let event = event.map_err(CommandError::internal)?;
    session.state()?.save(&[event])?;
    Ok(())
}
