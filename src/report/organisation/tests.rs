//! Many repositories on one page.

use super::*;
use crate::report::facts::Facts as Story;
use crate::report::sections::brief;
use crate::report::tests::story::{delivery, empty, full, hour};
use crate::report::tests::{check_links, check_markdown_links, nothing};

fn read(story: &Story) -> Read {
    Read {
        pack: story.pack(),
        brief: brief(story),
    }
}

fn member(line: usize, name: &str, story: &Story) -> Member {
    Member {
        line,
        name: name.into(),
        path: format!("clones/{name}"),
        found: Ok(Box::new(read(story))),
    }
}

fn missing(line: usize, name: &str) -> Member {
    Member {
        found: Err(Unread {
            is_missing: true,
            words: "there is no such folder".into(),
        }),
        ..member(line, name, &empty())
    }
}

fn facts(members: Vec<Member>) -> Facts {
    Facts {
        week: empty().week,
        now: empty().now,
        list: "repositories.txt".into(),
        members,
        delivery: Ok(delivery()),
    }
}

fn team() -> Facts {
    facts(vec![
        member(1, "acme/new", &empty()),
        member(2, "acme/payments-api", &full()),
        missing(4, "acme/gone"),
    ])
}

fn made(facts: &Facts) -> Organisation {
    organisation(facts, &|_| None)
}

#[test]
fn every_repository_has_a_row_and_leads_to_its_page() {
    let all = made(&team());
    assert_eq!(all.words, "1 both, 1 with nothing to compare, 1 not read.");
    let statuses: Vec<&str> = all.repositories.iter().map(|row| row.status).collect();
    assert_eq!(statuses, ["empty", "read", "missing"]);
    let payments = &all.repositories[1];
    let pack = full().pack();
    let escapes = pack
        .sections
        .iter()
        .flat_map(|section| &section.figures)
        .find(|figure| figure.name == "escapes")
        .unwrap();
    assert_eq!(
        payments.escapes.map(crate::delivery::quantiles::float),
        escapes.value
    );
    assert_eq!((payments.decisions.done, payments.decisions.open), (2, 0));
    assert_eq!(
        (
            payments.ci_p95.now,
            payments.ci_p95.before,
            payments.ci_p95.moved
        ),
        (Some(840.0), Some(1020.0), Some("faster"))
    );
    // Nothing is zero that nobody knows.
    let new = &all.repositories[0];
    assert_eq!(
        (new.flaky, new.escapes, new.models_usd, new.minutes_skipped),
        (None, None, None, None)
    );
    let (page, text) = (html::page(&all), markdown::page(&all));
    check_links(&page);
    check_markdown_links(&text);
    assert!(
        page.contains("<a href=\"2026-W47-acme-payments-api.html\">acme/payments-api</a>"),
        "{page}"
    );
    assert!(
        text.contains("[`acme/payments-api`](2026-W47-acme-payments-api.md)"),
        "{text}"
    );
    assert!(page.contains("there is no such folder") && text.contains("`there is no such folder`"));
    assert!(!page.contains("acme-gone.html"), "{page}");
    assert!(!page.contains("<script") && !page.contains("NaN"));
}

#[test]
fn the_three_that_weigh_most_are_asked_for_and_named() {
    let mut quiet = full();
    quiet.tests = nothing();
    let facts = facts(vec![
        member(1, "acme/a", &quiet),
        member(2, "acme/b", &full()),
    ]);
    let all = made(&facts);
    assert_eq!(all.decisions.len(), 3);
    let weights: Vec<f64> = all
        .decisions
        .iter()
        .map(|one| one.proposal.weight)
        .collect();
    assert!(
        weights.windows(2).all(|pair| pair[0] >= pair[1]),
        "{weights:?}"
    );
    let most = facts
        .members
        .iter()
        .flat_map(|one| &one.found.as_ref().unwrap().pack.backlog);
    let most = most.map(|one| one.weight).fold(0.0, f64::max);
    assert!((weights[0] - most).abs() < 1e-9, "{weights:?} {most}");
    assert_eq!(all.decisions[0].repository, "acme/b");
    assert_eq!(
        (all.last_week.asked, all.last_week.done),
        (4, all.repositories[0].decisions.done + 2)
    );
}

#[test]
fn in_an_issue_no_page_lies_beside_it() {
    let all = made(&team());
    let text: String = markdown::parts(&all, false)
        .into_iter()
        .map(|part| part.text)
        .collect();
    assert!(
        !text.contains(".md") && text.contains("`acme/payments-api`"),
        "{text}"
    );
    check_markdown_links(&text);
}

#[test]
fn what_others_wrote_is_neither_markup_nor_a_path() {
    let hostile = "x @org/team | `c` <img src=x> </td></script> ../../etc \u{202e}";
    let mut facts = team();
    facts.list = hostile.into();
    for one in &mut facts.members {
        one.name = hostile.into();
        one.path = hostile.into();
    }
    facts.members[2].found = Err(Unread {
        is_missing: false,
        words: hostile.into(),
    });
    let all = made(&facts);
    let (page, text) = (html::page(&all), markdown::page(&all));
    for markup in ["<img", "</script", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    for row in &all.repositories {
        let page = row.page.as_deref().unwrap_or_default();
        assert!(!page.contains('/') && !page.contains(".."), "{page}");
    }
    // A cell that a pipe splits would move all that follow.
    let head = text
        .lines()
        .find(|line| line.starts_with("| Repository | Against"))
        .unwrap();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| [`"))
        .collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows.iter().all(|line| cells(line) == cells(head)), "{text}");
}

#[test]
fn a_hundred_and_twenty_repositories_are_one_page_below_300_kb() {
    let names: Vec<String> = (0..120)
        .map(|number| format!("acme-of-the-north/payments-service-{number}"))
        .collect();
    let Read { pack, brief } = read(&full());
    let member = |(line, name): (usize, &String)| Member {
        line,
        name: name.clone(),
        path: name.clone(),
        found: Ok(Box::new(Read {
            pack: pack.clone(),
            brief: brief.clone(),
        })),
    };
    let all = made(&facts((1..).zip(&names).map(member).collect()));
    let page = html::page(&all);
    check_links(&page);
    assert!(page.len() < 300_000, "{}", page.len());
    assert_eq!(
        page.matches("<a href=\"2026-W47-acme-of-the-north-payments-service-")
            .count(),
        120 + 6
    );
}

#[test]
fn of_a_week_that_is_not_over_counts_are_not_compared() {
    let mut facts = team();
    facts.now = hour(24);
    let all = made(&facts);
    assert!(all.notes[0].text().contains("not over"));
    assert!(
        !all.answer
            .same
            .iter()
            .chain(&all.answer.unknown)
            .any(|name| name.starts_with("deployments"))
    );
    assert_eq!(
        all.delivery.commands[0],
        "maestro dora explain lead-time-merge --since 2026-11-16 --until 2026-11-23 --repos repositories.txt"
    );
    assert_eq!(argument("it's mine"), "'it'\\''s mine'");
}
