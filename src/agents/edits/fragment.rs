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
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
        return Err(Misfit::Missing);
    };
    let (at, column) = if wanted.len() > 1 {
        lines(text, &wanted, is_open)?
    } else {
        part(text, first, is_open)?
    };
    let end = at + wanted.len();
    let close = if wanted.len() > 1 {
        last.len()
    } else {
        column + first.len()
    };
    let before = text.line(at).get(..column).unwrap_or_default();
    let behind = text.line(end - 1).get(close..).unwrap_or_default();
    if is_inside_word(before, first) || is_inside_word(last, behind) {
        return Err(Misfit::Missing);
    }
    if let Err(is_doubtful) = check_margin(before, behind, wanted.len() == 1, replace) {
        let doubt = "it leaves out indentation, and the new lines may already have it or not";
        return Err(if is_doubtful {
            Misfit::Doubtful(at, doubt)
        } else {
            Misfit::Missing
        });
    }
    let replace = replace
        .strip_suffix('\n')
        .filter(|_| !is_open)
        .unwrap_or(replace);
    let whole = format!("{before}{replace}{behind}");
    let is_gone = whole.trim().is_empty();
    let with = if is_gone {
        Vec::new()
    } else {
        whole.lines().map(str::to_owned).collect()
    };
    Ok(Change {
        range: at..end,
        with,
    })
}

/// The one place of a part of a line, and the column where it begins.
fn part(text: &Text<'_>, wanted: &str, is_open: bool) -> Result<(usize, usize), Misfit> {
    let mut hits = Hits::default();
    let mut column = 0;
    for (at, line) in text.lines().enumerate().filter(|_| is_open) {
        let mut from = 0;
        while hits.count < MOST_HITS
            && let Some(start) = line.get(from..).and_then(|rest| rest.find(wanted))
        {
            hits.add(at);
            column = from + start;
            // The next one may begin inside this one.
            let next = line.get(column..).and_then(|rest| rest.chars().next());
            from = column + next.map_or(1, char::len_utf8);
        }
    }
    Ok((only(hits)?, column))
}

/// The one place of lines of which the first begins in the middle, and the last ends there if they are open.
fn lines(text: &Text<'_>, wanted: &[&str], is_open: bool) -> Result<(usize, usize), Misfit> {
    let [first, middle @ .., last] = wanted else {
        return Err(Misfit::Missing);
    };
    // A block's lines are whole: a first one that has lost its indentation is only like the file's.
    if !is_open && (weight(first) < 3 || !tell(wanted, false)) {
        return Err(Misfit::Missing);
    }
    let mut hits = Hits::default();
    let mut column = 0;
    let mut patience = PATIENCE;
    for at in 0..(text.len() + 1).saturating_sub(wanted.len()) {
        if patience == 0 {
            return Err(Misfit::Missing);
        }
        patience -= 1;
        let Some(before) = text.line(at).strip_suffix(first) else {
            continue;
        };
        let close = text.line(at + 1 + middle.len());
        let is_closed = if is_open {
            close.starts_with(last)
        } else {
            close == *last && before.trim().is_empty()
        };
        let pairs = middle.iter().zip(at + 1..);
        let agree = pairs
            .take_while(|(line, at)| text.line(*at) == **line)
            .count();
        patience = patience.saturating_sub(agree);
        if is_closed && agree == middle.len() {
            hits.add(at);
            column = before.len();
        }
    }
    Ok((only(hits)?, column))
}

fn only(hits: Hits) -> Result<usize, Misfit> {
    match (hits.count, hits.first.first()) {
        (0, _) => Err(Misfit::Missing),
        (1, Some(at)) => Ok(*at),
        _ => Err(Misfit::Ambiguous(Level::Exact, hits)),
    }
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
                "    f();\n    g();\n",
                "f();\n    g();",
                "    f();\n    h();"
            ),
            Err(Misfit::Doubtful(0, doubt))
        );
    }
}
