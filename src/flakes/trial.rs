//! The detector on trial: what it says of histories that are made up, for `benches/detector.sh`. Only with the feature `bench`.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::detect::Analysis;
use super::history::{History, HistoryBuilder, Run};
use crate::event::Origin;
use crate::junit::Counts;
use crate::sha::Sha;

/// A history of one job: on each commit one run, with what went otherwise than passed.
#[derive(Debug)]
pub struct Made {
    /// Suites with their tests; tests are counted through.
    pub suites: Vec<(String, Vec<String>)>,
    /// For each run, tests in order with their attempts as letters.
    pub runs: Vec<Vec<(u32, &'static str)>>,
}

/// What is said of a test.
#[derive(Debug, Clone)]
pub struct Said {
    /// How likely it is flaky.
    pub flaky: f64,
    /// In one word.
    pub verdict: &'static str,
    /// The 95 % interval of its failure rate.
    pub low: f64,
    /// And its upper end.
    pub high: f64,
    /// Executions behind it, and failures.
    pub counts: (f64, f64),
}

/// Folds a history.
fn fold(made: &Made) -> History {
    let mut builder = HistoryBuilder::default();
    let list = Sha([1; 32]);
    builder.list(list, None, Vec::new());
    for (suite, tests) in &made.suites {
        let names = tests.iter().map(String::as_str);
        builder.suite(list, suite, names, &BTreeMap::new());
    }
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    for (number, run) in made.runs.iter().enumerate() {
        let differs = run.iter().map(|(test, sequence)| {
            let sequence = numbers
                .entry(sequence)
                .or_insert_with(|| builder.sequences().number(sequence));
            (*test, *sequence)
        });
        let differs = differs.collect();
        builder.run(run_of(number, list, differs));
    }
    builder.finish()
}

/// A history that is folded.
#[derive(Debug)]
pub struct Folded(History);

/// Folds a history, for taking the time.
pub fn folded(made: &Made) -> Folded {
    Folded(fold(made))
}

/// Analyses a history, for taking the time; returns how many outages it has.
pub fn analyse(history: &Folded) -> usize {
    Analysis::of(&history.0).outages.len()
}

/// Says what the detector says of each test, and which runs it takes for outages.
pub fn say(made: &Made) -> (Vec<Said>, Vec<usize>) {
    let history = fold(made);
    let analysis = Analysis::of(&history);
    let tests: usize = made.suites.iter().map(|(_, tests)| tests.len()).sum();
    let said = (0..u32::try_from(tests).unwrap_or(u32::MAX)).map(|test| {
        let judgement = analysis.judge(&history, test);
        let rate = judgement.counted.rate();
        Said {
            flaky: judgement.flaky,
            verdict: judgement.verdict.name(),
            low: rate.low,
            high: rate.high,
            counts: (judgement.counted.executions, judgement.counted.failures),
        }
    });
    let outages = analysis.outages.keys().map(|run| *run as usize);
    (said.collect(), outages.collect())
}

fn run_of(number: usize, list: Sha, differs: Vec<(u32, u32)>) -> Run {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let hours = SignedDuration::from_hours(i64::try_from(number).unwrap_or(0));
    Run {
        id: Sha(id),
        at: Timestamp::UNIX_EPOCH + hours,
        origin: Origin {
            run: number.to_string(),
            attempt: 1,
            job: "test".into(),
            commit: format!("c{number}"),
            branch: "main".into(),
        },
        leg: String::new(),
        files: vec![Sha(id)],
        list,
        differs,
        absent: Vec::new(),
        stated: super::stated::Stated::default(),
        counts: Counts::default(),
    }
}

/// Jeffreys' 95 % interval.
pub fn jeffreys(failures: f64, executions: f64) -> (f64, f64) {
    let rate = crate::stats::weighed_rate(failures, executions);
    (rate.low, rate.high)
}
