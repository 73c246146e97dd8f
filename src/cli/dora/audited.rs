//! What `maestro dora` says of the days before now, by rows that somebody else has read, and by git: nothing is asked and nothing is kept.

use jiff::Timestamp;

use super::gather::{Said, Wanted, read_git};
use super::question::{AskArgs, Question};
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::delivery::kpi::facts::Facts;
use crate::delivery::kpi::{Finding, INDICATORS, measure as indicators};
use crate::delivery::metrics::Metric;
use crate::delivery::pool::{Pool, measure};
use crate::delivery::rows::{Pull, Row};
use crate::delivery::table::Gathering;
use crate::error::CommandError;

/// What was measured.
#[derive(Debug, Default)]
pub(in crate::cli) struct Audited {
    pub(in crate::cli) metrics: Vec<Metric>,
    /// How long CI takes; none where no run is known.
    pub(in crate::cli) ci: Option<Finding>,
    /// Releases and tags within the time, each tag once.
    pub(in crate::cli) releases: usize,
    pub(in crate::cli) pulls: Vec<Pull>,
}

/// Measures deliveries; `forge` are rows of a forge, none where git alone tells.
pub(in crate::cli) fn audited(
    session: &Session<'_>,
    forge: Option<Vec<(Timestamp, Row)>>,
    days: u16,
) -> Result<Audited, CommandError> {
    let args = AskArgs::stored(None, None);
    let args = args.map_err(CommandError::internal)?;
    let mut question = Question::new(session, &args)?.before(session.now(), i64::from(days));
    let has_pulls = forge
        .iter()
        .flatten()
        .any(|(_, row)| matches!(row, Row::Pull(_)));
    if has_pulls {
        question = question.begin_at_opening();
    }
    let mut rows = Gathering::default();
    for (as_of, row) in forge.into_iter().flatten() {
        rows.add(as_of, row);
    }
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let wanted = Wanted {
        question: &question,
        paths: false,
        pulls: !has_pulls,
    };
    let Said { .. } = read_git(session.world, checkout, &wanted, &mut rows)?;
    let pool = Pool::of(rows.rows());
    let ask = question.ask(None);
    let measured = measure(&pool, &ask);
    let rows = match pool.list.into_iter().next() {
        Some(one) => one.rows,
        None => return Ok(Audited::default()),
    };
    let published = rows.releases.iter().filter(|one| !one.draft);
    let published = published.filter_map(|one| Some((one.tag.as_str(), one.published?)));
    let tags = rows.tags.iter().map(|tag| (tag.name.as_str(), tag.at));
    let inside = published
        .chain(tags)
        .filter(|(_, at)| ask.window.holds(*at));
    let releases = crate::order::set(inside.map(|(name, _)| name)).len();
    let facts = Facts {
        rows: &rows,
        knows_unmerged: false,
        tests: &[],
        calls: &[],
        agents: &[],
    };
    let place = INDICATORS.iter().position(|one| one.id == "ci-p95");
    let ci = place.and_then(|place| indicators(&facts, &ask).into_iter().nth(place));
    Ok(Audited {
        metrics: measured.metrics,
        ci: ci.filter(|_| !rows.runs.is_empty()),
        releases,
        pulls: rows.pulls,
    })
}
