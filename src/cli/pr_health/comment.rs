//! Keeps the one comment.

use super::PrHealthDocument;
use crate::cli::session::Session;
use crate::conduct::identity::enter_installation;
use crate::conduct::post::{ONE, Posted, post};
use crate::error::{CommandError, ErrorKind};

/// How long GitHub is asked.
const SECONDS: u64 = 120;

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
    let posted = post(
        &github,
        &whose,
        number,
        ONE,
        document.sections(),
        "All of it is in the step summary.",
    )?;
    match posted {
        Posted::Comment(done) if done.writes == 0 => session
            .ui
            .status(&format!("the comment says that already: {}", done.url)),
        Posted::Comment(done) => session.ui.status(&format!("the comment: {}", done.url)),
        // The step summary has the report already.
        Posted::Summary { why, .. } => session.ui.warn(&format!(
            "no comment was written, and the step summary has it all: {why}"
        )),
    }
    Ok(())
}
