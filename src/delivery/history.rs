//! All that is known of a repository's deliveries, linked: over the whole history, whatever time is asked for.

use super::ask::Ask;
use super::changes::{Carrier, Change, changes};
use super::failures::{Failures, failures};
use super::graph::Graph;
use super::shipments::{LeftOut, Shipped};
use super::table::Rows;

/// Rows, linked.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) ask: &'a Ask<'a>,
    pub(crate) shipped: &'a Shipped<'a>,
    pub(crate) released: &'a Shipped<'a>,
    pub(crate) changes: Vec<Change<'a>>,
    pub(crate) unchanged: Vec<LeftOut>,
    pub(crate) failures: Failures,
    /// The shipment that first held each commit, in the order of the rows.
    pub(crate) commits: Vec<Option<usize>>,
}

impl<'a> History<'a> {
    pub(crate) fn new(
        rows: &'a Rows,
        ask: &'a Ask<'a>,
        shipped: &'a Shipped<'a>,
        released: &'a Shipped<'a>,
    ) -> Self {
        let graph = Graph::new(&rows.commits);
        let deploying = Carrier::new(shipped, &graph);
        let releasing = Carrier::new(released, &graph);
        // Whose change it was that failed is not asked here: a part of the changes would hide what was deployed.
        let whole = Ask {
            path: None,
            author: None,
            team: None,
            ..ask.clone()
        };
        let (all, unmerged) = changes(&rows.pulls, &whole, &deploying, &releasing);
        let failures = failures(rows, &all, shipped, &deploying, ask);
        let is_whole = ask.path.is_none() && ask.author.is_none() && ask.team.is_none();
        let (changes, unchanged) = if is_whole {
            (all, unmerged)
        } else {
            changes(&rows.pulls, ask, &deploying, &releasing)
        };
        let commits = rows.commits.iter();
        let commits = commits
            .map(|commit| deploying.holder_of_sha(&commit.sha))
            .collect();
        Self {
            rows,
            ask,
            shipped,
            released,
            changes,
            unchanged,
            failures,
            commits,
        }
    }
}
