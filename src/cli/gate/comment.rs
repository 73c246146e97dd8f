//! Keeps the one comment of the pull request.

use super::wire::GateDocument;
use crate::cli::session::Session;
use crate::conduct::identity::enter_installation;
use crate::conduct::post::{ONE, Posted, post, refresh};
use crate::config::file::CommentWord;
use crate::error::CommandError;

/// How long GitHub is asked.
const SECONDS: u64 = 60;

/// Where what does not fit is.
const ELSEWHERE: &str = "All of it is in the step summary.";

/// Writes it, as far as the base's `comment` wants one; what has nothing to say begins none.
pub(super) fn keep(
    session: &mut Session<'_>,
    document: &GateDocument,
    wish: Option<CommentWord>,
) -> Result<(), CommandError> {
    let wish = wish.unwrap_or(CommentWord::WhenActionable);
    let Some(number) = document
        .pull_request()
        .filter(|_| wish != CommentWord::Never)
    else {
        return Ok(());
    };
    if session.settings.offline.value {
        session
            .ui
            .hint("no comment was written: --offline forbids it");
        return Ok(());
    }
    let Some((github, whose)) = session.github(None, None, SECONDS)? else {
        return Ok(());
    };
    if github.server.borrow().is_none() {
        session
            .ui
            .hint("no comment was written: there is no token; set GITHUB_TOKEN");
        return Ok(());
    }
    enter_installation(&github, &whose)?;
    let sections = document.sections();
    let kept = if document.is_actionable() || wish == CommentWord::Always {
        post(&github, &whose, number, ONE, &sections, ELSEWHERE).map(Some)
    } else {
        refresh(&github, &whose, number, ONE, &sections, ELSEWHERE)
    };
    match kept? {
        None => {}
        Some(Posted::Comment(done)) => session.ui.status(&format!("the comment: {}", done.url)),
        // The step summary has the report already.
        Some(Posted::Summary { why, .. }) => session.ui.warn(&format!(
            "no comment was written, and the step summary has it all: {why}"
        )),
    }
    Ok(())
}
