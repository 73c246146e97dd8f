//! The page as a whole: nothing is empty that should not be, every link leads somewhere, and what is unknown is said in words.

pub(super) mod story;

use std::collections::BTreeSet;

use super::facts::Known;
use super::pack::Section;
use super::week::Week;
use super::{html, markdown};
use story::{empty, full, hour};

pub(super) fn nothing<T>() -> Known<T> {
    Err("Nothing is stored of it.".to_owned())
}

/// Returns what stands between two marks, each time.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|part| part.split_once(close).map(|(inside, _)| inside))
        .collect()
}

pub(super) fn check_links(page: &str) {
    let ids = between(page, " id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "an id is there twice: {ids:?}");
    for target in between(page, "href=\"#", "\"") {
        assert!(unique.contains(target), "#{target} leads nowhere");
    }
    for target in between(page, "aria-labelledby=\"", "\"") {
        assert!(unique.contains(target), "{target} names nothing");
    }
}

pub(super) fn check_markdown_links(page: &str) {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let slugs: BTreeSet<String> = headings
        .map(|line| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect();
    for target in between(page, "](#", ")") {
        assert!(slugs.contains(target), "#{target} is no heading: {slugs:?}");
    }
}

#[test]
fn every_section_says_something_and_every_link_leads_somewhere() {
    let pack = full().pack();
    for Section {
        id,
        is_unknown,
        words,
        figures,
        tables,
        charts,
        ..
    } in &pack.sections
    {
        assert!(!is_unknown && !words.text().is_empty(), "{id}");
        assert!(!figures.is_empty() || !tables.is_empty(), "{id}");
        assert!(!charts.is_empty() || *id == "kpi", "{id} has no chart");
    }
    assert_eq!(pack.decisions.len(), 3);
    assert!(pack.backlog.len() > 3);
    let page = html::page(&pack);
    check_links(&page);
    assert!(page.len() < 300_000, "{}", page.len());
    assert!(
        !page.contains("<script")
            && !page.contains("NaN")
            && !page.contains("http-equiv=\"refresh")
    );
    check_markdown_links(&markdown::page(&pack));
}

#[test]
fn the_same_facts_make_the_same_bytes() {
    let (one, other) = (full().pack(), full().pack());
    assert_eq!(html::page(&one), html::page(&other));
    assert_eq!(markdown::page(&one), markdown::page(&other));
    assert_eq!(
        serde_json::to_string(&one).unwrap(),
        serde_json::to_string(&other).unwrap()
    );
}

#[test]
fn of_an_empty_repository_all_is_said_in_words() {
    let pack = empty().pack();
    assert_eq!(
        pack.answer.words,
        "Nothing can be compared with the week before yet."
    );
    assert!(pack.decisions.is_empty());
    assert!(pack.notes[0].text().starts_with("Nothing is stored yet"));
    let page = html::page(&pack);
    check_links(&page);
    assert!(!page.contains("<svg") && !page.contains("NaN"), "{page}");
    let text = markdown::page(&pack);
    check_markdown_links(&text);
    assert!(!text.contains("mermaid"));
    // Nothing is zero that nobody knows.
    for figure in pack.sections.iter().flat_map(|section| &section.figures) {
        assert_eq!(figure.value, None, "{}", figure.name);
    }
}

#[test]
fn in_the_first_week_nothing_is_compared_with_a_week_that_nobody_saw() {
    let mut story = full();
    let week = story.week;
    let tests = story.tests.as_mut().unwrap();
    let first = tests
        .runs
        .iter()
        .position(|run| week.holds(run.at))
        .unwrap();
    tests.runs.drain(..first);
    for test in &mut tests.tests {
        test.failed_in.retain(|run| *run >= first);
        for run in &mut test.failed_in {
            *run -= first;
        }
    }
    let pack = story.pack();
    let flakes = pack
        .sections
        .iter()
        .find(|section| section.id == "flakes")
        .unwrap();
    let runs = flakes
        .figures
        .iter()
        .find(|figure| figure.name.starts_with("runs failed"))
        .unwrap();
    assert!(runs.value.is_some());
    assert_eq!(runs.before, None);
    let chart = &flakes.charts[0];
    assert_eq!(
        chart
            .points
            .iter()
            .filter(|point| point.value.is_some())
            .count(),
        1
    );
    assert!(
        !pack
            .answer
            .worse
            .iter()
            .chain(&pack.answer.better)
            .any(|change| change.section == "flakes")
    );
}

#[test]
fn a_clock_that_is_wrong_and_a_week_that_is_not_over_are_told() {
    let mut story = full();
    story.now = hour(24);
    let notes: Vec<String> = story
        .pack()
        .notes
        .iter()
        .map(super::words::Words::text)
        .collect();
    assert!(notes[0].contains("not over"), "{notes:?}");
    assert!(notes[1].contains("a clock is wrong"), "{notes:?}");
    let answer = story.pack().answer;
    assert!(
        !answer
            .better
            .iter()
            .chain(&answer.worse)
            .any(|change| change.measure == "deployments")
    );
    story.now = hour(-24);
    assert!(story.pack().notes[0].text().contains("has not begun"));
}

#[test]
fn an_item_goes_when_it_is_fixed_and_keeps_its_id_until_then() {
    let mut story = full();
    let before = story.pack();
    let broken = before
        .backlog
        .iter()
        .find(|item| item.kind == "broken")
        .unwrap()
        .clone();
    // Another failure changes what it costs and not what it is.
    let tests = story.tests.as_mut().unwrap();
    let last = tests
        .runs
        .iter()
        .rposition(|run| Week::parse("2026-W47").unwrap().holds(run.at))
        .unwrap();
    tests.tests[2].failed_in.push(last);
    tests.runs[last].failed += 1;
    let worse = story.pack();
    let same = worse
        .backlog
        .iter()
        .find(|item| item.id == broken.id)
        .unwrap();
    assert!(same.value > broken.value);
    story.tests.as_mut().unwrap().tests[2].verdict = "fixed";
    assert!(!story.pack().backlog.iter().any(|item| item.id == broken.id));
}

#[test]
fn decisions_are_asked_for_once_and_followed_up() {
    let mut story = full();
    let asked = story.pack().decisions;
    story.decided = super::decisions::keep(&asked, "2026-W47");
    story.decided.swap(0, 2);
    let again: Vec<String> = story
        .pack()
        .decisions
        .iter()
        .map(|item| item.id.clone())
        .collect();
    assert_eq!(
        again,
        asked.iter().map(|item| item.id.clone()).collect::<Vec<_>>()
    );
    let mut later = full();
    later.week = Week::parse("2026-W48").unwrap();
    later.now = hour(14 * 24 + 9);
    later.decided = super::decisions::keep(&asked, "2026-W47");
    let last = later.pack().last_week;
    assert_eq!(last.decisions.len(), 3);
    assert_eq!(last.week, "2026-W47");
    later.tests = nothing();
    let unknown = later.pack().last_week.decisions;
    assert!(
        unknown
            .iter()
            .any(|outcome| outcome.state == "unknown" && outcome.now.is_none())
    );
}

#[test]
fn what_others_wrote_is_neither_markup_nor_a_call() {
    let hostile = "x @org/team fixes #1 | `c` <img src=x onerror=1></script> [a](javascript:1) https://evil.example \u{202e}\n# no heading";
    let mut story = full();
    story.repository = hostile.into();
    story.troubles = vec![hostile.into()];
    let tests = story.tests.as_mut().unwrap();
    for test in &mut tests.tests {
        test.name = hostile.into();
        test.owner = Some(hostile.into());
        if let Some(entry) = &mut test.quarantine {
            entry.issue = Some(format!("https://evil.example/{hostile}"));
        }
    }
    tests.clusters[0].issue = Some(format!("javascript:{hostile}"));
    for call in &mut story.money.as_mut().unwrap().calls {
        call.role = Some(hostile.into());
    }
    for run in story.agents.as_mut().unwrap() {
        run.tasks[1].failures = vec![("refused".into(), hostile.into())];
    }
    for verdict in story.verdicts.as_mut().unwrap() {
        verdict.blocked_by = vec![hostile.into()];
    }
    for plan in story.plans.as_mut().unwrap() {
        plan.reasons = vec![hostile.into()];
    }
    story.overrides[0].reason = hostile.into();
    let pack = story.pack();
    let page = html::page(&pack);
    check_links(&page);
    for markup in [
        "<img",
        "</script",
        "href=\"javascript",
        "\u{202e}",
        "onerror=1>",
    ] {
        assert!(!page.contains(markup), "{markup}");
    }
    let text = markdown::page(&pack);
    check_markdown_links(&text);
    assert!(!text.lines().any(|line| line.starts_with("# no")), "{text}");
    for line in text.lines() {
        let outside = without_code(line);
        for markup in [
            "<img",
            "](javascript",
            " @org",
            "evil.example \\",
            "</script",
        ] {
            assert!(!outside.contains(markup), "{markup}: {line}");
        }
    }
}

/// Returns a line without its code spans, as CommonMark 6.1 has them.
fn without_code(line: &str) -> String {
    let (mut outside, mut rest) = (String::new(), line);
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let length = rest[start..]
            .bytes()
            .take_while(|byte| *byte == b'`')
            .count();
        let (fence, after) = rest[start..].split_at(length);
        let mut end = None;
        let mut at = 0;
        while let Some(found) = after[at..].find('`') {
            let run = after[at + found..]
                .bytes()
                .take_while(|byte| *byte == b'`')
                .count();
            if run == length {
                end = Some(at + found + run);
                break;
            }
            at += found + run;
        }
        match end {
            Some(end) => rest = &after[end..],
            None => {
                outside.push_str(fence);
                rest = after;
            }
        }
    }
    outside + rest
}
