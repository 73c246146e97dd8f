//! Tests of change points. Vectors are facts of luci-go's tests at 22eba00, `analysis/internal/changepoints/bayesian`.

use proptest::prelude::*;

use super::*;

/// What LUCI's tests assume.
fn tested(is_consecutive: bool) -> ChangePoints {
    ChangePoints::new(Assumptions {
        likelihood: 0.01,
        is_consecutive,
        ..Assumptions::default()
    })
}

fn history(positions: &[u64], runs: &[u32], failed: &[u32]) -> Vec<Seen> {
    let none = vec![0; runs.len()];
    with_retries(positions, runs, failed, &none, &none)
}

fn with_retries(
    positions: &[u64],
    runs: &[u32],
    failed: &[u32],
    retried: &[u32],
    failed_after_retry: &[u32],
) -> Vec<Seen> {
    let seen = |at: usize| Seen {
        position: positions[at],
        runs: runs[at],
        failed: failed[at],
        retried: retried[at],
        failed_after_retry: failed_after_retry[at],
    };
    (0..positions.len()).map(seen).collect()
}

/// Positions one to so many.
fn row(length: u64) -> Vec<u64> {
    (1..=length).collect()
}

fn changes(analysis: &ChangePoints, history: &[Seen]) -> Vec<u64> {
    let segments = analysis.segments(history);
    let changes = segments.iter().filter_map(|segment| segment.change);
    changes.map(|change| change.position).collect()
}

#[track_caller]
fn check(history: &[Seen], expected: &[u64]) {
    assert_eq!(changes(&tested(false), history), expected);
    assert_eq!(plainly(&tested(false), history), expected);
}

/// Every position is looked at, as the mathematics say, without any shortcut.
fn plainly(analysis: &ChangePoints, history: &[Seen]) -> Vec<u64> {
    fn split(analysis: &ChangePoints, part: &[(u64, Counts)], found: &mut Vec<u64>) {
        let sum = |part: &[(u64, Counts)]| analysis.log_likelihood(add_up(part));
        let mut best = (0, f64::NEG_INFINITY);
        for at in 1..part.len() {
            let likelihood = sum(&part[..at]) + sum(&part[at..]);
            if likelihood > best.1 + 1e-9 {
                best = (at, likelihood);
            }
        }
        if best.1 - sum(part) + analysis.prior > 1e-9 {
            split(analysis, &part[..best.0], found);
            found.push(part[best.0].0);
            split(analysis, &part[best.0..], found);
        }
    }
    let mut found = Vec::new();
    split(analysis, &positions(history), &mut found);
    found
}

#[test]
fn change_points_are_those_of_luci() {
    let few = [2, 2, 1, 1, 2, 2];
    check(&history(&row(6), &few, &[0, 0, 0, 1, 2, 2]), &[4]);
    check(&history(&row(6), &few, &[0, 0, 1, 1, 2, 2]), &[3]);
    check(
        &history(
            &[1, 1, 2, 2, 2, 2],
            &[3, 3, 1, 2, 3, 3],
            &[0, 0, 0, 2, 3, 3],
        ),
        &[2],
    );
    check(
        &history(
            &row(14),
            &[2, 2, 3, 2, 3, 1, 1, 2, 2, 3, 2, 3, 2, 2],
            &[0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 2, 3, 0, 0],
        ),
        &[6, 13],
    );
    let twice = [2; 16];
    let to_flake = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    check(&history(&row(16), &twice, &to_flake), &[7]);
    let to_fail = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];
    check(&history(&row(16), &twice, &to_fail), &[7]);
    check(&history(&row(8), &[2; 8], &[0; 8]), &[]);
    check(&history(&row(8), &[2; 8], &[2; 8]), &[]);
    check(&history(&row(8), &[2; 8], &[1, 0, 1, 0, 0, 1, 0, 2]), &[]);
    let all = [2; 8];
    let again = [0, 0, 0, 0, 2, 2, 2, 2];
    check(&with_retries(&row(8), &all, &all, &all, &again), &[5]);
    check(&with_retries(&row(8), &all, &all, &all, &all), &[]);
    check(&flaky_on_retry(), &[5]);
}

/// Fails and fails again, then fails and sometimes passes on retry.
fn flaky_on_retry() -> Vec<Seen> {
    let runs = [3, 3, 3, 1, 3, 3, 3, 3];
    let again = [3, 3, 3, 1, 0, 0, 1, 1];
    with_retries(&[1, 2, 3, 5, 5, 5, 7, 7], &runs, &runs, &runs, &again)
}

/// The points of the distribution that LUCI keeps.
const POINTS: [f64; 17] = [
    0.0005, 0.005, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.5, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975,
    0.995, 0.9995,
];

#[track_caller]
fn check_interval(history: &[Seen], after: u64, until: u64) {
    let found = tested(false).quantiles(&positions(history), &[0.005, 0.995]);
    assert_eq!(found, [after, until]);
}

#[test]
fn intervals_are_those_of_luci() {
    let few = [2, 2, 1, 1, 2, 2];
    check_interval(&history(&row(6), &few, &[0, 0, 0, 1, 2, 2]), 1, 5);
    let pairs = [1, 1, 2, 2, 3, 3, 4, 4];
    check_interval(&history(&pairs, &[2; 8], &[0, 0, 0, 0, 1, 1, 1, 1]), 1, 4);
    let two = [1, 1, 2, 2, 2, 2];
    check_interval(
        &history(&two, &[3, 3, 1, 2, 3, 3], &[0, 0, 0, 2, 3, 3]),
        1,
        2,
    );
    let twice = [2; 16];
    let to_flake = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    check_interval(&history(&row(16), &twice, &to_flake), 2, 14);
    let to_fail = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];
    check_interval(&history(&row(16), &twice, &to_fail), 2, 14);
    let all = [2; 8];
    let again = [0, 0, 0, 0, 2, 2, 2, 2];
    check_interval(&with_retries(&row(8), &all, &all, &all, &again), 3, 6);
    check_interval(&flaky_on_retry(), 2, 5);
}

#[track_caller]
fn check_points(history: &[Seen], is_consecutive: bool, expected: &[(usize, u64)]) {
    let found = tested(is_consecutive).quantiles(&positions(history), &POINTS);
    let expected: Vec<u64> = expected
        .iter()
        .flat_map(|(times, position)| std::iter::repeat_n(*position, *times))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn distributions_are_those_of_luci() {
    let sparse = history(&[90, 100, 200, 210], &[5; 4], &[0, 0, 5, 5]);
    check_points(&sparse, true, &[(8, 100), (9, 200)]);
    check_points(&sparse, false, &[(8, 100), (9, 200)]);
    let (runs, failed) = ([5, 5, 2, 2, 2], [0, 0, 2, 2, 2]);
    let late = history(&[90, 100, 110, 120, 2000], &runs, &failed);
    check_points(&late, true, &[(1, 90), (7, 100), (6, 110), (3, 2000)]);
    check_points(&late, false, &[(1, 90), (7, 100), (8, 110), (1, 120)]);
    let gap = history(&[90, 100, 1010, 1020, 1030], &runs, &failed);
    check_points(&gap, true, &[(8, 100), (9, 1010)]);
    check_points(&gap, false, &[(1, 90), (7, 100), (8, 1010), (1, 1020)]);
}

/// Likelihoods of having so many hits, in any order, by the number of hits.
#[track_caller]
fn check_likelihoods(alpha: f64, beta: f64, expected: &[f64]) {
    // With a table and without one.
    for size in [0, 3, 64] {
        let sequences = Sequences::new(Prior { alpha, beta }, size);
        let all = expected.len() as u64 - 1;
        let mut orders = 1.0;
        for (hits, expected) in (0..).zip(expected) {
            let found = orders * sequences.log_likelihood(hits, all).exp();
            assert!((found - expected).abs() < 1e-12, "{hits} of {all}: {found}");
            orders = orders * float(all - hits) / float(hits + 1);
        }
    }
}

#[test]
fn likelihoods_of_sequences_are_those_of_luci() {
    for length in 1..=5_u32 {
        let each = 1.0 / f64::from(length);
        check_likelihoods(1.0, 1.0, &vec![each; length as usize]);
    }
    check_likelihoods(0.3, 0.5, &[1.0]);
    check_likelihoods(0.3, 0.5, &[0.625, 0.375]);
    let two = [
        0.520_833_333_333_333_5,
        0.208_333_333_333_333_4,
        0.270_833_333_333_333_3,
    ];
    check_likelihoods(0.3, 0.5, &two);
    let three = [
        0.465_029_761_904_762,
        0.167_410_714_285_714_36,
        0.145_089_285_714_285_78,
        0.222_470_238_095_238_1,
    ];
    check_likelihoods(0.3, 0.5, &three);
    let four = [
        0.428_316_885_964_912_4,
        0.146_851_503_759_398_48,
        0.114_544_172_932_330_85,
        0.117_089_598_997_493_74,
        0.193_197_838_345_864_65,
    ];
    check_likelihoods(0.3, 0.5, &four);
}

#[test]
fn sums_of_logarithms_are_those_of_luci() {
    assert!((log_sum(&[0.1_f64.ln()]) - 0.1_f64.ln()).abs() < 1e-15);
    let three = [0.1_f64.ln(), 0.2_f64.ln(), 0.3_f64.ln()];
    assert!((log_sum(&three) - 0.6_f64.ln()).abs() < 1e-12);
    assert!((log_sum(&[1e-7_f64.ln(); 10]) - 1e-6_f64.ln()).abs() < 1e-12);
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, chapter 6; the last one is the logarithm of the factorial of 100.
#[test]
fn the_logarithm_of_gamma_is_the_published_one() {
    for (x, expected) in [
        (0.5_f64, 0.572_364_942_924_700_1_f64),
        (1.0, 0.0),
        (1.5, -0.120_782_237_635_245_22),
        (10.0, 12.801_827_480_081_469),
        (101.0, 363.739_375_555_563_5),
    ] {
        let found = LogGamma::new(x, 1).at(0);
        let margin = 1e-12 * f64::abs(expected).max(1.0);
        assert!((found - expected).abs() < margin, "{x}: {found}");
    }
}

#[test]
fn one_failure_among_a_thousand_passes_is_no_change_and_is_known_beforehand() {
    let analysis = ChangePoints::new(Assumptions::default());
    let counts = |failed, runs| Counts {
        runs,
        failed,
        ..Counts::default()
    };
    assert!(!analysis.could_change(counts(0, u64::from(u32::MAX))));
    assert!(!analysis.could_change(counts(1000, 1000)));
    assert!(!analysis.could_change(counts(1, 1000)));
    assert!(!analysis.could_change(counts(1, 7999)));
    // 1.25 n is the bound for one failure, to a hair, and one over the prior is 10,000.
    assert!(analysis.could_change(counts(1, 8001)));
    assert!(analysis.could_change(counts(2, 1000)));
}

#[test]
fn segments_say_what_happened_in_them() {
    let mut all = history(&row(300), &[1; 300], &[0; 300]);
    for seen in &mut all[100..200] {
        (seen.failed, seen.retried) = (1, 1);
    }
    all.reverse();
    let segments = ChangePoints::new(Assumptions::default()).segments(&all);
    let of = |segment: &Segment| (segment.first, segment.last, segment.counts.failed);
    let found: Vec<_> = segments.iter().map(of).collect();
    assert_eq!(found, [(1, 100, 0), (101, 200, 100), (201, 300, 0)]);
    assert_eq!(segments[0].change, None);
    let change = segments[1].change.unwrap();
    let places = (change.position, change.after, change.until);
    assert_eq!(places, (101, 99, 101));
    assert!(change.evidence > 50.0);
    assert_eq!(segments[1].counts.retried, 100);
}

#[test]
fn nothing_has_no_segments_and_one_position_has_one() {
    let analysis = tested(true);
    assert!(analysis.segments(&[]).is_empty());
    assert!(analysis.segments(&history(&[4], &[0], &[3])).is_empty());
    let one = analysis.segments(&history(&[4, 4], &[9, 9], &[0, 9]));
    assert_eq!((one.len(), one[0].first, one[0].last), (1, 4, 4));
}

fn any_seen(positions: u64, most: u32) -> impl Strategy<Value = Seen> {
    (0..positions, 0..=most, 0..=most, 0..=most, 0..=most).prop_map(
        |(position, runs, failed, retried, failed_after_retry)| Seen {
            position,
            runs,
            failed,
            retried,
            failed_after_retry,
        },
    )
}

/// Rows of the same, as histories are.
fn rows() -> impl Strategy<Value = Vec<Seen>> {
    let row = (any_seen(1, 3), 1..12_usize);
    prop::collection::vec(row, 1..7).prop_map(|rows| {
        let all = rows
            .iter()
            .flat_map(|(seen, length)| std::iter::repeat_n(*seen, *length));
        let at = |(position, seen): (u64, Seen)| Seen { position, ..seen };
        (0..).zip(all).map(at).collect()
    })
}

fn is_sound(segments: &[Segment]) -> bool {
    let mut changes = segments.iter().filter_map(|segment| segment.change);
    changes.all(|change| {
        change.evidence.is_finite()
            && change.after < change.position
            && change.position <= change.until
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shortcuts_change_nothing(all in rows(), exponent in 0.0..5.0_f64) {
        let analysis = ChangePoints::new(Assumptions {
            likelihood: 10_f64.powf(-exponent),
            ..Assumptions::default()
        });
        prop_assert_eq!(changes(&analysis, &all), plainly(&analysis, &all));
    }

    #[test]
    fn no_order_gains_more_than_the_bound(
        all in prop::collection::vec(any_seen(1, 4), 2..20),
        at in 1..19_usize,
    ) {
        let analysis = tested(false);
        let sum = |part: &[Seen]| part.iter().map(Counts::of).fold(Counts::default(), Counts::plus);
        let at = at.min(all.len() - 1);
        let (left, right) = (sum(&all[..at]), sum(&all[at..]));
        let whole = left.plus(right);
        let gain = analysis.log_likelihood(left) + analysis.log_likelihood(right) - analysis.log_likelihood(whole);
        let most = analysis.failure.most(whole.failed, whole.runs)
            + analysis.after_retry.most(whole.failed_after_retry, whole.retried);
        prop_assert!(gain <= most + 1e-9, "{} {}", gain, most);
        prop_assert!(most >= -1e-9);
    }

    #[test]
    fn order_and_splitting_a_position_change_nothing(all in rows(), turn in 0..1000_usize) {
        let analysis = tested(true);
        let mut parts = Vec::new();
        for seen in &all {
            let counts = Counts::of(seen);
            // Each run alone: failed again, passed on retry, failed without one, passed.
            for run in 0..counts.runs {
                let is = |count: u64| u32::from(run < count);
                parts.push(Seen {
                    position: seen.position,
                    runs: 1,
                    failed: is(counts.failed),
                    retried: is(counts.retried),
                    failed_after_retry: is(counts.failed_after_retry),
                });
            }
            let length = parts.len().max(1);
            parts.rotate_left(turn % length);
        }
        prop_assert_eq!(analysis.segments(&all), analysis.segments(&parts));
    }

    #[test]
    fn what_is_always_the_same_never_changes(seen in any_seen(1, 40), length in 1..200_u64) {
        let all: Vec<Seen> = (0..length).map(|position| Seen { position, ..seen }).collect();
        // Whatever the prior.
        let analysis = ChangePoints::new(Assumptions { likelihood: 1.0, ..Assumptions::default() });
        prop_assert!(changes(&analysis, &all).is_empty());
    }

    #[test]
    fn a_shift_is_found(before in 20..200_u64, after in 20..200_u64, to_fail in any::<bool>()) {
        let at = |position: u64| Seen {
            position,
            runs: 1,
            failed: u32::from((position >= before) == to_fail),
            ..Seen::default()
        };
        let all: Vec<Seen> = (0..before + after).map(at).collect();
        let analysis = ChangePoints::new(Assumptions::default());
        prop_assert_eq!(changes(&analysis, &all), [before]);
    }

    #[test]
    fn any_counts_end_without_overflow(
        all in prop::collection::vec(any_seen(u64::MAX, u32::MAX), 0..30),
        is_consecutive in any::<bool>(),
    ) {
        let segments = tested(is_consecutive).segments(&all);
        prop_assert!(is_sound(&segments));
        let runs: u64 = segments.iter().map(|segment| segment.counts.runs).sum();
        prop_assert_eq!(runs, all.iter().map(|seen| u64::from(seen.runs)).sum::<u64>());
        prop_assert!(segments.windows(2).all(|pair| pair[0].last < pair[1].first));
    }
}
