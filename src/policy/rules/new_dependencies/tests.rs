//! Changes that `new-dependencies` is about, and such that it leaves alone.

use super::*;
use crate::policy::packages::tests::{bills, judge, said_by};
use crate::supply::{Side, Supplied};

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "": {"name": "shop"},
    "node_modules/a": {"version": "1.0.0", "resolved": "https://npm.example/a/-/a-1.0.0.tgz", "integrity": "sha512-x"},
    "node_modules/b": {"version": "2.0.0", "resolved": "git+ssh://git@example.com/b.git", "license": "MIT"}
}}"#;

fn locks(base: &str, head: &str) -> Supplied {
    let mut supplied = Supplied {
        are_locks_known: true,
        ..Supplied::default()
    };
    assert!(
        supplied
            .add_lock(Side::Base, "package-lock.json", base.as_bytes())
            .unwrap()
    );
    assert!(
        supplied
            .add_lock(Side::Head, "web/package-lock.json", head.as_bytes())
            .unwrap()
    );
    supplied
}

#[test]
fn new_packages_are_counted_and_updates_are_not() {
    let supplied = bills(
        &["npm a 1 MIT"],
        &["npm a 2 MIT", "npm b 1 MIT", "cargo a 1 MIT"],
    );
    assert_eq!(
        said_by::<NewDependencies>("{max: 1}", &supplied),
        ["the change adds 2 packages: a@1, b@1"]
    );
    assert!(said_by::<NewDependencies>("{max: 2}", &supplied).is_empty());
    assert_eq!(
        said_by::<NewDependencies>("{deny: [a]}", &supplied),
        ["`a@1` may not be added"]
    );
}

#[test]
fn lock_files_say_where_packages_come_from() {
    let supplied = locks(r#"{"packages": {}}"#, LOCK);
    assert_eq!(
        said_by::<NewDependencies>(
            "{pinned: true, sources: ['https://npm.example/']}",
            &supplied
        ),
        [
            "`b@2.0.0` comes from elsewhere than is allowed: git+ssh://git@example.com/b.git",
            "`b@2.0.0` is not pinned: no digest in the lock file",
        ]
    );
    assert!(said_by::<NewDependencies>("{max: 0}", &locks(LOCK, LOCK)).is_empty());
}

#[test]
fn a_source_is_matched_by_whole_parts() {
    assert!(is_from("https://a.example/x", "https://a.example"));
    assert!(!is_from("https://a.example.evil/x", "https://a.example"));
    assert!(is_from("default", "default"));
}

#[test]
fn versions_that_move_are_not_pinned() {
    let supplied = bills(
        &["npm x 1 MIT"],
        &["npm x 1 MIT", "npm a latest MIT", "npm b 1.2.3 MIT"],
    );
    assert_eq!(
        said_by::<NewDependencies>("{pinned: true}", &supplied),
        ["`a@latest` is not pinned: no exact version"]
    );
}

#[test]
fn what_is_missing_is_a_breach() {
    assert_eq!(
        judge::<NewDependencies>("{max: 1}", None, "2026-11-26").len(),
        1
    );
    let nothing = Supplied::default();
    assert_eq!(said_by::<NewDependencies>("{max: 1}", &nothing).len(), 1);
    let looked = Supplied {
        are_locks_known: true,
        ..Supplied::default()
    };
    assert!(said_by::<NewDependencies>("{max: 1}", &looked).is_empty());
    let empty: NewDependencies = serde_yaml::from_str("{}").unwrap();
    assert!(empty.is_sound().is_err());
}

#[test]
fn each_setting_alone_asks_for_something() {
    for settings in [
        "{max: 0}",
        "{sources: [default]}",
        "{pinned: true}",
        "{deny: [a]}",
    ] {
        let rule: NewDependencies = serde_yaml::from_str(settings).unwrap();
        assert_eq!(rule.is_sound(), Ok(()), "{settings}");
    }
}

#[test]
fn ranges_and_names_that_move_stand_for_several_versions() {
    for range in [
        "^1.2", "~1", ">=1", "<2", "=1.0", "*", "[1,2)", "1 - 2", "1.*", "1||2", "latest", "next",
        "HEAD", "main", "master",
    ] {
        assert!(is_range(range), "{range}");
    }
    for exact in ["1.2.3", "v1", "1.0.0-next.1", "2024.1", "mainline"] {
        assert!(!is_range(exact), "{exact}");
    }
}

#[test]
fn of_many_new_packages_the_first_are_named_and_the_others_counted() {
    let head = |count: usize| {
        let mut head = vec!["npm x 1 MIT"];
        head.extend(["npm a 1", "npm b 1", "npm c 1", "npm d 1", "npm e 1", "npm f 1"].iter().take(count));
        let breaches = judge::<NewDependencies>("{max: 1}", Some(&bills(&head[..1], &head)), "2026-11-26");
        let breach = breaches.into_iter().next().unwrap();
        (breach.message, breach.observed, breach.fix.unwrap())
    };
    let fix = "do with fewer, or bring them in one by one";
    let (message, observed, helps) = head(5);
    assert_eq!(message, "the change adds 5 packages: a@1, b@1, c@1, d@1, e@1");
    assert_eq!((observed.as_str(), helps.as_str()), ("5 new packages", fix));
    let (message, ..) = head(6);
    assert_eq!(message, "the change adds 6 packages: a@1, b@1, c@1, d@1, e@1, 1 more");
}

#[test]
fn each_reason_has_its_own_way_out_and_mark() {
    let supplied = bills(&["npm x 1 MIT"], &["npm x 1 MIT", "npm a latest MIT"]);
    let settings = "{deny: [a], sources: ['https://npm.example/'], pinned: true}";
    let breaches = judge::<NewDependencies>(settings, Some(&supplied), "2026-11-26");
    let said: Vec<_> = breaches
        .iter()
        .map(|one| (one.fingerprint.as_deref().unwrap(), one.fix.as_deref().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("new-dependencies:npm:a:denied", "use another package"),
            (
                "new-dependencies:npm:a:source",
                "let a lock file name where it comes from, and take it from an allowed place"
            ),
            ("new-dependencies:npm:a:pinned", "pin it in a lock file"),
        ]
    );
}
