//! How long CI takes: of every commit that was pushed the longest run of a workflow, as they run side by side and the slowest one is waited for. An
//! attempt's clock runs from when it was started to when it ended, its wait for a runner included; a later attempt has a clock of its own.

use std::collections::BTreeMap;

use super::facts::{Facts, Piece};
use super::{Finding, of_window, undivided};
use crate::delivery::ask::Ask;
use crate::delivery::quantiles::estimate;
use crate::delivery::reasons::Reason;
use crate::delivery::rows::Run;

/// What starts CI, as GitHub calls it.
pub(crate) const EVENTS: [&str; 3] = ["push", "pull_request", "merge_group"];

/// How a run ended from which people had an answer.
pub(crate) const ANSWERS: [&str; 3] = ["success", "failure", "timed_out"];

/// Of fewer pipelines the 95th percentile would be the longest one.
const LEAST: usize = 20;

const SOURCE: &str = "runs of workflows";

pub(super) fn find(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    let rows = &facts.rows.runs;
    if let Some(why) = undivided(ask, SOURCE) {
        return Finding::missing(SOURCE, why);
    }
    if !rows.iter().any(|run| EVENTS.contains(&run.event.as_str())) {
        let why =
            "no run of CI is known; with GITHUB_TOKEN, `maestro dora kpi` reads them from GitHub";
        return Finding::missing(SOURCE, why);
    }
    let mut pieces = Vec::with_capacity(rows.len());
    let mut longest: BTreeMap<&str, usize> = BTreeMap::new();
    for run in rows {
        let mut piece = piece(run);
        piece.reason = unfit(run, ask);
        if piece.reason.is_none() {
            let commit = if run.sha.is_empty() {
                &run.url
            } else {
                &run.sha
            };
            let place = pieces.len();
            let best = longest.entry(commit.as_str()).or_insert(place);
            if *best != place {
                let known: &mut Piece = &mut pieces[*best];
                // Rows come in the order of their ids: of two that took as long the first one stays.
                if piece.took_ms > known.took_ms {
                    known.reason = Some(Reason::Shorter);
                    *best = place;
                } else {
                    piece.reason = Some(Reason::Shorter);
                }
            }
        }
        pieces.push(piece);
    }
    for place in longest.into_values() {
        let piece = &mut pieces[place];
        piece.reason = piece.to.and_then(|at| of_window(ask, at));
    }
    let counted = pieces.iter().filter(|piece| piece.reason.is_none());
    let took = counted.filter_map(|piece| piece.took_ms).map(seconds);
    let found = estimate(took.collect(), 0.95, LEAST);
    let value = (
        found.map(|found| found.value),
        found.and_then(|found| found.interval),
    );
    Finding::of(SOURCE, pieces, value, LEAST)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody waits for 2^52 milliseconds"
)]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn piece(run: &Run) -> Piece {
    let from = run.started.unwrap_or(run.created);
    let took = run.updated.duration_since(from).as_millis();
    Piece {
        from: Some(from),
        to: Some(run.updated),
        // Clocks may disagree; nothing ends before it began.
        took_ms: Some(i64::try_from(took.max(0)).unwrap_or(i64::MAX)),
        ..Piece::new("run", format!("{}.{}", run.id, run.attempt), &run.url)
    }
}

/// Says why a run is none of CI.
fn unfit(run: &Run, ask: &Ask<'_>) -> Option<Reason> {
    let word = ask.workflow.to_lowercase();
    if !EVENTS.contains(&run.event.as_str()) {
        Some(Reason::OtherEvent)
    } else if run.workflow.to_lowercase().contains(&word) {
        Some(Reason::Deploys)
    } else if run.conclusion.is_empty() {
        Some(Reason::InProgress)
    } else if !ANSWERS.contains(&run.conclusion.as_str()) {
        Some(Reason::Cancelled)
    } else if run.updated > ask.now {
        Some(Reason::InFuture)
    } else {
        None
    }
}
