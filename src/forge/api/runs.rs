//! Workflow runs, their attempts, jobs and artifacts.

use jiff::Timestamp;
use serde::Deserialize;

use super::{User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Need};

const READ: Need = Need::read("actions");

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) workflow_id: u64,
    /// The file of the workflow.
    #[serde(default)]
    pub(crate) path: String,
    /// What started it, as `pull_request`.
    pub(crate) event: String,
    /// `queued`, `in_progress`, `completed` and others.
    pub(crate) status: Option<String>,
    pub(crate) conclusion: Option<String>,
    /// Which try it is at, from 1.
    #[serde(default = "first", rename = "run_attempt")]
    pub(crate) attempt: u32,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_sha: String,
    pub(crate) created_at: Timestamp,
    /// When this attempt began.
    #[serde(rename = "run_started_at")]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    pub(crate) actor: Option<User>,
    pub(crate) repository: RunRepository,
    /// None when the fork is gone.
    pub(crate) head_repository: Option<RunRepository>,
    pub(crate) html_url: String,
}

fn first() -> u32 {
    1
}

/// A repository that a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RunRepository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
}

/// Which runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) branch: Option<&'a str>,
    pub(crate) event: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    pub(crate) head_sha: Option<&'a str>,
    /// From when to when they were created.
    pub(crate) created: Option<(Timestamp, Timestamp)>,
}

/// Runs, newest first; GitHub hands out a thousand at most for one filter.
pub(crate) fn list(repository: &RepoName, filter: &Filter<'_>) -> Listing<Run> {
    let request = about(
        Method::Get,
        repository,
        "/actions/runs",
        "list the workflow runs",
        READ,
    );
    let created = filter.created.map(|(from, to)| {
        let whole = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        format!("{}..{}", whole(from), whole(to))
    });
    let request = request
        .maybe("branch", filter.branch)
        .maybe("event", filter.event)
        .maybe("status", filter.status)
        .maybe("head_sha", filter.head_sha)
        .maybe("created", created);
    Listing::new(request, Some("workflow_runs"))
}

/// One run, at its last attempt.
pub(crate) fn get(repository: &RepoName, id: u64) -> Call<Run> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/actions/runs/{id}"),
        &format!("read run {id}"),
        READ,
    ))
}

/// One attempt of a run.
pub(crate) fn attempt(repository: &RepoName, id: u64, attempt: u32) -> Call<Run> {
    let rest = format!("/actions/runs/{id}/attempts/{attempt}");
    Call::new(about(
        Method::Get,
        repository,
        &rest,
        &format!("read attempt {attempt} of run {id}"),
        READ,
    ))
}

/// A job of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) run_id: u64,
    /// Some servers leave it out.
    pub(crate) run_attempt: Option<u32>,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    /// Not sent by older enterprise servers.
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    pub(crate) runner_name: Option<String>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    pub(crate) html_url: Option<String>,
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
}

/// The jobs of one attempt of a run.
pub(crate) fn jobs(repository: &RepoName, id: u64, attempt: u32) -> Listing<Job> {
    let rest = format!("/actions/runs/{id}/attempts/{attempt}/jobs");
    Listing::new(
        about(
            Method::Get,
            repository,
            &rest,
            &format!("list the jobs of run {id}"),
            READ,
        ),
        Some("jobs"),
    )
}

/// The jobs of every attempt of a run.
pub(crate) fn every_job(repository: &RepoName, id: u64) -> Listing<Job> {
    let request = about(
        Method::Get,
        repository,
        &format!("/actions/runs/{id}/jobs"),
        &format!("list the jobs of run {id}"),
        READ,
    );
    Listing::new(request.query("filter", "all"), Some("jobs"))
}

/// A file that a job left.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Artifact {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) size_in_bytes: u64,
    #[serde(default)]
    pub(crate) expired: bool,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) workflow_run: Option<ArtifactRun>,
    /// `sha256:` and the digest of the archive.
    pub(crate) digest: Option<String>,
}

/// The run that an artifact is from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ArtifactRun {
    #[serde(default)]
    pub(crate) id: u64,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_sha: Option<String>,
    pub(crate) repository_id: Option<u64>,
    pub(crate) head_repository_id: Option<u64>,
}

/// All artifacts of a repository, newest first.
pub(crate) fn artifacts(repository: &RepoName) -> Listing<Artifact> {
    Listing::new(
        about(
            Method::Get,
            repository,
            "/actions/artifacts",
            "list the artifacts",
            READ,
        ),
        Some("artifacts"),
    )
}

/// The artifacts of one run.
pub(crate) fn artifacts_of(repository: &RepoName, run: u64) -> Listing<Artifact> {
    let rest = format!("/actions/runs/{run}/artifacts");
    Listing::new(
        about(
            Method::Get,
            repository,
            &rest,
            &format!("list the artifacts of run {run}"),
            READ,
        ),
        Some("artifacts"),
    )
}

/// The archive of an artifact; the answer leads to where it lies.
pub(crate) fn archive(repository: &RepoName, artifact: u64) -> crate::forge::request::Request {
    about(
        Method::Get,
        repository,
        &format!("/actions/artifacts/{artifact}/zip"),
        &format!("download artifact {artifact}"),
        READ,
    )
}
