//! Tests of the detector.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::model::{Habits, Series, Step};
use super::*;
use crate::event::Origin;
use crate::flakes::history::{HistoryBuilder, Run};
use crate::flakes::stated::Stated;
use crate::junit::Counts;
use crate::sha::Sha;

/// A run that is made up: branch, commit, and what each of the tests did.
#[derive(Debug, Clone)]
struct Made {
    branch: &'static str,
    commit: String,
    did: Vec<String>,
}

fn on_main(commit: usize, did: &[&str]) -> Made {
    Made {
        branch: "main",
        commit: format!("c{commit}"),
        did: did.iter().map(|did| (*did).to_owned()).collect(),
    }
}

/// Folds runs in an order; each is at the time of its place.
fn fold(runs: &[Made], order: &[usize]) -> History {
    let tests = runs.iter().map(|run| run.did.len()).max().unwrap_or(0);
    let mut builder = HistoryBuilder::default();
    let list = Sha([7; 32]);
    let names: Vec<String> = (0..tests).map(|test| format!("t{test:03}")).collect();
    for suite in 0..tests.div_ceil(5) {
        let own = names.iter().skip(suite * 5).take(5).map(String::as_str);
        builder.suite(list, &format!("s{suite:02}"), own, &BTreeMap::new());
    }
    for &at in order {
        let run = &runs[at];
        let mut differs = Vec::new();
        for (place, did) in (0_u32..).zip(&run.did) {
            if did != "p" {
                differs.push((place, builder.sequences().number(did)));
            }
        }
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(at as u64).to_be_bytes());
        builder.run(Run {
            id: Sha(id),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(i64::try_from(at).unwrap()),
            origin: Origin {
                run: at.to_string(),
                attempt: 1,
                job: "j".into(),
                commit: run.commit.clone(),
                branch: run.branch.into(),
            },
            leg: String::new(),
            files: vec![Sha(id)],
            list,
            differs,
            absent: Vec::new(),
            stated: Stated::default(),
            counts: Counts::default(),
        });
    }
    builder.finish()
}

fn judged(runs: &[Made]) -> Vec<Judgement> {
    let order: Vec<usize> = (0..runs.len()).collect();
    let history = fold(runs, &order);
    let analysis = Analysis::of(&history);
    let all = history.in_order();
    all.into_iter()
        .map(|test| analysis.judge(&history, test))
        .collect()
}

#[test]
fn an_outage_makes_no_flake_and_says_so() {
    let mut runs: Vec<Made> = (0..20).map(|at| on_main(at, &["p"; 50])).collect();
    runs[12] = on_main(12, &["fp"; 50]);
    for judgement in judged(&runs) {
        assert_eq!(judgement.verdict, Verdict::Healthy);
        assert_eq!(judgement.counted.in_outages, 1);
        assert_eq!(
            judgement.evidence,
            ["failed once, and only in runs that were outages"]
        );
    }
}

#[test]
fn a_part_of_an_outage_makes_no_flake_beside_a_real_one() {
    let mut runs: Vec<Made> = (0..40).map(|at| on_main(at, &["p"; 50])).collect();
    for test in [0, 11, 23, 31, 44] {
        runs[30].did[test] = "fp".into();
    }
    runs[9].did[7] = "fp".into();
    let all = judged(&runs);
    assert_eq!(all[7].verdict, Verdict::Flaky, "{:?}", all[7]);
    for test in [0, 11, 23, 31, 44] {
        assert_eq!(all[test].verdict, Verdict::Healthy);
    }
}

#[test]
fn a_regression_is_broken_with_its_suspects_and_never_flaky() {
    let mut runs: Vec<Made> = (0..60).map(|at| on_main(at, &["p", "p"])).collect();
    for (at, run) in runs.iter_mut().enumerate().skip(40) {
        // One first attempt of ten passes, and no retry does.
        run.did[1] = if at % 10 == 5 { "p" } else { "ff" }.into();
    }
    let all = judged(&runs);
    assert_eq!(all[1].verdict, Verdict::Broken, "{:?}", all[1]);
    assert!(all[1].flaky < 0.1, "{:?}", all[1]);
    let suspects = all[1].suspects.clone().unwrap();
    assert_eq!(suspects.likeliest, "c40");
    assert!(suspects.commits.contains(&"c40".to_owned()) && suspects.commits.len() < 8);
    let sentence = "broke most likely at commit c40, and with 99 % at one of";
    assert!(
        all[1]
            .evidence
            .iter()
            .any(|said| said.starts_with(sentence))
    );
}

#[test]
fn a_regression_that_was_mended_is_not_flaky() {
    let mut runs: Vec<Made> = (0..60).map(|at| on_main(at, &["p"])).collect();
    for at in [20, 21, 22, 24, 25, 26] {
        runs[at].did[0] = "ff".into();
    }
    let all = judged(&runs);
    assert_eq!(all[0].verdict, Verdict::Fixed, "{:?}", all[0]);
    assert!(all[0].flaky < 0.1, "{:?}", all[0]);
}

#[test]
fn a_regression_of_a_branch_under_work_is_never_flaky() {
    let mut runs = Vec::new();
    for at in 0..30 {
        runs.push(on_main(at, &["p"]));
        // Nine of ten first attempts fail on the branch, and every retry does.
        let mut work = on_main(1000 + at, &[if at % 10 == 3 { "p" } else { "ff" }]);
        work.branch = "work";
        if at < 25 {
            runs.push(work);
        }
    }
    let all = judged(&runs);
    assert_eq!(all[0].verdict, Verdict::Unknown, "{:?}", all[0]);
    assert!(all[0].flaky < 0.1, "{:?}", all[0]);
}

#[test]
fn a_pass_on_retry_counts_on_a_branch_under_work_too() {
    let mut runs: Vec<Made> = (0..30).map(|at| on_main(at, &["p"])).collect();
    for at in [4, 9] {
        let mut work = on_main(1000 + at, &["fp"]);
        work.branch = "work";
        runs.insert(at, work);
    }
    let all = judged(&runs);
    assert_eq!(all[0].verdict, Verdict::Flaky, "{:?}", all[0]);
}

#[test]
fn runs_of_one_commit_are_one_step_of_its_history() {
    // One run of the commit passed and one failed, retry and all: nothing else but the code was the same.
    let mut runs: Vec<Made> = (0..40).map(|at| on_main(at / 2, &["p"])).collect();
    runs[9].did[0] = "ff".into();
    runs[22].did[0] = "ff".into();
    let all = judged(&runs);
    assert_eq!(all[0].verdict, Verdict::Flaky, "{:?}", all[0]);
    assert!(all[0].flaky > 0.9, "{:?}", all[0]);
}

#[test]
fn what_broke_is_left_out_of_the_rate() {
    let mut runs: Vec<Made> = (0..100).map(|at| on_main(at, &["p"])).collect();
    for at in [5, 77] {
        runs[at].did[0] = "fp".into();
    }
    for run in &mut runs[40..50] {
        run.did[0] = "ff".into();
    }
    let all = judged(&runs);
    let counted = all[0].counted;
    assert!((counted.failures - 2.0).abs() < 0.1, "{counted:?}");
    assert!((counted.executions - 92.0).abs() < 0.5, "{counted:?}");
}

#[test]
fn few_of_the_calls_without_evidence_from_one_commit_may_be_false() {
    let unit = |flaky: f64| Unit {
        test: 0,
        environment: 0,
        is_one_of_several: false,
        laid: Laid::default(),
        shape: Shape::default(),
        flaky,
        broken: 0.0,
        kinds: [0.0; KINDS],
    };
    let bar_of = |all: &[f64]| bar(&all.iter().map(|flaky| unit(*flaky)).collect::<Vec<_>>());
    assert!(bar_of(&[]) >= 1.0 && bar_of(&[0.8]) >= 1.0);
    assert!((bar_of(&[0.95]) - 0.95).abs() < 1e-9);
    // The three others pay for the fourth, and nothing pays for what is likelier wrong than right.
    assert!((bar_of(&[0.99, 0.7, 0.99, 0.99]) - 0.7).abs() < 1e-9);
    let mut many = vec![1.0; 100];
    many.push(0.4);
    assert!((bar_of(&many) - 1.0).abs() < 1e-9);
}

fn step() -> impl Strategy<Value = Step> {
    let recovers = (0..3_u32, 0..3_u32);
    (0..40_u32, 0..2_u32, 0..3_u32, recovers).prop_map(
        |(clean, failed, passed, (again, recovered))| Step {
            clean,
            failed,
            passed: if failed == 0 { passed.max(1) } else { passed },
            failed_again: again * failed,
            recovered: recovered * failed,
        },
    )
}

fn flaky(series: &Series) -> f64 {
    let model = Model::new(Habits::default());
    chances(&[(model, 1.0)], series).0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_retry_that_passes_instead_of_failing_makes_a_flake_likelier(
        steps in prop::collection::vec(step(), 1..12),
        clean in 0..300_u32,
        at in 0..12_usize,
    ) {
        let mut series = Series { steps, clean, ..Series::default() };
        let at = at % series.steps.len();
        let step = &mut series.steps[at];
        step.failed = step.failed.max(1);
        step.failed_again = step.failed_again.max(1);
        let before = flaky(&series);
        series.steps[at].failed_again -= 1;
        series.steps[at].recovered += 1;
        let after = flaky(&series);
        prop_assert!(after >= before - 1e-9, "{} {} {:?}", before, after, series);
    }

    #[test]
    fn chances_are_chances_and_rows_of_passes_are_walked_rightly(
        steps in prop::collection::vec(step(), 0..12),
        clean in 0..9000_u32,
    ) {
        let series = Series { steps, clean, ..Series::default() };
        let model = Model::new(Habits::default());
        let (flaky, broken, kinds) = chances(&[(Model::new(Habits::default()), 1.0)], &series);
        prop_assert!((0.0..=1.0 + 1e-9).contains(&flaky) && (0.0..=1.0 + 1e-9).contains(&broken));
        for chance in model.broken_at(&series, &kinds) {
            prop_assert!((0.0..=1.0 + 1e-9).contains(&chance));
        }
        // A clean commit is a step of one pass.
        let mut slow = series.clone();
        let rest = clean.min(50);
        slow.clean -= rest;
        slow.steps.push(Step { clean: slow.clean, passed: 1, ..Step::default() });
        slow.steps.extend((1..rest).map(|_| Step { passed: 1, ..Step::default() }));
        slow.clean = 0;
        if rest > 0 {
            let (fast, slow) = (model.belief(&series), model.belief(&slow));
            for (a, b) in fast.logs.iter().zip(&slow.logs) {
                // What is beyond all floating-point numbers is impossible.
                let is_impossible = *b < -500.0;
                prop_assert!(is_impossible || (a - b).abs() < 1e-6 * (1.0 + a.abs()), "{} {}", a, b);
            }
        }
    }

    #[test]
    fn the_order_in_which_runs_come_does_not_matter(
        did in prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["p", "p", "p", "p", "p", "f", "fp", "ff"]), 8), 1..30),
        branches in prop::collection::vec(any::<bool>(), 30),
        seed in any::<u64>(),
    ) {
        let runs: Vec<Made> = did.iter().enumerate().map(|(at, did)| {
            let mut run = on_main(at / 2, did);
            if branches[at] && at % 3 == 0 {
                run.branch = "work";
            }
            run
        }).collect();
        let mut order: Vec<usize> = (0..runs.len()).collect();
        let one = fold(&runs, &order);
        let mut state = seed;
        for at in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            order.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let other = fold(&runs, &order);
        let (a, b) = (Analysis::of(&one), Analysis::of(&other));
        prop_assert_eq!(&a.outages, &b.outages);
        for test in 0..8 {
            prop_assert_eq!(a.judge(&one, test), b.judge(&other, test));
        }
    }
}
