//! Deployments and what became of them.

use jiff::Timestamp;
use serde::Deserialize;

use super::{User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Listing, Method, Need};

const READ: Need = Need::read("deployments");

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) sha: String,
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) task: String,
    pub(crate) environment: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) creator: Option<User>,
    pub(crate) production_environment: Option<bool>,
    /// Where the API has it.
    #[serde(default)]
    pub(crate) url: String,
}

/// Deployments, newest first.
pub(crate) fn list(repository: &RepoName, environment: Option<&str>) -> Listing<Deployment> {
    let request = about(
        Method::Get,
        repository,
        "/deployments",
        "list the deployments",
        READ,
    );
    Listing::new(request.maybe("environment", environment), None)
}

/// What became of a deployment, at one time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: u64,
    /// `error`, `failure`, `inactive`, `pending`, `success`, `queued` or `in_progress`.
    pub(crate) state: String,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) environment: String,
}

/// Its statuses, newest first.
pub(crate) fn statuses(repository: &RepoName, deployment: u64) -> Listing<Status> {
    let rest = format!("/deployments/{deployment}/statuses");
    Listing::new(
        about(
            Method::Get,
            repository,
            &rest,
            &format!("list the statuses of deployment {deployment}"),
            READ,
        ),
        None,
    )
}
