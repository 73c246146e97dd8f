//! Everything that GitHub is asked, once each: understood, and in trouble.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::json;

use super::fake::{self, Answer, Fake, Fault};
use super::{TOKEN, TestClock, impatiently, repository, server};
use crate::conduct::github::{End, GitHub};
use crate::forge::api::settings::Question;
use crate::forge::api::{
    account, commits, contents, deployments, git, issues, pulls, releases, runs,
};
use crate::forge::problem::ForgeError;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing};
use crate::ports::{Clock, World};

/// A request or two, and what came of it.
type Ask = fn(&GitHub<'_>, &RepoName) -> Result<(), ForgeError>;

const SHA: &str = "0123456789012345678901234567890123456789";

/// A comment that is there.
const COMMENT: u64 = 1000;

fn one<T: DeserializeOwned>(github: &GitHub<'_>, call: &Call<T>) -> Result<(), ForgeError> {
    github.call(call).map(drop)
}

fn all<T: DeserializeOwned>(
    github: &GitHub<'_>,
    listing: &Listing<T>,
    wanted: usize,
) -> Result<(), ForgeError> {
    let listed = github.list(listing, 1000, &mut |_| true);
    if let End::Broken(error) = listed.end {
        return Err(error);
    }
    assert_eq!(
        (listed.items.len(), listed.end),
        (wanted, End::Whole),
        "{}",
        listing.request.target()
    );
    Ok(())
}

const READS: &[Ask] = &[
    |g, _| one(g, &account::me()),
    |g, _| one(g, &account::user("github-actions[bot]")),
    |g, _| one(g, &account::rate_limit()),
    |g, o| one(g, &account::repository(o)),
    |g, _| one(g, &account::membership("o", "security", "somebody")),
    |g, o| all(g, &pulls::list(o, "all"), 1),
    |g, o| all(g, &pulls::of_branch(o, "o", "x", "open"), 0),
    |g, o| one(g, &pulls::get(o, 1)),
    |g, o| all(g, &pulls::reviews(o, 1), 1),
    |g, o| one(g, &commits::get(o, "v1.0")),
    |g, o| one(g, &commits::compare(o, "main", "feature")),
    |g, o| all(g, &issues::labelled(o, "maestro"), 0),
    |g, o| one(g, &issues::get(o, 1)),
    |g, o| all(g, &issues::comments(o, 1), 1),
    |g, o| all(g, &issues::timeline(o, 1), 9),
    |g, o| {
        let at = TestClock::new().now();
        let filter = runs::Filter {
            branch: Some("main"),
            event: Some("push"),
            status: Some("completed"),
            head_sha: None,
            created: Some((at, at)),
        };
        all(g, &runs::list(o, &filter), 1)
    },
    |g, o| one(g, &runs::get(o, 5)),
    |g, o| one(g, &runs::attempt(o, 5, 2)),
    |g, o| all(g, &runs::jobs(o, 5, 2), 1),
    |g, o| all(g, &runs::every_job(o, 5), 1),
    |g, o| all(g, &runs::artifacts(o), 1),
    |g, o| all(g, &runs::artifacts_of(o, 5), 1),
    |g, o| all(g, &deployments::list(o, Some("production")), 1),
    |g, o| all(g, &deployments::statuses(o, 6), 1),
    |g, o| all(g, &releases::list(o), 1),
    |g, o| one(g, &contents::get(o, ".maestro/a b.yaml", "main")),
    |g, o| one(g, &git::get_ref(o, "heads/main")),
    |g, o| all(g, &git::matching(o, "maestro/inbox/"), 1),
    |g, o| one(g, &git::get_blob(o, "abc")),
    |g, o| one(g, &git::get_tree(o, "abc")),
    |g, o| one(g, &git::get_commit(o, "abc")),
    |g, o| all(g, &issues::changed(o, TestClock::new().now()), 1),
    |g, o| one(g, &account::workflow_permissions(o)),
    |g, o| one(g, &asked(Question::Actions, o)),
    |g, o| one(g, &asked(Question::Workflows, o)),
    |g, o| one(g, &asked(Question::Forks, o)),
    |g, o| one(g, &asked(Question::Rules, o)),
    |g, o| one(g, &asked(Question::Protection, o)),
    |g, o| one(g, &asked(Question::StateRules, o)),
    |g, o| one(g, &asked(Question::Environments, o)),
    |g, o| one(g, &asked(Question::OrganisationActions, o)),
    |g, o| one(g, &asked(Question::OrganisationWorkflows, o)),
];

/// What `doctor` asks.
fn asked(question: Question, repository: &RepoName) -> Call<serde_json::Value> {
    question.call(repository, "main", "maestro-state")
}

const CHANGE: issues::Change<'_> = issues::Change {
    title: Some("t2"),
    body: None,
    state: Some("closed"),
    reason: Some("not_planned"),
};

const PULL: pulls::NewPull<'_> = pulls::NewPull {
    title: "t",
    body: "b",
    head: "x",
    base: "main",
    is_draft: true,
};

/// What may be said twice.
const SETS: &[Ask] = &[
    |g, o| one(g, &pulls::update(o, 1, "t2", "b2")),
    |g, o| one(g, &issues::update(o, 1, CHANGE)),
    |g, o| one(g, &issues::update_comment(o, COMMENT, "other")),
    |g, o| one(g, &git::create_blob(o, "e30=")),
    |g, o| {
        let files = [("a".into(), Some("abc".into())), ("b".into(), None)];
        one(g, &git::create_tree(o, Some("abc"), &files))
    },
    |g, o| one(g, &git::create_commit(o, "m", "abc", &["abc"])),
    |g, o| one(g, &git::update_ref(o, "heads/maestro-state", SHA, false)),
    |g, o| {
        let files = [("a".into(), "100755", Some("abc".into()))];
        one(g, &git::create_tree_of(o, Some("abc"), &files))
    },
];

/// What makes two when it is said twice; `GET` of nothing else is like that.
const MAKES: &[Ask] = &[
    |g, o| one(g, &pulls::create(o, PULL)),
    |g, o| one(g, &issues::create(o, "t", "b", &["maestro"])),
    |g, o| one(g, &issues::add_labels(o, 1, &["flaky"])),
    |g, o| one(g, &issues::comment(o, 1, "text")),
    |g, o| one(g, &git::create_ref(o, "refs/maestro/x", SHA)),
];

/// One of everything.
pub(super) fn furnished() -> Fake {
    let fake = Fake::start();
    for (list, kind) in [
        ("/pulls", "pull-request-simple"),
        ("/pulls/1/reviews", "pull-request-review"),
        ("/issues", "issue"),
        ("/actions/runs", "workflow-run"),
        ("/actions/runs/5/attempts/2/jobs", "job"),
        ("/actions/runs/5/jobs", "job"),
        ("/actions/artifacts", "artifact"),
        ("/actions/runs/5/artifacts", "artifact"),
        ("/deployments", "deployment"),
        ("/deployments/6/statuses", "deployment-status"),
        ("/releases", "release"),
        ("/git/matching-refs/maestro/inbox", "git-ref"),
    ] {
        fake.store()
            .lists
            .insert(list.into(), vec![fake::template(kind)]);
    }
    fake.store().lists.get_mut("/actions/runs").unwrap()[0]["status"] = json!("completed");
    let timeline = [
        "committed",
        "reviewed",
        "commented",
        "merged",
        "head_ref_force_pushed",
        "ready_for_review",
        "convert_to_draft",
        "review_requested",
        "closed",
    ];
    let timeline = timeline.map(|event| fake::template(&format!("timeline-{event}")));
    fake.store()
        .lists
        .insert("/issues/1/timeline".into(), timeline.into());
    let things = [
        ("/pulls/1", "pull-request"),
        ("/issues/1", "issue"),
        ("/actions/runs/5", "workflow-run"),
        ("/actions/runs/5/attempts/2", "workflow-run"),
        ("/actions/permissions", "actions-permissions"),
        ("/actions/permissions/workflow", "workflow-permissions"),
        (
            "/actions/permissions/fork-pr-contributor-approval",
            "fork-approval",
        ),
        ("/rules/branches/main", "rules"),
        ("/rules/branches/maestro-state", "rules"),
        ("/branches/main", "branch"),
        ("/environments", "environments"),
    ];
    for (path, kind) in things {
        fake.store()
            .things
            .insert(path.into(), fake::template(kind));
    }
    assert_eq!(fake.comment(1, 5, "there"), COMMENT);
    fake
}

/// Asks everything, once each.
fn each(
    api: fn(&Fake) -> String,
    asks: &[Ask],
    mut judge: impl FnMut(usize, &Fake, &GitHub<'_>, Ask),
) {
    let (fake, port) = (furnished(), World::github());
    for (number, ask) in asks.iter().enumerate() {
        let clock = TestClock::new();
        let server = Some(server(&api(&fake), TOKEN));
        let github = GitHub::new(
            port.as_ref(),
            &clock,
            server,
            repository(),
            Duration::from_mins(2),
        );
        fake.mend();
        fake.asked();
        judge(number, &fake, &github, *ask);
    }
}

#[test]
fn everything_that_is_asked_is_understood() {
    // An enterprise server is asked below its path.
    for api in [Fake::api, Fake::enterprise] {
        for asks in [READS, SETS, MAKES] {
            each(api, asks, |number, _, github, ask| {
                let done = ask(github, &repository());
                assert_eq!(done, Ok(()), "number {number}");
            });
        }
    }
}

fn refused(status: u16, headers: &[(&str, &str)], message: &str) -> Fault {
    let answer = Answer::json(status, &json!({ "message": message }));
    Fault::Instead(
        headers
            .iter()
            .fold(answer, |answer, (name, value)| answer.with(name, value)),
    )
}

/// What is turned away unheard: anything may be said again.
fn turned_away() -> Vec<Fault> {
    let secondary = "You have exceeded a secondary rate limit";
    let exhausted = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1"),
        ("date", "Mon, 05 Jan 2026 09:00:00 GMT"),
    ];
    vec![
        refused(403, &[("retry-after", "20")], secondary),
        refused(403, &[], secondary),
        refused(429, &exhausted, "API rate limit exceeded"),
        refused(429, &[], ""),
    ]
}

/// What may have been heard.
fn lost() -> Vec<Fault> {
    vec![
        refused(502, &[], ""),
        refused(503, &[], ""),
        Fault::Reset,
        Fault::Torn,
        Fault::CutJson,
    ]
}

#[test]
fn what_passes_is_waited_for_and_asked_again_where_that_does_no_harm() {
    for (asks, faults) in [
        (READS, [turned_away(), lost()].concat()),
        (SETS, [turned_away(), lost()].concat()),
        (MAKES, turned_away()),
    ] {
        for fault in faults {
            each(Fake::api, asks, |number, fake, github, ask| {
                fake.faults_for(1, fault.clone());
                let done = ask(github, &repository());
                assert_eq!(done, Ok(()), "number {number}: {fault:?}");
                // An answer without a body cannot be cut inside.
                let is_whole = number == 9 && matches!(fault, Fault::Torn | Fault::CutJson);
                let wanted = if is_whole { 1 } else { 2 };
                assert!(
                    (wanted..=2).contains(&github.calls()),
                    "number {number}: {fault:?}"
                );
            });
        }
    }
}

#[test]
fn what_makes_something_is_said_once() {
    for fault in lost() {
        each(Fake::api, MAKES, |number, fake, github, ask| {
            fake.faults_for(1, fault.clone());
            let error = ask(github, &repository()).unwrap_err();
            // A cut answer tells that it was done, and not what.
            let is_told = matches!(
                error,
                ForgeError::MayHaveHappened { .. } | ForgeError::Nonsense { .. }
            );
            assert!(is_told, "number {number}: {fault:?}: {error}");
            assert_eq!(fake.asked().len(), 1, "number {number}: {fault:?}");
        });
    }
}

#[test]
fn what_lasts_is_named_at_once_with_the_way_out() {
    type Is = fn(&ForgeError) -> bool;
    let lasting: [(Fault, Is); 7] = [
        (refused(401, &[], "Bad credentials"), |error| {
            matches!(error, ForgeError::BadToken { .. })
        }),
        (
            refused(401, &[], "'Issued at' claim ('iat') must be an Integer"),
            |error| matches!(error, ForgeError::BadToken { .. }),
        ),
        (
            refused(403, &[], "Resource not accessible by integration"),
            |error| matches!(error, ForgeError::Denied { .. }),
        ),
        (
            refused(
                403,
                &[
                    ("x-accepted-oauth-scopes", "repo"),
                    ("x-oauth-scopes", "gist"),
                ],
                "Must have admin rights",
            ),
            |error| matches!(error, ForgeError::Denied { hint, .. } if hint.contains("repo")),
        ),
        (refused(404, &[], "Not Found"), |error| {
            matches!(error, ForgeError::Missing { .. })
        }),
        (refused(422, &[], "Validation Failed"), |error| {
            matches!(error, ForgeError::Refused { status: 422, .. })
        }),
        (refused(429, &[("retry-after", "3600")], ""), |error| {
            matches!(error, ForgeError::RateLimited { .. })
        }),
    ];
    for (fault, is_it) in lasting {
        for asks in [READS, SETS, MAKES] {
            each(Fake::api, asks, |number, fake, github, ask| {
                fake.faults_for(usize::MAX, fault.clone());
                let error = ask(github, &repository()).unwrap_err();
                assert!(is_it(&error), "number {number}: {fault:?}: {error}");
                assert!(!error.hint().is_empty());
                assert_eq!(github.calls(), 1, "number {number}: {fault:?}");
            });
        }
    }
}

#[test]
fn what_goes_on_is_given_up() {
    for fault in lost() {
        each(Fake::api, &READS[..8], |number, fake, github, ask| {
            fake.faults_for(usize::MAX, fault.clone());
            let error = ask(github, &repository()).unwrap_err();
            let is_told = matches!(
                error,
                ForgeError::Unavailable { .. } | ForgeError::Nonsense { .. }
            );
            assert!(is_told, "number {number}: {fault:?}: {error}");
            assert!(github.calls() <= 6);
        });
    }
}

/// Asks a GitHub of its own that is slow at first; returns what came of it, and how often it was asked.
fn slowly(ask: Ask) -> (Result<(), ForgeError>, usize) {
    let fake = furnished();
    fake.faults_for(1, Fault::Slow(1));
    let done = impatiently(&fake, SILENCE, |github| ask(github, &repository()));
    let asked = fake.asked().len();
    (done, asked)
}

/// Longer than an answer takes here, and shorter than a slow one.
const SILENCE: Duration = Duration::from_millis(400);

#[test]
fn a_server_that_says_nothing_is_asked_again_where_that_does_no_harm() {
    for (asks, may_repeat) in [(READS, true), (SETS, true), (MAKES, false)] {
        // Most of the time is spent waiting.
        for some in asks.chunks(8) {
            std::thread::scope(|scope| {
                for ask in some {
                    scope.spawn(move || {
                        let (done, asked) = slowly(*ask);
                        if may_repeat {
                            assert!(done == Ok(()) && asked >= 2, "{done:?} after {asked}");
                        } else {
                            let is_told = matches!(done, Err(ForgeError::MayHaveHappened { .. }));
                            assert!(is_told && asked <= 1, "{done:?} after {asked}");
                        }
                    });
                }
            });
        }
    }
}
