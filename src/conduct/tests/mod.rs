//! Asking a GitHub on this machine, through octocrab and real sockets.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::github::{End, GitHub};
use super::identity::{Whose, enter_installation, me};
use super::upsert;
use crate::forge::api::{
    account, checks, commits, contents, deployments, git, issues, pulls, releases, runs,
};
use crate::forge::problem::ForgeError;
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing};
use crate::forge::upsert::key;
use crate::ports::forge::{Credential, Secret, Server};
use crate::ports::{Clock, World};

mod upserts;

#[path = "../../../tests/suite/github/mod.rs"]
mod fake;

use fake::{Answer, Fake, Fault, ME, TOKEN};

/// A clock that moves when somebody waits.
struct TestClock(AtomicI64);

impl TestClock {
    fn new() -> Self {
        Self(AtomicI64::new(0))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let begin: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        begin
            .saturating_add(jiff::SignedDuration::from_millis(
                self.0.load(Ordering::SeqCst),
            ))
            .unwrap()
    }

    fn sleep(&self, duration: Duration) {
        self.0.fetch_add(
            i64::try_from(duration.as_millis()).unwrap(),
            Ordering::SeqCst,
        );
    }

    fn dice(&self) -> u64 {
        7
    }
}

fn repository() -> RepoName {
    RepoName::parse("o/n").unwrap()
}

fn server(api: &str, token: &str) -> Server {
    Server {
        api: api.to_owned(),
        credential: Credential::Token(Secret::new(token)),
    }
}

/// Asks the fake, with two minutes of patience that cost none.
fn with<R>(fake: &Fake, ask: impl FnOnce(&GitHub<'_>) -> R) -> R {
    with_api(&fake.api(), ask)
}

fn with_api<R>(api: &str, ask: impl FnOnce(&GitHub<'_>) -> R) -> R {
    let (port, clock) = (World::github(), TestClock::new());
    let github = GitHub::new(
        port.as_ref(),
        &clock,
        Some(server(api, TOKEN)),
        repository(),
        Duration::from_mins(2),
    );
    ask(&github)
}

#[track_caller]
fn reads<T: DeserializeOwned>(github: &GitHub<'_>, call: &Call<T>) {
    if let Err(error) = github.call(call) {
        panic!("{}: {error}; {}", call.request.target(), error.hint());
    }
}

#[track_caller]
fn lists<T: DeserializeOwned>(github: &GitHub<'_>, listing: &Listing<T>, wanted: usize) {
    let listed = github.list(listing, 1000, &mut |_| true);
    assert_eq!(
        (listed.items.len(), listed.end),
        (wanted, End::Whole),
        "{}",
        listing.request.target()
    );
}

/// One of everything that can be listed.
fn furnished() -> Fake {
    let fake = Fake::start();
    for (list, kind) in [
        ("/pulls", "pull-request-simple"),
        ("/pulls/1/files", "diff-entry"),
        ("/pulls/1/commits", "commit"),
        ("/pulls/1/reviews", "pull-request-review"),
        ("/commits", "commit"),
        ("/commits/abc/pulls", "pull-request-simple"),
        ("/issues", "issue"),
        ("/actions/runs", "workflow-run"),
        ("/actions/runs/5/attempts/2/jobs", "job"),
        ("/actions/artifacts", "artifact"),
        ("/actions/runs/5/artifacts", "artifact"),
        ("/deployments", "deployment"),
        ("/deployments/6/statuses", "deployment-status"),
        ("/releases", "release"),
        ("/tags", "tag"),
        ("/commits/abc/check-runs", "check-run"),
        ("/git/matching-refs/maestro/inbox", "git-ref"),
    ] {
        fake.store()
            .lists
            .insert(list.into(), vec![fake::template(kind)]);
    }
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
    ];
    for (path, kind) in things {
        fake.store()
            .things
            .insert(path.into(), fake::template(kind));
    }
    fake
}

fn everything_is_read(api: &str) {
    with_api(api, |github| {
        let o = &repository();
        let at = TestClock::new().now();
        reads(github, &account::me());
        reads(github, &account::user("github-actions[bot]"));
        reads(github, &account::rate_limit());
        reads(github, &account::repository(o));
        reads(github, &account::membership("o", "security", "somebody"));
        lists(github, &pulls::list(o, "all"), 1);
        lists(github, &pulls::of_branch(o, "o", "x"), 0);
        reads(github, &pulls::get(o, 1));
        lists(github, &pulls::files(o, 1), 1);
        lists(github, &pulls::commits(o, 1), 1);
        lists(github, &pulls::reviews(o, 1), 1);
        lists(github, &commits::list(o, "main", Some(at)), 1);
        reads(github, &commits::get(o, "v1.0"));
        lists(github, &commits::pulls(o, "abc"), 1);
        reads(github, &commits::compare(o, "main", "feature"));
        lists(github, &issues::labelled(o, "maestro"), 0);
        reads(github, &issues::get(o, 1));
        lists(github, &issues::comments(o, 1), 0);
        lists(github, &issues::timeline(o, 1), 9);
        let filter = runs::Filter {
            branch: Some("main"),
            event: Some("push"),
            status: Some("completed"),
            head_sha: None,
            created: Some((at, at)),
        };
        lists(github, &runs::list(o, &filter), 1);
        reads(github, &runs::get(o, 5));
        reads(github, &runs::attempt(o, 5, 2));
        lists(github, &runs::jobs(o, 5, 2), 1);
        lists(github, &runs::artifacts(o), 1);
        lists(github, &runs::artifacts_of(o, 5), 1);
        lists(github, &deployments::list(o, Some("production")), 1);
        lists(github, &deployments::statuses(o, 6), 1);
        lists(github, &releases::list(o), 1);
        lists(github, &releases::tags(o), 1);
        lists(github, &checks::of_commit(o, "abc"), 1);
        reads(github, &checks::combined(o, "abc"));
        reads(github, &contents::get(o, ".maestro/a b.yaml", "main"));
        reads(github, &git::get_ref(o, "heads/main"));
        lists(github, &git::matching(o, "maestro/inbox/"), 1);
        reads(github, &git::get_blob(o, "abc"));
        reads(github, &git::get_tree(o, "abc"));
        reads(github, &git::get_commit(o, "abc"));
    });
}

#[test]
fn everything_that_is_read_is_understood() {
    everything_is_read(&furnished().api());
}

#[test]
fn an_enterprise_server_is_asked_below_its_path() {
    everything_is_read(&furnished().enterprise());
}

const SHA: &str = "0123456789012345678901234567890123456789";

fn everything_is_written(api: &str) {
    with_api(api, |github| {
        let o = &repository();
        let new = pulls::NewPull {
            title: "t",
            body: "b",
            head: "x",
            base: "main",
        };
        let pull = github.call(&pulls::create_draft(o, new)).unwrap();
        assert!(pull.draft);
        reads(github, &pulls::update(o, pull.number, "t2", "b2"));
        let issue = github
            .call(&issues::create(o, "t", "b", &["maestro"]))
            .unwrap();
        let change = issues::Change {
            title: Some("t2"),
            body: None,
            state: Some("closed"),
            reason: Some("not_planned"),
        };
        assert_eq!(
            github
                .call(&issues::update(o, issue.number, change))
                .unwrap()
                .state,
            "closed"
        );
        reads(github, &issues::add_labels(o, issue.number, &["flaky"]));
        let comment = github.call(&issues::comment(o, 1, "text")).unwrap();
        reads(github, &issues::update_comment(o, comment.id, "other"));
        reads(github, &issues::delete_comment(o, comment.id));
        let check = checks::Finished {
            name: "maestro",
            head_sha: "abc",
            conclusion: "success",
            title: "t",
            summary: "s",
        };
        let made = github.call(&checks::create(o, check)).unwrap();
        reads(github, &checks::update(o, made.id, check));
        let file = contents::NewFile {
            branch: "x",
            path: "a b/c.json",
            message: "m",
            content: "e30=",
            replaces: Some("abc"),
        };
        reads(github, &contents::put(o, file));
        reads(github, &git::create_blob(o, "e30="));
        reads(
            github,
            &git::create_tree(
                o,
                Some("abc"),
                &[("a".into(), Some("abc".into())), ("b".into(), None)],
            ),
        );
        reads(github, &git::create_commit(o, "m", "abc", &["abc"]));
        reads(github, &git::create_ref(o, "refs/maestro/x", SHA));
        reads(
            github,
            &git::update_ref(o, "heads/maestro-state", SHA, false),
        );
        reads(github, &git::delete_ref(o, "maestro/x"));
    });
}

#[test]
fn everything_that_is_written_is_taken() {
    let fake = furnished();
    everything_is_written(&fake.api());
    everything_is_written(&furnished().enterprise());
}

#[test]
fn pages_are_followed_here_whatever_host_a_link_names() {
    let fake = Fake::start();
    for _ in 0..250 {
        fake.comment(1, 5, "x");
    }
    with(&fake, |github| {
        let listing = issues::comments(&repository(), 1);
        lists(github, &listing, 250);
        assert_eq!(github.calls(), 3);
        let some = github.list(&listing, 120, &mut |_| true);
        assert_eq!((some.items.len(), some.end), (120, End::Cut));
        let mut left = 10;
        let few = github.list(&listing, 1000, &mut |_| {
            left -= 1;
            left >= 0
        });
        assert_eq!((few.items.len(), few.end), (10, End::Enough));
    });
}

#[test]
fn a_list_that_breaks_off_says_so_and_keeps_what_came() {
    let fake = Fake::start();
    for _ in 0..250 {
        fake.comment(1, 5, "x");
    }
    fake.faults(|asked| {
        asked
            .query
            .contains_key("page")
            .then(|| Fault::Instead(Answer::json(502, &json!({}))))
    });
    with(&fake, |github| {
        let listed = github.list(&issues::comments(&repository(), 1), 1000, &mut |_| true);
        assert_eq!(listed.items.len(), 100);
        assert!(
            matches!(&listed.end, End::Broken(ForgeError::Unavailable { .. })),
            "{:?}",
            listed.end
        );
        assert!(listed.whole("list").is_err());
    });
}

#[test]
fn every_fault_of_a_read_ends_well_or_says_why() {
    let limited = |headers: &[(&str, &str)]| {
        let answer = Answer::json(
            403,
            &json!({ "message": "You have exceeded a secondary rate limit" }),
        );
        headers
            .iter()
            .fold(answer, |answer, (name, value)| answer.with(name, value))
    };
    let passing = [
        Fault::Instead(Answer::json(502, &json!({}))),
        Fault::Instead(limited(&[("retry-after", "20")])),
        Fault::Instead(limited(&[])),
        Fault::Instead(
            Answer::json(429, &json!({}))
                .with("x-ratelimit-remaining", 0)
                .with("x-ratelimit-reset", 1)
                .with("date", "Mon, 05 Jan 2026 09:00:00 GMT"),
        ),
        Fault::Reset,
        Fault::Torn,
        Fault::CutJson,
    ];
    let fake = furnished();
    for fault in passing {
        fake.faults_for(1, fault.clone());
        everything_is_read_once(&fake, &fault);
    }
    let lasting = [
        (
            Fault::Instead(Answer::json(401, &json!({ "message": "Bad credentials" }))),
            "does not accept the token",
        ),
        (
            Fault::Instead(Answer::json(
                403,
                &json!({ "message": "Resource not accessible by integration" }),
            )),
            "answers 403",
        ),
        (
            Fault::Instead(limited(&[("retry-after", "3600")])),
            "the rate limit is used up until 2026-01-05T10:00:00Z",
        ),
        (
            Fault::Instead(Answer::json(503, &json!({}))),
            "does not answer",
        ),
        (Fault::CutJson, "cannot be read"),
        (Fault::Reset, "does not answer"),
    ];
    for (fault, wanted) in lasting {
        fake.faults_for(usize::MAX, fault);
        let error = with(&fake, |github| {
            github.call(&pulls::get(&repository(), 1)).unwrap_err()
        });
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

fn everything_is_read_once(fake: &Fake, fault: &Fault) {
    with(fake, |github| {
        let read = github.call(&pulls::get(&repository(), 1));
        assert!(read.is_ok(), "{fault:?}: {read:?}");
        assert_eq!(github.calls(), 2, "{fault:?}");
    });
}

#[test]
fn nothing_is_written_twice_when_an_answer_is_lost() {
    for fault in [
        Fault::Reset,
        Fault::Torn,
        Fault::After(Answer::json(502, &json!({}))),
    ] {
        let fake = Fake::start();
        fake.faults_for(1, fault.clone());
        let error = with(&fake, |github| {
            github
                .call(&issues::comment(&repository(), 1, "x"))
                .unwrap_err()
        });
        assert!(
            matches!(error, ForgeError::MayHaveHappened { .. }),
            "{fault:?} {error}"
        );
        assert_eq!(fake.comments(1), ["x"]);
    }
}

#[test]
fn a_server_that_is_not_there_is_given_up_in_time() {
    // Nobody listens there any more.
    let api = Fake::start().api();
    let (port, clock) = (World::github(), TestClock::new());
    let github = GitHub::new(
        port.as_ref(),
        &clock,
        Some(server(&api, TOKEN)),
        repository(),
        Duration::from_secs(5),
    );
    let error = github
        .call(&issues::comment(&repository(), 1, "x"))
        .unwrap_err();
    assert!(
        matches!(
            error,
            ForgeError::Unavailable { .. } | ForgeError::Deadline { .. }
        ),
        "{error}"
    );
    assert!(clock.0.load(Ordering::SeqCst) <= 5_000);
}

#[test]
fn offline_and_without_a_token_nothing_is_sent() {
    let fake = Fake::start();
    let (port, clock) = (World::github(), TestClock::new());
    let new = |server| {
        GitHub::new(
            port.as_ref(),
            &clock,
            server,
            repository(),
            Duration::from_secs(5),
        )
    };
    let offline = new(Some(server(&fake.api(), TOKEN))).offline(true);
    assert!(matches!(
        offline.call(&account::me()),
        Err(ForgeError::Offline { .. })
    ));
    assert!(matches!(
        new(None).call(&account::me()),
        Err(ForgeError::NoToken { .. })
    ));
    assert!(fake.asked().is_empty());
}

#[test]
fn an_archive_is_fetched_from_elsewhere_without_the_token() {
    let fake = Fake::start();
    let id = fake.artifact("a", 5, "2026-01-05T08:00:00Z", b"PK".to_vec());
    with(&fake, |github| {
        assert_eq!(
            github
                .download(&runs::archive(&repository(), id), 100)
                .unwrap(),
            b"PK"
        );
        let error = github
            .download(&runs::archive(&repository(), id), 1)
            .unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
        assert!(matches!(
            github.download(&runs::archive(&repository(), 1), 100),
            Err(ForgeError::Missing { .. })
        ));
    });
}

#[test]
fn an_app_enters_its_installation_and_knows_its_account() {
    let fake = Fake::start();
    let whose = Whose::App {
        id: 12,
        key: Secret::new(include_str!("../../../tests/suite/github/test-key.pem")),
    };
    with(&fake, |github| {
        enter_installation(github, &whose).unwrap();
        assert_eq!(me(github, &whose), Ok(77));
        let done =
            upsert::comment(github, 77, 1, &key("x"), &format!("text\n\n{}", key("x"))).unwrap();
        assert_eq!(done.writes, 1);
    });
    let wrong = Whose::App {
        id: 12,
        key: Secret::new("no key"),
    };
    let error = with(&fake, |github| {
        enter_installation(github, &wrong).unwrap_err()
    });
    assert!(error.to_string().contains("is no RSA key"), "{error}");
}

#[test]
fn the_workflows_own_account_is_known_everywhere() {
    let fake = Fake::start();
    assert_eq!(with(&fake, |github| me(github, &Whose::Actions)), Ok(ME));
    assert_eq!(with(&fake, |github| me(github, &Whose::Somebody)), Ok(ME));
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let fake = furnished();
    let (files, port) = (World::disk(), World::github());
    let folder = files.temporary_folder("maestro-etags-").unwrap();
    let clock = TestClock::new();
    let github = GitHub::new(
        port.as_ref(),
        &clock,
        Some(server(&fake.api(), TOKEN)),
        repository(),
        Duration::from_mins(1),
    )
    .with_etags(super::etags::Etags::new(files.as_ref(), folder.clone()));
    let first = github.call(&pulls::get(&repository(), 1)).unwrap();
    let statuses = std::sync::Arc::new(std::sync::Mutex::new(0));
    let seen = std::sync::Arc::clone(&statuses);
    fake.faults(move |asked| {
        *seen.lock().unwrap() += i32::from(asked.headers.contains_key("if-none-match"));
        None
    });
    assert_eq!(github.call(&pulls::get(&repository(), 1)).unwrap(), first);
    assert_eq!(*statuses.lock().unwrap(), 1);
    fake.store().things.get_mut("/pulls/1").unwrap()["title"] = json!("changed");
    assert_eq!(
        github.call(&pulls::get(&repository(), 1)).unwrap().title,
        "changed"
    );
    files.remove_folder(&folder).unwrap();
}
