//! `maestro flakes escalate` when tests get other names.

use crate::flakes_escalate::{TESTS, escalate, escalate_at, history, issues, machine};
use crate::github::Fake;

#[test]
fn a_renamed_test_keeps_its_issue() {
    let (maestro, fake) = (machine(), Fake::start());
    escalate(&maestro, &fake);
    let renamed: Vec<(&str, &[u32])> = TESTS
        .iter()
        .map(|(test, red)| match *test {
            "alone" => ("alone again", &[45][..]),
            other => (other, *red),
        })
        .collect();
    maestro.file("later.ndjson", history(40..50, &renamed));
    let _ = maestro.run(["flakes", "ingest", "later.ndjson"]).success();
    let (code, document) = escalate_at(&maestro, &fake, "2026-01-06T09:00:00Z", &[]);
    assert_eq!(code, 0, "{document}");
    let all = issues(&fake);
    let titles: Vec<&str> = all
        .iter()
        .map(|issue| issue["title"].as_str().unwrap())
        .collect();
    assert_eq!(all.len(), 3, "{titles:?}");
    assert!(
        all.iter().all(|issue| issue["state"] == "open"),
        "{titles:?}"
    );
    let body = |name: &str| {
        all.iter()
            .any(|issue| issue["body"].as_str().unwrap().contains(name))
    };
    assert!(body("`net > alone again`"), "{all:#?}");
}
