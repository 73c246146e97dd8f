//! Drivers: what asks GitHub and git step by step, with time and network, as the decision rooms say.

pub(crate) mod agents;
pub(crate) mod artifacts;
pub(crate) mod backfill;
pub(crate) mod bases;
pub(crate) mod cassettes;
pub(crate) mod changed;
pub(crate) mod deliver;
pub(crate) mod deliveries;
pub(crate) mod etags;
pub(crate) mod export;
pub(crate) mod gateway;
pub(crate) mod github;
pub(crate) mod graphs;
pub(crate) mod identity;
pub(crate) mod imports;
pub(crate) mod issue;
pub(crate) mod left_behind;
pub(crate) mod model;
pub(crate) mod notify;
pub(crate) mod planner;
pub(crate) mod post;
pub(crate) mod propose;
mod publish;
pub(crate) mod purse;
pub(crate) mod readers;
pub(crate) mod seen;
pub(crate) mod trusted;
pub(crate) mod upsert;

#[cfg(test)]
mod tests;
