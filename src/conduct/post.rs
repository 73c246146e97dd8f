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

/// What a comment is to say.
pub(crate) struct Words<'w> {
    /// Returns its sections, by the text that is there.
    pub(crate) sections: &'w dyn Fn(Option<&str>) -> Vec<Section>,
    /// Whether two texts say the same.
    pub(crate) is_same: &'w dyn Fn(&str, &str) -> bool,
    /// Whether there is enough to say to begin one; one that is there is kept up to date in any case.
    pub(crate) begins: bool,
    /// Where what does not fit is.
    pub(crate) elsewhere: &'w str,
}

/// Keeps the one comment of a name on an issue or pull request; nothing where there is none and none is begun.
pub(crate) fn keep(
    github: &GitHub<'_>,
    whose: &Whose,
    (number, name): (u64, &str),
    words: &Words<'_>,
) -> Result<Option<Posted>, ForgeError> {
    let key = key(name);
    let compose = |ours: Option<&str>| {
        if ours.is_none() && !words.begins {
            return None;
        }
        let text = fit(&(words.sections)(ours), &key, words.elsewhere, LONGEST).text;
        let same = ours.filter(|ours| (words.is_same)(ours, &text));
        Some(same.map_or(text, str::to_owned))
    };
    let done =
        me(github, whose).and_then(|me| upsert::composed(github, me, (number, &key), &compose));
    match done {
        Ok(done) => Ok(done.map(Posted::Comment)),
        Err(why @ ForgeError::Denied { .. }) => {
            let text = compose(None);
            Ok(text.map(|text| Posted::Summary { text, why }))
        }
        Err(error) => Err(error),
    }
}
