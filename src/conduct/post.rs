//! The one comment of a pull request, or its text for the step summary where the token may not write.

use crate::conduct::github::GitHub;
use crate::conduct::identity::{Whose, me};
use crate::conduct::upsert::{self, Upserted};
use crate::forge::body::{LONGEST, Section, fit};
use crate::forge::problem::ForgeError;
use crate::forge::upsert::key;

/// The name of the one comment of a pull request: whatever maestro has to say there stands in it.
pub(crate) const ONE: &str = "pull-request";

/// Where a text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Posted {
    Comment(Upserted),
    /// The token may not write there, as that of a fork's pull request: the text belongs in the step summary.
    Summary {
        text: String,
        why: ForgeError,
    },
}

/// Keeps the one comment of a name on an issue or pull request.
pub(crate) fn post(
    github: &GitHub<'_>,
    whose: &Whose,
    number: u64,
    name: &str,
    sections: &[Section],
    elsewhere: &str,
) -> Result<Posted, ForgeError> {
    let key = key(name);
    let text = fit(sections, &key, elsewhere, LONGEST).text;
    let done = me(github, whose).and_then(|me| upsert::comment(github, me, number, &key, &text));
    match done {
        Ok(done) => Ok(Posted::Comment(done)),
        Err(why @ ForgeError::Denied { .. }) => Ok(Posted::Summary { text, why }),
        Err(error) => Err(error),
    }
}

/// Keeps the one comment where there is one: what has nothing to say begins none, and leaves none that says what was.
pub(crate) fn refresh(
    github: &GitHub<'_>,
    whose: &Whose,
    number: u64,
    name: &str,
    sections: &[Section],
    elsewhere: &str,
) -> Result<Option<Posted>, ForgeError> {
    let is_there =
        me(github, whose).and_then(|me| upsert::has_comment(github, me, number, &key(name)))?;
    if !is_there {
        return Ok(None);
    }
    post(github, whose, number, name, sections, elsewhere).map(Some)
}
