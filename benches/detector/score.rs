//! Who is right how often.

use std::collections::BTreeMap;

use maestro::trial::{self, Said};

use crate::bayes;
use crate::make::{History, Plan, Project, make};

/// One test that failed at least once, or is called something.
pub struct Row {
    pub is_flaky: bool,
    /// It failed outside of outages, and is not broken at the end.
    pub is_observable: bool,
    /// It was broken at some time, and failed then.
    pub was_broken: bool,
    pub has_failed: bool,
    pub said: Said,
    pub bayes: f64,
    pub rate: f64,
    /// What is known to say how often it fails: executions and failures outside of outages and regressions.
    pub known: (f64, f64),
    /// What simple rules say: raw, and without runs in which more than 30 % failed.
    pub rules: [[bool; 4]; 2],
}

pub const RULES: [&str; 4] = [
    "has pass and fail",
    "pass on retry ≥ 1",
    "≥ 3 episodes",
    "flip rate ≥ .05",
];

/// What comes of one history.
#[derive(Default)]
pub struct Tally {
    pub rows: Vec<Row>,
    pub flaky: usize,
    pub regressions: usize,
    pub outages: (usize, usize, usize),
}

fn rules(history: &History, row: &[(usize, &'static str)], without: Option<&[bool]>) -> [bool; 4] {
    let runs = history.is_outage.len();
    let mut letters = vec!["p"; runs];
    for (run, what) in row {
        letters[*run] = what;
    }
    let letters: Vec<&str> = (0..runs)
        .filter(|run| without.is_none_or(|out| !out[*run]))
        .map(|run| letters[run])
        .collect();
    let fails: Vec<bool> = letters
        .iter()
        .map(|what| *what == "f" || *what == "ff")
        .collect();
    let episodes = (0..fails.len())
        .filter(|at| fails[*at] && (*at == 0 || !fails[at - 1]))
        .count();
    let flips = fails.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let any = letters.iter().any(|what| *what != "p");
    [
        any && letters.iter().any(|what| what.ends_with('p')),
        letters.contains(&"fp"),
        episodes >= 3,
        flips as f64 / (fails.len().max(2) - 1) as f64 >= 0.05,
    ]
}

/// Makes a history of a project, and judges it.
pub fn judge(
    project: &Project,
    plan: &Plan,
    number: u64,
    prior: &[(f64, f64)],
    with_bayes: bool,
    tally: &mut Tally,
) {
    let history = make(project, plan, number);
    let (said, outages) = trial::say(&history.made);
    let found = outages
        .iter()
        .filter(|run| history.is_outage[**run])
        .count();
    tally.outages.0 += history.is_outage.iter().filter(|out| **out).count();
    tally.outages.1 += found;
    tally.outages.2 += outages.len() - found;
    if std::env::var_os("DETECTOR_DEBUG").is_some() {
        for run in 0..plan.runs {
            if history.is_outage[run] != outages.contains(&run) {
                let row = &history.made.runs[run];
                let suites: std::collections::BTreeSet<usize> = row
                    .iter()
                    .map(|(test, _)| project.suite_of[*test as usize])
                    .collect();
                eprintln!(
                    "{} {number} run {run} is outage {}: {} of {} failed, {} recovered, in {} suites of {}",
                    project.name,
                    history.is_outage[run],
                    row.len(),
                    project.rates.len(),
                    row.iter().filter(|(_, what)| *what == "fp").count(),
                    suites.len(),
                    project.suites.len()
                );
            }
        }
        for (test, said) in said.iter().enumerate() {
            let own = history.made.runs.iter().enumerate().any(|(run, row)| {
                !history.is_outage[run]
                    && !history.is_broken(test, run)
                    && row.iter().any(|(own, _)| *own as usize == test)
            });
            let rate = project.rates[test];
            if (said.verdict == "flaky") != (rate > 0.0 && rate < 1.0)
                && (own || rate == 0.0)
                && rate < 1.0
            {
                let told: Vec<String> = history
                    .made
                    .runs
                    .iter()
                    .enumerate()
                    .filter_map(|(run, row)| {
                        row.iter()
                            .find(|(own, _)| *own as usize == test)
                            .map(|(_, what)| {
                                format!(
                                    "{run}{what}{}",
                                    if history.is_outage[run] { "!" } else { "" }
                                )
                            })
                    })
                    .collect();
                eprintln!(
                    "  false: {} {test} rate {rate:.4} {} {:.3} {}",
                    project.name,
                    said.verdict,
                    said.flaky,
                    told.join(" ")
                );
            }
        }
    }
    let mut rows: BTreeMap<usize, Vec<(usize, &'static str)>> = BTreeMap::new();
    for (run, row) in history.made.runs.iter().enumerate() {
        for (test, what) in row {
            rows.entry(*test as usize).or_default().push((run, what));
        }
    }
    let large: Vec<bool> = history
        .made
        .runs
        .iter()
        .map(|row| row.len() * 10 > project.rates.len() * 3)
        .collect();
    for (test, rate) in project.rates.iter().enumerate() {
        let row = rows.get(&test).map_or(&[][..], Vec::as_slice);
        let is_flaky = *rate > 0.0 && *rate < 1.0;
        tally.flaky += usize::from(is_flaky);
        let was_broken = row
            .iter()
            .any(|(run, _)| history.is_broken(test, *run) && !history.is_outage[*run]);
        let is_open = history.broken[test].is_some_and(|(_, end)| end >= plan.runs);
        tally.regressions += usize::from(was_broken && !is_flaky && *rate < 1.0);
        let mut has_failed = false;
        let mut own = false;
        let quiet = |run: &usize| !history.is_outage[*run] && !history.is_broken(test, *run);
        let mut known = ((0..plan.runs).filter(quiet).count() as f64, 0.0);
        for (_, what) in row.iter().filter(|(run, _)| quiet(run)) {
            known.0 += (what.len() - 1) as f64;
            known.1 += what.bytes().filter(|letter| *letter == b'f').count() as f64;
        }
        for (run, _) in row {
            has_failed |= !history.is_outage[*run];
            own |= !history.is_outage[*run] && !history.is_broken(test, *run);
        }
        if row.is_empty() && !is_flaky {
            continue;
        }
        let bayes = if with_bayes && has_failed && *rate < 1.0 {
            bayes::flaky(&bayes::seen(&history, row), prior, plan)
        } else {
            0.0
        };
        tally.rows.push(Row {
            is_flaky,
            is_observable: is_flaky && own && !is_open,
            was_broken,
            has_failed,
            said: said[test].clone(),
            bayes,
            rate: *rate,
            known,
            rules: [
                rules(&history, row, None),
                rules(&history, row, Some(&large)),
            ],
        });
    }
}

/// Precision, recall over all flaky tests, and F1.
pub fn f1(rows: &[Row], flaky: usize, is_called: impl Fn(&Row) -> bool) -> (f64, f64, f64) {
    let called = rows.iter().filter(|row| is_called(row));
    let (mut right, mut all) = (0.0, 0.0);
    for row in called {
        all += 1.0;
        right += f64::from(u8::from(row.is_flaky));
    }
    let precision = if all > 0.0 { right / all } else { 1.0 };
    let recall = right / flaky.max(1) as f64;
    (
        precision,
        recall,
        2.0 * precision * recall / (precision + recall).max(1e-9),
    )
}

/// Returns the greatest recall at a precision, calling from the highest score down, and the greatest F1.
pub fn best(rows: &[Row], flaky: usize, precision: f64, score: impl Fn(&Row) -> f64) -> (f64, f64) {
    let mut order: Vec<(f64, bool)> = rows
        .iter()
        .filter(|row| row.has_failed)
        .map(|row| (score(row), row.is_flaky))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut all) = (0.0, 0.0);
    let (mut recall, mut f1): (f64, f64) = (0.0, 0.0);
    for (at, (score, is_flaky)) in order.iter().enumerate() {
        all += 1.0;
        right += f64::from(u8::from(*is_flaky));
        if order.get(at + 1).is_some_and(|next| next.0 == *score) {
            continue;
        }
        let own = right / flaky.max(1) as f64;
        if right / all >= precision {
            recall = recall.max(own);
        }
        f1 = f1.max(2.0 * right / (all + flaky as f64));
    }
    (recall, f1)
}

/// The expected calibration error of ten bins, over tests with a failure.
pub fn calibration(rows: &[Row], chance: impl Fn(&Row) -> f64) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    let mut all = 0.0;
    for row in rows.iter().filter(|row| row.has_failed && row.rate < 1.0) {
        let chance = chance(row);
        let bin = &mut bins[((chance * 10.0) as usize).min(9)];
        bin.0 += 1.0;
        bin.1 += chance;
        bin.2 += f64::from(u8::from(row.is_flaky));
        all += 1.0;
    }
    bins.iter().map(|bin| (bin.1 - bin.2).abs()).sum::<f64>() / f64::max(all, 1.0)
}
