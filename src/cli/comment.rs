//! The way to the one comment of a pull request, for all who write in it.

use super::session::Session;
use crate::conduct::identity::enter_installation;
use crate::conduct::post::{ONE, Posted, Words, keep};
use crate::config::file::CommentWord;
use crate::error::CommandError;
use crate::forge::body::Section;
use crate::gate::parts::{Parts, says_the_same};

/// How long GitHub is asked.
const SECONDS: u64 = 60;

/// Where what does not fit is.
const ELSEWHERE: &str = "All of it is in the step summary.";

/// Whether one is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// What `comment` of the base says.
    pub(super) word: Option<CommentWord>,
    /// Whether somebody can do something about it.
    pub(super) is_actionable: bool,
}

impl Wish {
    /// Whether none is wanted at all.
    pub(super) fn is_never(self) -> bool {
        self.word == Some(CommentWord::Never)
    }

    /// Whether one is begun where there is none.
    pub(super) fn begins(self) -> bool {
        self.is_actionable || self.word == Some(CommentWord::Always)
    }
}

/// Keeps the comment, with one part of it written anew; what has nothing to say begins none.
pub(super) fn keep_part(
    session: &mut Session<'_>,
    number: u64,
    wish: Wish,
    own: &dyn Fn(Parts) -> Parts,
) -> Result<(), CommandError> {
    if wish.is_never() {
        return Ok(());
    }
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
    let sections = |ours: Option<&str>| -> Vec<Section> {
        own(ours.map(Parts::read).unwrap_or_default()).sections()
    };
    let words = Words {
        sections: &sections,
        is_same: &says_the_same,
        begins: wish.begins(),
        elsewhere: ELSEWHERE,
    };
    match keep(&github, &whose, (number, ONE), &words)? {
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
