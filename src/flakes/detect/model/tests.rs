//! The model against all ways in which a test may have been well and broken, one by one.

use super::*;

const HABITS: Habits = Habits {
    breaks: 0.02,
    mends: 0.3,
    fails: 0.9,
    recovers: 0.05,
    shares: [1.0 / 16.0; KINDS],
};

/// Returns how likely a step is where a first attempt fails so often, and one after a failure so often.
fn likelihood((fail, again): (f64, f64), step: &Step) -> f64 {
    let power = |base: f64, count: u32| base.powi(i32::try_from(count).unwrap());
    power(fail, step.failed)
        * power(1.0 - fail, step.passed)
        * power(again, step.failed_again)
        * power(1.0 - again, step.recovered)
}

/// What a history says, by a sum over all ways.
struct ByHand {
    all: f64,
    /// How likely the test is broken at the end, and at each step.
    at_end: f64,
    at_steps: Vec<f64>,
}

fn by_hand(well: (f64, f64), series: &Series) -> ByHand {
    let pass = Step {
        passed: 1,
        ..Step::default()
    };
    let mut commits: Vec<Step> = Vec::new();
    let mut places = Vec::new();
    for step in &series.steps {
        commits.extend((0..step.clean).map(|_| pass));
        places.push(commits.len());
        commits.push(*step);
    }
    commits.extend((0..series.clean).map(|_| pass));
    let broken = (HABITS.fails, 1.0 - HABITS.recovers);
    let Habits { breaks, mends, .. } = HABITS;
    let begins = (breaks / (breaks + mends)).min(BEGINS_BROKEN);
    let mut found = ByHand {
        all: 0.0,
        at_end: 0.0,
        at_steps: vec![0.0; places.len()],
    };
    for way in 0..1_u32 << (commits.len() + 1) {
        let is_broken = |place: usize| way >> place & 1 == 1;
        let mut chance = if is_broken(0) { begins } else { 1.0 - begins };
        for (at, step) in commits.iter().enumerate() {
            chance *= match (is_broken(at), is_broken(at + 1)) {
                (false, false) => 1.0 - breaks,
                (false, true) => breaks,
                (true, false) => mends,
                (true, true) => 1.0 - mends,
            };
            chance *= likelihood(if is_broken(at + 1) { broken } else { well }, step);
        }
        found.all += chance;
        found.at_end += f64::from(u8::from(is_broken(commits.len()))) * chance;
        for (sum, place) in found.at_steps.iter_mut().zip(&places) {
            *sum += f64::from(u8::from(is_broken(place + 1))) * chance;
        }
    }
    found.at_end /= found.all;
    for sum in &mut found.at_steps {
        *sum /= found.all;
    }
    let aside = |step: &Step| {
        (1.0 - BROKEN_ASIDE) * likelihood(well, step) + BROKEN_ASIDE * likelihood(broken, step)
    };
    found.all *= series.mixed_aside.iter().map(aside).product::<f64>();
    found.all *= (1.0 - well.0).powi(i32::try_from(series.aside).unwrap());
    found
}

#[track_caller]
fn check(series: &Series) {
    let model = Model::new(HABITS);
    let belief = model.belief(series);
    let rates = RATES.map(|rate| (rate, rate + STICKS * (1.0 - rate)));
    let kinds = [(MISHAP, MISHAP_STAYS)].into_iter().chain(rates);
    for (at, well) in kinds.enumerate() {
        let expected = by_hand(well, series);
        let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9 * (1.0 + b.abs());
        let log = expected.all.ln();
        assert!(
            is_near(belief.logs[at], log),
            "{at}: {} {log}",
            belief.logs[at]
        );
        assert!(is_near(belief.broken[at], expected.at_end), "{at}");
        let mut only = [0.0; KINDS];
        only[at] = 1.0;
        let broken = model.broken_at(series, &only);
        assert_eq!(broken.len(), expected.at_steps.len());
        for (found, expected) in broken.iter().zip(&expected.at_steps) {
            assert!(is_near(*found, *expected), "{at}: {found} {expected}");
        }
    }
}

#[test]
fn beliefs_are_sums_over_all_ways() {
    let steps = vec![
        Step {
            clean: 2,
            failed: 1,
            failed_again: 2,
            ..Step::default()
        },
        Step {
            clean: 1,
            failed: 1,
            passed: 2,
            recovered: 1,
            ..Step::default()
        },
        Step {
            failed: 2,
            failed_again: 1,
            recovered: 1,
            ..Step::default()
        },
    ];
    check(&Series {
        clean: 2,
        ..Series::default()
    });
    let aside = Series {
        steps,
        clean: 3,
        aside: 4,
        mixed_aside: vec![Step {
            failed: 1,
            passed: 1,
            ..Step::default()
        }],
    };
    check(&aside);
    check(&Series { clean: 0, ..aside });
}

// A row as long as no digits can say is walked like many short ones.
#[test]
fn long_rows_of_passes_are_powers() {
    let model = Model::new(HABITS);
    for count in [1, 15, 16, 17, 4095, 4096, 9000] {
        for kind in &model.kinds {
            let mut slow = model.begin();
            for _ in 0..count {
                slow = slow.stepped(&kind.rows[0][0]);
            }
            let slow = slow.summed();
            // What is beyond all floating-point numbers is impossible.
            if slow.log < -500.0 {
                continue;
            }
            let fast = Model::clean(kind, model.begin(), count).summed();
            assert!((fast.broken - slow.broken).abs() < 1e-9, "{count}");
            let is_near = (fast.log - slow.log).abs() < 1e-6 * (1.0 + slow.log.abs());
            assert!(is_near, "{count}: {} {}", fast.log, slow.log);
        }
    }
}
