//! Commits, and what lies between two of them.

use jiff::Timestamp;
use serde::Deserialize;

use super::pulls::File;
use super::{User, about};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Method, Need, escape};

const READ: Need = Need::read("contents");

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    #[serde(rename = "commit")]
    pub(crate) described: Described,
    /// The account of the author; none where the address belongs to nobody.
    pub(crate) author: Option<User>,
    #[serde(default)]
    pub(crate) parents: Vec<Parent>,
}

/// What the commit itself says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Described {
    pub(crate) message: String,
    pub(crate) author: Option<Signature>,
    pub(crate) committer: Option<Signature>,
}

/// Who, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Signature {
    pub(crate) date: Option<Timestamp>,
}

/// What it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Parent {
    pub(crate) sha: String,
}

/// One commit.
pub(crate) fn get(repository: &RepoName, name: &str) -> Call<Commit> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/commits/{}", escape(name)),
        &format!("read commit {name}"),
        READ,
    ))
}

/// What lies between two commits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Comparison {
    /// `ahead`, `behind`, `identical` or `diverged`.
    pub(crate) status: String,
    pub(crate) ahead_by: u64,
    pub(crate) behind_by: u64,
    pub(crate) total_commits: u64,
    pub(crate) merge_base_commit: Parent,
    pub(crate) commits: Vec<Commit>,
    /// At most 300.
    #[serde(default)]
    pub(crate) files: Vec<File>,
}

/// Compares two commits.
pub(crate) fn compare(repository: &RepoName, base: &str, head: &str) -> Call<Comparison> {
    let rest = format!("/compare/{}...{}", escape(base), escape(head));
    Call::new(about(
        Method::Get,
        repository,
        &rest,
        &format!("compare {base} with {head}"),
        READ,
    ))
}
