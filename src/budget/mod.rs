//! Budgets: what may be spent, what is, and what is spoken for.

pub(crate) mod caps;
pub(crate) mod ledger;
