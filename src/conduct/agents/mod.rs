//! The run of a team of agents: carries out what `agents` decides, durably.

mod brief;
pub(crate) mod crew;
pub(crate) mod drive;
mod edit;
mod engine;
mod errand;
pub(crate) mod journal;
pub(crate) mod planning;
pub(crate) mod recording;
pub(crate) mod run;
#[cfg(feature = "bench")]
pub mod speed;
pub(crate) mod steps;
pub(crate) mod team;
mod testing;
mod turn;
mod values;
mod verdict;
