//! Folding runs: what counts once, and what each test did.

use jiff::{SignedDuration, Timestamp};

use super::*;

fn sha(number: u8) -> Sha {
    Sha([number; 32])
}

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

/// A run of the list of tests `a`, `b`, `c` (where `c` is skipped as a rule); each is named by its number.
fn run(number: u8, attempt: u32, job: &str) -> Run {
    Run {
        id: sha(number),
        at: at(i64::from(number)),
        origin: Origin {
            run: "1".to_owned(),
            attempt,
            job: job.to_owned(),
            commit: "c".to_owned(),
            branch: "main".to_owned(),
        },
        leg: String::new(),
        files: vec![sha(number)],
        list: sha(200),
        differs: Vec::new(),
        absent: Vec::new(),
        stated: Stated::default(),
        counts: Counts::default(),
    }
}

fn builder() -> HistoryBuilder {
    let mut builder = HistoryBuilder::default();
    let expected = BTreeMap::from([(2, "s".to_owned())]);
    builder.suite(sha(200), "s", ["a", "b", "c"].into_iter(), &expected);
    builder
}

/// Adds a run in which tests, by place, did something else than expected.
fn add(builder: &mut HistoryBuilder, mut run: Run, did: &[(u32, &str)]) {
    let numbered = did
        .iter()
        .map(|(place, did)| (*place, builder.sequences().number(did)));
    run.differs = numbered.collect();
    builder.run(run);
}

fn tallies(history: &History) -> Vec<(u64, u64, u64)> {
    let all = history.in_order().into_iter();
    let tallies = all.map(|test| history.tally(test));
    tallies
        .map(|tally| (tally.runs, tally.failures, tally.retry_passes))
        .collect()
}

#[test]
fn executions_failures_and_passes_on_retry_are_counted() {
    let mut builder = builder();
    add(&mut builder, run(1, 1, "j"), &[(0, "ffp"), (2, "f")]);
    add(&mut builder, run(2, 2, "j"), &[(1, "f")]);
    let mut third = run(3, 3, "j");
    third.absent = vec![(0, 1)];
    add(&mut builder, third, &[(2, "p")]);
    let history = builder.finish();
    assert_eq!(tallies(&history), [(4, 2, 1), (3, 1, 1), (2, 1, 1)]);
    assert_eq!(executions("f*2+fp*3+s"), (8, 5));
    let counts = |run: usize| {
        let counts = &history.runs[run].counts;
        (counts.cases, counts.passed, counts.failed, counts.skipped)
    };
    assert_eq!(counts(0).0, 3);
    assert_eq!((counts(0).2, counts(0).3), (1, 0));
    assert_eq!(counts(1), (3, 1, 1, 1));
    assert_eq!(counts(2), (2, 2, 0, 0));
}

#[test]
fn what_a_place_did_in_a_run_is_found() {
    let mut builder = builder();
    let mut first = run(1, 1, "j");
    first.absent = vec![(1, 1)];
    add(&mut builder, first, &[(0, "fp")]);
    let mut lost = run(2, 2, "j");
    lost.list = sha(201);
    add(&mut builder, lost, &[]);
    let history = builder.finish();
    assert_eq!((history.len(), history.missing_lists), (3, 1));
    let (first, lost) = (&history.runs[0], &history.runs[1]);
    let did = |place: u32| {
        history
            .at(first, place)
            .map(|(test, expected)| (history.test(test).1, expected))
    };
    assert_eq!(
        (did(0), did(2), did(3)),
        (Some(("a", "p")), Some(("c", "s")), None)
    );
    assert_eq!(history.sequence_text(first.differs[0].1), "fp");
    assert_eq!(history.test(0), ("s", "a"));
    assert!(history.has_list_of(first) && !history.has_list_of(lost));
    assert_eq!(history.at(lost, 0), None);
    let executed = |run: u32, test: u32| history.weight(run, test).map(|weight| weight.executions);
    assert_eq!(
        [
            executed(0, 0),
            executed(0, 1),
            executed(0, 2),
            executed(1, 0),
            executed(2, 0)
        ],
        [Some(2), None, Some(0), None, None]
    );
    assert!(history.weights.at(history.weights.passed).executions == 1);
    assert_eq!(history.weights.at(history.weights.skipped).executions, 0);
    assert!(!history.weights.at(history.weights.passed).only_failed());
    assert!(!history.weights.at(history.weights.skipped).only_failed());
}

#[test]
fn a_report_that_another_run_of_the_place_has_counts_once() {
    let stored = |change: fn(&mut Run)| {
        let mut builder = builder();
        let mut both = run(1, 1, "j");
        both.files = vec![sha(1), sha(2)];
        add(&mut builder, both, &[]);
        let mut one = run(2, 1, "j");
        change(&mut one);
        add(&mut builder, one, &[]);
        let history = builder.finish();
        (history.runs.len(), history.duplicates)
    };
    assert_eq!(stored(|_| {}), (1, 1));
    assert_eq!(stored(|run| run.files = vec![sha(1), sha(2)]), (1, 1));
    assert_eq!(stored(|run| run.files = vec![sha(3)]), (2, 0));
    assert_eq!(stored(|run| run.files = vec![sha(1), sha(3)]), (2, 0));
    assert_eq!(stored(|run| run.leg = "l".to_owned()), (2, 0));
    assert_eq!(stored(|run| run.origin.job = "k".to_owned()), (2, 0));
    assert_eq!(stored(|run| run.origin.attempt = 2), (2, 0));
    assert_eq!(stored(|run| run.origin.run = "2".to_owned()), (2, 0));
    assert_eq!(stored(|run| run.origin.commit = "d".to_owned()), (2, 0));
}

#[test]
fn of_two_copies_of_a_run_the_earlier_counts_in_any_order() {
    for late_first in [false, true] {
        let mut builder = builder();
        let early = run(1, 1, "j");
        let mut late = run(1, 1, "j");
        late.at = at(9);
        late.origin.branch = "other".to_owned();
        for run in if late_first {
            [late, early]
        } else {
            [early, late]
        } {
            add(&mut builder, run, &[]);
        }
        let history = builder.finish();
        assert_eq!(history.runs.len(), 1);
        assert_eq!(history.runs[0].origin.branch, "main");
    }
}

#[test]
fn only_a_later_attempt_of_the_same_thing_passes_later() {
    let later = |second: Run, did: &[(u32, &str)]| {
        let mut builder = builder();
        add(&mut builder, run(1, 2, "j"), &[(0, "f")]);
        add(&mut builder, second, did);
        builder.finish().passes_later(0, 0)
    };
    assert!(later(run(2, 3, "j"), &[]));
    assert!(!later(run(2, 1, "j"), &[]));
    assert!(!later(run(2, 2, "j"), &[]));
    assert!(!later(run(2, 3, "k"), &[]));
    assert!(!later(run(2, 3, "j"), &[(0, "f")]));
    assert!(!later(run(2, 3, "j"), &[(0, "s")]));
    assert!(later(run(2, 3, "j"), &[(0, "fp")]));
    let mut builder = builder();
    add(&mut builder, run(1, 1, "j"), &[]);
    assert!(!builder.finish().passes_later(9, 0));
}

#[test]
fn reports_of_one_attempt_are_one_observation() {
    let mut builder = builder();
    add(&mut builder, run(1, 1, "j"), &[(0, "f")]);
    add(&mut builder, run(2, 1, "j"), &[(0, "fp")]);
    add(&mut builder, run(3, 2, "j"), &[]);
    let mut other = run(4, 1, "k");
    other.origin.commit = String::new();
    add(&mut builder, other, &[]);
    let history = builder.finish();
    let seen = history.observations(0);
    let told: Vec<_> = seen
        .iter()
        .map(|seen| {
            (
                seen.run,
                seen.attempt,
                seen.executions,
                seen.failures,
                seen.failed,
            )
        })
        .collect();
    assert_eq!(
        told,
        [(0, 1, 3, 2, true), (2, 2, 1, 0, false), (3, 1, 1, 0, false)]
    );
    assert_eq!(
        (seen[0].retried, seen[0].has_commit, seen[2].has_commit),
        (1, true, false)
    );
    assert_eq!(seen[0].place, seen[1].place);
    assert_ne!(seen[0].place, seen[2].place);
    assert_ne!(seen[0].environment, seen[2].environment);
    // A test that never failed has no history.
    assert_eq!(history.observations(1), []);
    let around: Vec<u32> = history
        .observations_around_failures(0)
        .iter()
        .map(|seen| seen.run)
        .collect();
    assert_eq!(around, [0, 2]);
    assert_eq!(history.deviating().collect::<Vec<_>>(), [0]);
    assert_eq!(history.place_of(0), history.place_of(2));
}

#[test]
fn where_a_run_was_made_has_a_name() {
    let name = |job: &str, leg: &str| {
        let mut builder = builder();
        let mut run = run(1, 1, job);
        run.leg = leg.to_owned();
        add(&mut builder, run, &[(0, "f")]);
        let history = builder.finish();
        let number = history.observations(0)[0].environment;
        assert_eq!(history.environment(number + 1000), "");
        history.environment(number)
    };
    assert_eq!(name("", ""), "no job");
    assert_eq!(name("j", ""), "j");
    assert_eq!(name("", "linux"), "linux");
    assert_eq!(name("j", "linux"), "j (linux)");
}

#[test]
fn what_failed_in_a_run_and_since_when_it_is_quiet() {
    let mut builder = builder();
    for (number, did) in [(1, "f"), (2, "p"), (3, "fp"), (4, "p"), (5, "p")] {
        let mut run = run(number, 1, "j");
        run.origin.run = number.to_string();
        add(&mut builder, run, &[(0, did), (2, "s")]);
    }
    let history = builder.finish();
    assert_eq!(
        (history.quiet(0), history.quiet(1), history.quiet(2)),
        (2, 5, 0)
    );
    assert_eq!((history.failing(0), history.failing(2)), (vec![0], vec![]));
    let runs = history.ci_runs(&|_| false);
    assert_eq!(runs.count, 5);
    let failures = history.failures(0, &runs);
    // One that passed on retry failed as well.
    assert_eq!((failures.first, failures.last), (Some(at(1)), Some(at(3))));
    assert_eq!(failures.runs, [0, 2]);
    assert_eq!(
        history.failures(0, &history.ci_runs(&|run| run == 0)).runs,
        [2]
    );
    assert_eq!(
        history.failures(1, &runs),
        super::super::failures::Failures::default()
    );
}

#[test]
fn a_run_is_tidied_of_what_it_says_twice() {
    let mut run = run(1, 1, "j");
    run.absent = vec![(7, 2), (3, 1), (4, 2), (8, 3)];
    run.differs = vec![(9, 1), (2, 5), (2, 6), (3, 7), (6, 8)];
    run.files = vec![sha(2), sha(1), sha(2)];
    run.tidy();
    assert_eq!(run.absent, [(3, 3), (7, 4)]);
    assert_eq!(run.differs, [(2, 5), (6, 8)]);
    assert_eq!(run.files, [sha(1), sha(2)]);
    let absent: Vec<u32> = (0..12).filter(|place| run.is_absent(*place)).collect();
    assert_eq!(absent, [3, 4, 5, 7, 8, 9, 10]);
}

#[test]
fn of_two_rollups_of_a_month_the_one_with_the_lesser_id_counts() {
    let mut builder = builder();
    let key = Key {
        month: "2026-01".to_owned(),
        job: "j".to_owned(),
        leg: String::new(),
    };
    let counts = Counts::default();
    assert!(builder.rollup(sha(2), &key, 20, counts).is_some());
    assert!(builder.rollup(sha(3), &key, 30, counts).is_none());
    assert!(builder.rollup(sha(2), &key, 20, counts).is_none());
    assert!(builder.rollup(sha(1), &key, 10, counts).is_some());
    let history = builder.finish();
    assert_eq!(
        history
            .rollups
            .iter()
            .map(|rollup| rollup.id)
            .collect::<Vec<_>>(),
        [sha(1)]
    );
}

#[test]
fn since_a_day_only_what_ran_on_it_or_later_counts() {
    let mut builder = builder();
    add(&mut builder, run(1, 1, "j"), &[(0, "f")]);
    // The first hour of the next day.
    add(&mut builder, run(24, 2, "j"), &[(0, "ffp")]);
    let mut absent = run(30, 3, "j");
    absent.absent = vec![(0, 1)];
    add(&mut builder, absent, &[]);
    add(&mut builder, run(50, 4, "j"), &[]);
    let history = builder.finish();
    let since = |test: u32, day: i8| history.since(test, jiff::civil::date(1970, 1, day));
    let days = [1, 2, 3, 4].map(|day| since(0, day));
    assert_eq!(days, [(5, 3), (4, 2), (1, 0), (0, 0)]);
    // What is skipped as a rule was not executed.
    assert_eq!(since(2, 1), (0, 0));
}

#[test]
fn what_failures_said_is_counted_the_most_frequent_first() {
    let mut builder = builder();
    builder.hearing = Some(Hearing::default());
    let said = ["no route", "took 3 ms", "took 12 ms", "not its own"];
    for (number, message) in (1_u8..).zip(said) {
        let did = if number == 4 { (1, "f") } else { (0, "f") };
        add(&mut builder, run(number, u32::from(number), "j"), &[did]);
        let messages = BTreeMap::from([(message.to_owned(), String::new())]);
        builder.hears().unwrap().hear(sha(number), messages);
    }
    let history = builder.finish();
    let signatures = |test: u32| -> Vec<(String, u64)> {
        let all = history.signatures_of(test, &mut HashMap::new());
        all.into_iter()
            .map(|(signature, times)| (signature.text, times))
            .collect()
    };
    let of_first = [("took <n> ms".to_owned(), 2), ("no route".to_owned(), 1)];
    assert_eq!(signatures(0), of_first);
    assert_eq!(signatures(1), [("not its own".to_owned(), 1)]);
    assert!(signatures(2).is_empty());
    let failed: Vec<u32> = (history.failed_runs(0).into_iter())
        .map(|(run, _)| run)
        .collect();
    assert_eq!(failed, [0, 1, 2]);
}
