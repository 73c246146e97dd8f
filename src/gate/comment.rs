//! The gate's part of the one comment: at most eight lines that everybody sees, the first of which says what to do, and all of it below. What others wrote
//! stands in code spans.

use super::flakes::Known;
use super::{Problem, Weight};
use crate::forge::body::Section;
use crate::inert::{code, prose};

/// So many rows stand below the first line. With it, the line that is unfolded and the one that tells whose comment it is, eight lines are seen.
const MOST: usize = 5;

/// Rows of a table that nobody unfolds to the end; the step summary has them all.
const MOST_FOLDED: usize = 60;

/// What became of a job, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobLine {
    pub(crate) id: String,
    pub(crate) run: bool,
    /// How the change gets there, or why it does not.
    pub(crate) why: String,
}

/// All that is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told<'t> {
    pub(crate) problems: Vec<(Weight, &'t Problem)>,
    /// Known flakes that failed.
    pub(crate) known: &'t [Known],
    /// What else somebody may want to know, a sentence without its full stop each.
    pub(crate) infos: &'t [String],
    /// What is always worth a word, and never a row of its own: how many jobs ran, what agents spent.
    pub(crate) asides: &'t [String],
    /// Who may let something pass.
    pub(crate) judges: &'t [String],
    pub(crate) jobs: &'t [JobLine],
    pub(crate) commit: &'t str,
    /// The time of day.
    pub(crate) updated: String,
}

impl Told<'_> {
    fn blocking(&self) -> impl Iterator<Item = &Problem> {
        let blocking = self
            .problems
            .iter()
            .filter(|(weight, _)| *weight == Weight::Blocks);
        blocking.map(|(_, problem)| *problem)
    }

    /// Rows of information, what is likeliest to be asked about first.
    fn others(&self) -> Vec<String> {
        let mut rows: Vec<String> = self.known.iter().map(flake).collect();
        let others = self
            .problems
            .iter()
            .filter(|(weight, _)| *weight != Weight::Blocks);
        rows.extend(others.map(|(weight, problem)| info(*weight, problem)));
        rows.extend(self.infos.iter().map(|words| said(words)));
        if !self.asides.is_empty() {
            let asides: Vec<String> = self.asides.iter().map(|words| said(words)).collect();
            rows.push(asides.join(" · "));
        }
        rows
    }

    /// Lays out the lines that everybody sees.
    pub(crate) fn lines(&self) -> String {
        let fixes: Vec<String> = self
            .blocking()
            .map(|problem| fix(problem, self.judges))
            .collect();
        let others = self.others();
        let short = self.commit.get(..self.commit.len().min(7));
        let mark = if fixes.is_empty() { "✅" } else { "❌" };
        let things = match fixes.len() {
            0 => "nothing for you".to_owned(),
            1 => "1 thing for you".to_owned(),
            count => format!("{count} things for you"),
        };
        let mut text = format!(
            "**{mark} maestro: {things}, {} for information** · commit {}{}\n",
            others.len(),
            code(short.unwrap_or_default(), false),
            super::parts::updated(&self.updated)
        );
        let rows = fixes.into_iter().map(|row| format!("**FIX** {row}"));
        let others = others.into_iter().map(|row| format!("**INFO** {row}"));
        let rows: Vec<String> = rows.chain(others).collect();
        let shown = if rows.len() <= MOST {
            rows.len()
        } else {
            MOST - 1
        };
        for row in &rows[..shown] {
            text.push_str(&format!("- {row}\n"));
        }
        if shown < rows.len() {
            text.push_str(&format!("- and {} more, below\n", rows.len() - shown));
        }
        text
    }

    /// Lays out what is folded away; empty where nothing is.
    pub(crate) fn details(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        let mut push = |title: &str, text: String, priority| {
            if !text.is_empty() {
                sections.push(Section {
                    title: title.to_owned(),
                    text,
                    priority,
                });
            }
        };
        push("problems", self.problem_table(), 9);
        push("flakes", self.flake_table(), 8);
        push("notes", self.notes(), 7);
        push("plan", self.plan_table(), 3);
        sections
    }

    fn problem_table(&self) -> String {
        let rows = self.problems.iter().map(|(weight, problem)| {
            format!(
                "| {} | {} | {} | {} |\n",
                weight.name(),
                code(&problem.rule, true),
                code(&problem.words, true),
                code(&problem.fix, true)
            )
        });
        table("| | Rule | What | Fix |\n| --- | --- | --- | --- |\n", rows)
    }

    fn flake_table(&self) -> String {
        let rows = self.known.iter().map(|known| {
            format!(
                "| {} | {} | {} | {} |\n",
                code(&known.test, true),
                known.rate.as_ref().map_or("–".to_owned(), rate),
                known
                    .owner
                    .as_ref()
                    .map_or("–".to_owned(), |owner| code(owner, true)),
                known.review_by
            )
        });
        table(
            "| Known flake | Fails | Owner | Review by |\n| --- | --- | --- | --- |\n",
            rows,
        )
    }

    /// What does not stand above, where rows were left out there.
    fn notes(&self) -> String {
        let rows = self.blocking().count() + self.others().len();
        if rows <= MOST {
            return String::new();
        }
        let notes = self.infos.iter().chain(self.asides);
        let notes: Vec<String> = notes.map(|words| format!("- {}\n", said(words))).collect();
        notes.concat()
    }

    fn plan_table(&self) -> String {
        let rows = self.jobs.iter().map(|job| {
            format!(
                "| {} | {} | {} |\n",
                code(&job.id, true),
                if job.run { "runs" } else { "skipped" },
                code(&job.why, true)
            )
        });
        table("| Job | | Why |\n| --- | --- | --- |\n", rows)
    }
}

/// A table, as far as anybody reads; empty without a row.
fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let shown = rows.len().min(MOST_FOLDED);
    let mut text = format!("{head}{}", rows[..shown].concat());
    if shown < rows.len() {
        text.push_str(&format!(
            "\nand {} more, in the step summary\n",
            rows.len() - shown
        ));
    }
    text
}

fn fix(problem: &Problem, judges: &[String]) -> String {
    let mut text = format!(
        "{}. {}",
        said(&problem.words),
        said(&capital(problem.fix.trim_end_matches('.')))
    );
    if judges.is_empty() {
        text.push('.');
        return text;
    }
    let judges: Vec<String> = judges.iter().map(|judge| code(judge, false)).collect();
    text.push_str(&format!(
        ", or ask {}: {}",
        judges.join(", "),
        code(
            &format!("{} {} REASON", super::overrides::COMMAND, problem.rule),
            false
        )
    ));
    text
}

fn info(weight: Weight, problem: &Problem) -> String {
    let words = said(&problem.words);
    match (&problem.overridden, weight) {
        (Some(one), _) => format!(
            "{words}: {} let it pass, {}",
            code(&one.who, false),
            code(&one.reason, false)
        ),
        _ => format!(
            "{words}: would block, with {}",
            code(&format!("enforce: [{}]", problem.capability.name()), false)
        ),
    }
}

fn flake(known: &Known) -> String {
    let mut text = format!("{} failed, known flake", code(&known.test, false));
    if let Some(known) = &known.rate {
        text.push_str(&format!(" ({})", rate(known)));
    }
    if let Some(owner) = &known.owner {
        text.push_str(&format!(", owner {}", code(owner, false)));
    }
    let verdict = if known.is_forgiven {
        "did not block"
    } else {
        "would be forgiven, with `enforce: [flakes]`"
    };
    text.push_str(&format!(", review by {}: {verdict}", known.review_by));
    text
}

/// How often it fails, with the interval and the number of executions.
fn rate(rate: &super::flakes::Rate) -> String {
    let percent = |part: f64| format!("{:.1}", 100.0 * part);
    format!(
        "{} %, {}–{}, n={}",
        percent(rate.mean),
        percent(rate.low),
        percent(rate.high),
        rate.executions
    )
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
    use super::super::flakes::Rate;
    use super::super::{Capability, Problem};
    use super::*;

    fn problem(rule: &str, words: &str) -> Problem {
        Problem::new(Capability::Policy, rule, "a", words, "use `bar`")
    }

    fn told(problems: Vec<(Weight, &Problem)>) -> Told<'_> {
        Told {
            problems,
            commit: "4f2c1a0000",
            updated: "14:02".to_owned(),
            ..Told::default()
        }
    }

    fn known() -> Known {
        Known {
            test: "net::retry_backoff".into(),
            rate: Some(Rate {
                mean: 0.018,
                low: 0.009,
                high: 0.031,
                executions: 412,
            }),
            owner: Some("@acme/net".into()),
            review_by: "2026-12-03".parse().unwrap(),
            is_forgiven: true,
        }
    }

    #[test]
    fn the_first_line_says_what_to_do() {
        let bad = problem("licences", "`foo 2.1` is not allowed");
        let flakes = [known()];
        let asides = [
            "12 of 47 jobs ran".to_owned(),
            "agent spend $3.12 of $10.00".to_owned(),
        ];
        let judges = ["acme/legal".to_owned()];
        let text = Told {
            known: &flakes,
            asides: &asides,
            judges: &judges,
            ..told(vec![(Weight::Blocks, &bad)])
        }
        .lines();
        assert_eq!(
            text,
            "**❌ maestro: 1 thing for you, 2 for information** · commit `4f2c1a0` · updated 14:02 UTC\n\
             - **FIX** `foo 2.1` is not allowed. Use `bar`, or ask `acme/legal`: `/maestro override licences REASON`\n\
             - **INFO** `net::retry_backoff` failed, known flake (1.8 %, 0.9–3.1, n=412), owner `@acme/net`, review by 2026-12-03: did not block\n\
             - **INFO** 12 of 47 jobs ran · agent spend \\$3.\u{200b}12 of \\$10.\u{200b}00\n"
        );
        let would = told(vec![(Weight::WouldBlock, &bad)]).lines();
        assert!(
            would.starts_with("**✅ maestro: nothing for you, 1 for information**"),
            "{would}"
        );
        assert!(
            would.contains("would block, with `enforce: [policy]`"),
            "{would}"
        );
    }

    #[test]
    fn never_more_than_eight_lines_and_nothing_is_lost() {
        let bad = problem("size", "it is large");
        let infos: Vec<String> = (0..4).map(|number| format!("info {number}")).collect();
        for count in 0..200 {
            let told = Told {
                infos: &infos,
                ..told(vec![(Weight::Blocks, &bad); count])
            };
            let text = told.lines();
            // Beside these, what is unfolded and the key.
            assert!(text.lines().count() + 2 <= 8, "{count}: {text}");
            assert_eq!(text.contains("more, below"), count > 1, "{count}: {text}");
            let all: String = told.details().iter().map(|one| one.text.as_str()).collect();
            let notes = infos.iter().filter(|info| all.contains(info.as_str()));
            let is_cut = text.contains("more, below");
            assert_eq!(notes.count(), if is_cut { 4 } else { 0 }, "{count}: {all}");
        }
    }

    #[test]
    fn foreign_words_stay_words() {
        let bad = problem("x", "`@team <!-- [a](http://x) #1` came @all");
        let text = told(vec![(Weight::Blocks, &bad)]).lines();
        assert!(text.contains("`@team"), "{text}");
        assert!(!text.contains(" @all"), "{text}");
    }
}
