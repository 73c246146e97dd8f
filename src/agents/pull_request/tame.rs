//! A model's Markdown, made fit to be shown: its headings, lists, emphasis and code stay; it calls nobody, links nothing, closes nothing, shows no image and no HTML.
//!
//! Code in fences is left as it is, for people copy it; GitHub expands nothing there. But what we take for a fence must be one for GitHub too, or a call would
//! hide in it: only a fence at the very beginning of a line opens one (one in a list or quote ends where that ends), and where a text has another kind
//! of fence anywhere outside, nothing in it counts as code. A fence that stays open is closed, so that what follows is no code.

use crate::inert::{is_filler, is_unseen};

/// Returns the text, tamed.
pub(crate) fn tame(markdown: &str) -> String {
    let text = seen(markdown);
    let has_code = are_fences_plain(&text);
    let mut tamed = String::with_capacity(text.len() + 64);
    let mut fence: Option<(char, usize)> = None;
    for line in text.split_inclusive('\n') {
        match fence {
            Some(open) => {
                tamed.push_str(line);
                if closes(line, open) {
                    fence = None;
                }
            }
            None => {
                fence = opens(line).filter(|_| has_code);
                if fence.is_some() {
                    tamed.push_str(line);
                } else {
                    prose(line, &mut tamed);
                }
            }
        }
    }
    if let Some((c, length)) = fence {
        if !tamed.ends_with('\n') {
            tamed.push('\n');
        }
        tamed.extend(std::iter::repeat_n(c, length));
        tamed.push('\n');
    }
    crate::inert::without_commands(tamed)
}

/// Takes out what nobody sees; line ends become `\n`.
fn seen(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(
        ['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'],
        "\n",
    );
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control() && !is_unseen(*c) && !is_filler(*c))
        .collect()
}

/// Whether every fence of a text stands where we know it from everything else.
fn are_fences_plain(text: &str) -> bool {
    // Mathematics has fences of its own, and blocks that end otherwise.
    if text.contains("$$") || text.contains("$`") {
        return false;
    }
    let mut fence = None;
    for line in text.lines() {
        match fence {
            Some(open) if closes(line, open) => fence = None,
            Some(_) => {}
            None => {
                fence = opens(line);
                if fence.is_none() && (line.contains("```") || line.contains("~~~")) {
                    return false;
                }
            }
        }
    }
    true
}

/// Returns letter and length of a fence that a line opens at its very beginning (`CommonMark` 4.5).
fn opens(line: &str) -> Option<(char, usize)> {
    let c = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|other| *other == c).count();
    let info = line.get(length..)?;
    (length >= 3 && !(c == '`' && info.contains('`'))).then_some((c, length))
}

fn closes(line: &str, (c, length): (char, usize)) -> bool {
    let trimmed = line.trim_start_matches(' ');
    let is_near = line.len() - trimmed.len() <= 3;
    let count = trimmed.chars().take_while(|other| *other == c).count();
    let rest = trimmed.get(count..).unwrap_or_default();
    is_near && count >= length && rest.trim_matches([' ', '\t', '\n']).is_empty()
}

/// What breaks a word in two without a sign of it.
const BREAK: char = '\u{200b}';

/// Copies a line of prose; what GitHub would act on is broken.
fn prose(line: &str, tamed: &mut String) {
    let (mut before, mut run) = (' ', 0);
    let mut rest = line.chars().peekable();
    let mut is_start = true;
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or('\n');
        if is_start && c == '/' && next.is_ascii_alphabetic() {
            // Bots take a line that begins so for a command (Prow, "Commands").
            tamed.push(BREAK);
        }
        is_start &= c.is_whitespace();
        run = if c == before { run + 1 } else { 1 };
        if matches!(c, '`' | '~') && run % 3 == 0 {
            // It opens no fence that would hold all that follows.
            tamed.push(BREAK);
        }
        match c {
            '<' => tamed.push_str("&lt;"),
            // An entity would be read as the letter that it stands for.
            '&' if next == '#' || next.is_ascii_alphabetic() => tamed.push_str("&amp;"),
            '@' => tamed.extend([c, BREAK]),
            '!' if next == '[' => tamed.extend([c, BREAK]),
            '#' if next.is_ascii_digit() => tamed.extend([c, BREAK]),
            ']' if matches!(next, '(' | '[' | ':') => tamed.extend([c, BREAK]),
            ':' if next == '/' => tamed.extend([c, BREAK]),
            '-' if before.eq_ignore_ascii_case(&'h') && next.is_ascii_digit() => {
                tamed.extend([c, BREAK]);
            }
            '.' if ends_with_www(tamed) => tamed.extend([c, BREAK]),
            c => tamed.push(c),
        }
        before = c;
    }
}

fn ends_with_www(text: &str) -> bool {
    let mut last = text.chars().rev();
    (0..3).all(|_| last.next().is_some_and(|c| c.eq_ignore_ascii_case(&'w')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        assert_eq!(tame(text).replace(BREAK, "|"), wanted);
    }

    #[test]
    fn its_form_stays_and_nothing_acts() {
        check(
            "## What\n\n- **a** `b`\n1. c\n\n> q\n",
            "## What\n\n- **a** `b`\n1. c\n\n> q\n",
        );
        check(
            "thanks @org/team, fixes #12, GH-3, o/n#4",
            "thanks @|org/team, fixes #|12, GH-|3, o/n#|4",
        );
        check(
            "closes https://github.com/o/n/issues/1 www.x.io",
            "closes https:|//github.com/o/n/issues/1 www.|x.io",
        );
        check(
            "![a](https://x.io/?d=1) [b](c) [d][e]\n[e]: f",
            "!|[a]|(https:|//x.io/?d=1) [b]|(c) [d]|[e]\n[e]|: f",
        );
        check(
            "<img src=x><!-- y --> &lt; &#64;org a & b",
            "&lt;img src=x>&lt;!-- y --> &amp;lt; &amp;#|64;org a & b",
        );
        check("a\u{202e}b\u{e0041}c\u{0}", "abc");
    }

    #[test]
    fn no_line_is_a_command_to_a_bot() {
        check(
            "/approve\n  /lgtm\na /b\n//c\n",
            "|/approve\n  |/lgtm\na /b\n//c\n",
        );
    }

    #[test]
    fn code_in_a_fence_is_left_alone() {
        check(
            "```rust\n#[test] @x <T> ![y](z)\n```\n@a\n",
            "```rust\n#[test] @x <T> ![y](z)\n```\n@|a\n",
        );
        check("~~~\n```\n@x\n~~~\n@a", "~~~\n```\n@x\n~~~\n@|a");
        check("````\n```\n@x\n````\n@a", "````\n```\n@x\n````\n@|a");
    }

    #[test]
    fn a_fence_that_stays_open_is_closed() {
        check("```\n@x", "```\n@x\n```\n");
    }

    #[test]
    fn what_is_no_fence_for_github_hides_nothing() {
        for text in [
            "- ```\n  x\n  ```\n@org/team\n",
            "- x\n  ```\n@org/team\n",
            " ```\nx\n```\n@org/team\n",
            "> ```\n@org/team\n",
            "``` a`b\n@org/team\n",
            "1. ~~~\n@org/team\n~~~\n",
            "$$\n```\n$$\n@org/team\n```\n",
            "x ```\n```\n@org/team\n```\n",
        ] {
            let tamed = tame(text);
            assert!(!tamed.contains("@org"), "{text:?} became {tamed:?}");
        }
    }

    #[test]
    fn commands_of_the_runner_are_spelled_out() {
        assert!(!crate::inert::has_command(&tame(
            "::error::x\n```\n::add-mask::y\n```\n"
        )));
    }

    proptest! {
        #[test]
        fn whatever_comes_calls_nobody_outside_of_code(text in "(\\PC|[@#!<\\[\\]():`~\n -]|```|~~~|- |> |www.|://){0,60}") {
            let tamed = tame(&text);
            let mut fence = None;
            for line in tamed.split_inclusive('\n') {
                match fence {
                    Some(open) => if closes(line, open) { fence = None },
                    None => {
                        fence = opens(line);
                        if fence.is_some() { continue }
                        let lone = |sign: &str| line.match_indices(sign).any(|(at, _)| !line[at + sign.len()..].starts_with(BREAK));
                        prop_assert!(!lone("@") && !line.contains("!["), "{:?}", tamed);
                        prop_assert!(!line.contains('<') && !line.contains("](") && !line.contains("://"), "{:?}", tamed);
                    }
                }
            }
            prop_assert!(fence.is_none(), "{:?}", tamed);
        }
    }
}
