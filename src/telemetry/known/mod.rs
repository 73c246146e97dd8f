//! What other rooms know, as what is told: rows of deliveries, runs at GitHub, journals and accounts of agents, bills, test runs, verdicts.
//!
//! Nothing is reckoned here that another room reckons: its values are taken as they are.

pub(crate) mod agents;
pub(crate) mod delivery;
pub(crate) mod flakes;
pub(crate) mod forge;
pub(crate) mod money;
