//! Budgets: what may be spent, what is, and what is spoken for.

pub(crate) mod accounts;
pub(crate) mod book;
pub(crate) mod caps;
pub(crate) mod downshift;
pub(crate) mod forecast;
pub(crate) mod foreign;
pub(crate) mod journal;
pub(crate) mod lease;
pub(crate) mod ledger;
pub(crate) mod spend;
pub(crate) mod sums;
#[cfg(test)]
mod trials;
