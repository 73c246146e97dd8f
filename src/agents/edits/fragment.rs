//! A search that is not whole lines: part of one, or lines of which the first begins and the last ends in the middle. It must stand in the file to
//! the character, once, and not inside a word.

use super::fit::{Change, Misfit, tell};
use super::levels::{Level, indent, weight};
use super::text::{Hits, Text};

/// How many lines are compared at most.
const PATIENCE: usize = 1 << 24;
/// How many places are counted at most.
const MOST_HITS: usize = 100;

/// Finds the place of a search and says what it comes to.
pub(super) fn fit(text: &Text<'_>, search: &str, replace: &str) -> Result<Change, Misfit> {
    let wanted: Vec<&str> = search.lines().collect();
    let is_open = !search.ends_with('\n');
    let Some((first, rest)) = wanted.split_first() else {
        return Err(Misfit::Missing);
    };
    // A block's lines are whole: a first one that has lost its indentation is only like the file's.
    if !is_open && (weight(first) < 3 || !tell(&wanted, false)) {
        return Err(Misfit::Missing);
    }
    let mut hits = Hits::default();
    let mut column = 0;
    match rest.split_last() {
        None if is_open => {
            for (at, line) in text.lines().enumerate() {
                let mut from = 0;
                while hits.count < MOST_HITS
                    && let Some(start) = line.get(from..).and_then(|rest| rest.find(first))
                {
                    hits.add(at);
                    column = from + start;
                    from = column
                        + line
                            .get(column..)
                            .and_then(|rest| rest.chars().next())
                            .map_or(1, char::len_utf8);
                }
            }
        }
        None => {}
        Some((last, middle)) => {
            let mut patience = PATIENCE;
            for at in 0..text.len().saturating_sub(rest.len()) {
                if patience == 0 {
                    return Err(Misfit::Missing);
                }
                patience -= 1;
                let line = text.line(at);
                let Some(before) = line.strip_suffix(first) else {
                    continue;
                };
                let fits = |line: &str| {
                    if is_open {
                        line.starts_with(last)
                    } else {
                        line == *last
                    }
                };
                let agree = middle
                    .iter()
                    .enumerate()
                    .take_while(|(nth, line)| text.line(at + 1 + nth) == **line)
                    .count();
                patience = patience.saturating_sub(agree);
                if agree == middle.len()
                    && fits(text.line(at + rest.len()))
                    && (is_open || before.trim().is_empty())
                {
                    hits.add(at);
                    column = before.len();
                }
            }
        }
    }
    let (1, Some(at)) = (hits.count, hits.first.first().copied()) else {
        return Err(if hits.count == 0 {
            Misfit::Missing
        } else {
            Misfit::Ambiguous(Level::Exact, hits)
        });
    };
    let end = at + wanted.len();
    let last = text.line(end - 1);
    let close = if rest.is_empty() {
        column + first.len()
    } else {
        wanted.last().map_or(0, |last| last.len())
    };
    let (before, behind) = (
        text.line(at).get(..column).unwrap_or(""),
        last.get(close..).unwrap_or(""),
    );
    if is_inside_word(before, search) || is_inside_word(search.trim_end_matches('\n'), behind) {
        return Err(Misfit::Missing);
    }
    check_margin(before, behind, rest.is_empty(), replace).map_err(
        |is_doubtful| match is_doubtful {
            true => Misfit::Doubtful(
                at,
                "it leaves out indentation, and the new lines may already have it or not",
            ),
            false => Misfit::Missing,
        },
    )?;
    let replace = if is_open {
        replace
    } else {
        replace.strip_suffix('\n').unwrap_or(replace)
    };
    let whole = format!("{before}{replace}{behind}");
    let with = if whole.trim().is_empty() {
        Vec::new()
    } else {
        whole.lines().map(str::to_owned).collect()
    };
    Ok(Change {
        range: at..end,
        with,
    })
}

/// Whether a word goes on from one text to the next.
fn is_inside_word(before: &str, behind: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    before.chars().next_back().is_some_and(is_word) && behind.chars().next().is_some_and(is_word)
}

/// Whether it is clear how deep the new lines stand: whoever leaves out the first line's indentation leaves it out of the others, or does not.
/// An error says whether both may be meant; else they were written without it, and are none of this module's.
fn check_margin(before: &str, behind: &str, is_one: bool, replace: &str) -> Result<(), bool> {
    let is_margin = !before.is_empty() && before.trim().is_empty();
    if !is_margin || !behind.trim().is_empty() || replace.trim().is_empty() {
        return Ok(());
    }
    let mut lines = replace.lines();
    if !indent(lines.next().unwrap_or_default()).is_empty() {
        return Err(true);
    }
    let others: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    if !is_one || others.is_empty() {
        return Ok(());
    }
    Err(others.iter().all(|line| line.starts_with(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(file: &str, search: &str, replace: &str) -> Result<String, Misfit> {
        let mut text = Text::read(file);
        let change = fit(&text, search, replace)?;
        text.splice(change.range, change.with);
        Ok(String::from_utf8(text.write()).unwrap())
    }

    #[track_caller]
    fn check(file: &str, search: &str, replace: &str, after: &str) {
        assert_eq!(fitted(file, search, replace).as_deref(), Ok(after));
    }

    #[test]
    fn parts_of_lines() {
        check("let a = f(1);\n", "f(1)", "g(2)", "let a = g(2);\n");
        check("  a(b,\r\n    c);\r\n", "b,\n    c", "d", "  a(d);\r\n");
        check("  x = 1\n", "x = 1", "", "");
        check("  x = 1\n", "x = 1", "y = 2", "  y = 2\n");
        check(
            "    first();\n    g_one();\n",
            "first();\n    g_one();\n",
            "h();\n    i();\n",
            "    h();\n    i();\n",
        );
    }

    #[test]
    fn a_part_must_stand_there_once_and_not_inside_a_word() {
        assert_eq!(fitted("max = 1\n", "x = 1", "y"), Err(Misfit::Missing));
        assert_eq!(
            fitted("f(1) f(1)\n", "f(1)", "y"),
            Err(Misfit::Ambiguous(
                Level::Exact,
                Hits {
                    first: vec![0, 0],
                    count: 2
                }
            ))
        );
        assert_eq!(
            fitted("a===b\n", "==", "!="),
            Err(Misfit::Ambiguous(
                Level::Exact,
                Hits {
                    first: vec![0, 0],
                    count: 2
                }
            ))
        );
        assert_eq!(
            fitted("a = b\n", "a = b\n", "c\n"),
            Err(Misfit::Missing),
            "whole lines are others' business"
        );
    }

    #[test]
    fn indentation_that_may_be_there_or_not_is_not_guessed() {
        let doubt = "it leaves out indentation, and the new lines may already have it or not";
        assert_eq!(
            fitted("    f();\n", "f();", "if a:\n    f();"),
            Err(Misfit::Doubtful(0, doubt))
        );
        assert_eq!(
            fitted("    f();\n", "f();", "f();\ng();"),
            Err(Misfit::Missing)
        );
        assert_eq!(
            fitted(
                "    first();\n    g_one();\n",
                "f();\n    g();",
                "    f();\n    h();"
            ),
            Err(Misfit::Doubtful(0, doubt))
        );
    }
}
