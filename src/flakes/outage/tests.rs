//! Tests of outages.

use proptest::prelude::*;

use super::*;

/// A run that is made up: how many tests there are, and who failed with which signature.
struct Made {
    executed: Vec<u32>,
    failures: Vec<Failure>,
}

fn made(tests: u32, failed: impl IntoIterator<Item = (u32, u32)>) -> Made {
    let failures = failed.into_iter().map(|(test, signature)| Failure {
        test,
        signature: Some(signature),
    });
    Made {
        executed: (0..tests).collect(),
        failures: failures.collect(),
    }
}

/// Failures that have nothing in common.
fn scattered(tests: impl IntoIterator<Item = u32>) -> impl Iterator<Item = (u32, u32)> {
    tests.into_iter().map(|test| (test, 1000 + test))
}

/// Ten tests a suite.
fn found(runs: &[Made]) -> Vec<Outage> {
    let runs: Vec<Run<'_>> = runs
        .iter()
        .map(|made| Run {
            executed: &made.executed,
            failures: &made.failures,
        })
        .collect();
    let suites: Vec<u32> = (0..10_000).map(|test| test / 20).collect();
    outages(&runs, &suites, &Limits::default())
}

/// Runs of a thousand tests of which one fails now and then.
fn usual(count: u32) -> Vec<Made> {
    (0..count)
        .map(|run| made(1000, scattered((run % 10 == 0).then_some(run % 7))))
        .collect()
}

#[track_caller]
fn only(runs: &[Made]) -> Outage {
    let mut found = found(runs);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn quiet_runs_are_no_outages() {
    assert!(found(&usual(100)).is_empty());
    assert!(found(&[]).is_empty());
}

#[test]
fn a_third_of_all_tests_is_an_outage() {
    let mut runs = usual(50);
    runs.push(made(1000, scattered(0..301)));
    let outage = only(&runs);
    assert_eq!((outage.run, outage.reason), (50, Reason::Share));
    assert_eq!((outage.affected, outage.failed), (Affected::All, 301));
}

#[test]
fn even_a_first_run_may_be_an_outage_and_two_tests_are_none() {
    assert_eq!(only(&[made(20, scattered(0..20))]).reason, Reason::Share);
    assert_eq!(only(&[made(3, scattered(0..3))]).reason, Reason::Share);
    assert!(found(&[made(2, scattered(0..2))]).is_empty());
    assert!(found(&[made(20, scattered(0..9))]).is_empty());
    assert!(found(&[made(1, scattered(0..1))]).is_empty());
}

#[test]
fn a_cluster_of_flakes_is_no_outage() {
    let mut runs = usual(100);
    runs.push(made(1000, (300..308).map(|test| (test, 5))));
    assert!(found(&runs).is_empty());
}

#[test]
fn scattered_failures_that_are_too_many_take_the_whole_run() {
    let mut runs = usual(100);
    runs.push(made(1000, scattered((0..1000).step_by(17))));
    let outage = only(&runs);
    assert_eq!(outage.reason, Reason::Improbable);
    assert_eq!(outage.affected, Affected::All);
    assert!(outage.expected < 2.0, "{outage:?}");
}

#[test]
fn one_signature_takes_its_own_tests_only() {
    let mut runs = usual(100);
    let down = (100..150).map(|test| (test, 7));
    runs.push(made(1000, down.chain(scattered([3, 900]))));
    let outage = only(&runs);
    assert_eq!(outage.reason, Reason::Improbable);
    assert_eq!(outage.affected, Affected::Tests((100..150).collect()));
    assert_eq!(outage.failed, 52);
}

#[test]
fn one_suite_takes_its_own_tests_only() {
    let mut runs = usual(100);
    runs.push(made(1000, scattered((200..216).chain([3, 900]))));
    let outage = only(&runs);
    assert_eq!(outage.affected, Affected::Tests((200..216).collect()));
}

#[test]
fn a_signature_counts_where_many_failures_are_usual() {
    // Every test fails in every tenth run, so that forty of four hundred are nothing new.
    let mut runs: Vec<Made> = (0..50)
        .map(|run| {
            made(
                400,
                scattered((0..400).filter(move |test| test % 10 == run % 10)),
            )
        })
        .collect();
    let usual = (0..400).filter(|test| test % 10 == 3);
    runs.push(made(
        400,
        usual
            .clone()
            .map(|test| (test, if test < 180 { 7 } else { test + 1000 })),
    ));
    let outage = only(&runs);
    assert_eq!((outage.run, outage.reason), (50, Reason::Signature(7)));
    let of_signature = usual.filter(|test| *test < 180).collect();
    assert_eq!(outage.affected, Affected::Tests(of_signature));
}

#[test]
fn what_is_always_broken_is_no_outage_and_hides_none() {
    let mut runs: Vec<Made> = (0..20)
        .map(|_| made(1000, (0..400).map(|test| (test, 7))))
        .collect();
    assert!(found(&runs).is_empty());
    runs.push(made(1000, scattered(0..600)));
    let outage = only(&runs);
    assert_eq!((outage.reason, outage.failed), (Reason::Share, 200));
}

#[test]
fn outages_do_not_hide_smaller_ones() {
    // Under rates with the large outages in them, the small one would be usual.
    let mut runs = usual(20);
    runs.extend((0..10).map(|_| made(1000, scattered(0..1000))));
    runs.push(made(1000, scattered((0..1000).step_by(9))));
    let found = found(&runs);
    assert_eq!(found.len(), 11);
    assert_eq!(found[10].affected, Affected::All);
}

#[test]
fn failures_of_tests_that_did_not_run_and_twins_do_not_count() {
    let mut runs = usual(10);
    runs.push(made(20, scattered((0..9).chain(0..9).chain(5000..5100))));
    assert!(found(&runs).is_empty());
}

// The binomial distribution with ten tosses, and the birthday-like tail of one in a thousand.
#[test]
fn tails_are_the_known_ones() {
    assert!((tail(&[(0.5, 10)], 8) - 56.0 / 1024.0).abs() < 1e-15);
    assert!((tail(&[(0.5, 4), (0.5, 6)], 10) - 1.0 / 1024.0).abs() < 1e-15);
    assert!((tail(&[(1.0, 3), (0.25, 1)], 4) - 0.25).abs() < 1e-15);
    assert!((tail(&[(0.001, 5)], 5) / 1e-15 - 1.0).abs() < 1e-9);
    assert!((tail(&[(0.1, 2), (0.2, 1)], 1) - (1.0 - 0.9 * 0.9 * 0.8)).abs() < 1e-15);
    assert!(tail(&[(0.1, 2)], 0) >= 1.0 && tail(&[(0.1, 2)], 3) <= 0.0);
    assert!(chernoff(&[(0.1, 2)], 3) < -50.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bound_is_never_below_the_chance_and_not_far_above(
        classes in prop::collection::vec((0.0..1.0_f64, 1..40_usize), 1..6),
        failures in 1..60_usize,
    ) {
        let (bound, exact) = (chernoff(&classes, failures), tail(&classes, failures).ln());
        prop_assert!(bound >= exact - 1e-9, "{} {}", bound, exact);
        let tests: usize = classes.iter().map(|(_, count)| count).sum();
        if failures <= tests && exact < -3.0 {
            prop_assert!(bound <= exact + NEAR.ln(), "{} {}", bound, exact);
        }
    }

    #[test]
    fn the_order_of_runs_and_of_tests_does_not_matter(
        counts in prop::collection::vec((0..60_u32, 0..4_u32, any::<bool>()), 1..25),
        turn in 0..25_usize,
    ) {
        let mut runs: Vec<Made> = counts
            .iter()
            .map(|(count, step, is_shared)| {
                let tests = (0..*count).map(|number| number * (step + 1));
                made(200, tests.map(|test| (test, if *is_shared { 1 } else { test + 9 })))
            })
            .collect();
        let before = found(&runs);
        let turn = turn % runs.len();
        runs.rotate_left(turn);
        for run in &mut runs {
            run.executed.reverse();
            run.failures.reverse();
        }
        let length = runs.len();
        let mut after = found(&runs);
        for outage in &mut after {
            outage.run = (outage.run + turn) % length;
        }
        after.sort_by_key(|outage| outage.run);
        prop_assert_eq!(before, after);
    }
}
