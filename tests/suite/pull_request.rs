//! A pull request on this machine: `main` at a remote, `topic` checked out, and what GitHub says of it in a file and in variables.

use std::sync::OnceLock;

use serde_json::json;

use crate::harness::Maestro;
use crate::snapshot::Snapshot;

/// A quarantine of `s > flaky`.
pub(crate) const QUARANTINE: &str = r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "flaky", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#;

/// What GitHub sets for it.
pub(crate) const VARIABLES: [(&str, &str); 3] = [
    ("GITHUB_EVENT_NAME", "pull_request"),
    ("GITHUB_REF", "refs/pull/7/merge"),
    ("GITHUB_EVENT_PATH", "event.json"),
];

/// A repository with a remote that has nothing yet.
pub(crate) fn with_remote() -> Maestro {
    static MADE: OnceLock<Snapshot> = OnceLock::new();
    Maestro::laid(MADE.get_or_init(|| {
        let maestro = Maestro::in_repo();
        let bare = "init --quiet --bare --template= --initial-branch=main remote.git";
        maestro.git(&bare.split(' ').collect::<Vec<_>>());
        maestro.git(&["remote", "add", "origin", "remote.git"]);
        maestro.file(
            ".gitignore",
            "*.xml\nevent.json\nremote.git\nout*\nplan.out\n",
        );
        Snapshot::of(&maestro.path(""))
    }))
}

/// Publishes what stands there as `main`, and begins `topic`.
pub(crate) fn begin(maestro: &Maestro) {
    maestro.commit("Configure");
    maestro.git(&["push", "--quiet", "origin", "main"]);
    maestro.git(&["switch", "--quiet", "--create", "topic"]);
}

/// Writes what GitHub says of the pull request as it stands; returns its head.
pub(crate) fn tell(maestro: &Maestro) -> String {
    let commits = maestro.git(&["rev-parse", "main", "topic"]);
    let (main, topic) = commits.trim().split_once('\n').unwrap();
    let side = |branch: &str, commit: &str| json!({"ref": branch, "sha": commit, "repo": {"id": 1, "full_name": "o/n"}});
    let payload = json!({
        "pull_request": {"number": 7, "title": "Change", "base": side("main", main), "head": side("topic", topic)},
        "repository": {"id": 1, "full_name": "o/n"},
    });
    maestro.file("event.json", payload.to_string());
    topic.to_owned()
}
