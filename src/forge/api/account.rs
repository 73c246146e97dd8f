//! Who the token is, and what is left of its limit.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Method, Need, Request, escape};

/// Any token may.
const ANYBODY: Need = Need::read("");

/// The account of a personal token.
pub(crate) fn me() -> Call<User> {
    Call::new(Request::new(
        Method::Get,
        "/user".into(),
        "ask whose token it is".into(),
        ANYBODY,
    ))
}

/// An account by its name; that of an app is `slug[bot]`.
pub(crate) fn user(login: &str) -> Call<User> {
    let path = format!("/users/{}", escape(login));
    Call::new(Request::new(
        Method::Get,
        path,
        format!("look up the account {login}"),
        ANYBODY,
    ))
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct App {
    pub(crate) slug: Option<String>,
}

/// The app whose key signed the token.
pub(crate) fn app() -> Call<App> {
    Call::new(Request::new(
        Method::Get,
        "/app".into(),
        "ask which app it is".into(),
        ANYBODY,
    ))
}

/// Where an app is installed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Installation {
    pub(crate) id: u64,
}

/// The installation of an app on a repository.
pub(crate) fn installation(repository: &RepoName) -> Call<Installation> {
    Call::new(about(
        Method::Get,
        repository,
        "/installation",
        "find the app's installation",
        ANYBODY,
    ))
}

/// A token of an installation.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct InstallationToken {
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

impl std::fmt::Debug for InstallationToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InstallationToken(until {})", self.expires_at)
    }
}

/// Makes a token for one repository. One more does no harm, but it is a POST, and not repeated when it may have been heard.
pub(crate) fn installation_token(
    installation: u64,
    repository: &RepoName,
) -> Call<InstallationToken> {
    let path = format!("/app/installations/{installation}/access_tokens");
    let request = Request::new(
        Method::Post,
        path,
        "get a token for the app's installation".into(),
        ANYBODY,
    );
    Call::new(request.body(json!({ "repositories": [repository.name] })))
}

/// What is left of the limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RateLimit {
    pub(crate) resources: Resources,
}

/// The limits that are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Resources {
    pub(crate) core: Rate,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Rate {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Seconds since 1970.
    pub(crate) reset: i64,
}

/// Asking this costs nothing of it.
pub(crate) fn rate_limit() -> Call<RateLimit> {
    Call::new(Request::new(
        Method::Get,
        "/rate_limit".into(),
        "ask what is left of the rate limit".into(),
        ANYBODY,
    ))
}

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
    pub(crate) default_branch: String,
    #[serde(default)]
    pub(crate) private: bool,
    #[serde(default)]
    pub(crate) archived: bool,
    /// What the token may do there; none where GitHub does not say.
    #[serde(default)]
    pub(crate) permissions: Option<Rights>,
}

/// What somebody may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Rights {
    #[serde(default)]
    pub(crate) push: bool,
}

/// What workflows may do with the token that they are given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct WorkflowPermissions {
    #[serde(default)]
    pub(crate) can_approve_pull_request_reviews: bool,
}

/// What workflows may do; only those may ask who may administer the repository.
pub(crate) fn workflow_permissions(repository: &RepoName) -> Call<WorkflowPermissions> {
    Call::new(about(
        Method::Get,
        repository,
        "/actions/permissions/workflow",
        "read what workflows may do",
        Need::read("administration"),
    ))
}

/// A repository.
pub(crate) fn repository(repository: &RepoName) -> Call<Repository> {
    Call::new(about(
        Method::Get,
        repository,
        "",
        "read the settings",
        Need::read("metadata"),
    ))
}

/// Whether somebody is in a team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Membership {
    /// `active` or `pending`.
    pub(crate) state: String,
    pub(crate) role: String,
}

/// Somebody's membership of a team.
pub(crate) fn membership(organisation: &str, team: &str, login: &str) -> Call<Membership> {
    let path = format!(
        "/orgs/{}/teams/{}/memberships/{}",
        escape(organisation),
        escape(team),
        escape(login)
    );
    Call::new(Request::new(
        Method::Get,
        path,
        format!("ask whether {login} is in {organisation}/{team}"),
        Need::read("members"),
    ))
}
