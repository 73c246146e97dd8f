//! Keeps the one comment.

use super::PrHealthDocument;
use crate::cli::session::Session;
use crate::conduct::identity::enter_installation;
use crate::conduct::post::{ONE, Posted, post, refresh};
use crate::error::{CommandError, ErrorKind};

/// How long GitHub is asked.
const SECONDS: u64 = 120;

/// Where what does not fit is.
const ELSEWHERE: &str = "All of it is in the step summary.";

/// Writes it, where there is something to say; what does not change is not written again.
pub(super) fn keep(
    session: &mut Session<'_>,
    document: &PrHealthDocument,
) -> Result<(), CommandError> {
    let Some(number) = document.pull_request() else {
        let message = "a comment needs a pull request, and none started this run";
        return Err(
            CommandError::message(ErrorKind::Usage, message).hint("name it with --pr NUMBER")
        );
    };
    if session.settings.offline.value {
        session
            .ui
            .hint("no comment was written: --offline forbids it");
        return Ok(());
    }
    let Some((github, whose)) = session.github(None, None, SECONDS)? else {
        session.ui.hint(
            "no comment was written: no repository at GitHub is meant; set GITHUB_REPOSITORY",
        );
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
    let kept = if document.is_actionable() {
        post(&github, &whose, number, ONE, sections, ELSEWHERE).map(Some)
    } else {
        refresh(&github, &whose, number, ONE, sections, ELSEWHERE)
    };
    match kept? {
        None => session.ui.status("there is nothing to do, and no comment"),
        Some(Posted::Comment(done)) if done.writes == 0 => session
            .ui
            .status(&format!("the comment says that already: {}", done.url)),
        Some(Posted::Comment(done)) => session.ui.status(&format!("the comment: {}", done.url)),
        // The step summary has the report already.
        Some(Posted::Summary { why, .. }) => session.ui.warn(&format!(
            "no comment was written, and the step summary has it all: {why}"
        )),
    }
    Ok(())
}
