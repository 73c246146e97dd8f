//! `blob`: a long text in base64 or hexadecimal digits that nobody can read.

use super::{About, Outgoing, Place, Weight, each_line};

pub(super) const ABOUT: About = About {
    name: "blob",
    what: "a long encoded text, which nobody can read",
    fix: "say in the pull request what it is, or make it where it is needed",
    may_be_allowed: true,
};

/// A digest or a key's public half is shorter.
const LONG: usize = 256;

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    each_line(outgoing, &mut |place, line, _| {
        let is_encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
        let runs = line.split(|byte| !is_encoded(byte));
        let Some(longest) = runs
            .max_by_key(|run| run.len())
            .filter(|run| run.len() >= LONG)
        else {
            return;
        };
        // A line of `=` or `-`, or a word that never ends, is no code.
        let mut seen = [false; 256];
        for byte in longest {
            if let Some(seen) = seen.get_mut(usize::from(*byte)) {
                *seen = true;
            }
        }
        let kinds = seen.iter().filter(|seen| **seen).count();
        if kinds >= 10 {
            found(
                Weight::Warn,
                place(),
                format!("{} characters in a row", longest.len()),
            );
        }
    });
}
