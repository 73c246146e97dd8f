//! Indicators that pull requests tell of: how long they take, how many are merged, and how many agents wrote.
//!
//! The lead time is the metric `lead-time-merge`, with its rules and its rows: two commands never say two things.

use jiff::Timestamp;

use super::facts::{Facts, Piece};
use super::{Finding, of_window};
use crate::delivery::ask::{Ask, seconds};
use crate::delivery::changes::is_wanted;
use crate::delivery::history::History;
use crate::delivery::metrics::{Metric, Value};
use crate::delivery::quantiles::{around_count, float};
use crate::delivery::reasons::Reason;
use crate::delivery::rows::{Author, Pull};

pub(super) const SOURCE: &str = "pull requests";

/// What a metric of dora is taken from.
const OF_GIT: &str = "pull requests as git alone shows them";

const NONE: &str =
    "no pull request is known; with GITHUB_TOKEN, `maestro dora kpi` reads them from GitHub";

const UNMERGED_UNKNOWN: &str = "git alone does not know of pull requests that were not merged; with GITHUB_TOKEN, `maestro dora kpi` reads them from GitHub";

fn source(facts: &Facts<'_>) -> &'static str {
    if facts.knows_unmerged { SOURCE } else { OF_GIT }
}

/// The median of the time to the merge.
pub(super) fn lead_time(
    facts: &Facts<'_>,
    history: &History<'_>,
    lead: Option<&Metric>,
) -> Finding {
    let source = source(facts);
    let (false, Some(lead)) = (facts.rows.pulls.is_empty(), lead) else {
        return Finding::missing(source, NONE);
    };
    let Value::Spread(spread) = &lead.value else {
        return Finding::missing(source, "this definition has no lead time to the merge");
    };
    let counted = lead.evidence.iter().map(|row| Piece {
        from: row.from,
        to: Some(row.to),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "nobody waits for 2^63 milliseconds"
        )]
        took_ms: row.seconds.map(|seconds| (seconds * 1000.0).round() as i64),
        ..Piece::new(
            row.row.kind.word(),
            history.rows.id(row.row),
            history.rows.url(row.row),
        )
    });
    let left = lead.left_out.iter().map(|left| Piece {
        reason: Some(left.reason),
        ..Piece::new(
            left.row.kind.word(),
            history.rows.id(left.row),
            history.rows.url(left.row),
        )
    });
    let median = spread.median;
    let value = (
        median.map(|median| median.value),
        median.and_then(|median| median.interval),
    );
    Finding::of(
        source,
        counted.chain(left).collect(),
        value,
        history.ask.least,
    )
}

/// The share of closed pull requests that were merged.
pub(super) fn merge_success(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    if let Some(why) = unknown(facts) {
        return Finding::missing(SOURCE, why);
    }
    Finding::share(SOURCE, ended(facts, ask, false), ask.least)
}

/// The share of closed pull requests of agents that were merged.
pub(super) fn agents_success(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    Finding::share(SOURCE, ended(facts, ask, true), ask.least)
}

/// Why nothing can be said of pull requests that were not merged.
pub(super) fn unknown(facts: &Facts<'_>) -> Option<&'static str> {
    if !facts.knows_unmerged {
        return Some(UNMERGED_UNKNOWN);
    }
    facts.rows.pulls.is_empty().then_some(NONE)
}

/// How many pull requests of agents are merged in a week.
pub(super) fn autonomous(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    let source = source(facts);
    let Some(first) = facts
        .rows
        .earliest()
        .filter(|_| !facts.rows.pulls.is_empty())
    else {
        return Finding::missing(source, NONE);
    };
    let mut pieces = ended(facts, ask, true);
    for piece in &mut pieces {
        if piece.reason.is_none() && !piece.is_part {
            piece.reason = Some(Reason::Unmerged);
        }
    }
    let merged = pieces.iter().filter(|piece| piece.reason.is_none()).count();
    let window = ask.window;
    let weeks = seconds(window.since.max(first), window.until.min(ask.now)) / (7.0 * 86_400.0);
    if weeks < 1.0 {
        let mut found = Finding::of(source, pieces, (None, None), ask.least);
        found.why = Some("less than a week of that time is known".to_owned());
        return found;
    }
    let (low, high) = around_count(merged);
    let value = (
        Some(float(merged) / weeks),
        Some((low / weeks, high / weeks)),
    );
    Finding::of(source, pieces, value, ask.least)
}

/// Returns pull requests that ended in the time that is asked for; those that were merged are of the part.
fn ended(facts: &Facts<'_>, ask: &Ask<'_>, of_agents: bool) -> Vec<Piece> {
    let pulls = facts.rows.pulls.iter();
    pulls
        .map(|pull| {
            let end = pull.merged.or(pull.closed);
            Piece {
                from: Some(pull.created),
                to: end,
                is_part: pull.merged.is_some(),
                reason: unfit(pull, end, ask, of_agents),
                ..Piece::new("pull", pull.key().id, &pull.url)
            }
        })
        .collect()
}

fn unfit(pull: &Pull, end: Option<Timestamp>, ask: &Ask<'_>, of_agents: bool) -> Option<Reason> {
    if of_agents && pull.author_kind != Author::Agent {
        return Some(Reason::NotOfAgents);
    }
    let Some(end) = end else {
        return Some(Reason::Open);
    };
    let is_other = |branch: &str| !pull.base.is_empty() && pull.base != branch;
    if ask.branch.is_some_and(is_other) {
        return Some(Reason::OtherBase);
    }
    if !is_wanted(pull, ask) {
        return Some(Reason::OtherPath);
    }
    of_window(ask, end)
}
