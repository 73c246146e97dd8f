//! What is said of a test, by the shape of its history and by what the detector thinks.

use super::*;

fn opinion(flaky: f64, broken: f64) -> Opinion {
    Opinion {
        flaky,
        broken,
        has_mixed: true,
        bar: 0.9,
        suspects: None,
    }
}

/// One that failed now and then, and passed last on the commit on which it failed.
fn shape() -> Shape {
    Shape {
        executions: 20,
        failures: 3,
        episodes: 2,
        ..Shape::default()
    }
}

/// Failed in its last runs.
fn red(row: usize, commits: usize, is_pure: bool) -> Shape {
    Shape {
        failing_row: row,
        failing_row_commits: commits,
        failing_row_is_pure: is_pure,
        ..shape()
    }
}

/// Passed in its last runs, on new code, after some with failures.
fn green(row: usize, before_failing: u64, before: u64) -> Shape {
    Shape {
        clean_row: row,
        before,
        before_failing,
        clean_on_new_commit: true,
        ..shape()
    }
}

fn decided(shape: &Shape, opinion: &Opinion) -> (Verdict, f64, Vec<String>) {
    let mut evidence = Vec::new();
    let (verdict, confidence) = decide(shape, opinion, &mut evidence);
    (verdict, confidence, evidence)
}

fn verdict(shape: &Shape, opinion: &Opinion) -> Verdict {
    decided(shape, opinion).0
}

#[test]
fn what_never_passed_is_broken_from_its_third_execution_on() {
    let red = |executions, failures| Shape {
        executions,
        failures,
        ..Shape::default()
    };
    let likely = opinion(0.99, 0.99);
    let (found, confidence, evidence) = decided(&red(2, 2), &likely);
    assert_eq!((found, confidence), (Verdict::Unknown, 0.0));
    assert_eq!(
        evidence,
        ["too few executions to tell a broken test from a flaky one"]
    );
    let (found, confidence, evidence) = decided(&red(3, 3), &likely);
    assert_eq!(
        (found, evidence),
        (Verdict::Broken, vec!["never passed".to_owned()])
    );
    assert!((confidence - (1.0 - probability_below(3, 3, 0.8))).abs() < 1e-12);
    assert!(decided(&red(30, 30), &likely).1 > confidence);
    assert_eq!(verdict(&red(31, 30), &likely), Verdict::Flaky);
}

#[test]
fn seven_tenths_are_enough_where_one_commit_did_both_and_the_bar_elsewhere() {
    let mixed = |flaky| verdict(&shape(), &opinion(flaky, 0.0));
    assert_eq!(
        (mixed(0.7), mixed(0.69)),
        (Verdict::Flaky, Verdict::Unknown)
    );
    let apart = |flaky| {
        let opinion = Opinion {
            has_mixed: false,
            ..opinion(flaky, 0.0)
        };
        decided(&shape(), &opinion)
    };
    let (found, confidence, evidence) = apart(0.9);
    assert_eq!((found, confidence), (Verdict::Flaky, 0.9));
    assert_eq!(
        evidence,
        ["failed in 2 separate episodes with passing runs between them"]
    );
    let (found, _, evidence) = apart(0.89);
    assert_eq!(found, Verdict::Unknown);
    assert_eq!(
        evidence,
        ["no commit was seen both passing and failing: it may have been a real failure"]
    );
    // Evidence of one commit needs no further word.
    assert_eq!(
        decided(&shape(), &opinion(0.8, 0.0)).2,
        Vec::<String>::new()
    );
    let elsewhere = Shape {
        episodes: 0,
        ..shape()
    };
    assert_eq!(
        decided(&elsewhere, &opinion(0.1, 0.0)).2,
        ["failed only on branches with fewer runs, where a failure is often a real one"]
    );
}

#[test]
fn two_failures_at_the_end_are_a_break_when_that_is_likelier_than_not() {
    let broken =
        |shape: &Shape, flaky, broken| verdict(shape, &opinion(flaky, broken)) == Verdict::Broken;
    let row = red(2, 2, false);
    assert!(broken(&row, 0.1, 0.5));
    assert!(!broken(&row, 0.1, 0.49));
    // Rows are to be expected of a flaky test.
    assert!(broken(&row, 0.8, 0.9));
    assert!(!broken(&row, 0.8, 0.89));
    assert!(!broken(&red(1, 1, true), 0.1, 0.99));
    // Two runs of one commit that never passed say as much; of one that did they do not.
    assert!(broken(&red(2, 1, true), 0.1, 0.99));
    assert!(!broken(&red(2, 1, false), 0.1, 0.99));
    let suspects = Suspects {
        likeliest: "0123456789abcdef".to_owned(),
        count: 3,
        commits: Vec::new(),
    };
    let named = Opinion {
        suspects: Some(suspects),
        ..opinion(0.1, 0.75)
    };
    let (found, confidence, evidence) = decided(&red(4, 1, true), &named);
    assert_eq!((found, confidence), (Verdict::Broken, 0.75));
    assert_eq!(
        evidence,
        [
            "passed before, and failed the last 4 runs on 1 commit",
            "broke most likely at commit 0123456789ab, and with 99 % at one of 3 commits"
        ]
    );
}

#[test]
fn passes_that_luck_does_not_explain_are_a_repair() {
    // Half of the runs failed: four passes are luck in one of sixteen cases, five in one of thirty-two.
    let mean = |row: usize, opinion: &Opinion| decided(&green(row, 5, 10), opinion);
    assert_eq!(mean(4, &opinion(0.1, 0.0)).0, Verdict::Unknown);
    let (found, confidence, evidence) = mean(5, &opinion(0.1, 0.0));
    assert_eq!(found, Verdict::Fixed);
    assert!(
        (confidence - (1.0 - 0.5_f64.powi(5))).abs() < 1e-9,
        "{confidence}"
    );
    assert_eq!(
        evidence,
        ["passed the last 5 runs, which luck explains with a chance of 3.1 %"]
    );
    let long = mean(40, &opinion(0.1, 0.0)).2;
    assert_eq!(
        long,
        ["passed the last 40 runs, which luck explains with a chance of less than 0.1 %"]
    );
    // A flaky test may have failed as seldom as its past allows, and one chance in a thousand is the most.
    let flaky = opinion(0.9, 0.0);
    let low = failure_rate(4, 9).low;
    let mut least = 1;
    while (1.0 - low).powi(least) >= 0.001 {
        least += 1;
    }
    let least = usize::try_from(least).unwrap();
    assert_eq!(mean(least - 1, &flaky).0, Verdict::Flaky);
    assert_eq!(mean(least, &flaky).0, Verdict::Fixed);
    // A row on the commit that failed, without a past, or of no run is none.
    for no_row in [
        Shape {
            clean_on_new_commit: false,
            ..green(40, 5, 10)
        },
        green(40, 0, 0),
        green(0, 5, 10),
    ] {
        assert_eq!(no_row.luck_of_clean_row(false), None);
    }
}

/// A run on the main branch: commit, executions, failures, whether it failed in the end.
fn seen(commit: u32, executions: u64, failures: u64, failed: bool) -> Observation {
    Observation {
        run: 0,
        place: commit,
        attempt: 1,
        has_commit: true,
        commit,
        environment: 0,
        branch: 0,
        executions,
        failures,
        failed,
        retried: 0,
        step: Step::default(),
    }
}

#[test]
fn a_shape_counts_rows_episodes_and_commits_that_did_both() {
    let pass = |commit| seen(commit, 1, 0, false);
    let fail = |commit| seen(commit, 1, 1, true);
    let shape = Shape::of(
        &[
            fail(1),
            pass(1),
            fail(2),
            fail(3),
            pass(4),
            fail(5),
            fail(6),
            fail(6),
        ],
        0,
    );
    let wanted = Shape {
        executions: 8,
        failures: 6,
        retry_passes: 1,
        disagreements: 1,
        episodes: 3,
        failing_row: 3,
        failing_row_commits: 2,
        failing_row_is_pure: true,
        before: 8,
        before_failing: 6,
        ..Shape::default()
    };
    assert_eq!(shape, wanted);
    // A commit of the row passed elsewhere.
    let mut elsewhere = pass(6);
    elsewhere.branch = 1;
    let shape = Shape::of(&[pass(4), elsewhere, fail(6), fail(6)], 0);
    assert_eq!(
        (
            shape.failing_row,
            shape.failing_row_is_pure,
            shape.disagreements
        ),
        (2, false, 1)
    );
    // A failure without a commit disagrees with nothing.
    let mut nowhere = fail(7);
    nowhere.has_commit = false;
    let mut passed = pass(7);
    passed.has_commit = false;
    assert_eq!(Shape::of(&[nowhere, passed], 0).disagreements, 0);
    assert_eq!(Shape::of(&[fail(7), passed], 0).disagreements, 0);
}

#[test]
fn a_clean_row_begins_after_the_last_failing_execution() {
    let pass = |commit| seen(commit, 2, 0, false);
    // Passed in the end, and is not clean.
    let retried = seen(2, 2, 1, false);
    let shape = Shape::of(&[pass(1), retried, pass(3), pass(3), pass(4)], 0);
    assert_eq!(
        (shape.clean_row, shape.before, shape.before_failing),
        (3, 2, 1)
    );
    assert!(shape.clean_on_new_commit);
    assert_eq!(
        (shape.executions, shape.failures, shape.episodes),
        (10, 1, 0)
    );
    assert!(!Shape::of(&[retried, pass(2), pass(3)], 0).clean_on_new_commit);
    let all = Shape::of(&[pass(1), pass(2)], 0);
    assert_eq!(
        (all.clean_row, all.before, all.clean_on_new_commit),
        (2, 0, false)
    );
}

#[test]
fn a_pass_after_a_failure_counts_within_a_run_and_between_its_attempts() {
    let at = |place: u32, attempt: u32, failed: bool| Observation {
        place,
        attempt,
        ..seen(1, 1, u64::from(failed), failed)
    };
    assert_eq!(retry_passes(&[at(1, 2, false), at(1, 1, true)]), 1);
    assert_eq!(retry_passes(&[at(1, 1, false), at(1, 2, true)]), 0);
    assert_eq!(
        retry_passes(&[at(1, 1, true), at(1, 2, true), at(1, 3, false)]),
        1
    );
    assert_eq!(retry_passes(&[at(1, 1, true), at(2, 2, false)]), 0);
    let within = Observation {
        retried: 2,
        ..at(1, 1, true)
    };
    assert_eq!(retry_passes(&[within, at(1, 2, false)]), 3);
}

#[test]
fn reports_of_one_attempt_are_one_observation() {
    let mut both = seen(1, 2, 1, false);
    both.retried = 1;
    let mut other = seen(1, 3, 1, true);
    other.retried = 4;
    both.join(&other);
    assert_eq!(
        (both.executions, both.failures, both.failed, both.retried),
        (5, 2, true, 5)
    );
    both.join(&seen(1, 1, 0, false));
    assert!(both.failed);
}

fn counted(executions: u32, failures: u32, in_outages: u64) -> Counted {
    Counted {
        executions: f64::from(executions),
        failures: f64::from(failures),
        in_outages,
    }
}

fn tally(runs: u64, failures: u64) -> Tally {
    Tally {
        runs,
        failures,
        retry_passes: 0,
    }
}

#[test]
fn what_never_failed_is_healthy_and_the_surer_the_more_it_ran() {
    let judged = |runs, failures, in_outages| {
        let judgement = judge_unseen(tally(runs, failures), counted(10, 1, in_outages));
        (
            judgement.verdict,
            judgement.evidence.join("; "),
            judgement.confidence,
        )
    };
    let (verdict, evidence, confidence) = judged(0, 0, 0);
    assert_eq!(
        (verdict, evidence.as_str()),
        (Verdict::Unknown, "it was skipped in every run")
    );
    assert!(confidence < 1e-12);
    let (verdict, evidence, confidence) = judged(1, 0, 0);
    assert_eq!(
        (verdict, evidence.as_str()),
        (Verdict::Healthy, "passed its only execution")
    );
    let (verdict, evidence, more) = judged(50, 0, 0);
    assert_eq!(
        (verdict, evidence.as_str()),
        (Verdict::Healthy, "passed all 50 executions")
    );
    assert!(more > confidence);
    assert!((more - probability_below(0, 50, 0.05)).abs() < 1e-12);
    let (verdict, evidence, fewer) = judged(50, 2, 2);
    assert_eq!(
        (verdict, evidence.as_str()),
        (
            Verdict::Healthy,
            "failed twice, and only in runs that were outages"
        )
    );
    assert!((fewer - probability_below(0, 48, 0.05)).abs() < 1e-12);
    // Nothing is left to go by.
    assert_eq!(judged(2, 2, 2).0, Verdict::Unknown);
    // What was rolled up failed somewhere, and nobody knows where.
    let (verdict, evidence, none) = judged(50, 2, 1);
    assert_eq!(verdict, Verdict::Unknown);
    assert!(
        evidence.starts_with("failed 2 of 50 executions: "),
        "{evidence}"
    );
    assert!(none < 1e-12);
}

#[test]
fn the_environment_that_needs_a_repair_first_counts() {
    let name = |number: u32| (number < 9).then(|| format!("job {number}"));
    let flaky = || (shape(), opinion(0.8, 0.0));
    let broken = || (red(2, 2, true), opinion(0.1, 0.99));
    let judged = |parts: &[(Shape, Opinion)]| {
        let opinions = (1_u32..)
            .zip(parts)
            .map(|(number, (shape, opinion))| (number, shape, opinion.clone()));
        judge(
            tally(20, 3),
            (counted(20, 3, 2), counted(16, 1, 2)),
            opinions.collect(),
            &name,
        )
    };
    let judgement = judged(&[flaky(), broken(), flaky()]);
    assert_eq!(judgement.verdict, Verdict::Broken);
    assert_eq!(judgement.counted, counted(20, 3, 2));
    assert_eq!(
        judgement.evidence[1..],
        [
            "2 failures were in runs that were outages, and no evidence",
            "in job 2: passed before, and failed the last 2 runs on 2 commits"
        ]
    );
    // Of what is not broken, only the executions that say something count.
    let judgement = judged(&[flaky()]);
    assert_eq!(
        (judgement.verdict, judgement.counted),
        (Verdict::Flaky, counted(16, 1, 2))
    );
    // Of two that are as bad the first counts.
    let one = Shape {
        retry_passes: 1,
        ..shape()
    };
    let two = Shape {
        disagreements: 1,
        ..shape()
    };
    let opinions = [(one, opinion(0.8, 0.0)), (two, opinion(0.8, 0.0))];
    assert_eq!(
        judged(&opinions).evidence[2..],
        ["in job 1: failed and then passed in the same run once"]
    );
    let nothing = judge(
        tally(20, 3),
        (counted(20, 3, 1), counted(16, 1, 1)),
        Vec::new(),
        &name,
    );
    assert_eq!(
        (nothing.verdict, nothing.evidence.len()),
        (Verdict::Unknown, 2)
    );
    assert_eq!(
        nothing.evidence[1],
        "1 failure was in runs that were outages, and no evidence"
    );
}

#[test]
fn evidence_of_retries_and_commits_is_named() {
    let both = Shape {
        retry_passes: 3,
        disagreements: 2,
        ..shape()
    };
    let judgement = judge_environment(&both, &opinion(0.8, 0.0));
    assert_eq!(
        judgement.evidence,
        [
            "failed and then passed in the same run 3 times",
            "passed and failed on the same commit, on 2 commits"
        ]
    );
    assert_eq!(
        judge_environment(&shape(), &opinion(0.8, 0.0)).evidence,
        Vec::<String>::new()
    );
    // Suspects are named of what is broken only.
    let suspected = |flaky, broken| {
        let opinion = Opinion {
            suspects: Some(Suspects::default()),
            ..opinion(flaky, broken)
        };
        judge_environment(&red(2, 2, true), &opinion)
            .suspects
            .is_some()
    };
    assert!(suspected(0.1, 0.99));
    assert!(!suspected(0.99, 0.1));
}
