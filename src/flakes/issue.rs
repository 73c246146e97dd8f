//! What the issue of a cluster says, and what can be read back from it when nothing else is left.
//!
//! Names come from reports that anybody may have written: they stand in code spans, sentences with names in them are inert. Its id and
//! its tests are whole lines that people see, because what hides in an HTML comment is taken out by sanitizers and planted by quotes.

use jiff::Timestamp;

use super::clusters::key_of;
use super::escalation::{Link, News, Subject, day};
use super::quarantine::{Mode, shown};
use super::verdict::{percent, times};
use crate::forge::body::Section;
use crate::inert::{code, prose};
use crate::order;
use crate::stats::failure_rate;

/// The label by which issues are found.
pub(crate) const LABEL: &str = "maestro-flaky";

/// Tables end here.
const MOST_ROWS: usize = 50;

/// Tests whose evidence is quoted.
const MOST_EVIDENCE: usize = 10;

/// Keys of more tests have no room.
const MOST_KEYS: usize = 1_000;

/// Titles are cut here, in characters: GitHub takes 256.
const LONGEST_TITLE: usize = 120;

/// Names in the text are cut here.
const LONGEST_NAME: usize = 300;

const ID: &str = "flaky-test-id: ";
const TESTS: &str = "flaky-tests: ";

/// Returns the name of a cluster's text, for the line that marks it as ours.
pub(crate) fn mark(cluster: &str) -> String {
    format!("flaky {cluster}")
}

/// Returns the name of a cluster's comment of a day.
pub(crate) fn mark_of_comment(cluster: &str, at: Timestamp) -> String {
    format!("flaky {cluster} {}", day(at))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn named(suite: &str, test: &str, in_table: bool) -> String {
    code(&cut(&shown(suite, test), LONGEST_NAME), in_table)
}

/// Returns the title: it names the first test only, so that it does not change with the others.
pub(crate) fn title(link: &Link) -> String {
    let name = link.tests.first().map_or_else(String::new, |first| {
        code(
            &cut(&shown(&first.suite, &first.test), LONGEST_TITLE),
            false,
        )
    });
    format!("Flaky test: {name}")
}

/// Returns the text of an open issue: what stands, in which the owners are named after the subjects.
pub(crate) fn text(link: &Link, subjects: &[(&Subject, Option<&str>)]) -> Vec<Section> {
    let mut sections = vec![
        section("answer", answer(link, subjects), 9),
        section("tests", table(subjects), 8),
        section("evidence", evidence(subjects), 5),
        section("what to do", what_to_do(), 6),
    ];
    sections.extend(at_rest(link, subjects));
    sections.push(section("id", lines(link), 10));
    sections
}

fn section(title: &str, text: String, priority: u8) -> Section {
    Section {
        title: title.into(),
        text,
        priority,
    }
}

fn answer(link: &Link, subjects: &[(&Subject, Option<&str>)]) -> String {
    let mut owners: Vec<&str> = subjects.iter().filter_map(|(_, owner)| *owner).collect();
    order::sort(&mut owners);
    owners.dedup();
    let owners = match &owners[..] {
        [] => "nobody, by CODEOWNERS".to_owned(),
        owners => {
            let owners = owners.iter().take(5).map(|owner| code(owner, false));
            owners.collect::<Vec<_>>().join(", ")
        }
    };
    let what = match subjects.len() {
        1 => "This test passes and fails on the same code.".to_owned(),
        more => format!(
            "**{} fail in the same runs**, so that one cause, and one repair, is likely.",
            times(more as u64, "test")
        ),
    };
    let last = subjects
        .iter()
        .filter_map(|(subject, _)| subject.failures.last)
        .max();
    let last = last.map_or_else(String::new, |last| format!(" · last failed {}", day(last)));
    format!(
        "{what}\n\nOwner: {owners} · first seen {}{last}",
        day(link.first_seen)
    )
}

fn table(subjects: &[(&Subject, Option<&str>)]) -> String {
    let mut text = String::from(
        "| Test | Failed | Rate % (95 %) | Passed on retry | Verdict | Quarantine |\n|---|---:|---:|---:|---|---|\n",
    );
    for (subject, _) in subjects.iter().take(MOST_ROWS) {
        let tally = subject.tally;
        let rate = failure_rate(tally.failures, tally.runs);
        let quarantine = match &subject.entry {
            None => "no".to_owned(),
            Some(entry) => {
                let mode = match entry.mode {
                    Mode::Gate => "forgiven",
                    Mode::Skip => "skipped",
                };
                format!("{mode} until {}", entry.review_by)
            }
        };
        text.push_str(&format!(
            "| {} | {} of {} | {} ({}–{}) | {} | {} | {quarantine} |\n",
            named(&subject.suite, &subject.test, true),
            tally.failures,
            tally.runs,
            percent(rate.mean),
            percent(rate.low),
            percent(rate.high),
            tally.retry_passes,
            subject.judgement.verdict.name(),
        ));
    }
    if subjects.len() > MOST_ROWS {
        let more = (subjects.len() - MOST_ROWS) as u64;
        text.push_str(&format!("\nand {} more\n", times(more, "test")));
    }
    text
}

fn evidence(subjects: &[(&Subject, Option<&str>)]) -> String {
    let mut text = String::from("### Evidence\n\n");
    for (subject, _) in subjects.iter().take(MOST_EVIDENCE) {
        let sentences = subject.judgement.evidence.iter();
        let sentences: Vec<String> = sentences
            .map(|sentence| prose(&cut(sentence, LONGEST_NAME)))
            .collect();
        let name = named(&subject.suite, &subject.test, false);
        text.push_str(&format!("- {name}: {}\n", sentences.join("; ")));
        if let Some(entry) = &subject.entry {
            let reason = prose(&cut(&entry.reason, LONGEST_NAME));
            text.push_str(&format!(
                "  - in quarantine since {}: {reason}\n",
                entry.since
            ));
        }
    }
    text
}

fn what_to_do() -> String {
    "### What to do\n\nFind what the failing runs have in common, mend it, and take the test out of quarantine with \
     `maestro flakes quarantine release`. This issue closes when each of its tests is out of quarantine or has passed so often that it fails \
     less than once in a hundred runs (95 %, Jeffreys' prior), and opens again when one fails again."
        .to_owned()
}

/// Names the tests of the cluster that do not stand any more.
fn at_rest(link: &Link, subjects: &[(&Subject, Option<&str>)]) -> Option<Section> {
    let rest = link.tests.iter().skip(subjects.len());
    let names: Vec<String> = rest
        .take(MOST_EVIDENCE)
        .map(|linked| named(&linked.suite, &linked.test, false))
        .collect();
    if names.is_empty() {
        return None;
    }
    let text = format!("Well again, or elsewhere now: {}", names.join(", "));
    Some(section("tests that are well", text, 3))
}

/// Returns the lines that tell of what the issue is, whatever becomes of the state.
fn lines(link: &Link) -> String {
    let keys: Vec<String> = link
        .tests
        .iter()
        .take(MOST_KEYS)
        .map(|linked| key_of(&linked.suite, &linked.test))
        .collect();
    format!("`{ID}{}`\n\n`{TESTS}{}`", link.cluster, keys.join(" "))
}

/// Returns the text of an issue that closes.
pub(crate) fn closing_text(link: &Link, older: Option<u64>) -> Vec<Section> {
    let why = match (&link.merged_into, older) {
        (Some(_), Some(number)) => {
            format!("Its tests fail together with others now: see #{number}.")
        }
        (Some(id), None) => format!("Its tests fail together with others now: `{ID}{id}`."),
        (None, _) => "Each of its tests is out of quarantine, or has passed so often that it is well. It opens again when one fails again.".to_owned(),
    };
    let mut sections = vec![section("answer", why, 9)];
    sections.extend(at_rest(link, &[]));
    sections.push(section("id", lines(link), 10));
    sections
}

/// Returns the comment about failures that nobody was told of.
pub(crate) fn comment(news: News, subjects: &[(&Subject, Option<&str>)]) -> Vec<Section> {
    let again = subjects
        .iter()
        .filter(|(subject, _)| subject.failures.last.is_some_and(|last| last > news.after));
    let names: Vec<String> = again
        .clone()
        .take(MOST_EVIDENCE)
        .map(|(subject, _)| format!("- {}", named(&subject.suite, &subject.test, false)))
        .collect();
    let count = again.count();
    let more = match count.saturating_sub(names.len()) {
        0 => String::new(),
        more => format!("\n- and {more} more"),
    };
    let text = format!(
        "Failed again since {} ({}), last on {}:\n\n{}{more}",
        day(news.after),
        times(count as u64, "test"),
        day(news.until),
        names.join("\n")
    );
    vec![section("answer", text, 9)]
}

/// Reads a cluster's id and the keys of its tests back from the text of its issue.
pub(crate) fn read_back(text: &str) -> Option<(String, Vec<String>)> {
    let line = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| {
            line.trim_end()
                .strip_prefix('`')?
                .strip_prefix(name)?
                .strip_suffix('`')
        })
    };
    let is_key = |key: &str| key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = line(ID).filter(|id| is_key(id))?;
    let keys = line(TESTS)
        .unwrap_or_default()
        .split(' ')
        .filter(|key| is_key(key));
    Some((
        id.to_owned(),
        keys.take(MOST_KEYS).map(str::to_owned).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flakes::escalation::LinkedTest;

    fn link(tests: &[&str]) -> Link {
        let linked = |test: &&str| LinkedTest {
            quarantined: false,
            released: None,
            suite: "s".into(),
            test: (*test).into(),
        };
        Link {
            cluster: "0123456789ab".into(),
            first_seen: "2026-01-05T00:00:00Z".parse().unwrap(),
            issue: None,
            merged_into: None,
            open: true,
            tests: tests.iter().map(linked).collect(),
            told: None,
            told_on: None,
            url: None,
        }
    }

    #[test]
    fn id_and_tests_are_read_back_from_the_text() {
        let link = link(&["a", "b"]);
        let keys = vec![key_of("s", "a"), key_of("s", "b")];
        let of = |sections: Vec<Section>| {
            let texts: Vec<String> = sections.into_iter().map(|section| section.text).collect();
            read_back(&texts.join("\n\n").replace('\n', "\r\n"))
        };
        assert_eq!(
            of(text(&link, &[])),
            Some((link.cluster.clone(), keys.clone()))
        );
        assert_eq!(
            of(closing_text(&link, Some(7))),
            Some((link.cluster.clone(), keys))
        );
        assert_eq!(read_back("> `flaky-test-id: 0123456789ab`"), None);
        assert_eq!(read_back("`flaky-test-id: ../x`"), None);
    }

    #[test]
    fn a_title_is_short_and_names_the_first_test_only() {
        let long = "x".repeat(500);
        assert_eq!(title(&link(&["a@b", "b"])), "Flaky test: `s > a@b`");
        assert!(title(&link(&[&long])).chars().count() < 256);
    }

    #[test]
    fn texts_and_comments_of_a_day_have_names_of_their_own() {
        let at = "2026-01-05T23:59:59Z".parse().unwrap();
        assert_eq!(mark("0123"), "flaky 0123");
        assert_eq!(mark_of_comment("0123", at), "flaky 0123 2026-01-05");
    }
}
