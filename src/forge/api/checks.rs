//! Check runs and commit statuses.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::about;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Need, escape};

/// A check run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) head_sha: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) external_id: Option<String>,
}

/// The check runs of a commit.
pub(crate) fn of_commit(repository: &RepoName, sha: &str) -> Listing<CheckRun> {
    let rest = format!("/commits/{}/check-runs", escape(sha));
    Listing::new(
        about(
            Method::Get,
            repository,
            &rest,
            &format!("list the checks of {sha}"),
            Need::read("checks"),
        ),
        Some("check_runs"),
    )
}

/// A finished check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished<'a> {
    pub(crate) name: &'a str,
    pub(crate) head_sha: &'a str,
    /// `success`, `failure`, `neutral`, `cancelled`, `skipped`, `timed_out` or `action_required`.
    pub(crate) conclusion: &'a str,
    pub(crate) title: &'a str,
    /// GitHub takes 65,535 characters at most.
    pub(crate) summary: &'a str,
}

/// Adds a finished check to a commit.
pub(crate) fn create(repository: &RepoName, check: Finished<'_>) -> Call<CheckRun> {
    let request = about(
        Method::Post,
        repository,
        "/check-runs",
        &format!("add the check {}", check.name),
        Need::write("checks"),
    );
    Call::new(request.body(json!({
        "name": check.name, "head_sha": check.head_sha, "status": "completed", "conclusion": check.conclusion,
        "output": { "title": check.title, "summary": check.summary },
    })))
}

/// Changes a finished check.
pub(crate) fn update(repository: &RepoName, id: u64, check: Finished<'_>) -> Call<CheckRun> {
    let request = about(
        Method::Patch,
        repository,
        &format!("/check-runs/{id}"),
        &format!("change the check {}", check.name),
        Need::write("checks"),
    );
    Call::new(request.body(json!({
        "status": "completed", "conclusion": check.conclusion,
        "output": { "title": check.title, "summary": check.summary },
    })))
}

/// What the statuses of a commit come to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Combined {
    /// `failure`, `pending` or `success`.
    pub(crate) state: String,
    pub(crate) total_count: u64,
    pub(crate) statuses: Vec<CommitStatus>,
}

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct CommitStatus {
    pub(crate) context: String,
    pub(crate) state: String,
}

/// The statuses of a commit.
pub(crate) fn combined(repository: &RepoName, sha: &str) -> Call<Combined> {
    let rest = format!("/commits/{}/status", escape(sha));
    Call::new(about(
        Method::Get,
        repository,
        &rest,
        &format!("read the statuses of {sha}"),
        Need::read("statuses"),
    ))
}
