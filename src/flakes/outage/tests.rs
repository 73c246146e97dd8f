//! Tests of outages.

use proptest::prelude::*;

use super::*;

/// A run of so many tests, and who failed and did not pass on a retry.
fn made(tests: u64, failed: impl IntoIterator<Item = u32>) -> Run {
    Run {
        executed: tests,
        failed: failed.into_iter().collect(),
        recovered: Vec::new(),
    }
}

/// The same, and everybody passed on the retry.
fn over(tests: u64, failed: impl IntoIterator<Item = u32>) -> Run {
    let mut run = made(tests, failed);
    run.recovered = run.failed.clone();
    run
}

/// Twenty tests a suite.
fn found(runs: &[Run]) -> Vec<Outage> {
    let suites: Vec<u32> = (0..1000).map(|test| test / 20).collect();
    outages(runs, &suites)
}

/// Runs of a thousand tests of which one fails now and then.
fn usual(count: u32) -> Vec<Run> {
    (0..count)
        .map(|run| made(1000, (run % 10 == 0).then_some(run % 7)))
        .collect()
}

#[track_caller]
fn only(runs: &[Run]) -> Outage {
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
    runs.push(made(1000, 0..301));
    let outage = only(&runs);
    assert_eq!((outage.run, outage.reason), (50, Reason::Share));
    assert_eq!(outage.failed, 301);
}

#[test]
fn even_a_first_run_may_be_an_outage_and_two_tests_are_none() {
    let alone = |tests, failed| outages(&[made(tests, 0..failed)], &[0; 20]);
    assert_eq!(alone(20, 20)[0].reason, Reason::Share);
    assert_eq!(alone(3, 3)[0].reason, Reason::Share);
    assert!(alone(2, 2).is_empty());
    assert!(alone(20, 9).is_empty());
    assert!(alone(1, 1).is_empty());
}

#[test]
fn a_cluster_of_flakes_is_no_outage() {
    let mut runs = usual(100);
    // Fewer than one in twenty-five.
    runs.push(over(1000, 300..330));
    assert!(found(&runs).is_empty());
}

#[test]
fn scattered_failures_that_are_too_many_are_an_outage() {
    let mut runs = usual(100);
    runs.push(made(1000, (0..1000).step_by(17)));
    let outage = only(&runs);
    assert_eq!(outage.reason, Reason::Improbable);
    assert!(outage.expected < 2.0, "{outage:?}");
}

#[test]
fn as_many_flakes_as_ever_are_no_outage() {
    // Each of two hundred tests fails in about one run of ten, and for itself: twenty are to be expected.
    let is_failing = |run: u32, test: u32| ((run * 200 + test).pow(2) % 10_007).is_multiple_of(10);
    let runs: Vec<Run> = (0..60)
        .map(|run| over(200, (0..200).filter(|&test| is_failing(run, test))))
        .collect();
    let most = runs.iter().map(|run| run.failed.len()).max();
    assert!(most > Some(20), "{most:?}");
    assert_eq!(found(&runs), []);
}

#[test]
fn three_of_few_that_pass_on_the_retry_are_an_outage_where_regressions_are_many() {
    // Twelve of fifty-five tests were broken for five runs each.
    let mut runs: Vec<Run> = (0..60).map(|run| made(55, [run / 5])).collect();
    runs.push(over(55, [20, 33, 47]));
    let outage = only(&runs);
    assert_eq!((outage.run, outage.reason), (60, Reason::Improbable));
}

#[test]
fn one_suite_of_many_is_a_fixture_that_failed() {
    let suites: Vec<u32> = (0..300).map(|test| test / 20).collect();
    let mut runs: Vec<Run> = (0..100).map(|_| made(300, [])).collect();
    runs.push(over(300, 40..58));
    assert!(outages(&runs, &suites).is_empty());
    runs.push(over(300, (40..49).chain(80..89)));
    assert_eq!(outages(&runs, &suites).len(), 1);
}

#[test]
fn what_fails_together_again_is_a_cluster_and_hides_no_outage() {
    let cluster = || (0..1000).step_by(15);
    let mut runs = usual(40);
    for at in [5, 20, 33] {
        runs[at] = over(1000, cluster());
    }
    assert!(found(&runs).is_empty());
    let with_outage: BTreeSet<u32> = cluster().chain((1..1000).step_by(16)).collect();
    runs[28] = over(1000, with_outage);
    assert_eq!(only(&runs).run, 28);
}

#[test]
fn an_outage_that_lasts_is_no_cluster() {
    let mut runs = usual(40);
    for at in [20, 21, 22] {
        runs[at] = over(1000, (0..1000).step_by(15));
    }
    let found: Vec<usize> = found(&runs).iter().map(|outage| outage.run).collect();
    assert_eq!(found, [20, 21, 22]);
}

#[test]
fn what_is_always_broken_is_no_outage_and_hides_none() {
    let mut runs: Vec<Run> = (0..20).map(|_| made(1000, 0..400)).collect();
    assert!(found(&runs).is_empty());
    runs.push(made(1000, 0..600));
    let outage = only(&runs);
    assert_eq!((outage.reason, outage.failed), (Reason::Share, 200));
}

#[test]
fn outages_do_not_hide_smaller_ones() {
    // Under rates with the large outages in them, the small one would be usual.
    let mut runs = usual(20);
    runs.extend((0..10).map(|_| made(1000, 0..1000)));
    runs.push(made(1000, (0..1000).step_by(9)));
    let found = found(&runs);
    assert_eq!(found.len(), 11);
    assert_eq!(found[10].run, 30);
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
    fn the_names_of_tests_do_not_matter(
        counts in prop::collection::vec((0..60_u32, 1..4_u32, any::<bool>()), 1..25),
    ) {
        let run = |turn: bool| {
            let runs = counts.iter().map(|(count, step, is_over)| {
                let tests = (0..*count).map(|number| number * step);
                let mut tests: Vec<u32> = tests.map(|test| if turn { 199 - test } else { test }).collect();
                tests.sort_unstable();
                if *is_over { over(200, tests) } else { made(200, tests) }
            });
            let suites: Vec<u32> = (0..200).map(|test| test / 20).collect();
            outages(&runs.collect::<Vec<_>>(), &suites)
        };
        prop_assert_eq!(run(false), run(true));
    }
}
