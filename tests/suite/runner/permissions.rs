//! What a job's token may do, by its `permissions:`, those of its workflow, and where the change comes from.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a token may do to what.
pub(crate) type Scopes = BTreeMap<String, String>;

/// Everything that there is to permit.
const ALL: &[&str] = &[
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
];

/// Returns what the token may do: a job's own `permissions` replace those of the workflow as a whole.
pub(crate) fn scopes(workflow: Option<&Value>, job: Option<&Value>, is_fork: bool) -> Scopes {
    let mut scopes = match job.or(workflow) {
        // What GitHub gives unless an organisation says otherwise.
        None => Scopes::from([
            ("contents".to_owned(), "read".to_owned()),
            ("packages".to_owned(), "read".to_owned()),
        ]),
        Some(Value::String(all)) => {
            let level = all.strip_suffix("-all");
            let level = level.unwrap_or_else(|| panic!("`permissions: {all}`"));
            ALL.iter()
                .map(|scope| ((*scope).to_owned(), level.to_owned()))
                .collect()
        }
        Some(Value::Object(members)) => members
            .iter()
            .map(|(scope, level)| {
                assert!(ALL.contains(&scope.as_str()), "no permission `{scope}`");
                let level = level.as_str().unwrap_or_default();
                assert!(
                    ["read", "write", "none"].contains(&level),
                    "`{scope}: {level}`"
                );
                (scope.clone(), level.to_owned())
            })
            .collect(),
        Some(other) => panic!("`permissions` is {other}"),
    };
    scopes.retain(|_, level| level != "none");
    if is_fork {
        for level in scopes.values_mut() {
            "read".clone_into(level);
        }
        scopes.remove("id-token");
    }
    scopes
}
