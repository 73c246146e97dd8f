//! The best that anybody can say who knows how the histories are made: the probability that a test is flaky, given what it did.
//!
//! Which runs are outages is known as well. What fails together with a test is not looked at.

use crate::make::{BREAKS, FAILS, History, MENDS, Plan, Project};

/// The rates of all tests, with how many have each.
pub fn rates(projects: &[&Project]) -> Vec<(f64, f64)> {
    let mut counts = std::collections::BTreeMap::new();
    for rate in projects.iter().flat_map(|project| &project.rates) {
        if *rate < 1.0 {
            *counts.entry((rate * 1e7) as u64).or_insert(0.0) += 1.0;
        }
    }
    counts
        .into_iter()
        .map(|(rate, count)| (rate as f64 / 1e7, count))
        .collect()
}

/// Returns how likely a test is flaky by what it did, run by run: nothing in an outage.
pub fn flaky(seen: &[Option<&str>], rates: &[(f64, f64)], plan: &Plan) -> f64 {
    let (mut flaky, mut all) = (0.0, 0.0);
    let mut logs = Vec::new();
    for (rate, count) in rates {
        // Never broken, broken, mended.
        let mut state = [1.0, 0.0, 0.0];
        let mut log = f64::ln(*count);
        for what in seen {
            let [before, broken, after] = state;
            state = [
                before * (1.0 - BREAKS),
                before * BREAKS + broken * (1.0 - MENDS),
                broken * MENDS + after,
            ];
            let Some(what) = what else { continue };
            // What is broken fails also when it is flaky.
            let fails = |first: f64| 1.0 - (1.0 - first) * (1.0 - rate);
            let (f, r) = (fails(FAILS), fails(plan.stays));
            let (well, bad) = match *what {
                "p" => (1.0 - rate, 1.0 - f),
                "f" => (*rate, f),
                "ff" => (rate * rate, f * r),
                _ => (rate * (1.0 - rate), f * (1.0 - r)),
            };
            state = [state[0] * well, state[1] * bad, state[2] * well];
            let sum: f64 = state.iter().sum();
            if sum <= 0.0 {
                log = f64::NEG_INFINITY;
                break;
            }
            log += sum.ln();
            state = state.map(|part| part / sum);
        }
        logs.push((*rate, log));
    }
    let most = logs
        .iter()
        .map(|(_, log)| *log)
        .fold(f64::NEG_INFINITY, f64::max);
    for (rate, log) in logs {
        let chance = (log - most).exp();
        all += chance;
        if rate > 0.0 {
            flaky += chance;
        }
    }
    flaky / all
}

/// Returns what a test did, run by run.
pub fn seen<'h>(history: &History, row: &'h [(usize, &'static str)]) -> Vec<Option<&'h str>> {
    let mut seen: Vec<Option<&str>> = history
        .is_outage
        .iter()
        .map(|out| (!out).then_some("p"))
        .collect();
    for (run, what) in row {
        if !history.is_outage[*run] {
            seen[*run] = Some(what);
        }
    }
    seen
}
