//! Foreign text made safe to show on a terminal.

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
    let is_command = has_command(text);
    if !is_command && !text.chars().any(|c| is_unseen(c) && applies(c)) {
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
    if is_command {
        break_commands(&safe)
    } else {
        safe
    }
}

/// Whether the runner of GitHub Actions would obey the text (`ActionCommand` of actions/runner): `::` where a line begins, `##[` anywhere.
fn has_command(text: &str) -> bool {
    text.contains("##[") || text.lines().any(|line| line.trim_start().starts_with("::"))
}

fn break_commands(text: &str) -> String {
    let text = text.replace("##[", "#\\u{23}[");
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.trim_start().strip_prefix("::") {
            Some(rest) => format!("{}\\u{{3a}}:{rest}", &line[..line.len() - rest.len() - 2]),
            None => line.to_owned(),
        });
    lines.collect()
}

/// Whether a character acts on the terminal or on the direction of the text instead of being seen.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
