//! Asking a GitHub on this machine, through octocrab and real sockets.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::github::{End, GitHub};
use super::identity::{Whose, enter_installation, me};
use super::upsert;
use crate::forge::api::{account, issues, pulls, runs};
use crate::forge::problem::ForgeError;
use crate::forge::repository::RepoName;
use crate::forge::upsert::key;
use crate::ports::forge::{Credential, Secret, Server};
use crate::ports::{Clock, World};

mod every;
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

    fn shared(&self) -> std::sync::Arc<dyn Clock> {
        std::sync::Arc::new(Self::new())
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

/// Asks the fake, and waits for an answer no longer than that.
fn impatiently<R>(fake: &Fake, silence: Duration, ask: impl FnOnce(&GitHub<'_>) -> R) -> R {
    let (port, clock) = (World::github(), TestClock::new());
    let server = Some(server(&fake.api(), TOKEN));
    let github = GitHub::new(
        port.as_ref(),
        &clock,
        server,
        repository(),
        Duration::from_mins(2),
    );
    ask(&github.impatient(silence))
}

#[test]
fn pages_are_followed_here_whatever_host_a_link_names() {
    let fake = Fake::start();
    for _ in 0..250 {
        fake.comment(1, 5, "x");
    }
    with(&fake, |github| {
        let listing = issues::comments(&repository(), 1);
        let whole = github.list(&listing, 1000, &mut |_| true);
        assert_eq!(
            (whole.items.len(), whole.end, github.calls()),
            (250, End::Whole, 3)
        );
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
    assert!(
        error.to_string().contains("is no key in PEM form"),
        "{error}"
    );
}

#[test]
fn the_workflows_own_account_is_known_everywhere() {
    let fake = Fake::start();
    assert_eq!(with(&fake, |github| me(github, &Whose::Actions)), Ok(ME));
    assert_eq!(with(&fake, |github| me(github, &Whose::Somebody)), Ok(ME));
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let fake = every::furnished();
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
