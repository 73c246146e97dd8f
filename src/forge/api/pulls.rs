//! Pull requests, their files, commits and reviews.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Label, User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Need};

const READ: Need = Need::read("pull-requests");
const WRITE: Need = Need::write("pull-requests");

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Pull {
    pub(crate) id: u64,
    pub(crate) number: u64,
    /// `open` or `closed`.
    pub(crate) state: String,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) draft: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) merged_at: Option<Timestamp>,
    pub(crate) merge_commit_sha: Option<String>,
    pub(crate) head: Side,
    pub(crate) base: Side,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    pub(crate) html_url: String,
    /// Sizes are told of one pull request, and not in lists.
    #[serde(default)]
    pub(crate) additions: u64,
    #[serde(default)]
    pub(crate) deletions: u64,
    #[serde(default)]
    pub(crate) changed_files: u64,
    /// How many it has; lists do not say.
    #[serde(default)]
    pub(crate) commits: u64,
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Side {
    /// `owner:branch`.
    pub(crate) label: Option<String>,
    #[serde(rename = "ref")]
    pub(crate) branch: String,
    pub(crate) sha: String,
    /// None when the fork is gone.
    pub(crate) repo: Option<SideRepository>,
}

/// The repository of one end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SideRepository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
}

/// Pull requests, the last to change first: whoever looks for what is new can stop early.
pub(crate) fn list(repository: &RepoName, state: &str) -> Listing<Pull> {
    let request = about(
        Method::Get,
        repository,
        "/pulls",
        "list the pull requests",
        READ,
    );
    let request = request
        .query("state", state)
        .query("sort", "updated")
        .query("direction", "desc");
    Listing::new(request, None)
}

/// The pull requests of a branch that are `open`, `closed`, or `all` of them, newest first.
pub(crate) fn of_branch(
    repository: &RepoName,
    owner: &str,
    branch: &str,
    state: &str,
) -> Listing<Pull> {
    let request = about(
        Method::Get,
        repository,
        "/pulls",
        "list the pull requests",
        READ,
    );
    Listing::new(
        request
            .query("state", state)
            .query("head", format!("{owner}:{branch}")),
        None,
    )
}

/// One pull request.
pub(crate) fn get(repository: &RepoName, number: u64) -> Call<Pull> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/pulls/{number}"),
        &format!("read pull request {number}"),
        READ,
    ))
}

/// What a new pull request is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPull<'a> {
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
    pub(crate) head: &'a str,
    pub(crate) base: &'a str,
    pub(crate) is_draft: bool,
}

/// Opens a pull request.
pub(crate) fn create(repository: &RepoName, new: NewPull<'_>) -> Call<Pull> {
    let request = about(
        Method::Post,
        repository,
        "/pulls",
        "open a pull request",
        WRITE,
    );
    Call::new(request.body(json!({ "title": new.title, "body": new.body, "head": new.head, "base": new.base, "draft": new.is_draft })))
}

/// Changes title and text.
pub(crate) fn update(repository: &RepoName, number: u64, title: &str, body: &str) -> Call<Pull> {
    let request = about(
        Method::Patch,
        repository,
        &format!("/pulls/{number}"),
        &format!("change pull request {number}"),
        WRITE,
    );
    Call::new(request.body(json!({ "title": title, "body": body })))
}

/// A file that a pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct File {
    pub(crate) filename: String,
    /// `added`, `removed`, `modified`, `renamed`, `copied`, `changed` or `unchanged`.
    pub(crate) status: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) previous_filename: Option<String>,
    /// None for binary files and large changes.
    pub(crate) patch: Option<String>,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) user: Option<User>,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub(crate) state: String,
    /// None while it is pending.
    pub(crate) submitted_at: Option<Timestamp>,
    pub(crate) commit_id: Option<String>,
    /// How the reviewer stands to the repository.
    pub(crate) author_association: Option<String>,
}

/// Its reviews, oldest first.
pub(crate) fn reviews(repository: &RepoName, number: u64) -> Listing<Review> {
    Listing::new(
        about(
            Method::Get,
            repository,
            &format!("/pulls/{number}/reviews"),
            &format!("list the reviews of pull request {number}"),
            READ,
        ),
        None,
    )
}
