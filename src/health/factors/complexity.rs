//! `complexity`: how many decisions the change adds to the code, and how many of them lie deep inside others.
//!
//! Decisions of all changed files after the change less those before it (`src/health/branches.rs`), so that what is only moved adds none. Thirty
//! more decisions are half of the score: that is a convention, and no finding.

use std::cmp::Reverse;

use super::super::branches::{self, Line};
use super::super::{Evidence, Factor, Subject, count, percent};
use super::About;

pub(super) const ABOUT: About = About {
    name: "complexity",
    what: "how many decisions it adds to the code, and how deep they lie",
    weight: 20,
    judge,
};

/// So much more leaves half of the score.
const HALF: f64 = 30.0;

/// Deeper than this an added decision counts once more: a function of a class with two blocks around.
const DEEP: u32 = 4;

/// Files that are named.
const MOST_FILES: usize = 20;

/// What a change does to one file.
struct Delta<'a> {
    path: &'a str,
    decisions: i64,
    deep: u64,
    /// The line that adds most, or lies deepest.
    line: Option<Line>,
}

fn delta<'a>(file: &'a crate::policy::subject::FileLines<'a>) -> Option<Delta<'a>> {
    if file.is_binary || !branches::is_code(&file.path) {
        return None;
    }
    let sum = |lines: &[Line]| {
        lines
            .iter()
            .map(|line| i64::from(line.decisions))
            .sum::<i64>()
    };
    let side = |text: Option<&[u8]>| branches::lines(&file.path, text.unwrap_or_default());
    let (old, new) = (side(file.old)?, side(file.new)?);
    let is_added = |line: &&Line| {
        file.added
            .binary_search_by_key(&line.number, |one| one.number)
            .is_ok()
    };
    let added: Vec<&Line> = new.iter().filter(is_added).collect();
    let deep = added
        .iter()
        .filter(|line| line.depth > DEEP)
        .map(|line| u64::from(line.decisions))
        .sum();
    let line = added
        .into_iter()
        .max_by_key(|line| (line.depth > DEEP, line.decisions, Reverse(line.number)));
    Some(Delta {
        path: &file.path,
        decisions: sum(&new) - sum(&old),
        deep,
        line: line.copied(),
    })
}

fn judge(subject: &Subject<'_>) -> Factor {
    let mut deltas: Vec<Delta<'_>> = subject.files.iter().filter_map(delta).collect();
    if deltas.is_empty() {
        return Factor::unknown(ABOUT.name, "it changes no code that can be looked into");
    }
    let more: i64 = deltas.iter().map(|delta| delta.decisions).sum();
    // Depth counts only as far as there is more: what was deep before is nobody's doing.
    let deep: u64 = deltas
        .iter()
        .map(|delta| delta.deep.min(delta.decisions.max(0).unsigned_abs()))
        .sum();
    let load = count(more.max(0).unsigned_abs()) + count(deep.min(more.max(0).unsigned_abs()));
    crate::order::sort_by_key(&mut deltas, |delta| (Reverse(delta.decisions), delta.path));
    let named = deltas
        .iter()
        .filter(|delta| delta.decisions > 0)
        .take(MOST_FILES);
    let evidence: Vec<Evidence> = named
        .map(|delta| {
            let mut text = format!("has {} more decisions", delta.decisions);
            if delta.deep > 0 {
                text.push_str(&format!(
                    ", {} of the added ones more than {DEEP} levels deep",
                    delta.deep
                ));
            }
            Evidence::of(delta.path, text).at(delta.path, delta.line.map(|line| line.number))
        })
        .collect();
    let why = match more {
        1.. if deep > 0 => {
            format!("{more} more decisions in code, {deep} of them deep inside others")
        }
        1.. => format!("{more} more decisions in code"),
        0 => "as many decisions in code as before".to_owned(),
        _ => format!("{} fewer decisions in code", -more),
    };
    let is_much = load > HALF;
    let most = usize::from(is_much && !evidence.is_empty());
    Factor::known(ABOUT.name, percent(HALF / (HALF + load)), why, evidence).advise(
        "take the file apart, or the change in two",
        (0..most).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{NOTHING, file};
    use super::*;

    fn factor(files: &[(&str, &str, &str)]) -> Factor {
        let files: Vec<_> = files
            .iter()
            .map(|(path, old, new)| file(path, old, new))
            .collect();
        judge(&Subject {
            files: &files,
            ..NOTHING
        })
    }

    #[test]
    fn decisions_that_were_there_before_are_nobodys_doing() {
        let ifs = "if (a) {}\n".repeat(30);
        assert_eq!(factor(&[("a.c", "", &ifs)]).score, Some(50));
        assert_eq!(factor(&[("a.c", &ifs, &ifs)]).score, Some(100));
        assert_eq!(
            factor(&[("a.c", &ifs, "")]).why,
            "30 fewer decisions in code"
        );
        // Moved to another file.
        assert_eq!(
            factor(&[("a.c", &ifs, ""), ("b.c", "", &ifs)]).score,
            Some(100)
        );
    }

    #[test]
    fn deep_decisions_count_twice() {
        let deep = format!("x\n  y\n{}", "            if (a) {}\n".repeat(15));
        let factor = factor(&[("a.c", "", &deep)]);
        assert_eq!(
            (factor.score, factor.why.as_str()),
            (
                Some(50),
                "15 more decisions in code, 15 of them deep inside others"
            )
        );
        assert_eq!(factor.evidence[0].place.as_ref().unwrap().line, Some(3));
    }

    #[test]
    fn prose_has_no_complexity() {
        assert_eq!(factor(&[("README.md", "", "if and while\n")]).score, None);
        assert_eq!(judge(&NOTHING).score, None);
    }

    #[test]
    fn much_of_it_is_advised_against() {
        let factor = factor(&[("a.c", "", &"if (a) {}\n".repeat(31))]);
        assert_eq!(factor.advice[0].because_of, [0]);
    }
}
