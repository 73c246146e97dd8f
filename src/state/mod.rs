//! State: events in an outbox, folded into segments, shared by way of git refs. The truth is the set of events; all else is
//! a fold of it.
//!
//! `docs/state.md` describes the layout. Invariants: nothing is written in place, an event that a command reported as
//! saved survives a kill, a full disk and a refused push, and a damaged line is named and set aside while everything else
//! stays readable.

pub(crate) mod artifact_name;
mod asked;
mod branch;
mod compact;
mod cursors;
mod decisions;
mod deliveries;
mod disk;
mod export;
mod fold;
mod forget;
pub(crate) mod intake;
mod issue_links;
pub(crate) mod kinds;
mod lengths;
mod lines;
mod notifications;
mod pack;
mod patience;
mod provenance;
mod push;
mod recover;
pub(crate) mod refusal;
mod register;
mod remote;
mod repair;
mod segment;
mod shared;
#[cfg(test)]
mod tests;
mod tree;
pub(crate) mod v1;
mod waiting;
#[cfg(feature = "bench")]
pub mod year;

pub(crate) use branch::{ChangedFile, Publish};
pub(crate) use compact::Compacted;
pub(crate) use disk::{Place, StateError, StateFolder, Survey};
pub(crate) use fold::Folded;
pub(crate) use forget::Forgotten;
pub(crate) use lines::Damage;
pub(crate) use push::Pushed;
pub(crate) use recover::Recovered;
pub(crate) use register::{Register, Turn};
pub(crate) use remote::{Pulled, Remote, RemoteFold};
pub(crate) use shared::Shared;
