//! What a run of CI says of itself in its environment (docs.github.com, "Default environment variables"), or a machine of its checkout.

use jiff::Timestamp;

use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::config::Origin;
use crate::error::{CommandError, ErrorKind};
use crate::provenance::facts::{Base, Run};

/// Reads it.
pub(super) fn run(session: &mut Session<'_>) -> Run {
    let own = |name: &str| session.var(name).unwrap_or_default();
    let is_github = own("GITHUB_ACTIONS") == "true";
    let github = |name: &str| if is_github { own(name) } else { String::new() };
    let mut run = Run {
        server: github("GITHUB_SERVER_URL"),
        repository: github("GITHUB_REPOSITORY"),
        repository_id: github("GITHUB_REPOSITORY_ID"),
        owner_id: github("GITHUB_REPOSITORY_OWNER_ID"),
        id: session
            .var("MAESTRO_RUN")
            .unwrap_or_else(|| github("GITHUB_RUN_ID")),
        attempt: github("GITHUB_RUN_ATTEMPT").parse().unwrap_or(1).max(1),
        job: github("GITHUB_JOB"),
        event: github("GITHUB_EVENT_NAME"),
        workflow_ref: github("GITHUB_WORKFLOW_REF"),
        workflow_commit: github("GITHUB_WORKFLOW_SHA"),
        actor: github("GITHUB_ACTOR"),
        actor_id: github("GITHUB_ACTOR_ID"),
        triggering_actor: github("GITHUB_TRIGGERING_ACTOR"),
        commit: github("GITHUB_SHA"),
        reference: github("GITHUB_REF"),
        branch: github("GITHUB_REF_NAME"),
        runner_environment: github("RUNNER_ENVIRONMENT"),
        runner_os: github("RUNNER_OS"),
        runner_arch: github("RUNNER_ARCH"),
        ..Run::default()
    };
    if is_github {
        change(session, &mut run);
    }
    checkout(session, &mut run);
    if run.head.is_empty() {
        run.head.clone_from(&run.commit);
    }
    run
}

/// Adds what the event says about the change.
fn change(session: &Session<'_>, run: &mut Run) {
    let Some(payload) = payload(session) else {
        return;
    };
    if let Some(branch) = payload.branch() {
        run.branch = branch;
    }
    let is_commit = |id: &String| id.chars().any(|digit| digit != '0');
    if let Some(pull) = payload.pull_request {
        run.head = pull.head.sha;
        run.base = Some(Base {
            branch: pull.base.branch,
            commit: pull.base.sha,
        });
    } else if let Some(group) = payload.merge_group {
        run.head = group.head_sha;
        run.base = Some(Base {
            branch: group.base_ref,
            commit: group.base_sha,
        });
    } else if let Some(before) = payload.before.filter(is_commit) {
        run.head = payload.after.filter(is_commit).unwrap_or_default();
        run.base = Some(Base {
            branch: run.branch.clone(),
            commit: before,
        });
    }
}

/// Adds what is checked out: that is what was built, whatever the event says.
fn checkout(session: &mut Session<'_>, run: &mut Run) {
    if session.checkout.is_err() {
        return;
    }
    let git = session.world.git.as_ref();
    let Ok(head) = git.head(&session.base) else {
        return;
    };
    run.is_changed = git.has_changes(&session.base).unwrap_or(true);
    let said = std::mem::take(&mut run.commit);
    run.commit = head.commit.unwrap_or_else(|| said.clone());
    if !run.is_github() {
        run.branch = head.branch.unwrap_or_default();
    } else if said != run.commit {
        // The ref of the event is not where this commit is from.
        run.reference = String::new();
        session.ui.warn(&format!(
            "GITHUB_SHA is {said}, and {} is checked out: that is what the statements are about",
            run.commit
        ));
    }
}

/// Returns the time that is written into statements (reproducible-builds.org, "SOURCE_DATE_EPOCH").
pub(super) fn time(session: &Session<'_>) -> Result<Timestamp, CommandError> {
    let is_asked = matches!(session.settings.now.origin, Origin::Flag(_));
    let Some(text) = session.var("SOURCE_DATE_EPOCH").filter(|_| !is_asked) else {
        // Whole seconds: what every reader of these formats takes.
        let now = session.now();
        return Ok(Timestamp::from_second(now.as_second()).unwrap_or(now));
    };
    let seconds = text.parse::<i64>().ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| {
        let message = format!("SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds");
        CommandError::message(ErrorKind::BadConfig, message)
            .hint("set it to seconds since 1970, for example `git log -1 --format=%ct`")
    })
}
