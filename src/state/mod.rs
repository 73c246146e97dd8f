//! State on disk: events in an outbox, folded into segments. The truth is the set of events; all else is a fold of it.
//!
//! `docs/state.md` describes the layout. Invariants: nothing is written in place, an event that a command reported as
//! saved survives a kill, and a damaged line is named and set aside while everything else stays readable.

mod disk;
mod fold;
#[cfg(test)]
mod tests;
pub(crate) mod v1;

pub(crate) use disk::{Damage, StateError, StateFolder, Survey};
