//! Rows out of what GitHub answers.

use jiff::Timestamp;

use super::authors::Authors;
use super::messages;
use super::rows::{Deployment, Incident, Pull, Release, Run};
use crate::forge::api::deployments::{Deployment as Found, Status};
use crate::forge::api::issues::{Issue, TimelineEvent};
use crate::forge::api::pulls::Pull as FoundPull;
use crate::forge::api::releases::Release as FoundRelease;
use crate::forge::api::runs::Run as FoundRun;

/// Makes a row of a pull request and of what happened to it; `hash` hides who wrote it.
pub(crate) fn pull(
    found: &FoundPull,
    timeline: &[TimelineEvent],
    authors: &Authors,
    hash: &dyn Fn(&str) -> String,
) -> Pull {
    let of = |name: &'static str| timeline.iter().filter(move |event| event.event == name);
    let user = found.user.as_ref();
    let (login, kind) = user.map_or(("", ""), |user| (user.login.as_str(), user.kind.as_str()));
    let mut messages = of("committed").filter_map(|event| event.message.as_deref());
    let author_kind = authors.of(login, kind, &mut messages);
    let first_commit = of("committed").filter_map(|event| event.author.as_ref()?.date);
    // A review of one's own is no review.
    let reviews = || of("reviewed").filter(|event| event.user.as_ref() != user);
    let approved = reviews().filter(|event| {
        let state = event.state.as_deref().unwrap_or_default();
        state.eq_ignore_ascii_case("approved")
    });
    let mut reverts = Vec::new();
    let body = found.body.as_deref().unwrap_or_default();
    messages::reverts(&found.title, body, &mut reverts);
    if reverts.is_empty() {
        reverts.extend(messages::reverted_by_branch(&found.head.branch));
    }
    let labels = found.labels.iter().map(|label| label.name.clone());
    let labels: Vec<String> = labels.collect();
    let hotfix = messages::is_hotfix(&found.head.branch)
        || messages::is_hotfix(&found.title)
        || labels.iter().any(|label| messages::is_hotfix(label));
    let state = match found.merged_at {
        Some(_) => "merged",
        None => found.state.as_str(),
    };
    Pull {
        number: found.number,
        url: found.html_url.clone(),
        state: state.to_owned(),
        draft: found.draft,
        created: found.created_at,
        ready: of("ready_for_review")
            .filter_map(|event| event.created_at)
            .max(),
        first_commit: first_commit.min(),
        merged: found.merged_at,
        closed: found.closed_at,
        merge_sha: found.merge_commit_sha.clone().unwrap_or_default(),
        head_sha: found.head.sha.clone(),
        base: found.base.branch.clone(),
        author_kind,
        author_hash: hash(login),
        labels,
        additions: found.additions,
        deletions: found.deletions,
        files: found.changed_files,
        commits: found.commits,
        first_review: reviews().filter_map(|event| event.submitted_at).min(),
        approved: approved.filter_map(|event| event.submitted_at).min(),
        reverts,
        hotfix,
        paths: Vec::new(),
        form: String::new(),
    }
}

/// Makes a row of a deployment and its statuses.
pub(crate) fn deployment(found: &Found, statuses: &[Status], url: String) -> Deployment {
    let last = statuses
        .iter()
        .max_by_key(|status| (status.created_at, status.id));
    let first = |states: &[&str]| {
        let of = statuses
            .iter()
            .filter(|status| states.contains(&status.state.as_str()));
        of.map(|status| status.created_at).min()
    };
    let success = first(&["success"]);
    // What failed before it succeeded was tried again.
    let failed = statuses.iter().filter(|status| {
        ["failure", "error"].contains(&status.state.as_str())
            && success.is_none_or(|success| status.created_at > success)
    });
    Deployment {
        id: found.id,
        url,
        sha: found.sha.clone(),
        environment: found.environment.clone(),
        production: found.production_environment == Some(true),
        created: found.created_at,
        status: last.map_or(String::new(), |status| status.state.clone()),
        first_success: success,
        failed_at: failed.map(|status| status.created_at).min(),
    }
}

/// Makes a row of an attempt of a run.
pub(crate) fn run(found: &FoundRun) -> Run {
    let file = found.path.rsplit('/').next().unwrap_or_default();
    let name = found.name.as_deref().unwrap_or_default();
    Run {
        id: found.id,
        attempt: u64::from(found.attempt),
        url: found.html_url.clone(),
        workflow: format!("{name} ({file})"),
        event: found.event.clone(),
        branch: found.head_branch.clone().unwrap_or_default(),
        sha: found.head_sha.clone(),
        created: found.created_at,
        started: found.started_at,
        updated: found.updated_at,
        conclusion: found.conclusion.clone().unwrap_or_default(),
    }
}

/// Makes a row of a release; its commit is that of its tag, which git knows.
pub(crate) fn release(found: &FoundRelease) -> Release {
    let target = &found.target_commitish;
    let is_id = target.len() == 40 && target.bytes().all(|byte| byte.is_ascii_hexdigit());
    Release {
        id: found.id,
        url: found.html_url.clone(),
        tag: found.tag_name.clone(),
        sha: if is_id { target.clone() } else { String::new() },
        published: found.published_at,
        prerelease: found.prerelease,
        draft: found.draft,
    }
}

/// Makes a row of an issue that tells of an incident. It may name a deployment or a commit in a line of its own, as `Deployment: 12` and
/// `Commit: ID`.
pub(crate) fn incident(found: &Issue) -> Incident {
    let body = found.body.as_deref().unwrap_or_default();
    let named = |names: [&str; 2]| {
        body.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim().trim_start_matches(['-', '*', ' ']);
            let is_it = names.iter().any(|known| name.eq_ignore_ascii_case(known));
            is_it.then(|| value.trim().trim_matches('`').to_owned())
        })
    };
    let deployment = named(["deployment", "deployment id"]).and_then(|text| {
        let last = text.rsplit('/').next().unwrap_or_default();
        last.trim_start_matches('#').parse().ok()
    });
    let sha = named(["commit", "root cause"]).unwrap_or_default();
    let is_id = [40, 64].contains(&sha.len()) && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    Incident {
        id: found.number,
        url: found.html_url.clone(),
        opened: found.created_at,
        closed: found.closed_at,
        deployment,
        sha: if is_id { sha } else { String::new() },
    }
}

/// Returns the time that a release tells of.
pub(crate) fn released_at(found: &FoundRelease) -> Timestamp {
    found.published_at.unwrap_or(found.created_at)
}
