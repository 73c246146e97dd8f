//! `canary`: a canary of the run comes out.

use super::{About, Origin, Outgoing, Place, Weight, each_line};

pub(super) const ABOUT: About = About {
    name: "canary",
    what: "a value that was planted in the run, and that nobody has a reason to repeat",
    fix: "somebody was talked into telling what it was shown: read the issue and the run's log before anything else",
    may_be_allowed: false,
};

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    let Some(canaries) = outgoing.canaries else {
        return;
    };
    let mut tell = |place: Place, leak: &super::super::canaries::Leak| {
        let observed = format!("the canary `{}`, {}", leak.which, leak.form);
        found(Weight::Block, place, observed);
    };
    for file in outgoing.files {
        let place = |line| Place::File {
            path: file.path.clone(),
            line,
        };
        if let Some(leak) = canaries.find(file.path.as_bytes()) {
            tell(place(None), &leak);
        }
        // A binary file is looked through as a whole, and a text too: one may be spread over lines.
        if let Some(leak) = file.new.and_then(|bytes| canaries.find(bytes)) {
            let line = (!file.is_binary).then_some(leak.line);
            tell(place(line), &leak);
        }
    }
    for text in outgoing.texts {
        if let Some(leak) = canaries.find(text.words.as_bytes()) {
            let place = Place::Text {
                name: text.name.to_owned(),
                line: leak.line,
            };
            tell(place, &leak);
        }
    }
    // One letter a line, with words of its own before it.
    let mut last_letters = Vec::new();
    each_line(outgoing, &mut |_, line, origin| {
        if let Origin::File(_) = origin {
            last_letters.extend(line.iter().rev().find(|byte| byte.is_ascii_alphanumeric()));
        }
    });
    if let Some(leak) = canaries.find(&last_letters) {
        let place = Place::Text {
            name: "the change".to_owned(),
            line: 1,
        };
        tell(place, &leak);
    }
}
