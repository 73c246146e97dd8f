//! Foreign text made safe to show on a terminal.

use crate::inert;

/// Returns the text with control and direction characters spelled out, so that a test's name cannot move the cursor,
/// clear the screen or show a path backwards. Line breaks and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    spell_out(text, |c| c != '\n' && c != '\t')
}

/// Returns the text on one line: like [`visible`], and line breaks and tabs become spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = spell_out(text.trim_end_matches(['\n', '\r']), |c| {
        c != '\n' && c != '\t' && c != '\r'
    });
    if line.contains(['\n', '\t', '\r']) {
        line = line.split(['\n', '\t', '\r']).collect::<Vec<_>>().join(" ");
    }
    line
}

fn spell_out(text: &str, applies: impl Fn(char) -> bool) -> String {
    if !inert::has_command(text) && !text.chars().any(|c| is_unseen(c) && applies(c)) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unseen(c) && applies(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    inert::without_commands(safe)
}

/// Whether a character acts on the terminal or on the direction of the text instead of being seen.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_becomes_visible_text() {
        assert_eq!(visible("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
    }

    #[test]
    fn a_direction_override_becomes_visible_text() {
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn a_command_to_the_runner_becomes_visible_text() {
        assert_eq!(
            visible("  ::error::x\n a::b\n::"),
            "  \\u{3a}:error::x\n a::b\n\\u{3a}:"
        );
        assert_eq!(one_line("x##[error]"), "x#\\u{23}[error]");
    }

    #[test]
    fn line_breaks_become_spaces_on_one_line() {
        assert_eq!(one_line("a\r\nb\tc \n"), "a  b c ");
    }
}
