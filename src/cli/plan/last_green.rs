//! The newest commit of a branch that this workflow passed for.

use crate::change::base::Commit;
use crate::cli::session::Session;
use crate::forge::api::runs::{self, Filter, Run};

/// How long GitHub may take to say it.
const SECONDS: u64 = 20;

/// Of more runs than this, none is looked for.
const MOST_RUNS: usize = 1_000;

/// Events whose runs are about the branch itself; a pull request from a fork may have a branch of the same name.
const EVENTS: &[&str] = &["push", "merge_group", "schedule", "workflow_dispatch"];

/// Returns it; nothing when GitHub does not say.
pub(super) fn of(session: &Session<'_>, branch: &str, head: &Commit) -> Option<String> {
    let workflow = session.var("GITHUB_WORKFLOW_REF")?;
    // `owner/name/.github/workflows/ci.yml@refs/heads/main`
    let path = workflow
        .split('@')
        .next()?
        .splitn(3, '/')
        .nth(2)?
        .to_owned();
    let (github, _) = session.github(None, None, SECONDS).ok()??;
    let filter = Filter {
        branch: Some(branch),
        status: Some("success"),
        ..Filter::default()
    };
    let listing = runs::list(&github.repository, &filter);
    let mut found = None;
    let _as_far_as_it_came = github.list(&listing, MOST_RUNS, &mut |run: &Run| {
        let is_ours = run
            .head_repository
            .as_ref()
            .is_none_or(|head| head.id == run.repository.id);
        let fits = run.path == path && is_ours && EVENTS.contains(&run.event.as_str());
        // What ran on this very commit says nothing of what it changes.
        if fits && run.head_sha != head.object {
            found = Some(run.head_sha.clone());
        }
        found.is_none()
    });
    found
}
