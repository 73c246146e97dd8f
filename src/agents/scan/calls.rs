//! `calls`: a commit's message that GitHub acts on. Texts of the pull request are made inert instead; what maestro writes into a commit is so from the start.

use super::{About, Outgoing, Place, TextKind, Weight};
use crate::agents::trailers::acts;

pub(super) const ABOUT: About = About {
    name: "calls",
    what: "a commit's message that calls people, closes issues, names co-authors or lets CI be skipped",
    fix: "maestro writes no such message: find out who wrote the commit",
    may_be_allowed: false,
};

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    for text in outgoing
        .texts
        .iter()
        .filter(|text| text.kind == TextKind::Message)
    {
        for (line, one) in (1..).zip(text.words.lines()) {
            if acts(one) {
                let place = Place::Text {
                    name: text.name.to_owned(),
                    line,
                };
                let shown: String = one.chars().take(80).collect();
                found(Weight::Block, place, crate::inert::code(&shown, false));
            }
        }
    }
}
