//! A year of test runs, made up the same way each time, for `benches/year.sh`. Only with the feature `bench`.
//!
//! Every run can be made again from its number alone, so that what the state answers is compared with the raw data.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::v1::{self, Filing, KnownLists, TEST_LIST, TEST_RUN};
use super::{Shared, StateFolder};
use crate::event::Origin;
use crate::flakes::history::HistoryBuilder;
use crate::flakes::results::Results;
use crate::junit::{Case, Counts, Outcome};
use crate::ports::World;
use crate::sha::Sha;

const JOBS: [&str; 3] = ["linux", "macos", "windows"];
const RUNS_A_DAY: u64 = 100;
const TESTS: u64 = 10_000;
const UNEXPECTED: u64 = 50;
const BRANCHES: u64 = 500;
/// Tests that are replaced a week.
const CHURN: u64 = TESTS / 100;
/// 2025-01-06T00:00:00Z, a Monday.
const BEGIN: i64 = 1_736_121_600;

/// What is unexpected in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexpected {
    /// Any test, each as likely as any other, without a message: the most that there is to say about fifty of ten thousand.
    Anywhere,
    /// Mostly the same two hundred tests, some more often than others, each with its message.
    Chronic,
}

/// Numbers without a pattern, from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn of(parts: &[u64]) -> Self {
        let mut dice = Self(0x5eed);
        for part in parts {
            dice.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            dice.throw();
        }
        dice
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.throw() % bound
    }

    #[expect(clippy::cast_precision_loss, reason = "a made-up number needs no more")]
    fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One run of one job.
#[derive(Clone, Copy)]
struct Run {
    number: u64,
    job: u64,
}

impl Run {
    fn second(self) -> u64 {
        self.number * 86_400 / RUNS_A_DAY + Dice::of(&[1, self.number]).below(600)
    }

    /// Returns the branch; two runs of five are on `main`.
    fn branch(self) -> Option<u64> {
        let mut dice = Dice::of(&[2, self.number]);
        let is_main = dice.below(5) < 2;
        // About twenty branches are alive at a time, and new ones follow old ones.
        let day = self.number / RUNS_A_DAY;
        (!is_main).then(|| day * BRANCHES / 365 + dice.below(20))
    }

    /// Returns the names of its tests, by a number that never means another one.
    ///
    /// Tests are replaced on `main` by two changes a day. A branch begins where `main` is when its time comes, takes `main`
    /// in about once a week, and half of the branches add up to five tests of their own, in two changes.
    fn tests(self) -> Vec<u64> {
        const CHANGES_A_WEEK: u64 = 14;
        let changes = self.second() * CHANGES_A_WEEK / (7 * 86_400);
        let Some(branch) = self.branch() else {
            let gone = changes * CHURN / CHANGES_A_WEEK;
            return (gone..gone + TESTS).collect();
        };
        let mut dice = Dice::of(&[3, branch]);
        let taken_in = changes.saturating_sub(dice.below(CHANGES_A_WEEK)) / CHANGES_A_WEEK;
        let gone = taken_in * CHURN;
        let mut tests: Vec<u64> = (gone..gone + TESTS).collect();
        let new = dice.below(11).saturating_sub(5);
        let is_second_change = self.number % (RUNS_A_DAY * 12) > dice.below(RUNS_A_DAY * 12);
        let now = if is_second_change { new } else { new / 2 };
        tests.extend((0..now).map(|at| 10_000_000 + branch * 10 + at));
        tests
    }

    /// Returns the tests that go otherwise than expected, with what happens.
    fn unexpected(self, mode: Unexpected, tests: &[u64]) -> Vec<(u64, &'static str)> {
        let mut dice = Dice::of(&[4, self.number, self.job]);
        let mut chosen = std::collections::BTreeMap::new();
        while (chosen.len() as u64) < UNEXPECTED {
            let place = match mode {
                // Four of five are among two hundred, the first of them most often.
                Unexpected::Chronic if dice.below(5) < 4 => {
                    let which = dice.below(200) * dice.below(200) / 200;
                    Dice::of(&[5, self.job, which]).below(TESTS)
                }
                Unexpected::Anywhere | Unexpected::Chronic => dice.below(TESTS),
            };
            let sequence = match dice.below(20) {
                0..=12 => "f",
                13..=16 => "fp",
                17..=18 => "e",
                _ => "s",
            };
            chosen.insert(tests[usize::try_from(place).unwrap_or(0)], sequence);
        }
        chosen.into_iter().collect()
    }

    fn results(self, mode: Unexpected, names: &mut Names) -> (Results, Counts) {
        let tests = self.tests();
        let unexpected: std::collections::HashMap<_, _> =
            self.unexpected(mode, &tests).into_iter().collect();
        let mut results = Results::default();
        let mut counts = Counts::default();
        let mut case = Case::default();
        let mut noise = Dice::of(&[6, self.number, self.job]);
        for (place, &test) in tests.iter().enumerate() {
            let sequence = unexpected.get(&test).copied().unwrap_or("p");
            let known = names
                .entry((test, self.job))
                .or_insert_with(|| (name_of(test), suite_of(test), usual_seconds(test, self.job)));
            case.name.clone_from(&known.0);
            case.class.clone_from(&known.1);
            case.attempts = match sequence {
                "s" => Vec::new(),
                sequence => sequence.chars().filter_map(Outcome::from_letter).collect(),
            };
            // Half as long to twice as long as usual, most of the time much nearer.
            let factor = 2_f64.powf(noise.fraction() + noise.fraction() - 1.0);
            case.seconds = Some(known.2 * factor);
            let message = match (mode, sequence) {
                (Unexpected::Chronic, "f" | "fp" | "e") => message_of(test),
                _ => String::new(),
            };
            count(&mut counts, &case);
            results.case(&[], place as u64 / 50, &case, &message);
        }
        counts.suites = TESTS / 50;
        (results, counts)
    }

    fn filing(self) -> Filing {
        let commit = Dice::of(&[7, self.number]).throw();
        let report = Dice::of(&[8, self.number, self.job]).throw();
        let second = BEGIN + i64::try_from(self.second()).unwrap_or(0);
        Filing {
            at: Timestamp::from_second(second + i64::try_from(self.job).unwrap_or(0) * 7)
                .unwrap_or(Timestamp::UNIX_EPOCH),
            origin: Origin {
                run: (12_000_000_000 + self.number * 1_371).to_string(),
                attempt: 1,
                job: JOBS[usize::try_from(self.job).unwrap_or(0)].to_owned(),
                commit: Sha::of(&commit.to_be_bytes()).to_string()[..40].to_owned(),
                branch: match self.branch() {
                    None => "main".to_owned(),
                    Some(branch) => format!("feature/ticket-{branch}"),
                },
            },
            leg: String::new(),
            files: vec![Sha::of(&report.to_be_bytes())],
        }
    }
}

/// Name, suite and usual seconds of a test in a job.
type Names = std::collections::HashMap<(u64, u64), (String, String, f64)>;

fn count(counts: &mut Counts, case: &Case) {
    counts.cases += 1;
    counts.attempts += case.attempts.len() as u64;
    match case.attempts.last() {
        None => counts.skipped += 1,
        Some(Outcome::Failed) => counts.failed += 1,
        Some(Outcome::Errored) => counts.errored += 1,
        Some(_) => counts.passed += 1,
    }
}

const WORDS: [&str; 24] = [
    "accepts", "retries", "parcel", "timeout", "address", "courier", "empty", "rejects", "signs",
    "label", "order", "total", "tax", "refund", "stock", "late", "merges", "splits", "window",
    "locale", "unicode", "limit", "parallel", "cached",
];

fn name_of(test: u64) -> String {
    let mut dice = Dice::of(&[9, test]);
    let mut word = || WORDS[usize::try_from(dice.below(24)).unwrap_or(0)];
    format!("{}_{}_{}_{test}", word(), word(), word())
}

fn suite_of(test: u64) -> String {
    let suite = Dice::of(&[10, test]).below(TESTS / 50);
    let word = |at: u64| WORDS[usize::try_from(at % 24).unwrap_or(0)];
    format!("shop::{}::{}::tests{suite}", word(suite), word(suite / 24))
}

fn message_of(test: u64) -> String {
    let wanted = Dice::of(&[11, test]).below(1_000);
    format!(
        "assertion `left == right` failed: order {test} left: {wanted} right: {}",
        wanted / 2
    )
}

/// Between a millisecond and some seconds.
fn usual_seconds(test: u64, job: u64) -> f64 {
    let mut dice = Dice::of(&[12, test, job]);
    0.001 * 2_f64.powf(12.0 * dice.fraction() * dice.fraction())
}

fn state_of<'w>(world: &'w World, repository: &Path) -> StateFolder<'w> {
    let root = repository.join(".git").join("maestro");
    let shared = Shared::new(world.git.as_ref(), &root, repository.to_path_buf());
    StateFolder::new(world.files.as_ref(), world.clock.as_ref(), root).with_shared(shared)
}

/// Encodes the runs of some days, and saves each day's events as one file of the outbox of a repository; `after` is called
/// after each day.
///
/// # Panics
///
/// When the outbox cannot be written.
pub fn write(
    world: &World,
    repository: &Path,
    mode: Unexpected,
    days: u64,
    after: &mut dyn FnMut(u64, &Path),
) -> (u64, u64) {
    let state = state_of(world, repository);
    let mut known = KnownLists::default();
    known.is_lasting = true;
    let mut names = Names::new();
    let (mut runs, mut lists) = (0, 0);
    for day in 0..days {
        let mut events = Vec::new();
        for number in day * RUNS_A_DAY..(day + 1) * RUNS_A_DAY {
            for job in 0..3 {
                let run = Run { number, job };
                let (results, counts) = run.results(mode, &mut names);
                let encoded = v1::encode_run(&results, &counts, &run.filing(), &mut known);
                events.extend(encoded.expect("results can be encoded"));
            }
        }
        runs += RUNS_A_DAY * 3;
        lists += events
            .iter()
            .filter(|event| event.kind == TEST_LIST)
            .count() as u64;
        let saved: PathBuf = state.save(&events).expect("the outbox can be written");
        after(day, &saved);
    }
    (runs, lists)
}

/// Asks the state of a repository how so many random tests went in random runs; returns how many answers equal the raw data,
/// and how many were asked.
///
/// # Panics
///
/// When the state cannot be read.
pub fn check(
    world: &World,
    repository: &Path,
    mode: Unexpected,
    days: u64,
    questions: u64,
) -> (u64, u64) {
    let state = state_of(world, repository);
    let mut builder = HistoryBuilder::default();
    let survey = state
        .read(
            &|kind, _| kind == TEST_LIST || kind == TEST_RUN,
            &mut |event| {
                if event.kind == TEST_LIST {
                    return v1::decode_list(event, &mut builder);
                }
                let run = v1::decode_run(event, builder.sequences())?;
                builder.run(run);
                Ok(())
            },
        )
        .expect("the state can be read");
    assert!(survey.damage.is_empty(), "{:?}", survey.damage.first());
    let history = builder.finish();
    let by_name: std::collections::HashMap<(String, String), usize> = history
        .runs
        .iter()
        .enumerate()
        .map(|(at, run)| ((run.origin.run.clone(), run.origin.job.clone()), at))
        .collect();
    let mut dice = Dice::of(&[13]);
    let mut equal = 0;
    for question in 0..questions {
        let run = Run {
            number: dice.below(days * RUNS_A_DAY),
            job: dice.below(3),
        };
        let tests = run.tests();
        let unexpected = run.unexpected(mode, &tests);
        // Half of the questions are about tests that went otherwise than expected, one of ten about one that was not there.
        let (test, wanted) = if question % 10 == 9 {
            (tests[tests.len() - 1] + 5_000_000, None)
        } else if question % 2 == 0 {
            let at = usize::try_from(dice.below(UNEXPECTED)).unwrap_or(0);
            (unexpected[at].0, Some(unexpected[at].1))
        } else {
            let test = tests[usize::try_from(dice.below(tests.len() as u64)).unwrap_or(0)];
            let found = unexpected.iter().find(|(other, _)| *other == test);
            (test, Some(found.map_or("p", |(_, sequence)| *sequence)))
        };
        let origin = run.filing().origin;
        let at = by_name.get(&(origin.run, origin.job));
        let said = at.and_then(|&at| history.sequence(at, &suite_of(test), &name_of(test)));
        equal += u64::from(said == wanted);
    }
    (equal, questions)
}
