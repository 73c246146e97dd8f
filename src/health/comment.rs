//! The part of the one comment that a pull request's health is: what to do first, and everything else folded away.
//!
//! What others wrote stands in code spans, where GitHub expands nothing.

use super::merge_time::{Abstention, Estimate, sentence};
use super::{Evidence, Factor, Health};
use crate::forge::body::Section;
use crate::inert::code;

/// Recommendations that are not folded away: with them a healthy comment has eight lines at most.
const MOST_ADVICE: usize = 3;

/// Evidence that a factor shows in the comment; all of it is in the report.
const MOST_EVIDENCE: usize = 5;

/// When it may be merged, and whether past ones are what git alone shows; or why nobody can tell.
pub(crate) type Time<'a> = Result<(&'a Estimate, bool), &'a Abstention>;

/// Lays it out. `commit` is the head that was judged; without a time nobody asked when it may be merged.
pub(crate) fn sections(health: &Health, time: Option<Time<'_>>, commit: &str) -> Vec<Section> {
    let mut sections = vec![head(health, time, commit)];
    let mut advice = advice(health);
    let rest = advice.split_off(advice.len().min(MOST_ADVICE));
    if !advice.is_empty() {
        sections.push(section("recommendations", advice.concat(), 8));
    }
    let more = if rest.is_empty() {
        String::new()
    } else {
        format!("\nAlso:\n\n{}", rest.concat())
    };
    let factors = folded("Factors", &format!("\n{}{more}", table(health)));
    sections.push(section("factors", factors, 6));
    let details = details(health);
    if !details.is_empty() {
        sections.push(section("evidence", folded("Evidence", &details), 2));
    }
    sections
}

fn folded(title: &str, text: &str) -> String {
    format!("<details><summary>{title}</summary>\n{text}\n</details>")
}

fn section(title: &str, text: String, priority: u8) -> Section {
    Section {
        title: title.into(),
        text,
        priority,
    }
}

fn head(health: &Health, time: Option<Time<'_>>, commit: &str) -> Section {
    let short = commit.get(..commit.len().min(9)).unwrap_or_default();
    let mut text = format!(
        "### Health: {} risk, at {}\n\n{}",
        health.risk.name(),
        code(short, false),
        words(&health.reason)
    );
    match time {
        None => {}
        Some(Ok((estimate, is_proxy))) => {
            text.push_str(&format!("\n\n{}", sentence(estimate, is_proxy)));
        }
        Some(Err(why)) => text.push_str(&format!(
            "\n\nWhen it will be merged cannot be told: {why}."
        )),
    }
    section("health", text, 9)
}

/// A sentence of ours that may hold words of others: what stands between backticks stays, and the rest is made inert.
fn words(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&code(part, true));
            continue;
        }
        // What is made inert loses its edges, and the words beside a span their distance.
        let edge = |is_there: bool| {
            if is_there && !part.trim().is_empty() {
                " "
            } else {
                ""
            }
        };
        out.push_str(edge(part.starts_with(' ')));
        out.push_str(&crate::inert::prose(part));
        out.push_str(edge(part.ends_with(' ')));
    }
    out
}

/// What to do, a line each; what the worst factor asks for comes first.
fn advice(health: &Health) -> Vec<String> {
    let mut lines = Vec::new();
    let mut factors: Vec<&Factor> = health.factors.iter().collect();
    crate::order::sort_by_key(&mut factors, |factor| factor.score);
    for factor in factors {
        for advice in &factor.advice {
            let because = advice
                .because_of
                .iter()
                .filter_map(|at| factor.evidence.get(*at));
            let mut because: Vec<String> = because.map(|one| code(&one.about, false)).collect();
            let more = because.len().saturating_sub(MOST_EVIDENCE);
            because.truncate(MOST_EVIDENCE);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            lines.push(format!("- {}: {}{more}\n", advice.text, because.join(", ")));
        }
    }
    lines
}

fn table(health: &Health) -> String {
    let mut text = String::from("| Factor | Score | Weight | Why |\n| --- | ---: | ---: | --- |\n");
    for factor in &health.factors {
        let score = factor
            .score
            .map_or_else(|| "unknown".to_owned(), |score| score.to_string());
        text.push_str(&format!(
            "| {} | {score} | {} | {} |\n",
            factor.name,
            factor.weight,
            words(&factor.why)
        ));
    }
    text
}

fn details(health: &Health) -> String {
    let mut text = String::new();
    for factor in health
        .factors
        .iter()
        .filter(|factor| !factor.evidence.is_empty())
    {
        text.push_str(&format!("\n**{}**\n\n", factor.name));
        for one in factor.evidence.iter().take(MOST_EVIDENCE) {
            text.push_str(&format!("- {}\n", line(one)));
        }
        let more = factor.evidence.len().saturating_sub(MOST_EVIDENCE);
        if more > 0 {
            text.push_str(&format!("- and {more} more, in the report\n"));
        }
    }
    text
}

fn line(one: &Evidence) -> String {
    format!("{} {}", code(&one.about, false), words(&one.text))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOTHING, file};
    use super::super::{Flaky, Subject, Tests, judge};
    use super::*;

    #[test]
    fn it_says_what_to_do_and_lets_no_name_out() {
        let ifs = "if (a) {}\n".repeat(40);
        let files = [file("a.c", "", &ifs)];
        let tests = Tests {
            touched: 1,
            flaky: vec![Flaky {
                name: "@org/team fixes #1 <b>`|".into(),
                path: "t.py".into(),
                rate: 0.9,
                failures: 9,
                runs: 10,
            }],
        };
        let health = judge(
            &Subject {
                files: &files,
                tests: Some(&tests),
                ..NOTHING
            },
            &|_| None,
        );
        let text: String = sections(
            &health,
            Some(Err(&Abstention::TooFew(3))),
            "0123456789abcdef",
        )
        .into_iter()
        .map(|section| section.text + "\n")
        .collect();
        assert!(
            text.starts_with("### Health: high risk, at `012345678`\n\n`flakes` is 9 of 100"),
            "{text}"
        );
        assert!(
            text.contains("- take the file apart, or the change in two: `a.c`\n"),
            "{text}"
        );
        assert!(text.contains("cannot be told: 3 pull requests"), "{text}");
        assert!(
            text.contains("| patch-coverage | unknown | 20 | no report of coverage was given |"),
            "{text}"
        );
        assert!(text.contains("``@org/team fixes #1 <b>`|``"), "{text}");
        let seen = text
            .split("</details>")
            .filter_map(|part| part.split("<details>").next());
        let seen: usize = seen
            .map(|part| part.lines().filter(|line| !line.is_empty()).count())
            .sum();
        assert!(seen + text.matches("<details>").count() <= 8, "{text}");
        assert_eq!(
            text.matches("@org/team").count(),
            text.matches("``@org/team").count(),
            "{text}"
        );
    }
}
