//! Models: what a call used, and what that costs.

pub(crate) mod prices;
pub(crate) mod usage;
