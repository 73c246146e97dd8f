//! The flake rate: of runs of tests on a commit those in which a test failed that passed on the same commit, in the same job and leg.
//!
//! A test that passes and fails on the same code is a flaky one (Luo, Hariri, Eloussi and Marinov, "An Empirical Analysis of Flaky Tests", FSE 2014).
//! The unit is the run and not the test: of ten thousand tests one that fails now and then is a rate of nothing, and makes every run red. So do those
//! who say how many builds flaky tests spoilt (GitHub Engineering, "Reducing flaky builds by 18x", 2020).

use super::facts::{Facts, Piece};
use super::{Finding, of_window, undivided};
use crate::delivery::ask::Ask;
use crate::delivery::reasons::Reason;

const SOURCE: &str = "runs of tests";

pub(super) fn find(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    if let Some(why) = undivided(ask, SOURCE) {
        return Finding::missing(SOURCE, why);
    }
    if facts.tests.is_empty() {
        let why = "no run of tests is stored; `maestro flakes ingest` stores them";
        return Finding::missing(SOURCE, why);
    }
    let pieces = facts.tests.iter().map(|run| Piece {
        to: Some(run.at),
        is_part: run.is_flaky,
        reason: if run.is_outage {
            Some(Reason::Outage)
        } else {
            of_window(ask, run.at)
        },
        ..Piece::new("test_run", run.id.clone(), "")
    });
    let mut pieces: Vec<Piece> = pieces.collect();
    crate::order::sort(&mut pieces);
    Finding::share(SOURCE, pieces, ask.least)
}
