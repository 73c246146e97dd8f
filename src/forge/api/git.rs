//! Git objects and refs by way of the API, for repositories whose rules want commits that GitHub signs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::about;
use super::commits::Parent;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Need, escape_path};

const READ: Need = Need::read("contents");
const WRITE: Need = Need::write("contents");

/// A ref.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Ref {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) object: Parent,
}

/// One ref, by its name without `refs/`.
pub(crate) fn get_ref(repository: &RepoName, name: &str) -> Call<Ref> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/git/ref/{}", escape_path(name)),
        &format!("read refs/{name}"),
        READ,
    ))
}

/// The refs whose names begin so.
pub(crate) fn matching(repository: &RepoName, prefix: &str) -> Listing<Ref> {
    let rest = format!(
        "/git/matching-refs/{}",
        escape_path(prefix.trim_end_matches('/'))
    );
    let purpose = format!("list refs/{prefix}");
    Listing::of_one_page(about(Method::Get, repository, &rest, &purpose, READ))
}

/// Makes a ref; GitHub refuses with 422 when it is there. The name is a full one.
pub(crate) fn create_ref(repository: &RepoName, name: &str, sha: &str) -> Call<Ref> {
    let request = about(
        Method::Post,
        repository,
        "/git/refs",
        &format!("make {name}"),
        WRITE,
    );
    Call::new(request.body(json!({ "ref": name, "sha": sha })))
}

/// Moves a ref. Without force GitHub refuses with 422 what is no fast-forward: a compare-and-swap, since the new commit stands on
/// the old one.
pub(crate) fn update_ref(repository: &RepoName, name: &str, sha: &str, force: bool) -> Call<Ref> {
    let request = about(
        Method::Patch,
        repository,
        &format!("/git/refs/{}", escape_path(name)),
        &format!("move refs/{name}"),
        WRITE,
    );
    Call::new(request.body(json!({ "sha": sha, "force": force })))
}

/// Writes a blob; the same bytes are the same blob.
pub(crate) fn create_blob(repository: &RepoName, base64: &str) -> Call<Parent> {
    let request = about(
        Method::Post,
        repository,
        "/git/blobs",
        "write a blob",
        WRITE,
    );
    let body = json!({ "content": base64, "encoding": "base64" });
    Call::new(request.body(body).repeatable())
}

/// A blob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Blob {
    pub(crate) content: String,
    pub(crate) encoding: String,
}

/// Reads a blob.
pub(crate) fn get_blob(repository: &RepoName, sha: &str) -> Call<Blob> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/git/blobs/{sha}"),
        &format!("read blob {sha}"),
        READ,
    ))
}

/// A tree.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Tree {
    pub(crate) sha: String,
    #[serde(rename = "tree")]
    pub(crate) entries: Vec<TreeEntry>,
    #[serde(default)]
    pub(crate) truncated: bool,
}

/// What a tree holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TreeEntry {
    pub(crate) path: Option<String>,
    pub(crate) sha: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

/// Reads a tree with all below it.
pub(crate) fn get_tree(repository: &RepoName, sha: &str) -> Call<Tree> {
    let request = about(
        Method::Get,
        repository,
        &format!("/git/trees/{sha}"),
        &format!("read tree {sha}"),
        READ,
    );
    Call::new(request.query("recursive", "1"))
}

/// Writes a tree: another one with some files changed; a file without a blob goes.
pub(crate) fn create_tree(
    repository: &RepoName,
    base: Option<&str>,
    files: &[(String, Option<String>)],
) -> Call<Tree> {
    let entries: Vec<ModedEntry> = files
        .iter()
        .map(|(path, blob)| (path.clone(), "100644", blob.clone()))
        .collect();
    create_tree_of(repository, base, &entries)
}

/// A path, its mode as `100755`, and its object; without one it is taken out.
pub(crate) type ModedEntry = (String, &'static str, Option<String>);

/// Writes a tree of files, links and submodules.
pub(crate) fn create_tree_of(
    repository: &RepoName,
    base: Option<&str>,
    entries: &[ModedEntry],
) -> Call<Tree> {
    let request = about(
        Method::Post,
        repository,
        "/git/trees",
        "write a tree",
        WRITE,
    );
    let entry = |(path, mode, object): &ModedEntry| {
        let kind = if *mode == "160000" { "commit" } else { "blob" };
        json!({ "path": path, "mode": mode, "type": kind, "sha": object })
    };
    let mut body = json!({ "tree": entries.iter().map(entry).collect::<Vec<Value>>() });
    if let Some(base) = base {
        body["base_tree"] = json!(base);
    }
    Call::new(request.body(body).repeatable())
}

/// A commit as git has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct GitCommit {
    pub(crate) sha: String,
    pub(crate) tree: Parent,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) parents: Vec<Parent>,
}

/// Writes a commit; one that no ref names is nobody's. Without an author GitHub signs it, when the token is an app's.
pub(crate) fn create_commit(
    repository: &RepoName,
    message: &str,
    tree: &str,
    parents: &[&str],
) -> Call<GitCommit> {
    let request = about(
        Method::Post,
        repository,
        "/git/commits",
        "write a commit",
        WRITE,
    );
    let body = json!({ "message": message, "tree": tree, "parents": parents });
    Call::new(request.body(body).repeatable())
}

/// Reads a commit.
pub(crate) fn get_commit(repository: &RepoName, sha: &str) -> Call<GitCommit> {
    Call::new(about(
        Method::Get,
        repository,
        &format!("/git/commits/{sha}"),
        &format!("read commit {sha}"),
        READ,
    ))
}
