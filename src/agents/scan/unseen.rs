//! `unseen`: characters that act and are not seen, in lines that are new ("Trojan Source", Boucher and Anderson, USENIX Security 2023).

use super::{About, Outgoing, Place, Weight, each_line};
use crate::agents::intake::clean::{is_of_emoji, joins_letters};
use crate::inert::{is_filler, is_unseen};

pub(super) const ABOUT: About = About {
    name: "unseen",
    what: "characters that nobody sees: directions, tags, joiners, control characters",
    fix: "take them out, or write them as escapes of the language",
    may_be_allowed: true,
};

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    each_line(outgoing, &mut |place, line, _| {
        // Bytes that are no text are another rule's.
        let text = String::from_utf8_lossy(line);
        if text.is_ascii() && !text.bytes().any(|byte| byte < b' ' && byte != b'\t') {
            return;
        }
        let mut first = None;
        let mut count = 0;
        let mut before = None;
        let mut rest = text.chars().enumerate().peekable();
        while let Some((at, c)) = rest.next() {
            let after = rest.peek().map(|(_, c)| c);
            let is_meant = is_of_emoji(c, before, after) || joins_letters(c, before, after);
            let is_mark = at == 0 && c == '\u{feff}';
            let acts = c.is_control() && !matches!(c, '\t' | '\r' | '\u{c}');
            if acts || (is_unseen(c) || is_filler(c)) && !is_meant && !is_mark {
                count += 1;
                first = first.or(Some((at + 1, c)));
            }
            before = Some(c);
        }
        if let Some((column, c)) = first {
            let observed = format!(
                "{count}, the first is U+{:04X} in column {column}",
                u32::from(c)
            );
            found(Weight::Block, place(), observed);
        }
    });
}
