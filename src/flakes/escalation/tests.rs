//! Tests of which tests are somebody's work, and in which cluster.

use jiff::SignedDuration;

use super::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

/// A test of suite `s` that failed in these runs; the first and last hour of it are those of the runs.
fn subject(test: &str, verdict: Verdict, runs: &[u32]) -> Subject {
    let mut subject = unheard(("s".into(), test.into()), None);
    subject.judgement.verdict = verdict;
    subject.failures = Failures {
        runs: runs.to_vec(),
        first: runs.first().map(|run| at(i64::from(*run))),
        last: runs.last().map(|run| at(i64::from(*run))),
    };
    subject
}

fn flaky(test: &str, runs: &[u32]) -> Subject {
    subject(test, Verdict::Flaky, runs)
}

fn quarantined(mut subject: Subject, since: &str) -> Subject {
    let test = &subject.test;
    let register = format!(
        r#"{{"schema": "maestro.quarantine/v1", "tests": [{{"suite": "s", "test": "{test}", "reason": "r", "since": "{since}", "review_by": "2027-01-15"}}]}}"#
    );
    subject.entry = Quarantine::read(register.as_bytes()).unwrap().tests.pop();
    subject
}

fn linked(test: &str) -> LinkedTest {
    LinkedTest {
        quarantined: false,
        released: None,
        suite: "s".into(),
        test: test.into(),
    }
}

fn link(cluster: &str, tests: Vec<LinkedTest>) -> Link {
    Link {
        cluster: cluster.into(),
        first_seen: at(1),
        issue: Some(7),
        merged_into: None,
        open: true,
        tests,
        told: None,
        told_on: None,
        url: None,
    }
}

/// What links say of their clusters, as it is known of each.
fn known(links: &[Link]) -> Vec<Known> {
    let known = links.iter().map(|link| Known {
        id: link.cluster.clone(),
        first_seen: link.first_seen,
        tests: (link.tests.iter().map(|one| key_of(&one.suite, &one.test))).collect(),
    });
    known.collect()
}

fn decided(subjects: &[Subject], links: &[Link]) -> Escalation {
    decide(subjects, 1000, &known(links), links, at(2000))
}

/// The tests of each cluster, those that stand.
fn standing(subjects: &[Subject], links: &[Link]) -> Vec<String> {
    let clusters = decided(subjects, links).clusters.into_iter();
    let names = clusters.map(|cluster| {
        let tests = cluster
            .subjects
            .iter()
            .map(|at| subjects[*at].test.as_str());
        tests.collect::<Vec<_>>().join(" ")
    });
    names.collect()
}

#[test]
fn what_is_flaky_and_not_well_stands_and_so_does_what_is_in_quarantine() {
    let mut well = flaky("well", &[1, 2]);
    well.quiet = 100_000;
    let mut in_quarantine = quarantined(subject("in", Verdict::Fixed, &[]), "2026-01-01");
    in_quarantine.quiet = 100_000;
    let subjects = [
        flaky("flaky", &[20, 30, 40]),
        well,
        in_quarantine,
        subject("fixed", Verdict::Fixed, &[3, 4]),
        subject("broken", Verdict::Broken, &[5, 6]),
    ];
    assert_eq!(standing(&subjects, &[]), ["flaky", "in"]);
}

#[test]
fn what_an_open_cluster_has_stands_until_it_is_shown_to_be_well() {
    let mut well = subject("well", Verdict::Unknown, &[]);
    well.quiet = 100_000;
    let subjects = [
        subject("unknown", Verdict::Unknown, &[]),
        subject("fixed", Verdict::Fixed, &[]),
        well,
    ];
    let tests = ["unknown", "fixed", "well"].map(linked);
    let mut links = [link("0123456789ab", tests.to_vec())];
    assert_eq!(standing(&subjects, &links), ["unknown"]);
    links[0].open = false;
    assert!(standing(&subjects, &links).is_empty());
}

#[test]
fn what_was_released_stands_again_only_when_it_fails_again() {
    let mut of_link = linked("a");
    of_link.released = Some(at(10));
    let links = [link("0123456789ab", vec![of_link])];
    assert!(standing(&[flaky("a", &[3, 10])], &links).is_empty());
    assert_eq!(standing(&[flaky("a", &[3, 11])], &links), ["a"]);
    assert!(standing(&[subject("a", Verdict::Broken, &[11])], &links).is_empty());
    // Whoever was in quarantine the last time and is not now was released just now.
    let mut links = links;
    links[0].tests[0].released = None;
    links[0].tests[0].quarantined = true;
    let closing = decided(&[flaky("a", &[3, 1999])], &links).closing;
    assert_eq!((closing.len(), closing[0].open), (1, false));
    assert_eq!(closing[0].tests[0].released, Some(at(2000)));
    assert!(!closing[0].tests[0].quarantined);
}

#[test]
fn tests_that_fail_too_seldom_to_tell_stay_in_their_cluster() {
    let subjects = [flaky("b", &[40]), flaky("a", &[30]), flaky("c", &[50])];
    assert_eq!(standing(&subjects, &[]), ["a", "b", "c"]);
    let mut links = [link("0123456789ab", vec![linked("b"), linked("c")])];
    assert_eq!(standing(&subjects, &links), ["a", "b c"]);
    links[0].open = false;
    assert_eq!(standing(&subjects, &links), ["a", "b", "c"]);
}

#[test]
fn a_cluster_keeps_its_id_its_issue_and_whom_it_knew() {
    let subjects = [
        quarantined(flaky("a", &[30, 60, 90]), "1970-01-01"),
        flaky("b", &[30, 60, 90]),
    ];
    let mut links = [link("0123456789ab", vec![linked("b"), linked("gone")])];
    links[0].told = Some(at(60));
    let escalation = decided(&subjects, &links);
    assert_eq!(
        (escalation.clusters.len(), escalation.closing.len()),
        (1, 0)
    );
    let cluster = &escalation.clusters[0];
    assert_eq!(cluster.subjects, [0, 1]);
    assert_eq!(cluster.link.cluster, "0123456789ab");
    assert_eq!((cluster.link.issue, cluster.link.open), (Some(7), true));
    assert_eq!(cluster.link.first_seen, at(1));
    let names: Vec<(&str, bool)> = (cluster.link.tests.iter())
        .map(|one| (one.test.as_str(), one.quarantined))
        .collect();
    assert_eq!(names, [("a", true), ("b", false), ("gone", false)]);
    let (after, until) = (at(60), at(90));
    assert_eq!(cluster.news, Some(News { after, until }));
    // Nothing is told twice, and nothing twice a day.
    links[0].told = Some(until);
    assert_eq!(decided(&subjects, &links).clusters[0].news, None);
    links[0].told = Some(after);
    links[0].told_on = Some(day(at(2000)));
    assert_eq!(decided(&subjects, &links).clusters[0].news, None);
}

#[test]
fn a_new_cluster_began_with_its_first_failure_or_its_quarantine() {
    let subjects = [
        flaky("a", &[30, 60]),
        quarantined(subject("b", Verdict::Unknown, &[]), "1970-01-03"),
    ];
    let clusters = decided(&subjects, &[]).clusters;
    let first = |place: usize| {
        let link = &clusters[place].link;
        (link.cluster.clone(), link.first_seen, link.told)
    };
    assert_eq!(first(0), (key_of("s", "a"), at(30), Some(at(60))));
    assert_eq!(first(1), (key_of("s", "b"), at(48), None));
}

#[test]
fn of_clusters_that_grow_together_the_older_one_stays() {
    let subjects = [flaky("a", &[30, 60, 90]), flaky("b", &[30, 60, 90])];
    let mut links = [
        link("aaaaaaaaaaaa", vec![linked("a")]),
        link("bbbbbbbbbbbb", vec![linked("b")]),
    ];
    links[0].first_seen = at(2);
    let escalation = decided(&subjects, &links);
    assert_eq!(escalation.clusters[0].link.cluster, "bbbbbbbbbbbb");
    assert_eq!(escalation.clusters[0].merged, ["aaaaaaaaaaaa"]);
    let closing = &escalation.closing;
    assert_eq!(
        (closing.len(), closing[0].cluster.as_str()),
        (1, "aaaaaaaaaaaa")
    );
    assert_eq!(closing[0].merged_into.as_deref(), Some("bbbbbbbbbbbb"));
}
