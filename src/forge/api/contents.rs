//! Files of a repository, read and written without a clone.

use serde::Deserialize;
use serde_json::json;

use super::about;
use super::commits::Parent;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Method, Need, escape_path};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) sha: String,
    pub(crate) size: u64,
    /// In Base64 with line breaks; empty for files over a megabyte.
    #[serde(default)]
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) encoding: String,
}

/// Reads a file at a ref.
pub(crate) fn get(repository: &RepoName, path: &str, at: &str) -> Call<File> {
    let rest = format!("/contents/{}", escape_path(path));
    let request = about(
        Method::Get,
        repository,
        &rest,
        &format!("read {path} at {at}"),
        Need::read("contents"),
    );
    Call::new(request.query("ref", at))
}

/// What a write made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Written {
    pub(crate) commit: Parent,
}

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewFile<'a> {
    pub(crate) branch: &'a str,
    pub(crate) path: &'a str,
    pub(crate) message: &'a str,
    /// In Base64.
    pub(crate) content: &'a str,
    /// The blob that it replaces; GitHub refuses when another one stands there.
    pub(crate) replaces: Option<&'a str>,
}

/// Writes a file as one commit.
pub(crate) fn put(repository: &RepoName, file: NewFile<'_>) -> Call<Written> {
    let rest = format!("/contents/{}", escape_path(file.path));
    let request = about(
        Method::Put,
        repository,
        &rest,
        &format!("write {}", file.path),
        Need::write("contents"),
    );
    let mut body =
        json!({ "message": file.message, "content": file.content, "branch": file.branch });
    if let Some(sha) = file.replaces {
        body["sha"] = json!(sha);
    }
    Call::new(request.body(body))
}
