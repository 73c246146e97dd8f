//! Foreign text in what is posted to GitHub: nobody is called, nothing is linked or closed, no markup takes effect.
//!
//! GitHub reads `@name` as a call, `#1`, `GH-1` and `o/n#1` as a link, `fixes #1` as an order to close, a commit's digits as a link, `<…>` as HTML,
//! `|` as the end of a table's cell (github.github.com/gfm; docs.github.com, "Autolinked references").

/// Returns foreign text as a code span (`CommonMark` 6.1), where GitHub expands nothing: fenced by more backticks than it has in a row.
///
/// GitHub splits a table's cells before it reads code spans, so that a pipe needs its backslash there even inside one.
pub(crate) fn code(text: &str, in_table: bool) -> String {
    let mut text = line(text);
    if in_table {
        text = text.replace('|', "\\|");
    }
    if text.trim().is_empty() {
        return "` `".into();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns foreign text as prose.
pub(crate) fn prose(text: &str) -> String {
    let text = line(text);
    let mut inert = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '@' => inert.push_str("@\u{200b}"),
            // Between the word and the number of a reference, and inside an address.
            '#' => inert.push_str("\\#\u{200b}"),
            '-' if before.eq_ignore_ascii_case(&'h') => inert.push_str("-\u{200b}"),
            ':' => inert.push_str(":\u{200b}"),
            '.' if before.is_alphanumeric() => inert.push_str(".\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                inert.push('\\');
                inert.push(c);
            }
            c => inert.push(c),
        }
        before = c;
    }
    break_digests(&inert)
}

/// Returns text as HTML shows it, in elements and in quoted attributes; what acts instead of being seen is spelled out.
pub(crate) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() || is_unseen(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Breaks runs of seven and more hexadecimal digits, which GitHub links to a commit.
fn break_digests(text: &str) -> String {
    let mut broken = String::with_capacity(text.len());
    let mut digits = 0;
    for c in text.chars() {
        digits = if c.is_ascii_hexdigit() { digits + 1 } else { 0 };
        broken.push(c);
        if digits == 6 {
            broken.push('\u{200b}');
            digits = 0;
        }
    }
    broken
}

/// Whether the runner of GitHub Actions would obey the text (`ActionCommand` of actions/runner): `::` where a line begins, `##[` anywhere.
pub(crate) fn has_command(text: &str) -> bool {
    text.contains("##[") || text.lines().any(|line| line.trim_start().starts_with("::"))
}

/// Spells out what the runner would obey.
pub(crate) fn without_commands(text: String) -> String {
    if !has_command(&text) {
        return text;
    }
    let text = text.replace("##[", "#\\u{23}[");
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.trim_start().strip_prefix("::") {
            Some(rest) => format!("{}\\u{{3a}}:{rest}", &line[..line.len() - rest.len() - 2]),
            None => line.to_owned(),
        });
    lines.collect()
}

/// Returns text on one line, what acts instead of being seen spelled out.
pub(crate) fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => safe.push(' '),
            c if c.is_control() || is_unseen(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    without_commands(safe)
}

/// Marks of direction, and what has no width: names that look alike would be two.
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// More that has no shape of its own: Unicode's `Default_Ignorable_Code_Point`, and blank or annotating letters.
pub(crate) fn is_filler(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{13430}'..='\u{13455}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_called_and_nothing_linked() {
        assert_eq!(prose("@org/team"), "@\u{200b}org/team");
        assert_eq!(prose("fixes #12"), "fixes \\#\u{200b}12");
        assert_eq!(prose("GH-1"), "GH-\u{200b}1");
        assert_eq!(prose("https://x.io"), "https:\u{200b}//x.\u{200b}io");
        assert_eq!(prose("deadbeefcafe"), "deadbe\u{200b}efcafe\u{200b}");
        assert_eq!(prose("<img src=x>"), "&lt;img src=x&gt;");
    }

    #[test]
    fn a_cell_stays_one_and_a_span_closed() {
        assert_eq!(code("a|b`c", true), "``a\\|b`c``");
        assert_eq!(code(" \n", false), "` `");
        assert_eq!(
            code("a\n::error::b\u{202e}", false),
            "`a ::error::b\\u{202e}`"
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_stays_on_one_line_and_calls_nobody(text in "(\\PC|[@#`|<>\\\\\n\r\u{202e}]){0,40}") {
            for inert in [prose(&text), code(&text, true)] {
                let acts = inert.contains(['\n', '\r', '\u{202e}']);
                prop_assert!(!acts, "{}", inert);
            }
            let prose = prose(&text);
            let lone = |sign: char| prose.match_indices(sign).any(|(at, _)| !prose[at + sign.len_utf8()..].starts_with('\u{200b}'));
            prop_assert!(!lone('@') && !lone('#'), "{}", prose);
            let has_markup = prose.contains(['<', '>']);
            prop_assert!(!has_markup, "{}", prose);
            let code = code(&text, true);
            let fence = code.len() - code.trim_start_matches('`').len();
            let inner = &code[fence..code.len() - fence];
            prop_assert!(code.ends_with(&"`".repeat(fence)));
            let is_closed_early = inner.split(|c| c != '`').any(|run| run.len() == fence);
            prop_assert!(!is_closed_early, "{}", code);
        }
    }
}
