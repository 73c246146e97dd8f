//! The run of a team of agents: carries out what `agents` decides, durably.

pub(crate) mod drive;
pub(crate) mod journal;
pub(crate) mod recording;
pub(crate) mod steps;
