//! How a team delivers: rows of what happened, linked over the whole history, and the metrics that follow, each with its evidence.
//!
//! Pure: the present time is an argument. GitHub and git are only sources of rows. A row is counted or left out with a reason, and the sums agree.

pub(crate) mod account;
pub(crate) mod ask;
pub(crate) mod authors;
pub(crate) mod calendar;
pub(crate) mod changes;
pub(crate) mod definitions;
pub(crate) mod editions;
pub(crate) mod failures;
pub(crate) mod from_github;
pub(crate) mod git_log;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod kpi;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod pool;
pub(crate) mod quantiles;
pub(crate) mod reasons;
pub(crate) mod repositories;
pub(crate) mod rows;
pub(crate) mod shipments;
pub(crate) mod space;
pub(crate) mod splits;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod trends;
