//! What models put around a search that is not in the file: blank lines, code fences, the numbers of lines.

/// A search and its replacement without what stood around them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Peeled {
    pub(super) search: String,
    pub(super) replace: String,
    /// Whether blank lines were taken off their beginning and their end.
    pub(super) cut: (bool, bool),
}

/// Returns forms of a search and its replacement with less and less around them; none when there is nothing around them.
pub(super) fn peel(search: &str, replace: &str) -> Vec<Peeled> {
    let mut forms: Vec<Peeled> = Vec::new();
    for step in [
        without_blanks,
        without_fence,
        without_blanks,
        without_numbers,
        without_blanks,
    ] {
        let last = forms.last();
        let (search, replace) =
            last.map_or((search, replace), |last| (&last.search, &last.replace));
        let mut cut = last.map_or((false, false), |last| last.cut);
        let (old, new): (Vec<&str>, Vec<&str>) =
            (search.lines().collect(), replace.lines().collect());
        if let Some((bare, replace)) = step(&old, &new)
            && !bare.iter().all(|line| line.trim().is_empty())
        {
            let is_blank = |line: Option<&&str>| line.is_some_and(|line| line.trim().is_empty());
            cut = (
                cut.0 || is_blank(old.first()),
                cut.1 || is_blank(old.last()),
            );
            forms.push(Peeled {
                search: text(&bare),
                replace: text(&replace),
                cut,
            });
        }
    }
    forms
}

fn text(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

type Lines<'t> = Vec<&'t str>;

/// Blank lines that the replacement has as well: one that it has not may be one that is to go.
fn without_blanks<'t>(search: &[&'t str], replace: &[&'t str]) -> Option<(Lines<'t>, Lines<'t>)> {
    let is_blank = |line: &&&str| line.trim().is_empty();
    let head = search.iter().take_while(is_blank).count();
    let tail = search.iter().rev().take_while(is_blank).count();
    let has_both = replace
        .iter()
        .take(head)
        .chain(replace.iter().rev().take(tail))
        .all(|line| line.trim().is_empty());
    if head + tail == 0 || head == search.len() || !has_both {
        return None;
    }
    let inner = |lines: &[&'t str]| Some(lines.get(head..lines.len().checked_sub(tail)?)?.to_vec());
    Some((inner(search)?, inner(replace)?))
}

fn without_fence<'t>(search: &[&'t str], replace: &[&'t str]) -> Option<(Lines<'t>, Lines<'t>)> {
    let inner = |lines: &[&'t str]| match lines {
        [first, inner @ .., last]
            if is_fence(first)
                && is_fence(last)
                && last.trim().trim_matches(['`', '~']).is_empty() =>
        {
            Some(inner.to_vec())
        }
        _ => None,
    };
    let search = inner(search)?;
    Some((search, inner(replace).unwrap_or_else(|| replace.to_vec())))
}

pub(super) fn is_fence(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("```") || line.starts_with("~~~")
}

fn without_numbers<'t>(search: &[&'t str], replace: &[&'t str]) -> Option<(Lines<'t>, Lines<'t>)> {
    let bare = numbered(search)?;
    let new = numbered(replace);
    let has_some = replace.iter().any(|line| number(line).is_some());
    match new {
        Some(new) => Some((bare, new)),
        None if has_some => None,
        None => Some((bare, replace.to_vec())),
    }
}

/// Takes numbers off lines that all have one, each greater than the last by one.
fn numbered<'t>(lines: &[&'t str]) -> Option<Lines<'t>> {
    let mut next = None;
    let mut bare = Vec::with_capacity(lines.len());
    for line in lines {
        let (number, rest) = number(line)?;
        if next.is_some_and(|next| next != number) {
            return None;
        }
        next = number.checked_add(1);
        bare.push(rest);
    }
    next.map(|_| bare)
}

/// Reads `12 | text`, `12: text`, `12│text`, `12→text` and `12`, tab, `text`.
fn number(line: &str) -> Option<(u64, &str)> {
    let line = line.trim_start_matches(' ');
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = line.get(..digits)?.parse().ok()?;
    let rest = &line[digits..];
    if let Some(rest) = rest.strip_prefix(['\t', '\u{2192}']) {
        return Some((number, rest));
    }
    let rest = rest
        .trim_start_matches(' ')
        .strip_prefix(['|', ':', '\u{2502}'])?;
    Some((number, rest.strip_prefix(' ').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(search: &str, replace: &str, last: Option<(&str, &str)>) {
        let forms = peel(search, replace);
        let found = forms
            .last()
            .map(|form| (form.search.as_str(), form.replace.as_str()));
        assert_eq!(found, last);
    }

    #[test]
    fn fences_are_taken_off_both() {
        check(
            "```rust\na\n```\n",
            "```rust\nb\n```\n",
            Some(("a\n", "b\n")),
        );
        check("```\na\n```\n", "b\n", Some(("a\n", "b\n")));
        check("```\na\n", "b\n", None);
        check("```\n```\n", "b\n", None);
    }

    #[test]
    fn numbers_are_taken_off_when_all_lines_have_them_in_order() {
        check(
            " 9 | a\n10 |   b\n11 |\n",
            " 9 | c\n",
            Some(("a\n  b\n\n", "c\n")),
        );
        check("1\ta\n2\t\tb\n", "c\n", Some(("a\n\tb\n", "c\n")));
        check("7: a\n8: b\n", "7: c\n9: d\n", None);
        check("7: a\n9: b\n", "x\n", None);
        check("7\u{2192}a\n", "7\u{2192}b\n", Some(("a\n", "b\n")));
    }

    #[test]
    fn blank_lines_around_a_search_go_with_those_of_the_replacement() {
        check("\na\n\n", "\n\nb\n\n", Some(("a\n", "\nb\n")));
        check("\na\n", "b\n", None);
        check("\n\n", "b\n", None);
        check("\na\n\n", "\n", None);
    }
}
