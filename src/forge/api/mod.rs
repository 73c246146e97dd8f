//! What GitHub's REST API is asked, one file a part of it: the requests, and of the answers the fields that are used.
//!
//! A field that GitHub's description does not promise, or calls nullable, is optional here.

pub(crate) mod account;
pub(crate) mod commits;
pub(crate) mod contents;
pub(crate) mod deployments;
pub(crate) mod git;
pub(crate) mod issues;
pub(crate) mod pulls;
pub(crate) mod releases;
pub(crate) mod runs;
pub(crate) mod settings;

use serde::Deserialize;

use super::repository::RepoName;
use super::request::{Method, Need, Request};

/// An account that did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) login: String,
    /// `User`, `Bot` or `Organization`.
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Label {
    pub(crate) name: String,
}

/// An answer without a body, or with one that nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "serde::de::IgnoredAny")]
pub(crate) struct Nothing;

impl From<serde::de::IgnoredAny> for Nothing {
    fn from(_: serde::de::IgnoredAny) -> Self {
        Self
    }
}

/// Begins a request about a repository.
fn about(method: Method, repository: &RepoName, rest: &str, purpose: &str, need: Need) -> Request {
    Request::new(
        method,
        repository.path() + rest,
        format!("{purpose} of {repository}"),
        need,
    )
}
