//! Files of a repository, read without a clone.

use serde::Deserialize;

use super::about;
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
