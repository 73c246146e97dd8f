//! Issues, comments and the timeline. A pull request is an issue too.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Label, Nothing, User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Need};

const READ: Need = Need::read("issues");
const WRITE: Need = Need::write("issues");

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) number: u64,
    /// `open` or `closed`.
    pub(crate) state: String,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    /// There where it is a pull request.
    pub(crate) pull_request: Option<Nothing>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) html_url: String,
    /// How its author stands to the repository, as `MEMBER`.
    pub(crate) author_association: Option<String>,
}

/// Issues with a label, open and closed, oldest first.
pub(crate) fn labelled(repository: &RepoName, label: &str) -> Listing<Issue> {
    let request = about(Method::Get, repository, "/issues", "list the issues", READ);
    let request = request.query("labels", label).query("state", "all");
    Listing::new(
        request.query("sort", "created").query("direction", "asc"),
        None,
    )
}

/// Issues and pull requests that changed since a time, the first to change first.
pub(crate) fn changed(repository: &RepoName, since: Timestamp) -> Listing<Issue> {
    let request = about(
        Method::Get,
        repository,
        "/issues",
        "list what changed",
        READ,
    );
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
    let request = request.query("state", "all").query("since", since);
    Listing::new(
        request.query("sort", "updated").query("direction", "asc"),
        None,
    )
}

/// One issue.
pub(crate) fn get(repository: &RepoName, number: u64) -> Call<Issue> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/issues/{number}"),
        &format!("read issue {number}"),
        READ,
    ))
}

/// Opens an issue.
pub(crate) fn create(
    repository: &RepoName,
    title: &str,
    body: &str,
    labels: &[&str],
) -> Call<Issue> {
    let request = about(Method::Post, repository, "/issues", "open an issue", WRITE);
    Call::new(request.body(json!({ "title": title, "body": body, "labels": labels })))
}

/// What changes about an issue.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
    /// `open` or `closed`.
    pub(crate) state: Option<&'a str>,
    /// `completed`, `not_planned` or `reopened`.
    pub(crate) reason: Option<&'a str>,
}

/// Changes an issue.
pub(crate) fn update(repository: &RepoName, number: u64, change: Change<'_>) -> Call<Issue> {
    let request = about(
        Method::Patch,
        repository,
        &format!("/issues/{number}"),
        &format!("change issue {number}"),
        WRITE,
    );
    let mut body = serde_json::Map::new();
    for (name, value) in [
        ("title", change.title),
        ("body", change.body),
        ("state", change.state),
        ("state_reason", change.reason),
    ] {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    Call::new(request.body(serde_json::Value::Object(body)))
}

/// Adds labels.
pub(crate) fn add_labels(repository: &RepoName, number: u64, labels: &[&str]) -> Call<Vec<Label>> {
    let request = about(
        Method::Post,
        repository,
        &format!("/issues/{number}/labels"),
        &format!("label issue {number}"),
        WRITE,
    );
    Call::new(request.body(json!({ "labels": labels })))
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) body: Option<String>,
    pub(crate) user: Option<User>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) html_url: String,
    pub(crate) author_association: Option<String>,
}

/// The comments of an issue or pull request, oldest first.
pub(crate) fn comments(repository: &RepoName, number: u64) -> Listing<Comment> {
    Listing::new(
        about(
            Method::Get,
            repository,
            &format!("/issues/{number}/comments"),
            &format!("list the comments on #{number}"),
            Need::read("pull-requests"),
        ),
        None,
    )
}

/// Comments.
pub(crate) fn comment(repository: &RepoName, number: u64, body: &str) -> Call<Comment> {
    let request = about(
        Method::Post,
        repository,
        &format!("/issues/{number}/comments"),
        &format!("comment on #{number}"),
        Need::write("pull-requests"),
    );
    Call::new(request.body(json!({ "body": body })))
}

/// Changes a comment. It is a PATCH; octocrab's own call sends a POST, which GitHub does not know.
pub(crate) fn update_comment(repository: &RepoName, id: u64, body: &str) -> Call<Comment> {
    let request = about(
        Method::Patch,
        repository,
        &format!("/issues/comments/{id}"),
        "change a comment",
        Need::write("pull-requests"),
    );
    Call::new(request.body(json!({ "body": body })))
}

/// Removes a comment.
pub(crate) fn delete_comment(repository: &RepoName, id: u64) -> Call<Nothing> {
    Call::new(about(
        Method::Delete,
        repository,
        &format!("/issues/comments/{id}"),
        "remove a comment",
        Need::write("pull-requests"),
    ))
}

/// Something that happened to an issue or pull request. Events are of many shapes; each has some of these fields.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TimelineEvent {
    /// As `reviewed`, `committed`, `merged`, `ready_for_review`; GitHub adds new ones.
    #[serde(default)]
    pub(crate) event: String,
    pub(crate) actor: Option<User>,
    /// Of a review and a comment.
    pub(crate) user: Option<User>,
    pub(crate) created_at: Option<Timestamp>,
    /// Of a review.
    pub(crate) submitted_at: Option<Timestamp>,
    pub(crate) state: Option<String>,
    /// Of a commit.
    pub(crate) sha: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) author: Option<super::commits::Signature>,
    pub(crate) commit_id: Option<String>,
    pub(crate) label: Option<Label>,
}

/// What happened, oldest first.
pub(crate) fn timeline(repository: &RepoName, number: u64) -> Listing<TimelineEvent> {
    Listing::new(
        about(
            Method::Get,
            repository,
            &format!("/issues/{number}/timeline"),
            &format!("read the timeline of #{number}"),
            READ,
        ),
        None,
    )
}
