//! What a workflow's token may do, by docs.github.com's "Permissions required for GitHub Apps". Reading needs a right as in a private repository.

use std::collections::BTreeMap;

/// Beginnings of paths below the repository, and the rights of which one is enough.
const NEEDED: &[(&str, &[&str])] = &[
    ("/actions/permissions", &["administration"]),
    ("/actions/", &["actions"]),
    ("/issues/comments", &["issues", "pull-requests"]),
    ("/issues", &["issues", "pull-requests"]),
    ("/pulls", &["pull-requests"]),
    ("/check-runs", &["checks"]),
    ("/deployments", &["deployments"]),
    ("/statuses/", &["statuses"]),
    ("/attestations", &["attestations"]),
    ("/dispatches", &["contents"]),
    ("/contents/", &["contents"]),
    ("/compare/", &["contents"]),
    ("/releases", &["contents"]),
    ("/git/", &["contents"]),
    ("/branches", &["contents"]),
];

/// Returns what a token lacks for a request, as GitHub names it.
pub(super) fn missing(
    scopes: &BTreeMap<String, String>,
    method: &str,
    rest: &str,
) -> Option<String> {
    let of_commit = rest.strip_prefix("/commits");
    let any: &[&str] = match of_commit {
        Some(rest) if rest.ends_with("/check-runs") => &["checks"],
        Some(rest) if rest.ends_with("/status") => &["statuses"],
        Some(rest) if rest.ends_with("/pulls") => &["pull-requests"],
        Some(_) => &["contents"],
        None => NEEDED.iter().find(|(begin, _)| rest.starts_with(begin))?.1,
    };
    let level = if method == "GET" { "read" } else { "write" };
    let has = |scope: &&str| {
        let given = scopes.get(*scope).map(String::as_str);
        given == Some("write") || given == Some(level)
    };
    if any.iter().any(has) {
        return None;
    }
    let names: Vec<String> = any
        .iter()
        .map(|scope| format!("{}={level}", scope.replace('-', "_")))
        .collect();
    Some(names.join("; "))
}
