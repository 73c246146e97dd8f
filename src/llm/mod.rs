//! Models: what a call used, and what that costs.

pub(crate) mod answer;
pub(crate) mod prices;
pub(crate) mod usage;
pub(crate) mod worst;
