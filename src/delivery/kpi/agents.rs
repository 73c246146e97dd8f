//! How often agents succeed: runs of `run-agents` that came to their whole end, of all that ended. Where no run is stored, pull requests of agents that
//! were merged, of all that were closed. A run whose answers came from a file says nothing: no model was asked.

use super::facts::{Facts, Piece, ends};
use super::{Finding, of_window, pulls, undivided};
use crate::delivery::ask::Ask;
use crate::delivery::reasons::Reason;
use crate::delivery::rows::Author;

const SOURCE: &str = "runs of agents";

const NONE: &str = "no run of agents is stored, and no pull request of an agent is known; `maestro run-agents` stores its runs";

pub(super) fn find(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    let ends = ends(facts.agents);
    let pieces: Vec<Piece> = ends
        .iter()
        .map(|run| Piece {
            to: Some(run.at),
            is_part: run.outcome == "complete",
            reason: if run.is_recorded {
                Some(Reason::Recorded)
            } else if run.outcome == "stopped" {
                Some(Reason::Stopped)
            } else {
                of_window(ask, run.at)
            },
            ..Piece::new("agent_run", run.run.clone(), "")
        })
        .collect();
    if ends.iter().any(|run| !run.is_recorded) {
        if let Some(why) = undivided(ask, SOURCE) {
            return Finding::missing(SOURCE, why);
        }
        return Finding::share(SOURCE, pieces, ask.least);
    }
    let rows = &facts.rows.pulls;
    let mut found = if !rows.iter().any(|pull| pull.author_kind == Author::Agent) {
        Finding::missing(SOURCE, NONE)
    } else if let Some(why) = pulls::unknown(facts) {
        Finding::missing(pulls::SOURCE, why)
    } else {
        pulls::agents_success(facts, ask)
    };
    // That there are recorded ones, and that they do not count, is no secret.
    found.pieces.extend(pieces);
    found
}
