//! Releases and tags.

use jiff::Timestamp;
use serde::Deserialize;

use super::about;
use crate::forge::repository::RepoName;
use crate::forge::request::{Listing, Method, Need};

const READ: Need = Need::read("contents");

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) tag_name: String,
    pub(crate) target_commitish: String,
    pub(crate) name: Option<String>,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) published_at: Option<Timestamp>,
    pub(crate) html_url: String,
}

/// Releases, newest first.
pub(crate) fn list(repository: &RepoName) -> Listing<Release> {
    Listing::new(
        about(
            Method::Get,
            repository,
            "/releases",
            "list the releases",
            READ,
        ),
        None,
    )
}
