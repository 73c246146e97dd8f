//! The pull request of a run: which branch it is on, and what it says to whoever reviews it.
//!
//! What models wrote is tamed; what maestro says stands beside it and is made from the bundle: what is done and not, which tests ran, what it did cost, what
//! a person has to look at. The one line that acts is `Closes #7`, and only where all of it is done.

pub(crate) mod tame;

use super::bundle::{Bundle, RunOutcome, TaskState};
use super::change_record::slug;
use super::scan::Found;
use crate::forge::body::{Fitted, LONGEST, Section, fit};
use crate::forge::request::escape;
use crate::forge::upsert::key;
use crate::inert::{code, prose};
use tame::tame;

/// How the names of its branches begin.
pub(crate) const PREFIX: &str = "maestro/";

/// Of a slug so many characters are in a branch's name.
const LONGEST_SLUG: usize = 40;

/// A title that is longer is cut off in lists.
const LONGEST_TITLE: usize = 120;

/// Of the description so many characters are shown; the rest is room for what maestro says.
const LONGEST_DESCRIPTION: usize = 16_000;

/// Servers refuse longer addresses; GitHub's limit is near 8 KiB.
const LONGEST_ADDRESS: usize = 6000;

/// Rows of a table that nobody would read on.
const MOST_ROWS: usize = 60;

/// What is known beside the bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around<'a> {
    /// Where the run's log is.
    pub(crate) run_url: Option<&'a str>,
    /// What the policy wants a person to look at, and what it warns of.
    pub(crate) policy: Vec<String>,
    /// What the scan of what leaves warns of.
    pub(crate) found: &'a [Found],
}

/// A pull request's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
    /// The line that it is found again by.
    pub(crate) key: String,
    /// Titles of the parts that did not fit.
    pub(crate) left_out: Vec<String>,
}

/// Returns how the branches of an issue, or of a run without one, begin.
pub(crate) fn branch_prefix(bundle: &Bundle) -> String {
    match bundle.issue.number {
        Some(number) => format!("{PREFIX}{number}-"),
        None => format!("{PREFIX}{}-", bundle.run),
    }
}

/// Returns the branch of a bundle, unless there is one already.
pub(crate) fn branch(bundle: &Bundle) -> String {
    let title = &bundle.issue.title;
    let mut name = slug(title).unwrap_or_else(|| "change".to_owned());
    name.truncate(LONGEST_SLUG);
    format!("{}{}", branch_prefix(bundle), name.trim_end_matches('-'))
}

/// Returns the name by which the pull request is found again.
fn name(bundle: &Bundle) -> String {
    match bundle.issue.number {
        Some(number) => format!("agents, issue {number}"),
        None => format!("agents, run {}", bundle.run),
    }
}

/// Writes title and body.
pub(crate) fn words(bundle: &Bundle, around: &Around<'_>) -> Words {
    let key = key(&name(bundle));
    let section = |title: &str, text: String, priority: u8| Section {
        title: title.to_owned(),
        text,
        priority,
    };
    let mut sections = vec![section(
        "description",
        description(&bundle.pull_request.body),
        5,
    )];
    if !is_complete(bundle) {
        sections.push(section("what is not done", unfinished(bundle), 9));
    }
    sections.push(section("tasks", tasks(bundle), 3));
    sections.push(section("tests", tests(bundle), 7));
    if !around.policy.is_empty() {
        sections.push(section(
            "policy",
            list("For a person to look at", &around.policy),
            8,
        ));
    }
    if !around.found.is_empty() {
        let found: Vec<String> = around
            .found
            .iter()
            .map(|one| {
                format!(
                    "{}: {} ({})",
                    code(&one.place.to_string(), false),
                    one.rule.what,
                    one.observed
                )
            })
            .collect();
        sections.push(section(
            "warnings",
            list("Warnings about the change", &found),
            6,
        ));
    }
    sections.push(section("cost", cost(bundle), 7));
    sections.push(section("origin", origin(bundle, around), 10));
    let elsewhere = "The run's own report has all of it.";
    let Fitted { text, left_out } = fit(&sections, &key, elsewhere, LONGEST);
    Words {
        title: title(&bundle.pull_request.title),
        body: text,
        key,
        left_out,
    }
}

/// Returns what the Docs role wrote; the end of a text that nobody reads to its end is cut off.
fn description(body: &str) -> String {
    match body.char_indices().nth(LONGEST_DESCRIPTION) {
        None => tame(body),
        Some((at, _)) => {
            let begin = tame(body.get(..at).unwrap_or_default());
            format!("{}\n\n_(cut here: it is longer)_\n", begin.trim_end())
        }
    }
}

/// Returns a title that calls nobody: GitHub expands a title's references too.
fn title(text: &str) -> String {
    let subject = super::trailers::subject_of(text, LONGEST_TITLE);
    subject.replace(['<', '>'], "")
}

/// Whether all of it is done, by every word that the bundle has about it.
fn is_complete(bundle: &Bundle) -> bool {
    bundle.outcome == RunOutcome::Complete
        && bundle.unfinished.is_empty()
        && bundle
            .tasks
            .iter()
            .all(|task| task.state == TaskState::Done)
}

fn unfinished(bundle: &Bundle) -> String {
    let mut lines: Vec<String> = bundle
        .unfinished
        .iter()
        .take(MOST_ROWS)
        .map(|sentence| prose(sentence))
        .collect();
    let open = bundle
        .tasks
        .iter()
        .filter(|task| task.state != TaskState::Done);
    for task in open.take(MOST_ROWS) {
        let why = task.why.as_deref().unwrap_or("no reason is told");
        lines.push(format!("{}: {}", code(&task.id, false), prose(why)));
    }
    if lines.is_empty() {
        lines.push("The run ended before all of it was done.".to_owned());
    }
    list("Not done", &lines)
}

fn list(title: &str, lines: &[String]) -> String {
    let mut text = format!("### {title}\n\n");
    for line in lines.iter().take(MOST_ROWS) {
        text.push_str(&format!("- {line}\n"));
    }
    if let Some(more) = lines.len().checked_sub(MOST_ROWS + 1) {
        text.push_str(&format!("- and {} more\n", more + 1));
    }
    text
}

fn tasks(bundle: &Bundle) -> String {
    if bundle.tasks.is_empty() {
        return String::new();
    }
    let mut text =
        "### Tasks\n\n| task | role | | attempts | models | cost |\n|---|---|---|--:|---|--:|\n"
            .to_owned();
    for task in bundle.tasks.iter().take(MOST_ROWS) {
        let state = match task.state {
            TaskState::Done => "done",
            TaskState::Failed => "**failed**",
            TaskState::Skipped => "skipped",
        };
        let models: Vec<String> = task
            .models
            .iter()
            .take(5)
            .map(|model| code(model, true))
            .collect();
        text.push_str(&format!(
            "| {} | {} | {state} | {} | {} | ${} |\n",
            prose(&task.title),
            code(&task.role, true),
            task.attempts,
            models.join(" "),
            task.cost_usd
        ));
    }
    if bundle.tasks.len() > MOST_ROWS {
        text.push_str(&format!("\nand {} more.\n", bundle.tasks.len() - MOST_ROWS));
    }
    text
}

fn tests(bundle: &Bundle) -> String {
    let Some(tests) = &bundle.tests else {
        return "### Tests\n\nNo test ran.\n".to_owned();
    };
    let mut text = format!(
        "### Tests\n\n{} ran: {} passed, {} failed.\n",
        tests.ran, tests.passed, tests.failed
    );
    if !tests.excused.is_empty() {
        let names: Vec<String> = tests
            .excused
            .iter()
            .take(20)
            .map(|name| code(name, false))
            .collect();
        text.push_str(&format!(
            "\nExcused, because they are in quarantine ({}): {}\n",
            tests.excused.len(),
            names.join(", ")
        ));
    }
    text
}

fn cost(bundle: &Bundle) -> String {
    format!(
        "Models cost ${} of at most ${}.\n",
        bundle.spent_usd, bundle.cap_usd
    )
}

fn origin(bundle: &Bundle, around: &Around<'_>) -> String {
    let mut text = format!(
        "---\nWritten by agents in the run {}",
        code(&bundle.run, false)
    );
    if let Some(url) = around.run_url {
        text.push_str(&format!(" ([log]({url}))"));
    }
    text.push_str("; a person reviews it before it is merged.\n");
    match (bundle.issue.number, is_complete(bundle)) {
        (Some(number), true) => text.push_str(&format!("\nCloses #{number}\n")),
        (Some(number), false) => text.push_str(&format!("\nA part of #{number}\n")),
        (None, _) => {}
    }
    text
}

/// Returns the address at which a person opens the pull request; what does not fit of its text is left out.
pub(crate) fn open_link(
    web: &str,
    repository: &str,
    base: &str,
    head: &str,
    words: &Words,
) -> String {
    let branch = |name: &str| name.split('/').map(escape).collect::<Vec<_>>().join("/");
    let mut address = format!(
        "{}/{repository}/compare/{}...{}?quick_pull=1&title={}",
        web.trim_end_matches('/'),
        branch(base),
        branch(head),
        escape(&words.title)
    );
    let mut body = String::new();
    for line in words.body.split_inclusive('\n') {
        let line = escape(line);
        if address.len() + body.len() + line.len() + 6 > LONGEST_ADDRESS {
            break;
        }
        body.push_str(&line);
    }
    if !body.is_empty() {
        address.push_str("&body=");
        address.push_str(&body);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::super::bundle::tests::sample;
    use super::*;

    fn around() -> Around<'static> {
        Around {
            run_url: Some("https://github.com/o/n/actions/runs/1"),
            ..Around::default()
        }
    }

    #[test]
    fn it_says_what_was_done_and_closes_the_issue() {
        let words = words(&sample(), &around());
        assert_eq!(words.title, "Say that a sum overflows");
        assert_eq!(
            words.body,
            "It panicked.\n\n### Tasks\n\n| task | role | | attempts | models | cost |\n|---|---|---|--:|---|--:|\n\
             | Do add-check | `implementer` | done | 1 | `anthropic/claude-x` | $0.1 |\n| Do docs | `docs` | done | 1 | `anthropic/claude-x` | $0.1 |\n\n\
             ### Tests\n\n12 ran: 12 passed, 0 failed.\n\nModels cost $0.2 of at most $10.\n\n\
             ---\nWritten by agents in the run `r-1` ([log](https://github.com/o/n/actions/runs/1)); a person reviews it before it is merged.\n\nCloses #7\n\n`maestro: agents, issue 7`\n"
        );
    }

    #[test]
    fn a_part_closes_nothing_and_says_what_is_missing() {
        let mut bundle = sample();
        // What it says of itself does not help.
        bundle.outcome = RunOutcome::Complete;
        bundle.tasks[1].state = TaskState::Failed;
        bundle.tasks[1].why = Some("@org/team fixes #1".into());
        let words = words(&bundle, &around());
        assert!(!words.body.contains("Closes"), "{}", words.body);
        assert!(words.body.contains("A part of #7"), "{}", words.body);
        assert!(
            words
                .body
                .contains("### Not done\n\n- `docs`: @\u{200b}org/team"),
            "{}",
            words.body
        );
    }

    #[test]
    fn what_models_wrote_acts_on_nothing() {
        let mut bundle = sample();
        bundle.pull_request.title = "Fixes #9 for @everyone\n[skip ci] <b>".into();
        bundle.pull_request.body = format!(
            "fixes #9 @org/team ![x](https://x.io)\n```\n`maestro: agents, issue 7`\n{}",
            "y".repeat(10)
        );
        bundle.tasks[0].title = "| x | @org/team".into();
        let words = words(&bundle, &around());
        assert_eq!(words.title, "Fixes no. 9 for (at)everyone (skip ci] b");
        assert!(
            !words.body.contains("fixes #9")
                && !words.body.contains("@org")
                && !words.body.contains("!["),
            "{}",
            words.body
        );
        assert!(words.body.contains("\n```\n\n### Tasks"), "{}", words.body);
        assert_eq!(words.body.matches("Closes #7").count(), 1);
    }

    #[test]
    fn a_text_that_is_too_long_keeps_what_matters() {
        let mut bundle = sample();
        bundle.pull_request.body = "long ".repeat(20_000);
        let words = words(&bundle, &around());
        assert_eq!(words.left_out, [""; 0]);
        for part in [
            "long long",
            "(cut here",
            "### Tasks",
            "Closes #7",
            &words.key,
        ] {
            assert!(words.body.contains(part), "{part}");
        }
        bundle.tasks = vec![bundle.tasks[0].clone(); 60];
        for task in &mut bundle.tasks {
            task.title = "|".repeat(900);
        }
        let words = super::words(&bundle, &around());
        assert_eq!(words.left_out, ["tasks"]);
        assert!(words.body.contains("Closes #7") && words.body.contains(&words.key));
    }

    #[test]
    fn a_branch_is_of_the_issue_or_of_the_run() {
        let mut bundle = sample();
        assert_eq!(branch(&bundle), "maestro/7-sum-overflows");
        bundle.issue.number = None;
        bundle.issue.title = "\u{6f22}\u{5b57}".into();
        assert_eq!(branch(&bundle), "maestro/r-1-change");
        bundle.issue.title = "a ".repeat(100);
        assert!(crate::agents::bundle::is_branch(&branch(&bundle)));
    }

    #[test]
    fn a_link_to_open_it_is_bounded() {
        let mut bundle = sample();
        bundle.pull_request.body = "w\u{f6}rter & = ?\n".repeat(3000);
        let words = words(&bundle, &around());
        let link = open_link(
            "https://github.com/",
            "o/n",
            "main",
            "maestro/7-x y",
            &words,
        );
        assert!(link.starts_with("https://github.com/o/n/compare/main...maestro/7-x%20y?quick_pull=1&title=Say%20that%20a%20sum%20overflows&body=w%C3%B6rter"), "{link}");
        assert!(link.len() <= LONGEST_ADDRESS && link.is_ascii());
    }
}
