//! One comment, one issue, one draft: however often, from however many places, and whatever gets lost.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::json;

use super::fake::{Answer, Fake, Fault, ME};
use super::{TOKEN, TestClock, repository, server, with};
use crate::conduct::github::GitHub;
use crate::conduct::identity::Whose;
use crate::conduct::post::{Posted, Words, keep};
use crate::conduct::upsert::{self, Issue, Pull};
use crate::forge::body::Section;
use crate::forge::problem::ForgeError;
use crate::forge::request::{Request, Response, Silence};
use crate::ports::World;
use crate::ports::forge::{Forge, Server};

/// Keeps one text of some kind; returns how often it wrote.
type Keep<'k> = &'k dyn Fn(&GitHub<'_>, &str) -> Result<u64, ForgeError>;

const KEY: &str = "`maestro: pr`";

fn text(words: &str) -> String {
    format!("{words}\n\n{KEY}\n")
}

fn upserts(fake: &Fake, words: &str) -> Result<u64, ForgeError> {
    with(fake, |github| {
        upsert::comment(github, ME, 1, KEY, &text(words))
    })
    .map(|done| done.writes)
}

#[test]
fn one_comment_is_kept_and_written_only_when_it_changes() {
    let fake = Fake::start();
    for (words, writes) in [("one", 1), ("one", 0), ("two", 1), ("two", 0)] {
        assert_eq!(upserts(&fake, words), Ok(writes), "{words}");
        assert_eq!(fake.comments(1), [text(words)]);
    }
    assert_eq!(fake.writes().len(), 2);
}

#[test]
fn a_comment_survives_people() {
    let fake = Fake::start();
    // A spoofed one, one that quotes the key, and more than a page of talk.
    fake.comment(1, 9, &text("spoofed"));
    fake.comment(1, ME, &format!("> {KEY}"));
    for _ in 0..150 {
        fake.comment(1, 9, "talk");
    }
    assert_eq!(upserts(&fake, "one"), Ok(1));
    assert_eq!(upserts(&fake, "one"), Ok(0));
    // Somebody edits it, and then deletes it.
    let edit = |change: &dyn Fn(&mut Vec<serde_json::Value>)| {
        change(fake.store().lists.get_mut("/issues/1/comments").unwrap());
    };
    edit(&|comments| comments.last_mut().unwrap()["body"] = json!(text("human words")));
    assert_eq!(upserts(&fake, "one"), Ok(1));
    edit(&|comments| drop(comments.pop()));
    assert_eq!(upserts(&fake, "one"), Ok(1));
    let comments = fake.comments(1);
    assert_eq!(comments.len(), 153);
    assert_eq!(
        comments
            .iter()
            .filter(|found| **found == text("one"))
            .count(),
        1
    );
    assert_eq!(comments[0], text("spoofed"));
}

#[test]
fn fifty_at_once_leave_one_comment() {
    let fake = Fake::start();
    std::thread::scope(|scope| {
        for number in 0..50 {
            let fake = &fake;
            scope.spawn(move || {
                upserts(fake, if number % 2 == 0 { "even" } else { "odd" }).unwrap()
            });
        }
    });
    let comments = fake.comments(1);
    assert_eq!(comments.len(), 1, "{comments:?}");
}

#[test]
fn of_several_who_each_know_a_part_nobody_loses_one() {
    let fake = Fake::start();
    let write = |own: &str| {
        with(&fake, |github| {
            let compose = |ours: Option<&str>| {
                let mut lines: Vec<&str> = ours.unwrap_or_default().lines().collect();
                lines.retain(|line| !line.is_empty() && *line != KEY && *line != own);
                lines.push(own);
                lines.sort_unstable();
                Some(text(&lines.join("\n")))
            };
            upsert::composed(github, ME, (1, KEY), &compose).unwrap()
        })
    };
    for _ in 0..8 {
        fake.store().lists.clear();
        std::thread::scope(|scope| {
            for own in ["gate", "health"] {
                let write = &write;
                scope.spawn(move || write(own));
            }
        });
        assert_eq!(fake.comments(1), [text("gate\nhealth")]);
    }
}

/// A port that dies at one exchange: before anything is sent, or after the answer came.
struct Dying<'p> {
    port: &'p dyn Forge,
    left: Cell<u32>,
    sends: bool,
}

// Tests use it from one thread.
struct Shared<'p>(std::sync::Mutex<Dying<'p>>);

impl Forge for Shared<'_> {
    fn exchange(
        &self,
        server: &Server,
        request: &Request,
        etag: Option<&str>,
        within: Duration,
    ) -> Result<Response, Silence> {
        let dying = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let left = dying.left.get();
        dying.left.set(left.wrapping_sub(1));
        // Unlike a panic, this tells nobody.
        let die = || std::panic::resume_unwind(Box::new("killed"));
        if left == 0 && !dying.sends {
            die();
        }
        let answer = dying.port.exchange(server, request, etag, within);
        if left == 0 {
            die();
        }
        answer
    }

    fn fetch(&self, _: &str, _: u64, _: Duration) -> Result<Response, Silence> {
        Err(Silence::Unusable("not here".into()))
    }
}

#[test]
fn a_crash_at_any_request_leaves_one_text() {
    let port = World::github();
    let title = "Flaky: a";
    let kinds: [Keep<'_>; 3] = [
        &|github, words| upsert::comment(github, ME, 1, KEY, &text(words)).map(|done| done.writes),
        &|github, words| {
            upsert::issue(
                github,
                ME,
                Issue {
                    title,
                    text: &text(words),
                    key: KEY,
                    label: "maestro",
                    number: None,
                    is_open: true,
                },
            )
            .map(|done| done.writes)
        },
        &|github, words| {
            upsert::pull(
                github,
                ME,
                Pull {
                    title,
                    text: &text(words),
                    key: KEY,
                    head: "x",
                    base: "main",
                    is_draft: true,
                },
            )
            .map(|done| done.writes)
        },
    ];
    for (kind, upsert) in kinds.iter().enumerate() {
        for at in 0..8 {
            for sends in [false, true] {
                let fake = Fake::start();
                let clock = TestClock::new();
                let new = |port| {
                    GitHub::new(
                        port,
                        &clock,
                        Some(server(&fake.api(), TOKEN)),
                        repository(),
                        Duration::from_mins(1),
                    )
                };
                let dying = Shared(std::sync::Mutex::new(Dying {
                    port: port.as_ref(),
                    left: Cell::new(at),
                    sends,
                }));
                let first = new(&dying);
                let _may_be_killed = catch_unwind(AssertUnwindSafe(|| {
                    upsert(&first, "one").and_then(|_| upsert(&first, "two"))
                }));
                assert!(upsert(&new(port.as_ref()), "three").unwrap() >= 1);
                assert_eq!(
                    upsert(&new(port.as_ref()), "three"),
                    Ok(0),
                    "kind {kind}, request {at}"
                );
                let store = fake.store();
                let lists = ["/issues/1/comments", "/issues", "/pulls"];
                let found: Vec<&serde_json::Value> =
                    store.lists.get(lists[kind]).into_iter().flatten().collect();
                assert_eq!(found.len(), 1, "kind {kind}, request {at}");
                assert_eq!(found[0]["body"], text("three"));
            }
        }
    }
}

#[test]
fn an_answer_that_is_lost_is_found_again() {
    for fault in [Fault::Reset, Fault::After(Answer::json(502, &json!({})))] {
        let fake = Fake::start();
        fake.faults(move |asked| (asked.method == "POST").then(|| fault.clone()));
        assert_eq!(upserts(&fake, "one"), Ok(1));
        assert_eq!(fake.comments(1), [text("one")]);
    }
}

#[test]
fn a_closed_issue_is_opened_again_and_a_double_one_set_aside() {
    let fake = Fake::start();
    let keep = |words: &str| {
        with(&fake, |github| {
            upsert::issue(
                github,
                ME,
                Issue {
                    title: "Flaky: a",
                    text: &text(words),
                    key: KEY,
                    label: "maestro",
                    number: None,
                    is_open: true,
                },
            )
        })
        .map(|done| done.writes)
        .unwrap()
    };
    assert_eq!((keep("one"), keep("one")), (1, 0));
    fake.store().lists.get_mut("/issues").unwrap()[0]["state"] = json!("closed");
    assert_eq!((keep("one"), keep("one")), (1, 0));
    let copy = fake.store().lists["/issues"][0].clone();
    fake.store().lists.get_mut("/issues").unwrap().push(copy);
    let last = fake.store().next;
    fake.store().lists.get_mut("/issues").unwrap()[1]["number"] = json!(last);
    fake.store().lists.get_mut("/issues").unwrap()[1]["id"] = json!(last);
    assert_eq!((keep("one"), keep("one")), (1, 0));
    let store = fake.store();
    let states: Vec<_> = store.lists["/issues"]
        .iter()
        .map(|issue| issue["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["open", "closed"]);
}

#[test]
fn a_read_only_token_is_told_which_permission_is_missing() {
    let fake = Fake::start();
    fake.store().is_read_only = true;
    let error = upserts(&fake, "one").unwrap_err();
    assert!(matches!(error, ForgeError::Denied { .. }), "{error}");
    assert!(
        error.hint().contains("`permissions: { issues: write }`"),
        "{}",
        error.hint()
    );
    assert!(error.hint().contains("fork"), "{}", error.hint());
}

#[test]
fn a_forks_token_falls_back_to_the_step_summary() {
    let fake = Fake::start();
    let section = |text: String, priority| Section {
        title: format!("part {priority}"),
        text,
        priority,
    };
    let sections = [
        section("**fine**".into(), 9),
        section("🦀".repeat(40_000), 1),
    ];
    let post = || {
        with(&fake, |github| {
            let words = Words {
                sections: &|_| sections.to_vec(),
                is_same: &|a, b| a == b,
                begins: true,
                elsewhere: "See the summary.",
            };
            keep(github, &Whose::Actions, (1, "pr"), &words)
        })
        .unwrap()
        .unwrap()
    };
    assert!(matches!(post(), Posted::Comment(done) if done.writes == 1));
    assert!(matches!(post(), Posted::Comment(done) if done.writes == 0));
    let comment = fake.comments(1).remove(0);
    assert!(
        comment.starts_with("**fine**")
            && comment.contains(
                "Left out, because GitHub takes no longer text: part 1. See the summary."
            )
    );
    fake.store().is_read_only = true;
    fake.store().lists.clear();
    let Posted::Summary { text, why } = post() else {
        panic!("a comment was made")
    };
    assert_eq!(text, comment);
    assert!(matches!(why, ForgeError::Denied { .. }));
}
