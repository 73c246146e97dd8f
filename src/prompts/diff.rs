//! What differs between two texts, line by line, for people.

/// Unchanged lines that are shown around a change.
const AROUND: usize = 2;

/// Texts with more lines than this between their common ends are shown one after the other.
const MOST_LINES: usize = 2000;

/// Returns the lines that differ, with `-` (old) and `+` (new), and some around them.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.split('\n').collect();
    let new: Vec<&str> = new.split('\n').collect();
    let steps = steps(&old, &new);
    let mut shown = vec![false; steps.len()];
    for (at, _) in steps
        .iter()
        .enumerate()
        .filter(|(_, (sign, _))| *sign != ' ')
    {
        let near = at.saturating_sub(AROUND)..(at + AROUND + 1).min(steps.len());
        shown
            .get_mut(near)
            .into_iter()
            .flatten()
            .for_each(|one| *one = true);
    }
    let mut text = String::new();
    let mut was_shown = true;
    for ((sign, line), is_shown) in steps.iter().zip(shown) {
        if is_shown {
            if !was_shown && !text.is_empty() {
                text.push_str("  …\n");
            }
            text.push_str(&format!("{sign} {line}\n"));
        }
        was_shown = is_shown;
    }
    text
}

/// Returns every line of both texts, in an order that has the common ones once.
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let same = |(one, other): &(&&str, &&str)| one == other;
    let head = old.iter().zip(new).take_while(same).count();
    let (old_rest, new_rest) = (
        old.get(head..).unwrap_or_default(),
        new.get(head..).unwrap_or_default(),
    );
    let tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    let (old_middle, end) = old_rest.split_at(old_rest.len() - tail);
    let (new_middle, _) = new_rest.split_at(new_rest.len() - tail);
    let mut steps: Vec<(char, &str)> = Vec::new();
    steps.extend(old.iter().take(head).map(|line| (' ', *line)));
    if old_middle.len() > MOST_LINES || new_middle.len() > MOST_LINES {
        steps.extend(old_middle.iter().map(|line| ('-', *line)));
        steps.extend(new_middle.iter().map(|line| ('+', *line)));
    } else {
        middle(old_middle, new_middle, &mut steps);
    }
    steps.extend(end.iter().map(|line| (' ', *line)));
    steps
}

/// The longest common subsequence, by the table of its lengths.
fn middle<'a>(old: &[&'a str], new: &[&'a str], steps: &mut Vec<(char, &'a str)>) {
    let width = new.len() + 1;
    let mut lengths = vec![0u16; (old.len() + 1) * width];
    let at = |lengths: &[u16], one: usize, other: usize| {
        lengths.get(one * width + other).copied().unwrap_or(0)
    };
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let length = if one == other {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                steps.push((' ', one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other)
                if other.is_none() || at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) =>
            {
                steps.push(('-', one));
                i += 1;
            }
            (_, Some(other)) => {
                steps.push(('+', other));
                j += 1;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn only_what_differs_is_shown_with_a_little_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n12\nmore\n";
        assert_eq!(
            diff(old, new),
            "  3\n  4\n- 5\n+ five\n  6\n  7\n  …\n  9\n  10\n- 11\n  12\n+ more\n  \n"
        );
        assert_eq!(diff("a\n", "a\n"), "");
        assert_eq!(diff("", "a"), "- \n+ a\n");
    }

    #[test]
    fn a_line_that_moved_is_kept_once() {
        assert_eq!(diff("a\nb\nc", "b\nc\na"), "- a\n  b\n  c\n+ a\n");
    }
}
