//! The comment: at most eight lines that everybody sees, the first of which says what to do. What others wrote stands in code spans.

use super::{Problem, Weight};
use crate::inert::{code, prose};

/// So many lines are not folded away, the first one included.
const MOST: usize = 8;

/// Lays out the lines that everybody sees.
pub(crate) fn lines(problems: &[(Weight, &Problem)], infos: &[String], commit: &str) -> String {
    let blocking: Vec<&Problem> = problems
        .iter()
        .filter(|(weight, _)| *weight == Weight::Blocks)
        .map(|(_, problem)| *problem)
        .collect();
    let others: Vec<String> = problems
        .iter()
        .filter(|(weight, _)| *weight != Weight::Blocks)
        .map(|(weight, problem)| info(*weight, problem))
        .chain(infos.iter().cloned())
        .collect();
    let short = commit.get(..commit.len().min(7)).unwrap_or_default();
    let mark = if blocking.is_empty() { "✅" } else { "❌" };
    let things = match blocking.len() {
        0 => "nothing for you".to_owned(),
        1 => "1 thing for you".to_owned(),
        count => format!("{count} things for you"),
    };
    let mut text = format!(
        "**{mark} maestro: {things}, {} for information** · commit {}\n",
        others.len(),
        code(short, false)
    );
    let rows = blocking.iter().map(|problem| fix(problem));
    let rows: Vec<String> = rows.chain(others).collect();
    let fits = rows.len() < MOST;
    let shown = if fits { rows.len() } else { MOST - 2 };
    for row in &rows[..shown] {
        text.push_str(&format!("- {row}\n"));
    }
    if !fits {
        text.push_str(&format!("- and {} more, below\n", rows.len() - shown));
    }
    text
}

fn fix(problem: &Problem) -> String {
    format!(
        "**FIX** {}. {}.",
        said(&problem.words),
        said(&capital(problem.fix.trim_end_matches('.')))
    )
}

fn info(weight: Weight, problem: &Problem) -> String {
    let words = said(&problem.words);
    match (&problem.overridden, weight) {
        (Some(one), _) => format!(
            "**INFO** {words}: {} let it pass, {}",
            code(&one.who, false),
            code(&one.reason, false)
        ),
        _ => format!(
            "**INFO** {words}: would block, with {}",
            code(&format!("enforce: [{}]", problem.capability.name()), false)
        ),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Words of ours with foreign ones between backticks.
fn said(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&code(part, false));
            continue;
        }
        let (start, end) = (part.starts_with(' '), part.ends_with(' '));
        let inside = prose(part);
        if start && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(inside.trim());
        if end && !inside.trim().is_empty() {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Capability, Problem};
    use super::*;

    fn problem(rule: &str, words: &str) -> Problem {
        Problem::new(Capability::Policy, rule, "a", words, "use `bar`")
    }

    #[test]
    fn the_first_line_says_what_to_do() {
        let bad = problem("licences", "`foo 2.1` is not allowed");
        let text = lines(
            &[(Weight::Blocks, &bad), (Weight::WouldBlock, &bad)],
            &["12 of 47 jobs ran".to_owned()],
            "4f2c1a0000",
        );
        let all: Vec<&str> = text.lines().collect();
        assert!(
            all[0].starts_with("**❌ maestro: 1 thing for you, 2 for information**"),
            "{text}"
        );
        assert!(
            all[1].starts_with("- **FIX** `foo 2.1` is not allowed. Use `bar`."),
            "{text}"
        );
        assert!(
            all[2].contains("would block, with `enforce: [policy]`"),
            "{text}"
        );
        assert_eq!(all.len(), 4);
        let fine = lines(&[], &[], "4f2c1a0000");
        assert!(
            fine.starts_with("**✅ maestro: nothing for you, 0 for information**"),
            "{fine}"
        );
    }

    #[test]
    fn never_more_than_eight_lines() {
        let bad = problem("size", "it is large");
        for count in 0..20 {
            let problems = vec![(Weight::Blocks, &bad); count];
            let text = lines(&problems, &[], "abc");
            let visible = text.lines().count();
            assert!(visible <= MOST, "{count}: {text}");
            assert_eq!(text.contains("more, below"), count > 7, "{count}: {text}");
        }
    }

    #[test]
    fn foreign_words_stay_words() {
        let bad = problem("x", "`@team <!-- [a](http://x) #1` came @all");
        let text = lines(&[(Weight::Blocks, &bad)], &[], "abc");
        assert!(text.contains("`@team"), "{text}");
        assert!(!text.contains(" @all"), "{text}");
    }
}
