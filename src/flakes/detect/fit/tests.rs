//! Tests of what a repository's tests are found to be like.

use super::super::model::Step;
use super::*;

fn clean(count: u32) -> Series {
    Series {
        clean: count,
        ..Series::default()
    }
}

/// A history in which it failed once, and passed on a retry.
fn flaky(before: u32) -> Series {
    let step = Step {
        clean: before,
        failed: 1,
        recovered: 1,
        ..Step::default()
    };
    Series {
        steps: vec![step],
        ..clean(100)
    }
}

fn weights(chosen: &[(&Series, f64)]) -> (usize, f64) {
    let eventful = chosen.iter().filter(|(series, _)| !series.steps.is_empty());
    let weights: Vec<f64> = eventful.map(|(_, weight)| *weight).collect();
    (weights.len(), weights.iter().sum())
}

#[test]
fn habits_are_the_farther_the_rarer_they_are() {
    let usual = Habits::default();
    assert!(far(&usual, &usual).abs() < 1e-12);
    // As far as it usually strays: half a unit.
    let mut other = usual;
    other.breaks *= 1.5_f64.exp();
    assert!((far(&other, &usual) + 0.5).abs() < 1e-9);
    other.mends *= (-1.6_f64).exp();
    assert!((far(&other, &usual) + 2.5).abs() < 1e-9);
}

#[test]
fn of_many_histories_some_stand_for_all() {
    let mut histories: BTreeMap<Series, u64> = BTreeMap::new();
    let few = u32::try_from(ENOUGH).unwrap();
    histories.extend((0..few).map(|before| (flaky(before), 2)));
    histories.insert(clean(7), 5);
    let (number, weight) = weights(&choose(&histories));
    assert_eq!(number, ENOUGH);
    assert!((weight - 2.0 * f64::from(few)).abs() < 1e-6);
    // One more, and every second is taken, for twice as many.
    histories.insert(flaky(few), 2);
    let chosen = choose(&histories);
    let (number, weight) = weights(&chosen);
    assert_eq!(number, ENOUGH / 2 + 1);
    assert!((weight - 2.0 * f64::from(few + 1)).abs() < 1e-6);
    let of_clean = chosen.iter().find(|(series, _)| series.steps.is_empty());
    assert!((of_clean.unwrap().1 - 5.0).abs() < 1e-12);
    assert!(choose(&BTreeMap::new()).is_empty());
}

#[test]
fn shares_are_what_most_tests_are_like() {
    let usual = Habits::default();
    let (steady, unsteady) = (clean(500), flaky(20));
    let (found, fits) = shares(usual, &usual, &[(&steady, 10_000.0)]);
    assert!(found.shares[0] > usual.shares[0], "{found:?}");
    assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(fits < 0.0);
    let (found, _) = shares(usual, &usual, &[(&steady, 100.0), (&unsteady, 10_000.0)]);
    assert!(found.shares[0] < 0.5, "{found:?}");
    assert_eq!((found.breaks, found.mends), (usual.breaks, usual.mends));
}

#[test]
fn without_histories_everything_is_usual() {
    assert_eq!(fit(&BTreeMap::new()), [(Habits::default(), 1.0)]);
    let weighed = fit(&BTreeMap::from([(clean(50), 30), (flaky(20), 2)]));
    let sum: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    assert!(weighed.is_sorted_by(|one, other| one.1 >= other.1));
}
